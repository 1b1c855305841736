/* equal_results.c - see equal_results.h. */
#include "equal_results.h"
#include "short_text.h"
#include <string.h>

enum { KEYS = 4 }; /* of those that differ; of more, how many */

static bool same_table(const HnTable *a, const HnTable *b) {
  if (!a || !b || a->rows != b->rows || a->width != b->width) return false;
  const gsize count = (gsize)(a->rows * a->width);
  return g_strv_equal((const char *const *)a->columns, (const char *const *)b->columns) &&
         !memcmp(a->values->data, b->values->data, sizeof(double) * count) &&
         !memcmp(a->filled->data, b->filled->data, count);
}

/* Whether the arm has done seeds, and each of them is the other's cell of that seed again. */
static bool same_results(const HnResults *r, int64_t arm, int64_t other) {
  int64_t same = 0;
  for (int64_t seed = 0; seed < r->seeds; seed++) {
    const HnResult *a = hn_results_cell(r, arm, seed), *b = hn_results_cell(r, other, seed);
    if (!hn_result_done(a)) continue;
    if (!hn_result_done(b) || !same_table(a->metrics, b->metrics)) return false;
    same += a->metrics->rows > 0;
  }
  return same > 0;
}

/* "inference.noise_variance", or NULL where no key differs that could change a result. */
static char *keys_of(const HnResults *r, int64_t arm, int64_t other) {
  const HnResult *a = hn_results_first_done(r, arm), *b = hn_results_first_done(r, other);
  if (!a->config || !b->config) return NULL;
  g_autoptr(GPtrArray) paths =
      hn_cell_differing_keys(b->config, a->config, HN_KEY_FREE | HN_KEY_SEED);
  return paths->len ? hn_short_list((const char *const *)paths->pdata, paths->len, KEYS) : NULL;
}

GPtrArray *hn_equal_results(const HnResults *r) {
  GPtrArray *out = g_ptr_array_new_with_free_func(g_free);
  for (int64_t arm = 1; arm < r->arm_count; arm++)
    for (int64_t other = 0; other < arm; other++) {
      if (!same_results(r, arm, other)) continue;
      g_autofree char *keys = keys_of(r, arm, other);
      if (keys)
        g_ptr_array_add(out, g_strdup_printf("%s has the results of %s to the last digit: what "
                                             "they differ in had no effect (%s).",
                                             r->arms[arm], r->arms[other], keys));
      break;
    }
  return out;
}

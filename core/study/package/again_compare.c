/* again_compare.c - see again_compare.h. */
#include "again_compare.h"
#include "diff_weights.h"
#include "digest.h"
#include "json.h"
#include "run_dir.h"
#include "safetensors.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- weights ---- */

/* "after update 10, tensor policy/actor.0.weight F32 [8, 4] differs by up to 1e-3"; or NULL. */
static char *first_tensor(const char *dir_a, const char *dir_b) {
  g_autoptr(HnWeightsDiff) w = hn_diff_first_weights(dir_a, dir_b);
  const HnTensorDiff *x = w ? w->tensors->pdata[0] : NULL;
  if (!x) return NULL;
  if (g_strcmp0(x->a, x->b) != 0)
    return g_strdup_printf("after update %" PRId64 ", tensor %s has another shape", w->update,
                           x->name);
  return g_strdup_printf("after update %" PRId64 ", tensor %s %s differs by up to %.3g", w->update,
                         x->name, x->a, x->absolute);
}

void hn_again_compare_traces(const HnResult *c, const char *dir, HnOutcome *o) {
  const HnTraced said = hn_traced(c), again = {dir, said.every, said.last};
  const HnTraceDiff d = hn_diff_traces(&said, &again);
  if (d.updates) o->updates = d.updates;
  if (d.first < 0) return;
  o->first = d.first;
  o->reason = first_tensor(c->dir, dir);
}

bool hn_again_weights_are_traced(const HnResult *c) {
  g_autofree char *trace = hn_run_file(c->dir, HN_FILE_TRACE), *digests = NULL;
  g_autofree char *path = hn_run_checkpoint(c->dir, hn_json_int(c->facts, "update", -1));
  gsize n = 0;
  uint8_t digest[HN_DIGEST_BYTES];
  HnStoredTensors *t = hn_stored_tensors_open(path, NULL);
  if (!t) return false;
  g_autoptr(GPtrArray) weights = hn_stored_tensors_weights(t);
  HnDigest *sum = hn_digest_begin();
  for (guint i = 0; i < weights->len; i++) {
    const HnStoredTensor *x = weights->pdata[i];
    hn_digest_add(sum, x->data, x->bytes);
  }
  hn_digest_end(sum, digest);
  hn_stored_tensors_free(t);
  return g_file_get_contents(trace, &digests, &n, NULL) && n >= sizeof digest &&
         memcmp(digests + n - sizeof digest, digest, sizeof digest) == 0;
}

/* ---- numbers ---- */

/* Relative above 1, absolute below; two that are not finite are the same or infinitely far apart.
 */
static double difference(double a, double b) {
  if (a == b || (isnan(a) && isnan(b))) return 0;
  const double d = fabs(a - b) / fmax(1, fmax(fabs(a), fabs(b)));
  return isfinite(d) ? d : (double)INFINITY;
}

typedef struct Rows {
  const HnTable *said, *again;
  HnOutcome *o;
  int64_t compared;
} Rows;

static void compare_row(Rows *x, int64_t row, int64_t other, const char *prefix) {
  for (int64_t k = 0; k < x->said->width; k++) {
    const char *column = x->said->columns[k];
    const int64_t j = hn_table_find(x->again, column);
    if (!g_str_has_prefix(column, prefix) || !hn_table_filled(x->said, row, k)) continue;
    const bool there = j >= 0 && hn_table_filled(x->again, other, j);
    const double a = hn_table_at(x->said, row, k);
    const double d = there ? difference(a, hn_table_at(x->again, other, j)) : (double)INFINITY;
    x->compared++;
    if (d <= x->o->most) continue;
    x->o->most = d;
    g_free(x->o->column);
    x->o->column = g_strdup(column);
  }
}

static HnTable *read_again(const char *dir) {
  g_autofree char *path = hn_run_file(dir, HN_FILE_METRICS);
  return hn_table_read(path, NULL);
}

static void judge(Rows *x, double tolerance) {
  HnOutcome *o = x->o;
  if (!x->again || x->compared == 0) {
    o->agreement = HN_AGREES_FAILED;
    if (!o->reason) o->reason = g_strdup("left no number to compare");
  } else {
    o->agreement = o->most > tolerance            ? HN_AGREES_DIFFERS
                   : o->most > 0 || o->first >= 0 ? HN_AGREES_NUMERIC
                                                  : HN_AGREES_BITWISE;
  }
}

void hn_again_compare_rows(const HnResult *c, const char *dir, double tolerance, HnOutcome *o) {
  HnTable *again = read_again(dir);
  Rows x = {c->metrics, again, o, 0};
  const int64_t rows = again ? MIN(c->metrics->rows, again->rows) : 0;
  for (int64_t row = 0; row < rows; row++) compare_row(&x, row, row, "");
  judge(&x, tolerance);
  if (again) hn_table_free(again);
}

void hn_again_compare_evaluation(const HnResult *c, const char *dir, double tolerance,
                                 HnOutcome *o) {
  HnTable *again = read_again(dir);
  Rows x = {c->metrics, again, o, 0};
  if (again && again->rows && c->metrics->rows)
    compare_row(&x, c->metrics->rows - 1, again->rows - 1, "eval.");
  judge(&x, tolerance);
  if (again) hn_table_free(again);
}

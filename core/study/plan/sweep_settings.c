/* sweep_settings.c - see sweep_settings.h. */
#include "sweep_settings.h"
#include "sobol.h"
#include "sweep.h"
#include <hunch/rng.h>
#include <string.h>

enum { TRIES = 100 }; /* draws for each setting, before it is said that there are too few */
/* Of the root's streams that of sweeps: "sweep" as bytes. */
#define STREAM UINT64_C(0x7377656570)

static GPtrArray *nodes_new(void) {
  return g_ptr_array_new_with_free_func((GDestroyNotify)hn_node_free);
}

static const char *path_of(const HnSweepSource *s, guint i) {
  return ((const HnNode *)s->parameters->pdata[i])->text;
}

/* ---- checking ---- */

bool hn_sweep_settings_check(const HnSweepSource *s, const HnNode *block, HnDiag *d) {
  const guint before = hn_diag_count(d), n = s->parameters->len;
  for (guint i = 0; s->method < HN_SWEEP_RANDOM && i < n; i++) {
    const HnSweepValues *v = &s->values[i], *first = s->values;
    if (!v->values)
      hn_diag_add(
          d, v->at->file, v->at->line, v->at->column,
          "%s: a range without 'count' is to be drawn from, by 'method: random' or 'method: "
          "sobol'",
          path_of(s, i));
    else if (s->method == HN_SWEEP_ZIP && first->values && v->values->len != first->values->len)
      hn_node_refuse(d, v->at, "%s has %u values and %s %u: zipped ones have equally many",
                     path_of(s, i), v->values->len, path_of(s, 0), first->values->len);
  }
  if (s->method == HN_SWEEP_SOBOL && n > HN_SOBOL_DIMENSIONS)
    hn_node_refuse(d, block, "'method: sobol' draws at most %d parameters, not %u: use random",
                   HN_SOBOL_DIMENSIONS, n);
  return hn_diag_count(d) == before;
}

uint64_t hn_sweep_settings_count(const HnSweepSource *s) {
  uint64_t count = 1;
  if (s->method >= HN_SWEEP_RANDOM) return (uint64_t)s->draws;
  if (s->method == HN_SWEEP_ZIP) return s->values->values->len;
  for (guint i = 0; i < s->parameters->len; i++)
    count = MIN(count * s->values[i].values->len, UINT32_MAX);
  return count;
}

/* ---- making ---- */

/* Setting k of a grid, or of a zip. */
static GPtrArray *listed(const HnSweepSource *s, guint k) {
  GPtrArray *out = nodes_new();
  g_ptr_array_set_size(out, (gint)s->parameters->len);
  guint rest = k;
  for (guint i = s->parameters->len; i-- > 0;) {
    const GPtrArray *values = s->values[i].values;
    const guint at = s->method == HN_SWEEP_ZIP ? k : rest % values->len;
    out->pdata[i] = hn_node_copy(values->pdata[at]);
    rest /= values->len;
  }
  return out;
}

/* The coordinate of a point, in [0, 1). */
static double coordinate(const HnSweepSource *s, guint i, uint32_t point, HnRng *rng,
                         const uint32_t *shift) {
  if (s->method == HN_SWEEP_SOBOL) return (double)(hn_sobol(i, point) ^ shift[i]) * 0x1p-32;
  return hn_rng_uniform(rng, 0, 1);
}

/* All values in one text. */
static char *key_of(const GPtrArray *setting) {
  GString *key = g_string_new(NULL);
  for (guint i = 0; i < setting->len; i++)
    g_string_append_printf(key, "%s\n", ((const HnNode *)setting->pdata[i])->text);
  return g_string_free(key, FALSE);
}

static GPtrArray *drawn(const HnSweepSource *s, const HnNode *block, HnDiag *d) {
  GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  HnRng rng = hn_rng((uint64_t)s->root, STREAM);
  uint32_t shift[HN_SOBOL_DIMENSIONS] = {0};
  for (guint i = 0; s->method == HN_SWEEP_SOBOL && i < s->parameters->len; i++)
    shift[i] = hn_rng_u32(&rng);
  for (uint32_t point = 0; all->len < s->draws && point < TRIES * s->draws; point++) {
    GPtrArray *setting = nodes_new();
    for (guint i = 0; i < s->parameters->len; i++)
      g_ptr_array_add(setting,
                      hn_sweep_values_draw(&s->values[i], coordinate(s, i, point, &rng, shift)));
    if (g_hash_table_add(seen, key_of(setting)))
      g_ptr_array_add(all, setting);
    else
      g_ptr_array_unref(setting);
  }
  if (all->len == s->draws) return all;
  const HnNode *n = hn_node_get(block, "draws");
  n = n ? n : block;
  hn_node_refuse(d, n,
                 "sweep: %" G_GINT64_FORMAT " draws, but only %u different settings were found",
                 s->draws, all->len);
  g_ptr_array_unref(all);
  return NULL;
}

GPtrArray *hn_sweep_settings_new(const HnSweepSource *s, const HnNode *block, HnDiag *d) {
  if (s->method >= HN_SWEEP_RANDOM) return drawn(s, block, d);
  GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
  const guint count = (guint)hn_sweep_settings_count(s);
  for (guint k = 0; k < count; k++) g_ptr_array_add(all, listed(s, k));
  return all;
}

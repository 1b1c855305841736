/* curve.c - see curve.h. */
#include "curve.h"
#include <glib.h>
#include <math.h>
#include <string.h>

enum { POINTS_MAX = 100 };

HnCurve *hn_curve_new(int64_t n, int64_t seeds) {
  HnCurve *c = g_new0(HnCurve, 1);
  c->n = n, c->seeds = seeds;
  c->x = g_new(double, (gsize)n);
  c->value = g_new(double, (gsize)n);
  c->low = g_new(double, (gsize)n);
  c->high = g_new(double, (gsize)n);
  c->each = g_new(double, (gsize)(n * seeds));
  c->count = g_new0(int64_t, (gsize)n);
  return c;
}

void hn_curve_free(HnCurve *c) {
  if (!c) return;
  g_free(c->x), g_free(c->value), g_free(c->low), g_free(c->high), g_free(c->each);
  g_free(c->count);
  g_free(c);
}

/* ---- from tables ---- */

/* The filled points of one cell: x ascending, as written. */
static void take_points(const HnTable *t, const char *x, const char *y, bool positive, GArray *xs,
                        GArray *ys) {
  int64_t cx = hn_table_find(t, x), cy = hn_table_find(t, y);
  for (int64_t i = 0; cx >= 0 && cy >= 0 && i < t->rows; i++) {
    double vx = hn_table_at(t, i, cx), vy = hn_table_at(t, i, cy);
    if (!hn_table_filled(t, i, cy) || !isfinite(vx) || (positive && vx <= 0)) continue;
    g_array_append_val(xs, vx);
    g_array_append_val(ys, vy);
  }
}

static bool any_at(const HnCurve *c, int64_t stride, int64_t i) {
  for (int64_t s = 0; s < c->seeds; s++)
    if (isfinite(c->each[s * stride + i])) return true;
  return false;
}

/* Keeps points from, .., from + n - 1 of rows of each that lie `stride` apart. */
static void keep(HnCurve *c, int64_t stride, int64_t from, int64_t n) {
  c->n = n;
  if (n == 0) return; /* arrays of nothing are NULL */
  memmove(c->x, c->x + from, sizeof *c->x * (gsize)n);
  for (int64_t s = 0; s < c->seeds; s++)
    memmove(c->each + s * n, c->each + s * stride + from, sizeof *c->each * (gsize)n);
}

/* The x that all seeds have, with their values, without what no seed has at either end. */
static HnCurve *align(GPtrArray *xs, GPtrArray *ys) {
  GArray *first = xs->pdata[0];
  int64_t seeds = xs->len, n = 0, from = 0;
  HnCurve *c = hn_curve_new(first->len, seeds);
  g_autofree int64_t *at = g_new0(int64_t, (gsize)seeds);
  for (guint i = 0; i < first->len; i++) {
    double x = g_array_index(first, double, i);
    bool all = true;
    for (int64_t s = 0; s < seeds; s++) {
      GArray *here = xs->pdata[s];
      while (at[s] < here->len && g_array_index(here, double, at[s]) < x) at[s]++;
      all &= at[s] < here->len && g_array_index(here, double, at[s]) == x;
      if (!all) break;
      c->each[s * first->len + n] = g_array_index((GArray *)ys->pdata[s], double, at[s]);
    }
    if (all) c->x[n++] = x;
  }
  while (n > 0 && !any_at(c, first->len, n - 1)) n--;
  while (from < n && !any_at(c, first->len, from)) from++;
  keep(c, first->len, from, n - from);
  return c;
}

HnCurve *hn_curve_of(const GPtrArray *tables, const char *x, const char *y, bool positive) {
  if (!tables->len) return NULL;
  g_autoptr(GPtrArray) xs = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
  g_autoptr(GPtrArray) ys = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
  for (guint s = 0; s < tables->len; s++) {
    g_ptr_array_add(xs, g_array_new(FALSE, FALSE, sizeof(double)));
    g_ptr_array_add(ys, g_array_new(FALSE, FALSE, sizeof(double)));
    take_points(tables->pdata[s], x, y, positive, xs->pdata[s], ys->pdata[s]);
  }
  HnCurve *c = align(xs, ys);
  if (c->n == 0) g_clear_pointer(&c, hn_curve_free);
  return c;
}

/* ---- changed ---- */

void hn_curve_add_up(HnCurve *c) {
  int64_t last = 0; /* the point before that some seed has */
  for (int64_t i = 1; i < c->n; i++) {
    if (!any_at(c, c->n, i)) continue;
    for (int64_t s = 0; s < c->seeds; s++) c->each[s * c->n + i] += c->each[s * c->n + last];
    last = i;
  }
}

/* Of what is finite; NaN if nothing is. */
static double mean_of(int64_t n, const double *x) {
  double sum = 0, count = 0;
  for (int64_t i = 0; i < n; i++)
    if (isfinite(x[i])) sum += x[i], count += 1;
  return count > 0 ? sum / count : (double)NAN;
}

int64_t hn_curve_thin(HnCurve *c, bool log_x) {
  int64_t to = 0, longest = 1, run = (c->n + POINTS_MAX - 1) / POINTS_MAX;
  double ratio = log_x && c->n > 1 ? pow(c->x[c->n - 1] / c->x[0], 1.0 / POINTS_MAX) : 1;
  if (run <= 1) return 1;
  for (int64_t from = 0, end; from < c->n; from = end, to++) {
    end = from + 1;
    while (end < c->n && (log_x ? c->x[end] < c->x[from] * ratio : end - from < run)) end++;
    longest = MAX(longest, end - from);
    double x = 0;
    for (int64_t i = from; i < end; i++) x += log_x ? log(c->x[i]) : c->x[i];
    x /= (double)(end - from);
    c->x[to] = log_x ? exp(x) : x;
    for (int64_t s = 0; s < c->seeds; s++)
      c->each[s * c->n + to] = mean_of(end - from, c->each + s * c->n + from);
  }
  keep(c, c->n, 0, to);
  return longest;
}

void hn_curve_summarise(HnCurve *c, HnStats *stats, bool quartiles, double trials) {
  g_autofree double *seed = g_new(double, (gsize)c->seeds);
  for (int64_t i = 0; i < c->n; i++) {
    for (int64_t s = 0; s < c->seeds; s++) seed[s] = c->each[s * c->n + i];
    HnEstimate e = quartiles ? hn_stats_spread(stats, c->seeds, seed)
                             : hn_stats_estimate(stats, c->seeds, seed, trials);
    c->value[i] = e.value, c->low[i] = e.low, c->high[i] = e.high, c->count[i] = e.n;
    if (e.interval != HN_INTERVAL_NONE) c->interval = e.interval;
  }
}

HnCurve *hn_curve_held(const HnCurve *c, const HnCurve *other) {
  HnCurve *held = hn_curve_new(other->n, c->seeds);
  for (int64_t i = 0; i < other->n; i++) {
    held->x[i] = other->x[i];
    held->value[i] = c->value[0], held->low[i] = c->low[0], held->high[i] = c->high[0];
    held->count[i] = c->count[0];
    for (int64_t s = 0; s < c->seeds; s++) held->each[s * other->n + i] = c->each[s * c->n];
  }
  held->interval = c->interval;
  return held;
}

HnCurve *hn_curve_difference(const HnCurve *c, const HnCurve *b, int64_t seeds, HnStats *stats) {
  if (!c || !b || c->n != b->n || c->seeds != seeds || b->seeds != seeds ||
      memcmp(c->x, b->x, sizeof *c->x * (gsize)c->n) != 0)
    return NULL;
  HnCurve *d = hn_curve_new(c->n, seeds);
  memcpy(d->x, c->x, sizeof *c->x * (gsize)c->n);
  g_autofree double *pair = g_new(double, (gsize)(2 * seeds));
  for (int64_t i = 0; i < c->n; i++) {
    for (int64_t s = 0; s < seeds; s++) {
      pair[s] = c->each[s * c->n + i], pair[seeds + s] = b->each[s * c->n + i];
      d->each[s * c->n + i] = pair[s] - pair[seeds + s];
    }
    HnEstimate e = hn_stats_difference(stats, seeds, pair, pair + seeds, 0);
    d->value[i] = e.value, d->low[i] = e.low, d->high[i] = e.high, d->count[i] = e.n;
    if (e.interval != HN_INTERVAL_NONE) d->interval = e.interval;
  }
  return d;
}

/* ---- asked ---- */

bool hn_curve_has_interval(const HnCurve *c) {
  for (int64_t i = 0; i < c->n; i++)
    if (isfinite(c->low[i])) return true;
  return false;
}

bool hn_curve_has_gap(const HnCurve *c) {
  for (int64_t i = 0; i < c->n; i++)
    if (!isfinite(c->value[i])) return true;
  return false;
}

bool hn_curve_is_constant(const HnCurve *c) {
  for (int64_t i = 0; i < c->n * c->seeds; i++)
    if (!(c->each[i] == c->each[0])) return false;
  return c->n * c->seeds > 0;
}

double hn_curve_last(const HnCurve *c) {
  int64_t last = c ? c->n - 1 : -1;
  while (last >= 0 && !isfinite(c->value[last])) last--;
  return last < 0 ? (double)NAN : c->value[last];
}

/* reach.c - see reach.h. */
#include "reach.h"
#include "error.h"
#include <math.h>
#include <stdlib.h>

/* Points of a cell's curve, in the order of its rows. */
typedef struct Curve {
  const HnTable *table;
  int64_t x, y; /* columns: frames, the metric; -1: absent */
} Curve;

static Curve curve_of(const HnResult *cell, const char *column) {
  const HnTable *t = cell->metrics;
  if (!t) return (Curve){NULL, -1, -1};
  return (Curve){t, hn_table_find(t, "frames"), hn_table_find(t, column)};
}

/* The next row from `row` on where the metric is a number, or -1. */
static int64_t next_point(const Curve *c, int64_t row) {
  if (!c->table || c->x < 0 || c->y < 0) return -1;
  for (; row < c->table->rows; row++)
    if (isfinite(hn_table_at(c->table, row, c->y))) return row;
  return -1;
}

/* INFINITY: it never was; NaN: there is no point. */
static double frames_to(const Curve *c, double value, bool below) {
  double frames = NAN;
  for (int64_t i = next_point(c, 0); i >= 0; i = next_point(c, i + 1)) {
    const double y = hn_table_at(c->table, i, c->y);
    if (below ? y <= value : y >= value) return hn_table_at(c->table, i, c->x);
    frames = INFINITY;
  }
  return frames;
}

/* By trapezoids, over the frames between the first point and the last. */
static double mean_over_frames(const Curve *c) {
  const int64_t first = next_point(c, 0);
  int64_t last = first;
  double area = 0;
  if (first < 0) return NAN;
  for (int64_t i = next_point(c, first + 1); i >= 0; last = i, i = next_point(c, i + 1))
    area += (hn_table_at(c->table, i, c->x) - hn_table_at(c->table, last, c->x)) *
            (hn_table_at(c->table, i, c->y) + hn_table_at(c->table, last, c->y)) / 2;
  const double span = hn_table_at(c->table, last, c->x) - hn_table_at(c->table, first, c->x);
  return span > 0 ? area / span : hn_table_at(c->table, first, c->y);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static HnEstimate median_of(const HnComparison *c, int64_t n, double *frames) {
  HnEstimate e = hn_estimate_none();
  if ((e.n = n) == 0) return e;
  qsort(frames, (size_t)n, sizeof *frames, ascending);
  const HnBounds b = hn_bounds_median(hn_stats_confidence(c->stats), n, frames);
  e.value = (frames[(n - 1) / 2] + frames[n / 2]) / 2;
  if (isnan(b.low)) return e;
  e.low = b.low, e.high = b.high, e.interval = HN_INTERVAL_ORDER;
  return e;
}

HnReach *hn_reach(const HnComparison *c, double value, GError **error) {
  const HnResults *r = c->results;
  const HnCompared *m = c->columns->len ? c->columns->pdata[0] : NULL;
  if (!m) {
    hn_error_set(error, HN_ERROR_MISSING, "no done cell has an evaluation yet");
    return NULL;
  }
  HnReach *reach = g_new0(HnReach, 1);
  reach->column = g_strdup(m->column);
  reach->value = value, reach->below = m->better < 0, reach->arms = r->arm_count;
  reach->reached = g_new0(int64_t, (gsize)r->arm_count);
  reach->frames = g_new0(HnEstimate, (gsize)r->arm_count);
  double *mean = g_new(double, (gsize)(r->arm_count * r->seeds));
  g_autofree double *frames = g_new(double, (gsize)r->seeds);
  for (int64_t a = 0; a < r->arm_count; a++) {
    int64_t n = 0;
    for (int64_t s = 0; s < r->seeds; s++) {
      const Curve curve = curve_of(hn_results_cell(r, a, s), m->column);
      frames[n] = frames_to(&curve, value, reach->below);
      reach->reached[a] += isfinite(frames[n]);
      n += !isnan(frames[n]);
      mean[a * r->seeds + s] = mean_over_frames(&curve);
    }
    reach->frames[a] = median_of(c, n, frames);
  }
  g_autofree char *name = g_strconcat(m->column, ", mean over frames", NULL);
  reach->area = hn_compared_new(c, name, m->column, m->trials, mean);
  reach->area->averaged = false;
  return reach;
}

void hn_reach_free(HnReach *r) {
  if (!r) return;
  g_free(r->column), g_free(r->reached), g_free(r->frames);
  hn_compared_free(r->area), g_free(r);
}

/* stats.c - see stats.h. */
#include "stats.h"
#include <glib.h>
#include <hunch/rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct HnStats {
  HnAggregate aggregate;
  double confidence;
  int64_t resamples;
  int64_t drawn;   /* number of seeds that `index` was drawn for */
  int32_t *index;  /* [resamples, drawn] */
  double *replica; /* [resamples] */
};

HnStats *hn_stats_new(HnAggregate aggregate, double confidence, int64_t resamples) {
  g_assert(confidence > 0 && confidence < 1 && resamples >= 2);
  HnStats *s = g_new0(HnStats, 1);
  s->aggregate = aggregate, s->confidence = confidence, s->resamples = resamples;
  s->replica = g_new(double, (gsize)resamples);
  return s;
}

void hn_stats_free(HnStats *s) {
  if (!s) return;
  g_free(s->index);
  g_free(s->replica);
  g_free(s);
}

double hn_stats_confidence(const HnStats *s) {
  return s->confidence;
}

HnAggregate hn_stats_kind(const HnStats *s) {
  return s->aggregate;
}

static const struct {
  const char *name, *title;
} intervals[HN_INTERVALS] = {[HN_INTERVAL_NONE] = {"none", "none"},
                             [HN_INTERVAL_T] = {"t", "Student's t"},
                             [HN_INTERVAL_BOOTSTRAP] = {"bootstrap", "percentile bootstrap"},
                             [HN_INTERVAL_WILSON] = {"wilson", "Wilson's of rates"}};

const char *hn_interval_name(HnInterval i) {
  return intervals[i].name;
}

const char *hn_interval_title(HnInterval i) {
  return intervals[i].title;
}

/* ---- aggregates of x [n], which they may reorder ---- */

static int ascending(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double mean(int64_t n, double *x) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += x[i];
  return sum / (double)n;
}

/* Without the `drop` smallest and the `drop` largest. */
static double trimmed(int64_t n, double *x, int64_t drop) {
  qsort(x, (size_t)n, sizeof *x, ascending);
  return mean(n - 2 * drop, x + drop);
}

static double median(int64_t n, double *x) {
  return trimmed(n, x, (n - 1) / 2);
}

static double iqm(int64_t n, double *x) {
  return trimmed(n, x, n / 4);
}

static const struct {
  const char *name, *doc;
  double (*of)(int64_t n, double *x);
} aggregates[] = {
#define ROW(NAME, name, doc) {#name, doc, name},
    HN_AGGREGATES(ROW)};

const char *hn_aggregate_name(HnAggregate a) {
  return aggregates[a].name;
}

const char *hn_aggregate_doc(HnAggregate a) {
  return aggregates[a].doc;
}

double hn_stats_aggregate(HnAggregate a, int64_t n, double *x) {
  return aggregates[a].of(n, x);
}

/* ---- intervals ---- */

/* P(|t| < x) by the finite series for a whole number of degrees of freedom. */
static double t_within(double x, int64_t dof) {
  double theta = atan(x / sqrt((double)dof)), c = cos(theta), sum = 0, term = 1;
  if (dof % 2 == 0) {
    for (int64_t k = 2; k <= dof; k += 2) {
      sum += term;
      term *= c * c * (double)(k - 1) / (double)k;
    }
    return sin(theta) * sum;
  }
  term = c;
  for (int64_t k = 3; k <= dof; k += 2) {
    sum += term;
    term *= c * c * (double)(k - 1) / (double)k;
  }
  return (theta + sin(theta) * sum) * 2 / G_PI;
}

double hn_stats_t(double confidence, int64_t dof) {
  double low = 0, high = 1;
  while (t_within(high, dof) < confidence && high < 1e12) high *= 2;
  for (int i = 0; i < 200 && low < high; i++) {
    double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (t_within(middle, dof) < confidence)
      low = middle;
    else
      high = middle;
  }
  return high;
}

static void student(const HnStats *s, int64_t n, const double *x, HnEstimate *e) {
  double square = 0;
  for (int64_t i = 0; i < n; i++) square += (x[i] - e->value) * (x[i] - e->value);
  double half = hn_stats_t(s->confidence, n - 1) * sqrt(square / (double)(n - 1)) / sqrt((double)n);
  e->low = e->value - half, e->high = e->value + half;
  e->interval = HN_INTERVAL_T;
}

static void wilson(const HnStats *s, int64_t n, const double *x, double trials, HnEstimate *e) {
  const double p = CLAMP(e->value, 0, 1), t = hn_stats_t(s->confidence, n - 1);
  double square = 0, most = (double)n * trials;
  for (int64_t i = 0; i < n; i++) square += (x[i] - p) * (x[i] - p);
  const double variance = square / (double)(n - 1) / (double)n;
  if (p * (1 - p) < most * variance)
    most = fmax(p * (1 - p) / variance, (double)(n - 1)); /* which only rounding falls below */
  const double w = t * t / most, half = sqrt(w * (p * (1 - p) + w / 4));
  e->low = CLAMP((p + w / 2 - half) / (1 + w), 0, p);
  e->high = CLAMP((p + w / 2 + half) / (1 + w), p, 1);
  e->interval = HN_INTERVAL_WILSON;
}

/* All resamples of n seeds; the stream depends on n alone. */
static void draw(HnStats *s, int64_t n) {
  if (s->drawn == n) return;
  g_free(s->index);
  s->index = g_new(int32_t, (gsize)(s->resamples * n));
  s->drawn = n;
  HnRng rng = hn_rng(0x68756e6368, (uint64_t)n);
  for (int64_t i = 0; i < s->resamples * n; i++) s->index[i] = (int32_t)hn_rng_below(&rng, n);
}

/* Percentile p of sorted x [n], linear between order statistics. */
static double percentile(const double *x, int64_t n, double p) {
  double at = p * (double)(n - 1);
  int64_t i = CLAMP((int64_t)at, 0, n - 2);
  return x[i] + (at - (double)i) * (x[i + 1] - x[i]);
}

/* The interval of x - y, or of x alone where y is NULL. */
static void bootstrap(HnStats *s, int64_t n, const double *x, const double *y, HnEstimate *e) {
  draw(s, n);
  g_autofree double *picked = g_new(double, (gsize)n);
  for (int64_t r = 0; r < s->resamples; r++) {
    const int32_t *index = s->index + r * n;
    /* NOLINTNEXTLINE(clang-analyzer-core.uninitialized.ArraySubscript): draw fills it */
    for (int64_t i = 0; i < n; i++) picked[i] = x[index[i]];
    s->replica[r] = hn_stats_aggregate(s->aggregate, n, picked);
    if (!y) continue;
    for (int64_t i = 0; i < n; i++) picked[i] = y[index[i]];
    s->replica[r] -= hn_stats_aggregate(s->aggregate, n, picked);
  }
  qsort(s->replica, (size_t)s->resamples, sizeof(double), ascending);
  e->low = percentile(s->replica, s->resamples, (1 - s->confidence) / 2);
  e->high = percentile(s->replica, s->resamples, (1 + s->confidence) / 2);
  e->interval = HN_INTERVAL_BOOTSTRAP;
  e->coarse = n < HN_STATS_COARSE_BELOW;
}

static double aggregate_copy(const HnStats *s, int64_t n, const double *x) {
  g_autofree double *copy = g_memdup2(x, sizeof *x * (gsize)n);
  return hn_stats_aggregate(s->aggregate, n, copy);
}

static HnEstimate estimate(HnStats *s, int64_t n, const double *x, const double *y, double trials) {
  HnEstimate e = {.n = n, .value = NAN, .low = NAN, .high = NAN};
  if (n == 0) return e;
  e.value = aggregate_copy(s, n, x) - (y ? aggregate_copy(s, n, y) : 0);
  if (n < HN_STATS_SEEDS_MIN) return e;
  if (s->aggregate != HN_AGGREGATE_MEAN) {
    bootstrap(s, n, x, y, &e);
    return e;
  }
  g_autofree double *paired = g_memdup2(x, sizeof *x * (gsize)n);
  for (int64_t i = 0; y && i < n; i++) paired[i] -= y[i];
  e.value = aggregate_copy(s, n, paired);
  if (trials > 0 && !y)
    wilson(s, n, paired, trials, &e);
  else
    student(s, n, paired, &e);
  if (trials > 0) e.low = fmax(e.low, -1), e.high = fmin(e.high, 1);
  return e;
}

/* But for rounding. */
static bool in_unit_interval(int64_t n, const double *x) {
  for (int64_t i = 0; i < n; i++)
    if (x[i] < -1e-9 || x[i] > 1 + 1e-9) return false;
  return true;
}

HnEstimate hn_stats_difference(HnStats *s, int64_t n, const double *x, const double *baseline,
                               double trials) {
  g_autofree double *kept = g_new(double, (gsize)MAX(2 * n, 1));
  double *other = kept + n;
  int64_t m = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(x[i]) || (baseline && !isfinite(baseline[i]))) continue;
    kept[m] = x[i];
    if (baseline) other[m] = baseline[i];
    m++;
  }
  const bool rates = in_unit_interval(m, kept) && (!baseline || in_unit_interval(m, other));
  return estimate(s, m, kept, baseline ? other : NULL, rates ? trials : 0);
}

HnEstimate hn_stats_estimate(HnStats *s, int64_t n, const double *x, double trials) {
  return hn_stats_difference(s, n, x, NULL, trials);
}

HnEstimate hn_stats_spread(HnStats *s, int64_t n, const double *x) {
  HnEstimate e = {.value = NAN, .low = NAN, .high = NAN};
  g_autofree double *kept = g_new(double, (gsize)MAX(n, 1));
  for (int64_t i = 0; i < n; i++)
    if (isfinite(x[i])) kept[e.n++] = x[i];
  if (e.n > 0) e.value = hn_stats_aggregate(s->aggregate, e.n, kept);
  if (e.n >= HN_STATS_SEEDS_MIN) {
    qsort(kept, (size_t)e.n, sizeof *kept, ascending);
    e.low = percentile(kept, e.n, 0.25), e.high = percentile(kept, e.n, 0.75);
  }
  return e;
}

/* ---- what is said of an arm ---- */

static HnEstimate value(HnStats *s, int64_t n, const double *x, const double *baseline,
                        double trials) {
  (void)baseline;
  return hn_stats_estimate(s, n, x, trials);
}

const HnStatistic hn_statistics[HN_STATISTICS] = {
    [HN_VALUE] = {"value", NULL, false, value},
    [HN_DIFFERENCE] = {"difference", "difference", true, hn_stats_difference}};

const char *hn_statistic_heading(const HnStatistic *t, const HnStats *s) {
  return t->heading ? t->heading : hn_aggregate_name(s->aggregate);
}

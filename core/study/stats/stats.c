/* stats.c - see stats.h. */
#include "stats.h"
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct HnStats {
  HnAggregate aggregate;
  double confidence;
  int64_t resamples;
  bool skewed;
};

HnStats *hn_stats_new(HnAggregate aggregate, double confidence, int64_t resamples) {
  g_assert(confidence > 0 && confidence < 1 && resamples >= 2);
  HnStats *s = g_new0(HnStats, 1);
  s->aggregate = aggregate, s->confidence = confidence, s->resamples = resamples;
  return s;
}

void hn_stats_free(HnStats *s) {
  g_free(s);
}

void hn_stats_assume_skewed(HnStats *s) {
  s->skewed = true;
}

bool hn_stats_skewed(const HnStats *s) {
  return s->skewed;
}

int64_t hn_stats_resamples(const HnStats *s) {
  return s->resamples;
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
                             [HN_INTERVAL_BOOTSTRAP] = {"bootstrap", "stratified bootstrap"},
                             [HN_INTERVAL_WILSON] = {"wilson", "Wilson's"},
                             [HN_INTERVAL_NEWCOMBE] = {"newcombe", "Newcombe's"},
                             [HN_INTERVAL_WINSORISED] = {"winsorised", "Winsorised t"},
                             [HN_INTERVAL_ORDER] = {"order", "order statistics"},
                             [HN_INTERVAL_JACKKNIFE] = {"jackknife", "jackknife over seeds"}};

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

HnEstimate hn_estimate_none(void) {
  return (HnEstimate){.value = NAN, .low = NAN, .high = NAN, .p = NAN};
}

static void give(HnEstimate *e, HnInterval interval, HnBounds b, double p) {
  if (isnan(b.low)) return;
  e->low = b.low, e->high = b.high, e->p = p, e->interval = interval;
}

static void wilson(const HnStats *s, int64_t n, const double *x, double trials, HnEstimate *e) {
  const double p = CLAMP(e->value, 0, 1), t = hn_stats_t(s->confidence, n - 1);
  double square = 0, most = (double)n * trials;
  for (int64_t i = 0; i < n; i++) square += (x[i] - p) * (x[i] - p);
  const double variance = square / (double)(n - 1) / (double)n;
  if (p * (1 - p) < most * variance)
    most = fmax(p * (1 - p) / variance, (double)(n - 1)); /* which only rounding falls below */
  give(e, HN_INTERVAL_WILSON, hn_bounds_wilson(p, most, t), NAN);
}

/* But for rounding. */
static bool are_the_same(int64_t n, const double *x) {
  return x[n - 1] - x[0] <= 1e-12 * fabs(x[0]);
}

/* Of sorted x [n] about e's value, which is their mean without the `drop` at each end.  Where those
 * that count are all the same, nothing is known of how they scatter, and an interval without a
 * width would be taken for certainty; but pairs that all differ by 0 are the same. */
static void student(const HnStats *s, int64_t n, const double *x, int64_t drop, bool pairs,
                    HnEstimate *e) {
  const double error = hn_trimmed_error(n, x, drop);
  const int64_t dof = n - 2 * drop - 1;
  const bool none = pairs && x[0] == 0 && x[n - 1] == 0;
  if (!none && are_the_same(n - 2 * drop, x + drop)) return;
  give(e, drop ? HN_INTERVAL_WINSORISED : HN_INTERVAL_T,
       hn_bounds_student(s->confidence, e->value, error, dof), hn_p_student(e->value, error, dof));
}

/* Widens the interval of a difference of rates, from means a and b, where Newcombe's is wider: t
 * has no width where all pairs agree. */
static void widen_rates(const HnStats *s, double a, double b, double trials, HnEstimate *e) {
  const double x = CLAMP(a, 0, 1), y = CLAMP(b, 0, 1);
  const HnBounds wide = hn_bounds_newcombe(s->confidence, x, y, trials);
  if (e->interval == HN_INTERVAL_NONE) {
    give(e, HN_INTERVAL_NEWCOMBE, wide, hn_p_newcombe(x, y, trials));
    return;
  }
  if (wide.low < e->low || wide.high > e->high) e->interval = HN_INTERVAL_NEWCOMBE;
  e->low = fmax(fmin(e->low, wide.low), -1), e->high = fmin(fmax(e->high, wide.high), 1);
  e->p = fmax(e->p, hn_p_newcombe(x, y, trials));
}

/* Of x [n], or of x - y where y is not NULL; x is overwritten. */
static HnEstimate estimate(const HnStats *s, int64_t n, double *x, const double *y, double trials) {
  HnEstimate e = hn_estimate_none();
  if ((e.n = n) == 0) return e;
  const bool is_mean = s->aggregate == HN_AGGREGATE_MEAN, rates = is_mean && trials > 0;
  const double a = is_mean ? mean(n, x) : 0;
  for (int64_t i = 0; y && i < n; i++) x[i] -= y[i];
  e.value = hn_stats_aggregate(s->aggregate, n, x);
  if (n < HN_STATS_SEEDS_MIN) return e;
  qsort(x, (size_t)n, sizeof *x, ascending);
  if (s->aggregate == HN_AGGREGATE_MEDIAN)
    give(&e, HN_INTERVAL_ORDER, hn_bounds_median(s->confidence, n, x),
         y ? hn_p_median(n, x) : (double)NAN);
  else if (rates && !y)
    wilson(s, n, x, trials, &e);
  else if (y || !s->skewed)
    student(s, n, x, is_mean ? 0 : n / 4, y, &e);
  if (rates && y) widen_rates(s, a, a - e.value, (double)n * trials, &e);
  return e;
}

/* But for rounding. */
static bool in_unit_interval(int64_t n, const double *x) {
  for (int64_t i = 0; i < n; i++)
    if (x[i] < -1e-9 || x[i] > 1 + 1e-9) return false;
  return true;
}

HnEstimate hn_stats_difference(const HnStats *s, int64_t n, const double *x, const double *baseline,
                               double trials) {
  double *kept = g_new(double, (gsize)MAX(2 * n, 1));
  double *other = kept + n;
  int64_t m = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(x[i]) || (baseline && !isfinite(baseline[i]))) continue;
    kept[m] = x[i];
    if (baseline) other[m] = baseline[i];
    m++;
  }
  const bool rates = in_unit_interval(m, kept) && (!baseline || in_unit_interval(m, other));
  const HnEstimate e = estimate(s, m, kept, baseline ? other : NULL, rates ? trials : 0);
  g_free(kept);
  return e;
}

double hn_percentile(int64_t n, const double *x, double p) {
  double at = p * (double)(n - 1);
  int64_t i = CLAMP((int64_t)at, 0, n - 2);
  return x[i] + (at - (double)i) * (x[i + 1] - x[i]);
}

HnEstimate hn_stats_estimate(const HnStats *s, int64_t n, const double *x, double trials) {
  return hn_stats_difference(s, n, x, NULL, trials);
}

HnEstimate hn_stats_spread(const HnStats *s, int64_t n, const double *x) {
  HnEstimate e = hn_estimate_none();
  double *kept = g_new(double, (gsize)MAX(n, 1));
  for (int64_t i = 0; i < n; i++)
    if (isfinite(x[i])) kept[e.n++] = x[i];
  if (e.n > 0) e.value = hn_stats_aggregate(s->aggregate, e.n, kept);
  if (e.n >= HN_STATS_SEEDS_MIN) {
    qsort(kept, (size_t)e.n, sizeof *kept, ascending);
    e.low = hn_percentile(e.n, kept, 0.25), e.high = hn_percentile(e.n, kept, 0.75);
  }
  g_free(kept);
  return e;
}

/* ---- what is said of an arm ---- */

static HnEstimate value(const HnStats *s, int64_t n, const double *x, const double *baseline,
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

/* stats_test.c - statistics over seeds.  Numbers: scipy 1.x (stats.t, trim_mean) and exact
 * enumeration of every bootstrap resample with its multinomial weight. */
#include "stats.h"
#include <glib.h>
#include <hunch/rng.h>
#include <math.h>

static const double x5[] = {3.1, -0.4, 7.25, 2.0, 5.5}, y5[] = {2.0, 0.1, 6.0, 2.5, 3.0};
static const double z10[] = {0.3, 1.7, -2.2, 4.4, 0.9, 3.6, 2.8, -0.5, 1.1, 6.3},
                    w10[] = {0.1, 1.0, -2.0, 3.0, 1.5, 2.2, 2.0, -1.5, 0.4, 4.1};

#define NEAR(a, b, tolerance) g_assert_cmpfloat_with_epsilon(a, b, tolerance)

static void t_quantiles(void) {
  static const double cases[][3] = {
      {.95, 1, 12.706204736174694}, {.95, 2, 4.302652729749462}, {.95, 4, 2.7764451051977934},
      {.95, 8, 2.306004135204166},  {.95, 9, 2.262157162798205}, {.95, 29, 2.045229642132703},
      {.90, 3, 2.3533634348018233}, {.99, 5, 4.032142983555228}, {.999, 2, 31.599054576445365}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++)
    NEAR(hn_stats_t(cases[i][0], (int64_t)cases[i][1]), cases[i][2], 1e-10 * cases[i][2]);
}

static void aggregates(void) {
  double x[5], z[10], two[] = {4, 1};
  for (int i = 0; i < 10; i++) z[i] = z10[i];
  NEAR(hn_stats_aggregate(HN_AGGREGATE_MEAN, 10, z), 1.84, 1e-14);
  NEAR(hn_stats_aggregate(HN_AGGREGATE_MEDIAN, 10, z), 1.4, 1e-14);
  NEAR(hn_stats_aggregate(HN_AGGREGATE_IQM, 10, z), 1.7333333333333334, 1e-14);
  for (int i = 0; i < 8; i++) z[i] = z10[i];
  NEAR(hn_stats_aggregate(HN_AGGREGATE_IQM, 8, z), 1.425, 1e-14);
  for (int i = 0; i < 5; i++) x[i] = x5[i];
  NEAR(hn_stats_aggregate(HN_AGGREGATE_MEDIAN, 5, x), 3.1, 1e-14);
  NEAR(hn_stats_aggregate(HN_AGGREGATE_IQM, 5, x), 3.533333333333333, 1e-14);
  NEAR(hn_stats_aggregate(HN_AGGREGATE_MEDIAN, 2, two), 2.5, 1e-15);
  NEAR(hn_stats_aggregate(HN_AGGREGATE_IQM, 1, x + 4), x[4], 1e-15);
}

static void check(HnEstimate e, HnInterval interval, double value, double low, double high,
                  double tolerance) {
  g_assert_cmpint(e.interval, ==, interval);
  NEAR(e.value, value, 1e-12);
  NEAR(e.low, low, tolerance);
  NEAR(e.high, high, tolerance);
}

static void student(void) {
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, 1000);
  check(hn_stats_estimate(s, 5, x5, 0), HN_INTERVAL_T, 3.49, -0.2185034536731396, 7.198503453673139,
        1e-12);
  check(hn_stats_difference(s, 5, x5, y5, 0), HN_INTERVAL_T, 0.77, -0.819863355679276,
        2.359863355679276, 1e-12);
  check(hn_stats_estimate(s, 10, z10, 0), HN_INTERVAL_T, 1.84, 0.0542485569946587, 3.62575144300534,
        1e-12);
  check(hn_stats_difference(s, 10, z10, w10, 0), HN_INTERVAL_T, 0.76, 0.173775793777764,
        1.34622420622224, 1e-12);
  hn_stats_free(s);
  s = hn_stats_new(HN_AGGREGATE_MEAN, 0.90, 1000);
  check(hn_stats_difference(s, 3, x5, y5, 0), HN_INTERVAL_T, 0.6166666666666667,
        -1.0185542261857499, 2.2518875595190817, 1e-12);
  hn_stats_free(s);
}

/* 200,000 resamples against all of them; what can be told apart is the spacing of the exact
 * distribution, which for a median of five is the gap between values. */
static void bootstrap(void) {
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEDIAN, 0.95, 200000);
  check(hn_stats_estimate(s, 5, x5, 0), HN_INTERVAL_BOOTSTRAP, 3.1, -0.4, 7.25, 1e-12);
  check(hn_stats_difference(s, 5, x5, y5, 0), HN_INTERVAL_BOOTSTRAP, 3.1 - 2.5, -0.5, 2.5, 1e-12);
  g_assert_true(hn_stats_estimate(s, 5, x5, 0).coarse);
  hn_stats_free(s);
  s = hn_stats_new(HN_AGGREGATE_IQM, 0.95, 200000);
  check(hn_stats_estimate(s, 5, x5, 0), HN_INTERVAL_BOOTSTRAP, 3.533333333333333, 0.4,
        6.666666666666667, 0.02);
  HnEstimate paired = hn_stats_difference(s, 10, z10, w10, 0);
  check(paired, HN_INTERVAL_BOOTSTRAP, 0.5333333333333334, 0.016666666666666663, 1.2, 0.02);
  HnEstimate again = hn_stats_difference(s, 10, z10, w10, 0);
  g_assert_cmpmem(&paired, sizeof paired, &again, sizeof again);
  g_assert_false(hn_stats_estimate(s, 10, z10, 0).coarse);
  hn_stats_free(s);
}

static void few_and_missing(void) {
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, 1000);
  double holes[] = {1, NAN, 3, INFINITY, 8}, base[] = {0, 5, NAN, 5, 2};
  HnEstimate e = hn_stats_estimate(s, 2, x5, 0);
  g_assert_cmpint(e.interval, ==, HN_INTERVAL_NONE);
  g_assert_true(isnan(e.low) && isnan(e.high));
  NEAR(e.value, 1.35, 1e-14);
  e = hn_stats_estimate(s, 5, holes, 0);
  g_assert_cmpint(e.n, ==, 3);
  g_assert_cmpint(e.interval, ==, HN_INTERVAL_T);
  NEAR(e.value, 4, 1e-14);
  e = hn_stats_difference(s, 5, holes, base, 0); /* pairs 0 and 4 */
  g_assert_cmpint(e.n, ==, 2);
  NEAR(e.value, 3.5, 1e-14);
  g_assert_cmpint(e.interval, ==, HN_INTERVAL_NONE);
  e = hn_stats_estimate(s, 1, &holes[1], 0);
  g_assert_cmpint(e.n, ==, 0);
  g_assert_true(isnan(e.value));
  hn_stats_free(s);
}

/* numpy.quantile([1, 2, 4, 16], [0.25, 0.75]) and so on. */
static void spread(void) {
  const double x[] = {16, 1, NAN, 4, 2};
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEDIAN, 0.95, 100);
  HnEstimate e = hn_stats_spread(s, 5, x);
  check(e, HN_INTERVAL_NONE, 3, 1.75, 7, 1e-14);
  g_assert_cmpint(e.n, ==, 4);
  e = hn_stats_spread(s, 2, x);
  g_assert_true(e.n == 2 && e.value == 8.5 && isnan(e.low) && isnan(e.high));
  e = hn_stats_spread(s, 0, x);
  g_assert_true(e.n == 0 && isnan(e.value));
  hn_stats_free(s);
}

/* How often the interval of the difference of two arms, which is 1, leaves that out: `studies`
 * studies of n pairs of normal seeds that share most of their noise. */
static double missed(HnAggregate aggregate, int64_t n, int studies) {
  HnStats *s = hn_stats_new(aggregate, 0.95, 400);
  HnRng rng = hn_rng(5, (uint64_t)n);
  int missed = 0;
  for (int i = 0; i < studies; i++) {
    double x[30], y[30];
    for (int k = 0; k < n; k++) {
      double shared = 3 * hn_rng_normal(&rng);
      x[k] = 1 + shared + hn_rng_normal(&rng), y[k] = shared + hn_rng_normal(&rng);
    }
    HnEstimate e = hn_stats_difference(s, n, x, y, 0);
    missed += e.low > 1 || e.high < 1;
  }
  hn_stats_free(s);
  return (double)missed / studies;
}

/* Intervals do what they say at any number of seeds; the standard error is 0.0034 for means.  What
 * does not is coarse. */
static void coverage(void) {
  static const int64_t seeds[] = {3, 9, 10, 11, 20, 30};
  for (guint i = 0; i < G_N_ELEMENTS(seeds); i++)
    NEAR(missed(HN_AGGREGATE_MEAN, seeds[i], 4000), 0.05, 0.012);
  g_assert_cmpfloat(missed(HN_AGGREGATE_MEDIAN, HN_STATS_COARSE_BELOW, 1000), <=, 0.07);
  g_assert_cmpfloat(missed(HN_AGGREGATE_IQM, HN_STATS_COARSE_BELOW, 1000), <=, 0.08);
  g_assert_cmpfloat(missed(HN_AGGREGATE_MEDIAN, 3, 500), >, 0.2);
}

/* Rates of three seeds: all trials won or lost, where Wilson's ends at N / (N + t^2) for N trials;
 * 1/4, 1/2, 3/4, whose variance is that of 12 trials; differences end at 1. */
static void rates(void) {
  static const double won[] = {1, 1, 1}, lost[] = {0, 0, 0}, mixed[] = {0.25, 0.5, 0.75},
                      more[] = {1, 1, 0.2}, outside[] = {0.5, 1, 1.5};
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, 100);
  check(hn_stats_estimate(s, 3, won, 20), HN_INTERVAL_WILSON, 1, 0.764206401045069, 1, 1e-12);
  check(hn_stats_estimate(s, 3, lost, 1), HN_INTERVAL_WILSON, 0, 0, 0.860548271752086, 1e-12);
  check(hn_stats_estimate(s, 3, mixed, 20), HN_INTERVAL_WILSON, 0.5, 0.110537970696876,
        0.889462029303124, 1e-12);
  HnEstimate d = hn_stats_difference(s, 3, more, lost, 20);
  g_assert_true(d.interval == HN_INTERVAL_T && d.high == 1 && d.low > -1);
  d = hn_stats_estimate(s, 3, outside, 20); /* a sum that is called success */
  g_assert_true(d.interval == HN_INTERVAL_T && d.high > 1.5);
  hn_stats_free(s);
}

/* How often the interval of a rate leaves out `mean`: in `studies` studies n seeds, whose own rates
 * differ by up to `spread` to either side, do 20 tasks each. */
static double missed_rate(int64_t n, double mean, double spread, int studies) {
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, 100);
  HnRng rng = hn_rng(6, (uint64_t)n);
  int missed = 0;
  for (int i = 0; i < studies; i++) {
    double x[30] = {0};
    for (int k = 0; k < n; k++) {
      const double p = hn_rng_uniform(&rng, mean - spread, mean + spread);
      for (int task = 0; task < 20; task++) x[k] += (hn_rng_uniform(&rng, 0, 1) < p) / 20.0;
    }
    HnEstimate e = hn_stats_estimate(s, n, x, 20);
    g_assert_true(e.low >= 0 && e.high <= 1 && e.low < e.high);
    missed += e.low > mean || e.high < mean;
  }
  hn_stats_free(s);
  return (double)missed / studies;
}

static void coverage_of_rates(void) {
  static const int64_t seeds[] = {3, 5, 10, 30};
  static const double of[][2] = {{0.5, 0}, {0.5, 0.3}, {0.9, 0.1}, {0.98, 0.02}, {0.02, 0.02}};
  for (guint i = 0; i < G_N_ELEMENTS(seeds); i++)
    for (guint k = 0; k < G_N_ELEMENTS(of); k++) {
      const double missed = missed_rate(seeds[i], of[k][0], of[k][1], 2000);
      g_test_message("%d seeds, %g +- %g: %g", (int)seeds[i], of[k][0], of[k][1], missed);
      g_assert_cmpfloat(missed, <=, 0.065);
    }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/stats/t_quantiles", t_quantiles);
  g_test_add_func("/stats/aggregates", aggregates);
  g_test_add_func("/stats/student", student);
  g_test_add_func("/stats/bootstrap", bootstrap);
  g_test_add_func("/stats/few_and_missing", few_and_missing);
  g_test_add_func("/stats/spread", spread);
  g_test_add_func("/stats/coverage", coverage);
  g_test_add_func("/stats/rates", rates);
  g_test_add_func("/stats/coverage_of_rates", coverage_of_rates);
  return g_test_run();
}

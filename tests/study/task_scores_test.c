/* task_scores_test.c - statistics over seeds and tasks against rliable's on three matrices, one
 * with ties; intervals by closed forms and by how often they hold. */
#include "coverage.h"
#include "scores_golden.h"

#define NEAR(a, b, tolerance) g_assert_cmpfloat_with_epsilon(a, b, tolerance)

static HnScoreQuestion of(HnScoreStatistic k) {
  return (HnScoreQuestion){k, 1, 1, HN_RESAMPLE_JACKKNIFE};
}

static void points(void) {
  static const double tau[] = {0.1, 0.5, 0.9};
  for (guint i = 0; i < G_N_ELEMENTS(goldens); i++) {
    const double said[HN_SCORES] = {[HN_SCORE_MEAN] = goldens[i].mean,
                                    [HN_SCORE_MEDIAN] = goldens[i].median,
                                    [HN_SCORE_IQM] = goldens[i].iqm,
                                    [HN_SCORE_GAP] = goldens[i].gap,
                                    [HN_SCORE_IMPROVEMENT] = goldens[i].improvement};
    for (int k = 0; k < HN_SCORES; k++) {
      const HnScoreQuestion q = of((HnScoreStatistic)k);
      NEAR(hn_score(&q, goldens[i].runs, goldens[i].tasks, goldens[i].x, goldens[i].y), said[k],
           1e-12);
    }
    for (int t = 0; t < 3; t++)
      NEAR(hn_scores_above(goldens[i].runs * goldens[i].tasks, goldens[i].x, tau[t]),
           goldens[i].above[t], 1e-12);
  }
}

/* Where lower is better the other arm's wins count; ties are halves of both. */
static void turned(void) {
  HnScoreQuestion q = of(HN_SCORE_IMPROVEMENT);
  q.better = -1;
  for (guint i = 0; i < G_N_ELEMENTS(goldens); i++)
    NEAR(hn_score(&q, goldens[i].runs, goldens[i].tasks, goldens[i].x, goldens[i].y),
         1 - goldens[i].improvement, 1e-12);
}

/* Of a mean the jackknife is Student's t of the seeds' means, also of a difference. */
static void jackknife(void) {
  const double *x = goldens[2].x, *y = goldens[2].y;
  const int64_t runs = goldens[2].runs, tasks = goldens[2].tasks;
  double own[10] = {0}, others[10] = {0};
  for (int64_t i = 0; i < runs * tasks; i++)
    own[i / tasks] += x[i] / (double)tasks, others[i / tasks] += y[i] / (double)tasks;
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, 200);
  HnScoreQuestion q = of(HN_SCORE_MEAN);
  for (int paired = 0; paired < 2; paired++) {
    const HnEstimate e = hn_scores_estimate(s, &q, runs, tasks, x, paired ? y : NULL);
    const HnEstimate t =
        paired ? hn_stats_difference(s, runs, own, others, 0) : hn_stats_estimate(s, runs, own, 0);
    g_assert_cmpint(e.interval, ==, HN_INTERVAL_JACKKNIFE);
    NEAR(e.value, t.value, 1e-12);
    NEAR(e.low, t.low, 1e-12);
    NEAR(e.high, t.high, 1e-12);
    if (paired) NEAR(e.p, t.p, 1e-12);
  }
  hn_stats_free(s);
}

/* Two seeds have no interval, nor have seeds of which none changes anything. */
static void refused(void) {
  static const double high[] = {1, 1.1, 1.2, 1.1, 1, 1.2};
  double ten_low[10], ten_high[10];
  for (int i = 0; i < 10; i++) ten_low[i] = i / 10.0, ten_high[i] = 2 + i / 10.0;
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, 200);
  HnScoreQuestion q = of(HN_SCORE_IMPROVEMENT);
  HnEstimate e = hn_scores_estimate(s, &q, 10, 1, ten_high, ten_low);
  g_assert_true(e.value == 1 && e.interval == HN_INTERVAL_NONE && isnan(e.p));
  e = hn_scores_estimate(s, &q, 2, 3, high, high);
  g_assert_true(e.value == 0.5 && e.n == 2 && e.interval == HN_INTERVAL_NONE);
  q = of(HN_SCORE_IQM);
  hn_stats_assume_skewed(s);
  g_assert_cmpint(hn_scores_estimate(s, &q, 3, 2, high, NULL).interval, ==, HN_INTERVAL_NONE);
  hn_stats_free(s);
}

/* Intervals hold as often as they say from three seeds on, of an improvement from ten; the
 * stratified bootstrap, which is coarse, does not. */
static void coverage(void) {
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, 200);
  for (int k = HN_SCORE_IQM; k < HN_SCORES; k++) {
    HnScoreQuestion q = of((HnScoreStatistic)k);
    for (int n = 3; n <= 10; n += 7) {
      const Coverage c = coverage_of_scores(s, &q, COVERAGE_NORMAL, n, 5, 0.5, 800);
      g_test_message("%s, %d seeds: %g", hn_score_name(q.of), n, c.held);
      const bool few = hn_score_paired(q.of) && n < HN_IMPROVEMENT_SEEDS_MIN;
      g_assert_cmpfloat(c.given, ==, few ? 0 : 1);
      g_assert_cmpfloat(c.held, >=, few ? 0 : 0.915);
      g_assert_cmpfloat(c.held, <=, 0.98);
    }
    q.resample = HN_RESAMPLE_STRATIFIED;
    g_assert_cmpfloat(coverage_of_scores(s, &q, COVERAGE_NORMAL, 10, 5, 0.5, 100).held, <, 0.85);
  }
  hn_stats_free(s);
}

/* The same scores give the same resamples; its bounds are quantiles of what they give. */
static void stratified(void) {
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, 0.95, 500);
  HnScoreQuestion q = {HN_SCORE_IQM, 1, 1, HN_RESAMPLE_STRATIFIED};
  const HnEstimate a = hn_scores_estimate(s, &q, 10, 7, wide_x, NULL),
                   b = hn_scores_estimate(s, &q, 10, 7, wide_x, NULL);
  g_assert_true(a.coarse && a.interval == HN_INTERVAL_BOOTSTRAP && isnan(a.p));
  g_assert_true(a.low == b.low && a.high == b.high);
  g_assert_true(a.low < a.value && a.value < a.high && a.high - a.low < 0.5);
  hn_stats_free(s);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/scores/points", points);
  g_test_add_func("/scores/turned", turned);
  g_test_add_func("/scores/jackknife", jackknife);
  g_test_add_func("/scores/refused", refused);
  g_test_add_func("/scores/coverage", coverage);
  g_test_add_func("/scores/stratified", stratified);
  return g_test_run();
}

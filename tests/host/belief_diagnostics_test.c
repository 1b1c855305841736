/* belief_diagnostics_test.c - what is said of beliefs: numbers that numpy gives, cases with known
 * answers, and whole runs. */
#include "../fakes/toy.h"
#include "belief_diagnostics.h"
#include "cell_fixture.h"
#include <math.h>

enum { N = 11, D = 3, K = 2 };

/* Beliefs x and y, and tasks t; sums of columns and powers of t by numpy.linalg.lstsq. */
static void test_numbers(void) {
  float x[N * D], y[N * D], t[N * K];
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < D; j++) {
      x[i * D + j] = (float)sin(1 + 3 * i + 7 * j);
      y[i * D + j] = (float)(sin(1 + 3 * i + 7 * j) + cos(2 + 5 * i + j));
    }
    t[i * K] = (float)(i * i / 10.0), t[i * K + 1] = (float)cos(2 * i);
  }
  g_assert_cmpfloat_with_epsilon(hn_belief_task_share(N, D, x, K, t), -1.21782428711137, 1e-5);
  g_assert_cmpfloat_with_epsilon(hn_belief_reliability(N, D, x, y), 0.656599252701713, 1e-6);
  g_assert_cmpfloat_with_epsilon(hn_belief_drift(N, D, x, y), 1.07611780820118, 1e-6);
}

/* Column 0 is a cubic of the task, column 1 is orthogonal to 1, t, t^2, t^3 (a discrete Chebyshev
 * polynomial of degree 4), column 2 is constant. */
static void test_known(void) {
  static const float quartic[N] = {6, -6, -6, -1, 4, 6, 4, -1, -6, -6, 6};
  float x[N * D], y[N * D], t[N];
  for (int i = 0; i < N; i++) {
    t[i] = (float)i / 4;
    x[i * D] = 1000 + t[i] * t[i] * (t[i] - 2), x[i * D + 1] = quartic[i], x[i * D + 2] = 5;
  }
  /* 1 of the cubic; of the other 1 - (n - 1) / (n - 1 - 3) */
  const double other = 1 - (N - 1) / (double)(N - 4);
  g_assert_cmpfloat_with_epsilon(hn_belief_task_share(N, D, x, 1, t), (1 + other) / 2, 1e-5);
  g_assert_true(isnan(hn_belief_task_share(N, D, x, 0, t)));
  g_assert_true(isnan(hn_belief_task_share(4, D, x, 1, t)));

  g_assert_cmpfloat_with_epsilon(hn_belief_reliability(N, D, x, x), 1, 1e-12);
  for (int k = 0; k < N * D; k++) y[k] = 7 - x[k];
  g_assert_cmpfloat_with_epsilon(hn_belief_reliability(N, D, x, y), -1, 1e-6);
  for (int i = 0; i < N; i++) y[i * D] = quartic[i], y[i * D + 1] = t[i], y[i * D + 2] = 5;
  g_assert_cmpfloat_with_epsilon(hn_belief_reliability(N, D, x, y), 0, 1e-6);

  /* column 0 moves by half of its standard deviation, column 1 by twice: sqrt((1/4 + 4) / 2) */
  double sd[2] = {0, 0};
  for (int j = 0; j < 2; j++) {
    double mean = 0;
    for (int i = 0; i < N; i++) mean += (double)x[i * D + j] / N;
    for (int i = 0; i < N; i++) sd[j] += pow((double)x[i * D + j] - mean, 2) / N;
    sd[j] = sqrt(sd[j]);
  }
  for (int i = 0; i < N; i++) {
    y[i * D] = (float)((double)x[i * D] + sd[0] / 2);
    y[i * D + 1] = (float)((double)x[i * D + 1] - 2 * sd[1]), y[i * D + 2] = 9;
  }
  g_assert_cmpfloat_with_epsilon(hn_belief_drift(N, D, x, y), sqrt(4.25 / 2), 1e-4);
  g_assert_cmpfloat(hn_belief_drift(N, D, x, x), ==, 0);
}

static HnCell cell_with(const HnPlugin *inference, const char *settings) {
  HnCell c = cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(inference, settings),
                           part_of(&toy_policy_LTX_hn_plugin, ""));
  c.evaluation.tasks = 50;
  return c;
}

/* Diagnosing changes nothing else; a belief that is told the task says so, in both episodes alike,
 * and moves where it learns; one that is not told says less. */
static void test_runs(void) {
  HnCell frozen = cell_with(&toy_oracle_LTX_hn_plugin, "rate: 0");
  HnCell oracle = cell_with(&toy_oracle_LTX_hn_plugin, ""),
         memory = cell_with(&toy_memory_LTX_hn_plugin, "");
  char *plain = folder_new(), *told = folder_new(), *seen = folder_new(), *still = folder_new();
  run_whole(&oracle, plain);
  oracle.evaluation.diagnose = memory.evaluation.diagnose = true;
  run_whole(&oracle, told), run_whole(&memory, seen);
  frozen.evaluation.diagnose = frozen.run.stop_gradient = true, run_whole(&frozen, still);
  static const char *const same[] = {"trace.bin", "episodes.csv", "steps.csv", "trial.csv"};
  for (guint i = 0; i < G_N_ELEMENTS(same); i++) {
    gsize n, m;
    g_autofree char *x = file_in(plain, same[i], &n), *y = file_in(told, same[i], &m);
    g_assert_cmpmem(x, n, y, m);
  }
  double *share = metrics_column(told, "belief.task_share"),
         *less = metrics_column(seen, "belief.task_share"),
         *both = metrics_column(told, "belief.reliability"),
         *drift = metrics_column(told, "belief.drift"),
         *none = metrics_column(still, "belief.drift"),
         *kl = metrics_column(told, "belief.policy_kl"),
         *no_kl = metrics_column(still, "belief.policy_kl");
  for (int i = 0; i < 3; i++) { /* updates 4, 8 and 10 */
    g_assert_cmpfloat(share[i], >, 0.95);
    g_assert_cmpfloat(less[i], <, share[i]);
    g_assert_cmpfloat(both[i], >, 0.95);
    g_assert_cmpfloat(drift[i], >, 0);
    g_assert_cmpfloat(none[i], ==, 0);
    g_assert_cmpfloat(kl[i], >, 0);
    g_assert_cmpfloat(no_kl[i], ==, 0);
  }
  g_assert_true(isnan(share[3]));
  g_free(share), g_free(less), g_free(both), g_free(drift), g_free(none);
  g_free(kl), g_free(no_kl);
  folder_free(plain), folder_free(told), folder_free(seen), folder_free(still);
  cell_clear(&oracle), cell_clear(&memory), cell_clear(&frozen);
}

/* Weights [A, O + D] of the toy policy. */
static const float *policy_weights(const HnSession *s) {
  const HnArrayRecord *x = s->policy->kept->pdata[0];
  g_assert_cmpstr(x->array.name, ==, "w");
  return x->data;
}

/* Beliefs that have moved by 0.1 j + 0.2 in coordinate j at every step, and by twice that in the
 * first step of row 0, move the means of actions by W times that, under deviations of 0.3. */
static void test_policy_kl(gconstpointer samples) {
  HnCell c = cell_with(&toy_oracle_LTX_hn_plugin, "");
  c.evaluation.diagnose = true, c.evaluation.samples = GPOINTER_TO_INT(samples);
  g_autoptr(GError) error = NULL;
  HnSession *s = hn_session_new(&c, NULL, &error);
  g_assert_no_error(error);
  g_assert_cmpint(hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases), ==, HN_OK);
  HnBeliefProbe before, after;
  g_assert_cmpint(hn_belief_probe(s, &before), ==, HN_OK);
  g_assert_cmpint(hn_belief_probe(s, &after), ==, HN_OK);
  const int64_t T = s->steps, B = s->rollouts.rows, W = MAX(s->eval_samples, 1) * s->shape.belief;
  const int64_t d = s->shape.belief, o = s->shape.obs;
  g_assert_cmpmem(before.acted, (gsize)((T + 1) * B * W) * 4, after.acted,
                  (gsize)((T + 1) * B * W) * 4);
  double kl, expected = 0;
  g_assert_cmpint(hn_belief_policy_kl(s, &before, &after, &kl), ==, HN_OK);
  g_assert_cmpfloat(kl, ==, 0);
  for (int64_t k = 0; k < (T + 1) * B * W; k++) after.acted[k] = 9;
  for (int64_t first = 0; first < B; first += 8)
    for (int64_t k = 0; k < T * MIN(8, B - first) * W; k++) {
      const int64_t at = first * (T + 1) * W + k;
      const double by = 0.1 * (double)(k % d) + 0.2;
      after.acted[at] = before.acted[at] + (float)(first == 0 && k < W ? 2 * by : by);
    }
  for (int64_t a = 0; a < s->shape.action; a++) {
    double mean = 0;
    for (int64_t j = 0; j < d; j++)
      mean += (double)policy_weights(s)[a * (o + d) + o + j] * (0.1 * (double)j + 0.2);
    expected += mean * mean / (2 * 0.09) * (1 + 3 / (double)(T * B));
  }
  g_assert_cmpfloat(expected, >, 1e-4);
  g_assert_cmpint(hn_belief_policy_kl(s, &before, &after, &kl), ==, HN_OK);
  g_assert_cmpfloat_with_epsilon(kl, expected, 1e-5 * expected);
  hn_belief_probe_clear(&before), hn_belief_probe_clear(&after);
  hn_session_free(s), cell_clear(&c);
}

/* A policy that does not say how it acts: nothing, and the run goes on. */
static void test_no_divergence(void) {
  HnCell c =
      cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(&toy_memory_LTX_hn_plugin, ""),
                    part_of(&toy_adapter_LTX_hn_plugin, ""));
  char *dir = folder_new();
  c.evaluation.diagnose = true;
  run_whole(&c, dir);
  double *drift = metrics_column(dir, "belief.drift"),
         *kl = metrics_column(dir, "belief.policy_kl");
  g_assert_cmpfloat(drift[0], >, 0);
  g_assert_true(isnan(kl[0]));
  g_free(drift), g_free(kl), folder_free(dir), cell_clear(&c);
}

/* Windows that end with trials: what a belief had gathered is what is looked at, not the prior of
 * the next task, which is the same in all rows. */
static void test_whole_trials(void) {
  HnCell c =
      cell_of_parts(part_of(&toy_env_LTX_hn_plugin, "quit: 0"),
                    part_of(&toy_memory_LTX_hn_plugin, ""), part_of(&toy_policy_LTX_hn_plugin, ""));
  char *dir = folder_new();
  c.evaluation.diagnose = true;
  c.run.steps = c.run.episodes * 7; /* a trial */
  run_whole(&c, dir);
  double *drift = metrics_column(dir, "belief.drift");
  g_assert_cmpfloat(drift[0], >, 0);
  g_free(drift), folder_free(dir), cell_clear(&c);
}

/* The same bits for any number of workers and wherever it is stopped. */
static void test_bits(void) {
  HnCell c = cell_with(&toy_memory_LTX_hn_plugin, "");
  c.evaluation.diagnose = true;
  assert_same_bits(&c);
  cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/belief-diagnostics/numbers", test_numbers);
  g_test_add_func("/belief-diagnostics/known", test_known);
  g_test_add_func("/belief-diagnostics/runs", test_runs);
  g_test_add_data_func("/belief-diagnostics/policy-kl/point", GINT_TO_POINTER(0), test_policy_kl);
  g_test_add_data_func("/belief-diagnostics/policy-kl/samples", GINT_TO_POINTER(3), test_policy_kl);
  g_test_add_func("/belief-diagnostics/no-divergence", test_no_divergence);
  g_test_add_func("/belief-diagnostics/whole-trials", test_whole_trials);
  g_test_add_func("/belief-diagnostics/bits", test_bits);
  return g_test_run();
}

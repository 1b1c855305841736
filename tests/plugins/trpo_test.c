/* trpo_test.c - TRPO as a plugin: a step of its own accord stays within the bound and pays off, a
 * rejected one leaves every bit; the same bits on any number of threads; actions that learn. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include "policy_fixture.h"
#include <string.h>

extern const HnPlugin trpo_LTX_hn_plugin;

static PolicyFixture *open_trpo(const char *settings, bool discrete) {
  PolicyFixture *f = policy_fixture_open(&trpo_LTX_hn_plugin, 5);
  policy_fixture_set_all(f, settings);
  f->spec.obs_dim = 3, f->spec.belief_dim = 2, f->spec.rows = 4, f->spec.steps = 300;
  f->spec.action_dim = discrete ? 0 : 2, f->spec.action_count = discrete ? 3 : 0;
  g_assert_cmpint(policy_fixture_create(f), ==, HN_OK);
  return f;
}

/* 300 steps of 4 rows, more than two shards; what pays is the first action or the first number. */
static Log *experience(PolicyFixture *f) {
  const int64_t T = 300, B = 4;
  Log *g = log_new(f, T, B, 0, 3);
  HnRng rng = hn_rng(11, 0);
  for (int64_t k = 0; k < (T + 1) * B * 3; k++) g->obs[k] = (float)hn_rng_normal(&rng);
  for (int64_t k = 0; k < (T + 1) * B * 2; k++) g->belief[k] = (float)hn_rng_normal(&rng);
  for (int64_t t = 0; t <= T; t++) {
    for (int64_t i = 0; i < B; i++)
      g->begin[t * B + i] = t % 20 ? HN_KEEP : t % 40 ? HN_NEW_EPISODE : HN_NEW_TASK;
    if (t == T) break;
    const int64_t zero[4] = {0};
    HnActBatch a = {.struct_size = sizeof a,
                    .rows = B,
                    .episode_step = zero,
                    .trial_step = zero,
                    .obs = g->obs + t * B * 3,
                    .belief = g->belief + t * B * 2,
                    .rng = g->rng,
                    .action = g->action + t * B * f->spec.action_dim,
                    .action_index = g->action_index + t * B,
                    .aux = g->aux + t * B * f->spec.aux_dim};
    g_assert_cmpint(f->method->act(f->self, &a), ==, HN_OK);
    policy_fixture_end_call(f);
    for (int64_t k = t * B; k < (t + 1) * B; k++)
      g->reward[k] = f->spec.action_count ? g->action_index[k] == 0 : g->action[2 * k];
  }
  return g;
}

static float *weights_of(PolicyFixture *f, gsize *count) {
  GArray *all = g_array_new(false, false, sizeof(float));
  for (int64_t k = 0; k < f->fake.array_count; k++) {
    const FakeArray *a = &f->fake.array[k];
    if (a->spec.role == HN_WEIGHT && a->spec.type == HN_F32)
      g_array_append_vals(all, a->data, (guint)a->count);
  }
  *count = all->len;
  return (float *)(void *)g_array_free(all, false);
}

static void test_step(gconstpointer data) {
  const bool discrete = GPOINTER_TO_INT(data);
  float *after[3], *before = NULL;
  gsize n;
  for (int order = 0; order < 3; order++) {
    PolicyFixture *f = open_trpo("gamma 0 head_gain 1", discrete);
    f->order = order;
    Log *g = experience(f);
    HnRng rng = hn_rng(1, 1);
    before = weights_of(f, &n);
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, 1200, 1200), ==, HN_OK);
    after[order] = weights_of(f, &n);
    g_assert_cmpfloat(policy_fixture_metric_of(f, "accepted"), ==, 1);
    g_assert_cmpfloat(policy_fixture_metric_of(f, "kl"), <=, 0.01);
    g_assert_cmpfloat(policy_fixture_metric_of(f, "kl"), >, 0.003);
    g_assert_cmpfloat(policy_fixture_metric_of(f, "loss_change"), <, -0.05);
    double norm = 0;
    for (gsize k = 0; k < n; k++) norm += pow((double)(after[order][k] - before[k]), 2);
    g_assert_cmpfloat_with_epsilon(policy_fixture_metric_of(f, "step_norm"), sqrt(norm), 1e-5);
    g_free(before), log_free(g), policy_fixture_close(f);
  }
  for (int order = 1; order < 3; order++)
    g_assert_cmpmem(after[order], n * sizeof(float), after[0], n * sizeof(float));
  for (int order = 0; order < 3; order++) g_free(after[order]);
}

static void test_rejected(void) {
  PolicyFixture *f =
      open_trpo("gamma 0 head_gain 1 target_kl 100000 line_search_max_iter 1", false);
  Log *g = experience(f);
  HnRng rng = hn_rng(1, 1);
  gsize n;
  float *before = weights_of(f, &n);
  g_assert_cmpint(policy_fixture_learn(f, g, &rng, 1200, 1200), ==, HN_OK);
  float *after = weights_of(f, &n);
  g_assert_cmpfloat(policy_fixture_metric_of(f, "accepted"), ==, 0);
  g_assert_cmpmem(after, n * sizeof(float), before, n * sizeof(float));
  g_free(before), g_free(after), log_free(g), policy_fixture_close(f);
}

static void test_refused(void) {
  PolicyFixture *f = policy_fixture_open(&trpo_LTX_hn_plugin, 5);
  f->spec.obs_dim = 3, f->spec.belief_dim = 2, f->spec.action_dim = 1, f->spec.samples = 2;
  g_assert_cmpint(policy_fixture_create(f), ==, HN_E_UNSUPPORTED);
  g_assert_nonnull(strstr(f->fake.error, "run.samples"));
  policy_fixture_close(f);
  f = policy_fixture_open(&trpo_LTX_hn_plugin, 5);
  f->spec.obs_dim = 3, f->spec.belief_dim = 2, f->spec.action_dim = 1;
  f->spec.trains_inference = true;
  g_assert_cmpint(policy_fixture_create(f), ==, HN_E_UNSUPPORTED);
  g_assert_nonnull(strstr(f->fake.error, "run.stop_gradient"));
  policy_fixture_close(f);
}

/* In the run loop, with windows that end within a trial: the same weights for any workers. */
static void test_workers(void) {
  char *trace[2];
  gsize length[2];
  for (int k = 0; k < 2; k++) {
    HnCell c =
        cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(&toy_filter_LTX_hn_plugin, ""),
                      part_of(&trpo_LTX_hn_plugin, "squash: sample"));
    c.run.workers = k + 1;
    char *dir = folder_new();
    run_whole(&c, dir);
    trace[k] = file_in(dir, "trace.bin", &length[k]);
    double *accepted = metrics_column(dir, "policy.accepted"), sum = 0;
    for (int u = 0; !isnan(accepted[u]); u++) sum += accepted[u];
    g_assert_cmpfloat(sum, >, 5);
    g_free(accepted), folder_free(dir), cell_clear(&c);
  }
  g_assert_cmpmem(trace[0], length[0], trace[1], length[1]);
  g_free(trace[0]), g_free(trace[1]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/trpo/step", GINT_TO_POINTER(false), test_step);
  g_test_add_data_func("/trpo/step/discrete", GINT_TO_POINTER(true), test_step);
  g_test_add_func("/trpo/rejected", test_rejected);
  g_test_add_func("/trpo/refused", test_refused);
  g_test_add_func("/trpo/workers", test_workers);
  return g_test_run();
}

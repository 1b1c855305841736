/* recurrent_test.c - the deterministic recurrent agent against a naive one in float64, the promises
 * of the ABI, and the whole family in the real run loop. */
#include "../fakes/toy.h"
#include "vrnn_checks.h"

extern const HnPlugin bandit_LTX_hn_plugin, laplace_vrnn_LTX_hn_plugin, ppo_LTX_hn_plugin,
    recurrent_LTX_hn_plugin, uniform_LTX_hn_plugin, vrnn_LTX_hn_plugin;

static const NaivePosterior point = {.plugin = &recurrent_LTX_hn_plugin};

#define SMALL "hidden: 6, latent: 3, embed: 5, head_layers: 6 5 4, "
static const Case cases[] = {
    {"signal", SMALL "head: signal", 2, 2, 0},
    {"reward", SMALL "head: reward, context: rssm, act_input: onehot", 2, 0, 3},
    {"gru", SMALL "cell: gru, head: signal, see_first: false, context: bamdp, see_reward: true", 1,
     1, 0},
    {"headless", SMALL "head: none, context: rssm", 2, 0, 4},
};

/* Any number of samples are the mean. */
static void test_values(gconstpointer data) {
  check_values(&point, data, "", 0), check_values(&point, data, "", 3);
}
static void test_gradient(gconstpointer data) {
  check_gradient(&point, data, ", max_grad_value: 0", 0),
      check_gradient(&point, data, ", max_grad_value: 0", 2);
}
static void test_windows(gconstpointer data) {
  check_windows(&point, data, "", 0), check_windows(&point, data, "", 2);
}
static void test_learn(gconstpointer data) {
  check_learn(&point, data, "");
}
static void test_predict(void) {
  check_predict(&point, &cases[0], 0), check_predict(&point, &cases[2], 3);
}

/* The paper's regression; its posteriors by curvature add nothing to this. */
static void test_size(void) {
  Case c = {"", "head: signal", 1, 1, 0};
  g_assert_cmpint(parameters_of(&recurrent_LTX_hn_plugin, &c), ==, 635203);
}

/* ---- in the run loop ---- */

typedef struct Mode {
  const char *name;
  const HnPlugin *plugin;
  const char *settings;
  bool learns_alone; /* under the policy `uniform` */
} Mode;

#define TINY "hidden: 7, latent: 3, embed: 6, head_layers: 6 5, "
static const Mode modes[] = {
    {"recurrent", &recurrent_LTX_hn_plugin, TINY "head: signal, context: rssm", false},
    {"recurrent_alone", &recurrent_LTX_hn_plugin, TINY "head: signal, see_first: false", true},
    {"laplace", &laplace_vrnn_LTX_hn_plugin,
     TINY "head: reward, buffer: 3, context: bamdp, model_samples: 2", false},
    {"laplace_alone", &laplace_vrnn_LTX_hn_plugin,
     TINY "cell: gru, head: signal, buffer: 2, accumulate: both, model_samples: 2", true},
    {"laplace_refresh", &laplace_vrnn_LTX_hn_plugin, TINY "head: none, refresh: true", false},
    {"vrnn", &vrnn_LTX_hn_plugin, TINY "head: none, context: rssm", false},
    {"vrnn_alone", &vrnn_LTX_hn_plugin, TINY "head: signal, covariance: diagonal", true},
};

enum { UPDATES = 300 };
#define LEARNER \
  "hidden: 16, latent: 8, embed: 16, head_layers: 16, head: reward, act_input: onehot, lr: 3e-3"
static const Mode learners[] = {
    {"recurrent", &recurrent_LTX_hn_plugin, LEARNER, true},
    {"laplace", &laplace_vrnn_LTX_hn_plugin, LEARNER ", kl_weight: 1e-3", true},
    {"vrnn", &vrnn_LTX_hn_plugin, LEARNER ", kl_weight: 1e-3", true},
};

static HnCell cell_of(const Mode *k, const char *policy, int64_t samples) {
  HnCell c = cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(k->plugin, k->settings),
                           part_of(k->learns_alone ? &uniform_LTX_hn_plugin : &ppo_LTX_hn_plugin,
                                   k->learns_alone ? "" : policy));
  c.run.samples = samples;
  return c;
}

static void test_bits(gconstpointer mode) {
  const Mode *k = mode;
  HnCell c = cell_of(k, "n_epochs: 2, n_minibatches: 2, lr: 0.01", k->learns_alone ? 0 : 3);
  assert_same_bits(&c);
  cell_clear(&c);
}

/* A training window's beliefs are those that were acted on, also where it begins in mid-trial, so
 * that the policy's first step starts from ratios of exactly 1; its gradient reaches the agent. */
static void test_starts_at_one(gconstpointer mode) {
  HnCell c = cell_of(mode,
                     "n_epochs: 1, n_minibatches: 1, lr: 0.01, max_grad_norm: 0, head_gain: 1, "
                     "see_obs: false, normalise_belief: false",
                     0);
  char *dir = folder_new();
  run_whole(&c, dir);
  double *kl = metrics_column(dir, "policy.approx_kl"),
         *own = metrics_column(dir, "inference.grad_norm");
  double *joint = metrics_column(dir, "policy.grad_norm");
  for (int u = 0; u < 10; u++) {
    g_assert_cmpfloat(kl[u], ==, 0);
    g_assert_cmpfloat(own[u], >, 1e-4);
    g_assert_cmpfloat(joint[u], >, own[u]);
  }
  g_assert_true(isnan(own[10]));
  g_free(kl), g_free(own), g_free(joint), folder_free(dir), cell_clear(&c);
}

/* Two arms with chances p and 1 - p, p uniform, pulled at random: whoever remembers a trial's 20
 * pulls predicts each reward by Laplace's rule of succession, at 0.55736 nats a pull; whoever
 * remembers the last one only, at 0.63651 (from the second on); whoever remembers nothing, at
 * 0.69315. */
static void test_learns(gconstpointer mode) {
  const Mode *k = mode;
  const double best = 0.55736, last_alone = 0.63651;
  HnCell c = cell_of(k, "", 0);
  g_free(c.env.params);
  c.env = part_of(&bandit_LTX_hn_plugin, "arms: 2, horizon: 20, alpha_train: 1");
  c.run.rows = 64, c.run.steps = 20, c.run.episodes = 1, c.run.checkpoint_every = 0;
  c.run.frames = 64 * 20 * UPDATES;
  c.evaluation.every = 0;
  char *dir = folder_new();
  run_whole(&c, dir);
  double *nll = metrics_column(dir, "inference.nll"), mean = 0;
  for (int u = 0; u < 50; u++) mean += nll[UPDATES - 50 + u] / 50;
  g_test_message("%.4f nats", mean);
  g_assert_cmpfloat(mean, <, (best + last_alone) / 2);
  g_assert_cmpfloat(mean, >, best - 0.01);
  g_free(nll), folder_free(dir), cell_clear(&c);
}

static void add_modes(const char *folder_name, GTestDataFunc test, bool alone) {
  for (gsize k = 0; k < G_N_ELEMENTS(modes); k++) {
    if (modes[k].learns_alone && !alone) continue;
    char *path = g_strdup_printf("/recurrent/run/%s/%s", folder_name, modes[k].name);
    g_test_add_data_func(path, &modes[k], test);
    g_free(path);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_cases("recurrent/values", test_values, cases, G_N_ELEMENTS(cases));
  add_cases("recurrent/gradient", test_gradient, cases, G_N_ELEMENTS(cases));
  add_cases("recurrent/windows", test_windows, cases, G_N_ELEMENTS(cases));
  g_test_add_data_func("/recurrent/learn", &cases[0], test_learn);
  g_test_add_func("/recurrent/predict", test_predict);
  g_test_add_func("/recurrent/size", test_size);
  add_modes("bits", test_bits, true);
  add_modes("starts_at_one", test_starts_at_one, false);
  for (gsize k = 0; k < G_N_ELEMENTS(learners); k++) {
    char *path = g_strdup_printf("/recurrent/run/learns/%s", learners[k].name);
    g_test_add_data_func(path, &learners[k], test_learns);
    g_free(path);
  }
  return g_test_run();
}

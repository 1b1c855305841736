/* ppo_act_test.c - how PPO acts, against closed forms; what it refuses; small problems it must
 * solve.
 */
#include "ppo_fixture.h"

/* Acting on rows together or one by one: the same bits. */
static void test_rows_alone(gconstpointer data) {
  const Case *c = data;
  PolicyFixture *f = open_case(c, 5);
  Log *g[2];
  for (int k = 0; k < 2; k++) {
    g[k] = experience(f, 8, 7, c->S);
    for (int64_t i = 0; i < 7; i++) g[k]->rng[i] = hn_rng(8, (uint64_t)i);
  }
  g_assert_cmpint(policy_fixture_act(f, g[0], 0, 0, 7, false), ==, HN_OK);
  for (int64_t i = 0; i < 7; i++)
    g_assert_cmpint(policy_fixture_act(f, g[1], 0, i, 1, false), ==, HN_OK);
  g_assert_cmpmem(g[0]->action, (gsize)(7 * c->action_dim) * 4, g[1]->action,
                  (gsize)(7 * c->action_dim) * 4);
  g_assert_cmpmem(g[0]->action_index, 7 * 4, g[1]->action_index, 7 * 4);
  g_assert_cmpmem(g[0]->aux, (gsize)(7 * f->spec.aux_dim) * 4, g[1]->aux,
                  (gsize)(7 * f->spec.aux_dim) * 4);
  for (int64_t i = 0; i < 7; i++)
    if (c->action_dim > 0) /* both cases squash their draws, which aux keeps raw */
      g_assert_cmpfloat_with_epsilon(g[0]->action[2 * i + 1],
                                     tanh((double)g[0]->aux[i * f->spec.aux_dim + 2]), 1e-6);
  log_free(g[0]), log_free(g[1]), policy_fixture_close(f);
}

/* exp(entropy - entropy of N(0, 1)) of one action.  Within bounds, 0.996805 at logstd 0, and the
 * bounds; above a floor. */
static void test_stddev(void) {
  const struct {
    const char *settings;
    double logstd, stddev;
  } points[] = {{"std_bounds 1", 0, 0.996805},
                {"std_bounds 1", 50, 1.5},
                {"std_bounds 1", -50, 0.5},
                {"std_floor 0.3", -50, 0.3},
                {"std_floor 0.3", -1, 0.36787944}};
  for (gsize k = 0; k < G_N_ELEMENTS(points); k++) {
    Case c = {"", COMMON "n_epochs 1", 3, 2, 0, 1, 0};
    char *settings = g_strdup_printf("%s %s", c.settings, points[k].settings);
    c.settings = settings;
    PolicyFixture *f = open_case(&c, 5);
    *(float *)policy_fixture_find(f, "logstd")->data = (float)points[k].logstd;
    Log *g = experience(f, 8, 4, 0);
    HnRng rng = hn_rng(1, 1);
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, 32, 1000), ==, HN_OK);
    double entropy = policy_fixture_metric_of(f, "entropy");
    g_assert_cmpfloat_with_epsilon(exp(entropy - 1.4189385332), points[k].stddev, 2e-6);
    log_free(g), policy_fixture_close(f), g_free(settings);
  }
}

/* Frequencies of actions against the mean of softmaxes of both samples, of moments against those of
 * two Gaussians; and greedy actions. */
static void test_mixture(void) {
  enum { ROWS = 20000 };
  for (int discrete = 0; discrete < 2; discrete++) {
    Case c = {"",
              COMMON "normalise_belief 0 std_init 0.5 layers 0",
              0,
              2,
              2,
              discrete ? 0 : 1,
              discrete ? 3 : 0};
    PolicyFixture *f = open_case(&c, 5);
    float *w =
        policy_fixture_find(f, "action.0.weight")->data; /* [2, A]: rows of logits or means */
    for (int k = 0; k < (discrete ? 6 : 2); k++) w[k] = (float[]){1, -1, 0, 0, 1, -2}[k];
    Log *g = log_new(f, 1, ROWS, 2, 9);
    for (int64_t i = 0; i < ROWS; i++) /* the samples (1, 0) and (0, 1) */
      memcpy(g->belief + 4 * i, (float[]){1, 0, 0, 1}, 4 * sizeof(float));
    g_assert_cmpint(policy_fixture_act(f, g, 0, 0, ROWS, false), ==, HN_OK);
    if (discrete) {
      double p[3] = {0}, count[3] = {0};
      for (int s = 0; s < 2; s++)
        for (int k = 0; k < 3; k++)
          p[k] += 0.5 * exp((double)w[3 * s + k]) /
                  (exp((double)w[3 * s]) + exp((double)w[3 * s + 1]) + exp((double)w[3 * s + 2]));
      for (int i = 0; i < ROWS; i++) count[g->action_index[i]]++;
      for (int k = 0; k < 3; k++)
        g_assert_cmpfloat_with_epsilon(count[k] / ROWS, p[k], 4 * sqrt(p[k] * (1 - p[k]) / ROWS));
      g_assert_cmpint(policy_fixture_act(f, g, 0, 0, 1, true), ==, HN_OK);
      g_assert_cmpint(g->action_index[0], ==, p[0] > p[1] ? 0 : 1);
    } else { /* means 1 and -1, deviation 1/2: variance 1.25, and hardly a draw near 0 */
      double mean = 0, square = 0;
      for (int i = 0; i < ROWS; i++)
        mean += (double)g->action[i] / ROWS, square += pow((double)g->action[i], 2) / ROWS;
      g_assert_cmpfloat_with_epsilon(mean, 0, 4 * sqrt(1.25 / ROWS));
      g_assert_cmpfloat_with_epsilon(square, 1.25, 4 * sqrt(1.125 / ROWS)); /* var x^2 = 9/8 */
      g_assert_cmpint(policy_fixture_act(f, g, 0, 0, 1, true), ==, HN_OK);
      g_assert_cmpfloat_with_epsilon(g->action[0], 0, 1e-6);
    }
    log_free(g), policy_fixture_close(f);
  }
}

/* KL(pi(.|a) || pi(.|b)) by a fixture with S samples. */
static double divergence_of(PolicyFixture *f, int64_t S, const float *a, const float *b) {
  float kl = -1;
  g_assert_cmpint(f->method->divergence(f->self, 1, NULL, a, b, S, &kl), ==, HN_OK);
  policy_fixture_end_call(f);
  return (double)kl;
}

/* Beliefs (1, 0) and (0, 1) make logits (1, -1, 0) and (0, 1, -2), or means 1 and -1.  Between
 * Gaussians of one deviation s: (difference of the means)^2 / 2 s^2; tanh of what is drawn changes
 * nothing, tanh of the mean does.  0.996805 is softclip of 1.  The others
 * by Python, from the definition. */
static void test_divergence(void) {
  static const float a[] = {1, 0}, b[] = {0, 1}, ab[] = {1, 0, 0, 1}, ba[] = {0, 1, 1, 0};
  const struct {
    const char *settings;
    int64_t count;
    double kl;
  } points[] = {{"std_init 0.5", 0, 8},
                {"std_init 0.5 squash 2", 0, 8},
                {"std_init 0.5 squash 1", 0, 4.640205267088},
                {"std_bounds 1", 0, 2 / (0.996805 * 0.996805)},
                {"", 3, 0.916043003867}};
  for (gsize k = 0; k < G_N_ELEMENTS(points); k++)
    for (int64_t S = 0; S <= 2; S += 2) {
      g_autofree char *settings =
          g_strconcat(COMMON "normalise_belief 0 layers 0 ", points[k].settings, NULL);
      Case c = {"", settings, 0, 2, S, points[k].count ? 0 : 1, points[k].count};
      PolicyFixture *f = open_case(&c, 5);
      float *w = policy_fixture_find(f, "action.0.weight")->data;
      for (int i = 0; i < (points[k].count ? 6 : 2); i++) w[i] = (float[]){1, -1, 0, 0, 1, -2}[i];
      const double kl = points[k].kl, back = points[k].count ? 1.139628258812 : kl;
      if (S == 0) {
        g_assert_cmpfloat_with_epsilon(divergence_of(f, 0, a, b), kl, 1e-5 * kl);
        g_assert_cmpfloat_with_epsilon(divergence_of(f, 0, b, a), back, 1e-5 * back);
        g_assert_cmpfloat(divergence_of(f, 0, a, a), ==, 0);
      } else { /* member by member: a bound, as ab and ba are one mixture */
        g_assert_cmpfloat_with_epsilon(divergence_of(f, 2, ab, ba), (kl + back) / 2, 1e-5 * kl);
        g_assert_cmpfloat(divergence_of(f, 2, ab, ab), ==, 0);
      }
      policy_fixture_close(f);
    }
}

static void test_refusals(void) {
  expect_refusal(&(Case){"", "", 3, 2, 0, 0, 0}, HN_E_SHAPE, "no actions");
  expect_refusal(&(Case){"", "", 0, 0, 0, 0, 2}, HN_E_SHAPE, "neither observation nor belief");
  expect_refusal(&(Case){"", "squash 2", 3, 0, 0, 0, 2}, HN_E_PARAM, "squash");
  expect_refusal(&(Case){"", "std_bounds 1 std_low 2", 3, 0, 0, 1, 0}, HN_E_PARAM, "std_low (2)");
  expect_refusal(&(Case){"", "hidden 64,x", 3, 0, 0, 0, 2}, HN_E_PARAM, "hidden: '64,x' is not");
  expect_refusal(&(Case){"", "hidden 1,1,1,1,1,1,1,1,1", 3, 0, 0, 0, 2}, HN_E_PARAM, "1 to 8");
}

static void test_not_finite(void) {
  PolicyFixture *f = open_case(&cases[0], 5);
  Log *g = experience(f, 8, 4, 0);
  g->reward[5] = g->true_reward[5] = NAN;
  HnRng rng = hn_rng(1, 1);
  g_assert_cmpint(policy_fixture_learn(f, g, &rng, 32, 1000), ==, HN_E_NUMERIC);
  g->obs[1] = NAN;
  g_assert_cmpint(policy_fixture_act(f, g, 0, 0, 4, false), ==, HN_E_NUMERIC);
  log_free(g), policy_fixture_close(f);
}

/* ---- learning ---- */

/* Two states.  Action 1 leads to state 1 at a price of 0.3, action 0 to state 0 for nothing; being
 * in state 1 pays 1 with the next action.  A learner that looks one step ahead never pays. */
static void test_two_states(void) {
  Case c = {
      "", "layers 1 width 16 n_epochs 4 n_minibatches 4 lr 0.01 gamma 0.9 anneal 0", 1, 0, 0, 0, 2};
  PolicyFixture *f = open_case(&c, 2);
  Log *g = log_new(f, 16, 4, 0, 4);
  HnRng rng = hn_rng(1, 1);
  for (int iteration = 0; iteration < 40; iteration++) {
    memset(g->begin, iteration ? HN_KEEP : HN_NEW_TASK, 4);
    for (int64_t t = 0; t < 16; t++) {
      g_assert_cmpint(policy_fixture_act(f, g, t, 0, 4, false), ==, HN_OK);
      for (int64_t k = 4 * t; k < 4 * t + 4; k++) {
        g->reward[k] = g->true_reward[k] = g->obs[k] - 0.3f * (float)g->action_index[k];
        g->obs[k + 4] = (float)g->action_index[k];
      }
    }
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, 64 * (iteration + 1), 64 * 40), ==, HN_OK);
    memcpy(g->obs, g->obs + 64, 4 * sizeof(float));
  }
  g->obs[0] = 0, g->obs[1] = 1;
  g_assert_cmpint(policy_fixture_act(f, g, 0, 0, 2, true), ==, HN_OK);
  g_assert_cmpint(g->action_index[0], ==, 1);
  g_assert_cmpint(g->action_index[1], ==, 1);
  log_free(g), policy_fixture_close(f);
}

/* Trials of one step; the belief says where the best action is, and loss is squared distance. */
static void test_targets(gconstpointer settings) {
  Case c = {"", settings, 1, 1, 0, 1, 0};
  PolicyFixture *f = open_case(&c, 2);
  policy_fixture_set_all(f, "layers 1 width 16 n_epochs 8 n_minibatches 4 lr 0.01 std_init 0.5");
  Log *g = log_new(f, 32, 4, 0, 4);
  HnRng rng = hn_rng(1, 1), world = hn_rng(2, 2);
  memset(g->begin, HN_NEW_TASK, 33 * 4);
  for (int iteration = 0; iteration < 25; iteration++) {
    for (int64_t k = 0; k < 33 * 4; k++) g->belief[k] = hn_rng_below(&world, 2) ? 0.6f : -0.6f;
    for (int64_t t = 0; t < 32; t++) {
      g_assert_cmpint(policy_fixture_act(f, g, t, 0, 4, false), ==, HN_OK);
      for (int64_t k = 4 * t; k < 4 * t + 4; k++)
        g->reward[k] = g->true_reward[k] = -powf(g->action[k] - g->belief[k], 2);
    }
    g_assert_cmpint(policy_fixture_learn(f, g, &rng, 128 * (iteration + 1), 128 * 25), ==, HN_OK);
  }
  g->belief[0] = 0.6f, g->belief[1] = -0.6f;
  g_assert_cmpint(policy_fixture_act(f, g, 0, 0, 2, true), ==, HN_OK);
  g_test_message("%.3f %.3f", (double)g->action[0], (double)g->action[1]);
  g_assert_cmpfloat_with_epsilon(g->action[0], 0.6, 0.1);
  g_assert_cmpfloat_with_epsilon(g->action[1], -0.6, 0.1);
  log_free(g), policy_fixture_close(f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_cases("rows_alone", (int[]){0, 6, 9, 13, 15}, 5, test_rows_alone);
  g_test_add_func("/ppo/stddev", test_stddev);
  g_test_add_func("/ppo/mixture", test_mixture);
  g_test_add_func("/ppo/divergence", test_divergence);
  g_test_add_func("/ppo/refusals", test_refusals);
  g_test_add_func("/ppo/not_finite", test_not_finite);
  g_test_add_func("/ppo/two_states", test_two_states);
  g_test_add_data_func("/ppo/targets/gaussian", "squash 0", test_targets);
  g_test_add_data_func("/ppo/targets/squashed", "squash 2", test_targets);
  return g_test_run();
}

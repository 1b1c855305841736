/* a2c_test.c - the one gradient step of advantage actor-critic, by closed forms of a linear
 * Gaussian actor and a linear critic. */
#include "numbers.h"
#include "policy_fixture.h"

extern const HnPlugin a2c_LTX_hn_plugin;

enum { T = 50, B = 4, N = T * B };

static double moment(PolicyFixture *f, const char *name) {
  const FakeArray *a = policy_fixture_find(f, name);
  g_assert_nonnull(a);
  return (double)((const float *)a->data)[0] / 0.1; /* Adam's first, of one step */
}

static double weight(PolicyFixture *f, const char *name) {
  return (double)((const float *)policy_fixture_find(f, name)->data)[0];
}

/* Rewards of the step alone: advantage r - V.  With mean m = w o + b and value V = u o + c, the
 * loss -mean log N(a; m, s^2) (r - V) + vf/2 mean (V - r)^2 - ent (log s + ..) has these slopes,
 * where no gradient passes the advantage. */
static void test_step(void) {
  PolicyFixture *f = policy_fixture_open(&a2c_LTX_hn_plugin, 5);
  policy_fixture_set_all(f,
                         "layers 0 gamma 0 normalise_obs 0 head_gain 1 std_init 0.7 ent_coef 0.01 "
                         "max_grad_norm 0 vf_coef 0.3");
  f->spec.obs_dim = 1, f->spec.action_dim = 1, f->spec.rows = B, f->spec.steps = T;
  g_assert_cmpint(policy_fixture_create(f), ==, HN_OK);
  const double w = weight(f, "action.0.weight"), u = weight(f, "value.0.weight"), s2 = 0.49;
  Log *g = log_new(f, T, B, 0, 3);
  HnRng rng = hn_rng(11, 0);
  double slope[5] = {0}; /* by w, b, u, c, log s */
  for (int k = 0; k < (T + 1) * B; k++) g->obs[k] = (float)hn_rng_normal(&rng);
  for (int t = 0; t < T; t++) {
    g_assert_cmpint(policy_fixture_act(f, g, t, 0, B, false), ==, HN_OK);
    for (int k = t * B; k < (t + 1) * B; k++) {
      g->reward[k] = g->true_reward[k] = g->action[k] + g->obs[k];
      const double o = (double)g->obs[k], d = (double)g->action[k] - w * o, v = u * o;
      const double a = (double)g->reward[k] - v;
      near((double)g->aux[k * f->spec.aux_dim], v, 1e-6);
      slope[0] -= d / s2 * a * o / N, slope[1] -= d / s2 * a / N;
      slope[2] -= 0.3 * a * o / N, slope[3] -= 0.3 * a / N;
      slope[4] -= (d * d / s2 - 1) * a / N + 0.01 / N;
    }
  }
  HnRng learn = hn_rng(1, 1);
  g_assert_cmpint(policy_fixture_learn(f, g, &learn, N, 10 * N), ==, HN_OK);
  near(moment(f, "action.0.weight.m1"), slope[0], 2e-6);
  near(moment(f, "action.0.bias.m1"), slope[1], 2e-6);
  near(moment(f, "value.0.weight.m1"), slope[2], 2e-6);
  near(moment(f, "value.0.bias.m1"), slope[3], 2e-6);
  near(moment(f, "logstd.m1"), slope[4], 2e-6);
  g_assert_cmpfloat(fabs(slope[0]), >, 0.02);
  /* a single step of Adam, of the size of its rate */
  near(fabs(weight(f, "action.0.weight") - w), 7e-4, 1e-6);
  near(policy_fixture_metric_of(f, "epochs"), 1, 0);
  near(policy_fixture_metric_of(f, "approx_kl"), 0, 0);
  log_free(g), policy_fixture_close(f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/a2c/step", test_step);
  return g_test_run();
}

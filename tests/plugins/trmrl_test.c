/* trmrl_test.c - TrMRL against a naive network and its central differences, the promises of the
 * ABI, what is and is not carried over an episode's end, and PPO training it in the real run loop.
 */
#include "../fakes/toy.h"
#include "transformer_naive.h"

extern const HnPlugin trmrl_LTX_hn_plugin;

#define SMALL "width: 8, heads: 2, feed_forward: 7, "
static const Case cases[] = {
    {"published", SMALL "memory: 3, layers: 2", 2, 3, 0},
    {"discrete", SMALL "memory: 5, layers: 1", 2, 0, 4},
    {"persistent", SMALL "memory: 6, layers: 2, persist_memory: true", 3, 2, 0},
    {"learned", SMALL "memory: 4, layers: 3, positions: learned", 2, 0, 3},
    {"one", SMALL "memory: 1, layers: 2", 2, 1, 0},
};

static void naive_belief(const Weights *z, const Experience *xp, const TransformerParams *p,
                         double *belief) {
  const NaiveNet s = naive_net(z, xp, p);
  double token[64 * TOKEN_MOST];
  for (int64_t i = 0; i < xp->B; i++)
    for (int64_t t = 0, first = 0; t <= xp->T; t++) {
      const int64_t at = (t + 1) * xp->B + i;
      const bool fresh = xp->begin[at] == HN_NEW_TASK || (xp->begin[at] && !p->persist_memory);
      if (fresh) first = t;
      naive_token(&s, xp->obs + at * xp->obs_dim, fresh ? -1 : at - xp->B,
                  xp->begin[at] == HN_NEW_EPISODE, token + t * s.in);
      const int64_t n = MIN(p->memory, t - first + 1);
      naive_steps(&s, n, token + (t - n + 1) * s.in, belief + (t * xp->B + i) * p->width);
    }
}

static void test_gradient(gconstpointer c) {
  check_against(&trmrl_LTX_hn_plugin, c, naive_belief);
}
static void test_windows(gconstpointer c) {
  check_windows(&trmrl_LTX_hn_plugin, c);
}

/* The belief at the first steps of a trial's episodes 1 and 10, which have equal observations. */
static bool first_steps_agree(const char *more) {
  const Case c = {"", SMALL "memory: 5, layers: 2", 2, 3, 0};
  Fixture *b = fixture_new(&trmrl_LTX_hn_plugin, &c, more);
  enum { LENGTH = 3, TENTH = 9 * LENGTH };
  Experience *xp = experience_new(TENTH, 1, 2, 3, 0, 5);
  for (int t = 0; t <= TENTH; t++)
    xp->begin[t + 1] = t == 0 ? HN_NEW_TASK : t % LENGTH ? HN_KEEP : HN_NEW_EPISODE;
  memcpy(xp->obs + (TENTH + 1) * 2, xp->obs + 2, 2 * sizeof(float));
  float belief[(TENTH + 1) * 8];
  pass(b, xp, belief, NULL, NULL);
  const bool agree = !memcmp(belief, belief + TENTH * 8, 8 * sizeof(float));
  g_assert_true(memcmp(belief, belief + 8, 8 * sizeof(float)) != 0);
  experience_free(xp), fixture_free(b);
  return agree;
}

static void test_episodes(void) {
  g_assert_true(first_steps_agree(""));
  g_assert_false(first_steps_agree(", persist_memory: true"));
}

/* Observations of 39 numbers and 4 actions; the published network reads a flag as well, which never
 * changes, and has 58,280 weights with the policy's head of 6,536. */
static void test_size(void) {
  const Case c = {"", "", 39, 4, 0};
  g_assert_cmpint(parameters_of(&trmrl_LTX_hn_plugin, &c), ==, 58280 - 6536 - 32);
}

/* AdamW: g / (|g| + 1) as eps is 1, and the weights' own share. */
static void test_step(void) {
  for (int own = 0; own < 2; own++) {
    Fixture *b = fixture_new(&trmrl_LTX_hn_plugin, &cases[0],
                             own ? ", lr: 0.1, adam_eps: 1, weight_decay: 0.5, max_grad_norm: 0.25"
                                 : ", lr: 0.1, adam_eps: 1, weight_decay: 0.5");
    Experience *xp = experience_new(10, 3, 2, 3, 0, 5);
    float *d = random_floats(11 * 3 * 8, 8), belief[11 * 3 * 8], before[6 * 8], grad[6 * 8];
    double norm2;
    pass(b, xp, belief, d, &norm2);
    FakeArray *a = fake_host_find(&b->fake, "embed.weight");
    g_assert_cmpint(a->count, ==, 6 * 8);
    memcpy(before, a->data, sizeof before), memcpy(grad, a->grad, sizeof grad);
    const double used = own ? fmin(0.3, 0.25 / sqrt(norm2)) : 0.3;
    g_assert_cmpfloat(0.3 * sqrt(norm2), >, 0.25);
    g_assert_cmpint(b->methods->step(b->self, 0.3, 0.5), ==, HN_OK);
    for (int k = 0; k < 6 * 8; k++) {
      const double g = used * (double)grad[k], w = (double)before[k];
      g_assert_cmpfloat_with_epsilon(((float *)a->data)[k],
                                     w - 0.1 * 0.5 * (g / (fabs(g) + 1) + 0.5 * w), 1e-6);
      g_assert_cmpfloat(a->grad[k], ==, 0);
    }
    g_free(d), experience_free(xp), fixture_free(b);
  }
}

static void test_refusals(void) {
  check_refusal(&trmrl_LTX_hn_plugin, "width: 10, heads: 4", "no multiple");
}

/* ---- in the run loop ---- */

static void test_bits(gconstpointer more) {
  g_autofree char *settings = g_strdup_printf(SMALL "layers: 2%s", (const char *)more);
  HnCell c =
      cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(&trmrl_LTX_hn_plugin, settings),
                    part_of(&ppo_LTX_hn_plugin, "n_epochs: 2, n_minibatches: 2, lr: 0.01"));
  assert_same_bits(&c);
  cell_clear(&c);
}

static void test_learns(void) {
  if (skips_learning()) return;
  g_assert_cmpfloat(
      second_episode(&trmrl_LTX_hn_plugin,
                     "width: 16, heads: 2, feed_forward: 32, layers: 2, memory: 11, lr: 2e-3, "
                     "persist_memory: true"),
      >, 2.4);
}

/* As published, nothing is. */
static void test_forgets(void) {
  if (skips_learning()) return;
  g_assert_cmpfloat(
      second_episode(&trmrl_LTX_hn_plugin,
                     "width: 16, heads: 2, feed_forward: 32, layers: 2, memory: 11, lr: 2e-3"),
      <, 1.8);
}

/* T-Fixup: embeddings, and positions that are learned, begin with a deviation of width^(-1/2) (9
 * layers)^(-1/4), and a mean of 0; within five standard errors. */
static void test_initial(void) {
  static const char *const names[] = {"embed.weight", "position.weight"};
  const double wanted = 1 / sqrt(64) / pow(9 * 2, 0.25);
  const Case c = {"", "width: 64, layers: 2, memory: 50, positions: learned", 40, 5, 0};
  Fixture *b = fixture_new(&trmrl_LTX_hn_plugin, &c, "");
  for (int k = 0; k < 2; k++) {
    const FakeArray *a = fake_host_find(&b->fake, names[k]);
    double sum = 0, square = 0, n = (double)a->count;
    g_assert_cmpfloat(n, >, 2000);
    for (int64_t j = 0; j < a->count; j++) {
      const double x = (double)((const float *)a->data)[j];
      sum += x / n, square += x * x / n;
    }
    g_assert_cmpfloat_with_epsilon(sum, 0, 5 * wanted / sqrt(n));
    g_assert_cmpfloat_with_epsilon(sqrt(square), wanted, 5 * wanted / sqrt(2 * n));
  }
  fixture_free(b);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trmrl/initial", test_initial);
  for (gsize k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_autofree char *gradient = g_strdup_printf("/trmrl/gradient/%s", cases[k].name);
    g_autofree char *windows = g_strdup_printf("/trmrl/windows/%s", cases[k].name);
    g_test_add_data_func(gradient, &cases[k], test_gradient);
    g_test_add_data_func(windows, &cases[k], test_windows);
  }
  g_test_add_func("/trmrl/episodes", test_episodes);
  g_test_add_func("/trmrl/size", test_size);
  g_test_add_func("/trmrl/step", test_step);
  g_test_add_func("/trmrl/refusals", test_refusals);
  g_test_add_data_func("/trmrl/run/bits/published", "", test_bits);
  g_test_add_data_func("/trmrl/run/bits/persistent", ", persist_memory: true", test_bits);
  g_test_add_func("/trmrl/run/learns", test_learns);
  g_test_add_func("/trmrl/run/forgets", test_forgets);
  return g_test_run();
}

/* rl2_test.c - RL2 against a naive network and its central differences, the promises of the ABI,
 * and PPO training it in the real run loop. */
#include "../../plugins/inference/rl2/rl2.h"
#include "../fakes/toy.h"
#include "inference_fixture.h"
#include "rl2_naive.h"
#include "window_law.h"

extern const HnPlugin ppo_LTX_hn_plugin, gridworld_LTX_hn_plugin, rl2_LTX_hn_plugin;

/* ---- an instance ---- */

static Rl2 *rl2_of(const Fixture *b) {
  return b->self;
}

static const Case cases[] = {
    {"plain", "hidden: 7, obs_embed: 0, act_embed: 0, reward_embed: 0", 2, 3, 0},
    {"embedded", "hidden: 6, obs_embed: 5, act_embed: 4, reward_embed: 3", 3, 2, 0},
    {"bottleneck", "hidden: 6, obs_embed: 4, act_embed: 0, reward_embed: 3, bottleneck: 9", 2, 0,
     5},
    {"squeezed",
     "hidden: 8, bottleneck: 3, bottleneck_activation: tanh, see_act: false, obs_embed: 0, "
     "reward_embed: 0",
     2, 0, 4},
    {"blind",
     "hidden: 5, see_obs: false, see_episodes: false, bottleneck: 4, bottleneck_activation: linear",
     2, 0, 3},
    {"truncated", "hidden: 6, obs_embed: 4, act_embed: 3, reward_embed: 2, truncate: 5", 2, 2, 0},
};

static Experience *experience_for(const Case *c, int64_t T, int64_t B, uint64_t seed) {
  return experience_new(T, B, c->obs_dim, c->action_dim, c->action_count, seed);
}

static float *carry_of(const Fixture *b, char *state, int64_t row) {
  return ((Rl2Row *)(void *)(state + (size_t)row * b->spec.row_size))->carry;
}

/* Row memory of B rows, with something in it. */
static char *memory_new(const Fixture *b, int64_t B) {
  char *state = g_malloc0((gsize)B * b->spec.row_size);
  HnRng rng = hn_rng(9, 9);
  for (int64_t i = 0; i < B; i++)
    for (int64_t j = 0; j < rl2_of(b)->rnn.carry; j++)
      carry_of(b, state, i)[j] = (float)hn_rng_uniform(&rng, -0.9, 0.9);
  return state;
}

/* Beliefs [T + 1, B, D] of all experience, from row memory `state` on. */
static void infer_all(Fixture *b, const Experience *xp, char *state, float *belief) {
  HnHistory h = experience_window(xp, 0, xp->T, 0, xp->B);
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .state = state, .belief = belief};
  g_assert_cmpint(rl2_infer(b->self, &q), ==, HN_OK);
}

/* forward and backward over all experience with dL/dbelief = d. */
static void teach(Fixture *b, const Experience *xp, const char *memory, const float *d,
                  double *norm2) {
  HnHistory h = experience_window(xp, 0, xp->T, 0, xp->B);
  int64_t D = b->spec.belief_dim;
  char *state = g_memdup2(memory, (gsize)xp->B * b->spec.row_size);
  float *belief = g_new0(float, (gsize)((xp->T + 1) * xp->B * D));
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = &h, .state = state, .belief = belief};
  g_assert_cmpint(rl2_forward(b->self, &q), ==, HN_OK);
  g_assert_cmpint(rl2_backward(b->self, &q, d, norm2), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  g_free(belief), g_free(state);
}

/* Once when no tape can be kept yet, and once from kept tapes: the same bits. */
static void teach_twice(Fixture *b, const Experience *xp, const char *memory, const float *d,
                        double *norm2) {
  HnStore *s = &rl2_of(b)->store;
  float *first = g_new(float, (gsize)s->size);
  teach(b, xp, memory, d, norm2);
  g_assert_null(rl2_of(b)->tape);
  for (int64_t k = 0; k < s->count; k++) {
    gsize bytes = (gsize)(s->tensor[k].rows * s->tensor[k].cols) * sizeof(float);
    memcpy(first + s->tensor[k].offset, s->tensor[k].grad, bytes);
    memset(s->tensor[k].grad, 0, bytes);
  }
  teach(b, xp, memory, d, norm2);
  g_assert_nonnull(rl2_of(b)->tape);
  for (int64_t k = 0; k < s->count; k++) {
    gsize bytes = (gsize)(s->tensor[k].rows * s->tensor[k].cols) * sizeof(float);
    g_assert_cmpmem(first + s->tensor[k].offset, bytes, s->tensor[k].grad, bytes);
  }
  g_free(first);
}

static float *random_floats(int64_t n, uint64_t seed) {
  float *x = g_new(float, (gsize)n);
  HnRng rng = hn_rng(seed, 4);
  for (int64_t k = 0; k < n; k++) x[k] = (float)hn_rng_normal(&rng);
  return x;
}

/* ---- against the naive network ---- */

static Shape shape_of(const Fixture *b) {
  const Rl2Params *p = b->part.params;
  return (Shape){.lstm = p->cell == HN_RNN_LSTM,
                 .see_obs = p->see_obs,
                 .see_act = p->see_act,
                 .see_reward = p->see_reward,
                 .see_episodes = p->see_episodes,
                 .hidden = p->hidden,
                 .embed = {p->obs_embed, p->act_embed, p->reward_embed},
                 .bottleneck = p->bottleneck,
                 .truncate = p->truncate,
                 .activation = p->bottleneck_activation};
}

/* Beliefs, and every derivative of sum(c . belief), on nine rows (shards of 5 and 4) that begin in
 * mid-trial and meet new tasks and episodes at different times. */
static void check_gradient(const Case *c, const char *more) {
  Fixture *b = fixture_new(&rl2_LTX_hn_plugin, c, more);
  int64_t T = 17, B = 9, D = b->spec.belief_dim, n = (T + 1) * B * D, M = rl2_of(b)->rnn.carry;
  Experience *xp = experience_for(c, T, B, 5);
  HnHistory h = experience_window(xp, 0, T, 0, B);
  char *memory = memory_new(b, B), *state = g_memdup2(memory, (gsize)B * b->spec.row_size);
  Naive *z = naive_new(&b->fake, shape_of(b));
  double *start = g_new(double, (gsize)(B * M)), *weight = g_new(double, (gsize)n),
         *expected = g_new(double, (gsize)n), *kept = g_new(double, (gsize)((T + 1) * B * M));
  float *d = random_floats(n, 6), *belief = g_new(float, (gsize)n);
  for (int64_t k = 0; k < n; k++) weight[k] = (double)d[k];
  for (int64_t k = 0; k < B * M; k++) start[k] = (double)carry_of(b, memory, k / M)[k % M];
  naive_sum(z, xp, &h, start, weight, expected, NULL, kept);
  infer_all(b, xp, state, belief);
  for (int64_t k = 0; k < n; k++)
    g_assert_cmpfloat_with_epsilon((double)belief[k], expected[k], 1e-5);

  double norm2, sum = 0, most = 0;
  teach_twice(b, xp, memory, d, &norm2);
  for (int64_t a = 0; a < b->fake.array_count; a++)
    for (int64_t j = 0; b->fake.array[a].grad && j < b->fake.array[a].count; j++) {
      double *w = &z->x[z->at[a] + j], was = *w, value[2];
      for (int k = 0; k < 2; k++) {
        *w = was + (k ? 1e-5 : -1e-5);
        value[k] = naive_sum(z, xp, &h, start, weight, NULL, z->s.truncate ? kept : NULL, NULL);
      }
      *w = was;
      double slope = (value[1] - value[0]) / 2e-5, mine = (double)b->fake.array[a].grad[j];
      g_assert_cmpfloat_with_epsilon(mine, slope, 2e-5 * fmax(1, fabs(slope)));
      sum += mine * mine, most = fmax(most, fabs(slope));
    }
  g_assert_cmpfloat(most, >, 1);
  g_assert_cmpfloat_with_epsilon(norm2, sum, 1e-6 * sum);
  g_free(start), g_free(weight), g_free(expected), g_free(kept), g_free(d), g_free(belief);
  g_free(memory), g_free(state), naive_free(z), experience_free(xp), fixture_free(b);
}

static void test_gradient(gconstpointer c) {
  check_gradient(c, ", cell: gru");
  check_gradient(c, ", cell: lstm");
}

/* ---- the ABI's promises ---- */

static void check_windows(const Case *data, const char *cell) {
  Fixture *b = fixture_new(&rl2_LTX_hn_plugin, data, cell);
  int64_t T = 23, B = 6;
  Experience *xp = experience_for(data, T, B, 5);
  char *memory = memory_new(b, B);
  assert_window_law((HnWindowCheck){.methods = b->methods,
                                    .self = b->self,
                                    .spec = &b->spec,
                                    .whole = experience_window(xp, 0, T, 0, B),
                                    .state = memory,
                                    .forward_leaves_state = true},
                    &b->fake);
  g_free(memory), experience_free(xp), fixture_free(b);
}

static void test_windows(gconstpointer c) {
  check_windows(c, ", cell: gru"), check_windows(c, ", cell: lstm");
}

/* What happened before a new task leaves no trace in beliefs, memory or gradients after it; what
 * happened before a new episode does. */
static void check_tasks(const Case *data, const char *cell) {
  Fixture *b = fixture_new(&rl2_LTX_hn_plugin, data, cell);
  int64_t T = 20, B = 3, D = b->spec.belief_dim, n = (T + 1) * B * D, at = 8;
  for (int kind = HN_NEW_EPISODE; kind <= HN_NEW_TASK; kind++) {
    float *belief[2], *d = random_floats(n, 8), *grad[2];
    char *state[2];
    memset(d, 0, (size_t)(at * B * D) * sizeof *d); /* gradients come from after the break only */
    for (int k = 0; k < 2; k++) {
      Experience *xp = experience_for(data, T, B, 5);
      memset(xp->begin, HN_KEEP, (gsize)((T + 2) * B));
      memset(xp->begin + (at + 1) * B, kind, (gsize)B);
      for (int64_t j = 0; k && j < (at + 1) * B; j++) xp->reward[j] += 0.5f;
      for (int64_t j = 0; k && j < (at + 1) * B * xp->obs_dim; j++) xp->obs[j] -= 0.5f;
      for (int64_t j = 0; k && j < (at + 1) * B && xp->action_count; j++) xp->action_index[j] = 0;
      belief[k] = g_new0(float, (gsize)n), state[k] = memory_new(b, B);
      double norm2;
      teach(b, xp, state[k], d, &norm2);
      g_assert_cmpfloat(norm2, >, 0);
      grad[k] = g_new0(float, (gsize)rl2_of(b)->store.size);
      for (int64_t j = 0; j < rl2_of(b)->store.count; j++) {
        HnTensor *p = &rl2_of(b)->store.tensor[j];
        memcpy(grad[k] + p->offset, p->grad, (gsize)(p->rows * p->cols) * sizeof(float));
        memset(p->grad, 0, (gsize)(p->rows * p->cols) * sizeof(float));
      }
      infer_all(b, xp, state[k], belief[k]);
      experience_free(xp);
    }
    gsize after = (gsize)(n - at * B * D) * sizeof(float), held = (gsize)B * b->spec.row_size;
    bool beliefs = !memcmp(belief[0] + at * B * D, belief[1] + at * B * D, after);
    bool memory = !memcmp(state[0], state[1], held);
    bool gradients = !memcmp(grad[0], grad[1], (gsize)rl2_of(b)->store.size * sizeof(float));
    g_assert_cmpint(beliefs, ==, kind == HN_NEW_TASK);
    g_assert_cmpint(memory, ==, kind == HN_NEW_TASK);
    g_assert_cmpint(gradients, ==, kind == HN_NEW_TASK);
    for (int k = 0; k < 2; k++) g_free(belief[k]), g_free(state[k]), g_free(grad[k]);
    g_free(d);
  }
  fixture_free(b);
}

static void test_tasks(gconstpointer c) {
  check_tasks(c, ", cell: gru"), check_tasks(c, ", cell: lstm");
}

/* Pieces as long as the window are the window; shorter ones change gradients, not beliefs. */
static void test_truncate(void) {
  const char *more[] = {", truncate: 0", ", truncate: 21", ", truncate: 100", ", truncate: 20"};
  float *first = NULL;
  for (gsize k = 0; k < G_N_ELEMENTS(more); k++) {
    Fixture *b = fixture_new(&rl2_LTX_hn_plugin, &cases[1], more[k]);
    Experience *xp = experience_for(&cases[1], 20, 5, 5);
    memset(xp->begin, HN_KEEP, 22 * 5);
    float *d = random_floats(21 * 5 * b->spec.belief_dim, 8);
    char *state = memory_new(b, 5);
    double norm2;
    teach(b, xp, state, d, &norm2);
    gsize bytes = (gsize)(6 * 18) * sizeof(float);
    const float *grad = fake_host_find(&b->fake, "gru.weight_hh")->grad;
    if (!first) first = g_memdup2(grad, bytes);
    g_assert_cmpint(memcmp(first, grad, bytes) == 0, ==, k < 3);
    g_free(d), g_free(state), experience_free(xp), fixture_free(b);
  }
  g_free(first);
}

/* Memory of older weights counts as empty where it is to be forgotten, and only there. */
static void test_forget(void) {
  for (int forgets = 0; forgets < 2; forgets++) {
    Fixture *b = fixture_new(&rl2_LTX_hn_plugin, &cases[1], forgets ? ", forget: true" : "");
    int64_t T = 6, B = 2, D = b->spec.belief_dim;
    gsize bytes = (gsize)((T + 1) * B * D) * sizeof(float), held = (gsize)B * b->spec.row_size;
    Experience *xp = experience_for(&cases[1], T, B, 5);
    memset(xp->begin, HN_KEEP, (gsize)((T + 2) * B));
    float *belief[3];
    char *state[3] = {memory_new(b, B), memory_new(b, B), g_malloc0(held)};
    for (int k = 0; k < 3; k++) belief[k] = g_malloc0(bytes);
    infer_all(b, xp, state[0], belief[0]); /* of the same weights */
    ++*rl2_of(b)->store.clock;
    infer_all(b, xp, state[1], belief[1]);
    infer_all(b, xp, state[2], belief[2]); /* from nothing */
    g_assert_cmpint(memcmp(belief[0], belief[2], bytes), !=, 0);
    g_assert_cmpint(memcmp(belief[1], belief[2], bytes) == 0, ==, forgets);
    g_assert_cmpint(memcmp(belief[1], belief[0], bytes) == 0, ==, !forgets);
    for (int k = 0; k < 3; k++) g_free(belief[k]), g_free(state[k]);
    experience_free(xp), fixture_free(b);
  }
}

/* The first step of Adam is lr rate g / (|g| + eps); an own clip counts after the joint one. */
static void test_step(void) {
  for (int own = 0; own < 2; own++) {
    Fixture *b =
        fixture_new(&rl2_LTX_hn_plugin, &cases[0],
                    own ? ", lr: 0.1, adam_eps: 1, max_grad_norm: 0.25" : ", lr: 0.1, adam_eps: 1");
    Experience *xp = experience_for(&cases[0], 10, 3, 5);
    float *d = random_floats(11 * 3 * b->spec.belief_dim, 8);
    char *state = memory_new(b, 3);
    double norm2;
    teach(b, xp, state, d, &norm2);
    FakeArray *a = fake_host_find(&b->fake, "gru.weight_ih");
    float before[7 * 21], grad[7 * 21]; /* 2 + 1, 3 and 1 inputs */
    g_assert_cmpint(a->count, ==, 7 * 21);
    memcpy(before, a->data, sizeof before), memcpy(grad, a->grad, sizeof grad);
    double scale = 0.3, used = own ? fmin(scale, 0.25 / sqrt(norm2)) : scale;
    g_assert_cmpfloat(0.3 * sqrt(norm2), >, 0.25);
    g_assert_cmpint(rl2_step(b->self, scale, 0.5), ==, HN_OK);
    for (int k = 0; k < 7 * 21; k++) {
      double g = used * (double)grad[k], move = 0.1 * 0.5 * g / (fabs(g) + 1);
      g_assert_cmpfloat_with_epsilon(((float *)a->data)[k], (double)before[k] - move, 1e-6);
      g_assert_cmpfloat(a->grad[k], ==, 0);
    }
    g_free(d), g_free(state), experience_free(xp), fixture_free(b);
  }
}

/* VariBAD's gridworld encoder (arXiv 1910.08348): x, y and a flag; rewards; 5 means and 5
 * log-variances. */
static void test_size(void) {
  Case c = {"", "hidden: 64, see_act: false, obs_embed: 8, reward_embed: 8, bottleneck: 10", 2, 0,
            5};
  Fixture *b = fixture_new(&rl2_LTX_hn_plugin, &c, "");
  int64_t count = 0;
  for (int64_t k = 0; k < b->fake.array_count; k++)
    if (b->fake.array[k].grad) count += b->fake.array[k].count;
  g_assert_cmpint(count, ==, 16442);
  g_assert_cmpint(b->spec.belief_dim, ==, 10);
  fixture_free(b);
}

static void test_refusals(void) {
  const struct {
    const char *settings, *part;
    HnStatus status;
  } bad[] = {{"forget: true, refresh: true", "contradict", HN_E_PARAM},
             {"see_obs: false, see_act: false, see_reward: false, see_episodes: false",
              "reads nothing", HN_E_SHAPE}};
  for (gsize k = 0; k < G_N_ELEMENTS(bad); k++) {
    Fixture *b = g_new0(Fixture, 1);
    Case c = {"", bad[k].settings, 2, 1, 0};
    g_assert_cmpint(fixture_try(b, &rl2_LTX_hn_plugin, &c, ""), ==, bad[k].status);
    g_assert_nonnull(strstr(b->fake.error, bad[k].part));
    fixture_free(b);
  }
}

/* ---- in the run loop ---- */

static const char *const modes[] = {"", ", truncate: 4", ", refresh: true", ", forget: true",
                                    ", cell: lstm"};

static HnCell cell_of(const char *inference, const char *policy) {
  return cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(&rl2_LTX_hn_plugin, inference),
                       part_of(&ppo_LTX_hn_plugin, policy));
}

/* What learning computes anew is what was acted on: the first step starts from ratios of exactly 1
 * also where windows begin in mid-trial.  PPO's gradient reaches the network unless it is stopped.
 */
static void test_starts_at_one(void) {
  for (gsize k = 0; k < G_N_ELEMENTS(modes); k++)
    for (int stop = 0; stop < 2; stop++) {
      char *settings = g_strdup_printf("hidden: 12, bottleneck: 5%s", modes[k]);
      HnCell c = cell_of(settings, "n_epochs: 1, n_minibatches: 1, lr: 0.01, max_grad_norm: 0, "
                                   "head_gain: 1, see_obs: false");
      c.run.stop_gradient = stop;
      char *dir = folder_new();
      run_whole(&c, dir);
      double *kl = metrics_column(dir, "policy.approx_kl"),
             *own = metrics_column(dir, "inference.grad_norm"),
             *joint = metrics_column(dir, "policy.grad_norm");
      for (int u = 0; u < 10; u++) {
        g_assert_cmpfloat(kl[u], ==, 0);
        if (!stop) g_assert_cmpfloat(own[u], >, 1e-4);
        if (!stop) g_assert_cmpfloat(joint[u], >, own[u]);
      }
      g_assert_true(isnan(own[stop ? 0 : 10]));
      g_free(kl), g_free(own), g_free(joint), g_free(settings);
      folder_free(dir), cell_clear(&c);
    }
}

static void test_bits(gconstpointer mode) {
  char *settings = g_strdup_printf("hidden: 12%s", (const char *)mode);
  HnCell c = cell_of(settings, "n_epochs: 2, n_minibatches: 2, lr: 0.01");
  assert_same_bits(&c);
  cell_clear(&c), g_free(settings);
}

/* A grid of three by three: who knows the goal gets 3.02 an episode, who searches at best 1.7.  So
 * the second episode shows whether the first is remembered. */
static void test_learns(gconstpointer cell) {
  char *settings = g_strdup_printf(
      "%s, hidden: 32, obs_embed: 8, act_embed: 0, reward_embed: 8, lr: 2e-3", (const char *)cell);
  HnCell c =
      cell_of(settings, "n_epochs: 2, n_minibatches: 4, lr: 2e-3, anneal: false, see_obs: false, "
                        "clip_range_vf: 0, ent_coef: 0.03, gamma: 0.95, normalise_belief: false, "
                        "width: 32, layers: 1");
  g_free(c.env.params);
  c.env = part_of(&gridworld_LTX_hn_plugin, "size: 3, horizon: 5");
  c.run.rows = 16, c.run.steps = 20, c.run.frames = 120000, c.run.checkpoint_every = 0;
  c.evaluation.every = 0, c.evaluation.tasks = 5;
  char *dir = folder_new();
  run_whole(&c, dir);
  double *first = metrics_column(dir, "eval.return_1"),
         *second = metrics_column(dir, "eval.return_2");
  g_test_message("%.3f %.3f", first[0], second[0]);
  g_assert_cmpfloat(second[0], >, 2.4);
  g_free(first), g_free(second), g_free(settings), folder_free(dir), cell_clear(&c);
}

static void add_cases(const char *folder_name, GTestDataFunc test) {
  for (gsize k = 0; k < G_N_ELEMENTS(cases); k++) {
    char *path = g_strdup_printf("/rl2/%s/%s", folder_name, cases[k].name);
    g_test_add_data_func(path, &cases[k], test);
    g_free(path);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  add_cases("gradient", test_gradient);
  add_cases("windows", test_windows);
  g_test_add_data_func("/rl2/tasks/memory", &cases[1], test_tasks);
  g_test_add_data_func("/rl2/tasks/bottleneck", &cases[2], test_tasks);
  g_test_add_func("/rl2/truncate", test_truncate);
  g_test_add_func("/rl2/forget", test_forget);
  g_test_add_func("/rl2/step", test_step);
  g_test_add_func("/rl2/size", test_size);
  g_test_add_func("/rl2/refusals", test_refusals);
  g_test_add_func("/rl2/run/starts_at_one", test_starts_at_one);
  g_test_add_data_func("/rl2/run/bits/plain", modes[0], test_bits);
  g_test_add_data_func("/rl2/run/bits/truncate", modes[1], test_bits);
  g_test_add_data_func("/rl2/run/bits/refresh", modes[2], test_bits);
  g_test_add_data_func("/rl2/run/bits/forget", modes[3], test_bits);
  g_test_add_data_func("/rl2/run/bits/lstm", modes[4], test_bits);
  g_test_add_data_func("/rl2/run/learns/gru", "cell: gru", test_learns);
  g_test_add_data_func("/rl2/run/learns/lstm", "cell: lstm", test_learns);
  return g_test_run();
}

/* sac_test.c - soft actor-critic against an independent computation in float64 (sac_golden.py), its
 * density in closed form, what it draws from the replay, and that it learns. */
#include "sac_fixture.h"
#include "sac_golden.h"

/* ---- updates ---- */

enum { N = 5, O = 3, D = 2, MOST = 3 };
#define UPDATE \
  "hidden 5,4 normalise_belief 0 tau 0.1 lr 0.003 critic_lr 0.005 ent_coef 0.4 batch_size 5"

/* As in sac_golden.py. */
static double value(int stream, int64_t index) {
  return 0.6 * sin(1.7 * (double)index + 0.9 * (double)stream + 0.3);
}

typedef struct Transitions {
  float obs[N * O], next_obs[N * O], belief[N * D], next_belief[N * D], d_belief[N * D];
  float action[N * MOST], noise[N * MOST], next_noise[N * MOST], reward[N], discount[N];
} Transitions;

static void fill(float *x, int64_t count, double scale, int stream) {
  for (int64_t i = 0; i < count; i++) x[i] = (float)(scale * value(stream, i));
}

static SacBatch batch_of(Transitions *x, int k, int64_t A, bool discrete) {
  memset(x, 0, sizeof *x);
  fill(x->obs, N * O, 2, 6 + 20 * k), fill(x->next_obs, N * O, 2, 7 + 20 * k);
  fill(x->belief, N * D, 2, 8 + 20 * k), fill(x->next_belief, N * D, 2, 9 + 20 * k);
  fill(x->noise, N * A, 2, 11 + 20 * k), fill(x->next_noise, N * A, 2, 12 + 20 * k);
  fill(x->reward, N, 3, 13 + 20 * k);
  for (int i = 0; i < N; i++) x->discount[i] = i == 1 ? 0 : 0.9f;
  for (int64_t i = 0; i < N * A; i++)
    x->action[i] = discrete ? i % A == i / A % A : (float)tanh(2 * value(10 + 20 * k, i));
  return (SacBatch){.n = N,
                    .obs = x->obs,
                    .next_obs = x->next_obs,
                    .belief = x->belief,
                    .next_belief = x->next_belief,
                    .action = x->action,
                    .reward = x->reward,
                    .discount = x->discount,
                    .noise = x->noise,
                    .next_noise = x->next_noise,
                    .d_belief = x->d_belief};
}

/* Tensors `first` to `first + count - 1` of a store, by the formula. */
static void fill_tensors(HnStore *s, int64_t first, int64_t count, int stream) {
  int64_t at = 0;
  for (int64_t k = first; k < first + count; k++)
    for (int64_t i = 0; i < s->tensor[k].rows * s->tensor[k].cols; i++)
      s->tensor[k].data[i] = (float)value(stream, at++);
  hn_store_refresh(s);
}

static void assert_tensors(const HnStore *s, bool gradients, const double *wanted,
                           double tolerance) {
  for (int64_t k = 0; k < s->count; k++)
    for (int64_t i = 0; i < s->tensor[k].rows * s->tensor[k].cols; i++)
      near((double)(gradients ? s->tensor[k].grad : s->tensor[k].data)[i], *wanted++, tolerance);
}

typedef struct Golden {
  bool discrete;
  const double *critic_loss[2], *critic_gradient[2], *belief_gradient[2], *actor_loss[2];
  const double *actor_gradient[2], *temperature_gradient[2], *actor, *critics, *targets, *log_alpha;
} Golden;

#define BOTH(name, what) \
  { name##_##what##_0, name##_##what##_1 }
#define NUMBERS(name)                                                                     \
  .critic_loss = BOTH(name, critic_loss), .critic_gradient = BOTH(name, critic_gradient), \
  .belief_gradient = BOTH(name, belief_gradient), .actor_loss = BOTH(name, actor_loss),   \
  .actor_gradient = BOTH(name, actor_gradient),                                           \
  .temperature_gradient = BOTH(name, temperature_gradient), .actor = name##_actor,        \
  .critics = name##_critics, .targets = name##_targets, .log_alpha = name##_log_alpha
static const Golden continuous = {.discrete = false, NUMBERS(continuous)};
static const Golden discrete = {.discrete = true, NUMBERS(discrete)};

static HnPolicySpec golden_spec(bool is_discrete) {
  return (HnPolicySpec){.obs_dim = O,
                        .belief_dim = D,
                        .action_dim = is_discrete ? 0 : 2,
                        .action_count = is_discrete ? 3 : 0,
                        .horizon = 4,
                        .lifetime = 8,
                        .rows = 1,
                        .steps = 8};
}

/* Gradients of two updates and the weights that they leave. */
static void test_updates(gconstpointer data) {
  const Golden *g = data;
  PolicyFixture *f = open_sac(UPDATE, golden_spec(g->discrete));
  Sac *m = f->self;
  fill_tensors(&m->actor_store, 0, 6, 1);
  fill_tensors(&m->critic_store, 0, 6, 2), fill_tensors(&m->critic_store, 6, 6, 3);
  fill_tensors(&m->target_store, 0, 6, 4), fill_tensors(&m->target_store, 6, 6, 5);
  for (int k = 0; k < 2; k++) {
    Transitions x;
    SacBatch b = batch_of(&x, k, m->A, g->discrete);
    SacWork w = sac_work_begin(m, N);
    SacSums sums = {0};
    g_assert_cmpint(sac_critic_gradient(m, &w, &b, &sums), ==, HN_OK);
    near(sums.critic_loss / N, *g->critic_loss[k], 1e-6);
    assert_tensors(&m->critic_store, true, g->critic_gradient[k], 8e-7);
    for (int i = 0; i < N * D; i++) near((double)x.d_belief[i], g->belief_gradient[k][i], 1.2e-7);
    sac_critic_step(m);
    g_assert_cmpint(sac_actor_gradient(m, &w, &b, &sums), ==, HN_OK);
    near(sums.actor_loss / N, g->actor_loss[k][0], 6e-7);
    near(sums.entropy / N, g->actor_loss[k][1], 1e-6);
    assert_tensors(&m->actor_store, true, g->actor_gradient[k], 5e-7);
    near((double)m->log_alpha->grad[0], *g->temperature_gradient[k], 2e-7);
    sac_actor_step(m);
    policy_fixture_end_call(f);
  }
  assert_tensors(&m->actor_store, false, g->actor, 1e-6);
  assert_tensors(&m->critic_store, false, g->critics, 1e-6);
  assert_tensors(&m->target_store, false, g->targets, 1e-6);
  near((double)m->log_alpha->data[0], *g->log_alpha, 3e-7);
  policy_fixture_close(f);
}

/* Left alone, the temperature stays what it is. */
static void test_fixed_temperature(void) {
  PolicyFixture *f = open_sac(UPDATE " tune_ent_coef 0", golden_spec(false));
  Sac *m = f->self;
  Transitions x;
  SacBatch b = batch_of(&x, 0, m->A, false);
  SacWork w = sac_work_begin(m, N);
  SacSums sums = {0};
  for (int k = 0; k < 3; k++) {
    g_assert_cmpint(sac_actor_gradient(m, &w, &b, &sums), ==, HN_OK);
    sac_actor_step(m);
  }
  near(exp((double)m->log_alpha->data[0]), 0.4, 1e-6);
  policy_fixture_close(f);
}

/* ---- the density ---- */

/* Of tanh(u), u ~ N(0.3, 0.8^2), where weights are 0 and the last biases say so. */
static void test_density(void) {
  HnPolicySpec spec = golden_spec(false);
  spec.action_dim = 1;
  PolicyFixture *f = open_sac(UPDATE, spec);
  Sac *m = f->self;
  for (int64_t k = 0; k < m->actor_store.count; k++) {
    HnTensor *p = &m->actor_store.tensor[k];
    memset(p->data, 0, (size_t)(p->rows * p->cols) * sizeof(float));
  }
  float *bias = m->actor_store.tensor[m->actor_store.count - 1].data;
  bias[0] = 0.3f, bias[1] = (float)log(0.8);
  hn_store_refresh(&m->actor_store);
  Transitions x;
  SacBatch b = batch_of(&x, 0, 1, false);
  b.n = 1;
  double mass = 0, before = -1, density_before = 0;
  for (int k = 0; k <= 4000; k++) {
    FakeMark mark = fake_host_mark(&f->fake);
    SacWork w = sac_work_begin(m, 1);
    SacSums sums = {0};
    double noise = -10 + 0.005 * k, action = tanh(0.3 + 0.8 * noise);
    x.noise[0] = (float)noise;
    g_assert_cmpint(sac_actor_gradient(m, &w, &b, &sums), ==, HN_OK);
    double density = exp(-sums.entropy);
    mass += 0.5 * (density + density_before) * (action - before);
    if (fabs(noise) < 2)
      near(density, exp(-0.5 * noise * noise) / (0.8 * sqrt(2 * G_PI) * (1 - action * action)),
           3e-6 * density);
    before = action, density_before = density;
    fake_host_reset(&f->fake, mark);
  }
  near(mass, 1, 1e-6);
  policy_fixture_close(f);
}

/* ---- the replay ---- */

/* The time and row that element k was taken from. */
static void origin(const Drawn *x, int64_t k, int *t, int *i) {
  int number = (int)x->b.obs[k];
  *t = number / 10, *i = number % 10;
}

/* Beliefs that were acted on, of one sample.  A terminal state has no value after it; a time limit,
 * of an episode or of the trial, has that of what the step led to. */
static void test_stored(void) {
  Drawn *x = draw("");
  int seen[STEPS] = {0}, second = 0;
  for (int64_t k = 0; k < x->b.n; k++) {
    int t, i;
    origin(x, k, &t, &i);
    seen[t]++;
    near((double)x->b.discount[k], x->life->terminated[t][i] ? 0 : 0.9, 1e-7);
    g_assert_true(x->b.reward[k] == x->life->reward[t][i]);
    g_assert_true(x->b.action[k] == x->life->action[t][i]);
    g_assert_true(x->b.next_obs[k] == x->life->next_obs[t][i]);
    int sign = x->b.belief[k] < 0, next = t % LIFE == LIFE - 1 ? t : t + 1;
    if (t) g_assert_true(x->b.belief[k] == x->life->belief[t][i][sign]);
    if (t) g_assert_true(x->b.next_belief[k] == x->life->belief[next][i][sign]);
    second += sign;
  }
  for (int t = 0; t < STEPS; t++) g_assert_cmpint(seen[t], >, 0);
  g_assert_cmpint(ABS(second - 140), <, 45); /* about half of those that show it */
  g_assert_null(x->b.d_belief);
  drawn_free(x);
}

/* Where returns go on, the last step of the first episode leads to the second. */
static void test_across_episodes(void) {
  Drawn *x = draw("episode_boundary 1");
  int across = 0;
  for (int64_t k = 0; k < x->b.n; k++) {
    int t, i;
    origin(x, k, &t, &i);
    bool goes_on = t % LIFE == 2;
    across += goes_on;
    near((double)x->b.discount[k], 0.9, 1e-7); /* no trial ends in a terminal state */
    g_assert_true(x->b.next_obs[k] == (goes_on ? x->life->obs[t + 1][i] : x->life->next_obs[t][i]));
  }
  g_assert_cmpint(across, >, 0);
  drawn_free(x);
}

/* The belief of a transition is that of all that came before in its trial, then with itself; its
 * gradient comes back to where the belief was read. */
static void test_prefix(void) {
  Drawn *x = draw("replay_belief 1 context_trials 5");
  g_assert_cmpint(x->counting.asked->rows, ==, 5);
  double handed = 0;
  for (int64_t k = 0; k < x->b.n; k++) {
    int t, i;
    origin(x, k, &t, &i);
    double sum = 0;
    for (int at = t / LIFE * LIFE; at < t; at++) sum += (double)x->life->reward[at][i];
    double then = sum + (double)x->life->reward[t][i];
    int s = fabs((double)x->b.next_belief[k] - 2 * then) < 1e-3 && then > 0;
    near((double)x->b.belief[k], (s + 1) * sum, 1e-4);
    near((double)x->b.next_belief[k], (s + 1) * then, 1e-4);
    x->b.d_belief[k] = (float)k, handed += (double)k;
  }
  double norm2 = 1;
  g_assert_cmpint(sac_draw_backward(x->m, &x->counting.l, &x->draw, &x->b, &norm2), ==, HN_OK);
  near(x->counting.handed[0] + x->counting.handed[1], handed, 1e-6 * handed);
  g_assert_cmpfloat(x->counting.handed[0], >, 0.3 * handed);
  g_assert_cmpfloat(x->counting.handed[1], >, 0.3 * handed);
  drawn_free(x);
}

/* A subset is of steps of the transition's own trial, each an episode of its own, and before and
 * after a transition the belief is the same. */
static void test_subset(void) {
  Drawn *x = draw("replay_belief 2 context_trials 5 context_steps 7");
  const HnHistory *h = x->counting.asked;
  int64_t rows = h->rows;
  g_assert_cmpint(h->steps, ==, 7);
  for (int64_t i = 0; i < rows; i++)
    for (int64_t t = 0; t < 7; t++) {
      int time = (int)h->reward[t * rows + i], row = (int)h->obs[t * rows + i] % 10;
      g_assert_true(h->obs[t * rows + i] == x->life->obs[time][row]);
      g_assert_true(h->next_obs[t * rows + i] == x->life->next_obs[time][row]);
      g_assert_cmpint(h->terminated[t * rows + i], ==, x->life->terminated[time][row]);
      g_assert_cmpint(h->begin[(t + 1) * rows + i], ==, HN_NEW_EPISODE);
    }
  for (int64_t k = 0; k < x->b.n; k++) {
    int t, row;
    origin(x, k, &t, &row);
    int64_t i = k % rows;
    double sum = 0;
    for (int64_t at = 0; at < 7; at++) {
      sum += (double)h->reward[at * rows + i];
      g_assert_cmpint((int)h->reward[at * rows + i] / LIFE, ==, t / LIFE);
      g_assert_cmpint((int)h->obs[at * rows + i] % 10, ==, row);
    }
    int s = (double)x->b.belief[k] > 1.5 * sum;
    near((double)x->b.belief[k], (s + 1) * sum, 1e-3);
    g_assert_true(x->b.next_belief[k] == x->b.belief[k]);
  }
  drawn_free(x);
}

/* Parts of a subset have every size. */
static void test_subset_varies(void) {
  Drawn *x = draw("replay_belief 2 context_trials 5 context_steps 3 context_vary 1");
  int count[4] = {0};
  for (int64_t k = 0; k < x->b.n; k++) count[x->draw.when[k]]++;
  for (int size = 0; size <= 3; size++) g_assert_cmpint(ABS(count[size] - 75), <, 35);
  drawn_free(x);
}

/* Transitions are of the whole trial, subsets of the episodes that they are asked from. */
static void test_subset_of_episodes(void) {
  for (int episodes = 0; episodes <= 2; episodes++) {
    g_autofree char *settings = g_strdup_printf(
        "replay_belief 2 context_trials 8 context_steps 20 context_episodes %d", episodes);
    Drawn *x = draw(settings);
    const HnHistory *h = x->counting.asked;
    int steps[LIFE] = {0}, transitions[LIFE] = {0};
    for (int64_t k = 0; k < h->steps * h->rows; k++) steps[(int)h->reward[k] % LIFE]++;
    for (int64_t k = 0; k < x->b.n; k++) transitions[(int)x->b.reward[k] % LIFE]++;
    for (int t = 0; t < LIFE; t++) {
      g_assert_cmpint(steps[t] > 0, ==, t < 3 || episodes != 1);
      g_assert_cmpint(transitions[t], >, 0);
    }
    drawn_free(x);
  }
}

/* ---- acting and learning ---- */

/* Bandits of a single step: the reward of a number is -(a - 0.5)^2, that of index 2 is 1. */
static void live(PolicyFixture *f, Log *g, HnRng *rng, int iterations) {
  for (int k = 0; k < iterations; k++) {
    for (int64_t t = 0; t < g->T; t++) {
      for (int64_t i = 0; i < g->B; i++) g->obs[t * g->B + i] = 1;
      g_assert_cmpint(policy_fixture_act(f, g, t, 0, g->B, false), ==, HN_OK);
    }
    for (int64_t i = 0; i < g->T * g->B; i++) {
      double a = f->spec.action_dim ? (double)g->action[i] : 0;
      g->reward[i] = (float)(f->spec.action_dim ? -(a - 0.5) * (a - 0.5) : g->action_index[i] == 2);
      g->true_reward[i] = g->reward[i], g->truncated[i] = 1;
    }
    memset(g->begin, HN_NEW_TASK, (size_t)((g->T + 1) * g->B));
    g->history.next_obs = g->obs;
    g_assert_cmpint(policy_fixture_learn(f, g, rng, (k + 1) * g->T * g->B, 0), ==, HN_OK);
  }
}

static PolicyFixture *bandit(const char *more, bool is_discrete) {
  char *all = g_strdup_printf("hidden 16 batch_size 200 gamma 0 learning_starts 40 lr 0.01 "
                              "critic_lr 0.01 buffer_size 500 %s",
                              more);
  PolicyFixture *f = open_sac(all, (HnPolicySpec){.obs_dim = 1,
                                                  .action_dim = is_discrete ? 0 : 1,
                                                  .action_count = is_discrete ? 4 : 0,
                                                  .horizon = 1,
                                                  .lifetime = 1,
                                                  .rows = 2,
                                                  .steps = 10});
  g_free(all);
  return f;
}

static void test_learns(gconstpointer data) {
  bool is_discrete = GPOINTER_TO_INT(data);
  PolicyFixture *f = bandit("target_entropy -3 target_entropy_discrete 0.1", is_discrete);
  Log *g = log_new(f, 10, 2, 0, 4);
  HnRng rng = hn_rng(6, 0);
  live(f, g, &rng, 2); /* uniform, nothing learnt */
  const Sac *m = f->self;
  g_assert_cmpint(*m->critic_store.clock, ==, 0);
  live(f, g, &rng, 30);
  g_assert_cmpint(*m->critic_store.clock, ==, 600); /* one update a step */
  g_assert_cmpint(policy_fixture_act(f, g, 0, 0, 2, true), ==, HN_OK);
  if (is_discrete)
    g_assert_cmpint(g->action_index[0], ==, 2);
  else
    near((double)g->action[0], 0.5, 0.15);
  log_free(g), policy_fixture_close(f);
}

/* Half an update a step; none before anything is finished. */
static void test_updates_per_step(void) {
  PolicyFixture *f = bandit("updates_per_step 0.35", false);
  Log *g = log_new(f, 10, 2, 0, 4);
  HnRng rng = hn_rng(6, 0);
  live(f, g, &rng, 5);
  const Sac *m = f->self;
  g_assert_cmpint(*m->critic_store.clock, ==, 21); /* floor(0.35 * 60) */
  log_free(g), policy_fixture_close(f);
}

/* Shards in another order, or on threads, leave the same bits. */
static void test_order(void) {
  float *first = NULL;
  for (int order = SHARDS_FORWARDS; order <= SHARDS_THREADS; order++) {
    PolicyFixture *f = bandit("", false);
    f->order = order;
    Log *g = log_new(f, 10, 2, 0, 4);
    HnRng rng = hn_rng(6, 0);
    live(f, g, &rng, 4);
    const FakeArray *w = policy_fixture_find(f, "actor.0.weight");
    if (first)
      g_assert_cmpmem(first, (gsize)w->count * 4, w->data, (gsize)w->count * 4);
    else
      first = g_memdup2(w->data, (gsize)w->count * 4);
    log_free(g), policy_fixture_close(f);
  }
  g_free(first);
}

/* Before learning_starts actions are uniform, the greedy one is the actor's. */
static void test_warm_up(void) {
  enum { ACTED = 4000 };
  PolicyFixture *f = bandit("", false);
  Log *g = log_new(f, 1, ACTED, 0, 4);
  double mean = 0, square = 0;
  g_assert_cmpint(policy_fixture_act(f, g, 0, 0, ACTED, false), ==, HN_OK);
  for (int i = 0; i < ACTED; i++) {
    double a = (double)g->action[i];
    g_assert_true(a >= -1 && a < 1);
    mean += a / ACTED, square += a * a / ACTED;
  }
  near(mean, 0, 5 / sqrt(3.0 * ACTED));
  near(square, 1 / 3.0, 5 * 0.3 / sqrt(ACTED));
  g_assert_cmpint(policy_fixture_act(f, g, 0, 0, 2, true), ==, HN_OK);
  g_assert_true(g->action[0] == g->action[1]);
  log_free(g), policy_fixture_close(f);
}

/* On three samples the greedy action is that of the mean before tanh; draws are each of one. */
static void test_samples(void) {
  enum { S = 3, DRAWS = 3000 };
  HnPolicySpec spec = golden_spec(false);
  spec.action_dim = 1, spec.samples = S;
  PolicyFixture *f = open_sac(UPDATE " log_std_low -9 log_std_high -9 learning_starts 0", spec);
  Sac *m = f->self;
  fill_tensors(&m->actor_store, 0, 6, 1);
  Log *g = log_new(f, 1, DRAWS, S, 4), *one = log_new(f, 1, S, 0, 4);
  double mean = 0, u[S];
  int drawn[S] = {0};
  for (int s = 0; s < S; s++)
    for (int k = 0; k < D; k++) {
      one->belief[s * D + k] = (float)(3 * s - k);
      for (int i = 0; i < DRAWS; i++) g->belief[(i * S + s) * D + k] = (float)(3 * s - k);
    }
  g_assert_cmpint(policy_fixture_act(f, one, 0, 0, S, true), ==, HN_OK);
  for (int s = 0; s < S; s++) u[s] = atanh((double)one->action[s]), mean += u[s] / S;
  for (int s = 1; s < S; s++) g_assert_cmpfloat(fabs(u[s] - u[s - 1]), >, 0.02);
  g_assert_cmpint(policy_fixture_act(f, g, 0, 0, DRAWS, true), ==, HN_OK);
  near((double)g->action[0], tanh(mean), 1e-5);
  g_assert_cmpint(policy_fixture_act(f, g, 0, 0, DRAWS, false), ==, HN_OK);
  for (int i = 0; i < DRAWS; i++)
    for (int s = 0; s < S; s++) drawn[s] += fabs(atanh((double)g->action[i]) - u[s]) < 0.01;
  for (int s = 0; s < S; s++) g_assert_cmpint(ABS(drawn[s] - DRAWS / S), <, 130);
  log_free(g), log_free(one), policy_fixture_close(f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/sac/updates/continuous", &continuous, test_updates);
  g_test_add_data_func("/sac/updates/discrete", &discrete, test_updates);
  g_test_add_func("/sac/updates/fixed_temperature", test_fixed_temperature);
  g_test_add_func("/sac/density", test_density);
  g_test_add_func("/sac/draws/stored", test_stored);
  g_test_add_func("/sac/draws/across_episodes", test_across_episodes);
  g_test_add_func("/sac/draws/prefix", test_prefix);
  g_test_add_func("/sac/draws/subset", test_subset);
  g_test_add_func("/sac/draws/subset_varies", test_subset_varies);
  g_test_add_func("/sac/draws/subset_of_episodes", test_subset_of_episodes);
  g_test_add_data_func("/sac/learns/continuous", GINT_TO_POINTER(0), test_learns);
  g_test_add_data_func("/sac/learns/discrete", GINT_TO_POINTER(1), test_learns);
  g_test_add_func("/sac/learns/updates_per_step", test_updates_per_step);
  g_test_add_func("/sac/learns/order", test_order);
  g_test_add_func("/sac/acts/warm_up", test_warm_up);
  g_test_add_func("/sac/acts/samples", test_samples);
  return g_test_run();
}

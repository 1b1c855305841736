/* gridworld_test.c - GridNavi against exact values (oracle, Bayes-optimal and uniform policies) and
 * its exact belief against enumeration. */
#include "env_fixture.h"
#include "numbers.h"
#include "window_law.h"
#include <hunch/inference.h>

extern const HnPlugin gridworld_LTX_hn_plugin, gridworld_belief_LTX_hn_plugin;

enum { SIZE = 5, CELLS = SIZE * SIZE, TASKS = 21, HORIZON = 15 };
enum { STAY = 0, UP = 1, RIGHT = 2, DOWN = 3, LEFT = 4 }; /* y+1, x+1, y-1, x-1 */

static int goal_of(const EnvFixture *f) {
  int goal = -1;
  for (int c = 0; c < CELLS; c++) {
    g_assert_true(f->b.task[c] == 0 || f->b.task[c] == 1);
    if (f->b.task[c] == 1) goal = goal < 0 ? c : CELLS;
  }
  g_assert_cmpint(goal, >=, 0);
  g_assert_cmpint(goal, <, CELLS);
  return goal;
}

static int place(const EnvFixture *f) {
  return SIZE * (int)f->b.obs[0] + (int)f->b.obs[1];
}

static double move(EnvFixture *f, int action) {
  f->action_index[0] = action;
  env_fixture_step(f);
  g_assert_cmpint(f->b.terminated[0], ==, 0);
  return (double)f->b.reward[0];
}

/* The action that leads from one cell to `to`, x first. */
static int towards(int from, int to) {
  int dx = to / SIZE - from / SIZE, dy = to % SIZE - from % SIZE;
  return dx > 0 ? RIGHT : dx < 0 ? LEFT : dy > 0 ? UP : dy < 0 ? DOWN : STAY;
}

static void test_spec(void) {
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, 1, NULL);
  g_assert_cmpint(f->spec.obs_dim, ==, 2);
  g_assert_cmpint(f->spec.action_count, ==, 5);
  g_assert_cmpint(f->spec.action_dim, ==, 0);
  g_assert_cmpint(f->spec.task_dim, ==, CELLS);
  g_assert_cmpint(f->spec.horizon, ==, HORIZON);
  g_assert_cmpint(f->env->task_count(f->self, 0), ==, TASKS);
  gboolean seen[CELLS] = {FALSE};
  for (int64_t k = 0; k < TASKS; k++) {
    env_fixture_reset(f, HN_NEW_TASK, k);
    int goal = goal_of(f);
    g_assert_false(seen[goal]);
    g_assert_false(goal / SIZE < 2 && goal % SIZE < 2);
    seen[goal] = TRUE;
    char *name = g_strdup_printf("goal-%d-%d", goal / SIZE, goal % SIZE);
    g_assert_cmpstr(f->env->task_name(f->self, 0, k), ==, name);
    g_free(name);
    g_assert_true(f->b.obs[0] == 0 && f->b.obs[1] == 0);
  }
  f->b.task_index[0] = TASKS;
  f->begin[0] = HN_NEW_TASK;
  g_assert_cmpint(f->env->reset(f->self, &f->b), ==, HN_E_PARAM);
  f->action_index[0] = 5;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_SHAPE);
  env_fixture_free(f);
}

/* Each action's effect in the middle, and walls on all four sides. */
static void test_moves(void) {
  static const int script[][3] = {
      {UP, 0, 1},   {RIGHT, 1, 1}, {STAY, 1, 1},  {DOWN, 1, 0},  {DOWN, 1, 0},  {LEFT, 0, 0},
      {LEFT, 0, 0}, {RIGHT, 1, 0}, {RIGHT, 2, 0}, {RIGHT, 3, 0}, {RIGHT, 4, 0}, {RIGHT, 4, 0},
      {UP, 4, 1},   {UP, 4, 2},    {UP, 4, 3},    {UP, 4, 4},    {UP, 4, 4}};
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, 1, NULL);
  env_fixture_reset(f, HN_NEW_TASK, 0);
  for (size_t t = 0; t < G_N_ELEMENTS(script); t++) {
    move(f, script[t][0]);
    g_assert_cmpint((int)f->b.obs[0], ==, script[t][1]);
    g_assert_cmpint((int)f->b.obs[1], ==, script[t][2]);
  }
  env_fixture_free(f);
}

/* Goals are drawn uniformly: chi-square with 20 degrees of freedom below its 1e-6 quantile. */
static void test_draws(void) {
  enum { ROWS = 21000 };
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, ROWS, NULL);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  int count[TASKS] = {0};
  for (int64_t i = 0; i < ROWS; i++) count[f->b.task_index[i]]++;
  double chi2 = 0;
  for (int k = 0; k < TASKS; k++) chi2 += pow(count[k] - ROWS / 21.0, 2) / (ROWS / 21.0);
  g_assert_cmpfloat(chi2, <, 66.6);
  env_fixture_free(f);
}

static void test_oracle(void) {
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, 1, NULL);
  double total = 0;
  for (int64_t k = 0; k < TASKS; k++) {
    env_fixture_reset(f, HN_NEW_TASK, k);
    int goal = goal_of(f), distance = goal / SIZE + goal % SIZE;
    double value = 0, success = 0;
    for (int t = 0; t < HORIZON; t++) {
      value += move(f, towards(place(f), goal));
      success += (double)env_fixture_info(f, 0, "success");
    }
    near(value, 16.1 - 1.1 * distance, 1e-5);
    near(success, HORIZON + 1 - distance, 0);
    total += value;
  }
  near(total / TASKS, 11.0714, 5e-5);
  near(4 * total / TASKS, 44.2857, 5e-5);
  env_fixture_free(f);
}

/* Searches 14 candidates at steps 2 to 15 of the first episode; the other 7 are a shortest path to
 * (4, 4), so later episodes find the goal as soon as an oracle would.  No policy does better: the
 * k-th candidate is met at step k + 1 at the earliest, and no episode beats the oracle's. */
static int bayes_optimal(int episode, int t, int here, int known_goal) {
  static const int search[HORIZON] = {5, 10, 15, 20, 21, 16, 11, 12,
                                      7, 8,  13, 18, 17, 22, 23}; /* cells 5x + y */
  static const int sweep[8] = {1, 2, 3, 4, 9, 14, 19, 24};
  if (known_goal >= 0) return towards(here, known_goal);
  if (episode == 0) return towards(here, search[t]);
  return t < 8 ? towards(here, sweep[t]) : STAY;
}

static void test_bayes_optimal(void) {
  enum { EPISODES = 4 };
  static const double expected[EPISODES] = {4.0000, 11.0714, 11.0714, 11.0714};
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, 1, NULL);
  double mean[EPISODES] = {0};
  for (int64_t k = 0; k < TASKS; k++) {
    int known_goal = -1;
    for (int episode = 0; episode < EPISODES; episode++) {
      env_fixture_reset(f, episode == 0 ? HN_NEW_TASK : HN_NEW_EPISODE, k);
      for (int t = 0; t < HORIZON; t++) {
        double r = move(f, bayes_optimal(episode, t, place(f), known_goal));
        if (r > 0) known_goal = place(f);
        mean[episode] += r / TASKS;
      }
    }
    g_assert_cmpint(known_goal, ==, goal_of(f));
  }
  for (int episode = 0; episode < EPISODES; episode++) near(mean[episode], expected[episode], 5e-5);
  near(mean[0] + mean[1] + mean[2] + mean[3], 781.5 / 21, 1e-4);
  env_fixture_free(f);
}

static void test_never_reaching(void) {
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, 1, NULL);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  double value = 0;
  for (int t = 0; t < HORIZON; t++) value += move(f, STAY);
  near(value, -1.5, 1e-6);
  env_fixture_free(f);
}

/* Return of the uniform policy by its Markov chain; *variance of one episode's return from the
 * second moment, by the chain over (cell, steps on goal) for each goal. */
static double uniform_policy(double *variance) {
  double mean = 0, square = 0;
  for (int goal = 0; goal < CELLS; goal++) {
    if (goal / SIZE < 2 && goal % SIZE < 2) continue;
    static double p[CELLS][HORIZON + 1], next[CELLS][HORIZON + 1];
    memset(p, 0, sizeof p);
    p[0][0] = 1;
    for (int t = 0; t < HORIZON; t++) {
      memset(next, 0, sizeof next);
      for (int c = 0; c < CELLS; c++)
        for (int hits = 0; hits <= t; hits++)
          for (int a = 0; a < 5; a++) {
            int x = c / SIZE + (a == RIGHT) - (a == LEFT), y = c % SIZE + (a == UP) - (a == DOWN);
            x = CLAMP(x, 0, SIZE - 1), y = CLAMP(y, 0, SIZE - 1);
            int to = SIZE * x + y;
            next[to][hits + (to == goal)] += p[c][hits] / 5;
          }
      memcpy(p, next, sizeof p);
    }
    for (int c = 0; c < CELLS; c++)
      for (int hits = 0; hits <= HORIZON; hits++) {
        double value = 1.1 * hits - 0.1 * HORIZON;
        mean += p[c][hits] * value / TASKS;
        square += p[c][hits] * value * value / TASKS;
      }
  }
  *variance = square - mean * mean;
  return mean;
}

static void test_uniform_policy(void) {
  enum { ROWS = 40000 };
  double variance, exact = uniform_policy(&variance), mean = 0;
  near(exact, -1.16547, 5e-6);
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, ROWS, NULL);
  HnRng rng = hn_rng(11, 0);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int t = 0; t < HORIZON; t++) {
    for (int64_t i = 0; i < ROWS; i++) env_fixture_random_action(f, i, &rng);
    env_fixture_step(f);
    for (int64_t i = 0; i < ROWS; i++) mean += (double)f->b.reward[i] / ROWS;
  }
  near(mean, exact, 4.5 * sqrt(variance / ROWS)); /* 4.5 standard errors: 7e-6 by chance */
  env_fixture_free(f);
}

static void test_parameters(void) {
  EnvFixture *f = env_fixture_new(
      &gridworld_LTX_hn_plugin, 1,
      SETTINGS({"size", 7}, {"horizon", 30}, {"goal_reward", 3}, {"step_reward", 0.5}));
  g_assert_cmpint(f->spec.task_dim, ==, 49);
  g_assert_cmpint(f->spec.horizon, ==, 30);
  g_assert_cmpint(f->env->task_count(f->self, 1), ==, 45);
  env_fixture_reset(f, HN_NEW_TASK, 44);
  g_assert_true(f->b.task[48] == 1);
  double value = 0;
  for (int t = 0; t < 13; t++) value += move(f, t < 6 ? RIGHT : UP);
  near(value, 11 * 0.5 + 2 * 3, 1e-6);
  env_fixture_free(f);
}

static void test_render(void) {
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, 1, NULL);
  uint8_t rgb[50 * 50 * 3];
  env_fixture_reset(f, HN_NEW_TASK, TASKS - 1);
  g_assert_cmpint(f->env->render(f->self, f->b.state, 50, 50, rgb), ==, HN_OK);
  const uint8_t *agent = rgb + 3 * (45 * 50 + 5),
                *goal = rgb + 3 * (5 * 50 + 45); /* (row, column) */
  g_assert_cmpint(agent[2], >, agent[1]);
  g_assert_cmpint(goal[1], >, goal[2]);
  g_assert_cmpint(rgb[3 * (25 * 50 + 25)], >, 240);
  env_fixture_free(f);
}

/* ---- the belief ---- */

typedef struct Believer {
  void *self, *row;
  const HnInference *m;
  HnBeliefSpec spec;
  float belief[CELLS], info[2];
  uint8_t begin;
  int64_t samples;
  HnRng rng;
} Believer;

static HnStatus believer_create(Believer *v, EnvFixture *f, const Setting *settings) {
  const HnPlugin *p = &gridworld_belief_LTX_hn_plugin;
  *v = (Believer){.m = p->methods, .rng = hn_rng(5, 0)};
  v->spec =
      (HnBeliefSpec){.struct_size = sizeof v->spec, .obs_dim = 2, .action_count = 5, .horizon = 15};
  v->self = env_fixture_alloc(f, 1, p->self_size);
  HnStatus s = v->m->create(v->self, &f->fake.host, env_fixture_params(f, p, settings), &v->spec);
  if (s) return s;
  g_assert_cmpint(v->spec.belief_dim, ==, CELLS);
  g_assert_cmpint(v->spec.latent_dim, ==, CELLS);
  g_assert_cmpint(v->spec.map_width, ==, SIZE);
  g_assert_cmpint(v->spec.map_height, ==, SIZE);
  v->row = env_fixture_alloc(f, 1, v->spec.row_size);
  return HN_OK;
}

/* Shows the percept after a reset (begin) or a step (HN_KEEP). */
static HnStatus believer_see(Believer *v, uint8_t begin, float reward, const float *next_obs) {
  HnHistory h = {.struct_size = sizeof h, .rows = 1, .stride = 1, .begin = &v->begin};
  float after[2] = {next_obs[0], next_obs[1]}, pad = NAN;
  v->begin = begin;
  /* elements at t - 1 = -1 of a window of no steps */
  h.reward = &reward + 1, h.next_obs = after + 2, h.obs = &pad;
  HnBeliefUpdate q = {.struct_size = sizeof q,
                      .history = &h,
                      .state = v->row,
                      .samples = v->samples,
                      .rng = &v->rng,
                      .belief = v->belief,
                      .info = v->info};
  return v->m->infer(v->self, &q);
}

/* The brute force: for every goal, replays the whole trajectory's rewards; equal weights to the
 * goals that explain them all.  Returns how many do. */
static int enumerate_goals(const int *cells, const float *rewards, int n, double *posterior) {
  int alive = 0;
  for (int goal = 0; goal < CELLS; goal++) {
    posterior[goal] = !(goal / SIZE < 2 && goal % SIZE < 2);
    for (int t = 0; t < n; t++)
      if (rewards[t] != (cells[t] == goal ? 1.0f : -0.1f)) posterior[goal] = 0;
    alive += posterior[goal] > 0;
  }
  for (int goal = 0; goal < CELLS; goal++) posterior[goal] /= alive;
  return alive;
}

static void test_belief_enumeration(void) {
  enum { LIVES = 60, EPISODES = 4, LIFE = EPISODES * HORIZON };
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, 1, NULL);
  Believer v;
  g_assert_cmpint(believer_create(&v, f, NULL), ==, HN_OK);
  HnRng rng = hn_rng(3, 0);
  int found = 0;
  for (int life = 0; life < LIVES; life++) {
    int cells[LIFE], n = 0, alive = TASKS;
    float rewards[LIFE];
    double posterior[CELLS];
    for (int episode = 0; episode < EPISODES; episode++)
      for (int t = 0; t <= HORIZON; t++) {
        uint8_t begin = t ? HN_KEEP : episode ? HN_NEW_EPISODE : HN_NEW_TASK;
        if (begin == HN_NEW_EPISODE) continue; /* seen with the step before it, below */
        if (begin == HN_NEW_TASK) {
          env_fixture_reset(f, HN_NEW_TASK, -1);
          g_assert_cmpint(believer_see(&v, begin, NAN, f->b.obs), ==, HN_OK);
          g_assert_true(isnan(v.info[0]));
        } else {
          env_fixture_random_action(f, 0, &rng);
          env_fixture_step(f);
          rewards[n] = f->b.reward[0], cells[n++] = place(f);
          float next_obs[2] = {f->b.obs[0], f->b.obs[1]};
          if (t == HORIZON) env_fixture_reset(f, HN_NEW_EPISODE, 0), begin = HN_NEW_EPISODE;
          g_assert_cmpint(believer_see(&v, begin, rewards[n - 1], next_obs), ==, HN_OK);
        }
        int before = alive;
        alive = enumerate_goals(cells, rewards, n, posterior);
        float map[CELLS];
        g_assert_cmpint(v.m->map(v.self, v.belief, map), ==, HN_OK);
        for (int c = 0; c < CELLS; c++) near((double)v.belief[c], posterior[c], 1e-7);
        for (int c = 0; c < CELLS; c++) near((double)map[c], posterior[c], 1e-7);
        near((double)v.info[1], log(alive), 1e-6);
        if (n > 0) near((double)v.info[0], log((double)alive / before), 1e-6);
      }
    found += alive == 1;
  }
  g_assert_cmpint(found, >, 5); /* both branches were seen */
  g_assert_cmpint(found, <, LIVES);
  env_fixture_free(f);
}

/* The window law on two rows of episodes, the second of which meets a new task on the way. */
static void test_belief_window(void) {
  enum { T = 40, B = 2 };
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, B, NULL);
  Believer v;
  g_assert_cmpint(believer_create(&v, f, NULL), ==, HN_OK);
  static uint8_t begin[T + 1][B];
  static float reward[T][B], next_obs[T][B][2];
  HnRng rng = hn_rng(3, 1);
  for (int t = 0; t <= T; t++) {
    for (int i = 0; i < B; i++) {
      begin[t][i] = t == 0 || (i == 1 && t == 17) ? HN_NEW_TASK : t % 15 ? HN_KEEP : HN_NEW_EPISODE;
      f->begin[i] = begin[t][i], f->b.task_index[i] = -1;
      if (begin[t][i] == HN_NEW_TASK) memset(env_fixture_row(f, i), 0, f->spec.row_size);
    }
    g_assert_cmpint(f->env->reset(f->self, &f->b), ==, HN_OK);
    if (t == T) break;
    for (int i = 0; i < B; i++) env_fixture_random_action(f, i, &rng);
    env_fixture_step(f);
    memcpy(reward[t], f->b.reward, sizeof reward[t]);
    memcpy(next_obs[t], f->b.obs, sizeof next_obs[t]);
  }
  for (int64_t samples = 0; samples <= 2; samples += 2)
    assert_window_law((HnWindowCheck){.methods = v.m,
                                      .self = v.self,
                                      .spec = &v.spec,
                                      .whole = {.struct_size = sizeof(HnHistory),
                                                .steps = T,
                                                .rows = B,
                                                .stride = B,
                                                .begin = &begin[0][0],
                                                .reward = &reward[0][0],
                                                .next_obs = &next_obs[0][0][0]},
                                      .samples = samples,
                                      .info_count = 2},
                      &f->fake);
  env_fixture_free(f);
}

/* Draws are one-hot, never a cell ruled out, each candidate as often as any other. */
static void test_belief_samples(void) {
  enum { DRAWS = 20000 };
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, 1, NULL);
  Believer v;
  g_assert_cmpint(believer_create(&v, f, NULL), ==, HN_OK);
  float next_obs[2] = {3, 2};
  v.samples = 1;
  g_assert_cmpint(believer_see(&v, HN_NEW_TASK, 0, next_obs), ==, HN_OK);
  g_assert_cmpint(believer_see(&v, HN_KEEP, -0.1f, next_obs), ==, HN_OK); /* 20 candidates left */
  int count[CELLS] = {0};
  for (int k = 0; k < DRAWS; k++) {
    float corner[2] = {0, 0};
    g_assert_cmpint(believer_see(&v, HN_KEEP, -0.1f, corner), ==, HN_OK);
    int ones = 0, at = 0;
    for (int c = 0; c < CELLS; c++)
      if (v.belief[c] == 1)
        ones++, at = c;
      else
        g_assert_true(v.belief[c] == 0);
    g_assert_cmpint(ones, ==, 1);
    count[at]++;
  }
  double chi2 = 0;
  for (int c = 0; c < CELLS; c++) {
    gboolean possible = !(c / SIZE < 2 && c % SIZE < 2) && c != 17;
    if (possible)
      chi2 += pow(count[c] - DRAWS / 20.0, 2) / (DRAWS / 20.0);
    else
      g_assert_cmpint(count[c], ==, 0);
  }
  g_assert_cmpfloat(chi2, <, 64.9); /* 19 degrees of freedom, 1e-6 */
  env_fixture_free(f);
}

static void test_belief_contradictions(void) {
  EnvFixture *f = env_fixture_new(&gridworld_LTX_hn_plugin, 1, NULL);
  Believer v;
  float a[2] = {3, 2}, b[2] = {2, 3}, outside[2] = {5, 0};
  g_assert_cmpint(believer_create(&v, f, SETTINGS({"goal_reward", -0.1})), ==, HN_E_PARAM);
  g_assert_cmpint(believer_create(&v, f, NULL), ==, HN_OK);
  believer_see(&v, HN_NEW_TASK, 0, a);
  g_assert_cmpint(believer_see(&v, HN_KEEP, 0.5f, a), ==, HN_E_PARAM);
  g_assert_nonnull(strstr(f->fake.error, "0.5"));
  g_assert_cmpint(believer_see(&v, HN_KEEP, -0.1f, outside), ==, HN_E_PARAM);
  g_assert_cmpint(believer_see(&v, HN_KEEP, 1, a), ==, HN_OK);
  g_assert_true(v.belief[17] == 1);
  g_assert_cmpint(believer_see(&v, HN_KEEP, 1, b), ==, HN_E_NUMERIC);     /* two goals */
  g_assert_cmpint(believer_see(&v, HN_KEEP, -0.1f, a), ==, HN_E_NUMERIC); /* a goal that left */
  env_fixture_free(f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/gridworld/spec", test_spec);
  g_test_add_func("/gridworld/moves", test_moves);
  g_test_add_func("/gridworld/draws", test_draws);
  g_test_add_func("/gridworld/oracle", test_oracle);
  g_test_add_func("/gridworld/bayes-optimal", test_bayes_optimal);
  g_test_add_func("/gridworld/never-reaching", test_never_reaching);
  g_test_add_func("/gridworld/uniform-policy", test_uniform_policy);
  g_test_add_func("/gridworld/parameters", test_parameters);
  g_test_add_func("/gridworld/render", test_render);
  g_test_add_func("/gridworld/belief/enumeration", test_belief_enumeration);
  g_test_add_func("/gridworld/belief/window", test_belief_window);
  g_test_add_func("/gridworld/belief/samples", test_belief_samples);
  g_test_add_func("/gridworld/belief/contradictions", test_belief_contradictions);
  return g_test_run();
}

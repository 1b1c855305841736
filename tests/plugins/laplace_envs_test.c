/* laplace_envs_test.c - regression, bandit and gridworld of the Laplace VRNN paper against closed
 * forms and values computed elsewhere. */
#include "env_fixture.h"
#include "numbers.h"

extern const HnPlugin bandit_LTX_hn_plugin, fourier_LTX_hn_plugin, gp_bandit_LTX_hn_plugin,
    gridworld_laplace_LTX_hn_plugin;
static const HnPlugin *const numbered[] = {&bandit_LTX_hn_plugin, &fourier_LTX_hn_plugin,
                                           &gp_bandit_LTX_hn_plugin};

/* ---- fourier ---- */

enum { TASK_DIM = 8 };

/* Row memory leads with the task, in doubles. */
static void ask(EnvFixture *f, const double task[TASK_DIM], double x, double y) {
  memcpy(env_fixture_row(f, 0), task, sizeof(double) * TASK_DIM);
  f->action[0] = (float)x;
  env_fixture_step(f);
  near((double)f->b.obs[0], y, 5e-7);
  float answer;
  g_assert_cmpint(f->env->query(f->self, env_fixture_row(f, 0), 1, f->action, &answer), ==, HN_OK);
  g_assert_true(answer == f->b.obs[0]);
  g_assert_true(f->b.reward[0] == 0 && f->b.terminated[0] == 0);
}

/* Values from an independent implementation. */
static void test_fourier_values(void) {
  const double task[] = {0.5 / 3, -0.2 * 2 / 3, 0.8, -0.6 * 4 / 3, 1, 0.4, 1.2, 2.5};
  EnvFixture *f = env_fixture_new(&fourier_LTX_hn_plugin, 1, NULL);
  g_assert_cmpint(f->spec.obs_dim, ==, 1);
  g_assert_cmpint(f->spec.action_dim, ==, 1);
  g_assert_cmpint(f->spec.task_dim, ==, TASK_DIM);
  g_assert_cmpint(f->spec.horizon, ==, 50);
  g_assert_cmpstr(f->spec.splits, ==, "train|test");
  env_fixture_reset(f, HN_NEW_TASK, -1);
  g_assert_true(f->b.obs[0] == 0);
  ask(f, task, 0.3, 0.401834);
  ask(f, task, -0.75, 0.065462);
  env_fixture_reset(f, HN_NEW_EPISODE, -1); /* goes on */
  near((double)f->b.obs[0], 0.065462, 5e-7);
  float edge = 0, beyond = 0;
  f->env->query(f->self, task, 1, (float[]){-1}, &edge);
  f->env->query(f->self, task, 1, (float[]){-7.3f}, &beyond);
  g_assert_true(edge == beyond);
  f->action[0] = NAN;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  env_fixture_free(f);
}

/* Var(y) = (1 + 2 (4 + 9 + 16)) / 108 = 0.5463 over tasks and x, since the mean of cos^2 is 1/2. */
static void test_fourier_distribution(void) {
  enum { ROWS = 20000, T = 5, N = ROWS * T };
  static const double low[TASK_DIM] = {-1. / 3, -2. / 3, -1, -4. / 3, 0, 0, 0, 0};
  static const double high[TASK_DIM] = {1. / 3, 2. / 3, 1, 4. / 3, G_PI, G_PI, G_PI, G_PI};
  static double column[ROWS];
  EnvFixture *f = env_fixture_new(&fourier_LTX_hn_plugin, ROWS, NULL);
  HnRng rng = hn_rng(21, 0);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int k = 0; k < TASK_DIM; k++) {
    for (int64_t i = 0; i < ROWS; i++) column[i] = (double)f->b.task[i * TASK_DIM + k];
    g_assert_cmpfloat(ks_uniform(column, ROWS, low[k], high[k]), <, KS_LIMIT(ROWS));
  }
  double mean = 0, square = 0;
  for (int t = 0; t < T; t++) {
    for (int64_t i = 0; i < ROWS; i++) f->action[i] = (float)hn_rng_uniform(&rng, -1, 1);
    env_fixture_step(f);
    for (int64_t i = 0; i < ROWS; i++) {
      double y = (double)f->b.obs[i];
      mean += y / N, square += y * y / N;
    }
  }
  near(mean, 0, 5 * sqrt(0.5463 / ROWS));
  near(square, 0.5463, 0.02); /* 5 standard errors of ROWS independent tasks */
  env_fixture_free(f);
}

static void test_fourier_noise(void) {
  enum { ROWS = 20000 };
  EnvFixture *f = env_fixture_new(&fourier_LTX_hn_plugin, ROWS, SETTINGS({"noise_stddev", 0.3}));
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) f->action[i] = 0.5f;
  env_fixture_step(f);
  double mean = 0, square = 0;
  for (int64_t i = 0; i < ROWS; i++) {
    float clean;
    f->env->query(f->self, env_fixture_row(f, i), 1, f->action, &clean);
    double z = ((double)f->b.obs[i] - (double)clean) / 0.3;
    mean += z / ROWS, square += z * z / ROWS;
  }
  near(mean, 0, 5 / sqrt(ROWS));
  near(square, 1, 5 * sqrt(2.0 / ROWS));
  env_fixture_free(f);
}

/* ---- bandit ---- */

static EnvFixture *new_bandit(int64_t rows, int64_t split) {
  EnvFixture *f = env_fixture_new(&bandit_LTX_hn_plugin, rows, SETTINGS({"test_tasks", 0}));
  f->b.split = split;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  return f;
}

/* The moments of p_k: A = 5 alpha, E p = 1/5, E p^2 = alpha (alpha + 1) / (A (A + 1)), and so on.
 */
static void check_dirichlet(int64_t split, double alpha) {
  enum { ROWS = 20000, ARMS = 5, N = ROWS * ARMS };
  EnvFixture *f = new_bandit(ROWS, split);
  double A = ARMS * alpha, m1 = 0.2, m2 = m1 * (alpha + 1) / (A + 1);
  double m3 = m2 * (alpha + 2) / (A + 2), sum[3] = {0};
  for (int64_t i = 0; i < ROWS; i++) {
    double total = 0;
    for (int k = 0; k < ARMS; k++) {
      double p = (double)f->b.task[i * ARMS + k];
      g_assert_true(p >= 0 && p <= 1);
      total += p, sum[0] += p / N, sum[1] += p * p / N, sum[2] += p * p * p / N;
    }
    near(total, 1, 1e-6);
  }
  near(sum[0], m1, 1e-6);
  near(sum[1], m2, 5 * 0.08 / sqrt(ROWS)); /* a row's mean square lies in [1/25, 1/5] */
  near(sum[2], m3, 5 * 0.1 / sqrt(ROWS));
  env_fixture_free(f);
}

static void test_bandit_tasks(void) {
  EnvFixture *f = env_fixture_new(&bandit_LTX_hn_plugin, 1, NULL);
  g_assert_cmpint(f->spec.obs_dim, ==, 1);
  g_assert_cmpint(f->spec.action_count, ==, 5);
  g_assert_cmpint(f->spec.task_dim, ==, 5);
  g_assert_cmpint(f->spec.horizon, ==, 50);
  env_fixture_free(f);
  check_dirichlet(0, 0.2);
  check_dirichlet(1, 0.3);

  /* alpha = 1: uniform on the simplex, P(p_k < x) = 1 - (1 - x)^4 */
  enum { ROWS = 20000 };
  static double below[ROWS];
  f = env_fixture_new(&bandit_LTX_hn_plugin, ROWS, SETTINGS({"alpha_train", 1}));
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int k = 0; k < 5; k++) {
    for (int64_t i = 0; i < ROWS; i++) below[i] = 1 - pow(1 - (double)f->b.task[5 * i + k], 4);
    g_assert_cmpfloat(ks_uniform(below, ROWS, 0, 1), <, KS_LIMIT(ROWS));
  }
  env_fixture_free(f);
  f = env_fixture_new(&bandit_LTX_hn_plugin, 1000, SETTINGS({"alpha_train", 0.001}));
  env_fixture_reset(f, HN_NEW_TASK, -1); /* shares too small for a double, yet numbers */
  for (int k = 0; k < 5000; k++) g_assert_true(f->b.task[k] >= 0 && f->b.task[k] <= 1);
  env_fixture_free(f);
}

/* Card 7 O: a uniform policy earns 1/5 a step, its expected regret is p_max - 1/5. */
static void test_bandit_uniform(void) {
  enum { ROWS = 2000, T = 50, N = ROWS * T };
  EnvFixture *f = new_bandit(ROWS, 1);
  HnRng rng = hn_rng(22, 0);
  double reward = 0, best = 0, regret = 0, scaled = 0;
  for (int t = 0; t < T; t++) {
    for (int64_t i = 0; i < ROWS; i++) env_fixture_random_action(f, i, &rng);
    env_fixture_step(f);
    for (int64_t i = 0; i < ROWS; i++) {
      const float *p = f->b.task + 5 * i;
      double top = 0, chance = (double)p[f->action_index[i]];
      for (int k = 0; k < 5; k++) top = MAX(top, (double)p[k]);
      near((double)env_fixture_info(f, i, "regret"), top - chance, 1e-6);
      near((double)env_fixture_info(f, i, "simple_regret"), top - chance, 1e-6);
      near((double)env_fixture_info(f, i, "regret_scaled"), (top - chance) / (0.8 * top), 1e-5);
      g_assert_true(f->b.obs[i] == f->b.reward[i] && f->b.terminated[i] == 0);
      g_assert_true(f->b.reward[i] == 0 || f->b.reward[i] == 1);
      reward += (double)f->b.reward[i] / N, best += top / N;
      regret += (double)env_fixture_info(f, i, "regret") / N;
      scaled += (double)env_fixture_info(f, i, "regret_scaled") / N;
    }
  }
  near(reward, 0.2, 5 * 0.4 / sqrt(N));
  near(regret, best - 0.2, 5 * 0.35 / sqrt(N));
  g_assert_cmpfloat(scaled, >, regret);
  env_fixture_reset(f, HN_NEW_EPISODE, -1); /* goes on: the last reward is still seen */
  for (int64_t i = 0; i < ROWS; i++) g_assert_true(f->b.obs[i] == f->b.reward[i]);
  f->action_index[0] = 5;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_SHAPE);
  env_fixture_free(f);
}

/* Each arm pays as often as it says. */
static void test_bandit_payment(void) {
  enum { ARMS = 5, T = 20000 };
  EnvFixture *f = new_bandit(ARMS, 0);
  double paid[ARMS] = {0};
  for (int64_t i = 1; i < ARMS; i++)
    memcpy(env_fixture_row(f, i), env_fixture_row(f, 0), f->spec.row_size);
  for (int t = 0; t < T; t++) {
    for (int32_t i = 0; i < ARMS; i++) f->action_index[i] = i;
    env_fixture_step(f);
    for (int i = 0; i < ARMS; i++) paid[i] += (double)f->b.reward[i] / T;
  }
  for (int i = 0; i < ARMS; i++) {
    double p = (double)f->b.task[i];
    near(paid[i], p, 5 * sqrt(p * (1 - p) / T) + 1e-9);
  }
  env_fixture_free(f);
}

/* ---- gridworld_laplace ---- */

enum { UP, DOWN, LEFT, RIGHT, SIZE = 5, CELLS = SIZE * SIZE }; /* UP: row - 1 */

static void begin_task(EnvFixture *f, int row, int column) {
  env_fixture_reset(f, HN_NEW_TASK, SIZE * row + column - 1);
  for (int c = 0; c < CELLS; c++) g_assert_true(f->b.task[c] == (c == SIZE * row + column));
}

static void at(const EnvFixture *f, int row, int column) {
  for (int k = 0; k < SIZE; k++) {
    g_assert_true(f->b.obs[k] == (k == row));
    g_assert_true(f->b.obs[SIZE + k] == (k == column));
  }
}

/* A step as the host makes it: what ends is begun again. */
static double go(EnvFixture *f, int action, int *age, double *regret) {
  f->action_index[0] = action;
  env_fixture_step(f);
  *regret += (double)env_fixture_info(f, 0, "regret");
  gboolean ends = ++*age == 15 || f->b.terminated[0];
  g_assert_true(env_fixture_info(f, 0, "teleport") == (float)ends);
  double reward = (double)f->b.reward[0];
  if (ends) env_fixture_reset(f, HN_NEW_EPISODE, -1), *age = 0;
  return reward;
}

/* Card 7 N: goal at distance 4, reward 1 every 4 steps and no regret. */
static void test_grid_straight(void) {
  static const int path[] = {DOWN, RIGHT, DOWN, RIGHT};
  EnvFixture *f = env_fixture_new(&gridworld_laplace_LTX_hn_plugin, 1, NULL);
  int age = 0;
  double regret = 0, reward = 0;
  begin_task(f, 2, 2);
  at(f, 0, 0);
  for (int t = 1; t <= 100; t++) {
    double paid = go(f, path[(t - 1) % 4], &age, &regret);
    near(paid, t % 4 == 0, 0);
    if (t % 4 == 0) at(f, 0, 0);
    reward += paid;
  }
  near(reward, 25, 0);
  near(regret, 0, 0);
  env_fixture_free(f);
}

/* Card 7 N: never reaching, 15 - d. */
static void test_grid_never(void) {
  static const struct {
    int row, column;
    double regret;
  } goal[] = {{0, 1, 14}, {2, 2, 11}, {4, 4, 7}};
  EnvFixture *f = env_fixture_new(&gridworld_laplace_LTX_hn_plugin, 1, NULL);
  for (size_t k = 0; k < G_N_ELEMENTS(goal); k++) {
    int age = 0;
    double regret = 0;
    begin_task(f, goal[k].row, goal[k].column);
    for (int t = 0; t < 15; t++) near(go(f, UP, &age, &regret), 0, 0);
    near(regret, goal[k].regret, 0);
    g_assert_cmpint(age, ==, 0);
    for (int t = 0; t < 15; t++) go(f, LEFT, &age, &regret); /* the count begins again */
    near(regret, 2 * goal[k].regret, 0);
  }
  env_fixture_free(f);
}

static void test_grid_moves(void) {
  EnvFixture *f = env_fixture_new(&gridworld_laplace_LTX_hn_plugin, 1, NULL);
  g_assert_cmpint(f->spec.obs_dim, ==, 10);
  g_assert_cmpint(f->spec.action_count, ==, 4);
  g_assert_cmpint(f->spec.horizon, ==, 15);
  int age = 0;
  double regret = 0;
  begin_task(f, 4, 4);
  go(f, DOWN, &age, &regret), at(f, 1, 0);
  go(f, RIGHT, &age, &regret), at(f, 1, 1);
  go(f, UP, &age, &regret), at(f, 0, 1);
  go(f, UP, &age, &regret), at(f, 0, 1);
  go(f, LEFT, &age, &regret), at(f, 0, 0);
  go(f, LEFT, &age, &regret), at(f, 0, 0);
  for (int t = 0; t < 6; t++) go(f, DOWN, &age, &regret);
  at(f, 4, 0);
  near(regret, 5, 0); /* steps 8 to 12, none of them the end */
  g_assert_cmpstr(f->env->task_name(f->self, 1, 23), ==, "goal-4-4");
  f->action_index[0] = 4;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_SHAPE);
  env_fixture_free(f);
}

static void test_grid_goals(void) {
  enum { ROWS = 24000 };
  EnvFixture *f = env_fixture_new(&gridworld_laplace_LTX_hn_plugin, ROWS, NULL);
  double count[CELLS] = {0}, chi2 = 0;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++)
    for (int c = 0; c < CELLS; c++) count[c] += (double)f->b.task[i * CELLS + c];
  g_assert_true(count[0] == 0);
  for (int c = 1; c < CELLS; c++) chi2 += pow(count[c] - 1000, 2) / 1000;
  g_assert_cmpfloat(chi2, <, 72.0); /* 23 degrees of freedom, 1e-6 */
  env_fixture_free(f);
}

/* ---- numbered tasks ---- */

/* Task k of the split test is the same from any stream and in any instance, tasks differ, training
 * draws, and a number beyond the last is refused. */
static void test_numbered(gconstpointer arg) {
  const HnPlugin *plugin = arg;
  EnvFixture *a = env_fixture_new(plugin, 1, NULL), *b = env_fixture_new(plugin, 1, NULL);
  size_t bytes = sizeof(float) * (size_t)a->spec.task_dim;
  g_assert_cmpint(a->env->task_count(a->self, 0), ==, 0);
  g_assert_cmpint(a->env->task_count(a->self, 1), ==, 128);
  b->b.rng[0] = hn_rng(99, 99), a->b.split = b->b.split = 1;
  for (int64_t k = 0; k < 128; k++) {
    env_fixture_reset(a, HN_NEW_TASK, k), env_fixture_reset(b, HN_NEW_TASK, k);
    g_assert_cmpmem(a->b.task, bytes, b->b.task, bytes);
    env_fixture_reset(b, HN_NEW_TASK, (k + 1) % 128);
    g_assert_cmpint(memcmp(a->b.task, b->b.task, bytes), !=, 0);
  }
  env_fixture_reset(a, HN_NEW_TASK, -1);
  g_assert_cmpint(a->b.task_index[0], >=, 0);
  a->begin[0] = HN_NEW_TASK, a->b.task_index[0] = 128;
  g_assert_cmpint(a->env->reset(a->self, &a->b), ==, HN_E_PARAM);
  g_assert_nonnull(strstr(a->fake.error, "no task 128"));
  b->b.split = 0;
  env_fixture_reset(b, HN_NEW_TASK, -1);
  g_assert_cmpint(b->b.task_index[0], ==, -1);
  env_fixture_free(a), env_fixture_free(b);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (size_t k = 0; k < G_N_ELEMENTS(numbered); k++)
    add_for(numbered[k], "numbered", test_numbered);
  g_test_add_func("/fourier/values", test_fourier_values);
  g_test_add_func("/fourier/distribution", test_fourier_distribution);
  g_test_add_func("/fourier/noise", test_fourier_noise);
  g_test_add_func("/bandit/arms", test_bandit_tasks);
  g_test_add_func("/bandit/uniform", test_bandit_uniform);
  g_test_add_func("/bandit/payment", test_bandit_payment);
  g_test_add_func("/gridworld_laplace/straight", test_grid_straight);
  g_test_add_func("/gridworld_laplace/never", test_grid_never);
  g_test_add_func("/gridworld_laplace/moves", test_grid_moves);
  g_test_add_func("/gridworld_laplace/goals", test_grid_goals);
  return g_test_run();
}

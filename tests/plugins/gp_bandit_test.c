/* gp_bandit_test.c - functions drawn from a Gaussian process: their covariance against the kernels'
 * closed forms, their maximum and mean against a finer search, and what a step pays. */
#include "env_fixture.h"
#include "numbers.h"

extern const HnPlugin gp_bandit_LTX_hn_plugin;
static const HnPlugin *const plugin = &gp_bandit_LTX_hn_plugin;

enum { RBF, MATERN12, MATERN32, MATERN52, KERNELS };

/* f at x [dims], by query. */
static double f_at(const EnvFixture *f, int64_t i, const float *x) {
  float y;
  g_assert_cmpint(f->env->query(f->self, env_fixture_row(f, i), 1, x, &y), ==, HN_OK);
  return (double)y;
}

/* ---- prior ---- */

/* At distances of one and two length scales: of the Matern kernels by the modified Bessel function,
 * Rasmussen & Williams 2006, (4.14), in mpmath with 40 digits. */
static const double at_one[KERNELS] = {0.6065306597126334, 0.3678794411714423, 0.4833577245965077,
                                       0.5239941088318203},
                    at_two[KERNELS] = {0.1353352832366127, 0.1353352832366127, 0.1397313501923147,
                                       0.1386602191385043};

/* The mean of products of n draws against their covariance c, within 5 standard errors: Var(f g) is
 * v^2 + c^2 for Gaussians of variance v. */
static void check_products(const double *a, const double *b, int n, double variance, double c) {
  double mean = 0;
  for (int k = 0; k < n; k++) mean += a[k] * b[k] / n;
  near(mean, c, 5 * sqrt((variance * variance + c * c) / n));
}

/* Nodes 0.25 apart, which is half of a length scale. */
static void test_covariance(gconstpointer which) {
  enum { ROWS = 20000, NODES = 9 };
  static double value[NODES][ROWS];
  const int kernel = GPOINTER_TO_INT(which);
  EnvFixture *f = env_fixture_new(
      plugin, ROWS,
      SETTINGS({"resolution", NODES}, {"length_scale", 0.5}, {"stddev", 3}, {"kernel", kernel}));
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++)
    for (int k = 0; k < NODES; k++) value[k][i] = (double)f->b.task[i * NODES + k];
  for (int k = 0; k < NODES; k++) {
    double mean = 0;
    for (int64_t i = 0; i < ROWS; i++) mean += value[k][i] / ROWS;
    near(mean, 0, 5 * 3 / sqrt(ROWS));
    check_products(value[k], value[k], ROWS, 9, 9);
    if (k + 2 < NODES) check_products(value[k], value[k + 2], ROWS, 9, 9 * at_one[kernel]);
    if (k + 4 < NODES) check_products(value[k], value[k + 4], ROWS, 9, 9 * at_two[kernel]);
  }
  env_fixture_free(f);
}

/* Each value is Gaussian, and so is a difference of two, of variance 2 (k(0) - k(r)). */
static void test_gaussian(void) {
  enum { ROWS = 20000 };
  static double single[ROWS], apart[ROWS];
  EnvFixture *f = env_fixture_new(plugin, ROWS, SETTINGS({"length_scale", 1}));
  const double spread = sqrt(2 * (1 - at_one[RBF]));
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    double a = f_at(f, i, (float[]){-0.5f}), b = f_at(f, i, (float[]){0.5f});
    single[i] = erfc(-a / sqrt(2)) / 2, apart[i] = erfc(-(a - b) / spread / sqrt(2)) / 2;
  }
  g_assert_cmpfloat(ks_uniform(single, ROWS, 0, 1), <, KS_LIMIT(ROWS));
  g_assert_cmpfloat(ks_uniform(apart, ROWS, 0, 1), <, KS_LIMIT(ROWS));
  env_fixture_free(f);
}

/* Distances are Euclidean: steps of (3, 4) / 10 and of 0.5 along an axis have the covariance of one
 * length scale, for a kernel that is no product over axes. */
static void test_dims(gconstpointer which) {
  enum { ROWS = 10000 };
  static double value[4][ROWS];
  const int dims = GPOINTER_TO_INT(which);
  EnvFixture *f =
      env_fixture_new(plugin, ROWS,
                      SETTINGS({"dims", dims}, {"resolution", dims == 2 ? 21 : 6},
                               {"length_scale", dims == 2 ? 0.5 : 1.2}, {"kernel", MATERN52}));
  static const float at[2][4][3] = {
      {{0}, {0.3f, 0.4f}, {0, -0.5f}, {0.5f, 0}},
      {{-1, -1, -1}, {-0.2f, -0.2f, -0.6f}, {0.2f, -1, -1}, {-1, -1, 0.2f}}};
  g_assert_cmpint(f->spec.action_dim, ==, dims);
  g_assert_cmpint(f->spec.task_dim, ==, dims == 2 ? 441 : 216);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++)
    for (int k = 0; k < 4; k++) value[k][i] = f_at(f, i, at[dims - 2][k]);
  for (int k = 1; k < 4; k++) check_products(value[0], value[k], ROWS, 1, at_one[MATERN52]);
  env_fixture_free(f);
}

/* ---- values between nodes, maximum and mean ---- */

/* In two dimensions: at nodes what the task says, along an edge halfway between, in the middle of a
 * cell the mean of four; beyond the domain its edge. */
static void test_interpolation(void) {
  enum { N = 5 };
  EnvFixture *f = env_fixture_new(plugin, 1, SETTINGS({"dims", 2}, {"resolution", N}));
  env_fixture_reset(f, HN_NEW_TASK, -1);
  const float *task = f->b.task;
  for (int j = 0; j < N; j++)
    for (int i = 0; i < N; i++)
      near(f_at(f, 0, (float[]){(float)i / 2 - 1, (float)j / 2 - 1}), (double)task[j * N + i],
           1e-6);
  near(f_at(f, 0, (float[]){-0.75f, 0.5f}), ((double)task[15] + (double)task[16]) / 2, 1e-6);
  near(f_at(f, 0, (float[]){0, 0.125f}), 0.75 * (double)task[12] + 0.25 * (double)task[17], 1e-6);
  near(f_at(f, 0, (float[]){0.75f, -0.75f}),
       ((double)task[3] + (double)task[4] + (double)task[8] + (double)task[9]) / 4, 1e-6);
  near(f_at(f, 0, (float[]){1.7f, -9}), (double)task[4], 1e-6);
  env_fixture_free(f);
}

/* Regret against the largest of a fine search, and its scale against the mean of that search: for
 * points in turn, one step each. */
static void test_regret(gconstpointer which) {
  const int dims = GPOINTER_TO_INT(which), n = dims == 1 ? 17 : 9, fine = 16 * (n - 1);
  EnvFixture *f =
      env_fixture_new(plugin, 1, SETTINGS({"dims", dims}, {"resolution", n}, {"stddev", 2}));
  HnRng rng = hn_rng(31, 0);
  for (int task = 0; task < 20; task++) {
    env_fixture_reset(f, HN_NEW_TASK, -1);
    double best = -INFINITY, mean = 0, least = INFINITY, points = pow(fine, dims);
    for (int j = 0; j < (dims == 1 ? 1 : fine + 1); j++)
      for (int i = 0; i <= fine; i++)
        best = MAX(best, f_at(f, 0, (float[]){2.f * i / fine - 1, 2.f * j / fine - 1}));
    for (int j = 0; j < (dims == 1 ? 1 : fine); j++) /* midpoints: exact where f is linear */
      for (int i = 0; i < fine; i++)
        mean += f_at(f, 0, (float[]){(2 * i + 1.f) / fine - 1, (2 * j + 1.f) / fine - 1}) / points;
    for (int t = 0; t < 10; t++) {
      env_fixture_random_action(f, 0, &rng);
      env_fixture_step(f);
      double y = f_at(f, 0, f->action);
      least = MIN(least, best - y);
      near((double)f->b.reward[0], y, 0);
      near((double)f->b.obs[0], y, 0);
      g_assert_cmpint(f->b.terminated[0], ==, 0);
      near((double)env_fixture_info(f, 0, "regret"), best - y, 3e-6);
      near((double)env_fixture_info(f, 0, "simple_regret"), least, 3e-6);
      near((double)env_fixture_info(f, 0, "regret_scaled"), (best - y) / (best - mean), 1e-5);
      if (t == 5) env_fixture_reset(f, HN_NEW_EPISODE, -1); /* goes on, and so does the least */
    }
    near((double)f->b.obs[0], (double)f->b.reward[0], 0);
  }
  env_fixture_free(f);
}

/* Uniform questions have a scaled regret of 1 in the mean; the best node has none. */
static void test_uniform(void) {
  enum { ROWS = 2000, T = 20, N = ROWS * T, NODES = 101 };
  EnvFixture *f = env_fixture_new(plugin, ROWS, NULL);
  HnRng rng = hn_rng(32, 0);
  double mean = 0, square = 0;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) g_assert_true(f->b.obs[i] == 0);
  for (int t = 0; t < T; t++) {
    for (int64_t i = 0; i < ROWS; i++) env_fixture_random_action(f, i, &rng);
    env_fixture_step(f);
    for (int64_t i = 0; i < ROWS; i++) {
      double scaled = (double)env_fixture_info(f, i, "regret_scaled");
      g_assert_cmpfloat(scaled, >=, 0);
      mean += scaled / N, square += scaled * scaled / N;
    }
  }
  near(mean, 1, 5 * sqrt((square - mean * mean) / N));
  for (int64_t i = 0; i < ROWS; i++) {
    const float *task = f->b.task + i * NODES;
    int top = 0;
    for (int k = 0; k < NODES; k++) top = task[k] > task[top] ? k : top;
    f->action[i] = (float)(2.0 * top / (NODES - 1) - 1);
  }
  env_fixture_step(f);
  for (int64_t i = 0; i < ROWS; i++) {
    near((double)env_fixture_info(f, i, "regret"), 0, 1e-5);
    near((double)env_fixture_info(f, i, "simple_regret"), 0, 1e-5);
  }
  env_fixture_free(f);
}

/* Noise is in reward and observation alike, and not in regret. */
static void test_noise(void) {
  enum { ROWS = 20000 };
  EnvFixture *f =
      env_fixture_new(plugin, ROWS, SETTINGS({"noise_stddev", 0.3}, {"resolution", 11}));
  double mean = 0, square = 0;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) f->action[i] = 0.31f;
  env_fixture_step(f);
  for (int64_t i = 0; i < ROWS; i++) {
    double clean = f_at(f, i, f->action), best = -INFINITY;
    for (int k = 0; k < 11; k++) best = MAX(best, (double)f->b.task[11 * i + k]);
    double z = ((double)f->b.reward[i] - clean) / 0.3;
    g_assert_true(f->b.obs[i] == f->b.reward[i]);
    near((double)env_fixture_info(f, i, "regret"), best - clean, 2e-6);
    mean += z / ROWS, square += z * z / ROWS;
  }
  near(mean, 0, 5 / sqrt(ROWS));
  near(square, 1, 5 * sqrt(2.0 / ROWS));
  env_fixture_free(f);
}

/* ---- what is refused, and what is not ---- */

static void test_parameters(void) {
  HnStatus status;
  EnvFixture *f = env_fixture_try(plugin, 1, SETTINGS({"dims", 3}, {"resolution", 11}), &status);
  g_assert_cmpint(status, ==, HN_E_PARAM);
  g_assert_nonnull(strstr(f->fake.error, "1331 nodes"));
  env_fixture_free(f);
  f = env_fixture_new(plugin, 1, SETTINGS({"length_scale", 1000}, {"kernel", RBF}));
  env_fixture_reset(f, HN_NEW_TASK, -1); /* nearly constant: a slope of 0.001 stddev */
  env_fixture_step(f);
  for (int k = 0; k < 101; k++) near((double)f->b.task[k], (double)f->b.task[0], 0.012);
  g_assert_true(isfinite(env_fixture_info(f, 0, "regret_scaled")));
  f->action[0] = NAN;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  env_fixture_free(f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/gp_bandit/covariance/rbf", GINT_TO_POINTER(RBF), test_covariance);
  g_test_add_data_func("/gp_bandit/covariance/matern12", GINT_TO_POINTER(MATERN12),
                       test_covariance);
  g_test_add_data_func("/gp_bandit/covariance/matern32", GINT_TO_POINTER(MATERN32),
                       test_covariance);
  g_test_add_data_func("/gp_bandit/covariance/matern52", GINT_TO_POINTER(MATERN52),
                       test_covariance);
  g_test_add_func("/gp_bandit/gaussian", test_gaussian);
  g_test_add_data_func("/gp_bandit/plane", GINT_TO_POINTER(2), test_dims);
  g_test_add_data_func("/gp_bandit/space", GINT_TO_POINTER(3), test_dims);
  g_test_add_func("/gp_bandit/interpolation", test_interpolation);
  g_test_add_data_func("/gp_bandit/regret/line", GINT_TO_POINTER(1), test_regret);
  g_test_add_data_func("/gp_bandit/regret/plane", GINT_TO_POINTER(2), test_regret);
  g_test_add_func("/gp_bandit/uniform", test_uniform);
  g_test_add_func("/gp_bandit/noise", test_noise);
  g_test_add_func("/gp_bandit/parameters", test_parameters);
  return g_test_run();
}

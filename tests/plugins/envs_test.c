/* envs_test.c - tasks and rewards of point_robot and the cheetahs, and the cheetah's dynamics
 * against recordings of Gymnasium's model. */
#include "../../plugins/envs/mujoco/half_cheetah.h"
#include "env_fixture.h"
#include "golden_body.h"
#include "numbers.h"

extern const HnPlugin gridworld_LTX_hn_plugin, point_robot_LTX_hn_plugin, cheetah_dir_LTX_hn_plugin,
    cheetah_sparse_LTX_hn_plugin, cheetah_vel_LTX_hn_plugin, half_cheetah_LTX_hn_plugin;
static const HnPlugin *const cheetahs[] = {
    &cheetah_dir_LTX_hn_plugin, &cheetah_sparse_LTX_hn_plugin, &cheetah_vel_LTX_hn_plugin};

/* ---- point_robot ---- */

static void test_point_tasks(void) {
  enum { ROWS = 4000 };
  EnvFixture *f = env_fixture_new(&point_robot_LTX_hn_plugin, ROWS, SETTINGS({"goal_distance", 2}));
  g_assert_cmpint(f->spec.obs_dim, ==, 2);
  g_assert_cmpint(f->spec.action_dim, ==, 2);
  g_assert_cmpint(f->spec.horizon, ==, 100);
  static double angle[ROWS];
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    double x = (double)f->b.task[2 * i], y = (double)f->b.task[2 * i + 1];
    near(hypot(x, y), 2, 1e-6);
    angle[i] = atan2(y, x);
    g_assert_true(f->b.obs[2 * i] == 0 && f->b.obs[2 * i + 1] == 0);
  }
  g_assert_cmpfloat(ks_uniform(angle, ROWS, 0, G_PI), <, KS_LIMIT(ROWS));
  env_fixture_free(f);
}

/* Straight to the goal: every position, distance and reward in closed form. */
static void test_point_reward(void) {
  EnvFixture *f = env_fixture_new(&point_robot_LTX_hn_plugin, 1, NULL);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  double gx = (double)f->b.task[0], gy = (double)f->b.task[1];
  int paid = 0;
  for (int t = 1; t <= 13; t++) { /* 0.1 a step along the goal's direction, overshooting it */
    f->action[0] = (float)gx, f->action[1] = (float)gy;
    env_fixture_step(f);
    double d = fabs(1 - 0.1 * t);
    near((double)f->b.obs[0], 0.1 * t * gx, 1e-6);
    near((double)f->b.obs[1], 0.1 * t * gy, 1e-6);
    near((double)env_fixture_info(f, 0, "distance"), d, 1e-6);
    if (fabs(d - 0.2) < 1e-3) continue; /* on the rim: either */
    near((double)f->b.reward[0], d < 0.2 ? 1 - d : 0, 1e-6);
    near((double)env_fixture_info(f, 0, "success"), d < 0.2, 0);
    g_assert_cmpint(f->b.terminated[0], ==, 0);
    paid += d < 0.2;
  }
  g_assert_cmpint(paid, ==, 3);
  env_fixture_reset(f, HN_NEW_EPISODE, -1);
  f->action[0] = 5, f->action[1] = -1.5f; /* clipped */
  env_fixture_step(f);
  near((double)f->b.obs[0], 0.1, 1e-8);
  near((double)f->b.obs[1], -0.1, 1e-8);
  f->action[0] = NAN;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  env_fixture_free(f);
}

/* Dense, a step costs its distance from the goal, near or far. */
static void test_point_dense(void) {
  EnvFixture *f = env_fixture_new(&point_robot_LTX_hn_plugin, 1, SETTINGS({"reward", 1}));
  env_fixture_reset(f, HN_NEW_TASK, -1);
  f->action[0] = f->b.task[0], f->action[1] = f->b.task[1];
  for (int t = 1; t <= 13; t++) {
    env_fixture_step(f);
    near((double)f->b.reward[0], -fabs(1 - 0.1 * t), 1e-6);
  }
  env_fixture_free(f);
}

/* ---- the cheetah's dynamics ---- */

/* A simulator of the test's own that is never pushed to nor pulled from: a row, however often it
 * was copied out and in, has its bits.  Also the observation, from MuJoCo's kinematics. */
static void test_uninterrupted(gconstpointer plugin) {
  mjModel *m = compile_body(hn_cheetah.mjcf);
  mjData *d = mj_makeData(m), *look = mj_makeData(m);
  EnvFixture *f = env_fixture_noisy(plugin, 2);
  HnRng rng = hn_rng(12, 0);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  const double *state = env_fixture_row(f, 1);
  memcpy(d->qpos, state, sizeof(double) * 9);
  memcpy(d->qvel, state + 9, sizeof(double) * 9);
  mj_forward(m, d);
  g_assert_cmpmem(state + 18, sizeof(double) * 9, d->qacc_warmstart, sizeof(double) * 9);
  for (int t = 0; t < 200; t++) {
    for (int64_t i = 0; i < 2; i++) env_fixture_random_action(f, i, &rng);
    for (int k = 0; k < 6; k++) d->ctrl[k] = CLAMP((double)f->action[6 + k], -1, 1);
    for (int k = 0; k < 5; k++) mj_step(m, d);
    env_fixture_step(f);
    g_assert_cmpmem(state, sizeof(double) * 9, d->qpos, sizeof(double) * 9);
    g_assert_cmpmem(state + 9, sizeof(double) * 9, d->qvel, sizeof(double) * 9);
    near(state[27], d->time, 0);
    memcpy(look->qpos, d->qpos, sizeof(double) * 9);
    mj_kinematics(m, look);
    const float *obs = f->b.obs + 20;
    int trunk = mj_name2id(m, mjOBJ_BODY, "trunk");
    for (int k = 0; k < 8; k++) g_assert_true(obs[k] == (float)d->qpos[k + 1]);
    for (int k = 0; k < 9; k++) g_assert_true(obs[8 + k] == (float)d->qvel[k]);
    for (int k = 0; k < 3; k++) near((double)obs[17 + k], look->xpos[3 * trunk + k], 1e-6);
  }
  near(d->time, 10, 1e-9);
  mj_deleteData(d), mj_deleteData(look);
  mj_deleteModel(m);
  env_fixture_free(f);
}

/* ---- the cheetahs' starts, rewards, noise and failures ---- */

static void test_golden_stretches(gconstpointer plugin) {
  golden_stretches(plugin, "half_cheetah", NULL, NULL);
}

static void test_golden_free_run(gconstpointer plugin) {
  golden_free_run(plugin, "half_cheetah", NULL);
}

static void test_cheetah_spec(gconstpointer plugin) {
  EnvFixture *f = env_fixture_noisy(plugin, 1);
  g_assert_cmpint(f->spec.obs_dim, ==, 20);
  g_assert_cmpint(f->spec.action_dim, ==, 6);
  g_assert_cmpint(f->spec.action_count, ==, 0);
  g_assert_cmpint(f->spec.horizon, ==, 200);
  g_assert_cmpstr(f->spec.splits, ==, "train|test");
  env_fixture_free(f);
}

/* qpos uniform in +-0.1, qvel normal of standard deviation 0.1. */
static void test_cheetah_start(gconstpointer plugin) {
  enum { ROWS = 1000 };
  EnvFixture *f = env_fixture_noisy(plugin, ROWS);
  static double angle[9 * ROWS];
  double mean = 0, square = 0, n = 9 * ROWS;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    const double *state = env_fixture_row(f, i);
    memcpy(angle + 9 * i, state, sizeof(double) * 9);
    for (int k = 0; k < 9; k++) {
      mean += state[9 + k] / n;
      square += state[9 + k] * state[9 + k] / n;
    }
  }
  g_assert_cmpfloat(ks_uniform(angle, 9 * ROWS, -0.1, 0.1), <, KS_LIMIT(n));
  near(mean, 0, 5 * 0.1 / sqrt(n));
  near(square, 0.01, 5 * 0.01 * sqrt(2 / n));
  env_fixture_free(f);
}

/* Steps every row under random actions and returns each clean reward, from qpos and the formula. */
static void formula_step(EnvFixture *f, HnRng *rng, double *clean) {
  gboolean dir = f->plugin == &cheetah_dir_LTX_hn_plugin;
  gboolean sparse = f->plugin == &cheetah_sparse_LTX_hn_plugin;
  for (int64_t i = 0; i < f->b.rows; i++) {
    env_fixture_random_action(f, i, rng);
    clean[i] = *(const double *)env_fixture_row(f, i);
  }
  env_fixture_step(f);
  for (int64_t i = 0; i < f->b.rows; i++) {
    double v = (*(const double *)env_fixture_row(f, i) - clean[i]) / 0.05, effort = 0;
    double g = (double)f->b.task[i * f->spec.task_dim];
    for (int k = 0; k < 6; k++) effort += pow((double)f->action[6 * i + k], 2);
    double task = dir ? g * v : !sparse ? -fabs(v - g) : fabs(v - g) <= 0.5 ? 1 - fabs(v - g) : 0;
    clean[i] = task - 0.05 * effort;
    if (sparse) near((double)env_fixture_info(f, i, "success"), fabs(v - g) <= 0.5, 0);
    if (sparse) near((double)env_fixture_info(f, i, "inside"), fabs(v - g) <= 0.5, 0);
    near((double)env_fixture_info(f, i, "velocity"), v, 1e-5);
    g_assert_cmpint(f->b.terminated[i], ==, 0);
  }
}

static void test_cheetah_reward(gconstpointer plugin) {
  enum { ROWS = 6 };
  EnvFixture *f = env_fixture_new(plugin, ROWS, NULL);
  HnRng rng = hn_rng(13, 0);
  double clean[ROWS];
  env_fixture_reset(f, HN_NEW_TASK, -1);
  int paid = 0;
  for (int t = 0; t < 100; t++) {
    formula_step(f, &rng, clean);
    for (int64_t i = 0; i < ROWS; i++) near((double)f->b.reward[i], clean[i], 2e-6);
    for (int64_t i = 0; i < ROWS; i++) paid += f->b.reward[i] > 0;
  }
  g_assert_cmpint(paid, <, 100 * ROWS); /* and in cheetah_sparse: */
  if (plugin == &cheetah_sparse_LTX_hn_plugin) g_assert_cmpint(paid, >, 10);
  env_fixture_free(f);
}

/* Without OpenGL, in the pose of all zeros the trunk is level in the middle of the picture, 1 m
 * long, and the lowest 0.3 m of the picture are ground.  The camera moves along, the posts do not.
 */
static void test_cheetah_render(gconstpointer plugin) {
  enum { W = 400, H = 200 }; /* 1 cm a pixel; heights from 1.7 m down to -0.3 m */
  static uint8_t rgb[H][W][3], later[H][W][3];
  EnvFixture *f = env_fixture_noisy(plugin, 1);
  g_setenv("HUNCH_GL", "none", TRUE);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  double *state = env_fixture_row(f, 0);
  memset(state, 0, sizeof(double) * 28);
  g_assert_cmpint(f->env->render(f->self, env_fixture_row(f, 0), W, H, &rgb[0][0][0]), ==, HN_OK);
  const uint8_t *sky = rgb[2][2], *earth = rgb[H - 2][2], *trunk = rgb[H / 2][W / 2];
  g_assert_cmpint(memcmp(sky, earth, 3), !=, 0);
  g_assert_cmpint(memcmp(sky, trunk, 3), !=, 0);
  for (int u = W / 2 - 35; u < W / 2 + 35; u++) g_assert_cmpmem(rgb[H / 2 + 3][u], 3, trunk, 3);
  g_assert_cmpmem(rgb[H / 2 + 6][W / 2], 3, sky, 3); /* 0.046 m is the radius */
  g_assert_cmpmem(rgb[H / 2][W / 2 - 56], 3, sky, 3);
  g_assert_cmpmem(rgb[169][2], 3, sky, 3);
  g_assert_cmpmem(rgb[170][2], 3, earth, 3);
  g_assert_cmpint(memcmp(rgb[165][W / 2 + 100], sky, 3), !=, 0); /* the post at 1 m */
  state[0] = 0.5;
  g_assert_cmpint(f->env->render(f->self, env_fixture_row(f, 0), W, H, &later[0][0][0]), ==, HN_OK);
  g_assert_cmpmem(later[H / 2], sizeof later[H / 2], rgb[H / 2], sizeof rgb[H / 2]);
  g_assert_cmpmem(later[165][W / 2 + 100], 3, sky, 3);
  g_assert_cmpmem(later[165][W / 2 + 50], 3, rgb[165][W / 2 + 100], 3);
  g_unsetenv("HUNCH_GL");
  env_fixture_free(f);
}

/* Gymnasium's HalfCheetah-v4: 17 observations, 1000 steps that never terminate, and the reward
 * forward speed - 0.1 * squared actions, times the weights; the motion is cheetah_dir's. */
static void test_half_cheetah(void) {
  enum { ROWS = 3 };
  EnvFixture *f = env_fixture_new(&half_cheetah_LTX_hn_plugin, ROWS, NULL);
  EnvFixture *other = env_fixture_new(&cheetah_dir_LTX_hn_plugin, ROWS, NULL);
  EnvFixture *paid = env_fixture_new(
      &half_cheetah_LTX_hn_plugin, ROWS,
      SETTINGS({"forward_reward_weight", 2}, {"ctrl_cost_weight", 0.5}, {"reset_noise_scale", 0}));
  g_assert_cmpint(f->spec.obs_dim, ==, 17);
  g_assert_cmpint(f->spec.action_dim, ==, 6);
  g_assert_cmpint(f->spec.task_dim, ==, 0);
  g_assert_cmpint(f->spec.horizon, ==, 1000);
  HnRng rng = hn_rng(13, 0);
  env_fixture_reset(f, HN_NEW_TASK, -1), env_fixture_reset(other, HN_NEW_TASK, -1);
  env_fixture_reset(paid, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    memcpy(env_fixture_row(other, i), env_fixture_row(f, i), sizeof(double) * 28);
    for (int k = 0; k < 17; k++) g_assert_true(paid->b.obs[17 * i + k] == 0);
  }
  for (int t = 0; t < 50; t++) {
    double x[2][ROWS];
    for (int64_t i = 0; i < ROWS; i++) {
      env_fixture_random_action(f, i, &rng);
      x[0][i] = *(const double *)env_fixture_row(f, i);
      x[1][i] = *(const double *)env_fixture_row(paid, i);
    }
    memcpy(other->action, f->action, sizeof(float) * 6 * ROWS);
    memcpy(paid->action, f->action, sizeof(float) * 6 * ROWS);
    env_fixture_step(f), env_fixture_step(other), env_fixture_step(paid);
    for (int64_t i = 0; i < ROWS; i++) {
      double effort = 0;
      for (int k = 0; k < 6; k++) effort += pow((double)f->action[6 * i + k], 2);
      double v[2] = {(*(const double *)env_fixture_row(f, i) - x[0][i]) / 0.05,
                     (*(const double *)env_fixture_row(paid, i) - x[1][i]) / 0.05};
      near((double)f->b.reward[i], v[0] - 0.1 * effort, 2e-6);
      near((double)env_fixture_info(f, i, "velocity"), v[0], 1e-5);
      near((double)paid->b.reward[i], 2 * v[1] - 0.5 * effort, 4e-6);
      g_assert_cmpmem(f->b.obs + 17 * i, 4 * 17, other->b.obs + 20 * i, 4 * 17);
      g_assert_cmpint(f->b.terminated[i], ==, 0);
    }
  }
  env_fixture_free(f), env_fixture_free(other), env_fixture_free(paid);
}

static void test_dir_tasks(void) {
  enum { ROWS = 2000 };
  EnvFixture *f = env_fixture_new(&cheetah_dir_LTX_hn_plugin, ROWS, NULL);
  int forward = 0;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    g_assert_true(f->b.task[i] == (f->b.task_index[i] == 1 ? 1 : -1));
    forward += f->b.task[i] == 1;
  }
  near(forward, ROWS / 2.0, 5 * sqrt(ROWS / 4.0));
  g_assert_cmpstr(f->env->task_name(f->self, 0, 0), ==, "backward");
  g_assert_cmpstr(f->env->task_name(f->self, 1, 1), ==, "forward");
  f->begin[0] = HN_NEW_TASK, f->b.task_index[0] = 2;
  g_assert_cmpint(f->env->reset(f->self, &f->b), ==, HN_E_PARAM);
  env_fixture_free(f);
}

/* Velocity is paid from the distance on, to either side, and effort everywhere. */
static void test_dir_sparse(void) {
  enum { ROWS = 8 };
  EnvFixture *f =
      env_fixture_new(&cheetah_dir_LTX_hn_plugin, ROWS, SETTINGS({"sparse_distance", 5}));
  HnRng rng = hn_rng(18, 0);
  int told = 0, silent = 0;
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int t = 0; t < 40; t++) {
    double before[ROWS];
    for (int64_t i = 0; i < ROWS; i++) {
      double *x = env_fixture_row(f, i);
      if (t == 0) *x = (i % 2 ? 5 : -5) * (i < ROWS / 2 ? 0.98 : 1.02);
      before[i] = *x;
      env_fixture_random_action(f, i, &rng);
    }
    env_fixture_step(f);
    for (int64_t i = 0; i < ROWS; i++) {
      double x = *(const double *)env_fixture_row(f, i), effort = 0;
      for (int k = 0; k < 6; k++) effort += pow((double)f->action[6 * i + k], 2);
      double paid = fabs(x) >= 5 ? (double)f->b.task[i] * (x - before[i]) / 0.05 : 0;
      near((double)f->b.reward[i], paid - 0.05 * effort, 2e-6);
      *(fabs(x) >= 5 ? &told : &silent) += 1;
    }
  }
  g_assert_cmpint(told, >, 40);
  g_assert_cmpint(silent, >, 40);
  env_fixture_free(f);
}

static void test_sparse_tasks(void) {
  enum { ROWS = 3000 };
  static double target[ROWS];
  EnvFixture *f = env_fixture_new(&cheetah_sparse_LTX_hn_plugin, ROWS, NULL);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) target[i] = (double)f->b.task[i];
  g_assert_cmpfloat(ks_uniform(target, ROWS, 0, 3), <, KS_LIMIT(ROWS));
  env_fixture_free(f);
  HnStatus status;
  f = env_fixture_try(&cheetah_sparse_LTX_hn_plugin, 1, SETTINGS({"velocity_low", 4}), &status);
  g_assert_cmpint(status, ==, HN_E_PARAM);
  g_assert_nonnull(strstr(f->fake.error, "velocity_low 4"));
  env_fixture_free(f);
}

/* Targets uniform in [0, 3), noise log-uniform, and targets the same with and without noise. */
static void test_vel_tasks(void) {
  enum { ROWS = 3000 };
  EnvFixture *plain = env_fixture_new(&cheetah_vel_LTX_hn_plugin, ROWS, NULL);
  EnvFixture *noisy =
      env_fixture_new(&cheetah_vel_LTX_hn_plugin, ROWS,
                      SETTINGS({"reward_noise_low", 0.05}, {"reward_noise_high", 5}));
  static double target[ROWS], log_stddev[ROWS];
  env_fixture_reset(plain, HN_NEW_TASK, -1);
  env_fixture_reset(noisy, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    target[i] = (double)plain->b.task[2 * i];
    log_stddev[i] = log((double)noisy->b.task[2 * i + 1]);
    g_assert_true(plain->b.task[2 * i + 1] == 0);
    g_assert_true(noisy->b.task[2 * i] == plain->b.task[2 * i]);
  }
  g_assert_cmpfloat(ks_uniform(target, ROWS, 0, 3), <, KS_LIMIT(ROWS));
  g_assert_cmpfloat(ks_uniform(log_stddev, ROWS, log(0.05), log(5)), <, KS_LIMIT(ROWS));
  env_fixture_free(plain), env_fixture_free(noisy);
}

/* The learner's reward is the formula plus N(0, stddev^2) of the row's own scale; the column
 * clean_reward is the formula. */
static void test_vel_noise(void) {
  enum { ROWS = 50, T = 100, N = ROWS * T };
  EnvFixture *f = env_fixture_new(&cheetah_vel_LTX_hn_plugin, ROWS,
                                  SETTINGS({"reward_noise_low", 0.2}, {"reward_noise_high", 4}));
  HnRng rng = hn_rng(14, 0);
  double clean[ROWS], mean = 0, square = 0, fourth = 0, lag = 0, last[ROWS] = {0};
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int t = 0; t < T; t++) {
    formula_step(f, &rng, clean);
    for (int64_t i = 0; i < ROWS; i++) {
      double stddev = (double)f->b.task[2 * i + 1];
      near((double)env_fixture_info(f, i, "noise_stddev"), stddev, 0);
      near((double)env_fixture_info(f, i, "clean_reward"), clean[i], 2e-6);
      double z = ((double)f->b.reward[i] - clean[i]) / stddev;
      mean += z / N, square += z * z / N, fourth += pow(z, 4) / N, lag += z * last[i] / N;
      last[i] = z;
    }
  }
  near(mean, 0, 5 / sqrt(N));
  near(square, 1, 5 * sqrt(2.0 / N));
  near(fourth, 3, 5 * sqrt(96.0 / N));
  near(lag, 0, 5 / sqrt(N)); /* independent from step to step */
  for (int k = 0; k < 3; k++) {
    const HnColumn *column = &f->plugin->info[k];
    if (strcmp(column->name, "clean_reward") == 0) g_assert_cmpint(column->fold, ==, HN_SUM);
  }
  env_fixture_free(f);
}

static void test_vel_parameters(void) {
  static const struct {
    Setting setting[2];
    const char *says;
  } bad[] = {{{{"velocity_low", 4}, {NULL, 0}}, "velocity_low"},
             {{{"reward_noise_low", 1}, {NULL, 0}}, "reward_noise_low 1"},
             {{{"reward_noise_high", 1}, {NULL, 0}}, "above 0"}};
  for (size_t k = 0; k < G_N_ELEMENTS(bad); k++) {
    HnStatus status;
    EnvFixture *f = env_fixture_try(&cheetah_vel_LTX_hn_plugin, 1, bad[k].setting, &status);
    g_assert_cmpint(status, ==, HN_E_PARAM);
    g_assert_nonnull(strstr(f->fake.error, bad[k].says));
    env_fixture_free(f);
  }
}

/* A state that blows up and an action that is not a number fail the call with a reason, and leave
 * the simulator fit for the next row. */
static void test_cheetah_failures(gconstpointer plugin) {
  EnvFixture *f = env_fixture_noisy(plugin, 1);
  HnRng rng = hn_rng(15, 0);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  const size_t size = f->spec.row_size;
  double *state = env_fixture_row(f, 0);
  g_autofree void *start = g_memdup2(state, size);
  HnRng stream = f->b.rng[0];
  env_fixture_random_action(f, 0, &rng);
  env_fixture_step(f);
  g_autofree void *once = g_memdup2(state, size);

  memcpy(state, start, size), state[9 + 3] = 1e12;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  g_assert_nonnull(strstr(f->fake.error, "MuJoCo"));
  memcpy(state, start, size), state[2] = NAN;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  memcpy(state, start, size);
  float kept = f->action[4];
  f->action[4] = INFINITY;
  g_assert_cmpint(f->env->step(f->self, &f->b), ==, HN_E_NUMERIC);
  g_assert_nonnull(strstr(f->fake.error, "action 4"));

  f->action[4] = kept, f->b.rng[0] = stream, memcpy(state, start, size);
  env_fixture_step(f);
  g_assert_cmpmem(state, size, once, size);
  env_fixture_free(f);
}

static void test_bad_model(void) {
  EnvFixture *f = env_fixture_noisy(&gridworld_LTX_hn_plugin, 1); /* for its host */
  HnSim sim;
  g_assert_cmpint(
      hn_sim_create(&sim, &f->fake.host, "<mujoco><worldbody><bdy/></worldbody></mujoco>", 1), ==,
      HN_E_IO);
  g_assert_nonnull(strstr(f->fake.error, "bdy"));
  hn_sim_destroy(&sim);
  env_fixture_free(f);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/point_robot/goals", test_point_tasks);
  g_test_add_func("/point_robot/reward", test_point_reward);
  g_test_add_func("/point_robot/dense", test_point_dense);
  for (size_t k = 0; k < G_N_ELEMENTS(cheetahs); k++) {
    add_for(cheetahs[k], "spec", test_cheetah_spec);
    add_for(cheetahs[k], "golden-stretches", test_golden_stretches);
    add_for(cheetahs[k], "golden-free-run", test_golden_free_run);
    add_for(cheetahs[k], "uninterrupted", test_uninterrupted);
    add_for(cheetahs[k], "start", test_cheetah_start);
    add_for(cheetahs[k], "reward", test_cheetah_reward);
    add_for(cheetahs[k], "failures", test_cheetah_failures);
    add_for(cheetahs[k], "render", test_cheetah_render);
  }
  g_test_add_func("/half_cheetah", test_half_cheetah);
  g_test_add_func("/cheetah_dir/directions", test_dir_tasks);
  g_test_add_func("/cheetah_dir/sparse", test_dir_sparse);
  g_test_add_func("/cheetah_sparse/targets", test_sparse_tasks);
  g_test_add_func("/cheetah_vel/targets", test_vel_tasks);
  g_test_add_func("/cheetah_vel/noise", test_vel_noise);
  g_test_add_func("/cheetah_vel/parameters", test_vel_parameters);
  g_test_add_func("/mujoco/bad-model", test_bad_model);
  return g_test_run();
}

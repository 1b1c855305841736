/* envs_test.c - what every environment owes the host, the rewards of point_robot and the cheetahs,
 * and the cheetah's dynamics against recordings of Gymnasium's model. */
#include "../plugins/envs/mujoco/half_cheetah.h"
#include "env_rig.h"
#include "golden/half_cheetah.h"
#include <stdio.h>
#include <unistd.h>

extern const HnPlugin gridworld_LTX_hn_plugin, point_robot_LTX_hn_plugin, cheetah_dir_LTX_hn_plugin,
    cheetah_vel_LTX_hn_plugin;
static const HnPlugin *const cheetahs[] = {&cheetah_dir_LTX_hn_plugin, &cheetah_vel_LTX_hn_plugin};

static void near(double a, double b, double tolerance) {
  if (!(fabs(a - b) <= tolerance)) g_error("%.17g is not %.17g (tolerance %g)", a, b, tolerance);
}

/* With noise, so that streams are used in steps as well. */
static Rig *new_rig(const HnPlugin *plugin, int64_t rows) {
  gboolean noisy = plugin == &cheetah_vel_LTX_hn_plugin;
  return rig_new(plugin, rows,
                 noisy ? SETTINGS({"reward_noise_low", 0.1}, {"reward_noise_high", 2}) : NULL);
}

/* ---- every environment ---- */

enum { STEPS = 60 };

/* All that row i of a run leaves behind, as bytes. */
static void append_row(GByteArray *trace, const Rig *rig, int64_t i) {
  const HnEnvBatch *b = &rig->b;
  const HnEnvSpec *s = &rig->spec;
  g_byte_array_append(trace, (const guint8 *)rig_row(rig, i), (guint)s->row_size);
  g_byte_array_append(trace, (const guint8 *)(b->obs + i * s->obs_dim), (guint)(4 * s->obs_dim));
  g_byte_array_append(trace, (const guint8 *)(b->task + i * s->task_dim), (guint)(4 * s->task_dim));
  g_byte_array_append(trace, (const guint8 *)(b->info + i * rig->info_count),
                      (guint)(4 * rig->info_count));
  g_byte_array_append(trace, (const guint8 *)(b->reward + i), 4);
  g_byte_array_append(trace, b->done + i, 1);
  g_byte_array_append(trace, (const guint8 *)(b->rng + i), sizeof(HnRng));
}

/* Two episodes of one task under random actions; calls of `chunk` rows, in descending order where
 * `backward`.  Returns the trace of row `watched`, whose streams are those of row 0. */
static GByteArray *run_rows(const HnPlugin *plugin, int64_t rows, int64_t watched, int64_t chunk,
                            gboolean backward) {
  Rig *rig = new_rig(plugin, rows);
  GByteArray *trace = g_byte_array_new();
  HnRng *action = g_new(HnRng, (gsize)rows);
  for (int64_t i = 0; i < rows; i++) {
    uint64_t stream = (uint64_t)((i + rows - watched) % rows);
    rig->b.rng[i] = hn_rng(7, stream), action[i] = hn_rng(8, stream);
  }
  for (int t = 0; t < STEPS; t++) {
    if (t % (STEPS / 2) == 0) rig_reset(rig, t ? HN_NEW_EPISODE : HN_NEW_TASK, -1);
    for (int64_t i = 0; i < rows; i++) rig_random_action(rig, i, &action[i]);
    int64_t chunks = (rows + chunk - 1) / chunk;
    for (int64_t c = 0; c < chunks; c++) {
      int64_t first = (backward ? chunks - 1 - c : c) * chunk;
      HnEnvBatch part = rig_part(rig, first, MIN(chunk, rows - first));
      g_assert_cmpint(rig->env->step(rig->self, &part), ==, HN_OK);
    }
    append_row(trace, rig, watched);
  }
  g_free(action);
  rig_free(rig);
  return trace;
}

static void test_batch_invariance(gconstpointer plugin) {
  GByteArray *alone = run_rows(plugin, 1, 0, 1, FALSE);
  const struct {
    int64_t rows, watched, chunk;
    gboolean backward;
  } other[] = {
      {1, 0, 1, FALSE}, {7, 0, 7, FALSE}, {7, 6, 7, FALSE}, {7, 4, 3, TRUE}, {7, 2, 1, TRUE}};
  for (size_t k = 0; k < G_N_ELEMENTS(other); k++) {
    GByteArray *trace =
        run_rows(plugin, other[k].rows, other[k].watched, other[k].chunk, other[k].backward);
    g_assert_cmpmem(trace->data, trace->len, alone->data, alone->len);
    g_byte_array_unref(trace);
  }
  g_byte_array_unref(alone);
}

static void test_keep(gconstpointer plugin) {
  Rig *rig = new_rig(plugin, 3);
  HnRng rng = hn_rng(9, 0);
  rig_reset(rig, HN_NEW_TASK, -1);
  for (int t = 0; t < 5; t++) {
    for (int64_t i = 0; i < 3; i++) rig_random_action(rig, i, &rng);
    rig_step(rig);
  }
  GByteArray *before[3], *after[3];
  for (int64_t i = 0; i < 3; i++) append_row(before[i] = g_byte_array_new(), rig, i);
  rig->begin[0] = HN_KEEP, rig->begin[1] = HN_NEW_EPISODE, rig->begin[2] = HN_KEEP;
  g_assert_cmpint(rig->env->reset(rig->self, &rig->b), ==, HN_OK);
  for (int64_t i = 0; i < 3; i++) append_row(after[i] = g_byte_array_new(), rig, i);
  for (int64_t i = 0; i < 3; i += 2)
    g_assert_cmpmem(before[i]->data, before[i]->len, after[i]->data, after[i]->len);
  g_assert_cmpint(memcmp(before[1]->data, after[1]->data, before[1]->len), !=, 0);
  for (int64_t i = 0; i < 3; i++) g_byte_array_unref(before[i]), g_byte_array_unref(after[i]);
  rig_free(rig);
}

/* A new episode keeps the task; task k is the same task for any stream and any instance. */
static void test_tasks(gconstpointer plugin) {
  Rig *a = new_rig(plugin, 1), *b = new_rig(plugin, 1);
  size_t bytes = sizeof(float) * (size_t)a->spec.task_dim;
  float *task = g_malloc(bytes);
  rig_reset(a, HN_NEW_TASK, -1);
  memcpy(task, a->b.task, bytes);
  rig_reset(a, HN_NEW_EPISODE, -1);
  g_assert_cmpmem(task, bytes, a->b.task, bytes);
  int64_t count = HN_CAN(a->env, task_count) ? a->env->task_count(a->self, 0) : 0;
  if (!count) g_assert_cmpint(a->b.task_index[0], ==, -1);
  b->b.rng[0] = hn_rng(99, 99);
  for (int64_t k = 0; k < count; k++) {
    rig_reset(a, HN_NEW_TASK, k), rig_reset(b, HN_NEW_TASK, k);
    g_assert_cmpmem(a->b.task, bytes, b->b.task, bytes);
    rig_reset(b, HN_NEW_TASK, (k + 1) % count);
    g_assert_cmpint(memcmp(a->b.task, b->b.task, bytes), !=, 0);
    for (int64_t j = 0; j < k; j++)
      g_assert_cmpstr(a->env->task_name(a->self, 0, k), !=, a->env->task_name(a->self, 0, j));
  }
  g_free(task);
  rig_free(a), rig_free(b);
}

typedef struct Half {
  Rig *rig;
  HnEnvBatch part;
  int steps;
} Half;

static gpointer step_half(gpointer arg) {
  Half *half = arg;
  for (int t = 0; t < half->steps; t++)
    g_assert_cmpint(half->rig->env->step(half->rig->self, &half->part), ==, HN_OK);
  return NULL;
}

/* Two threads at once on rows of their own leave what one thread leaves. */
static void test_threads(gconstpointer plugin) {
  enum { ROWS = 8, TOGETHER = 40 };
  Rig *rig[2];
  HnRng rng = hn_rng(10, 0);
  for (int k = 0; k < 2; k++) {
    rig[k] = new_rig(plugin, ROWS);
    rig_reset(rig[k], HN_NEW_TASK, -1);
  }
  for (int64_t i = 0; i < ROWS; i++) rig_random_action(rig[0], i, &rng);
  memcpy(rig[1]->act, rig[0]->act, sizeof(float) * (size_t)(ROWS * rig[0]->spec.act_dim));
  memcpy(rig[1]->pick, rig[0]->pick, sizeof(int32_t) * ROWS);
  Half whole = {rig[0], rig[0]->b, TOGETHER};
  step_half(&whole);
  Half half[2] = {{rig[1], rig_part(rig[1], 0, 3), TOGETHER},
                  {rig[1], rig_part(rig[1], 3, ROWS - 3), TOGETHER}};
  GThread *thread = g_thread_new("half", step_half, &half[1]);
  step_half(&half[0]);
  g_thread_join(thread);
  GByteArray *one = g_byte_array_new(), *two = g_byte_array_new();
  for (int64_t i = 0; i < ROWS; i++) append_row(one, rig[0], i), append_row(two, rig[1], i);
  g_assert_cmpmem(one->data, one->len, two->data, two->len);
  g_byte_array_unref(one), g_byte_array_unref(two);
  rig_free(rig[0]), rig_free(rig[1]);
}

/* ---- point_robot ---- */

/* Kolmogorov-Smirnov distance of n numbers from the uniform distribution on [low, high]. */
static int by_value(gconstpointer a, gconstpointer b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
static double ks_uniform(double *x, int n, double low, double high) {
  double worst = 0;
  qsort(x, (size_t)n, sizeof *x, by_value);
  for (int k = 0; k < n; k++) {
    double u = (x[k] - low) / (high - low);
    worst = MAX(worst, MAX(fabs(u - (double)k / n), fabs(u - (k + 1.0) / n)));
  }
  return worst;
}
#define KS_LIMIT(n) (2.7 / sqrt(n)) /* exceeded with probability 2 exp(-2 * 2.7^2) = 9e-7 */

static void test_point_tasks(void) {
  enum { ROWS = 4000 };
  Rig *rig = rig_new(&point_robot_LTX_hn_plugin, ROWS, SETTINGS({"goal_distance", 2}));
  g_assert_cmpint(rig->spec.obs_dim, ==, 2);
  g_assert_cmpint(rig->spec.act_dim, ==, 2);
  g_assert_cmpint(rig->spec.horizon, ==, 100);
  static double angle[ROWS];
  rig_reset(rig, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    double x = (double)rig->b.task[2 * i], y = (double)rig->b.task[2 * i + 1];
    near(hypot(x, y), 2, 1e-6);
    angle[i] = atan2(y, x);
    g_assert_true(rig->b.obs[2 * i] == 0 && rig->b.obs[2 * i + 1] == 0);
  }
  g_assert_cmpfloat(ks_uniform(angle, ROWS, 0, G_PI), <, KS_LIMIT(ROWS));
  rig_free(rig);
}

/* Straight to the goal: every position, distance and reward in closed form. */
static void test_point_reward(void) {
  Rig *rig = rig_new(&point_robot_LTX_hn_plugin, 1, NULL);
  rig_reset(rig, HN_NEW_TASK, -1);
  double gx = (double)rig->b.task[0], gy = (double)rig->b.task[1];
  int paid = 0;
  for (int t = 1; t <= 13; t++) { /* 0.1 a step along the goal's direction, overshooting it */
    rig->act[0] = (float)gx, rig->act[1] = (float)gy;
    rig_step(rig);
    double d = fabs(1 - 0.1 * t);
    near((double)rig->b.obs[0], 0.1 * t * gx, 1e-6);
    near((double)rig->b.obs[1], 0.1 * t * gy, 1e-6);
    near((double)rig_info(rig, 0, "distance"), d, 1e-6);
    if (fabs(d - 0.2) < 1e-3) continue; /* on the rim: either */
    near((double)rig->b.reward[0], d < 0.2 ? 1 - d : 0, 1e-6);
    near((double)rig_info(rig, 0, "success"), d < 0.2, 0);
    g_assert_cmpint(rig->b.done[0], ==, 0);
    paid += d < 0.2;
  }
  g_assert_cmpint(paid, ==, 3);
  rig_reset(rig, HN_NEW_EPISODE, -1);
  rig->act[0] = 5, rig->act[1] = -1.5f; /* clipped */
  rig_step(rig);
  near((double)rig->b.obs[0], 0.1, 1e-8);
  near((double)rig->b.obs[1], -0.1, 1e-8);
  rig->act[0] = NAN;
  g_assert_cmpint(rig->env->step(rig->self, &rig->b), ==, HN_E_NUMERIC);
  rig_free(rig);
}

/* ---- the cheetah's dynamics ---- */

typedef struct Golden {
  double state[GOLDEN_STEPS / GOLDEN_EVERY + 1][GOLDEN_STATE];
  double control[GOLDEN_STEPS][GOLDEN_MOTORS];
} Golden;

/* NULL, and the test skipped, where nobody recorded this version of MuJoCo. */
static Golden *read_golden(uint64_t *libm) {
  char *path = g_strdup_printf(GOLDEN "/half_cheetah.mujoco-%d.bin", mj_version());
  FILE *file = fopen(path, "rb");
  g_free(path);
  if (!file) {
    char *reason = g_strdup_printf("no recording for MuJoCo %s", mj_versionString());
    g_test_skip(reason);
    g_free(reason);
    return NULL;
  }
  char line[200], expected[200];
  g_assert_nonnull(fgets(line, sizeof line, file));
  g_assert_nonnull(strstr(line, "libm="));
  *libm = g_ascii_strtoull(strstr(line, "libm=") + 5, NULL, 16);
  snprintf(expected, sizeof expected, GOLDEN_LINE, mj_version(), (unsigned long long)*libm);
  g_assert_cmpstr(line, ==, expected);
  Golden *golden = g_new(Golden, 1);
  g_assert_cmpint((int)fread(golden, sizeof *golden, 1, file), ==, 1);
  g_assert_cmpint(fgetc(file), ==, EOF);
  fclose(file);
  return golden;
}

static void golden_step(Rig *rig, const Golden *golden, int t) {
  for (int k = 0; k < GOLDEN_MOTORS; k++) rig->act[k] = (float)golden->control[t][k];
  rig_step(rig);
}

/* Largest difference of qpos and qvel between the row and recording `k`. */
static double golden_error(const Rig *rig, const Golden *golden, int k) {
  const HnCheetah *body = rig_row(rig, 0);
  double worst = 0;
  for (int j = 0; j < 2 * GOLDEN_JOINTS; j++)
    worst = MAX(worst, fabs(body->state[j] - golden->state[k][j]));
  return worst;
}

static void golden_restore(Rig *rig, const Golden *golden, int k) {
  HnCheetah *body = rig_row(rig, 0);
  memcpy(body->state, golden->state[k], sizeof golden->state[k]);
}

/* Every recorded stretch of ten steps, from its recorded start. */
static void test_golden_stretches(gconstpointer plugin) {
  uint64_t libm;
  Golden *golden = read_golden(&libm);
  if (!golden) return;
  Rig *rig = new_rig(plugin, 1);
  rig_reset(rig, HN_NEW_TASK, -1);
  for (int t = 0; t < GOLDEN_STEPS; t++) {
    if (t % GOLDEN_EVERY == 0) golden_restore(rig, golden, t / GOLDEN_EVERY);
    golden_step(rig, golden, t);
    if ((t + 1) % GOLDEN_EVERY == 0)
      g_assert_cmpfloat(golden_error(rig, golden, (t + 1) / GOLDEN_EVERY), <=, 1e-9);
  }
  rig_free(rig);
  g_free(golden);
}

/* A thousand steps from the first recorded state, warm start and all computed by the plugin. */
static void test_golden_free_run(gconstpointer plugin) {
  uint64_t libm;
  Golden *golden = read_golden(&libm);
  if (!golden) return;
  if (libm != golden_libm()) {
    g_test_skip("sine and cosine round differently here, and the cheetah is chaotic");
    g_free(golden);
    return;
  }
  Rig *rig = new_rig(plugin, 1);
  rig_reset(rig, HN_NEW_TASK, -1);
  golden_restore(rig, golden, 0);
  for (int t = 0; t < GOLDEN_STEPS; t++) {
    golden_step(rig, golden, t);
    if ((t + 1) % GOLDEN_EVERY == 0)
      g_assert_cmpfloat(golden_error(rig, golden, (t + 1) / GOLDEN_EVERY), <=, 1e-9);
  }
  rig_free(rig);
  g_free(golden);
}

static mjModel *test_model(void) {
  char *path = NULL, error[500] = "";
  int file = g_file_open_tmp("cheetah-XXXXXX.xml", &path, NULL);
  g_assert_cmpint(file, >=, 0);
  close(file);
  g_assert_true(g_file_set_contents(path, hn_cheetah_mjcf(), -1, NULL));
  mjModel *m = mj_loadXML(path, NULL, error, sizeof error);
  g_assert_cmpstr(error, ==, "");
  g_assert_nonnull(m);
  remove(path);
  g_free(path);
  return m;
}

/* A simulator of the test's own that is never pushed to nor pulled from: a row, however often it
 * was copied out and in, has its bits.  Also the observation, from MuJoCo's kinematics. */
static void test_uninterrupted(gconstpointer plugin) {
  mjModel *m = test_model();
  mjData *d = mj_makeData(m), *look = mj_makeData(m);
  Rig *rig = new_rig(plugin, 2);
  HnRng rng = hn_rng(12, 0);
  rig_reset(rig, HN_NEW_TASK, -1);
  const HnCheetah *body = rig_row(rig, 1);
  memcpy(d->qpos, body->state, sizeof(double) * 9);
  memcpy(d->qvel, body->state + 9, sizeof(double) * 9);
  mj_forward(m, d);
  g_assert_cmpmem(body->state + 18, sizeof(double) * 9, d->qacc_warmstart, sizeof(double) * 9);
  for (int t = 0; t < 200; t++) {
    for (int64_t i = 0; i < 2; i++) rig_random_action(rig, i, &rng);
    for (int k = 0; k < 6; k++) d->ctrl[k] = CLAMP((double)rig->act[6 + k], -1, 1);
    for (int k = 0; k < 5; k++) mj_step(m, d);
    rig_step(rig);
    g_assert_cmpmem(body->state, sizeof(double) * 9, d->qpos, sizeof(double) * 9);
    g_assert_cmpmem(body->state + 9, sizeof(double) * 9, d->qvel, sizeof(double) * 9);
    near(body->state[27], d->time, 0);
    memcpy(look->qpos, d->qpos, sizeof(double) * 9);
    mj_kinematics(m, look);
    const float *obs = rig->b.obs + HN_CHEETAH_OBS;
    int trunk = mj_name2id(m, mjOBJ_BODY, "trunk");
    for (int k = 0; k < 8; k++) g_assert_true(obs[k] == (float)d->qpos[k + 1]);
    for (int k = 0; k < 9; k++) g_assert_true(obs[8 + k] == (float)d->qvel[k]);
    for (int k = 0; k < 3; k++) near((double)obs[17 + k], look->xpos[3 * trunk + k], 1e-6);
  }
  near(d->time, 10, 1e-9);
  mj_deleteData(d), mj_deleteData(look);
  mj_deleteModel(m);
  rig_free(rig);
}

/* ---- the cheetahs' starts, rewards, noise and failures ---- */

static void test_cheetah_spec(gconstpointer plugin) {
  Rig *rig = new_rig(plugin, 1);
  g_assert_cmpint(rig->spec.obs_dim, ==, 20);
  g_assert_cmpint(rig->spec.act_dim, ==, 6);
  g_assert_cmpint(rig->spec.act_count, ==, 0);
  g_assert_cmpint(rig->spec.horizon, ==, 200);
  g_assert_cmpstr(rig->spec.splits, ==, "train|test");
  rig_free(rig);
}

/* qpos uniform in +-0.1, qvel normal of standard deviation 0.1. */
static void test_cheetah_start(gconstpointer plugin) {
  enum { ROWS = 1000 };
  Rig *rig = new_rig(plugin, ROWS);
  static double angle[9 * ROWS];
  double mean = 0, square = 0, n = 9 * ROWS;
  rig_reset(rig, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    const HnCheetah *body = rig_row(rig, i);
    memcpy(angle + 9 * i, body->state, sizeof(double) * 9);
    for (int k = 0; k < 9; k++) {
      mean += body->state[9 + k] / n;
      square += body->state[9 + k] * body->state[9 + k] / n;
    }
  }
  g_assert_cmpfloat(ks_uniform(angle, 9 * ROWS, -0.1, 0.1), <, KS_LIMIT(n));
  near(mean, 0, 5 * 0.1 / sqrt(n));
  near(square, 0.01, 5 * 0.01 * sqrt(2 / n));
  rig_free(rig);
}

/* Steps every row under random actions and returns each clean reward, from qpos and the formula. */
static void formula_step(Rig *rig, HnRng *rng, double *clean) {
  gboolean dir = rig->plugin == &cheetah_dir_LTX_hn_plugin;
  for (int64_t i = 0; i < rig->b.rows; i++) {
    rig_random_action(rig, i, rng);
    clean[i] = ((const HnCheetah *)rig_row(rig, i))->state[0];
  }
  rig_step(rig);
  for (int64_t i = 0; i < rig->b.rows; i++) {
    double v = (((const HnCheetah *)rig_row(rig, i))->state[0] - clean[i]) / 0.05, effort = 0;
    double g = (double)rig->b.task[i * rig->spec.task_dim];
    for (int k = 0; k < 6; k++) effort += pow((double)rig->act[6 * i + k], 2);
    clean[i] = (dir ? g * v : -fabs(v - g)) - 0.05 * effort;
    near((double)rig_info(rig, i, "velocity"), v, 1e-5);
    g_assert_cmpint(rig->b.done[i], ==, 0);
  }
}

static void test_cheetah_reward(gconstpointer plugin) {
  enum { ROWS = 6 };
  Rig *rig = rig_new(plugin, ROWS, NULL);
  HnRng rng = hn_rng(13, 0);
  double clean[ROWS];
  rig_reset(rig, HN_NEW_TASK, -1);
  for (int t = 0; t < 100; t++) {
    formula_step(rig, &rng, clean);
    for (int64_t i = 0; i < ROWS; i++) near((double)rig->b.reward[i], clean[i], 2e-6);
  }
  rig_free(rig);
}

/* In the pose of all zeros the trunk is level in the middle of the picture, 1 m long, and the
 * lowest 0.3 m of the picture are ground.  The camera moves along, the posts do not. */
static void test_cheetah_render(gconstpointer plugin) {
  enum { W = 400, H = 200 }; /* 1 cm a pixel; heights from 1.7 m down to -0.3 m */
  static uint8_t rgb[H][W][3], later[H][W][3];
  Rig *rig = new_rig(plugin, 1);
  rig_reset(rig, HN_NEW_TASK, -1);
  HnCheetah *body = rig_row(rig, 0);
  memset(body, 0, sizeof *body);
  g_assert_cmpint(rig->env->render(rig->self, rig_row(rig, 0), W, H, &rgb[0][0][0]), ==, HN_OK);
  const uint8_t *sky = rgb[2][2], *earth = rgb[H - 2][2], *trunk = rgb[H / 2][W / 2];
  g_assert_cmpint(memcmp(sky, earth, 3), !=, 0);
  g_assert_cmpint(memcmp(sky, trunk, 3), !=, 0);
  for (int u = W / 2 - 35; u < W / 2 + 35; u++) g_assert_cmpmem(rgb[H / 2 + 3][u], 3, trunk, 3);
  g_assert_cmpmem(rgb[H / 2 + 6][W / 2], 3, sky, 3); /* 0.046 m is the radius */
  g_assert_cmpmem(rgb[H / 2][W / 2 - 56], 3, sky, 3);
  g_assert_cmpmem(rgb[169][2], 3, sky, 3);
  g_assert_cmpmem(rgb[170][2], 3, earth, 3);
  g_assert_cmpint(memcmp(rgb[165][W / 2 + 100], sky, 3), !=, 0); /* the post at 1 m */
  body->state[0] = 0.5;
  g_assert_cmpint(rig->env->render(rig->self, rig_row(rig, 0), W, H, &later[0][0][0]), ==, HN_OK);
  g_assert_cmpmem(later[H / 2], sizeof later[H / 2], rgb[H / 2], sizeof rgb[H / 2]);
  g_assert_cmpmem(later[165][W / 2 + 100], 3, sky, 3);
  g_assert_cmpmem(later[165][W / 2 + 50], 3, rgb[165][W / 2 + 100], 3);
  rig_free(rig);
}

static void test_dir_tasks(void) {
  enum { ROWS = 2000 };
  Rig *rig = rig_new(&cheetah_dir_LTX_hn_plugin, ROWS, NULL);
  int forward = 0;
  rig_reset(rig, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    g_assert_true(rig->b.task[i] == (rig->b.task_index[i] == 1 ? 1 : -1));
    forward += rig->b.task[i] == 1;
  }
  near(forward, ROWS / 2.0, 5 * sqrt(ROWS / 4.0));
  g_assert_cmpstr(rig->env->task_name(rig->self, 0, 0), ==, "backward");
  g_assert_cmpstr(rig->env->task_name(rig->self, 1, 1), ==, "forward");
  rig->begin[0] = HN_NEW_TASK, rig->b.task_index[0] = 2;
  g_assert_cmpint(rig->env->reset(rig->self, &rig->b), ==, HN_E_PARAM);
  rig_free(rig);
}

/* Targets uniform in [0, 3), noise log-uniform, and targets the same with and without noise. */
static void test_vel_tasks(void) {
  enum { ROWS = 3000 };
  Rig *plain = rig_new(&cheetah_vel_LTX_hn_plugin, ROWS, NULL);
  Rig *noisy = rig_new(&cheetah_vel_LTX_hn_plugin, ROWS,
                       SETTINGS({"reward_noise_low", 0.05}, {"reward_noise_high", 5}));
  static double target[ROWS], log_stddev[ROWS];
  rig_reset(plain, HN_NEW_TASK, -1);
  rig_reset(noisy, HN_NEW_TASK, -1);
  for (int64_t i = 0; i < ROWS; i++) {
    target[i] = (double)plain->b.task[2 * i];
    log_stddev[i] = log((double)noisy->b.task[2 * i + 1]);
    g_assert_true(plain->b.task[2 * i + 1] == 0);
    g_assert_true(noisy->b.task[2 * i] == plain->b.task[2 * i]);
  }
  g_assert_cmpfloat(ks_uniform(target, ROWS, 0, 3), <, KS_LIMIT(ROWS));
  g_assert_cmpfloat(ks_uniform(log_stddev, ROWS, log(0.05), log(5)), <, KS_LIMIT(ROWS));
  rig_free(plain), rig_free(noisy);
}

/* The learner's reward is the formula plus N(0, stddev^2) of the row's own scale; the column
 * clean_reward is the formula. */
static void test_vel_noise(void) {
  enum { ROWS = 50, T = 100, N = ROWS * T };
  Rig *rig = rig_new(&cheetah_vel_LTX_hn_plugin, ROWS,
                     SETTINGS({"reward_noise_low", 0.2}, {"reward_noise_high", 4}));
  HnRng rng = hn_rng(14, 0);
  double clean[ROWS], mean = 0, square = 0, fourth = 0, lag = 0, last[ROWS] = {0};
  rig_reset(rig, HN_NEW_TASK, -1);
  for (int t = 0; t < T; t++) {
    formula_step(rig, &rng, clean);
    for (int64_t i = 0; i < ROWS; i++) {
      double stddev = (double)rig->b.task[2 * i + 1];
      near((double)rig_info(rig, i, "noise_stddev"), stddev, 0);
      near((double)rig_info(rig, i, "clean_reward"), clean[i], 2e-6);
      double z = ((double)rig->b.reward[i] - clean[i]) / stddev;
      mean += z / N, square += z * z / N, fourth += pow(z, 4) / N, lag += z * last[i] / N;
      last[i] = z;
    }
  }
  near(mean, 0, 5 / sqrt(N));
  near(square, 1, 5 * sqrt(2.0 / N));
  near(fourth, 3, 5 * sqrt(96.0 / N));
  near(lag, 0, 5 / sqrt(N)); /* independent from step to step */
  for (int k = 0; k < 3; k++) {
    const HnColumn *column = &rig->plugin->info[k];
    if (strcmp(column->name, "clean_reward") == 0) g_assert_cmpint(column->fold, ==, HN_SUM);
  }
  rig_free(rig);
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
    Rig *rig = rig_try(&cheetah_vel_LTX_hn_plugin, 1, bad[k].setting, &status);
    g_assert_cmpint(status, ==, HN_E_PARAM);
    g_assert_nonnull(strstr(rig->fake.error, bad[k].says));
    rig_free(rig);
  }
}

/* A state that blows up and an action that is not a number fail the call with a reason, and leave
 * the simulator fit for the next row. */
static void test_cheetah_failures(gconstpointer plugin) {
  Rig *rig = new_rig(plugin, 1);
  HnRng rng = hn_rng(15, 0);
  rig_reset(rig, HN_NEW_TASK, -1);
  HnCheetah *body = rig_row(rig, 0), start = *body;
  HnRng stream = rig->b.rng[0];
  rig_random_action(rig, 0, &rng);
  rig_step(rig);
  HnCheetah once = *body;

  *body = start, body->state[9 + 3] = 1e12;
  g_assert_cmpint(rig->env->step(rig->self, &rig->b), ==, HN_E_NUMERIC);
  g_assert_nonnull(strstr(rig->fake.error, "MuJoCo"));
  *body = start, body->state[2] = NAN;
  g_assert_cmpint(rig->env->step(rig->self, &rig->b), ==, HN_E_NUMERIC);
  *body = start;
  float kept = rig->act[4];
  rig->act[4] = INFINITY;
  g_assert_cmpint(rig->env->step(rig->self, &rig->b), ==, HN_E_NUMERIC);
  g_assert_nonnull(strstr(rig->fake.error, "action 4"));

  rig->act[4] = kept, rig->b.rng[0] = stream, *body = start;
  rig_step(rig);
  g_assert_cmpmem(body, sizeof *body, &once, sizeof once);
  rig_free(rig);
}

static void test_bad_model(void) {
  Rig *rig = new_rig(&gridworld_LTX_hn_plugin, 1); /* for its host */
  HnSim sim;
  g_assert_cmpint(
      hn_sim_create(&sim, &rig->fake.host, "<mujoco><worldbody><bdy/></worldbody></mujoco>", 1), ==,
      HN_E_IO);
  g_assert_nonnull(strstr(rig->fake.error, "bdy"));
  hn_sim_destroy(&sim);
  rig_free(rig);
}

static void add_for(const HnPlugin *plugin, const char *name, GTestDataFunc test) {
  char *path = g_strdup_printf("/%s/%s", plugin->name, name);
  g_test_add_data_func(path, plugin, test);
  g_free(path);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  static const HnPlugin *const all[] = {&gridworld_LTX_hn_plugin, &point_robot_LTX_hn_plugin,
                                        &cheetah_dir_LTX_hn_plugin, &cheetah_vel_LTX_hn_plugin};
  for (size_t k = 0; k < G_N_ELEMENTS(all); k++) {
    add_for(all[k], "batch-invariance", test_batch_invariance);
    add_for(all[k], "keep", test_keep);
    add_for(all[k], "tasks", test_tasks);
    add_for(all[k], "threads", test_threads);
  }
  g_test_add_func("/point_robot/goals", test_point_tasks);
  g_test_add_func("/point_robot/reward", test_point_reward);
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
  g_test_add_func("/cheetah_dir/directions", test_dir_tasks);
  g_test_add_func("/cheetah_vel/targets", test_vel_tasks);
  g_test_add_func("/cheetah_vel/noise", test_vel_noise);
  g_test_add_func("/cheetah_vel/parameters", test_vel_parameters);
  g_test_add_func("/mujoco/bad-model", test_bad_model);
  return g_test_run();
}

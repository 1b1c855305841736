/* wrappers_test.c - the wrappers of the build, against the environments that they hold and against
 * closed forms.  A neutral one leaves every file of a run as it is; bounds of samples are exceeded
 * with a probability of about 1e-5 by right code, and streams are fixed. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include "csv_table.h"
#include "env_rows.h"
#include "session.h"
#include "stand_in.h"

extern const HnPlugin fourier_LTX_hn_plugin, mask_observation_LTX_hn_plugin,
    half_cheetah_LTX_hn_plugin, point_robot_LTX_hn_plugin, reward_noise_LTX_hn_plugin,
    sticky_action_LTX_hn_plugin, time_limit_LTX_hn_plugin;
#define MASK    &mask_observation_LTX_hn_plugin
#define NOISE   &reward_noise_LTX_hn_plugin
#define ROBOT   &point_robot_LTX_hn_plugin
#define STICK   &sticky_action_LTX_hn_plugin
#define CHEETAH &half_cheetah_LTX_hn_plugin
#define LIMIT   &time_limit_LTX_hn_plugin

static HnArena arena;
static const double surely = 4.4; /* standard deviations of a normal number, two sides: 1e-5 */

static HnPluginChoice wrap(const HnPlugin *wrapper, const char *settings, HnPluginChoice inner) {
  return around(part_of(wrapper, settings), inner);
}

/* ---- rows of an environment ---- */

/* Rows whose innermost streams do not depend on what is around them. */
static HnEnvRows *open_rows(HnPluginChoice env, int64_t rows) {
  HnCell cell = {.env = env};
  HnStatus status;
  hn_arena_enter(&arena); /* a run leaves none */
  HnEnvRows *r = hn_env_rows_new(&cell, rows, &status);
  if (status) g_error("%s", hn_fail_text());
  const HnInstance *x = r->instance;
  while (x->inner) x = x->inner;
  for (int64_t i = 0; i < rows; i++) hn_env_streams(&r->memory, x)[i] = hn_rng(7, (uint64_t)i);
  return r;
}

static void close_rows(HnEnvRows *r, HnPluginChoice env) {
  HnCell cell = {.env = env};
  hn_env_rows_free(r), cell_clear(&cell);
}

static void begin(HnEnvRows *r, uint8_t how, int64_t task) {
  if (hn_env_rows_reset(r, how, task)) g_error("%s", hn_fail_text());
}

static void step(HnEnvRows *r, HnRng *rng) {
  for (int64_t i = 0; i < r->b.rows; i++) hn_env_rows_act(r, i, rng);
  if (hn_env_rows_step(r, r->b)) g_error("%s", hn_fail_text());
}

static void refuses(HnPluginChoice env, HnStatus expected, const char *text) {
  HnCell cell = {.env = env};
  HnStatus status;
  hn_arena_enter(&arena); /* a run leaves none */
  HnEnvRows *r = hn_env_rows_new(&cell, 2, &status);
  g_assert_cmpint(status, ==, expected);
  g_assert_cmpstr(hn_fail_text(), ==, text);
  hn_env_rows_free(r), cell_clear(&cell);
}

/* ---- runs ---- */

static HnCell cell_in(HnPluginChoice env) {
  return cell_of_parts(env, part_of(&toy_filter_LTX_hn_plugin, ""),
                       part_of(&toy_policy_LTX_hn_plugin, ""));
}

static char *run_in(HnPluginChoice env) {
  HnCell c = cell_in(env);
  char *dir = folder_new();
  run_whole(&c, dir);
  cell_clear(&c);
  return dir;
}

static HnPluginChoice toy(void) {
  return part_of(&toy_env_LTX_hn_plugin, "");
}

static void test_neutral(void) {
  char *bare = run_in(toy());
  HnPluginChoice same[] = {
      wrap(LIMIT, "", toy()),
      wrap(LIMIT, "steps: 1000", toy()),
      wrap(MASK, "", toy()),
      wrap(MASK, "hide: remove", toy()),
      wrap(STICK, "probability: 0", toy()),
      wrap(STICK, "probability: 0", wrap(MASK, "hide: remove", wrap(LIMIT, "", toy())))};
  for (guint k = 0; k < G_N_ELEMENTS(same); k++) {
    char *dir = run_in(same[k]);
    assert_same_run(bare, dir);
    folder_free(dir);
  }
  folder_free(bare);
}

/* Without noise there are two columns more, and nothing else: the same weights all along, and
 * returns that are those without noise. */
static void test_neutral_noise(void) {
  char *bare = run_in(toy()), *dir = run_in(wrap(NOISE, "", toy()));
  gsize n, m;
  g_autofree char *a = file_in(bare, "trace.bin", &n), *b = file_in(dir, "trace.bin", &m);
  g_assert_cmpuint(n, >, 32);
  g_assert_cmpmem(a, n, b, m);
  static const char *const columns[][2] = {{"eval.return", "eval.return"},
                                           {"train.speed", "train.speed"},
                                           {"eval.return", "eval.clean_reward"}};
  for (guint k = 0; k < G_N_ELEMENTS(columns); k++) {
    g_autofree double *x = metrics_column(bare, columns[k][0]);
    g_autofree double *y = metrics_column(dir, columns[k][1]);
    int64_t i = 0;
    for (; !isnan(x[i]); i++) g_assert_cmpfloat(fabs(x[i] - y[i]), <=, k == 2 ? 1e-6 : 0);
    g_assert_true(i > 1 && isnan(y[i]));
  }
  folder_free(bare), folder_free(dir);
}

/* Interrupted, resumed, on three workers: the same bits, with streams and row memory of each. */
static void test_same_bits(void) {
  HnCell c = cell_in(wrap(
      NOISE, "stddev_low: 0.05, stddev_high: 1",
      wrap(STICK, "probability: 0.3", wrap(MASK, "indices: 1", wrap(LIMIT, "steps: 6", toy())))));
  assert_same_bits(&c);
  cell_clear(&c);
}

/* ---- time_limit ---- */

static void test_time_limit(void) {
  char *limited = run_in(wrap(LIMIT, "steps: 4", part_of(&toy_env_LTX_hn_plugin, "horizon: 9"))),
       *shorter = run_in(part_of(&toy_env_LTX_hn_plugin, "horizon: 4")),
       *longer = run_in(part_of(&toy_env_LTX_hn_plugin, "horizon: 9"));
  gsize n, m;
  assert_same_run(limited, shorter);
  g_autofree char *a = file_in(limited, "episodes.csv", &n),
                  *b = file_in(longer, "episodes.csv", &m);
  g_assert_cmpstr(a, !=, b);
  folder_free(limited), folder_free(shorter), folder_free(longer);
}

/* ---- reward_noise ---- */

enum { ROWS = 40, EPISODES = 3, STEPS = 100 };

/* Sums over all steps of z, the noise in units of its task's standard deviation. */
typedef struct Moments {
  double n, sum, squares, neighbours;
} Moments;

static double info(const HnEnvRows *r, int64_t i, const char *name) {
  for (guint k = 0; k < r->instance->infos; k++)
    if (!strcmp(r->instance->info[k].name, name))
      return (double)r->b.info[(gsize)i * r->instance->infos + k];
  g_error("no column %s", name);
}

/* A step of both under the same actions: what the inner environment does is the same, and the
 * reward without noise is its reward. */
static void compare_step(const HnEnvRows *bare, const HnEnvRows *noisy, double *last, Moments *m) {
  const gsize number = sizeof(float);
  g_assert_cmpmem(bare->b.obs, 2 * ROWS * number, noisy->b.obs, 2 * ROWS * number);
  for (int64_t i = 0; i < ROWS; i++) {
    const double stddev = (double)noisy->b.task[3 * i + 2], clean = (double)bare->b.reward[i];
    const double z = ((double)noisy->b.reward[i] - clean) / stddev;
    g_assert_cmpmem(bare->b.task + 2 * i, 2 * number, noisy->b.task + 3 * i, 2 * number);
    g_assert_cmpfloat(info(noisy, i, "clean_reward"), ==, clean);
    g_assert_cmpfloat(info(noisy, i, "noise_stddev"), ==, stddev);
    g_assert_cmpfloat(info(noisy, i, "distance"), ==, info(bare, i, "distance"));
    m->n++, m->sum += z, m->squares += z * z, m->neighbours += z * last[i];
    last[i] = z;
  }
}

static void test_noise(void) {
  HnPluginChoice robot = part_of(ROBOT, "goal_radius: 1.5"),
                 wrapped = wrap(NOISE, "stddev_low: 0.05, stddev_high: 1",
                                part_of(ROBOT, "goal_radius: 1.5"));
  HnEnvRows *bare = open_rows(robot, ROWS), *noisy = open_rows(wrapped, ROWS);
  HnRng a = hn_rng(1, 1), b = a;
  Moments m = {0};
  double last[ROWS] = {0};
  g_assert_cmpint(noisy->spec.task_dim, ==, 3);
  for (int e = 0; e < EPISODES; e++) {
    const uint8_t how = e == 1 ? HN_NEW_EPISODE : HN_NEW_TASK;
    float before[3 * ROWS];
    memcpy(before, noisy->b.task, sizeof before);
    begin(bare, how, -1), begin(noisy, how, -1);
    for (int64_t i = 0; i < ROWS; i++) /* the scale is the task's */
      g_assert_true((before[3 * i + 2] == noisy->b.task[3 * i + 2]) == (e == 1));
    for (int t = 0; t < STEPS; t++)
      step(bare, &a), step(noisy, &b), compare_step(bare, noisy, last, &m);
  }
  /* z is standard normal: its mean, its mean square (variance 2 / n), no correlation in time */
  g_assert_cmpfloat(m.n, ==, ROWS * EPISODES * STEPS);
  g_assert_cmpfloat(fabs(m.sum), <, surely * sqrt(m.n));
  g_assert_cmpfloat(fabs(m.squares - m.n), <, surely * sqrt(2 * m.n));
  g_assert_cmpfloat(fabs(m.neighbours), <, surely * sqrt(m.n));
  close_rows(bare, robot), close_rows(noisy, wrapped);
}

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The logarithm is uniform: Kolmogorov's distance from that, whose sqrt(n) D exceeds 2.5 with a
 * probability of 2 exp(-2 * 2.5^2) = 7e-6. */
static void expect_log_uniform(double *stddev, int64_t n, double low, double high) {
  double distance = 0;
  qsort(stddev, (gsize)n, sizeof *stddev, ascending);
  for (int64_t k = 0; k < n; k++) {
    const double u = log(stddev[k] / low) / log(high / low);
    g_assert_true(u > -1e-6 && u < 1 + 1e-6);
    distance = fmax(distance,
                    fmax(fabs(u - (double)k / (double)n), fabs(u - (double)(k + 1) / (double)n)));
  }
  g_assert_cmpfloat(sqrt((double)n) * distance, <, 2.5);
}

static void test_drawn_scales(void) {
  enum { N = 2000 };
  HnPluginChoice env = wrap(NOISE, "stddev_low: 0.05, stddev_high: 1", part_of(ROBOT, ""));
  HnEnvRows *r = open_rows(env, N);
  static double stddev[N];
  begin(r, HN_NEW_TASK, -1);
  for (int i = 0; i < N; i++) stddev[i] = (double)r->b.task[3 * i + 2];
  expect_log_uniform(stddev, N, 0.05, 1);
  close_rows(r, env);
}

/* Task k of a split has always the same scale, whatever the streams; it has nothing to do with what
 * else the task is. */
static void test_numbered_scales(void) {
  enum { N = 1000, K = 9 };
  HnPluginChoice env = wrap(NOISE, "stddev_low: 0.05, stddev_high: 1",
                            part_of(&fourier_LTX_hn_plugin, "test_tasks: 1000"));
  HnEnvRows *one = open_rows(env, N), *other = open_rows(env, 1);
  static double stddev[N];
  double product[K - 1] = {0}, square[K - 1] = {0};
  g_assert_cmpint(one->spec.task_dim, ==, K);
  one->b.split = other->b.split = 1;
  hn_env_rows_stream(other, 0, 5, 5);
  begin(one, HN_NEW_TASK, 0);
  for (int64_t k = 0; k < N; k++) one->begin[k] = HN_NEW_TASK, one->b.task_index[k] = k;
  g_assert_cmpint(hn_env_rows_reset_some(one), ==, HN_OK);
  for (int64_t k = 0; k < N; k++) {
    stddev[k] = (double)one->b.task[k * K + K - 1];
    for (int j = 0; j < K - 1; j++) {
      const double x = (double)one->b.task[k * K + j];
      product[j] += x * (log(stddev[k] / 0.05) / log(20) - 0.5) * sqrt(12), square[j] += x * x;
    }
    begin(other, HN_NEW_TASK, k);
    g_assert_cmpmem(other->b.task, K * sizeof(float), one->b.task + k * K, K * sizeof(float));
  }
  /* the centred uniform factor is independent of x, so their product's variance is sum of x^2 */
  for (int j = 0; j < K - 1; j++) g_assert_cmpfloat(fabs(product[j]), <, surely * sqrt(square[j]));
  g_assert_true(stddev[0] != stddev[1]);
  expect_log_uniform(stddev, N, 0.05, 1);
  close_rows(one, env), hn_env_rows_free(other);
}

static void test_noise_refused(void) {
  refuses(wrap(NOISE, "stddev_low: 2, stddev_high: 1", part_of(ROBOT, "")), HN_E_PARAM,
          "reward_noise: stddev_low 2 is above stddev_high 1");
  refuses(
      wrap(NOISE, "stddev_high: 1", part_of(ROBOT, "")), HN_E_PARAM,
      "reward_noise: stddev_low must be above 0 where stddev_high is: the standard deviation is "
      "log-uniform between them");
  /* two sources of noise would share the columns */
  HnCell c = cell_in(wrap(NOISE, "", wrap(NOISE, "", toy())));
  GError *error = NULL;
  g_assert_null(hn_session_new(&c, NULL, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_REFUSED);
  g_assert_cmpstr(error->message, ==,
                  "reward_noise: reports a column 'clean_reward', and so does reward_noise");
  g_error_free(error), cell_clear(&c);
}

/* ---- sticky_action ---- */

/* What the robot did is where it went: each step is the action chosen or the one before, the first
 * of an episode the one chosen; the repeats are binomial. */
static void test_sticky(void) {
  const double p = 0.25;
  HnPluginChoice env = wrap(STICK, "probability: 0.25", part_of(ROBOT, "step_size: 1"));
  HnEnvRows *r = open_rows(env, ROWS);
  HnRng rng = hn_rng(3, 3);
  double repeats = 0, n = 0;
  float at[2 * ROWS], done[2 * ROWS] = {0};
  for (int e = 0; e < EPISODES; e++) {
    begin(r, e == 1 ? HN_NEW_EPISODE : HN_NEW_TASK, -1);
    memset(at, 0, sizeof at);
    for (int t = 0; t < STEPS; t++) {
      step(r, &rng);
      for (int64_t i = 0; i < 2 * ROWS; i += 2) {
        const float *now = r->b.obs + i, *chosen = r->b.action + i;
        const bool kept = fabsf(now[0] - at[i] - chosen[0]) < 1e-5f &&
                          fabsf(now[1] - at[i + 1] - chosen[1]) < 1e-5f,
                   repeated = fabsf(now[0] - at[i] - done[i]) < 1e-5f &&
                              fabsf(now[1] - at[i + 1] - done[i + 1]) < 1e-5f;
        g_assert_true(t == 0 ? kept : kept || repeated);
        repeats += t > 0 && !kept, n += t > 0;
        for (int k = 0; k < 2; k++) done[i + k] = now[k] - at[i + k], at[i + k] = now[k];
      }
    }
  }
  g_assert_cmpfloat(fabs(repeats - p * n), <, surely * sqrt(n * p * (1 - p)));
  close_rows(r, env);
}

/* With probability 1 an episode is its first action, here a choice of four; drift is the task. */
static void test_sticky_choice(void) {
  static const double move[4][2] = {{0.2, 0}, {-0.2, 0}, {0, 0.2}, {0, -0.2}};
  HnCell cell = hn_stand_in_cell(part_of(STICK, "probability: 1"), true);
  HnEnvRows *r = open_rows(cell.env, ROWS);
  HnRng rng = hn_rng(4, 4);
  int32_t first[ROWS];
  begin(r, HN_NEW_TASK, -1);
  for (int t = 0; t < 5; t++) {
    g_autofree float *before = g_memdup2(r->b.obs, 3 * ROWS * sizeof(float));
    step(r, &rng);
    if (t == 0) memcpy(first, r->b.action_index, sizeof first);
    for (int64_t i = 0; i < ROWS; i++)
      for (int64_t k = 0; k < 2; k++) {
        const double moved = (double)r->b.obs[3 * i + k] - (double)before[3 * i + k];
        g_assert_cmpfloat(fabs(moved - move[first[i]][k] - (double)r->b.task[2 * i + k]), <, 1e-5);
      }
  }
  hn_env_rows_free(r), cell_clear(&cell);
}

/* A step of what was chosen, of any size, which the cheetah's control cost is of. */
static void step_beyond(HnEnvRows *r, HnRng *rng, float *chosen) {
  for (int64_t i = 0; i < ROWS; i++) hn_env_rows_act(r, i, rng);
  for (int64_t k = 0; k < ROWS * r->spec.action_dim; k++) chosen[k] = 3 * r->action[k];
  r->b.chosen = chosen;
  if (hn_env_rows_step(r, r->b)) g_error("%s", hn_fail_text());
}

/* Without repeats rewards are the environment's own, where actions are clipped too. */
static void test_sticky_chosen(void) {
  HnPluginChoice bare = part_of(CHEETAH, ""),
                 sticky = wrap(STICK, "probability: 0", part_of(CHEETAH, ""));
  HnEnvRows *a = open_rows(bare, ROWS), *b = open_rows(sticky, ROWS);
  g_autofree float *chosen = g_new(float, ROWS * a->spec.action_dim);
  HnRng one = hn_rng(5, 5), other = one;
  begin(a, HN_NEW_TASK, 0), begin(b, HN_NEW_TASK, 0);
  for (int t = 0; t < 5; t++) {
    step_beyond(a, &one, chosen), step_beyond(b, &other, chosen);
    g_assert_cmpmem(b->b.obs, ROWS * a->spec.obs_dim * sizeof(float), a->b.obs,
                    ROWS * a->spec.obs_dim * sizeof(float));
    g_assert_cmpmem(b->b.reward, ROWS * sizeof(float), a->b.reward, ROWS * sizeof(float));
  }
  close_rows(a, bare), close_rows(b, sticky);
}

/* ---- mask_observation ---- */

static void expect_masked(const char *settings, int64_t dim, const int *from) {
  HnPluginChoice stand_in = part_of(ROBOT, ""), two = wrap(MASK, settings, part_of(ROBOT, ""));
  HnEnvRows *bare = open_rows(stand_in, ROWS), *masked = open_rows(two, ROWS);
  HnRng a = hn_rng(6, 6), b = a;
  g_assert_cmpint(masked->spec.obs_dim, ==, dim);
  for (int t = 0; t < 20; t++) {
    if (t % 10 == 0)
      begin(bare, HN_NEW_TASK, -1), begin(masked, HN_NEW_TASK, -1);
    else
      step(bare, &a), step(masked, &b);
    for (int64_t i = 0; i < ROWS; i++)
      for (int64_t k = 0; k < dim; k++)
        g_assert_cmpfloat(masked->b.obs[i * dim + k], ==,
                          (from[k] < 0 ? 0 : bare->b.obs[2 * i + from[k]]));
    g_assert_cmpmem(bare->b.reward, ROWS * sizeof(float), masked->b.reward, ROWS * sizeof(float));
  }
  close_rows(bare, stand_in), close_rows(masked, two);
}

static void test_mask(void) {
  expect_masked("indices: 0", 2, (const int[]){-1, 1});
  expect_masked("indices: ' 1  '", 2, (const int[]){0, -1});
  expect_masked("indices: 0-1", 2, (const int[]){-1, -1});
  expect_masked("indices: 0, hide: remove", 1, (const int[]){1});
  expect_masked("indices: 1 1-1, hide: remove", 1, (const int[]){0});
  expect_masked("indices: 0 1, hide: remove", 0, (const int[]){0});
  static const char *const ranges[] = {"2", "1-2", "1-0", "99999999999999999999"};
  for (guint k = 0; k < G_N_ELEMENTS(ranges); k++) {
    g_autofree char *settings = g_strdup_printf("indices: '%s'", ranges[k]);
    g_autofree char *text = g_strdup_printf("mask_observation: indices '%s': observations are "
                                            "numbered 0 to 1, and ranges go up",
                                            ranges[k]);
    refuses(wrap(MASK, settings, part_of(ROBOT, "")), HN_E_PARAM, text);
  }
  static const char *const words[][2] = {{"x", "x"},   {"0 1x", "1x"}, {"-1", "-1"},
                                         {"0-", "0-"}, {"0,1", "0,1"}, {"0 - 1", "- 1"}};
  for (guint k = 0; k < G_N_ELEMENTS(words); k++) {
    g_autofree char *settings = g_strdup_printf("indices: '%s'", words[k][0]);
    g_autofree char *text =
        g_strdup_printf("mask_observation: indices '%s': expected numbers and ranges, as in "
                        "'0-2 5', at '%s'",
                        words[k][0], words[k][1]);
    refuses(wrap(MASK, settings, part_of(ROBOT, "")), HN_E_PARAM, text);
  }
}

/* A supervised task's responses reach through any wrapper, masked as observations are. */
static void test_query(void) {
  static const struct {
    const HnPlugin *wrapper;
    const char *settings;
    bool zero;
  } cases[] = {{NOISE, "stddev_low: 1, stddev_high: 2", false},
               {STICK, "", false},
               {LIMIT, "", false},
               {MASK, "", false},
               {MASK, "indices: 0", true}};
  const float action[3] = {-0.5f, 0, 0.75f};
  HnPluginChoice fourier = part_of(&fourier_LTX_hn_plugin, "");
  HnEnvRows *bare = open_rows(fourier, 3);
  begin(bare, HN_NEW_TASK, -1);
  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    HnPluginChoice env = wrap(cases[k].wrapper, cases[k].settings,
                              wrap(STICK, "", part_of(&fourier_LTX_hn_plugin, "")));
    HnEnvRows *r = open_rows(env, 3);
    g_assert_true(hn_env_can_query(r->instance));
    g_assert_false(hn_env_can_render(r->instance));
    begin(r, HN_NEW_TASK, -1);
    for (int64_t i = 0; i < 3; i++) {
      float expected[3], obs[3] = {9, 9, 9};
      const void *row = hn_env_row(bare->instance, &bare->memory, i);
      g_assert_cmpint(hn_env_query(bare->instance, row, 3, action, expected), ==, HN_OK);
      row = hn_env_row(r->instance, &r->memory, i);
      g_assert_cmpint(hn_env_query(r->instance, row, 3, action, obs), ==, HN_OK);
      for (int j = 0; j < 3; j++) g_assert_cmpfloat(obs[j], ==, (cases[k].zero ? 0 : expected[j]));
    }
    close_rows(r, env);
  }
  close_rows(bare, fourier);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/wrappers/reward_noise/noise", test_noise);
  g_test_add_func("/wrappers/reward_noise/drawn_scales", test_drawn_scales);
  g_test_add_func("/wrappers/reward_noise/numbered_scales", test_numbered_scales);
  g_test_add_func("/wrappers/reward_noise/refused", test_noise_refused);
  g_test_add_func("/wrappers/sticky_action/executed", test_sticky);
  g_test_add_func("/wrappers/sticky_action/choice", test_sticky_choice);
  g_test_add_func("/wrappers/sticky_action/chosen", test_sticky_chosen);
  g_test_add_func("/wrappers/mask_observation/masked", test_mask);
  g_test_add_func("/wrappers/query", test_query);
  g_test_add_func("/wrappers/time_limit/horizon", test_time_limit);
  g_test_add_func("/wrappers/neutral/all", test_neutral);
  g_test_add_func("/wrappers/neutral/reward_noise", test_neutral_noise);
  g_test_add_func("/wrappers/same_bits", test_same_bits);
  const int failed = g_test_run();
  hn_arena_clear(&arena);
  return failed;
}

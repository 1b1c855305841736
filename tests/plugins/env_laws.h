/* env_laws.h - what every environment owes the host, as tests of any plugin, and what the tests of
 * environments share. */
#ifndef ENV_LAWS_H
#define ENV_LAWS_H
#include "env_fixture.h"

static inline void near(double a, double b, double tolerance) {
  if (!(fabs(a - b) <= tolerance)) g_error("%.17g is not %.17g (tolerance %g)", a, b, tolerance);
}

/* Kolmogorov-Smirnov distance of n numbers from the uniform distribution on [low, high]. */
static inline int by_value(gconstpointer a, gconstpointer b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
static inline double ks_uniform(double *x, int n, double low, double high) {
  double worst = 0;
  qsort(x, (size_t)n, sizeof *x, by_value);
  for (int k = 0; k < n; k++) {
    double u = (x[k] - low) / (high - low);
    worst = MAX(worst, MAX(fabs(u - (double)k / n), fabs(u - (k + 1.0) / n)));
  }
  return worst;
}
#define KS_LIMIT(n) (2.7 / sqrt(n)) /* exceeded with probability 2 exp(-2 * 2.7^2) = 9e-7 */

/* With reward noise where there is such a thing, so that streams are used in steps as well. */
static inline EnvFixture *env_fixture_noisy(const HnPlugin *plugin, int64_t rows) {
  gboolean noisy = FALSE;
  for (uint32_t k = 0; k < plugin->param_count; k++)
    noisy |= strcmp(plugin->params[k].name, "reward_noise_high") == 0;
  return env_fixture_new(
      plugin, rows, noisy ? SETTINGS({"reward_noise_low", 0.1}, {"reward_noise_high", 2}) : NULL);
}

enum { LAW_STEPS = 60 };

/* All that row i of a run leaves behind, as bytes. */
static inline void append_row(GByteArray *trace, const EnvFixture *f, int64_t i) {
  const HnEnvBatch *b = &f->b;
  const HnEnvSpec *s = &f->spec;
  g_byte_array_append(trace, (const guint8 *)env_fixture_row(f, i), (guint)s->row_size);
  g_byte_array_append(trace, (const guint8 *)(b->obs + i * s->obs_dim), (guint)(4 * s->obs_dim));
  g_byte_array_append(trace, (const guint8 *)(b->task + i * s->task_dim), (guint)(4 * s->task_dim));
  g_byte_array_append(trace, (const guint8 *)(b->info + i * f->info_count),
                      (guint)(4 * f->info_count));
  g_byte_array_append(trace, (const guint8 *)(b->reward + i), 4);
  g_byte_array_append(trace, b->terminated + i, 1);
  g_byte_array_append(trace, (const guint8 *)(b->rng + i), sizeof(HnRng));
}

/* Two episodes of one task under random actions; calls of `chunk` rows, in descending order where
 * `backward`.  Returns the trace of row `watched`, whose streams are those of row 0. */
static inline GByteArray *run_rows(const HnPlugin *plugin, int64_t rows, int64_t watched,
                                   int64_t chunk, gboolean backward) {
  EnvFixture *f = env_fixture_noisy(plugin, rows);
  GByteArray *trace = g_byte_array_new();
  HnRng *action = g_new(HnRng, (gsize)rows);
  for (int64_t i = 0; i < rows; i++) {
    uint64_t stream = (uint64_t)((i + rows - watched) % rows);
    f->b.rng[i] = hn_rng(7, stream), action[i] = hn_rng(8, stream);
  }
  for (int t = 0; t < LAW_STEPS; t++) {
    if (t % (LAW_STEPS / 2) == 0) env_fixture_reset(f, t ? HN_NEW_EPISODE : HN_NEW_TASK, -1);
    for (int64_t i = 0; i < rows; i++) env_fixture_random_action(f, i, &action[i]);
    int64_t chunks = (rows + chunk - 1) / chunk;
    for (int64_t c = 0; c < chunks; c++) {
      int64_t first = (backward ? chunks - 1 - c : c) * chunk;
      HnEnvBatch part = env_fixture_part(f, first, MIN(chunk, rows - first));
      g_assert_cmpint(f->env->step(f->self, &part), ==, HN_OK);
    }
    append_row(trace, f, watched);
  }
  g_free(action);
  env_fixture_free(f);
  return trace;
}

static inline void test_batch_invariance(gconstpointer plugin) {
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

/* Where a new episode goes on where the last one was. */
static inline gboolean goes_on(const HnPlugin *plugin) {
  return strcmp(plugin->name, "bandit") == 0 || strcmp(plugin->name, "fourier") == 0;
}

static inline void test_keep(gconstpointer plugin) {
  EnvFixture *f = env_fixture_noisy(plugin, 3);
  HnRng rng = hn_rng(9, 0);
  env_fixture_reset(f, HN_NEW_TASK, -1);
  for (int t = 0; t < 5; t++) {
    for (int64_t i = 0; i < 3; i++) env_fixture_random_action(f, i, &rng);
    env_fixture_step(f);
  }
  GByteArray *before[3], *after[3];
  for (int64_t i = 0; i < 3; i++) append_row(before[i] = g_byte_array_new(), f, i);
  f->begin[0] = HN_KEEP, f->begin[1] = HN_NEW_EPISODE, f->begin[2] = HN_KEEP;
  g_assert_cmpint(f->env->reset(f->self, &f->b), ==, HN_OK);
  for (int64_t i = 0; i < 3; i++) append_row(after[i] = g_byte_array_new(), f, i);
  for (int64_t i = 0; i < 3; i += 2)
    g_assert_cmpmem(before[i]->data, before[i]->len, after[i]->data, after[i]->len);
  int changed = memcmp(before[1]->data, after[1]->data, before[1]->len) != 0;
  g_assert_cmpint(changed, ==, !goes_on(plugin));
  for (int64_t i = 0; i < 3; i++) g_byte_array_unref(before[i]), g_byte_array_unref(after[i]);
  env_fixture_free(f);
}

/* A new episode keeps the task; task k is the same task for any stream and any instance. */
static inline void test_tasks(gconstpointer plugin) {
  EnvFixture *a = env_fixture_noisy(plugin, 1), *b = env_fixture_noisy(plugin, 1);
  size_t bytes = sizeof(float) * (size_t)a->spec.task_dim;
  float *task = g_malloc(bytes);
  env_fixture_reset(a, HN_NEW_TASK, -1);
  memcpy(task, a->b.task, bytes);
  env_fixture_reset(a, HN_NEW_EPISODE, -1);
  g_assert_cmpmem(task, bytes, a->b.task, bytes);
  int64_t count = HN_CAN(a->env, task_count) ? a->env->task_count(a->self, 0) : 0;
  if (!count) g_assert_cmpint(a->b.task_index[0], ==, -1);
  b->b.rng[0] = hn_rng(99, 99);
  for (int64_t k = 0; k < count; k++) {
    env_fixture_reset(a, HN_NEW_TASK, k), env_fixture_reset(b, HN_NEW_TASK, k);
    g_assert_cmpmem(a->b.task, bytes, b->b.task, bytes);
    env_fixture_reset(b, HN_NEW_TASK, (k + 1) % count);
    g_assert_cmpint(memcmp(a->b.task, b->b.task, bytes), !=, 0);
    for (int64_t j = 0; j < k; j++)
      g_assert_cmpstr(a->env->task_name(a->self, 0, k), !=, a->env->task_name(a->self, 0, j));
  }
  g_free(task);
  env_fixture_free(a), env_fixture_free(b);
}

typedef struct Half {
  EnvFixture *f;
  HnEnvBatch part;
  int steps;
} Half;

static inline gpointer step_half(gpointer arg) {
  Half *half = arg;
  for (int t = 0; t < half->steps; t++)
    g_assert_cmpint(half->f->env->step(half->f->self, &half->part), ==, HN_OK);
  return NULL;
}

/* Two threads at once on rows of their own leave what one thread leaves. */
static inline void test_threads(gconstpointer plugin) {
  enum { ROWS = 8, TOGETHER = 40 };
  EnvFixture *f[2];
  HnRng rng = hn_rng(10, 0);
  for (int k = 0; k < 2; k++) {
    f[k] = env_fixture_noisy(plugin, ROWS);
    env_fixture_reset(f[k], HN_NEW_TASK, -1);
  }
  for (int64_t i = 0; i < ROWS; i++) env_fixture_random_action(f[0], i, &rng);
  memcpy(f[1]->action, f[0]->action, sizeof(float) * (size_t)(ROWS * f[0]->spec.action_dim));
  memcpy(f[1]->action_index, f[0]->action_index, sizeof(int32_t) * ROWS);
  Half whole = {f[0], f[0]->b, TOGETHER};
  step_half(&whole);
  Half half[2] = {{f[1], env_fixture_part(f[1], 0, 3), TOGETHER},
                  {f[1], env_fixture_part(f[1], 3, ROWS - 3), TOGETHER}};
  GThread *thread = g_thread_new("half", step_half, &half[1]);
  step_half(&half[0]);
  g_thread_join(thread);
  GByteArray *one = g_byte_array_new(), *two = g_byte_array_new();
  for (int64_t i = 0; i < ROWS; i++) append_row(one, f[0], i), append_row(two, f[1], i);
  g_assert_cmpmem(one->data, one->len, two->data, two->len);
  g_byte_array_unref(one), g_byte_array_unref(two);
  env_fixture_free(f[0]), env_fixture_free(f[1]);
}

static inline void add_for(const HnPlugin *plugin, const char *name, GTestDataFunc test) {
  char *path = g_strdup_printf("/%s/%s", plugin->name, name);
  g_test_add_data_func(path, plugin, test);
  g_free(path);
}

static inline void add_laws(const HnPlugin *plugin) {
  add_for(plugin, "batch-invariance", test_batch_invariance);
  add_for(plugin, "keep", test_keep);
  add_for(plugin, "tasks", test_tasks);
  add_for(plugin, "threads", test_threads);
}
#endif

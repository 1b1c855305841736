/* env_fixture.h - an environment instance with one batch of rows, for tests and benches: the host's
 * side of env.h and nothing more. */
#ifndef ENV_FIXTURE_H
#define ENV_FIXTURE_H
#include "fake_host.h"
#include <glib.h>
#include <hunch/env.h>
#include <string.h>

typedef struct Setting {
  const char *name; /* of a text: "name=text" */
  double value;
} Setting;
#define SETTINGS(...) ((const Setting[]){__VA_ARGS__, {NULL, 0}})

typedef struct EnvFixture {
  FakeHost fake;
  const HnPlugin *plugin;
  const HnEnv *env;
  void *self, *params;
  HnEnvSpec spec;
  int64_t info_count;
  HnEnvBatch b; /* rows 0 .. rows - 1, in slots 0 .. rows - 1 */
  uint8_t *begin;
  float *action;
  int32_t *action_index;
} EnvFixture;

static inline void *env_fixture_alloc(EnvFixture *f, int64_t count, size_t size) {
  return fake_alloc(&f->fake.host, count, size);
}

/* The index of a choice's preset, which is how a setting gives a choice, too. */
static inline double env_fixture_choice(const HnParam *p) {
  char **names = g_strsplit(p->choices, "|", -1);
  int index = 0;
  while (names[index] && strcmp(names[index], p->text) != 0) index++;
  g_assert_nonnull(names[index]);
  g_strfreev(names);
  return index;
}

static inline gboolean env_fixture_sets(const Setting *s, const HnParam *p) {
  size_t length = strlen(p->name);
  return strncmp(s->name, p->name, length) == 0 &&
         s->name[length] == (p->kind == HN_TEXT ? '=' : 0);
}

/* The plugin's parameters: presets, then `settings`, each of which must exist. */
static inline void *env_fixture_params(EnvFixture *f, const HnPlugin *plugin,
                                       const Setting *settings) {
  char *params = env_fixture_alloc(f, 1, plugin->params_size);
  for (uint32_t k = 0; k < plugin->param_count; k++) {
    const HnParam *p = &plugin->params[k];
    double value = p->kind == HN_CHOICE ? env_fixture_choice(p) : p->preset;
    const char *text = p->text;
    for (const Setting *s = settings; s && s->name; s++)
      if (env_fixture_sets(s, p)) value = s->value, text = strchr(s->name, '=');
    if (p->kind == HN_REAL) memcpy(params + p->offset, &value, sizeof value);
    if (p->kind == HN_INT) memcpy(params + p->offset, &(int64_t){(int64_t)value}, sizeof(int64_t));
    if (p->kind == HN_CHOICE) memcpy(params + p->offset, &(int32_t){(int32_t)value}, 4);
    if (text && *text == '=') text++;
    if (p->kind == HN_TEXT) memcpy(params + p->offset, &text, sizeof text);
    if (p->kind == HN_FLAG) memcpy(params + p->offset, &(bool){value != 0}, sizeof(bool));
  }
  for (const Setting *s = settings; s && s->name; s++) {
    gboolean known = FALSE;
    for (uint32_t k = 0; k < plugin->param_count; k++)
      known |= env_fixture_sets(s, &plugin->params[k]);
    g_assert_true(known);
  }
  return params;
}

static inline void env_fixture_free(EnvFixture *f) {
  if (f->env && HN_CAN(f->env, destroy)) f->env->destroy(f->self);
  fake_host_close(&f->fake);
  g_free(f);
}

/* Creates the plugin; *status is what create said. */
static inline EnvFixture *env_fixture_try(const HnPlugin *plugin, int64_t rows,
                                          const Setting *settings, HnStatus *status) {
  EnvFixture *f = g_new0(EnvFixture, 1);
  fake_host_open(&f->fake);
  f->plugin = plugin, f->env = plugin->methods;
  f->self = env_fixture_alloc(f, 1, plugin->self_size);
  f->params = env_fixture_params(f, plugin, settings);
  f->spec = (HnEnvSpec){.struct_size = sizeof(HnEnvSpec), .rows = rows};
  *status = f->env->create(f->self, &f->fake.host, f->params, &f->spec);
  if (*status) return f;
  while (plugin->info && plugin->info[f->info_count].name) f->info_count++;
  const HnEnvSpec *s = &f->spec;
  HnEnvBatch *b = &f->b;
  *b = (HnEnvBatch){.struct_size = sizeof(HnEnvBatch), .rows = rows};
  b->state = env_fixture_alloc(f, rows, s->row_size);
  b->rng = env_fixture_alloc(f, rows, sizeof(HnRng));
  b->begin = f->begin = env_fixture_alloc(f, rows, 1);
  b->task_index = env_fixture_alloc(f, rows, sizeof(int64_t));
  b->action = b->chosen = f->action = env_fixture_alloc(f, rows * s->action_dim, sizeof(float));
  b->action_index = f->action_index = env_fixture_alloc(f, rows, sizeof(int32_t));
  b->obs = env_fixture_alloc(f, rows * s->obs_dim, sizeof(float));
  b->reward = env_fixture_alloc(f, rows, sizeof(float));
  b->terminated = env_fixture_alloc(f, rows, 1);
  b->truncated = env_fixture_alloc(f, rows, 1);
  b->task = env_fixture_alloc(f, rows * s->task_dim, sizeof(float));
  b->info = env_fixture_alloc(f, rows * f->info_count, sizeof(float));
  for (int64_t i = 0; i < rows; i++) b->rng[i] = hn_rng(7, (uint64_t)i);
  return f;
}

static inline EnvFixture *env_fixture_new(const HnPlugin *plugin, int64_t rows,
                                          const Setting *settings) {
  HnStatus status;
  EnvFixture *f = env_fixture_try(plugin, rows, settings, &status);
  if (status) g_error("%s: create: %s", plugin->name, f->fake.error);
  return f;
}

static inline void *env_fixture_row(const EnvFixture *f, int64_t i) {
  return (char *)f->b.state + (size_t)i * f->spec.row_size;
}

/* Begins every row as `begin`; `task` as in task_index. */
static inline void env_fixture_reset(EnvFixture *f, uint8_t begin, int64_t task) {
  for (int64_t i = 0; i < f->b.rows; i++) {
    f->begin[i] = begin;
    if (begin != HN_NEW_TASK) continue;
    f->b.task_index[i] = task;
    memset(env_fixture_row(f, i), 0, f->spec.row_size);
  }
  HnStatus status = f->env->reset(f->self, &f->b);
  if (status) g_error("%s: reset: %s", f->plugin->name, f->fake.error);
}

static inline void env_fixture_step(EnvFixture *f) {
  memset(f->b.terminated, 0, (size_t)f->b.rows);
  memset(f->b.truncated, 0, (size_t)f->b.rows);
  HnStatus status = f->env->step(f->self, &f->b);
  if (status) g_error("%s: step: %s", f->plugin->name, f->fake.error);
}

/* Rows from `first`, `rows` of them, as a batch of their own. */
static inline HnEnvBatch env_fixture_part(const EnvFixture *f, int64_t first, int64_t rows) {
  HnEnvBatch b = f->b;
  const HnEnvSpec *s = &f->spec;
  b.first += first, b.rows = rows;
  b.state = env_fixture_row(f, first);
  b.rng += first, b.begin += first, b.task_index += first, b.action_index += first,
      b.reward += first;
  b.terminated += first, b.truncated += first;
  b.action += first * s->action_dim, b.chosen += first * s->action_dim, b.obs += first * s->obs_dim,
      b.task += first * s->task_dim;
  b.info += first * f->info_count;
  return b;
}

/* Random actions for row i, some beyond the nominal range, from a stream of the caller's. */
static inline void env_fixture_random_action(EnvFixture *f, int64_t i, HnRng *rng) {
  for (int64_t k = 0; k < f->spec.action_dim; k++)
    f->action[i * f->spec.action_dim + k] = (float)hn_rng_uniform(rng, -1.25, 1.25);
  if (f->spec.action_count) f->action_index[i] = (int32_t)hn_rng_below(rng, f->spec.action_count);
}

static inline float env_fixture_info(const EnvFixture *f, int64_t i, const char *name) {
  for (int64_t k = 0; k < f->info_count; k++)
    if (strcmp(f->plugin->info[k].name, name) == 0) return f->b.info[i * f->info_count + k];
  g_error("%s has no column %s", f->plugin->name, name);
}

/* With reward noise where there is such a thing, so that streams are used in steps as well. */
static inline EnvFixture *env_fixture_noisy(const HnPlugin *plugin, int64_t rows) {
  gboolean noisy = FALSE;
  for (uint32_t k = 0; k < plugin->param_count; k++)
    noisy |= strcmp(plugin->params[k].name, "reward_noise_high") == 0;
  return env_fixture_new(
      plugin, rows, noisy ? SETTINGS({"reward_noise_low", 0.1}, {"reward_noise_high", 2}) : NULL);
}

/* A test of one plugin: /PLUGIN/NAME. */
static inline void add_for(const HnPlugin *plugin, const char *name, GTestDataFunc test) {
  char *path = g_strdup_printf("/%s/%s", plugin->name, name);
  g_test_add_data_func(path, plugin, test);
  g_free(path);
}
#endif

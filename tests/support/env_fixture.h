/* env_fixture.h - an environment instance with one batch of rows, for tests and benches: the host's
 * side of env.h and nothing more. */
#ifndef ENV_RIG_H
#define ENV_RIG_H
#include "fake_host.h"
#include <glib.h>
#include <hunch/env.h>
#include <string.h>

typedef struct Setting {
  const char *name; /* of a text: "name=text" */
  double value;
} Setting;
#define SETTINGS(...) ((const Setting[]){__VA_ARGS__, {NULL, 0}})

typedef struct Rig {
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
} Rig;

static inline void *rig_alloc(Rig *rig, int64_t count, size_t size) {
  return fake_alloc(&rig->fake.host, count, size);
}

/* The index of a choice's preset, which is how a setting gives a choice, too. */
static inline double rig_choice(const HnParam *p) {
  char **names = g_strsplit(p->choices, "|", -1);
  int index = 0;
  while (names[index] && strcmp(names[index], p->text) != 0) index++;
  g_assert_nonnull(names[index]);
  g_strfreev(names);
  return index;
}

static inline gboolean rig_sets(const Setting *s, const HnParam *p) {
  size_t length = strlen(p->name);
  return strncmp(s->name, p->name, length) == 0 &&
         s->name[length] == (p->kind == HN_TEXT ? '=' : 0);
}

/* The plugin's parameters: presets, then `settings`, each of which must exist. */
static inline void *rig_params(Rig *rig, const HnPlugin *plugin, const Setting *settings) {
  char *params = rig_alloc(rig, 1, plugin->params_size);
  for (uint32_t k = 0; k < plugin->param_count; k++) {
    const HnParam *p = &plugin->params[k];
    double value = p->kind == HN_CHOICE ? rig_choice(p) : p->preset;
    const char *text = p->text;
    for (const Setting *s = settings; s && s->name; s++)
      if (rig_sets(s, p)) value = s->value, text = strchr(s->name, '=');
    if (p->kind == HN_REAL) memcpy(params + p->offset, &value, sizeof value);
    if (p->kind == HN_INT) memcpy(params + p->offset, &(int64_t){(int64_t)value}, sizeof(int64_t));
    if (p->kind == HN_CHOICE) memcpy(params + p->offset, &(int32_t){(int32_t)value}, 4);
    if (text && *text == '=') text++;
    if (p->kind == HN_TEXT) memcpy(params + p->offset, &text, sizeof text);
    if (p->kind == HN_FLAG) memcpy(params + p->offset, &(bool){value != 0}, sizeof(bool));
  }
  for (const Setting *s = settings; s && s->name; s++) {
    gboolean known = FALSE;
    for (uint32_t k = 0; k < plugin->param_count; k++) known |= rig_sets(s, &plugin->params[k]);
    g_assert_true(known);
  }
  return params;
}

static inline void rig_free(Rig *rig) {
  if (rig->env && HN_CAN(rig->env, destroy)) rig->env->destroy(rig->self);
  fake_host_close(&rig->fake);
  g_free(rig);
}

/* Creates the plugin; *status is what create said. */
static inline Rig *rig_try(const HnPlugin *plugin, int64_t rows, const Setting *settings,
                           HnStatus *status) {
  Rig *rig = g_new0(Rig, 1);
  fake_host_open(&rig->fake);
  rig->plugin = plugin, rig->env = plugin->methods;
  rig->self = rig_alloc(rig, 1, plugin->self_size);
  rig->params = rig_params(rig, plugin, settings);
  rig->spec = (HnEnvSpec){.struct_size = sizeof(HnEnvSpec), .rows = rows};
  *status = rig->env->create(rig->self, &rig->fake.host, rig->params, &rig->spec);
  if (*status) return rig;
  while (plugin->info && plugin->info[rig->info_count].name) rig->info_count++;
  const HnEnvSpec *s = &rig->spec;
  HnEnvBatch *b = &rig->b;
  *b = (HnEnvBatch){.struct_size = sizeof(HnEnvBatch), .rows = rows};
  b->state = rig_alloc(rig, rows, s->row_size);
  b->rng = rig_alloc(rig, rows, sizeof(HnRng));
  b->begin = rig->begin = rig_alloc(rig, rows, 1);
  b->task_index = rig_alloc(rig, rows, sizeof(int64_t));
  b->action = rig->action = rig_alloc(rig, rows * s->action_dim, sizeof(float));
  b->action_index = rig->action_index = rig_alloc(rig, rows, sizeof(int32_t));
  b->obs = rig_alloc(rig, rows * s->obs_dim, sizeof(float));
  b->reward = rig_alloc(rig, rows, sizeof(float));
  b->terminated = rig_alloc(rig, rows, 1);
  b->task = rig_alloc(rig, rows * s->task_dim, sizeof(float));
  b->info = rig_alloc(rig, rows * rig->info_count, sizeof(float));
  for (int64_t i = 0; i < rows; i++) b->rng[i] = hn_rng(7, (uint64_t)i);
  return rig;
}

static inline Rig *rig_new(const HnPlugin *plugin, int64_t rows, const Setting *settings) {
  HnStatus status;
  Rig *rig = rig_try(plugin, rows, settings, &status);
  if (status) g_error("%s: create: %s", plugin->name, rig->fake.error);
  return rig;
}

static inline void *rig_row(const Rig *rig, int64_t i) {
  return (char *)rig->b.state + (size_t)i * rig->spec.row_size;
}

/* Begins every row as `begin`; `task` as in task_index. */
static inline void rig_reset(Rig *rig, uint8_t begin, int64_t task) {
  for (int64_t i = 0; i < rig->b.rows; i++) {
    rig->begin[i] = begin;
    if (begin != HN_NEW_TASK) continue;
    rig->b.task_index[i] = task;
    memset(rig_row(rig, i), 0, rig->spec.row_size);
  }
  HnStatus status = rig->env->reset(rig->self, &rig->b);
  if (status) g_error("%s: reset: %s", rig->plugin->name, rig->fake.error);
}

static inline void rig_step(Rig *rig) {
  memset(rig->b.terminated, 0, (size_t)rig->b.rows);
  HnStatus status = rig->env->step(rig->self, &rig->b);
  if (status) g_error("%s: step: %s", rig->plugin->name, rig->fake.error);
}

/* Rows from `first`, `rows` of them, as a batch of their own. */
static inline HnEnvBatch rig_part(const Rig *rig, int64_t first, int64_t rows) {
  HnEnvBatch b = rig->b;
  const HnEnvSpec *s = &rig->spec;
  b.first += first, b.rows = rows;
  b.state = rig_row(rig, first);
  b.rng += first, b.begin += first, b.task_index += first, b.action_index += first,
      b.reward += first;
  b.terminated += first;
  b.action += first * s->action_dim, b.obs += first * s->obs_dim, b.task += first * s->task_dim;
  b.info += first * rig->info_count;
  return b;
}

/* Random actions for row i, some beyond the nominal range, from a stream of the caller's. */
static inline void rig_random_action(Rig *rig, int64_t i, HnRng *rng) {
  for (int64_t k = 0; k < rig->spec.action_dim; k++)
    rig->action[i * rig->spec.action_dim + k] = (float)hn_rng_uniform(rng, -1.25, 1.25);
  if (rig->spec.action_count)
    rig->action_index[i] = (int32_t)hn_rng_below(rng, rig->spec.action_count);
}

static inline float rig_info(const Rig *rig, int64_t i, const char *name) {
  for (int64_t k = 0; k < rig->info_count; k++)
    if (strcmp(rig->plugin->info[k].name, name) == 0) return rig->b.info[i * rig->info_count + k];
  g_error("%s has no column %s", rig->plugin->name, name);
}
#endif

/* policy_fixture.h - one policy plugin under test: the fake host with shards run in an awkward
 * order or on two threads, parameters by name, and a window of experience to act in and to learn
 * from. */
#ifndef POLICY_FIXTURE_H
#define POLICY_FIXTURE_H
#include "fake_host.h"
#include <glib.h>
#include <hunch/policy.h>
#include <pthread.h>

enum { SHARDS_FORWARDS, SHARDS_BACKWARDS, SHARDS_THREADS };

typedef struct PolicyFixture {
  FakeHost fake; /* first: host->impl is both */
  const HnPlugin *plugin;
  const HnPolicy *method;
  void *self, *params;
  HnPolicySpec spec;
  HnRng rng;
  int order;             /* of shards */
  pthread_mutex_t mutex; /* POSIX, which race detectors understand */
} PolicyFixture;

static inline void *policy_fixture_scratch(const HnHost *host, int64_t count, size_t size) {
  PolicyFixture *f = host->impl;
  pthread_mutex_lock(&f->mutex);
  void *p = fake_scratch(host, count, size);
  pthread_mutex_unlock(&f->mutex);
  return p;
}

typedef struct PolicyShards {
  HnTask *task;
  void *arg;
  int64_t count;
  gint next;
} PolicyShards;

static inline void *policy_fixture_worker(void *data) {
  PolicyShards *s = data;
  for (gint i; (i = g_atomic_int_add(&s->next, 1)) < s->count;)
    g_assert_cmpint(s->task(s->arg, i), ==, HN_OK);
  return NULL;
}

static inline HnStatus policy_fixture_parallel(const HnHost *host, int64_t count, HnTask *task,
                                               void *arg) {
  PolicyFixture *f = host->impl;
  PolicyShards s = {task, arg, count, 0};
  if (f->order == SHARDS_THREADS) {
    pthread_t thread[2];
    for (int k = 0; k < 2; k++)
      g_assert_cmpint(pthread_create(&thread[k], NULL, policy_fixture_worker, &s), ==, 0);
    for (int k = 0; k < 2; k++) pthread_join(thread[k], NULL);
    return HN_OK;
  }
  for (int64_t i = 0; i < count; i++)
    g_assert_cmpint(task(arg, f->order == SHARDS_BACKWARDS ? count - 1 - i : i), ==, HN_OK);
  return HN_OK;
}

/* As when a plugin's method returns. */
static inline void policy_fixture_end_call(PolicyFixture *f) {
  fake_host_reset(&f->fake, (FakeMark){0, 0});
}

/* A plugin with default parameters, not yet created; spec's input fields are for the caller. */
static inline PolicyFixture *policy_fixture_open(const HnPlugin *plugin, uint64_t seed) {
  PolicyFixture *f = g_new0(PolicyFixture, 1);
  pthread_mutex_init(&f->mutex, NULL);
  fake_host_open(&f->fake);
  f->fake.host.scratch = policy_fixture_scratch, f->fake.host.parallel = policy_fixture_parallel;
  f->plugin = plugin, f->method = plugin->methods;
  f->self = fake_alloc(&f->fake.host, 1, plugin->self_size);
  f->params = fake_alloc(&f->fake.host, 1, plugin->params_size);
  f->rng = hn_rng(seed, 77);
  f->spec = (HnPolicySpec){.struct_size = sizeof(HnPolicySpec), .rng = &f->rng};
  for (const HnParam *p = plugin->params; p->name; p++) {
    char *at = (char *)f->params + p->offset;
    if (p->kind == HN_REAL) memcpy(at, &p->preset, sizeof(double));
    if (p->kind == HN_INT) *(int64_t *)(void *)at = (int64_t)p->preset;
    if (p->kind == HN_FLAG) *(bool *)at = p->preset != 0;
    if (p->kind == HN_TEXT) *(const char **)(void *)at = p->text;
    if (p->kind == HN_CHOICE) {
      const char *found = strstr(p->choices, p->text);
      for (const char *c = p->choices; c < found; c++) *(int32_t *)(void *)at += *c == '|';
    }
  }
  return f;
}

/* A choice is set by its index. */
static inline void policy_fixture_set(PolicyFixture *f, const char *name, double value) {
  for (const HnParam *p = f->plugin->params; p->name; p++) {
    if (strcmp(p->name, name) != 0) continue;
    char *at = (char *)f->params + p->offset;
    if (p->kind != HN_CHOICE) g_assert_true(value >= p->low && value <= p->high);
    if (p->kind == HN_REAL) memcpy(at, &value, sizeof(double));
    if (p->kind == HN_INT) *(int64_t *)(void *)at = (int64_t)value;
    if (p->kind == HN_FLAG) *(bool *)at = value != 0;
    if (p->kind == HN_CHOICE) *(int32_t *)(void *)at = (int32_t)value;
    return;
  }
  g_error("no parameter %s", name);
}

static inline double policy_fixture_get(const PolicyFixture *f, const char *name) {
  for (const HnParam *p = f->plugin->params; p->name; p++) {
    if (strcmp(p->name, name) != 0) continue;
    const char *at = (const char *)f->params + p->offset;
    if (p->kind == HN_REAL) return *(const double *)(const void *)at;
    if (p->kind == HN_INT) return (double)*(const int64_t *)(const void *)at;
    if (p->kind == HN_FLAG) return *(const bool *)at;
    return *(const int32_t *)(const void *)at;
  }
  g_error("no parameter %s", name);
}

static inline void policy_fixture_set_text(PolicyFixture *f, const char *name, const char *value) {
  for (const HnParam *p = f->plugin->params; p->name; p++)
    if (p->kind == HN_TEXT && strcmp(p->name, name) == 0)
      *(const char **)(void *)((char *)f->params + p->offset) = g_intern_string(value);
}

/* "name value name value ..": choices by index; text, which has no blanks here, as it is. */
static inline void policy_fixture_set_all(PolicyFixture *f, const char *text) {
  char **word = g_strsplit(text, " ", -1);
  for (int k = 0; word[k] && word[k + 1]; k += 2)
    if (strcmp(word[k], "hidden") == 0)
      policy_fixture_set_text(f, word[k], word[k + 1]);
    else
      policy_fixture_set(f, word[k], g_strtod(word[k + 1], NULL));
  g_strfreev(word);
}

static inline HnStatus policy_fixture_create(PolicyFixture *f) {
  HnStatus status = f->method->create(f->self, &f->fake.host, f->params, &f->spec);
  policy_fixture_end_call(f);
  return status;
}

static inline FakeArray *policy_fixture_find(PolicyFixture *f, const char *name) {
  return fake_host_find(&f->fake, name);
}

static inline double policy_fixture_metric_of(const PolicyFixture *f, const char *name) {
  for (int k = 0; f->plugin->metrics[k].name; k++)
    if (strcmp(f->plugin->metrics[k].name, name) == 0)
      return f->fake.metric[k] / (double)f->fake.metric_count[k];
  g_error("no metric %s", name);
}

static inline void policy_fixture_close(PolicyFixture *f) {
  fake_host_close(&f->fake);
  pthread_mutex_destroy(&f->mutex);
  g_free(f);
}

/* ---- experience ---- */

/* T steps of B rows; whoever fills it sets obs and belief of a time step, calls policy_fixture_act,
 * and then reward, terminated, truncated and begin. */
typedef struct Log {
  int64_t T, B, S;
  uint8_t *begin, *terminated, *truncated;
  float *obs, *belief, *action, *reward, *true_reward, *aux;
  int32_t *action_index;
  HnRng *rng;
  HnHistory history;
} Log;

static inline Log *log_new(const PolicyFixture *f, int64_t T, int64_t B, int64_t S, uint64_t seed) {
  const HnPolicySpec *s = &f->spec;
  gsize n = (gsize)(T * B), m = n + (gsize)B, wide = (gsize)(S > 1 ? S : 1);
  Log *g = g_new0(Log, 1);
  g->T = T, g->B = B, g->S = S;
  g->begin = g_new0(uint8_t, m), g->terminated = g_new0(uint8_t, n),
  g->truncated = g_new0(uint8_t, n);
  g->obs = g_new0(float, m *(gsize)s->obs_dim + 1);
  g->belief = g_new0(float, m *wide *(gsize)s->belief_dim + 1);
  g->action = g_new0(float, n *(gsize)s->action_dim + 1), g->action_index = g_new0(int32_t, n);
  g->reward = g_new0(float, n), g->true_reward = g_new0(float, n);
  g->aux = g_new0(float, n *(gsize)s->aux_dim);
  g->rng = g_new0(HnRng, (gsize)B);
  for (int64_t i = 0; i < B; i++) g->rng[i] = hn_rng(seed, (uint64_t)i);
  g->history = (HnHistory){.struct_size = sizeof(HnHistory),
                           .steps = T,
                           .rows = B,
                           .stride = B,
                           .begin = g->begin,
                           .obs = g->obs,
                           .action = g->action,
                           .action_index = g->action_index,
                           .reward = g->reward,
                           .true_reward = g->true_reward,
                           .terminated = g->terminated,
                           .truncated = g->truncated,
                           .samples = S,
                           .belief = g->belief,
                           .aux = g->aux};
  return g;
}

static inline void log_free(Log *g) {
  g_free(g->begin), g_free(g->terminated), g_free(g->truncated), g_free(g->obs), g_free(g->belief);
  g_free(g->action), g_free(g->action_index), g_free(g->reward), g_free(g->true_reward),
      g_free(g->aux);
  g_free(g->rng), g_free(g);
}

/* The policy acts at time t on rows first .. first + rows - 1. */
static inline HnStatus policy_fixture_act(PolicyFixture *f, Log *g, int64_t t, int64_t first,
                                          int64_t rows, bool greedy) {
  const HnPolicySpec *s = &f->spec;
  int64_t at = t * g->B + first, wide = g->S > 1 ? g->S : 1;
  HnActBatch a = {.struct_size = sizeof a,
                  .rows = rows,
                  .samples = g->S,
                  .obs = g->obs + at * s->obs_dim,
                  .belief = g->belief + at * wide * s->belief_dim,
                  .rng = greedy ? NULL : g->rng + first,
                  .action = g->action + at * s->action_dim,
                  .action_index = g->action_index + at,
                  .aux = g->aux + at * s->aux_dim};
  HnStatus status = f->method->act(f->self, &a);
  policy_fixture_end_call(f);
  return status;
}

/* Beliefs of a log: its samples, or, as the point belief, their mean. */
static inline void log_beliefs(const Log *g, int64_t D, int64_t samples, int64_t at,
                               float *belief) {
  int64_t S = g->S > 1 ? g->S : 1;
  const float *from = g->belief + at * S * D;
  if (samples == g->S) memcpy(belief, from, (size_t)(S * D) * sizeof *belief);
  for (int64_t d = 0; d < D && samples != g->S; d++) {
    double sum = 0;
    for (int64_t s = 0; s < S; s++) sum += (double)from[s * D + d];
    belief[d] = (float)(sum / (double)S);
  }
}

typedef struct PolicyBatch {
  PolicyFixture *f;
  Log *g;
  int64_t frames_total;
} PolicyBatch;

static inline int64_t policy_fixture_frames_total(const HnTrainBatch *l) {
  return ((const PolicyBatch *)l->impl)->frames_total;
}

static inline HnStatus policy_fixture_infer(const HnTrainBatch *l, const HnHistory *h,
                                            int64_t samples, float *belief) {
  const PolicyBatch *x = l->impl;
  int64_t D = x->f->spec.belief_dim, width = (samples > 1 ? samples : 1) * D;
  g_assert_true(h == &x->g->history);
  for (int64_t k = 0; k < (h->steps + 1) * h->rows; k++)
    log_beliefs(x->g, D, samples, k, belief + k * width);
  return HN_OK;
}

/* Learns from g with the gradient stopping at the belief. */
static inline HnStatus policy_fixture_learn(PolicyFixture *f, Log *g, HnRng *rng, int64_t frames,
                                            int64_t total) {
  const HnHistory *phase[] = {&g->history};
  PolicyBatch x = {f, g, total};
  HnTrainBatch l = {.struct_size = sizeof l,
                    .impl = &x,
                    .frames = frames,
                    .frames_total = policy_fixture_frames_total,
                    .rng = rng,
                    .phases = 1,
                    .phase = phase,
                    .infer = policy_fixture_infer};
  memset(f->fake.metric, 0, sizeof f->fake.metric);
  memset(f->fake.metric_count, 0, sizeof f->fake.metric_count);
  HnStatus status = f->method->learn(f->self, &l);
  policy_fixture_end_call(f);
  return status;
}
#endif

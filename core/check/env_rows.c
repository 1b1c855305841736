/* env_rows.c - see env_rows.h. */
#include "env_rows.h"
#include <string.h>

static void make_batch(HnEnvRows *r, int64_t rows) {
  const HnEnvSpec *s = &r->spec;
  const gsize n = (gsize)rows;
  r->begin = g_new0(uint8_t, n);
  r->action = g_new0(float, n *(gsize)s->action_dim + 1);
  r->action_index = g_new0(int32_t, n);
  r->b = (HnEnvBatch){.struct_size = sizeof r->b,
                      .rows = rows,
                      .state = g_malloc0(n * s->row_size + 1),
                      .rng = g_new0(HnRng, n),
                      .begin = r->begin,
                      .task_index = g_new0(int64_t, n),
                      .action = r->action,
                      .action_index = r->action_index,
                      .obs = g_new0(float, n *(gsize)s->obs_dim + 1),
                      .reward = g_new0(float, n),
                      .terminated = g_new0(uint8_t, n),
                      .truncated = g_new0(uint8_t, n),
                      .task = g_new0(float, n *(gsize)s->task_dim + 1),
                      .info = g_new0(float, n * r->instance->infos + 1)};
  for (int64_t i = 0; i < rows; i++) r->b.rng[i] = hn_rng(7, (uint64_t)i);
}

HnEnvRows *hn_env_rows_new(const HnCell *cell, int64_t rows, HnStatus *status) {
  HnEnvRows *r = g_new0(HnEnvRows, 1);
  r->pool = hn_pool_new(1);
  r->instance = hn_instance_new(&cell->env, r->pool, NULL);
  r->env = cell->env.plugin->methods;
  r->spec = (HnEnvSpec){.struct_size = sizeof r->spec, .rows = rows};
  HN_CALL(*status, ENV_create,
          r->env->create(r->instance->self, &r->instance->host, r->instance->params, &r->spec));
  r->instance->creating = false;
  r->created = !*status;
  if (r->created) make_batch(r, rows);
  return r;
}

void hn_env_rows_free(HnEnvRows *r) {
  void *all[] = {r->begin, r->action,   r->action_index, r->b.state,     r->b.rng,  r->b.task_index,
                 r->b.obs, r->b.reward, r->b.terminated, r->b.truncated, r->b.task, r->b.info};
  for (guint k = 0; k < G_N_ELEMENTS(all); k++) g_free(all[k]);
  hn_instance_free(r->instance, r->created);
  hn_pool_free(r->pool);
  g_free(r);
}

HnEnvBatch hn_env_rows_part(const HnEnvRows *r, int64_t first, int64_t rows) {
  const HnEnvSpec *s = &r->spec;
  HnEnvBatch b = r->b;
  b.first += first, b.rows = rows;
  b.state = (char *)b.state + (gsize)first * s->row_size;
  b.rng += first, b.begin += first, b.task_index += first, b.reward += first;
  b.terminated += first, b.truncated += first, b.action_index += first,
      b.action += first * s->action_dim;
  b.obs += first * s->obs_dim, b.task += first * s->task_dim;
  b.info += first * r->instance->infos;
  return b;
}

HnStatus hn_env_rows_reset_some(HnEnvRows *r) {
  HnStatus status;
  HN_CALL(status, ENV_reset, r->env->reset(r->instance->self, &r->b));
  return status;
}

HnStatus hn_env_rows_reset(HnEnvRows *r, uint8_t begin, int64_t task) {
  memset(r->begin, begin, (gsize)r->b.rows);
  if (begin == HN_NEW_TASK) memset(r->b.state, 0, (gsize)r->b.rows * r->spec.row_size);
  for (int64_t i = 0; i < r->b.rows && begin == HN_NEW_TASK; i++) r->b.task_index[i] = task;
  return hn_env_rows_reset_some(r);
}

HnStatus hn_env_rows_step(const HnEnvRows *r, HnEnvBatch part) {
  HnStatus status;
  memset(part.terminated, 0, (gsize)part.rows), memset(part.truncated, 0, (gsize)part.rows);
  HN_CALL(status, ENV_step, r->env->step(r->instance->self, &part));
  return status;
}

void hn_env_rows_act(HnEnvRows *r, int64_t i, HnRng *rng) {
  const int64_t n = r->spec.action_dim;
  for (int64_t k = 0; k < n; k++)
    r->action[i * n + k] = (float)CLAMP(hn_rng_uniform(rng, -1.25, 1.25), -1, 1);
  if (r->spec.action_count) r->action_index[i] = (int32_t)hn_rng_below(rng, r->spec.action_count);
}

/* ---- records ---- */

/* The parts of a record, in order: one list for writing and for naming. */
enum { PARTS = 8 };
static void list_parts(const HnEnvRows *r, int64_t i, const char *name[PARTS],
                       const void *data[PARTS], gsize size[PARTS]) {
  const HnEnvBatch *b = &r->b;
  const HnEnvSpec *s = &r->spec;
  const gsize O = (gsize)s->obs_dim, K = (gsize)s->task_dim, N = r->instance->infos, k = (gsize)i;
  name[0] = "obs", data[0] = b->obs + k * O, size[0] = O * sizeof(float);
  name[1] = "reward", data[1] = b->reward + k, size[1] = sizeof(float);
  name[2] = "terminated", data[2] = b->terminated + k, size[2] = 1;
  name[3] = "task", data[3] = b->task + k * K, size[3] = K * sizeof(float);
  name[4] = "info", data[4] = b->info + k * N, size[4] = N * sizeof(float);
  name[5] = "row memory", data[5] = (char *)b->state + k * s->row_size, size[5] = s->row_size;
  name[6] = "random stream", data[6] = b->rng + k, size[6] = sizeof(HnRng);
  name[7] = "truncated", data[7] = b->truncated + k, size[7] = 1;
}

GByteArray *hn_env_rows_record(const HnEnvRows *r, int64_t i) {
  const char *name[PARTS];
  const void *data[PARTS];
  gsize size[PARTS];
  GByteArray *record = g_byte_array_new();
  list_parts(r, i, name, data, size);
  for (int k = 0; k < PARTS; k++) g_byte_array_append(record, data[k], (guint)size[k]);
  return record;
}

const char *hn_env_rows_difference(const HnEnvRows *r, const GByteArray *a, const GByteArray *b) {
  const char *name[PARTS];
  const void *data[PARTS];
  gsize size[PARTS], at = 0;
  list_parts(r, 0, name, data, size);
  for (int k = 0; k < PARTS; at += size[k], k++)
    if (memcmp(a->data + at, b->data + at, size[k])) return name[k];
  return NULL;
}

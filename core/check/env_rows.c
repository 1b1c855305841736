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
                      .begin = r->begin,
                      .task_index = g_new0(int64_t, n),
                      .action = r->action,
                      .chosen = r->action,
                      .action_index = r->action_index,
                      .obs = g_new0(float, n *(gsize)s->obs_dim + 1),
                      .reward = g_new0(float, n),
                      .terminated = g_new0(uint8_t, n),
                      .truncated = g_new0(uint8_t, n),
                      .task = g_new0(float, n *(gsize)s->task_dim + 1),
                      .info = g_new0(float, n * r->instance->infos + 1)};
  r->memory = hn_env_memory_new(r->instance, rows);
  for (int64_t i = 0; i < rows; i++) hn_env_rows_stream(r, i, 7, (uint64_t)i);
}

void hn_env_rows_stream(const HnEnvRows *r, int64_t i, uint64_t seed, uint64_t stream) {
  for (const HnInstance *x = r->instance; x; x = x->inner)
    hn_env_streams(&r->memory, x)[r->b.first + i] = hn_rng(seed, stream | (uint64_t)x->depth << 32);
}

HnEnvRows *hn_env_rows_new(const HnCell *cell, int64_t rows, HnStatus *status) {
  HnEnvRows *r = g_new0(HnEnvRows, 1);
  r->pool = hn_pool_new(1);
  r->instance = hn_instance_new(&cell->env, r->pool, NULL);
  r->spec = (HnEnvSpec){.struct_size = sizeof r->spec, .rows = rows};
  *status = hn_env_create(r->instance, &r->spec);
  if (!*status) make_batch(r, rows);
  return r;
}

void hn_env_rows_free(HnEnvRows *r) {
  void *all[] = {r->begin,    r->action,       r->action_index, r->b.task_index, r->b.obs,
                 r->b.reward, r->b.terminated, r->b.truncated,  r->b.task,       r->b.info};
  for (guint k = 0; k < G_N_ELEMENTS(all); k++) g_free(all[k]);
  hn_env_memory_free(&r->memory);
  hn_instance_free(r->instance, r->instance->created);
  hn_pool_free(r->pool);
  g_free(r);
}

int64_t hn_env_rows_tasks(const HnEnvRows *r) {
  const HnInstance *x = hn_env_of_tasks(r->instance);
  return x ? ((const HnEnv *)x->plugin->methods)->task_count(x->self, r->b.split) : 0;
}

HnEnvBatch hn_env_rows_part(const HnEnvRows *r, int64_t first, int64_t rows) {
  const HnEnvSpec *s = &r->spec;
  HnEnvBatch b = r->b;
  b.first += first, b.rows = rows;
  b.begin += first, b.task_index += first, b.reward += first;
  b.terminated += first, b.truncated += first, b.action_index += first,
      b.action += first * s->action_dim, b.chosen += first * s->action_dim;
  b.obs += first * s->obs_dim, b.task += first * s->task_dim;
  b.info += first * r->instance->infos;
  return b;
}

HnStatus hn_env_rows_reset_some(HnEnvRows *r) {
  return hn_env_reset(r->instance, &r->memory, &r->b);
}

HnStatus hn_env_rows_reset(HnEnvRows *r, uint8_t begin, int64_t task) {
  memset(r->begin, begin, (gsize)r->b.rows);
  for (int64_t i = 0; i < r->b.rows && begin == HN_NEW_TASK; i++)
    hn_env_forget(r->instance, &r->memory, r->b.first + i), r->b.task_index[i] = task;
  return hn_env_rows_reset_some(r);
}

HnStatus hn_env_rows_step(const HnEnvRows *r, HnEnvBatch part) {
  memset(part.terminated, 0, (gsize)part.rows), memset(part.truncated, 0, (gsize)part.rows);
  return hn_env_step(r->instance, &r->memory, &part);
}

void hn_env_rows_act(HnEnvRows *r, int64_t i, HnRng *rng) {
  const int64_t n = r->spec.action_dim;
  for (int64_t k = 0; k < n; k++) {
    const double drawn = hn_rng_uniform(rng, -1.25, 1.25);
    r->action[i * n + k] = (float)CLAMP(drawn, -1, 1); /* a macro, which draws again and again */
  }
  if (r->spec.action_count) r->action_index[i] = (int32_t)hn_rng_below(rng, r->spec.action_count);
}

/* ---- records ---- */

/* A part of a record. */
typedef struct Part {
  const char *name;
  const void *data;
  gsize size;
} Part;
enum { PARTS_MAX = 6 + 2 * (HN_WRAPPERS_MAX + 1) };

/* The parts of row i's record, in order: one list for writing and for naming.  Returns how many. */
static int list_parts(const HnEnvRows *r, int64_t i, Part part[PARTS_MAX]) {
  const HnEnvBatch *b = &r->b;
  const gsize O = (gsize)r->spec.obs_dim, K = (gsize)r->spec.task_dim, N = r->instance->infos,
              k = (gsize)i, slot = (gsize)(r->b.first + i);
  int n = 0;
  part[n++] = (Part){"obs", b->obs + k * O, O * sizeof(float)};
  part[n++] = (Part){"reward", b->reward + k, sizeof(float)};
  part[n++] = (Part){"terminated", b->terminated + k, 1};
  part[n++] = (Part){"task", b->task + k * K, K * sizeof(float)};
  part[n++] = (Part){"info", b->info + k * N, N * sizeof(float)};
  for (const HnInstance *x = r->instance; x; x = x->inner) {
    const gsize size = x->own.row_size;
    part[n++] = (Part){"row memory", hn_env_state(r->instance, &r->memory, x) + slot * size, size};
    part[n++] = (Part){"random stream", hn_env_streams(&r->memory, x) + slot, sizeof(HnRng)};
  }
  part[n++] = (Part){"truncated", b->truncated + k, 1};
  return n;
}

GByteArray *hn_env_rows_record(const HnEnvRows *r, int64_t i) {
  Part part[PARTS_MAX];
  GByteArray *record = g_byte_array_new();
  const int n = list_parts(r, i, part);
  for (int k = 0; k < n; k++) g_byte_array_append(record, part[k].data, (guint)part[k].size);
  return record;
}

const char *hn_env_rows_difference(const HnEnvRows *r, const GByteArray *a, const GByteArray *b) {
  Part part[PARTS_MAX];
  const int n = list_parts(r, 0, part);
  gsize at = 0;
  for (int k = 0; k < n; at += part[k].size, k++)
    if (memcmp(a->data + at, b->data + at, part[k].size)) return part[k].name;
  return NULL;
}

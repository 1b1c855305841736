/* env_layers.c - see env_layers.h. */
#include "env_layers.h"
#include "outputs.h"
#include "pages.h"
#include "spec_check.h"
#include "widen.h"
#include <string.h>

enum { ALIGN = 64 }; /* of a layer's row memory */

static const HnEnv *methods_of(const HnInstance *x) {
  return x->plugin->methods;
}

/* ---- calls, each of the first layer that has the method ---- */

static HnStatus call_reset(const HnInstance *x, HnEnvBatch *b) {
  for (; x->inner && !methods_of(x)->reset; b = b->inner) x = x->inner;
  HnStatus status;
  HN_CALL_AT(status, ENV_reset, x->depth, methods_of(x)->reset(x->self, b));
  return status;
}

static HnStatus call_step(const HnInstance *x, HnEnvBatch *b) {
  for (; x->inner && !methods_of(x)->step; b = b->inner) x = x->inner;
  HnStatus status;
  HN_CALL_AT(status, ENV_step, x->depth, methods_of(x)->step(x->self, b));
  return status;
}

static gsize aligned(gsize bytes) {
  return (bytes + ALIGN - 1) / ALIGN * ALIGN;
}

/* What x holds, and that one's part of a row that hn_env_row gave. */
static const HnInstance *inwards(const HnInstance *x, const void **row) {
  *row = (const char *)*row + aligned(x->own.row_size);
  return x->inner;
}

static bool has_render(const HnInstance *x) {
  return HN_CAN(methods_of(x), render);
}
static bool has_query(const HnInstance *x) {
  return HN_CAN(methods_of(x), query);
}

HnStatus hn_env_render(const HnInstance *x, const void *row, int64_t width, int64_t height,
                       uint8_t *rgb) {
  while (x->inner && !has_render(x)) x = inwards(x, &row);
  HnStatus status;
  HN_CALL_AT(status, ENV_render, x->depth, methods_of(x)->render(x->self, row, width, height, rgb));
  return status;
}

HnStatus hn_env_query(const HnInstance *x, const void *row, int64_t n, const float *action,
                      float *obs) {
  while (x->inner && !has_query(x)) x = inwards(x, &row);
  HnStatus status;
  HN_CALL_AT(status, ENV_query, x->depth, methods_of(x)->query(x->self, row, n, action, obs));
  return status;
}

const HnInstance *hn_env_of_tasks(const HnInstance *x) {
  while (x && !HN_CAN(methods_of(x), task_count)) x = x->inner;
  return x;
}

const HnInstance *hn_env_of_reset(const HnInstance *x) {
  while (x->inner && !methods_of(x)->reset) x = x->inner;
  return x;
}

const HnInstance *hn_env_of_step(const HnInstance *x) {
  while (x->inner && !methods_of(x)->step) x = x->inner;
  return x;
}

/* ---- what a wrapper may call ---- */

static HnOutputs outputs_of(const HnInstance *x, const char *call, int64_t first, int64_t rows) {
  return (HnOutputs){.of = x, .call = call, .first = first, .rows = rows};
}

/* What a wrapper hands on, which may be a copy in a struct of its own headers: a field that these
 * do not have is not of what the wrapper did, and is zero. */
static HnEnvBatch handed_on(const HnInstance *x, const HnEnvBatch *given) {
  HnEnvBatch b;
  hn_widen(&b, sizeof b, given, x->outer->plugin->env_batch_size);
  b.struct_size = sizeof b;
  return b;
}

static HnStatus inner_reset(void *self, HnEnvBatch *given) {
  const HnInstance *x = self;
  HnEnvBatch own = handed_on(x, given), *b = &own;
  HnStatus status = call_reset(x, b);
  for (int64_t i = 0; i < b->rows && !status; i++) {
    const int64_t O = x->spec.obs_dim, K = x->own.task_dim;
    if (b->begin[i] == HN_KEEP) continue;
    const HnOutputs o = outputs_of(x, "reset", b->first + i, 1);
    status = hn_outputs_finite(&o, "observation", b->obs + i * O, O);
    if (!status) status = hn_outputs_finite(&o, "task", b->task + i * K, K);
  }
  return status;
}

static HnStatus inner_step(void *self, HnEnvBatch *given) {
  const HnInstance *x = self;
  HnEnvBatch own = handed_on(x, given), *b = &own;
  const HnOutputs o = outputs_of(x, "step", b->first, b->rows);
  memset(b->terminated, 0, (gsize)b->rows), memset(b->truncated, 0, (gsize)b->rows);
  HnStatus status = call_step(x, b);
  if (!status) status = hn_outputs_finite(&o, "observation", b->obs, x->spec.obs_dim);
  if (!status) status = hn_outputs_finite(&o, "reward", b->reward, 1);
  if (!status) status = hn_outputs_flag(&o, "terminated", b->terminated);
  return status ? status : hn_outputs_flag(&o, "truncated", b->truncated);
}

static int64_t inner_task_count(void *self, int64_t split) {
  const HnInstance *x = hn_env_of_tasks(self);
  int64_t count;
  HN_RECORD_CALL_AT(ENV_task_count, x->depth, count = methods_of(x)->task_count(x->self, split));
  return count;
}

static const char *inner_task_name(void *self, int64_t split, int64_t k) {
  const HnInstance *x = hn_env_of_tasks(self);
  const char *name;
  HN_RECORD_CALL_AT(ENV_task_name, x->depth, name = methods_of(x)->task_name(x->self, split, k));
  return name;
}

/* Of these two the wrapper passes on the row that it got. */
static HnStatus inner_render(void *self, const void *state, int64_t width, int64_t height,
                             uint8_t *rgb) {
  const HnInstance *x = inwards(((const HnInstance *)self)->outer, &state);
  return hn_env_render(x, state, width, height, rgb);
}

static HnStatus inner_query(void *self, const void *state, int64_t n, const float *action,
                            float *obs) {
  const HnInstance *x = inwards(((const HnInstance *)self)->outer, &state);
  return hn_env_query(x, state, n, action, obs);
}

/* Lets the wrapper of x see it. */
static const HnInner *view_of(HnInstance *x) {
  const HnInstance *tasks = hn_env_of_tasks(x);
  x->methods =
      (HnEnv){.struct_size = sizeof x->methods,
              .reset = inner_reset,
              .step = inner_step,
              .task_count = tasks ? inner_task_count : NULL,
              .task_name = tasks && HN_CAN(methods_of(tasks), task_name) ? inner_task_name : NULL,
              .render = hn_env_can_render(x) ? inner_render : NULL,
              .query = hn_env_can_query(x) ? inner_query : NULL};
  x->view =
      (HnInner){.struct_size = sizeof x->view, .env = &x->methods, .self = x, .spec = &x->spec};
  return &x->view;
}

/* ---- creating ---- */

static bool keeps_obs(const HnInstance *x) {
  return x->spec.obs_dim == x->inner->spec.obs_dim;
}
static bool keeps_actions(const HnInstance *x) {
  const HnEnvSpec *a = &x->spec, *b = &x->inner->spec;
  return a->action_dim == b->action_dim && a->action_count == b->action_count;
}
static bool keeps_sizes(const HnInstance *x) {
  return keeps_obs(x) && keeps_actions(x);
}

bool hn_env_can_render(const HnInstance *x) {
  while (x && !has_render(x)) x = x->inner;
  return x && (!x->inner || hn_env_can_render(x->inner));
}

bool hn_env_can_query(const HnInstance *x) {
  if (!x->inner) return has_query(x);
  return (has_query(x) || keeps_sizes(x)) && hn_env_can_query(x->inner);
}

/* What a wrapper alone can do wrong. */
static HnStatus check_wrapper(const HnInstance *x) {
  const HnEnv *e = methods_of(x);
  if (g_strcmp0(x->own.splits, x->inner->spec.splits) != 0)
    return x->host.fail(&x->host, HN_E_SHAPE, "is a wrapper, and changes the splits of %s",
                        x->inner->plugin->name);
  if ((!e->reset || !e->step) && (!keeps_sizes(x) || x->own.task_dim || x->infos > x->inner->infos))
    return x->host.fail(&x->host, HN_E_SHAPE,
                        "lacks 'reset' or 'step', which a wrapper needs that has task parameters "
                        "or columns, or changes the sizes of observations or actions");
  return HN_OK;
}

HnStatus hn_env_create(HnInstance *x, HnEnvSpec *spec) {
  HnEnvSpec own = {.struct_size = sizeof own, .rows = spec->rows};
  HnStatus status = x->inner ? hn_env_create(x->inner, &own) : HN_OK;
  if (status) return status;
  if (x->inner) own.task_dim = 0, own.row_size = 0, own.inner = view_of(x->inner);
  HN_CALL_AT(status, ENV_create, x->depth,
             methods_of(x)->create(x->self, &x->host, x->params, &own));
  x->creating = false;
  if (status) return status;
  x->created = true;
  own.struct_size = sizeof own; /* an older plugin may have written its whole struct */
  x->own = x->spec = own;       /* which is ours, whoever keeps the pointer */
  status = hn_spec_check_env(x, &x->own);
  if (!status && x->inner) {
    status = check_wrapper(x);
    x->spec.task_dim += x->inner->spec.task_dim, x->spec.row_size += x->inner->spec.row_size;
    if (!status) status = hn_spec_check_env(x, &x->spec);
  }
  *spec = x->spec;
  return status;
}

/* ---- memory ---- */

/* Bytes that the row memory of `rows` rows takes, of the layers from x down to `end`, without it.
 */
static gsize state_bytes(const HnInstance *x, int64_t rows, const HnInstance *end) {
  gsize bytes = 0;
  for (; x != end; x = x->inner) bytes += aligned((gsize)rows * x->own.row_size);
  return bytes;
}

char *hn_env_state(const HnInstance *x, const HnEnvMemory *m, const HnInstance *layer) {
  return m->state + state_bytes(x, m->rows, layer);
}

HnRng *hn_env_streams(const HnEnvMemory *m, const HnInstance *layer) {
  return m->rng + (int64_t)layer->depth * m->rows;
}

HnEnvMemory hn_env_memory_new(const HnInstance *x, int64_t rows) {
  const gsize bytes = state_bytes(x, rows, NULL);
  gsize layers = 0;
  for (const HnInstance *y = x; y; y = y->inner) layers++;
  return (HnEnvMemory){rows, hn_zeros(bytes), hn_zeros(layers * (gsize)rows * sizeof(HnRng))};
}

void hn_env_memory_free(HnEnvMemory *m) {
  hn_zeros_free(m->state), hn_zeros_free(m->rng);
  *m = (HnEnvMemory){.rows = 0};
}

void hn_env_forget(const HnInstance *x, const HnEnvMemory *m, int64_t i) {
  for (const HnInstance *y = x; y; y = y->inner)
    memset(hn_env_state(x, m, y) + (gsize)i * y->own.row_size, 0, y->own.row_size);
}

const void *hn_env_row(const HnInstance *x, const HnEnvMemory *m, int64_t i) {
  if (!x->inner || m->rows == 1) return m->state + (gsize)i * x->own.row_size;
  const gsize bytes = state_bytes(x, 1, NULL);
  const HnEnvMemory row = {1, hn_arena_take(hn_arena_current(), bytes), NULL};
  for (const HnInstance *y = x; y; y = y->inner)
    memcpy(hn_env_state(x, &row, y), hn_env_state(x, m, y) + (gsize)i * y->own.row_size,
           y->own.row_size);
  return row.state;
}

/* ---- batches ---- */

static void *zeroed(gsize bytes) {
  return memset(hn_arena_take(hn_arena_current(), bytes), 0, bytes);
}

/* The batch of one layer, with arrays of its own where the whole's cannot serve. */
static HnEnvBatch batch_of(const HnInstance *x, const HnEnvMemory *m, const HnInstance *y,
                           const HnEnvBatch *outer) {
  const gsize n = (gsize)outer->rows, number = sizeof(float);
  HnEnvBatch b = *outer;
  b.inner = NULL;
  b.state = hn_env_state(x, m, y) + (gsize)b.first * y->own.row_size;
  b.rng = hn_env_streams(m, y) + b.first;
  if (!x->inner) return b;
  const guint infos = y->infos - (y->inner ? y->inner->infos : 0);
  b.task = zeroed(n * (gsize)y->own.task_dim * number);
  b.info = zeroed(n * infos * number);
  if (y->outer && !keeps_obs(y->outer)) b.obs = zeroed(n * (gsize)y->spec.obs_dim * number);
  if (!y->outer || keeps_actions(y->outer)) return b;
  b.action = b.chosen = zeroed(n * (gsize)y->spec.action_dim * number);
  b.action_index = zeroed(n * sizeof *b.action_index);
  return b;
}

/* Copies a layer's numbers of each row, `own` of them, to where they stand among the `all`. */
static void place(float *all, int64_t width, const float *own, int64_t at, int64_t count,
                  int64_t i) {
  if (count > 0) memcpy(all + i * width + at, own + i * count, (gsize)count * sizeof *all);
}

static HnStatus call(const HnInstance *x, const HnEnvMemory *m, const HnEnvBatch *whole,
                     HnStatus (*method)(const HnInstance *x, HnEnvBatch *b), bool resets) {
  const HnMark mark = hn_arena_mark(hn_arena_current());
  HnEnvBatch layer[HN_WRAPPERS_MAX + 1];
  guint n = 0;
  layer[0] = batch_of(x, m, x, whole);
  for (const HnInstance *y = x->inner; y; y = y->inner) {
    n++;
    layer[n] = batch_of(x, m, y, &layer[n - 1]);
    layer[n - 1].inner = &layer[n];
  }
  HnStatus status = method(x, &layer[0]);
  n = 0;
  for (const HnInstance *y = x; x->inner && y && !status; y = y->inner, n++) {
    const int64_t task = y->inner ? y->inner->spec.task_dim : 0;
    const int64_t info = y->inner ? y->inner->infos : 0;
    for (int64_t i = 0; i < whole->rows; i++)
      if (!resets)
        place(whole->info, x->infos, layer[n].info, info, y->infos - info, i);
      else if (whole->begin[i] != HN_KEEP)
        place(whole->task, x->spec.task_dim, layer[n].task, task, y->own.task_dim, i);
  }
  hn_arena_reset(hn_arena_current(), mark);
  return status;
}

HnStatus hn_env_reset(const HnInstance *x, const HnEnvMemory *m, const HnEnvBatch *b) {
  return call(x, m, b, call_reset, true);
}

HnStatus hn_env_step(const HnInstance *x, const HnEnvMemory *m, const HnEnvBatch *b) {
  return call(x, m, b, call_step, false);
}

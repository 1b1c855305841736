/* watch.c - see watch.h. */
#include "watch.h"
#include "apart.h"
#include "instance.h"
#include "lending.h"
#include "process_state.h"
#include "session.h"
#include "spec_check.h"
#include <string.h>

/* Methods, by which lent arrays are told apart. */
enum {
  CREATE,
  RESET,
  STEP,
  QUERY,
  RENDER,
  INFER,
  FORWARD,
  RELABEL,
  MAP,
  PREDICT,
  ACT,
  ADAPT,
  DIVERGENCE,
  LEARN
};

typedef struct Block {
  char *data;
  gsize bytes;
} Block;

/* The one watched plugin of this process. */
static struct {
  const HnPlugin *real;
  HnWatchFor what;
  GString *found;
  HnPlugin twin;
  const HnInstance *instance;
  HnEnvSpec es;
  HnBeliefSpec bs;
  HnPolicySpec ps;
  HnHost host; /* which notes what is allocated */
  GArray *blocks;
  HnProcessState state;
  guint self_hash;
  bool may_write_blocks;
} w;

static void note(const char *method, const char *fault) {
  if (fault && !w.found->len) g_string_printf(w.found, "%s: %s", method, fault);
}

/* ---- before and after a call ---- */

enum { HASHED = 1 << 16 /* bytes of a block, so that a replay does not cost what it holds */ };

static guint hash_bytes(guint hash, const char *p, gsize bytes) {
  for (gsize k = 0; k < MIN(bytes, HASHED); k++) hash = hash * 33 + (guint)(unsigned char)p[k];
  return hash;
}

static guint hash_of_instance(const void *self) {
  guint hash = hash_bytes(5381, self, w.real->self_size);
  for (guint k = 0; !w.may_write_blocks && k < w.blocks->len; k++) {
    const Block *b = &g_array_index(w.blocks, Block, k);
    hash = hash_bytes(hash, b->data, b->bytes);
  }
  return hash;
}

static void before(const void *self, bool rows, HnLending *l) {
  if (w.what == HN_WATCH_PROCESS) w.state = hn_process_state();
  if (w.what == HN_WATCH_SELF && rows) w.self_hash = hash_of_instance(self);
  if (w.what == HN_WATCH_MEMORY && l) hn_lend_begin(l);
}

static void after(const char *method, const void *self, bool rows, HnLending *l) {
  if (w.what == HN_WATCH_PROCESS) {
    /* Libraries draw while they load models, as MuJoCo does; what create makes of it is the same in
     * every process, or `repeats` is broken. */
    if (!strcmp(method, "create")) hn_process_state_ignore_draws(&w.state);
    note(method, hn_process_state_change(&w.state));
  }
  if (w.what == HN_WATCH_SELF && rows && hash_of_instance(self) != w.self_hash)
    note(method, "writes to the instance, which several calls share");
  if (w.what == HN_WATCH_MEMORY && l) {
    g_autofree char *fault = hn_lend_end(l);
    note(method, fault);
  }
}

/* One call, looked at.  rows: several may run at once on one instance. */
#define WATCHED(method, rows, lending, call) \
  do {                                       \
    before(self, rows, lending);             \
    call;                                    \
    after(#method, self, rows, lending);     \
  } while (0)

static void *note_alloc(const HnHost *host, int64_t count, size_t size) {
  const HnHost *own = &w.instance->host;
  Block b = {.data = own->alloc(host, count, size), .bytes = (gsize)count * size};
  g_array_append_val(w.blocks, b);
  return b.data;
}

static void *note_keep(const HnHost *host, const HnArray *array) {
  const HnHost *own = &w.instance->host;
  void *data = own->keep(host, array);
  const HnArrayRecord *k = w.instance->kept->pdata[w.instance->kept->len - 1];
  Block b = {.data = data, .bytes = (gsize)array->dim[0] * k->item_bytes};
  g_array_append_val(w.blocks, b);
  return data;
}

static const HnHost *begin_create(const HnHost *host) {
  w.instance = host->impl;
  w.host = *host;
  w.host.alloc = note_alloc, w.host.keep = note_keep;
  g_array_set_size(w.blocks, 0);
  w.may_write_blocks = w.real->flags & HN_ROW_CACHE;
  return &w.host;
}

/* A copy of the parameters that cannot be written to, and lives as long as the process. */
static const void *params_of(const void *params) {
  if (w.what != HN_WATCH_MEMORY || !params) return params;
  HnLending l = {.call = CREATE};
  hn_lend(&l, "params", &params, w.real->params_size, HN_LEND_IN, 0);
  hn_lend_begin(&l);
  return params;
}

static void note_spec(HnStatus status, HnStatus (*check)(const HnInstance *, const void *),
                      const void *spec) {
  if (!status && w.what == HN_WATCH_SPEC && check(w.instance, spec)) note("create", hn_fail_text());
}

/* ---- environment ---- */

#define REAL(Type) ((const Type *)w.real->methods)

static HnStatus check_env(const HnInstance *x, const void *spec) {
  const HnEnvSpec *e = spec;
  HnStatus status = hn_spec_check_env(x, e);
  g_auto(GStrv) splits = g_strsplit(e->splits ? e->splits : "train", "|", -1);
  for (int64_t k = 0; splits[k] && !status; k++) {
    HnTaskList tasks = {.count = 0};
    status = hn_task_list_read(x, k, splits[k], &tasks);
    hn_task_list_clear(&tasks);
  }
  return status;
}

static HnStatus env_create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  HnStatus status;
  const HnHost *own = begin_create(host);
  const void *lent = params_of(params);
  WATCHED(create, false, NULL, status = REAL(HnEnv)->create(self, own, lent, spec));
  w.es = *spec;
  note_spec(status, check_env, spec);
  return status;
}

/* A NaN that no computation yields (lending.c). */
static const uint32_t unwritten = 0x7fdeadbe;

/* Rows that begin are poisoned: those that go on keep what they show. */
static void poison_begun(const HnEnvBatch *b, float *x, int64_t width) {
  for (int64_t k = 0; k < b->rows * width; k++)
    if (b->begin[k / width]) memcpy(x + k, &unwritten, sizeof *x);
}

static bool has_poison(const HnEnvBatch *b, const float *x, int64_t width) {
  uint32_t bits;
  for (int64_t k = 0; k < b->rows * width; k++)
    if (memcpy(&bits, x + k, sizeof bits), bits == unwritten) return true;
  return false;
}

static void lend_rows(HnLending *l, HnEnvBatch *b) {
  const gsize n = (gsize)b->rows;
  hn_lend(l, "state", &b->state, n * w.es.row_size, HN_LEND_INOUT, 0);
  hn_lend(l, "rng", &b->rng, n * sizeof(HnRng), HN_LEND_INOUT, 0);
  hn_lend(l, "begin", &b->begin, n, HN_LEND_IN, 0);
}

/* What the batches below a wrapper's share with it, as they did with `whole`, which was not lent.
 * below [HN_WRAPPERS_MAX + 1] */
static void share_lent(HnEnvBatch *b, const HnEnvBatch *whole, HnEnvBatch *below) {
  HnEnvBatch *outer = b;
#define SHARE(field) \
  if (x->field == whole->field) below->field = b->field
  for (const HnEnvBatch *x = whole->inner; x; x = x->inner, outer = below++) {
    *below = *x, outer->inner = below;
    SHARE(begin);
    SHARE(task_index);
    SHARE(action);
    SHARE(chosen);
    SHARE(action_index);
    SHARE(obs);
    SHARE(reward);
    SHARE(terminated);
    SHARE(truncated);
  }
#undef SHARE
}

/* Columns of the layer itself. */
static gsize own_infos(void) {
  return w.instance->infos - (w.instance->inner ? w.instance->inner->infos : 0);
}

static HnStatus env_reset(void *self, HnEnvBatch *batch) {
  HnEnvBatch b = *batch, below[HN_WRAPPERS_MAX + 1];
  HnLending l = {.call = RESET};
  HnStatus status;
  const gsize n = (gsize)b.rows;
  lend_rows(&l, &b);
  hn_lend(&l, "task_index", &b.task_index, n * sizeof(int64_t), HN_LEND_INOUT, 0);
  hn_lend(&l, "obs", &b.obs, n * (gsize)w.es.obs_dim * 4, HN_LEND_INOUT, 0);
  hn_lend(&l, "task", &b.task, n * (gsize)w.es.task_dim * 4, HN_LEND_INOUT, 0);
  if (w.what == HN_WATCH_MEMORY) {
    poison_begun(batch, batch->obs, w.es.obs_dim);
    poison_begun(batch, batch->task, w.es.task_dim);
  }
  WATCHED(reset, true, &l, {
    share_lent(&b, batch, below);
    status = REAL(HnEnv)->reset(self, &b);
  });
  if (w.what != HN_WATCH_MEMORY) return status;
  if (has_poison(batch, batch->obs, w.es.obs_dim)) note("reset", "leaves obs unwritten");
  if (has_poison(batch, batch->task, w.es.task_dim)) note("reset", "leaves task unwritten");
  return status;
}

static HnStatus env_step(void *self, HnEnvBatch *batch) {
  HnEnvBatch b = *batch, below[HN_WRAPPERS_MAX + 1];
  HnLending l = {.call = STEP};
  HnStatus status;
  const gsize n = (gsize)b.rows;
  lend_rows(&l, &b);
  hn_lend(&l, "action", &b.action, n * (gsize)w.es.action_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "chosen", &b.chosen, n * (gsize)w.es.action_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "action_index", &b.action_index, n * 4, HN_LEND_IN, 0);
  hn_lend(&l, "obs", &b.obs, n * (gsize)w.es.obs_dim * 4, HN_LEND_OUT, 4);
  hn_lend(&l, "reward", &b.reward, n * 4, HN_LEND_OUT, 4);
  hn_lend(&l, "terminated", &b.terminated, n, HN_LEND_INOUT, 0);
  hn_lend(&l, "truncated", &b.truncated, n, HN_LEND_INOUT, 0);
  hn_lend(&l, "info", &b.info, n * own_infos() * 4, HN_LEND_OUT, 4);
  WATCHED(step, true, &l, {
    share_lent(&b, batch, below);
    status = REAL(HnEnv)->step(self, &b);
  });
  return status;
}

static int64_t env_task_count(void *self, int64_t split) {
  int64_t count;
  WATCHED(task_count, true, NULL, count = REAL(HnEnv)->task_count(self, split));
  return count;
}

static const char *env_task_name(void *self, int64_t split, int64_t k) {
  const char *name;
  WATCHED(task_name, true, NULL, name = REAL(HnEnv)->task_name(self, split, k));
  return name;
}

static HnStatus env_render(void *self, const void *state, int64_t width, int64_t height,
                           uint8_t *rgb) {
  HnLending l = {.call = RENDER};
  HnStatus status;
  if (!w.instance->inner) /* a wrapper's is followed by that of what it holds */
    hn_lend(&l, "state", &state, w.es.row_size, HN_LEND_IN, 0);
  hn_lend(&l, "rgb", &rgb, (gsize)(width * height * 3), HN_LEND_INOUT, 0);
  WATCHED(render, false, &l, status = REAL(HnEnv)->render(self, state, width, height, rgb));
  return status;
}

static void env_destroy(void *self) {
  WATCHED(destroy, false, NULL, REAL(HnEnv)->destroy(self));
}

static HnStatus env_query(void *self, const void *state, int64_t n, const float *action,
                          float *obs) {
  HnLending l = {.call = QUERY};
  HnStatus status;
  const gsize count = (gsize)n;
  if (!w.instance->inner) /* a wrapper's is followed by that of what it holds */
    hn_lend(&l, "state", &state, w.es.row_size, HN_LEND_IN, 0);
  hn_lend(&l, "action", &action, count * (gsize)w.es.action_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "obs", &obs, count * (gsize)w.es.obs_dim * 4, HN_LEND_INOUT, 4);
  WATCHED(query, true, &l, status = REAL(HnEnv)->query(self, state, n, action, obs));
  return status;
}

/* ---- inference ---- */

static HnStatus check_belief(const HnInstance *x, const void *spec) {
  return hn_spec_check_belief(x, spec);
}

static HnStatus inference_create(void *self, const HnHost *host, const void *params,
                                 HnBeliefSpec *spec) {
  HnStatus status;
  const HnHost *own = begin_create(host);
  const void *lent = params_of(params);
  WATCHED(create, false, NULL, status = REAL(HnInference)->create(self, own, lent, spec));
  w.bs = *spec;
  note_spec(status, check_belief, spec);
  return status;
}

static const int64_t *widths(int64_t obs, int64_t action, int64_t task, int64_t aux) {
  static int64_t width[4];
  width[HN_WIDE_OBS] = obs, width[HN_WIDE_ACTION] = action;
  width[HN_WIDE_TASK] = task, width[HN_WIDE_AUX] = aux;
  return width;
}

static const int64_t *belief_widths(void) {
  return widths(w.bs.obs_dim, w.bs.action_dim, w.bs.task_dim, 0);
}

/* What infer, forward and backward get; the window's struct is `h`. */
static void lend_update(HnLending *l, HnBeliefUpdate *q, HnHistory *h) {
  const HnHistory *given = q->history;
  const gsize times = (gsize)((given->steps + 1) * given->rows), rows = (gsize)given->rows;
  const gsize S = (gsize)MAX(q->samples, 1);
  *h = *given, h->aux = NULL, q->history = h;
  hn_lend_history(l, h, belief_widths(), w.bs.row_size);
  hn_lend(l, "state", &q->state, rows * w.bs.row_size, HN_LEND_INOUT, 0);
  hn_lend(l, "rng", &q->rng, rows * sizeof(HnRng), HN_LEND_INOUT, 0);
  hn_lend(l, "belief", &q->belief, times * S * (gsize)w.bs.belief_dim * 4, HN_LEND_OUT, 4);
  hn_lend(l, "info", &q->info, times * w.instance->infos * 4, HN_LEND_OUT, 4);
}

static HnStatus inference_infer(void *self, HnBeliefUpdate *update) {
  HnBeliefUpdate q = *update;
  HnHistory h;
  HnLending l = {.call = INFER};
  HnStatus status;
  lend_update(&l, &q, &h);
  WATCHED(infer, true, &l, status = REAL(HnInference)->infer(self, &q));
  return status;
}

/* What forward was called with stands where it stood until backward. */
static HnHistory forward_history;
static HnBeliefUpdate forward_update;

static HnStatus inference_forward(void *self, HnBeliefUpdate *update) {
  HnLending l = {.call = FORWARD, .stays = true};
  HnStatus status;
  forward_update = *update;
  lend_update(&l, &forward_update, &forward_history);
  WATCHED(forward, false, &l, status = REAL(HnInference)->forward(self, &forward_update));
  return status;
}

static HnStatus inference_backward(void *self, const HnBeliefUpdate *update, const float *d_belief,
                                   double *norm2) {
  HnLending l = {.call = FORWARD, .stays = true};
  HnStatus status;
  const gsize S = (gsize)MAX(update->samples, 1);
  const gsize n = (gsize)((update->history->steps + 1) * update->history->rows) * S;
  forward_update = *update;
  lend_update(&l, &forward_update, &forward_history);
  for (int k = 0; k < l.count; k++) /* what forward wrote may be read, what it read not written */
    l.array[k].way = HN_LEND_IN;
  hn_lend(&l, "d_belief", &d_belief, n * (gsize)w.bs.belief_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "norm2", &norm2, sizeof *norm2, HN_LEND_OUT, sizeof *norm2);
  hn_lend(&l, "loss", &forward_update.loss, sizeof(double), HN_LEND_INOUT, 0);
  WATCHED(backward, false, &l,
          status = REAL(HnInference)->backward(self, &forward_update, d_belief, norm2));
  return status;
}

static HnStatus inference_step(void *self, double scale, double rate) {
  HnStatus status;
  WATCHED(step, false, NULL, status = REAL(HnInference)->step(self, scale, rate));
  return status;
}

/* The windows of a training batch, lent. */
typedef struct Windows {
  HnHistory view[HN_PHASES_MAX];
  const HnHistory *phase[HN_PHASES_MAX];
  HnTrainBatch batch;
} Windows;

static void lend_batch(HnLending *l, Windows *v, const HnTrainBatch *given, const int64_t *width,
                       gsize row_size) {
  v->batch = *given;
  if (w.what != HN_WATCH_MEMORY) return;
  for (int64_t k = 0; k < given->phases; k++) {
    v->view[k] = *given->phase[k], v->phase[k] = &v->view[k];
    if (k == 0) hn_lend_history(l, &v->view[k], width, row_size);
  }
  v->batch.phase = v->phase;
}

static HnStatus inference_learn(void *self, const HnTrainBatch *given) {
  Windows v;
  HnLending l = {.call = LEARN};
  HnStatus status;
  lend_batch(&l, &v, given, belief_widths(), w.bs.row_size);
  for (int64_t k = 0; k < given->phases; k++)
    if (w.what == HN_WATCH_MEMORY) v.view[k].aux = NULL;
  WATCHED(learn, false, &l, status = REAL(HnInference)->learn(self, &v.batch));
  return status;
}

static HnStatus inference_relabel(void *self, const HnHistory *given, void *state, HnRng *rng,
                                  float *reward) {
  HnHistory h = *given;
  HnLending l = {.call = RELABEL};
  HnStatus status;
  const gsize rows = (gsize)h.rows;
  hn_lend(&l, "state", &state, rows * w.bs.row_size, HN_LEND_INOUT, 0);
  hn_lend(&l, "rng", &rng, rows * sizeof(HnRng), HN_LEND_INOUT, 0);
  hn_lend(&l, "reward", &reward, rows * 4, HN_LEND_INOUT, 4);
  WATCHED(relabel, true, &l, status = REAL(HnInference)->relabel(self, &h, state, rng, reward));
  return status;
}

static void inference_destroy(void *self) {
  WATCHED(destroy, false, NULL, REAL(HnInference)->destroy(self));
}

static HnStatus inference_map(void *self, const float *belief, float *map) {
  HnLending l = {.call = MAP};
  HnStatus status;
  hn_lend(&l, "belief", &belief, (gsize)w.bs.belief_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "map", &map, (gsize)(w.bs.map_width * w.bs.map_height) * 4, HN_LEND_OUT, 4);
  WATCHED(map, true, &l, status = REAL(HnInference)->map(self, belief, map));
  return status;
}

static HnStatus inference_predict(void *self, const float *belief, int64_t samples, int64_t n,
                                  const float *action, float *mean, float *stddev, float *member) {
  HnLending l = {.call = PREDICT};
  HnStatus status;
  const gsize S = (gsize)MAX(samples, 1), out = (gsize)(n * w.bs.obs_dim) * 4;
  hn_lend(&l, "belief", &belief, S * (gsize)w.bs.belief_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "action", &action, (gsize)(n * w.bs.action_dim) * 4, HN_LEND_IN, 0);
  hn_lend(&l, "mean", &mean, out, HN_LEND_INOUT, 4);
  hn_lend(&l, "stddev", &stddev, out, HN_LEND_INOUT, 4);
  hn_lend(&l, "member", &member, S * out, HN_LEND_INOUT, 4);
  WATCHED(predict, true, &l,
          status =
              REAL(HnInference)->predict(self, belief, samples, n, action, mean, stddev, member));
  return status;
}

/* ---- policy ---- */

static HnStatus check_policy(const HnInstance *x, const void *spec) {
  return hn_spec_check_policy(x, spec);
}

static HnStatus policy_create(void *self, const HnHost *host, const void *params,
                              HnPolicySpec *spec) {
  HnStatus status;
  const HnHost *own = begin_create(host);
  const void *lent = params_of(params);
  WATCHED(create, false, NULL, status = REAL(HnPolicy)->create(self, own, lent, spec));
  w.ps = *spec;
  note_spec(status, check_policy, spec);
  return status;
}

static HnStatus policy_act(void *self, HnActBatch *given) {
  HnActBatch a = *given;
  HnLending l = {.call = ACT};
  HnStatus status;
  const gsize n = (gsize)a.rows, S = (gsize)MAX(a.samples, 1);
  const bool discrete = w.ps.action_count > 0;
  hn_lend(&l, "begin", &a.begin, n, HN_LEND_IN, 0);
  hn_lend(&l, "episode_step", &a.episode_step, n * sizeof(int64_t), HN_LEND_IN, 0);
  hn_lend(&l, "trial_step", &a.trial_step, n * sizeof(int64_t), HN_LEND_IN, 0);
  hn_lend(&l, "reward", &a.reward, n * 4, HN_LEND_IN, 0);
  hn_lend(&l, "obs", &a.obs, n * (gsize)w.ps.obs_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "belief", &a.belief, n * S * (gsize)w.ps.belief_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "state", &a.state, n * w.ps.row_size, HN_LEND_INOUT, 0);
  hn_lend(&l, "rng", &a.rng, n * sizeof(HnRng), HN_LEND_INOUT, 0);
  hn_lend(&l, "action", &a.action, n * (gsize)w.ps.action_dim * 4, HN_LEND_OUT, 4);
  hn_lend(&l, "action_index", &a.action_index, n * 4, discrete ? HN_LEND_OUT : HN_LEND_INOUT, 4);
  hn_lend(&l, "aux", &a.aux, n * (gsize)w.ps.aux_dim * 4, HN_LEND_OUT, 4);
  hn_lend(&l, "info", &a.info, n * w.instance->infos * 4, HN_LEND_OUT, 4);
  WATCHED(act, true, &l, status = REAL(HnPolicy)->act(self, &a));
  return status;
}

static const int64_t *policy_widths(void) {
  return widths(w.ps.obs_dim, w.ps.action_dim, w.ps.task_dim, w.ps.aux_dim);
}

static HnStatus policy_adapt(void *self, const HnHistory *given, void *state) {
  HnHistory h = *given;
  HnLending l = {.call = ADAPT};
  HnStatus status;
  hn_lend_history(&l, &h, policy_widths(), 0);
  hn_lend(&l, "state", &state, (gsize)h.rows * w.ps.row_size, HN_LEND_INOUT, 0);
  WATCHED(adapt, true, &l, status = REAL(HnPolicy)->adapt(self, &h, state));
  return status;
}

static HnStatus policy_learn(void *self, const HnTrainBatch *given) {
  HnStatus status;
  Windows v; /* its windows go back to the host, which knows them by their addresses */
  HnLending l = {.call = LEARN};
  if (!HN_CAN(given, backward) && w.what == HN_WATCH_MEMORY && !given->phase[0]->task)
    lend_batch(&l, &v, given, policy_widths(), 0);
  else
    v.batch = *given;
  WATCHED(learn, false, &l, status = REAL(HnPolicy)->learn(self, &v.batch));
  return status;
}

static void policy_destroy(void *self) {
  WATCHED(destroy, false, NULL, REAL(HnPolicy)->destroy(self));
}

static HnStatus policy_divergence(void *self, int64_t n, const float *obs, const float *belief_a,
                                  const float *belief_b, int64_t samples, float *kl) {
  HnLending l = {.call = DIVERGENCE};
  HnStatus status;
  const gsize count = (gsize)n, S = (gsize)MAX(samples, 1);
  hn_lend(&l, "obs", &obs, count * (gsize)w.ps.obs_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "belief_a", &belief_a, count * S * (gsize)w.ps.belief_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "belief_b", &belief_b, count * S * (gsize)w.ps.belief_dim * 4, HN_LEND_IN, 0);
  hn_lend(&l, "kl", &kl, count * 4, HN_LEND_INOUT, 4);
  WATCHED(divergence, true, &l,
          status = REAL(HnPolicy)->divergence(self, n, obs, belief_a, belief_b, samples, kl));
  return status;
}

/* ---- the twin ---- */

/* Each method that the real one has. */
#define TAKE(prefix, method) \
  if (HN_CAN(real, method)) twin.method = prefix##_##method;
#define TAKE_ENV(method, required, doc)       TAKE(env, method)
#define TAKE_INFERENCE(method, required, doc) TAKE(inference, method)
#define TAKE_POLICY(method, required, doc)    TAKE(policy, method)

static const HnEnv *env_methods(void) {
  static HnEnv twin;
  const HnEnv *real = w.real->methods;
  twin = (HnEnv){.struct_size = sizeof twin};
  HN_ENV_METHODS(TAKE_ENV)
  return &twin;
}

static const HnInference *inference_methods(void) {
  static HnInference twin;
  const HnInference *real = w.real->methods;
  twin = (HnInference){.struct_size = sizeof twin};
  HN_INFERENCE_METHODS(TAKE_INFERENCE)
  return &twin;
}

static const HnPolicy *policy_methods(void) {
  static HnPolicy twin;
  const HnPolicy *real = w.real->methods;
  twin = (HnPolicy){.struct_size = sizeof twin};
  HN_POLICY_METHODS(TAKE_POLICY)
  return &twin;
}

const HnPlugin *hn_watch(const HnPlugin *plugin, HnWatchFor what, GString *found) {
  w.real = plugin, w.what = what, w.found = found, w.twin = *plugin;
  w.blocks = g_array_new(FALSE, FALSE, sizeof(Block));
  w.twin.methods = plugin->kind == HN_KIND_ENV         ? (const void *)env_methods()
                   : plugin->kind == HN_KIND_INFERENCE ? (const void *)inference_methods()
                                                       : (const void *)policy_methods();
  if (what == HN_WATCH_PROCESS) hn_process_state_begin();
  hn_apart_explain = hn_lend_explain;
  return &w.twin;
}

/* hunch/plugin.h - the plugin ABI.  C11, no libraries: a plugin links to nothing.
 *
 * Growth.  Minor versions of the ABI only add: structs grow at their tail, by fields whose zero
 * means what was meant before they were there, so a plugin runs on every later minor of its major
 * version without being compiled again.  The descriptor says how long the plugin's structs are;
 * to the host all that lies behind their end is zero.  HN_CAN() asks whether an optional method is
 * there, HN_HAS() whether a field is.  (HnRng is frozen.)  The whole promise: docs/abi.md.
 *
 * Memory.  Four kinds, each with one owner:
 *   kept     host->keep, in create    weights, moments, replay: saved, restored by name
 *   row      row_size bytes a row     what an env, a belief or a policy remembers about
 *                                     one row; lives with the host, plain bytes, no pointers
 *   alloc    host->alloc, in create   gradients, caches: never saved, derivable from the rest
 *   scratch  host->scratch            until the running call returns
 * The host zeroes row memory at HN_NEW_TASK, copies it to snapshot, evaluates on other
 * rows than it trains on, and saves it.  Kept + row memory is all there is to save.
 *
 * Threads.  [create] only inside create.  [any] any thread, concurrently.  [instance] any
 * thread, never two calls at once on one instance.  [rows] several calls at once on one
 * instance, each on rows of its own: self is read, never written.  So acting cannot
 * learn, and one instance serves any batch size.  (A plugin with HN_ROW_CACHE may also write a
 * cache indexed by row, such as one simulator a row, for the rows of the call.)
 *
 * Ownership.  Every pointer that a call receives is the caller's and lent until it returns, unless
 * its comment says longer.  A plugin that writes to a const array, which may lie on pages that
 * cannot be written to, ends its cell.  Every string that a plugin gives lives as
 * long as the plugin is loaded, unless its comment says shorter.
 *
 * Outputs are finite, or the host fails the call by name; NaN in `info` says that there is nothing
 * to say.
 *
 * Row results must not depend on which rows share a call: the host splits as it likes. */
#ifndef HUNCH_PLUGIN_H
#define HUNCH_PLUGIN_H

#include "rng.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HN_ABI_MAJOR 1
#define HN_ABI_MINOR 3
#define HN_ABI       (((uint32_t)HN_ABI_MAJOR << 16) | HN_ABI_MINOR)

#define HN_EXPORT       __attribute__((visibility("default")))
#define HN_PRINTF(f, a) __attribute__((format(printf, f, a)))
/* Whether a struct that the other side may have compiled shorter reaches to the end of a field. */
#define HN_HAS(p, field) \
  ((size_t)((const char *)(&(p)->field + 1) - (const char *)(p)) <= (p)->struct_size)
#define HN_CAN(p, method) (HN_HAS(p, method) && (p)->method)

/* Result of a fallible call: HN_OK, or why not.  The text goes to host->fail. */
typedef int32_t HnStatus;
enum {
  HN_OK = 0,
  HN_E_PARAM = 1,       /* parameters are each in range but contradict each other */
  HN_E_SHAPE = 2,       /* dimensions do not fit this plugin */
  HN_E_NUMERIC = 3,     /* NaN, Inf, or a matrix that is not positive definite */
  HN_E_IO = 4,          /* a file the plugin needs cannot be read */
  HN_E_UNSUPPORTED = 5, /* valid request, not implemented */
};

/* ---- memory that is saved ---- */

typedef int32_t HnRole;
enum {
  HN_WEIGHT = 1,  /* read when acting: weights, normalisers.  Hashed into trace.bin; can be
                     loaded by name into another plugin that keeps the same names */
  HN_LEARNER = 2, /* read only when learning: optimiser moments, counters, schedules */
  HN_REPLAY = 3,  /* experience */
};
typedef int32_t HnType;
enum { HN_F32 = 1, HN_F64 = 2, HN_I32 = 3, HN_I64 = 4, HN_U8 = 5 };

typedef struct HnArray {
  uint32_t struct_size;
  const char *name; /* unique in the plugin; the host prefixes the kind */
  HnRole role;
  HnType type;
  int64_t rank, dim[4]; /* row-major */
  float **grad;         /* in: where to put the address of a zeroed gradient of the same
                           shape (F32), or NULL.  Never saved; gradient checks read it */
  int64_t *used;        /* rows of dim[0] in use, or NULL if always all: only these are
                           saved, and load sets it.  dim[0] is the capacity */
  int64_t low, end;     /* I32, I64, U8: its values are in [low, end), and a checkpoint that holds
                           another is refused by name; low == end: any value.  For indices,
                           cursors and counts: what is loaded is then safe to index with */
} HnArray;

/* host->keep(host, HN_ARRAY("w", HN_WEIGHT, HN_F32, .rank = 2, .dim = {n, m})) */
#define HN_ARRAY(name_, role_, type_, ...) \
  (&(const HnArray){                       \
      .struct_size = sizeof(HnArray), .name = name_, .role = role_, .type = type_, __VA_ARGS__})

/* ---- what the host lends to one plugin instance; valid until destroy returns ---- */

typedef HnStatus HnTask(void *arg, int64_t i);
typedef struct HnHost HnHost;
struct HnHost {
  uint32_t struct_size;
  uint32_t abi;
  void *impl;
  /* count * size bytes, zeroed, 64-byte aligned, freed by the host after destroy.
   * Never NULL; overflow aborts the run, here and below.  [create] */
  void *(*alloc)(const HnHost *host, int64_t count, size_t size);
  /* As alloc, and saved: see HnArray.  Fill it in create; a resumed run overwrites it.  [create] */
  void *(*keep)(const HnHost *host, const HnArray *array);
  /* As alloc, not zeroed, until the plugin function or HnTask that took it returns (so take
   * it outside loops); taken in an inference's forward, until the backward has returned.
   * [any] */
  void *(*scratch)(const HnHost *host, int64_t count, size_t size);
  /* Runs task(arg, 0) .. task(arg, count-1) on the workers, in any order; returns the
   * failure of lowest i.  Same bits for any number of workers if `count` is independent of
   * it and results are reduced by i.  [instance] */
  HnStatus (*parallel)(const HnHost *host, int64_t count, HnTask *task, void *arg);
  /* Records the reason, returns `status` unchanged.  [any] */
  HnStatus (*fail)(const HnHost *host, HnStatus status, const char *format, ...) HN_PRINTF(3, 4);
  /* One line to the run's log.  [any] */
  void (*log)(const HnHost *host, const char *format, ...) HN_PRINTF(2, 3);
  /* One number for column `metric` of HnPlugin.metrics, averaged per iteration.  [instance] */
  void (*metric)(const HnHost *host, int32_t metric, double value);
};

/* ---- parameters: one table is the struct, the YAML schema, `inspect`, the docs ---- */

typedef int32_t HnParamKind;
/* A FILE is a text too: the full path of a regular file that was there when the study was read, or
 * "". A study writes it relative to its own folder; what is in the file is part of a cell's
 * identity. */
enum { HN_REAL = 1, HN_INT = 2, HN_FLAG = 3, HN_TEXT = 4, HN_CHOICE = 5, HN_FILE = 6 };

typedef struct HnParam {
  const char *name, *unit, *doc;
  HnParamKind kind;
  uint32_t offset;            /* of the field in the plugin's params struct */
  double preset, low, high;   /* REAL, INT, FLAG; bounds are inclusive */
  const char *text, *choices; /* TEXT, CHOICE: default; "a|b|c".  FILE: "", no file */
} HnParam;

#define HN_FIELD_real(n, ...)                double n;
#define HN_FIELD_int(n, ...)                 int64_t n;
#define HN_FIELD_flag(n, ...)                bool n;
#define HN_FIELD_text(n, ...)                const char *n;
#define HN_FIELD_choice(n, ...)              int32_t n;
#define HN_FIELD_file(n, ...)                const char *n;
#define HN_FIELD(kind, name, unit, doc, ...) HN_FIELD_##kind(name, __VA_ARGS__)

#define HN_ROW_real(T, n, u, d, p, lo, hi) \
  {#n, u, d, HN_REAL, offsetof(T, n), p, lo, hi, NULL, NULL},
#define HN_ROW_int(T, n, u, d, p, lo, hi)  {#n, u, d, HN_INT, offsetof(T, n), p, lo, hi, NULL, NULL},
#define HN_ROW_flag(T, n, u, d, p)         {#n, u, d, HN_FLAG, offsetof(T, n), p, 0, 1, NULL, NULL},
#define HN_ROW_text(T, n, u, d, p)         {#n, u, d, HN_TEXT, offsetof(T, n), 0, 0, 0, p, NULL},
#define HN_ROW_choice(T, n, u, d, p, c)    {#n, u, d, HN_CHOICE, offsetof(T, n), 0, 0, 0, p, c},
#define HN_ROW_file(T, n, u, d, p)         {#n, u, d, HN_FILE, offsetof(T, n), 0, 0, 0, p, NULL},
#define HN_ROW(kind, name, unit, doc, ...) HN_ROW_##kind(HnThisParams, name, unit, doc, __VA_ARGS__)

/* HN_PARAMS(TABLE) defines `HnThisParams` and its schema from an X-macro TABLE(X), which
 * may be empty. */
#define HN_PARAMS(TABLE)        \
  typedef struct HnThisParams { \
    TABLE(HN_FIELD)             \
    char hn_end;                \
  } HnThisParams;               \
  HN_SCHEMA_(TABLE)
/* HN_PARAMS_OF(Struct, TABLE): the same for a struct that the plugins of a family share.  TABLE
 * lists those of its fields that this plugin has, in their order; the others are 0. */
#define HN_PARAMS_OF(Struct, TABLE) \
  typedef Struct HnThisParams;      \
  HN_SCHEMA_(TABLE)
#define HN_SCHEMA_(TABLE)                   \
  static const HnParam hn_this_params[] = { \
      TABLE(HN_ROW){NULL, NULL, NULL, 0, 0, 0, 0, 0, NULL, NULL}}

/* ---- columns: the named numbers a plugin reports, declared so that CSV headers,
 * `inspect` and the docs know them before the first step ---- */

typedef int32_t HnFold; /* how the steps of an episode become one number */
enum { HN_MEAN = 1, HN_SUM = 2, HN_MAX = 3, HN_LAST = 4 };

typedef struct HnColumn { /* tables end at name == NULL */
  const char *name, *unit, *doc;
  HnFold fold;
} HnColumn;

/* HN_INFO(TABLE): per row and step, e.g. X(success, "", "Goal reached.", HN_MAX); written to
 * the `info` array of a call at index info_success.  HN_METRICS(TABLE): per update, e.g.
 * X(kl, "nats", "Old to new policy.", HN_MEAN); reported by host->metric(host, metric_kl, v). */
#define HN_COLUMN_(n, u, d, f) {#n, u, d, f},
#define HN_INFO_(n, ...)       info_##n,
#define HN_METRIC_(n, ...)     metric_##n,
#define HN_INFO(TABLE)                 \
  enum { TABLE(HN_INFO_) info_count }; \
  static const HnColumn hn_this_info[] = {TABLE(HN_COLUMN_){NULL, NULL, NULL, 0}}
#define HN_METRICS(TABLE)                  \
  enum { TABLE(HN_METRIC_) metric_count }; \
  static const HnColumn hn_this_metrics[] = {TABLE(HN_COLUMN_){NULL, NULL, NULL, 0}}

/* ---- the descriptor: pure data, so `inspect` runs no plugin code ---- */

typedef int32_t HnKind;
enum { HN_KIND_ENV = 1, HN_KIND_INFERENCE = 2, HN_KIND_POLICY = 3 };

typedef struct HnPlugin {
  uint32_t struct_size, abi;
  HnKind kind;
  const char *name;    /* = file stem = name in YAML */
  const char *summary; /* one sentence */
  const char *source;  /* paper or URL the method is taken from */
  const char *version, *license;
  const void *methods; /* HnEnv, HnInference or HnPolicy, by kind */
  size_t self_size;    /* bytes of zeroed instance state the host allocates */
  size_t params_size;
  const HnParam *params;
  uint32_t param_count, param_stride;
  uint32_t flags;                 /* HN_PRIVILEGED, HN_ROW_CACHE, .. */
  const HnColumn *info, *metrics; /* or NULL */
  /* Parameters that were called otherwise, "old:new old:new", or NULL: a configuration that still
   * says the old name gets an error that names the new one. */
  const char *renamed;
  uint64_t kit_layout; /* HN_KIT_LAYOUT of the kit's headers it was compiled with; 0: none */
  /* Bytes of structs that it hands to the host, in tables or after having copied one of the host's;
   * see HN_PLUGIN_SIZES. */
  uint32_t column_stride, history_size, env_batch_size; /* the last: 0 without env.h */
  uint32_t drafts; /* number of the drafts of methods it was compiled with; 0: none */
} HnPlugin;

/* Flags of a plugin. */
enum {
  HN_PRIVILEGED = 1, /* reads HnHistory.task; shown by inspect, recorded with every result */
  HN_ROW_CACHE = 2,  /* an environment that keeps a cache with a slot a row: see HnEnvBatch.first */
  HN_STOCHASTIC = 4, /* a policy that has no greedy action: it draws in evaluation too */
  HN_WRAPPER = 8,    /* an environment that holds another: see HnInner */
  /* A policy that reads no belief in act, adapt or learn (asking HnTrainBatch.infer is no reading);
   * an inference whose learn does not read HnHistory.belief, as one without learn cannot.  Under
   * two that say so, and without relabel, training infers only what row memory needs, and
   * HnHistory.belief is not written.  Not set (as before 1.2): may read. */
  HN_IGNORES_BELIEF = 16,
};

/* What HN_PLUGIN says of the kit; the kit's headers replace it. */
#ifndef HN_PLUGIN_KIT_LAYOUT
#  define HN_PLUGIN_KIT_LAYOUT 0
#endif
/* Likewise env.h, where HnEnvBatch is. */
#ifndef HN_PLUGIN_ENV_BATCH_SIZE
#  define HN_PLUGIN_ENV_BATCH_SIZE 0
#endif
/* Likewise headers of hunch/draft. */
#ifndef HN_PLUGIN_DRAFTS
#  define HN_PLUGIN_DRAFTS 0
#endif

/* What a descriptor says of the headers that it was compiled with. */
#define HN_PLUGIN_SIZES                                                            \
  .struct_size = sizeof(HnPlugin), .abi = HN_ABI, .param_stride = sizeof(HnParam), \
  .column_stride = sizeof(HnColumn), .history_size = sizeof(HnHistory),            \
  .env_batch_size = HN_PLUGIN_ENV_BATCH_SIZE, .kit_layout = HN_PLUGIN_KIT_LAYOUT,  \
  .drafts = HN_PLUGIN_DRAFTS

/* HN_PLUGIN(name, kind, SelfType, &methods, .summary = ..., ...) after HN_PARAMS.
 * libltdl resolves "hn_plugin" in foo.so as foo_LTX_hn_plugin: one spelling
 * serves dlopen, preloading and plain static linking, with no symbol clash. */
#define HN_PLUGIN(id, kind_, Self, methods_, ...)                                                \
  extern HN_EXPORT const HnPlugin id##_LTX_hn_plugin;                                            \
  const HnPlugin id##_LTX_hn_plugin = {HN_PLUGIN_SIZES,                                          \
                                       .kind = kind_,                                            \
                                       .name = #id,                                              \
                                       .methods = methods_,                                      \
                                       .self_size = sizeof(Self),                                \
                                       .params_size = sizeof(HnThisParams),                      \
                                       .params = hn_this_params,                                 \
                                       .param_count =                                            \
                                           sizeof hn_this_params / sizeof hn_this_params[0] - 1, \
                                       __VA_ARGS__}

/* ---- experience: what inference and policy share ---- */

/* Where a row stands at a time.  A new task is always a new episode. */
enum { HN_KEEP = 0, HN_NEW_EPISODE = 1, HN_NEW_TASK = 2 };

/* A window of experience: T steps of B rows, time-major, lent for the call.
 *
 *   time   0      1      2   ..      T     begin, obs, belief, task   [T+1, B, ..]
 *            \   / \   / \         /
 *   step -1    0     1     ..   T-1        action .. aux              [T, B, ..]
 *
 * Step t leads from time t to time t+1.  Where begin[t+1] is HN_NEW_TASK, step t ended the old
 * task.  Acting sees windows of T = 0: one time and step -1.
 * In windows of the host every array also has an element at t = -1: the step before the window and
 * the observation it was taken on; where begin[0] is HN_NEW_TASK they belong to another task.  The
 * host gives both action and action_index; which of them is meant, action_count says.
 * Element (t, i) is at hn_at(h, t, i); in learn and forward stride == rows: arrays are dense. */
typedef struct HnHistory {
  uint32_t struct_size;
  int64_t steps, rows, stride; /* T, B, elements from t to t+1 */
  const uint8_t *begin;        /* HN_KEEP, HN_NEW_EPISODE, HN_NEW_TASK */
  const float *obs;            /* [.., obs_dim] o_t, after any reset */
  const float *action;         /* [.., action_dim] a_t as the policy chose it (continuous) */
  const int32_t *action_index; /* [..] a_t (discrete) */
  const float *reward;         /* [..] as the learner sees it, perhaps relabelled */
  const float *true_reward;    /* [..] as the environment gave it */
  const float *next_obs;     /* [.., obs_dim] the observation that step t led to, before a reset */
  const uint8_t *terminated; /* [..] true terminal state; bootstrap unless set */
  const uint8_t *truncated;  /* [..] episode ended by the horizon or by the environment's limit */
  const float *task;         /* [.., task_dim] NULL unless the plugin is HN_PRIVILEGED */
  /* From acting; NULL in a window that a plugin made itself. */
  const void *state;   /* [B] inference row memory just before time 0; NULL: start at the prior */
  int64_t samples;     /* S */
  const float *belief; /* [.., max(S, 1), belief_dim] as acted on; see HN_IGNORES_BELIEF */
  const float *aux;    /* [.., aux_dim] what the policy stored beside each action */
  /* [B] steps of each row that were lived; what follows them fills the window up, and counts in no
   * loss.  NULL: all were.  Since 1.3. */
  const int64_t *length;
} HnHistory;

static inline int64_t hn_at(const HnHistory *h, int64_t t, int64_t row) {
  return t * h->stride + row;
}

/* Steps of a row that were lived. */
static inline int64_t hn_row_steps(const HnHistory *h, int64_t row) {
  return h->length ? h->length[row] : h->steps;
}

/* Those of all rows, over which a loss of a window is a mean. */
static inline int64_t hn_lived_steps(const HnHistory *h) {
  int64_t sum = h->length ? 0 : h->steps * h->rows;
  for (int64_t i = 0; h->length && i < h->rows; i++) sum += h->length[i];
  return sum;
}

/* Training batch of one iteration: the experience and, for a policy, the backward pass through the
 * inference network.
 * A policy's learn reads top to bottom:
 *
 *   epochs: minibatches: mb = rows(..); infer(mb) -> own loss -> backward; step both
 *
 * infer is always there for a policy; backward and step are NULL when gradients stop at
 * the belief, by the method's nature or by the experiment: then read phase[]->belief. */
typedef struct HnTrainBatch HnTrainBatch;
struct HnTrainBatch {
  uint32_t struct_size;
  void *impl;
  int64_t iteration, frames; /* from 0; environment steps so far */
  /* Environment steps at the end of the run, for schedules over its whole length.  A run that asked
   * is not prolonged: what it learnt would have been other in a longer one.  [instance] */
  int64_t (*frames_total)(const HnTrainBatch *l);
  HnRng *rng; /* the random stream of this learner */
  int64_t phases;
  const HnHistory *const *phase; /* [phases] windows of the same rows, one after another */
  /* Gathers n rows of a phase into dense arrays, valid until the next call.  [instance] */
  const HnHistory *(*rows)(const HnTrainBatch *l, int64_t phase, int64_t n, const int64_t *index);
  /* belief [T+1, B, max(S, 1), D] along h under the current weights, from h->state.  h may
   * be any window: gathered rows, or context from a replay.  Along a phase, or rows gathered from
   * one, samples are those acted on: drawn again with the same numbers.  [instance] */
  HnStatus (*infer)(const HnTrainBatch *l, const HnHistory *h, int64_t samples, float *belief);
  /* Takes dL/dbelief of the last infer, in its shape; adds to inference's gradients.  L is
   * a mean over the window's rows and steps, as is the loss that the inference adds, over those
   * that were lived (hn_lived_steps).
   * norm2: out, squared norm of all of them, for a joint clip.  May be NULL.  [instance] */
  HnStatus (*backward)(const HnTrainBatch *l, const float *d_belief, double *norm2);
  /* Inference steps its optimiser on scale * gradient, at rate times its own learning rate (so
   * the policy owns the schedule), and clears the gradient.  May be NULL.  [instance] */
  HnStatus (*step)(const HnTrainBatch *l, double scale, double rate);
};

#ifdef __cplusplus
}
#  include "cplusplus.h"
#endif
#endif

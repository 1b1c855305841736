/* faulty_env.c - see faulty.h. */
#include "faulty.h"
#include "misbehave.h"
#include <math.h>

/* clang-format off */
#define OWN_FAULTS(X) \
  X(rows_mix) X(keep_moves) X(keep_shows) X(goes_on) X(forgets_task) X(own_task) X(scratch) \
  X(silent) X(silent_obs) X(silent_reward) X(silent_task) X(nan) X(inf_obs) X(bad_terminated) \
  X(bad_truncated) X(unsaved) X(slot) X(batch_size) X(first_row) X(thread_identity) \
  X(info_beyond) X(obs_beyond) X(obs_before) X(clips_action) X(clears_begin) X(keeps_pointer) \
  X(numbers_none) X(same_tasks) X(stream_task) X(obs_negative) X(obs_huge) X(no_actions) \
  X(both_actions) X(no_horizon) X(split_twice) X(split_empty) X(tasks_negative) X(bad_name) \
  X(bad_seconds) X(row_huge) X(looks_up_action) X(rejects_action) X(wraps_action) \
  X(query_other) X(query_order) X(query_noise)
/* clang-format on */
#define PARAMS(X)                                \
  X(choice, fault, "", "What is wrong.", "none", \
    "none" COMMON_FAULTS(FAULT_CHOICE_) OWN_FAULTS(FAULT_CHOICE_))
HN_PARAMS(PARAMS);
#define INFO(X) X(position, "", "Position.", HN_LAST)
HN_INFO(INFO);
enum { FAULT_NONE, COMMON_FAULTS(FAULT_ID_) OWN_FAULTS(FAULT_ID_) };
#define NAME_(name) #name,
static const char *const names[] = {"none", COMMON_FAULTS(NAME_) OWN_FAULTS(NAME_)};
enum { TASKS = 3 };

typedef struct Env {
  const HnThisParams *p;
  const HnHost *host;
  uint64_t instance; /* differs between instances */
  double scratch, calls;
  float *allocated;
  int64_t *kept;
  pthread_t home;
} Env;
typedef struct Row {
  double x, task;
  void *address;
} Row;

static void state_wrong(int32_t fault, HnEnvSpec *spec) {
  if (fault == F_obs_negative) spec->obs_dim = -1;
  if (fault == F_obs_huge) spec->obs_dim = (int64_t)1 << 40;
  if (fault == F_no_actions) spec->action_dim = 0;
  if (fault == F_both_actions) spec->action_count = 2;
  if (fault == F_no_horizon) spec->horizon = 0;
  if (fault == F_split_twice) spec->splits = "train|test|train";
  if (fault == F_split_empty) spec->splits = "train||test";
  if (fault == F_bad_seconds) spec->step_seconds = NAN;
  if (fault == F_row_huge) spec->row_size = SIZE_MAX;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  static uint64_t instances;
  Env *e = self;
  e->p = params, e->host = host, e->instance = instances++, e->home = pthread_self();
  e->allocated = host->alloc(host, 1, sizeof *e->allocated);
  e->kept = host->keep(host, HN_ARRAY("kept", HN_LEARNER, HN_I64, .rank = 1, .dim = {1}));
  misbehave_early(e->p->fault, names, host);
  spec->obs_dim = 1, spec->action_dim = 1, spec->task_dim = 1, spec->horizon = 6;
  spec->row_size = sizeof(Row);
  state_wrong(e->p->fault, spec);
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  const int32_t fault = ((const Env *)self)->p->fault;
  (void)split;
  return fault == F_tasks_negative ? -1 : fault == F_numbers_none ? 0 : TASKS;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  const int32_t fault = ((const Env *)self)->p->fault;
  (void)split;
  return fault == F_bad_name && k == 1 ? "\xff" : "";
}

static void begin_task(const Env *e, HnEnvBatch *b, int64_t i, Row *row) {
  const int32_t fault = e->p->fault;
  if (b->task_index[i] < 0) b->task_index[i] = hn_rng_below(&b->rng[i], TASKS);
  row->task = (double)b->task_index[i];
  if (fault == F_own_task) row->task += (double)e->instance;
  if (fault == F_same_tasks) row->task = 1;
  if (fault == F_stream_task) row->task += hn_rng_uniform(&b->rng[i], 0, 0.5);
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const Env *e = self;
  const int32_t fault = e->p->fault;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_KEEP && fault == F_keep_moves) row->x += 1;
    if (b->begin[i] == HN_KEEP && fault == F_keep_shows) b->obs[i] = (float)(row->x + 1);
    if (b->begin[i] == HN_KEEP) continue;
    if (b->begin[i] == HN_NEW_TASK)
      begin_task(e, b, i, row);
    else if (fault == F_forgets_task)
      row->task = hn_rng_uniform(&b->rng[i], 0, 1);
    if (fault != F_goes_on || b->begin[i] == HN_NEW_TASK) row->x = hn_rng_normal(&b->rng[i]);
    if (fault != F_silent_task) b->task[i] = (float)row->task;
    b->obs[i] = (float)row->x;
  }
  if (fault == F_clears_begin) memset((void *)(uintptr_t)b->begin, 0, (size_t)b->rows);
  return HN_OK;
}

static double force_of(int32_t fault, const float *action) {
  static double table[3] = {-1, 0, 1};
  double a = (double)*action;
  if (fault == F_looks_up_action) a = table[(int64_t)fmin(a + 1, 1e12)];
  if (fault == F_rejects_action && !(fabs(a) <= 1)) abort();
  while (fault == F_wraps_action && !(a <= 1)) a -= 2;
  if (fault == F_clips_action) *(float *)(uintptr_t)action = fminf(*action, 0.5f);
  return a;
}

/* What is written where nothing is to be written. */
static void go_beyond(int32_t fault, HnEnvBatch *b) {
  static float *before;
  if (fault == F_info_beyond) b->info[b->rows] = 0;
  if (fault == F_obs_beyond) b->obs[b->rows] = 0;
  if (fault == F_obs_before) b->obs[-1] = 0;
  if (fault == F_keeps_pointer && before) *before = 0;
  before = b->obs;
}

static double disturb(Env *e, const HnEnvBatch *b, int64_t i, Row *row) {
  const Misbehaving m = {e->host, e->p, &e->calls, e->allocated, e->kept, &row->address};
  const int32_t fault = e->p->fault;
  double more = misbehave(fault, names, &m);
  if (fault == F_rows_mix && i > 0) more += 0.01 * row[-1].x;
  if (fault == F_unsaved) more += 0.01 * ++e->calls;
  if (fault == F_slot) more += 0.1 * (double)(b->first + i);
  if (fault == F_batch_size) more += 0.1 * (double)b->rows;
  if (fault == F_first_row && i == 0) more += 0.1;
  if (fault == F_thread_identity && is_stranger(e->home)) more += 0.1;
  if (fault == F_scratch) { /* another call overwrites it meanwhile */
    e->scratch = row->x;
    nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    row->x = e->scratch;
  }
  return more;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  Env *e = self;
  const int32_t fault = e->p->fault;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    row->x += 0.1 * force_of(fault, b->action + i) + 0.1 * row->task + disturb(e, b, i, row);
    if (fault != F_silent_obs) b->obs[i] = fault == F_inf_obs ? INFINITY : (float)row->x;
    if (fault == F_query_noise) b->obs[i] += (float)hn_rng_uniform(&b->rng[i], 0, 0.2);
    if (fault != F_silent_reward) b->reward[i] = fault == F_nan ? NAN : (float)-fabs(row->x);
    if (fault == F_bad_terminated) b->terminated[i] = 2;
    if (fault == F_bad_truncated) b->truncated[i] = 255;
    if (fault != F_silent) b->info[i] = (float)row->x;
  }
  go_beyond(fault, b);
  return HN_OK;
}

static HnStatus query(void *self, const void *state, int64_t n, const float *action, float *obs) {
  const Row *row = state;
  const int32_t fault = ((const Env *)self)->p->fault;
  for (int64_t k = 0; k < n; k++) {
    obs[k] = (float)(row->x + 0.1 * (double)action[k] + 0.1 * row->task);
    if (fault == F_query_other) obs[k] += 0.01f;
    if (fault == F_query_order && k > 0) obs[k] += 0.01f * action[k - 1];
  }
  return HN_OK;
}

static const HnEnv methods = {sizeof(HnEnv), .create = create,         .reset = reset,
                              .step = step,  .task_count = task_count, .task_name = task_name,
                              .query = query};
HN_PLUGIN(faulty_env, HN_KIND_ENV, Env, &methods, .version = "1", .license = "MIT",
          .info = hn_this_info, .summary = "Faulty on request.", .source = "tests");

static const HnColumn taken[] = {{"reward", "", "The host has it.", HN_LAST},
                                 {NULL, NULL, NULL, 0}};
HN_PLUGIN(faulty_column, HN_KIND_ENV, Env, &methods, .version = "1", .license = "MIT",
          .info = taken, .summary = "Has a column of the host's.", .source = "tests");

/* faulty_env.c - see faulty.h. */
#include "faulty.h"
#include <stdlib.h>
#include <time.h>

#define FAULTS    "none|rows_mix|keep_moves|goes_on|forgets_task|own_task|scratch|silent|nan|unsaved"
#define PARAMS(X) X(choice, fault, "", "What is wrong.", "none", FAULTS)
HN_PARAMS(PARAMS);
#define INFO(X) X(position, "", "Position.", HN_LAST)
HN_INFO(INFO);
enum {
  NONE,
  ROWS_MIX,
  KEEP_MOVES,
  GOES_ON,
  FORGETS_TASK,
  OWN_TASK,
  SCRATCH,
  SILENT,
  NOT_FINITE,
  UNSAVED
};
enum { TASKS = 3 };

typedef struct Env {
  const HnThisParams *p;
  uint64_t instance; /* differs between instances */
  double scratch, calls;
} Env;
typedef struct Row {
  double x, task;
} Row;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  static uint64_t instances;
  Env *e = self;
  (void)host;
  e->p = params, e->instance = instances++;
  spec->obs_dim = 1, spec->action_dim = 1, spec->task_dim = 1, spec->horizon = 6;
  spec->row_size = sizeof(Row);
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  return (void)self, (void)split, TASKS;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const Env *e = self;
  const int32_t fault = e->p->fault;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_KEEP && fault == KEEP_MOVES) row->x += 1;
    if (b->begin[i] == HN_KEEP) continue;
    if (b->begin[i] == HN_NEW_TASK) {
      if (b->task_index[i] < 0) b->task_index[i] = hn_rng_below(&b->rng[i], TASKS);
      row->task = (double)b->task_index[i] + (fault == OWN_TASK ? (double)e->instance : 0);
    } else if (fault == FORGETS_TASK)
      row->task = hn_rng_uniform(&b->rng[i], 0, 1);
    if (fault != GOES_ON || b->begin[i] == HN_NEW_TASK) row->x = hn_rng_normal(&b->rng[i]);
    b->task[i] = (float)row->task, b->obs[i] = (float)row->x;
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  Env *e = self;
  const int32_t fault = e->p->fault;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    row->x += 0.1 * (double)b->action[i] + 0.1 * row->task;
    if (fault == ROWS_MIX && i > 0) row->x += 0.01 * row[-1].x;
    if (fault == UNSAVED) row->x += 0.01 * ++e->calls;
    if (fault == SCRATCH) { /* another call overwrites it meanwhile */
      e->scratch = row->x;
      nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
      row->x = e->scratch;
    }
    b->obs[i] = (float)row->x;
    b->reward[i] = fault == NOT_FINITE ? NAN : (float)-fabs(row->x);
    if (fault != SILENT) b->info[i] = (float)row->x;
  }
  return HN_OK;
}

static const HnEnv methods = {sizeof(HnEnv), .create = create, .reset = reset, .step = step,
                              .task_count = task_count};
HN_PLUGIN(faulty_env, HN_KIND_ENV, Env, &methods, .version = "1", .license = "MIT",
          .info = hn_this_info, .summary = "Faulty on request.", .source = "tests");

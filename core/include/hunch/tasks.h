/* hunch/tasks.h - tasks that have a number, for environments: the number of the task a row begins,
 * and the random stream from which a numbered task is drawn.  Using it is a choice; it keeps what
 * HnEnv.reset asks: task k of a split is the same in every run.
 *
 *   HnRng own;
 *   HnStatus s = hn_task_settle(host, batch, i, count);
 *   if (!s) row->x = hn_rng_uniform(hn_task_stream(batch, i, &own), 0, 1); */
#ifndef HUNCH_TASKS_H
#define HUNCH_TASKS_H
#include "env.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Settles batch->task_index[i] at HN_NEW_TASK, where the split has tasks 0 .. count - 1: a number
 * that was asked for is checked, and -1 is replaced by one drawn from rng[i].  With a count of 0,
 * tasks have no number and -1 stays.
 * Errors: HN_E_PARAM, a number that the split does not have.  [rows] */
static inline HnStatus hn_task_settle(const HnHost *host, const HnEnvBatch *batch, int64_t i,
                                      int64_t count) {
  int64_t *k = &batch->task_index[i];
  if (*k < 0 && count > 0) *k = hn_rng_below(&batch->rng[i], count);
  if (*k < count || *k < 0) return HN_OK;
  return host->fail(host, HN_E_PARAM, "no task %lld: there are %lld, from 0", (long long)*k,
                    (long long)count);
}

/* The stream that row i draws its task from, after hn_task_settle: for task k of a split one of its
 * own, written to *own, which depends on seed, split and k alone; for a task without a number
 * rng[i].  What is drawn beside the environment's task, as by a wrapper, takes another seed.
 * [rows] */
static inline HnRng *hn_task_stream_of(uint64_t seed, const HnEnvBatch *batch, int64_t i,
                                       HnRng *own) {
  if (batch->task_index[i] < 0) return &batch->rng[i];
  *own = hn_rng(seed, (uint64_t)batch->split << 40 | (uint64_t)batch->task_index[i]);
  return own;
}

/* The environment's own. [rows] */
static inline HnRng *hn_task_stream(const HnEnvBatch *batch, int64_t i, HnRng *own) {
  return hn_task_stream_of(UINT64_C(0x7461736b206e6f2e), batch, i, own); /* "task no." */
}

#ifdef __cplusplus
}
#endif
#endif

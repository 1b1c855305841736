/* tasks.h - tasks with a number: which one a row is to have, and the stream that a task of a
 * continuous distribution is drawn from.  For plugins of this folder. */
#ifndef NUMBERED_H
#define NUMBERED_H
#include <hunch/env.h>

/* Draws row i's task_index where none is asked for and the split numbers `count` tasks; with a
 * count of 0 it stays -1.  Errors: HN_E_PARAM, a number that the split does not have. */
static inline HnStatus numbered_settle(const HnHost *host, const HnEnvBatch *b, int64_t i,
                                       int64_t count) {
  int64_t *k = &b->task_index[i];
  if (*k < 0 && count > 0) *k = hn_rng_below(&b->rng[i], count);
  if (*k < count || *k < 0) return HN_OK;
  return host->fail(host, HN_E_PARAM, "no task %lld: there are %lld, from 0", (long long)*k,
                    (long long)count);
}

/* What row i draws its task from: task k of a split from a stream of its own, made in *own, the
 * same in every run; a task without a number from the row's stream. */
static inline HnRng *numbered_stream(const HnEnvBatch *b, int64_t i, HnRng *own) {
  if (b->task_index[i] < 0) return &b->rng[i];
  *own = hn_rng(UINT64_C(0x7461736b206e6f2e), /* "task no." */
                (uint64_t)b->split << 40 | (uint64_t)b->task_index[i]);
  return own;
}
#endif

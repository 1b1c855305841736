/* attend.h - the kernels of hn_attention, compiled once per instruction set. */
#ifndef HN_KIT_ATTEND_H
#define HN_KIT_ATTEND_H
#include "hunch/kit/attention.h"
#include "isa.h"

enum { HN_ATTEND_LANES = 16 }; /* at least as many as any set has */

/* Sequences go through the kernels in blocks of as many as a vector has lanes: [.., lanes] below.
 */
typedef struct HnAttendArgs {
  int64_t heads, size; /* heads; numbers of each: d = heads size */
  int64_t sequences, slots;
  int64_t first;      /* the first slot that asks: 0, or slots - 1 */
  bool causal;        /* a slot sees no later ones */
  const float *x;     /* [.., 3 d] queries, keys, values */
  const int32_t *row; /* [sequences, slots] rows of x, or below 0: empty; NULL: in order */
  float *y;           /* [sequences, slots - first, d] out */
  float *p; /* [blocks, heads, slots - first, slots, lanes] weights: out; of back, in, and spoilt */
  const float *dy;
  float *dx;   /* [.., 3 d] added to, sequence by sequence and slot by slot */
  bool sets;   /* dx is set instead: it has a row for each slot, in order, and holds nothing yet */
  float *room; /* hn_attend_room() numbers; NULL where those are no more than HN_ATTEND_SMALL */
} HnAttendArgs;
enum { HN_ATTEND_SMALL = 16384, HN_ATTEND_TOGETHER = 256 };

/* Ten arrays of the heads that go together: a slot's numbers of them, times lanes, are no more than
 * HN_ATTEND_TOGETHER, or one head's. */
static inline int64_t hn_attend_room(int64_t slots, int64_t size) {
  const int64_t one = size * HN_ATTEND_LANES;
  return 10 * slots * (one > HN_ATTEND_TOGETHER ? one : HN_ATTEND_TOGETHER);
}

typedef struct HnAttendKernels {
  void (*forward)(const HnAttendArgs *a);
  void (*back)(const HnAttendArgs *a);
} HnAttendKernels;

extern const HnAttendKernels hn_attend_base, hn_attend_v3, hn_attend_v4;
#endif

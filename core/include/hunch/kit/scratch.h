/* hunch/kit/scratch.h - scratch that is used again. */
#ifndef HUNCH_KIT_SCRATCH_H
#define HUNCH_KIT_SCRATCH_H
#include "../plugin.h"
#include "gemm.h"

/* A host whose scratch may be taken back before the call returns, so that tapes of many chunks
 * share memory that is still in the cache:
 *
 *   HnReuse reuse;
 *   hn_reuse_begin(&reuse, host, NULL, 0);
 *   for (..) {
 *     HnTape t = hn_tape_begin(&reuse.host, true);
 *     ..
 *     hn_reuse_reset(&reuse);
 *   }
 *
 * One thread's, as a tape is, and it must not move. */
enum { HN_REUSE_BLOCKS = 64 };
typedef struct HnReuse {
  HnHost host; /* to hand on: the real one but for scratch */
  const HnHost *real;
  int64_t blocks, at; /* at: the block in use */
  size_t used;        /* bytes of that block */
  size_t asked;       /* bytes asked for since the last reset, each request rounded up to 64 */
  char *block[HN_REUSE_BLOCKS];
  size_t size[HN_REUSE_BLOCKS];
} HnReuse;

/* memory: `size` bytes, 64-byte aligned, to use first, e.g. memory that outlives the call; NULL and
 * 0: none.  What does not fit is taken from real->scratch. [any] */
HN_KIT void hn_reuse_begin(HnReuse *r, const HnHost *real, void *memory, size_t size);
/* Takes all of it back: what was asked for so far is free for the next. [any] */
HN_KIT void hn_reuse_reset(HnReuse *r);
#endif

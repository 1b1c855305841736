/* hunch/kit/scratch.h - scratch memory that is used again within a call. */
#ifndef HUNCH_KIT_SCRATCH_H
#define HUNCH_KIT_SCRATCH_H
#include "../plugin.h"
#include "gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A host whose scratch can be released before the call returns, so that the tapes of a loop share
 * memory that is still in the cache:
 *
 *   HnReuse reuse;
 *   hn_reuse_begin(&reuse, host, NULL, 0);
 *   for (..) {
 *     HnTape t = hn_tape_begin(&reuse.host, true);
 *     ..
 *     hn_reuse_reset(&reuse);
 *   }
 *
 * It belongs to one thread, as a tape does, and must not move. */
enum { HN_REUSE_BLOCKS = 64 };
typedef struct HnReuse {
  union {
    HnHost host;         /* the real host with its own scratch */
    char host_room[256]; /* in which HnHost may grow */
  };
  const HnHost *real;
  int64_t blocks, at; /* at: the block in use */
  size_t used;        /* bytes of that block */
  size_t asked;       /* bytes asked for since the last reset, each request rounded up to 64 */
  char *block[HN_REUSE_BLOCKS];
  size_t size[HN_REUSE_BLOCKS];
} HnReuse;

/* Begins with `size` bytes of `memory`, 64-byte aligned, such as memory that outlives the call
 * (NULL and 0: none); what does not fit is taken from real->scratch. [any] */
HN_KIT void hn_reuse_begin(HnReuse *r, const HnHost *real, void *memory, size_t size);
/* Releases all that was taken: the next requests use the same memory again. [any] */
HN_KIT void hn_reuse_reset(HnReuse *r);

#ifdef __cplusplus
}
#endif
#endif

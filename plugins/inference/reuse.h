/* reuse.h - scratch that is used again.  For plugins of this folder. */
#ifndef REUSE_H
#define REUSE_H
#include <hunch/plugin.h>

/* A host whose scratch may be taken back: tapes of many chunks then share memory that is still in
 * the cache. */
enum { REUSE_BLOCKS = 64, REUSE_BLOCK = 1 << 20 };
typedef struct Reuse {
  HnHost host;
  const HnHost *real;
  int64_t blocks, at; /* `at` is the block in use */
  char *block[REUSE_BLOCKS];
  size_t size[REUSE_BLOCKS], used;
} Reuse;

static inline void *reuse_scratch(const HnHost *host, int64_t count, size_t size) {
  Reuse *r = host->impl;
  size_t bytes = ((size_t)count * size + 63) & ~(size_t)63;
  while (r->at < r->blocks && r->size[r->at] - r->used < bytes) r->at++, r->used = 0;
  if (r->at == r->blocks) {
    if (r->blocks == REUSE_BLOCKS) return r->real->scratch(r->real, (int64_t)bytes, 1);
    size_t room = bytes > REUSE_BLOCK ? bytes : REUSE_BLOCK;
    r->block[r->blocks] = r->real->scratch(r->real, (int64_t)room, 1);
    r->size[r->blocks++] = room;
  }
  char *p = r->block[r->at] + r->used;
  r->used += bytes;
  return p;
}

static inline void reuse_begin(Reuse *r, const HnHost *real) {
  r->host = *real, r->host.impl = r, r->host.scratch = reuse_scratch;
  r->real = real, r->blocks = r->at = 0, r->used = 0;
}

/* Takes all of it back. */
static inline void reuse_again(Reuse *r) {
  r->at = 0, r->used = 0;
}
#endif

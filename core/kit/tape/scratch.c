/* scratch.c - see hunch/kit/scratch.h. */
#include "hunch/kit/scratch.h"
#include "tape_record.h"
#include <string.h>

enum { BLOCK = 1 << 20 };

static void *take(const HnHost *host, int64_t count, size_t size) {
  HnReuse *r = host->impl;
  const size_t bytes = hn_tape_bytes(count, size);
  r->asked += bytes;
  while (r->at < r->blocks && r->size[r->at] - r->used < bytes) r->at++, r->used = 0;
  if (r->at == r->blocks) {
    if (r->blocks == HN_REUSE_BLOCKS) return r->real->scratch(r->real, (int64_t)bytes, 1);
    const size_t room = bytes > BLOCK ? bytes : BLOCK;
    r->block[r->blocks] = r->real->scratch(r->real, (int64_t)room, 1);
    r->size[r->blocks++] = room;
  }
  r->used += bytes;
  return r->block[r->at] + r->used - bytes;
}

void hn_reuse_begin(HnReuse *r, const HnHost *real, void *memory, size_t size) {
  const size_t size_known = real->struct_size < sizeof r->host ? real->struct_size : sizeof r->host;
  memset(r->host_room, 0, sizeof r->host_room);
  memcpy(&r->host, real, size_known);
  r->host.struct_size = (uint32_t)size_known, r->host.impl = r, r->host.scratch = take;
  r->real = real, r->blocks = memory != NULL;
  r->block[0] = memory, r->size[0] = size;
  hn_reuse_reset(r);
}

void hn_reuse_reset(HnReuse *r) {
  r->at = 0, r->used = r->asked = 0;
}

/* shards.h - how a batch is cut into shards, the parts that workers take: by its size alone, so
 * that gradients, added in the order of shards, have the same bits for any number of workers.
 * Shards are a power of two, so that 2 or 4 workers have as much to do each, and equally large. */
#ifndef HN_SHARDS_H
#define HN_SHARDS_H
#include <stdint.h>

typedef struct HnShardRule {
  int64_t most;   /* rows of a shard: more gain nothing from each other, or leave the cache */
  int64_t least;  /* rows below which a shard costs one worker too much .. */
  int64_t wanted; /* .. and into how many a small batch is cut while each has as many */
  int64_t bound;  /* on how many there are */
} HnShardRule;

/* Rows of each shard of n rows, perhaps but for the last; at least 1. */
static inline int64_t hn_shard_size(const HnShardRule *rule, int64_t n) {
  int64_t shards = 1;
  while (shards < rule->bound && n > shards * rule->most) shards *= 2;
  while (shards < rule->wanted && n >= 2 * shards * rule->least) shards *= 2;
  return n > 0 ? (n + shards - 1) / shards : 1;
}
#endif

/* shards.c - see shards.h. */
#include "shards.h"

/* Shards are a power of two, so that 2 or 4 workers have as much to do each, and equally large.
 * Activations of 128 rows stay in the second-level cache; below 32 rows the products are not worth
 * a worker's while. */
enum { SIZE_MOST = 128, SIZE_LEAST = 32, SHARDS_MOST = 64 };

int64_t shard_size(int64_t n) {
  int64_t shards = 1;
  while (shards < SHARDS_MOST && n > shards * SIZE_MOST) shards *= 2;
  if (shards == 1 && n >= 2 * SIZE_LEAST) shards = 2;
  return (n + shards - 1) / shards;
}

int64_t shard_count(int64_t n) {
  return (n + shard_size(n) - 1) / shard_size(n);
}

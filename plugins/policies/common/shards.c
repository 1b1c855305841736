/* shards.c - see shards.h. */
#include "shards.h"
#include "../../common/shards.h"

/* Activations of 128 rows stay in the second-level cache; below 32 rows the products are not worth
 * a worker's while.  The bound is on the memory of gradients. */
static const HnShardRule rule = {.most = 128, .least = 32, .wanted = 2, .bound = 64};

int64_t shard_size(int64_t n) {
  return hn_shard_size(&rule, n);
}

int64_t shard_count(int64_t n) {
  return (n + shard_size(n) - 1) / shard_size(n);
}

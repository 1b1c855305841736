/* shards.h - how a minibatch is cut into shards, the parts that workers take: by its size alone, so
 * that gradients, added in the order of shards, have the same bits for any number of workers. */
#ifndef SHARDS_H
#define SHARDS_H
#include <stdint.h>

/* Elements of each shard of n, perhaps but for the last, and how many shards that makes. */
int64_t shard_size(int64_t n);
int64_t shard_count(int64_t n);
#endif

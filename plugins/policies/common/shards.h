/* shards.h - the shards of a policy's minibatch: see plugins/common/shards.h. */
#ifndef SHARDS_H
#define SHARDS_H
#include <stdint.h>

/* Elements of each shard of n, perhaps but for the last, and how many shards that makes. */
int64_t shard_size(int64_t n);
int64_t shard_count(int64_t n);
#endif

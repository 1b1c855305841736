/* store_chunks.h - what is done to each parameter by itself, on the host's workers. */
#ifndef HN_KIT_STORE_CHUNKS_H
#define HN_KIT_STORE_CHUNKS_H
#include "hunch/kit/nn.h"

/* Elements from .. from + count - 1 of tensor p. */
typedef void HnChunk(const void *arg, const HnTensor *p, int64_t from, int64_t count);

/* Calls on(arg, ..) once for every element of the store; in tasks where the store is large.  What
 * is done to an element must not depend on the others, then the bits depend on nothing else.
 * [instance] */
void hn_store_each(const HnStore *s, HnChunk *on, const void *arg);
#endif

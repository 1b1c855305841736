/* hunch/encode.h - experience as networks read it. */
#ifndef HUNCH_ENCODE_H
#define HUNCH_ENCODE_H
#include "plugin.h"
#include <string.h>

/* The action of element `at` (see hn_at) as a network's input, to [width]: discrete actions
 * one-hot, continuous ones as they are; width: act_count or act_dim, or 0 for nothing at all.
 * [any] */
static inline void hn_encode_action(const HnHistory *h, int64_t at, int64_t width, bool discrete,
                                    float *to) {
  if (width < 1) return;
  if (!discrete) {
    memcpy(to, h->action + at * width, (size_t)width * sizeof *to);
    return;
  }
  memset(to, 0, (size_t)width * sizeof *to);
  to[h->action_index[at]] = 1;
}
#endif

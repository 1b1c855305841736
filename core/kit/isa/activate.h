/* activate.h - activations of one row in place, for files compiled once per instruction set. */
#ifndef HN_KIT_ACTIVATE_H
#define HN_KIT_ACTIVATE_H
#include "hunch/kit/tape.h"
#include "vector_math.h"

/* y = F(x) over n elements, F a function of one vector. */
#define HN_MAP(F, n, x, y)                                                               \
  do {                                                                                   \
    int64_t i_ = 0;                                                                      \
    for (; i_ + HN_LANES <= (n); i_ += HN_LANES) v_store((y) + i_, F(v_load((x) + i_))); \
    if (i_ < (n)) {                                                                      \
      const HnLaneMask part_ = v_lane_mask((n)-i_);                                      \
      v_store_part((y) + i_, F(v_load_part((x) + i_, part_)), part_);                    \
    }                                                                                    \
  } while (0)

HN_INLINE HnV v_relu(HnV x) {
  return v_max(v_all(0.0f), x);
}

HN_INLINE HnV v_leaky_relu(HnV x) {
  return v_max(v_all(0.01f) * x, x);
}

static inline void activate(HnActivation act, int64_t n, float *y) {
  if (act == HN_TANH)
    HN_MAP(v_tanh, n, y, y);
  else if (act == HN_RELU)
    HN_MAP(v_relu, n, y, y);
  else if (act == HN_SIGMOID)
    HN_MAP(v_sigmoid, n, y, y);
  else if (act == HN_LEAKY_RELU)
    HN_MAP(v_leaky_relu, n, y, y);
}
#endif

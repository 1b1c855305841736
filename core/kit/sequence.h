/* sequence.h - what the recurrent operations of the tape share: states between steps, resets, and
 * products over all steps at once. */
#ifndef HN_KIT_SEQUENCE_H
#define HN_KIT_SEQUENCE_H
#include "record.h"
#include <string.h>

static inline void hn_product_of(HnProduct p) {
  hn_kernels()->product(&p);
}

/* The state [rows, n] that a step begins from: `before`, or 0 in the rows where reset (or NULL). */
static inline void hn_state_begin(int64_t rows, int64_t n, const uint8_t *reset,
                                  const float *before, float *state) {
  memcpy(state, before, (size_t)(rows * n) * sizeof(float));
  for (int64_t i = 0; reset && i < rows; i++)
    if (reset[i]) memset(state + i * n, 0, (size_t)n * sizeof(float));
}

static inline bool hn_any_reset(const uint8_t *reset, int64_t rows) {
  for (int64_t i = 0; reset && i < rows; i++)
    if (reset[i]) return true;
  return false;
}

/* to += from in the rows that were not reset: what a step's gradient passes on to the step before
 * it. */
static inline void hn_state_back(int64_t rows, int64_t n, const uint8_t *reset, const float *from,
                                 float *to) {
  for (int64_t i = 0; i < rows; i++)
    if (!reset || !reset[i]) hn_kernels()->add(n, from + i * n, to + i * n);
}

/* The first variable with a gradient, or NULL. */
static inline HnVar *hn_first_with_grad(int n, HnVar *const *all) {
  for (int i = 0; i < n; i++)
    if (all[i]->grad) return all[i];
  return NULL;
}
#endif

/* sequence.h - what the recurrent operations of the tape share: states between steps, resets, and
 * products over many steps at once. */
#ifndef HN_KIT_SEQUENCE_H
#define HN_KIT_SEQUENCE_H
#include "tape_record.h"
#include <string.h>

/* Steps go by windows of at least this many rows: what a step leaves is still in the cache when its
 * window's inputs are projected or its weights' gradients taken. */
enum { HN_WINDOW_ROWS = 256 };

static inline int64_t hn_window_steps(int64_t rows) {
  return rows > 0 ? (HN_WINDOW_ROWS + rows - 1) / rows : 1;
}

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

/* ---- movement, for HnAlong ---- */

/* Rows `step` of an array over all steps. */
static inline HnVar *hn_step_of(HnTape *t, HnVar *all, int64_t step, int64_t rows) {
  return all ? hn_rows_of(t, all, step * rows, rows) : NULL;
}

/* [T B, n], 0 in the rows where reset, else 1; NULL without resets. */
static inline HnVar *hn_reset_mask(HnTape *t, int64_t count, int64_t n, const uint8_t *reset) {
  if (!hn_any_reset(reset, count)) return NULL;
  float *mask = hn_tape_take(t, count * n, sizeof(float));
  for (int64_t i = 0; i < count * n; i++) mask[i] = reset[i / n] ? 0 : 1;
  return hn_constant(t, count, n, mask);
}

/* The states that the steps begin from, [T B, n], of the first and of those after every step. */
static inline HnVar *hn_states_before(HnTape *t, HnVar *first, HnVar *after, HnVar *mask) {
  HnVar *parts[] = {first, hn_rows_of(t, after, 0, after->rows - first->rows)};
  HnVar *before = hn_stack(t, 2, parts);
  return mask ? hn_mul(t, before, mask) : before;
}

/* The first variable with a gradient, or NULL. */
static inline HnVar *hn_first_with_grad(int n, HnVar *const *all) {
  for (int i = 0; i < n; i++)
    if (all[i]->grad) return all[i];
  return NULL;
}
#endif

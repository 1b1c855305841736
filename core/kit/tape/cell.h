/* cell.h - what a recurrent cell is to the code that runs any of them: recurrence.c over a
 * sequence, curvature.c for the Laplace precision.  A cell is one file cell_NAME.c, compiled once
 * per instruction set, which defines HN_VARIANT(hn_cell_NAME).
 *
 * A cell's sums g [B, blocks H] are what its products add up to: gate k of x w + b goes to block
 * input[k], and h u + c to the blocks from `state` on.  Where both meet in a block they are added.
 */
#ifndef HN_KIT_CELL_H
#define HN_KIT_CELL_H
#include "hunch/kit/rnn.h"
#include "isa.h"

enum { HN_CELL_GATES = 4 }; /* at most; blocks too */

/* One step of B rows; arrays [B, H] but for sums. */
typedef struct HnCellStep {
  int64_t rows, hidden;
  float *sums;                        /* in: the sums; out, and in when going back: as the cell
                                         wants them; out when going back: d/d(sums) */
  const float *before[HN_RNN_STATES]; /* states that the step begins from */
  float *after[HN_RNN_STATES];
  /* when going back */
  const float *dh_after;   /* gradient of h after */
  float *d[HN_RNN_STATES]; /* d[0] += the gradient of h before, without the share of the sums; of
                              other states in: after, out: before */
} HnCellStep;

/* For the Jacobian-vector product: variables over all steps. */
typedef struct HnCellTangent {
  /* in */
  int64_t hidden;
  HnVar *input, *state;     /* x w + b and h u + c, [T B, gates H] */
  HnVar *d_input, *d_state; /* their tangents at constant h; NULL: zero */
  HnVar *before[HN_RNN_STATES], *after[HN_RNN_STATES];
  /* out */
  HnVar *by;                    /* what the tangent of h u is multiplied by, [T B, gates H] */
  HnVar *local[HN_RNN_STATES];  /* the states' tangents at constant states; NULL: zero */
  HnVar *factor[HN_RNN_STATES]; /* for the cell's own use */
} HnCellTangent;

typedef struct HnCell {
  const char *name;
  int64_t gates, blocks, states;
  int64_t input[HN_CELL_GATES], state;
  void (*step)(const HnCellStep *s);
  void (*step_back)(const HnCellStep *s);
  /* Slopes d [gates (+ 1), H] of h after one more step on x [gates H], by gate, from states
   * [states, H] whose share of the sums is `sums` [gates H]; with `leaks` one more block, the slope
   * by h itself. */
  void (*slopes)(int64_t hidden, const float *sums, const float *x, const float *const *states,
                 float *d);
  bool leaks;
  void (*linearise)(HnTape *t, HnCellTangent *v);
  /* One step of the tangent: k is the tangent of h u times `by`, or NULL; d in: states before, out:
   * after; NULL: zero. */
  void (*jvp)(HnTape *t, const HnCellTangent *v, int64_t step, int64_t rows, HnVar *k, HnVar **d);
} HnCell;

#define HN_CELL_DECLARE_(ID, name) \
  extern const HnCell hn_cell_##name##_base, hn_cell_##name##_v3, hn_cell_##name##_v4;
HN_RNN_CELLS(HN_CELL_DECLARE_, )

/* The cell on the instruction set in use.  [any] */
const HnCell *hn_cell(HnRnnCell cell);

/* Rows `step` of an array over all steps; NULL stays NULL. */
static inline HnVar *hn_step_of(HnTape *t, HnVar *all, int64_t step, int64_t rows) {
  return all ? hn_rows_of(t, all, step * rows, rows) : NULL;
}
/* Gate k of [n, gates H]. */
static inline HnVar *hn_gate(HnTape *t, HnVar *gates, int64_t k, int64_t hidden) {
  return hn_columns(t, gates, k * hidden, hidden);
}
#endif

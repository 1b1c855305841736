/* tape_record.h - how operations are written: what tape.c offers to the files that define them.
 *
 * An operation makes its output with hn_output, fills it, and, if hn_output gave it a gradient,
 * leaves a record whose `back` adds to the gradients of its inputs.  An input's gradient is asked
 * for with hn_grad, which zeroes it at first touch, or, where a first write may simply overwrite,
 * with hn_grad_raw. */
#ifndef HN_KIT_RECORD_H
#define HN_KIT_RECORD_H
#include "hunch/kit/tape.h"
#include "kernels.h"
#include <stdarg.h>

/* ---- records ---- */

typedef void HnBack(HnTape *t, HnRecord *r);
typedef HnVar *HnAlong(HnTape *t, const HnRecord *r);
/* What an operation knows of its derivatives. */
typedef struct HnRule {
  const char *name;
  HnBack *back;
  /* How the output moves when its inputs move as hn_along says: computed by operations of the tape
   * from inputs and outputs (never from what `back` overwrites), so that it can be differentiated.
   * Returns NULL where it does not. */
  HnAlong *along;
} HnRule;
struct HnRecord {
  HnRecord *before;
  const HnRule *rule;
  HnVar *y, *also; /* also: a second output, or NULL */
  HnVar *a, *b, *c;
  const void *extra; /* what the operation saved */
  float scale;
  int32_t kind;
};

/* Says which operation was called wrongly, and aborts: wrong shapes are bugs. */
_Noreturn void hn_bug(const char *format, ...) HN_PRINTF(1, 2);
#define HN_SHAPE(ok, op, a, b)                                                             \
  do {                                                                                     \
    if (!(ok))                                                                             \
      hn_bug(op ": shapes [%lld, %lld] and [%lld, %lld] do not fit", (long long)(a)->rows, \
             (long long)(a)->cols, (long long)(b)->rows, (long long)(b)->cols);            \
  } while (0)

/* ---- memory ---- */

enum { HN_TAPE_ALIGN = 64 };

/* Bytes of count elements, rounded up to whole cache lines; overflow aborts. */
static inline size_t hn_tape_bytes(int64_t count, size_t size) {
  size_t bytes;
  if (count < 0 || __builtin_mul_overflow((size_t)count, size, &bytes) ||
      __builtin_add_overflow(bytes, HN_TAPE_ALIGN - 1, &bytes))
    hn_bug("%lld elements of %zu bytes do not fit in memory", (long long)count, size);
  return bytes & ~(size_t)(HN_TAPE_ALIGN - 1);
}

/* Bytes, a multiple of HN_TAPE_ALIGN, where the running chunk has no room for them. */
void *hn_tape_grow(HnTape *t, size_t bytes);

/* As hn_tape_room, not zeroed. */
static inline void *hn_tape_take(HnTape *t, int64_t count, size_t size) {
  const size_t bytes = hn_tape_bytes(count, size);
  if (bytes > t->left) return hn_tape_grow(t, bytes);
  void *p = t->room;
  t->room += bytes;
  t->left -= bytes;
  return p;
}

/* A [rows, cols] output, not zeroed, with a gradient if the tape records and any input has one;
 * inputs may be NULL. */
HnVar *hn_output(HnTape *t, int64_t rows, int64_t cols, const HnVar *a, const HnVar *b,
                 const HnVar *c);

/* Leaves a record of y if it has a gradient; NULL otherwise. */
HnRecord *hn_record(HnTape *t, const HnRule *rule, HnVar *y, HnVar *a, HnVar *b, HnVar *c);

/* The gradient to add to; NULL for a constant. */
float *hn_grad(HnVar *v);
/* The gradient and whether it holds nothing yet, in which case it must be overwritten. */
float *hn_grad_raw(HnVar *v, bool *fresh);

/* v transposed: kept by a parameter, else made in the tape's room. */
const float *hn_flipped(HnTape *t, const HnVar *v);

/* ---- movement, for HnAlong ---- */

/* How v moves; NULL: not at all. */
HnVar *hn_along(HnTape *t, HnVar *v);
/* For a second output: the first is set from what HnAlong returns. */
void hn_set_along(HnTape *t, HnVar *v, HnVar *along);
/* A constant with one value everywhere. */
HnVar *hn_filled(HnTape *t, int64_t rows, int64_t cols, float value);
/* v, a single row, column or element, repeated to the shape of another; v itself if it fits. */
HnVar *hn_like(HnTape *t, HnVar *v, const HnVar *shape);
/* a + b and a b, elementwise, where NULL is zero. */
HnVar *hn_plus(HnTape *t, HnVar *a, HnVar *b);
HnVar *hn_times(HnTape *t, HnVar *a, HnVar *b);
/* How x w + b moves by the movements given, each of which may be NULL; NULL if all are. */
HnVar *hn_linear_moved(HnTape *t, HnVar *x, HnVar *w, HnVar *dx, HnVar *dw, HnVar *db);
/* dy/dx of y = act(x); NULL: 1 everywhere. */
HnVar *hn_slope(HnTape *t, HnVar *y, HnActivation act);

static inline int64_t hn_count(const HnVar *v) {
  return v->rows * v->cols;
}
/* Row i of v, which may be a single row for all. */
static inline const float *hn_row(const HnVar *v, int64_t i) {
  return v->data + (v->rows == 1 ? 0 : i * v->cols);
}
/* The same of a gradient got by hn_grad; NULL stays NULL. */
static inline float *hn_grad_row(const HnVar *v, float *grad, int64_t i) {
  return grad ? grad + (v->rows == 1 ? 0 : i * v->cols) : NULL;
}
#endif

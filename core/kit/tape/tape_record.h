/* tape_record.h - for the files that define operations of the tape.
 *
 * An operation makes its output with hn_output and fills it.  If hn_output gave it a gradient, the
 * operation leaves a record whose `back` adds to the gradients of its inputs.  hn_grad returns an
 * input's gradient, zeroed at first touch; hn_grad_raw serves where the first write may simply
 * overwrite. */
#ifndef HN_KIT_TAPE_RECORD_H
#define HN_KIT_TAPE_RECORD_H
#include "hunch/kit/tape.h"
#include "kernels.h"
#include <stdarg.h>

/* ---- records ---- */

typedef void HnBack(HnTape *t, HnRecord *r);
typedef HnVar *HnJvp(HnTape *t, const HnRecord *r);
/* The derivatives of an operation. */
typedef struct HnRule {
  const char *name;
  HnBack *back; /* reverse mode: adds to the inputs' gradients */
  /* Forward mode: the output's tangent, given the inputs' by hn_tangent; NULL: zero.  Computed by
   * operations of the tape from inputs and outputs (never from what `back` overwrites), so that it
   * can be differentiated again. */
  HnJvp *jvp;
} HnRule;
struct HnRecord {
  HnRecord *before;
  const HnRule *rule;
  HnVar *y;
  HnVar *a, *b, *c;
  const void *extra; /* saved by the operation */
  float scale;
  int32_t kind;
};

/* Prints a message and aborts: wrong shapes are bugs of the caller. */
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

/* Memory where the current chunk is too small; bytes is a multiple of HN_TAPE_ALIGN. */
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

/* The transpose of v's data: the one a parameter keeps, else a new one in the tape's memory. */
const float *hn_flipped(HnTape *t, const HnVar *v);

/* ---- for HnJvp: NULL stands for a tangent of zero ---- */

/* The tangent of v. */
HnVar *hn_tangent(HnTape *t, HnVar *v);
/* Sets that of a second output; the first output gets what HnJvp returns. */
void hn_set_tangent(HnTape *t, HnVar *v, HnVar *tangent);
/* A constant with one value everywhere. */
HnVar *hn_filled(HnTape *t, int64_t rows, int64_t cols, float value);
/* v, a single row, column or element, repeated to the shape of `shape`; v itself if it fits. */
HnVar *hn_like(HnTape *t, HnVar *v, const HnVar *shape);
/* a + b and a b, elementwise. */
HnVar *hn_plus(HnTape *t, HnVar *a, HnVar *b);
HnVar *hn_times(HnTape *t, HnVar *a, HnVar *b);
/* The tangent of x w + b, given those of x, w and b. */
HnVar *hn_linear_jvp(HnTape *t, HnVar *x, HnVar *w, HnVar *dx, HnVar *dw, HnVar *db);
/* dy/dx of y = act(x), from y; NULL: 1 everywhere. */
HnVar *hn_slope(HnTape *t, HnVar *y, HnActivation act);

/* Whether n rows of which `distinct` differ are few enough to go through a network once each. */
static inline bool hn_rows_repeat(int64_t distinct, int64_t n) {
  return 2 * distinct <= n;
}
static inline int64_t hn_count(const HnVar *v) {
  return v->rows * v->cols;
}
/* Row i of v, which may be a single row for all. */
static inline const float *hn_row(const HnVar *v, int64_t i) {
  return v->data + (v->rows == 1 ? 0 : i * v->cols);
}
/* Row i of v's gradient `grad`, from hn_grad; NULL stays NULL. */
static inline float *hn_grad_row(const HnVar *v, float *grad, int64_t i) {
  return grad ? grad + (v->rows == 1 ? 0 : i * v->cols) : NULL;
}
#endif

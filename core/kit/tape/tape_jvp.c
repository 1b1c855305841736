/* tape_jvp.c - derivatives along a direction: a forward pass over the records that writes further
 * operations on the same tape.  Running those backward gives products with the Hessian. */
#include "tape_record.h"

void hn_set_along(HnTape *t, HnVar *v, HnVar *along) {
  v->along = along;
  v->moved = t->moves;
}

/* Its part of the direction, if its gradient lies there. */
static HnVar *leaf_along(HnTape *t, const HnVar *v) {
  const HnDirection *d = &t->direction;
  const uintptr_t at = (uintptr_t)v->grad, base = (uintptr_t)d->base;
  if (!v->grad || at < base || at >= base + (uintptr_t)d->size * sizeof(float)) return NULL;
  if (hn_count(v) > d->size - (int64_t)((at - base) / sizeof(float)))
    hn_bug("hn_tape_along: a direction of %lld ends inside a leaf of [%lld, %lld]",
           (long long)d->size, (long long)v->rows, (long long)v->cols);
  return hn_constant(t, v->rows, v->cols, d->v + (at - base) / sizeof(float));
}

/* Outputs have theirs from their records, which came first; what is left are leaves and windows. */
HnVar *hn_along(HnTape *t, HnVar *v) {
  if (v->moved == t->moves) return v->along;
  HnVar *along = v->whole ? hn_along(t, v->whole) : leaf_along(t, v);
  if (v->whole && along)
    along = hn_rows_of(t, along, v->cols ? (v->data - v->whole->data) / v->cols : 0, v->rows);
  hn_set_along(t, v, along);
  return along;
}

HnVar *hn_tape_along(HnTape *t, HnVar *y, HnDirection d) {
  if (!t->recording || (y->grad && !t->last))
    hn_bug("hn_tape_along: needs a tape that records and has not run backward");
  int64_t count = 0;
  for (const HnRecord *r = t->last; r; r = r->before) count++;
  HnRecord **record = hn_tape_take(t, count, sizeof(HnRecord *)), *r = t->last;
  for (int64_t i = count; i-- > 0; r = r->before) record[i] = r;
  t->moves++;
  t->direction = d;
  for (int64_t i = 0; i < count; i++) {
    const HnRule *rule = record[i]->rule;
    if (!rule->along) hn_bug("hn_tape_along: %s does not say how it moves", rule->name);
    hn_set_along(t, record[i]->y, rule->along(t, record[i]));
  }
  return hn_along(t, y);
}

void hn_tape_hvp(HnTape *t, HnVar *loss, HnDirection d) {
  if (loss->rows != 1 || loss->cols != 1)
    hn_bug("hn_tape_hvp: a loss is [1, 1], not [%lld, %lld]", (long long)loss->rows,
           (long long)loss->cols);
  HnVar *slope = loss->grad ? hn_tape_along(t, loss, d) : NULL;
  if (slope) hn_tape_backward(t, slope);
}

/* ---- what rules are made of ---- */

HnVar *hn_filled(HnTape *t, int64_t rows, int64_t cols, float value) {
  float *data = hn_tape_take(t, rows * cols, sizeof(float));
  for (int64_t i = 0; i < rows * cols; i++) data[i] = value;
  return hn_constant(t, rows, cols, data);
}

HnVar *hn_like(HnTape *t, HnVar *v, const HnVar *shape) {
  if (v->rows == shape->rows && v->cols == shape->cols) return v;
  if (v->rows == shape->rows) return hn_matmul(t, v, hn_filled(t, 1, shape->cols, 1));
  return hn_add(t, hn_filled(t, shape->rows, shape->cols, 0), v);
}

HnVar *hn_plus(HnTape *t, HnVar *a, HnVar *b) {
  return a && b ? hn_add(t, a, b) : a ? a : b;
}

HnVar *hn_times(HnTape *t, HnVar *a, HnVar *b) {
  return a && b ? hn_mul(t, a, b) : NULL;
}

/* 1 where y is positive, `below` elsewhere. */
static HnVar *relu_slope(HnTape *t, const HnVar *y, float below) {
  float *slope = hn_tape_take(t, hn_count(y), sizeof(float));
  for (int64_t i = 0; i < hn_count(y); i++) slope[i] = y->data[i] > 0 ? 1 : below;
  return hn_constant(t, y->rows, y->cols, slope);
}

HnVar *hn_slope(HnTape *t, HnVar *y, HnActivation act) {
  switch (act) {
  case HN_TANH:
    return hn_affine(t, hn_square(t, y), -1, 1);
  case HN_SIGMOID:
    return hn_sub(t, y, hn_square(t, y));
  case HN_RELU:
    return relu_slope(t, y, 0);
  case HN_LEAKY_RELU:
    return relu_slope(t, y, 0.01f);
  default:
    return NULL;
  }
}

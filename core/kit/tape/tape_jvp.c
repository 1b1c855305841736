/* tape_jvp.c - Jacobian-vector products: a forward pass over the records that adds operations to
 * the same tape.  Running those backward gives Hessian-vector products. */
#include "tape_record.h"

void hn_set_tangent(HnTape *t, HnVar *v, HnVar *tangent) {
  v->tangent = tangent;
  v->jvp = t->jvps;
}

/* The leaf's part of the tangent vector, if its gradient lies there. */
static HnVar *leaf_tangent(HnTape *t, const HnVar *v) {
  const HnTangent *d = &t->tangent;
  const uintptr_t at = (uintptr_t)v->grad, base = (uintptr_t)d->base;
  if (!v->grad || at < base || at >= base + (uintptr_t)d->size * sizeof(float)) return NULL;
  if (hn_count(v) > d->size - (int64_t)((at - base) / sizeof(float)))
    hn_bug("hn_tape_jvp: a tangent of %lld ends inside a leaf of [%lld, %lld]", (long long)d->size,
           (long long)v->rows, (long long)v->cols);
  return hn_constant(t, v->rows, v->cols, d->v + (at - base) / sizeof(float));
}

/* Outputs have theirs from their records, which came first; leaves and views are left. */
HnVar *hn_tangent(HnTape *t, HnVar *v) {
  if (v->jvp == t->jvps) return v->tangent;
  HnVar *tangent = v->whole ? hn_tangent(t, v->whole) : leaf_tangent(t, v);
  if (v->whole && tangent)
    tangent = hn_rows_of(t, tangent, v->cols ? (v->data - v->whole->data) / v->cols : 0, v->rows);
  hn_set_tangent(t, v, tangent);
  return tangent;
}

HnVar *hn_tape_jvp(HnTape *t, HnVar *y, HnTangent d) {
  if (!t->recording || (y->grad && !t->last))
    hn_bug("hn_tape_jvp: needs a tape that records and has not run backward");
  int64_t count = 0;
  for (const HnRecord *r = t->last; r; r = r->before) count++;
  HnRecord **record = hn_tape_take(t, count, sizeof(HnRecord *)), *r = t->last;
  for (int64_t i = count; i-- > 0; r = r->before) record[i] = r;
  t->jvps++;
  t->tangent = d;
  for (int64_t i = 0; i < count; i++) {
    const HnRule *rule = record[i]->rule;
    if (!rule->jvp) hn_bug("hn_tape_jvp: %s has no Jacobian-vector product", rule->name);
    hn_set_tangent(t, record[i]->y, rule->jvp(t, record[i]));
  }
  return hn_tangent(t, y);
}

void hn_tape_hvp(HnTape *t, HnVar *loss, HnTangent d) {
  if (loss->rows != 1 || loss->cols != 1)
    hn_bug("hn_tape_hvp: a loss is [1, 1], not [%lld, %lld]", (long long)loss->rows,
           (long long)loss->cols);
  HnVar *slope = loss->grad ? hn_tape_jvp(t, loss, d) : NULL;
  if (slope) hn_tape_backward(t, slope);
}

/* ---- for rules ---- */

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

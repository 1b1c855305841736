/* tape_product.c - the products of the tape: linear layers and plain matrix products. */
#include "tape_record.h"

const float *hn_flipped(HnTape *t, const HnVar *v) {
  if (v->flip) return v->flip;
  float *flip = hn_tape_take(t, hn_count(v), sizeof(float));
  hn_kernels()->transpose(v->rows, v->cols, v->data, flip);
  return flip;
}

/* For y = a b: a's gradient += g b', b's += a' g. */
static void product_back(HnTape *t, HnVar *a, HnVar *b, const HnVar *y) {
  const HnKernels *kernels = hn_kernels();
  bool fresh;
  float *d = hn_grad_raw(b, &fresh);
  if (d)
    kernels->product(&(HnProduct){.m = b->rows,
                                  .n = b->cols,
                                  .k = y->rows,
                                  .a = a->data,
                                  .a_row = 1,
                                  .a_col = a->cols,
                                  .b = y->grad,
                                  .ldb = y->cols,
                                  .init = fresh ? NULL : d,
                                  .init_row = b->cols,
                                  .c = d,
                                  .ldc = b->cols});
  d = hn_grad_raw(a, &fresh);
  if (d)
    kernels->product(&(HnProduct){.m = a->rows,
                                  .n = a->cols,
                                  .k = y->cols,
                                  .a = y->grad,
                                  .a_row = y->cols,
                                  .a_col = 1,
                                  .b = hn_flipped(t, b),
                                  .ldb = b->rows,
                                  .init = fresh ? NULL : d,
                                  .init_row = a->cols,
                                  .c = d,
                                  .ldc = a->cols});
}

static void linear_back(HnTape *t, HnRecord *r) {
  float *db = r->c ? hn_grad(r->c) : NULL;
  hn_kernels()->activate_back(r->kind, r->y->rows, r->y->cols, r->y->data, r->y->grad, db);
  product_back(t, r->a, r->b, r->y);
}

/* dx w + x dw + db */
HnVar *hn_linear_jvp(HnTape *t, HnVar *x, HnVar *w, HnVar *dx, HnVar *dw, HnVar *db) {
  HnVar *sum = dw ? hn_linear(t, x, dw, db, HN_LINEAR) : NULL;
  if (!dw && db) sum = hn_add(t, hn_filled(t, x->rows, w->cols, 0), db);
  return hn_plus(t, sum, dx ? hn_matmul(t, dx, w) : NULL);
}

static HnVar *linear_jvp(HnTape *t, const HnRecord *r) {
  HnVar *db = r->c ? hn_tangent(t, r->c) : NULL;
  HnVar *sum = hn_linear_jvp(t, r->a, r->b, hn_tangent(t, r->a), hn_tangent(t, r->b), db);
  HnVar *slope = sum ? hn_slope(t, r->y, r->kind) : NULL;
  return slope ? hn_mul(t, sum, slope) : sum;
}

static const HnRule linear_rule = {"hn_linear", linear_back, linear_jvp};

HnVar *hn_linear(HnTape *t, HnVar *x, HnVar *w, HnVar *b, HnActivation act) {
  HN_SHAPE(x->cols == w->rows, "hn_linear", x, w);
  if (b) HN_SHAPE(b->rows == 1 && b->cols == w->cols, "hn_linear's bias", w, b);
  HnVar *y = hn_output(t, x->rows, w->cols, x, w, b);
  hn_kernels()->product(&(HnProduct){.m = x->rows,
                                     .n = w->cols,
                                     .k = x->cols,
                                     .a = x->data,
                                     .a_row = x->cols,
                                     .a_col = 1,
                                     .b = w->data,
                                     .ldb = w->cols,
                                     .init = b ? b->data : NULL,
                                     .init_row = 0,
                                     .c = y->data,
                                     .ldc = w->cols,
                                     .act = act});
  HnRecord *r = hn_record(t, &linear_rule, y, x, w, b);
  if (r) r->kind = act;
  return y;
}

HnVar *hn_matmul(HnTape *t, HnVar *a, HnVar *b) {
  return hn_linear(t, a, b, NULL, HN_LINEAR);
}

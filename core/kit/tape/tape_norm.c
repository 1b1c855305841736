/* tape_norm.c - layer normalisation on the tape. */
#include "tape_record.h"

typedef struct Norm {
  float *z;       /* [B, n] (x - mean) / deviation */
  float *inverse; /* [B] 1 / deviation */
} Norm;

static void norm_back(HnTape *t, HnRecord *r) {
  const HnKernels *k = hn_kernels();
  const Norm *saved = r->extra;
  const int64_t n = r->a->cols;
  const float *gain = r->b ? r->b->data : NULL;
  float *dx = hn_grad(r->a), *dgain = r->b ? hn_grad(r->b) : NULL;
  float *dbias = r->c ? hn_grad(r->c) : NULL, *d = hn_tape_take(t, n, sizeof *d);
  for (int64_t i = 0; i < r->a->rows; i++) {
    const float *g = r->y->grad + i * n, *z = saved->z + i * n;
    if (dgain) k->multiply_add(n, g, z, dgain);
    if (dbias) k->add(n, g, dbias);
    if (dx) k->norm_back(n, g, z, gain, saved->inverse[i], d, dx + i * n);
  }
}

/* The mean of each row, repeated to its width. */
static HnVar *row_mean(HnTape *t, HnVar *x) {
  return hn_like(t, hn_affine(t, hn_sum_columns(t, x), 1 / (float)x->cols, 0), x);
}

/* gain (dx - mean dx - z mean(z dx)) / deviation + z dgain + dbias */
static HnVar *norm_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a), *dgain = r->b ? hn_tangent(t, r->b) : NULL;
  HnVar *dbias = r->c ? hn_tangent(t, r->c) : NULL, *sum = NULL;
  if (dx || dgain) {
    HnVar *centred = hn_sub(t, r->a, row_mean(t, r->a));
    HnVar *variance = hn_affine(t, row_mean(t, hn_square(t, centred)), 1, r->scale);
    HnVar *inverse = hn_exp(t, hn_affine(t, hn_log(t, variance), -0.5f, 0));
    HnVar *z = hn_mul(t, centred, inverse);
    if (dx) {
      HnVar *rest = hn_sub(t, dx, row_mean(t, dx));
      sum = hn_mul(t, hn_sub(t, rest, hn_mul(t, z, row_mean(t, hn_mul(t, z, dx)))), inverse);
      if (r->b) sum = hn_mul(t, sum, r->b);
    }
    if (dgain) sum = hn_plus(t, sum, hn_mul(t, z, dgain));
  }
  return hn_plus(t, sum, dbias ? hn_like(t, dbias, r->y) : NULL);
}

static const HnRule norm_rule = {"hn_layer_norm", norm_back, norm_jvp};

HnVar *hn_layer_norm(HnTape *t, HnVar *x, HnVar *gain, HnVar *bias, float eps) {
  const HnKernels *k = hn_kernels();
  const int64_t n = x->cols;
  if (gain) HN_SHAPE(gain->rows == 1 && gain->cols == n, "hn_layer_norm's gain", x, gain);
  if (bias) HN_SHAPE(bias->rows == 1 && bias->cols == n, "hn_layer_norm's bias", x, bias);
  HnVar *y = hn_output(t, x->rows, n, x, gain, bias);
  Norm *saved = hn_tape_take(t, 1, sizeof *saved);
  *saved = (Norm){.z = hn_tape_take(t, x->rows * n, sizeof(float)),
                  .inverse = hn_tape_take(t, x->rows, sizeof(float))};
  for (int64_t i = 0; i < x->rows; i++)
    saved->inverse[i] = k->norm(n, x->data + i * n, gain ? gain->data : NULL,
                                bias ? bias->data : NULL, eps, saved->z + i * n, y->data + i * n);
  HnRecord *r = hn_record(t, &norm_rule, y, x, gain, bias);
  if (r) r->extra = saved, r->scale = eps;
  return y;
}

/* tape_norm.c - layer normalisation on the tape. */
#include "tape_record.h"
#include <math.h>

typedef struct Norm {
  float *z;       /* [B, n] (x - mean) / deviation */
  float *inverse; /* [B] 1 / deviation */
} Norm;

static void norm_back(HnTape *t, HnRecord *r) {
  const HnKernels *k = hn_kernels();
  const Norm *saved = r->extra;
  const int64_t n = r->a->cols;
  const float *gain = r->b ? r->b->data : NULL, share = 1 / (float)n;
  float *dx = hn_grad(r->a), *dgain = r->b ? hn_grad(r->b) : NULL;
  float *dbias = r->c ? hn_grad(r->c) : NULL, *d = hn_tape_take(t, n, sizeof *d);
  const float *one = hn_filled(t, 1, n, 1)->data;
  for (int64_t i = 0; i < r->a->rows; i++) {
    const float *g = r->y->grad + i * n, *z = saved->z + i * n;
    for (int64_t j = 0; dgain && j < n; j++) dgain[j] += g[j] * z[j];
    if (dbias) k->add(n, g, dbias);
    if (!dx) continue;
    for (int64_t j = 0; j < n; j++) d[j] = gain ? g[j] * gain[j] : g[j];
    const float mean = share * k->dot(n, d, one), slope = share * k->dot(n, d, z);
    for (int64_t j = 0; j < n; j++)
      dx[i * n + j] += saved->inverse[i] * (d[j] - mean - slope * z[j]);
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
  const float *one = hn_filled(t, 1, n, 1)->data, share = 1 / (float)n;
  for (int64_t i = 0; i < x->rows; i++) {
    const float *in = x->data + i * n, mean = share * k->dot(n, in, one);
    float *z = saved->z + i * n, *out = y->data + i * n;
    for (int64_t j = 0; j < n; j++) z[j] = in[j] - mean;
    const float inverse = saved->inverse[i] = 1 / sqrtf(share * k->dot(n, z, z) + eps);
    for (int64_t j = 0; j < n; j++) {
      z[j] *= inverse;
      out[j] = (gain ? z[j] * gain->data[j] : z[j]) + (bias ? bias->data[j] : 0);
    }
  }
  HnRecord *r = hn_record(t, &norm_rule, y, x, gain, bias);
  if (r) r->extra = saved, r->scale = eps;
  return y;
}

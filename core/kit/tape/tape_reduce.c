/* tape_reduce.c - sums of the tape, in float64 and in one fixed order. */
#include "tape_record.h"

/* Sum of x[i] * weight[i] (NULL: of x) in eight running sums and a fixed tree. */
static double total(int64_t n, const float *x, const float *weight) {
  double sum[8] = {0};
  for (int64_t i = 0; i < n; i++)
    sum[i & 7] += weight ? (double)x[i] * (double)weight[i] : (double)x[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static void sum_back(HnTape *t, HnRecord *r) {
  (void)t;
  float *dx = hn_grad(r->a);
  const float g = r->scale * r->y->grad[0];
  for (int64_t i = 0; i < hn_count(r->a); i++) dx[i] += g;
}

static HnVar *sum_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a);
  return dx ? hn_affine(t, hn_sum(t, dx), r->scale, 0) : NULL;
}

static const HnRule sum_rule = {"hn_sum", sum_back, sum_jvp};

static HnVar *scaled_sum(HnTape *t, HnVar *x, double scale) {
  HnVar *y = hn_output(t, 1, 1, x, NULL, NULL);
  y->data[0] = (float)(scale * total(hn_count(x), x->data, NULL));
  HnRecord *r = hn_record(t, &sum_rule, y, x, NULL, NULL);
  if (r) r->scale = (float)scale;
  return y;
}

HnVar *hn_sum(HnTape *t, HnVar *x) {
  return scaled_sum(t, x, 1);
}
HnVar *hn_mean(HnTape *t, HnVar *x) {
  return scaled_sum(t, x, 1 / (double)hn_count(x));
}

static void sum_columns_back(HnTape *t, HnRecord *r) {
  (void)t;
  const int64_t n = r->a->cols;
  float *dx = hn_grad(r->a);
  for (int64_t i = 0; i < r->a->rows; i++)
    for (int64_t j = 0; j < n; j++) dx[i * n + j] += r->y->grad[i];
}

static HnVar *sum_columns_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a);
  return dx ? hn_sum_columns(t, dx) : NULL;
}

static const HnRule sum_columns_rule = {"hn_sum_columns", sum_columns_back, sum_columns_jvp};

HnVar *hn_sum_columns(HnTape *t, HnVar *x) {
  HnVar *y = hn_output(t, x->rows, 1, x, NULL, NULL);
  for (int64_t i = 0; i < x->rows; i++)
    y->data[i] = (float)total(x->cols, x->data + i * x->cols, NULL);
  hn_record(t, &sum_columns_rule, y, x, NULL, NULL);
  return y;
}

static void dot_back(HnTape *t, HnRecord *r) {
  (void)t;
  const float *weight = r->extra, g = r->y->grad[0];
  float *dx = hn_grad(r->a);
  for (int64_t i = 0; i < hn_count(r->a); i++) dx[i] += g * weight[i];
}

static HnVar *dot_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a);
  return dx ? hn_dot(t, dx, r->extra) : NULL;
}

static const HnRule dot_rule = {"hn_dot", dot_back, dot_jvp};

HnVar *hn_dot(HnTape *t, HnVar *x, const float *weight) {
  HnVar *y = hn_output(t, 1, 1, x, NULL, NULL);
  y->data[0] = (float)total(hn_count(x), x->data, weight);
  HnRecord *r = hn_record(t, &dot_rule, y, x, NULL, NULL);
  if (r) r->extra = weight;
  return y;
}

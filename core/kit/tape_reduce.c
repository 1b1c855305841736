/* tape_reduce.c - sums of the tape, in float64 and in one fixed order. */
#include "record.h"

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

static HnVar *scaled_sum(HnTape *t, HnVar *x, double scale) {
  HnVar *y = hn_output(t, 1, 1, x, NULL, NULL);
  y->data[0] = (float)(scale * total(hn_count(x), x->data, NULL));
  HnRecord *r = hn_record(t, sum_back, y, x, NULL, NULL);
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

HnVar *hn_sum_columns(HnTape *t, HnVar *x) {
  HnVar *y = hn_output(t, x->rows, 1, x, NULL, NULL);
  for (int64_t i = 0; i < x->rows; i++)
    y->data[i] = (float)total(x->cols, x->data + i * x->cols, NULL);
  hn_record(t, sum_columns_back, y, x, NULL, NULL);
  return y;
}

static void dot_back(HnTape *t, HnRecord *r) {
  (void)t;
  const float *weight = r->extra, g = r->y->grad[0];
  float *dx = hn_grad(r->a);
  for (int64_t i = 0; i < hn_count(r->a); i++) dx[i] += g * weight[i];
}

HnVar *hn_dot(HnTape *t, HnVar *x, const float *weight) {
  HnVar *y = hn_output(t, 1, 1, x, NULL, NULL);
  y->data[0] = (float)total(hn_count(x), x->data, weight);
  HnRecord *r = hn_record(t, dot_back, y, x, NULL, NULL);
  if (r) r->extra = weight;
  return y;
}

/* dist_bernoulli.c - Bernoulli distributions by their logits on the tape, observed as counts. */
#include "tape_record.h"
#include <math.h>

typedef struct Counts {
  const float *ones, *total;
} Counts;

/* d/dx = total s(x) - ones */
static void bce_back(HnTape *t, HnRecord *r) {
  const Counts *s = r->extra;
  const int64_t n = r->a->cols;
  float *dx = hn_grad(r->a), *p = hn_tape_take(t, hn_count(r->a), sizeof(float));
  hn_kernels()->sigmoid(hn_count(r->a), r->a->data, p);
  for (int64_t i = 0; i < r->a->rows; i++)
    for (int64_t j = i * n; j < (i + 1) * n; j++)
      dx[j] += r->y->grad[i] * ((s->total ? s->total[j] : 1.0f) * p[j] - s->ones[j]);
}

static HnVar *bce_jvp(HnTape *t, const HnRecord *r) {
  const Counts *s = r->extra;
  HnVar *dx = hn_tangent(t, r->a);
  if (!dx) return NULL;
  HnVar *slope = hn_activate(t, r->a, HN_SIGMOID);
  if (s->total) slope = hn_mul(t, slope, hn_constant(t, dx->rows, dx->cols, s->total));
  slope = hn_sub(t, slope, hn_constant(t, dx->rows, dx->cols, s->ones));
  return hn_sum_columns(t, hn_mul(t, slope, dx));
}

static const HnRule bce_rule = {"hn_bce_logits", bce_back, bce_jvp};

/* softplus(+-x) = max(+-x, 0) + softplus(-|x|), which cancels nowhere. */
HnVar *hn_bce_logits(HnTape *t, HnVar *logits, const float *ones, const float *total) {
  const int64_t n = logits->cols, count = hn_count(logits);
  float *tail = hn_tape_take(t, count, sizeof(float));
  for (int64_t j = 0; j < count; j++) tail[j] = -fabsf(logits->data[j]);
  hn_kernels()->softplus(count, tail, tail);
  HnVar *y = hn_output(t, logits->rows, 1, logits, NULL, NULL);
  for (int64_t i = 0; i < logits->rows; i++) {
    double sum = 0;
    for (int64_t j = i * n; j < (i + 1) * n; j++) {
      const double x = (double)logits->data[j], all = total ? (double)total[j] : 1;
      const double wrong = x > 0 ? all - (double)ones[j] : (double)ones[j];
      sum += all * (double)tail[j] + wrong * fabs(x);
    }
    y->data[i] = (float)sum;
  }
  HnRecord *r = hn_record(t, &bce_rule, y, logits, NULL, NULL);
  if (r) {
    Counts *s = hn_tape_take(t, 1, sizeof *s);
    *s = (Counts){.ones = ones, .total = total};
    r->extra = s;
  }
  return y;
}

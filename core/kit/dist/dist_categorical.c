/* dist_categorical.c - categorical distributions by their logits on the tape.  A logit of -infinity
 * has probability 0, with 0 log 0 = 0. */
#include "tape_record.h"
#include <math.h>
#include <string.h>

typedef struct Softmax {
  float *p, *logp; /* [B, K] */
} Softmax;

static Softmax softmax(HnTape *t, const HnVar *logits) {
  const int64_t rows = logits->rows, n = logits->cols;
  const Softmax s = {.p = hn_tape_take(t, rows * n, sizeof(float)),
                     .logp = hn_tape_take(t, rows * n, sizeof(float))};
  for (int64_t i = 0; i < rows; i++) {
    const float *x = logits->data + i * n;
    float most = x[0];
    for (int64_t j = 1; j < n; j++) most = x[j] > most ? x[j] : most;
    for (int64_t j = 0; j < n; j++) s.logp[i * n + j] = x[j] - most;
  }
  hn_kernels()->exp(rows * n, s.logp, s.p);
  for (int64_t i = 0; i < rows; i++) {
    float *p = s.p + i * n, *logp = s.logp + i * n;
    double sum = 0;
    for (int64_t j = 0; j < n; j++) sum += (double)p[j];
    const float scale = (float)(1 / sum), shift = (float)log(sum);
    for (int64_t j = 0; j < n; j++) p[j] *= scale, logp[j] -= shift;
  }
  return s;
}

static void softmax_back(HnTape *t, HnRecord *r) {
  (void)t;
  const int64_t n = r->a->cols;
  float *d = hn_grad(r->a);
  for (int64_t i = 0; i < r->a->rows; i++) {
    const float *p = r->y->data + i * n, *g = r->y->grad + i * n;
    double mean = 0;
    for (int64_t j = 0; j < n; j++) mean += (double)p[j] * (double)g[j];
    for (int64_t j = 0; j < n; j++) d[i * n + j] += p[j] * (g[j] - (float)mean);
  }
}

/* p (dx - sum p dx) */
static HnVar *softmax_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a);
  if (!dx) return NULL;
  HnVar *mean = hn_sum_columns(t, hn_mul(t, r->y, dx));
  return hn_mul(t, r->y, hn_sub(t, dx, hn_like(t, mean, dx)));
}

static const HnRule softmax_rule = {"hn_softmax", softmax_back, softmax_jvp};

/* log p, which always meets a factor p: so where p vanishes any finite value will do. */
static HnVar *log_of(HnTape *t, HnVar *p) {
  return hn_log(t, hn_max(t, p, hn_filled(t, 1, 1, 1e-30f)));
}

HnVar *hn_softmax(HnTape *t, HnVar *logits) {
  HnVar *y = hn_output(t, logits->rows, logits->cols, logits, NULL, NULL);
  memcpy(y->data, softmax(t, logits).p, (size_t)hn_count(y) * sizeof(float));
  hn_record(t, &softmax_rule, y, logits, NULL, NULL);
  return y;
}

static inline double weighted(float p, double x) {
  return p > 0 ? (double)p * x : 0 * (double)p;
}

typedef struct Saved {
  Softmax p, q;
  const int32_t *pick;
} Saved;

static void logp_back(HnTape *t, HnRecord *r) {
  (void)t;
  const Saved *s = r->extra;
  const int64_t n = r->a->cols;
  float *d = hn_grad(r->a);
  for (int64_t i = 0; i < r->a->rows; i++) {
    const float g = r->y->grad[i];
    for (int64_t j = 0; j < n; j++) d[i * n + j] -= g * s->p.p[i * n + j];
    d[i * n + s->pick[i]] += g;
  }
}

/* sum (chosen - p) dx */
static HnVar *logp_jvp(HnTape *t, const HnRecord *r) {
  const Saved *s = r->extra;
  HnVar *dx = hn_tangent(t, r->a);
  if (!dx) return NULL;
  float *chosen = hn_tape_room(t, hn_count(dx), sizeof(float));
  for (int64_t i = 0; i < dx->rows; i++) chosen[i * dx->cols + s->pick[i]] = 1;
  HnVar *rest = hn_sub(t, hn_constant(t, dx->rows, dx->cols, chosen), hn_softmax(t, r->a));
  return hn_sum_columns(t, hn_mul(t, rest, dx));
}

static const HnRule logp_rule = {"hn_categorical_logp", logp_back, logp_jvp};

HnVar *hn_categorical_logp(HnTape *t, HnVar *logits, const int32_t *pick) {
  Saved *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Saved){.p = softmax(t, logits), .pick = pick};
  HnVar *y = hn_output(t, logits->rows, 1, logits, NULL, NULL);
  for (int64_t i = 0; i < logits->rows; i++) {
    if (pick[i] < 0 || pick[i] >= logits->cols)
      hn_bug("hn_categorical_logp: choice %d of %lld", (int)pick[i], (long long)logits->cols);
    y->data[i] = s->p.logp[i * logits->cols + pick[i]];
  }
  HnRecord *r = hn_record(t, &logp_rule, y, logits, NULL, NULL);
  if (r) r->extra = s;
  return y;
}

static void entropy_back(HnTape *t, HnRecord *r) {
  (void)t;
  const Saved *s = r->extra;
  const int64_t n = r->a->cols;
  float *d = hn_grad(r->a);
  for (int64_t i = 0; i < r->a->rows; i++)
    for (int64_t j = i * n; j < (i + 1) * n; j++)
      d[j] -=
          r->y->grad[i] * (float)weighted(s->p.p[j], (double)s->p.logp[j] + (double)r->y->data[i]);
}

/* -sum p (log p + entropy) dx */
static HnVar *entropy_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dx = hn_tangent(t, r->a);
  if (!dx) return NULL;
  HnVar *p = hn_softmax(t, r->a);
  HnVar *slope = hn_mul(t, p, hn_add(t, log_of(t, p), hn_like(t, r->y, dx)));
  return hn_affine(t, hn_sum_columns(t, hn_mul(t, slope, dx)), -1, 0);
}

static const HnRule entropy_rule = {"hn_categorical_entropy", entropy_back, entropy_jvp};

HnVar *hn_categorical_entropy(HnTape *t, HnVar *logits) {
  const int64_t n = logits->cols;
  Saved *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Saved){.p = softmax(t, logits)};
  HnVar *y = hn_output(t, logits->rows, 1, logits, NULL, NULL);
  for (int64_t i = 0; i < logits->rows; i++) {
    double sum = 0;
    for (int64_t j = i * n; j < (i + 1) * n; j++) sum -= weighted(s->p.p[j], (double)s->p.logp[j]);
    y->data[i] = (float)sum;
  }
  HnRecord *r = hn_record(t, &entropy_rule, y, logits, NULL, NULL);
  if (r) r->extra = s;
  return y;
}

static void kl_back(HnTape *t, HnRecord *r) {
  (void)t;
  const Saved *s = r->extra;
  const int64_t n = r->a->cols;
  float *dp = hn_grad(r->a), *dq = hn_grad(r->b);
  for (int64_t i = 0; i < r->a->rows; i++)
    for (int64_t j = i * n; j < (i + 1) * n; j++) {
      const float g = r->y->grad[i];
      const double ratio = (double)s->p.logp[j] - (double)s->q.logp[j];
      if (dp) dp[j] += g * (float)weighted(s->p.p[j], ratio - (double)r->y->data[i]);
      if (dq) dq[j] += g * (s->q.p[j] - s->p.p[j]);
    }
}

/* sum p (log p - log q - kl) dp + (q - p) dq, d of the logits */
static HnVar *kl_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dp = hn_tangent(t, r->a), *dq = hn_tangent(t, r->b);
  if (!dp && !dq) return NULL;
  HnVar *p = hn_softmax(t, r->a), *q = hn_softmax(t, r->b), *sum = NULL;
  if (dp) {
    HnVar *ratio = hn_sub(t, hn_sub(t, log_of(t, p), log_of(t, q)), hn_like(t, r->y, p));
    sum = hn_mul(t, hn_mul(t, p, ratio), dp);
  }
  return hn_sum_columns(t, hn_plus(t, sum, hn_times(t, hn_sub(t, q, p), dq)));
}

static const HnRule kl_rule = {"hn_categorical_kl", kl_back, kl_jvp};

HnVar *hn_categorical_kl(HnTape *t, HnVar *p_logits, HnVar *q_logits) {
  HN_SHAPE(p_logits->rows == q_logits->rows && p_logits->cols == q_logits->cols,
           "hn_categorical_kl", p_logits, q_logits);
  const int64_t n = p_logits->cols;
  Saved *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Saved){.p = softmax(t, p_logits), .q = softmax(t, q_logits)};
  HnVar *y = hn_output(t, p_logits->rows, 1, p_logits, q_logits, NULL);
  for (int64_t i = 0; i < p_logits->rows; i++) {
    double sum = 0;
    for (int64_t j = i * n; j < (i + 1) * n; j++)
      sum += weighted(s->p.p[j], (double)s->p.logp[j] - (double)s->q.logp[j]);
    y->data[i] = (float)sum;
  }
  HnRecord *r = hn_record(t, &kl_rule, y, p_logits, q_logits, NULL);
  if (r) r->extra = s;
  return y;
}

/* dist_normal.c - diagonal Gaussians on the tape, plain and squashed by tanh.  A mean or a logstd
 * of one row is shared by all rows. */
#include "tape_record.h"
#include <math.h>

static const double half_log_2pi = 0.91893853320467274178;

static void require_rows(const char *op, const HnVar *v, int64_t rows, int64_t cols) {
  if (v->cols != cols || (v->rows != rows && v->rows != 1))
    hn_bug("%s: shape [%lld, %lld] where [%lld, %lld] or one row is needed", op, (long long)v->rows,
           (long long)v->cols, (long long)rows, (long long)cols);
}

/* exp(sign * logstd), in the tape's memory. */
static HnVar scaled_exp(HnTape *t, const HnVar *logstd, float sign) {
  HnVar s = {.rows = logstd->rows, .cols = logstd->cols};
  s.data = hn_tape_take(t, hn_count(logstd), sizeof(float));
  for (int64_t i = 0; i < hn_count(logstd); i++) s.data[i] = sign * logstd->data[i];
  hn_kernels()->exp(hn_count(logstd), s.data, s.data);
  return s;
}

/* ---- log-density ---- */

typedef struct Density {
  const float *x;
  const float *z; /* [B, A] (x - mean) / std */
  HnVar inverse;  /* 1 / std, shaped as logstd */
} Density;

static void density_back(HnTape *t, HnRecord *r) {
  (void)t;
  const Density *saved = r->extra;
  float *dmean = hn_grad(r->a), *dlogstd = hn_grad(r->b);
  const int64_t n = r->a->cols;
  for (int64_t i = 0; i < r->y->rows; i++) {
    const float *z = saved->z + i * n, *inverse = hn_row(&saved->inverse, i), g = r->y->grad[i];
    float *dm = hn_grad_row(r->a, dmean, i), *ds = hn_grad_row(r->b, dlogstd, i);
    for (int64_t j = 0; dm && j < n; j++) dm[j] += g * z[j] * inverse[j];
    for (int64_t j = 0; ds && j < n; j++) ds[j] += g * (z[j] * z[j] - 1.0f);
  }
}

/* sum (z / std) dmean + (z^2 - 1) dlogstd */
static HnVar *density_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dmean = hn_tangent(t, r->a), *dlogstd = hn_tangent(t, r->b), *sum = NULL;
  if (!dmean && !dlogstd) return NULL;
  HnVar *x = hn_constant(t, r->a->rows, r->a->cols, ((const Density *)r->extra)->x);
  HnVar *inverse = hn_exp(t, hn_affine(t, r->b, -1, 0));
  HnVar *z = hn_mul(t, hn_sub(t, x, r->a), inverse);
  if (dmean) sum = hn_mul(t, hn_mul(t, z, inverse), dmean);
  if (dlogstd) sum = hn_plus(t, sum, hn_mul(t, hn_affine(t, hn_square(t, z), 1, -1), dlogstd));
  return hn_sum_columns(t, sum);
}

static const HnRule density_rule = {"hn_normal_logp", density_back, density_jvp};

/* Subtracts offset [B] (NULL: 0) from the log-density. */
static HnVar *density(HnTape *t, HnVar *mean, HnVar *logstd, const float *x, const float *offset) {
  const int64_t rows = mean->rows, n = mean->cols;
  require_rows("hn_normal_logp", logstd, rows, n);
  Density *saved = hn_tape_take(t, 1, sizeof *saved);
  float *zs = hn_tape_take(t, rows * n, sizeof(float));
  *saved = (Density){.x = x, .z = zs, .inverse = scaled_exp(t, logstd, -1)};
  HnVar *y = hn_output(t, rows, 1, mean, logstd, NULL);
  for (int64_t i = 0; i < rows; i++) {
    const float *m = mean->data + i * n, *s = hn_row(logstd, i), *v = hn_row(&saved->inverse, i);
    double sum = offset ? -(double)offset[i] : 0;
    for (int64_t j = 0; j < n; j++) {
      const float z = zs[i * n + j] = (x[i * n + j] - m[j]) * v[j];
      sum -= 0.5 * (double)z * (double)z + (double)s[j] + half_log_2pi;
    }
    y->data[i] = (float)sum;
  }
  HnRecord *r = hn_record(t, &density_rule, y, mean, logstd, NULL);
  if (r) r->extra = saved;
  return y;
}

HnVar *hn_normal_logp(HnTape *t, HnVar *mean, HnVar *logstd, const float *x) {
  return density(t, mean, logstd, x, NULL);
}

/* log |da/du| = log(1 - tanh(u)^2) = 2 (log 2 - u - softplus(-2u)), which never takes log 0. */
static float *log_slope(HnTape *t, int64_t rows, int64_t n, const float *u) {
  float *s = hn_tape_take(t, rows * n, sizeof(float)), *sum = hn_tape_take(t, rows, sizeof(float));
  for (int64_t i = 0; i < rows * n; i++) s[i] = -2.0f * u[i];
  hn_kernels()->softplus(rows * n, s, s);
  for (int64_t i = 0; i < rows; i++) {
    double total = 0;
    for (int64_t j = i * n; j < (i + 1) * n; j++) total += M_LN2 - (double)u[j] - (double)s[j];
    sum[i] = (float)(2 * total);
  }
  return sum;
}

HnVar *hn_tanh_normal_logp(HnTape *t, HnVar *mean, HnVar *logstd, const float *u) {
  return density(t, mean, logstd, u, log_slope(t, mean->rows, mean->cols, u));
}

static void tanh_log_slope_back(HnTape *t, HnRecord *r) {
  const int64_t n = r->a->cols, count = hn_count(r->a);
  float *du = hn_grad(r->a), *a = hn_tape_take(t, count, sizeof(float));
  hn_kernels()->tanh(count, r->a->data, a);
  for (int64_t i = 0; i < r->a->rows; i++)
    for (int64_t j = i * n; j < (i + 1) * n; j++) du[j] -= 2.0f * a[j] * r->y->grad[i];
}

static HnVar *tanh_log_slope_jvp(HnTape *t, const HnRecord *r) {
  HnVar *du = hn_tangent(t, r->a);
  if (!du) return NULL;
  HnVar *slope = hn_affine(t, hn_activate(t, r->a, HN_TANH), -2, 0);
  return hn_sum_columns(t, hn_mul(t, slope, du));
}

static const HnRule tanh_log_slope_rule = {"hn_tanh_log_slope", tanh_log_slope_back,
                                           tanh_log_slope_jvp};

HnVar *hn_tanh_log_slope(HnTape *t, HnVar *u) {
  HnVar *y = hn_output(t, u->rows, 1, u, NULL, NULL);
  const float *sum = log_slope(t, u->rows, u->cols, u->data);
  for (int64_t i = 0; i < u->rows; i++) y->data[i] = sum[i];
  hn_record(t, &tanh_log_slope_rule, y, u, NULL, NULL);
  return y;
}

/* ---- entropy ---- */

static void entropy_back(HnTape *t, HnRecord *r) {
  (void)t;
  const int64_t n = r->a->cols;
  float *d = hn_grad(r->a);
  for (int64_t i = 0; i < r->a->rows; i++)
    for (int64_t j = 0; j < n; j++) d[i * n + j] += r->y->grad[i];
}

static HnVar *entropy_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dlogstd = hn_tangent(t, r->a);
  return dlogstd ? hn_sum_columns(t, dlogstd) : NULL;
}

static const HnRule entropy_rule = {"hn_normal_entropy", entropy_back, entropy_jvp};

HnVar *hn_normal_entropy(HnTape *t, HnVar *logstd) {
  const int64_t n = logstd->cols;
  HnVar *y = hn_output(t, logstd->rows, 1, logstd, NULL, NULL);
  for (int64_t i = 0; i < logstd->rows; i++) {
    double sum = (double)n * (0.5 + half_log_2pi);
    for (int64_t j = 0; j < n; j++) sum += (double)logstd->data[i * n + j];
    y->data[i] = (float)sum;
  }
  hn_record(t, &entropy_rule, y, logstd, NULL, NULL);
  return y;
}

/* ---- divergence ---- */

typedef struct Divergence {
  HnVar *mean1, *logstd1, *mean0, *logstd0;
  HnVar std1, inverse0; /* exp(logstd1), exp(-logstd0) */
} Divergence;

static void divergence_back(HnTape *t, HnRecord *r) {
  (void)t;
  const Divergence *s = r->extra;
  float *dm1 = hn_grad(s->mean1), *ds1 = hn_grad(s->logstd1);
  float *dm0 = hn_grad(s->mean0), *ds0 = hn_grad(s->logstd0);
  for (int64_t i = 0; i < r->y->rows; i++) {
    const float *m1 = hn_row(s->mean1, i), *m0 = hn_row(s->mean0, i), g = r->y->grad[i];
    const float *std1 = hn_row(&s->std1, i), *inverse0 = hn_row(&s->inverse0, i);
    float *a = hn_grad_row(s->mean1, dm1, i), *b = hn_grad_row(s->logstd1, ds1, i);
    float *c = hn_grad_row(s->mean0, dm0, i), *d = hn_grad_row(s->logstd0, ds0, i);
    for (int64_t j = 0; j < s->mean1->cols; j++) {
      const float z = (m1[j] - m0[j]) * inverse0[j], ratio = std1[j] * inverse0[j];
      if (a) a[j] += g * z * inverse0[j];
      if (b) b[j] += g * (ratio * ratio - 1.0f);
      if (c) c[j] -= g * z * inverse0[j];
      if (d) d[j] += g * (1.0f - ratio * ratio - z * z);
    }
  }
}

/* With z = (mean1 - mean0) / std0 and q = (std1 / std0)^2, each repeated to all rows:
 * sum (z / std0) (dmean1 - dmean0) + (q - 1) dlogstd1 + (1 - q - z^2) dlogstd0 */
static HnVar *divergence_jvp(HnTape *t, const HnRecord *r) {
  const Divergence *s = r->extra;
  HnVar *const from[] = {s->mean1, s->logstd1, s->mean0, s->logstd0};
  HnVar *v[4], *d[4], *sum = NULL;
  for (int i = 0; i < 4; i++) {
    d[i] = hn_tangent(t, from[i]);
    if (d[i]) d[i] = hn_like(t, d[i], s->mean1);
    v[i] = hn_like(t, from[i], s->mean1);
  }
  if (!d[0] && !d[1] && !d[2] && !d[3]) return NULL;
  HnVar *inverse = hn_exp(t, hn_affine(t, v[3], -1, 0));
  HnVar *z = hn_mul(t, hn_sub(t, v[0], v[2]), inverse), *pull = hn_mul(t, z, inverse);
  HnVar *wide = hn_affine(t, hn_exp(t, hn_affine(t, hn_sub(t, v[1], v[3]), 2, 0)), 1, -1);
  HnVar *rest = hn_add(t, wide, hn_square(t, z));
  sum = hn_plus(t, hn_times(t, pull, d[0]), hn_times(t, wide, d[1]));
  if (d[2]) sum = hn_plus(t, sum, hn_affine(t, hn_mul(t, pull, d[2]), -1, 0));
  if (d[3]) sum = hn_plus(t, sum, hn_affine(t, hn_mul(t, rest, d[3]), -1, 0));
  return hn_sum_columns(t, sum);
}

static const HnRule divergence_rule = {"hn_normal_kl", divergence_back, divergence_jvp};

static void divergence(const Divergence *s, HnVar *y) {
  for (int64_t i = 0; i < y->rows; i++) {
    const float *m1 = hn_row(s->mean1, i), *l1 = hn_row(s->logstd1, i);
    const float *m0 = hn_row(s->mean0, i), *l0 = hn_row(s->logstd0, i);
    const float *std1 = hn_row(&s->std1, i), *inverse0 = hn_row(&s->inverse0, i);
    double sum = 0;
    for (int64_t j = 0; j < s->mean1->cols; j++) {
      const double z = (double)(m1[j] - m0[j]) * (double)inverse0[j];
      const double ratio = (double)std1[j] * (double)inverse0[j];
      sum += (double)l0[j] - (double)l1[j] + 0.5 * (ratio * ratio + z * z - 1);
    }
    y->data[i] = (float)sum;
  }
}

HnVar *hn_normal_kl(HnTape *t, HnVar *mean1, HnVar *logstd1, HnVar *mean0, HnVar *logstd0) {
  const int64_t rows = mean1->rows, n = mean1->cols;
  require_rows("hn_normal_kl", logstd1, rows, n);
  require_rows("hn_normal_kl", mean0, rows, n);
  require_rows("hn_normal_kl", logstd0, rows, n);
  Divergence *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Divergence){.mean1 = mean1,
                    .logstd1 = logstd1,
                    .mean0 = mean0,
                    .logstd0 = logstd0,
                    .std1 = scaled_exp(t, logstd1, 1),
                    .inverse0 = scaled_exp(t, logstd0, -1)};
  HnVar *y = hn_output(t, rows, 1, mean1, logstd1, mean0->grad ? mean0 : logstd0);
  divergence(s, y);
  HnRecord *r = hn_record(t, &divergence_rule, y, NULL, NULL, NULL);
  if (r) r->extra = s;
  return y;
}

/* ---- sample ---- */

typedef struct Sample {
  HnVar std;
  const float *noise;
} Sample;

static void sample_back(HnTape *t, HnRecord *r) {
  (void)t;
  const Sample *s = r->extra;
  const int64_t n = r->y->cols;
  float *dmean = hn_grad(r->a), *dlogstd = hn_grad(r->b);
  for (int64_t i = 0; i < r->y->rows; i++) {
    const float *std = hn_row(&s->std, i), *noise = s->noise + i * n, *g = r->y->grad + i * n;
    float *dm = hn_grad_row(r->a, dmean, i), *ds = hn_grad_row(r->b, dlogstd, i);
    for (int64_t j = 0; dm && j < n; j++) dm[j] += g[j];
    for (int64_t j = 0; ds && j < n; j++) ds[j] += g[j] * std[j] * noise[j];
  }
}

static HnVar *sample_jvp(HnTape *t, const HnRecord *r) {
  HnVar *dmean = hn_tangent(t, r->a), *dlogstd = hn_tangent(t, r->b);
  if (!dlogstd) return dmean;
  HnVar *noise = hn_constant(t, r->y->rows, r->y->cols, ((const Sample *)r->extra)->noise);
  return hn_plus(t, hn_mul(t, hn_mul(t, noise, hn_exp(t, r->b)), dlogstd), dmean);
}

static const HnRule sample_rule = {"hn_normal_sample", sample_back, sample_jvp};

HnVar *hn_normal_sample(HnTape *t, HnVar *mean, HnVar *logstd, const float *noise) {
  const int64_t rows = mean->rows, n = mean->cols;
  require_rows("hn_normal_sample", logstd, rows, n);
  Sample *s = hn_tape_take(t, 1, sizeof *s);
  *s = (Sample){.std = scaled_exp(t, logstd, 1), .noise = noise};
  HnVar *y = hn_output(t, rows, n, mean, logstd, NULL);
  for (int64_t i = 0; i < rows; i++) {
    const float *std = hn_row(&s->std, i);
    for (int64_t j = 0; j < n; j++)
      y->data[i * n + j] = mean->data[i * n + j] + std[j] * noise[i * n + j];
  }
  HnRecord *r = hn_record(t, &sample_rule, y, mean, logstd, NULL);
  if (r) r->extra = s;
  return y;
}

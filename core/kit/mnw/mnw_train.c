/* mnw_train.c - one trial's evidence and its gradient under an isotropic prior, float32 features.
 *
 * Everything that a factorisation depends on is float64: features are widened chunk by chunk for
 * C'C.  Only d/dC = -m C V + R B M' may be computed in float32, because it is returned as float32;
 * float_error tells beforehand whether that is accurate enough. */
#include "mnw_internal.h"
#include "mnw_kernels.h"
#include <float.h>
#include <math.h>
#include <string.h>

enum {
  CHUNK = 512 /* rows widened at a time: they and C'C stay in the cache */,
  MOST_RETRIES = 12
};

typedef struct Trial {
  const HnMnwTrial *in;
  const HnMnwPrior *prior;
  int64_t n, d, m, side; /* side: of the factorised matrix, d or n (dual) */
  double xi;             /* prior precision relative to the noise */
  double *wide, *other;  /* [chunk, D] */
  double *gram, *factor; /* [side, side] C'C or C C'; its factor, then its inverse */
  double *y, *r, *rb;    /* [n, m] targets, residual Y - C M, R B */
  double *mean, *vm;     /* M, V M [D, m] */
  double *b, *scratch;   /* [m, m] expected noise precision B */
  double *outer;         /* [m, m] M'M */
  double *rr;            /* [m, m] R'R */
  float *v32, *mean32;   /* [D, D] -m V; [m, D] M' */
  float *rb32;           /* [n, m] */
} Trial;

static int64_t chunk_rows(int64_t n) {
  return n < CHUNK ? n : CHUNK;
}

size_t hn_mnw_train_size(int64_t n, int64_t d, int64_t m) {
  return 2 * hn_carve_size(chunk_rows(n) * d, 8) + 2 * hn_carve_size(d * d, 8) +
         3 * hn_carve_size(n * m, 8) + 2 * hn_carve_size(d * m, 8) + 4 * hn_carve_size(m * m, 8) +
         hn_carve_size(d * d, 4) + hn_carve_size(d * m, 4) + hn_carve_size(n * m, 4);
}

static Trial lay_out(const HnMnwPrior *prior, const HnMnwTrial *in, bool dual, void *work) {
  HnCarve w = {work};
  Trial t = {.in = in, .prior = prior, .n = in->n, .d = in->d, .m = in->m};
  const int64_t n = t.n, d = t.d, m = t.m;
  t.side = dual ? n : d;
  t.xi = prior->noise == HN_MNW_NORMAL ? prior->xi * prior->variance : prior->xi;
  t.wide = hn_carve(&w, chunk_rows(n) * d, 8);
  t.other = hn_carve(&w, chunk_rows(n) * d, 8);
  t.gram = hn_carve(&w, t.side * t.side, 8);
  t.factor = hn_carve(&w, t.side * t.side, 8);
  t.y = hn_carve(&w, n * m, 8);
  t.r = hn_carve(&w, n * m, 8);
  t.rb = hn_carve(&w, n * m, 8);
  t.mean = hn_carve(&w, d * m, 8);
  t.vm = hn_carve(&w, d * m, 8);
  t.b = hn_carve(&w, m * m, 8);
  t.scratch = hn_carve(&w, m * m, 8);
  t.outer = hn_carve(&w, m * m, 8);
  t.rr = hn_carve(&w, m * m, 8);
  t.v32 = hn_carve(&w, d * d, 4);
  t.mean32 = hn_carve(&w, d * m, 4);
  t.rb32 = hn_carve(&w, n * m, 4);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < m; j++)
      t.y[i * m + j] = in->y32 ? (double)in->y32[i * in->ldy + j] : in->y64[i * in->ldy + j];
  return t;
}

static void widen_rows(const Trial *t, int64_t from, int64_t rows) {
  const HnMnwKernels *kernels = hn_mnw_kernels();
  const float *c = t->in->c + from * t->in->ldc;
  if (t->in->ldc == t->d) {
    kernels->widen(rows * t->d, c, t->wide);
    return;
  }
  for (int64_t i = 0; i < rows; i++) kernels->widen(t->d, c + i * t->in->ldc, t->wide + i * t->d);
}

static void narrow_rows(const Trial *t, const double *x, int64_t rows, float *to, int64_t ldto) {
  const HnMnwKernels *kernels = hn_mnw_kernels();
  if (ldto == t->d) {
    kernels->narrow(rows * t->d, x, to);
    return;
  }
  for (int64_t i = 0; i < rows; i++) kernels->narrow(t->d, x + i * t->d, to + i * ldto);
}

/* factor = chol(scale gram + ridge I), raising xi tenfold until that is positive definite. */
static bool factorise(Trial *t, bool dual, int64_t *jitter_retries, double *logdet) {
  const int64_t side = t->side;
  for (*jitter_retries = 0; *jitter_retries <= MOST_RETRIES; ++*jitter_retries, t->xi *= 10) {
    const double scale = dual ? 1 / t->xi : 1, ridge = dual ? 1 : t->xi;
    for (int64_t i = 0; i < side; i++) {
      for (int64_t j = 0; j <= i; j++) t->factor[i * side + j] = scale * t->gram[i * side + j];
      t->factor[i * side + i] += ridge;
    }
    if (hn_spd_factor(side, t->factor, logdet)) return true;
  }
  return false;
}

static void solve(const Trial *t, double *x) {
  const CBLAS_TRANSPOSE order[] = {CblasNoTrans, CblasTrans};
  for (int i = 0; i < 2; i++)
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, order[i], CblasNonUnit, (blasint)t->side,
                (blasint)t->m, 1, t->factor, (blasint)t->side, x, (blasint)t->m);
}

/* M, R and the factor through Xi = xi I + C'C. */
static bool fit_primal(Trial *t, int64_t *jitter_retries, double *logdet_ratio) {
  const int64_t n = t->n, d = t->d, m = t->m;
  /* the kit's kernel is wide even where BLAS is limited to less, and its bits repeat */
  void (*const gram)(int64_t, int64_t, const double *, double *) = hn_mnw_kernels()->gram;
  double logdet;
  memset(t->gram, 0, (size_t)(d * d) * sizeof(double));
  memset(t->mean, 0, (size_t)(d * m) * sizeof(double));
  for (int64_t from = 0; from < n; from += CHUNK) {
    const int64_t rows = n - from < CHUNK ? n - from : CHUNK;
    widen_rows(t, from, rows);
    if (gram && d % 8 == 0)
      gram(rows, d, t->wide, t->gram);
    else
      hn_add_gram(d, rows, 1, t->wide, t->gram);
    hn_add_atb(d, m, rows, 1, t->wide, t->y + from * m, 1, t->mean);
  }
  if (!factorise(t, false, jitter_retries, &logdet)) return false;
  *logdet_ratio = logdet - (double)d * log(t->xi);
  solve(t, t->mean);
  memcpy(t->r, t->y, (size_t)(n * m) * sizeof(double));
  for (int64_t from = 0; from < n; from += CHUNK) {
    const int64_t rows = n - from < CHUNK ? n - from : CHUNK;
    widen_rows(t, from, rows);
    hn_add_ab(rows, m, d, -1, t->wide, t->mean, 1, t->r + from * m);
  }
  return true;
}

/* The same through K = I + C C'/xi: R = K^-1 Y, M = C'R / xi. */
static bool fit_dual(Trial *t, int64_t *jitter_retries, double *logdet_ratio) {
  const int64_t n = t->n, d = t->d, m = t->m;
  memset(t->gram, 0, (size_t)(n * n) * sizeof(double));
  /* n < d, yet more than one chunk where both are large */
  for (int64_t from = 0; from < n; from += CHUNK) {
    const int64_t rows = n - from < CHUNK ? n - from : CHUNK;
    widen_rows(t, from, rows);
    memcpy(t->other, t->wide, (size_t)(rows * d) * sizeof(double));
    for (int64_t to = 0; to <= from; to += CHUNK) {
      const int64_t columns = n - to < CHUNK ? n - to : CHUNK;
      if (to < from) widen_rows(t, to, columns);
      const double *right = to < from ? t->wide : t->other;
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows, (blasint)columns,
                  (blasint)d, 1, t->other, (blasint)d, right, (blasint)d, 0,
                  t->gram + from * n + to, (blasint)n);
    }
  }
  if (!factorise(t, true, jitter_retries, logdet_ratio)) return false;
  memcpy(t->r, t->y, (size_t)(n * m) * sizeof(double));
  solve(t, t->r);
  memset(t->mean, 0, (size_t)(d * m) * sizeof(double));
  for (int64_t from = 0; from < n; from += CHUNK) {
    const int64_t rows = n - from < CHUNK ? n - from : CHUNK;
    widen_rows(t, from, rows);
    hn_add_atb(d, m, rows, 1 / t->xi, t->wide, t->r + from * m, 1, t->mean);
  }
  return true;
}

/* Evidence and its derivatives by psi and variance; leaves B. */
static bool weigh_noise(Trial *t, double logdet_ratio, HnMnwEvidence *out) {
  const int64_t m = t->m;
  const double size = (double)m, cells = (double)(t->n * m), xi = t->xi;
  const size_t bytes = (size_t)(m * m) * sizeof(double);
  double logdet, trace = 0;
  memset(t->rr, 0, bytes);
  hn_add_gram(m, t->n, 1, t->r, t->rr);
  hn_spd_mirror(m, t->rr);
  hn_add_atb(m, m, t->d, 1, t->mean, t->mean, 0, t->outer);
  for (int64_t i = 0; i < m * m; i++) t->b[i] = t->rr[i] + xi * t->outer[i];
  out->d_log_psi = out->d_log_variance = 0;
  if (t->prior->noise != HN_MNW_INFERRED) {
    const double variance = t->prior->variance;
    for (int64_t i = 0; i < m; i++) trace += t->b[i * m + i];
    memset(t->b, 0, bytes);
    for (int64_t i = 0; i < m; i++) t->b[i * m + i] = 1 / variance;
    out->evidence = -0.5 * cells * (HN_LN_2 + HN_LN_PI + log(variance)) -
                    0.5 * size * logdet_ratio - 0.5 * trace / variance;
    out->d_log_variance = -0.5 * cells + 0.5 * trace / variance;
    return true;
  }
  const double psi = t->prior->psi, nu0 = t->prior->nu0, nu = nu0 + (double)t->n;
  for (int64_t i = 0; i < m; i++) t->b[i * m + i] += psi;
  if (!hn_spd_factor(m, t->b, &logdet)) return false;
  hn_spd_invert(m, t->b);
  for (int64_t i = 0; i < m * m; i++) t->b[i] *= nu;
  for (int64_t i = 0; i < m; i++) trace += t->b[i * m + i];
  out->evidence = -0.5 * cells * HN_LN_PI - 0.5 * size * logdet_ratio +
                  0.5 * nu0 * size * log(psi) - 0.5 * nu * logdet + hn_mnw_lgamma(m, 0.5 * nu) -
                  hn_mnw_lgamma(m, 0.5 * nu0);
  out->d_log_psi = 0.5 * nu0 * size - 0.5 * psi * trace;
  return true;
}

/* Bound on the relative error of a float32 d/dC.  |dC|_F follows from matrices that are known
 * before it, because C'C = Xi - xi I and C'R = xi M:
 *   |dC|^2 = m^2 (tr V - xi tr V^2) - 2 m xi tr(B M'V M) + tr(B R'R B M'M)
 * while rounding makes an error of the order of u m |C|_F |V|_F in the first term and, with a
 * rounding for either factor and their product, 3 u sum_j |(R B)_j| |M_j| in the second. */
static double float_error(Trial *t, double trace_v) {
  const int64_t d = t->d, m = t->m;
  const double size = (double)m, u = (double)FLT_EPSILON / 2;
  const double norm2_v = cblas_ddot((blasint)(d * d), t->factor, 1, t->factor, 1);
  double trace_c = 0, second = 0;
  for (int64_t i = 0; i < d; i++) trace_c += t->gram[i * d + i];
  hn_add_ab(d, m, d, 1, t->factor, t->mean, 0, t->vm);
  hn_add_atb(m, m, d, 1, t->mean, t->vm, 0, t->scratch);
  const double cross = 2 * size * t->xi * hn_inner(m * m, t->b, t->scratch);
  hn_add_ab(m, m, m, 1, t->b, t->rr, 0, t->scratch);
  hn_add_ab(m, m, m, 1, t->scratch, t->b, 0, t->rr);
  for (int64_t j = 0; j < m; j++) second += sqrt(fmax(t->rr[j * m + j], 0) * t->outer[j * m + j]);
  const double norm2 =
      size * size * (trace_v - t->xi * norm2_v) - cross + hn_inner(m * m, t->rr, t->outer);
  const double noise = size * sqrt(trace_c * norm2_v) + 3 * second;
  return noise > 0 ? u * noise / sqrt(fmax(norm2, DBL_MIN)) : 0;
}

/* other += R B M' for these rows, returned as float32. */
static void finish_rows(const Trial *t, int64_t from, int64_t rows, const HnMnwEvidence *out) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)rows, (blasint)t->d, (blasint)t->m,
              1, t->rb + from * t->m, (blasint)t->m, t->mean, (blasint)t->m, 1, t->other,
              (blasint)t->d);
  narrow_rows(t, t->other, rows, out->dc + from * out->lddc, out->lddc);
}

static void gradient_full(const Trial *t, const HnMnwEvidence *out) {
  for (int64_t from = 0; from < t->n; from += CHUNK) {
    const int64_t rows = t->n - from < CHUNK ? t->n - from : CHUNK;
    widen_rows(t, from, rows);
    hn_add_ab(rows, t->d, t->d, -(double)t->m, t->wide, t->factor, 0, t->other);
    finish_rows(t, from, rows, out);
  }
}

/* C V = K^-1 C / xi; factor holds K^-1. */
static void gradient_dual(const Trial *t, const HnMnwEvidence *out) {
  const double scale = -(double)t->m / t->xi;
  for (int64_t from = 0; from < t->n; from += CHUNK) {
    const int64_t rows = t->n - from < CHUNK ? t->n - from : CHUNK;
    for (int64_t k = 0; k < t->n; k += CHUNK) {
      const int64_t inner = t->n - k < CHUNK ? t->n - k : CHUNK;
      widen_rows(t, k, inner);
      cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)rows, (blasint)t->d,
                  (blasint)inner, scale, t->factor + from * t->n + k, (blasint)t->n, t->wide,
                  (blasint)t->d, k > 0, t->other, (blasint)t->d);
    }
    finish_rows(t, from, rows, out);
  }
}

static void gradient_mixed(const Trial *t, const HnMnwEvidence *out) {
  const HnMnwKernels *kernels = hn_mnw_kernels();
  const int64_t d = t->d, m = t->m;
  for (int64_t i = 0; i < d * d; i++) t->v32[i] = (float)(-(double)m * t->factor[i]);
  for (int64_t j = 0; j < m; j++)
    for (int64_t i = 0; i < d; i++) t->mean32[j * d + i] = (float)t->mean[i * m + j];
  kernels->narrow(t->n * m, t->rb, t->rb32);
  for (int64_t from = 0; from < t->n; from += CHUNK) {
    const int64_t rows = t->n - from < CHUNK ? t->n - from : CHUNK;
    float *dc = out->dc + from * out->lddc;
    /* the larger term last, so that the sum over features rounds at its own size */
    hn_gemm(rows, d, d, t->in->c + from * t->in->ldc, t->in->ldc, 1, t->v32, d, 0, dc, out->lddc);
    hn_gemm(rows, d, m, t->rb32 + from * m, m, 1, t->mean32, d, 1, dc, out->lddc);
  }
}

static void gradient(Trial *t, bool dual, HnMnwEvidence *out) {
  const int64_t side = t->side;
  const double d = (double)t->d, size = (double)t->m;
  double trace = 0;
  hn_spd_invert(side, t->factor);
  for (int64_t i = 0; i < side; i++) trace += t->factor[i * side + i];
  const double trace_v = dual ? (d - (double)t->n + trace) / t->xi : trace;
  out->d_log_xi =
      0.5 * size * (d - t->xi * trace_v) - 0.5 * t->xi * hn_inner(t->m * t->m, t->b, t->outer);
  if (t->prior->noise == HN_MNW_NORMAL) out->d_log_variance += out->d_log_xi;
  hn_add_ab(t->n, t->m, t->m, 1, t->r, t->b, 0, t->rb);
  out->float_error = dual ? 0 : float_error(t, trace_v);
  if (dual)
    out->path = HN_MNW_DUAL;
  else if (out->path != HN_MNW_FULL && out->path != HN_MNW_MIXED)
    out->path = out->float_error <= HN_MNW_FLOAT_ERROR ? HN_MNW_MIXED : HN_MNW_FULL;
  if (!out->dc) return;
  if (dual)
    gradient_dual(t, out);
  else if (out->path == HN_MNW_MIXED)
    gradient_mixed(t, out);
  else
    gradient_full(t, out);
}

HnStatus hn_mnw_train(const HnMnwPrior *prior, const HnMnwTrial *trial, HnMnwEvidence *out,
                      void *work) {
  const bool inferred = prior->noise == HN_MNW_INFERRED;
  const bool wants_dual = out->path == HN_MNW_AUTO || out->path == HN_MNW_DUAL;
  const bool dual = wants_dual && trial->d > trial->n;
  double logdet_ratio;
  if (!(prior->xi > 0)) return HN_E_PARAM;
  if (inferred && (!(prior->psi > 0) || !(prior->nu0 > (double)(trial->m - 1)))) return HN_E_PARAM;
  if (!inferred && !(prior->variance > 0)) return HN_E_PARAM;
  out->evidence = out->d_log_xi = out->d_log_psi = out->d_log_variance = 0;
  out->xi = prior->xi;
  out->jitter_retries = 0;
  out->float_error = 0;
  if (trial->n == 0) return HN_OK;
  Trial t = lay_out(prior, trial, dual, work);
  if (!(dual ? fit_dual : fit_primal)(&t, &out->jitter_retries, &logdet_ratio)) return HN_E_NUMERIC;
  if (!weigh_noise(&t, logdet_ratio, out)) return HN_E_NUMERIC;
  if (!isfinite(out->evidence)) return HN_E_NUMERIC;
  out->xi = prior->noise == HN_MNW_NORMAL ? t.xi / prior->variance : t.xi;
  gradient(&t, dual, out);
  return HN_OK;
}

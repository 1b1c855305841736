/* mnw.c - the matrix-normal-Wishart of a batch: prior, posterior, predictive, prefixes. */
#include "mnw_internal.h"
#include <math.h>
#include <string.h>

extern void dpotrf_(const char *uplo, const blasint *n, double *a, const blasint *lda,
                    blasint *info);
extern void dpotri_(const char *uplo, const blasint *n, double *a, const blasint *lda,
                    blasint *info);

/* ---- small matrices ---- */

size_t hn_carve_size(int64_t count, size_t size) {
  return ((size_t)count * size + 63) & ~(size_t)63;
}

void *hn_carve(HnCarve *w, int64_t count, size_t size) {
  void *piece = w->at;
  w->at += hn_carve_size(count, size);
  return piece;
}

/* Row-major lower is LAPACK's upper. */
bool hn_spd_factor(int64_t n, double *a, double *logdet) {
  const blasint size = (blasint)n;
  blasint info;
  dpotrf_("U", &size, a, &size, &info);
  if (info) return false;
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += log(a[i * n + i]);
  *logdet = 2 * sum;
  return isfinite(sum);
}

void hn_spd_invert(int64_t n, double *l) {
  const blasint size = (blasint)n;
  blasint info;
  dpotri_("U", &size, l, &size, &info);
  hn_spd_mirror(n, l);
}

void hn_spd_mirror(int64_t n, double *a) {
  /* by blocks: writing down a whole column would miss the cache on every row */
  enum { BLOCK = 8 };
  for (int64_t i = 0; i < n; i += BLOCK)
    for (int64_t j = 0; j <= i; j += BLOCK)
      for (int64_t r = i; r < i + BLOCK && r < n; r++)
        for (int64_t c = j; c < j + BLOCK && c < r; c++) a[c * n + r] = a[r * n + c];
}

void hn_add_atb(int64_t n, int64_t p, int64_t k, double alpha, const double *a, const double *b,
                double beta, double *c) {
  if (p == 1)
    cblas_dgemv(CblasRowMajor, CblasTrans, (blasint)k, (blasint)n, alpha, a, (blasint)n, b, 1, beta,
                c, 1);
  else
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)n, (blasint)p, (blasint)k, alpha,
                a, (blasint)n, b, (blasint)p, beta, c, (blasint)p);
}

void hn_add_ab(int64_t n, int64_t p, int64_t k, double alpha, const double *a, const double *b,
               double beta, double *c) {
  if (p == 1)
    cblas_dgemv(CblasRowMajor, CblasNoTrans, (blasint)n, (blasint)k, alpha, a, (blasint)k, b, 1,
                beta, c, 1);
  else
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)n, (blasint)p, (blasint)k,
                alpha, a, (blasint)k, b, (blasint)p, beta, c, (blasint)p);
}

void hn_add_gram(int64_t n, int64_t k, double alpha, const double *x, double *a) {
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, (blasint)n, (blasint)k, alpha, x, (blasint)n,
              1, a, (blasint)n);
}

double hn_inner(int64_t count, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += a[i] * b[i];
  return sum;
}

/* ---- memory ---- */

size_t hn_mnw_size(int64_t d, int64_t m) {
  return hn_carve_size(d * m, 8) + 2 * hn_carve_size(d * d, 8) + 2 * hn_carve_size(m * m, 8);
}

HnMnw hn_mnw_place(int64_t d, int64_t m, void *memory) {
  HnCarve w = {memory};
  HnMnw q = {.d = d, .m = m};
  q.mean = hn_carve(&w, d * m, 8);
  q.xi = hn_carve(&w, d * d, 8);
  q.v = hn_carve(&w, d * d, 8);
  q.psi = hn_carve(&w, m * m, 8);
  q.omega = hn_carve(&w, m * m, 8);
  return q;
}

/* hn_mnw_predict needs most: a posterior and the work of its evidence. */
size_t hn_mnw_work_size(int64_t n, int64_t d, int64_t m) {
  return hn_mnw_size(d, m) + 2 * hn_carve_size(n * m, 8) + hn_carve_size(n * d, 8) +
         3 * hn_carve_size(d * m, 8) + 2 * hn_carve_size(d * d, 8) + 3 * hn_carve_size(m * m, 8);
}

/* ---- prior and posterior ---- */

/* Derives v, omega and the log-determinants from xi and psi. */
static HnStatus derive(HnMnw *q) {
  memcpy(q->v, q->xi, (size_t)(q->d * q->d) * sizeof(double));
  memcpy(q->omega, q->psi, (size_t)(q->m * q->m) * sizeof(double));
  if (!hn_spd_factor(q->d, q->v, &q->logdet_xi) || !hn_spd_factor(q->m, q->omega, &q->logdet_psi))
    return HN_E_NUMERIC;
  hn_spd_invert(q->d, q->v);
  hn_spd_invert(q->m, q->omega);
  return HN_OK;
}

HnStatus hn_mnw_prior(HnMnw *q, const double *mean0, const double *xi0, const double *psi0,
                      double nu0) {
  if (!(nu0 > (double)(q->m - 1))) return HN_E_PARAM;
  q->nu = nu0;
  if (mean0)
    memcpy(q->mean, mean0, (size_t)(q->d * q->m) * sizeof(double));
  else
    memset(q->mean, 0, (size_t)(q->d * q->m) * sizeof(double));
  memcpy(q->xi, xi0, (size_t)(q->d * q->d) * sizeof(double));
  memcpy(q->psi, psi0, (size_t)(q->m * q->m) * sizeof(double));
  return derive(q);
}

HnStatus hn_mnw_prior_isotropic(HnMnw *q, double xi, double psi, double nu0) {
  const int64_t d = q->d, m = q->m;
  if (!(nu0 > (double)(m - 1))) return HN_E_PARAM;
  if (!(xi > 0) || !(psi > 0)) return HN_E_NUMERIC;
  memset(q->mean, 0, (size_t)(d * m) * sizeof(double));
  memset(q->xi, 0, (size_t)(d * d) * sizeof(double));
  memset(q->v, 0, (size_t)(d * d) * sizeof(double));
  memset(q->psi, 0, (size_t)(m * m) * sizeof(double));
  memset(q->omega, 0, (size_t)(m * m) * sizeof(double));
  for (int64_t i = 0; i < d; i++) q->xi[i * d + i] = xi, q->v[i * d + i] = 1 / xi;
  for (int64_t i = 0; i < m; i++) q->psi[i * m + i] = psi, q->omega[i * m + i] = 1 / psi;
  q->nu = nu0;
  q->logdet_xi = (double)d * log(xi);
  q->logdet_psi = (double)m * log(psi);
  return HN_OK;
}

/* Solving for the shift d = M - M0 rather than for M keeps Psi a sum of squares, and exact where
 * the prior mean already explains the data. */
HnStatus hn_mnw_posterior(HnMnw *q, const HnMnw *prior, int64_t n, const double *c, const double *y,
                          void *work) {
  const int64_t d = q->d, m = q->m;
  HnCarve w = {work};
  double *r = hn_carve(&w, n * m, 8), *shift = hn_carve(&w, d * m, 8),
         *xi_shift = hn_carve(&w, d * m, 8);
  memcpy(q->xi, prior->xi, (size_t)(d * d) * sizeof(double));
  memcpy(q->mean, prior->mean, (size_t)(d * m) * sizeof(double));
  memcpy(q->psi, prior->psi, (size_t)(m * m) * sizeof(double));
  memset(shift, 0, (size_t)(d * m) * sizeof(double));
  q->nu = prior->nu + (double)n;
  if (n == 0) return derive(q);
  memcpy(r, y, (size_t)(n * m) * sizeof(double));
  hn_add_ab(n, m, d, -1, c, prior->mean, 1, r);
  hn_add_gram(d, n, 1, c, q->xi);
  hn_spd_mirror(d, q->xi);
  hn_add_atb(d, m, n, 1, c, r, 0, shift);
  memcpy(q->v, q->xi, (size_t)(d * d) * sizeof(double));
  if (!hn_spd_factor(d, q->v, &q->logdet_xi)) return HN_E_NUMERIC;
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (blasint)d,
              (blasint)m, 1, q->v, (blasint)d, shift, (blasint)m);
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (blasint)d,
              (blasint)m, 1, q->v, (blasint)d, shift, (blasint)m);
  hn_add_ab(n, m, d, -1, c, shift, 1, r);
  hn_add_gram(m, n, 1, r, q->psi);
  hn_spd_mirror(m, q->psi);
  hn_add_ab(d, m, d, 1, prior->xi, shift, 0, xi_shift);
  hn_add_atb(m, m, d, 1, shift, xi_shift, 1, q->psi);
  for (int64_t i = 0; i < d * m; i++) q->mean[i] += shift[i];
  return derive(q);
}

/* ---- predictive ---- */

double hn_mnw_predictive(const HnMnw *q, const double *c, double *mean) {
  double s = 1;
  for (int64_t i = 0; i < q->d; i++) s += c[i] * hn_inner(q->d, q->v + i * q->d, c);
  hn_add_atb(q->m, 1, q->d, 1, q->mean, c, 0, mean);
  return s;
}

static double predict_row(const HnMnw *q, const double *c, const double *y, const double *sigma,
                          void *work) {
  const int64_t m = q->m;
  HnCarve w = {work};
  double *e = hn_carve(&w, m, 8), *inverse = hn_carve(&w, m * m, 8), logdet, quad = 0;
  const double *weight = q->omega;
  const double s = hn_mnw_predictive(q, c, e);
  if (sigma) {
    memcpy(inverse, sigma, (size_t)(m * m) * sizeof(double));
    if (!hn_spd_factor(m, inverse, &logdet)) return NAN;
    hn_spd_invert(m, inverse);
    weight = inverse;
  }
  for (int64_t i = 0; i < m; i++) e[i] = y[i] - e[i];
  for (int64_t i = 0; i < m; i++) quad += e[i] * hn_inner(m, weight + i * m, e) / s;
  if (!sigma) return hn_mnw_log_student(m, q->nu, q->logdet_psi, s, quad);
  return -0.5 * ((double)m * (HN_LN_2 + HN_LN_PI + log(s)) + logdet + quad);
}

/* The joint predictive of many rows is their evidence with q as the prior. */
double hn_mnw_predict(const HnMnw *q, int64_t n, const double *c, const double *y,
                      const double *sigma, void *work) {
  if (n == 0) return 0;
  if (n == 1) return predict_row(q, c, y, sigma, work);
  HnCarve w = {work};
  HnMnw next = hn_mnw_place(q->d, q->m, hn_carve(&w, 1, hn_mnw_size(q->d, q->m)));
  double value;
  if (hn_mnw_posterior(&next, q, n, c, y, w.at)) return NAN;
  if (!sigma) return hn_mnw_evidence(q, &next);
  if (hn_mnw_fixed_evidence(q, &next, n, c, y, sigma, &value, NULL, w.at)) return NAN;
  return value;
}

/* ---- prefixes ---- */

size_t hn_mnw_prefixes_size(int64_t chunk, int64_t d, int64_t m) {
  return hn_carve_size(chunk * d, 8) + hn_carve_size(chunk * chunk, 8) +
         hn_carve_size(chunk * m, 8) + hn_carve_size(m, 8);
}

/* With K = C_b V and I + K C_b' = L L', row t of L^-1 (Y_b - C_b M) is e_t / sqrt(s_t) and
 * s_t = L[t,t]^2: the chain rule of the chunk's joint density is its Cholesky factorisation. */
HnStatus hn_mnw_prefixes(HnMnw *q, int64_t n, const double *c, const double *y, int64_t chunk,
                         double *s, double *e, double *logp, void *work) {
  const int64_t d = q->d, m = q->m;
  HnCarve w = {work};
  double *k = hn_carve(&w, chunk * d, 8), *l = hn_carve(&w, chunk * chunk, 8),
         *white = hn_carve(&w, chunk * m, 8), *room = hn_carve(&w, m, 8);
  HnWishart wishart = {m, q->nu, q->logdet_psi, q->psi, q->omega};
  for (int64_t from = 0; from < n; from += chunk) {
    const int64_t b = n - from < chunk ? n - from : chunk;
    const double *cb = c + from * d;
    double logdet;
    hn_add_ab(b, d, d, 1, cb, q->v, 0, k);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)b, (blasint)b, (blasint)d, 1, k,
                (blasint)d, cb, (blasint)d, 0, l, (blasint)b);
    for (int64_t t = 0; t < b; t++) l[t * b + t] += 1;
    if (!hn_spd_factor(b, l, &logdet)) return HN_E_NUMERIC;
    memcpy(white, y + from * m, (size_t)(b * m) * sizeof(double));
    hn_add_ab(b, m, d, -1, cb, q->mean, 1, white);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (blasint)b,
                (blasint)m, 1, l, (blasint)b, white, (blasint)m);
    cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, (blasint)b,
                (blasint)d, 1, l, (blasint)b, k, (blasint)d);
    for (int64_t t = 0; t < b; t++) {
      const double pivot = l[t * b + t];
      const double row = hn_wishart_absorb(&wishart, white + t * m, pivot * pivot, room);
      if (s) s[from + t] = pivot * pivot;
      if (logp) logp[from + t] = row;
      for (int64_t i = 0; e && i < m; i++) e[(from + t) * m + i] = white[t * m + i] * pivot;
    }
    hn_add_atb(d, m, b, 1, k, white, 1, q->mean);
    hn_add_gram(d, b, -1, k, q->v);
    hn_spd_mirror(d, q->v);
    hn_add_gram(d, b, 1, cb, q->xi);
    hn_spd_mirror(d, q->xi);
    q->logdet_xi += logdet;
  }
  q->nu = wishart.nu;
  q->logdet_psi = wishart.logdet_psi;
  return isfinite(q->logdet_xi + q->logdet_psi) ? HN_OK : HN_E_NUMERIC;
}

void hn_mnw_chol_update(int64_t d, double *l, double *x) {
  for (int64_t j = 0; j < d; j++) {
    const double pivot = l[j * d + j], r = hypot(pivot, x[j]);
    const double cosine = pivot / r, sine = x[j] / r;
    l[j * d + j] = r;
    for (int64_t i = j + 1; i < d; i++) {
      const double old = l[i * d + j];
      l[i * d + j] = cosine * old + sine * x[i];
      x[i] = cosine * x[i] - sine * old;
    }
  }
}

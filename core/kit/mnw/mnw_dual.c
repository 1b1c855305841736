/* mnw_dual.c - the posterior from an n x n factorisation, which also scores every prefix. */
#include "mnw_internal.h"
#include <string.h>

size_t hn_mnw_dual_size(int64_t n, int64_t d, int64_t m) {
  return hn_carve_size(n * d, 8) + hn_carve_size(n * n, 8) + hn_carve_size(n * m, 8) +
         2 * hn_carve_size(m * m, 8) + hn_carve_size(m, 8);
}

static void solve_factor(int64_t n, int64_t p, CBLAS_TRANSPOSE trans, const double *l, double *x) {
  cblas_dtrsm(CblasRowMajor, CblasLeft, CblasLower, trans, CblasNonUnit, (blasint)n, (blasint)p, 1,
              l, (blasint)n, x, (blasint)p);
}

/* With P = C V0 and K = L L': M = M0 + P'alpha, V = V0 - (L^-1 P)'(L^-1 P). */
static void fill_posterior(const HnMnw *prior, int64_t n, const double *c, const double *l,
                           double logdet, double *p, const double *white, HnMnw *q) {
  const int64_t d = q->d, m = q->m;
  const size_t square = (size_t)(d * d) * sizeof(double);
  memcpy(q->mean, prior->mean, (size_t)(d * m) * sizeof(double));
  memcpy(q->xi, prior->xi, square);
  memcpy(q->v, prior->v, square);
  q->logdet_xi = prior->logdet_xi + logdet;
  if (n == 0) return;
  solve_factor(n, d, CblasNoTrans, l, p);
  hn_add_atb(d, m, n, 1, p, white, 1, q->mean);
  hn_add_gram(d, n, -1, p, q->v);
  hn_spd_mirror(d, q->v);
  hn_add_gram(d, n, 1, c, q->xi);
  hn_spd_mirror(d, q->xi);
}

HnStatus hn_mnw_dual(const HnMnw *prior, int64_t n, const double *c, const double *y, double *s,
                     double *e, double *logp, double *white, double *alpha, HnMnw *q, void *work) {
  const int64_t d = prior->d, m = prior->m;
  HnCarve w = {work};
  double *p = hn_carve(&w, n * d, 8), *l = hn_carve(&w, n * n, 8), *own = hn_carve(&w, n * m, 8),
         *psi = hn_carve(&w, m * m, 8), *omega = hn_carve(&w, m * m, 8), *room = hn_carve(&w, m, 8),
         logdet = 0;
  if (!white) white = own;
  if (q) psi = q->psi, omega = q->omega;
  memcpy(psi, prior->psi, (size_t)(m * m) * sizeof(double));
  memcpy(omega, prior->omega, (size_t)(m * m) * sizeof(double));
  if (n > 0) {
    hn_add_ab(n, d, d, 1, c, prior->v, 0, p);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n, (blasint)n, (blasint)d, 1, p,
                (blasint)d, c, (blasint)d, 0, l, (blasint)n);
    for (int64_t t = 0; t < n; t++) l[t * n + t] += 1;
    if (!hn_spd_factor(n, l, &logdet)) return HN_E_NUMERIC;
    memcpy(white, y, (size_t)(n * m) * sizeof(double));
    hn_add_ab(n, m, d, -1, c, prior->mean, 1, white);
    solve_factor(n, m, CblasNoTrans, l, white);
    if (alpha) {
      memcpy(alpha, white, (size_t)(n * m) * sizeof(double));
      solve_factor(n, m, CblasTrans, l, alpha);
    }
  }
  HnWishart wishart = {m, prior->nu, prior->logdet_psi, psi, omega};
  for (int64_t t = 0; t < n; t++) {
    const double pivot = l[t * n + t];
    const double row = hn_wishart_absorb(&wishart, white + t * m, pivot * pivot, room);
    if (s) s[t] = pivot * pivot;
    if (logp) logp[t] = row;
    for (int64_t i = 0; e && i < m; i++) e[t * m + i] = white[t * m + i] * pivot;
  }
  if (q) {
    fill_posterior(prior, n, c, l, logdet, p, white, q);
    q->nu = wishart.nu;
    q->logdet_psi = wishart.logdet_psi;
  }
  return HN_OK;
}

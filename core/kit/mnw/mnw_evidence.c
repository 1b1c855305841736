/* mnw_evidence.c - evidence of a batch, its gradients, and divergences between beliefs. */
#include "mnw_internal.h"
#include <math.h>
#include <string.h>

double hn_mnw_evidence(const HnMnw *prior, const HnMnw *q) {
  const double m = (double)q->m, rows = q->nu - prior->nu;
  const double occam = HN_MNW_MUTATION == 1 ? -1 : 1;
  const double nu = HN_MNW_MUTATION == 2 ? prior->nu : HN_MNW_MUTATION == 3 ? q->nu - 1 : q->nu;
  return -0.5 * rows * m * HN_LN_PI + occam * 0.5 * m * (prior->logdet_xi - q->logdet_xi) +
         0.5 * prior->nu * prior->logdet_psi - 0.5 * nu * q->logdet_psi +
         hn_mnw_lgamma(q->m, 0.5 * nu) - hn_mnw_lgamma(q->m, 0.5 * prior->nu);
}

/* r [n, m] = Y - C M. */
static void residual(const HnMnw *q, int64_t n, const double *c, const double *y, double *r) {
  if (n == 0) return;
  memcpy(r, y, (size_t)(n * q->m) * sizeof(double));
  hn_add_ab(n, q->m, q->d, -1, c, q->mean, 1, r);
}

/* out [n, D] += alpha left right', left [n, m], right [D, m]. */
static void add_outer(int64_t n, int64_t d, int64_t m, double alpha, const double *left,
                      const double *right, double *out) {
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)n, (blasint)d, (blasint)m, alpha,
              left, (blasint)m, right, (blasint)m, 1, out, (blasint)d);
}

/* Both noise models share every gradient but those of psi0, nu0 and sigma: `b` [m, m] is the
 * expected noise precision, E[L | data] or sigma^-1.  M is optimal, so its derivative vanishes. */
static void shared_gradient(const HnMnw *prior, const HnMnw *q, int64_t n, const double *c,
                            const double *y, const double *b, const HnMnwGradient *g, void *work) {
  const int64_t d = q->d, m = q->m;
  HnCarve w = {work};
  double *r = hn_carve(&w, n * m, 8), *rb = hn_carve(&w, n * m, 8), *shift = hn_carve(&w, d * m, 8),
         *shift_b = hn_carve(&w, d * m, 8);
  for (int64_t i = 0; i < d * m; i++) shift[i] = q->mean[i] - prior->mean[i];
  hn_add_ab(d, m, m, 1, shift, b, 0, shift_b);
  if (n > 0) {
    residual(q, n, c, y, r);
    hn_add_ab(n, m, m, 1, r, b, 0, rb);
  }
  if (g->c && n > 0) {
    hn_add_ab(n, d, d, -(double)m, c, q->v, 0, g->c);
    add_outer(n, d, m, 1, rb, q->mean, g->c);
  }
  for (int64_t i = 0; g->y && i < n * m; i++) g->y[i] = -rb[i];
  if (g->mean0) hn_add_ab(d, m, d, 1, prior->xi, shift_b, 0, g->mean0);
  if (g->xi0) {
    for (int64_t i = 0; i < d * d; i++) g->xi0[i] = 0.5 * (double)m * (prior->v[i] - q->v[i]);
    add_outer(d, d, m, -0.5, shift_b, shift, g->xi0);
  }
}

void hn_mnw_evidence_gradient(const HnMnw *prior, const HnMnw *q, int64_t n, const double *c,
                              const double *y, const HnMnwGradient *g, void *work) {
  const int64_t m = q->m;
  HnCarve w = {work};
  double *b = hn_carve(&w, m * m, 8);
  for (int64_t i = 0; i < m * m; i++) b[i] = q->nu * q->omega[i];
  shared_gradient(prior, q, n, c, y, b, g, w.at);
  for (int64_t i = 0; g->psi0 && i < m * m; i++)
    g->psi0[i] = 0.5 * (prior->nu * prior->omega[i] - b[i]);
  if (g->nu0)
    *g->nu0 = 0.5 * (prior->logdet_psi - q->logdet_psi + hn_mnw_digamma(m, 0.5 * q->nu) -
                     hn_mnw_digamma(m, 0.5 * prior->nu));
}

/* spread [m, m] = R'R + (M - M0)'Xi0 (M - M0), never as a difference of Psi. */
static void spread_of(const HnMnw *prior, const HnMnw *q, int64_t n, const double *c,
                      const double *y, double *spread, void *work) {
  const int64_t d = q->d, m = q->m;
  HnCarve w = {work};
  double *r = hn_carve(&w, n * m, 8), *shift = hn_carve(&w, d * m, 8),
         *xi_shift = hn_carve(&w, d * m, 8);
  residual(q, n, c, y, r);
  memset(spread, 0, (size_t)(m * m) * sizeof(double));
  if (n > 0) hn_add_gram(m, n, 1, r, spread);
  hn_spd_mirror(m, spread);
  for (int64_t i = 0; i < d * m; i++) shift[i] = q->mean[i] - prior->mean[i];
  hn_add_ab(d, m, d, 1, prior->xi, shift, 0, xi_shift);
  hn_add_atb(m, m, d, 1, shift, xi_shift, 1, spread);
}

HnStatus hn_mnw_fixed_evidence(const HnMnw *prior, const HnMnw *q, int64_t n, const double *c,
                               const double *y, const double *sigma, double *value,
                               const HnMnwGradient *g, void *work) {
  const int64_t m = q->m;
  HnCarve w = {work};
  double *spread = hn_carve(&w, m * m, 8), *b = hn_carve(&w, m * m, 8),
         *half = hn_carve(&w, m * m, 8), logdet;
  memcpy(b, sigma, (size_t)(m * m) * sizeof(double));
  if (!hn_spd_factor(m, b, &logdet)) return HN_E_NUMERIC;
  hn_spd_invert(m, b);
  spread_of(prior, q, n, c, y, spread, w.at);
  *value = -0.5 * (double)(n * m) * (HN_LN_2 + HN_LN_PI) - 0.5 * (double)n * logdet +
           0.5 * (double)m * (prior->logdet_xi - q->logdet_xi) - 0.5 * hn_inner(m * m, b, spread);
  if (!g) return HN_OK;
  shared_gradient(prior, q, n, c, y, b, g, w.at);
  if (g->sigma) {
    hn_add_ab(m, m, m, 1, b, spread, 0, half);
    hn_add_ab(m, m, m, 0.5, half, b, 0, g->sigma);
    for (int64_t i = 0; i < m * m; i++) g->sigma[i] -= 0.5 * (double)n * b[i];
  }
  return HN_OK;
}

/* dc = R Q' - (C Q + 2 R G_psi) M' + C (2 g V - 2 V G_v V), Q = V G_mean */
void hn_mnw_vjp(const HnMnw *q, int64_t n, const double *c, const double *y, const double *g_mean,
                const double *g_psi, const double *g_v, double g_logdet, double *dc, void *work) {
  const int64_t d = q->d, m = q->m;
  HnCarve w = {work};
  double *r = hn_carve(&w, n * m, 8), *left = hn_carve(&w, n * m, 8), *vg = hn_carve(&w, d * m, 8),
         *inner = hn_carve(&w, d * d, 8), *half = hn_carve(&w, d * d, 8);
  if (n == 0) return;
  residual(q, n, c, y, r);
  memset(left, 0, (size_t)(n * m) * sizeof(double));
  for (int64_t i = 0; i < d * d; i++) inner[i] = 2 * g_logdet * q->v[i];
  if (g_v) {
    hn_add_ab(d, d, d, 1, q->v, g_v, 0, half);
    hn_add_ab(d, d, d, -2, half, q->v, 1, inner);
  }
  hn_add_ab(n, d, d, 1, c, inner, 0, dc);
  if (g_mean) {
    hn_add_ab(d, m, d, 1, q->v, g_mean, 0, vg);
    add_outer(n, d, m, 1, r, vg, dc);
    hn_add_ab(n, m, d, 1, c, vg, 0, left);
  }
  if (g_psi) hn_add_ab(n, m, m, 2, r, g_psi, 1, left);
  add_outer(n, d, m, -1, left, q->mean, dc);
}

/* E ln|L| of the Wishart. */
static double expected_logdet(const HnMnw *q) {
  return hn_mnw_digamma(q->m, 0.5 * q->nu) + (double)q->m * HN_LN_2 - q->logdet_psi;
}

double hn_mnw_entropy(const HnMnw *q) {
  const double d = (double)q->d, m = (double)q->m, nu = q->nu;
  return 0.5 * d * m * (1 + HN_LN_2 + HN_LN_PI) - 0.5 * m * q->logdet_xi -
         0.5 * d * expected_logdet(q) - 0.5 * (m + 1) * q->logdet_psi +
         0.5 * m * (m + 1) * HN_LN_2 + hn_mnw_lgamma(q->m, 0.5 * nu) -
         0.5 * (nu - m - 1) * hn_mnw_digamma(q->m, 0.5 * nu) + 0.5 * nu * m;
}

double hn_mnw_kl(const HnMnw *q1, const HnMnw *q0, void *work) {
  const int64_t d = q1->d, m = q1->m;
  HnCarve w = {work};
  double *shift = hn_carve(&w, d * m, 8), *xi_shift = hn_carve(&w, d * m, 8),
         *spread = hn_carve(&w, m * m, 8);
  for (int64_t i = 0; i < d * m; i++) shift[i] = q1->mean[i] - q0->mean[i];
  hn_add_ab(d, m, d, 1, q0->xi, shift, 0, xi_shift);
  hn_add_atb(m, m, d, 1, shift, xi_shift, 0, spread);
  const double size = (double)m;
  const double weights = size * hn_inner(d * d, q0->xi, q1->v) +
                         q1->nu * hn_inner(m * m, q1->omega, spread) - (double)d * size +
                         size * (q1->logdet_xi - q0->logdet_xi);
  return 0.5 * weights + 0.5 * q0->nu * (q1->logdet_psi - q0->logdet_psi) +
         0.5 * q1->nu * (hn_inner(m * m, q1->omega, q0->psi) - size) +
         hn_mnw_lgamma(m, 0.5 * q0->nu) - hn_mnw_lgamma(m, 0.5 * q1->nu) +
         0.5 * (q1->nu - q0->nu) * hn_mnw_digamma(m, 0.5 * q1->nu);
}

double hn_mnw_expected_loglik(const HnMnw *q, int64_t n, const double *c, const double *y,
                              void *work) {
  const int64_t d = q->d, m = q->m;
  HnCarve w = {work};
  double *r = hn_carve(&w, n * m, 8), *cv = hn_carve(&w, n * d, 8),
         *spread = hn_carve(&w, m * m, 8);
  if (n == 0) return 0;
  residual(q, n, c, y, r);
  memset(spread, 0, (size_t)(m * m) * sizeof(double));
  hn_add_gram(m, n, 1, r, spread);
  hn_spd_mirror(m, spread);
  hn_add_ab(n, d, d, 1, c, q->v, 0, cv);
  const double rows = (double)n;
  return -0.5 * rows * (double)m * (HN_LN_2 + HN_LN_PI) + 0.5 * rows * expected_logdet(q) -
         0.5 * q->nu * hn_inner(m * m, q->omega, spread) - 0.5 * (double)m * hn_inner(n * d, cv, c);
}

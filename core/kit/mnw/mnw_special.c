/* mnw_special.c - multivariate gamma functions and the densities of one row. */
#include "mnw_internal.h"
#include <math.h>

/* lgamma writes the global signgam; this does not. */
static double log_gamma(double a) {
  int sign;
  return lgamma_r(a, &sign);
}

/* Recurrence up to 12, then the asymptotic series (Abramowitz & Stegun 6.3.18), whose first term
 * left out is below 1e-16 there. */
static double digamma(double a) {
  double sum = 0;
  for (; a < 12; a += 1) sum -= 1 / a;
  const double r = 1 / (a * a);
  const double tail =
      r * (1.0 / 12 -
           r * (1.0 / 120 -
                r * (1.0 / 252 -
                     r * (1.0 / 240 - r * (1.0 / 132 - r * (691.0 / 32760 - r * (1.0 / 12)))))));
  return sum + log(a) - 0.5 / a - tail;
}

double hn_mnw_lgamma(int64_t m, double a) {
  double sum = 0.25 * (double)(m * (m - 1)) * HN_LN_PI;
  for (int64_t j = 0; j < m; j++) sum += log_gamma(a - 0.5 * (double)j);
  return sum;
}

double hn_mnw_digamma(int64_t m, double a) {
  double sum = 0;
  for (int64_t j = 0; j < m; j++) sum += digamma(a - 0.5 * (double)j);
  return sum;
}

double hn_mnw_log_student(int64_t m, double nu, double logdet_psi, double s, double quad) {
  const double k = nu - (double)m + (HN_MNW_MUTATION == 3 ? 0 : 1);
  return log_gamma(0.5 * (nu + 1)) - log_gamma(0.5 * k) - 0.5 * (double)m * (HN_LN_PI + log(s)) -
         0.5 * logdet_psi - 0.5 * (nu + 1) * log1p(quad);
}

double hn_mnw_log_normal(int64_t m, double variance, double s, double ee) {
  return -0.5 * (double)m * (HN_LN_2 + HN_LN_PI + log(variance * s)) - 0.5 * ee / (variance * s);
}

double hn_wishart_absorb(HnWishart *p, const double *w, double s, double *room) {
  const int64_t m = p->m;
  double quad = 0;
  for (int64_t i = 0; i < m; i++) {
    room[i] = hn_inner(m, p->omega + i * m, w);
    quad += room[i] * w[i];
  }
  const double logp = hn_mnw_log_student(m, p->nu, p->logdet_psi, s, quad);
  for (int64_t i = 0; i < m; i++)
    for (int64_t j = 0; j < m; j++) {
      p->psi[i * m + j] += w[i] * w[j];
      p->omega[i * m + j] -= room[i] * room[j] / (1 + quad);
    }
  p->logdet_psi += log1p(quad);
  p->nu += 1;
  return logp;
}

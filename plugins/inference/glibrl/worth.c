/* worth.c - see worth.h. */
#include "worth.h"
#include "evidence.h"
#include "model.h"
#include <float.h>
#include <math.h>
#include <string.h>

/* ---- eigenvalues ---- */

/* Column k of a [d, d] below its diagonal becomes (x, 0, .. 0) by a Householder reflection of rows
 * and columns k + 1 ..; returns x.  v, p [d] work. */
static double reflect(int64_t d, int64_t k, double *a, double *v, double *p) {
  double norm2 = 0;
  for (int64_t i = k + 1; i < d; i++) v[i] = a[i * d + k], norm2 += v[i] * v[i];
  const double x = v[k + 1] > 0 ? -sqrt(norm2) : sqrt(norm2);
  const double beta = norm2 - x * v[k + 1]; /* v'v / 2 of the reflection's v */
  if (!(beta > 0)) return 0;
  v[k + 1] -= x;
  double both = 0;
  for (int64_t i = k + 1; i < d; i++) {
    p[i] = 0;
    for (int64_t j = k + 1; j < d; j++) p[i] += a[i * d + j] * v[j];
    p[i] /= beta, both += p[i] * v[i];
  }
  for (int64_t i = k + 1; i < d; i++) p[i] -= both / (2 * beta) * v[i];
  for (int64_t i = k + 1; i < d; i++)
    for (int64_t j = k + 1; j < d; j++) a[i * d + j] -= v[i] * p[j] + p[i] * v[j];
  return x;
}

/* One implicit QL step on rows l .. m of the tridiagonal matrix with diagonal w, off it e. */
static void ql_step(int64_t l, int64_t m, double *w, double *e) {
  double g = (w[l + 1] - w[l]) / (2 * e[l]), r = sqrt(g * g + 1), s = 1, c = 1, p = 0;
  g = w[m] - w[l] + e[l] / (g + copysign(r, g));
  for (int64_t i = m - 1; i >= l; i--) {
    const double f = s * e[i], b = c * e[i];
    e[i + 1] = r = sqrt(f * f + g * g);
    if (r == 0) { /* the matrix falls apart here */
      w[i + 1] -= p, e[m] = 0;
      return;
    }
    s = f / r, c = g / r, g = w[i + 1] - p;
    r = (w[i] - g) * s + 2 * c * b, p = s * r;
    w[i + 1] = g + p, g = c * r - b;
  }
  w[l] -= p, e[l] = g, e[m] = 0;
}

/* Eigenvalues w [d] of a symmetric matrix a [d, d], which is overwritten, in no order; work [3 d].
 * Source: Golub & Van Loan, sections 8.3.1 and 8.3.5. */
static void eigenvalues(int64_t d, double *a, double *w, double *work) {
  enum { STEPS = 60 }; /* an eigenvalue takes two or three */
  double *e = work, *v = work + d, *p = work + 2 * d;
  for (int64_t k = 0; k < d; k++) {
    e[k] = k + 2 < d ? reflect(d, k, a, v, p) : k + 1 < d ? a[(k + 1) * d + k] : 0;
    w[k] = a[k * d + k];
  }
  for (int64_t l = 0; l < d; l++)
    for (int step = 0; step < STEPS; step++) {
      int64_t m = l;
      while (m + 1 < d && fabs(e[m]) > DBL_EPSILON * (fabs(w[m]) + fabs(w[m + 1]))) m++;
      if (m == l) break;
      ql_step(l, m, w, e);
    }
}

/* ---- of the features of one trial ---- */

double glibrl_participation(const HnHost *host, int64_t n, int64_t d, const float *c) {
  double *mean = host->scratch(host, d, sizeof *mean), trace = 0, square = 0;
  float *centred = host->scratch(host, n * d, sizeof *centred);
  memset(mean, 0, (size_t)d * sizeof *mean);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) mean[j] += (double)c[i * d + j] / (double)n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) centred[i * d + j] = c[i * d + j] - (float)mean[j];
  float *a = host->scratch(host, d * d, sizeof *a);
  hn_gemm(d, d, n, centred, 1, d, centred, d, 0, a, d);
  for (int64_t j = 0; j < d * d; j++) {
    square += (double)a[j] * (double)a[j];
    if (j % (d + 1) == 0) trace += (double)a[j];
  }
  return square > 0 ? trace * trace / square : 0;
}

double glibrl_effective_rank(const HnHost *host, int64_t n, int64_t d, const float *c) {
  float *product = host->scratch(host, d * d, sizeof *product);
  double *a = host->scratch(host, d * d, sizeof *a), *w = host->scratch(host, d, sizeof *w);
  double trace = 0, entropy = 0;
  hn_gemm(d, d, n, c, 1, d, c, d, 0, product, d);
  for (int64_t j = 0; j < d * d; j++) a[j] = (double)product[j];
  eigenvalues(d, a, w, host->scratch(host, 3 * d, sizeof *w));
  for (int64_t j = 0; j < d; j++) trace += fmax(w[j], 0);
  for (int64_t j = 0; j < d && trace > 0; j++)
    if (w[j] > 0) entropy -= w[j] / trace * log(w[j] / trace);
  return trace > 0 ? exp(entropy) : 0;
}

double glibrl_dead_share(const HnHost *host, int64_t n, int64_t d, int64_t learnt, const float *c) {
  double *variance = host->scratch(host, learnt, sizeof *variance), largest = 0;
  int64_t dead = 0;
  for (int64_t j = 0; j < learnt; j++) {
    double mean = 0;
    variance[j] = 0;
    for (int64_t i = 0; i < n; i++) mean += (double)c[i * d + j] / (double)n;
    for (int64_t i = 0; i < n; i++) {
      const double off = (double)c[i * d + j] - mean;
      variance[j] += off * off;
    }
    largest = fmax(largest, variance[j]);
  }
  for (int64_t j = 0; j < learnt; j++) dead += !(variance[j] > 1e-4 * largest);
  return (double)dead / (double)learnt;
}

double glibrl_largest_leverage(const HnHost *host, int64_t n, int64_t d, const float *c,
                               double xi) {
  double *wide = host->scratch(host, n * d, sizeof *wide), *y = host->scratch(host, n, sizeof *y);
  void *memory[2] = {host->scratch(host, (int64_t)hn_mnw_size(d, 1), 1),
                     host->scratch(host, (int64_t)hn_mnw_size(d, 1), 1)};
  HnMnw prior = hn_mnw_place(d, 1, memory[0]), q = hn_mnw_place(d, 1, memory[1]);
  for (int64_t k = 0; k < n * d; k++) wide[k] = (double)c[k];
  memset(y, 0, (size_t)n * sizeof *y);
  if (hn_mnw_prior_isotropic(&prior, xi, 1, 1) ||
      hn_mnw_posterior(&q, &prior, n, wide, y,
                       host->scratch(host, (int64_t)hn_mnw_work_size(n, d, 1), 1)))
    return (double)NAN;
  double largest = 0, mean;
  for (int64_t i = 0; i < n; i++)
    largest = fmax(largest, hn_mnw_predictive(&q, wide + i * d, &mean) - 1);
  return largest;
}

/* ---- of an instance ---- */

static void report_model(const Glibrl *g, const GlibrlModel *k, const GlibrlTrial *trial,
                         const int32_t metric[4]) {
  const HnHost *host = g->host;
  const int64_t n = trial->n, d = k->d;
  float *c = host->scratch(host, n * d, sizeof *c);
  glibrl_features(k, n, trial->x, g->reward.inputs,
                  host->scratch(host, glibrl_features_work(k, n), sizeof(float)), c);
  const HnMnwPrior prior = glibrl_prior(g, k, 1);
  const double xi = prior.noise == HN_MNW_NORMAL ? prior.xi * prior.variance : prior.xi;
  const double value[] = {glibrl_participation(host, n, d, c), glibrl_effective_rank(host, n, d, c),
                          glibrl_dead_share(host, n, d, k->learnt, c),
                          glibrl_largest_leverage(host, n, d, c, xi)};
  for (int i = 0; i < 4; i++) host->metric(host, metric[i], value[i]);
}

void glibrl_report_features(const Glibrl *g) {
  static const int32_t metric[2][4] = {
      {glibrl_metric_rank_transition, glibrl_metric_effective_rank_transition,
       glibrl_metric_dead_transition, glibrl_metric_leverage_max_transition},
      {glibrl_metric_rank_reward, glibrl_metric_effective_rank_reward, glibrl_metric_dead_reward,
       glibrl_metric_leverage_max_reward}};
  const GlibrlTrial trial = glibrl_load_trial(g, g->slot[0]);
  if (glibrl_live_columns(g)) report_model(g, &g->transition, &trial, metric[0]);
  report_model(g, &g->reward, &trial, metric[1]);
}

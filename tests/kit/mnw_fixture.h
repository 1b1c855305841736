/* mnw_fixture.h - random problems and comparisons for the tests of the matrix-normal-Wishart. */
#ifndef MNW_TOOLS_H
#define MNW_TOOLS_H
#include "mnw_golden.h"

static inline double normal(GRand *g) {
  const double u = 1 - g_rand_double(g), v = g_rand_double(g);
  return sqrt(-2 * log(u)) * cos(6.283185307179586 * v);
}

static inline double *normals(GRand *g, int64_t count, double scale) {
  double *x = g_new(double, count + 1);
  for (int64_t i = 0; i < count; i++) x[i] = scale * normal(g);
  return x;
}

static inline double *copy(const double *x, int64_t count) {
  return g_memdup2(x, (gsize)count * sizeof(double));
}

/* Symmetric positive definite, A A' / n + I / 2. */
static inline double *spd(GRand *g, int64_t n) {
  double *a = normals(g, n * n, 1), *s = g_new(double, n *n + 1);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      s[i * n + j] = i == j ? 0.5 : 0;
      for (int64_t p = 0; p < n; p++) s[i * n + j] += a[i * n + p] * a[j * n + p] / (double)n;
    }
  g_free(a);
  return s;
}

/* Relative to the largest element wanted. */
static inline double distance(int64_t count, const double *got, const double *want) {
  double scale = 1e-300, worst = 0;
  for (int64_t i = 0; i < count; i++) scale = fmax(scale, fabs(want[i]));
  for (int64_t i = 0; i < count; i++) {
    if (!isfinite(got[i])) return INFINITY;
    worst = fmax(worst, fabs(got[i] - want[i]));
  }
  return worst / scale;
}

static inline void near_to(const char *what, double got, double want, double tolerance) {
  if (fabs(got - want) <= tolerance * fmax(1, fabs(want))) return;
  g_test_message("%s: got %.17g, want %.17g", what, got, want);
  g_test_fail();
}

static inline void close_to(const char *what, int64_t count, const double *got, const double *want,
                            double tolerance) {
  const double apart = distance(count, got, want);
  if (apart <= tolerance) return;
  g_test_message("%s: relative distance %.3g exceeds %.3g", what, apart, tolerance);
  g_test_fail();
}

/* A random problem with a general prior. */
typedef struct Problem {
  int64_t n, d, m;
  double *c, *y, *mean0, *xi0, *psi0, nu0;
  HnMnw prior, post;
  void *work;
} Problem;

static inline Problem problem(guint32 seed, int64_t n, int64_t d, int64_t m) {
  GRand *g = g_rand_new_with_seed(seed);
  Problem p = {.n = n, .d = d, .m = m, .nu0 = (double)m + 1.5};
  p.c = normals(g, n * d, 1);
  p.y = normals(g, n * m, 1);
  p.mean0 = normals(g, d * m, 0.5);
  p.xi0 = spd(g, d);
  p.psi0 = spd(g, m);
  p.prior = golden_place(d, m);
  p.post = golden_place(d, m);
  p.work = g_malloc0(hn_mnw_work_size(n, d, m) + hn_mnw_prefixes_size(n + 1, d, m) +
                     hn_mnw_dual_size(n, d, m));
  g_assert_cmpint(hn_mnw_prior(&p.prior, p.mean0, p.xi0, p.psi0, p.nu0), ==, HN_OK);
  g_assert_cmpint(hn_mnw_posterior(&p.post, &p.prior, n, p.c, p.y, p.work), ==, HN_OK);
  g_rand_free(g);
  return p;
}

static inline void problem_free(Problem *p) {
  g_free(p->c), g_free(p->y), g_free(p->mean0), g_free(p->xi0), g_free(p->psi0);
  g_free(p->prior.mean), g_free(p->post.mean), g_free(p->work);
}

static inline void same_belief(const char *what, const HnMnw *got, const HnMnw *want,
                               double tolerance) {
  close_to(what, want->d * want->m, got->mean, want->mean, tolerance);
  close_to(what, want->d * want->d, got->xi, want->xi, tolerance);
  close_to(what, want->d * want->d, got->v, want->v, tolerance);
  close_to(what, want->m * want->m, got->psi, want->psi, tolerance);
  close_to(what, want->m * want->m, got->omega, want->omega, tolerance);
  near_to(what, got->nu, want->nu, 0);
  near_to(what, got->logdet_xi, want->logdet_xi, tolerance);
  near_to(what, got->logdet_psi, want->logdet_psi, tolerance);
}

static const HnMnwPrior plain = {.noise = HN_MNW_INFERRED, .xi = 1, .psi = 0.1, .nu0 = 100};

/* A belief set to any prior. */
static inline void *belief_from(const HnMnw *q, HnMnwNoise noise, double variance) {
  const HnMnwPrior prior = {.noise = noise, .xi = 1, .psi = 1, .nu0 = 100, .variance = variance};
  void *belief = g_malloc(hn_mnw_belief_size(q->d, q->m));
  g_assert_cmpint(hn_mnw_belief_start(belief, q->d, q->m, &prior), ==, HN_OK);
  hn_mnw_belief_load(belief, q);
  return belief;
}

static inline void belief_read(const void *belief, HnMnw *q) {
  const HnMnwSummary f = hn_mnw_belief_summary(belief);
  hn_mnw_belief_mean(belief, q->mean);
  hn_mnw_belief_v(belief, q->v);
  hn_mnw_belief_psi(belief, q->psi);
  q->nu = f.nu, q->logdet_xi = f.logdet_xi, q->logdet_psi = f.logdet_psi;
}
#endif

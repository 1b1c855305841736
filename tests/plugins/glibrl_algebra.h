/* glibrl_algebra.h - posteriors and densities of GLiBRL, written out over all steps at once: what
 * glibrl_test.c holds the plugin to. */
#ifndef HN_TESTS_GLIBRL_ALGEBRA_H
#define HN_TESTS_GLIBRL_ALGEBRA_H
#include "../../plugins/inference/glibrl/model.h"
#include "glibrl_fixture.h"

/* The plugin's features and targets of a row's steps 0 .. steps-1 under present weights. */
typedef struct Design {
  int64_t n, live;
  double *ct, *yt, *cr, *yr; /* [n, D], [n, live] or [n] */
  float *delta, *x;
} Design;

static Design design_of(Fixture *b, const Experience *data, int64_t row, int64_t steps) {
  Glibrl *g = b->g;
  int64_t o = data->obs_dim, a = data->action_dim, dt = g->transition.d, dr = g->reward.d;
  Design k = {.n = steps, .live = glibrl_live_columns(g)};
  float *obs = g_new(float, steps *o), *next = g_new(float, steps *o),
        *act = g_new(float, steps *a);
  k.delta = g_new(float, steps *o), k.x = g_new(float, steps * g->reward.inputs);
  for (int64_t t = 0; t < steps; t++) {
    int64_t at = t * data->rows + row;
    memcpy(obs + t * o, data->obs + at * o, (size_t)o * sizeof *obs);
    memcpy(next + t * o, data->next + at * o, (size_t)o * sizeof *obs);
    memcpy(act + t * a, data->action + at * a, (size_t)a * sizeof *act);
  }
  glibrl_make_inputs(g, steps, obs, act, next, k.delta, k.x);
  float *work = g_new(float, 2 * steps * 4096), *c = g_new(float, steps *(dt + dr));
  k.ct = g_new(double, steps *dt), k.cr = g_new(double, steps *dr);
  k.yt = g_new(double, steps *o), k.yr = g_new(double, steps);
  glibrl_features(&g->transition, steps, k.x, g->reward.inputs, work, c);
  for (int64_t i = 0; i < steps * dt; i++) k.ct[i] = (double)c[i];
  glibrl_features(&g->reward, steps, k.x, g->reward.inputs, work, c);
  for (int64_t i = 0; i < steps * dr; i++) k.cr[i] = (double)c[i];
  for (int64_t t = 0; t < steps; t++) {
    int64_t at = t * data->rows + row, to = 0;
    k.yr[t] = ((double)data->reward[at] - g->scale.reward[0]) / g->scale.reward[1];
    for (int64_t j = 0; j < o; j++)
      if (g->scale.live[j])
        k.yt[t * k.live + to++] =
            ((double)(b->params.transition_target == GLIBRL_TARGET_NEXT ? next
                                                                        : k.delta)[t * o + j] -
             g->scale.mean[j]) /
            g->scale.stddev[j];
  }
  g_free(obs), g_free(next), g_free(act), g_free(work), g_free(c);
  return k;
}

static void design_free(Design *k) {
  g_free(k->ct), g_free(k->yt), g_free(k->cr), g_free(k->yr), g_free(k->delta), g_free(k->x);
}

/* Posterior of n rows under the model's prior; the caller frees q->mean's block by `memory`. */
static inline HnMnw batch_posterior(Fixture *b, const GlibrlModel *model, int64_t n, int64_t m,
                                    const double *c, const double *y, void **memory, HnMnw *prior) {
  HnMnwPrior p = glibrl_prior(b->g, model, m);
  double xi = p.noise == HN_MNW_NORMAL ? p.xi * p.variance : p.xi;
  size_t bytes = (hn_mnw_size(model->d, m) + 63) / 64 * 64;
  *memory = g_aligned_alloc0(2, bytes, 64);
  *prior = hn_mnw_place(model->d, m, *memory);
  HnMnw q = hn_mnw_place(model->d, m, (char *)*memory + bytes);
  void *work = g_aligned_alloc0(1, hn_mnw_work_size(n, model->d, m), 64);
  g_assert_cmpint(hn_mnw_prior_isotropic(prior, xi, p.psi, p.nu0), ==, HN_OK);
  g_assert_cmpint(hn_mnw_posterior(&q, prior, n, c, y, work), ==, HN_OK);
  g_aligned_free(work);
  return q;
}

static inline void assert_near(const double *a, const double *b, int64_t n, double tolerance) {
  for (int64_t i = 0; i < n; i++) g_assert_cmpfloat(fabs(a[i] - b[i]), <=, tolerance);
}

/* Relative to the larger of 1 and what is wanted. */
static inline void near_to(double got, double want, double tolerance) {
  g_assert_cmpfloat(fabs(got - want), <=, tolerance * fmax(1, fabs(want)));
}

/* Solves a x = b in place for a symmetric positive definite [n, n]; returns ln|a|. */
static double solve(int64_t n, double *a, double *x, int64_t columns) {
  double logdet = 0;
  for (int64_t k = 0; k < n; k++) {
    double pivot = a[k * n + k];
    g_assert_cmpfloat(pivot, >, 0);
    logdet += log(pivot);
    for (int64_t i = k + 1; i < n; i++) {
      double f = a[i * n + k] / pivot;
      for (int64_t j = k; j < n; j++) a[i * n + j] -= f * a[k * n + j];
      for (int64_t j = 0; j < columns; j++) x[i * columns + j] -= f * x[k * columns + j];
    }
  }
  for (int64_t k = n; k-- > 0;)
    for (int64_t j = 0; j < columns; j++) {
      for (int64_t i = k + 1; i < n; i++) x[k * columns + j] -= a[k * n + i] * x[i * columns + j];
      x[k * columns + j] /= a[k * n + k];
    }
  return logdet;
}

/* ln p(y | rows so far) of a Student-t with `dof` degrees of freedom and scale matrix `scale`. */
static double student(int64_t m, double dof, const double *scale, const double *error) {
  double a[16], x[4], quadratic = 0;
  memcpy(a, scale, (size_t)(m * m) * sizeof *a), memcpy(x, error, (size_t)m * sizeof *x);
  double logdet = solve(m, a, x, 1), md = (double)m;
  for (int64_t j = 0; j < m; j++) quadratic += x[j] * error[j];
  return lgamma((dof + md) / 2) - lgamma(dof / 2) - md / 2 * log(dof * G_PI) - logdet / 2 -
         (dof + md) / 2 * log1p(quadratic / dof);
}

static double normal(int64_t m, double variance, const double *error) {
  double sum = 0;
  for (int64_t j = 0; j < m; j++) sum += error[j] * error[j];
  return -0.5 * (sum / variance + (double)m * log(2 * G_PI * variance));
}

/* Score of the step after rows 0 .. n-1, from nothing but the ridge solution and the densities
 * above; error [m] out. */
static inline double score_after(const HnMnwPrior *p, int64_t n, int64_t d, int64_t m,
                                 const double *c, const double *y, double *error) {
  double xi = p->noise == HN_MNW_NORMAL ? p->xi * p->variance : p->xi;
  double *a = g_new0(double, d *d), *x = g_new0(double, d *(m + 1)), *w = g_new0(double, d *m);
  double scale[16] = {0}, s = 1;
  for (int pass = 0; pass < 2; pass++) { /* the elimination destroys a: once for W, once for s */
    for (int64_t i = 0; i < d; i++)
      for (int64_t j = 0; j < d; j++) {
        a[i * d + j] = i == j ? xi : 0;
        for (int64_t t = 0; t < n; t++) a[i * d + j] += c[t * d + i] * c[t * d + j];
      }
    if (pass) break;
    for (int64_t i = 0; i < d; i++) {
      for (int64_t t = 0; t < n; t++)
        for (int64_t j = 0; j < m; j++) x[i * (m + 1) + j] += c[t * d + i] * y[t * m + j];
      x[i * (m + 1) + m] = c[n * d + i];
    }
    solve(d, a, x, m + 1);
  }
  for (int64_t i = 0; i < d; i++) {
    for (int64_t j = 0; j < m; j++) w[i * m + j] = x[i * (m + 1) + j];
    s += c[n * d + i] * x[i * (m + 1) + m];
  }
  for (int64_t t = 0; t <= n; t++) { /* residuals; the last is the error to score */
    for (int64_t j = 0; j < m; j++) {
      error[j] = y[t * m + j];
      for (int64_t i = 0; i < d; i++) error[j] -= c[t * d + i] * w[i * m + j];
    }
    for (int64_t j = 0; t < n && j < m; j++)
      for (int64_t k = 0; k < m; k++) scale[j * m + k] += error[j] * error[k];
  }
  for (int64_t j = 0; j < m; j++)
    for (int64_t k = 0; k < m; k++) {
      for (int64_t i = 0; i < d; i++) scale[j * m + k] += xi * w[i * m + j] * w[i * m + k];
      scale[j * m + k] += j == k ? p->psi : 0;
    }
  double dof = p->nu0 + (double)(n - m + 1);
  for (int64_t j = 0; j < m * m; j++) scale[j] *= s / dof;
  g_free(a), g_free(x), g_free(w);
  return p->noise == HN_MNW_INFERRED ? student(m, dof, scale, error)
                                     : normal(m, p->variance * s, error);
}
#endif

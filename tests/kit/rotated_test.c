/* rotated_test.c - Gaussians turned by a rotation, off the tape, against dense matrices in float64
 * and central differences of those. */
#include "dense_naive.h"
#include <glib.h>
#include <hunch/kit/gaussian.h>
#include <hunch/rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 64, MOST_SIZE = 2 * MOST + MOST * (MOST - 1) / 2, MOST_DRAWS = 35 };

/* N(shift, Q diag(exp(logvar)) Q'); x [2 n + n (n - 1) / 2]: shift, logvar, angles. */
static int64_t size_of(int64_t n) {
  return 2 * n + n * (n - 1) / 2;
}

static void draw_gaussian(HnRng *rng, int64_t n, double spread, float *x) {
  for (int64_t k = 0; k < size_of(n); k++)
    x[k] = (float)((k < 2 * n ? 1 : spread) * hn_rng_normal(rng));
}

static void *work_of(int64_t n) {
  return aligned_alloc(64, (hn_rotated_work_size(n) + 63) / 64 * 64);
}

/* ---- dense float64 ---- */

static void dense_covariance(int64_t n, const double *x, double *s) {
  double *q = g_new(double, (gsize)(n * n));
  naive_cayley(n, x + 2 * n, q);
  naive_turned(n, q, x + n, s);
  g_free(q);
}

/* A function of x, with what else it hangs on. */
typedef struct Dense {
  int64_t n, draws;
  const double *p0; /* [n, n] the other's precision, and ln of its determinant */
  double logdet0;
  const float *noise, *weight; /* [draws, n] */
} Dense;

/* KL from a Gaussian with mean 0. */
static double dense_kl(const Dense *d, const double *x) {
  const int64_t n = d->n;
  double *s = g_new(double, (gsize)(n * n)), sum = -(double)n - d->logdet0;
  dense_covariance(n, x, s);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) sum += d->p0[i * n + j] * (s[i * n + j] + x[i] * x[j]);
  sum -= naive_invert(n, s);
  g_free(s);
  return 0.5 * sum;
}

/* Sum of the draws' offsets by their weights; the offsets, unless NULL. */
static double dense_offsets(const Dense *d, const double *x, double *offset) {
  const int64_t n = d->n;
  double *q = g_new(double, (gsize)(n * n)), sum = 0;
  naive_cayley(n, x + 2 * n, q);
  for (int64_t k = 0; k < d->draws * n; k++) {
    double y = 0;
    for (int64_t j = 0; j < n; j++)
      y += q[k % n * n + j] * exp(0.5 * x[n + j]) * (double)d->noise[k / n * n + j];
    if (offset) offset[k] = y;
    sum += y * (double)d->weight[k];
  }
  g_free(q);
  return sum;
}
static double dense_sum(const Dense *d, const double *x) {
  return dense_offsets(d, x, NULL);
}

/* Of f in x[k]. */
static double slope(double (*f)(const Dense *, const double *), const Dense *d, double *x,
                    int64_t k) {
  const double step = 1e-5, at = x[k];
  x[k] = at + step;
  const double up = f(d, x);
  x[k] = at - step;
  const double down = f(d, x);
  x[k] = at;
  return (up - down) / (2 * step);
}

static void near(double got, double want, double relative) {
  g_assert_cmpfloat(fabs(got - want), <=, relative * fmax(1, fabs(want)));
}

/* y = x, of n dimensions. */
static void widen(int64_t n, const float *x, double *y) {
  for (int64_t k = 0; k < size_of(n); k++) y[k] = (double)x[k];
}

/* ---- tests ---- */

static const int64_t dims[] = {1, 2, 3, 7, 16, 17, 33, 64};

/* Of angles from none to so large that float32 shows: errors grow with them. */
static void test_axes(void) {
  static const struct {
    double spread, error;
  } by[] = {{0, 0}, {0.1, 4e-6}, {1, 4e-6}, {3, 2e-5}, {30, 1e-3}};
  for (gsize d = 0; d < G_N_ELEMENTS(dims); d++)
    for (gsize k = 0; k < G_N_ELEMENTS(by); k++) {
      const int64_t n = dims[d];
      HnRng rng = hn_rng(1, (uint64_t)n);
      float x[MOST_SIZE], q[MOST * MOST];
      double want[MOST * MOST], wide[MOST_SIZE];
      draw_gaussian(&rng, n, by[k].spread, x);
      widen(n, x, wide);
      void *work = work_of(n);
      hn_rotated_axes(n, x + 2 * n, q, work);
      naive_cayley(n, wide + 2 * n, want);
      for (int64_t i = 0; i < n * n; i++)
        g_assert_cmpfloat(fabs((double)q[i] - want[i]), <=, by[k].error);
      free(work);
    }
}

static void check_divergence(int64_t n, bool slopes) {
  HnRng rng = hn_rng(2, (uint64_t)n);
  float x[MOST_SIZE], x0[MOST_SIZE], got[MOST_SIZE];
  float q[MOST * MOST], q0[MOST * MOST];
  double p0[MOST * MOST], wide[MOST_SIZE], wide0[MOST_SIZE];
  void *work = work_of(n);
  draw_gaussian(&rng, n, 0.5, x), draw_gaussian(&rng, n, 0.5, x0);
  widen(n, x, wide), widen(n, x0, wide0);
  hn_rotated_axes(n, x + 2 * n, q, work), hn_rotated_axes(n, x0 + 2 * n, q0, work);
  const double kl =
      hn_rotated_divergence(n, x, x + n, q, x0 + n, q0, got, got + n, got + 2 * n, work);
  dense_covariance(n, wide0, p0);
  const double logdet0 = -naive_invert(n, p0);
  const Dense d = {.n = n, .p0 = p0, .logdet0 = logdet0};
  near(kl, dense_kl(&d, wide), 3e-6);
  for (int64_t k = 0; slopes && k < size_of(n); k++)
    near((double)got[k], slope(dense_kl, &d, wide, k), 2e-5);
  free(work);
}

static void test_divergence(void) {
  for (gsize d = 0; d < G_N_ELEMENTS(dims); d++) check_divergence(dims[d], dims[d] < 20);
}

/* From itself: nothing, and no gradient but rounding. */
static void test_same(void) {
  enum { N = 64 };
  HnRng rng = hn_rng(3, 0);
  float x[MOST_SIZE], got[MOST_SIZE], q[N * N], none[N] = {0};
  void *work = work_of(N);
  draw_gaussian(&rng, N, 0.3, x);
  hn_rotated_axes(N, x + 2 * N, q, work);
  const double kl =
      hn_rotated_divergence(N, none, x + N, q, x + N, q, got, got + N, got + 2 * N, work);
  g_assert_cmpfloat(fabs(kl), <=, 1e-4);
  for (int64_t k = 0; k < size_of(N); k++) g_assert_cmpfloat(fabs((double)got[k]), <=, 2e-5);
  free(work);
}

/* Values, and gradients that are added to what is there; also of more draws than go together. */
static void check_draws(int64_t n, int64_t draws) {
  HnRng rng = hn_rng(4, (uint64_t)(n * 100 + draws));
  float x[MOST_SIZE], got[MOST_SIZE], q[MOST * MOST];
  float noise[MOST_DRAWS * MOST], weight[MOST_DRAWS * MOST], offset[MOST_DRAWS * MOST];
  double want[MOST_DRAWS * MOST], wide[MOST_SIZE];
  void *work = work_of(n);
  draw_gaussian(&rng, n, 0.5, x);
  for (int64_t k = 0; k < draws * n; k++) noise[k] = (float)hn_rng_normal(&rng);
  for (int64_t k = 0; k < draws * n; k++) weight[k] = (float)hn_rng_normal(&rng);
  for (int64_t k = 0; k < size_of(n); k++) got[k] = 1;
  widen(n, x, wide);
  hn_rotated_axes(n, x + 2 * n, q, work);
  hn_rotated_draw(n, x + n, q, draws, noise, offset, work);
  hn_rotated_draw_backward(n, x + n, q, draws, noise, weight, got + n, got + 2 * n, work);
  const Dense d = {.n = n, .draws = draws, .noise = noise, .weight = weight};
  dense_offsets(&d, wide, want);
  for (int64_t k = 0; k < draws * n; k++) near((double)offset[k], want[k], 1e-5);
  for (int64_t k = n; k < size_of(n); k++)
    near((double)got[k], 1 + slope(dense_sum, &d, wide, k), 2e-5);
  free(work);
}

static void test_draws(void) {
  for (gsize d = 0; d < G_N_ELEMENTS(dims) && dims[d] < 20; d++)
    check_draws(dims[d], 1), check_draws(dims[d], 5);
  check_draws(3, MOST_DRAWS);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/rotated/axes", test_axes);
  g_test_add_func("/rotated/divergence", test_divergence);
  g_test_add_func("/rotated/same", test_same);
  g_test_add_func("/rotated/draws", test_draws);
  return g_test_run();
}

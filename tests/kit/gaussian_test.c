/* gaussian_test.c - Gaussians by their precisions against naive float64 matrices and closed forms.
 */
#include "dense_naive.h"
#include <glib.h>
#include <hunch/kit/gaussian.h>
#include <hunch/rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double ln_2pi = 1.8378770664093454836;

static void *work_of(int64_t dim) {
  return aligned_alloc(64, (hn_precision_work_size(dim) + 63) / 64 * 64);
}

/* rows random precisions I + A A' / 2, packed. */
static double *precisions(HnRng *rng, int64_t rows, int64_t n) {
  const int64_t count = hn_precision_count(n, false);
  double *p = g_new0(double, (gsize)(rows * count)), *a = g_new(double, (gsize)(n * n)), *at = p;
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t i = 0; i < n * n; i++) a[i] = hn_rng_normal(rng);
    for (int64_t i = 0; i < n; i++)
      for (int64_t j = 0; j <= i; j++, at++) {
        *at = i == j;
        for (int64_t k = 0; k < n; k++) *at += 0.5 * a[i * n + k] * a[j * n + k];
      }
  }
  g_free(a);
  return p;
}

static float *noise(HnRng *rng, int64_t count) {
  float *x = g_new(float, (gsize)count);
  for (int64_t i = 0; i < count; i++) x[i] = (float)hn_rng_normal(rng);
  return x;
}

/* ---- naive float64 ---- */

static void whole(int64_t n, const double *packed, double jitter, double *a) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j <= i; j++, packed++) a[i * n + j] = a[j * n + i] = *packed;
  for (int64_t i = 0; i < n; i++) a[i * n + i] += jitter;
}

static HnPrecisionStats naive(int64_t n, const double *q, const float *mean, const double *before,
                              const float *mean_before) {
  double *s = g_new(double, (gsize)(n * n)), *b = g_new(double, (gsize)(n * n));
  HnPrecisionStats f = {.entropy = 0.5 * (double)n * (1 + ln_2pi)};
  whole(n, q, HN_JITTER, s), whole(n, before, HN_JITTER, b);
  const double logdet = naive_invert(n, s);
  f.entropy -= 0.5 * logdet;
  for (int64_t i = 0; i < n; i++) {
    f.marginal += 0.5 * (1 + ln_2pi + log(s[i * n + i])) / (double)n;
    for (int64_t j = 0; j < n; j++) {
      f.trace += 0.5 * b[i * n + j] * s[i * n + j];
      f.mahalanobis += 0.5 * ((double)mean[i] - (double)mean_before[i]) * b[i * n + j] *
                       ((double)mean[j] - (double)mean_before[j]);
    }
  }
  f.logdet = 0.5 * (logdet - naive_invert(n, b));
  f.kl = f.trace + f.mahalanobis + f.logdet - 0.5 * (double)n;
  g_free(s), g_free(b);
  return f;
}

static void near(double got, double want, double relative) {
  g_assert_cmpfloat(fabs(got - want), <=, relative * fmax(1, fabs(want)));
}

static void same_stats(HnPrecisionStats got, HnPrecisionStats want) {
  near(got.entropy, want.entropy, 1e-11);
  near(got.marginal, want.marginal, 1e-11);
  near(got.trace, want.trace, 1e-11);
  near(got.mahalanobis, want.mahalanobis, 1e-11);
  near(got.logdet, want.logdet, 1e-11);
  near(got.kl, want.kl, 1e-11);
}

/* ---- against the naive form ---- */

static const int64_t dims[] = {1, 2, 3, 4, 5, 8, 31, 32, 50, 64};
static const int64_t row_counts[] = {1, 5, 16, 17, 35};

/* L L' = P + jitter I, relative to the diagonal. */
static void test_factor(void) {
  for (gsize d = 0; d < G_N_ELEMENTS(dims); d++)
    for (gsize r = 0; r < G_N_ELEMENTS(row_counts); r++) {
      const int64_t n = dims[d], rows = row_counts[r], count = hn_precision_count(n, false);
      HnRng rng = hn_rng(1, (uint64_t)(n * 100 + rows));
      double *packed = precisions(&rng, rows, n);
      float *l = g_new(float, (gsize)(rows * count));
      void *work = work_of(n);
      const HnPrecision p = {rows, n, false, packed, count, HN_JITTER};
      int64_t bad = -1;
      g_assert_cmpint(hn_precision_factor(&p, l, &bad, work), ==, HN_OK);
      g_assert_cmpint(bad, ==, -1);
      for (int64_t row = 0; row < rows; row++)
        for (int64_t i = 0; i < n; i++)
          for (int64_t j = 0; j <= i; j++) {
            const float *a = l + row * count + i * (i + 1) / 2,
                        *b = l + row * count + j * (j + 1) / 2;
            const double *at = packed + row * count;
            double sum = 0;
            for (int64_t k = 0; k <= j; k++) sum += (double)a[k] * (double)b[k];
            const double want = at[i * (i + 1) / 2 + j] + (i == j ? HN_JITTER : 0);
            const double size = sqrt(at[i * (i + 3) / 2] * at[j * (j + 3) / 2]);
            g_assert_cmpfloat(fabs(sum - want), <=, 2e-6 * size);
          }
      g_free(packed), g_free(l), free(work);
    }
}

/* A filter's divergences, its factors kept from step to step, against the naive ones and, bit for
 * bit, those of whole statistics. */
static void check_divergences(int64_t n, int64_t rows, bool diagonal) {
  enum { STEPS = 3, MOST = 35 };
  const int64_t count = hn_precision_count(n, diagonal);
  HnRng rng = hn_rng(3, (uint64_t)(n * 100 + rows));
  double *p = g_new(double, (gsize)((STEPS + 1) * rows * count)), kl[MOST], half[MOST];
  float *mean = noise(&rng, (STEPS + 1) * rows * n);
  float *grad = g_new(float, (gsize)(2 * rows * n)), *want = grad + rows * n;
  for (int64_t t = 0; t <= STEPS; t++) {
    double *drawn = precisions(&rng, rows, n);
    for (int64_t i = 0; i < rows * count; i++)
      p[t * rows * count + i] = diagonal ? 0.1 + fabs(drawn[i]) : drawn[i];
    g_free(drawn);
  }
  void *work = work_of(n), *factors = NULL;
  const size_t bytes = hn_precision_factors_size(n, rows, diagonal);
  g_assert_cmpint(posix_memalign(&factors, 64, bytes + 64), ==, 0);
  for (int64_t t = 1; t <= STEPS; t++) {
    HnPrecisionStats stats[MOST];
    const HnPrecision now = {rows, n, diagonal, p + t * rows * count, count, HN_JITTER};
    HnPrecision before = now;
    before.p -= rows * count;
    const float *to = mean + t * rows * n, *from = to - rows * n;
    g_assert_cmpint(
        hn_precision_kl(&now, to, n, &before, from, n, t > 1, factors, grad, kl, NULL, work), ==,
        HN_OK);
    g_assert_cmpint(hn_precision_stats(&now, to, n, &before, from, n, stats, NULL, work), ==,
                    HN_OK);
    hn_precision_mahalanobis(&before, to, n, from, n, want, half);
    g_assert_cmpmem(grad, (gsize)(rows * n) * sizeof *grad, want, (gsize)(rows * n) * sizeof *want);
    for (int64_t i = 0; i < rows; i++) {
      g_assert_cmpmem(kl + i, sizeof *kl, &stats[i].kl, sizeof *kl);
      if (!diagonal)
        near(kl[i], naive(n, now.p + i * count, to + i * n, before.p + i * count, from + i * n).kl,
             1e-9);
    }
  }
  g_free(p), g_free(mean), g_free(grad), free(work), free(factors);
}

static void test_divergence(void) {
  for (gsize d = 0; d < G_N_ELEMENTS(dims); d++)
    for (gsize r = 0; r < G_N_ELEMENTS(row_counts); r++)
      for (int diagonal = 0; diagonal < 2; diagonal++)
        check_divergences(dims[d], row_counts[r], diagonal);
}

/* A precision that has no factor is refused, whichever of both it is. */
static void test_divergence_refused(void) {
  double good[3] = {1, 0, 1}, poor[3] = {1, 2, 1}, kl;
  float mean[2] = {0}, grad[2];
  void *work = work_of(2), *factors = NULL;
  g_assert_cmpint(posix_memalign(&factors, 64, hn_precision_factors_size(2, 1, false)), ==, 0);
  const HnPrecision p = {1, 2, false, good, 3, HN_JITTER}, q = {1, 2, false, poor, 3, HN_JITTER};
  for (int k = 0; k < 2; k++) {
    int64_t bad = -1;
    g_assert_cmpint(hn_precision_kl(k ? &p : &q, mean, 2, k ? &q : &p, mean, 2, false, factors,
                                    grad, &kl, &bad, work),
                    ==, HN_E_NUMERIC);
    g_assert_cmpint(bad, ==, 0);
  }
  free(work), free(factors);
}

static void test_stats(void) {
  for (gsize d = 0; d < G_N_ELEMENTS(dims); d++) {
    enum { ROWS = 19 };
    const int64_t n = dims[d], count = hn_precision_count(n, false);
    HnRng rng = hn_rng(2, (uint64_t)n);
    double *q = precisions(&rng, ROWS, n), *before = precisions(&rng, ROWS, n);
    float *to = noise(&rng, ROWS * n), *from = noise(&rng, ROWS * n);
    float *grad = g_new(float, (gsize)(ROWS * n));
    double half[ROWS];
    void *work = work_of(n);
    HnPrecisionStats stats[ROWS];
    const HnPrecision p = {ROWS, n, false, q, count, HN_JITTER};
    const HnPrecision p0 = {ROWS, n, false, before, count, HN_JITTER};
    g_assert_cmpint(hn_precision_stats(&p, to, n, &p0, from, n, stats, NULL, work), ==, HN_OK);
    hn_precision_mahalanobis(&p0, to, n, from, n, grad, half);
    for (int64_t row = 0; row < ROWS; row++) {
      same_stats(stats[row],
                 naive(n, q + row * count, to + row * n, before + row * count, from + row * n));
      /* the grad is what the Mahalanobis part changes by */
      double along = 0;
      for (int64_t i = 0; i < n; i++)
        along +=
            0.5 * (double)grad[row * n + i] * ((double)to[row * n + i] - (double)from[row * n + i]);
      near(half[row], stats[row].mahalanobis, 1e-14);
      near(along, stats[row].mahalanobis, 1e-6);
    }
    g_assert_cmpint(hn_precision_stats(&p, NULL, 0, NULL, NULL, 0, stats, NULL, work), ==, HN_OK);
    g_assert_cmpfloat(stats[ROWS - 1].kl, ==, 0);
    near(stats[ROWS - 1].entropy, naive(n, q + (ROWS - 1) * count, to, before, from).entropy,
         1e-11);
    g_free(q), g_free(before), g_free(to), g_free(from), g_free(grad), free(work);
  }
}

/* Diagonal precisions are full ones with zeros. */
static void test_diagonal(void) {
  enum { ROWS = 5, N = 7, DRAWS = 3 };
  HnRng rng = hn_rng(3, 0);
  const int64_t count = hn_precision_count(N, false);
  double q[ROWS * N], before[ROWS * N], *full = g_new0(double, (gsize)(2 * ROWS * count));
  float *to = noise(&rng, ROWS * N), *from = noise(&rng, ROWS * N);
  float *draws = noise(&rng, ROWS * DRAWS * N), z[2][ROWS * DRAWS * N], grad[2][ROWS * N];
  float l[2][ROWS * 28];
  HnPrecisionStats stats[2][ROWS];
  void *work = work_of(N);
  for (int64_t row = 0; row < ROWS; row++)
    for (int64_t i = 0; i < N; i++) {
      q[row * N + i] = full[row * count + i * (i + 3) / 2] = hn_rng_uniform(&rng, 0.5, 9);
      before[row * N + i] = full[(ROWS + row) * count + i * (i + 3) / 2] =
          hn_rng_uniform(&rng, 0.5, 9);
    }
  for (int way = 0; way < 2; way++) {
    const HnPrecision p = {ROWS, N, way == 0, way ? full : q, way ? count : N, HN_JITTER};
    const HnPrecision p0 = {
        ROWS, N, way == 0, way ? full + ROWS * count : before, way ? count : N, HN_JITTER};
    g_assert_cmpint(hn_precision_stats(&p, to, N, &p0, from, N, stats[way], NULL, work), ==, HN_OK);
    g_assert_cmpint(hn_precision_sample(&p, to, N, DRAWS, draws, z[way], NULL, work), ==, HN_OK);
    g_assert_cmpint(hn_precision_factor(&p, l[way], NULL, work), ==, HN_OK);
    hn_precision_mahalanobis(&p, to, N, from, N, grad[way], NULL);
  }
  for (int64_t row = 0; row < ROWS; row++) same_stats(stats[0][row], stats[1][row]);
  for (int64_t i = 0; i < ROWS * DRAWS * N; i++) near((double)z[0][i], (double)z[1][i], 1e-6);
  for (int64_t i = 0; i < ROWS * N; i++) {
    near((double)grad[0][i], (double)grad[1][i], 1e-6);
    near((double)l[0][i], (double)l[1][i / N * count + i % N * (i % N + 3) / 2], 1e-6);
  }
  g_free(full), g_free(to), g_free(from), g_free(draws), free(work);
}

/* ---- known values ---- */

static void test_golden(void) {
  const double q[] = {2, 0.5, 1}, before[] = {1, 0.2, 3};
  const float mean[] = {1, -1}, zero[] = {0, 0};
  void *work = work_of(64);
  HnPrecisionStats f;
  const HnPrecision p = {1, 2, false, q, 3, 0}, p0 = {1, 2, false, before, 3, 0};
  g_assert_cmpint(hn_precision_stats(&p, mean, 2, &p0, zero, 2, &f, NULL, work), ==, HN_OK);
  g_assert_cmpfloat(fabs(f.trace - 1.942857), <=, 6e-7);
  g_assert_cmpfloat(fabs(f.mahalanobis - 1.8), <=, 1e-12);
  g_assert_cmpfloat(fabs(f.logdet - -0.262787), <=, 6e-7);
  g_assert_cmpfloat(fabs(f.kl - 2.480070), <=, 6e-7);
  g_assert_cmpfloat(fabs(f.entropy - 2.558069), <=, 6e-7);
  g_assert_cmpint(hn_precision_stats(&p, mean, 2, &p, mean, 2, &f, NULL, work), ==, HN_OK);
  g_assert_cmpfloat(fabs(f.kl), <=, 1e-15);
  /* the prior, N(0, I): jitter takes F / 2 1e-6 off */
  double *unit = g_new(double, (gsize)hn_precision_count(64, false));
  for (int64_t n = 32; n <= 64; n += 32)
    for (int diagonal = 0; diagonal < 2; diagonal++)
      for (int jitter = 0; jitter < 2; jitter++) {
        const HnPrecision one = {1, n, diagonal, unit, 0, jitter ? HN_JITTER : 0};
        hn_precision_set(n, diagonal, 1, unit);
        g_assert_cmpint(hn_precision_stats(&one, NULL, 0, NULL, NULL, 0, &f, NULL, work), ==,
                        HN_OK);
        const double want = 1.4189385332046727 * (double)n - jitter * (double)n / 2 * 1e-6;
        g_assert_cmpfloat(fabs(f.entropy - want), <=, 1e-10);
        if (!jitter)
          g_assert_cmpfloat(fabs(f.entropy - (n == 64 ? 90.812066 : 45.406033)), <=, 6e-7);
        g_assert_cmpfloat(fabs(f.marginal - want / (double)n), <=, 1e-10);
      }
  g_free(unit), free(work);
}

/* The scalar chain of the method card: precision and mean to nine digits. */
static void test_chain(void) {
  static const double p[] = {1, 1.001759163, 1.054384154, 1.143327380};
  static const float mean[] = {0, -0.078138911f, 0.165571208f, 0.122844160f};
  static const double entropy[] = {1.418059226, 1.392459631, 1.351966713};
  static const double kl[] = {0.003053620, 0.030393880, 0.002558738};
  void *work = work_of(1);
  for (int t = 0; t < 3; t++) {
    const HnPrecision q = {1, 1, false, p + t + 1, 1, HN_JITTER},
                      before = {1, 1, false, p + t, 1, HN_JITTER};
    HnPrecisionStats f;
    g_assert_cmpint(hn_precision_stats(&q, mean + t + 1, 1, &before, mean + t, 1, &f, NULL, work),
                    ==, HN_OK);
    g_assert_cmpfloat(fabs(f.entropy - entropy[t]), <=, 2e-9);
    g_assert_cmpfloat(fabs(f.kl - kl[t]), <=, 5e-9);
  }
  free(work);
}

/* One Jacobian again and again: entropy and divergence in closed form. */
static void test_constant(void) {
  static const double scalar[][2] = {{1, 0.0965736}, {10, 0.00220054}, {100, 2.46704e-5}};
  void *work = work_of(8);
  HnPrecisionStats f;
  for (int i = 0; i < 3; i++) {
    const double t[] = {scalar[i][0], scalar[i][0] + 1};
    const float zero = 0;
    const HnPrecision q = {1, 1, false, t + 1, 1, 0}, before = {1, 1, false, t, 1, 0};
    g_assert_cmpint(hn_precision_stats(&q, &zero, 1, &before, &zero, 1, &f, NULL, work), ==, HN_OK);
    g_assert_cmpfloat(fabs(f.kl / scalar[i][1] - 1), <=, 5e-6);
  }
  /* J J' = v v' r, so ln|I + t J J'| = ln(1 + t r); with r = v'v */
  enum { N = 8 };
  HnRng rng = hn_rng(4, 0);
  double v[N], r = 0, p[2][36], last = 0, reach = 0;
  float from[N] = {0}, to[N];
  for (int i = 0; i < N; i++) v[i] = hn_rng_normal(&rng), r += v[i] * v[i];
  for (int i = 0; i < N; i++) to[i] = 0.01f * (float)(i - 3), reach += v[i] * (double)to[i];
  for (int t = 0; t <= 200; t++) {
    double *at = p[t % 2];
    hn_precision_set(N, false, 1, at);
    for (int i = 0; i < N; i++)
      for (int j = 0; j <= i; j++) *at++ += t * v[i] * v[j];
    if (t == 0) continue;
    const HnPrecision q = {1, N, false, p[t % 2], 36, 0},
                      before = {1, N, false, p[(t + 1) % 2], 36, 0};
    g_assert_cmpint(hn_precision_stats(&q, to, N, &before, from, N, &f, NULL, work), ==, HN_OK);
    const double was = 1 + (t - 1) * r, is = 1 + t * r;
    g_assert_cmpfloat(fabs(f.entropy - 0.5 * (N * (1 + ln_2pi) - log(is))), <=, 1e-10);
    g_assert_cmpfloat(fabs(f.trace + f.logdet - 0.5 * N - 0.5 * (was / is - 1 + log(is / was))), <=,
                      1e-12);
    if (t > 1) g_assert_cmpfloat(fabs(f.mahalanobis - last - 0.5 * reach * reach), <=, 1e-12);
    last = f.mahalanobis;
  }
  free(work);
}

/* A million draws have the covariance P^-1 within 1 %. */
static void test_sample(void) {
  enum { N = 5, ROWS = 20, DRAWS = 50000 };
  HnRng rng = hn_rng(5, 0);
  const int64_t count = hn_precision_count(N, false);
  double *one = precisions(&rng, 1, N), want[N * N], got[N * N];
  const float mean[N] = {1, -2, 0.5f, 0, 3};
  float *z = g_new(float, ROWS *DRAWS *N);
  void *work = work_of(N);
  for (int diagonal = 0; diagonal < 2; diagonal++) {
    if (diagonal)
      for (int64_t i = 0; i < N; i++) one[i] = 0.5 + (double)i;
    const HnPrecision p = {ROWS, N, diagonal, one, 0, HN_JITTER};
    for (int64_t i = 0; i < ROWS * DRAWS * N; i++) z[i] = (float)hn_rng_normal(&rng);
    g_assert_cmpint(hn_precision_sample(&p, mean, 0, DRAWS, z, z, NULL, work), ==, HN_OK);
    memset(got, 0, sizeof got), memset(want, 0, sizeof want);
    if (diagonal)
      for (int64_t i = 0; i < N; i++) want[i * N + i] = 1 / one[i];
    else
      whole(N, one, 0, want), naive_invert(N, want);
    for (int64_t s = 0; s < ROWS * DRAWS; s++)
      for (int64_t i = 0; i < N; i++)
        for (int64_t j = 0; j < N; j++)
          got[i * N + j] += ((double)z[s * N + i] - (double)mean[i]) *
                            ((double)z[s * N + j] - (double)mean[j]) / (ROWS * DRAWS);
    for (int64_t i = 0; i < N; i++)
      for (int64_t j = 0; j < N; j++)
        g_assert_cmpfloat(fabs(got[i * N + j] - want[i * N + j]), <=,
                          0.01 * sqrt(want[i * N + i] * want[j * N + j]));
  }
  (void)count;
  g_free(one), g_free(z), free(work);
}

/* A row's bits do not depend on which rows share the call, nor on its lane. */
static void test_rows(void) {
  enum { ROWS = 37, N = 30 };
  HnRng rng = hn_rng(6, 0);
  const int64_t count = hn_precision_count(N, false);
  double *p = precisions(&rng, ROWS, N);
  float *mean = noise(&rng, ROWS * N), *draws = noise(&rng, ROWS * N);
  float *all = g_new(float, ROWS *N), one[N];
  void *work = work_of(N);
  HnPrecisionStats stats[ROWS], f;
  const HnPrecision q = {ROWS, N, false, p, count, HN_JITTER};
  g_assert_cmpint(hn_precision_sample(&q, mean, N, 1, draws, all, NULL, work), ==, HN_OK);
  g_assert_cmpint(hn_precision_stats(&q, mean, N, &q, draws, N, stats, NULL, work), ==, HN_OK);
  for (int64_t row = 0; row < ROWS; row++) {
    const HnPrecision r = {1, N, false, p + row * count, count, HN_JITTER};
    const float *m = mean + row * N, *d = draws + row * N;
    g_assert_cmpint(hn_precision_sample(&r, m, N, 1, d, one, NULL, work), ==, HN_OK);
    g_assert_cmpint(hn_precision_stats(&r, m, N, &r, d, N, &f, NULL, work), ==, HN_OK);
    g_assert_cmpmem(one, sizeof one, all + row * N, sizeof one);
    g_assert_cmpmem(&f, sizeof f, stats + row, sizeof f);
  }
  g_free(p), g_free(mean), g_free(draws), g_free(all), free(work);
}

/* The first row that is not positive definite is named, wherever it is and however it fails. */
static void test_bad(void) {
  enum { ROWS = 40, N = 6 };
  static const int64_t rows[] = {0, 3, 16, 31, 39};
  static const double wrong[] = {-1, 0, INFINITY, NAN};
  const int64_t count = hn_precision_count(N, false);
  float mean[ROWS * N] = {0}, z[ROWS * 21];
  HnPrecisionStats stats[ROWS];
  void *work = work_of(N);
  for (gsize r = 0; r < G_N_ELEMENTS(rows); r++)
    for (gsize w = 0; w < G_N_ELEMENTS(wrong); w++)
      for (int diagonal = 0; diagonal < 2; diagonal++)
        for (int64_t k = 0; k < N; k += N - 1) {
          const int64_t size = diagonal ? N : count;
          double p[ROWS * 21], good[ROWS * 21];
          for (int64_t i = 0; i < ROWS; i++) hn_precision_set(N, diagonal, 2, p + i * size);
          memcpy(good, p, sizeof p);
          p[rows[r] * size + (diagonal ? k : k * (k + 3) / 2)] = wrong[w];
          p[39 * size] = -1;
          const HnPrecision q = {ROWS, N, diagonal, p, size, 0},
                            g = {ROWS, N, diagonal, good, size, 0};
          int64_t bad = -1;
          g_assert_cmpint(hn_precision_factor(&q, z, &bad, work), ==, HN_E_NUMERIC);
          g_assert_cmpint(bad, ==, rows[r]);
          bad = -1;
          g_assert_cmpint(hn_precision_sample(&q, mean, N, 1, mean, z, &bad, work), ==,
                          HN_E_NUMERIC);
          g_assert_cmpint(bad, ==, rows[r]);
          bad = -1;
          g_assert_cmpint(hn_precision_stats(&q, mean, N, &g, mean, N, stats, &bad, work), ==,
                          HN_E_NUMERIC);
          g_assert_cmpint(bad, ==, rows[r]);
          bad = -1;
          g_assert_cmpint(hn_precision_stats(&g, mean, N, &q, mean, N, stats, &bad, work), ==,
                          HN_E_NUMERIC);
          g_assert_cmpint(bad, ==, rows[r]);
        }
  free(work);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/gaussian/factor", test_factor);
  g_test_add_func("/gaussian/stats", test_stats);
  g_test_add_func("/gaussian/divergence", test_divergence);
  g_test_add_func("/gaussian/divergence/refused", test_divergence_refused);
  g_test_add_func("/gaussian/diagonal", test_diagonal);
  g_test_add_func("/gaussian/golden", test_golden);
  g_test_add_func("/gaussian/chain", test_chain);
  g_test_add_func("/gaussian/constant", test_constant);
  g_test_add_func("/gaussian/sample", test_sample);
  g_test_add_func("/gaussian/rows", test_rows);
  g_test_add_func("/gaussian/bad", test_bad);
  return g_test_run();
}

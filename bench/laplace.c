/* laplace.c - the Laplace precision of a batch against its plain form, and batched Cholesky against
 * LAPACK in a loop: interleaved in one run, medians of processor time on one thread.  Prints
 * tables; asserts nothing.
 *
 * The plain form makes the slopes D of the gates, then J = (w' D) U by one product over all gates,
 * and J J', with the kit's products or with BLAS. */
#include "../tests/support/fake_host.h"
#include <cblas.h>
#include <hunch/kit/curvature.h>
#include <hunch/kit/tape.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15, ROWS = 256 };
#include "timing.h"

extern void spotrf_(const char *uplo, const blasint *n, float *a, const blasint *lda,
                    blasint *info);

static float *noise(HnRng *rng, int64_t count, double scale) {
  float *x = room(count, sizeof *x);
  for (int64_t i = 0; i < count; i++) x[i] = (float)(scale * hn_rng_normal(rng));
  return x;
}

#include "laplace_steps.h"

/* ---- the precision ---- */

typedef struct Batch {
  HnCore core;
  HnCarry carry;
  double *p; /* packed */
  void *work;
  float *sums, *d;       /* [ROWS, 4 H] the state's share of the gates' sums; [4 H] slopes */
  float *wd, *j, *whole; /* (w' D)' [4 H, F], J' [H, F], P [ROWS, F, F] */
  float *u4, *gram;      /* recurrent weights with the identity as a GRU's fourth gate */
} Batch;

static Batch batch_new(HnRnnCell kind, int64_t f, int64_t n, int64_t window) {
  HnRng rng = hn_rng(1, 2);
  Batch b = {.core = {.cell = kind, .hidden = n, .latent = f},
             .carry = {.rows = ROWS, .h_row = n, .m_row = n, .window = window}};
  const int64_t width = hn_core_width(&b.core);
  float *u = noise(&rng, n * width, 1 / sqrt((double)n));
  b.core.u = u;
  b.core.c = noise(&rng, width, 0.1);
  b.core.w = noise(&rng, n * f, 1 / sqrt((double)n));
  b.carry.h = noise(&rng, ROWS * n, 0.5);
  b.carry.m = noise(&rng, ROWS * n, 1);
  b.carry.x = noise(&rng, ROWS * window * width, 1);
  b.carry.x_row = window * width;
  b.p = room(ROWS * hn_precision_count(f, false), sizeof(double));
  b.work = room(1, hn_curvature_work_size(&b.core, ROWS, window));
  b.sums = room(ROWS * 4 * n, sizeof(float)), b.d = room(5 * n, sizeof(float));
  b.wd = room(4 * n * f, sizeof(float)), b.j = room(n * f, sizeof(float));
  b.whole = room(ROWS * f * f, sizeof(float));
  b.u4 = room(4 * n * n, sizeof(float));
  for (int64_t i = 0; i < n; i++) {
    memcpy(b.u4 + 4 * i * n, u + i * width, (size_t)width * sizeof(float));
    if (width < 4 * n) b.u4[4 * i * n + 3 * n + i] = 1;
  }
  b.gram = room(hn_core_gram_count(&b.core), sizeof(float));
  return b;
}

/* d [4 H] of a row and input, by passes over vectors. */
static void slopes(const Batch *b, int64_t row, int64_t input) {
  const int64_t n = b->core.hidden, width = hn_core_width(&b->core);
  const float *a = b->sums + row * width, *x = b->carry.x + row * b->carry.x_row + input * width;
  const float *m = b->carry.m + row * n, *h = b->carry.h + row * n;
  float *d = b->d, *i = d, *f = d + n, *g = d + 2 * n, *o = d + 3 * n, *t = d + 4 * n;
  if (b->core.cell == HN_RNN_LSTM) {
    for (int64_t k = 0; k < 4 * n; k++) d[k] = a[k] + x[k];
    hn_vec_sigmoid(2 * n, i, i), hn_vec_tanh(n, g, g), hn_vec_sigmoid(n, o, o);
    for (int64_t k = 0; k < n; k++) t[k] = f[k] * m[k] + i[k] * g[k];
    hn_vec_tanh(n, t, t);
    for (int64_t k = 0; k < n; k++) {
      const float c = o[k] * (1 - t[k] * t[k]), in = i[k];
      i[k] = c * g[k] * in * (1 - in), f[k] = c * m[k] * f[k] * (1 - f[k]);
      g[k] = c * in * (1 - g[k] * g[k]), o[k] = t[k] * o[k] * (1 - o[k]);
    }
    return;
  }
  for (int64_t k = 0; k < 2 * n; k++) d[k] = a[k] + x[k];
  hn_vec_sigmoid(2 * n, d, d);
  for (int64_t k = 0; k < n; k++) t[k] = x[2 * n + k] + d[k] * a[2 * n + k];
  hn_vec_tanh(n, t, t);
  for (int64_t k = 0; k < n; k++) {
    const float r = d[k], z = f[k], c = (1 - z) * (1 - t[k] * t[k]);
    d[k] = c * a[2 * n + k] * r * (1 - r), f[k] = (h[k] - t[k]) * z * (1 - z);
    g[k] = c * r, o[k] = z;
  }
}

static void sums(const Batch *b) {
  const int64_t n = b->core.hidden, width = hn_core_width(&b->core);
  for (int64_t row = 0; row < ROWS; row++)
    memcpy(b->sums + row * width, b->core.c, (size_t)width * sizeof(float));
  hn_gemm(ROWS, width, n, b->carry.h, n, 1, b->core.u, width, 1, b->sums, width);
}

/* (w' D)' */
static void scale_weights(const Batch *b) {
  const int64_t n = b->core.hidden, f = b->core.latent;
  for (int64_t k = 0; k < 4 * n; k++) {
    const float *w = b->core.w + k % n * f;
    for (int64_t i = 0; i < f; i++) b->wd[k * f + i] = w[i] * b->d[k];
  }
}

static void plain(const Batch *b, int blas) {
  const int64_t n = b->core.hidden, f = b->core.latent;
  const blasint N = (blasint)n, F = (blasint)f;
  sums(b);
  for (int64_t row = 0; row < ROWS; row++) {
    float *p = b->whole + row * f * f;
    for (int64_t i = 0; i < b->carry.window; i++) {
      slopes(b, row, i);
      scale_weights(b);
      if (blas) {
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, N, F, 4 * N, 1, b->u4, 4 * N, b->wd,
                    F, 0, b->j, F);
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, F, F, N, 1, b->j, F, b->j, F, 1, p, F);
      } else {
        hn_gemm(n, f, 4 * n, b->u4, 4 * n, 1, b->wd, f, 0, b->j, f);
        hn_gemm(f, f, n, b->j, 1, f, b->j, f, 1, p, f);
      }
    }
  }
}

/* Largest difference between the plain form and the kit's, from zero, relative to the largest
 * precision. */
static double difference(Batch *b, int gram) {
  const int64_t f = b->core.latent, count = hn_precision_count(f, false);
  double most = 0, size = 0;
  memset(b->whole, 0, (size_t)(ROWS * f * f) * sizeof(float));
  memset(b->p, 0, (size_t)(ROWS * count) * sizeof(double));
  plain(b, 0);
  b->core.gram = gram ? b->gram : NULL;
  hn_curvature_add(&b->core, &b->carry, false, b->p, count, b->work);
  for (int64_t row = 0; row < ROWS; row++)
    for (int64_t i = 0; i < f; i++)
      for (int64_t j = 0; j <= i; j++) {
        const double want = (double)b->whole[(row * f + i) * f + j];
        most = fmax(most, fabs(b->p[row * count + i * (i + 1) / 2 + j] - want));
        size = fmax(size, fabs(want));
      }
  return most / size;
}

static void kit(Batch *b, int gram, int diagonal) {
  const int64_t count = hn_precision_count(b->core.latent, diagonal);
  b->core.gram = gram ? b->gram : NULL;
  hn_curvature_add(&b->core, &b->carry, diagonal, b->p, count, b->work);
}

static void bench_precision(HnRnnCell kind, int64_t f, int64_t n, int64_t window) {
  Batch b = batch_new(kind, f, n, window);
  void *work = room(1, hn_core_gram_work_size(&b.core));
  double time[6][ROUNDS];
  for (int r = 0; r < ROUNDS; r++)
    for (int which = 0; which < 6; which++) {
      const double start = now();
      if (which < 2) plain(&b, which);
      if (which == 2) kit(&b, 0, 0);
      if (which == 3) kit(&b, 1, 0);
      if (which == 4) kit(&b, 1, 1);
      if (which == 5) hn_core_gram(&b.core, b.gram, work);
      time[which][r] = (now() - start) / (which == 5 ? 1e-3 : ROWS * 1e-6);
    }
  double m[6];
  for (int i = 0; i < 6; i++) m[i] = median(time[i]);
  const double best = fmin(m[2], m[3]);
  printf("%-4s %4d %4d %3d  %8.1f  %8.1f  %8.1f  %8.1f  %8.1f  %6.2f  %6.2f  %8.2f  %8.1e\n",
         kind == HN_RNN_LSTM ? "lstm" : "gru", (int)f, (int)n, (int)window, m[0], m[1], m[2], m[3],
         m[4], m[0] / best, m[1] / best, m[5], fmax(difference(&b, 0), difference(&b, 1)));
}

/* ---- Cholesky ---- */

typedef struct Factors {
  HnPrecision p;
  float *whole, *copy; /* the same precisions [ROWS, F, F] for LAPACK, which overwrites them */
  float *l, *noise, *z;
  HnPrecisionStats *stats;
  void *work;
} Factors;

static Factors factors_new(int64_t f) {
  HnRng rng = hn_rng(3, 4);
  const int64_t count = hn_precision_count(f, false);
  double *p = room(ROWS * count, sizeof(double));
  float *a = noise(&rng, f * f, 0.3);
  Factors s = {.p = {ROWS, f, false, p, count, HN_JITTER}};
  s.whole = room(ROWS * f * f, sizeof(float)), s.copy = room(ROWS * f * f, sizeof(float));
  s.l = room(ROWS * count, sizeof(float)), s.z = room(ROWS * f, sizeof(float));
  s.noise = noise(&rng, ROWS * f, 1), s.stats = room(ROWS, sizeof *s.stats);
  s.work = room(1, hn_precision_work_size(f));
  for (int64_t row = 0; row < ROWS; row++)
    for (int64_t i = 0; i < f; i++)
      for (int64_t j = 0; j <= i; j++) {
        double sum = (double)(row + 1) * 0.1 * (i == j);
        for (int64_t k = 0; k < f; k++) sum += (double)a[i * f + k] * (double)a[j * f + k];
        p[row * count + i * (i + 1) / 2 + j] = sum;
        s.whole[(row * f + i) * f + j] = (float)sum;
      }
  return s;
}

/* Microseconds a row. */
static double run_factors(const Factors *s, int which) {
  const int64_t f = s->p.dim;
  const blasint size = (blasint)f;
  HnStatus status = HN_OK;
  blasint info;
  if (which == 4) memcpy(s->copy, s->whole, (size_t)(ROWS * f * f) * sizeof(float));
  const double start = now();
  for (int64_t row = 0; (which == 0 || which == 4) && row < ROWS; row++) {
    float *l = s->copy + row * f * f; /* row-major lower is LAPACK's upper */
    if (which == 0) memcpy(l, s->whole + row * f * f, (size_t)(f * f) * sizeof(float));
    for (int64_t i = 0; which == 0 && i < f; i++) l[i * f + i] += (float)HN_JITTER;
    spotrf_("U", &size, l, &size, &info);
  }
  if (which == 1) status = hn_precision_factor(&s->p, s->l, NULL, s->work);
  if (which == 2)
    status = hn_precision_sample(&s->p, s->noise, f, 1, s->noise, s->z, NULL, s->work);
  if (which == 3)
    status = hn_precision_stats(&s->p, s->noise, f, &s->p, s->z, f, s->stats, NULL, s->work);
  if (status) abort();
  return (now() - start) / (ROWS * 1e-6);
}

static void bench_cholesky(int64_t f) {
  enum { CALLS = 8 };
  const Factors s = factors_new(f);
  double time[5][ROUNDS], m[5];
  for (int r = 0; r < ROUNDS; r++)
    for (int which = 0; which < 5; which++) {
      run_factors(&s, which); /* finds everything where the calls after it leave it */
      time[which][r] = 0;
      for (int i = 0; i < CALLS; i++) time[which][r] += run_factors(&s, which) / CALLS;
    }
  for (int i = 0; i < 5; i++) m[i] = median(time[i]);
  printf("%4d  %8.2f  %8.2f  %8.2f  %8.2f  %8.2f  %6.2f  %6.2f\n", (int)f, m[4], m[0], m[1], m[2],
         m[3], m[4] / m[1], m[0] / m[1]);
}

/* ---- rotations ---- */

/* Microseconds a row: the rotation, its divergence from the row before, and backward of both. */
static void bench_rotations(int64_t n) {
  enum { BATCH = 64 };
  FakeHost *fake = room(1, sizeof *fake);
  const HnHost *host = fake_host_open(fake);
  const FakeMark mark = fake_host_mark(fake);
  HnRng rng = hn_rng(5, 6);
  const int64_t angles = n * (n - 1) / 2;
  float *angle = noise(&rng, BATCH * angles, 0.1), *grad = room(BATCH * angles, sizeof *grad);
  float *mean = noise(&rng, BATCH * n, 1), *dmean = room(BATCH * n, sizeof *dmean);
  double time[3][ROUNDS], m[3];
  for (int r = 0; r < ROUNDS; r++) {
    HnTape tape = hn_tape_begin(host, true), *t = &tape;
    double at = now();
    HnVar *q = hn_cayley(t, hn_leaf(t, BATCH, angles, angle, grad), n);
    time[0][r] = now() - at, at = now();
    HnVar *mu = hn_leaf(t, BATCH, n, mean, dmean), *fixed = hn_constant(t, BATCH, n, mean);
    HnVar *kl = hn_rotated_kl(t, mu, mu, q, fixed, fixed, hn_stop(t, q));
    time[1][r] = now() - at, at = now();
    hn_tape_backward(t, hn_sum(t, kl));
    time[2][r] = now() - at;
    fake_host_reset(fake, mark);
  }
  for (int i = 0; i < 3; i++) m[i] = median(time[i]) / (BATCH * 1e-6);
  printf("%4d  %8.1f  %8.1f  %8.1f\n", (int)n, m[0], m[1], m[2]);
  fake_host_close(fake);
}

int main(int argc, char **argv) {
  openblas_set_num_threads(1);
  if (argc == 4) { /* one shape of the first table, to profile */
    bench_precision(HN_RNN_LSTM, atoi(argv[1]), atoi(argv[2]), atoi(argv[3]));
    return 0;
  }
  printf("kernels %s, BLAS %s, 1 thread, medians of %d, batch %d\n", hn_kit_isa(), hn_kit_blas(),
         ROUNDS, ROWS);
  printf("\nprecision, us a row; ratios of the plain forms to the better of the kit's\n"
         "cell    F    H   B     plain     sgemm    S-form      Gram  diagonal   plain   sgemm  "
         "Gram ms     error\n");
  bench_precision(HN_RNN_LSTM, 64, 128, 1);
  bench_precision(HN_RNN_LSTM, 64, 128, 2);
  bench_precision(HN_RNN_LSTM, 64, 128, 3);
  bench_precision(HN_RNN_LSTM, 64, 128, 10);
  bench_precision(HN_RNN_LSTM, 32, 128, 1);
  bench_precision(HN_RNN_LSTM, 32, 128, 10);
  bench_precision(HN_RNN_GRU, 64, 128, 1);
  bench_precision(HN_RNN_GRU, 64, 128, 10);
  printf("\nCholesky, us a row; copied: P is kept, so LAPACK needs a copy, as `factor` makes one; "
         "sample: "
         "factor and a\ndraw; stats: all of the divergence, in float64\n"
         "   F    spotrf    copied    factor    sample     stats   ratio  copied\n");
  bench_cholesky(64);
  bench_cholesky(32);
  bench_steps();
  printf("\nfull covariance by rotation, us a row\n   F    cayley  divergence  backward of both\n");
  bench_rotations(64);
  bench_rotations(32);
  return 0;
}

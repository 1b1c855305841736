/* mnw.c - the matrix-normal-Wishart against plain float64 BLAS, interleaved in one run, medians of
 * processor time on one thread.  Prints a table; asserts nothing. */
#include <cblas.h>
#include <hunch/kit/mnw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 15 };
#include "timing.h"

extern void dpotrf_(const char *uplo, const blasint *n, double *a, const blasint *lda,
                    blasint *info);
extern void dpotri_(const char *uplo, const blasint *n, double *a, const blasint *lda,
                    blasint *info);

static double uniform(void) {
  static uint64_t state = 88172645463325252u;
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (double)(state >> 11) * 0x1p-52 - 1;
}

/* ---- a row at a time ---- */

typedef struct Online {
  int64_t rows, d, m;
  float *c;
  double *c64, *y;
  void *belief, *work;
  double *v, *k, *mean, *e, *psi, *omega, *pull; /* of the BLAS forms */
} Online;

static const HnMnwPrior prior = {.noise = HN_MNW_INFERRED, .xi = 1, .psi = 0.1, .nu0 = 50};

static double run_kit(const Online *o) {
  double sum = 0;
  hn_mnw_belief_start(o->belief, o->d, o->m, &prior);
  for (int64_t t = 0; t < o->rows; t++) {
    HnMnwScore score;
    hn_mnw_belief_update(o->belief, o->c + t * o->d, o->y + t * o->m, NULL, &score, o->work);
    sum += log(score.s);
  }
  return sum;
}

/* The same posterior without its scores.  half: symmetric routines on one triangle. */
static double run_blas(const Online *o, int half) {
  const blasint d = (blasint)o->d, m = (blasint)o->m;
  double sum = 0;
  memset(o->v, 0, (size_t)(d * d) * sizeof(double));
  memset(o->mean, 0, (size_t)(d * m) * sizeof(double));
  memset(o->psi, 0, (size_t)(m * m) * sizeof(double));
  memset(o->omega, 0, (size_t)(m * m) * sizeof(double));
  for (int64_t i = 0; i < d; i++) o->v[i * d + i] = 1 / prior.xi;
  for (int64_t i = 0; i < m; i++)
    o->psi[i * m + i] = prior.psi, o->omega[i * m + i] = 1 / prior.psi;
  for (int64_t t = 0; t < o->rows; t++) {
    const double *c = o->c64 + t * d;
    if (half)
      cblas_dsymv(CblasRowMajor, CblasLower, d, 1, o->v, d, c, 1, 0, o->k, 1);
    else
      cblas_dgemv(CblasRowMajor, CblasNoTrans, d, d, 1, o->v, d, c, 1, 0, o->k, 1);
    const double s = 1 + cblas_ddot(d, c, 1, o->k, 1);
    memcpy(o->e, o->y + t * m, (size_t)m * sizeof(double));
    cblas_dgemv(CblasRowMajor, CblasTrans, d, m, -1, o->mean, m, c, 1, 1, o->e, 1);
    cblas_dger(CblasRowMajor, d, m, 1 / s, o->k, 1, o->e, 1, o->mean, m);
    if (half)
      cblas_dsyr(CblasRowMajor, CblasLower, d, -1 / s, o->k, 1, o->v, d);
    else
      cblas_dger(CblasRowMajor, d, d, -1 / s, o->k, 1, o->k, 1, o->v, d);
    cblas_dgemv(CblasRowMajor, CblasNoTrans, m, m, 1, o->omega, m, o->e, 1, 0, o->pull, 1);
    const double quad = cblas_ddot(m, o->pull, 1, o->e, 1) / s;
    cblas_dger(CblasRowMajor, m, m, 1 / s, o->e, 1, o->e, 1, o->psi, m);
    cblas_dger(CblasRowMajor, m, m, -1 / (s * (1 + quad)), o->pull, 1, o->pull, 1, o->omega, m);
    sum += log(s);
  }
  return sum;
}

static void bench_online(int64_t d, int64_t m) {
  Online o = {.rows = d > 100 ? 1000 : 4000, .d = d, .m = m};
  o.c = room(o.rows * d, 4), o.c64 = room(o.rows * d, 8), o.y = room(o.rows * m, 8);
  o.v = room(d * d, 8), o.k = room(d, 8), o.mean = room(d * m, 8), o.e = room(m, 8);
  o.psi = room(m * m, 8), o.omega = room(m * m, 8), o.pull = room(m, 8);
  o.belief = room(1, hn_mnw_belief_size(d, m)), o.work = room(1, hn_mnw_belief_work_size(d, m));
  for (int64_t i = 0; i < o.rows * d; i++) o.c64[i] = (double)(o.c[i] = (float)uniform());
  for (int64_t i = 0; i < o.rows * m; i++) o.y[i] = uniform();
  double time[3][ROUNDS], sum[3];
  for (int r = 0; r < ROUNDS; r++)
    for (int which = 0; which < 3; which++) {
      const double start = now();
      sum[which] = which == 0 ? run_kit(&o) : run_blas(&o, which == 2);
      time[which][r] = (now() - start) / (double)o.rows * 1e6;
    }
  const double kit = median(time[0]), full = median(time[1]), half = median(time[2]);
  printf("%4d %4d  %8.3f  %8.3f  %8.3f  %6.2f  %6.2f  %9.1e\n", (int)d, (int)m, kit, full, half,
         full / kit, half / kit, fabs(sum[0] - sum[1]) / fabs(sum[1]));
  free(o.c), free(o.c64), free(o.y), free(o.v), free(o.k), free(o.mean), free(o.e);
  free(o.psi), free(o.omega), free(o.pull), free(o.belief), free(o.work);
}

/* ---- evidence with gradient ---- */

typedef struct Batch {
  int64_t n, d, m;
  float *c, *dc;
  double *c64, *y, *dc64;         /* of the BLAS form, which is given float64 */
  double *xi, *l, *mean, *r, *rb; /* [D, D], [D, D], [D, m], [n, m], [n, m] */
  void *work;
} Batch;

static Batch batch_of(int64_t n, int64_t d, int64_t m, int64_t inputs) {
  Batch b = {.n = n, .d = d, .m = m};
  b.c = room(n * d, 4), b.dc = room(n * d, 4), b.c64 = room(n * d, 8), b.y = room(n * m, 8);
  b.dc64 = room(n * d, 8), b.xi = room(d * d, 8), b.l = room(d * d, 8), b.mean = room(d * m, 8);
  b.r = room(n * m, 8), b.rb = room(n * m, 8), b.work = room(1, hn_mnw_train_size(n, d, m));
  /* smooth correlated features: tanh of random projections of few inputs */
  double *w = room(inputs * d, 8), *x = room(inputs, 8);
  for (int64_t i = 0; i < inputs * d; i++) w[i] = uniform();
  for (int64_t t = 0; t < n; t++) {
    for (int64_t i = 0; i < inputs; i++) x[i] = uniform();
    for (int64_t j = 0; j < d; j++) {
      double z = 0;
      for (int64_t i = 0; i < inputs; i++) z += x[i] * w[i * d + j];
      b.c64[t * d + j] = (double)(b.c[t * d + j] = (float)tanh(z));
    }
    for (int64_t j = 0; j < m; j++) b.y[t * m + j] = sin(3 * x[0] + (double)j) + 0.1 * uniform();
  }
  free(w), free(x);
  return b;
}

static void batch_free(Batch *b) {
  free(b->c), free(b->dc), free(b->c64), free(b->y), free(b->dc64), free(b->xi), free(b->l);
  free(b->mean), free(b->r), free(b->rb), free(b->work);
}

static double train(const Batch *b, HnMnwEvidence *result) {
  const HnMnwTrial trial = {
      .n = b->n, .d = b->d, .m = b->m, .c = b->c, .ldc = b->d, .y64 = b->y, .ldy = b->m};
  result->dc = b->dc;
  result->lddc = b->d;
  if (hn_mnw_train(&prior, &trial, result, b->work)) abort();
  return result->evidence;
}

/* The method's formulas in BLAS calls, m = 1; as many as needed and no more. */
static void train_blas(const Batch *b) {
  const blasint n = (blasint)b->n, d = (blasint)b->d;
  blasint info;
  memset(b->xi, 0, (size_t)(d * d) * sizeof(double));
  for (int64_t i = 0; i < d; i++) b->xi[i * d + i] = prior.xi;
  cblas_dsyrk(CblasRowMajor, CblasLower, CblasTrans, d, n, 1, b->c64, d, 1, b->xi, d);
  cblas_dgemv(CblasRowMajor, CblasTrans, n, d, 1, b->c64, d, b->y, 1, 0, b->mean, 1);
  memcpy(b->l, b->xi, (size_t)(d * d) * sizeof(double));
  dpotrf_("U", &d, b->l, &d, &info);
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasNoTrans, CblasNonUnit, d, b->l, d, b->mean, 1);
  cblas_dtrsv(CblasRowMajor, CblasLower, CblasTrans, CblasNonUnit, d, b->l, d, b->mean, 1);
  memcpy(b->r, b->y, (size_t)n * sizeof(double));
  cblas_dgemv(CblasRowMajor, CblasNoTrans, n, d, -1, b->c64, d, b->mean, 1, 1, b->r, 1);
  const double rr = cblas_ddot(n, b->r, 1, b->r, 1), mm = cblas_ddot(d, b->mean, 1, b->mean, 1);
  const double precision = (prior.nu0 + (double)n) / (prior.psi + rr + prior.xi * mm);
  dpotri_("U", &d, b->l, &d, &info);
  cblas_dsymm(CblasRowMajor, CblasRight, CblasLower, n, d, -1, b->l, d, b->c64, d, 0, b->dc64, d);
  cblas_dger(CblasRowMajor, n, d, precision, b->r, 1, b->mean, 1, b->dc64, d);
}

static double dc_error(const Batch *b) {
  double wrong = 0, all = 0;
  for (int64_t i = 0; i < b->n * b->d; i++) {
    wrong += pow((double)b->dc[i] - b->dc64[i], 2);
    all += b->dc64[i] * b->dc64[i];
  }
  return sqrt(wrong / all);
}

static const char *const paths[] = {"auto", "full", "mixed", "dual"};

static void bench_train(int64_t n, int64_t d, int64_t inputs) {
  Batch b = batch_of(n, d, 1, inputs);
  double time[3][ROUNDS], error[2] = {0};
  HnMnwEvidence fast = {0}, full = {0};
  for (int r = 0; r < ROUNDS; r++)
    for (int which = 0; which < 3; which++) {
      const double start = now();
      if (which == 0) fast.path = HN_MNW_AUTO, train(&b, &fast);
      if (which == 1) full.path = HN_MNW_FULL, train(&b, &full);
      if (which == 2) train_blas(&b);
      time[which][r] = (now() - start) * 1e3;
      if (which < 2 && r > 0) error[which] = dc_error(&b);
    }
  const double a = median(time[0]), f = median(time[1]), p = median(time[2]);
  printf("%5d %4d %3d  %-5s  %7.2f  %7.2f  %7.2f  %6.2f  %9.1e  %9.1e  %9.1e\n", (int)n, (int)d,
         (int)inputs, paths[fast.path], a, f, p, p / a, error[0], fast.float_error, error[1]);
  batch_free(&b);
}

/* ---- every prefix ---- */

static void bench_prefixes(int64_t n, int64_t d) {
  Batch b = batch_of(n, d, 1, 6);
  static const int64_t chunks[] = {1, 32, 64, 200};
  HnMnw q = hn_mnw_place(d, 1, room(1, hn_mnw_size(d, 1)));
  void *work = room(1, hn_mnw_prefixes_size(200, d, 1));
  double time[4][ROUNDS];
  for (int r = 0; r < ROUNDS; r++)
    for (int i = 0; i < 4; i++) {
      hn_mnw_prior_isotropic(&q, prior.xi, prior.psi, prior.nu0);
      const double start = now();
      if (hn_mnw_prefixes(&q, n, b.c64, b.y, chunks[i], NULL, NULL, b.r, work)) abort();
      time[i][r] = (now() - start) / (double)n * 1e6;
    }
  printf("%5d %4d ", (int)n, (int)d);
  for (int i = 0; i < 4; i++) printf("  %8.3f", median(time[i]));
  printf("\n");
  free(q.mean), free(work);
  batch_free(&b);
}

int main(int argc, char **argv) {
  openblas_set_num_threads(1);
  if (argc == 3) { /* one shape of the first table, to profile */
    bench_online(atoi(argv[1]), atoi(argv[2]));
    return 0;
  }
  printf("kernels %s, BLAS %s, 1 thread, medians of %d\n", hn_kit_isa(), hn_kit_blas(), ROUNDS);
  printf("\nonline update, us a row (kit: with scores)\n"
         "   D    m       kit  gemv+ger  symv+syr   ratio   ratio  diff logdet\n");
  bench_online(16, 1);
  bench_online(16, 39);
  bench_online(64, 1);
  bench_online(256, 1);
  printf("\nevidence and gradient, ms\n"
         "    n    D  in  path      kit     full     BLAS   ratio  dC error      bound  full's\n");
  bench_train(5000, 256, 6);
  bench_train(5000, 256, 40);
  bench_train(500, 256, 6);
  bench_train(5000, 16, 6);
  bench_train(200, 256, 6);
  printf("\nprefixes, us a row by chunk\n    n    D          1        32        64       200\n");
  bench_prefixes(1000, 256);
  return 0;
}

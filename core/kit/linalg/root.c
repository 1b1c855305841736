/* root.c - see hunch/kit/root.h. */
#include "hunch/kit/root.h"
#include <cblas.h>
#include <math.h>
#include <string.h>

extern void dsyevd_(const char *jobz, const char *uplo, const blasint *n, double *a,
                    const blasint *lda, double *w, double *work, const blasint *lwork,
                    blasint *iwork, const blasint *liwork, blasint *info);

/* Work that dsyevd needs for eigenvectors. */
static int64_t eigen_doubles(int64_t n) {
  return 1 + 6 * n + 2 * n * n;
}
static int64_t eigen_ints(int64_t n) {
  return 3 + 5 * n;
}

size_t hn_nearest_root_size(int64_t n) {
  return (size_t)(3 * n * n + n + eigen_doubles(n)) * sizeof(double) +
         (size_t)eigen_ints(n) * sizeof(blasint);
}

/* c = a b or a' b, all [n, n]. */
static void multiply(CBLAS_TRANSPOSE transpose, int64_t n, const double *a, const double *b,
                     double *c) {
  const blasint size = (blasint)n;
  cblas_dgemm(CblasRowMajor, transpose, CblasNoTrans, size, size, size, 1, a, size, b, size, 0, c,
              size);
}

/* Eigenvectors, as rows, in place; values [n] ascending. */
static bool eigen(int64_t n, double *a, double *values, double *work) {
  const blasint size = (blasint)n, doubles = (blasint)eigen_doubles(n),
                ints = (blasint)eigen_ints(n);
  blasint info;
  dsyevd_("V", "U", &size, a, &size, values, work, &doubles,
          (blasint *)(void *)(work + eigen_doubles(n)), &ints, &info);
  return !info;
}

HnStatus hn_nearest_root(int64_t n, const double *a, double *root, void *work) {
  double *ap = work, *g = ap + n * n, *scaled = g + n * n, *values = scaled + n * n;
  multiply(CblasNoTrans, n, a, root, ap);
  multiply(CblasTrans, n, root, ap, g);
  for (int64_t i = 0; i < n * n; i++)
    if (!isfinite(g[i])) return HN_E_NUMERIC;
  if (!eigen(n, g, values, values + n)) return HN_E_NUMERIC;
  if (n && !(values[0] > values[n - 1] * (double)n * 0x1p-52)) return HN_E_NUMERIC;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) scaled[i * n + j] = g[i * n + j] / sqrt(values[i]);
  double *inverse = values + n; /* g^-1/2; the decomposition's memory is free again */
  multiply(CblasTrans, n, g, scaled, inverse);
  multiply(CblasNoTrans, n, ap, inverse, root);
  return HN_OK;
}

/* dense_naive.h - small dense matrices in float64 by the plainest ways, to hold kernels to: an
 * inverse, the Cayley transform, a covariance by its axes. */
#ifndef HN_TESTS_DENSE_NAIVE_H
#define HN_TESTS_DENSE_NAIVE_H
#include <glib.h>
#include <math.h>

/* a [n, n] = its inverse by Gauss-Jordan elimination; returns ln|det a|. */
static inline double naive_invert(int64_t n, double *a) {
  double logdet = 0;
  for (int64_t k = 0; k < n; k++) {
    const double pivot = a[k * n + k];
    logdet += log(fabs(pivot));
    a[k * n + k] = 1;
    for (int64_t j = 0; j < n; j++) a[k * n + j] /= pivot;
    for (int64_t i = 0; i < n; i++) {
      const double factor = a[i * n + k];
      if (i == k) continue;
      a[i * n + k] = 0;
      for (int64_t j = 0; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
    }
  }
  return logdet;
}

/* q = -(I + S)^-1 (I - S), word for word. */
static inline void naive_cayley(int64_t n, const double *angle, double *q) {
  double *left = g_new0(double, (gsize)(n * n)), *right = g_new0(double, (gsize)(n * n));
  for (int64_t i = 0; i < n; i++) {
    left[i * n + i] = right[i * n + i] = 1;
    for (int64_t j = 0; j < i; j++, angle++) {
      left[i * n + j] += *angle / 2, left[j * n + i] -= *angle / 2;
      right[i * n + j] -= *angle / 2, right[j * n + i] += *angle / 2;
    }
  }
  naive_invert(n, left);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      q[i * n + j] = 0;
      for (int64_t k = 0; k < n; k++) q[i * n + j] -= left[i * n + k] * right[k * n + j];
    }
  g_free(left), g_free(right);
}

/* a [n, n] = Q diag(exp(l)) Q' */
static inline void naive_turned(int64_t n, const double *q, const double *l, double *a) {
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++) {
      a[i * n + j] = 0;
      for (int64_t k = 0; k < n; k++) a[i * n + j] += q[i * n + k] * exp(l[k]) * q[j * n + k];
    }
}
#endif

/* solve.c - see hunch/kit/solve.h. */
#include "hunch/kit/solve.h"
#include <math.h>
#include <string.h>

static double dot(int64_t n, const double *a, const double *b) {
  double sum = 0;
  for (int64_t i = 0; i < n; i++) sum += a[i] * b[i];
  return sum;
}

HnStatus hn_conjugate_gradients(int64_t n, HnProduct *product, void *arg, const double *b,
                                int64_t iterations, double tolerance, double *x, double *work,
                                double *curvature) {
  double *residual = work, *direction = work + n, *image = work + 2 * n;
  memset(x, 0, (size_t)n * sizeof *x);
  memcpy(residual, b, (size_t)n * sizeof *b);
  memcpy(direction, b, (size_t)n * sizeof *b);
  double norm2 = dot(n, b, b);
  for (int64_t k = 0; k < iterations && !(norm2 < tolerance) && norm2 > 0; k++) {
    HnStatus status = product(arg, direction, image);
    if (status) return status;
    const double length = norm2 / dot(n, direction, image), before = norm2;
    for (int64_t i = 0; i < n; i++) {
      x[i] += length * direction[i];
      residual[i] -= length * image[i];
    }
    norm2 = dot(n, residual, residual);
    for (int64_t i = 0; i < n; i++) direction[i] = residual[i] + norm2 / before * direction[i];
  }
  bool mended = false;
  *curvature = 0;
  for (int64_t i = 0; i < n; i++) {
    if (!isfinite(x[i])) x[i] = 0, mended = true;
    *curvature += x[i] * (b[i] - residual[i]);
  }
  if (mended || !isfinite(*curvature)) *curvature = 0;
  return HN_OK;
}

HnStatus hn_line_search(int64_t n, const float *x, const double *step, double ratio, int64_t tries,
                        HnTrial *trial, void *arg, float *next, int64_t *taken) {
  double scale = 1;
  for (*taken = 0; *taken < tries; ++*taken, scale *= ratio) {
    for (int64_t i = 0; i < n; i++) next[i] = (float)((double)x[i] - scale * step[i]);
    bool accepted = false;
    HnStatus status = trial(arg, next, &accepted);
    if (status || accepted) return status;
  }
  memcpy(next, x, (size_t)n * sizeof *x);
  *taken = -1;
  return HN_OK;
}

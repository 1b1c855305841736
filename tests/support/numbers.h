/* numbers.h - how tests compare numbers with what they ought to be. */
#ifndef HN_TESTS_NUMBERS_H
#define HN_TESTS_NUMBERS_H
#include <glib.h>
#include <math.h>
#include <stdlib.h>

static inline void near(double a, double b, double tolerance) {
  if (!(fabs(a - b) <= tolerance)) g_error("%.17g is not %.17g (tolerance %g)", a, b, tolerance);
}

/* Kolmogorov-Smirnov distance of n numbers from the uniform distribution on [low, high]. */
static inline int by_value(gconstpointer a, gconstpointer b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}
static inline double ks_uniform(double *x, int n, double low, double high) {
  double worst = 0;
  qsort(x, (size_t)n, sizeof *x, by_value);
  for (int k = 0; k < n; k++) {
    double u = (x[k] - low) / (high - low);
    worst = MAX(worst, MAX(fabs(u - (double)k / n), fabs(u - (k + 1.0) / n)));
  }
  return worst;
}
#define KS_LIMIT(n) (2.7 / sqrt(n)) /* exceeded with probability 2 exp(-2 * 2.7^2) = 9e-7 */
#endif

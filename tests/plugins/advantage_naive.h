/* advantage_naive.h - generalised advantages in float64, as the sums that their definition has. */
#ifndef ADVANTAGE_NAIVE_H
#define ADVANTAGE_NAIVE_H
#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

/* A_t = sum over k >= t of (gamma lambda)^(k - t) (r_k + gamma V(s_k+1) - V(s_k)) to the end of the
 * return that step t is part of, of one row: reward [n], value [n + 1]; end [n]: a return ends with
 * the step, and nothing is won after it.  With lambda 1 and values of 0: returns. */
static inline void naive_advantages(int64_t n, const double *reward, const double *value,
                                    const bool *end, double gamma, double lambda,
                                    double *advantage) {
  for (int64_t t = 0; t < n; t++) {
    advantage[t] = 0;
    for (int64_t k = t; k < n; k++) {
      const double next = end[k] ? 0 : value[k + 1];
      advantage[t] += pow(gamma * lambda, (double)(k - t)) * (reward[k] + gamma * next - value[k]);
      if (end[k]) break;
    }
  }
}

/* Returns the standard deviation; the mean goes, and what is left is divided by that (0), by its
 * square (1), or nothing is done (2). */
static inline double naive_standardise(int by, int64_t n, double *x) {
  double mean = 0, square = 0;
  for (int64_t k = 0; k < n; k++) mean += x[k] / (double)n;
  for (int64_t k = 0; k < n; k++) square += pow(x[k] - mean, 2);
  const double stddev = sqrt(square / (double)(n - 1));
  for (int64_t k = 0; k < n && by < 2; k++)
    x[k] = (x[k] - mean) / (by == 0 ? stddev : stddev * stddev);
  return stddev;
}
#endif

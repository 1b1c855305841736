/* linear_baseline.c - see linear_baseline.h. */
#include "linear_baseline.h"
#include <math.h>
#include <string.h>

static const double RIDGE = 1e-5;
enum { TRIES = 5 };

static void features(int64_t inputs, const float *x, float time, double *y) {
  for (int64_t k = 0; k < inputs; k++) {
    const double v = (double)(x[k] < -10 ? -10 : x[k] > 10 ? 10 : x[k]); /* NaN stays */
    y[k] = v, y[inputs + k] = v * v;
  }
  const double tau = (double)time / 100;
  double *rest = y + 2 * inputs;
  rest[0] = tau, rest[1] = tau * tau, rest[2] = tau * tau * tau, rest[3] = 1;
}

/* Solves (gram + ridge I) coef = moment by Cholesky, on the lower triangle of l [n, n]; false: not
 * positive definite. */
static bool solve(int64_t n, const double *gram, double ridge, const double *moment, double *l,
                  double *coef) {
  memcpy(l, gram, (size_t)(n * n) * sizeof *l);
  for (int64_t i = 0; i < n; i++) {
    l[i * n + i] += ridge;
    for (int64_t j = 0; j <= i; j++) {
      double sum = l[i * n + j];
      for (int64_t k = 0; k < j; k++) sum -= l[i * n + k] * l[j * n + k];
      if (i == j && !(sum > 0)) return false;
      l[i * n + j] = i == j ? sqrt(sum) : sum / l[j * n + j];
    }
  }
  for (int64_t i = 0; i < n; i++) {
    double sum = moment[i];
    for (int64_t k = 0; k < i; k++) sum -= l[i * n + k] * coef[k];
    coef[i] = sum / l[i * n + i];
  }
  bool finite = true;
  for (int64_t i = n - 1; i >= 0; i--) {
    for (int64_t k = i + 1; k < n; k++) coef[i] -= l[k * n + i] * coef[k];
    coef[i] /= l[i * n + i];
    finite &= isfinite(coef[i]) != 0;
  }
  return finite;
}

void linear_baseline_fit(const HnHost *host, int64_t n, int64_t inputs, const float *x,
                         const float *time, const float *target, double *coef) {
  const int64_t F = linear_baseline_features(inputs);
  double *gram = host->scratch(host, 2 * F * F + 2 * F, sizeof *gram);
  double *factor = gram + F * F, *moment = factor + F * F, *y = moment + F;
  memset(gram, 0, (size_t)(F * F) * sizeof *gram);
  memset(moment, 0, (size_t)F * sizeof *moment);
  for (int64_t k = 0; k < n; k++) {
    features(inputs, x + k * inputs, time[k], y);
    for (int64_t i = 0; i < F; i++) {
      double *row = gram + i * F;
      const double yi = y[i];
      for (int64_t j = 0; j <= i; j++) row[j] += yi * y[j];
      moment[i] += yi * (double)target[k];
    }
  }
  double ridge = RIDGE;
  for (int k = 0; k < TRIES; k++, ridge *= 10)
    if (solve(F, gram, ridge, moment, factor, coef)) return;
  memset(coef, 0, (size_t)F * sizeof *coef);
}

void linear_baseline_predict(const HnHost *host, int64_t n, int64_t inputs, const float *x,
                             const float *time, const double *coef, float *value) {
  const int64_t F = linear_baseline_features(inputs);
  double *y = host->scratch(host, F, sizeof *y);
  for (int64_t k = 0; k < n; k++) {
    double sum = 0;
    features(inputs, x + k * inputs, time[k], y);
    for (int64_t i = 0; i < F; i++) sum += coef[i] * y[i];
    value[k] = (float)sum;
  }
}

void linear_baseline_advantages(const HnHost *host, const ReturnRule *rule, const HnHistory *h,
                                int64_t inputs, const float *x, const float *time,
                                const float *reward, double *coef, float *advantage, float *value) {
  const int64_t n = h->steps * h->rows, B = h->rows;
  float *known = host->scratch(host, 2 * n + B, sizeof *known), *target = known + n + B;
  /* returns: what is won in the window, and at its end what was thought before to be left */
  const ReturnRule returns = {rule->gamma, 1, rule->episodes_end, rule->time_limit_bootstrap};
  memset(known, 0, (size_t)n * sizeof *known);
  linear_baseline_predict(host, B, inputs, x + n * inputs, time + n, coef, known + n);
  advantage_gae(&returns, h, reward, known, advantage, target);
  linear_baseline_fit(host, n, inputs, x, time, target, coef);
  linear_baseline_predict(host, n + B, inputs, x, time, coef, known);
  memcpy(value, known, (size_t)n * sizeof *value);
  advantage_gae(rule, h, reward, known, advantage, target);
}

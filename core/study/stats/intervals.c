/* intervals.c - see intervals.h. */
#include "intervals.h"
#include <glib.h>
#include <math.h>

/* ---- Student's t ---- */

/* P(|t| < x) by the finite series for a whole number of degrees of freedom. */
static double t_within(double x, int64_t dof) {
  double theta = atan(x / sqrt((double)dof)), c = cos(theta), sum = 0, term = 1;
  if (dof % 2 == 0) {
    for (int64_t k = 2; k <= dof; k += 2) {
      sum += term;
      term *= c * c * (double)(k - 1) / (double)k;
    }
    return sin(theta) * sum;
  }
  term = c;
  for (int64_t k = 3; k <= dof; k += 2) {
    sum += term;
    term *= c * c * (double)(k - 1) / (double)k;
  }
  return (theta + sin(theta) * sum) * 2 / G_PI;
}

double hn_stats_t(double confidence, int64_t dof) {
  double low = 0, high = 1;
  while (t_within(high, dof) < confidence && high < 1e12) high *= 2;
  for (int i = 0; i < 200 && low < high; i++) {
    double middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) break;
    if (t_within(middle, dof) < confidence)
      low = middle;
    else
      high = middle;
  }
  return high;
}

double hn_stats_z(double confidence) {
  double low = 0, high = 40;
  for (int i = 0; i < 100; i++) {
    const double middle = (low + high) / 2;
    if (erf(middle / G_SQRT2) < confidence)
      low = middle;
    else
      high = middle;
  }
  return high;
}

HnBounds hn_bounds_student(double confidence, double value, double error, int64_t dof) {
  const double half = hn_stats_t(confidence, dof) * error;
  return (HnBounds){value - half, value + half};
}

double hn_p_student(double value, double error, int64_t dof) {
  if (!(error > 0)) return value == 0 ? 1 : 0;
  return CLAMP(1 - t_within(fabs(value) / error, dof), 0, 1);
}

double hn_trimmed_error(int64_t n, const double *x, int64_t drop) {
  const double kept = (double)(n - 2 * drop);
  double mean = 0, square = 0;
  for (int64_t i = 0; i < n; i++) mean += x[CLAMP(i, drop, n - drop - 1)] / (double)n;
  for (int64_t i = 0; i < n; i++) {
    const double off = x[CLAMP(i, drop, n - drop - 1)] - mean;
    square += off * off;
  }
  return sqrt(square / (kept * (kept - 1)));
}

/* ---- rates ---- */

HnBounds hn_bounds_wilson(double p, double trials, double q) {
  const double w = q * q / trials, half = sqrt(w * (p * (1 - p) + w / 4));
  return (HnBounds){CLAMP((p + w / 2 - half) / (1 + w), 0, p),
                    CLAMP((p + w / 2 + half) / (1 + w), p, 1)};
}

static HnBounds newcombe(double q, double x, double y, double trials) {
  const HnBounds a = hn_bounds_wilson(x, trials, q), b = hn_bounds_wilson(y, trials, q);
  return (HnBounds){x - y - hypot(x - a.low, b.high - y), x - y + hypot(a.high - x, y - b.low)};
}

HnBounds hn_bounds_newcombe(double confidence, double x, double y, double trials) {
  return newcombe(hn_stats_z(confidence), x, y, trials);
}

static bool leaves_out_zero(HnBounds b) {
  return b.low > 0 || b.high < 0;
}

double hn_p_newcombe(double x, double y, double trials) {
  double low = 0, high = 40; /* the quantile at whose interval 0 enters */
  if (x == y) return 1;
  for (int i = 0; i < 60; i++) {
    const double middle = (low + high) / 2;
    if (leaves_out_zero(newcombe(middle, x, y, trials)))
      low = middle;
    else
      high = middle;
  }
  return erfc(high / G_SQRT2);
}

/* ---- medians ---- */

int64_t hn_median_needs(double confidence) {
  return (int64_t)ceil(1 - log2(1 - confidence) - 1e-9);
}

/* Between the k-th and the next value from either end, which may be infinite. */
static double between(double outer, double inner, double share) {
  return share > 0 ? outer + share * (inner - outer) : outer;
}

HnBounds hn_bounds_median(double confidence, int64_t n, const double *x) {
  if (n < hn_median_needs(confidence)) return (HnBounds){NAN, NAN};
  /* the k-th values from both ends hold the median with the probability `held`; `chance` is the
   * logarithm of that of k of n coins */
  int64_t k = 1;
  double chance = -(double)n * G_LN2, held = 1 - 2 * exp(chance);
  chance += log((double)n);
  double next = held - 2 * exp(chance);
  while (2 * (k + 1) <= n && next >= confidence) {
    chance += log((double)(n - k) / (double)(k + 1));
    held = next, k++, next = held - 2 * exp(chance);
  }
  const double part = (held - confidence) / (held - next);
  const double share =
      CLAMP((double)(n - k) * part / ((double)k + (double)(n - 2 * k) * part), 0, 1);
  const double low = between(x[k - 1], x[k], share);
  const double high = isfinite(x[n - k]) ? between(x[n - k], x[n - k - 1], share)
                      : share >= 1       ? x[n - k - 1]
                                         : (double)INFINITY;
  return (HnBounds){low, high};
}

double hn_p_median(int64_t n, const double *x) {
  const double least = exp2(1 - (double)n); /* of all values on one side */
  if (x[0] > 0 || x[n - 1] < 0) return least;
  double low = 0, high = 1 - least; /* the confidence at which 0 enters */
  for (int i = 0; i < 50; i++) {
    const double middle = (low + high) / 2;
    if (leaves_out_zero(hn_bounds_median(middle, n, x)))
      low = middle;
    else
      high = middle;
  }
  return 1 - high;
}

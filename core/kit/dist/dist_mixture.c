/* dist_mixture.c - uniform mixtures of members whose densities are known. */
#include "tape_record.h"
#include <math.h>

HnVar *hn_mixture_logp(HnTape *t, int64_t n, HnVar *const *logp, bool mean) {
  HnVar *top = logp[0], *sum = NULL;
  if (n == 1) return top;
  /* the largest is taken out first: densities underflow */
  for (int64_t k = 1; k < n && !mean; k++) top = hn_max(t, top, logp[k]);
  top = mean ? NULL : hn_stop(t, top);
  for (int64_t k = 0; k < n; k++) {
    HnVar *part = mean ? logp[k] : hn_exp(t, hn_sub(t, logp[k], top));
    sum = sum ? hn_add(t, sum, part) : part;
  }
  sum = hn_affine(t, sum, 1 / (float)n, 0);
  return mean ? sum : hn_add(t, hn_log(t, sum), top);
}

double hn_mixture_logp_of(int64_t n, const double *logp, bool mean) {
  double top = -INFINITY, sum = 0, whole = 0;
  for (int64_t k = 0; k < n; k++) top = fmax(top, logp[k]), whole += logp[k] / (double)n;
  for (int64_t k = 0; k < n; k++) sum += exp(logp[k] - top);
  return mean ? whole : top + log(sum / (double)n);
}

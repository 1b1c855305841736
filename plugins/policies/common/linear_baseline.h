/* linear_baseline.h - values that are linear in fixed features of what is seen and of time, fitted
 * to returns by ridge regression: the baseline of policy-gradient methods that keep no critic.
 *
 * Features of x [inputs] at step tau: x, x^2, tau, tau^2, tau^3, 1, with x clipped to +-10 and tau
 * in hundreds of steps.  Everything is in float64.  Source: Duan et al. 2016, section 4; rllab. */
#ifndef LINEAR_BASELINE_H
#define LINEAR_BASELINE_H
#include "advantage.h"

static inline int64_t linear_baseline_features(int64_t inputs) {
  return 2 * inputs + 4;
}

/* coef [features] minimises sum (target - features . coef)^2 + ridge |coef|^2 over n steps, ridge
 * 1e-5; where the normal equations cannot be solved, ten times that, five times at most, then coef
 * is 0.  n features^2 + features^3 / 3 flops; scratch of features^2 float64.
 *   x       [n, inputs]
 *   time    [n] steps
 *   target  [n]  [any] */
void linear_baseline_fit(const HnHost *host, int64_t n, int64_t inputs, const float *x,
                         const float *time, const float *target, double *coef);
/* value [n].  [any] */
void linear_baseline_predict(const HnHost *host, int64_t n, int64_t inputs, const float *x,
                             const float *time, const double *coef, float *value);

/* Advantages of a window by a baseline that is fitted to the window's own returns.
 *   h       begin, truncated and terminated are read
 *   x, time [T+1, B, inputs], [T+1, B]
 *   reward  [T, B]
 *   coef    [features] in: what values the window's last observations in the returns that the
 *           baseline is fitted to, where a return goes on (0: nothing is left to win); out: the fit
 *   advantage, value  [T, B] out.  [any] */
void linear_baseline_advantages(const HnHost *host, const ReturnRule *rule, const HnHistory *h,
                                int64_t inputs, const float *x, const float *time,
                                const float *reward, double *coef, float *advantage, float *value);
#endif

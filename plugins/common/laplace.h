/* laplace.h - parameters and reported columns that posteriors N(mean, P^-1) by curvature have in
 * common, whatever agent they are of; P and its use are those of hunch/kit/gaussian.h.  A plugin's
 * table takes the rows that it has, so that they mean the same in each. */
#ifndef HN_LAPLACE_H
#define HN_LAPLACE_H
#include <hunch/kit/gaussian.h>
#include <hunch/plugin.h>

/* Choices of `covariance`, and of `accumulate`, of which a plugin may offer the first ones. */
enum { COVARIANCE_FULL, COVARIANCE_DIAGONAL };
enum { ACCUMULATE_NONE, ACCUMULATE_PRECISION, ACCUMULATE_BOTH, ACCUMULATE_MEAN };

#define LAPLACE_COVARIANCE(X) \
  X(choice, covariance, "", "Covariance of the latent posterior q(z).", "full", "full|diagonal")
#define LAPLACE_DAMPING(X)                                                                         \
  X(real, damping, "", "Precision before curvature is added, where precisions are not summed.", 1, \
    1e-12, 1e12)                                                                                   \
  X(real, jitter, "", "Value added to a precision's diagonal before it is factored.", 1e-6, 0, 1e6)
#define LAPLACE_PRIOR(X)                                                                         \
  X(real, prior_variance, "", "Variance of z in the prior of a new task.", 1, 1e-12, 1e12)       \
  X(flag, track, "",                                                                             \
    "Whether precisions are updated while acting without samples; false saves time where every " \
    "training window begins with a task, and refuses other windows.",                            \
    true)

#define LAPLACE_MEAN_INFO(X)                                        \
  X(mean_norm2, "", "Squared norm of the posterior mean.", HN_LAST) \
  X(mean_move2, "", "Squared distance of the posterior mean from the one before.", HN_LAST)
#define LAPLACE_INFO(X)                                                                       \
  X(entropy, "nats", "Entropy of the latent posterior.", HN_LAST)                             \
  X(marginal_entropy, "nats", "Entropy of one latent dimension alone, mean over dimensions.", \
    HN_LAST)                                                                                  \
  X(kl, "nats", "KL divergence of the posterior from the one before.", HN_LAST)               \
  X(kl_trace, "nats", "Trace term of the KL divergence, less F / 2.", HN_LAST)                \
  X(kl_mahalanobis, "nats", "Mahalanobis term of the KL divergence.", HN_LAST)                \
  X(kl_logdet, "nats", "Log-determinant term of the KL divergence.", HN_LAST)
#define LAPLACE_JACOBIAN_INFO(X)                                                      \
  X(jacobian_norm2, "", "Mean squared norm of the task's Jacobians so far.", HN_LAST) \
  X(jacobian_last2, "", "Squared norm of the last Jacobian.", HN_LAST)

/* Squared distance of x and y [n]; y NULL: from 0. */
static inline float laplace_distance2(int64_t n, const float *x, const float *y) {
  double sum = 0;
  for (int64_t j = 0; j < n; j++) {
    const double d = (double)x[j] - (y ? (double)y[j] : 0);
    sum += d * d;
  }
  return (float)sum;
}

/* Writes the columns of LAPLACE_INFO, the first of which is `to`, of a posterior of so many
 * dimensions; those of the KL only where it has moved. */
static inline void laplace_report(const HnPrecisionStats *f, int64_t dim, bool moved, float *to) {
  enum { ENTROPY, MARGINAL_ENTROPY, KL, KL_TRACE, KL_MAHALANOBIS, KL_LOGDET };
  to[ENTROPY] = (float)f->entropy, to[MARGINAL_ENTROPY] = (float)f->marginal;
  if (!moved) return;
  to[KL] = (float)f->kl;
  to[KL_TRACE] = (float)(f->trace - 0.5 * (double)dim); /* 0 of one that stays */
  to[KL_MAHALANOBIS] = (float)f->mahalanobis, to[KL_LOGDET] = (float)f->logdet;
}
#endif

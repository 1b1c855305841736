/* posterior.h - a Laplace posterior over the action head of an adapted actor.
 *
 * The mean is the adapted head; with phi the F numbers that it reads and 1, each output a of it has
 * the precision
 *
 *   P_a = prior_precision I + sum_t c_a phi_t phi_t' / temperature
 *
 * over the steps adapted on: the generalised Gauss-Newton matrix of minus the log-density.  Of a
 * Gaussian of deviation sigma_a it is exact and has no blocks between outputs, c_a = s^2 /
 * sigma_a^2 with s the slope of a tanh of the mean, where there is one; of a softmax c_a = p_a (1 -
 * p_a), its diagonal blocks.  Standard deviations and everything below the head are held fixed.
 * Source: MacKay 1992; Daxberger et al. 2021 (arXiv 2106.14806), last-layer Laplace. */
#ifndef TRPO_POSTERIOR_H
#define TRPO_POSTERIOR_H
#include "actor.h"
#include <hunch/kit/gaussian.h>

typedef struct HeadPosterior {
  double prior_precision, temperature;
} HeadPosterior;

/* Doubles of the precisions of all A outputs, one after another, packed as kit/gaussian.h has it.
 */
int64_t head_posterior_count(const ActorCritic *net);
/* Sets precisions p [count] to the prior. [any] */
void head_posterior_set_prior(const HeadPosterior *h, const ActorCritic *net, double *p);
/* p += the curvature of a sample at these weights, none of whose steps has an offset.  Takes
 * scratch of `host`.  [any] */
void head_posterior_add(const HeadPosterior *h, const HnHost *host, const Actor *a,
                        const float *weights, const Sample *s, double *p);
/* offset [actor_head_size]: a draw of the head minus its mean, by a stream of its own for each
 * seed. HN_E_NUMERIC: a precision is not finite.  Takes scratch of `host`.  [any] */
HnStatus head_posterior_draw(const ActorCritic *net, const HnHost *host, const double *p,
                             uint64_t seed, float *offset);
#endif

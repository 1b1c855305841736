/* mixture.h - the posterior of a mixture of subtasks on a tape, and the losses that it adds.
 *
 *   pi = softmax(logits(h)),  y = softmax((logits + Gumbel noise) / temperature),
 *   z ~ N(mean, variance)(h, y),  p(z | y) = N(prior mean, prior variance)(y)
 *
 * Source: Lee, Cho & Sung 2023, after the GMVAE of Dilokthanakul et al. 2016. */
#ifndef HN_VARIBAD_MIXTURE_H
#define HN_VARIBAD_MIXTURE_H
#include "encoder.h"

/* The variance's floor in a draw, in the policy's log-variance and in densities, as published. */
#define VARIBAD_DRAW_FLOOR 1e-10f
#define VARIBAD_VIEW_FLOOR 1e-20f
#define VARIBAD_LOGP_FLOOR 1e-8f

typedef struct VaribadPosterior {
  HnVar *logits, *y;      /* [n, K] */
  HnVar *mean, *variance; /* [n, d] of q(z | h, y) */
} VaribadPosterior;

/* Makes the networks of a mixture of p->subtasks.  Errors: HN_E_PARAM.  [create] */
HnStatus varibad_make_posterior(Varibad *v, HnRng *rng);
HnStatus varibad_make_prior(Varibad *v, HnRng *rng);

/* Gumbel noise [K]: -ln(-ln u). */
void varibad_gumbel(HnRng *rng, int64_t K, float *noise);

/* Logits [n, K] of h [n, hidden]. */
HnVar *varibad_logits(const Varibad *v, HnTape *t, HnVar *h, float *flat);
/* A draw y [n, K] by Gumbel noise [n, K], borrowed. */
HnVar *varibad_draw_subtask(const Varibad *v, HnTape *t, HnVar *logits, const float *noise);
/* q(z | h, y). */
void varibad_latent_of(const Varibad *v, HnTape *t, HnVar *h, HnVar *y, float *flat,
                       VaribadPosterior *q);
/* mean + sqrt(variance + 1e-10) noise [n, d], borrowed. */
HnVar *varibad_draw_latent(HnTape *t, const VaribadPosterior *q, const float *noise);

/* ---- losses, [1, 1]: sums over rows of weight [n], borrowed ---- */

/* ln q(z) - ln p(z) of Gaussians q and p, summed over d. */
HnVar *varibad_gauss_loss(HnTape *t, HnVar *z, HnVar *mean, HnVar *variance, HnVar *prior_mean,
                          HnVar *prior_variance, const float *weight);
/* ln K - H(pi) = KL(pi || uniform). */
HnVar *varibad_cat_loss(HnTape *t, HnVar *logits, const float *weight);
/* sum_k ln K exp(k - K) y_k, k = 1 .. K. */
HnVar *varibad_occ_loss(HnTape *t, HnVar *y, const float *weight);
/* Squared error of dispersed [n, hidden] beside h, mean over its numbers; h gets no gradient. */
HnVar *varibad_ext_loss(HnTape *t, const HnVar *h, HnVar *dispersed, const float *weight);
#endif

/* mixture.h - the policy over posterior samples: the uniform mixture of what the actor says to each
 * of S samples.  S = 1 is the plain categorical or Gaussian policy. */
#ifndef MIXTURE_H
#define MIXTURE_H
#include "actor_critic.h"

typedef struct Mixture {
  const Heads *heads;
  int64_t S, A;
  bool squash;    /* Gaussian draws pass tanh: densities are of the action, given the raw draw */
  bool mean_logp; /* log-density: the members' mean, a lower bound, instead of the log of their
                     mean density */
} Mixture;

/* Acting, on one row; rng NULL: greedy.  The index of a discrete action, drawn from, or the mode
 * of, the mean of the softmaxes; work [A]. */
int32_t mixture_act_discrete(const Mixture *x, int64_t row, HnRng *rng, double *work);
/* A continuous action [A], drawn from, or the mean of, the Gaussians.  raw [A]: the draw before
 * tanh, written if x->squash. */
void mixture_act(const Mixture *x, int64_t row, HnRng *rng, float *action, float *raw);
/* Log-density of what a row did: action_index if discrete, else u, the draw before any tanh; work
 * [S]. */
double mixture_logp_of(const Mixture *x, int64_t row, int32_t action_index, const float *u,
                       double *work);

/* KL(p || q) of a row's actions in nats, of mixtures of as many members: of one member exact, of
 * more the mean of KL(p_s || q_s), an upper bound (KL is jointly convex; Cover & Thomas 2006,
 * theorem 2.7.2). */
double mixture_kl(const Mixture *p, const Mixture *q, int64_t row);

/* Learning, on a tape: log-densities [n, 1] of action_index [n] or of u [n, A], borrowed. */
HnVar *mixture_logp(const Mixture *x, HnTape *t, const int32_t *action_index, const float *u);
/* Sum over n rows of the entropy before any tanh; of a mixture the members' mean, a lower bound. */
HnVar *mixture_entropy_sum(const Mixture *x, HnTape *t, int64_t n);
#endif

/* sac.h - soft actor-critic: parameters, state, networks (networks.c), losses (loss.c) and
 * minibatches (draw.c); the learner is ../sac.c.
 *
 * Shapes: n elements of a minibatch; O, D features of the observation and the belief; A numbers of
 * an action, or discrete actions; S samples of the belief that a step was acted on, at least 1. */
#ifndef SAC_H
#define SAC_H
#include "../../common/trial_replay.h"
#include <hunch/kit/nn.h>
#include <hunch/kit/scratch.h>
#include <hunch/policy.h>

#define SAC_PARAMS(X)                                                                              \
  X(flag, normalise_obs, "",                                                                       \
    "Standardise observations by their running mean and deviation, within +-10.", 0)               \
  X(flag, normalise_belief, "",                                                                    \
    "Standardise beliefs by their running mean and deviation, within +-10.", 1)                    \
  X(text, hidden, "", "Units of each hidden layer of actor and critics, e.g. '300 300 300'.",      \
    "256 256")                                                                                     \
  X(choice, activation, "", "Activation of hidden layers.", "relu", "relu|tanh")                   \
  X(real, log_std_low, "", "Smallest log of the standard deviation before tanh.", -20, -50, 10)    \
  X(real, log_std_high, "", "Largest log of the standard deviation before tanh.", 2, -50, 10)      \
  X(real, lr, "", "Learning rate of Adam, of actor and temperature.", 3e-4, 0, 1)                  \
  X(real, critic_lr, "", "Learning rate of Adam, of the critics.", 3e-4, 0, 1)                     \
  X(real, adam_eps, "", "Adam's eps, which keeps its denominator from 0.", 1e-8, 0, 1)             \
  X(real, gamma, "", "Discount factor per step.", 0.99, 0, 1)                                      \
  X(real, tau, "", "How far an update moves the target critics towards the critics.", 0.005, 0, 1) \
  X(int, batch_size, "", "Transitions of a minibatch.", 256, 1, 1e6)                               \
  X(int, buffer_size, "step", "Steps that the replay holds, in whole trials of full length.", 1e6, \
    1, 1e12)                                                                                       \
  X(int, trial_episodes, "",                                                                       \
    "Episodes of a trial at most; 0: as many as it has of full length.  More are needed where "    \
    "run.trial_steps cuts trials and episodes end early.",                                         \
    0, 0, 1e9)                                                                                     \
  X(int, learning_starts, "step",                                                                  \
    "Steps acted on uniformly before the first update; the replay then holds a finished trial, "   \
    "or updates begin with the first.",                                                            \
    5000, 0, 1e12)                                                                                 \
  X(real, updates_per_step, "", "Updates for each environment step.", 1, 0, 1000)                  \
  X(flag, tune_ent_coef, "", "Tune the temperature to the target entropy.", 1)                     \
  X(real, ent_coef, "", "Temperature alpha; where it is tuned, the first.", 1, 1e-8, 1e6)          \
  X(real, target_entropy, "nats", "Target entropy of each number of a continuous action.", -1,     \
    -100, 100)                                                                                     \
  X(real, target_entropy_discrete, "",                                                             \
    "Target entropy of discrete actions, as a part of the largest, log n.", 0.98, 0, 1)            \
  X(choice, episode_boundary, "",                                                                  \
    "Whether the return ends with an episode (terminal), or goes on with the next episode of its " \
    "trial (ignore).",                                                                             \
    "terminal", "terminal|ignore")                                                                 \
  X(choice, replay_belief, "",                                                                     \
    "Beliefs of replayed steps: those acted on; or inferred anew, by the weights of now, from "    \
    "all that came before in the trial (prefix), or from a random subset of the trial's steps, "   \
    "for inference that does not mind their order.",                                               \
    "stored", "stored|prefix|subset")                                                              \
  X(int, context_trials, "", "Trials of a minibatch where beliefs are inferred anew.", 16, 1,      \
    65536)                                                                                         \
  X(int, context_steps, "step", "Steps of a subset, drawn with replacement.", 64, 1, 1e6)          \
  X(int, context_episodes, "",                                                                     \
    "Episodes of a trial, from its first, whose steps subsets are drawn from; 0: all. With 1 a "   \
    "subset is what the prior collects, as the belief of a second episode will see it.",           \
    0, 0, 1e9)                                                                                     \
  X(flag, context_vary, "",                                                                        \
    "Each transition sees a part of its subset whose size is uniform, from no step to all.", 0)
enum { SAC_RELU, SAC_TANH };
enum { BOUNDARY_TERMINAL, BOUNDARY_IGNORE };
enum { REPLAY_STORED, REPLAY_PREFIX, REPLAY_SUBSET };

typedef struct SacParams {
  SAC_PARAMS(HN_FIELD)
} SacParams;

typedef struct Sac {
  const SacParams *p;
  const HnHost *host;
  int64_t O, D, A, S, samples; /* samples: 0 for the point belief, else S */
  bool discrete, logged;
  double target_entropy; /* nats */
  HnStore actor_store, critic_store, target_store, alpha_store;
  HnMlp actor, critic[2], target[2];
  HnTensor *log_alpha; /* [1, 1] */
  HnNormaliser obs_norm, belief_norm;
  HnTrialReplay replay;
  int64_t *steps_seen; /* [1] environment steps so far */
} Sac;

/* Transitions to learn from; observations and beliefs as networks see them. */
typedef struct SacBatch {
  int64_t n;
  const float *obs, *next_obs;       /* [n, O] */
  const float *belief, *next_belief; /* [n, D] */
  const float *action;               /* [n, A], one-hot if discrete */
  const float *reward, *discount;    /* [n]; discount 0: nothing follows */
  const float *noise, *next_noise;   /* [n, A] standard normals of the actions at obs, next_obs */
  float *d_belief;                   /* [n, D] out: the critics' gradient; NULL: not asked */
} SacBatch;

/* Sums over the elements of one update. */
typedef struct SacSums {
  double critic_loss, q, actor_loss, entropy; /* critic_loss of both; q their mean */
} SacSums;

/* ---- networks.c ---- */

/* Checks the parameters and makes networks and target networks.  Errors: HN_E_PARAM, HN_E_SHAPE.
 * [create] */
HnStatus sac_networks_create(Sac *m, HnRng *rng);
/* Of a Gaussian action before tanh [n, A]; of a discrete one logits in `mean`, and logstd NULL. */
typedef struct SacPolicy {
  HnVar *mean, *logstd;
} SacPolicy;
/* obs [n, O] and belief [n, D] side by side, or the one that there is. */
HnVar *sac_input(HnTape *t, HnVar *obs, HnVar *belief);
/* The actor on x [n, O + D].  flat: receives the weights' gradients, or NULL. */
SacPolicy sac_actor(const Sac *m, HnTape *t, HnVar *x, float *flat);
/* One critic: [n, 1] of x and the action; if discrete [n, A] of x, and action is not read. */
HnVar *sac_critic(const Sac *m, HnTape *t, const HnMlp *critic, HnVar *x, HnVar *action,
                  float *flat);
/* x [rows, n columns of z] as the networks see it, in place; z of no columns: as it is. */
void sac_normalise(const HnNormaliser *z, int64_t rows, float *x);
/* Back through it: from x as the networks see it and the gradient d [rows, n], in place. */
void sac_normalise_backward(const HnNormaliser *z, int64_t rows, const float *x, float *d);

/* ---- loss.c ---- */

/* Work space of both passes, for minibatches of at most n elements; until the call returns. */
typedef struct SacWork {
  float *flat;   /* gradients of a store, one row a shard */
  SacSums *sums; /* [shards] */
} SacWork;
SacWork sac_work_begin(const Sac *m, int64_t n);
/* Adds the gradients of the critics' loss, (Q_1 - y)^2 / 2 + (Q_2 - y)^2 / 2 averaged over the
 * minibatch.  Errors: HN_E_NUMERIC.  [instance] */
HnStatus sac_critic_gradient(Sac *m, const SacWork *w, const SacBatch *b, SacSums *sums);
/* Adds those of the actor's loss, alpha log pi - min Q, and of the temperature's, alpha (entropy -
 * target entropy), both under the critics of now.  [instance] */
HnStatus sac_actor_gradient(Sac *m, const SacWork *w, const SacBatch *b, SacSums *sums);
/* Optimiser steps, which clear the gradients.  After the actor's the targets follow.  [instance] */
void sac_critic_step(Sac *m);
void sac_actor_step(Sac *m);

/* ---- draw.c ---- */

/* Keeps the replay.  [create] */
void sac_replay_create(Sac *m, const HnPolicySpec *spec);
/* Room for minibatches, until the call that took it returns; must not move. */
typedef struct SacDraw {
  HnReuse reuse;                         /* what one minibatch alone needs */
  int64_t trials, steps, window, S;      /* steps at most and of this minibatch's contexts */
  int64_t *slot, *length;                /* [trials]; of how many steps contexts are drawn */
  int64_t *trial, *step, *sample, *when; /* [n] of each transition; when: time of its belief */
  float *obs, *next_obs, *belief, *next_belief, *action, *reward, *discount, *noise, *d_belief;
  float *inferred, *d_inferred; /* [steps + 1, trials, S, D]; NULL: stored beliefs */
} SacDraw;
/* Rows of a minibatch are those of p->batch_size; through: beliefs have a gradient. */
void sac_draw_begin(const Sac *m, SacDraw *d, bool through);
/* Draws a minibatch with the noise of its actions.  [instance] */
HnStatus sac_draw(const Sac *m, const HnTrainBatch *l, SacDraw *d, SacBatch *b);
/* Hands the gradient that the critics left in b->d_belief to the inference; norm2 as in
 * HnTrainBatch.  [instance] */
HnStatus sac_draw_backward(const Sac *m, const HnTrainBatch *l, SacDraw *d, const SacBatch *b,
                           double *norm2);
#endif

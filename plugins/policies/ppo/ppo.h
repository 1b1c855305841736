/* ppo.h - PPO: parameters, state, and the loss of a minibatch (loss.c); the learner is ../ppo.c. */
#ifndef PPO_H
#define PPO_H
#include "../common/advantage.h"
#include "../common/mixture.h"

#define PPO_PARAMS(X)                                                                              \
  ACTOR_CRITIC_PARAMS(X)                                                                           \
  X(int, epochs, "", "Passes over a lesson.", 10, 1, 1000)                                         \
  X(int, minibatches, "", "Optimiser steps per pass.", 32, 1, 1e6)                                 \
  X(real, lr, "", "Adam's step size.", 3e-4, 0, 1)                                                 \
  X(real, weight_decay, "", "Decoupled: a step also takes off lr times this share (AdamW).", 0, 0, \
    1)                                                                                             \
  X(flag, anneal, "", "Step sizes fall linearly to 0 over the run, the inference's too.", 1)       \
  X(real, adam_eps, "", "Adam's guard against division by 0.", 1e-5, 0, 1)                         \
  X(real, clip, "", "How far a probability ratio counts.", 0.2, 0, 10)                             \
  X(real, value_clip, "", "How far a value may move; 0: anywhere.", 0.2, 0, 1e9)                   \
  X(real, value_weight, "", "Of the value loss, half the squared error.", 0.5, 0, 1e6)             \
  X(real, huber, "", "Value errors beyond it count linearly; 0: none do.", 0, 0, 1e9)              \
  X(real, entropy, "", "Weight of the entropy bonus.", 0, 0, 1e6)                                  \
  X(real, grad_clip, "", "Largest element of the own gradient, before grad_norm; 0: any.", 0, 0,   \
    1e9)                                                                                           \
  X(real, grad_norm, "", "Largest gradient, the inference's included; 0: any.", 0.5, 0, 1e9)       \
  X(real, target_kl, "nats", "Stop after a pass whose mean KL is larger; 0: never.", 0, 0, 1e9)    \
  X(real, discount, "", "Of the return, per step; 0: a step's own reward is all that counts.",     \
    0.99, 0, 1)                                                                                    \
  X(real, lambda, "", "Weight of later errors in the generalised advantage, per step.", 0.95, 0,   \
    1)                                                                                             \
  X(choice, advantages, "", "What they are standardised over.", "minibatch",                       \
    "minibatch|batch|none")                                                                        \
  X(choice, episode_boundary, "", "What an episode's end inside a trial is to the return.",        \
    "ignore", "ignore|terminal")                                                                   \
  X(flag, time_limit_bootstrap, "", "Steps cut by the horizon return V of their own state.", 0)    \
  X(flag, normalise_reward, "", "By the discounted return's deviation, within +-10.", 1)           \
  X(choice, loss_belief, "",                                                                       \
    "Where actions are taken on posterior samples (run.samples > 0), the loss sees the samples "   \
    "acted on, or the point belief, with the density acted by in the ratio and values of its "     \
    "own.",                                                                                        \
    "acted", "acted|point")                                                                        \
  X(flag, upstream_mixture, "",                                                                    \
    "As published with the Laplace VRNN: a mixture's log-density is its members' mean, a lower "   \
    "bound.",                                                                                      \
    0)                                                                                             \
  X(flag, upstream_critic, "",                                                                     \
    "As published with the Laplace VRNN: no gradient passes the advantage in the value loss, so "  \
    "the critic never learns.",                                                                    \
    0)
enum { ADVANTAGES_MINIBATCH, ADVANTAGES_BATCH, ADVANTAGES_NONE };
enum { BOUNDARY_IGNORE, BOUNDARY_TERMINAL };
enum { LOSS_BELIEF_ACTED, LOSS_BELIEF_POINT };

typedef struct PpoParams {
  PPO_PARAMS(HN_FIELD)
} PpoParams;

typedef struct Ppo {
  const PpoParams *p;
  const HnHost *host;
  ActorCritic net;
  int64_t aux_dim, logp_at; /* logp_at: in aux, the log-density acted by; 0: not stored */
  HnNormaliser return_norm;
  double *return_so_far; /* [B] discounted, of each row */
} Ppo;

enum { AUX_VALUE, AUX_RAW }; /* from AUX_RAW on: the draw before tanh, if squash is sample */

/* The experience of an iteration, ready to be learnt from.  Arrays are by place t * B + i. */
typedef struct PpoBatch {
  const HnHistory *h;
  bool point;                /* acted on samples, but the loss sees the point belief */
  int64_t count, S;          /* T * B; samples of a belief that the loss sees, at least 1 */
  const float *raw_belief;   /* [T+1, B, S, D] */
  const float *obs, *belief; /* [count, O], [count, S, D], normalised */
  float *advantage, *target; /* [count] */
  float *logp, *value;       /* [count] of the policy before the update */
  Moments advantages;
  double explained; /* variance of the targets; NaN where they have none */
} PpoBatch;

/* Sums over elements. */
typedef struct PpoSums {
  double policy, value, entropy, kl, ratio, clipped;
} PpoSums;

/* n elements of a batch, cut into shards. */
typedef struct PpoMinibatch {
  const Ppo *m;
  const PpoBatch *batch;
  int64_t n, shard_size;
  const int64_t *place;                   /* [n] */
  const float *belief;                    /* [n, S, D] inferred anew; NULL: the batch's own */
  float *d_belief;                        /* [n, S, D] out, the gradient where inferred anew */
  double advantage_mean, advantage_scale; /* that standardise advantages */
  float *flat;                            /* [shards, store.size] out, gradients of weights */
  PpoSums *sums;                          /* [shards] out */
} PpoMinibatch;

/* The size of the shards that n elements are cut into depends on n alone: the same bits for any
 * number of workers. */
int64_t ppo_shard_size(int64_t n);
int64_t ppo_shard_count(int64_t n);

/* HnTasks, arg a PpoMinibatch.  Loss of shard k and its gradients; */
HnStatus ppo_shard_loss(void *arg, int64_t k);
/* log-densities and values of shard k under the current weights, written into the batch. */
HnStatus ppo_shard_old_policy(void *arg, int64_t k);

/* How an answer of the actor becomes a policy. */
static inline Mixture ppo_mixture(const Ppo *m, const Heads *heads, int64_t S) {
  return (Mixture){.heads = heads,
                   .S = S,
                   .A = m->net.A,
                   .squash = m->p->squash == SQUASH_SAMPLE,
                   .mean_logp = m->p->upstream_mixture};
}
#endif

/* ppo.h - PPO: parameters, state, the learner (learner.c) and the loss of a minibatch (loss.c).
 * Plugins that are PPO under other parameters share it. */
#ifndef PPO_H
#define PPO_H
#include "../common/advantage.h"
#include "../common/mixture.h"

#define PPO_PARAMS(X)                                                                              \
  ACTOR_CRITIC_PARAMS(X)                                                                           \
  X(int, n_epochs, "", "Epochs of an update, passes over the training batch.", 10, 1, 1000)        \
  X(int, n_minibatches, "", "Minibatches of an epoch, each one optimiser step.", 32, 1, 1e6)       \
  X(real, lr, "", "Learning rate of Adam.", 3e-4, 0, 1)                                            \
  X(real, weight_decay, "", "Decoupled weight decay (AdamW), times the learning rate.", 0, 0, 1)   \
  X(flag, anneal, "", "Let learning rates fall linearly to 0 over the run, the inference's too.",  \
    1)                                                                                             \
  X(real, adam_eps, "", "Adam's eps, which keeps its denominator from 0.", 1e-5, 0, 1)             \
  X(real, clip_range, "", "PPO clip range eps: the ratio is clipped to [1 - eps, 1 + eps].", 0.2,  \
    0, 10)                                                                                         \
  X(real, clip_range_vf, "", "Clip range of the value around its old value; 0: no clipping.", 0.2, \
    0, 1e9)                                                                                        \
  X(real, vf_coef, "", "Weight of the value loss, half the squared error.", 0.5, 0, 1e6)           \
  X(real, huber, "", "Delta of the Huber loss of values; 0: squared error.", 0, 0, 1e9)            \
  X(real, ent_coef, "", "Weight of the entropy bonus.", 0, 0, 1e6)                                 \
  X(real, max_grad_value, "",                                                                      \
    "Bound on each element of this plugin's gradient, before max_grad_norm; 0: none.", 0, 0, 1e9)  \
  X(real, max_grad_norm, "",                                                                       \
    "Bound on the norm of the gradient, the inference's included; 0: none.", 0.5, 0, 1e9)          \
  X(real, target_kl, "nats",                                                                       \
    "End an update after an epoch whose mean approx_kl is larger; 0: never.", 0, 0, 1e9)           \
  X(real, gamma, "", "Discount factor per step; 0: only a step's own reward counts.", 0.99, 0, 1)  \
  X(real, gae_lambda, "", "Lambda of generalised advantage estimation.", 0.95, 0, 1)               \
  X(choice, advantages, "",                                                                        \
    "Elements that advantages are standardised over; where all of a minibatch are equal, as with " \
    "a single step, over the batch; where all of the batch are, none.",                            \
    "minibatch", "minibatch|batch|none")                                                           \
  X(choice, episode_boundary, "",                                                                  \
    "Whether the end of an episode ends the return (terminal), or only the end of the trial.",     \
    "ignore", "ignore|terminal")                                                                   \
  X(flag, time_limit_bootstrap, "",                                                                \
    "Take the value of a step's own state as the return of a step that the horizon cuts.", 0)      \
  X(flag, normalise_reward, "",                                                                    \
    "Divide rewards by the running standard deviation of the discounted return, within +-10.", 1)  \
  X(choice, loss_belief, "",                                                                       \
    "Belief that the loss sees where run.samples > 0: the samples acted on, or the point belief, " \
    "with the mixture's density below the ratio.",                                                 \
    "acted", "acted|point")                                                                        \
  X(flag, upstream_mixture, "",                                                                    \
    "As published with the Laplace VRNN: the log-density of a mixture is its members' mean, a "    \
    "lower bound.",                                                                                \
    0)                                                                                             \
  X(flag, upstream_critic, "",                                                                     \
    "As published with the Laplace VRNN: no gradient passes the advantage in the value loss, so "  \
    "the critic never learns.",                                                                    \
    0)
enum { ADVANTAGES_MINIBATCH, ADVANTAGES_BATCH, ADVANTAGES_NONE };
enum { BOUNDARY_IGNORE, BOUNDARY_TERMINAL };
enum { LOSS_BELIEF_ACTED, LOSS_BELIEF_POINT };

#define PPO_METRICS(X)                                                                          \
  X(loss, "", "Loss that is minimised, without the inference's own.", HN_MEAN)                  \
  X(policy_loss, "", "Clipped surrogate loss.", HN_MEAN)                                        \
  X(value_loss, "", "Value loss, unweighted: half the squared error, or Huber's.", HN_MEAN)     \
  X(entropy, "nats",                                                                            \
    "Entropy of the policy before squashing; of a mixture, the mean of its members'.", HN_MEAN) \
  X(approx_kl, "nats",                                                                          \
    "KL(old || new) of the policy, estimated by r - 1 - log r (Schulman's k3).", HN_MEAN)       \
  X(ratio, "", "Mean probability ratio of the new to the old policy.", HN_MEAN)                 \
  X(clip_fraction, "", "Fraction of ratios outside the clip range.", HN_MEAN)                   \
  X(explained_variance, "",                                                                     \
    "Fraction of the value targets' variance that the values acted with explain.", HN_MEAN)     \
  X(advantage_stddev, "", "Standard deviation of advantages before they are standardised.",     \
    HN_MEAN)                                                                                    \
  X(grad_norm, "", "Norm of the gradient before max_grad_norm, the inference's included.",      \
    HN_MEAN)                                                                                    \
  X(epochs, "", "Epochs run, fewer than n_epochs where target_kl stops them.", HN_MEAN)         \
  X(lr, "", "Learning rate after annealing.", HN_MEAN)
#define PPO_INFO(X) X(value, "", "Predicted return, in units of the normalised reward.", HN_MEAN)
enum { PPO_METRICS(HN_METRIC_) };
enum { PPO_INFO(HN_INFO_) PPO_INFOS };
extern const HnColumn ppo_metrics[], ppo_info[]; /* their columns, for descriptors */

typedef struct PpoParams {
  PPO_PARAMS(HN_FIELD)
} PpoParams;

typedef struct Ppo {
  const PpoParams *p;
  const HnHost *host;
  ActorCritic net;
  int64_t aux_dim, logp_at; /* logp_at: in aux, the log-density acted by; 0: not stored */
  HnNormaliser return_norm;
  double *return_so_far;               /* [B] discounted, of each row */
  bool logged_minibatch, logged_batch; /* that advantages were all equal */
} Ppo;

/* As in HnPolicy; self is a Ppo, or begins with one. */
HnStatus ppo_create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec);
HnStatus ppo_act(void *self, HnActBatch *a);
HnStatus ppo_divergence(void *self, int64_t n, const float *obs, const float *belief_a,
                        const float *belief_b, int64_t samples, float *kl);
HnStatus ppo_learn(void *self, const HnTrainBatch *l);

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

/* The policy that the heads' answers to S samples make. */
Mixture ppo_mixture(const Ppo *m, const Heads *heads, int64_t S);

/* HnTasks on shard k of a PpoMinibatch, `arg`: the loss and its gradients .. */
HnStatus ppo_shard_loss(void *arg, int64_t k);
/* .. and, before the first, log-densities and values under the current weights, into the batch. */
HnStatus ppo_shard_old_policy(void *arg, int64_t k);
#endif

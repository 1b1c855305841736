/* Advantage actor-critic: a single gradient step on the actor-critic loss of each batch.
 *
 * It is PPO with one epoch of one minibatch: there every ratio is 1, where the clipped surrogate's
 * gradient is the policy gradient's.  So it trains an inference through the belief as PPO does. */
#include "ppo/ppo.h"

#define PARAMS(X)                                                                                 \
  ACTOR_CRITIC_PARAMS(X)                                                                          \
  X(real, lr, "", "Learning rate of Adam.", 7e-4, 0, 1)                                           \
  X(flag, anneal, "", "Let learning rates fall linearly to 0 over the run, the inference's too.", \
    1)                                                                                            \
  X(real, adam_eps, "", "Adam's eps, which keeps its denominator from 0.", 1e-5, 0, 1)            \
  X(real, vf_coef, "", "Weight of the value loss, half the squared error.", 0.5, 0, 1e6)          \
  X(real, ent_coef, "", "Weight of the entropy bonus.", 0, 0, 1e6)                                \
  X(real, max_grad_norm, "",                                                                      \
    "Bound on the norm of the gradient, the inference's included; 0: none.", 0.5, 0, 1e9)         \
  X(real, gamma, "", "Discount factor per step; 0: only a step's own reward counts.", 0.99, 0, 1) \
  X(real, gae_lambda, "", "Lambda of generalised advantage estimation; 1: n-step returns.", 1, 0, \
    1)                                                                                            \
  X(choice, advantages, "",                                                                       \
    "Elements that advantages are standardised over; the minibatch is the batch.", "none",        \
    "minibatch|batch|none")                                                                       \
  X(choice, episode_boundary, "",                                                                 \
    "Whether the end of an episode ends the return (terminal), or only the end of the trial.",    \
    "ignore", "ignore|terminal")                                                                  \
  X(flag, time_limit_bootstrap, "",                                                               \
    "Take the value of a step's own state as the return of a step that the horizon cuts.", 0)     \
  X(flag, normalise_reward, "",                                                                   \
    "Divide rewards by the running standard deviation of the discounted return, within +-10.", 0)
HN_PARAMS_OF(PpoParams, PARAMS);

typedef struct A2c {
  Ppo ppo;
  PpoParams params; /* PPO's, of which the table leaves out what does not matter here */
} A2c;

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  A2c *m = self;
  m->params = *(const PpoParams *)params;
  m->params.n_epochs = m->params.n_minibatches = 1;
  m->params.clip_range = 1; /* not 0, where both sides of the minimum have the same slope at 1 */
  return ppo_create(&m->ppo, host, &m->params, spec);
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = ppo_act,
                                 .learn = ppo_learn, .divergence = ppo_divergence};
HN_PLUGIN(a2c, HN_KIND_POLICY, A2c, &methods, .version = "0.1", .license = "MIT", .info = ppo_info,
          .metrics = ppo_metrics,
          .summary = "Advantage actor-critic, on stored beliefs or through the inference.",
          .source = "arXiv 1602.01783");

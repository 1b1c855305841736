/* Proximal policy optimisation on (observation, belief); it is in ppo/.
 *
 * Where gradients stop at the belief, minibatches are flat and read the beliefs that were acted on.
 * Where the training batch has a backward pass through the inference network, minibatches are whole
 * sequences whose beliefs are inferred anew, and the loss trains the inference too, under one
 * gradient norm and one schedule. */
#include "ppo/ppo.h"

HN_PARAMS_OF(PpoParams, PPO_PARAMS);

static const HnPolicy methods = {sizeof(HnPolicy), .create = ppo_create, .act = ppo_act,
                                 .learn = ppo_learn, .divergence = ppo_divergence};
HN_PLUGIN(ppo, HN_KIND_POLICY, Ppo, &methods, .version = "0.1", .license = "MIT", .info = ppo_info,
          .metrics = ppo_metrics,
          .summary = "Proximal policy optimisation, on stored beliefs or through the inference.",
          .source = "arXiv 1707.06347; policy network of arXiv 1910.08348",
          .renamed = "epochs:n_epochs minibatches:n_minibatches clip:clip_range "
                     "value_clip:clip_range_vf value_weight:vf_coef entropy:ent_coef "
                     "grad_clip:max_grad_value grad_norm:max_grad_norm discount:gamma "
                     "lambda:gae_lambda");

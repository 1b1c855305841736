/* ppo_tables.h - what PPO can be told, and what it reports. */
#ifndef PPO_TABLES_H
#define PPO_TABLES_H
#include <hunch/policy.h>

#define PARAMS(X)                                                                                  \
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
    0)                                                                                             \
  X(flag, see_obs, "", "Act on the observation too, not on the belief alone.", 1)                  \
  X(flag, normalise_obs, "", "By running mean and deviation, within +-10.", 1)                     \
  X(flag, normalise_belief, "", "By running mean and deviation, within +-10.", 1)                  \
  X(flag, normalise_reward, "", "By the discounted return's deviation, within +-10.", 1)           \
  X(int, obs_embed, "", "Units that embed the observation; 0: none.", 0, 0, 65536)                 \
  X(int, belief_embed, "", "Units that embed the belief; 0: none.", 0, 0, 65536)                   \
  X(choice, input_norm, "", "Of what actor and critic read: LayerNorm, each its own, eps 1e-6.",   \
    "none", "none|layer")                                                                          \
  X(text, hidden, "",                                                                              \
    "Units of each hidden layer, the actor's and the critic's each, e.g. '256 256 64'; empty: "    \
    "as width and layers say.",                                                                    \
    "")                                                                                            \
  X(int, width, "", "Units of a hidden layer.", 64, 1, 65536)                                      \
  X(int, layers, "", "Hidden layers, the actor's and the critic's each.", 2, 0, 8)                 \
  X(choice, activation, "", "Of hidden layers and embeddings.", "tanh", "tanh|relu|leaky_relu")    \
  X(choice, init, "", "Of hidden layers; lecun: of the heads too.", "orthogonal",                  \
    "orthogonal|normc|lecun")                                                                      \
  X(real, gain, "", "Of hidden layers' initial weights.", 1.4142135623730951, 0, 100)              \
  X(real, head_gain, "", "Of the action head's initial weights.", 0.01, 0, 100)                    \
  X(choice, squash, "", "tanh on a Gaussian's mean, or on its draws.", "none", "none|mean|sample") \
  X(real, std_init, "", "Initial standard deviation of actions.", 1, 1e-6, 100)                    \
  X(choice, std_bounds, "", "Standard deviation: from std_floor on, or within std_low and _high.", \
    "floor", "floor|softclip")                                                                     \
  X(real, std_floor, "", "Least standard deviation, if std_bounds is floor.", 1e-6, 1e-30, 100)    \
  X(real, std_low, "", "Least standard deviation, if std_bounds is softclip.", 0.5, 1e-6, 100)     \
  X(real, std_high, "", "Largest standard deviation, if std_bounds is softclip.", 1.5, 1e-6, 100)
HN_PARAMS(PARAMS);
enum { ADVANTAGES_MINIBATCH, ADVANTAGES_BATCH, ADVANTAGES_NONE };
enum { BOUNDARY_IGNORE, BOUNDARY_TERMINAL };
enum { LOSS_BELIEF_ACTED, LOSS_BELIEF_POINT };
enum { INPUT_NORM_NONE, INPUT_NORM_LAYER };
enum { ACTIVATION_TANH, ACTIVATION_RELU, ACTIVATION_LEAKY_RELU };
enum { INIT_ORTHOGONAL, INIT_NORMC, INIT_LECUN };
enum { SQUASH_NONE, SQUASH_MEAN, SQUASH_SAMPLE };
enum { STD_FLOOR, STD_SOFTCLIP };

#define METRICS(X)                                                                               \
  X(loss, "", "What is minimised, without the inference's own part.", HN_MEAN)                   \
  X(policy_loss, "", "Clipped surrogate.", HN_MEAN)                                              \
  X(value_loss, "", "Half the squared (or Huber) error, unweighted.", HN_MEAN)                   \
  X(entropy, "nats", "Of the policy; before squashing; of a mixture, its parts' mean.", HN_MEAN) \
  X(approx_kl, "nats", "Old to new policy: r - 1 - log r (Schulman's k3).", HN_MEAN)             \
  X(ratio, "", "Mean of new over old density.", HN_MEAN)                                         \
  X(clip_fraction, "", "Ratios outside the clip.", HN_MEAN)                                      \
  X(explained_variance, "", "Of the targets, by the values acted with.", HN_MEAN)                \
  X(advantage_stddev, "", "Before standardising.", HN_MEAN)                                      \
  X(grad_norm, "", "Before grad_norm's clip, the inference's included.", HN_MEAN)                \
  X(epochs, "", "Passes made.", HN_MEAN)                                                         \
  X(lr, "", "Step size after annealing.", HN_MEAN)
HN_METRICS(METRICS);
#define INFO(X) X(value, "", "Predicted return, in units of the scaled reward.", HN_MEAN)
HN_INFO(INFO);

enum { NOTE_VALUE, NOTE_RAW }; /* NOTE_RAW on: the draw before tanh, if squash = sample */
static const float INPUT_CLIP = 10;
#endif

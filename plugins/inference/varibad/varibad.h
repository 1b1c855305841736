/* varibad_tables.h - what VariBAD and its variants can be told, and what they report. */
#ifndef VARIBAD_TABLES_H
#define VARIBAD_TABLES_H
#include <hunch/inference.h>

enum { BELIEF_MOMENTS, BELIEF_LATENT };
enum { REWARD_SQUARED, REWARD_BERNOULLI };
enum { PRIOR_PREVIOUS, PRIOR_FROZEN, PRIOR_STANDARD };
enum { REDUCE_SUM, REDUCE_MEAN };
enum { TASK_CLASS, TASK_DESCRIPTION };

#define VARIBAD_PARAMS(X)                                                                          \
  X(int, latent, "", "d, dimensions of the latent.", 5, 1, 1024)                                   \
  X(int, hidden, "", "Units of the recurrent encoder.", 128, 1, 4096)                              \
  X(int, obs_embed, "", "Units that embed a state, everywhere; 0: not read.", 32, 0, 4096)         \
  X(int, act_embed, "", "Units that embed an action, everywhere; 0: not read.", 16, 0, 4096)       \
  X(int, reward_embed, "", "Units that embed a reward; 0: not read.", 16, 0, 4096)                 \
  X(flag, see_episodes, "", "A state's last number says whether it ended an episode.", true)       \
  X(choice, belief, "",                                                                            \
    "The policy sees mean and log-variance, or the latent alone: its mean, "                       \
    "or draws where run.samples > 0.",                                                             \
    "moments", "moments|latent")                                                                   \
  X(flag, draw_latent, "", "Decoders read a draw from the posterior; else its mean.", true)        \
  X(real, kl_weight, "", "beta; 0: no prior.", 0.1, 0, 1e6)                                        \
  X(choice, prior, "", "Prior of q_t: q_{t-1}; the same without a gradient into it; N(0, I).",     \
    "previous", "previous|frozen|standard")                                                        \
  X(real, reward_weight, "", "c_r; 0: rewards are not decoded.", 1, 0, 1e6)                        \
  X(choice, reward_loss, "", "Squared error; or cross-entropy of reward = 1.", "squared",          \
    "squared|bernoulli")                                                                           \
  X(text, reward_layers, "", "Hidden units of the reward decoder.", "64 32")                       \
  X(flag, reward_next, "", "The reward decoder reads s'.", true)                                   \
  X(flag, reward_act, "", "The reward decoder reads a.", true)                                     \
  X(flag, reward_obs, "", "The reward decoder reads s.", true)                                     \
  X(int, reward_grid, "cell",                                                                      \
    "Side of a grid whose cells (x, y) = s' have a reward head each; "                             \
    "the decoder then reads nothing but the latent. 0: no grid.",                                  \
    0, 0, 64)                                                                                      \
  X(real, state_weight, "", "c_s; 0: states are not decoded.", 0, 0, 1e6)                          \
  X(text, state_layers, "", "Hidden units of the state decoder.", "64 64 32")                      \
  X(int, elbo_terms, "", "Posteriors drawn per trial (with replacement); 0: all.", 50, 0, 1e6)     \
  X(int, decoded_steps, "", "Steps each decodes (with replacement); 0: all.", 50, 0, 1e6)          \
  X(choice, over_terms, "", "Posteriors of a trial are added up, or averaged.", "sum", "sum|mean") \
  X(choice, over_steps, "", "Decoded steps are added up, or averaged.", "sum", "sum|mean")         \
  X(flag, decode_past, "", "q_t decodes the steps before it only.", false)                         \
  X(int, truncate, "step", "Steps between cuts of the gradient through time; 0: none.", 50, 0,     \
    1e6)                                                                                           \
  X(int, updates, "", "K, Adam steps an iteration.", 1, 0, 100000)                                 \
  X(int, batch, "trial", "Trials a step, drawn without replacement.", 10, 1, 4096)                 \
  X(int, buffer, "trial", "Finished trials remembered.", 10000, 1, 1e7)                            \
  X(int, start, "step", "Frames before the first step; there is none at iteration 0.", 5000, 0,    \
    1e12)                                                                                          \
  X(real, lr, "", "Adam's step size.", 1e-3, 0, 1)                                                 \
  X(real, encoder_grad_norm, "", "Norm the encoder's gradient is clipped to; 0: never.", 1, 0,     \
    1e9)                                                                                           \
  X(real, decoder_grad_norm, "", "Norm of the decoders' gradient; 0: never.", 1, 0, 1e9)           \
  X(flag, cross_resets, "",                                                                        \
    "As the reference code: the first step of an episode is decoded from "                         \
    "the last state of the one before.",                                                           \
    false)                                                                                         \
  X(flag, lagged_buffer, "",                                                                       \
    "As the reference code: the last trial of every row cannot be drawn "                          \
    "until the buffer is full.",                                                                   \
    false)                                                                                         \
  X(flag, misread_indices, "",                                                                     \
    "As the reference code where trials differ in length: what is "                                \
    "drawn for one trial is used for another, past its end too.",                                  \
    false)
#define VARIBAD_TASK_PARAMS(X)                                             \
  X(real, task_weight, "", "Weight of decoding the true task.", 1, 0, 1e6) \
  X(choice, task_loss, "",                                                 \
    "Cross-entropy of a one-hot task; or squared error of its "            \
    "description, mean over its numbers.",                                 \
    "class", "class|description")                                          \
  X(text, task_layers, "", "Hidden units of the task decoder.", "32 32")

#define INFO(X)                                                            \
  X(entropy, "nats", "Entropy of the posterior over the latent.", HN_LAST) \
  X(kl, "nats", "Posterior to N(0, I).", HN_LAST)
HN_INFO(INFO);

#define METRICS(X)                                                                     \
  X(loss, "", "What is minimised, a trial's mean.", HN_MEAN)                           \
  X(kl, "nats", "Unweighted, reduced over posteriors, a trial's mean.", HN_MEAN)       \
  X(reward_loss, "", "The same of decoded rewards.", HN_MEAN)                          \
  X(state_loss, "", "The same of decoded states.", HN_MEAN)                            \
  X(task_loss, "", "The same of decoded tasks.", HN_MEAN)                              \
  X(encoder_grad_norm, "", "Norm of the encoder's gradient before clipping.", HN_MEAN) \
  X(decoder_grad_norm, "", "Norm of the decoders' gradient before clipping.", HN_MEAN) \
  X(trials, "", "Finished trials remembered.", HN_MEAN)
HN_METRICS(METRICS);
#endif

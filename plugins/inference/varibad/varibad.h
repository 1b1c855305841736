/* varibad.h - VariBAD as a library: its parameters, columns and instance, and the methods of its
 * plugins.
 *
 * A recurrent encoder turns the steps of a trial into a Gaussian q_t over a latent z, which is the
 * belief; decoders that read z are to explain the whole trial, and both are trained on the evidence
 * lower bound.  A "state" is an observation and a flag that says whether it ended an episode.
 *   model.c     creation
 *   encoder.c   the encoder, and what it reads of a step
 *   belief.c    beliefs while acting, and the gradient of a policy's loss through them
 *   decoder.c   the losses of rewards, states and tasks decoded from latents
 *   elbo.c      the bound on a part of a batch, and its gradient
 *   learn.c     the updates of one iteration
 * Source: Zintgraf et al. 2020, arXiv 1910.08348. */
#ifndef HN_VARIBAD_H
#define HN_VARIBAD_H
#include "../../common/trial_replay.h"
#include <hunch/inference.h>
#include <hunch/kit/rnn.h>

/* Indices of the choices below. */
enum { VARIBAD_BELIEF_MOMENTS, VARIBAD_BELIEF_LATENT };
enum { VARIBAD_REWARD_SQUARED, VARIBAD_REWARD_BERNOULLI };
enum { VARIBAD_PRIOR_PREVIOUS, VARIBAD_PRIOR_FROZEN, VARIBAD_PRIOR_STANDARD };
enum { VARIBAD_SUM, VARIBAD_MEAN };
enum { VARIBAD_TASK_CLASS, VARIBAD_TASK_DESCRIPTION };

#define VARIBAD_PARAMS(X)                                                                          \
  X(int, latent, "", "Dimensions d of the latent.", 5, 1, 1024)                                    \
  X(int, hidden, "", "Hidden units of the recurrent encoder.", 128, 1, 4096)                       \
  X(int, obs_embed, "", "Units that embed a state, in encoder and decoders; 0: it is not read.",   \
    32, 0, 4096)                                                                                   \
  X(int, act_embed, "", "Units that embed an action, in encoder and decoders; 0: it is not read.", \
    16, 0, 4096)                                                                                   \
  X(int, reward_embed, "", "Units that embed a reward in the encoder; 0: it is not read.", 16, 0,  \
    4096)                                                                                          \
  X(flag, see_episodes, "", "Whether a state has a flag that says whether it ended an episode.",   \
    true)                                                                                          \
  X(choice, belief, "",                                                                            \
    "What the policy sees of the posterior; moments: mean and log-variance; latent: its mean "     \
    "alone, or draws where run.samples > 0.",                                                      \
    "moments", "moments|latent")                                                                   \
  X(flag, draw_latent, "", "Whether decoders read a draw from the posterior, not its mean.", true) \
  X(real, kl_weight, "", "Weight beta of the KL divergence from the prior; 0: there is none.",     \
    0.1, 0, 1e6)                                                                                   \
  X(choice, prior, "",                                                                             \
    "Prior of the posterior q_t; previous: q_{t-1}; frozen: q_{t-1} without a gradient into it; "  \
    "standard: N(0, I).",                                                                          \
    "previous", "previous|frozen|standard")                                                        \
  X(real, reward_weight, "", "Weight c_r of decoded rewards; 0: they are not decoded.", 1, 0, 1e6) \
  X(choice, reward_loss, "",                                                                       \
    "Loss of a decoded reward; squared: squared error; bernoulli: cross-entropy of reward = 1.",   \
    "squared", "squared|bernoulli")                                                                \
  X(text, reward_layers, "", "Widths of the reward decoder's hidden layers.", "64 32")             \
  X(flag, reward_next, "", "Whether the reward decoder reads the next state.", true)               \
  X(flag, reward_act, "", "Whether the reward decoder reads the action.", true)                    \
  X(flag, reward_obs, "", "Whether the reward decoder reads the state.", true)                     \
  X(int, reward_grid, "cell",                                                                      \
    "Side of a grid whose cells (x, y), where the next state lies, have a reward head each; the "  \
    "decoder then reads the latent alone. 0: no grid.",                                            \
    0, 0, 64)                                                                                      \
  X(real, state_weight, "", "Weight c_s of decoded next states; 0: they are not decoded.", 0, 0,   \
    1e6)                                                                                           \
  X(text, state_layers, "", "Widths of the state decoder's hidden layers.", "64 64 32")            \
  X(int, elbo_terms, "", "Posteriors drawn from a trial (with replacement); 0: all of them.", 50,  \
    0, 1e6)                                                                                        \
  X(int, decoded_steps, "",                                                                        \
    "Steps drawn (with replacement) for each posterior to decode; 0: all of them.", 50, 0, 1e6)    \
  X(choice, over_terms, "", "Reduction of the loss over the posteriors of a trial.", "sum",        \
    "sum|mean")                                                                                    \
  X(choice, over_steps, "", "Reduction of the loss over the steps that a posterior decodes.",      \
    "sum", "sum|mean")                                                                             \
  X(flag, decode_past, "", "Whether q_t decodes the steps before it alone.", false)                \
  X(int, truncate, "step", "Steps after which the gradient through time is cut; 0: never.", 50, 0, \
    1e6)                                                                                           \
  X(int, updates, "", "Adam steps in each iteration of the run.", 1, 0, 100000)                    \
  X(int, batch, "trial", "Trials in the batch of one Adam step, drawn without replacement.", 10,   \
    1, 4096)                                                                                       \
  X(int, buffer, "trial", "Capacity of the replay buffer: the newest finished trials.", 10000, 1,  \
    1e7)                                                                                           \
  X(int, start, "step", "Steps to collect before learning starts, after iteration 0 at least.",    \
    5000, 0, 1e12)                                                                                 \
  X(real, lr, "", "Learning rate of Adam.", 1e-3, 0, 1)                                            \
  X(real, encoder_max_grad_norm, "", "Largest norm of the encoder's gradient; 0: no bound.", 1, 0, \
    1e9)                                                                                           \
  X(real, decoder_max_grad_norm, "", "Largest norm of the decoders' gradient; 0: no bound.", 1, 0, \
    1e9)                                                                                           \
  X(flag, cross_resets, "",                                                                        \
    "Whether, as in the reference code, the first step of an episode is decoded from the last "    \
    "state of the episode before.",                                                                \
    false)                                                                                         \
  X(flag, lagged_buffer, "",                                                                       \
    "Whether, as in the reference code, the last trial of every row cannot be drawn until the "    \
    "buffer is full.",                                                                             \
    false)                                                                                         \
  X(flag, misread_indices, "",                                                                     \
    "Whether, as in the reference code where trials differ in length, what is drawn for one "      \
    "trial is used for another, past its end too.",                                                \
    false)
#define VARIBAD_TASK_PARAMS(X)                                                                \
  X(real, task_weight, "", "Weight of the decoded task; 0: it is not decoded.", 1, 0, 1e6)    \
  X(choice, task_loss, "",                                                                    \
    "Loss of the decoded task; class: cross-entropy of a one-hot task; description: squared " \
    "error, mean over its numbers.",                                                          \
    "class", "class|description")                                                             \
  X(text, task_layers, "", "Widths of the task decoder's hidden layers.", "32 32")

#define VARIBAD_INFO(X)                                                    \
  X(entropy, "nats", "Entropy of the posterior over the latent.", HN_LAST) \
  X(kl, "nats", "KL divergence of that posterior from N(0, I).", HN_LAST)

#define VARIBAD_METRICS(X)                                                                      \
  X(loss, "", "Loss of a trial, mean over the batch.", HN_MEAN)                                 \
  X(kl, "nats", "Unweighted KL divergence of a trial's posteriors from their priors.", HN_MEAN) \
  X(reward_loss, "", "Unweighted loss of a trial's decoded rewards.", HN_MEAN)                  \
  X(state_loss, "", "Unweighted loss of a trial's decoded next states.", HN_MEAN)               \
  X(task_loss, "", "Unweighted loss of a trial's decoded task.", HN_MEAN)                       \
  X(encoder_grad_norm, "", "Norm of the encoder's gradient before clipping.", HN_MEAN)          \
  X(decoder_grad_norm, "", "Norm of the decoders' gradient before clipping.", HN_MEAN)          \
  X(trials, "", "Finished trials in the replay buffer.", HN_MEAN)

#define VARIBAD_RENAMED \
  "encoder_grad_norm:encoder_max_grad_norm decoder_grad_norm:decoder_max_grad_norm"

#define VARIBAD_INFO_(n, ...)   varibad_info_##n,
#define VARIBAD_METRIC_(n, ...) varibad_metric_##n,
enum { VARIBAD_INFO(VARIBAD_INFO_) VARIBAD_INFO_COUNT };
enum { VARIBAD_METRICS(VARIBAD_METRIC_) };

typedef struct VaribadParams {
  VARIBAD_PARAMS(HN_FIELD)
  VARIBAD_TASK_PARAMS(HN_FIELD)
} VaribadParams;

/* An MLP on [z, e(s'), e(a), e(s)], of which it reads the parts that its flags name.  Its first
 * layer is a sum of what z adds and what the step adds. */
typedef struct VaribadDecoder {
  HnMlp net; /* layers 0: nothing is decoded */
  HnMlp embed_state, embed_action;
  bool reads_next, reads_action, reads_state;
  bool bernoulli;
  int64_t inputs, outputs;
  double weight;
} VaribadDecoder;

/* What the last forward leaves to its backward. */
typedef struct VaribadForward {
  HnTape recurrence, head; /* the head reads a copy of the hidden states */
  HnVar *states, *head_states, *moments;
  float *flat;
  const float *noise; /* [(T+1) B, S, d] of the draws */
} VaribadForward;

typedef struct Varibad {
  const VaribadParams *p;
  const HnHost *host;
  int64_t d, hidden;           /* of the latent, of the hidden state */
  int64_t obs_dim, action_dim; /* of the action as networks read it */
  int64_t state_dim;           /* obs_dim and the flag */
  bool discrete, reads_actions;
  int64_t belief_dim;
  HnStore encoder, decoders;
  HnMlp embed_state, embed_action, embed_reward; /* layers 0: not read */
  HnRnn gru;
  HnTensor *head, *bias; /* [hidden, 2 d], [1, 2 d]: mean, then log-variance */
  VaribadDecoder reward, state, task;
  HnTrialReplay replay;
  int64_t *slot; /* [batch] of the trials of the running update */
  VaribadForward forward;
} Varibad;

/* The methods of the plugins, as in hunch/inference.h; self is a Varibad, params a VaribadParams.
 * Row memory is the hidden state. */
HnStatus varibad_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec);
HnStatus varibad_infer(void *self, HnBeliefUpdate *q);
HnStatus varibad_forward(void *self, HnBeliefUpdate *q);
HnStatus varibad_backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                          double *norm2);
HnStatus varibad_step(void *self, double scale, double rate);
HnStatus varibad_learn(void *self, const HnTrainBatch *batch);
HnStatus varibad_map(void *self, const float *belief, float *cells);
#endif

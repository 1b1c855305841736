/* params.h - parameters of VariBAD's plugins: each has those rows that it names. */
#ifndef HN_VARIBAD_PARAMS_H
#define HN_VARIBAD_PARAMS_H
#include <hunch/inference.h>

/* Indices of the choices below. */
enum { VARIBAD_BELIEF_MOMENTS, VARIBAD_BELIEF_LATENT };
enum { VARIBAD_REWARD_SQUARED, VARIBAD_REWARD_BERNOULLI };
enum { VARIBAD_PRIOR_PREVIOUS, VARIBAD_PRIOR_FROZEN, VARIBAD_PRIOR_STANDARD };
enum { VARIBAD_SUM, VARIBAD_MEAN };
enum { VARIBAD_TASK_CLASS, VARIBAD_TASK_DESCRIPTION };
enum { VARIBAD_VIRTUAL_SUBTASKS, VARIBAD_VIRTUAL_LATENTS };

/* Defaults: those of the paper's MuJoCo environments, and of SDVT's Meta-World ones. */
#define VARIBAD_MUJOCO_HIDDEN           128
#define VARIBAD_MUJOCO_REWARD_WEIGHT    1
#define VARIBAD_MUJOCO_REWARD_LAYERS    "64 32"
#define VARIBAD_MUJOCO_STATE_WEIGHT     0
#define VARIBAD_MUJOCO_DRAWS            50
#define VARIBAD_MUJOCO_OVER             "sum"
#define VARIBAD_MUJOCO_UPDATES          1
#define VARIBAD_MUJOCO_BUFFER           10000
#define VARIBAD_METAWORLD_HIDDEN        256
#define VARIBAD_METAWORLD_REWARD_WEIGHT 10
#define VARIBAD_METAWORLD_REWARD_LAYERS "64 64 32"
#define VARIBAD_METAWORLD_STATE_WEIGHT  1000
#define VARIBAD_METAWORLD_DRAWS         100
#define VARIBAD_METAWORLD_OVER          "mean"
#define VARIBAD_METAWORLD_UPDATES       10
#define VARIBAD_METAWORLD_BUFFER        1000

/* Rows of parameters that several plugins have, S one of these sets of defaults. */
#define VARIBAD_READS(X, S)                                                                        \
  X(int, latent, "", "Dimensions d of the latent.", 5, 1, 1024)                                    \
  X(int, hidden, "", "Hidden units of the recurrent encoder.", S##_HIDDEN, 1, 4096)                \
  X(int, obs_embed, "", "Units that embed a state, in encoder and decoders; 0: it is not read.",   \
    32, 0, 4096)                                                                                   \
  X(int, act_embed, "", "Units that embed an action, in encoder and decoders; 0: it is not read.", \
    16, 0, 4096)                                                                                   \
  X(int, reward_embed, "", "Units that embed a reward in the encoder; 0: it is not read.", 16, 0,  \
    4096)                                                                                          \
  X(flag, see_episodes, "", "Whether a state has a flag that says whether it ended an episode.",   \
    true)
#define VARIBAD_VIEW(X)                                                                        \
  X(choice, belief, "",                                                                        \
    "What the policy sees of the posterior; moments: mean and log-variance; latent: its mean " \
    "alone, or draws where run.samples > 0.",                                                  \
    "moments", "moments|latent")
#define VARIBAD_BOUND(X)                                                                           \
  X(flag, draw_latent, "", "Whether decoders read a draw from the posterior, not its mean.", true) \
  X(real, kl_weight, "", "Weight beta of the KL divergence from the prior; 0: there is none.",     \
    0.1, 0, 1e6)                                                                                   \
  X(choice, prior, "",                                                                             \
    "Prior of the posterior q_t; previous: q_{t-1}; frozen: q_{t-1} without a gradient into it; "  \
    "standard: N(0, I).",                                                                          \
    "previous", "previous|frozen|standard")
#define VARIBAD_REWARD_WEIGHT(X, S)                                                     \
  X(real, reward_weight, "", "Weight c_r of decoded rewards; 0: they are not decoded.", \
    S##_REWARD_WEIGHT, 0, 1e6)
#define VARIBAD_REWARD_LOSS(X)                                                                   \
  X(choice, reward_loss, "",                                                                     \
    "Loss of a decoded reward; squared: squared error; bernoulli: cross-entropy of reward = 1.", \
    "squared", "squared|bernoulli")
#define VARIBAD_REWARD_READS(X, S)                                                               \
  X(text, reward_layers, "", "Widths of the reward decoder's hidden layers.", S##_REWARD_LAYERS) \
  X(flag, reward_next, "", "Whether the reward decoder reads the next state.", true)             \
  X(flag, reward_act, "", "Whether the reward decoder reads the action.", true)                  \
  X(flag, reward_obs, "", "Whether the reward decoder reads the state.", true)
#define VARIBAD_REWARD_GRID(X)                                                                    \
  X(int, reward_grid, "cell",                                                                     \
    "Side of a grid whose cells (x, y), where the next state lies, have a reward head each; the " \
    "decoder then reads the latent alone. 0: no grid.",                                           \
    0, 0, 64)
#define VARIBAD_LEARNING(X, S)                                                                     \
  X(real, state_weight, "", "Weight c_s of decoded next states; 0: they are not decoded.",         \
    S##_STATE_WEIGHT, 0, 1e6)                                                                      \
  X(text, state_layers, "", "Widths of the state decoder's hidden layers.", "64 64 32")            \
  X(int, elbo_terms, "", "Posteriors drawn from a trial (with replacement); 0: all of them.",      \
    S##_DRAWS, 0, 1e6)                                                                             \
  X(int, decoded_steps, "",                                                                        \
    "Steps drawn (with replacement) for each posterior to decode; 0: all of them.", S##_DRAWS, 0,  \
    1e6)                                                                                           \
  X(choice, over_terms, "", "Reduction of the loss over the posteriors of a trial.", S##_OVER,     \
    "sum|mean")                                                                                    \
  X(choice, over_steps, "", "Reduction of the loss over the steps that a posterior decodes.",      \
    S##_OVER, "sum|mean")                                                                          \
  X(flag, decode_past, "", "Whether q_t decodes the steps before it alone.", false)                \
  X(int, truncate, "step", "Steps after which the gradient through time is cut; 0: never.", 50, 0, \
    1e6)                                                                                           \
  X(int, updates, "", "Adam steps in each iteration of the run.", S##_UPDATES, 0, 100000)          \
  X(int, batch, "trial", "Trials in the batch of one Adam step, drawn without replacement.", 10,   \
    1, 4096)                                                                                       \
  X(int, buffer, "trial", "Capacity of the replay buffer: the newest finished trials.",            \
    S##_BUFFER, 1, 1e7)                                                                            \
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
#define VARIBAD_PARAMS(X)                  \
  VARIBAD_READS(X, VARIBAD_MUJOCO)         \
  VARIBAD_VIEW(X)                          \
  VARIBAD_BOUND(X)                         \
  VARIBAD_REWARD_WEIGHT(X, VARIBAD_MUJOCO) \
  VARIBAD_REWARD_LOSS(X)                   \
  VARIBAD_REWARD_READS(X, VARIBAD_MUJOCO)  \
  VARIBAD_REWARD_GRID(X)                   \
  VARIBAD_LEARNING(X, VARIBAD_MUJOCO)
#define VARIBAD_TASK_PARAMS(X)                                                                \
  X(real, task_weight, "", "Weight of the decoded task; 0: it is not decoded.", 1, 0, 1e6)    \
  X(choice, task_loss, "",                                                                    \
    "Loss of the decoded task; class: cross-entropy of a one-hot task; description: squared " \
    "error, mean over its numbers.",                                                          \
    "class", "class|description")                                                             \
  X(text, task_layers, "", "Widths of the task decoder's hidden layers.", "32 32")
/* Of mixtures of subtasks and of virtual training, for SDVT and what it is compared with. */
#define VARIBAD_SUBTASK_PARAMS(X)                                                                  \
  X(int, subtasks, "",                                                                             \
    "Subtasks K, components of the mixture; 1: a single Gaussian, trained on VariBAD's "           \
    "bound, to which kl_weight and prior belong.",                                                 \
    10, 1, 1024)                                                                                   \
  X(text, head_layers, "", "Widths of the hidden layers of q(y | h) and q(z | h, y).", "512 512")  \
  X(real, temperature, "", "Temperature of the Gumbel-softmax draw of y.", 1, 1e-3, 1e3)           \
  X(real, gauss_weight, "", "Weight of ln q(z | h, y) - ln p(z | y).", 1, 0, 1e6)                  \
  X(real, cat_weight, "", "Weight c_cat of the KL divergence of q(y | h) from the uniform.", 1, 0, \
    1e6)                                                                                           \
  X(real, occ_weight, "", "Weight c_occ of the penalty on subtasks of a high index.", 1, 0, 1e6)   \
  X(real, dispersion_weight, "",                                                                   \
    "Weight c_ext of what layers make of z, beside h; the reward decoder of a mixture then "       \
    "reads that; 0: no such layers, it reads z.",                                                  \
    10, 0, 1e6)                                                                                    \
  X(text, dispersion_layers, "", "Widths of the hidden layers of the dispersion.", "256 256")      \
  X(real, dropout, "",                                                                             \
    "Probability that a number of an embedded state or action is dropped in a decoder.", 0.7, 0,   \
    0.99)                                                                                          \
  X(real, virtual_probability, "", "Probability that an iteration is virtual, at the start.", 0,   \
    0, 1)                                                                                          \
  X(real, virtual_growth, "", "How much that probability grows by 1e8 steps.", 0.05, 0, 1e3)       \
  X(choice, virtual_source, "",                                                                    \
    "What virtual rewards are decoded from; subtasks: z ~ q(z | h, y) at each step, with y "       \
    "drawn for the trial; latents: a mixture of the last latents of real trials.",                 \
    "subtasks", "subtasks|latents")                                                                \
  X(int, virtual_mix, "",                                                                          \
    "How many subtasks the first virtual iteration mixes, or how many latents are mixed; 1 "       \
    "as in the reference code of LDM, which leaves its latents unmixed.",                          \
    3, 1, 1024)                                                                                    \
  X(real, virtual_low, "", "Lower bound of virtual rewards.", 0, -1e9, 1e9)                        \
  X(real, virtual_high, "", "Upper bound of virtual rewards.", 10, -1e9, 1e9)                      \
  X(flag, virtual_dropout, "",                                                                     \
    "Whether, as in the reference code, virtual rewards are decoded with dropout.", false)         \
  X(flag, virtual_first_own, "",                                                                   \
    "Whether, as in the reference code, the first step of a virtual trial is decoded from "        \
    "the belief's own y.",                                                                         \
    false)

typedef struct VaribadParams {
  VARIBAD_PARAMS(HN_FIELD)
  VARIBAD_TASK_PARAMS(HN_FIELD)
  VARIBAD_SUBTASK_PARAMS(HN_FIELD)
} VaribadParams;
#endif

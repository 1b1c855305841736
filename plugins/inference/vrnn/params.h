/* vrnn_tables.h - what the recurrent agents of this family can be told, and what they report.  Each
 * plugin puts its parameters together from these tables. */
#ifndef VRNN_TABLES_H
#define VRNN_TABLES_H
#include <hunch/inference.h>

enum { CELL_LSTM, CELL_GRU };
enum { CONTEXT_SSM, CONTEXT_RSSM, CONTEXT_BAMDP };
enum { ACT_INDEX, ACT_ONEHOT };
enum { HEAD_NONE, HEAD_SIGNAL, HEAD_REWARD };
enum { COVARIANCE_FULL, COVARIANCE_DIAGONAL };
enum { ACCUMULATE_NONE, ACCUMULATE_PRECISION, ACCUMULATE_BOTH, ACCUMULATE_MEAN };

#define VRNN_PARAMS(X)                                                                             \
  X(choice, cell, "", "What remembers.", "lstm", "lstm|gru")                                       \
  X(int, hidden, "", "H, units of the memory.", 128, 1, 4096)                                      \
  X(int, latent, "", "F, dimensions of z, whose mean is linear in the memory.", 64, 1, 1024)       \
  X(choice, context, "",                                                                           \
    "What policy and heads see beside z: nothing, the memory, or the embedded observation.",       \
    "ssm", "ssm|rssm|bamdp")                                                                       \
  X(int, embed, "", "Units of both layers that embed an observation, an action.", 256, 1, 4096)    \
  X(choice, act_input, "", "A discrete action is taken in as its number, or one-hot.", "index",    \
    "index|onehot")                                                                                \
  X(flag, see_first, "",                                                                           \
    "The first observation of a task is taken in; false: it shows nothing (supervised tasks), "    \
    "and the belief there is N(0, I) with empty memory.",                                          \
    true)                                                                                          \
  X(flag, see_reward, "", "The last reward is part of the observation taken in.", false)           \
  X(flag, see_episodes, "", "So is a flag that an episode has just begun.", false)                 \
  X(choice, head, "",                                                                              \
    "Predicts what a step will show from the belief before it and the action: nothing, the "       \
    "observation (Gaussian, one learnt deviation), or whether the reward is above 1/2.",           \
    "none", "none|signal|reward")                                                                  \
  X(text, head_layers, "", "Hidden units of that head.", "256 256 64")                             \
  X(flag, upstream_aggregate, "",                                                                  \
    "As the reference code: the mean variance of the signal's members is taken for its "           \
    "deviation; else their moments are matched.",                                                  \
    false)                                                                                         \
  X(flag, upstream_mixture, "",                                                                    \
    "As the reference code: a mixture's log-probability is its members' mean, a lower bound.",     \
    false)                                                                                         \
  X(flag, upstream_sigma, "",                                                                      \
    "As the reference code: the range 0.001 to 5 binds what softplus makes the signal's "          \
    "deviation of, not the deviation, which then stays above 0.69.",                               \
    false)                                                                                         \
  X(real, lr, "", "AdamW's step size; a policy that trains this scales it by its schedule.", 1e-3, \
    0, 1)                                                                                          \
  X(real, weight_decay, "", "Decoupled.", 1e-6, 0, 1)                                              \
  X(real, adam_eps, "", "AdamW's guard against division by 0.", 1e-8, 0, 1)                        \
  X(real, grad_clip, "", "Largest element of the gradient, before any norm; 0: any.", 5, 0, 1e9)   \
  X(real, grad_norm, "", "Largest gradient where no policy trains this; 0: any.", 1, 0, 1e9)       \
  X(flag, refresh, "", "Rebuild memory in mid-life after each update.", false)

/* Of those whose z is drawn. */
#define VRNN_BAYES_PARAMS(X)                                                         \
  X(choice, covariance, "", "Of z.", "full", "full|diagonal")                        \
  X(real, beta, "", "Weight of the KL from the posterior before.", 0.01, 0, 1e6)     \
  X(flag, simplify, "", "Of that KL only the Mahalanobis part is minimised.", false) \
  X(int, model_samples, "", "Draws of z that the head learns from; 0: the mean.", 1, 0, 1000)

#define LAPLACE_PARAMS(X)                                                                          \
  X(choice, accumulate, "",                                                                        \
    "What is added up over time: nothing (damping I plus the window's curvature), precisions, "    \
    "precisions and means, or means.",                                                             \
    "precision", "none|precision|both|mean")                                                       \
  X(int, buffer, "step", "B, the last inputs whose curvature a posterior adds.", 1, 1, 1000)       \
  X(real, damping, "", "Precision that is there without accumulation.", 1, 1e-12, 1e12)            \
  X(real, jitter, "", "Added to the precision's diagonal where it is factored.", 1e-6, 0, 1e6)     \
  X(flag, normalize, "", "Average curvature over the window, not its sum.", false)                 \
  X(real, prior_variance, "", "Of z before anything is known.", 1, 1e-12, 1e12)                    \
  X(flag, track, "",                                                                               \
    "Precisions are kept up while acting without draws; false: not, which saves time where every " \
    "lesson's window begins with a task, and refuses others.",                                     \
    true)                                                                                          \
  X(flag, jacobian_norms, "", "Report them; F H floats more a row.", true)

#define VRNN_GAUSSIAN_PARAMS(X)                                                            \
  X(real, logvar_low, "", "Least log-variance (of an eigenvalue, if full).", -10, -80, 80) \
  X(real, logvar_high, "", "Largest.", 2, -80, 80)

#define VRNN_INFO(X)                                                                         \
  X(log_predictive, "nats", "Of what the step showed, under the belief before it.", HN_MEAN) \
  X(mean_norm2, "", "Squared norm of z's mean.", HN_LAST)                                    \
  X(mean_move2, "", "Squared distance that it moved.", HN_LAST)
#define VRNN_BAYES_INFO(X)                                                                      \
  X(entropy, "nats", "Of the posterior of z.", HN_LAST)                                         \
  X(marginal_entropy, "nats", "Mean over z's dimensions of their marginals' entropy.", HN_LAST) \
  X(kl, "nats", "From the posterior before.", HN_LAST)                                          \
  X(kl_trace, "nats", "Half of what the trace exceeds F by.", HN_LAST)                          \
  X(kl_mahalanobis, "nats", "Half the squared distance of the means.", HN_LAST)                 \
  X(kl_logdet, "nats", "Half the difference of the covariances' log-determinants.", HN_LAST)
#define LAPLACE_INFO(X)                                                        \
  X(jacobian_mean2, "", "Squared norm of the mean Jacobian so far.", HN_LAST)  \
  X(jacobian_norm2, "", "Mean squared norm of the Jacobians so far.", HN_LAST) \
  X(jacobian_last2, "", "Squared norm of the last.", HN_LAST)

#define VRNN_METRICS(X)                                                                    \
  X(loss, "nats", "What the method minimises of its own.", HN_MEAN)                        \
  X(nll, "nats", "Of what steps showed, under the belief before.", HN_MEAN)                \
  X(kl, "nats", "Of consecutive posteriors, unweighted; simplified if so asked.", HN_MEAN) \
  X(signal_stddev, "", "Learnt deviation of the signal.", HN_LAST)                         \
  X(grad_norm, "", "Of the own gradient after the clip of its elements.", HN_MEAN)
#endif

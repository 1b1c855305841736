/* params.h - parameters and reported columns of the recurrent agents of this family.  Each plugin
 * puts its tables together from these; VrnnParams has the fields of all of them, and those that a
 * plugin does not list are 0. */
#ifndef VRNN_PARAMS_H
#define VRNN_PARAMS_H
#include "../../common/laplace.h"
#include <hunch/kit/rnn.h>

enum { CONTEXT_SSM, CONTEXT_RSSM, CONTEXT_BAMDP };
enum { ACT_INDEX, ACT_ONEHOT };
enum { HEAD_NONE, HEAD_SIGNAL, HEAD_REWARD };

#define VRNN_PARAMS(X)                                                                             \
  X(choice, cell, "", "Recurrent cell.", "lstm", HN_RNN_CHOICES)                                   \
  X(int, hidden, "", "Units H of the recurrent state.", 128, 1, 4096)                              \
  X(int, latent, "", "Dimensions F of the latent z; its mean is linear in the recurrent state.",   \
    64, 1, 1024)                                                                                   \
  X(choice, context, "",                                                                           \
    "Input of policy and head beside z: none (ssm), the recurrent state (rssm) or the embedded "   \
    "observation (bamdp).",                                                                        \
    "ssm", "ssm|rssm|bamdp")                                                                       \
  X(int, embed, "", "Units of both layers of the networks that embed observations and actions.",   \
    256, 1, 4096)                                                                                  \
  X(choice, act_input, "", "Encoding of a discrete action: its index as a number, or one-hot.",    \
    "index", "index|onehot")                                                                       \
  X(flag, see_first, "",                                                                           \
    "Whether the first observation of a task is read; false (supervised tasks): it is masked, "    \
    "and the belief there is N(0, I) with an empty recurrent state.",                              \
    true)                                                                                          \
  X(flag, see_reward, "", "Whether the last reward is read with each observation.", false)         \
  X(flag, see_episodes, "",                                                                        \
    "Whether a flag for the start of an episode is read with each observation.", false)            \
  X(choice, head, "",                                                                              \
    "Target that a head predicts from the belief before a step and the action: none, the next "    \
    "observation (signal: Gaussian, one learnt standard deviation) or whether the reward exceeds " \
    "1/2 (reward).",                                                                               \
    "none", "none|signal|reward")                                                                  \
  X(text, head_layers, "", "Hidden units of the head, layer by layer.", "256 256 64")              \
  X(flag, upstream_aggregate, "",                                                                  \
    "As the reference code: the members' mean variance is taken for the standard deviation of an " \
    "ensemble's signal; false: their moments are matched.",                                        \
    false)                                                                                         \
  X(flag, upstream_mixture, "",                                                                    \
    "As the reference code: a mixture's log-probability is its members' mean, a lower bound.",     \
    false)                                                                                         \
  X(flag, upstream_sigma, "",                                                                      \
    "As the reference code: the range 0.001 to 5 limits the input of the softplus that gives the " \
    "signal's standard deviation (then above 0.69), not its output.",                              \
    false)                                                                                         \
  X(real, lr, "",                                                                                  \
    "AdamW's learning rate; a policy that trains this plugin multiplies it by its schedule.",      \
    1e-3, 0, 1)                                                                                    \
  X(real, weight_decay, "", "AdamW's decoupled weight decay.", 1e-6, 0, 1)                         \
  X(real, adam_eps, "", "AdamW's epsilon, added to the denominator.", 1e-8, 0, 1)                  \
  X(real, max_grad_value, "",                                                                      \
    "Bound on the magnitude of each element of the gradient, before any norm; 0: none.", 5, 0,     \
    1e9)                                                                                           \
  X(real, max_grad_norm, "",                                                                       \
    "Bound on the gradient's norm where no policy trains this plugin; 0: none.", 1, 0, 1e9)        \
  X(flag, refresh, "",                                                                             \
    "Whether the recurrent states of unfinished trials are recomputed after each update.", false)

/* Of plugins with a posterior. */
#define VRNN_BAYES_PARAMS(X)                                                                    \
  LAPLACE_COVARIANCE(X)                                                                         \
  X(real, kl_weight, "", "Weight of the KL divergence of a posterior from the one before it.",  \
    0.01, 0, 1e6)                                                                               \
  X(flag, simplify, "", "Whether only the Mahalanobis term of the KL divergence is minimised.", \
    false)                                                                                      \
  X(int, model_samples, "", "Samples of z that the head learns from; 0: the mean.", 1, 0, 1000)

#define VRNN_GAUSSIAN_PARAMS(X)                                                                    \
  X(real, logvar_low, "", "Lower bound of log-variances (of the eigenvalues, if full).", -10, -80, \
    80)                                                                                            \
  X(real, logvar_high, "", "Upper bound of log-variances.", 2, -80, 80)

#define VRNN_LAPLACE_PARAMS(X)                                                                    \
  X(choice, accumulate, "",                                                                       \
    "Sums kept over time: none (the precision is damping I plus the window's curvature), of "     \
    "precisions, of precisions and means, or of means.",                                          \
    "precision", "none|precision|both|mean")                                                      \
  X(int, buffer, "step", "Number B of last inputs whose curvature is added to the precision.", 1, \
    1, 1000)                                                                                      \
  LAPLACE_DAMPING(X)                                                                              \
  X(flag, normalize, "", "Whether curvature is averaged over the window, not summed.", false)     \
  LAPLACE_PRIOR(X)                                                                                \
  X(flag, jacobian_norms, "",                                                                     \
    "Whether norms of the Jacobians are reported; takes F H floats a row.", true)

typedef struct VrnnParams {
  VRNN_PARAMS(HN_FIELD)
  VRNN_BAYES_PARAMS(HN_FIELD)
  VRNN_GAUSSIAN_PARAMS(HN_FIELD)
  VRNN_LAPLACE_PARAMS(HN_FIELD)
} VrnnParams;

#define VRNN_INFO(X)                                                                            \
  X(log_predictive, "nats", "Log-density of what the step showed, given the belief before it.", \
    HN_MEAN)                                                                                    \
  LAPLACE_MEAN_INFO(X)
#define VRNN_BAYES_INFO(X) LAPLACE_INFO(X)
#define VRNN_LAPLACE_INFO(X)                                                                 \
  X(jacobian_mean2, "", "Squared norm of the mean of the task's Jacobians so far.", HN_LAST) \
  LAPLACE_JACOBIAN_INFO(X)

/* Indices of info columns, the same in every plugin: each has the first m->info_count of them. */
#define VRNN_INFO_INDEX(n, ...) vrnn_info_##n,
enum {
  VRNN_INFO(VRNN_INFO_INDEX) VRNN_BAYES_INFO(VRNN_INFO_INDEX) VRNN_LAPLACE_INFO(VRNN_INFO_INDEX)
};

#define VRNN_METRICS(X)                                                                       \
  X(loss, "nats", "Loss of this plugin: nll + kl_weight kl.", HN_MEAN)                        \
  X(nll, "nats", "Minus the log-density of what steps showed, given the belief before them.", \
    HN_MEAN)                                                                                  \
  X(kl, "nats",                                                                               \
    "Unweighted KL divergence of consecutive posteriors; its Mahalanobis term if simplify.",  \
    HN_MEAN)                                                                                  \
  X(signal_stddev, "", "Learnt standard deviation of the signal.", HN_LAST)                   \
  X(grad_norm, "", "Norm of this plugin's gradient after element-wise clipping.", HN_MEAN)
#define VRNN_METRIC_INDEX(n, ...) vrnn_metric_##n,
enum { VRNN_METRICS(VRNN_METRIC_INDEX) };

/* Old names of parameters, for HnPlugin.renamed. */
#define VRNN_RENAMED       "grad_clip:max_grad_value grad_norm:max_grad_norm"
#define VRNN_BAYES_RENAMED VRNN_RENAMED " beta:kl_weight"
#endif

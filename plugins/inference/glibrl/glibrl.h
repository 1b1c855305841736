/* glibrl_tables.h - what GLiBRL can be told, and what it reports. */
#ifndef GLIBRL_TABLES_H
#define GLIBRL_TABLES_H
#include <hunch/inference.h>

enum { OUTPUT_TANH, OUTPUT_LINEAR };
enum { TARGET_DELTA, TARGET_NEXT };
enum { NEXT_BOTH, NEXT_STATE, NEXT_DELTA };
enum { REWARD_STDDEV, REWARD_STANDARD, REWARD_RAW };
enum { COLUMNS_LIVE, COLUMNS_ALL };
enum { BELIEF_MEANS, BELIEF_COMPACT, BELIEF_FULL };
enum { OF_BOTH, OF_TRANSITION, OF_REWARD };

#define PARAMS(X)                                                                                  \
  X(int, transition_features, "", "D_T: learnt features of (s, a) that predict s'.", 16, 2, 1024)  \
  X(int, reward_features, "", "D_R: learnt features of (s, a, s') that predict the reward.", 64,   \
    2, 1024)                                                                                       \
  X(int, hidden_units, "", "Units of each hidden layer of both feature networks.", 128, 1, 4096)   \
  X(int, hidden_layers, "",                                                                        \
    "Hidden tanh layers of both feature networks; 0: features are linear before feature_output.",  \
    2, 0, 7)                                                                                       \
  X(choice, feature_output, "",                                                                    \
    "tanh bounds the learnt features; linear leaves them as they are.", "tanh", "tanh|linear")     \
  X(flag, feature_constant, "", "One of the features is the constant 1, an intercept.", true)      \
  X(flag, feature_scaling, "", "Divide the learnt features by the square root of their number.",   \
    false)                                                                                         \
  X(choice, transition_target, "", "What transitions predict; delta: s' - s; next: s' itself.",    \
    "delta", "delta|next")                                                                         \
  X(choice, next_input, "",                                                                        \
    "What reward features see of s'; next: s'; delta: s' - s; both: both.", "both",                \
    "both|next|delta")                                                                             \
  X(flag, normalise_inputs, "",                                                                    \
    "Standardise what networks see by running mean and stddev, clipped to +-10.", true)            \
  X(flag, normalise_targets, "",                                                                   \
    "Standardise what transitions predict by running mean and stddev.", true)                      \
  X(choice, reward_scaling, "",                                                                    \
    "stddev: divide rewards by their stddev; standard: subtract their mean first; none: neither.", \
    "stddev", "stddev|standard|none")                                                              \
  X(choice, target_columns, "",                                                                    \
    "live: predict only columns of s' that vary and that earlier columns do not explain; all: "    \
    "every column.",                                                                               \
    "live", "live|all")                                                                            \
  X(real, constant_below, "",                                                                      \
    "target_columns: a column of smaller stddev (raw units) counts as constant.", 1e-6, 0, 1)      \
  X(real, copy_below, "",                                                                          \
    "target_columns: a column of whose variance earlier columns leave a smaller share counts as "  \
    "explained.",                                                                                  \
    1e-6, 0, 1)                                                                                    \
  X(choice, noise, "",                                                                             \
    "inferred: a noise variance for each task, by its posterior; fixed: noise_variance, the "      \
    "prior of the weights scaled with it; fixed_unscaled: that prior not scaled.",                 \
    "inferred", "inferred|fixed|fixed_unscaled")                                                   \
  X(real, noise_variance, "", "Noise variance of each scaled target where noise is fixed.", 0.1,   \
    1e-8, 1e8)                                                                                     \
  X(real, prior_xi, "", "Prior precision of the weights, where learning starts: Xi0 = xi I.", 1,   \
    1e-3, 1e6)                                                                                     \
  X(real, prior_psi, "", "Prior scale of the noise, where learning starts: Psi0 = psi I.", 0.1,    \
    1e-6, 1e6)                                                                                     \
  X(real, prior_dof, "",                                                                           \
    "Prior degrees of freedom of the noise beyond the number of targets; 2: its mean is psi.", 2,  \
    -0.9, 1e4)                                                                                     \
  X(flag, learn_prior, "", "Learn prior_xi and prior_psi of both models along with the features.", \
    true)                                                                                          \
  X(real, transition_regulariser, "",                                                              \
    "lambda_T: weight of the penalty on squared transition features.", 5e-3, 0, 1e3)               \
  X(real, reward_regulariser, "", "lambda_R: weight of the penalty on squared reward features.",   \
    1e-3, 0, 1e3)                                                                                  \
  X(flag, regulariser_per_step, "",                                                                \
    "Divide both penalties by the steps of the batch, as the evidence is.", true)                  \
  X(real, lr, "", "Adam's step size.", 1e-3, 0, 1)                                                 \
  X(real, grad_norm, "", "Largest norm of the gradient of both models together; 0: any.", 1, 0,    \
    1e9)                                                                                           \
  X(int, updates, "", "Adam's steps in each iteration of the run.", 10, 0, 100000)                 \
  X(int, batch, "trial", "Whole trials that each of Adam's steps looks at.", 10, 1, 4096)          \
  X(int, buffer, "trial", "Finished trials remembered, the newest.", 1000, 1, 1000000)             \
  X(int, start, "trial", "Finished trials to wait for before learning starts.", 10, 1, 1000000)    \
  X(choice, belief, "",                                                                            \
    "What the policy sees; means: of the weights; compact: log variances and noise too; full: "    \
    "every parameter of the posterior.",                                                           \
    "compact", "means|compact|full")                                                               \
  X(choice, belief_of, "", "Which model's posterior the policy sees.", "both",                     \
    "both|transition|reward")
HN_PARAMS(PARAMS);

#define INFO(X)                                                                                  \
  X(reward_l1, "", "Absolute error of the predicted reward.", HN_MEAN)                           \
  X(reward_nll, "nats", "Negative log density of the reward, in its own units.", HN_MEAN)        \
  X(transition_l1, "", "Absolute error of the predicted s', mean over live columns, own units.", \
    HN_MEAN)                                                                                     \
  X(transition_nll, "nats", "Negative joint log density of s', per live column, own units.",     \
    HN_MEAN)                                                                                     \
  X(kl_reward, "nats", "From the posterior of the reward's weights and noise to the prior.",     \
    HN_LAST)                                                                                     \
  X(kl_transition, "nats",                                                                       \
    "From the posterior of the transitions' weights and noise to the prior.", HN_LAST)           \
  X(believed_noise_stddev, "", "Root of the expected reward noise variance, in reward units.",   \
    HN_LAST)                                                                                     \
  X(log_predictive, "nats", "Log density of the reward before it was seen, own units.", HN_MEAN)
HN_INFO(INFO);

#define METRICS(X)                                                                         \
  X(evidence_reward, "nats", "Log evidence of scaled rewards, per step.", HN_MEAN)         \
  X(evidence_transition, "nats", "Log evidence of scaled transitions, per step.", HN_MEAN) \
  X(feature_norm_reward, "", "Root mean square norm of reward features.", HN_MEAN)         \
  X(feature_norm_transition, "", "Root mean square norm of transition features.", HN_MEAN) \
  X(saturated_reward, "", "Share of learnt reward features beyond 0.99 of tanh.", HN_MEAN) \
  X(saturated_transition, "", "The same of transition features.", HN_MEAN)                 \
  X(rank_reward, "", "Participation ratio of the covariance of reward features.", HN_MEAN) \
  X(rank_transition, "", "The same of transition features.", HN_MEAN)                      \
  X(xi_reward, "", "Prior precision of reward weights.", HN_MEAN)                          \
  X(xi_transition, "", "Prior precision of transition weights.", HN_MEAN)                  \
  X(psi_reward, "", "Prior Psi of the reward.", HN_MEAN)                                   \
  X(psi_transition, "", "Prior Psi of transitions.", HN_MEAN)                              \
  X(grad_norm, "", "Norm of the gradient before clipping.", HN_MEAN)                       \
  X(live_columns, "", "Columns of s' that are predicted.", HN_MEAN)                        \
  X(trials, "", "Finished trials remembered, the newest.", HN_MEAN)                        \
  X(potrf_retries, "", "Times xi was raised tenfold because Xi did not factor.", HN_SUM)
HN_METRICS(METRICS);
#endif

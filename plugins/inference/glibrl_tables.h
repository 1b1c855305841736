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

#define PARAMS(X)                                                                                \
  X(int, transition_features, "", "D_T, features of (s, a).", 16, 2, 1024)                       \
  X(int, reward_features, "", "D_R, features of (s, a, s').", 64, 2, 1024)                       \
  X(int, hidden_units, "", "Width of each hidden layer of both feature networks.", 128, 1, 4096) \
  X(int, hidden_layers, "", "Hidden layers (tanh) of both feature networks.", 2, 0, 7)           \
  X(choice, feature_output, "", "What bounds the learnt features.", "tanh", "tanh|linear")       \
  X(flag, feature_constant, "", "The last feature is fixed to 1.", true)                         \
  X(flag, feature_scaling, "", "Divide the learnt features by sqrt(D).", false)                  \
  X(choice, transition_target, "", "What transitions predict: s' - s, or s' itself.", "delta",   \
    "delta|next")                                                                                \
  X(choice, next_input, "", "How reward features see s': as s', as s' - s, or both.", "both",    \
    "both|next|delta")                                                                           \
  X(flag, normalise_inputs, "", "Standardise s, s' and s' - s by running moments, clip +-10.",   \
    true)                                                                                        \
  X(flag, normalise_targets, "", "Standardise transition targets by running moments.", true)     \
  X(choice, reward_scaling, "", "Rewards over their stddev; less their mean too; as they are.",  \
    "stddev", "stddev|standard|none")                                                            \
  X(choice, target_columns, "",                                                                  \
    "Predict columns that vary and are no combination of earlier "                               \
    "ones, or all.",                                                                             \
    "live", "live|all")                                                                          \
  X(real, constant_below, "", "A target of smaller stddev (raw units) is constant.", 1e-6, 0, 1) \
  X(real, copy_below, "",                                                                        \
    "A target column with a smaller share of variance left unexplained by "                      \
    "earlier columns is a copy.",                                                                \
    1e-6, 0, 1)                                                                                  \
  X(choice, noise, "",                                                                           \
    "Noise precision: inferred by task; fixed (prior of weights scaled with "                    \
    "it); fixed with an unscaled prior.",                                                        \
    "inferred", "inferred|fixed|fixed_unscaled")                                                 \
  X(real, noise_variance, "", "Of each scaled target, where noise is fixed.", 0.1, 1e-8, 1e8)    \
  X(real, prior_xi, "", "Prior precision of the weights: Xi0 = xi I.", 1, 1e-3, 1e6)             \
  X(real, prior_psi, "", "Prior of the noise: Psi0 = psi I.", 0.1, 1e-6, 1e6)                    \
  X(real, prior_dof, "", "nu0 less the number of targets m; at 2, E[noise variance] = psi.", 2,  \
    -0.9, 1e4)                                                                                   \
  X(flag, learn_prior, "", "Learn xi and psi of both models with the features.", true)           \
  X(real, transition_regulariser, "", "lambda_T, on squared transition features.", 5e-3, 0, 1e3) \
  X(real, reward_regulariser, "", "lambda_R, on squared reward features.", 1e-3, 0, 1e3)         \
  X(flag, regulariser_per_step, "",                                                              \
    "Divide lambda by the steps of the batch, as the evidence "                                  \
    "is.",                                                                                       \
    true)                                                                                        \
  X(real, lr, "", "Adam's step size.", 1e-3, 0, 1)                                               \
  X(real, grad_norm, "", "Largest joint gradient; 0: any.", 1, 0, 1e9)                           \
  X(int, updates, "", "Adam steps an iteration.", 10, 0, 100000)                                 \
  X(int, batch, "trial", "Whole trials a step.", 10, 1, 4096)                                    \
  X(int, buffer, "trial", "Finished trials remembered.", 1000, 1, 1000000)                       \
  X(int, start, "trial", "Finished trials before learning starts.", 10, 1, 1000000)              \
  X(choice, belief, "", "Posterior means; with log variances and noise; or every parameter.",    \
    "compact", "means|compact|full")                                                             \
  X(choice, belief_of, "", "Which model's posterior the policy sees.", "both",                   \
    "both|transition|reward")
HN_PARAMS(PARAMS);

#define INFO(X)                                                                                  \
  X(reward_l1, "", "Error of the predicted reward.", HN_MEAN)                                    \
  X(reward_nll, "nats", "Negative log density of the reward, in its own units.", HN_MEAN)        \
  X(transition_l1, "", "Error of the predicted s', mean over live columns, own units.", HN_MEAN) \
  X(transition_nll, "nats", "Negative joint log density of s', per live column, own units.",     \
    HN_MEAN)                                                                                     \
  X(kl_reward, "nats", "Reward posterior to prior.", HN_LAST)                                    \
  X(kl_transition, "nats", "Transition posterior to prior.", HN_LAST)                            \
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
  X(trials, "", "Finished trials remembered.", HN_MEAN)                                    \
  X(potrf_retries, "", "Times xi was raised tenfold because Xi did not factor.", HN_SUM)
HN_METRICS(METRICS);
#endif

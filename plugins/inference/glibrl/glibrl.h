/* glibrl.h - GLiBRL as a library: its parameters, columns and instance, and the three methods of
 * the plugin.
 *
 * Transitions and rewards are linear in learnt features.  The posterior over a task's weights and
 * noise is exact (hunch/kit/mnw.h), and the features are trained on the exact evidence.
 *   model.c      feature networks, inputs, targets, priors
 *   scaling.c    running moments of inputs and targets
 *   evidence.c   evidence of a trial and its gradient
 *   learn.c      the updates of one iteration
 *   posterior.c  the running posterior of every row
 *   view.c       what the policy sees of a posterior
 *   anchors.c    the steps at which the view `predictions` predicts
 *   whitening.c  the frame of the view `whitened`
 *   worth.c      what learnt features are worth
 * Source: arXiv 2512.20974. */
#ifndef HN_GLIBRL_H
#define HN_GLIBRL_H
#include "../../common/trial_replay.h"
#include <hunch/inference.h>
#include <hunch/kit.h>

/* Indices of the choices below. */
enum { GLIBRL_OUTPUT_TANH, GLIBRL_OUTPUT_LINEAR };
enum { GLIBRL_TARGET_DELTA, GLIBRL_TARGET_NEXT };
enum { GLIBRL_INPUT_BOTH, GLIBRL_INPUT_NEXT, GLIBRL_INPUT_DELTA };
enum { GLIBRL_REWARD_STDDEV, GLIBRL_REWARD_STANDARD, GLIBRL_REWARD_RAW };
enum { GLIBRL_COLUMNS_LIVE, GLIBRL_COLUMNS_ALL };
enum {
  GLIBRL_VIEW_MEANS,
  GLIBRL_VIEW_COMPACT,
  GLIBRL_VIEW_FULL,
  GLIBRL_VIEW_WHITENED,
  GLIBRL_VIEW_PREDICTIONS
};
enum { GLIBRL_ANCHORS_SPREAD, GLIBRL_ANCHORS_RANDOM };
enum { GLIBRL_STDDEV_EACH, GLIBRL_STDDEV_MEAN };
enum { GLIBRL_OF_BOTH, GLIBRL_OF_TRANSITION, GLIBRL_OF_REWARD };

#define GLIBRL_PARAMS(X)                                                                           \
  X(int, transition_features, "", "Number D_T of features of (s, a) that predict s'.", 16, 2,      \
    1024)                                                                                          \
  X(int, reward_features, "", "Number D_R of features of (s, a, s') that predict the reward.", 64, \
    2, 1024)                                                                                       \
  X(int, hidden_units, "", "Units of each hidden layer of both feature networks.", 128, 1, 4096)   \
  X(int, hidden_layers, "",                                                                        \
    "Hidden tanh layers of both feature networks; 0: features are linear in the inputs, but for "  \
    "feature_output.",                                                                             \
    2, 0, 7)                                                                                       \
  X(choice, feature_output, "", "Output activation of both feature networks.", "tanh",             \
    "tanh|linear")                                                                                 \
  X(flag, feature_constant, "", "Whether the last feature is the constant 1, an intercept.", true) \
  X(flag, feature_scaling, "",                                                                     \
    "Whether learnt features are divided by the square root of the number of features.", false)    \
  X(choice, transition_target, "", "What the transition model predicts; delta: s' - s; next: s'.", \
    "delta", "delta|next")                                                                         \
  X(choice, next_input, "",                                                                        \
    "Form in which the next state enters the reward features; next: s'; delta: s' - s; both: "     \
    "side by side.",                                                                               \
    "both", "both|next|delta")                                                                     \
  X(flag, normalise_inputs, "",                                                                    \
    "Whether network inputs are standardised by running mean and standard deviation, then "        \
    "clipped to +-10.",                                                                            \
    true)                                                                                          \
  X(flag, normalise_targets, "",                                                                   \
    "Whether transition targets are standardised by running mean and standard deviation.", true)   \
  X(choice, reward_scaling, "",                                                                    \
    "Scaling of reward targets; stddev: divided by their running standard deviation; standard: "   \
    "centred as well; none: as they are.",                                                         \
    "stddev", "stddev|standard|none")                                                              \
  X(choice, target_columns, "",                                                                    \
    "Columns of s' that are predicted; live: those that vary and are no linear combination of "    \
    "earlier ones; all: every column.",                                                            \
    "live", "live|all")                                                                            \
  X(real, constant_below, "",                                                                      \
    "Standard deviation (raw units) below which target_columns: live takes a column for "          \
    "constant.",                                                                                   \
    1e-6, 0, 1)                                                                                    \
  X(real, copy_below, "",                                                                          \
    "Share of variance left by earlier columns below which target_columns: live takes a column "   \
    "for their combination.",                                                                      \
    1e-6, 0, 1)                                                                                    \
  X(choice, noise, "",                                                                             \
    "Treatment of the noise variance; inferred: a posterior for each task; fixed: "                \
    "noise_variance, which scales the prior of the weights too; fixed_unscaled: noise_variance "   \
    "without that scaling.",                                                                       \
    "inferred", "inferred|fixed|fixed_unscaled")                                                   \
  X(real, noise_variance, "", "Noise variance of every scaled target where noise is fixed.", 0.1,  \
    1e-8, 1e8)                                                                                     \
  X(real, prior_xi, "", "Initial prior precision of the weights: Xi0 = xi I.", 1, 1e-3, 1e6)       \
  X(real, prior_psi, "", "Initial prior scale of the noise: Psi0 = psi I.", 0.1, 1e-6, 1e6)        \
  X(real, prior_dof, "",                                                                           \
    "Prior degrees of freedom of the noise beyond the number of targets; at 2 the prior mean of "  \
    "the noise is psi.",                                                                           \
    2, -0.9, 1e4)                                                                                  \
  X(flag, learn_prior, "",                                                                         \
    "Whether prior_xi and prior_psi of both models are learnt along with the features.", true)     \
  X(real, transition_regulariser, "",                                                              \
    "Weight lambda_T of the penalty on squared transition features.", 5e-3, 0, 1e3)                \
  X(real, reward_regulariser, "", "Weight lambda_R of the penalty on squared reward features.",    \
    1e-3, 0, 1e3)                                                                                  \
  X(flag, regulariser_per_step, "",                                                                \
    "Whether both penalties are divided by the number of steps in the batch, as the evidence is.", \
    true)                                                                                          \
  X(real, lr, "", "Learning rate of Adam.", 1e-3, 0, 1)                                            \
  X(real, max_grad_norm, "", "Largest norm of the joint gradient of both models; 0: no bound.", 1, \
    0, 1e9)                                                                                        \
  X(int, updates, "", "Adam steps in each iteration of the run.", 10, 0, 100000)                   \
  X(int, batch, "trial", "Whole trials in the batch of one Adam step.", 10, 1, 4096)               \
  X(int, buffer, "trial", "Capacity of the replay buffer: the newest finished trials.", 1000, 1,   \
    1000000)                                                                                       \
  X(int, start, "trial", "Finished trials to collect before learning starts.", 10, 1, 1000000)     \
  X(int, updates_final, "", "Adam steps that updates falls to in the course of updates_decay.", 1, \
    0, 100000)                                                                                     \
  X(real, updates_decay, "iteration",                                                              \
    "Time constant of the exponential fall from updates to updates_final; 0: no fall.", 0, 0, 1e9) \
  X(real, ema_decay, "",                                                                           \
    "Decay per Adam step of the averaged network weights that give the features of beliefs; 0: "   \
    "the weights themselves.",                                                                     \
    0, 0, 0.999999)                                                                                \
  X(choice, view, "",                                                                              \
    "What the policy sees of the posterior; means: of the weights; compact: their log variances "  \
    "and the log noise as well; full: every parameter; whitened: the means in a frame in which "   \
    "features are white, and the size of what is unknown; predictions: mean and log standard "     \
    "deviation of the targets at anchors.",                                                        \
    "compact", "means|compact|full|whitened|predictions")                                          \
  X(choice, belief_of, "", "Model whose posterior the policy sees.", "both",                       \
    "both|transition|reward")                                                                      \
  X(int, anchors, "", "Number K of remembered steps that serve view: predictions.", 32, 1, 1024)   \
  X(choice, anchor_choice, "",                                                                     \
    "How anchors are chosen among steps drawn from the replay; spread: one by one, where the "     \
    "features of those before say least; random: by chance.",                                      \
    "spread", "spread|random")                                                                     \
  X(choice, anchor_stddev, "",                                                                     \
    "What view: predictions shows of how certain they are; each: a log standard deviation for "    \
    "each anchor; mean: the mean of these.",                                                       \
    "each", "each|mean")                                                                           \
  X(int, anchors_until, "iteration",                                                               \
    "Last iteration of learning that may choose new anchors; iterations 1, 2, 4, 8 .. up to it "   \
    "do.",                                                                                         \
    64, 1, 1000000000)                                                                             \
  X(real, whitening_rate, "",                                                                      \
    "Share of the second moment of features behind view: whitened that an iteration renews.", 0.1, \
    0, 1)

#define GLIBRL_INFO(X)                                                                             \
  X(predicted_reward, "", "The reward that was expected of the step, before it was seen.",         \
    HN_MEAN)                                                                                       \
  X(reward_l1, "", "Absolute error of the predicted reward.", HN_MEAN)                             \
  X(reward_nll, "nats", "Negative log predictive density of the reward, in its own units.",        \
    HN_MEAN)                                                                                       \
  X(transition_l1, "",                                                                             \
    "Absolute error of the predicted s', mean over live columns, in their own units.", HN_MEAN)    \
  X(transition_nll, "nats",                                                                        \
    "Negative joint log predictive density of s', per live column, in their own units.", HN_MEAN)  \
  X(kl_reward, "nats",                                                                             \
    "KL divergence of the posterior over the reward's weights and noise from the prior.", HN_LAST) \
  X(kl_transition, "nats",                                                                         \
    "KL divergence of the posterior over the transitions' weights and noise from the prior.",      \
    HN_LAST)                                                                                       \
  X(kl, "nats", "KL divergence of both posteriors from their priors: the sum of these.", HN_LAST)  \
  X(believed_noise_stddev, "",                                                                     \
    "Square root of the posterior mean of the reward's noise variance, in reward units.", HN_LAST) \
  X(log_predictive, "nats",                                                                        \
    "Log predictive density of the reward before it was observed, in its own units.", HN_MEAN)

#define GLIBRL_METRICS(X)                                                                          \
  X(evidence_reward, "nats", "Log evidence of scaled rewards, per step.", HN_MEAN)                 \
  X(evidence_transition, "nats", "Log evidence of scaled transitions, per step.", HN_MEAN)         \
  X(feature_norm_reward, "", "Root mean square norm of the learnt reward features.", HN_MEAN)      \
  X(feature_norm_transition, "", "Root mean square norm of the learnt transition features.",       \
    HN_MEAN)                                                                                       \
  X(saturated_reward, "", "Share of learnt reward features whose absolute value is above 0.99.",   \
    HN_MEAN)                                                                                       \
  X(saturated_transition, "",                                                                      \
    "Share of learnt transition features whose absolute value is above 0.99.", HN_MEAN)            \
  X(rank_reward, "", "Participation ratio of the covariance of reward features.", HN_MEAN)         \
  X(rank_transition, "", "Participation ratio of the covariance of transition features.", HN_MEAN) \
  X(effective_rank_reward, "",                                                                     \
    "exp of the entropy of the spectrum of E[cc'], reward features c: how many directions they "   \
    "have.",                                                                                       \
    HN_MEAN)                                                                                       \
  X(effective_rank_transition, "",                                                                 \
    "exp of the entropy of the spectrum of E[cc'], transition features c.", HN_MEAN)               \
  X(dead_reward, "", "Share of learnt reward features that vary by less than 1 % of the widest.",  \
    HN_MEAN)                                                                                       \
  X(dead_transition, "",                                                                           \
    "Share of learnt transition features that vary by less than 1 % of the widest.", HN_MEAN)      \
  X(leverage_max_reward, "",                                                                       \
    "Largest leverage of a step of a trial: how much of the predicted reward at it its own "       \
    "reward "                                                                                      \
    "decides, 0 to 1.",                                                                            \
    HN_MEAN)                                                                                       \
  X(leverage_max_transition, "", "Largest leverage of a step of a trial on its own predicted s'.", \
    HN_MEAN)                                                                                       \
  X(xi_reward, "", "Prior precision of the reward's weights.", HN_MEAN)                            \
  X(xi_transition, "", "Prior precision of the transitions' weights.", HN_MEAN)                    \
  X(psi_reward, "", "Prior scale of the reward's noise.", HN_MEAN)                                 \
  X(psi_transition, "", "Prior scale of the transitions' noise.", HN_MEAN)                         \
  X(grad_norm, "", "Norm of the gradient before clipping.", HN_MEAN)                               \
  X(live_columns, "", "Columns of s' that are predicted.", HN_MEAN)                                \
  X(trials, "", "Finished trials in the replay buffer.", HN_MEAN)                                  \
  X(potrf_retries, "", "Times that xi was raised tenfold because Xi did not factor.", HN_SUM)

typedef struct GlibrlParams {
  GLIBRL_PARAMS(HN_FIELD)
  char hn_end;
} GlibrlParams;
#define GLIBRL_INFO_(n, ...)   glibrl_info_##n,
#define GLIBRL_METRIC_(n, ...) glibrl_metric_##n,
enum { GLIBRL_INFO(GLIBRL_INFO_) glibrl_info_count };
enum { GLIBRL_METRICS(GLIBRL_METRIC_) glibrl_metric_count };

/* One model that is linear in learnt features, with an isotropic prior. */
typedef struct GlibrlModel {
  int64_t d, learnt, inputs; /* D; features that the network gives (the rest is 1); its inputs */
  float gain;                /* learnt features are gain * network */
  double regulariser;
  HnMlp net;
  HnMlp belief_net;                  /* of the features of beliefs: net, or an average of it .. */
  HnTensor averaged[2 * HN_MLP_MAX]; /* .. in these */
  HnTensor *prior;                   /* [1, 2] ln xi, ln psi */
  size_t posterior_at, probe_at;     /* in row memory, see posterior.h */
  /* Kept for the view that needs them, else NULL. */
  double *moment;   /* [D, D] E[cc'], see whitening.h */
  float *root;      /* [D, D] R, R R' = E[cc'] */
  double *anchor_c; /* [anchors, hn_mnw_probe_width(D)] features of the anchors */
} GlibrlModel;

/* Scaling of targets, y = (raw - mean) / stddev.  Kept, so that it changes only in learn. */
typedef struct GlibrlScale {
  double *mean, *stddev; /* [obs_dim] */
  int32_t *live;         /* [obs_dim] whether the column is predicted */
  double *reward;        /* [2] mean, stddev */
} GlibrlScale;

typedef struct Glibrl {
  const GlibrlParams *p;
  const HnHost *host;
  int64_t obs_dim, action_dim;
  bool discrete;
  HnStore store;
  GlibrlModel transition, reward;
  GlibrlScale scale;
  /* of s, s' - s and r; of the raw transition target: delta_norm, or that of s' */
  HnNormaliser obs_norm, delta_norm, reward_norm, target_norm;
  double *comoment; /* [obs_dim, obs_dim] of raw targets: sums of products of deviations */
  HnTrialReplay replay;
  float *flat;         /* [batch, store.size] gradient of each trial */
  double *stats;       /* [batch, GLIBRL_STATS] sums over each trial, see evidence.h */
  int64_t *slot;       /* [batch] replay slots of the current batch */
  int64_t *iterations; /* [1] of learning so far */
  float *anchor;       /* [anchors, obs_dim + action_dim + obs_dim] s, a, s' of each; or NULL */
  size_t row_size;
} Glibrl;

/* The plugin's methods, as in hunch/inference.h; params is a GlibrlParams. */
HnStatus glibrl_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec);
HnStatus glibrl_infer(void *self, HnBeliefUpdate *q);
HnStatus glibrl_learn(void *self, const HnTrainBatch *l);
#endif

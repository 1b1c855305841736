/* model.h - what inferring and learning share: feature networks, priors, and how raw steps become
 * inputs and targets.
 *
 * Inputs of the reward features are [s, a, s' and/or s' - s]; those of the transition features are
 * their leading columns [s, a]. */
#ifndef HN_GLIBRL_MODEL_H
#define HN_GLIBRL_MODEL_H
#include "glibrl.h"

/* Columns of s' that are predicted. */
int64_t glibrl_live_columns(const Glibrl *g);

/* The model's prior of `targets` targets, as learnt so far. */
HnMnwPrior glibrl_prior(const Glibrl *g, const GlibrlModel *k, int64_t targets);

/* Inputs x [n, reward.inputs] of n dense raw steps; delta [n, obs_dim] gets s' - s. */
void glibrl_make_inputs(const Glibrl *g, int64_t n, const float *obs, const float *action,
                        const float *next, float *delta, float *x);

/* Raw steps [n, obs_dim + action_dim + obs_dim], s, a, s' of each, drawn from finished trials, each
 * step as likely as any other; in scratch.  There must be a trial. */
float *glibrl_draw_steps(const Glibrl *g, int64_t n, HnRng *rng);

/* Scaled live targets of one step, y [live]; raw is s' - s or s', by transition_target. */
void glibrl_make_target(const Glibrl *g, const float *raw, double *y);
double glibrl_make_reward_target(const Glibrl *g, float reward);

/* Features c [n, D] of network outputs phi [n, learnt]. */
void glibrl_finish_features(const GlibrlModel *k, int64_t n, const float *phi, float *c);

/* Floats of the work that glibrl_features needs for n rows. */
int64_t glibrl_features_work(const GlibrlModel *k, int64_t n);
/* Features c [n, D] of beliefs at inputs x (row stride ldx), without a tape. */
void glibrl_features(const GlibrlModel *k, int64_t n, const float *x, int64_t ldx, float *work,
                     float *c);
/* The same of n raw steps, in scratch. */
float *glibrl_step_features(const Glibrl *g, const GlibrlModel *k, int64_t n, const float *steps);

/* Moves averaged weights towards those of the networks, where beliefs use an average. */
void glibrl_average_weights(Glibrl *g);
#endif

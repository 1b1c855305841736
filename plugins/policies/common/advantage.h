/* advantage.h - what a policy-gradient learner makes of rewards: their scale, generalised
 * advantages, and the moments that advantages are standardised by.  Arrays are [T, B] and dense
 * unless said otherwise. */
#ifndef ADVANTAGE_H
#define ADVANTAGE_H
#include <hunch/kit/nn.h>

typedef struct ReturnRule {
  double gamma, gae_lambda;  /* per step */
  bool episodes_end;         /* an episode's end inside a trial ends the return too */
  bool time_limit_bootstrap; /* the return of a step cut by the horizon is V(s_t): Pardo et al. 2018
                                as VariBAD has it */
} ReturnRule;

/* Generalised advantages and their targets A + V; value [T+1, B] of the observations.  The end of a
 * task ends the return: a trial is finite, and nothing of it is left to win.  Source: Schulman et
 * al. 2016, equation 16. */
void advantage_gae(const ReturnRule *rule, const HnHistory *h, const float *reward,
                   const float *value, float *advantage, float *target);

/* reward = h's reward over the running standard deviation of the discounted return, which starts
 * anew where the rule ends it, within +-10; the mean stays.  Statistics are of the environment's
 * rewards, so that relabelled rewards keep the same scale, and take in the whole window first, so
 * that one scale serves all of it.
 *   z       of one column
 *   so_far  [B] float64, kept: the discounted return of each row so far
 * Source: Engstrom et al. 2020. */
void advantage_scale_rewards(const ReturnRule *rule, const HnHistory *h, HnNormaliser *z,
                             double *so_far, float *reward);

typedef struct Moments {
  double mean, stddev; /* over n - 1; exactly 0 where all values are equal, or there is one */
} Moments;
/* Of x at n places (NULL: the first n). */
Moments advantage_moments(const float *x, const int64_t *place, int64_t n);

/* What advantages are divided by, once their mean is 0. */
enum { ADVANTAGE_BY_STDDEV, ADVANTAGE_BY_VARIANCE, ADVANTAGE_RAW };
/* Subtracts the mean and divides as `by` says, in place; returns the moments of before.  Advantages
 * that are all equal become 0. */
Moments advantage_standardise(int by, int64_t n, float *advantage);

/* The part of the targets' variance that values explain, of whose errors the second moments are;
 * NaN where targets have none. */
double advantage_explained(Moments targets, Moments errors);
#endif

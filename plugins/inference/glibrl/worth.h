/* worth.h - what learnt features are worth: how many directions they have, how many of them do
 * nothing, and how much a model hangs on single steps.
 *
 * Features c [n, d] of the steps of one trial, which is what a posterior sees; learnt: of them, the
 * leading ones.  Work in the host's scratch. */
#ifndef HN_GLIBRL_WORTH_H
#define HN_GLIBRL_WORTH_H
#include "glibrl.h"

/* Participation ratio (tr A)^2 / tr A^2 of the features' covariance A: how many directions they
 * really vary in. */
double glibrl_participation(const HnHost *host, int64_t n, int64_t d, const float *c);
/* exp of the entropy of the spectrum of C'C, whose eigenvalues are taken for probabilities: the
 * effective rank of Roy & Vetterli 2007, 1 to d; with 0 where all features are 0.  4/3 d^3 flops.
 */
double glibrl_effective_rank(const HnHost *host, int64_t n, int64_t d, const float *c);
/* Share of learnt features whose standard deviation is below 1 % of the largest. */
double glibrl_dead_share(const HnHost *host, int64_t n, int64_t d, int64_t learnt, const float *c);
/* The largest leverage c_i'(xi I + C'C)^-1 c_i of a step, 0 to 1: how much of the prediction at
 * that step its own target decides.  NaN where the matrix does not factor. */
double glibrl_largest_leverage(const HnHost *host, int64_t n, int64_t d, const float *c, double xi);

/* Reports these of both models on the first trial of the last batch. */
void glibrl_report_features(const Glibrl *g);
#endif

/* predict.h - what the head predicts, in numbers: an ensemble with a member for each sample of z.
 */
#ifndef VRNN_PREDICT_H
#define VRNN_PREDICT_H
#include "vrnn.h"

/* Mean and standard deviation of a signal for which S members [S], `stride` apart, predict these
 * means, each with the same standard deviation. */
void vrnn_signal_moments(const Vrnn *m, int64_t S, const float *member, int64_t stride,
                         double stddev, double *mean, double *deviation);
/* Log-probability of class `target` of two, the mean of S members' probabilities, whose logits are
 * `stride` apart; work [S]. */
double vrnn_class_logp(const Vrnn *m, int64_t S, const float *logits, int64_t stride, int target,
                       double *work);

/* What S members predict for n rows, [S, n, outputs]: z [S, n, F], context [n, C], act [n, E]. */
float *vrnn_members(HnTape *t, const Vrnn *m, int64_t S, int64_t n, const float *z,
                    const float *context, const float *act);
/* Log-density of what step `at` of h showed; output d of member k is at k n outputs + d; work [S].
 */
double vrnn_log_predictive(const Vrnn *m, const HnHistory *h, int64_t at, int64_t S, int64_t n,
                           const float *member, double stddev, double *work);
#endif

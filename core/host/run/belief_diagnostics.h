/* belief_diagnostics.h - whether a belief says anything of the task, and whether it holds still.
 *
 * Every coordinate counts alike, as a policy that normalises its inputs sees them; those that are
 * the same in all rows do not count.  NaN: there is nothing to say. */
#ifndef HN_BELIEF_DIAGNOSTICS_H
#define HN_BELIEF_DIAGNOSTICS_H
#include "session.h"

/* Share of the variance of beliefs [n, D] between trials that their tasks [n, K] explain: adjusted
 * R^2 of least squares on 1, t, t^2 and t^3 of each task parameter, mean over coordinates. */
double hn_belief_task_share(int64_t n, int64_t D, const float *belief, int64_t K,
                            const float *task);
/* Correlation over n trials of beliefs from one episode with beliefs from another [n, D]: 1 where
 * both say the same of the task, 0 where what they say is chance. */
double hn_belief_reliability(int64_t n, int64_t D, const float *first, const float *second);
/* Root mean square of the change of beliefs [n, D], in standard deviations over the n rows. */
double hn_belief_drift(int64_t n, int64_t D, const float *before, const float *after);

/* The beliefs of an evaluation's rows: at the end of each trial, and from each of its first two
 * episodes alone. */
typedef struct HnBeliefWatch HnBeliefWatch;
HnBeliefWatch *hn_belief_watch_new(const HnSession *s, int64_t rows);
/* Takes in `steps` steps of window w, which starts at observation `at` of the trials of r; last: it
 * is their last window.  [instance] */
HnStatus hn_belief_watch_window(HnBeliefWatch *x, HnSession *s, const HnRollouts *r,
                                const HnExperience *w, int64_t at, int64_t steps, bool last);
void hn_belief_watch_result(const HnBeliefWatch *x, double *task_share, double *reliability);
void hn_belief_watch_free(HnBeliefWatch *x);

/* Belief [B, D] at the end of the last collected window, or before the last step where a trial ends
 * with the window, as though each row's trial had begun with it: twice in an iteration, it shows
 * what learning moved.  [instance] */
HnStatus hn_belief_probe(HnSession *s, float *belief);
#endif

/* belief_diagnostics.h - whether a belief says anything of the task, whether it holds still, and
 * what the policy does about it where it does not.
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

/* Beliefs along the last collected window, as though each row's trial had begun with it.  Taken
 * twice in an iteration, before and after learning, they show what that moved. */
typedef struct HnBeliefProbe {
  float *last;  /* [B, D] point belief at its end, or before its last step where a trial ends with
                   it */
  float *acted; /* of each block of rows [T + 1, rows, max(S, 1), D], S as evaluations act; NULL
                   where the policy does not say how it acts (HnPolicy.divergence) */
} HnBeliefProbe;
HnStatus hn_belief_probe(HnSession *s, HnBeliefProbe *x); /* [instance] */
void hn_belief_probe_clear(HnBeliefProbe *x);
/* KL(pi(.|o, before) || pi(.|o, after)) in nats under the policy's weights as they are, mean over
 * the window's steps: what its actions change by beliefs alone.  NaN: the policy does not say.
 * [instance] */
HnStatus hn_belief_policy_kl(HnSession *s, const HnBeliefProbe *before, const HnBeliefProbe *after,
                             double *kl);
#endif

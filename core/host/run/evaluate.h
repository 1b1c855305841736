/* evaluate.h - evaluations: held-out tasks acted in with learning frozen, and what is counted. */
#ifndef HN_EVALUATE_H
#define HN_EVALUATE_H
#include "episodes.h"
#include "session.h"

/* The result of an evaluation, in which every row runs one trial in one task.  A row whose episodes
 * end early has its trial behind it before the others; what it does then is nowhere in here. */
typedef struct HnEvaluation {
  HnEpisodeMeans episodes;           /* those that count */
  double success_last;               /* mean over rows of the last that counts; NaN if none */
  int64_t observations;              /* of a trial, T + 1 */
  double *belief_info, *policy_info; /* columns folded over a trial, mean over rows */
  double *step_reward; /* [observations] mean over rows of the step before the observation; a row
                          whose trial is over adds 0, so that they sum up to a trial's return */
  double *step_info;   /* [observations, columns] mean over the rows whose trial is not over, NaN if
                          none: the env's columns of the step before the observation, then the
                          belief's */
  HnExperience trial;  /* [observations - 1, evaluation.record_rows] of the trial itself */
  int64_t *trial_steps; /* [evaluation.record_rows] that the trial of each has */
  HnPredictiveCheck predictive;
  double task_share, reliability; /* belief_diagnostics.h; NaN: not asked */
} HnEvaluation;
/* sink may be NULL; it gets every finished episode that the protocol asks for, of
 * any kind, in the order in which they end (where goals share a count, all of them at the end). */
HnStatus hn_evaluate(HnSession *s, const HnEvaluationPass *pass, HnEvaluation *out,
                     HnEpisodeSink *sink, void *arg);
void hn_evaluation_free(HnEvaluation *e);

/* Steps [at, at + steps) of a trial, as the first steps of window w of the rollouts. */
typedef void HnWindowSink(void *arg, const HnRollouts *r, const HnExperience *w, int64_t at,
                          int64_t steps);
/* Runs one evaluated trial of rollouts that have just begun; its windows go to sink (or NULL) in
 * order. */
HnStatus hn_evaluate_trial(HnSession *s, HnRollouts *r, HnWindowSink *sink, void *arg);
#endif

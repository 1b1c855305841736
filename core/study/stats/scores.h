/* scores.h - statistics of scores by seed and task, as rliable has them.
 *
 * A matrix x [runs, tasks] has a row for each seed.  Point estimates are those of rliable 1.2
 * (Agarwal et al. 2021), the interquartile mean over all runs and tasks at once for one.  Intervals
 * are of Student's t by the jackknife over seeds, which takes a row away as a whole: a seed's tasks
 * have one learner in common.  rliable's stratified bootstrap resamples each task for itself, as if
 * they had none, and is offered for comparison: it is `coarse` and decides nothing.  How often each
 * held in simulations stands in docs/statistics.md. */
#ifndef HN_SCORES_H
#define HN_SCORES_H
#include "stats.h"

/* X(NAME, name, paired, doc): `paired` needs the baseline's scores. */
#define HN_SCORE_STATISTICS(X)                                                                \
  X(MEAN, mean, false, "Mean over seeds and tasks.")                                          \
  X(MEDIAN, median, false, "Median over tasks of the means over seeds.")                      \
  X(IQM, iqm, false, "Interquartile mean of all seeds and tasks.")                            \
  X(GAP, optimality_gap, false, "How far scores, each at most the target, fall short of it.") \
  X(IMPROVEMENT, improvement, true,                                                           \
    "Probability that a seed of the arm is better than one of the baseline, mean over tasks.")
#define HN_SCORE_ENUM(NAME, name, paired, doc) HN_SCORE_##NAME,
typedef enum HnScoreStatistic { HN_SCORE_STATISTICS(HN_SCORE_ENUM) HN_SCORES } HnScoreStatistic;
const char *hn_score_name(HnScoreStatistic k);
bool hn_score_paired(HnScoreStatistic k);

/* Below these the interval of an improvement holds too seldom where a seed's tasks go together. */
enum { HN_IMPROVEMENT_SEEDS_MIN = 10 };

/* How the interval of a statistic of scores comes about. */
enum { HN_RESAMPLE_JACKKNIFE, HN_RESAMPLE_STRATIFIED };

/* What is asked of scores. */
typedef struct HnScoreQuestion {
  HnScoreStatistic of;
  double target; /* gamma of the optimality gap; above it scores count as it */
  int better;    /* -1: lower scores are better, for the improvement */
  int resample;  /* HN_RESAMPLE_.. */
} HnScoreQuestion;

/* The point estimate, of finite scores.
 *   x, y  [runs, tasks] row-major; y, the baseline's, only where the statistic is paired
 * O(runs tasks log(runs tasks)). [any] */
double hn_score(const HnScoreQuestion *q, int64_t runs, int64_t tasks, const double *x,
                const double *y);
/* The same with an interval from three runs on, of an improvement from HN_IMPROVEMENT_SEEDS_MIN.
 * Where no run taken away changes the statistic there is none, as nothing is known of its spread.
 *   x, y  [runs, tasks] the same seed in the same row; y NULL: of x alone; of what is not paired
 *         else the difference of the statistics */
HnEstimate hn_scores_estimate(const HnStats *s, const HnScoreQuestion *q, int64_t runs,
                              int64_t tasks, const double *x, const double *y);
/* The share of x [n] above tau: a point of a performance profile. [any] */
double hn_scores_above(int64_t n, const double *x, double tau);
#endif

/* episodes.h - episodes and trials counted: what windows of experience come to. */
#ifndef HN_SCORE_H
#define HN_SCORE_H
#include "session.h"

/* What a finished episode is to its protocol. */
typedef enum HnEpisodeKind { HN_COUNTED, HN_ADAPTATION, HN_UNCOUNTED } HnEpisodeKind;

/* One finished episode. */
typedef struct HnEpisode {
  HnEpisodeKind kind;
  int64_t row, task_index, trial_episode, length; /* trial_episode from 0 */
  double reward;                                  /* sum of what the env paid */
  const double *info;                             /* env columns, folded over the episode */
} HnEpisode;
typedef void HnEpisodeSink(void *arg, const HnEpisode *e);

/* Running sums of each row's episode, carried from window to window. */
typedef struct HnEpisodeStats {
  int64_t rows, infos;
  double *reward;            /* [rows] */
  int64_t *length, *episode; /* [rows] */
  double *info, *info_count; /* [rows, infos] */
  int64_t trial_steps;       /* counted as one episode; 0: episodes are counted */
} HnEpisodeStats;
void hn_episode_stats_make(HnEpisodeStats *y, int64_t rows, int64_t infos,
                           const HnTrialLength *trial);
void hn_episode_stats_free(HnEpisodeStats *y);
/* Counts a window in, in the order (t, row); every finished episode goes to sink. */
void hn_episode_stats_window(HnEpisodeStats *y, const HnExperience *w, const HnColumn *columns,
                             int64_t steps, HnEpisodeSink *sink, void *arg);

/* Adds x to a fold over steps; NaN says nothing and is passed over. */
void hn_fold(HnFold fold, double x, double *value, double *count);
/* The folded value; NaN if nothing was counted. */
double hn_folded(HnFold fold, double value, double count);

/* Means over the episodes of many rows. */
typedef struct HnEpisodeMeans {
  int64_t trial_episodes, infos;
  double *reward, *reward_count; /* [trial_episodes + 1]: each, then all */
  double *info, *info_count;     /* [infos] */
} HnEpisodeMeans;
void hn_episode_means_make(HnEpisodeMeans *m, int64_t trial_episodes, int64_t infos);
void hn_episode_means_free(HnEpisodeMeans *m);
void hn_episode_means_add(HnEpisodeMeans *m,
                          const HnEpisode *e); /* episodes past the trial are left out */
double hn_mean_of(double sum, double count);   /* NaN if count is 0 */

/* An evaluation: every row lives one task as the protocol says, with learning frozen. */
typedef struct HnEvaluation {
  HnEpisodeMeans episodes;           /* those that count */
  double success_last;               /* mean over rows of the last that counts; NaN if none */
  int64_t steps;                     /* percepts of a trial, T + 1 */
  double *belief_info, *policy_info; /* columns folded over a trial, mean over rows */
  double *step_reward;               /* [steps] mean over rows of the step before the percept */
  double *step_info;     /* [steps, columns] mean over rows, NaN if none: env's of the step before
                            the percept, then the belief's */
  HnExperience trial;    /* [steps - 1, evaluation.record_rows] of the trial itself */
  HnPredictiveCheck ask; /* predictions, where they are offered */
} HnEvaluation;
/* split: index.  sink may be NULL; it gets every finished episode that the protocol asks for, of
 * any kind, in the order in which they end (where goals share a count, all of them at the end).
 * HN_E_..: a plugin failed. */
HnStatus hn_evaluate(HnSession *s, int64_t split, HnEvaluation *out, HnEpisodeSink *sink,
                     void *arg);
void hn_evaluation_free(HnEvaluation *e);
/* Steps of the k-th window of an evaluation: as in training.  Of a policy that adapts between
 * phases the last one begins where adaptation ends. */
int64_t hn_evaluation_steps(const HnSession *s, int64_t k);
/* Which evaluated row the k-th of the trial's `kept` rows is: they are spread over all `rows`. */
int64_t hn_evaluation_row(int64_t rows, int64_t kept, int64_t k);
#endif

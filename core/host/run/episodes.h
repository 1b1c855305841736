/* episodes.h - counts episodes and trials: what windows of experience come to. */
#ifndef HN_EPISODES_H
#define HN_EPISODES_H
#include "rollout.h"

/* How a protocol counts a finished episode. */
typedef enum HnEpisodeKind { HN_COUNTED, HN_ADAPTATION, HN_UNCOUNTED } HnEpisodeKind;

/* One finished episode. */
typedef struct HnEpisode {
  HnEpisodeKind kind;
  int64_t row, task_index, trial_episode, length; /* trial_episode from 0 */
  double reward;                                  /* sum of the environment's rewards */
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
/* Adds a window in the order (t, row); every finished episode goes to sink. */
void hn_episode_stats_window(HnEpisodeStats *y, const HnExperience *w, const HnColumn *columns,
                             int64_t steps, HnEpisodeSink *sink, void *arg);

/* Adds x to a fold over steps; NaN is skipped. */
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
/* Episodes past the trial are left out. */
void hn_episode_means_add(HnEpisodeMeans *m, const HnEpisode *e);
double hn_mean_of(double sum, double count); /* NaN if count is 0 */
#endif

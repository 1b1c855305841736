/* replay.h - one trial of a trained cell, watched percept by percept: what videos are made of. */
#ifndef HN_SHOW_H
#define HN_SHOW_H
#include "session.h"

/* What to show; NULL and 0 are the defaults. */
typedef struct HnReplayOptions {
  const char *split; /* the one that decides */
  const char *task;  /* name, or number, of a task of it; the first, or one drawn */
  int64_t stream;    /* random numbers are those of an evaluation's row of this index */
} HnReplayOptions;

/* A moment: the environment as it is, and the belief that the next action is taken on.  Where
 * `over`, the state in which an episode ended, and still the belief of the percept before it. */
typedef struct HnReplayStep {
  const void *env; /* row memory */
  int64_t step, episode,
      episode_step;           /* step of the trial, its episode, step of the episode; from 0 */
  bool begin, over, adapting; /* adapting: the episode does not count */
  float reward;               /* of the step that led here; NaN where none did */
  double episode_return;
  double entropy;   /* of the belief: its column of that name, else its map's, else that
                                    of a Gaussian; else NaN */
  const float *map; /* [map_width, map_height], or NULL */
} HnReplayStep;
/* False: enough was seen. */
typedef bool HnReplaySink(void *arg, const HnReplayStep *m);

/* A cell at work with the newest checkpoint of its folder. */
typedef struct HnReplay {
  HnCell *cell;
  HnSession *s;
  int64_t update; /* of the checkpoint */
  bool same;      /* false: made by other builds of the plugins, or another configuration */
} HnReplay;

/* dir: a cell's folder.  log: where plugins' lines go.  HN_RUN_FAILED: there is no cell, or no
 * checkpoint, in it. */
HnReplay *hn_replay_open(const char *dir, FILE *log, GError **error);
void hn_replay_free(HnReplay *show);
/* Lives the trial as the evaluation's protocol says.  HN_RUN_FAILED: no such split or task, or the
 * environment draws no pictures. */
gboolean hn_replay_trial(HnReplay *show, const HnReplayOptions *what, HnReplaySink *sink, void *arg,
                         GError **error);
/* Moments a trial has at most. */
int64_t hn_replay_max_steps(const HnReplay *show);
/* The environment's picture of a moment, rgb [height, width, 3]. */
gboolean hn_replay_draw(HnReplay *show, const HnReplayStep *m, int64_t width, int64_t height,
                        uint8_t *rgb, GError **error);
#endif

/* replay.h - runs one evaluated trial of a trained cell under a watcher: what videos are made of.
 */
#ifndef HN_REPLAY_H
#define HN_REPLAY_H
#include "session.h"

/* Which trial; NULL and 0 are the defaults. */
typedef struct HnReplayOptions {
  const char *split; /* the deciding one */
  const char *task;  /* name or number of one of its tasks; else the first, or a drawn one */
  int64_t stream;    /* row of an evaluation whose random numbers are used */
} HnReplayOptions;

/* What a belief says of a number, and what it is; NaN: nothing, or not known. */
typedef struct HnReplayValue {
  double said, is;
} HnReplayValue;

/* X(id, label, column of the belief, column of the environment): numbers that beliefs of several
 * methods speak of.  Of a reward, what it is needs no column. */
#define HN_REPLAY_NUMBERS(X)                                 \
  X(REWARD, "reward", "predicted_reward", NULL)              \
  X(NOISE, "noise", "believed_noise_stddev", "noise_stddev") \
  X(ENTROPY, "entropy", "entropy", NULL)
#define HN_REPLAY_NUMBER_ID(id, ...) HN_REPLAY_##id,
enum { HN_REPLAY_NUMBERS(HN_REPLAY_NUMBER_ID) HN_REPLAY_SERIES };
/* The labels, by id. */
extern const char *const hn_replay_label[HN_REPLAY_SERIES];

/* The environment as it is and the belief that the next action is based on.  Where `over`, the
 * state in which an episode ended, with the belief at the observation before it. */
typedef struct HnReplayStep {
  const struct HnReplay *replay;
  const char *task;                    /* its name, or NULL: drawn, or without one */
  const void *env;                     /* row memory */
  int64_t step, episode, episode_step; /* of the trial, of the trial, of the episode; from 0 */
  bool begin, over, adapting;          /* adapting: the episode does not count */
  float reward;                        /* of the step before; NaN where there is none */
  double episode_return;
  const float *belief; /* [belief_dim] features, what the policy sees at its mean or first sample */
  int64_t belief_dim;
  const float *map; /* [map_width, map_height], or NULL */
  /* Said before the last step was seen of its reward, after it of the rest.  Entropy is the
   * belief's column of that name, else that of its map, else of a Gaussian, else NaN. */
  HnReplayValue series[HN_REPLAY_SERIES];
} HnReplayStep;
/* Returns false to end the trial. */
typedef bool HnReplaySink(void *arg, const HnReplayStep *m);

/* A session with a checkpoint of a cell's folder. */
typedef struct HnReplay {
  HnCell *cell;
  HnSession *s;
  int64_t update; /* of the checkpoint */
  bool same;      /* false: made by other builds of the plugins, or another configuration */
} HnReplay;

/* dir: a cell's folder.  update: of the checkpoint; -1: the newest.  log: for the plugins'
 * messages. HN_ERROR_REFUSED: it holds no cell, or not that checkpoint. */
HnReplay *hn_replay_open(const char *dir, int64_t update, FILE *log, GError **error);
void hn_replay_free(HnReplay *r);
/* Runs the trial as the evaluation's protocol says.  HN_ERROR_REFUSED: there is no such split or
 * task, or the environment cannot be rendered. */
bool hn_replay_trial(HnReplay *r, const HnReplayOptions *options, HnReplaySink *sink, void *arg,
                     GError **error);
/* Renders the environment at a step, rgb [height, width, 3]. */
bool hn_replay_render(HnReplay *r, const HnReplayStep *m, int64_t width, int64_t height,
                      uint8_t *rgb, GError **error);
#endif

/* frame.h - video frames of a replayed trial: the environment's image, and below it what is shown,
 * in words, and the belief: its map, or its features at each observation so far, and what it says
 * of rewards and their noise beside what they are. */
#ifndef HN_FRAME_H
#define HN_FRAME_H
#include "glyphs.h"
#include "replay.h"

/* Frames of which the lower third shows the belief. */
typedef struct HnFrame {
  HnImage image;
  bool words; /* whether text is drawn into the picture */
  int64_t map_width, map_height;
  GArray *features;                 /* float [observations, feature_count]: the belief so far */
  int64_t feature_count;            /* of the belief, at most as many as can be told apart */
  GArray *series[HN_REPLAY_SERIES]; /* HnReplayValue: at each observation so far */
  GArray *begins;                   /* int64_t: observations at which episodes began */
  int64_t observations;             /* of the whole trial, for the scale */
} HnFrame;

enum { HN_FRAME_LEAST = 64 }; /* pixels a side */
enum { HN_FRAME_LINES = 3 };  /* lines of a caption */

HnFrame *hn_frame_new(int64_t width, int64_t height, bool words, const HnReplay *r);
void hn_frame_free(HnFrame *f);
/* Draws a step into the image; all steps before it were drawn or noted.  False: rendering failed.
 */
bool hn_frame_draw(HnFrame *f, HnReplay *r, const HnReplayStep *m, GError **error);
/* Takes in a step without rendering the environment. */
void hn_frame_note(HnFrame *f, const HnReplayStep *m);
/* What is shown, as HN_FRAME_LINES lines: cell, update and task; episode, step, reward and return;
 * what the belief says.  g_strfreev. */
char **hn_frame_caption(const HnReplayStep *m);
#endif

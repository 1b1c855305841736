/* frame.h - video frames of a replayed trial: the environment's image, a line of text, and below it
 * the belief's map, where there is one, and its entropy so far. */
#ifndef HN_FRAME_H
#define HN_FRAME_H
#include "replay.h"

/* Frames of width x height pixels, of which the lower quarter shows the belief. */
typedef struct HnFrame {
  int64_t width, height;
  uint8_t *rgb; /* [height, width, 3], top row first */
  int64_t map_width, map_height;
  GArray *entropy;      /* double: at each observation so far */
  GArray *begins;       /* int64_t: observations at which episodes began */
  int64_t observations; /* of the whole trial, for the scale */
} HnFrame;

enum { HN_FRAME_LEAST = 64 }; /* pixels a side */

HnFrame *hn_frame_new(int64_t width, int64_t height, const HnReplay *r);
void hn_frame_free(HnFrame *f);
/* Draws a step into f->rgb; all steps before it were drawn or noted.  False: rendering failed. */
bool hn_frame_draw(HnFrame *f, HnReplay *r, const HnReplayStep *m, GError **error);
/* Takes in a step without rendering the environment. */
void hn_frame_note(HnFrame *f, const HnReplayStep *m);
/* Lower-case text of 5 x 7 pixels a letter, `scale` times as large, at column u and row v; what
 * does not fit is clipped. */
void hn_frame_text(uint8_t *rgb, int64_t width, int64_t height, int64_t u, int64_t v, int scale,
                   const char *text, const uint8_t ink[3]);
#endif

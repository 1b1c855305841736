/* frame.h - frames of a shown trial: the environment's picture, a line of figures, and below them
 * the belief: its map, where it has one, and its entropy so far. */
#ifndef HN_PICTURE_H
#define HN_PICTURE_H
#include "replay.h"

/* Frames of width x height pixels: a quarter of the height is the belief's. */
typedef struct HnFrame {
  int64_t width, height;
  uint8_t *rgb; /* [height, width, 3], top row first */
  int64_t map_width, map_height;
  GArray *entropy;  /* double: one a percept */
  GArray *begins;   /* int64_t: percepts at which episodes began */
  int64_t percepts; /* of the whole trial, for the scale */
} HnFrame;

enum { HN_FRAME_LEAST = 64 }; /* pixels a side */

HnFrame *hn_frame_new(int64_t width, int64_t height, const HnReplay *show);
void hn_frame_free(HnFrame *p);
/* Draws a moment into p->rgb, after all that came before it were drawn or noted.  FALSE: the
 * environment failed. */
gboolean hn_frame_draw(HnFrame *p, HnReplay *show, const HnReplayStep *m, GError **error);
/* The same without the environment's part. */
void hn_frame_note(HnFrame *p, const HnReplayStep *m);
/* Lower-case text of 5 x 7 pixels a letter, `scale` times as large, at column u and row v; what
 * does not fit is cut off. */
void hn_frame_text(uint8_t *rgb, int64_t width, int64_t height, int64_t u, int64_t v, int scale,
                   const char *text, const uint8_t ink[3]);
#endif

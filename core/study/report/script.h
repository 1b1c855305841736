/* script.h - the gnuplot script of a report: a text, and what every kind of figure writes into it.
 */
#ifndef HN_SCRIPT_H
#define HN_SCRIPT_H
#include "colours.h"

typedef struct HnScript {
  GString *text;
  double width, height; /* of the figure that is drawn, in pixels of 1/13 of a line's letters */
  bool stand_ins;       /* colours are to be replaced (svg.h); else they are the light ones */
  bool again;           /* the figure was drawn before in another size: its data blocks are there */
} HnScript;

void hn_script_add(const HnScript *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* " 1.5", or " NaN". */
void hn_script_number(const HnScript *s, double x);
void hn_script_numbers(const HnScript *s, int64_t n, const double *x);
/* A gnuplot string in which nothing is expanded; free with g_free, like the next. */
char *hn_script_quoted(const char *text);
/* The "#rrggbb" that gnuplot is to draw a colour in. */
char *hn_script_colour(const HnScript *s, int code);

/* Commands for two axes with a grid. */
void hn_script_axes(const HnScript *s);
/* The plot between these pixels from the left, right, top and bottom edge of the figure. */
void hn_script_margins(const HnScript *s, double left, double right, double top, double bottom);

typedef struct HnRange {
  double low, high;
} HnRange;
/* A range that nothing has been included in yet. */
#define HN_RANGE_EMPTY ((HnRange){INFINITY, -INFINITY})
/* Widens the range by x where that is finite. */
void hn_range_include(HnRange *r, double x);
/* "set xrange [0:1]" of axis "x". */
void hn_script_range(const HnScript *s, const char *axis, HnRange r);
/* The step of about `count` round ticks over a range: 1, 2 or 5 times a power of ten. */
double hn_range_step(HnRange r, int count);

/* ---- things at places in pixels, from the left and the top of the figure ---- */

/* side: left, center or right, of which the text begins, is or ends at x. */
void hn_script_text(const HnScript *s, double x, double y, const char *side, const char *text,
                    int code);
void hn_script_line(const HnScript *s, double x0, double y0, double x1, double y1, int code,
                    double thickness, int dash);
void hn_script_marker(const HnScript *s, double x, double y, int64_t slot, double size);
#endif

/* script.h - the gnuplot script of a report: a text, and what every kind of figure writes into it.
 */
#ifndef HN_SCRIPT_H
#define HN_SCRIPT_H
#include "colours.h"

typedef struct HnScript {
  GString *text;
  int64_t baseline;
  bool stand_ins; /* colours are to be replaced (svg.h); else they are the light ones */
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

typedef struct HnRange {
  double low, high;
} HnRange;
/* A range that nothing has been included in yet. */
#define HN_RANGE_EMPTY ((HnRange){INFINITY, -INFINITY})
/* Widens the range by x where that is finite. */
void hn_range_include(HnRange *r, double x);
/* "set xrange [0:1]" of axis "x". */
void hn_script_range(const HnScript *s, const char *axis, HnRange r);
#endif

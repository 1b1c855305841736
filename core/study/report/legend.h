/* legend.h - names in a figure: how wide they are, where they break, and a legend of them. */
#ifndef HN_LEGEND_H
#define HN_LEGEND_H
#include "script.h"

enum { HN_LINE_HEIGHT = 18 }; /* pixels, of text of 13 */

/* An upper estimate in pixels: gnuplot asks no font, and whoever opens the figure has his own. */
double hn_text_width(const char *text);
/* The text in lines of at most `width`, broken behind '_', '-', '.' or ' ' where there is one;
 * g_strfreev. */
char **hn_text_wrap(const char *text, double width);

typedef struct HnLegendEntry {
  const char *name;
  int64_t slot;
  bool line; /* a piece of its line, not its marker alone */
} HnLegendEntry;

/* A legend in columns as wide as its longest name, or one name below the other. */
double hn_legend_height(int64_t n, const HnLegendEntry *entry, double width);
/* Draws it with its upper edge at y, from the left edge of the figure. */
void hn_legend_draw(const HnScript *s, int64_t n, const HnLegendEntry *entry, double y);
#endif

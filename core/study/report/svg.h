/* svg.h - what gnuplot draws, made fit for papers and pages: its stand-ins become colours. */
#ifndef HN_SVG_H
#define HN_SVG_H
#include <glib.h>
#include <stdbool.h>

typedef struct HnSvg {
  const char *name;           /* begins every id, so that no other figure of a page has it */
  const char *title, *detail; /* for those who do not see it: <title> and <desc> */
  double width, height;       /* of the picture's own units */
} HnSvg;

/* A file in the light colours, `millimetres` wide; free with g_free, like the next. */
char *hn_svg_for_paper(const char *svg, const HnSvg *of, double millimetres);
/* To stand in a page: without prologue and filters, and with the variables of colours.h as colours.
 * most: the width in pixels that it is not to be drawn wider than. */
char *hn_svg_for_page(const char *svg, const HnSvg *of, double most);
#endif

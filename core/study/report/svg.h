/* svg.h - what gnuplot draws, made fit for papers and pages: its stand-ins become colours. */
#ifndef HN_SVG_H
#define HN_SVG_H
#include <glib.h>
#include <stdint.h>

/* In the light colours; free with g_free, like the next. */
char *hn_svg_for_paper(const char *svg, int64_t baseline);
/* Without prologue and unused filters, ids beginning with `name`, which no other figure has,
 * colours as the variables of colours.h. label  what a reader who does not see it is told style CSS
 * of the element, "" for none */
char *hn_svg_for_page(const char *svg, const char *name, const char *label, double width,
                      double height, const char *style);
#endif

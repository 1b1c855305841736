/* svg.h - what gnuplot draws, made fit for papers and pages: its stand-ins become colours. */
#ifndef HN_SVG_H
#define HN_SVG_H
#include <glib.h>
#include <stdint.h>

/* The figure in the light colours; free with g_free, like the next. */
char *hn_svg_for_paper(const char *svg, int64_t baseline);
/* To stand in a page: without prologue and unused filters, with ids that begin with `name`, which
 * no other figure has, and with the variables of colours.h as colours. label   its description for
 * screen readers style   CSS of the element, "" for none */
char *hn_svg_for_page(const char *svg, const char *name, const char *label, double width,
                      double height, const char *style);
#endif

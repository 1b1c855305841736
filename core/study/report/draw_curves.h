/* draw_curves.h - figures as SVG and PDF, drawn by gnuplot in a process of its own. */
#ifndef HN_PLOTS_H
#define HN_PLOTS_H
#include "figure_curve.h"

#define HN_PLOTS_ERROR (g_quark_from_static_string("hn-plots"))
enum { HN_PLOTS_NO_GNUPLOT, HN_PLOTS_FAILED };

/* The colour of an arm as "#rrggbb", on white or on black paper.  The baseline is grey; the others
 * stay apart for the colour-blind (Okabe and Ito's hues, darkened or lightened to 3:1 contrast). */
const char *hn_plots_colour(gint64 arm, gint64 baseline, bool dark);
/* The CSS class of variables that a page must define: "--ink", "--grid", "--arm-0" .. */
char *hn_plots_variables(gint64 arms, gint64 baseline, bool dark);

/* Draws every figure into `folder`, which exists: NAME.svg, NAME.pdf and NAME.csv with the numbers.
 * svg[i] is figure i for a page: without prologue, ids its own, colours as the variables above.
 * NULL-terminated, g_strfreev; NULL if gnuplot is missing or fails. */
char **hn_plots_draw(const GPtrArray *figures, const HnResults *r, gint64 baseline,
                     const char *folder, GError **error);
#endif

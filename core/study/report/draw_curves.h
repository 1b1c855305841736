/* draw_curves.h - how curves are drawn: axes, bands, lines, and names at the lines' ends. */
#ifndef HN_DRAW_CURVES_H
#define HN_DRAW_CURVES_H
#include "figure_curve.h"

/* f is of kind hn_figure_curve. */
void hn_draw_curves(const HnScript *s, const HnFigure *f);
/* Whether a band or a seed leaves the plot, which marks at its edge then say. */
bool hn_draw_curves_cut(const HnCurves *d);
void hn_draw_curves_size(const HnFigure *f, double *width, double *height);
#endif

/* figure_curve.h - curves of all arms over one axis, or of the parts of one arm. */
#ifndef HN_FIGURE_CURVE_H
#define HN_FIGURE_CURVE_H
#include "curve.h"
#include "figure.h"

/* From so many seeds on a band is drawn around a line, of fewer the seeds themselves: the interval
 * of three is so wide that it covers the other lines. */
enum { HN_BAND_SEEDS = 8 };

typedef struct HnCurves {
  int64_t count;
  HnCurve **curve; /* [count]; NULL where an arm has no such numbers */
  char **names;    /* [count], NULL-terminated */
  int64_t *slot;   /* [count] of colours.h, or -1: without a name, pale or not at all */
  bool show_rest;  /* draws those without a slot */
  bool zero;       /* zero has a line of its own */
  bool parts;      /* the curves are parts of one arm, with bands of their own; else they are arms,
                      with bands over seeds */
  char *x_label, *y_label;
  char *remark; /* what else the note says, or NULL */
  bool rate;    /* the axis stays within [0, 1] where the curves do */
  bool log_x, log_y;
  bool quartiles; /* bands over seeds are quartiles, else intervals */
  int64_t merged; /* neighbouring points averaged into one; 1: none */
  GArray *mark;   /* double: x of vertical lines, or NULL */
} HnCurves;

/* Names and labels are copied; curve i gets slot i + 1. */
HnCurves *hn_curves_new(int64_t count, char **names, const char *x_label, const char *y_label);
#endif

/* figure_curve.h - curves of all arms over one axis, or of the parts of one arm. */
#ifndef HN_FIGURE_CURVE_H
#define HN_FIGURE_CURVE_H
#include "curve.h"
#include "figure.h"

typedef struct HnCurves {
  int64_t count;
  HnCurve **curve; /* [count]; NULL where an arm has no such numbers */
  char **names;    /* [count], NULL-terminated */
  bool parts;      /* the curves are parts of one arm, with bands of their own; else they are arms,
                      with bands over seeds */
  char *x_label, *y_label;
  bool log_x, log_y;
  bool quartiles; /* bands over seeds are quartiles, else intervals */
  int64_t merged; /* neighbouring points averaged into one; 1: none */
  GArray *mark;   /* double: x of vertical lines, or NULL */
} HnCurves;

/* Names and labels are copied. */
HnCurves *hn_curves_new(int64_t count, char **names, const char *x_label, const char *y_label);
#endif

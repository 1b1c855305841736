/* figure_panels.h - predictions of supervised tasks as small plots. */
#ifndef HN_FIGURE_PANELS_H
#define HN_FIGURE_PANELS_H
#include "figure.h"

/* What a belief predicts of a function, and what it has seen of it. */
typedef struct HnPanel {
  int64_t step, n, seen;
  double *x, *truth, *mean, *stddev; /* [n] */
  double *member;                    /* [members, n] */
  double *point;                     /* [seen, 2] x and answer */
} HnPanel;

/* A row is a task, a column how much of it was seen. */
typedef struct HnPanels {
  int64_t rows, columns, members, slot; /* slot of colours.h: the arm's */
  GArray *panel;                        /* HnPanel [rows, columns] */
} HnPanels;
#endif

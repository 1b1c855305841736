/* figure_grid.h - the belief along evaluated trials, as heat maps of a grid. */
#ifndef HN_FIGURE_GRID_H
#define HN_FIGURE_GRID_H
#include "figure.h"

/* One moment of a trial. */
typedef struct HnGridMap {
  int64_t step, goal; /* goal: cell of the true task, or -1 */
  double *cell;       /* [width * height] probabilities, cell (x, y) at x * height + y */
  int64_t points;
  double *path; /* [points, 2] places of the agent since the episode began */
} HnGridMap;

/* A row is a trial, a column a step of it. */
typedef struct HnGridMaps {
  int64_t rows, columns, width, height;
  GArray *map; /* HnGridMap [rows, columns] */
} HnGridMaps;
#endif

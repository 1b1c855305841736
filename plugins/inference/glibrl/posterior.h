/* posterior.h - the running posterior of every row.
 *
 * Row memory: GlibrlRow; from posterior_at of each model its posterior, and from probe_at, in the
 * view `predictions`, its probe; as hunch/kit/mnw.h lays them out. */
#ifndef HN_GLIBRL_POSTERIOR_H
#define HN_GLIBRL_POSTERIOR_H
#include "glibrl.h"

typedef struct GlibrlRow {
  int64_t live;  /* columns of the transition posterior */
  int64_t steps; /* that both posteriors are conditioned on */
} GlibrlRow;

/* Sets the layout of row memory.  [create] */
void glibrl_layout_row(Glibrl *g);
#endif

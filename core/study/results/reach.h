/* reach.h - how many frames of training a metric takes to reach a value, and its mean over them. */
#ifndef HN_REACH_H
#define HN_REACH_H
#include "compare.h"

typedef struct HnReach {
  char *column;
  double value;
  bool below; /* lower is better: reached at or below it */
  int64_t arms;
  int64_t *reached;   /* [arms] seeds that did */
  HnEstimate *frames; /* [arms] median over seeds; INFINITY: beyond what was run */
  HnCompared *area;   /* the area under the curve over its frames, which is the mean over these */
} HnReach;

/* Of the deciding column of a comparison, c->columns[0]: the frames of the first row that is at
 * least `value`.  A seed that never was counts as later than all that were, so that the median is
 * known while half of them did.  NULL, with HN_ERROR_MISSING: there is no such column. */
HnReach *hn_reach(const HnComparison *c, double value, GError **error);
void hn_reach_free(HnReach *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnReach, hn_reach_free)
#endif

/* halving.h - `halving:` of a sweep: a search by successive halving.
 *
 *   halving: {root: 99, at: [1e5, 2e5, 4e5], keep: 0.5, metric: eval.return}
 *
 * All candidates (arms that the sweep made) train for the first number of frames; of those of one
 * swept arm the best share goes on to the next, and so on.  Arms that were not swept train to the
 * last.  The study is then the search alone: its seeds come from `root`, which must be another than
 * seeds.root, so that what it finds can be run on seeds that did not choose it.  Source: Jamieson &
 * Talwalkar 2016. */
#ifndef HN_HALVING_H
#define HN_HALVING_H
#include "params.h"

#define HN_HALVING_PARAMS(X)                                                                     \
  X(int, root, "", "The search's seeds are derived from it; another than seeds.root.", 0, 0,     \
    9007199254740992)                                                                            \
  X(real, keep, "", "Share of an arm's candidates that goes on, rounded up.", 0.5, 0.001, 0.999) \
  X(text, metric, "", "Column of metrics.csv that decides; empty: that of the report.", "")
HnSchema hn_halving_schema(void);
#define HN_HALVING_AT "at"
#define HN_HALVING_AT_DOC \
  "Frames at which candidates are compared, rising; they replace run.frames."
enum { HN_HALVING_RUNGS_MAX = 32 };

typedef struct HnHalving {
  HnNode *at_root, *at_rungs, *at_metric; /* where they stand; at_metric NULL: not said */
  int64_t root;
  double keep;
  char *metric; /* "" : the report's */
  int64_t rungs, at[HN_HALVING_RUNGS_MAX];
} HnHalving;

/* NULL with findings. */
HnHalving *hn_halving_read(const HnNode *block, HnDiag *d);
void hn_halving_free(HnHalving *h);
/* What a candidate has trained for at the end of a rung, in whole updates of so many frames; 0:
 * that is not known, and what the file says. */
double hn_halving_frames(const HnHalving *h, int64_t rung, double update);
/* Of so many candidates how many go on, at least one. */
guint hn_halving_kept(const HnHalving *h, guint candidates);
#endif

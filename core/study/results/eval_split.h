/* eval_split.h - which split of the tasks evaluations acted in, and whether it was trained on. */
#ifndef HN_EVAL_SPLIT_H
#define HN_EVAL_SPLIT_H
#include "results.h"

/* The deciding split of a cell's evaluations where it is not its environment's own choice, the
 * last; else NULL.  g_free. */
char *hn_eval_split_chosen(const HnResult *c);
/* What the tasks of the deciding split are to the learners of these cells (HnResult *): "held-out",
 * "training", or "evaluated" where cells differ or none says. */
const char *hn_eval_split_kind(const GPtrArray *cells);
/* Of a column of a further split, "eval.train.return", that split; else NULL.  g_free. */
char *hn_eval_split_further(const GPtrArray *cells, const char *column);
/* Whether these cells trained on a split of that name. */
bool hn_eval_split_trained(const GPtrArray *cells, const char *split);
#endif

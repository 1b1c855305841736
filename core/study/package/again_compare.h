/* again_compare.h - what a cell left, set against what it left when it ran again in `dir`. */
#ifndef HN_AGAIN_COMPARE_H
#define HN_AGAIN_COMPARE_H
#include "again.h"

/* The hashes of the weights, as far as both have them; where they differ and both have a checkpoint
 * of the same update, the first tensor that does. */
void hn_again_compare_traces(const HnResult *c, const char *dir, HnOutcome *o);
/* Then the rows of metrics.csv, as far as both have them; judges. */
void hn_again_compare_rows(const HnResult *c, const char *dir, double tolerance, HnOutcome *o);
/* Whether the weights of its last checkpoint are those whose hash ends trace.bin. */
bool hn_again_weights_are_traced(const HnResult *c);
/* The columns eval.* of the last rows of metrics.csv; judges. */
void hn_again_compare_evaluation(const HnResult *c, const char *dir, double tolerance,
                                 HnOutcome *o);
#endif

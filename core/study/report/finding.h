/* finding.h - what a study found, in a sentence or two. */
#ifndef HN_FINDING_H
#define HN_FINDING_H
#include "compare.h"

/* What the paired verdicts of the deciding metric say: which arms are better or worse than the
 * baseline, by how much, and which cannot be told apart from it; of arms that are named, where they
 * and the baseline trained for different numbers of frames.  Of a search first which candidates it
 * kept.  Free with g_free. */
char *hn_finding(const HnComparison *c);
#endif

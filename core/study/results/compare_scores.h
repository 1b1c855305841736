/* compare_scores.h - what all seeds and tasks of a split say of each arm, as rliable has it. */
#ifndef HN_COMPARE_SCORES_H
#define HN_COMPARE_SCORES_H
#include "compare_tasks.h"

/* Fills `scores` and `profile` of a comparison by task whose rows are its tasks alone; nothing
 * where there is but one.  Of a seed all tasks or none enter. */
void hn_compare_scores(const HnComparison *c, HnTaskComparison *b);
#endif

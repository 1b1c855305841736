/* rerun.h - the last rung: done cells of an arm run again in full. */
#ifndef HN_RERUN_H
#define HN_RERUN_H
#include "again.h"

/* Runs cells (HnResult *) of one arm again.  Where bits and numbers differ, the deciding metric of
 * the study counts: the arm is the same if its mean over seeds is, within the margin that the study
 * declares (report.margin), by two one-sided t tests at 5 % on differences paired by seed.  That
 * nothing significant differs is never taken for that.  hn_outcome_free.
 * Source: Schuirmann 1987. */
HnOutcome *hn_again_rerun(const HnAgain *a, const GPtrArray *cells);
#endif

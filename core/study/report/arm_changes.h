/* arm_changes.h - what an arm does otherwise than the baseline. */
#ifndef HN_ARM_CHANGES_H
#define HN_ARM_CHANGES_H
#include "results.h"

/* "inference.noise: inferred", a line (char *) for each key in which the arm's resolved
 * configuration differs from the baseline's; where another plugin stands, it alone.  NULL if one of
 * them has no cell that counts; else g_ptr_array_unref. */
GPtrArray *hn_arm_changes(const HnResults *r, int64_t arm, int64_t baseline);
#endif

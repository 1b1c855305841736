/* join.h - arms of several studies as one set of results. */
#ifndef HN_JOIN_H
#define HN_JOIN_H
#include "results.h"

/* The studies of `parts` (HnResults *, whose cells are moved out), in their order; arms of a name
 * that two studies have are called STUDY/ARM, and those of two studies of a name after their
 * folders.  Study files, overrides and root of the whole are the first's, as is its report block.
 *   arms      names, either short or STUDY/ARM, of those to keep; NULL: all
 *   baseline  what the others will be compared with; NULL: that of the first study
 * Refuses (HN_ERROR_MISSING) arms that no study has, and (HN_ERROR_DIFFERS) arms of two studies
 * whose environment or evaluation differ, naming the key and both values, or a folder given twice.
 */
HnResults *hn_results_join(const GPtrArray *parts, const char *const *arms, const char *baseline,
                           GError **error);
#endif

/* equal_results.h - arms that were to differ and whose results do not. */
#ifndef HN_EQUAL_RESULTS_H
#define HN_EQUAL_RESULTS_H
#include "results.h"

/* A line for each arm whose metrics are, at every seed that it has done, those of an earlier arm to
 * the last digit, though their configurations differ: it names the keys, which had no effect.  Arms
 * of one configuration are no finding.  g_ptr_array_unref. */
GPtrArray *hn_equal_results(const HnResults *r);
#endif

/* comparable.h - whether results may be compared at all. */
#ifndef HN_COMPARABLE_H
#define HN_COMPARABLE_H
#include "results.h"

/* False, with HN_ERROR_DIFFERS, for cells that count of different versions of hunch, of the
 * simulator or of one plugin, and for cells of one arm with different configurations. */
bool hn_comparable(const HnResults *r, GError **error);
/* The first key in which two cells that have a configuration measure different things, with both
 * values, "env.size: 9 and 5", but for `keys` (char *: paths; NULL: none); NULL: they measure the
 * same.  Free with g_free. */
char *hn_comparable_task(const HnResult *a, const HnResult *b, const GPtrArray *keys);
/* The key that keeps an arm from being set against the baseline, with both values, because they
 * measure different things; NULL: nothing does.  Free with g_free. */
char *hn_comparable_protocol(const HnResults *r, int64_t arm, int64_t baseline);
#endif

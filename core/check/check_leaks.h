/* check_leaks.h - the laws of plugins of every kind about what adds up over many calls. */
#ifndef HN_CHECK_LEAKS_H
#define HN_CHECK_LEAKS_H
#include "check.h"

/* Whether memory that calls take is given back: of an environment over episodes that begin anew,
 * of others over updates. */
HnVerdict hn_check_leaks(const HnCell *cell, HnKind kind, GString *why);
/* Whether what is reported to host->metric is finite; skipped where no metric is declared. */
HnVerdict hn_check_metrics(const HnCell *cell, HnKind kind, GString *why);
#endif

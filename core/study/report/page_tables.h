/* page_tables.h - the numbers of a report page. */
#ifndef HN_PAGE_TABLES_H
#define HN_PAGE_TABLES_H
#include "compare_tasks.h"

/* A table per metric, the deciding one unfolded, and the notes. */
void hn_html_tables(GString *out, const HnComparison *c);
/* A table per split and column, tasks down and arms across (all: of hn_compare_tasks); csv: the
 * link to the same numbers. */
void hn_html_tasks(GString *out, const HnComparison *c, const GPtrArray *all, const char *csv);
#endif

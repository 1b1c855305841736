/* html.h - the sections of a report page that are not plots. */
#ifndef HN_REPORT_PARTS_H
#define HN_REPORT_PARTS_H
#include "compare.h"

/* Appends text with &, <, >, " and ' escaped. */
void hn_html_text(GString *out, const char *text);
/* printf whose every %s (only strings are taken) is escaped. */
void hn_html(GString *out, const char *format, ...);

void hn_report_head(GString *out, const HnComparison *c);
/* Cells that are not done, first of all, and notes. */
void hn_report_warnings(GString *out, const HnComparison *c);
/* A table per metric, with the differences drawn to scale. */
void hn_report_tables(GString *out, const HnComparison *c);
/* A table per split and column, tasks down and arms across (all: of hn_tasks_compare); csv: the
 * link to the same numbers. */
void hn_report_tasks(GString *out, const HnComparison *c, const GPtrArray *all, const char *csv);
/* How to run it again, what ran, on what. */
void hn_report_origin(GString *out, const HnComparison *c);
/* Every cell with links into its folder, relative to the page's. */
void hn_report_cells(GString *out, const HnComparison *c, const char *page);
#endif

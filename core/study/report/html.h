/* html.h - the sections of a report page, plots apart. */
#ifndef HN_HTML_H
#define HN_HTML_H
#include "compare.h"

/* Appends text with &, <, >, " and ' escaped. */
void hn_html_text(GString *out, const char *text);
/* printf whose every %s (only strings are taken) is escaped. */
void hn_html_add(GString *out, const char *format, ...);

/* Lines of text (char *) as a list. */
void hn_html_list(GString *out, const GPtrArray *lines);

/* A page up to its body, with the style and the colours; and its end. */
void hn_html_begin(GString *out, const char *title);
void hn_html_end(GString *out);
void hn_html_head(GString *out, const HnComparison *c);
/* The cells that are not in the results, and why. */
void hn_html_warnings(GString *out, const HnComparison *c);
/* A table per metric, with the differences drawn to scale. */
void hn_html_tables(GString *out, const HnComparison *c);
/* A table per split and column, tasks down and arms across (all: of hn_compare_tasks); csv: the
 * link to the same numbers. */
void hn_html_tasks(GString *out, const HnComparison *c, const GPtrArray *all, const char *csv);
/* How to run it again, what ran, and on which machines. */
void hn_html_origin(GString *out, const HnComparison *c);
/* Every cell with links into its folder, relative to the page's. */
void hn_html_cells(GString *out, const HnComparison *c, const char *page);
#endif

/* page_origin.h - where the numbers of a report page come from. */
#ifndef HN_PAGE_ORIGIN_H
#define HN_PAGE_ORIGIN_H
#include "compare.h"

/* How to run it again, what ran, and on which machines. */
void hn_html_origin(GString *out, const HnComparison *c);
/* Every cell, with links into its folder if the page is in the study's: those hold when it is moved
 * as a whole. */
void hn_html_cells(GString *out, const HnComparison *c, const char *page);
#endif

/* page_top.h - how a report page begins: what was studied and what it found. */
#ifndef HN_PAGE_TOP_H
#define HN_PAGE_TOP_H
#include "compare.h"

/* The study's name, its description, the finding, and how it was measured. */
void hn_html_top(GString *out, const HnComparison *c);
/* What each arm does otherwise than the baseline; nothing of a study with one arm. */
void hn_html_arms(GString *out, const HnComparison *c);
#endif

/* render_text.h - a comparison as tables for a terminal, at most 100 characters wide for any
 * reasonable names.  All texts are freed with g_free. */
#ifndef HN_RENDER_TEXT_H
#define HN_RENDER_TEXT_H
#include "compare_tasks.h"

/* What was compared and how it was counted. */
char *hn_render_text_heading(const HnComparison *c);
/* That heading, a table for each column, notes, and the cells that are not in it. */
char *hn_render_text(const HnComparison *c);
/* Tables by task, arms side by side with their intervals; tasks: of hn_compare_tasks. */
char *hn_render_text_tasks(const HnComparison *c, const GPtrArray *tasks);
#endif

/* render_text.h - a comparison as tables for people, in any style.  All texts are freed with
 * g_free. */
#ifndef HN_RENDER_TEXT_H
#define HN_RENDER_TEXT_H
#include "compare_tasks.h"
#include "sheet.h"

/* Appends what was compared and how it was counted; methods: of the tables that follow. */
void hn_render_heading(const HnComparison *c, const char *methods, HnSheetStyle style,
                       GString *out);
/* Appends the table of one column. */
void hn_render_compared(const HnComparison *c, const HnCompared *m, HnSheetStyle style,
                        GString *out);
/* That heading, a table for each column, notes, and the cells that are not in it. */
char *hn_render(const HnComparison *c, HnSheetStyle style);
/* The same heading and tables by task, arms side by side with their intervals; tasks: of
 * hn_compare_tasks. */
char *hn_render_tasks(const HnComparison *c, const GPtrArray *tasks, HnSheetStyle style);
/* The same for a terminal. */
char *hn_render_text(const HnComparison *c);
#endif

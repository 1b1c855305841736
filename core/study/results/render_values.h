/* render_values.h - a comparison by the values of parameters, for people and for programs. */
#ifndef HN_RENDER_VALUES_H
#define HN_RENDER_VALUES_H
#include "compare_values.h"

/* What was compared, a table with a line for each value, and notes.  Free with g_free, like the
 * next. */
char *hn_render_text_values(const HnComparison *c, const HnValueComparison *v);
char *hn_render_json_values(const HnComparison *c, const HnValueComparison *v);
#endif

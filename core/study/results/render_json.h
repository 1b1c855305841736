/* render_json.h - a comparison for programs. */
#ifndef HN_RENDER_JSON_H
#define HN_RENDER_JSON_H
#include "compare_tasks.h"

/* Everything, every seed's value included; tasks: of hn_compare_tasks, or NULL.  Free with g_free.
 */
char *hn_render_json(const HnComparison *c, const GPtrArray *tasks);
#endif

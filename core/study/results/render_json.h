/* render_json.h - a comparison for programs. */
#ifndef HN_RENDER_JSON_H
#define HN_RENDER_JSON_H
#include "compare_tasks.h"
#include "reach.h"
#include <json-glib/json-glib.h>

/* Everything, every seed's value included.  Free with g_free.
 *   tasks  of hn_compare_tasks, or NULL
 *   reach  or NULL */
char *hn_render_json(const HnComparison *c, const GPtrArray *tasks, const HnReach *reach);
/* Adds a member to the open object: a number of seeds with its interval. */
void hn_render_json_estimate(JsonBuilder *b, const char *name, const HnEstimate *e);
#endif

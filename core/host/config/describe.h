/* describe.h - describes a plugin from its descriptor alone: the text and the JSON of
 * `hunch inspect`. */
#ifndef HN_DESCRIBE_H
#define HN_DESCRIBE_H
#include <glib.h>
#include <hunch/plugin.h>
#include <json-glib/json-glib.h>

/* A commented YAML block, ready to paste into a study: every parameter with its default, range,
 * unit and meaning, then the columns it reports.  Free with g_free. */
char *hn_describe_text(const HnPlugin *p);
/* Adds the same facts to the open object; infinite bounds are left out, as JSON has none. */
void hn_describe_json(JsonBuilder *b, const HnPlugin *p);
/* Adds a member with the name, unit, doc and fold of each column.  columns may be NULL. */
void hn_describe_columns(JsonBuilder *b, const char *member, const HnColumn *columns);
#endif

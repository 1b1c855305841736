/* sweep_schema.h - `sweep:` as JSON Schema. */
#ifndef HN_SWEEP_SCHEMA_H
#define HN_SWEEP_SCHEMA_H
#include <json-glib/json-glib.h>

/* Adds a member "sweep" to the open object, which is one of "properties"; doc: of the block. */
void hn_sweep_schema_add(JsonBuilder *b, const char *doc);
/* Adds to the open object what is true of a study whose sweep sets plugins, so that its base and
 * arms need not name them. */
void hn_sweep_schema_add_plugins(JsonBuilder *b);
#endif

/* params.h - a parameter table (HnParam) is the struct, the YAML schema, `inspect` and the docs. */
#ifndef HN_PARAMS_H
#define HN_PARAMS_H
#include "yaml.h"
#include <hunch/plugin.h>

/* A table as the host reads it; stride lets tables of other ABI minors be walked. */
typedef struct HnSchema {
  const char *what; /* for messages: "env gridworld", "run" */
  const HnParam *params;
  guint count, stride;
  gsize size; /* of the struct */
} HnSchema;

HnSchema hn_schema_of(const HnPlugin *plugin);
const HnParam *hn_schema_at(const HnSchema *s, guint i);
const HnParam *hn_schema_find(const HnSchema *s, const char *name);

/* Fills `out` (s->size bytes) with defaults, then with what `map` (may be NULL) says, skipping the
 * key `except` (e.g. "plugin"; may be NULL).  Unknown keys, wrong types and values out of range are
 * findings that name the place, what was expected and the nearest valid name.  Text fields point
 * into interned strings, so `out` may outlive the tree. */
void hn_params_fill(const HnSchema *s, const HnNode *map, const char *except, void *out, HnDiag *d);
/* Every parameter with its value as a YAML map node (numbers in the shortest form that reads back
 * to the same bits), so that a resolved configuration has its defaults filled in. */
HnNode *hn_params_node(const HnSchema *s, const void *values);
#endif

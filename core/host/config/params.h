/* params.h - a parameter table (HnParam) is the struct, the YAML schema, `inspect` and the docs. */
#ifndef HN_PARAMS_H
#define HN_PARAMS_H
#include "yaml_tree.h"
#include <hunch/plugin.h>

/* A table as the host reads it; stride lets tables of other ABI minors be walked. */
typedef struct HnSchema {
  const char *what; /* for messages: "env gridworld", "run" */
  const HnParam *params;
  guint count, stride;
  gsize size;          /* of the struct */
  const char *renamed; /* "old:new old:new", or NULL: see HnPlugin */
} HnSchema;

HnSchema hn_schema_of(const HnPlugin *plugin);
const HnParam *hn_schema_at(const HnSchema *s, guint i);
const HnParam *hn_schema_find(const HnSchema *s, const char *name);

/* Fills `out` (s->size bytes) with defaults, then with what `map` (may be NULL) says, skipping the
 * key `except` (e.g. "plugin"; may be NULL).  Unknown keys, wrong types and values out of range are
 * findings that name the place, what was expected and the nearest valid name.  Text fields point
 * into interned strings, so `out` may outlive the tree.
 *
 * Numbers are decimal, YAML's other spellings are not: no octal, hexadecimal, base 60, inf, nan,
 * underscores, leading zeros or quotes.  1e4 and 2.0 are integers too.  A flag is `true` or
 * `false`. */
void hn_params_fill(const HnSchema *s, const HnNode *map, const char *except, void *out, HnDiag *d);
/* Every parameter with its value as a YAML map node (numbers in the shortest form that reads back
 * to the same bits), so that a resolved configuration has its defaults filled in. */
HnNode *hn_params_node(const HnSchema *s, const void *values);
/* The name of a choice by its value, as the file spells it; lives forever.  [any] */
const char *hn_params_choice(const HnSchema *s, const char *name, int32_t value);
/* Sets key to a text, quoted where another YAML reader could take it for something else. */
void hn_params_put_text(HnNode *map, const char *key, const char *text);

/* Whether `n` is a map; if not, a finding that says `what` it should have held. */
bool hn_params_map(const char *what, const HnNode *n, HnDiag *d);
/* "KEY: VALUE" as in the file, quotes and all, cut to a line's length; g_free. */
char *hn_params_shown(const char *key, const HnNode *value);
/* Number of a plain scalar, or why it is none: NULL if all is well, else words that follow
 * "expected a number" ("" where nothing needs saying). */
const char *hn_params_real(const HnNode *n, double *value);
const char *hn_params_int(const HnNode *n, int64_t *value);
/* The shortest text that reads back to the same bits, 1e-5 not 1e-05; g_free. */
char *hn_params_number(double value);
/* "a number in [0, 1]", "true or false", "one of mean, median"; with the unit; g_free. */
char *hn_params_expected(const HnParam *p);
#endif

/* params.h - reads and writes a parameter struct by its table (HnParam), which is also the YAML
 * schema, `inspect` and the documentation. */
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
 * keys `except` (e.g. "plugin"; NULL-terminated, or NULL).  Unknown keys, wrong types and values
 * out of range are findings that name the place, what was expected and the nearest valid name. Text
 * fields point into interned strings, so `out` may outlive the tree.
 *
 * A file's path becomes a full one; it must be that of a regular file.  Beside the key NAME of a
 * file NAME_sha256 may say what is in it, and then must be right.
 *
 * Numbers are decimal; YAML's other notations are refused: octal, hexadecimal, base 60, inf, nan,
 * underscores, leading zeros, quotes.  1e4 and 2.0 are integers too.  A flag is `true` or `false`.
 */
void hn_params_fill(const HnSchema *s, const HnNode *map, const char *const *except, void *out,
                    HnDiag *d);
/* A map of every parameter's value, defaults included, NAME_sha256 behind each file NAME, numbers
 * in the shortest form that reads back to the same bits. */
HnNode *hn_params_node(const HnSchema *s, const void *values);
/* The name of a choice's value; never freed.  [any] */
const char *hn_params_choice(const HnSchema *s, const char *name, int32_t value);
/* Sets key to a text, quoted where a YAML reader could take it for another type. */
void hn_params_put_text(HnNode *map, const char *key, const char *text);

/* Whether `n` is a map; if not, adds a finding that begins with `what`. */
bool hn_params_map(const char *what, const HnNode *n, HnDiag *d);
/* A finding for each key of a map that is not among the valid ones.  One that is near to a valid
 * key that is not there is that key from here on, so that one mistake is one finding. */
void hn_params_check_keys(HnNode *map, const char *const *valid, HnDiag *d);
/* "KEY: VALUE" as in the file, with its quotes, cut to fit a message; g_free. */
char *hn_params_shown(const char *key, const HnNode *value);
/* Reads a number; returns NULL, or the words to append to "expected a number". */
const char *hn_params_real(const HnNode *n, double *value);
const char *hn_params_int(const HnNode *n, int64_t *value);
/* The shortest text that reads back to the same bits, 1e-5 not 1e-05; g_free. */
char *hn_params_number(double value);
/* The same, always with an exponent: 3e-4, 1e0. */
char *hn_params_number_with_exponent(double value);
/* "a number in [0, 1]", "true or false", "one of mean, median"; with the unit; g_free. */
char *hn_params_expected(const HnParam *p);
/* The default as a study would say it, "" in quotes; g_free. */
char *hn_params_default(const HnParam *p);
#endif

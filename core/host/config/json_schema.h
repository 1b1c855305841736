/* json_schema.h - parameters as JSON Schema (draft-07, with the members that yaml-language-server
 * adds), for editors.
 *
 * Values are meant as YAML 1.2 reads them: 1e6 is an integer.  What a schema cannot tell, because a
 * reader of YAML has lost it, is left to `hunch validate`: quotes around a number, leading zeros.
 */
#ifndef HN_JSON_SCHEMA_H
#define HN_JSON_SCHEMA_H
#include "params.h"
#include <json-glib/json-glib.h>

/* Adds a member of that name to the open object: what a value of the parameter is.  `word` may
 * stand for a number of at least 0 in a text, or is NULL; choice_docs says what each choice means,
 * in their order, or is NULL.  Infinite bounds are left out. */
void hn_json_schema_param(JsonBuilder *b, const HnParam *p, const char *word,
                          const char *const *choice_docs);
/* Adds to the open object, one of "properties", all parameters of a table, NAME_sha256 beside each
 * file, and old names, which no value satisfies. */
void hn_json_schema_params(JsonBuilder *b, const HnSchema *s);
/* Adds "description" and "markdownDescription". */
void hn_json_schema_doc(JsonBuilder *b, const char *doc, const char *markdown);
/* Adds the member "type" for a text: any scalar of YAML, whatever type a reader takes it for. */
void hn_json_schema_text_type(JsonBuilder *b);
/* Adds a member that refers to a definition: {"$ref": "#/definitions/.."}; NULL: an element of an
 * array. */
void hn_json_schema_ref(JsonBuilder *b, const char *member, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
#endif

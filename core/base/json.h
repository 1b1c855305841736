/* json.h - JSON as text that every reader takes, and what it says read without trust. */
#ifndef HN_JSON_H
#define HN_JSON_H
#include <json-glib/json-glib.h>

#define HN_JSON_ERROR (g_quark_from_static_string("hn-json"))
enum { HN_JSON_INVALID };

/* The tree as indented text that ends in a newline; free with g_free.  json-glib 1.6 writes 1e-08
 * as "1e-08.0", which is not JSON (it appends ".0" to any real number without a point); such tails
 * are taken away. [any] */
char *hn_json_text(JsonNode *root);

/* The object that a text or a file is; NULL with HN_JSON_INVALID, or what kept the file from being
 * read, naming the file, where it is none or is nested more than 64 deep (parsers descend by
 * recursion).  json_object_unref. [any] */
JsonObject *hn_json_parse(const char *name, const char *text, gsize length, GError **error);
JsonObject *hn_json_read(const char *path, GError **error);

/* A member of o if there is one and it is of the kind; else `otherwise`, or NULL.  o may be NULL.
 */
const char *hn_json_string(JsonObject *o, const char *key, const char *otherwise);
gint64 hn_json_int(JsonObject *o, const char *key, gint64 otherwise);
double hn_json_real(JsonObject *o, const char *key, double otherwise); /* integers as well */
JsonArray *hn_json_array(JsonObject *o, const char *key);
JsonObject *hn_json_object(JsonObject *o, const char *key);
/* Element i of an array that has it, if it is a string; else NULL. */
const char *hn_json_string_at(JsonArray *a, guint i);
#endif

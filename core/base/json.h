/* json.h - JSON written as text that every reader takes, and read without trust. */
#ifndef HN_JSON_H
#define HN_JSON_H
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- writing ---- */

/* The tree as indented text that ends in a newline; free with g_free.  json-glib 1.6 writes 1e-08
 * as "1e-08.0", which is not JSON (it appends ".0" to any real number without a point); such tails
 * are taken away. [any] */
char *hn_json_text(JsonNode *root);

/* An object to fill, and its text once it is full; hn_json_end frees b, the text is freed with
 * g_free.
 */
JsonBuilder *hn_json_begin(void);
char *hn_json_end(JsonBuilder *b);
/* The same as one line, without its newline. */
char *hn_json_end_line(JsonBuilder *b);
/* Each adds a member to the open object, or with name NULL an element to the open array.  NULL and
 * numbers that are not finite become null. */
void hn_json_add_string(JsonBuilder *b, const char *name, const char *text);
void hn_json_add_int(JsonBuilder *b, const char *name, int64_t x);
void hn_json_add_real(JsonBuilder *b, const char *name, double x);
void hn_json_add_bool(JsonBuilder *b, const char *name, bool x);
/* An array of n texts; of those up to a NULL. */
void hn_json_add_strings(JsonBuilder *b, const char *name, int64_t n, const char *const *texts);
void hn_json_add_strv(JsonBuilder *b, const char *name, const char *const *texts);
/* Opens one, to be closed with json_builder_end_object or json_builder_end_array. */
void hn_json_open_object(JsonBuilder *b, const char *name);
void hn_json_open_array(JsonBuilder *b, const char *name);

/* As hn_json_text and hn_json_end, with a last member "checksum" of all the others. */
#define HN_JSON_CHECKSUM "checksum"
char *hn_json_sealed_text(JsonObject *o);
char *hn_json_end_sealed(JsonBuilder *b);

/* ---- reading ---- */

/* The JSON object that a text or a file holds; NULL with HN_ERROR_FILE, naming the file, if it is
 * not one, goes on behind it or is nested more than 64 deep (parsers recurse), or with the error of
 * reading the file.  json_object_unref. [any] */
JsonObject *hn_json_parse(const char *name, const char *text, gsize length, GError **error);
/* Refuses one whose own checksum is not of the rest, too. */
JsonObject *hn_json_read(const char *path, GError **error);
/* Whether the object's own checksum, if it has one, is of the rest. */
bool hn_json_is_whole(JsonObject *o);

/* The member of o if it exists and has that type; else `otherwise`, or NULL.  o may be NULL. */
const char *hn_json_string(JsonObject *o, const char *key, const char *otherwise);
int64_t hn_json_int(JsonObject *o, const char *key, int64_t otherwise);
double hn_json_real(JsonObject *o, const char *key, double otherwise); /* integers as well */
JsonArray *hn_json_array(JsonObject *o, const char *key);
JsonObject *hn_json_object(JsonObject *o, const char *key);
/* Element i if the array has one and it is a string; else NULL. */
const char *hn_json_string_at(JsonArray *a, guint i);
#endif

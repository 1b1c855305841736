/* json.h - JSON as text that every reader takes. */
#ifndef HN_JSON_H
#define HN_JSON_H
#include <json-glib/json-glib.h>

/* The tree as indented text that ends in a newline; free with g_free.  json-glib 1.6 writes 1e-08
 * as "1e-08.0", which is not JSON (it appends ".0" to any real number without a point); such tails
 * are taken away. [any] */
char *hn_json_text(JsonNode *root);
#endif

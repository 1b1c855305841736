/* json.c - see json.h. */
#include "json.h"
#include <string.h>

char *hn_json_text(JsonNode *root) {
  char *text = json_to_string(root, TRUE);
  GString *out = g_string_sized_new(strlen(text) + 1);
  gboolean quoted = FALSE, exponent = FALSE;
  for (const char *c = text; *c; c++) {
    if (quoted && *c == '\\') {
      g_string_append_c(out, *c++);
    } else if (*c == '"') {
      quoted = !quoted;
    } else if (!quoted && exponent && *c == '.') {
      c++; /* the 0 behind it */
      continue;
    }
    /* outside of strings an e after a digit is an exponent; it lasts while digits and signs do */
    if (!quoted && (*c == 'e' || *c == 'E') && c > text && g_ascii_isdigit(c[-1]))
      exponent = TRUE;
    else if (!g_ascii_isdigit(*c) && *c != '-' && *c != '+')
      exponent = FALSE;
    g_string_append_c(out, *c);
  }
  g_string_append_c(out, '\n');
  g_free(text);
  return g_string_free(out, FALSE);
}

/* ---- reading ---- */

enum { MAX_DEPTH = 64 };

/* Brackets outside of strings that are open at the same time. */
static int depth_of(const char *text, gsize length) {
  int depth = 0, deepest = 0;
  gboolean quoted = FALSE;
  for (gsize i = 0; i < length; i++) {
    const char c = text[i];
    if (quoted && c == '\\')
      i++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '['))
      depth++, deepest = MAX(deepest, depth);
    else if (!quoted && (c == '}' || c == ']'))
      depth--;
  }
  return deepest;
}

JsonObject *hn_json_parse(const char *name, const char *text, gsize length, GError **error) {
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) why = NULL;
  JsonNode *root = NULL;
  if (depth_of(text, length) > MAX_DEPTH) {
    g_set_error(error, HN_JSON_ERROR, HN_JSON_INVALID, "%s: nested more than %d deep", name,
                MAX_DEPTH);
  } else if (!json_parser_load_from_data(parser, text, (gssize)length, &why)) {
    const gboolean placed =
        g_str_has_prefix(why->message, "<data>"); /* then a line and column follow */
    g_set_error(error, HN_JSON_ERROR, HN_JSON_INVALID, "%s%s%s", name, placed ? "" : ": ",
                why->message + (placed ? strlen("<data>") : 0));
  } else if (!(root = json_parser_get_root(parser)) || !JSON_NODE_HOLDS_OBJECT(root)) {
    g_set_error(error, HN_JSON_ERROR, HN_JSON_INVALID, "%s: not a JSON object", name);
  }
  return root && JSON_NODE_HOLDS_OBJECT(root) ? json_object_ref(json_node_get_object(root)) : NULL;
}

JsonObject *hn_json_read(const char *path, GError **error) {
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents(path, &text, &length, error)) return NULL;
  return hn_json_parse(path, text, length, error);
}

static JsonNode *member(JsonObject *o, const char *key) {
  return o ? json_object_get_member(o, key) : NULL;
}

static const char *string_of(JsonNode *n) {
  return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING
             ? json_node_get_string(n)
             : NULL;
}

const char *hn_json_string(JsonObject *o, const char *key, const char *otherwise) {
  const char *text = string_of(member(o, key));
  return text ? text : otherwise;
}

static gboolean is_int(JsonNode *n) {
  return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_INT64;
}

gint64 hn_json_int(JsonObject *o, const char *key, gint64 otherwise) {
  JsonNode *n = member(o, key);
  return is_int(n) ? json_node_get_int(n) : otherwise;
}

double hn_json_real(JsonObject *o, const char *key, double otherwise) {
  JsonNode *n = member(o, key);
  if (is_int(n)) return (double)json_node_get_int(n);
  return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_DOUBLE
             ? json_node_get_double(n)
             : otherwise;
}

JsonArray *hn_json_array(JsonObject *o, const char *key) {
  JsonNode *n = member(o, key);
  return n && JSON_NODE_HOLDS_ARRAY(n) ? json_node_get_array(n) : NULL;
}

JsonObject *hn_json_object(JsonObject *o, const char *key) {
  JsonNode *n = member(o, key);
  return n && JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
}

const char *hn_json_string_at(JsonArray *a, guint i) {
  return a && i < json_array_get_length(a) ? string_of(json_array_get_element(a, i)) : NULL;
}

/* json.c - see json.h. */
#include "json.h"
#include "checksum.h"
#include "error.h"
#include <math.h>
#include <string.h>

/* Without the tails that json-glib leaves. */
static GString *text_of(JsonNode *root, bool indented) {
  char *text = json_to_string(root, indented);
  GString *out = g_string_sized_new(strlen(text) + 1);
  bool quoted = false, exponent = false;
  for (const char *c = text; *c; c++) {
    if (quoted && *c == '\\') {
      g_string_append_c(out, *c++);
    } else if (*c == '"') {
      quoted = !quoted;
    } else if (!quoted && exponent && *c == '.') {
      c++; /* the 0 that follows */
      continue;
    }
    /* outside of strings an e after a digit is an exponent; it lasts while digits and signs do */
    if (!quoted && (*c == 'e' || *c == 'E') && c > text && g_ascii_isdigit(c[-1]))
      exponent = true;
    else if (!g_ascii_isdigit(*c) && *c != '-' && *c != '+')
      exponent = false;
    g_string_append_c(out, *c);
  }
  g_free(text);
  return out;
}

char *hn_json_text(JsonNode *root) {
  return g_string_free(g_string_append_c(text_of(root, true), '\n'), false);
}

/* ---- writing ---- */

JsonBuilder *hn_json_begin(void) {
  return json_builder_begin_object(json_builder_new());
}

char *hn_json_end(JsonBuilder *b) {
  g_autoptr(JsonNode) root = json_builder_get_root(json_builder_end_object(b));
  g_object_unref(b);
  return hn_json_text(root);
}

char *hn_json_end_line(JsonBuilder *b) {
  g_autoptr(JsonNode) root = json_builder_get_root(json_builder_end_object(b));
  g_object_unref(b);
  return g_string_free(text_of(root, false), false);
}

/* Of an object without its own checksum. */
static char *checksum_of(JsonObject *o) {
  g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), o);
  g_autofree char *text = hn_json_text(root);
  return hn_checksum_text(text, strlen(text));
}

char *hn_json_sealed_text(JsonObject *o) {
  json_object_remove_member(o, HN_JSON_CHECKSUM);
  g_autofree char *sum = checksum_of(o);
  json_object_set_string_member(o, HN_JSON_CHECKSUM, sum);
  g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), o);
  return hn_json_text(root);
}

char *hn_json_end_sealed(JsonBuilder *b) {
  g_autoptr(JsonNode) root = json_builder_get_root(json_builder_end_object(b));
  g_object_unref(b);
  return hn_json_sealed_text(json_node_get_object(root));
}

/* Names what is about to be added, in an object. */
static JsonBuilder *named(JsonBuilder *b, const char *name) {
  return name ? json_builder_set_member_name(b, name) : b;
}

void hn_json_add_string(JsonBuilder *b, const char *name, const char *text) {
  g_autofree char *valid = text ? g_utf8_make_valid(text, -1) : NULL; /* a path may be any bytes */
  if (text)
    json_builder_add_string_value(named(b, name), valid);
  else
    json_builder_add_null_value(named(b, name));
}

void hn_json_add_int(JsonBuilder *b, const char *name, int64_t x) {
  json_builder_add_int_value(named(b, name), x);
}

void hn_json_add_real(JsonBuilder *b, const char *name, double x) {
  if (isfinite(x))
    json_builder_add_double_value(named(b, name), x);
  else
    json_builder_add_null_value(named(b, name));
}

void hn_json_add_bool(JsonBuilder *b, const char *name, bool x) {
  json_builder_add_boolean_value(named(b, name), x);
}

void hn_json_add_strings(JsonBuilder *b, const char *name, int64_t n, const char *const *texts) {
  hn_json_open_array(b, name);
  for (int64_t i = 0; i < n; i++) hn_json_add_string(b, NULL, texts[i]);
  json_builder_end_array(b);
}

void hn_json_add_strv(JsonBuilder *b, const char *name, const char *const *texts) {
  hn_json_add_strings(b, name, texts ? g_strv_length((char **)(guintptr)texts) : 0, texts);
}

void hn_json_open_object(JsonBuilder *b, const char *name) {
  json_builder_begin_object(named(b, name));
}

void hn_json_open_array(JsonBuilder *b, const char *name) {
  json_builder_begin_array(named(b, name));
}

/* ---- reading ---- */

enum { MAX_DEPTH = 64 };

typedef struct Extent {
  int deepest; /* brackets outside of strings that are open at the same time */
  gsize end;   /* behind the one that closes the first; 0: none does */
} Extent;

static Extent extent_of(const char *text, gsize length) {
  Extent e = {0, 0};
  int depth = 0;
  bool quoted = false;
  for (gsize i = 0; i < length; i++) {
    const char c = text[i];
    if (quoted && c == '\\')
      i++;
    else if (c == '"')
      quoted = !quoted;
    else if (!quoted && (c == '{' || c == '['))
      depth++, e.deepest = MAX(e.deepest, depth);
    else if (!quoted && (c == '}' || c == ']') && --depth == 0 && !e.end)
      e.end = i + 1;
  }
  return e;
}

/* Whether nothing but white space follows the object, which the parser does not ask. */
static bool ends_there(const char *name, const char *text, gsize length, gsize end,
                       GError **error) {
  int line = 1, column = 1;
  gsize at = end;
  while (at < length && strchr(" \t\r\n", text[at])) at++;
  if (!end || at == length) return true;
  for (gsize i = 0; i < at; i++) {
    column = text[i] == '\n' ? 1 : column + 1;
    line += text[i] == '\n';
  }
  return hn_error_set(error, HN_ERROR_FILE, "%s:%d:%d: expected nothing after the JSON object",
                      name, line, column);
}

JsonObject *hn_json_parse(const char *name, const char *text, gsize length, GError **error) {
  g_autoptr(JsonParser) parser = json_parser_new();
  g_autoptr(GError) why = NULL;
  JsonNode *root = NULL;
  const Extent extent = extent_of(text, length);
  if (extent.deepest > MAX_DEPTH) {
    hn_error_set(error, HN_ERROR_FILE, "%s: nested more than %d deep", name, MAX_DEPTH);
  } else if (!json_parser_load_from_data(parser, text, (gssize)length, &why)) {
    const bool placed =
        g_str_has_prefix(why->message, "<data>"); /* then a line and column follow */
    hn_error_set(error, HN_ERROR_FILE, "%s%s%s", name, placed ? "" : ": ",
                 why->message + (placed ? strlen("<data>") : 0));
  } else if (!(root = json_parser_get_root(parser)) || !JSON_NODE_HOLDS_OBJECT(root)) {
    hn_error_set(error, HN_ERROR_FILE, "%s: not a JSON object", name);
  } else if (ends_there(name, text, length, extent.end, error)) {
    return json_object_ref(json_node_get_object(root));
  }
  return NULL;
}

JsonObject *hn_json_read(const char *path, GError **error) {
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents(path, &text, &length, error)) return NULL;
  g_autoptr(JsonObject) o = hn_json_parse(path, text, length, error);
  if (!o || hn_json_is_whole(o)) return g_steal_pointer(&o);
  hn_error_set(error, HN_ERROR_FILE, "%s: is damaged", path);
  return NULL;
}

bool hn_json_is_whole(JsonObject *o) {
  g_autofree char *said = g_strdup(hn_json_string(o, HN_JSON_CHECKSUM, NULL));
  if (!said) return true;
  json_object_remove_member(o, HN_JSON_CHECKSUM);
  g_autofree char *is = checksum_of(o);
  json_object_set_string_member(o, HN_JSON_CHECKSUM, said);
  return strcmp(said, is) == 0;
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

static bool is_int(JsonNode *n) {
  return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_INT64;
}

int64_t hn_json_int(JsonObject *o, const char *key, int64_t otherwise) {
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

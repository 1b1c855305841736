/* json_schema.c - see json_schema.h. */
#include "json_schema.h"
#include "json.h"
#include <math.h>
#include <string.h>

void hn_json_schema_doc(JsonBuilder *b, const char *doc, const char *markdown) {
  hn_json_add_string(b, "description", doc);
  hn_json_add_string(b, "markdownDescription", markdown);
}

void hn_json_schema_text_type(JsonBuilder *b) {
  static const char *const scalars[] = {"string", "number", "boolean", "null", NULL};
  hn_json_add_strv(b, "type", scalars);
}

void hn_json_schema_ref(JsonBuilder *b, const char *member, const char *format, ...) {
  va_list args;
  va_start(args, format);
  g_autofree char *name = g_strdup_vprintf(format, args);
  va_end(args);
  g_autofree char *path = g_strconcat("#/definitions/", name, NULL);
  hn_json_open_object(b, member);
  hn_json_add_string(b, "$ref", path);
  json_builder_end_object(b);
}

/* ---- values ---- */

static void add_number(JsonBuilder *b, const HnParam *p, const char *member, double x) {
  if (!isfinite(x)) return;
  if (p->kind == HN_INT && fabs(x) < 0x1p63)
    hn_json_add_int(b, member, (int64_t)x);
  else
    hn_json_add_real(b, member, x);
}

/* A text as an element, and once more as what a reader of YAML takes it for without quotes. */
static void add_choice(JsonBuilder *b, const char *text) {
  const HnNode plain = {.kind = HN_NODE_TEXT, .text = (char *)(guintptr)text};
  double number;
  hn_json_add_string(b, NULL, text);
  if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
    hn_json_add_bool(b, NULL, *text == 't');
  else if (strcmp(text, "null") == 0 || strcmp(text, "~") == 0)
    hn_json_add_string(b, NULL, NULL);
  else if (!hn_params_real(&plain, &number))
    hn_json_add_real(b, NULL, number);
}

static void add_choices(JsonBuilder *b, const HnParam *p, const char *const *docs) {
  g_auto(GStrv) choices = g_strsplit(p->choices, "|", -1);
  hn_json_open_array(b, "enum");
  for (char **c = choices; *c; c++) add_choice(b, *c);
  json_builder_end_array(b);
  if (docs) hn_json_add_strv(b, "markdownEnumDescriptions", docs);
}

static void add_words(JsonBuilder *b, const char *word) {
  static const char *const types[] = {"string", "integer", NULL};
  g_autofree char *pattern = g_strdup_printf("^(%s|[0-9]+)$", word);
  hn_json_add_strv(b, "type", types);
  hn_json_add_string(b, "pattern", pattern);
  hn_json_add_int(b, "minimum", 0);
}

static void add_value(JsonBuilder *b, const HnParam *p, const char *word, const char *const *docs) {
  switch (p->kind) {
  case HN_FLAG:
    hn_json_add_string(b, "type", "boolean");
    hn_json_add_bool(b, "default", p->preset != 0);
    return;
  case HN_CHOICE:
    add_choices(b, p, docs);
    hn_json_add_string(b, "default", p->text);
    return;
  case HN_TEXT:
  case HN_FILE:
    if (word)
      add_words(b, word);
    else
      hn_json_schema_text_type(b);
    hn_json_add_string(b, "default", p->text);
    return;
  default:
    hn_json_add_string(b, "type", p->kind == HN_INT ? "integer" : "number");
    add_number(b, p, "minimum", p->low);
    add_number(b, p, "maximum", p->high);
    add_number(b, p, "default", p->preset);
  }
}

void hn_json_schema_param(JsonBuilder *b, const HnParam *p, const char *word,
                          const char *const *choice_docs) {
  g_autofree char *preset = hn_params_default(p), *expected = hn_params_expected(p);
  g_autofree char *markdown =
      g_strdup_printf("%s\n\nExpected: %s; default: `%s`.", p->doc, expected, preset);
  hn_json_open_object(b, p->name);
  hn_json_schema_doc(b, p->doc, markdown);
  add_value(b, p, word, choice_docs);
  json_builder_end_object(b);
}

/* ---- tables ---- */

static void add_sha256(JsonBuilder *b, const HnParam *file) {
  g_autofree char *name = g_strconcat(file->name, "_sha256", NULL);
  g_autofree char *doc = g_strdup_printf("SHA-256 of the content of `%s`.", file->name);
  hn_json_open_object(b, name);
  hn_json_schema_doc(b, doc, doc);
  hn_json_add_string(b, "type", "string");
  hn_json_add_string(b, "pattern", "^[0-9a-f]{64}$");
  json_builder_end_object(b);
}

static void add_renamed(JsonBuilder *b, const char *old, const char *now) {
  g_autofree char *text = g_strdup_printf("It is now called `%s`.", now);
  hn_json_open_object(b, old);
  hn_json_schema_doc(b, text, text);
  hn_json_add_bool(b, "deprecated", true);
  hn_json_add_string(b, "deprecationMessage", text);
  hn_json_add_bool(b, "doNotSuggest", true);
  hn_json_open_object(b, "not");
  json_builder_end_object(b);
  json_builder_end_object(b);
}

void hn_json_schema_params(JsonBuilder *b, const HnSchema *s) {
  for (guint i = 0; i < s->count; i++) {
    const HnParam *p = hn_schema_at(s, i);
    hn_json_schema_param(b, p, NULL, NULL);
    if (p->kind == HN_FILE) add_sha256(b, p);
  }
  g_auto(GStrv) pairs = g_strsplit(s->renamed ? s->renamed : "", " ", -1);
  for (char **pair = pairs; *pair; pair++) {
    g_auto(GStrv) name = g_strsplit(*pair, ":", 2);
    add_renamed(b, name[0], name[1]);
  }
}

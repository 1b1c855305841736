/* sweep_schema.c - see sweep_schema.h. */
#include "sweep_schema.h"
#include "cell.h"
#include "json.h"
#include "json_schema.h"
#include "sweep.h"
#include "sweep_values.h"
#include <string.h>

/* Opens the member for one of the keys that are in no table. */
static void open_key(JsonBuilder *b, const char *name) {
  const HnSweepKey *key = hn_sweep_keys;
  while (strcmp(key->name, name) != 0) key++;
  hn_json_open_object(b, name);
  hn_json_schema_doc(b, key->doc, key->doc);
}

static void add_arms(JsonBuilder *b) {
  open_key(b, "arms");
  hn_json_add_string(b, "type", "array");
  hn_json_add_int(b, "minItems", 1);
  hn_json_add_bool(b, "uniqueItems", true);
  hn_json_open_object(b, "items");
  hn_json_schema_text_type(b);
  json_builder_end_object(b);
  json_builder_end_object(b);
}

/* "^(env(\.inner)*|inference|..)\.[^.]+$": what can be swept. */
static void add_path_pattern(JsonBuilder *b) {
  g_autoptr(GString) pattern = g_string_new("^(");
  for (const char *const *block = hn_cell_blocks; *block; block++)
    g_string_append_printf(pattern, "%s%s%s", block > hn_cell_blocks ? "|" : "", *block,
                           strcmp(*block, "env") == 0 ? "(\\.inner)*" : "");
  g_string_append(pattern, ")\\.[^.]+$");
  hn_json_open_object(b, "propertyNames");
  hn_json_add_string(b, "pattern", pattern->str);
  json_builder_end_object(b);
}

/* The values of one parameter. */
static void add_values(JsonBuilder *b) {
  const HnSchema range = hn_range_schema();
  static const char *const kinds[] = {"array", "object", NULL};
  hn_json_open_object(b, "additionalProperties");
  hn_json_add_strv(b, "type", kinds);
  hn_json_add_int(b, "minItems", 1);
  hn_json_add_bool(b, "uniqueItems", true);
  hn_json_open_object(b, "items");
  hn_json_schema_text_type(b);
  json_builder_end_object(b);
  hn_json_add_strv(b, "required", (const char *const[]){"from", "to", NULL});
  hn_json_open_object(b, "properties");
  hn_json_schema_params(b, &range);
  json_builder_end_object(b);
  hn_json_add_bool(b, "additionalProperties", false);
  json_builder_end_object(b);
}

static void add_parameters(JsonBuilder *b) {
  open_key(b, "parameters");
  hn_json_add_string(b, "type", "object");
  hn_json_add_int(b, "minProperties", 1);
  add_path_pattern(b);
  add_values(b);
  json_builder_end_object(b);
}

static void add_halving(JsonBuilder *b) {
  const HnSchema schema = hn_halving_schema();
  open_key(b, "halving");
  hn_json_add_string(b, "type", "object");
  hn_json_add_strv(b, "required", (const char *const[]){"root", HN_HALVING_AT, NULL});
  hn_json_open_object(b, "properties");
  hn_json_schema_params(b, &schema);
  hn_json_open_object(b, HN_HALVING_AT);
  hn_json_schema_doc(b, HN_HALVING_AT_DOC, HN_HALVING_AT_DOC);
  hn_json_add_string(b, "type", "array");
  hn_json_add_int(b, "minItems", 2);
  hn_json_add_int(b, "maxItems", HN_HALVING_RUNGS_MAX);
  hn_json_open_object(b, "items");
  hn_json_add_string(b, "type", "integer");
  hn_json_add_int(b, "minimum", 1);
  json_builder_end_object(b);
  json_builder_end_object(b);
  json_builder_end_object(b);
  hn_json_add_bool(b, "additionalProperties", false);
  json_builder_end_object(b);
}

void hn_sweep_schema_add(JsonBuilder *b, const char *doc) {
  const HnSchema schema = hn_sweep_schema();
  hn_json_open_object(b, "sweep");
  hn_json_schema_doc(b, doc, doc);
  hn_json_add_string(b, "type", "object");
  hn_json_add_strv(b, "required", (const char *const[]){"parameters", NULL});
  hn_json_open_object(b, "properties");
  hn_json_schema_params(b, &schema);
  add_arms(b), add_parameters(b), add_halving(b);
  json_builder_end_object(b);
  hn_json_add_bool(b, "additionalProperties", false);
  json_builder_end_object(b);
}

void hn_sweep_schema_add_plugins(JsonBuilder *b) {
  hn_json_add_strv(b, "required", (const char *const[]){"sweep", NULL});
  hn_json_open_object(b, "properties");
  hn_json_open_object(b, "sweep");
  hn_json_add_strv(b, "required", (const char *const[]){"parameters", NULL});
  hn_json_open_object(b, "properties");
  hn_json_open_object(b, "parameters");
  hn_json_open_array(b, "anyOf");
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) {
    g_autofree char *path = g_strconcat(hn_kind_name(kind), ".plugin", NULL);
    hn_json_open_object(b, NULL);
    hn_json_add_strv(b, "required", (const char *const[]){path, NULL});
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  for (int i = 0; i < 4; i++) json_builder_end_object(b);
}

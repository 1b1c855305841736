/* describe.c - a plugin's descriptor as text and as JSON. */
#include "describe.h"
#include "json.h"
#include "params.h"
#include "registry.h"
#include "validate.h"
#include <math.h>
#include <string.h>

static const char *fold_name(HnFold fold) {
  static const char *const names[] = {"?", "mean", "sum", "max", "last"};
  return names[fold >= HN_MEAN && fold <= HN_LAST ? fold : 0];
}

static const char *param_kind_name(HnParamKind kind) {
  static const char *const names[] = {"?", "real", "int", "flag", "text", "choice", "file"};
  return names[kind >= HN_REAL && kind <= HN_FILE ? kind : 0];
}

/* "  gain: 1", a line for each parameter, as a study would write it. */
static GPtrArray *default_lines(const HnPlugin *p) {
  GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
  HnSchema schema = hn_schema_of(p);
  HnDiag *d = hn_diag_new(); /* defaults are in range: hn_descriptor_refuse has seen them */
  g_autofree void *values = g_malloc0(schema.size);
  hn_params_fill(&schema, NULL, NULL, values, d);
  HnNode *map = hn_params_node(&schema, values);
  for (guint i = 0; i < map->keys->len; i++) {
    HnNode *row = hn_node_map("defaults", 0, 0);
    hn_node_set(row, map->keys->pdata[i], hn_node_copy(map->items->pdata[i]));
    g_autofree char *text = hn_node_write(row);
    g_ptr_array_add(lines, g_strconcat("  ", g_strchomp(text), NULL));
    hn_node_free(row);
  }
  hn_node_free(map);
  hn_diag_free(d);
  return lines;
}

static void add_params(GString *out, const HnPlugin *p) {
  g_string_append_printf(out, "%s:\n  plugin: %s\n", hn_kind_name(p->kind), p->name);
  g_autoptr(GPtrArray) lines = default_lines(p);
  HnSchema schema = hn_schema_of(p);
  int width = 0;
  for (guint i = 0; i < lines->len; i++) width = MAX(width, (int)strlen(lines->pdata[i]));
  for (guint i = 0; i < lines->len; i++) {
    const HnParam *param = hn_schema_at(&schema, i);
    g_autofree char *expected = hn_params_expected(param);
    g_string_append_printf(out, "%-*s  # %s. %s\n", width, (const char *)lines->pdata[i], expected,
                           param->doc);
  }
  if (p->flags & HN_WRAPPER)
    g_string_append(out, "  inner: {}  # the environment that it holds: {plugin: .., ..}\n");
}

static void add_columns(GString *out, const HnColumn *columns, const char *title) {
  if (!columns || !columns->name) return;
  int name_width = 0, fold_width = 4;
  for (const HnColumn *c = columns; c->name; c++)
    name_width = MAX(name_width, (int)strlen(c->name));
  g_string_append_printf(out, "# %s:\n", title);
  for (const HnColumn *c = columns; c->name; c++)
    g_string_append_printf(out, "#   %-*s  %-*s  %s%s%s\n", name_width, c->name, fold_width,
                           fold_name(c->fold), c->unit, *c->unit ? ". " : "", c->doc);
}

static bool is_optional(const HnPlugin *p, const HnMethod *m) {
  return !m->required && hn_method_is_offered(p, m);
}

static void add_methods(GString *out, const HnPlugin *p) {
  g_string_append(out, "# optional methods:");
  gsize before = out->len;
  for (const HnMethod *m = hn_methods_of(p->kind); m->name; m++)
    if (is_optional(p, m)) g_string_append_printf(out, "\n#   %-10s  %s", m->name, m->doc);
  g_string_append(out, out->len > before ? "\n" : " none\n");
}

char *hn_describe_text(const HnPlugin *p) {
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "# %s %s (%s) - %s\n", p->name, p->version, hn_kind_name(p->kind),
                         p->summary);
  if (p->source) g_string_append_printf(out, "# source:  %s\n", p->source);
  g_string_append_printf(out, "# license: %s\n", p->license ? p->license : "not stated");
  const char *file = hn_plugins_file(p);
  g_string_append_printf(out, "# file:    %s\n", file ? file : "linked in");
  if (hn_plugins_sha256(p)) g_string_append_printf(out, "# sha256:  %s\n", hn_plugins_sha256(p));
  add_methods(out, p);
  if (p->flags & HN_PRIVILEGED)
    g_string_append(out, "# PRIVILEGED: reads the true task, which a learner is not shown\n");
  if (p->flags & HN_STOCHASTIC)
    g_string_append(out, "# STOCHASTIC: draws its actions in greedy evaluation too\n");
  if (p->flags & HN_WRAPPER)
    g_string_append(out, "# WRAPPER: holds another environment, which `inner` names\n");
  add_params(out, p);
  add_columns(out, p->info, "info, per step; the fold makes one number of an episode");
  add_columns(out, p->metrics, "metrics, per update");
  return g_string_free(out, false);
}

/* ---- JSON ---- */

/* Infinite bounds are left out. */
static void add_json_number(JsonBuilder *b, const HnParam *param, const char *name, double value) {
  if (!isfinite(value)) return;
  if (param->kind == HN_INT && fabs(value) < 9e18)
    hn_json_add_int(b, name, (int64_t)value);
  else
    hn_json_add_real(b, name, value);
}

static void add_json_param(JsonBuilder *b, const HnParam *param) {
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "name", param->name);
  hn_json_add_string(b, "kind", param_kind_name(param->kind));
  hn_json_add_string(b, "unit", param->unit);
  hn_json_add_string(b, "doc", param->doc);
  if (param->kind == HN_REAL || param->kind == HN_INT) {
    add_json_number(b, param, "default", param->preset);
    add_json_number(b, param, "low", param->low);
    add_json_number(b, param, "high", param->high);
  } else if (param->kind == HN_FLAG) {
    hn_json_add_bool(b, "default", param->preset != 0);
  } else {
    hn_json_add_string(b, "default", param->text);
  }
  if (param->kind == HN_CHOICE) {
    g_auto(GStrv) choices = g_strsplit(param->choices, "|", -1);
    hn_json_add_strv(b, "choices", (const char *const *)choices);
  }
  json_builder_end_object(b);
}

void hn_describe_columns(JsonBuilder *b, const char *member, const HnColumn *columns) {
  hn_json_open_array(b, member);
  for (const HnColumn *c = columns; c && c->name; c++) {
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "name", c->name);
    hn_json_add_string(b, "unit", c->unit);
    hn_json_add_string(b, "doc", c->doc);
    hn_json_add_string(b, "fold", fold_name(c->fold));
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

void hn_describe_json(JsonBuilder *b, const HnPlugin *p) {
  g_autofree char *abi = g_strdup_printf("%u.%u", p->abi >> 16, p->abi & 0xFFFF);
  hn_json_add_string(b, "name", p->name);
  hn_json_add_string(b, "kind", hn_kind_name(p->kind));
  hn_json_add_string(b, "version", p->version);
  hn_json_add_string(b, "summary", p->summary);
  hn_json_add_string(b, "source", p->source);
  hn_json_add_string(b, "license", p->license);
  hn_json_add_string(b, "abi", abi);
  hn_json_add_string(b, "file", hn_plugins_file(p));
  hn_json_add_string(b, "sha256", hn_plugins_sha256(p));
  hn_json_add_bool(b, "privileged", (p->flags & HN_PRIVILEGED) != 0);
  hn_json_add_bool(b, "wrapper", (p->flags & HN_WRAPPER) != 0);
  hn_json_open_array(b, "methods");
  for (const HnMethod *m = hn_methods_of(p->kind); m->name; m++)
    if (is_optional(p, m)) hn_json_add_string(b, NULL, m->name);
  json_builder_end_array(b);
  hn_json_open_array(b, "params");
  HnSchema schema = hn_schema_of(p);
  for (guint i = 0; i < schema.count; i++) add_json_param(b, hn_schema_at(&schema, i));
  json_builder_end_array(b);
  hn_describe_columns(b, "info", p->info);
  hn_describe_columns(b, "metrics", p->metrics);
}

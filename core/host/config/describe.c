/* describe.c - a plugin's descriptor, and what the host itself reads, as text and as JSON. */
#include "describe.h"
#include "json.h"
#include "registry.h"
#include "validate.h"
#include <math.h>
#include <string.h>

const HnFlag hn_flags[] = {
    {HN_PRIVILEGED, "privileged", "reads the true task, which a learner is not shown"},
    {HN_ROW_CACHE, "row_cache", "keeps a cache with a slot for each row"},
    {HN_STOCHASTIC, "stochastic", "draws its actions in greedy evaluation too"},
    {HN_WRAPPER, "wrapper", "holds another environment, which `inner` names"},
    {HN_IGNORES_BELIEF, "ignores_belief", "reads no belief that was acted on"},
    {0}};

const char *hn_fold_name(HnFold fold) {
  static const char *const names[] = {"?", "mean", "sum", "max", "last"};
  return names[fold >= HN_MEAN && fold <= HN_LAST ? fold : 0];
}

static const char *param_kind_name(HnParamKind kind) {
  static const char *const names[] = {"?", "real", "int", "flag", "text", "choice", "file"};
  return names[kind >= HN_REAL && kind <= HN_FILE ? kind : 0];
}

/* "  gain: 1", a line for each parameter, as a study would write it. */
static GPtrArray *default_lines(const HnSchema *schema) {
  GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
  HnDiag *d = hn_diag_new(); /* defaults are in range: hn_descriptor_refuse has seen them */
  g_autofree void *values = g_malloc0(schema->size);
  hn_params_fill(schema, NULL, NULL, values, d);
  HnNode *map = hn_params_node(schema, values);
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

char *hn_describe_line(const char *text) {
  return g_strdelimit(g_strdup(text), "\n\r\t\v\f", ' ');
}

static void add_params(GString *out, const HnSchema *schema) {
  g_autoptr(GPtrArray) lines = default_lines(schema);
  int width = 0;
  for (guint i = 0; i < lines->len; i++) width = MAX(width, (int)strlen(lines->pdata[i]));
  for (guint i = 0; i < lines->len; i++) {
    const HnParam *param = hn_schema_at(schema, i);
    g_autofree char *expected = hn_params_expected(param), *doc = hn_describe_line(param->doc);
    g_string_append_printf(out, "%-*s  # %s. %s\n", width, (const char *)lines->pdata[i], expected,
                           doc);
  }
}

static void add_columns(GString *out, const HnColumn *columns, const char *title) {
  if (!columns || !columns->name) return;
  int name_width = 0, fold_width = 4;
  for (const HnColumn *c = columns; c->name; c++)
    name_width = MAX(name_width, (int)strlen(c->name));
  g_string_append_printf(out, "# %s:\n", title);
  for (const HnColumn *c = columns; c->name; c++) {
    g_autofree char *doc = hn_describe_line(c->doc);
    g_string_append_printf(out, "#   %-*s  %-*s  %s%s%s\n", name_width, c->name, fold_width,
                           hn_fold_name(c->fold), c->unit, *c->unit ? ". " : "", doc);
  }
}

bool hn_describes_method(const HnPlugin *p, const HnMethod *m) {
  return !m->required && hn_method_is_offered(p, m);
}

static void add_methods(GString *out, const HnPlugin *p) {
  g_string_append(out, "# optional methods:");
  gsize before = out->len;
  for (const HnMethod *m = hn_methods_of(p->kind); m->name; m++)
    if (hn_describes_method(p, m)) g_string_append_printf(out, "\n#   %-10s  %s", m->name, m->doc);
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
  for (const HnFlag *f = hn_flags; f->name; f++) {
    g_autofree char *name = g_ascii_strup(f->name, -1);
    if (p->flags & f->flag) g_string_append_printf(out, "# %s: %s\n", name, f->doc);
  }
  const HnSchema schema = hn_schema_of(p);
  g_string_append_printf(out, "%s:\n  plugin: %s\n", hn_kind_name(p->kind), p->name);
  add_params(out, &schema);
  if (p->flags & HN_WRAPPER)
    g_string_append(out, "  inner: {}  # the environment that it holds: {plugin: .., ..}\n");
  add_columns(out, p->info, "info, per step; the fold makes one number of an episode");
  add_columns(out, p->metrics, "metrics, per update");
  return g_string_free(out, false);
}

char *hn_describe_block_text(const HnBlock *block) {
  GString *out = g_string_new(NULL);
  const HnSchema schema = block->schema();
  g_string_append_printf(out, "# %s - %s\n%s:\n", block->name, block->doc, block->name);
  add_params(out, &schema);
  return g_string_free(out, false);
}

/* ---- protocols ---- */

#define PROTOCOL_SUMMARY "How an evaluated task is acted in, and which episodes count."

char *hn_describe_protocols_text(void) {
  GString *out = g_string_new("# protocol - " PROTOCOL_SUMMARY "\n");
  int width = 0;
  for (const HnProtocolRow *p = hn_protocol_rows; p->name; p++)
    width = MAX(width, (int)strlen(p->name));
  for (const HnProtocolRow *p = hn_protocol_rows; p->name; p++) {
    g_string_append_printf(out, "#   %-*s  %s; ", width, p->name, p->doc);
    if (p->episodes)
      g_string_append_printf(out, "%" G_GINT64_FORMAT " episodes count by default\n", p->episodes);
    else
      g_string_append(out, "as many episodes as in training\n");
  }
  g_string_append_printf(out, "evaluation:\n  protocol: %s\n", hn_protocol_rows->name);
  return g_string_free(out, false);
}

void hn_describe_protocols(JsonBuilder *b) {
  hn_json_open_array(b, "protocols");
  for (const HnProtocolRow *p = hn_protocol_rows; p->name; p++) {
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "name", p->name);
    hn_json_add_string(b, "doc", p->doc);
    hn_json_add_int(b, "episodes", p->episodes);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
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
    hn_json_add_string(b, "fold", hn_fold_name(c->fold));
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

static void add_json_params(JsonBuilder *b, const HnSchema *schema) {
  hn_json_open_array(b, "params");
  for (guint i = 0; i < schema->count; i++) add_json_param(b, hn_schema_at(schema, i));
  json_builder_end_array(b);
}

/* Names that parameters had, each with the one that it has now. */
static void add_json_renamed(JsonBuilder *b, const HnPlugin *p) {
  g_auto(GStrv) pairs = g_strsplit(p->renamed ? p->renamed : "", " ", -1);
  hn_json_open_object(b, "renamed");
  for (char **pair = pairs; *pair; pair++) {
    g_auto(GStrv) name = g_strsplit(*pair, ":", 2);
    hn_json_add_string(b, name[0], name[1]);
  }
  json_builder_end_object(b);
}

void hn_describe_block(JsonBuilder *b, const HnBlock *block) {
  const HnSchema schema = block->schema();
  hn_json_add_string(b, "name", block->name);
  hn_json_add_string(b, "doc", block->doc);
  add_json_params(b, &schema);
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
  for (const HnFlag *f = hn_flags; f->name; f++)
    hn_json_add_bool(b, f->name, (p->flags & f->flag) != 0);
  hn_json_open_array(b, "methods");
  for (const HnMethod *m = hn_methods_of(p->kind); m->name; m++)
    if (hn_describes_method(p, m)) hn_json_add_string(b, NULL, m->name);
  json_builder_end_array(b);
  const HnSchema schema = hn_schema_of(p);
  add_json_params(b, &schema);
  add_json_renamed(b, p);
  hn_describe_columns(b, "info", p->info);
  hn_describe_columns(b, "metrics", p->metrics);
}

/* describe_markdown.c - a plugin's descriptor as the head of its page: see describe.h. */
#include "describe.h"
#include <string.h>

/* Text for a cell of a table, which is on one line. */
static char *escaped(const char *text) {
  g_autofree char *line = hn_describe_line(text);
  g_auto(GStrv) parts = g_strsplit(line, "|", -1);
  return g_strjoinv("\\|", parts);
}

static void add_fact(GString *out, const char *name, const char *value) {
  g_autofree char *cell = escaped(value);
  g_string_append_printf(out, "| %s | %s |\n", name, cell);
}

static void add_facts(GString *out, const HnPlugin *p) {
  g_autoptr(GString) methods = g_string_new(NULL);
  g_string_append(out, "| | |\n|---|---|\n");
  add_fact(out, "kind", hn_kind_name(p->kind));
  add_fact(out, "version", p->version);
  add_fact(out, "license", p->license ? p->license : "not stated");
  if (p->source) add_fact(out, "source", p->source);
  for (const HnMethod *m = hn_methods_of(p->kind); m->name; m++)
    if (hn_describes_method(p, m))
      g_string_append_printf(methods, "%s`%s`", methods->len ? ", " : "", m->name);
  add_fact(out, "optional methods", methods->len ? methods->str : "none");
  for (const HnFlag *f = hn_flags; f->name; f++)
    if (p->flags & f->flag) add_fact(out, f->name, f->doc);
}

static void add_params(GString *out, const HnPlugin *p) {
  const HnSchema schema = hn_schema_of(p);
  if (schema.count == 0 && !(p->flags & HN_WRAPPER)) return;
  g_string_append(out, "\n| parameter | default | expected | meaning |\n|---|---|---|---|\n");
  for (guint i = 0; i < schema.count; i++) {
    const HnParam *param = hn_schema_at(&schema, i);
    g_autofree char *preset = hn_params_default(param), *expected = hn_params_expected(param);
    g_autofree char *value = escaped(preset), *range = escaped(expected),
                    *doc = escaped(param->doc);
    g_string_append_printf(out, "| `%s` | `%s` | %s | %s |\n", param->name, value, range, doc);
  }
  if (p->flags & HN_WRAPPER)
    g_string_append(out,
                    "| `inner` | | a block `{plugin: .., ..}` | The environment that it holds. "
                    "|\n");
}

static void add_columns(GString *out, const HnColumn *columns, const char *title) {
  if (!columns || !columns->name) return;
  g_string_append_printf(out, "\n| %s | unit | fold | meaning |\n|---|---|---|---|\n", title);
  for (const HnColumn *c = columns; c->name; c++) {
    g_autofree char *doc = escaped(c->doc), *unit = escaped(c->unit);
    g_string_append_printf(out, "| `%s` | %s | %s | %s |\n", c->name, unit, hn_fold_name(c->fold),
                           doc);
  }
}

char *hn_describe_markdown(const HnPlugin *p) {
  GString *out = g_string_new(NULL);
  g_string_append_printf(out, "# %s\n\n%s\n\n", p->name, p->summary);
  add_facts(out, p);
  add_params(out, p);
  add_columns(out, p->info, "info, per step");
  add_columns(out, p->metrics, "metric, per update");
  return g_string_free(out, false);
}

char *hn_describe_markdown_list(const GPtrArray *plugins) {
  static const char *const titles[] = {"", "Environments", "Inference methods", "Policy learners"};
  GString *out = g_string_new(NULL);
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) {
    g_string_append_printf(out, "%s## %s\n\n| plugin | |\n|---|---|\n", out->len ? "\n" : "",
                           titles[kind]);
    for (guint i = 0; i < plugins->len; i++) {
      const HnPlugin *p = ((const HnFound *)plugins->pdata[i])->plugin;
      if (!p || p->kind != kind) continue;
      g_autofree char *summary = escaped(p->summary);
      g_string_append_printf(out, "| [%s](%s.md) | %s", p->name, p->name, summary);
      for (const HnFlag *f = hn_flags; f->name; f++)
        if (p->flags & f->flag & (HN_PRIVILEGED | HN_WRAPPER))
          g_string_append_printf(out, " (%s)", f->name);
      g_string_append(out, " |\n");
    }
  }
  return g_string_free(out, false);
}

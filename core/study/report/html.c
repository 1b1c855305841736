/* html.c - see html.h.  The page is also well-formed XML. */
#include "html.h"
#include "colours.h"
#include "compare_tasks.h"
#include "format.h"
#include "json.h"
#include "page_css.h"
#include <math.h>
#include <stdarg.h>
#include <string.h>

void hn_html_text(GString *out, const char *text) {
  g_autofree char *escaped = g_markup_escape_text(text, -1);
  g_string_append(out, escaped);
}

void hn_html_add(GString *out, const char *format, ...) {
  va_list list;
  va_start(list, format);
  for (const char *at = format, *next; *at; at = next) {
    next = strstr(at, "%s");
    if (!next) next = at + strlen(at);
    g_string_append_len(out, at, next - at);
    if (!*next) break;
    const char *text = va_arg(list, const char *);
    hn_html_text(out, text ? text : "");
    next += 2;
  }
  va_end(list);
}

static void html_count(GString *out, int64_t n) {
  g_string_append_printf(out, "%" G_GINT64_FORMAT, n);
}

/* ---- head ---- */

/* When the last cell was written, or NULL. */
static const char *latest(const HnResults *r) {
  const char *last = NULL;
  for (guint i = 0; i < r->cells->len; i++) {
    const char *time = hn_result_fact(r->cells->pdata[i], "written");
    if (time && (!last || strcmp(time, last) > 0)) last = time;
  }
  return last;
}

static void begin(GString *out, const char *title, int64_t arms, int64_t baseline) {
  hn_html_add(out,
              "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
              "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>%s</title>\n<style>",
              title);
  g_autofree char *light = hn_colour_variables(arms, baseline, false);
  g_autofree char *dark = hn_colour_variables(arms, baseline, true);
  g_string_append_printf(out,
                         "\n%s:root{%s}\n@media (prefers-color-scheme:dark){:root{%s}}\n</style>\n"
                         "</head>\n<body>\n",
                         HN_PAGE_CSS, light, dark);
}

void hn_html_begin(GString *out, const char *title) {
  begin(out, title, 0, -1);
}

void hn_html_end(GString *out) {
  g_string_append(out, "</body>\n</html>\n");
}

void hn_html_head(GString *out, const HnComparison *c) {
  const HnResults *r = c->results;
  begin(out, r->study, r->arm_count, c->baseline);
  hn_html_add(out, "<header><h1>%s</h1>\n<p class=\"quiet\">", r->study);
  html_count(out, r->arm_count);
  g_string_append(out, r->arm_count == 1 ? " arm, " : " arms, ");
  html_count(out, r->seeds);
  g_string_append(out, r->seeds == 1 ? " seed each, " : " paired seeds each, ");
  html_count(out, c->done);
  g_string_append_printf(out, " of %u cells done", r->cells->len);
  const char *last = latest(r);
  if (last) hn_html_add(out, ", last written %s", last);
  g_string_append(out, "</p>\n<p class=\"quiet\">");
  for (guint i = 0; i < c->origin->len; i++) {
    const char *line = c->origin->pdata[i];
    hn_html_add(out, "%s%s", i ? "; " : "", line);
  }
  g_string_append(out, "</p></header>\n");
}

void hn_html_list(GString *out, const GPtrArray *lines) {
  g_string_append(out, "<ul>");
  for (guint i = 0; i < lines->len; i++) hn_html_add(out, "<li>%s</li>", lines->pdata[i]);
  g_string_append(out, "</ul>\n");
}

static void warn_of(GString *out, const HnComparison *c, const GPtrArray *lines, const char *what) {
  if (!lines->len) return;
  g_string_append_printf(out, "<div class=\"box\"><strong>%u of %u cells are %s</strong>",
                         lines->len, c->results->cells->len, what);
  hn_html_list(out, lines);
  g_string_append(out, "</div>\n");
}

void hn_html_warnings(GString *out, const HnComparison *c) {
  warn_of(out, c, c->partial, "in these results as far as they are");
  warn_of(out, c, c->absent, "not in these results");
}

/* ---- tables ---- */

static void interval_cell(GString *out, const HnEstimate *e, HnFormat f) {
  g_autofree char *text = hn_format_interval(e, f);
  hn_html_add(out, "<td>%s</td>", text);
}

/* Draws the difference and its interval on a scale that all arms share, with zero marked. */
static void draw_range(GString *out, const HnComparison *c, const HnCompared *m, int64_t arm) {
  double reach = 0;
  for (int64_t a = 0; a < c->results->arm_count; a++) {
    const HnEstimate *d = &m->estimate[a][HN_DIFFERENCE];
    double ends[] = {d->value, d->low, d->high};
    for (int i = 0; i < 3; i++)
      if (isfinite(ends[i])) reach = fmax(reach, fabs(ends[i]));
  }
  const HnEstimate *d = &m->estimate[arm][HN_DIFFERENCE];
  if (!(reach > 0) || !isfinite(d->value)) {
    g_string_append(out, "<td></td>");
    return;
  }
  double scale = 84 / reach;
  g_string_append(out, "<td><svg class=\"range\" viewBox=\"-90 -8 180 16\">"
                       "<line x1=\"0\" x2=\"0\" y1=\"-8\" y2=\"8\" stroke=\"var(--soft)\"/>");
  if (d->interval != HN_INTERVAL_NONE)
    g_string_append_printf(out,
                           "<line x1=\"%.1f\" x2=\"%.1f\" y1=\"0\" y2=\"0\" stroke-width=\"3\" "
                           "stroke=\"var(--arm-%" G_GINT64_FORMAT ")\"/>",
                           d->low * scale, d->high * scale, arm);
  g_string_append_printf(out,
                         "<circle cx=\"%.1f\" cy=\"0\" r=\"4.5\" fill=\"var(--arm-%" G_GINT64_FORMAT
                         ")\"/></svg></td>",
                         d->value * scale, arm);
}

static void row(GString *out, const HnComparison *c, const HnCompared *m, int64_t a) {
  const HnResults *r = c->results;
  g_string_append_printf(
      out,
      "<tr%s><td><span class=\"dot\" style=\"background:var(--arm-%" G_GINT64_FORMAT ")\"></span>",
      a == c->baseline ? " class=\"base\"" : "", a);
  hn_html_add(out, "%s%s</td><td class=\"n\">", r->arms[a],
              hn_results_privileged(r, a) ? " (oracle)" : "");
  html_count(out, m->estimate[a][HN_VALUE].n);
  g_string_append(out, "</td>");
  for (int k = 0; k < HN_STATISTICS; k++) {
    g_autofree char *shown = hn_format_statistic(c, m, a, k);
    hn_html_add(out, "<td class=\"n\">%s</td>", shown);
    interval_cell(out, &m->estimate[a][k], hn_format_of(m, a, k));
  }
  draw_range(out, c, m, a);
  hn_html_add(out, "<td>%s</td></tr>\n", hn_compared_verdict(m, a));
}

static void table(GString *out, const HnComparison *c, const HnCompared *m) {
  g_autofree char *interval = hn_format_confidence(c), *heading = hn_format_heading(m);
  hn_html_add(out, "<div class=\"wide\"><table><caption>%s <small>%s</small></caption>\n",
              m->column, heading);
  hn_html_add(out, "<thead><tr><th>arm</th><th class=\"n\">seeds</th>");
  for (int k = 0; k < HN_STATISTICS; k++)
    hn_html_add(out, "<th class=\"n\">%s</th><th>%s</th>",
                hn_statistic_heading(&hn_statistics[k], c->stats), interval);
  hn_html_add(out, "<th></th><th></th></tr></thead><tbody>\n");
  for (int64_t a = 0; a < m->arms; a++) row(out, c, m, a);
  g_string_append(out, "</tbody></table></div>\n");
}

void hn_html_tables(GString *out, const HnComparison *c) {
  g_autofree char *methods = hn_format_methods(c);
  hn_html_add(out,
              "<section><h2>Final values</h2>\n<p class=\"quiet\">After training, on held-out "
              "tasks. %s Seeds are the unit; %s.</p>\n",
              hn_aggregate_doc(hn_stats_kind(c->stats)), methods);
  if (c->columns->len == 0) g_string_append(out, "<p>No done cell has an evaluation yet.</p>\n");
  for (guint i = 0; i < c->columns->len; i++) table(out, c, c->columns->pdata[i]);
  if (c->notes->len) {
    g_string_append(out, "<div class=\"box note\">");
    hn_html_list(out, c->notes);
    g_string_append(out, "</div>\n");
  }
  g_string_append(out, "</section>\n");
}

/* ---- by task ---- */

static void task_row(GString *out, const HnComparison *c, const HnCompared *m, bool last) {
  hn_html_add(out, last ? "<tr class=\"base\"><th>%s</th>" : "<tr><td>%s</td>", m->column);
  for (int64_t a = 0; a < c->results->arm_count; a++) {
    HnFormat f = hn_format_of(m, a, HN_VALUE);
    f.written = true; /* rows have no heading */
    g_autofree char *value = hn_format_number(m->estimate[a][HN_VALUE].value, f);
    hn_html_add(out, "<td class=\"n\">%s</td>", value);
    interval_cell(out, &m->estimate[a][HN_VALUE], f);
  }
  g_string_append(out, "</tr>\n");
}

static void task_table(GString *out, const HnComparison *c, const HnTaskComparison *b) {
  hn_html_add(
      out,
      "<div class=\"wide\"><table><caption>%s <small>split %s</small></caption>\n<thead><tr>"
      "<th>task</th>",
      b->column, b->split);
  for (int64_t a = 0; a < c->results->arm_count; a++) {
    g_string_append_printf(
        out,
        "<th class=\"n\"><span class=\"dot\" style=\"background:var(--arm-%" G_GINT64_FORMAT
        ")\"></span>",
        a);
    hn_html_add(out, "%s</th><th></th>", c->results->arms[a]);
  }
  g_string_append(out, "</tr></thead><tbody>\n");
  for (guint i = 0; i < b->rows->len; i++)
    task_row(out, c, b->rows->pdata[i], i + 1 == b->rows->len);
  for (guint i = 0; i < b->scores->len; i++) task_row(out, c, b->scores->pdata[i], false);
  g_string_append(out, "</tbody></table></div>\n");
}

void hn_html_tasks(GString *out, const HnComparison *c, const GPtrArray *all, const char *csv) {
  if (!all->len) return;
  hn_html_add(out,
              "<section><h2>By task</h2>\n<p class=\"quiet\">Episodes that counted in the last "
              "evaluation, %s over seeds with intervals as above; <a href=\"%s\">csv</a></p>\n",
              hn_aggregate_name(hn_stats_kind(c->stats)), csv);
  for (guint i = 0; i < all->len; i++) task_table(out, c, all->pdata[i]);
  g_string_append(out, "</section>\n");
}

/* ---- origin ---- */

/* A member of run.json that is a text or a count, else ""; free with g_free. */
static char *fact_text(const HnResult *c, const char *path) {
  JsonNode *n = hn_result_member(c, path);
  if (!n || !JSON_NODE_HOLDS_VALUE(n)) return g_strdup("");
  if (json_node_get_value_type(n) == G_TYPE_STRING) return g_strdup(json_node_get_string(n));
  if (json_node_get_value_type(n) != G_TYPE_INT64) return g_strdup("");
  return g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(n));
}

/* A row with every distinct value of a fact among the done cells; nothing if there is none. */
static void fact_row(GString *out, const HnResults *r, const char *what, const char *path) {
  g_autoptr(GString) all = g_string_new(NULL);
  g_autoptr(GPtrArray) seen = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < r->cells->len; i++) {
    const HnResult *cell = r->cells->pdata[i];
    g_autofree char *text = hn_result_done(cell) ? fact_text(cell, path) : g_strdup("");
    if (!*text || g_ptr_array_find_with_equal_func(seen, text, g_str_equal, NULL)) continue;
    g_string_append_printf(all, "%s%s", seen->len ? ", " : "", text);
    g_ptr_array_add(seen, g_steal_pointer(&text));
  }
  if (seen->len)
    hn_html_add(out, "<tr><th>%s</th><td class=\"wrap\">%s</td></tr>\n", what, all->str);
}

static char *plugin_fact(const HnResult *c, const char *kind, const char *name) {
  g_autofree char *path = g_strdup_printf("plugins.%s.%s", kind, name);
  return fact_text(c, path);
}

/* A row for a plugin of a cell, unless there is one. */
static void plugin_row(GString *out, GHashTable *seen, const HnResult *cell, const char *plugin) {
  g_autofree char *name = plugin_fact(cell, plugin, "name");
  g_autofree char *version = plugin_fact(cell, plugin, "version");
  g_autofree char *sha256 = plugin_fact(cell, plugin, "sha256");
  g_autofree char *begins = g_strndup(sha256, 16);
  if (*name && g_hash_table_add(seen, g_strconcat(plugin, name, NULL)))
    hn_html_add(out, "<tr><th>%s</th><td class=\"wrap\">%s %s%s<code>%s</code>%s</td></tr>\n",
                plugin, name, version, *begins ? ", sha256 " : "", begins,
                hn_result_unchecked(cell, plugin) ? ", unchecked" : "");
}

static void plugin_rows(GString *out, const HnResults *r) {
  static const char *const kinds[] = {"env", "inference", "policy"};
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++)
    for (guint i = 0; i < r->cells->len; i++) {
      const HnResult *cell = r->cells->pdata[i];
      g_auto(GStrv) plugins = hn_result_plugins(cell);
      for (char **p = plugins; *p && hn_result_done(cell); p++)
        if (g_str_has_prefix(*p, kinds[k])) plugin_row(out, seen, cell, *p);
    }
}

static double total_hours(const HnResults *r) {
  double seconds = 0;
  for (guint i = 0; i < r->cells->len; i++) {
    HnResult *cell = r->cells->pdata[i];
    seconds += hn_json_real(cell->facts, "seconds", 0);
  }
  return seconds / 3600;
}

void hn_html_origin(GString *out, const HnComparison *c) {
  const HnResults *r = c->results;
  g_string_append(out, "<section><h2>How to run it again</h2>\n<pre>hunch run study.yaml");
  for (char **o = r->overrides; *o; o++) {
    g_autofree char *quoted =
        strpbrk(*o, " \t'\"\\$`*?[]{}();&|<>~#!") ? g_shell_quote(*o) : g_strdup(*o);
    hn_html_add(out, " %s", quoted);
  }
  g_string_append(out,
                  "</pre>\n<p class=\"quiet\">with the study file below, this version of hunch "
                  "and these plugins. The same machine gives the same bits.</p>\n"
                  "<div class=\"wide\"><table><tbody>\n");
  static const char *const facts[][2] = {{"hunch", "hunch"},
                                         {"commit", "commit"},
                                         {"processor", "cpu"},
                                         {"instruction set", "isa"},
                                         {"BLAS kernel", "blas"},
                                         {"host", "host"},
                                         {"operating system", "kernel"},
                                         {"workers", "workers"}};
  for (guint i = 0; i < G_N_ELEMENTS(facts); i++) fact_row(out, r, facts[i][0], facts[i][1]);
  plugin_rows(out, r);
  g_autofree char *hours = g_strdup_printf("%.2f", total_hours(r));
  g_autofree char *root = g_strdup_printf("%" G_GINT64_FORMAT, r->root);
  hn_html_add(out,
              "<tr><th>cell hours</th><td>%s</td></tr>\n<tr><th>root seed</th><td>%s</td></tr>\n",
              hours, root);
  g_string_append(out, "</tbody></table></div>\n");
  hn_html_add(out, "<details><summary>%s</summary><pre>%s</pre></details>\n</section>\n",
              *r->file ? r->file : "study.yaml", r->source);
}

/* ---- cells ---- */

/* Where `path` is, seen from the folder of `page`. */
static char *relative(const char *page, const char *path) {
  g_autofree char *from = g_canonicalize_filename(page, NULL);
  g_autofree char *to = g_canonicalize_filename(path, NULL);
  g_auto(GStrv) a = g_strsplit(from, "/", -1), b = g_strsplit(to, "/", -1);
  guint same = 0, depth = g_strv_length(a) - 1;
  while (same < depth && b[same] && g_str_equal(a[same], b[same])) same++;
  GString *out = g_string_new(NULL);
  for (guint i = same; i < depth; i++) g_string_append(out, "../");
  for (guint i = same; b[i]; i++) {
    g_autofree char *part = g_uri_escape_string(b[i], NULL, FALSE);
    g_string_append_printf(out, "%s%s", i > same ? "/" : "", part);
  }
  return g_string_free(out, FALSE);
}

static void cell_row(GString *out, const HnResult *cell, const char *page) {
  g_autofree char *name = g_strdup_printf("%s/%" G_GINT64_FORMAT, cell->arm, cell->seed_index);
  g_autofree char *seed = fact_text(cell, "seed"), *frames = fact_text(cell, "frames");
  g_autofree char *seconds =
      cell->facts ? g_strdup_printf("%.0f", hn_json_real(cell->facts, "seconds", 0)) : g_strdup("");
  g_autofree char *dir = relative(page, cell->dir);
  hn_html_add(out,
              "<tr><td>%s</td><td>%s</td><td class=\"wrap\">%s%s%s</td><td class=\"n\">%s</td>"
              "<td class=\"n\">%s</td><td>",
              name, seed, cell->status, cell->reason ? ": " : "", cell->reason, frames, seconds);
  g_auto(GStrv) files = hn_result_files(cell);
  for (char **f = files; *f; f++) hn_html_add(out, "<a href=\"%s/%s\">%s</a> ", dir, *f, *f);
  g_string_append(out, "</td></tr>\n");
}

void hn_html_cells(GString *out, const HnComparison *c, const char *page) {
  g_string_append(out, "<section><h2>Cells</h2>\n<details><summary>Every cell with its files"
                       "</summary><div class=\"wide\"><table><thead><tr><th>cell</th><th>seed</th>"
                       "<th>status</th><th class=\"n\">frames</th><th class=\"n\">seconds</th>"
                       "<th>files</th></tr></thead><tbody>\n");
  for (guint i = 0; i < c->results->cells->len; i++)
    cell_row(out, c->results->cells->pdata[i], page);
  g_string_append(out, "</tbody></table></div></details></section>\n");
}

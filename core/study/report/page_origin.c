/* page_origin.c - see page_origin.h. */
#include "page_origin.h"
#include "html.h"
#include "json.h"
#include "lengths.h"
#include <inttypes.h>
#include <string.h>

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
                hn_result_unchecked(cell, plugin) ? ", no passed check on record" : "");
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

/* Whether a cell has a plugin that the study gives by its file. */
static bool any_by_path(const HnResults *r) {
  for (guint i = 0; i < r->cells->len; i++) {
    const HnResult *cell = r->cells->pdata[i];
    g_auto(GStrv) plugins = hn_result_plugins(cell);
    for (char **p = plugins; *p && cell->config; p++) {
      g_autofree char *path = g_strconcat(*p, ".plugin", NULL);
      const HnNode *n = hn_node_at(cell->config, path);
      if (n && n->kind == HN_NODE_TEXT && strchr(n->text, '/')) return true;
    }
  }
  return false;
}

/* ---- commands ---- */

/* An argument of a command, as a shell takes it. */
static void add_argument(GString *out, const char *text) {
  g_autofree char *quoted =
      strpbrk(text, " \t'\"\\$`*?[]{}();&|<>~#!") ? g_shell_quote(text) : g_strdup(text);
  hn_html_add(out, " %s", quoted);
}

/* frames: instead of what the study was run with; -1: as that. */
static void add_command(GString *out, const HnResults *r, int64_t frames) {
  g_string_append(out, "hunch run study.yaml");
  for (char **o = r->overrides; *o; o++)
    if (frames < 0 || !hn_lengths_override(*o)) add_argument(out, *o);
  if (frames >= 0) g_string_append_printf(out, " run.frames=%" PRId64, frames);
}

/* run.frames of an arm's cells, where they are done and fewer than the study asks for; else -1.
 * Within an arm they are the same, or there is no comparison. */
static int64_t ended_at(const HnResults *r, const HnLengths *l, int64_t arm) {
  for (int64_t s = 0; s < r->seeds; s++)
    if (hn_length_is_short(r, l, (guint)(arm * r->seeds + s))) return l->is[arm * r->seeds + s];
  return -1;
}

/* The least of them above `above`, or -1. */
static int64_t next_length(const HnResults *r, const HnLengths *l, int64_t above) {
  int64_t next = -1;
  for (int64_t a = 0; a < r->arm_count; a++) {
    const int64_t n = ended_at(r, l, a);
    if (n > above && (next < 0 || n < next)) next = n;
  }
  return next;
}

/* A command for the arms that ended at so many frames, if there are any; adds their names to
 * `names`, or NULL. */
static void add_arms(GString *out, const HnResults *r, const HnLengths *l, int64_t frames,
                     GPtrArray *names) {
  bool any = false;
  for (int64_t a = 0; a < r->arm_count; a++) {
    if (ended_at(r, l, a) != frames) continue;
    if (!any) add_command(out, r, frames);
    any = true;
    g_string_append(out, " --arm");
    add_argument(out, r->arms[a]);
    if (names) g_ptr_array_add(names, r->arms[a]);
  }
  if (any) g_string_append_c(out, '\n');
}

/* What to type; shorter runs come first, as a folder's cells do not become shorter. */
static void add_again(GString *out, const HnResults *r) {
  g_auto(HnLengths) l = hn_lengths_new(r);
  g_autoptr(GString) said = g_string_new(NULL);
  g_string_append(out, "<pre>");
  for (int64_t n = next_length(r, &l, -1); n >= 0; n = next_length(r, &l, n)) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    add_arms(out, r, &l, n, names);
    g_ptr_array_add(names, NULL);
    g_autofree char *arms = g_strjoinv(", ", (char **)names->pdata);
    g_autofree char *frames = g_strdup_printf("%" PRId64, n);
    hn_html_add(said, " Cells of %s were run to %s frames, fewer than the study asks for.", arms,
                frames);
  }
  if (l.shorter)
    add_arms(out, r, &l, -1, NULL);
  else
    add_command(out, r, -1);
  g_string_append_printf(out,
                         "</pre>\n<p class=\"quiet\">with the study file below, this version of "
                         "hunch and these plugins.%s The same machine gives the same bits.",
                         said->str);
}

void hn_html_origin(GString *out, const HnComparison *c) {
  const HnResults *r = c->results;
  g_string_append(out, "<section id=\"again\"><h2>How to run it again</h2>\n");
  add_again(out, r);
  if (any_by_path(r))
    g_string_append(out,
                    " Plugins that it gives by a path are looked for from its own folder: keep the "
                    "file where it was, or give their full paths.");
  g_string_append(out, "</p>\n"
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

/* Whether a page lies in the study's folder. */
static bool is_within(const char *page, const char *folder) {
  g_autofree char *file = g_canonicalize_filename(page, NULL);
  g_autofree char *above = g_canonicalize_filename(folder, NULL);
  return g_str_has_prefix(file, above) && file[strlen(above)] == '/';
}

/* page: where to link from; NULL: files are named only. */
static void cell_row(GString *out, const HnResult *cell, const char *page) {
  g_autofree char *name = g_strdup_printf("%s/%" G_GINT64_FORMAT, cell->arm, cell->seed_index);
  g_autofree char *seed = fact_text(cell, "seed"), *frames = fact_text(cell, "frames");
  g_autofree char *seconds =
      cell->facts ? g_strdup_printf("%.0f", hn_json_real(cell->facts, "seconds", 0)) : g_strdup("");
  g_autofree char *dir = page ? relative(page, cell->dir) : NULL;
  hn_html_add(out,
              "<tr><th>%s</th><td>%s</td><td class=\"wrap\">%s%s%s</td><td class=\"n\">%s</td>"
              "<td class=\"n\">%s</td><td>",
              name, seed, cell->status, cell->reason ? ": " : "", cell->reason, frames, seconds);
  g_auto(GStrv) files = hn_result_files(cell);
  for (char **f = files; *f; f++)
    if (dir)
      hn_html_add(out, "<a href=\"%s/%s\">%s</a> ", dir, *f, *f);
    else
      hn_html_add(out, "%s ", *f);
  g_string_append(out, "</td></tr>\n");
}

void hn_html_cells(GString *out, const HnComparison *c, const char *page) {
  const bool linked = is_within(page, c->results->dir);
  g_string_append(out, "<section id=\"cells\"><h2>Cells</h2>\n");
  if (!linked)
    hn_html_add(out,
                "<p class=\"quiet\">In the folder of %s, which this page is not in: no links, as "
                "they would not outlive a move.</p>\n",
                c->results->study);
  g_string_append(out, "<details><summary>Every cell with its files</summary>"
                       "<div class=\"wide\"><table><thead><tr><th>cell</th><th>seed</th>"
                       "<th>status</th><th class=\"n\">frames</th><th class=\"n\">seconds</th>"
                       "<th>files</th></tr></thead><tbody>\n");
  for (guint i = 0; i < c->results->cells->len; i++)
    cell_row(out, c->results->cells->pdata[i], linked ? page : NULL);
  g_string_append(out, "</tbody></table></div></details></section>\n");
}

/* report.c - see report.h. */
#include "report.h"
#include "figure.h"
#include "html.h"
#include "output_file.h"
#include "render_csv.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

static const char *const headings[HN_FIGURE_GROUPS] = {
    [HN_FIGURE_SWEEP] = "Swept parameters",
    [HN_FIGURE_LEARNING] = "Learning",
    [HN_FIGURE_PREDICTION] = "Held-out predictions by length of context",
    [HN_FIGURE_BELIEF] = "The belief by length of context",
    [HN_FIGURE_ADAPTATION] = "Adaptation within a trial",
    [HN_FIGURE_TRIAL] = "Beliefs along a trial",
    [HN_FIGURE_OTHER] = "Other curves"};

static void figure(GString *out, const HnFigure *f, const char *svg, const char *folder) {
  hn_html_add(out, "<figure id=\"figure-%s\"", f->name);
  if (f->kind->wide) g_string_append(out, " class=\"row\"");
  hn_html_add(out, "><figcaption>%s <small>%s: %s", f->title, f->column, f->note);
  for (const char *const *e = (const char *const[]){"svg", "pdf", "csv", NULL}; *e; e++)
    hn_html_add(out, " <a href=\"%s/%s.%s\">%s</a>", folder, f->name, *e, *e);
  g_string_append_printf(out, "</small></figcaption>%s</figure>\n", svg);
}

static void figures(GString *out, const GPtrArray *all, char **svg, const char *folder) {
  for (int g = 0; g < HN_FIGURE_GROUPS; g++) {
    bool open = false;
    for (guint i = 0; i < all->len; i++) {
      const HnFigure *f = all->pdata[i];
      if ((int)f->group != g) continue;
      if (!open) {
        hn_html_add(out, "<section><h2>%s</h2>\n", headings[g]);
        if (g == HN_FIGURE_OTHER)
          g_string_append(out, "<details><summary>Every other column of metrics.csv</summary>\n");
        g_string_append(out, "<div class=\"plots\">\n");
      }
      open = true;
      figure(out, f, svg[i], folder);
    }
    if (open)
      g_string_append(out,
                      g == HN_FIGURE_OTHER ? "</div></details></section>\n" : "</div></section>\n");
  }
}

/* "report.html" keeps its plots in "report", and so on. */
static char *plot_folder(const char *path) {
  const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
  if (dot && dot > (slash ? slash : path)) return g_strndup(path, (gsize)(dot - path));
  return g_strconcat(path, ".plots", NULL);
}

static bool write_tasks(const HnComparison *c, const GPtrArray *tasks, const char *folder,
                        GError **error) {
  g_autofree char *path = g_build_filename(folder, "tasks.csv", NULL);
  g_autofree char *text = hn_render_csv_tasks(c, tasks);
  return g_file_set_contents(path, text, -1, error);
}

static bool make_folder(const char *folder, GError **error) {
  if (g_mkdir_with_parents(folder, 0777) == 0) return true;
  const int code = errno;
  g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code), "%s: %s", folder,
              g_strerror(code));
  return false;
}

bool hn_report_write(const HnComparison *c, const char *output, GError **error) {
  g_autofree char *path = hn_output_path(output, error);
  if (!path) return false;
  g_autofree char *folder = plot_folder(path), *name = g_path_get_basename(folder);
  g_autofree char *href = g_uri_escape_string(name, NULL, TRUE);
  g_autofree char *link = g_strconcat(href, "/tasks.csv", NULL);
  if (!make_folder(folder, error)) return false;
  g_autoptr(GPtrArray) all = hn_figures(c), tasks = NULL;
  g_auto(GStrv) svg = hn_figures_draw(all, c->baseline, folder, error);
  if (!svg || !(tasks = hn_compare_tasks(c, error))) return false;
  if (tasks->len && !write_tasks(c, tasks, folder, error)) return false;
  g_autoptr(GString) out = g_string_new(NULL);
  hn_html_head(out, c);
  hn_html_warnings(out, c);
  hn_html_tables(out, c);
  hn_html_tasks(out, c, tasks, link);
  figures(out, all, svg, href);
  hn_html_origin(out, c);
  hn_html_cells(out, c, path);
  g_string_append(out, "</body>\n</html>\n");
  return g_file_set_contents(path, out->str, (gssize)out->len, error);
}

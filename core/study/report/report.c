/* report.c - see report.h. */
#include "report.h"
#include "figure.h"
#include "html.h"
#include "output_file.h"
#include "page_origin.h"
#include "page_tables.h"
#include "page_top.h"
#include "render_csv.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

static const struct {
  const char *id, *heading;
} groups[HN_FIGURE_GROUPS] = {
    [HN_FIGURE_FINDING] = {"decides", "What decides"},
    [HN_FIGURE_SWEEP] = {"sweep", "Swept parameters"},
    [HN_FIGURE_LEARNING] = {"learning", "Learning"},
    [HN_FIGURE_PREDICTION] = {"predictions", "Held-out predictions by length of context"},
    [HN_FIGURE_BELIEF] = {"beliefs", "The belief by length of context"},
    [HN_FIGURE_ADAPTATION] = {"adaptation", "Adaptation within a trial"},
    [HN_FIGURE_TRIAL] = {"trials", "Beliefs along a trial"},
    [HN_FIGURE_OTHER] = {"others", "Every other column of metrics.csv"},
    [HN_FIGURE_CONSTANT] = {"constants", "Columns that never change"}};

typedef struct Page {
  const HnComparison *c;
  const GPtrArray *figures;
  char **svg;
  const char *folder; /* of the figures' files, as a link */
  bool pdf;
} Page;

static guint count_of(const Page *p, int group) {
  guint n = 0;
  for (guint i = 0; i < p->figures->len; i++)
    n += (int)((const HnFigure *)p->figures->pdata[i])->group == group;
  return n;
}

/* ---- contents ---- */

static void entry(GString *out, const char *id, const char *text, guint count) {
  hn_html_add(out, "<li><a href=\"#%s\">%s</a>", id, text);
  if (count) g_string_append_printf(out, " <small>%u</small>", count);
  g_string_append(out, "</li>");
}

static void contents(GString *out, const Page *p, bool tasks) {
  g_string_append(out, "<nav aria-label=\"Contents\"><ul>");
  if (p->c->results->arm_count > 1) entry(out, "arms", "Arms", 0);
  if (count_of(p, HN_FIGURE_FINDING)) entry(out, "decides", groups[HN_FIGURE_FINDING].heading, 0);
  entry(out, "values", "Final values", 0);
  if (tasks) entry(out, "tasks", "By task", 0);
  for (int g = HN_FIGURE_SWEEP; g < HN_FIGURE_GROUPS; g++)
    if (count_of(p, g)) entry(out, groups[g].id, groups[g].heading, count_of(p, g));
  entry(out, "again", "How to run it again", 0);
  entry(out, "cells", "Cells", 0);
  g_string_append(out, "</ul></nav>\n");
}

/* ---- figures ---- */

static void figure(GString *out, const Page *p, guint i) {
  static const char *const endings[] = {"svg", "csv", "pdf"};
  const HnFigure *f = p->figures->pdata[i];
  hn_html_add(out, "<figure id=\"figure-%s\"", f->name);
  if (f->kind->wide) g_string_append(out, " class=\"row\"");
  hn_html_add(out, "><figcaption>%s <small>%s: %s", f->title, f->column, f->note);
  for (guint e = 0; e < (p->pdf ? 3 : 2); e++)
    hn_html_add(out, " <a href=\"%s/%s.%s\">%s</a>", p->folder, f->name, endings[e], endings[e]);
  g_string_append_printf(out, "</small></figcaption>%s</figure>\n", p->svg[i]);
}

static void group(GString *out, const Page *p, int g) {
  const guint count = count_of(p, g);
  if (!count) return;
  g_string_append(out,
                  g == HN_FIGURE_FINDING ? "<section><details open=\"\">" : "<section><details>");
  hn_html_add(out, "<summary><h2>%s</h2></summary>", groups[g].heading);
  hn_html_add(out, "<div class=\"plots\" id=\"%s\">\n", groups[g].id); /* going there unfolds it */
  for (guint i = 0; i < p->figures->len; i++)
    if ((int)((const HnFigure *)p->figures->pdata[i])->group == g) figure(out, p, i);
  g_string_append(out, "</div></details></section>\n");
}

/* A line each. */
static void constants(GString *out, const Page *p) {
  if (!count_of(p, HN_FIGURE_CONSTANT)) return;
  hn_html_add(out, "<section id=\"%s\"><h2>%s</h2>\n<ul>", groups[HN_FIGURE_CONSTANT].id,
              groups[HN_FIGURE_CONSTANT].heading);
  for (guint i = 0; i < p->figures->len; i++) {
    const HnFigure *f = p->figures->pdata[i];
    if (f->group == HN_FIGURE_CONSTANT)
      hn_html_add(out, "<li><code>%s</code>: %s</li>", f->column, f->note);
  }
  g_string_append(out, "</ul></section>\n");
}

static void about_files(GString *out, const Page *p) {
  hn_html_add(
      out,
      "<p class=\"quiet\">Figures are in the page; as files for papers, with their numbers, "
      "they are in the folder %s beside it.",
      p->folder);
  if (!p->pdf)
    g_string_append(out, " There are no PDF files, as this gnuplot writes none: it lacks pdfcairo "
                         "(Debian: apt install gnuplot-nox).");
  g_string_append(out, "</p>\n");
}

/* ---- the page ---- */

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

static void write_page(GString *out, const Page *p, const GPtrArray *tasks, const char *path) {
  const HnComparison *c = p->c;
  g_autofree char *csv = g_strconcat(p->folder, "/tasks.csv", NULL);
  hn_html_begin(out, c->results->study);
  hn_html_top(out, c);
  contents(out, p, tasks->len);
  hn_html_warnings(out, c);
  hn_html_arms(out, c);
  group(out, p, HN_FIGURE_FINDING);
  hn_html_tables(out, c);
  hn_html_tasks(out, c, tasks, csv);
  for (int g = HN_FIGURE_SWEEP; g < HN_FIGURE_CONSTANT; g++) group(out, p, g);
  constants(out, p);
  about_files(out, p);
  hn_html_origin(out, c);
  hn_html_cells(out, c, path);
  hn_html_end(out);
}

bool hn_report_write(const HnComparison *c, const char *output, GError **error) {
  g_autofree char *path = hn_output_path(output, error);
  if (!path) return false;
  g_autofree char *folder = plot_folder(path), *name = g_path_get_basename(folder);
  g_autofree char *href = g_uri_escape_string(name, NULL, TRUE);
  if (!make_folder(folder, error)) return false;
  Page p = {.c = c, .folder = href};
  g_autoptr(GPtrArray) all = hn_figures(c), tasks = NULL;
  g_auto(GStrv) svg = hn_figures_draw(all, &c->results->report, folder, &p.pdf, error);
  if (!svg || !(tasks = hn_compare_tasks(c, error))) return false;
  if (tasks->len && !write_tasks(c, tasks, folder, error)) return false;
  p.figures = all, p.svg = svg;
  g_autoptr(GString) out = g_string_new(NULL);
  write_page(out, &p, tasks, path);
  return g_file_set_contents(path, out->str, (gssize)out->len, error);
}

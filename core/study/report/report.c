/* report.c - puts the page of a report together. */
#include "report.h"
#include "draw_curves.h"
#include "html.h"
#include "render_csv.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

static const char *const headings[HN_FIGURE_GROUPS] = {
    [HN_FIGURE_LEARNING] = "Learning",
    [HN_FIGURE_PREDICTION] = "Held-out predictions by length of context",
    [HN_FIGURE_BELIEF] = "The belief by length of context",
    [HN_FIGURE_ADAPTATION] = "Adaptation within a trial",
    [HN_FIGURE_TRIAL] = "Beliefs along a trial",
    [HN_FIGURE_OTHER] = "Other curves"};

static gint64 seeds_of(const HnFigure *f) {
  gint64 seeds = 0;
  for (gint64 a = 0; a < f->arms; a++)
    if (f->curve[a]) seeds = MAX(seeds, f->curve[a]->seeds);
  return seeds;
}

static void figure(GString *out, const HnComparison *c, const HnFigure *f, const char *svg,
                   const char *folder) {
  gint64 seeds = seeds_of(f);
  char *band = f->note ? g_strdup(f->note)
               : seeds < HN_STATS_SEEDS_MIN
                   ? g_strdup(seeds == 1 ? "one seed, no interval" : "thin lines: single seeds")
               : f->quartiles ? g_strdup_printf("%s over seeds and their quartiles",
                                                hn_aggregate_name(hn_stats_kind(c->stats)))
                              : g_strdup_printf("%s over seeds and %g %% interval",
                                                hn_aggregate_name(hn_stats_kind(c->stats)),
                                                100 * hn_stats_confidence(c->stats));
  char *merged =
      f->merged > 1
          ? g_strdup_printf("; up to %" G_GINT64_FORMAT " neighbouring points averaged", f->merged)
          : g_strdup("");
  hn_html(out, "<figure id=\"figure-%s\"", f->name);
  if (f->pictures || f->panels) g_string_append(out, " class=\"row\"");
  hn_html(out, "><figcaption>%s <small>%s: %s%s", f->title, f->column, band, merged);
  for (const char *const *e = (const char *const[]){"svg", "pdf", "csv", NULL}; *e; e++)
    hn_html(out, " <a href=\"%s/%s.%s\">%s</a>", folder, f->name, *e, *e);
  g_string_append_printf(out, "</small></figcaption>%s</figure>\n", svg);
  g_free(band);
  g_free(merged);
}

static void figures(GString *out, const HnComparison *c, const GPtrArray *all, char **svg,
                    const char *folder) {
  for (int g = 0; g < HN_FIGURE_GROUPS; g++) {
    bool open = false;
    for (guint i = 0; i < all->len; i++) {
      const HnFigure *f = all->pdata[i];
      if ((int)f->group != g) continue;
      if (!open) {
        hn_html(out, "<section><h2>%s</h2>\n", headings[g]);
        if (g == HN_FIGURE_OTHER)
          g_string_append(out, "<details><summary>Every other column of metrics.csv</summary>\n");
        g_string_append(out, "<div class=\"plots\">\n");
      }
      open = true;
      figure(out, c, f, svg[i], folder);
    }
    if (open)
      g_string_append(out,
                      g == HN_FIGURE_OTHER ? "</div></details></section>\n" : "</div></section>\n");
  }
}

/* "report.html" keeps its plots in "report", and so on. */
static char *plot_folder(const char *path) {
  char *folder = g_strdup(path), *dot = strrchr(folder, '.'), *slash = strrchr(folder, '/');
  if (dot && dot > (slash ? slash : folder)) {
    *dot = '\0';
    return folder;
  }
  char *other = g_strconcat(folder, ".plots", NULL);
  g_free(folder);
  return other;
}

static bool write_tasks(const HnComparison *c, const GPtrArray *tasks, const char *folder,
                        GError **error) {
  g_autofree char *path = g_build_filename(folder, "tasks.csv", NULL);
  g_autofree char *text = hn_render_csv_tasks(c, tasks);
  return g_file_set_contents(path, text, -1, error);
}

bool hn_report_write(const HnResults *r, const char *path, GError **error) {
  HnComparison *c = hn_compare(r, NULL, NULL, error);
  if (!c) return false;
  g_autofree char *folder = plot_folder(path);
  g_autofree char *name = g_path_get_basename(folder);
  g_autofree char *href = g_uri_escape_string(name, NULL, TRUE);
  if (g_mkdir_with_parents(folder, 0777) != 0) {
    int code = errno;
    g_set_error(error, G_FILE_ERROR, (int)g_file_error_from_errno(code), "%s: %s", folder,
                g_strerror(code));
    hn_comparison_free(c);
    return false;
  }
  g_autoptr(GPtrArray) all = hn_figures(c);
  char **svg = hn_plots_draw(all, r, c->baseline, folder, error);
  GPtrArray *tasks = svg ? hn_compare_tasks(c, error) : NULL;
  g_autofree char *link = g_strconcat(href, "/tasks.csv", NULL);
  bool ok = tasks && (!tasks->len || write_tasks(c, tasks, folder, error));
  if (ok) {
    GString *out = g_string_new(NULL);
    hn_report_head(out, c);
    hn_report_warnings(out, c);
    hn_report_tables(out, c);
    hn_report_tasks(out, c, tasks, link);
    figures(out, c, all, svg, href);
    hn_report_origin(out, c);
    hn_report_cells(out, c, path);
    g_string_append(out, "</body>\n</html>\n");
    ok = g_file_set_contents(path, out->str, (gssize)out->len, error);
    g_string_free(out, TRUE);
  }
  g_strfreev(svg);
  if (tasks) g_ptr_array_unref(tasks);
  hn_comparison_free(c);
  return ok;
}

/* figure.c - see figure.h. */
#include "figure.h"
#include "gnuplot.h"
#include "svg.h"
#include <string.h>

#define ADDRESS(name) &hn_figure_##name,
static const HnFigureKind *const kinds[] = {HN_FIGURE_KINDS(ADDRESS)};

/* ---- the list ---- */

static void figure_free(gpointer p) {
  HnFigure *f = p;
  f->kind->free(f->data);
  g_free(f);
}

GPtrArray *hn_figures(const HnComparison *c) {
  GPtrArray *figures = g_ptr_array_new_with_free_func(figure_free);
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) kinds[k]->gather(figures, c);
  return figures;
}

/* Whether `name` is `stem`, or that with a number that tells it from others. */
static bool is_of_stem(const char *name, const char *stem) {
  const gsize n = strlen(stem);
  return g_ascii_strncasecmp(name, stem, n) == 0 && (name[n] == 0 || name[n] == '+');
}

const HnFigure *hn_figure_find(const GPtrArray *figures, const char *name, const char *column) {
  for (guint i = 0; i < figures->len; i++) {
    const HnFigure *f = figures->pdata[i];
    if (is_of_stem(f->name, name) && (!column || g_str_equal(f->column, column))) return f;
  }
  return NULL;
}

/* The stem of a figure's files, which no other has, in any case of letters: "x", "x+2", .. */
static char *free_stem(const GPtrArray *figures, const char *name) {
  guint same = 1;
  for (guint i = 0; i < figures->len; i++)
    same += is_of_stem(((const HnFigure *)figures->pdata[i])->name, name);
  return same > 1 ? g_strdup_printf("%s+%u", name, same) : g_strdup(name);
}

void hn_figure_add(GPtrArray *figures, const HnFigure *f) {
  g_autofree char *name = free_stem(figures, f->name);
  HnFigure *own = g_memdup2(f, sizeof *f);
  own->name = g_intern_string(name), own->column = g_intern_string(f->column);
  own->title = g_intern_string(f->title), own->note = g_intern_string(f->note);
  g_ptr_array_add(figures, own);
}

void hn_figure_add_of_arm(GPtrArray *figures, const HnResults *r, int64_t arm, HnFigure f) {
  static const char kept[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-";
  g_autofree char *suffix = g_strcanon(g_strdup(r->arms[arm]), kept, '_');
  g_autofree char *name = g_strconcat(f.name, "_", suffix, NULL);
  g_autofree char *title =
      r->arm_count > 1 ? g_strdup_printf("%s: %s", f.title, r->arms[arm]) : g_strdup(f.title);
  f.name = name, f.title = title, f.group = HN_FIGURE_TRIAL;
  hn_figure_add(figures, &f);
}

/* ---- drawing ---- */

static void set_terminal(const HnScript *s, const HnFigure *f, bool pdf) {
  double width, height;
  f->kind->size(f, &width, &height);
  if (pdf)
    hn_script_add(s, "set terminal pdfcairo size %.2fcm,%.2fcm font 'Helvetica,8' noenhanced\n",
                  width * 0.017, height * 0.0176);
  else
    hn_script_add(s, "set terminal svg size %.0f,%.0f font 'sans-serif,13' noenhanced\n", width,
                  height);
  hn_script_add(s, "set output '%s.%s'\n", f->name, pdf ? "pdf" : "svg");
}

/* One script for all figures, because gnuplot starts slowly. */
static char *script_of(const GPtrArray *figures, int64_t baseline) {
  HnScript s = {g_string_new("set encoding utf8\n"), baseline, true};
  for (int pdf = 0; pdf < 2; pdf++) {
    s.stand_ins = !pdf;
    for (guint i = 0; i < figures->len; i++) {
      const HnFigure *f = figures->pdata[i];
      set_terminal(&s, f, pdf);
      hn_script_add(&s, "reset\nset style fill transparent\n");
      f->kind->script(&s, f);
    }
  }
  hn_script_add(&s, "unset output\n");
  return g_string_free(s.text, FALSE);
}

static bool write_beside(const char *folder, const char *stem, const char *extension,
                         const char *text, GError **error) {
  g_autofree char *name = g_strconcat(stem, extension, NULL);
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_file_set_contents(path, text, -1, error);
}

/* Colours what gnuplot drew and writes the numbers; returns the figure for a page, or NULL. */
static char *finish(const HnFigure *f, int64_t baseline, const char *folder, GError **error) {
  g_autofree char *name = g_strconcat(f->name, ".svg", NULL);
  g_autofree char *path = g_build_filename(folder, name, NULL), *svg = NULL;
  if (!g_file_get_contents(path, &svg, NULL, error)) return NULL;
  g_autofree char *paper = hn_svg_for_paper(svg, baseline), *csv = f->kind->csv(f);
  if (!write_beside(folder, f->name, ".svg", paper, error) ||
      !write_beside(folder, f->name, ".csv", csv, error))
    return NULL;
  double width, height;
  f->kind->size(f, &width, &height);
  g_autofree char *limit =
      f->kind->wide ? g_strdup_printf("max-width:%.0fpx", width) : g_strdup("");
  return hn_svg_for_page(svg, f->name, f->title, width, height, limit);
}

char **hn_figures_draw(const GPtrArray *figures, int64_t baseline, const char *folder,
                       GError **error) {
  g_autofree char *script = script_of(figures, baseline);
  if (!hn_gnuplot_run(script, folder, error)) return NULL;
  g_auto(GStrv) pages = g_new0(char *, figures->len + 1);
  for (guint i = 0; i < figures->len; i++)
    if (!(pages[i] = finish(figures->pdata[i], baseline, folder, error))) return NULL;
  return g_steal_pointer(&pages);
}

/* figure.c - see figure.h. */
#include "figure.h"
#include "error.h"
#include "folder.h"
#include "gnuplot.h"
#include "svg.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

/* Folders that figures are drawn in. */
#define DRAWING ".drawing-"

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

/* The forms that a figure is drawn in. */
enum { ON_PAGE, AS_SVG, AS_PDF, FORMS };
static const char *const endings[FORMS] = {"page", "svg", "pdf"};
enum { LETTERS = 13 };             /* pixels: the size of a line's letters */
static const double GROWTH = 1.12; /* a figure on a wide page may be so much larger */

typedef struct Drawing {
  const GPtrArray *figures;
  const HnReportParams *report;
  const char *folder; /* that the files are drawn in, before they are moved */
  bool pdf;
} Drawing;

/* Millimetres of a pixel in a paper, so that letters have the size that the study asks for. */
static double pixel_size(const HnReportParams *p) {
  return p->figure_font_size * 25.4 / 72 / LETTERS;
}

/* What a column of a paper, or two with the space between them, holds in pixels. */
static double room_of(const Drawing *d, const HnFigure *f, int form) {
  if (form == ON_PAGE) return f->kind->wide ? HN_FIGURE_WIDE : HN_FIGURE_WIDTH;
  const double column = d->report->figure_width, between = 5;
  return (f->kind->wide ? 2 * column + between : column) / pixel_size(d->report);
}

static HnScript script_in(const Drawing *d, const HnFigure *f, int form, GString *text) {
  HnScript s = {.text = text, .width = room_of(d, f, form), .stand_ins = form != AS_PDF};
  f->kind->size(f, &s.width, &s.height);
  s.again = form != ON_PAGE;
  return s;
}

static void set_terminal(const Drawing *d, const HnScript *s, guint figure, int form) {
  const double scale = pixel_size(d->report) / 10;
  const char *named = d->report->figure_font;
  /* gnuplot writes a font into an SVG as it is given */
  g_autofree char *escaped = form == AS_PDF ? g_strdup(named) : g_markup_escape_text(named, -1);
  g_autofree char *font = hn_script_quoted(escaped);
  font[strlen(font) - 1] = '\0'; /* the size follows within the quotes */
  if (form == AS_PDF)
    hn_script_add(s, "set terminal pdfcairo size %.3fcm,%.3fcm font %s,%g' noenhanced\n",
                  s->width * scale, s->height * scale, font, d->report->figure_font_size);
  else
    hn_script_add(s,
                  "set terminal svg size %.0f,%.0f font %s,%d' noenhanced background '#0101%02x'\n",
                  s->width, s->height, form == ON_PAGE ? "'sans-serif" : font, LETTERS, HN_PAPER);
  hn_script_add(s, "set output '%u.%s'\nreset\nset style fill transparent\n", figure,
                endings[form]);
}

/* One script for all figures, because gnuplot starts slowly. */
static char *script_of(const Drawing *d) {
  GString *text = g_string_new("set encoding utf8\n");
  for (guint i = 0; i < d->figures->len; i++) {
    const HnFigure *f = d->figures->pdata[i];
    for (int form = 0; form < (d->pdf ? FORMS : AS_PDF) && f->group != HN_FIGURE_CONSTANT; form++) {
      const HnScript s = script_in(d, f, form, text);
      set_terminal(d, &s, i, form);
      f->kind->script(&s, f);
    }
  }
  g_string_append(text, "unset output\n");
  return g_string_free(text, FALSE);
}

static char *drawn(const Drawing *d, guint figure, int form) {
  g_autofree char *name = g_strdup_printf("%u.%s", figure, endings[form]);
  return g_build_filename(d->folder, name, NULL);
}

static bool write_beside(const char *folder, const char *stem, const char *extension,
                         const char *text, GError **error) {
  g_autofree char *name = g_strconcat(stem, extension, NULL);
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_file_set_contents(path, text, -1, error);
}

/* Moves the PDF of a figure; both folders are on one disk. */
static bool move_pdf(const Drawing *d, guint i, const char *folder, GError **error) {
  const HnFigure *f = d->figures->pdata[i];
  g_autofree char *from = drawn(d, i, AS_PDF), *name = g_strconcat(f->name, ".pdf", NULL);
  g_autofree char *to = g_build_filename(folder, name, NULL);
  if (!d->pdf || g_rename(from, to) == 0) return true;
  const int code = errno;
  return hn_error_set(error, HN_ERROR_FILE, "%s: %s", to, g_strerror(code));
}

/* Colours what gnuplot drew and writes the files; returns the figure for a page, or NULL. */
static char *finish(const Drawing *d, guint i, const char *folder, GError **error) {
  const HnFigure *f = d->figures->pdata[i];
  char *page = NULL;
  for (int form = ON_PAGE; form <= AS_SVG; form++) {
    const HnScript s = script_in(d, f, form, NULL);
    const HnSvg of = {f->name, f->title, f->note, s.width, s.height};
    g_autofree char *path = drawn(d, i, form), *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error)) break;
    if (form == ON_PAGE) {
      page = hn_svg_for_page(text, &of, GROWTH * s.width);
      continue;
    }
    g_autofree char *paper = hn_svg_for_paper(text, &of, s.width * pixel_size(d->report));
    g_autofree char *csv = f->kind->csv(f);
    if (write_beside(folder, f->name, ".svg", paper, error) &&
        write_beside(folder, f->name, ".csv", csv, error) && move_pdf(d, i, folder, error))
      return page;
  }
  g_free(page);
  return NULL;
}

static void remove_drawn(const Drawing *d) {
  for (guint i = 0; i < d->figures->len; i++)
    for (int form = 0; form < FORMS; form++) {
      g_autofree char *path = drawn(d, i, form);
      g_unlink(path);
    }
  g_rmdir(d->folder);
}

/* What killed reports left, an hour after anybody could still be drawing there. */
static void sweep_left(const char *folder) {
  enum { HOUR = 3600 };
  g_autoptr(GDir) d = g_dir_open(folder, 0, NULL);
  for (const char *name; d && (name = g_dir_read_name(d));) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    GStatBuf s;
    if (g_str_has_prefix(name, DRAWING) && g_lstat(path, &s) == 0 &&
        s.st_mtime + HOUR < g_get_real_time() / G_USEC_PER_SEC)
      hn_folder_remove(path);
  }
}

char **hn_figures_draw(const GPtrArray *figures, const HnReportParams *report, const char *folder,
                       bool *pdf, GError **error) {
  g_autofree char *own = g_build_filename(folder, DRAWING "XXXXXX", NULL);
  sweep_left(folder);
  if (!g_mkdtemp(own)) {
    const int code = errno;
    hn_error_set(error, HN_ERROR_FILE, "%s: %s", folder, g_strerror(code));
    return NULL;
  }
  Drawing d = {figures, report, own, false};
  g_auto(GStrv) pages = g_new0(char *, figures->len + 1);
  bool ok = hn_gnuplot_writes_pdf(own, &d.pdf, error);
  if (ok) {
    g_autofree char *script = script_of(&d);
    ok = hn_gnuplot_run(script, own, error);
  }
  for (guint i = 0; i < figures->len && ok; i++) {
    const HnFigure *f = figures->pdata[i];
    pages[i] = f->group == HN_FIGURE_CONSTANT ? g_strdup("") : finish(&d, i, folder, error);
    ok = pages[i];
  }
  remove_drawn(&d);
  *pdf = d.pdf;
  return ok ? g_steal_pointer(&pages) : NULL;
}

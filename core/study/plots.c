/* plots.c - writes one gnuplot script for all figures and makes its SVG fit to stand in a page.
 *
 * gnuplot knows colours as numbers only, so every colour is drawn as a stand-in, rgb(1, 1, k), and
 * replaced in its SVG: by a CSS variable in a page, which has a light and a dark set, and by the
 * light set in files for papers. */
#include "plots.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

enum { INK = 1, GRID = 2, ARM = 3, ARMS_MAX = 240, WIDTH = 560, HEIGHT = 330 };

static const char *const light[] = {"#0072b2", "#d55e00", "#00875f", "#a5408d",
                                    "#a67c00", "#5b4bb5", "#8c4a2f"};
static const char *const dark[] = {"#56b4e9", "#ff8c42", "#2fc79a", "#e29bc6",
                                   "#e6c229", "#a79bee", "#cf9b7e"};

const char *hn_plots_colour(gint64 arm, gint64 baseline, bool on_dark) {
  if (arm == baseline) return on_dark ? "#b4b4b4" : "#5f5f5f";
  gint64 i = (arm > baseline ? arm - 1 : arm) % (gint64)G_N_ELEMENTS(light);
  return on_dark ? dark[i] : light[i];
}

/* Ink or grid; k counts from INK. */
static const char *paper_colour(int k, bool on_dark) {
  if (k == INK) return on_dark ? "#d8d8d8" : "#333333";
  return on_dark ? "#3a3a3a" : "#e2e2e2";
}

char *hn_plots_variables(gint64 arms, gint64 baseline, bool on_dark) {
  GString *css = g_string_new(NULL);
  g_string_append_printf(css, "--ink:%s;--grid:%s;", paper_colour(INK, on_dark),
                         paper_colour(GRID, on_dark));
  for (gint64 a = 0; a < arms; a++)
    g_string_append_printf(css, "--arm-%" G_GINT64_FORMAT ":%s;", a,
                           hn_plots_colour(a, baseline, on_dark));
  return g_string_free(css, FALSE);
}

/* ---- the script ---- */

typedef struct Script {
  GString *text;
  const HnResults *results;
  gint64 baseline;
  bool stand_ins; /* else the light colours */
} Script;

static char *colour(const Script *s, gint64 k) {
  if (s->stand_ins) return g_strdup_printf("#0101%02x", (unsigned)k);
  return g_strdup(k < ARM ? paper_colour((int)k, false)
                          : hn_plots_colour(k - ARM, s->baseline, false));
}

/* A gnuplot string that stands for itself: nothing is expanded between single quotes. */
static char *quoted(const char *text) {
  char **parts = g_strsplit(text, "'", -1);
  char *twice = g_strjoinv("''", parts), *all = g_strdup_printf("'%s'", twice);
  g_free(twice);
  g_strfreev(parts);
  for (char *c = all; *c; c++)
    if ((guchar)*c < ' ') *c = ' ';
  return all;
}

static void number(GString *out, double x) {
  char text[G_ASCII_DTOSTR_BUF_SIZE];
  g_string_append_printf(out, " %s",
                         isfinite(x) ? g_ascii_formatd(text, sizeof text, "%.9g", x) : "NaN");
}

static void data(const Script *s, const HnFigure *f) {
  for (gint64 a = 0; a < f->arms; a++) {
    const HnCurve *c = f->curve[a];
    if (!c) continue;
    g_string_append_printf(s->text, "$arm%" G_GINT64_FORMAT " << EOD\n", a);
    for (gint64 i = 0; i < c->n; i++) {
      number(s->text, c->x[i]);
      number(s->text, c->value[i]);
      number(s->text, c->low[i]);
      number(s->text, c->high[i]);
      for (gint64 k = 0; k < c->seeds; k++) number(s->text, c->each[k * c->n + i]);
      g_string_append_c(s->text, '\n');
    }
    g_string_append(s->text, "EOD\n");
  }
}

typedef struct Range {
  double low, high;
} Range;

static void include(Range *r, double x) {
  if (!isfinite(x)) return;
  r->low = fmin(r->low, x), r->high = fmax(r->high, x);
}

static bool has_interval(const HnCurve *c) {
  for (gint64 i = 0; i < c->n; i++)
    if (isfinite(c->low[i])) return true;
  return false;
}

/* Of the lines, and of the bands as far as they leave the lines readable. */
static Range vertical(const HnFigure *f) {
  Range lines = {INFINITY, -INFINITY}, all = {INFINITY, -INFINITY};
  for (gint64 a = 0; a < f->arms; a++) {
    const HnCurve *c = f->curve[a];
    for (gint64 i = 0; c && i < c->n; i++) {
      include(&lines, c->value[i]), include(&all, c->value[i]);
      include(&all, c->low[i]), include(&all, c->high[i]);
      for (gint64 k = 0; k < c->seeds && !has_interval(c); k++) {
        include(&lines, c->each[k * c->n + i]);
        include(&all, c->each[k * c->n + i]);
      }
    }
  }
  double span = lines.high - lines.low, size = fmax(fabs(lines.high), fabs(lines.low));
  if (!(span > 1e-6 * size)) span = size > 0 ? size * 0.1 : 1; /* all but constant */
  Range r = {fmax(all.low, lines.low - 0.4 * span), fmin(all.high, lines.high + 0.4 * span)};
  double pad = r.high - r.low > 0.1 * span ? 0.04 * (r.high - r.low) : span / 2;
  return (Range){r.low - pad, r.high + pad};
}

static Range horizontal(const HnFigure *f) {
  Range r = {INFINITY, -INFINITY};
  for (gint64 a = 0; a < f->arms; a++)
    for (gint64 i = 0; f->curve[a] && i < f->curve[a]->n; i++) include(&r, f->curve[a]->x[i]);
  if (r.low == r.high) r.low -= 0.5, r.high += 0.5;
  if (f->group == HN_FIGURE_LEARNING || f->group == HN_FIGURE_OTHER) r.low = fmin(r.low, 0);
  return r;
}

typedef struct Label {
  gint64 arm;
  double y; /* 0 .. 1 of the plot's height */
} Label;

static int by_height(const void *a, const void *b) {
  const Label *x = a, *y = b;
  return x->y != y->y ? (x->y > y->y) - (x->y < y->y) : (x->arm > y->arm) - (x->arm < y->arm);
}

/* Names at the right ends of their lines, moved apart where they would cover each other. */
static guint place_labels(const HnFigure *f, Range y, Label *label) {
  const double gap = 0.075;
  guint n = 0;
  for (gint64 a = 0; a < f->arms; a++) {
    const HnCurve *c = f->curve[a];
    gint64 last = c ? c->n - 1 : -1;
    while (last >= 0 && !isfinite(c->value[last])) last--;
    if (last < 0) continue;
    double at = (c->value[last] - y.low) / (y.high - y.low);
    label[n++] = (Label){a, CLAMP(at, 0, 1)};
  }
  qsort(label, n, sizeof *label, by_height);
  for (int round = 0; round < 200; round++)
    for (guint i = 1; i < n; i++) {
      double missing = gap - (label[i].y - label[i - 1].y);
      if (missing <= 0) continue;
      label[i].y += missing / 2, label[i - 1].y -= missing / 2;
    }
  return n;
}

static void frame(const Script *s, const HnFigure *f, Range x, Range y) {
  g_autofree char *ink = colour(s, INK);
  g_autofree char *grid = colour(s, GRID);
  g_autofree char *x_label = quoted(f->x_label);
  g_autofree char *y_label = quoted(f->y_label);
  GString *o = s->text;
  g_string_append_printf(
      o,
      "unset label\nset border 3 lc rgb '%s' lw 1\n"
      "set tics nomirror out scale 0.5,0.25 textcolor rgb '%s'\n"
      "set grid y lt 1 lc rgb '%s' lw 1\n"
      "set xlabel %s offset 0,0.35 textcolor rgb '%s'\nset ylabel %s textcolor rgb '%s'\n",
      ink, ink, grid, x_label, ink, y_label, ink);
  g_string_append(o, f->log_x ? "set logscale x\nset format x '%g'\nset mxtics 10\n"
                              : "unset logscale\nset format x '%.0s%c'\nset mxtics 1\n");
  if (!f->log_x && x.high < 1000) g_string_append(o, "set format x '%g'\n");
  if (f->group == HN_FIGURE_ADAPTATION && x.high - x.low < 12)
    g_string_append(o, "set xtics 1\n");
  else
    g_string_append(o, "set xtics autofreq\n");
  g_string_append(o, "set xrange [");
  number(o, x.low), g_string_append(o, ":"), number(o, x.high);
  g_string_append(o, "]\nset yrange [");
  number(o, y.low), g_string_append(o, ":"), number(o, y.high);
  g_string_append(o, "]\n");
}

static void labels(const Script *s, const HnFigure *f, Range y) {
  Label *label = g_new(Label, (gsize)f->arms);
  guint n = place_labels(f, y, label);
  glong longest = 0;
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = quoted(s->results->arms[label[i].arm]);
    g_autofree char *hue = colour(s, ARM + label[i].arm % ARMS_MAX);
    longest = MAX(longest, g_utf8_strlen(name, -1) - 2);
    g_string_append_printf(s->text, "set label %u %s at graph 1.015,graph", i + 1, name);
    number(s->text, label[i].y);
    g_string_append_printf(s->text, " left textcolor rgb '%s'\n", hue);
  }
  g_string_append_printf(s->text, "set rmargin %ld\n", longest + 2);
  g_free(label);
}

/* Bands first, then single seeds where there is no band, then the lines: nothing hides a line. */
static void curves(const Script *s, const HnFigure *f) {
  GString *o = s->text;
  const char *before = "plot ";
  for (int layer = 0; layer < 3; layer++)
    for (gint64 a = 0; a < f->arms; a++) {
      const HnCurve *c = f->curve[a];
      if (!c) continue;
      g_autofree char *hue = colour(s, ARM + a % ARMS_MAX);
      bool band = has_interval(c);
      bool cycled = a - (a > s->baseline) >= (gint64)G_N_ELEMENTS(light);
      if (layer == 0 && band)
        g_string_append_printf(o,
                               "%s$arm%" G_GINT64_FORMAT
                               " using 1:3:4 with filledcurves lc rgb '%s' "
                               "fs transparent solid 0.16 noborder notitle",
                               before, a, hue);
      if (layer == 1 && !band && c->seeds > 1)
        for (gint64 k = 0; k < c->seeds; k++)
          g_string_append_printf(o,
                                 "%s$arm%" G_GINT64_FORMAT " using 1:%" G_GINT64_FORMAT
                                 " with lines lc rgb '%s' lw 0.6 notitle",
                                 k ? ", " : before, a, 5 + k, hue);
      if (layer == 2)
        g_string_append_printf(
            o, "%s$arm%" G_GINT64_FORMAT " using 1:2 with %s lc rgb '%s' lw 2 dt %d notitle",
            before, a, c->n <= 40 ? "linespoints pt 7 ps 0.35" : "lines", hue,
            a == s->baseline ? 2
            : cycled         ? 4
                             : 1);
      if (layer == 0 ? band : layer == 1 ? !band && c->seeds > 1 : true) before = ", ";
    }
  g_string_append_c(o, '\n');
}

static void script_figure(const Script *s, const HnFigure *f) {
  Range x = horizontal(f), y = vertical(f);
  data(s, f);
  frame(s, f, x, y);
  labels(s, f, y);
  curves(s, f);
}

static char *script(const GPtrArray *figures, const HnResults *r, gint64 baseline) {
  Script s = {g_string_new("set encoding utf8\nset style fill transparent\n"), r, baseline, true};
  for (int pdf = 0; pdf < 2; pdf++) {
    s.stand_ins = !pdf;
    if (pdf)
      g_string_append(s.text,
                      "set terminal pdfcairo size 9.5cm,5.8cm font 'Helvetica,8' noenhanced\n");
    else
      g_string_append_printf(
          s.text, "set terminal svg size %d,%d font 'sans-serif,13' noenhanced\n", WIDTH, HEIGHT);
    for (guint i = 0; i < figures->len; i++) {
      const HnFigure *f = figures->pdata[i];
      g_string_append_printf(s.text, "set output '%s.%s'\n", f->name, pdf ? "pdf" : "svg");
      script_figure(&s, f);
    }
  }
  g_string_append(s.text, "unset output\n");
  return g_string_free(s.text, FALSE);
}

/* ---- gnuplot ---- */

static bool gnuplot(const char *text, const char *folder, GError **error) {
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE |
                                G_SUBPROCESS_FLAGS_STDOUT_SILENCE);
  g_subprocess_launcher_set_cwd(launcher, folder);
  g_subprocess_launcher_setenv(launcher, "LC_ALL", "C.UTF-8", TRUE);
  g_subprocess_launcher_unsetenv(launcher, "GNUTERM");
  g_autoptr(GError) why = NULL;
  g_autoptr(GSubprocess) p =
      g_subprocess_launcher_spawn(launcher, &why, "gnuplot", "-d", "-", NULL);
  if (!p) {
    bool missing = g_error_matches(why, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT);
    g_set_error(error, HN_PLOTS_ERROR, HN_PLOTS_NO_GNUPLOT,
                missing ? "gnuplot is not installed (Debian: apt install gnuplot-nox)"
                        : "gnuplot cannot be started: %s",
                why->message);
    return false;
  }
  g_autofree char *said = NULL;
  if (!g_subprocess_communicate_utf8(p, text, NULL, NULL, &said, error)) return false;
  if (g_subprocess_get_successful(p)) return true;
  g_set_error(error, HN_PLOTS_ERROR, HN_PLOTS_FAILED, "gnuplot failed: %s",
              said ? g_strstrip(said) : "killed");
  return false;
}

typedef struct Replacement {
  gint64 baseline;
  bool variables; /* CSS variables, else the light colours */
  const HnFigure *figure;
  const HnResults *results;
} Replacement;

static gboolean replace_colour(const GMatchInfo *match, GString *out, gpointer arg) {
  const Replacement *to = arg;
  g_autofree char *digits = g_match_info_fetch(match, 1);
  gint64 k = g_ascii_strtoll(digits, NULL, 10);
  if (to->variables && k >= ARM)
    g_string_append_printf(out, "var(--arm-%" G_GINT64_FORMAT ")", k - ARM);
  else if (to->variables)
    g_string_append(out, k == INK ? "var(--ink)" : "var(--grid)");
  else
    g_string_append(out, k < ARM ? paper_colour((int)k, false)
                                 : hn_plots_colour(k - ARM, to->baseline, false));
  return FALSE;
}

static char *coloured(const char *svg, const Replacement *to) {
  g_autoptr(GRegex) stand_in = g_regex_new("rgb\\( *1, *1, *(\\d+)\\)", 0, 0, NULL);
  return g_regex_replace_eval(stand_in, svg, -1, 0, 0, replace_colour, (gpointer)(guintptr)to,
                              NULL);
}

static char *replaced(char *text, const char *pattern, const char *with) {
  g_autoptr(GRegex) regex = g_regex_new(pattern, G_REGEX_DOTALL, 0, NULL);
  char *out = g_regex_replace(regex, text, -1, 0, with, 0, NULL);
  g_free(text);
  return out;
}

/* For a page: no prologue, no unused filters, ids that no other figure has. */
static char *for_page(const char *svg, const Replacement *to) {
  char *text = coloured(svg, to);
  g_autofree char *ids = g_strdup_printf("id=\\1%s-", to->figure->name);
  g_autofree char *uses = g_strdup_printf("href=\\1#%s-", to->figure->name);
  g_autofree char *title = g_markup_escape_text(to->figure->title, -1);
  g_autofree char *start = g_strdup_printf(
      "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">", WIDTH, HEIGHT, title);
  text = replaced(text, "<filter .*?</filter>\\s*", "");
  text = replaced(text, "<title>[^<]*</title>\\s*", "");
  text = replaced(text, "<desc>[^<]*</desc>\\s*", "");
  text = replaced(text, "id=(['\"])", ids);
  text = replaced(text, "href=(['\"])#", uses);
  text = replaced(text, "xlink:href", "href");
  text = replaced(text, "<g fill=\"none\" color=\"[a-z]*\" stroke=\"[a-zA-Z]*\"[^>]*>\\s*</g>\\s*",
                  "");
  char *at = strstr(text, "<svg"), *body = at ? strchr(at, '>') : NULL;
  char *page = g_strconcat(start, body ? body + 1 : "</svg>", NULL);
  g_free(text);
  return page;
}

static bool write_beside(const char *folder, const char *stem, const char *extension,
                         const char *text, GError **error) {
  g_autofree char *name = g_strconcat(stem, extension, NULL);
  g_autofree char *path = g_build_filename(folder, name, NULL);
  return g_file_set_contents(path, text, -1, error);
}

char **hn_plots_draw(const GPtrArray *figures, const HnResults *r, gint64 baseline,
                     const char *folder, GError **error) {
  g_autofree char *text = script(figures, r, baseline);
  if (!gnuplot(text, folder, error)) return NULL;
  char **pages = g_new0(char *, figures->len + 1);
  for (guint i = 0; i < figures->len; i++) {
    const HnFigure *f = figures->pdata[i];
    Replacement to = {baseline, false, f, r};
    g_autofree char *name = g_strconcat(f->name, ".svg", NULL);
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *svg = NULL;
    g_autofree char *csv = hn_figure_csv(f, r);
    bool ok = g_file_get_contents(path, &svg, NULL, error);
    g_autofree char *paper = ok ? coloured(svg, &to) : NULL;
    ok = ok && write_beside(folder, f->name, ".svg", paper, error) &&
         write_beside(folder, f->name, ".csv", csv, error);
    if (!ok) {
      g_strfreev(pages);
      return NULL;
    }
    to.variables = true;
    pages[i] = for_page(svg, &to);
  }
  return pages;
}

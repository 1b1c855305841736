/* draw_curves.c - writes one gnuplot script for all figures and makes its SVG fit to stand in a page.
 *
 * gnuplot knows colours as numbers only, so every colour is drawn as a stand-in, rgb(1, 1, k), and
 * replaced in its SVG: by a CSS variable in a page, which has a light and a dark set, and by the
 * light set in files for papers. */
#include "draw_curves.h"
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

enum { INK = 1, GRID = 2, ARM = 3, ARMS_MAX = 240, SERIES = 243, HEAT = 250, WAY = 251 };
enum { WIDTH = 560, HEIGHT = 330, WIDE = 1080, UNIT_MAX = 26, LINE = 19 };
static const double AXES = 80, NAME = 18.75; /* pixels: beside the plot's height; a name's */

static const char *const light[] = {"#0072b2", "#d55e00", "#00875f", "#a5408d",
                                    "#a67c00", "#5b4bb5", "#8c4a2f"};
static const char *const dark[] = {"#56b4e9", "#ff8c42", "#2fc79a", "#e29bc6",
                                   "#e6c229", "#a79bee", "#cf9b7e"};

const char *hn_plots_colour(gint64 arm, gint64 baseline, bool on_dark) {
  if (arm == baseline) return on_dark ? "#b4b4b4" : "#5f5f5f";
  gint64 i = (arm > baseline ? arm - 1 : arm) % (gint64)G_N_ELEMENTS(light);
  return on_dark ? dark[i] : light[i];
}

/* Those that are no arm's: ink, grid, series, heat, way. */
static const char *paper_colour(int k, bool on_dark) {
  if (k == INK) return on_dark ? "#d8d8d8" : "#333333";
  if (k == HEAT) return on_dark ? "#6cb6ff" : "#08407f";
  if (k == WAY) return on_dark ? "#ff8c42" : "#d55e00";
  if (k >= SERIES && k < HEAT)
    return (on_dark ? dark : light)[(guint)(k - SERIES) % G_N_ELEMENTS(light)];
  return on_dark ? "#3a3a3a" : "#e2e2e2";
}

static bool is_arm(gint64 k) {
  return k >= ARM && k < SERIES;
}

char *hn_plots_variables(gint64 arms, gint64 baseline, bool on_dark) {
  GString *css = g_string_new(NULL);
  g_string_append_printf(css, "--ink:%s;--grid:%s;--heat:%s;--way:%s;", paper_colour(INK, on_dark),
                         paper_colour(GRID, on_dark), paper_colour(HEAT, on_dark),
                         paper_colour(WAY, on_dark));
  for (int k = SERIES; k < HEAT; k++)
    g_string_append_printf(css, "--series-%d:%s;", k - SERIES, paper_colour(k, on_dark));
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
  return g_strdup(is_arm(k) ? hn_plots_colour(k - ARM, s->baseline, false)
                            : paper_colour((int)k, false));
}

/* Of a curve: its arm's, or one of the series'. */
static char *hue_of(const Script *s, const HnFigure *f, gint64 curve) {
  return colour(s, f->names ? SERIES + curve % (HEAT - SERIES) : ARM + curve % ARMS_MAX);
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

typedef struct Range { /* in powers of ten on a logarithmic axis */
  double low, high;
} Range;

static double on_axis(const HnFigure *f, double y) {
  return f->log_y ? log10(y) : y;
}
static double off_axis(const HnFigure *f, double place) {
  return f->log_y ? pow(10, place) : place;
}

/* A band that leaves a logarithmic axis below ends at its foot. */
static void data(const Script *s, const HnFigure *f, Range y) {
  double foot = f->log_y ? off_axis(f, y.low) : (double)-INFINITY;
  for (gint64 a = 0; a < f->arms; a++) {
    const HnCurve *c = f->curve[a];
    if (!c) continue;
    g_string_append_printf(s->text, "$arm%" G_GINT64_FORMAT " << EOD\n", a);
    for (gint64 i = 0; i < c->n; i++) {
      number(s->text, c->x[i]);
      number(s->text, c->value[i]);
      number(s->text, c->low[i] < foot ? foot : c->low[i]);
      number(s->text, c->high[i]);
      for (gint64 k = 0; k < c->seeds; k++) number(s->text, c->each[k * c->n + i]);
      g_string_append_c(s->text, '\n');
    }
    g_string_append(s->text, "EOD\n");
  }
}

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
      double value = on_axis(f, c->value[i]);
      include(&lines, value), include(&all, value);
      include(&all, on_axis(f, c->low[i])), include(&all, on_axis(f, c->high[i]));
      for (gint64 k = 0; k < c->seeds && !has_interval(c); k++) {
        include(&lines, on_axis(f, c->each[k * c->n + i]));
        include(&all, on_axis(f, c->each[k * c->n + i]));
      }
    }
  }
  if (f->names) lines = all; /* where the band is what is shown */
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

static double last_of(const HnCurve *c) {
  gint64 last = c ? c->n - 1 : -1;
  while (last >= 0 && !isfinite(c->value[last])) last--;
  return last < 0 ? (double)NAN : c->value[last];
}

/* Pixels of a figure of lines: as many as its names need, one above the other. */
static double lines_height(const HnFigure *f) {
  gint64 n = 0;
  for (gint64 a = 0; a < f->arms; a++) n += isfinite(last_of(f->curve[a]));
  return fmax(HEIGHT, AXES + NAME * (double)(n - 1));
}

/* Names at the right ends of their lines, moved apart where they would cover each other, and none
 * out of the picture. */
static guint place_labels(const HnFigure *f, Range y, Label *label) {
  const double gap = NAME / (lines_height(f) - AXES);
  guint n = 0;
  for (gint64 a = 0; a < f->arms; a++) {
    double last = last_of(f->curve[a]);
    if (!isfinite(last)) continue;
    double at = (on_axis(f, last) - y.low) / (y.high - y.low);
    label[n++] = (Label){a, CLAMP(at, 0, 1)};
  }
  qsort(label, n, sizeof *label, by_height);
  for (int round = 0; round < 200; round++)
    for (guint i = 1; i < n; i++) {
      double missing = gap - (label[i].y - label[i - 1].y);
      if (missing <= 0) continue;
      label[i].y += missing / 2, label[i - 1].y -= missing / 2;
    }
  for (guint i = 0; i < n; i++) label[i].y = fmax(label[i].y, i ? label[i - 1].y + gap : 0);
  for (guint i = n; i-- > 0;) label[i].y = fmin(label[i].y, i + 1 < n ? label[i + 1].y - gap : 1);
  return n;
}

/* Ticks 0, 200k .. 1M, 1.2M, because gnuplot's own prefixes come with none or all of a label's
 * decimals. */
static void count_ticks(GString *o, Range x) {
  static const char *const unit[] = {"", "k", "M", "G", "T", "P"};
  const double least = (x.high - x.low) / 6, ten = pow(10, floor(log10(least)));
  const double step = ten * (least <= ten ? 1 : least <= 2 * ten ? 2 : least <= 5 * ten ? 5 : 10);
  g_string_append(o, "set xtics (");
  const double first = ceil(x.low / step), last = floor(x.high / step);
  for (double k = first; k <= last; k++) {
    double shown = k * step;
    guint i = 0;
    for (; shown >= 1000 && i + 1 < G_N_ELEMENTS(unit); i++) shown /= 1000;
    g_string_append(o, k > first ? ", '" : "'");
    number(o, shown), g_string_append_printf(o, "%s'", unit[i]), number(o, k * step);
  }
  g_string_append(o, ")\n");
}

static void frame(const Script *s, const HnFigure *f, Range x, Range y) {
  g_autofree char *ink = colour(s, INK);
  g_autofree char *grid = colour(s, GRID);
  g_autofree char *x_label = quoted(f->x_label);
  g_autofree char *y_label = quoted(f->y_label);
  GString *o = s->text;
  g_string_append_printf(
      o,
      "set border 3 lc rgb '%s' lw 1\n"
      "set tics nomirror out scale 0.5,0.25 textcolor rgb '%s'\n"
      "set grid y lt 1 lc rgb '%s' lw 1\n"
      "set xlabel %s offset 0,0.35 textcolor rgb '%s'\nset ylabel %s textcolor rgb '%s'\n",
      ink, ink, grid, x_label, ink, y_label, ink);
  g_string_append(o,
                  f->log_x ? "set logscale x\nset mxtics 10\n" : "unset logscale\nset mxtics 1\n");
  g_string_append(o, "set format x '%g'\n");
  if (f->log_y) g_string_append(o, "set logscale y\nset format y '%g'\n");
  if (!f->log_x && x.high >= 1000)
    count_ticks(o, x);
  else if (f->group == HN_FIGURE_ADAPTATION && x.high - x.low < 12)
    g_string_append(o, "set xtics 1\n");
  else
    g_string_append(o, "set xtics autofreq\n");
  g_string_append(o, "set xrange [");
  number(o, x.low), g_string_append(o, ":"), number(o, x.high);
  g_string_append(o, "]\nset yrange [");
  number(o, off_axis(f, y.low)), g_string_append(o, ":"), number(o, off_axis(f, y.high));
  g_string_append(o, "]\n");
  for (guint i = 0; f->mark && i < f->mark->len; i++) {
    double at = g_array_index(f->mark, double, i);
    g_string_append(o, "set arrow from first"), number(o, at);
    g_string_append(o, ",graph 0 to first"), number(o, at);
    g_string_append_printf(o, ",graph 1 nohead back lc rgb '%s' lw 1\n", grid);
  }
}

static void labels(const Script *s, const HnFigure *f, Range y) {
  Label *label = g_new(Label, (gsize)f->arms);
  guint n = place_labels(f, y, label);
  glong longest = 0;
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = quoted((f->names ? f->names : s->results->arms)[label[i].arm]);
    g_autofree char *hue = hue_of(s, f, label[i].arm);
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
      g_autofree char *hue = hue_of(s, f, a);
      bool band = has_interval(c);
      bool cycled = !f->names && a - (a > s->baseline) >= (gint64)G_N_ELEMENTS(light);
      if (layer == 0 && band)
        g_string_append_printf(o,
                               "%s$arm%" G_GINT64_FORMAT
                               " using 1:3:4 with filledcurves lc rgb '%s' "
                               "fs transparent solid %s noborder notitle",
                               before, a, hue, f->names ? "0.1" : "0.16");
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
            !f->names && a == s->baseline ? 2
            : cycled                      ? 4
                                          : 1);
      if (layer == 0 ? band : layer == 1 ? !band && c->seeds > 1 : true) before = ", ";
    }
  g_string_append_c(o, '\n');
}

/* ---- pictures ---- */

/* Where the pictures of a figure lie, in cells of a grid, y upwards from the lowest picture. */
typedef struct Layout {
  double across, up;    /* from one picture to the next */
  double key, line;     /* left end of the colour key; height of a line of text */
  double width, height; /* of the whole */
  double unit;          /* pixels of a cell */
} Layout;

static Layout layout_of(const HnPictures *p) {
  double w = (double)p->width, h = (double)p->height, gap = fmax(0.7, 0.14 * w);
  Layout l = {.across = w + gap, .up = h + gap};
  l.key = (double)p->columns * l.across;
  /* the key is 4 lines of text wide, a line 19 pixels high */
  l.unit = fmin(UNIT_MAX, (WIDE - 4 * LINE) / l.key);
  l.line = LINE / l.unit;
  l.width = l.key + 4 * l.line;
  l.height = (double)p->rows * l.up - gap + 1.8 * l.line;
  return l;
}

/* A rectangle of opacity p^(1/2): small probabilities are the ones to tell apart. */
static void tile(const Script *s, double x, double y, double w, double h, double p) {
  double covered = isfinite(p) ? sqrt(CLAMP(p, 0, 1)) : 0;
  const double box[] = {x + w / 2, y + h / 2, x, x + w, y, y + h};
  g_autofree char *heat = colour(s, HEAT);
  for (int i = 0; i < 6; i++) number(s->text, box[i]);
  g_string_append_printf(s->text, " 0x%02x%s\n", (unsigned)lrint(255 * (1 - covered)), heat + 1);
}

static void text_at(const Script *s, double x, double y, const char *side, const char *text) {
  g_autofree char *ink = colour(s, INK);
  g_autofree char *shown = quoted(text);
  g_string_append_printf(s->text, "set label %s at", shown);
  number(s->text, x), g_string_append(s->text, ","), number(s->text, y);
  g_string_append_printf(s->text, " %s textcolor rgb '%s'\n", side, ink);
}

enum { KEY_TILES = 40 };

static double key_height(const HnPictures *p, const Layout *l) {
  return (double)MIN(p->rows, 2) * l->up - (l->up - (double)p->height);
}

static void picture_tiles(const Script *s, const HnPictures *p, const Layout *l) {
  double step = key_height(p, l) / KEY_TILES;
  g_string_append(s->text, "$tiles << EOD\n");
  for (guint i = 0; i < p->picture->len; i++) {
    const HnPicture *one = &g_array_index(p->picture, HnPicture, i);
    double x = (double)(i % p->columns) * l->across;
    double y = (double)(p->rows - 1 - i / p->columns) * l->up;
    for (gint64 k = 0; k < p->width * p->height; k++)
      tile(s, x + (double)(k / p->height), y + (double)(k % p->height), 1, 1, one->cell[k]);
  }
  g_string_append(s->text, "EOD\n$key << EOD\n");
  for (int i = 0; i < KEY_TILES; i++)
    tile(s, l->key, step * i, l->line, step, pow((i + 0.5) / KEY_TILES, 2));
  g_string_append(s->text, "EOD\n");
}

/* Goals as boxes, or the agents' ways, or only their ends. */
static void picture_marks(const Script *s, const HnPictures *p, const Layout *l, const char *what) {
  g_string_append_printf(s->text, "$%s << EOD\n", what);
  for (guint i = 0; i < p->picture->len; i++) {
    const HnPicture *one = &g_array_index(p->picture, HnPicture, i);
    double x = (double)(i % p->columns) * l->across;
    double y = (double)(p->rows - 1 - i / p->columns) * l->up;
    if (*what == 'g' && one->goal >= 0) {
      x += (double)(one->goal / p->height), y += (double)(one->goal % p->height);
      const double box[] = {x + 0.5, y + 0.5, x, x + 1, y, y + 1};
      for (int k = 0; k < 6; k++) number(s->text, box[k]);
      g_string_append_c(s->text, '\n');
    }
    for (gint64 k = *what == 'e' ? one->points - 1 : 0; *what != 'g' && k < one->points; k++) {
      number(s->text, x + 0.5 + one->way[2 * k]), number(s->text, y + 0.5 + one->way[2 * k + 1]);
      g_string_append_c(s->text, '\n');
    }
    if (*what == 'w') g_string_append_c(s->text, '\n');
  }
  g_string_append(s->text, "EOD\n");
}

static void picture_labels(const Script *s, const HnPictures *p, const Layout *l) {
  static const double shown[] = {0, 0.05, 0.25, 0.5, 1};
  double top = (double)p->rows * l->up - (l->up - (double)p->height) + 0.8 * l->line;
  for (gint64 k = 0; k < p->columns; k++) {
    const HnPicture *one = &g_array_index(p->picture, HnPicture, k);
    g_autofree char *text = g_strdup_printf("%s%" G_GINT64_FORMAT, k ? "" : "step ", one->step);
    text_at(s, (double)k * l->across + (double)p->width / 2, top, "center", text);
  }
  for (guint i = 0; i < G_N_ELEMENTS(shown); i++) {
    g_autofree char *text = g_strdup_printf("%g", shown[i]);
    text_at(s, l->key + 1.3 * l->line, key_height(p, l) * sqrt(shown[i]), "left", text);
  }
}

static void pictures(const Script *s, const HnPictures *p) {
  Layout l = layout_of(p);
  g_autofree char *ink = colour(s, INK);
  g_autofree char *grid = colour(s, GRID);
  g_autofree char *way = colour(s, WAY);
  GString *o = s->text;
  picture_tiles(s, p, &l);
  picture_marks(s, p, &l, "goals");
  picture_marks(s, p, &l, "ways");
  picture_marks(s, p, &l, "ends");
  g_string_append(o, "unset border\nunset tics\nset size ratio -1\n"
                     "set lmargin 0\nset rmargin 0\nset tmargin 0\nset bmargin 0\nset xrange [");
  number(o, -0.1 * l.line), g_string_append(o, ":"), number(o, l.width - 0.1 * l.line);
  g_string_append(o, "]\nset yrange [");
  number(o, -0.4 * l.line), g_string_append(o, ":"), number(o, l.height - 0.4 * l.line);
  g_string_append(o, "]\n");
  picture_labels(s, p, &l);
  g_string_append_printf(
      o,
      "plot $tiles using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable fs solid noborder notitle, "
      "$key using 1:2:3:4:5:6:7 with boxxyerror lc rgb variable fs solid noborder notitle, "
      "$tiles using 1:2:3:4:5:6 with boxxyerror lc rgb '%s' lw 0.7 fs empty border notitle, "
      "$goals using 1:2:3:4:5:6 with boxxyerror lc rgb '%s' lw 2.5 fs empty border notitle, "
      "$ways using 1:2 with lines lc rgb '%s' lw 2.2 notitle, "
      "$ends using 1:2 with points lc rgb '%s' pt 7 ps 0.8 notitle\n",
      grid, ink, way, way);
}

/* ---- panels ---- */

enum { PANEL = 175, PANEL_LEFT = 48, PANEL_TOP = 26, PANEL_BOTTOM = 42 }; /* pixels */

static double panels_height(const HnPanels *p) {
  return (double)(PANEL_TOP + PANEL * p->rows + PANEL_BOTTOM);
}

static void panel_data(const Script *s, const HnPanels *p, guint k) {
  const HnPanel *one = &g_array_index(p->panel, HnPanel, k);
  g_string_append_printf(s->text, "$grid%u << EOD\n", k);
  for (gint64 i = 0; i < one->n; i++) {
    number(s->text, one->x[i]), number(s->text, one->truth[i]), number(s->text, one->mean[i]);
    number(s->text, one->mean[i] - one->stddev[i]), number(s->text, one->mean[i] + one->stddev[i]);
    for (gint64 m = 0; m < p->members; m++) number(s->text, one->member[m * one->n + i]);
    g_string_append_c(s->text, '\n');
  }
  g_string_append_printf(s->text, "EOD\n$seen%u << EOD\n", k);
  for (gint64 i = 0; i < one->seen; i++) {
    number(s->text, one->point[2 * i]), number(s->text, one->point[2 * i + 1]);
    g_string_append_c(s->text, '\n');
  }
  if (!one->seen) g_string_append(s->text, " NaN NaN\n");
  g_string_append(s->text, "EOD\n");
}

/* One scale for all panels: the truth, what was seen, and the bands. */
static void panel_ranges(const HnPanels *p, Range *x, Range *y) {
  *x = *y = (Range){INFINITY, -INFINITY};
  for (guint k = 0; k < p->panel->len; k++) {
    const HnPanel *one = &g_array_index(p->panel, HnPanel, k);
    for (gint64 i = 0; i < one->n; i++) {
      include(x, one->x[i]), include(y, one->truth[i]);
      include(y, one->mean[i] - one->stddev[i]), include(y, one->mean[i] + one->stddev[i]);
    }
    for (gint64 i = 0; i < one->seen; i++) include(y, one->point[2 * i + 1]);
  }
  if (!(x->low < x->high)) *x = (Range){-1, 1};
  if (!(y->low < y->high)) *y = (Range){-1, 1};
  double pad = 0.04 * (y->high - y->low);
  y->low -= pad, y->high += pad;
}

static void range(GString *o, const char *axis, Range r) {
  g_string_append_printf(o, "set %srange [", axis);
  number(o, r.low), g_string_append(o, ":"), number(o, r.high);
  g_string_append(o, "]\n");
}

static void panel_frame(const Script *s, const HnPanels *p, guint k) {
  const HnPanel *one = &g_array_index(p->panel, HnPanel, k);
  guint row = k / (guint)p->columns, column = k % (guint)p->columns;
  double width = (WIDE - PANEL_LEFT) / (double)p->columns, height = panels_height(p);
  double left = PANEL_LEFT + width * column, top = height - PANEL_TOP - PANEL * (double)row;
  const double place[] = {left / WIDE, (left + width - 22) / WIDE, (top - PANEL + 12) / height,
                          top / height};
  static const char *const side[] = {"l", "r", "b", "t"};
  GString *o = s->text;
  for (int i = 0; i < 4; i++) {
    g_string_append_printf(o, "set %smargin at screen", side[i]);
    number(o, place[i]), g_string_append_c(o, '\n');
  }
  g_string_append_printf(o, "set format x '%s'\nset format y '%s'\n",
                         row + 1 == (guint)p->rows ? "%g" : "", column ? "" : "%g");
  if (row == 0) {
    g_autofree char *ink = colour(s, INK);
    g_string_append_printf(o,
                           "set title '%" G_GINT64_FORMAT "%s' offset 0,-0.7 textcolor rgb '%s'\n",
                           one->step, column ? "" : " seen", ink);
  } else {
    g_string_append(o, "unset title\n");
  }
}

static void panels(const Script *s, const HnPanels *p) {
  GString *o = s->text;
  Range x, y;
  g_autofree char *ink = colour(s, INK);
  g_autofree char *grid = colour(s, GRID);
  g_autofree char *hue = colour(s, ARM + p->arm % ARMS_MAX);
  panel_ranges(p, &x, &y);
  for (guint k = 0; k < p->panel->len; k++) panel_data(s, p, k);
  g_string_append_printf(o,
                         "set border 3 lc rgb '%s' lw 1\n"
                         "set tics nomirror out scale 0.5,0.25 textcolor rgb '%s'\n"
                         "set grid y lt 1 lc rgb '%s' lw 1\nset xtics 1\nset multiplot\n",
                         ink, ink, grid);
  range(o, "x", x), range(o, "y", y);
  for (guint k = 0; k < p->panel->len; k++) {
    panel_frame(s, p, k);
    g_string_append_printf(o,
                           "plot $grid%u using 1:4:5 with filledcurves lc rgb '%s' fs transparent "
                           "solid 0.16 noborder notitle",
                           k, hue);
    for (gint64 m = 0; m < p->members; m++)
      g_string_append_printf(
          o, ", $grid%u using 1:%" G_GINT64_FORMAT " with lines lc rgb '%s' lw 0.5 notitle", k,
          6 + m, hue);
    g_string_append_printf(o,
                           ", $grid%u using 1:3 with lines lc rgb '%s' lw 2 notitle"
                           ", $grid%u using 1:2 with lines lc rgb '%s' lw 1.2 dt 2 notitle"
                           ", $seen%u using 1:2 with points lc rgb '%s' pt 7 ps 0.45 notitle\n",
                           k, hue, k, ink, k, ink);
  }
  g_string_append(o, "unset multiplot\n");
}

static void script_figure(const Script *s, const HnFigure *f) {
  g_string_append(s->text, "reset\nset style fill transparent\n");
  if (f->pictures) {
    pictures(s, f->pictures);
    return;
  }
  if (f->panels) {
    panels(s, f->panels);
    return;
  }
  Range x = horizontal(f), y = vertical(f);
  data(s, f, y);
  frame(s, f, x, y);
  labels(s, f, y);
  curves(s, f);
}

/* Pixels; papers take as many twentieths of a millimetre, columns of text apart. */
static void size_of(const HnFigure *f, double *width, double *height) {
  *width = WIDTH;
  if (f->pictures) {
    Layout l = layout_of(f->pictures);
    *width = ceil(l.width * l.unit), *height = ceil(l.height * l.unit);
  } else if (f->panels) {
    *width = WIDE, *height = panels_height(f->panels);
  } else {
    *height = lines_height(f);
  }
}

static void terminal(const Script *s, const HnFigure *f, bool pdf) {
  double width, height;
  size_of(f, &width, &height);
  if (pdf)
    g_string_append_printf(
        s->text, "set terminal pdfcairo size %.2fcm,%.2fcm font 'Helvetica,8' noenhanced\n",
        width * 0.017, height * 0.0176);
  else
    g_string_append_printf(s->text,
                           "set terminal svg size %.0f,%.0f font 'sans-serif,13' noenhanced\n",
                           width, height);
}

static char *script(const GPtrArray *figures, const HnResults *r, gint64 baseline) {
  Script s = {g_string_new("set encoding utf8\n"), r, baseline, true};
  for (int pdf = 0; pdf < 2; pdf++) {
    s.stand_ins = !pdf;
    for (guint i = 0; i < figures->len; i++) {
      const HnFigure *f = figures->pdata[i];
      terminal(&s, f, pdf);
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
  if (!to->variables)
    g_string_append(out, is_arm(k) ? hn_plots_colour(k - ARM, to->baseline, false)
                                   : paper_colour((int)k, false));
  else if (is_arm(k))
    g_string_append_printf(out, "var(--arm-%" G_GINT64_FORMAT ")", k - ARM);
  else if (k >= SERIES && k < HEAT)
    g_string_append_printf(out, "var(--series-%" G_GINT64_FORMAT ")", k - SERIES);
  else
    g_string_append(out, k == INK    ? "var(--ink)"
                         : k == HEAT ? "var(--heat)"
                         : k == WAY  ? "var(--way)"
                                     : "var(--grid)");
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
  double width, height;
  size_of(to->figure, &width, &height);
  g_autofree char *limit =
      to->figure->pictures ? g_strdup_printf(" style=\"max-width:%.0fpx\"", width) : g_strdup("");
  g_autofree char *start =
      g_strdup_printf("<svg viewBox=\"0 0 %.0f %.0f\"%s role=\"img\" aria-label=\"%s\">", width,
                      height, limit, title);
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

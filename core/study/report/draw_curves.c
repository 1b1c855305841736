/* draw_curves.c - see draw_curves.h. */
#include "draw_curves.h"
#include <math.h>
#include <stdlib.h>

enum { HEIGHT = 330 };
static const double AXES = 80,
                    NAME = 18.75; /* pixels: above and below the plot; height of a name */

/* ---- ranges, in powers of ten on a logarithmic axis ---- */

static double on_axis(const HnCurves *d, double y) {
  return d->log_y ? log10(y) : y;
}
static double off_axis(const HnCurves *d, double place) {
  return d->log_y ? pow(10, place) : place;
}

/* Holds the lines, and the bands as far as the lines stay readable. */
static HnRange vertical(const HnCurves *d) {
  HnRange lines = HN_RANGE_EMPTY, all = HN_RANGE_EMPTY;
  for (int64_t a = 0; a < d->count; a++) {
    const HnCurve *c = d->curve[a];
    for (int64_t i = 0; c && i < c->n; i++) {
      double value = on_axis(d, c->value[i]);
      hn_range_include(&lines, value), hn_range_include(&all, value);
      hn_range_include(&all, on_axis(d, c->low[i])), hn_range_include(&all, on_axis(d, c->high[i]));
      for (int64_t k = 0; k < c->seeds && !hn_curve_has_interval(c); k++) {
        hn_range_include(&lines, on_axis(d, c->each[k * c->n + i]));
        hn_range_include(&all, on_axis(d, c->each[k * c->n + i]));
      }
    }
  }
  if (d->parts) lines = all; /* whose bands matter as much */
  double span = lines.high - lines.low, size = fmax(fabs(lines.high), fabs(lines.low));
  if (!(span > 1e-6 * size)) span = size > 0 ? size * 0.1 : 1; /* all but constant */
  HnRange r = {fmax(all.low, lines.low - 0.4 * span), fmin(all.high, lines.high + 0.4 * span)};
  double pad = r.high - r.low > 0.1 * span ? 0.04 * (r.high - r.low) : span / 2;
  return (HnRange){r.low - pad, r.high + pad};
}

static HnRange horizontal(const HnFigure *f) {
  const HnCurves *d = f->data;
  HnRange r = HN_RANGE_EMPTY;
  for (int64_t a = 0; a < d->count; a++)
    for (int64_t i = 0; d->curve[a] && i < d->curve[a]->n; i++)
      hn_range_include(&r, d->curve[a]->x[i]);
  if (r.low == r.high) r.low -= 0.5, r.high += 0.5;
  if (f->group == HN_FIGURE_LEARNING || f->group == HN_FIGURE_OTHER) r.low = fmin(r.low, 0);
  return r;
}

/* ---- names ---- */

typedef struct Label {
  int64_t curve;
  double y; /* 0 .. 1 of the plot's height */
} Label;

static int by_height(const void *a, const void *b) {
  const Label *x = a, *y = b;
  return x->y != y->y ? (x->y > y->y) - (x->y < y->y)
                      : (x->curve > y->curve) - (x->curve < y->curve);
}

/* Pixels: enough for all names, one above the other. */
static double height_of(const HnCurves *d) {
  int64_t n = 0;
  for (int64_t a = 0; a < d->count; a++) n += isfinite(hn_curve_last(d->curve[a]));
  return fmax(HEIGHT, AXES + NAME * (double)(n - 1));
}

/* Places names at the right ends of their lines, apart from each other and within the picture. */
static guint place_labels(const HnCurves *d, HnRange y, Label *label) {
  const double gap = NAME / (height_of(d) - AXES);
  guint n = 0;
  for (int64_t a = 0; a < d->count; a++) {
    double last = hn_curve_last(d->curve[a]);
    if (!isfinite(last)) continue;
    double at = (on_axis(d, last) - y.low) / (y.high - y.low);
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

/* The colour of a curve: its arm's, or one of the series. */
static char *hue_of(const HnScript *s, const HnCurves *d, int64_t curve) {
  return hn_script_colour(s, d->parts ? hn_colour_of_series(curve) : hn_colour_of_arm(curve));
}

static void labels(const HnScript *s, const HnCurves *d, HnRange y) {
  g_autofree Label *label = g_new(Label, (gsize)d->count);
  guint n = place_labels(d, y, label);
  glong longest = 0;
  for (guint i = 0; i < n; i++) {
    g_autofree char *name = hn_script_quoted(d->names[label[i].curve]);
    g_autofree char *hue = hue_of(s, d, label[i].curve);
    longest = MAX(longest, g_utf8_strlen(name, -1) - 2);
    hn_script_add(s, "set label %u %s at graph 1.015,graph", i + 1, name);
    hn_script_number(s, label[i].y);
    hn_script_add(s, " left textcolor rgb '%s'\n", hue);
  }
  hn_script_add(s, "set rmargin %ld\n", longest + 2);
}

/* ---- axes ---- */

/* Ticks 0, 200k .. 1M, 1.2M: gnuplot's own prefixes show none or all decimals. */
static void count_ticks(const HnScript *s, HnRange x) {
  static const char *const unit[] = {"", "k", "M", "G", "T", "P"};
  const double least = (x.high - x.low) / 6, ten = pow(10, floor(log10(least)));
  const double step = ten * (least <= ten ? 1 : least <= 2 * ten ? 2 : least <= 5 * ten ? 5 : 10);
  hn_script_add(s, "set xtics (");
  const double first = ceil(x.low / step), last = floor(x.high / step);
  for (double k = first; k <= last; k++) {
    double shown = k * step;
    guint i = 0;
    for (; shown >= 1000 && i + 1 < G_N_ELEMENTS(unit); i++) shown /= 1000;
    hn_script_add(s, k > first ? ", '" : "'");
    hn_script_number(s, shown), hn_script_add(s, "%s'", unit[i]), hn_script_number(s, k * step);
  }
  hn_script_add(s, ")\n");
}

static void frame(const HnScript *s, const HnFigure *f, HnRange x, HnRange y) {
  const HnCurves *d = f->data;
  g_autofree char *ink = hn_script_colour(s, HN_INK), *grid = hn_script_colour(s, HN_GRID);
  g_autofree char *x_label = hn_script_quoted(d->x_label), *y_label = hn_script_quoted(d->y_label);
  hn_script_axes(s);
  hn_script_add(
      s, "set xlabel %s offset 0,0.35 textcolor rgb '%s'\nset ylabel %s textcolor rgb '%s'\n",
      x_label, ink, y_label, ink);
  hn_script_add(s, d->log_x ? "set logscale x\nset mxtics 10\n" : "unset logscale\nset mxtics 1\n");
  hn_script_add(s, "set format x '%%g'\n");
  if (d->log_y) hn_script_add(s, "set logscale y\nset format y '%%g'\n");
  if (!d->log_x && x.high >= 1000)
    count_ticks(s, x);
  else if (f->group == HN_FIGURE_ADAPTATION && x.high - x.low < 12)
    hn_script_add(s, "set xtics 1\n");
  else
    hn_script_add(s, "set xtics autofreq\n");
  hn_script_range(s, "x", x);
  hn_script_range(s, "y", (HnRange){off_axis(d, y.low), off_axis(d, y.high)});
  for (guint i = 0; d->mark && i < d->mark->len; i++) {
    double at = g_array_index(d->mark, double, i);
    hn_script_add(s, "set arrow from first"), hn_script_number(s, at);
    hn_script_add(s, ",graph 0 to first"), hn_script_number(s, at);
    hn_script_add(s, ",graph 1 nohead back lc rgb '%s' lw 1\n", grid);
  }
}

/* ---- curves ---- */

/* The numbers; a band that would leave a logarithmic axis at the bottom ends there. */
static void data(const HnScript *s, const HnCurves *d, HnRange y) {
  double foot = d->log_y ? off_axis(d, y.low) : (double)-INFINITY;
  for (int64_t a = 0; a < d->count; a++) {
    const HnCurve *c = d->curve[a];
    if (!c) continue;
    hn_script_add(s, "$arm%" G_GINT64_FORMAT " << EOD\n", a);
    for (int64_t i = 0; i < c->n; i++) {
      hn_script_number(s, c->x[i]);
      hn_script_number(s, c->value[i]);
      hn_script_number(s, c->low[i] < foot ? foot : c->low[i]);
      hn_script_number(s, c->high[i]);
      for (int64_t k = 0; k < c->seeds; k++) hn_script_number(s, c->each[k * c->n + i]);
      hn_script_add(s, "\n");
    }
    hn_script_add(s, "EOD\n");
  }
}

static void plot_band(const HnScript *s, const HnCurves *d, int64_t a) {
  g_autofree char *hue = hue_of(s, d, a);
  hn_script_add(s,
                ", $arm%" G_GINT64_FORMAT " using 1:3:4 with filledcurves lc rgb '%s' "
                "fs transparent solid %s noborder notitle",
                a, hue, d->parts ? "0.1" : "0.16");
}

static void plot_seeds(const HnScript *s, const HnCurves *d, int64_t a) {
  g_autofree char *hue = hue_of(s, d, a);
  for (int64_t k = 0; k < d->curve[a]->seeds; k++)
    hn_script_add(s,
                  ", $arm%" G_GINT64_FORMAT " using 1:%" G_GINT64_FORMAT
                  " with lines lc rgb '%s' lw 0.6 notitle",
                  a, 5 + k, hue);
}

/* Gaps stay gaps, so that a point may stand alone. */
static void plot_line(const HnScript *s, const HnCurves *d, int64_t a) {
  const bool points = d->curve[a]->n <= 40 || hn_curve_has_gap(d->curve[a]);
  g_autofree char *hue = hue_of(s, d, a);
  int dashes = 1;
  if (!d->parts) dashes = a == s->baseline ? 2 : hn_colour_repeats(a, s->baseline) ? 4 : 1;
  hn_script_add(s, ", $arm%" G_GINT64_FORMAT " using 1:2 with %s lc rgb '%s' lw 2 dt %d notitle", a,
                points ? "linespoints pt 7 ps 0.35" : "lines", hue, dashes);
}

void hn_draw_curves(const HnScript *s, const HnFigure *f) {
  const HnCurves *d = f->data;
  const HnRange x = horizontal(f), y = vertical(d);
  data(s, d, y);
  frame(s, f, x, y);
  labels(s, d, y);
  /* bands, single seeds where there is no band, lines: nothing hides a line */
  const gsize start = s->text->len;
  for (int64_t a = 0; a < d->count; a++)
    if (d->curve[a] && hn_curve_has_interval(d->curve[a])) plot_band(s, d, a);
  for (int64_t a = 0; a < d->count; a++)
    if (d->curve[a] && !hn_curve_has_interval(d->curve[a]) && d->curve[a]->seeds > 1)
      plot_seeds(s, d, a);
  for (int64_t a = 0; a < d->count; a++)
    if (d->curve[a]) plot_line(s, d, a);
  g_string_erase(s->text, (gssize)start, 1); /* the comma of the first */
  g_string_insert(s->text, (gssize)start, "plot");
  hn_script_add(s, "\n");
}

void hn_draw_curves_size(const HnFigure *f, double *width, double *height) {
  *width = HN_FIGURE_WIDTH, *height = height_of(f->data);
}

/* draw_curves.c - see draw_curves.h. */
#include "draw_curves.h"
#include "legend.h"
#include <math.h>
#include <stdlib.h>

/* pixels */
enum { PLOT = 240, LEFT = 64, RIGHT = 18, TOP = 10, FOOT = 52, BESIDE = 24 };
/* Names stand beside the ends of lines where there are few and short ones, else in a legend. */
enum { BESIDE_MOST = 10, BESIDE_WIDTH = 130 };
/* How far beyond the lines, in parts of their span, bands and single seeds are shown. */
static const double BAND_BEYOND = 0.7, SEEDS_BEYOND = 3;
/* Up to so many arms single seeds are drawn half opaque. */
enum { SEEDS_CLEAR = 5 };
/* Markers on a line, and marks along a band that is cut. */
enum { MARKERS = 9, CUTS = 12 };

/* ---- ranges, in powers of ten on a logarithmic axis ---- */

static double on_axis(const HnCurves *d, double y) {
  return d->log_y ? log10(y) : y;
}
static double off_axis(const HnCurves *d, double place) {
  return d->log_y ? pow(10, place) : place;
}

/* Whether the seeds are drawn rather than a band. */
static bool shows_seeds(const HnCurves *d, const HnCurve *c) {
  return !d->parts && c->seeds > 1 && (c->seeds < HN_BAND_SEEDS || !hn_curve_has_interval(c));
}

/* The ends of what is drawn around a line at a point: of the band, or of the seeds. */
static HnRange around(const HnCurves *d, const HnCurve *c, int64_t i) {
  HnRange r = HN_RANGE_EMPTY;
  if (!shows_seeds(d, c)) {
    hn_range_include(&r, on_axis(d, c->low[i])), hn_range_include(&r, on_axis(d, c->high[i]));
    return r;
  }
  for (int64_t k = 0; k < c->seeds; k++) hn_range_include(&r, on_axis(d, c->each[k * c->n + i]));
  return r;
}

/* Whether curve a is drawn at all. */
static bool is_shown(const HnCurves *d, int64_t a) {
  return d->curve[a] && (d->slot[a] >= 0 || d->show_rest);
}

/* A rate's axis has no numbers that no rate can be. */
static HnRange of_rate(HnRange lines, HnRange r, bool constant) {
  if (lines.low < 0 || lines.high > 1) return r; /* a sum that is called success */
  return constant ? (HnRange){0, 1} : (HnRange){fmax(r.low, 0), fmin(r.high, 1)};
}

/* Holds the lines, and what is around them as far as the lines stay readable. */
static HnRange vertical(const HnCurves *d) {
  HnRange lines = HN_RANGE_EMPTY, all = HN_RANGE_EMPTY;
  bool seeds = false;
  if (d->zero) hn_range_include(&lines, 0), hn_range_include(&all, 0);
  for (int64_t a = 0; a < d->count; a++) {
    const HnCurve *c = is_shown(d, a) ? d->curve[a] : NULL;
    seeds |= c && shows_seeds(d, c);
    for (int64_t i = 0; c && i < c->n; i++) {
      const double value = on_axis(d, c->value[i]);
      const HnRange here = d->slot[a] < 0 ? HN_RANGE_EMPTY : around(d, c, i);
      hn_range_include(&lines, value), hn_range_include(&all, value);
      hn_range_include(&all, here.low), hn_range_include(&all, here.high);
    }
  }
  if (d->parts) lines = all; /* whose bands matter as much */
  double span = lines.high - lines.low, size = fmax(fabs(lines.high), fabs(lines.low));
  const bool constant = !(span > 1e-6 * size);
  if (constant) span = size > 0 ? size * 0.1 : 1; /* all but constant */
  const double more = span * (seeds ? SEEDS_BEYOND : BAND_BEYOND);
  HnRange r = {fmax(all.low, lines.low - more), fmin(all.high, lines.high + more)};
  double pad = r.high - r.low > 0.1 * span ? 0.04 * (r.high - r.low) : span / 2;
  r = (HnRange){r.low - pad, r.high + pad};
  return d->rate ? of_rate(lines, r, constant) : r;
}

/* Of x; *alone: there is but one, which has the axis' only number. */
static HnRange horizontal(const HnFigure *f, bool *alone) {
  const HnCurves *d = f->data;
  HnRange r = HN_RANGE_EMPTY;
  for (int64_t a = 0; a < d->count; a++)
    for (int64_t i = 0; is_shown(d, a) && i < d->curve[a]->n; i++)
      hn_range_include(&r, d->curve[a]->x[i]);
  *alone = r.low == r.high;
  if (*alone) r.low -= 0.5, r.high += 0.5;
  if (f->group == HN_FIGURE_FINDING || f->group == HN_FIGURE_LEARNING ||
      f->group == HN_FIGURE_OTHER)
    r.low = fmin(r.low, 0);
  return r;
}

/* ---- the places of the parts ---- */

typedef struct Layout {
  double top, bottom, right, height; /* of the plot its margins; of the whole */
  bool beside;
  char **heading; /* lines of the vertical axis' title, above the plot */
  GArray *entry;  /* HnLegendEntry */
} Layout;

static void layout_clear(Layout *l) {
  g_strfreev(l->heading), g_array_unref(l->entry);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Layout, layout_clear)

static Layout layout_of(const HnCurves *d, double width) {
  Layout l = {.heading = hn_text_wrap(d->y_label, width - 16),
              .entry = g_array_new(FALSE, FALSE, sizeof(HnLegendEntry))};
  double longest = 0;
  for (int64_t a = 0; a < d->count; a++) {
    if (!isfinite(hn_curve_last(d->curve[a])) || d->slot[a] < 0) continue;
    const HnLegendEntry one = {d->names[a], d->slot[a], true};
    longest = fmax(longest, hn_text_width(one.name));
    g_array_append_val(l.entry, one);
  }
  l.beside = l.entry->len <= BESIDE_MOST && longest <= fmin(BESIDE_WIDTH, 0.24 * width);
  l.top = TOP + HN_LINE_HEIGHT * (double)g_strv_length(l.heading);
  l.right = l.beside ? BESIDE + longest : RIGHT;
  l.bottom = FOOT;
  if (!l.beside)
    l.bottom += 6 + hn_legend_height(l.entry->len, (const HnLegendEntry *)l.entry->data, width);
  l.height = l.top + PLOT + l.bottom;
  return l;
}

/* ---- names at the ends of lines ---- */

typedef struct Label {
  int64_t curve;
  double y; /* 0 .. 1 of the plot's height */
} Label;

static int by_height(const void *a, const void *b) {
  const Label *x = a, *y = b;
  return x->y != y->y ? (x->y > y->y) - (x->y < y->y)
                      : (x->curve > y->curve) - (x->curve < y->curve);
}

/* Places names at the right ends of their lines, apart from each other and within the picture. */
static guint place_labels(const HnCurves *d, HnRange y, Label *label) {
  const double gap = (double)HN_LINE_HEIGHT / PLOT;
  guint n = 0;
  for (int64_t a = 0; a < d->count; a++) {
    double last = hn_curve_last(d->curve[a]);
    if (!isfinite(last) || d->slot[a] < 0) continue;
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

static void labels(const HnScript *s, const HnCurves *d, HnRange y, const Layout *l) {
  g_autofree Label *label = g_new(Label, (gsize)d->count);
  const guint n = place_labels(d, y, label);
  const double edge = s->width - l->right;
  for (guint i = 0; i < n; i++) {
    const double at = l->top + PLOT * (1 - label[i].y);
    hn_script_marker(s, edge + 10, at, d->slot[label[i].curve], 0.6);
    hn_script_text(s, edge + 18, at, "left", d->names[label[i].curve], HN_INK);
  }
}

/* ---- axes ---- */

/* Ticks 0, 200k .. 1M, 1.2M: gnuplot's own prefixes show none or all decimals. */
static void count_ticks(const HnScript *s, HnRange x) {
  static const char *const unit[] = {"", "k", "M", "G", "T", "P"};
  const double step = hn_range_step(x, s->width > 480 ? 6 : 4);
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

static void frame(const HnScript *s, const HnFigure *f, HnRange x, HnRange y, bool alone,
                  const Layout *l) {
  const HnCurves *d = f->data;
  g_autofree char *ink = hn_script_colour(s, HN_INK), *grid = hn_script_colour(s, HN_GRID);
  hn_script_axes(s);
  hn_script_margins(s, LEFT, l->right, l->top, l->bottom);
  for (guint i = 0; l->heading[i]; i++)
    hn_script_text(s, 8, HN_LINE_HEIGHT * (i + 0.5), "left", l->heading[i], HN_INK);
  hn_script_text(s, (LEFT + s->width - l->right) / 2, s->height - l->bottom + FOOT - 13, "center",
                 d->x_label, HN_INK);
  hn_script_add(s, d->log_x ? "set logscale x\nset mxtics 10\n" : "unset logscale\nset mxtics 1\n");
  hn_script_add(s, "set format x '%%g'\nset format y '%%g'\n");
  if (d->log_y) hn_script_add(s, "set logscale y\n");
  if (alone)
    hn_script_add(s, "set xtics ('%.9g' %.9g)\n", x.high - 0.5, x.high - 0.5);
  else if (!d->log_x && x.high >= 1000)
    count_ticks(s, x);
  else if (f->group == HN_FIGURE_ADAPTATION && x.high - x.low < 12)
    hn_script_add(s, "set xtics 1\n");
  else
    hn_script_add(s, "set xtics autofreq\n");
  hn_script_range(s, "x", x);
  hn_script_range(s, "y", (HnRange){off_axis(d, y.low), off_axis(d, y.high)});
  if (d->zero)
    hn_script_add(s, "set arrow from graph 0,first 0 to graph 1,first 0 nohead back lc rgb '%s'\n",
                  ink);
  for (guint i = 0; d->mark && i < d->mark->len; i++) {
    double at = g_array_index(d->mark, double, i);
    hn_script_add(s, "set arrow from first"), hn_script_number(s, at);
    hn_script_add(s, ",graph 0 to first"), hn_script_number(s, at);
    hn_script_add(s, ",graph 1 nohead back lc rgb '%s' lw 1\n", grid);
  }
}

/* ---- curves ---- */

/* Where curve a is looked at for being cut: every so many points, from half of that on. */
static int64_t cut_step(const HnCurve *c) {
  return MAX(1, c->n / CUTS);
}

/* Whether what is around a line leaves the plot at a point, at the top or at the bottom. */
static bool leaves(const HnCurves *d, HnRange y, int64_t a, int64_t i, bool top) {
  const HnRange here = around(d, d->curve[a], i);
  return top ? here.high > y.high : here.low < y.low;
}

static bool is_cut(const HnCurves *d, HnRange y, int64_t a) {
  const HnCurve *c = d->curve[a];
  for (int64_t i = cut_step(c) / 2; i < c->n && d->slot[a] >= 0; i += cut_step(c))
    if (leaves(d, y, a, i, true) || leaves(d, y, a, i, false)) return true;
  return false;
}

bool hn_draw_curves_cut(const HnCurves *d) {
  const HnRange y = vertical(d);
  for (int64_t a = 0; a < d->count; a++)
    if (d->curve[a] && is_cut(d, y, a)) return true;
  return false;
}

/* Rows of the points where a mark is due: x, the edge, and 1 at the top or -1. */
static void cut_data(const HnScript *s, const HnCurves *d, HnRange y, int64_t a) {
  const HnCurve *c = d->curve[a];
  hn_script_add(s, "$cut%" G_GINT64_FORMAT " << EOD\n", a);
  for (int64_t i = cut_step(c) / 2; i < c->n; i += cut_step(c))
    for (int top = 0; top < 2; top++) {
      if (!leaves(d, y, a, i, top)) continue;
      const double row[] = {c->x[i], off_axis(d, top ? y.high : y.low), top ? 1 : -1};
      hn_script_numbers(s, 3, row);
      hn_script_add(s, "\n");
    }
  hn_script_add(s, "EOD\n");
}

/* The numbers; a band that would leave a logarithmic axis at the bottom ends there. */
static void data(const HnScript *s, const HnCurves *d, HnRange y) {
  double foot = d->log_y ? off_axis(d, y.low) : (double)-INFINITY;
  for (int64_t a = 0; a < d->count; a++) {
    const HnCurve *c = d->curve[a];
    if (!is_shown(d, a)) continue;
    hn_script_add(s, "$arm%" G_GINT64_FORMAT " << EOD\n", a);
    for (int64_t i = 0; i < c->n; i++) {
      hn_script_number(s, c->x[i]);
      hn_script_number(s, c->value[i]);
      hn_script_number(s, c->low[i] < foot ? foot : c->low[i]);
      hn_script_number(s, c->high[i]);
      for (int64_t k = 0; k < c->seeds && d->slot[a] >= 0 && shows_seeds(d, c); k++)
        hn_script_number(s, c->each[k * c->n + i]);
      hn_script_add(s, "\n");
    }
    hn_script_add(s, "EOD\n");
    if (is_cut(d, y, a)) cut_data(s, d, y, a);
  }
}

static char *hue_of(const HnScript *s, const HnCurves *d, int64_t a) {
  return hn_script_colour(s, hn_colour_of_slot(d->slot[a]));
}

static void plot_band(const HnScript *s, const HnCurves *d, int64_t a) {
  g_autofree char *hue = hue_of(s, d, a);
  hn_script_add(s,
                ", $arm%" G_GINT64_FORMAT " using 1:3:4 with filledcurves lc rgb '%s' "
                "fs transparent solid %s noborder notitle",
                a, hue, d->parts ? "0.1" : "0.16");
}

/* Half seen, and of many arms less, so that the lines stand out. */
static void plot_seeds(const HnScript *s, const HnCurves *d, int64_t a) {
  const bool many = d->count > SEEDS_CLEAR, alone = d->curve[a]->n == 1;
  g_autofree char *hue = hue_of(s, d, a);
  for (int64_t k = 0; k < d->curve[a]->seeds; k++)
    hn_script_add(s,
                  ", $arm%" G_GINT64_FORMAT " using 1:%" G_GINT64_FORMAT
                  " with %s lc rgb '#%s%s' lw 0.8 notitle",
                  a, 5 + k, alone ? "points pt 1 ps 0.5" : "lines", many ? "c0" : "80", hue + 1);
}

/* Gaps stay gaps, so that a point may stand alone. */
static void plot_line(const HnScript *s, const HnCurves *d, int64_t a) {
  const HnCurve *c = d->curve[a];
  const int64_t slot = d->slot[a], every = hn_curve_has_gap(c) ? 1 : MAX(1, c->n / MARKERS);
  g_autofree char *hue = hue_of(s, d, a);
  hn_script_add(s, ", $arm%" G_GINT64_FORMAT " using 1:2 with ", a);
  if (slot < 0)
    hn_script_add(s, "lines lc rgb '%s' lw 0.8 notitle", hue);
  else
    hn_script_add(s,
                  "linespoints pt %d ps 0.5 pi %" G_GINT64_FORMAT " lc rgb '%s' lw 2 dt %d notitle",
                  hn_slot_point(slot), every, hue, hn_slot_dash(slot));
}

/* Triangles at the edge where a band or seeds go on beyond it. */
static void plot_cuts(const HnScript *s, const HnCurves *d, int64_t a) {
  g_autofree char *hue = hue_of(s, d, a);
  for (int top = 0; top < 2; top++)
    hn_script_add(s,
                  ", $cut%" G_GINT64_FORMAT
                  " using 1:($3 %s 0 ? $2 : NaN) with points pt %d ps 0.7 "
                  "lc rgb '%s' notitle",
                  a, top ? ">" : "<", top ? 9 : 11, hue);
}

/* What is behind comes first: arms without a slot, bands, seeds; nothing hides a line. */
static void plots(const HnScript *s, const HnCurves *d, HnRange y) {
  const gsize start = s->text->len;
  for (int64_t a = 0; a < d->count; a++)
    if (is_shown(d, a) && d->slot[a] < 0) plot_line(s, d, a);
  for (int layer = 0; layer < 3; layer++)
    for (int64_t a = 0; a < d->count; a++) {
      const HnCurve *c = d->curve[a];
      if (!c || d->slot[a] < 0) continue;
      const bool seeds = shows_seeds(d, c);
      if (layer == 0 && !seeds && hn_curve_has_interval(c)) plot_band(s, d, a);
      if (layer == 1 && seeds) plot_seeds(s, d, a);
      if (layer < 2) continue;
      plot_line(s, d, a);
      if (is_cut(d, y, a)) plot_cuts(s, d, a);
    }
  if (s->text->len > start) g_string_erase(s->text, (gssize)start, 1); /* the first comma */
  g_string_insert(s->text, (gssize)start, "plot");
  hn_script_add(s, "\n");
}

void hn_draw_curves(const HnScript *s, const HnFigure *f) {
  const HnCurves *d = f->data;
  bool alone;
  const HnRange x = horizontal(f, &alone), y = vertical(d);
  g_auto(Layout) l = layout_of(d, s->width);
  if (!s->again) data(s, d, y);
  frame(s, f, x, y, alone, &l);
  if (l.beside)
    labels(s, d, y, &l);
  else
    hn_legend_draw(s, l.entry->len, (const HnLegendEntry *)l.entry->data,
                   s->height - l.bottom + FOOT + 3);
  plots(s, d, y);
}

void hn_draw_curves_size(const HnFigure *f, double *width, double *height) {
  g_auto(Layout) l = layout_of(f->data, *width);
  *height = l.height;
}

/* figure_forest.c - what arms differ from the baseline in, metric by metric: a forest plot.  Each
 * metric has an axis of its own, in its own unit, and a row for every arm. */
#include "arm_slots.h"
#include "csv.h"
#include "figure.h"
#include "format.h"
#include "legend.h"
#include "short_text.h"
#include <math.h>

enum { ROWS_MAX = 40 };
/* Rows of one metric that are not shown on a scale that would hide the others. */
enum { REACH_MAX = 6 };

typedef struct Forest {
  const HnComparison *c;
  int64_t *slot;     /* of each arm */
  GPtrArray *metric; /* HnCompared *, borrowed */
} Forest;

static void forest_free(void *data) {
  Forest *p = data;
  g_ptr_array_unref(p->metric), g_free(p->slot), g_free(p);
}

/* ---- gathering ---- */

/* The arms that a metric has rows for (int64_t), in the order of their slots, which of many is that
 * of their merit; g_array_unref. */
static GArray *rows_of(const Forest *p, const HnCompared *m) {
  GArray *rows = g_array_new(FALSE, FALSE, sizeof(int64_t));
  for (int64_t slot = 1; slot < HN_SLOTS; slot++)
    for (int64_t a = 0; a < m->arms; a++) {
      const HnEstimate *d = &m->estimate[a][HN_DIFFERENCE];
      if (p->slot[a] == slot && d->n > 0 && isfinite(d->value)) g_array_append_val(rows, a);
    }
  return rows;
}

/* The metrics that have room, the deciding one in any case. */
static void choose_metrics(Forest *p) {
  int64_t rows = 0;
  for (guint i = 0; i < p->c->columns->len; i++) {
    HnCompared *m = p->c->columns->pdata[i];
    g_autoptr(GArray) arms = rows_of(p, m);
    const int64_t here = arms->len;
    if (!here || (rows && rows + here > ROWS_MAX)) continue;
    rows += here;
    g_ptr_array_add(p->metric, m);
  }
}

static bool any_cut(const Forest *p);

static char *note_of(const Forest *p) {
  const HnComparison *c = p->c;
  g_autofree char *methods = hn_format_methods(c), *arms = hn_arm_slots_note(c, false),
                  *tasks = hn_metric_tasks_text(c->results);
  GString *note = g_string_new(NULL);
  g_string_append_printf(note, "point and line: the difference and its %g %% interval; %s",
                         100 * hn_stats_confidence(c->stats), methods);
  g_string_append_printf(note, "; %" G_GINT64_FORMAT " seed%s", c->results->seeds,
                         hn_plural(c->results->seeds));
  g_string_append_printf(note, "%s%s", *tasks ? ", " : "", tasks);
  if (any_cut(p)) g_string_append(note, "; arrows: intervals that go on beyond the axis");
  if (*arms) g_string_append_printf(note, ". %s", arms);
  return g_string_free(note, FALSE);
}

static void gather(GPtrArray *figures, const HnComparison *c) {
  Forest *p = g_new0(Forest, 1);
  p->c = c, p->slot = hn_arm_slots(c), p->metric = g_ptr_array_new();
  choose_metrics(p);
  if (!p->metric->len) {
    forest_free(p);
    return;
  }
  g_autofree char *note = note_of(p),
                  *title = g_strdup_printf("Differences from %s", c->results->arms[c->baseline]);
  hn_figure_add(figures, &(HnFigure){.kind = &hn_figure_forest,
                                     .group = HN_FIGURE_FINDING,
                                     .name = "differences",
                                     .column = "final values",
                                     .title = title,
                                     .note = note,
                                     .data = p});
}

/* ---- layout ---- */

/* pixels */
enum { SIDE = 10, INDENT = 22, ROW = 24, AXIS = 26, GAP = 16, PLOT_LEAST = 130, TICK = 42 };

typedef struct Layout {
  double left, right; /* of the plot, from the figure's left edge */
  bool above;         /* names stand above their rows, over the whole width */
  bool numbers;       /* rows end in the difference and its interval, else in the verdict alone */
} Layout;

/* "-0.66 [-0.91, -0.41] better" */
static char *row_text(const HnCompared *m, int64_t arm, bool numbers) {
  const HnEstimate *d = &m->estimate[arm][HN_DIFFERENCE];
  HnFormat f = hn_format_of(m, arm, HN_DIFFERENCE);
  f.written = true; /* the heading has no exponent */
  g_autofree char *value = hn_format_number(d->value, f), *interval = hn_format_interval(d, f);
  const char *verdict = hn_compared_verdict(m, arm);
  return numbers ? g_strdup_printf("%s %s %s", value, interval, verdict) : g_strdup(verdict);
}

static Layout layout_of(const Forest *p, double width) {
  double name = 0, text[2] = {0, 0};
  for (guint i = 0; i < p->metric->len; i++) {
    const HnCompared *m = p->metric->pdata[i];
    g_autoptr(GArray) rows = rows_of(p, m);
    for (guint k = 0; k < rows->len; k++) {
      const int64_t a = g_array_index(rows, int64_t, k);
      name = fmax(name, hn_text_width(p->c->results->arms[a]));
      for (int form = 0; form < 2; form++) {
        g_autofree char *shown = row_text(m, a, form);
        text[form] = fmax(text[form], hn_text_width(shown));
      }
    }
  }
  Layout l = {.above = name > 0.26 * width};
  l.left = INDENT + (l.above ? 0 : name + 14);
  l.numbers = width - l.left - SIDE - 14 - text[1] >= PLOT_LEAST;
  l.right = width - SIDE - 14 - text[l.numbers];
  return l;
}

static char *heading_of(const HnComparison *c, const HnCompared *m) {
  g_autofree char *words = hn_metric_words(c->results->cells, m->column);
  const char *way = m->better > 0   ? "higher is better"
                    : m->better < 0 ? "lower is better"
                                    : "neither way is better";
  return g_strdup_printf("%s (%s%s%s)", words, m->unit, *m->unit ? "; " : "", way);
}

/* ---- drawing ---- */

/* Differences of one metric; of intervals that reach far beyond the others only a part. */
static HnRange range_of(const Forest *p, const HnCompared *m) {
  HnRange all = {0, 0}, points = {0, 0};
  g_autoptr(GArray) reach = g_array_new(FALSE, FALSE, sizeof(double));
  g_autoptr(GArray) rows = rows_of(p, m);
  for (guint i = 0; i < rows->len; i++) {
    const int64_t a = g_array_index(rows, int64_t, i);
    const HnEstimate *d = &m->estimate[a][HN_DIFFERENCE];
    HnRange own = {0, 0};
    hn_range_include(&own, d->value), hn_range_include(&own, d->low);
    hn_range_include(&own, d->high);
    const double far = own.high - own.low;
    g_array_append_val(reach, far);
    hn_range_include(&all, own.low), hn_range_include(&all, own.high);
    hn_range_include(&points, d->value);
  }
  const double most =
      REACH_MAX * hn_stats_aggregate(HN_AGGREGATE_MEDIAN, reach->len, (double *)reach->data);
  if (most > 0) {
    all.low = fmin(fmax(all.low, -most), points.low);
    all.high = fmax(fmin(all.high, most), points.high);
  }
  if (!(all.high > all.low)) all = (HnRange){-1, 1};
  const double pad = 0.05 * (all.high - all.low);
  return (HnRange){all.low - pad, all.high + pad};
}

static bool is_cut(HnRange r, double x) {
  return x < r.low || x > r.high; /* not of NaN */
}

/* Whether an interval goes on beyond its axis. */
static bool any_cut(const Forest *p) {
  for (guint i = 0; i < p->metric->len; i++) {
    const HnCompared *m = p->metric->pdata[i];
    const HnRange r = range_of(p, m);
    g_autoptr(GArray) rows = rows_of(p, m);
    for (guint k = 0; k < rows->len; k++) {
      const HnEstimate *d = &m->estimate[g_array_index(rows, int64_t, k)][HN_DIFFERENCE];
      if (is_cut(r, d->low) || is_cut(r, d->high)) return true;
    }
  }
  return false;
}

static double place_of(const Layout *l, HnRange r, double x) {
  return l->left + (l->right - l->left) * (x - r.low) / (r.high - r.low);
}

/* An end of an interval: a cap, or at the edge of the plot an arrow where it goes on. */
static void draw_end(const HnScript *s, const Layout *l, HnRange r, double x, double y, int code) {
  const bool cut = is_cut(r, x);
  const double at = place_of(l, r, CLAMP(x, r.low, r.high)), back = x < r.low ? 6 : -6;
  if (cut) {
    hn_script_line(s, at, y, at + back, y - 4, code, 2, 1);
    hn_script_line(s, at, y, at + back, y + 4, code, 2, 1);
  } else {
    hn_script_line(s, at, y - 4, at, y + 4, code, 1.5, 1);
  }
}

static void draw_row(const HnScript *s, const Forest *p, const Layout *l, const HnCompared *m,
                     HnRange r, int64_t arm, double y) {
  const HnEstimate *d = &m->estimate[arm][HN_DIFFERENCE];
  const int64_t slot = p->slot[arm];
  const int code = hn_colour_of_slot(slot);
  g_autofree char *text = row_text(m, arm, l->numbers);
  if (d->interval != HN_INTERVAL_NONE) {
    hn_script_line(s, place_of(l, r, fmax(d->low, r.low)), y, place_of(l, r, fmin(d->high, r.high)),
                   y, code, 2, 1);
    draw_end(s, l, r, d->low, y, code), draw_end(s, l, r, d->high, y, code);
  }
  hn_script_marker(s, place_of(l, r, d->value), y, slot, 0.9);
  hn_script_text(s, l->right + 12, y, "left", text, HN_INK);
}

static double tick_step(const Layout *l, HnRange r) {
  return hn_range_step(r, MAX(2, (int)((l->right - l->left) / TICK)));
}

/* Behind a row: names stand between the rows. */
static void draw_grid(const HnScript *s, const Layout *l, HnRange r, double y) {
  const double step = tick_step(l, r);
  for (double k = ceil(r.low / step); k <= floor(r.high / step); k++) {
    const double at = place_of(l, r, k * step);
    hn_script_line(s, at, y, at, y + ROW, k == 0 ? HN_INK : HN_GRID, 1, 1);
  }
}

static void draw_axis(const HnScript *s, const Layout *l, HnRange r, double y) {
  const double step = tick_step(l, r);
  hn_script_line(s, l->left, y, l->right, y, HN_INK, 1, 1);
  for (double k = ceil(r.low / step); k <= floor(r.high / step); k++) {
    g_autofree char *text = g_strdup_printf("%.6g", k == 0 ? 0.0 : k * step);
    hn_script_text(s, place_of(l, r, k * step), y + 11, "center", text, HN_INK);
  }
}

/* Lines of text from y downwards, drawn where there is a script; returns where they end. */
static double draw_lines(const HnScript *s, const char *text, double x, double y, double width) {
  g_auto(GStrv) lines = hn_text_wrap(text, width - x - SIDE);
  for (guint k = 0; lines[k]; k++, y += HN_LINE_HEIGHT)
    if (s) hn_script_text(s, x, y + HN_LINE_HEIGHT / 2.0, "left", lines[k], HN_INK);
  return y;
}

/* Draws a metric from y downwards where there is a script; returns where it ends. */
static double metric(const HnScript *s, const Forest *p, const Layout *l, const HnCompared *m,
                     double width, double y) {
  const HnRange r = range_of(p, m);
  g_autofree char *heading = heading_of(p->c, m);
  y = draw_lines(s, heading, SIDE, y, width) + 4;
  g_autoptr(GArray) rows = rows_of(p, m);
  for (guint i = 0; i < rows->len; i++) {
    const int64_t a = g_array_index(rows, int64_t, i);
    const char *name = p->c->results->arms[a];
    if (l->above) y = draw_lines(s, name, INDENT, y, width);
    if (s) {
      draw_grid(s, l, r, y);
      if (!l->above) hn_script_text(s, INDENT, y + ROW / 2.0, "left", name, HN_INK);
      draw_row(s, p, l, m, r, a, y + ROW / 2.0);
    }
    y += ROW;
  }
  if (s) draw_axis(s, l, r, y);
  return y + AXIS;
}

static double walk(const HnScript *s, const Forest *p, double width) {
  const Layout l = layout_of(p, width);
  double y = SIDE / 2.0;
  for (guint i = 0; i < p->metric->len; i++)
    y = metric(s, p, &l, p->metric->pdata[i], width, y) + (i + 1 < p->metric->len ? GAP : 0);
  return y;
}

static void script(const HnScript *s, const HnFigure *f) {
  hn_script_margins(s, 0, 0, 0, 0);
  walk(s, f->data, s->width);
  hn_script_add(s,
                "unset border\nunset tics\nset xrange [0:1]\nset yrange [0:1]\nplot 2 notitle\n");
}

static void size(const HnFigure *f, double *width, double *height) {
  *height = walk(NULL, f->data, *width);
}

static char *csv(const HnFigure *f) {
  const Forest *p = f->data;
  HnCsvWriter w = hn_csv_writer("metric,unit,arm,seeds,difference,low,high,verdict", 9);
  hn_csv_end_row(&w);
  for (guint i = 0; i < p->c->columns->len; i++) {
    const HnCompared *m = p->c->columns->pdata[i];
    for (int64_t a = 0; a < m->arms; a++) {
      const HnEstimate *d = &m->estimate[a][HN_DIFFERENCE];
      if (d->n == 0) continue;
      hn_csv_text(&w, m->column), hn_csv_text(&w, m->unit);
      hn_csv_text(&w, p->c->results->arms[a]), hn_csv_int(&w, d->n);
      hn_csv_number(&w, d->value), hn_csv_number(&w, d->low), hn_csv_number(&w, d->high);
      hn_csv_text(&w, hn_compared_verdict(m, a));
      hn_csv_end_row(&w);
    }
  }
  return hn_csv_take(&w);
}

const HnFigureKind hn_figure_forest = {.name = "forest",
                                       .gather = gather,
                                       .size = size,
                                       .script = script,
                                       .csv = csv,
                                       .free = forest_free};

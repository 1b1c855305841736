/* figure_panels.c - see figure_panels.h.  From the cells' predictions.csv. */
#include "figure_panels.h"
#include "arm_slots.h"
#include "csv.h"
#include <math.h>

static void panels_free(void *data) {
  HnPanels *p = data;
  for (guint i = 0; i < p->panel->len; i++) {
    HnPanel *one = &g_array_index(p->panel, HnPanel, i);
    double *all[] = {one->x, one->truth, one->mean, one->stddev, one->member, one->point};
    for (guint k = 0; k < G_N_ELEMENTS(all); k++) g_free(all[k]);
  }
  g_array_unref(p->panel);
  g_free(p);
}

/* ---- gathering ---- */

static const int64_t shown[] = {0, 1, 5, 10, 30};

/* predictions.csv: a line is something seen (seen 1: x, truth) or a point of the grid. */
typedef struct Lines {
  const HnTable *table;
  int64_t row, step, seen, x, truth, mean, stddev, member, members; /* columns */
} Lines;

static bool find_lines(const HnTable *t, Lines *out) {
  *out = (Lines){.table = t,
                 .row = hn_table_find(t, "row"),
                 .step = hn_table_find(t, "step"),
                 .seen = hn_table_find(t, "seen"),
                 .x = hn_table_find(t, "x"),
                 .truth = hn_table_find(t, "truth"),
                 .mean = hn_table_find(t, "mean"),
                 .stddev = hn_table_find(t, "stddev"),
                 .member = hn_table_find(t, "member_1"),
                 .members = hn_table_numbered(t, "member", 1)};
  const int64_t needed[] = {out->row,   out->step, out->seen,  out->x,
                            out->truth, out->mean, out->stddev};
  for (guint i = 0; i < G_N_ELEMENTS(needed); i++)
    if (needed[i] < 0) return false;
  return true;
}

/* The end of the lines from `from` on that have the same row and step; a line where one of them is
 * not a number stands alone. */
static int64_t end_of(const Lines *l, int64_t from) {
  int64_t end = from + 1;
  while (end < l->table->rows &&
         hn_table_at(l->table, end, l->row) == hn_table_at(l->table, from, l->row) &&
         hn_table_at(l->table, end, l->step) == hn_table_at(l->table, from, l->step))
    end++;
  return end;
}

static HnPanel read_panel(const Lines *l, int64_t from, int64_t end) {
  const HnTable *t = l->table;
  gsize room = (gsize)(end - from);
  HnPanel p = {.step = (int64_t)hn_table_at(t, from, l->step),
               .x = g_new(double, room),
               .truth = g_new(double, room),
               .mean = g_new(double, room),
               .stddev = g_new(double, room),
               .member = g_new(double, room *(gsize)l->members + 1),
               .point = g_new(double, 2 * room)};
  for (int64_t i = from; i < end; i++) {
    double x = hn_table_at(t, i, l->x), truth = hn_table_at(t, i, l->truth);
    if (hn_table_at(t, i, l->seen) != 0) {
      p.point[2 * p.seen] = x, p.point[2 * p.seen + 1] = truth, p.seen++;
      continue;
    }
    p.x[p.n] = x, p.truth[p.n] = truth;
    p.mean[p.n] = hn_table_at(t, i, l->mean), p.stddev[p.n] = hn_table_at(t, i, l->stddev);
    p.n++;
  }
  for (int64_t m = 0; m < l->members; m++) /* the grid comes after what was seen */
    for (int64_t i = 0; i < p.n; i++)
      p.member[m * p.n + i] = hn_table_at(t, from + p.seen + i, l->member + m);
  return p;
}

static bool is_shown(double step) {
  for (guint i = 0; i < G_N_ELEMENTS(shown); i++)
    if (step == (double)shown[i]) return true;
  return false;
}

static void add_panels(GPtrArray *figures, const HnResults *r, int64_t arm, int64_t slot,
                       const HnTable *t) {
  Lines l;
  if (!t || t->rows < 1 || !find_lines(t, &l)) return;
  HnPanels *p = g_new0(HnPanels, 1);
  p->members = l.members, p->slot = slot;
  p->panel = g_array_new(FALSE, TRUE, sizeof(HnPanel));
  for (int64_t from = 0, end; from < t->rows; from = end) {
    bool next = from == 0 || hn_table_at(t, from, l.row) != hn_table_at(t, from - 1, l.row);
    end = end_of(&l, from);
    p->rows += next;
    if (!is_shown(hn_table_at(t, from, l.step))) continue;
    HnPanel one = read_panel(&l, from, end);
    g_array_append_val(p->panel, one);
  }
  p->columns = p->panel->len / p->rows;
  if (p->columns < 1 || p->columns * p->rows != p->panel->len) {
    panels_free(p);
    return;
  }
  hn_figure_add_of_arm(figures, r, arm,
                       (HnFigure){.kind = &hn_figure_panels,
                                  .name = "predictions",
                                  .column = "predictions.csv",
                                  .title = "Predictions along evaluated trials",
                                  .note =
                                      "a row is a task; line and band: the mean and one standard "
                                      "deviation; thin lines: members; dashed: the truth; "
                                      "points: what was seen",
                                  .data = p});
}

static void gather(GPtrArray *figures, const HnComparison *c) {
  const HnResults *r = c->results;
  g_autofree int64_t *slot = hn_arm_slots(c);
  for (int64_t a = 0; a < r->arm_count; a++) {
    if (slot[a] < 0) continue;
    const HnTable *t = NULL;
    for (int64_t s = 0; s < r->seeds && (!t || t->rows < 1); s++)
      t = hn_results_cell(r, a, s)->predictions;
    add_panels(figures, r, a, slot[a], t);
  }
}

/* ---- drawing ---- */

enum { PANEL = 175, PANEL_LEFT = 48, PANEL_TOP = 26, PANEL_BOTTOM = 42 }; /* pixels */

static double panels_height(const HnPanels *p) {
  return (double)(PANEL_TOP + PANEL * p->rows + PANEL_BOTTOM);
}

static void panel_data(const HnScript *s, const HnPanels *p, guint k) {
  const HnPanel *one = &g_array_index(p->panel, HnPanel, k);
  hn_script_add(s, "$grid%u << EOD\n", k);
  for (int64_t i = 0; i < one->n; i++) {
    const double mean = one->mean[i], stddev = one->stddev[i];
    const double row[] = {one->x[i], one->truth[i], mean, mean - stddev, mean + stddev};
    hn_script_numbers(s, G_N_ELEMENTS(row), row);
    for (int64_t m = 0; m < p->members; m++) hn_script_number(s, one->member[m * one->n + i]);
    hn_script_add(s, "\n");
  }
  hn_script_add(s, "EOD\n$seen%u << EOD\n", k);
  for (int64_t i = 0; i < one->seen; i++) {
    hn_script_numbers(s, 2, one->point + 2 * i);
    hn_script_add(s, "\n");
  }
  if (!one->seen) hn_script_add(s, " NaN NaN\n");
  hn_script_add(s, "EOD\n");
}

/* All panels share one scale, which holds the truth, what was seen, and the bands. */
static void panel_ranges(const HnPanels *p, HnRange *x, HnRange *y) {
  *x = *y = HN_RANGE_EMPTY;
  for (guint k = 0; k < p->panel->len; k++) {
    const HnPanel *one = &g_array_index(p->panel, HnPanel, k);
    for (int64_t i = 0; i < one->n; i++) {
      hn_range_include(x, one->x[i]), hn_range_include(y, one->truth[i]);
      hn_range_include(y, one->mean[i] - one->stddev[i]),
          hn_range_include(y, one->mean[i] + one->stddev[i]);
    }
    for (int64_t i = 0; i < one->seen; i++) hn_range_include(y, one->point[2 * i + 1]);
  }
  if (!(x->low < x->high)) *x = (HnRange){-1, 1};
  if (!(y->low < y->high)) *y = (HnRange){-1, 1};
  double pad = 0.04 * (y->high - y->low);
  y->low -= pad, y->high += pad;
}

static void panel_frame(const HnScript *s, const HnPanels *p, guint k) {
  const HnPanel *one = &g_array_index(p->panel, HnPanel, k);
  guint row = k / (guint)p->columns, column = k % (guint)p->columns;
  double width = (s->width - PANEL_LEFT) / (double)p->columns, height = s->height;
  double left = PANEL_LEFT + width * column, top = height - PANEL_TOP - PANEL * (double)row;
  const double place[] = {left / s->width, (left + width - 22) / s->width,
                          (top - PANEL + 12) / height, top / height};
  static const char *const side[] = {"l", "r", "b", "t"};
  for (int i = 0; i < 4; i++) {
    hn_script_add(s, "set %smargin at screen", side[i]);
    hn_script_number(s, place[i]), hn_script_add(s, "\n");
  }
  hn_script_add(s, "set format x '%s'\nset format y '%s'\n", row + 1 == (guint)p->rows ? "%g" : "",
                column ? "" : "%g");
  if (row == 0) {
    g_autofree char *ink = hn_script_colour(s, HN_INK);
    hn_script_add(s, "set title '%" G_GINT64_FORMAT "%s' offset 0,-0.7 textcolor rgb '%s'\n",
                  one->step, column ? "" : " seen", ink);
  } else {
    hn_script_add(s, "unset title\n");
  }
}

static void plot_panel(const HnScript *s, const HnPanels *p, guint k) {
  g_autofree char *ink = hn_script_colour(s, HN_INK);
  g_autofree char *hue = hn_script_colour(s, hn_colour_of_slot(p->slot));
  hn_script_add(s,
                "plot $grid%u using 1:4:5 with filledcurves lc rgb '%s' fs transparent "
                "solid 0.16 noborder notitle",
                k, hue);
  for (int64_t m = 0; m < p->members; m++)
    hn_script_add(s, ", $grid%u using 1:%" G_GINT64_FORMAT " with lines lc rgb '%s' lw 0.5 notitle",
                  k, 6 + m, hue);
  hn_script_add(s,
                ", $grid%u using 1:3 with lines lc rgb '%s' lw 2 notitle"
                ", $grid%u using 1:2 with lines lc rgb '%s' lw 1.2 dt 2 notitle"
                ", $seen%u using 1:2 with points lc rgb '%s' pt 7 ps 0.45 notitle\n",
                k, hue, k, ink, k, ink);
}

static void script(const HnScript *s, const HnFigure *f) {
  const HnPanels *p = f->data;
  HnRange x, y;
  panel_ranges(p, &x, &y);
  for (guint k = 0; k < p->panel->len && !s->again; k++) panel_data(s, p, k);
  hn_script_axes(s);
  hn_script_add(s, "set xtics 1\nset multiplot\n");
  hn_script_range(s, "x", x), hn_script_range(s, "y", y);
  for (guint k = 0; k < p->panel->len; k++) {
    panel_frame(s, p, k);
    plot_panel(s, p, k);
  }
  hn_script_add(s, "unset multiplot\n");
}

static void size(const HnFigure *f, double *width, double *height) {
  (void)width;
  *height = panels_height(f->data);
}

static char *csv(const HnFigure *f) {
  const HnPanels *p = f->data;
  HnCsvWriter w = hn_csv_writer("trial,step,seen,x,truth,mean,stddev", 9);
  hn_csv_numbered(&w, "member", 1, p->members);
  hn_csv_end_row(&w);
  for (guint i = 0; i < p->panel->len; i++) {
    const HnPanel *one = &g_array_index(p->panel, HnPanel, i);
    for (int64_t k = 0; k < one->seen + one->n; k++) {
      bool seen = k < one->seen;
      int64_t j = k - one->seen;
      hn_csv_int(&w, i / p->columns + 1), hn_csv_int(&w, one->step), hn_csv_int(&w, seen);
      hn_csv_number(&w, seen ? one->point[2 * k] : one->x[j]);
      hn_csv_number(&w, seen ? one->point[2 * k + 1] : one->truth[j]);
      if (!seen) hn_csv_number(&w, one->mean[j]), hn_csv_number(&w, one->stddev[j]);
      for (int64_t m = 0; m < p->members && !seen; m++)
        hn_csv_number(&w, one->member[m * one->n + j]);
      if (seen) hn_csv_blanks(&w, p->members + 2);
      hn_csv_end_row(&w);
    }
  }
  return hn_csv_take(&w);
}

const HnFigureKind hn_figure_panels = {.name = "panels",
                                       .wide = true,
                                       .gather = gather,
                                       .size = size,
                                       .script = script,
                                       .csv = csv,
                                       .free = panels_free};

/* figure_panels.c - predictions of supervised tasks as small plots: a row of them is a task, a
 * column how much was seen.  From the cells' predictions.csv. */
#include "csv.h"
#include "figure_curve.h"
#include <string.h>

static const gint64 shown[] = {0, 1, 5, 10, 30};

/* predictions.csv: a line is something seen (seen 1: x, truth) or a point of the grid. */
typedef struct Lines {
  const HnTable *table;
  gint64 row, step, seen, x, truth, mean, stddev, member, members; /* columns */
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
  const gint64 needed[] = {out->row,   out->step, out->seen,  out->x,
                           out->truth, out->mean, out->stddev};
  for (guint i = 0; i < G_N_ELEMENTS(needed); i++)
    if (needed[i] < 0) return false;
  return true;
}

/* Where the lines of one row at one step end that begin at `from`; one that has no number there is
 * by itself. */
static gint64 end_of(const Lines *l, gint64 from) {
  gint64 end = from + 1;
  while (end < l->table->rows &&
         hn_table_at(l->table, end, l->row) == hn_table_at(l->table, from, l->row) &&
         hn_table_at(l->table, end, l->step) == hn_table_at(l->table, from, l->step))
    end++;
  return end;
}

static HnPanel read_panel(const Lines *l, gint64 from, gint64 end) {
  const HnTable *t = l->table;
  gsize room = (gsize)(end - from);
  HnPanel p = {.step = (gint64)hn_table_at(t, from, l->step),
               .x = g_new(double, room),
               .truth = g_new(double, room),
               .mean = g_new(double, room),
               .stddev = g_new(double, room),
               .member = g_new(double, room *(gsize)l->members + 1),
               .point = g_new(double, 2 * room)};
  for (gint64 i = from; i < end; i++) {
    double x = hn_table_at(t, i, l->x), truth = hn_table_at(t, i, l->truth);
    if (hn_table_at(t, i, l->seen) != 0) {
      p.point[2 * p.seen] = x, p.point[2 * p.seen + 1] = truth, p.seen++;
      continue;
    }
    p.x[p.n] = x, p.truth[p.n] = truth;
    p.mean[p.n] = hn_table_at(t, i, l->mean), p.stddev[p.n] = hn_table_at(t, i, l->stddev);
    p.n++;
  }
  for (gint64 m = 0; m < l->members; m++) /* the grid's lines stand together, after those seen */
    for (gint64 i = 0; i < p.n; i++)
      p.member[m * p.n + i] = hn_table_at(t, from + p.seen + i, l->member + m);
  return p;
}

static bool is_shown(double step) {
  for (guint i = 0; i < G_N_ELEMENTS(shown); i++)
    if (step == (double)shown[i]) return true;
  return false;
}

static void add_panels(GPtrArray *figures, const HnResults *r, gint64 arm, const HnTable *t) {
  Lines l;
  if (!t || t->rows < 1 || !find_lines(t, &l)) return;
  HnPanels *p = g_new0(HnPanels, 1);
  p->members = l.members, p->arm = arm;
  p->panel = g_array_new(FALSE, TRUE, sizeof(HnPanel));
  for (gint64 from = 0, end; from < t->rows; from = end) {
    bool next = from == 0 || hn_table_at(t, from, l.row) != hn_table_at(t, from - 1, l.row);
    end = end_of(&l, from);
    p->rows += next;
    if (!is_shown(hn_table_at(t, from, l.step))) continue;
    HnPanel one = read_panel(&l, from, end);
    g_array_append_val(p->panel, one);
  }
  p->columns = p->panel->len / p->rows;
  if (p->columns < 1 || p->columns * p->rows != p->panel->len) {
    hn_panels_free(p);
    return;
  }
  HnFigure *f = hn_figure_of_arm(r, arm, "predictions", "Predictions along held-out trials");
  f->panels = p;
  g_free(f->column);
  f->column = g_strdup("predictions.csv");
  f->note = g_strdup("a row is a task; line and band: the mean and one standard deviation; thin "
                     "lines: members; dashed: the truth; points: what was seen");
  g_ptr_array_add(figures, f);
}

void hn_figures_panels(GPtrArray *figures, const HnResults *r) {
  for (gint64 a = 0; a < r->arm_count; a++) {
    const HnTable *t = NULL;
    for (gint64 s = 0; s < r->seeds && (!t || t->rows < 1); s++)
      t = hn_results_cell(r, a, s)->predictions;
    add_panels(figures, r, a, t);
  }
}

void hn_panels_free(HnPanels *p) {
  if (!p) return;
  for (guint i = 0; i < p->panel->len; i++) {
    HnPanel *one = &g_array_index(p->panel, HnPanel, i);
    double *all[] = {one->x, one->truth, one->mean, one->stddev, one->member, one->point};
    for (guint k = 0; k < G_N_ELEMENTS(all); k++) g_free(all[k]);
  }
  g_array_unref(p->panel);
  g_free(p);
}

char *hn_panels_csv(const HnPanels *p) {
  HnCsvWriter w = hn_csv_writer("trial,step,seen,x,truth,mean,stddev", 9);
  hn_csv_numbered(&w, "member", 1, p->members);
  hn_csv_end_row(&w);
  for (guint i = 0; i < p->panel->len; i++) {
    const HnPanel *one = &g_array_index(p->panel, HnPanel, i);
    for (gint64 k = 0; k < one->seen + one->n; k++) {
      bool seen = k < one->seen;
      gint64 j = k - one->seen;
      hn_csv_int(&w, i / p->columns + 1), hn_csv_int(&w, one->step), hn_csv_int(&w, seen);
      hn_csv_number(&w, seen ? one->point[2 * k] : one->x[j]);
      hn_csv_number(&w, seen ? one->point[2 * k + 1] : one->truth[j]);
      if (!seen) hn_csv_number(&w, one->mean[j]), hn_csv_number(&w, one->stddev[j]);
      for (gint64 m = 0; m < p->members && !seen; m++)
        hn_csv_number(&w, one->member[m * one->n + j]);
      if (seen) hn_csv_blanks(&w, p->members + 2);
      hn_csv_end_row(&w);
    }
  }
  return hn_csv_take(&w);
}

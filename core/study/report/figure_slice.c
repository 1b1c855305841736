/* figure_slice.c - the deciding metric against each parameter that the study's sweep names: the
 * mean of the arms that share a value with its interval over seeds, and each of these arms by
 * itself. */
#include "compare_values.h"
#include "csv.h"
#include "figure.h"
#include <math.h>

enum { HEIGHT = 320, LOG_FROM = 10 }; /* log: from that ratio of the largest to the least */

typedef struct Slice {
  char *metric, *key;
  bool numbers, log; /* of the values; else they stand side by side */
  GPtrArray *values; /* char * */
  GArray *mean;      /* HnEstimate, one for each value */
  GArray *point;     /* double [points, 2]: which value, and what an arm reached */
} Slice;

static void slice_free(void *data) {
  Slice *p = data;
  g_ptr_array_unref(p->values), g_array_unref(p->mean), g_array_unref(p->point);
  g_free(p->metric), g_free(p->key);
  g_free(p);
}

/* ---- gathering ---- */

static double number_of(const Slice *p, guint i) {
  return g_ascii_strtod(p->values->pdata[i], NULL);
}

static bool all_numbers(const Slice *p) {
  for (guint i = 0; i < p->values->len; i++) {
    const char *text = p->values->pdata[i];
    char *end;
    (void)g_ascii_strtod(text, &end);
    if (!*text || *end) return false;
  }
  return true;
}

static Slice *slice_of(const HnValueComparison *v) {
  Slice *p = g_new0(Slice, 1);
  p->metric = g_strdup(v->metric->column), p->key = g_strdup(v->keys->pdata[0]);
  p->values = g_ptr_array_new_with_free_func(g_free);
  p->mean = g_array_new(FALSE, FALSE, sizeof(HnEstimate));
  p->point = g_array_new(FALSE, FALSE, sizeof(double));
  for (guint i = 0; i < v->rows->len; i++) {
    const HnValueRow *row = v->rows->pdata[i];
    g_ptr_array_add(p->values, g_strdup(row->values->pdata[0]));
    g_array_append_val(p->mean, row->mean);
    for (guint k = 0; k < row->arms->len; k++) {
      const int64_t arm = g_array_index(row->arms, int64_t, k);
      const double at[] = {i, v->metric->estimate[arm][HN_VALUE].value};
      g_array_append_vals(p->point, at, 2);
    }
  }
  p->numbers = all_numbers(p);
  const double least = number_of(p, 0), most = number_of(p, p->values->len - 1);
  p->log = p->numbers && least > 0 && most / least >= LOG_FROM;
  return p;
}

/* Whether the arms of one value of a parameter have others of the rest than those of the next: not
 * in a grid, which has every combination. */
static bool move_together(const HnNode *study, const HnNode *swept) {
  const HnNode *method = hn_node_at(study, "sweep.method");
  return swept->keys->len > 1 && method && g_strcmp0(method->text, "grid") != 0;
}

static void add_slice(GPtrArray *figures, const HnComparison *c, const char *path, bool together) {
  g_autoptr(HnValueComparison) v = hn_compare_values(c, path, NULL);
  if (!v) return;
  g_autofree char *name = g_strdelimit(g_strdup_printf("slice_%s", path), ".", '_');
  g_autofree char *title = g_strdup_printf("%s by %s", v->metric->column, path);
  g_autofree char *note = g_strconcat(
      "line: mean of the arms that share the value, with its interval over seeds; points: these "
      "arms",
      v->lengths ? ", which trained for different numbers of frames" : "",
      together ? "; other swept parameters differ between the points as well" : "",
      v->other_task->len ? "; arms of another task are left out" : "", NULL);
  hn_figure_add(figures, &(HnFigure){.kind = &hn_figure_slice,
                                     .group = HN_FIGURE_SWEEP,
                                     .name = name,
                                     .column = v->metric->column,
                                     .title = title,
                                     .note = note,
                                     .data = slice_of(v)});
}

static void gather(GPtrArray *figures, const HnComparison *c) {
  g_autoptr(HnNode) study = NULL;
  const HnNode *swept = hn_swept_parameters(c->results, &study);
  for (guint i = 0; swept && swept->keys && i < swept->keys->len; i++)
    add_slice(figures, c, ((const HnNode *)swept->keys->pdata[i])->text,
              move_together(study, swept));
}

/* ---- drawing ---- */

/* Where value i stands. */
static double place(const Slice *p, guint i) {
  return p->numbers ? number_of(p, i) : i;
}

/* Beyond the outermost values, so that they do not lie on the axes. */
static HnRange places(const Slice *p) {
  const double first = place(p, 0), last = place(p, p->values->len - 1);
  if (p->log) return (HnRange){first * pow(last / first, -0.06), last * pow(last / first, 0.06)};
  const double pad = p->numbers ? 0.06 * (last - first) : 0.5;
  return (HnRange){first - pad, last + pad};
}

static void add_data(const HnScript *s, const Slice *p) {
  hn_script_add(s, "$means << EOD\n");
  for (guint i = 0; i < p->mean->len; i++) {
    const HnEstimate *e = &g_array_index(p->mean, HnEstimate, i);
    const bool interval = e->interval != HN_INTERVAL_NONE;
    const double row[] = {place(p, i), e->value, interval ? e->low : e->value,
                          interval ? e->high : e->value};
    hn_script_numbers(s, 4, row);
    hn_script_add(s, "\n");
  }
  hn_script_add(s, "EOD\n$arms << EOD\n");
  for (guint i = 0; i < p->point->len; i += 2) {
    const double row[] = {place(p, (guint)g_array_index(p->point, double, i)),
                          g_array_index(p->point, double, i + 1)};
    hn_script_numbers(s, 2, row);
    hn_script_add(s, "\n");
  }
  hn_script_add(s, "EOD\n");
}

static void script(const HnScript *s, const HnFigure *f) {
  const Slice *p = f->data;
  g_autofree char *ink = hn_script_colour(s, HN_INK), *hue = hn_script_colour(s, HN_PATH);
  g_autofree char *key = g_strconcat(p->key, p->log ? ", logarithmic" : NULL, NULL);
  g_autofree char *x = hn_script_quoted(key), *y = hn_script_quoted(p->metric);
  if (!s->again) add_data(s, p);
  hn_script_axes(s);
  if (p->log) hn_script_add(s, "set logscale x\nset format x '%%g'\n");
  for (guint i = 0; i < p->values->len && !p->numbers; i++) {
    g_autofree char *label = hn_script_quoted(p->values->pdata[i]);
    hn_script_add(s, "set xtics %s(%s %u)\n", i ? "add " : "", label, i);
  }
  hn_script_range(s, "x", places(p));
  hn_script_add(s,
                "set xlabel %s textcolor rgb '%s'\nset ylabel %s textcolor rgb '%s'\n"
                "plot $arms using 1:2 with points lc rgb '%s' pt 6 ps 0.7 notitle, "
                "$means using 1:2:3:4 with yerrorbars lc rgb '%s' lw 1.5 pt 7 ps 0.7 notitle",
                x, ink, y, ink, ink, hue);
  if (p->numbers) hn_script_add(s, ", $means using 1:2 with lines lc rgb '%s' lw 2 notitle", hue);
  hn_script_add(s, "\n");
}

static void size(const HnFigure *f, double *width, double *height) {
  (void)f, (void)width;
  *height = HEIGHT;
}

static char *csv(const HnFigure *f) {
  const Slice *p = f->data;
  HnCsvWriter w = hn_csv_writer("value,seeds,mean,low,high", 9);
  hn_csv_end_row(&w);
  for (guint i = 0; i < p->mean->len; i++) {
    const HnEstimate *e = &g_array_index(p->mean, HnEstimate, i);
    hn_csv_text(&w, p->values->pdata[i]), hn_csv_int(&w, e->n);
    hn_csv_number(&w, e->value), hn_csv_number(&w, e->low), hn_csv_number(&w, e->high);
    hn_csv_end_row(&w);
  }
  return hn_csv_take(&w);
}

const HnFigureKind hn_figure_slice = {.name = "slice",
                                      .wide = false,
                                      .gather = gather,
                                      .size = size,
                                      .script = script,
                                      .csv = csv,
                                      .free = slice_free};

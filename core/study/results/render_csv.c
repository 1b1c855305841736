/* render_csv.c - see render_csv.h. */
#include "render_csv.h"
#include "csv.h"

enum { DIGITS = 10 };

/* value,low,high, then KEY,KEY_low,KEY_high. */
static void add_head(HnCsvWriter *w, int64_t seeds) {
  for (int k = 0; k < HN_STATISTICS; k++) {
    const char *key = hn_statistics[k].key;
    g_autofree char *low = g_strconcat(key, "_low", NULL), *high = g_strconcat(key, "_high", NULL);
    hn_csv_text(w, key);
    hn_csv_text(w, k == HN_VALUE ? "low" : low), hn_csv_text(w, k == HN_VALUE ? "high" : high);
  }
  hn_csv_numbered(w, "seed", 0, seeds - 1);
  hn_csv_end_row(w);
}

static void add_row(HnCsvWriter *w, const HnComparison *c, const HnCompared *m, int64_t arm) {
  const HnEstimate *e = m->estimate[arm];
  const int64_t seeds = c->results->seeds;
  hn_csv_text(w, m->column);
  hn_csv_text(w, c->results->arms[arm]), hn_csv_int(w, e[HN_VALUE].n);
  for (int k = 0; k < HN_STATISTICS; k++) {
    hn_csv_finite(w, e[k].value);
    hn_csv_finite(w, e[k].low), hn_csv_finite(w, e[k].high);
  }
  for (int64_t s = 0; s < seeds; s++) hn_csv_finite(w, m->final[arm * seeds + s]);
  hn_csv_end_row(w);
}

char *hn_render_csv(const HnComparison *c) {
  HnCsvWriter w = hn_csv_writer("column,arm,seeds", DIGITS);
  add_head(&w, c->results->seeds);
  for (guint i = 0; i < c->columns->len; i++)
    for (int64_t a = 0; a < c->results->arm_count; a++) add_row(&w, c, c->columns->pdata[i], a);
  return hn_csv_take(&w);
}

static void add_rows(HnCsvWriter *w, const HnComparison *c, const HnTaskComparison *b,
                     const GPtrArray *rows) {
  for (guint t = 0; t < rows->len; t++)
    for (int64_t a = 0; a < c->results->arm_count; a++) {
      hn_csv_text(w, b->split), hn_csv_text(w, b->column);
      add_row(w, c, rows->pdata[t], a);
    }
}

char *hn_render_csv_tasks(const HnComparison *c, const GPtrArray *tasks) {
  HnCsvWriter w = hn_csv_writer("split,column,task,arm,seeds", DIGITS);
  add_head(&w, c->results->seeds);
  for (guint i = 0; i < tasks->len; i++) {
    const HnTaskComparison *b = tasks->pdata[i];
    add_rows(&w, c, b, b->rows), add_rows(&w, c, b, b->scores);
  }
  return hn_csv_take(&w);
}

/* last_row.c - see last_row.h. */
#include "last_row.h"
#include "run_dir.h"
#include <math.h>

enum {
  PART = 1 << 12, /* bytes of the table's end that are read first */
  GROWTH = 8,     /* how much more is read where that does not reach back to an evaluation */
  PART_MOST = 1 << 23,
};

int64_t hn_last_row_whole(const HnTable *t, int64_t row, const char *column) {
  const int64_t at = hn_table_find(t, column);
  const double x = at >= 0 && row >= 0 && row < t->rows ? hn_table_at(t, row, at) : (double)NAN;
  return x >= 0 && x < 1e15 ? (int64_t)x : -1;
}

/* Whether the part of a table that was read lacks an evaluation that there must have been, or a
 * whole row. */
static bool is_too_short(const HnTable *t, const char *metric, int64_t every) {
  const int64_t column = hn_table_find(t, metric);
  int64_t row = -1;
  if (t->rows == 0) return true;
  if (column < 0) return false;
  hn_table_last(t, column, &row);
  return row < 0 && every > 0 && hn_last_row_whole(t, t->rows - 1, "update") >= every &&
         hn_last_row_whole(t, 0, "update") > 1;
}

HnLastRow hn_last_row(const char *folder, const char *metric, int64_t every) {
  HnLastRow last = {.metric = NAN, .metric_update = -1};
  g_autofree char *path = hn_run_file(folder, HN_FILE_METRICS);
  HnTable *t = hn_table_read_tail(path, PART, NULL);
  for (gsize most = PART; t && most < PART_MOST && is_too_short(t, metric, every);) {
    hn_table_free(t);
    t = hn_table_read_tail(path, most *= GROWTH, NULL);
  }
  if (t && t->rows > 0) {
    last.update = MAX(hn_last_row_whole(t, t->rows - 1, "update"), 0);
    last.frames = MAX(hn_last_row_whole(t, t->rows - 1, "frames"), 0);
  }
  int64_t row = -1;
  const int64_t column = hn_table_find(t, metric);
  if (column >= 0) last.metric = hn_table_last(t, column, &row);
  if (row >= 0) last.metric_update = hn_last_row_whole(t, row, "update");
  hn_table_free(t);
  return last;
}

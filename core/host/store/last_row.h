/* last_row.h - how far the tables of a cell are, while they grow. */
#ifndef HN_LAST_ROW_H
#define HN_LAST_ROW_H
#include "csv_table.h"

typedef struct HnLastRow {
  int64_t update, frames; /* of the last row of metrics.csv; 0 where there is none */
  double metric;          /* the last value of the metric, NaN: none */
  int64_t metric_update;  /* where it was measured; -1: nowhere yet */
} HnLastRow;

/* From a cell's folder.  metric: a column of metrics.csv; every: updates between evaluations, 0:
 * none but the last.  Reads no more of the table than it needs. */
HnLastRow hn_last_row(const char *folder, const char *metric, int64_t every);
/* A whole number from 0 in a row of a table, or -1. */
int64_t hn_last_row_whole(const HnTable *t, int64_t row, const char *column);
#endif

/* csv_table.h - a CSV file of numbers, as runs append to: readable while it is being written. */
#ifndef HN_TABLE_H
#define HN_TABLE_H
#include <glib.h>
#include <stdbool.h>

typedef struct HnTable {
  char **columns; /* NULL-terminated */
  gint64 rows, width;
  GArray *values; /* double [rows, width]; NaN where the field is empty or no number */
  GArray *filled; /* guint8 [rows, width]; 0 where the field is empty */
} HnTable;

/* A last line without its newline is still being written and is left out.  A line in the middle
 * with another number of fields than the header is an error. */
HnTable *hn_table_read(const char *path, GError **error);
HnTable *hn_table_parse(const char *name, const char *text, GError **error);
void hn_table_free(HnTable *t);
/* Index of a column, or -1; NULL tables have none. */
gint64 hn_table_find(const HnTable *t, const char *column);
double hn_table_at(const HnTable *t, gint64 row, gint64 column);
bool hn_table_filled(const HnTable *t, gint64 row, gint64 column);
/* The last value that is filled in (it may be NaN: the run had no number), with its row; NaN and
 * row -1 if none is. */
double hn_table_last(const HnTable *t, gint64 column, gint64 *row);
#endif

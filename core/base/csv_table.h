/* csv_table.h - a CSV file of numbers, as runs append to: readable while it is being written. */
#ifndef HN_CSV_TABLE_H
#define HN_CSV_TABLE_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct HnTable {
  char **columns; /* NULL-terminated */
  int64_t rows, width;
  GArray *values; /* double [rows, width]; NaN where the field is empty or no number */
  GArray *filled; /* uint8_t [rows, width]; 0 where the field is empty */
} HnTable;

/* Text where a number is expected counts as NaN.  Errors: of the file, and hn_csv_next's. */
HnTable *hn_table_read(const char *path, GError **error);
HnTable *hn_table_parse(const char *name, const char *text, gsize length, GError **error);
/* The last rows alone: those that begin in the last `most` bytes of the file, none of whose fields
 * has a line break.  For files that grow, of which only the end is wanted; rows before the end that
 * are asked for may be missing. */
HnTable *hn_table_read_tail(const char *path, gsize most, GError **error);
void hn_table_free(HnTable *t);
/* Keeps the first rows alone. */
void hn_table_cut(HnTable *t, int64_t rows);
/* Index of a column, or -1; NULL tables have none. */
int64_t hn_table_find(const HnTable *t, const char *column);
/* How many columns NAME_first, NAME_first+1, .. stand side by side. */
int64_t hn_table_numbered(const HnTable *t, const char *name, int64_t first);
double hn_table_at(const HnTable *t, int64_t row, int64_t column);
bool hn_table_filled(const HnTable *t, int64_t row, int64_t column);
/* The last value that is filled in (it may be NaN: the run had no number), with its row; NaN and
 * row -1 if none is. */
double hn_table_last(const HnTable *t, int64_t column, int64_t *row);
#endif

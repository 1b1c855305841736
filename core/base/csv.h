/* csv.h - comma-separated values as RFC 4180 has them: a field with a comma, a quote or a line
 * break stands in quotes, and a quote in it is doubled.  Text is UTF-8. */
#ifndef HN_CSV_H
#define HN_CSV_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* ---- writing ---- */

/* `text` as a field, quoted where it must be; free with g_free. */
char *hn_csv_quoted(const char *text);

/* Rows in memory, field by field. */
typedef struct HnCsvWriter {
  GString *out;
  int digits; /* significant ones of a number */
  bool begun; /* the row has a field */
} HnCsvWriter;

/* Starts with a header, "arm,x,value", whose row is still open for more columns. */
HnCsvWriter hn_csv_writer(const char *header, int digits);
void hn_csv_text(HnCsvWriter *w, const char *text);
void hn_csv_int(HnCsvWriter *w, int64_t x);
void hn_csv_number(HnCsvWriter *w, double x); /* NaN is "nan" */
/* An empty field where x is not finite. */
void hn_csv_finite(HnCsvWriter *w, double x);
void hn_csv_blanks(HnCsvWriter *w, int64_t n); /* n empty fields */
/* NAME_FIRST .. NAME_LAST. */
void hn_csv_numbered(HnCsvWriter *w, const char *name, int64_t first, int64_t last);
void hn_csv_end_row(HnCsvWriter *w);
/* Everything written; free with g_free. */
char *hn_csv_take(HnCsvWriter *w);

/* ---- reading ---- */

/* Walks over the rows of a text that outlives it, a file mapped into memory for one. */
typedef struct HnCsvReader {
  const char *name;            /* for errors: the file's */
  const char *text, *at, *end; /* the whole; the next row */
  char **field;                /* of the last row read, `width` of them; valid until the next */
  int64_t width;               /* of every row; 0 before the first */
  GString *row;
  GArray *start; /* gsize: where in `row` each field starts */
} HnCsvReader;

/* The end of a line is "\n" or "\r\n"; a byte order mark is skipped. */
HnCsvReader hn_csv_reader(const char *name, const char *text, gsize length);
void hn_csv_reader_clear(HnCsvReader *r);
/* Reads a row.  False at the end, and at a last row without its newline, which is still being
 * written; and with HN_ERROR_FILE, naming the line, at misplaced quotes or a number of fields that
 * differs from the first row's. */
bool hn_csv_next(HnCsvReader *r, GError **error);
/* Index of the field of the last row that equals `text`, or -1. */
int64_t hn_csv_find(const HnCsvReader *r, const char *text);
/* Where the row before `at` starts, which is where one ends; NULL: there is none. */
const char *hn_csv_row_before(const HnCsvReader *r, const char *at);
#endif

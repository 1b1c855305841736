/* csv_table.c - see csv_table.h. */
#include "csv_table.h"
#include "csv.h"
#include <inttypes.h>
#include <math.h>

static void append(HnTable *t, char **fields) {
  for (int64_t i = 0; i < t->width; i++) {
    const char *text = g_strstrip(fields[i]);
    char *end = NULL;
    double value = g_ascii_strtod(text, &end);
    uint8_t filled = *text != '\0';
    if (!filled || *end) value = NAN;
    g_array_append_val(t->values, value);
    g_array_append_val(t->filled, filled);
  }
  t->rows++;
}

HnTable *hn_table_parse(const char *name, const char *text, gsize length, GError **error) {
  HnTable *t = g_new0(HnTable, 1);
  HnCsvReader r = hn_csv_reader(name, text, length);
  GError *why = NULL;
  const bool any = hn_csv_next(&r, &why);
  t->values = g_array_new(false, false, sizeof(double));
  t->filled = g_array_new(false, false, sizeof(uint8_t));
  t->columns = any ? g_strdupv(r.field) : g_new0(char *, 1);
  t->width = r.width;
  while (any && hn_csv_next(&r, &why)) append(t, r.field);
  hn_csv_reader_clear(&r);
  if (!why) return t;
  g_propagate_error(error, why);
  hn_table_free(t);
  return NULL;
}

HnTable *hn_table_read(const char *path, GError **error) {
  g_autofree char *text = NULL;
  gsize length;
  if (!g_file_get_contents(path, &text, &length, error)) return NULL;
  return hn_table_parse(path, text, length, error);
}

void hn_table_free(HnTable *t) {
  if (!t) return;
  g_strfreev(t->columns);
  g_array_free(t->values, true);
  g_array_free(t->filled, true);
  g_free(t);
}

int64_t hn_table_find(const HnTable *t, const char *column) {
  for (int64_t i = 0; t && i < t->width; i++)
    if (g_str_equal(t->columns[i], column)) return i;
  return -1;
}

int64_t hn_table_numbered(const HnTable *t, const char *name, int64_t first) {
  char text[64];
  g_snprintf(text, sizeof text, "%s_%" PRId64, name, first);
  const int64_t at = hn_table_find(t, text);
  int64_t n = 0;
  while (at >= 0 && at + n < t->width && g_str_equal(t->columns[at + n], text))
    g_snprintf(text, sizeof text, "%s_%" PRId64, name, first + ++n);
  return n;
}

double hn_table_at(const HnTable *t, int64_t row, int64_t column) {
  return g_array_index(t->values, double, row * t->width + column);
}

bool hn_table_filled(const HnTable *t, int64_t row, int64_t column) {
  return g_array_index(t->filled, uint8_t, row * t->width + column);
}

double hn_table_last(const HnTable *t, int64_t column, int64_t *row) {
  int64_t i = column < 0 ? -1 : t->rows - 1;
  while (i >= 0 && !hn_table_filled(t, i, column)) i--;
  if (row) *row = i;
  return i < 0 ? (double)NAN : hn_table_at(t, i, column);
}

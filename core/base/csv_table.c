/* csv_table.c - reads a CSV file of numbers. */
#include "csv_table.h"
#include <math.h>
#include <string.h>

static gint64 width_of(char **fields) {
  return (gint64)g_strv_length(fields);
}

static void append(HnTable *t, char **fields) {
  for (gint64 i = 0; i < t->width; i++) {
    const char *text = g_strstrip(fields[i]);
    char *end = NULL;
    double value = g_ascii_strtod(text, &end);
    guint8 filled = *text != '\0';
    if (!filled || *end) value = NAN;
    g_array_append_val(t->values, value);
    g_array_append_val(t->filled, filled);
  }
  t->rows++;
}

HnTable *hn_table_parse(const char *name, const char *text, GError **error) {
  HnTable *t = g_new0(HnTable, 1);
  t->values = g_array_new(FALSE, FALSE, sizeof(double));
  t->filled = g_array_new(FALSE, FALSE, sizeof(guint8));
  int line = 0;
  for (const char *end; (end = strchr(text, '\n')); text = end + 1) {
    char *copy = g_strndup(text, (gsize)(end - text));
    char **fields = g_strsplit(g_strchomp(copy), ",", -1);
    g_free(copy);
    line++;
    if (!t->columns) {
      t->columns = fields, t->width = width_of(fields);
      continue;
    }
    gint64 width = width_of(fields);
    if (width == t->width) append(t, fields);
    g_strfreev(fields);
    if (width == t->width) continue;
    g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL,
                "%s:%d: %" G_GINT64_FORMAT " fields, expected %" G_GINT64_FORMAT
                " as in the header",
                name, line, width, t->width);
    hn_table_free(t);
    return NULL;
  }
  if (!t->columns) t->columns = g_new0(char *, 1);
  return t;
}

HnTable *hn_table_read(const char *path, GError **error) {
  char *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, error)) return NULL;
  HnTable *t = hn_table_parse(path, text, error);
  g_free(text);
  return t;
}

void hn_table_free(HnTable *t) {
  if (!t) return;
  g_strfreev(t->columns);
  g_array_free(t->values, TRUE);
  g_array_free(t->filled, TRUE);
  g_free(t);
}

gint64 hn_table_find(const HnTable *t, const char *column) {
  for (gint64 i = 0; t && i < t->width; i++)
    if (g_str_equal(t->columns[i], column)) return i;
  return -1;
}

double hn_table_at(const HnTable *t, gint64 row, gint64 column) {
  return g_array_index(t->values, double, row * t->width + column);
}

bool hn_table_filled(const HnTable *t, gint64 row, gint64 column) {
  return g_array_index(t->filled, guint8, row * t->width + column);
}

double hn_table_last(const HnTable *t, gint64 column, gint64 *row) {
  gint64 i = column < 0 ? -1 : t->rows - 1;
  while (i >= 0 && !hn_table_filled(t, i, column)) i--;
  if (row) *row = i;
  return i < 0 ? (double)NAN : hn_table_at(t, i, column);
}

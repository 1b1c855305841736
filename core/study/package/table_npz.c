/* table_npz.c - see table_npz.h. */
#include "table_npz.h"
#include "csv_table.h"
#include "npy.h"
#include "record_columns.h"
#include "zip.h"
#include <string.h>

static bool is_text(HnRunFile table, const char *column) {
  const HnRecordColumn *c = hn_record_column(table, column);
  return c && c->text;
}

/* The array's name in the file. */
static char *entry_of(const char *column, GHashTable *seen) {
  char *low = g_ascii_strdown(column, -1);
  const guint count = GPOINTER_TO_UINT(g_hash_table_lookup(seen, low)) + 1;
  g_hash_table_insert(seen, low, GUINT_TO_POINTER(count));
  return count > 1 ? g_strdup_printf("%s+%u.npy", column, count)
                   : g_strconcat(column, ".npy", NULL);
}

static GBytes *numbers_of(const HnTable *t, int64_t column, GError **error) {
  g_autofree double *x = g_new(double, (gsize)t->rows + 1);
  for (int64_t row = 0; row < t->rows; row++) x[row] = hn_table_at(t, row, column);
  return hn_npy_reals(x, t->rows, error);
}

static void texts_free(void *texts) {
  if (texts) g_ptr_array_unref(texts);
}

/* For each column its fields, char * [rows], where they are texts, else NULL; NULL with the error
 * of reading them. */
static GPtrArray *read_texts(HnRunFile table, const HnTable *t, const char *csv, GError **error) {
  g_autoptr(GMappedFile) file = g_mapped_file_new(csv, FALSE, error);
  if (!file) return NULL;
  const char *text = g_mapped_file_get_contents(file);
  HnCsvReader r = hn_csv_reader(csv, text ? text : "", g_mapped_file_get_length(file));
  g_autoptr(GPtrArray) all = g_ptr_array_new_with_free_func(texts_free);
  for (char **name = t->columns; *name; name++)
    g_ptr_array_add(all, is_text(table, *name) ? g_ptr_array_new_with_free_func(g_free) : NULL);
  GError *why = NULL;
  hn_csv_next(&r, &why); /* the header */
  for (int64_t row = 0; row < t->rows && !why && hn_csv_next(&r, &why); row++)
    for (int64_t k = 0; k < t->width; k++)
      if (all->pdata[k]) g_ptr_array_add(all->pdata[k], g_strdup(r.field[k]));
  hn_csv_reader_clear(&r);
  if (!why) return g_steal_pointer(&all);
  g_propagate_error(error, why);
  return NULL;
}

static bool add_arrays(GPtrArray *sources, const HnTable *t, const GPtrArray *texts,
                       GError **error) {
  g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  for (int64_t k = 0; k < t->width; k++) {
    const GPtrArray *text = texts->pdata[k];
    g_autofree char *name = entry_of(t->columns[k], seen);
    g_autoptr(GBytes) array = text
                                  ? hn_npy_texts((const char *const *)text->pdata, text->len, error)
                                  : numbers_of(t, k, error);
    if (!array) return false;
    hn_zip_add_bytes(sources, name, array);
  }
  return true;
}

bool hn_table_npz(HnRunFile table, const char *csv, const char *path, GError **error) {
  HnTable *t = hn_table_read(csv, error);
  if (!t) return false;
  g_autoptr(GPtrArray) texts = read_texts(table, t, csv, error), sources = hn_zip_sources_new();
  const bool ok =
      texts && add_arrays(sources, t, texts, error) && hn_zip_write(path, sources, error);
  hn_table_free(t);
  return ok;
}

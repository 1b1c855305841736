/* csv_table.c - see csv_table.h. */
#include "csv_table.h"
#include "csv.h"
#include "error.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* Appends up to n bytes of a file from an offset: fewer where it ends, as one that is cut back
 * meanwhile does. */
static bool append_part(int fd, off_t from, gsize n, GString *out) {
  const gsize before = out->len;
  g_string_set_size(out, before + n);
  gsize have = 0;
  ssize_t got = 1;
  while (have < n && got > 0) {
    got = pread(fd, out->str + before + have, n - have, from + (off_t)have);
    if (got > 0) have += (gsize)got;
  }
  g_string_truncate(out, before + have);
  return got >= 0;
}

/* The header and the last rows as text; empty where the header is longer than a part. */
static bool take_ends(int fd, gsize most, GString *out) {
  g_autoptr(GString) tail = g_string_new(NULL);
  struct stat file;
  if (fstat(fd, &file) != 0 || !append_part(fd, 0, most, out)) return false;
  if (file.st_size <= (off_t)most) return true;
  const char *header_end = memchr(out->str, '\n', out->len);
  g_string_truncate(out, header_end ? (gsize)(header_end - out->str) + 1 : 0);
  if (!header_end) return true;
  if (!append_part(fd, file.st_size - (off_t)most, most, tail)) return false;
  const char *row = memchr(tail->str, '\n', tail->len); /* the row that it cuts is left out */
  if (row) g_string_append_len(out, row + 1, tail->str + tail->len - row - 1);
  return true;
}

HnTable *hn_table_read_tail(const char *path, gsize most, GError **error) {
  g_autoptr(GString) ends = g_string_new(NULL);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const bool ok = fd >= 0 && take_ends(fd, most, ends);
  const int why = errno;
  if (fd >= 0) close(fd);
  if (!ok) {
    hn_error_set(error, HN_ERROR_FILE, "%s: %s", path, g_strerror(why));
    return NULL;
  }
  return ends->len ? hn_table_parse(path, ends->str, ends->len, error) : hn_table_read(path, error);
}

void hn_table_free(HnTable *t) {
  if (!t) return;
  g_strfreev(t->columns);
  g_array_free(t->values, true);
  g_array_free(t->filled, true);
  g_free(t);
}

void hn_table_cut(HnTable *t, int64_t rows) {
  t->rows = MIN(t->rows, rows);
  g_array_set_size(t->values, (guint)(t->rows * t->width));
  g_array_set_size(t->filled, (guint)(t->rows * t->width));
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

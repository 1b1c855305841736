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

/* Digits with a point and an exponent, as tables have them; false: it is not so simple.  The result
 * is the nearest double, since the digits as a whole number and the power of ten are both exact.
 * Source: Clinger 1990. */
static bool read_simple(const char *c, double *value) {
  static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  enum { DIGITS_MOST = 15 };
  const bool minus = *c == '-';
  int64_t whole = 0;
  int digits = 0, shift = 0, exponent = 0;
  c += minus;
  for (bool point = false; g_ascii_isdigit(*c) || (*c == '.' && !point); c++) {
    point |= *c == '.';
    if (*c == '.') continue;
    whole = 10 * whole + (*c - '0'), shift += point;
    if (++digits > DIGITS_MOST) return false;
  }
  if (*c == 'e' && digits) {
    const bool below = c[1] == '-';
    for (c += 1 + (below || c[1] == '+'); g_ascii_isdigit(*c) && exponent < 100; c++)
      exponent = 10 * exponent + (*c - '0');
    if (!g_ascii_isdigit(c[-1])) return false;
    if (below) exponent = -exponent;
  }
  exponent -= shift;
  if (*c || !digits || ABS(exponent) >= (int)G_N_ELEMENTS(ten)) return false;
  const double x = exponent < 0 ? (double)whole / ten[-exponent] : (double)whole * ten[exponent];
  *value = minus ? -x : x;
  return true;
}

static double read_number(char *field, uint8_t *filled) {
  double value;
  *filled = 1;
  if (read_simple(field, &value)) return value;
  char *end = NULL;
  const char *text = g_strstrip(field);
  value = g_ascii_strtod(text, &end);
  *filled = *text != '\0';
  return *filled && !*end ? value : (double)NAN;
}

static void append(HnTable *t, char **fields) {
  const guint before = t->values->len, width = (guint)t->width;
  g_array_set_size(t->values, before + width), g_array_set_size(t->filled, before + width);
  for (guint i = 0; i < width; i++)
    g_array_index(t->values, double, before + i) =
        read_number(fields[i], &g_array_index(t->filled, uint8_t, before + i));
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

/* Appends the first line; nothing where the file ends before it does. */
static bool take_header(int fd, GString *out) {
  enum { STEP = 1 << 12 };
  for (gsize from = 0;; from = out->len) {
    if (!append_part(fd, (off_t)from, STEP, out)) return false;
    const char *end = memchr(out->str + from, '\n', out->len - from);
    const bool last = out->len < from + STEP;
    if (end || last) g_string_truncate(out, end ? (gsize)(end - out->str) + 1 : 0);
    if (end || last) return true;
  }
}

/* The header and the last rows as text. */
static bool take_ends(int fd, gsize most, GString *out) {
  g_autoptr(GString) tail = g_string_new(NULL);
  struct stat file;
  if (fstat(fd, &file) != 0) return false;
  if (file.st_size <= (off_t)most) return append_part(fd, 0, most, out);
  if (!take_header(fd, out) || !append_part(fd, file.st_size - (off_t)most, most, tail))
    return false;
  const char *row = memchr(tail->str, '\n', tail->len); /* the row that it cuts is left out */
  if (row && out->len) g_string_append_len(out, row + 1, tail->str + tail->len - row - 1);
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
  return hn_table_parse(path, ends->str, ends->len, error);
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

/* csv.c - see csv.h. */
#include "csv.h"
#include "error.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define MARK "\xEF\xBB\xBF" /* byte order mark */

/* ---- writing ---- */

char *hn_csv_quoted(const char *text) {
  /* readers skip a mark at the beginning of a file */
  if (!strpbrk(text, ",\"\r\n") && !g_str_has_prefix(text, MARK)) return g_strdup(text);
  g_auto(GStrv) parts = g_strsplit(text, "\"", -1);
  g_autofree char *doubled = g_strjoinv("\"\"", parts);
  return g_strconcat("\"", doubled, "\"", NULL);
}

HnCsvWriter hn_csv_writer(const char *header, int digits) {
  return (HnCsvWriter){g_string_new(header), digits, true};
}

/* A field that needs no quotes. */
static void put(HnCsvWriter *w, const char *field) {
  if (w->begun) g_string_append_c(w->out, ',');
  g_string_append(w->out, field);
  w->begun = true;
}

void hn_csv_text(HnCsvWriter *w, const char *text) {
  g_autofree char *field = hn_csv_quoted(text);
  put(w, field);
}

void hn_csv_int(HnCsvWriter *w, int64_t x) {
  char text[32];
  g_snprintf(text, sizeof text, "%" PRId64, x);
  put(w, text);
}

void hn_csv_number(HnCsvWriter *w, double x) {
  char text[G_ASCII_DTOSTR_BUF_SIZE], format[16];
  g_snprintf(format, sizeof format, "%%.%dg", w->digits);
  put(w, isnan(x) ? "nan" : g_ascii_formatd(text, sizeof text, format, x));
}

void hn_csv_finite(HnCsvWriter *w, double x) {
  if (isfinite(x))
    hn_csv_number(w, x);
  else
    put(w, "");
}

void hn_csv_blanks(HnCsvWriter *w, int64_t n) {
  while (n-- > 0) put(w, "");
}

void hn_csv_numbered(HnCsvWriter *w, const char *name, int64_t first, int64_t last) {
  for (int64_t i = first; i <= last; i++) {
    g_autofree char *one = g_strdup_printf("%s_%" PRId64, name, i);
    hn_csv_text(w, one);
  }
}

void hn_csv_end_row(HnCsvWriter *w) {
  g_string_append_c(w->out, '\n');
  w->begun = false;
}

char *hn_csv_take(HnCsvWriter *w) {
  return g_string_free(g_steal_pointer(&w->out), false);
}

/* ---- reading ---- */

HnCsvReader hn_csv_reader(const char *name, const char *text, gsize length) {
  const gsize mark = strlen(MARK);
  const bool marked = length >= mark && memcmp(text, MARK, mark) == 0;
  return (HnCsvReader){.name = name,
                       .text = text,
                       .at = text + (marked ? mark : 0),
                       .end = text + length,
                       .row = g_string_new(NULL),
                       .start = g_array_new(false, false, sizeof(gsize))};
}

void hn_csv_reader_clear(HnCsvReader *r) {
  g_string_free(r->row, true);
  g_array_unref(r->start);
  g_free(r->field);
}

/* Adds a quoted field that starts at c; returns where it ends, or the end of the text if the quotes
 * are never closed. */
static const char *take_quoted(GString *row, const char *c, const char *end) {
  for (;;) {
    const char *quote = memchr(c, '"', (gsize)(end - c));
    if (!quote) return end;
    g_string_append_len(row, c, quote - c);
    if (quote + 1 == end || quote[1] != '"') return quote + 1;
    g_string_append_c(row, '"');
    c = quote + 2;
  }
}

/* Adds a field without quotes; returns where it ends. */
static const char *take_plain(GString *row, const char *c, const char *end) {
  const char *from = c;
  while (c < end && *c != ',' && *c != '\n' && *c != '"') c++;
  const bool carriage = c < end && *c == '\n' && c > from && c[-1] == '\r';
  g_string_append_len(row, from, c - from - carriage);
  return c;
}

/* Adds the fields of the next row, each followed by a zero.  Returns where the row ends: at its
 * newline, at a character that is not allowed there, or at the end of the text. */
static const char *take_row(HnCsvReader *r) {
  const char *c = r->at;
  g_string_truncate(r->row, 0), g_array_set_size(r->start, 0);
  for (;; c++) {
    g_array_append_val(r->start, r->row->len);
    const bool quoted = c < r->end && *c == '"';
    c = quoted ? take_quoted(r->row, c + 1, r->end) : take_plain(r->row, c, r->end);
    if (quoted && r->end - c >= 2 && c[0] == '\r' && c[1] == '\n') c++;
    g_string_append_c(r->row, '\0');
    if (c == r->end || *c != ',') return c;
  }
}

static bool refuse(const HnCsvReader *r, const char *at, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
static bool refuse(const HnCsvReader *r, const char *at, GError **error, const char *format, ...) {
  int64_t line = 1;
  for (const char *c = r->text; c < at; c++) line += *c == '\n';
  va_list list;
  va_start(list, format);
  g_autofree char *why = g_strdup_vprintf(format, list);
  va_end(list);
  return hn_error_set(error, HN_ERROR_FILE, "%s:%" PRId64 ": %s", r->name, line, why);
}

bool hn_csv_next(HnCsvReader *r, GError **error) {
  const char *from = r->at, *end = take_row(r);
  const int64_t width = r->start->len;
  if (end == r->end) return false;
  if (*end != '\n') return refuse(r, end, error, "quotes neither begin nor end a field");
  if (r->width && width != r->width)
    return refuse(r, from, error, "%" PRId64 " fields, expected %" PRId64 " as in the header",
                  width, r->width);
  if (!r->width) r->field = g_new0(char *, (gsize)width + 1);
  r->width = width, r->at = end + 1;
  for (int64_t i = 0; i < width; i++) r->field[i] = r->row->str + g_array_index(r->start, gsize, i);
  return true;
}

int64_t hn_csv_find(const HnCsvReader *r, const char *text) {
  for (int64_t i = 0; i < r->width; i++)
    if (g_str_equal(r->field[i], text)) return i;
  return -1;
}

const char *hn_csv_row_before(const HnCsvReader *r, const char *at) {
  if (at == r->text) return NULL;
  bool quoted = false; /* quotes come in pairs, so those within them are found from behind too */
  for (at--; at > r->text && (quoted || at[-1] != '\n'); at--) quoted ^= at[-1] == '"';
  return at;
}

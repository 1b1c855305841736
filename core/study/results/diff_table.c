/* diff_table.c - see diff_table.h. */
#include "diff_table.h"
#include "csv.h"
#include <math.h>
#include <string.h>

/* One of the two while it is read. */
typedef struct Side {
  GMappedFile *file; /* NULL: there is none */
  char *path;
  HnCsvReader reader;
  int64_t rows;
  bool more;   /* the reader holds a row that was not compared */
  GError *why; /* it cannot be read on */
} Side;

static Side side_open(const char *dir, HnRunFile table) {
  Side s = {.path = hn_run_file(dir, table), .rows = -1};
  if (!g_file_test(s.path, G_FILE_TEST_EXISTS)) return s;
  if (!(s.file = g_mapped_file_new(s.path, FALSE, &s.why))) return s;
  const char *text = g_mapped_file_get_contents(s.file);
  s.reader = hn_csv_reader(s.path, text ? text : "", g_mapped_file_get_length(s.file));
  s.more = hn_csv_next(&s.reader, &s.why), s.rows = 0;
  return s;
}

static void side_close(Side *s) {
  if (s->file) hn_csv_reader_clear(&s->reader), g_mapped_file_unref(s->file);
  g_clear_error(&s->why);
  g_free(s->path);
}

static bool side_next(Side *s) {
  s->more = s->more && hn_csv_next(&s->reader, &s->why);
  s->rows += s->more;
  return s->more;
}

static void column_free(void *p) {
  HnColumnDiff *c = p;
  g_string_free(c->a, TRUE), g_string_free(c->b, TRUE);
  g_free(c->name);
  g_free(c);
}

void hn_table_diff_free(HnTableDiff *t) {
  if (!t) return;
  g_ptr_array_unref(t->columns);
  g_free(t->damaged), g_free(t->update);
  g_free(t);
}

bool hn_table_diff_any(const HnTableDiff *t) {
  return t->damaged || t->first >= 0 || t->differ > 0;
}

/* ---- columns ---- */

/* Where a column of the list is in each table, -1: it has none. */
typedef struct Pair {
  int64_t a, b;
} Pair;

static void add_column(HnTableDiff *t, GArray *pairs, const char *name, int64_t a, int64_t b) {
  const Pair pair = {a, b};
  HnColumnDiff *c = g_new0(HnColumnDiff, 1);
  c->name = g_strdup(name), c->row = -1;
  c->in_a = a >= 0, c->in_b = b >= 0;
  c->a = g_string_new(NULL), c->b = g_string_new(NULL);
  t->differ += !(c->in_a && c->in_b);
  g_array_append_val(pairs, pair);
  g_ptr_array_add(t->columns, c);
}

/* Columns that say which cell a row is of. */
static bool is_label(HnRunFile table, const char *name) {
  return table == HN_FILE_EPISODES && (g_str_equal(name, "arm") || g_str_equal(name, "seed"));
}

static int64_t width_of(const Side *s) {
  return s->more ? s->reader.width : 0;
}

/* The column of b for column k of a: one of that name at its place, else the first; -1: none that
 * is not taken. */
static int64_t find_column(const Side *b, const char *name, int64_t k, GHashTable *first,
                           const bool *taken) {
  gpointer at = NULL;
  if (k < width_of(b) && !taken[k] && g_str_equal(b->reader.field[k], name)) return k;
  if (!g_hash_table_lookup_extended(first, name, NULL, &at)) return -1;
  return taken[GPOINTER_TO_INT(at)] ? -1 : GPOINTER_TO_INT(at);
}

/* The columns of both, by their names. */
static GArray *pair_columns(HnTableDiff *t, const Side *a, const Side *b) {
  GArray *pairs = g_array_new(FALSE, FALSE, sizeof(Pair));
  g_autoptr(GHashTable) first = g_hash_table_new(g_str_hash, g_str_equal);
  g_autofree bool *taken = g_new0(bool, (gsize)width_of(b) + 1);
  for (int64_t k = width_of(b) - 1; k >= 0; k--)
    g_hash_table_insert(first, b->reader.field[k], GINT_TO_POINTER((int)k));
  for (int64_t k = 0; k < width_of(a); k++) {
    const int64_t at = find_column(b, a->reader.field[k], k, first, taken);
    if (at >= 0) taken[at] = true;
    if (!is_label(t->table, a->reader.field[k])) add_column(t, pairs, a->reader.field[k], k, at);
  }
  for (int64_t k = 0; k < width_of(b); k++)
    if (!taken[k] && !is_label(t->table, b->reader.field[k]))
      add_column(t, pairs, b->reader.field[k], -1, k);
  return pairs;
}

/* ---- rows ---- */

static bool same_number(const char *a, const char *b) {
  char *end_a = NULL, *end_b = NULL;
  const double x = g_ascii_strtod(a, &end_a), y = g_ascii_strtod(b, &end_b);
  return *a && *b && !*end_a && !*end_b && (x == y || (isnan(x) && isnan(y)));
}

static bool same_field(const char *a, const char *b) {
  return strcmp(a, b) == 0 || same_number(a, b);
}

/* Notes the first row that differs, which one side has, and the update that it is of. */
static void note_first(HnTableDiff *t, const GArray *pairs, const Side *a, const Side *b,
                       int64_t row) {
  if (t->first >= 0) return;
  t->first = row;
  for (guint i = 0; i < pairs->len && !t->update; i++) {
    const Pair at = g_array_index(pairs, Pair, i);
    if (!g_str_equal(((const HnColumnDiff *)t->columns->pdata[i])->name, "update")) continue;
    if (a->more && at.a >= 0)
      t->update = g_strdup(a->reader.field[at.a]);
    else if (b->more && at.b >= 0)
      t->update = g_strdup(b->reader.field[at.b]);
  }
}

static void compare_row(HnTableDiff *t, const GArray *pairs, const Side *a, const Side *b,
                        int64_t row) {
  for (guint i = 0; i < pairs->len; i++) {
    const Pair at = g_array_index(pairs, Pair, i);
    HnColumnDiff *c = t->columns->pdata[i];
    if (at.a < 0 || at.b < 0 || c->row >= 0 ||
        same_field(a->reader.field[at.a], b->reader.field[at.b]))
      continue;
    c->row = row, t->differ++;
    note_first(t, pairs, a, b, row);
  }
}

/* Remembers the last fields of a row that are not empty. */
static void keep_fields(HnTableDiff *t, const GArray *pairs, const Side *s, bool is_a) {
  for (guint i = 0; s->more && i < pairs->len; i++) {
    const Pair pair = g_array_index(pairs, Pair, i);
    const int64_t at = is_a ? pair.a : pair.b;
    const HnColumnDiff *c = t->columns->pdata[i];
    if (at >= 0 && *s->reader.field[at]) g_string_assign(is_a ? c->a : c->b, s->reader.field[at]);
  }
}

static void compare_rows(HnTableDiff *t, const GArray *pairs, Side *a, Side *b) {
  for (int64_t row = 0;; row++) {
    const bool in_a = side_next(a), in_b = side_next(b);
    if (!in_a && !in_b) return;
    keep_fields(t, pairs, a, true), keep_fields(t, pairs, b, false);
    if (in_a && in_b)
      compare_row(t, pairs, a, b, row);
    else
      note_first(t, pairs, a, b, row);
  }
}

HnTableDiff *hn_diff_table(const char *dir_a, const char *dir_b, HnRunFile table) {
  Side a = side_open(dir_a, table), b = side_open(dir_b, table);
  HnTableDiff *t = NULL;
  if (a.file || a.why || b.file || b.why) {
    t = g_new0(HnTableDiff, 1);
    t->table = table, t->first = -1;
    t->columns = g_ptr_array_new_with_free_func(column_free);
    g_autoptr(GArray) pairs = pair_columns(t, &a, &b);
    compare_rows(t, pairs, &a, &b);
    if (a.why || b.why) t->damaged = g_strdup(a.why ? a.why->message : b.why->message);
    t->rows_a = a.rows, t->rows_b = b.rows;
    if (a.rows < 0 || b.rows < 0) t->first = MAX(t->first, 0);
  }
  side_close(&a), side_close(&b);
  return t;
}

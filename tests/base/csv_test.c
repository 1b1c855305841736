/* csv_test.c - rows written and read again, whatever their fields hold; texts after RFC 4180. */
#include "csv.h"
#include "csv_table.h"
#include "error.h"
#include <glib/gstdio.h>
#include <hunch/rng.h>
#include <math.h>
#include <string.h>

/* ---- what is written is read ---- */

/* Whatever needs care, with one-byte to four-byte UTF-8. */
static const char *const piece[] = {
    ",", "\"", "\n", "\r", "\r\n",   "\xEF\xBB\xBF", " ",      "a",
    "7", "'",  ";",  "\t", "\u00e9", "\u2013",       "\u6f22", "\U0001F600"};

static char *random_field(HnRng *rng) {
  GString *field = g_string_new(NULL);
  for (int64_t n = hn_rng_below(rng, 6); n > 0; n--)
    g_string_append(field, piece[hn_rng_below(rng, G_N_ELEMENTS(piece))]);
  return g_string_free(field, FALSE);
}

static void round_trips(void) {
  HnRng rng = hn_rng(5, 0);
  for (int table = 0; table < 5000; table++) {
    const int64_t width = 1 + hn_rng_below(&rng, 5), rows = 1 + hn_rng_below(&rng, 6);
    g_autoptr(GPtrArray) fields = g_ptr_array_new_with_free_func(g_free);
    HnCsvWriter w = {g_string_new(NULL), 9, false};
    for (int64_t i = 0; i < rows * width; i++) {
      g_ptr_array_add(fields, random_field(&rng));
      hn_csv_text(&w, fields->pdata[i]);
      if (i % width == width - 1) hn_csv_end_row(&w);
    }
    g_autofree char *text = hn_csv_take(&w);
    GError *error = NULL;
    HnCsvReader r = hn_csv_reader("t.csv", text, strlen(text));
    for (int64_t row = 0; row < rows; row++) {
      g_assert_true(hn_csv_next(&r, &error));
      g_assert_cmpint(r.width, ==, width);
      for (int64_t k = 0; k < width; k++)
        g_assert_cmpstr(r.field[k], ==, fields->pdata[row * width + k]);
    }
    g_assert_false(hn_csv_next(&r, &error));
    g_assert_no_error(error);
    hn_csv_reader_clear(&r);
  }
}

/* From the end the same rows are met as from the start. */
static void backwards(void) {
  HnRng rng = hn_rng(6, 0);
  for (int table = 0; table < 1000; table++) {
    HnCsvWriter w = {g_string_new(NULL), 9, false};
    for (int64_t i = 0; i < 24; i++) {
      g_autofree char *field = random_field(&rng);
      hn_csv_text(&w, field);
      if (i % 3 == 2) hn_csv_end_row(&w);
    }
    g_autofree char *text = hn_csv_take(&w);
    HnCsvReader r = hn_csv_reader("t.csv", text, strlen(text));
    const char *start[9] = {r.at};
    for (int row = 0; row < 8; row++) {
      g_assert_true(hn_csv_next(&r, NULL));
      start[row + 1] = r.at;
    }
    for (int row = 8; row > 0; row--)
      g_assert_true(hn_csv_row_before(&r, start[row]) == start[row - 1]);
    g_assert_null(hn_csv_row_before(&r, start[0]));
    hn_csv_reader_clear(&r);
  }
}

/* ---- texts by hand ---- */

static void writes(void) {
  HnCsvWriter w = hn_csv_writer("name,x", 3);
  hn_csv_numbered(&w, "seed", 1, 2), hn_csv_end_row(&w);
  hn_csv_text(&w, "plain 'text'"), hn_csv_number(&w, 1234.5), hn_csv_int(&w, -7);
  hn_csv_blanks(&w, 1), hn_csv_end_row(&w);
  hn_csv_text(&w, "a,b"), hn_csv_number(&w, (double)-NAN), hn_csv_number(&w, INFINITY);
  hn_csv_finite(&w, (double)NAN), hn_csv_end_row(&w);
  hn_csv_text(&w, "say \"so\""), hn_csv_text(&w, ""), hn_csv_text(&w, "two\nlines");
  hn_csv_finite(&w, 0.125), hn_csv_end_row(&w);
  g_autofree char *text = hn_csv_take(&w);
  g_assert_cmpstr(text, ==,
                  "name,x,seed_1,seed_2\n"
                  "plain 'text',1.23e+03,-7,\n"
                  "\"a,b\",nan,inf,\n"
                  "\"say \"\"so\"\"\",,\"two\nlines\",0.125\n");
}

/* Rows of a text, fields apart by '|'. */
static char *rows_of(const char *text, GError **error) {
  HnCsvReader r = hn_csv_reader("t.csv", text, strlen(text));
  GString *out = g_string_new(NULL);
  while (hn_csv_next(&r, error)) {
    g_autofree char *row = g_strjoinv("|", r.field);
    g_string_append_printf(out, "<%s>", row);
  }
  hn_csv_reader_clear(&r);
  return g_string_free(out, FALSE);
}

static void reads(void) {
  static const char *const cases[][2] = {
      {"", ""},
      {"aaa,bbb,ccc\r\nzzz,yyy,xxx\r\n", "<aaa|bbb|ccc><zzz|yyy|xxx>"}, /* RFC 4180, 2.1 */
      {"\"aaa\",\"b \r\nbb\",\"ccc\"\r\nzzz,yyy,xxx\r\n", "<aaa|b \r\nbb|ccc><zzz|yyy|xxx>"},
      {"\"aaa\",\"b\"\"bb\",\"ccc\"\n", "<aaa|b\"bb|ccc>"}, /* 2.7 */
      {"\xEF\xBB\xBFname,x\n\u00e9,\n", "<name|x><\u00e9|>"},
      {"\n", "<>"},
      {"a,b\n1,2\n3,4", "<a|b><1|2>"}, /* the last row is still being written */
      {"a,b\n1,2\n3,\"4\n", "<a|b><1|2>"},
      {"a,b\n1,2\n3,\"4\"", "<a|b><1|2>"},
      {"a, b \n\"\",\"\"\n", "<a| b ><|>"}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    GError *error = NULL;
    g_autofree char *rows = rows_of(cases[i][0], &error);
    g_assert_no_error(error);
    g_assert_cmpstr(rows, ==, cases[i][1]);
  }
}

static void refuses(void) {
  static const char *const cases[][2] = {
      {"a,b\n1,2\n1\n3,4\n", "t.csv:3: 1 fields, expected 2 as in the header"},
      {"a,b\n\"1\n2\",3\n4,5,6\n", "t.csv:4: 3 fields, expected 2 as in the header"},
      {"a,b\n1,x\"y\n", "t.csv:2: quotes neither begin nor end a field"},
      {"a,b\n\"x\"y,1\n", "t.csv:2: quotes neither begin nor end a field"},
      {"a\n\"x\n\"\"y\" \n", "t.csv:3: quotes neither begin nor end a field"}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    GError *error = NULL;
    g_autofree char *rows = rows_of(cases[i][0], &error);
    g_assert_error(error, HN_ERROR, HN_ERROR_FILE);
    g_assert_cmpstr(error->message, ==, cases[i][1]);
    g_error_free(error);
  }
}

/* ---- a table of numbers ---- */

static HnTable *parse(const char *text, GError **error) {
  return hn_table_parse("m.csv", text, strlen(text), error);
}

static void table(void) {
  GError *error = NULL;
  HnTable *t =
      parse("update,eval.return,\"the, task\"\n1,2.5,\"a, b\"\n2,,\n3,nan,\n4,,\n5,7", &error);
  g_assert_no_error(error);
  int64_t row = 0, column = hn_table_find(t, "eval.return");
  g_assert_cmpint(t->rows, ==, 4); /* the fifth is still being written */
  g_assert_cmpint(column, ==, 1);
  g_assert_cmpint(hn_table_find(t, "the, task"), ==, 2);
  g_assert_cmpint(hn_table_find(t, "return"), ==, -1);
  g_assert_cmpfloat(hn_table_at(t, 0, column), ==, 2.5);
  g_assert_false(hn_table_filled(t, 1, column));
  g_assert_true(hn_table_filled(t, 2, column));
  g_assert_true(isnan(hn_table_at(t, 0, 2)) && hn_table_filled(t, 0, 2));
  g_assert_true(isnan(hn_table_last(t, column, &row)));
  g_assert_cmpint(row, ==, 2);
  hn_table_last(t, -1, &row);
  g_assert_cmpint(row, ==, -1);
  hn_table_free(t);
  g_assert_null(parse("a,b\n1,2\n1\n3,4\n", &error));
  g_assert_cmpstr(error->message, ==, "m.csv:3: 1 fields, expected 2 as in the header");
  g_clear_error(&error);
}

/* Every number is the double that strtod makes of it, to the last bit. */
static void numbers(void) {
  static const char *const given[] = {"0",       "-0",   "1.",    ".5",     "+3",
                                      "-.25e+2", "1e22", "1e23",  "1e-22",  "123456789012345",
                                      "1e-5",    "1E5",  "1e400", "4e-320", "9007199254740993",
                                      " 7 ",     "0x10", "inf",   "0.1e",   "1e+",
                                      "-",       "1-2",  "1..2",  "e5",     "1e-",
                                      "00012.50"};
  HnRng rng = hn_rng(3, 1);
  for (int i = 0; i < 20000; i++) {
    char text[64], row[80];
    if (i < (int)G_N_ELEMENTS(given))
      g_strlcpy(text, given[i], sizeof text);
    else
      g_snprintf(text, sizeof text, "%.*g", 1 + i % 17,
                 hn_rng_normal(&rng) * pow(10, (int)(hn_rng_uniform(&rng, -30, 30))));
    g_snprintf(row, sizeof row, "x\n%s\n", text);
    HnTable *t = parse(row, NULL);
    char *end;
    const double expected = g_ascii_strtod(text, &end), x = hn_table_at(t, 0, 0);
    const bool whole = *g_strchug(end) == '\0' && end != text;
    if (whole ? memcmp(&x, &expected, sizeof x) != 0 : !isnan(x)) g_error("%s: %.17g", text, x);
    hn_table_free(t);
  }
}

/* Of a table of many rows the last ones, whole, however the cut falls; of a short one all. */
static void tail(void) {
  g_autofree char *dir = g_dir_make_tmp("hunch-csv-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(dir, "m.csv", NULL);
  g_autoptr(GString) text = g_string_new("update,x\n");
  for (int i = 1; i <= 1000; i++) g_string_append_printf(text, "%d,%d\n", i, i * i);
  g_string_append(text, "1001,10"); /* is still being written */
  g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
  for (gsize most = 100; most < 120; most++) {
    HnTable *t = hn_table_read_tail(path, most, NULL);
    const int64_t first = (int64_t)hn_table_at(t, 0, 0);
    g_assert_cmpint(t->rows, >=, (int64_t)(most - 7) / 13); /* of at most 13 bytes */
    g_assert_cmpint(t->rows, <=, (int64_t)most / 11);
    for (int64_t i = 0; i < t->rows; i++) {
      g_assert_cmpfloat(hn_table_at(t, i, 0), ==, (double)(first + i));
      g_assert_cmpfloat(hn_table_at(t, i, 1), ==, (double)((first + i) * (first + i)));
    }
    g_assert_cmpint(first + t->rows - 1, ==, 1000);
    hn_table_free(t);
  }
  HnTable *none = hn_table_read_tail(path, 4, NULL), *all = hn_table_read_tail(path, 1 << 20, NULL);
  g_assert_cmpint(none->rows, ==, 0);
  g_assert_cmpint(hn_table_find(none, "x"), ==, 1);
  g_assert_cmpint(all->rows, ==, 1000);
  hn_table_cut(all, 3);
  g_assert_cmpint(all->rows, ==, 3);
  g_assert_cmpfloat(hn_table_last(all, 1, NULL), ==, 9);
  hn_table_free(none), hn_table_free(all);
  g_unlink(path);
  GError *error = NULL;
  g_assert_null(hn_table_read_tail(path, 100, &error));
  g_assert_nonnull(strstr(error->message, path));
  g_clear_error(&error);
  g_rmdir(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/csv/round_trips", round_trips);
  g_test_add_func("/csv/backwards", backwards);
  g_test_add_func("/csv/writes", writes);
  g_test_add_func("/csv/reads", reads);
  g_test_add_func("/csv/refuses", refuses);
  g_test_add_func("/csv/table", table);
  g_test_add_func("/csv/numbers", numbers);
  g_test_add_func("/csv/tail", tail);
  return g_test_run();
}

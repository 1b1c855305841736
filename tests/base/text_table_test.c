/* text_table_test.c - columns for a terminal. */
#include "text_table.h"
#include <string.h>

static char *table(const char *align, int width, const char *const *cells) {
  HnTextTable t = hn_text_table(align);
  for (; *cells; cells++) hn_text_table_add(&t, g_strdup(*cells));
  GString *out = g_string_new(NULL);
  hn_text_table_end(&t, width, out);
  return g_string_free(out, FALSE);
}

static void aligns(void) {
  static const char *const cells[] = {
      "arm", "n", "interval", "", "\u00e9t\u00e9", "10", "[1]", "x", "b", "9", "[10]", "", NULL};
  g_autofree char *text = table("lrhl", 100, cells);
  g_assert_cmpstr(text, ==,
                  "  arm   n  interval\n"
                  "  \u00e9t\u00e9  10       [1]  x\n"
                  "  b     9      [10]\n");
}

/* What does not fit stands below, beside the first column again; a column alone may be wider. */
static void wraps(void) {
  static const char *const cells[] = {"t", "aaaa", "bbbb", "cccccccccccc", "1", "2",
                                      "3", "4",    NULL};
  g_autofree char *text = table("llll", 15, cells);
  g_assert_cmpstr(text, ==,
                  "  t  aaaa  bbbb\n"
                  "  1  2     3\n"
                  "\n"
                  "  t  cccccccccccc\n"
                  "  1  4\n");
}

/* A column without a heading, in which nothing stands, makes no table of first columns alone. */
static void empty(void) {
  static const char *const cells[] = {"t", "aaaa", "bbbb", "", "1", "2", "3", "", NULL};
  g_autofree char *text = table("llll", 15, cells);
  g_assert_cmpstr(text, ==,
                  "  t  aaaa  bbbb\n"
                  "  1  2     3\n");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/text_table/aligns", aligns);
  g_test_add_func("/text_table/wraps", wraps);
  g_test_add_func("/text_table/empty", empty);
  return g_test_run();
}

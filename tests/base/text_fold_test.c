/* text_fold_test.c - lines that a terminal could not show whole. */
#include "text_fold.h"
#include <glib.h>

static void expect(int width, const char *text, const char *folded) {
  g_autofree char *is = hn_text_folded(text, width);
  g_assert_cmpstr(is, ==, folded);
}

static void tables(void) {
  expect(20, "  -o  one two three four\n", "  -o  one two three\n      four\n");
  expect(20, "  -o  one two\n\nshort\n", "  -o  one two\n\nshort\n");
  expect(10, "aaa bbb ccc ddd", "aaa bbb\nccc ddd");
  expect(12, "  name    a b c d e f", "  name    a\n  b c d e f"); /* no room in that column */
}

static void words(void) {
  expect(12, "  a  /a/very/long/path b\n", "  a\n     /a/very/long/path\n     b\n");
  expect(6, "\u00e9\u00e9\u00e9 \u00e9\u00e9\u00e9\n", "\u00e9\u00e9\u00e9\n\u00e9\u00e9\u00e9\n");
  expect(7, "\u00e9\u00e9\u00e9 \u00e9\u00e9\u00e9\n", "\u00e9\u00e9\u00e9 \u00e9\u00e9\u00e9\n");
  expect(20, "no newline", "no newline");
  expect(20, "", "");
}

/* Colours take no room. */
static void colours(void) {
  expect(10, "\033[1mab\033[0m  cd ef\n", "\033[1mab\033[0m  cd ef\n");
  expect(8, "\033[1mab\033[0m  cd ef\n", "\033[1mab\033[0m  cd\n    ef\n");
}

/* No line is longer than it may be, and no word is lost. */
static void widths(void) {
  static const char text[] = "  word  some words that go on, and on, and then some more of them\n";
  for (int width = 12; width < 90; width++) {
    g_autofree char *folded = hn_text_folded(text, width);
    g_auto(GStrv) lines = g_strsplit(folded, "\n", -1), all = g_strsplit_set(folded, " \n", -1);
    g_autoptr(GString) joined = g_string_new(NULL);
    for (char **line = lines; *line; line++) g_assert_cmpint(g_utf8_strlen(*line, -1), <=, width);
    for (char **word = all; *word; word++) g_string_append(joined, *word);
    g_assert_cmpstr(joined->str, ==, "wordsomewordsthatgoon,andon,andthensomemoreofthem");
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/text_fold/tables", tables);
  g_test_add_func("/text_fold/words", words);
  g_test_add_func("/text_fold/colours", colours);
  g_test_add_func("/text_fold/widths", widths);
  return g_test_run();
}

/* output_log_test.c - what a process prints, kept within bounds: the start, the end, the lines. */
#include <glib/gstdio.h>
#include <output_log.h>
#include <string.h>

enum { HEAD = 1 << 20, TAIL = 1 << 16 };

typedef struct Heard {
  guint count;
  char *first, *last;
} Heard;

static void hear(void *arg, const char *line) {
  Heard *h = arg;
  if (h->count++ == 0) h->first = g_strdup(line);
  g_free(h->last);
  h->last = g_strdup(line);
}

/* The file after text was taken in pieces of `piece` bytes. */
static char *logged(const GString *text, gsize piece, Heard *h, char **last) {
  g_autofree char *dir = g_dir_make_tmp("hunch-output-XXXXXX", NULL);
  g_autofree char *path = g_build_filename(dir, "log.txt", NULL);
  char *file = NULL;
  HnOutputLog *o = hn_output_log_new(path, hear, h);
  for (gsize at = 0; at < text->len; at += piece)
    hn_output_log_take(o, text->str + at, MIN(piece, text->len - at));
  hn_output_log_end(o);
  *last = g_strdup(hn_output_log_last(o));
  hn_output_log_free(o);
  if (!g_file_get_contents(path, &file, NULL, NULL)) file = g_strdup("");
  g_unlink(path), g_rmdir(dir);
  return file;
}

static void test_lines(void) {
  g_autoptr(GString) text = g_string_new("one\n\n  two \033[31m\nthree without an end");
  for (gsize piece = 1; piece < 40; piece += 7) {
    Heard h = {0};
    g_autofree char *last = NULL, *file = logged(text, piece, &h, &last);
    g_assert_cmpstr(file, ==, text->str);
    g_assert_cmpuint(h.count, ==, 3);
    g_assert_cmpstr(h.first, ==, "one");
    g_assert_cmpstr(last, ==, "three without an end");
    g_free(h.first), g_free(h.last);
  }
}

/* Of 3 MiB in lines of 32 bytes: the first MiB, the last 64 KiB, and how much is not there. */
static void test_bounds(void) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (int i = 0; i < 3 << 15; i++)
    g_string_append_printf(text, "line %010d of many, many more\n", i);
  Heard h = {0};
  g_autofree char *last = NULL, *file = logged(text, 4099, &h, &last);
  const gsize left_out = text->len - HEAD - TAIL;
  g_autofree char *words =
      g_strdup_printf("\n.. %" G_GSIZE_FORMAT " bytes are left out here ..\n", left_out);
  g_assert_cmpuint(strlen(file), ==, HEAD + strlen(words) + TAIL);
  g_assert_cmpmem(file, HEAD, text->str, HEAD);
  g_assert_cmpmem(file + HEAD, strlen(words), words, strlen(words));
  g_assert_cmpstr(file + HEAD + strlen(words), ==, text->str + text->len - TAIL);
  g_assert_cmpuint(h.count, ==, 201); /* and that there are more */
  g_assert_cmpstr(h.last, ==, "(more lines follow; log.txt has them)");
  g_assert_cmpstr(last, ==, "line 0000098303 of many, many more");
  g_free(h.first), g_free(h.last);
}

/* A line without an end is cut, not kept. */
static void test_long_line(void) {
  g_autoptr(GString) text = g_string_new(NULL);
  for (int i = 0; i < 3000000; i++) g_string_append_c(text, 'x');
  Heard h = {0};
  g_autofree char *last = NULL, *file = logged(text, 65536, &h, &last);
  g_assert_cmpuint(strlen(last), ==, 1024);
  g_assert_cmpuint(strlen(file), <, HEAD + TAIL + 100);
  g_free(h.first), g_free(h.last);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/output-log/lines", test_lines);
  g_test_add_func("/output-log/bounds", test_bounds);
  g_test_add_func("/output-log/long_line", test_long_line);
  return g_test_run();
}

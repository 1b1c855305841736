/* npy_test.c - arrays in NumPy's format, byte by byte as its documentation has them: a magic, a
 * version, a length, a dictionary padded to 64 bytes, and the data.  Source:
 * numpy.lib.format, "Format Version 1.0". */
#include "error.h"
#include "npy.h"
#include <stdbool.h>
#include <string.h>

#define HEADER 128 /* ten bytes and the dictionary take more than 64 */

/* Checks the header and returns the data. */
static const guint8 *data_of(GBytes *bytes, const char *dict, gsize size) {
  gsize all;
  const guint8 *at = g_bytes_get_data(bytes, &all);
  static const guint8 begin[] = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, HEADER - 10, 0};
  g_assert_cmpuint(all, ==, HEADER + size);
  g_assert_cmpmem(at, sizeof begin, begin, sizeof begin);
  g_assert_cmpmem(at + 10, strlen(dict), dict, strlen(dict));
  for (gsize i = 10 + strlen(dict); i < HEADER - 1; i++) g_assert_cmpint(at[i], ==, ' ');
  g_assert_cmpint(at[HEADER - 1], ==, '\n');
  return at + HEADER;
}

static void test_reals(void) {
  const double x[] = {1, -0.5};
  static const guint8 expected[] = {0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0xe0, 0xbf};
  g_autoptr(GBytes) two = hn_npy_reals(x, 2, NULL), none = hn_npy_reals(x, 0, NULL);
  const guint8 *data =
      data_of(two, "{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }", 16);
  g_assert_cmpmem(data, 16, expected, 16);
  data_of(none, "{'descr': '<f8', 'fortran_order': False, 'shape': (0,), }", 0);
}

/* A is U+41, the euro sign U+20AC, the clef U+1D11E; the other text is no UTF-8. */
static void test_texts(void) {
  const char *const texts[] = {"A", "\xe2\x82\xac\xf0\x9d\x84\x9e", "", "\xff"};
  static const guint8 expected[] = {0x41, 0, 0, 0, 0, 0, 0, 0, 0xac, 0x20, 0, 0, 0x1e, 0xd1, 1, 0,
                                    0,    0, 0, 0, 0, 0, 0, 0, 0xfd, 0xff, 0, 0, 0,    0,    0, 0};
  g_autoptr(GBytes) four = hn_npy_texts(texts, 4, NULL), none = hn_npy_texts(texts, 0, NULL);
  const guint8 *data =
      data_of(four, "{'descr': '<U2', 'fortran_order': False, 'shape': (4,), }", 32);
  g_assert_cmpmem(data, 32, expected, 32);
  data_of(none, "{'descr': '<U1', 'fortran_order': False, 'shape': (0,), }", 0);
}

/* One long text widens all: a file of 100 kB would make one of 40 GB. */
static void test_too_wide(void) {
  enum { N = 100000 };
  g_autofree char *wide = g_strnfill(N, 'x');
  g_autofree const char **texts = g_new(const char *, N);
  g_autoptr(GError) error = NULL;
  for (int i = 0; i < N; i++) texts[i] = i ? "" : wide;
  g_assert_null(hn_npy_texts(texts, N, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_REFUSED);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/npy/reals", test_reals);
  g_test_add_func("/npy/texts", test_texts);
  g_test_add_func("/npy/too_wide", test_too_wide);
  return g_test_run();
}

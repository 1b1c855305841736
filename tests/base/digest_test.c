/* digest_test.c - digests are what `xxhsum -H2` prints, however the bytes are cut. */
#include <digest.h>
#include <string.h>

static void check(const void *data, gsize n, gsize cut, const char *expected) {
  uint8_t digest[HN_DIGEST_BYTES];
  g_autoptr(GString) text = g_string_new(NULL);
  HnDigest *d = hn_digest_begin();
  for (gsize at = 0; at < n; at += cut) hn_digest_add(d, (const char *)data + at, MIN(cut, n - at));
  hn_digest_end(d, digest);
  for (int k = 0; k < HN_DIGEST_BYTES; k++) g_string_append_printf(text, "%02x", digest[k]);
  g_assert_cmpstr(text->str, ==, expected);
}

static void test_short(void) {
  check("", 0, 1, "99aa06d3014798d86001c324468d497f");
  check("abc", 3, 3, "06b05ab6733a618578af5f94892f3950");
  check("message digest", 14, 5, "34ab715d95e3b6490abfabecb8e3a424");
}

static void test_parts(void) {
  uint8_t data[300];
  for (int i = 0; i < 300; i++) data[i] = (uint8_t)(i * i + 7 * i + 3);
  for (gsize cut = 1; cut <= 300; cut++) {
    check(data, 300, cut, "b1a4a5497ebb3f5c9bfcbef784fa5818");
    check(data, 100, cut, "81f31f7397512a1501ff478df09edcf9");
  }
}

static void test_long(void) {
  enum { MILLION = 1000000 };
  g_autofree char *data = g_malloc(MILLION);
  memset(data, 'a', MILLION);
  check(data, MILLION, MILLION, "a545df8e384a9579b1fd6fae5285c4eb");
  check(data, MILLION, 65537, "a545df8e384a9579b1fd6fae5285c4eb");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/digest/short", test_short);
  g_test_add_func("/digest/parts", test_parts);
  g_test_add_func("/digest/long", test_long);
  return g_test_run();
}

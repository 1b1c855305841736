/* sha256_test.c - SHA-256 is what FIPS 180-4 says of its examples and what GLib says of anything
 * else, however it is cut, with and without the processor's instructions. */
#include <sha256.h>
#include <string.h>

enum { MOST = 300 };

static char *hex(const uint8_t digest[HN_SHA256_BYTES]) {
  GString *text = g_string_new(NULL);
  for (int k = 0; k < HN_SHA256_BYTES; k++) g_string_append_printf(text, "%02x", digest[k]);
  return g_string_free(text, FALSE);
}

static void test_examples(void) {
  static const char *const example[][2] = {
      {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
      {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
      {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
       "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"}};
  for (guint k = 0; k < G_N_ELEMENTS(example); k++) {
    g_autofree char *text = hn_sha256_text(example[k][0], strlen(example[k][0]));
    g_assert_cmpstr(text, ==, example[k][1]);
  }
}

static void check_cut(HnSha256 s, const uint8_t *data, gsize n, gsize cut, const char *expected) {
  uint8_t digest[HN_SHA256_BYTES];
  for (gsize at = 0; at < n; at += cut) hn_sha256_add(&s, data + at, MIN(cut, n - at));
  hn_sha256_end(&s, digest);
  g_autofree char *text = hex(digest);
  g_assert_cmpstr(text, ==, expected);
}

static void test_parts(void) {
  uint8_t data[MOST];
  for (int i = 0; i < MOST; i++) data[i] = (uint8_t)(i * i + 7 * i + 3);
  for (gsize n = 0; n <= MOST; n++) {
    g_autofree char *expected = g_compute_checksum_for_data(G_CHECKSUM_SHA256, data, n);
    for (gsize cut = 1; cut <= 200; cut += 7) {
      check_cut(hn_sha256_begin(), data, n, cut, expected);
      check_cut(hn_sha256_begin_plain(), data, n, cut, expected);
    }
  }
}

/* The third example of FIPS 180-2: a million times "a". */
static void test_long(void) {
  enum { MILLION = 1000000 };
  g_autofree char *data = g_malloc(MILLION);
  memset(data, 'a', MILLION);
  g_autofree char *text = hn_sha256_text(data, MILLION);
  g_assert_cmpstr(text, ==, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sha256/examples", test_examples);
  g_test_add_func("/sha256/parts", test_parts);
  g_test_add_func("/sha256/long", test_long);
  return g_test_run();
}

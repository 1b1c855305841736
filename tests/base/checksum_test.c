/* checksum_test.c - a checksum in parts is that of the whole, however it is cut, and is what its
 * definition says. */
#include <checksum.h>
#include <string.h>

enum { MOST = 200 };

/* The definition, word by word: four lanes take turns, what is left after whole turns goes to the
 * first. */
static uint64_t naive(const uint8_t *data, gsize n) {
  uint64_t lane[4] = {1, 2, 3, 4}, sum = n;
  const gsize whole = n / 32 * 32;
  for (gsize at = 0; at < n; at += 8) {
    uint64_t *l = &lane[at < whole ? at / 8 % 4 : 0], word = 0;
    for (gsize k = 0; k < 8 && at + k < n; k++) word |= (uint64_t)data[at + k] << 8 * k;
    *l = (*l ^ word) * 0x9E3779B97F4A7C15u;
    *l = *l << 29 | *l >> 35;
  }
  for (int k = 0; k < 4; k++) {
    sum = (sum ^ lane[k]) * 0x9E3779B97F4A7C15u;
    sum = sum << 29 | sum >> 35;
  }
  return sum ^ sum >> 32;
}

static void test_parts(void) {
  uint8_t data[MOST];
  for (int i = 0; i < MOST; i++) data[i] = (uint8_t)(i * i + 7 * i + 3);
  for (gsize n = 0; n <= MOST; n++) {
    const uint64_t whole = naive(data, n);
    g_assert_cmphex(hn_checksum(data, n), ==, whole);
    for (gsize cut = 1; cut <= 70; cut += 3) {
      HnChecksum c = hn_checksum_begin();
      for (gsize at = 0; at < n; at += cut) {
        hn_checksum_add(&c, data + at, MIN(cut, n - at));
        g_assert_cmphex(hn_checksum_so_far(&c), ==, naive(data, MIN(at + cut, n)));
      }
      g_assert_cmphex(hn_checksum_so_far(&c), ==, whole);
    }
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/checksum/parts", test_parts);
  return g_test_run();
}

/* rng_test.c - hunch/rng.h against Random123: its published known answers, and its own header as
 * an independent implementation of whole streams. */
#include <Random123/philox.h>
#include <glib.h>
#include <hunch/rng.h>

/* kat_vectors of Random123 1.14: philox 4x32 10; counter, key, answer. */
static const uint32_t known[][10] = {
    {0, 0, 0, 0, 0, 0, 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8},
    {0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0x408f276d, 0x41c83b0e,
     0xa20bc7c6, 0x6d5451fd},
    {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344, 0xa4093822, 0x299f31d0, 0xd16cfe09, 0x94fdcceb,
     0x5001e420, 0x24126ea1}};

static void test_known_answers(void) {
  for (gsize i = 0; i < G_N_ELEMENTS(known); i++) {
    const uint32_t *k = known[i];
    HnRng r = {.key = {k[4], k[5]}, .counter = {k[0], k[1], k[2], k[3]}, .used = 4};
    for (int j = 0; j < 4; j++) g_assert_cmphex(hn_rng_u32(&r), ==, k[6 + j]);
  }
}

/* Words of a stream are Philox of a 64-bit block number, the stream id above it. */
static void test_stream(void) {
  const uint64_t seed = 0x0123456789abcdefu, stream = 0xfedcba9876543210u;
  HnRng r = hn_rng(seed, stream);
  const philox4x32_key_t key = {{0x89abcdef, 0x01234567}};
  for (uint32_t block = 0; block < 1000; block++) {
    const philox4x32_ctr_t counter = {{block, 0, 0x76543210, 0xfedcba98}};
    const philox4x32_ctr_t want = philox4x32_R(10, counter, key);
    for (int j = 0; j < 4; j++) g_assert_cmphex(hn_rng_u32(&r), ==, want.v[j]);
  }
}

/* The block number carries into its upper word. */
static void test_carry(void) {
  HnRng r = hn_rng(5, 6);
  r.counter[0] = 0xffffffffu;
  for (uint32_t block = 0; block < 2; block++) {
    const philox4x32_ctr_t counter = {{block ? 0 : 0xffffffffu, block, 6, 0}};
    const philox4x32_key_t key = {{5, 0}};
    const philox4x32_ctr_t want = philox4x32_R(10, counter, key);
    for (int j = 0; j < 4; j++) g_assert_cmphex(hn_rng_u32(&r), ==, want.v[j]);
  }
}

/* Two words, the first one high. */
static void test_u64(void) {
  HnRng r = hn_rng(1, 2), s = r;
  const uint64_t high = hn_rng_u32(&s), low = hn_rng_u32(&s);
  g_assert_cmphex(hn_rng_u64(&r), ==, high * 0x100000000u + low);
  g_assert_cmphex(hn_rng_u32(&r), ==, hn_rng_u32(&s));
}

static void test_copy(void) {
  HnRng r = hn_rng(1, 2);
  for (int i = 0; i < 7; i++) hn_rng_u32(&r);
  HnRng s = r;
  for (int i = 0; i < 100; i++) g_assert_cmphex(hn_rng_u32(&r), ==, hn_rng_u32(&s));
}

/* Moments of 2^20 draws within five standard errors; ends of the ranges are kept. */
static void test_moments(void) {
  enum { N = 1 << 20 };
  HnRng r = hn_rng(3, 0);
  double sum[3] = {0}, square[3] = {0}, fourth = 0;
  int64_t hits[7] = {0};
  for (int i = 0; i < N; i++) {
    const double u = hn_rng_uniform(&r, -1, 1), n = hn_rng_normal(&r);
    const int64_t k = hn_rng_below(&r, 7);
    g_assert_true(u >= -1 && u < 1 && k >= 0 && k < 7 && isfinite(n));
    sum[0] += u, square[0] += u * u, sum[1] += n, square[1] += n * n, fourth += n * n * n * n;
    hits[k]++;
  }
  const double error = 5 / sqrt(N);
  g_assert_cmpfloat(fabs(sum[0] / N), <, error * sqrt(1.0 / 3));
  g_assert_cmpfloat(fabs(square[0] / N - 1.0 / 3), <, error * sqrt(4.0 / 45));
  g_assert_cmpfloat(fabs(sum[1] / N), <, error);
  g_assert_cmpfloat(fabs(square[1] / N - 1), <, error * sqrt(2));
  g_assert_cmpfloat(fabs(fourth / N - 3), <, error * sqrt(96));
  for (int k = 0; k < 7; k++)
    g_assert_cmpfloat(fabs((double)hits[k] / N - 1.0 / 7), <, error * sqrt(6.0 / 49));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/rng/known-answers", test_known_answers);
  g_test_add_func("/rng/stream", test_stream);
  g_test_add_func("/rng/carry", test_carry);
  g_test_add_func("/rng/u64", test_u64);
  g_test_add_func("/rng/copy", test_copy);
  g_test_add_func("/rng/moments", test_moments);
  return g_test_run();
}

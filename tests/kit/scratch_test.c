/* Scratch that is used again: the same memory after a reset, lent memory first, nothing lost. */
#include "fake_host.h"
#include <glib.h>
#include <hunch/kit/scratch.h>

static void test_again(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnReuse *r = g_new(HnReuse, 1);
  hn_reuse_begin(r, fake_host_open(fake), NULL, 0);
  const HnHost *host = &r->host;
  char *small = host->scratch(host, 3, 4), *next = host->scratch(host, 100, 1);
  g_assert_true((uintptr_t)small % 64 == 0 && next == small + 64);
  g_assert_cmpuint(r->asked, ==, 64 + 128);
  char *large = host->scratch(host, 3, 1 << 20);
  memset(large, 1, 3 << 20);
  hn_reuse_reset(r);
  g_assert_cmpuint(r->asked, ==, 0);
  g_assert_true(host->scratch(host, 3, 4) == small);
  g_assert_true(host->scratch(host, 3, 1 << 20) == large);
  g_assert_cmpint(r->blocks, ==, 2);
  g_free(r), fake_host_close(fake), g_free(fake);
}

/* Lent memory serves until it is full; what was asked for says how much would have done. */
static void test_lent(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnReuse *r = g_new(HnReuse, 1);
  _Alignas(64) char memory[192];
  hn_reuse_begin(r, fake_host_open(fake), memory, sizeof memory);
  const HnHost *host = &r->host;
  g_assert_true(host->scratch(host, 1, 1) == (void *)memory);
  g_assert_true(host->scratch(host, 100, 1) == (void *)(memory + 64));
  char *outside = host->scratch(host, 1, 1);
  g_assert_true(outside < memory || outside >= memory + sizeof memory);
  g_assert_cmpuint(r->asked, ==, sizeof memory + 64);
  hn_reuse_reset(r);
  g_assert_true(host->scratch(host, 192, 1) == (void *)memory);
  g_free(r), fake_host_close(fake), g_free(fake);
}

/* More blocks than it remembers come from the real scratch. */
static void test_many(void) {
  FakeHost *fake = g_new(FakeHost, 1);
  HnReuse *r = g_new(HnReuse, 1);
  hn_reuse_begin(r, fake_host_open(fake), NULL, 0);
  char *last = NULL;
  for (int i = 0; i < HN_REUSE_BLOCKS + 2; i++) {
    char *p = r->host.scratch(&r->host, 1, 1 << 20);
    g_assert_true(p != last);
    memset(p, i, 1 << 20), last = p;
  }
  g_assert_cmpint(r->blocks, ==, HN_REUSE_BLOCKS);
  g_free(r), fake_host_close(fake), g_free(fake);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/scratch/again", test_again);
  g_test_add_func("/scratch/lent", test_lent);
  g_test_add_func("/scratch/many", test_many);
  return g_test_run();
}

/* pool_test.c - tasks on worker threads, and the failure of lowest number. */
#include "pool.h"

static HnStatus fail_some(void *arg, int64_t i) {
  (void)arg;
  if (i % 10 != 7) return HN_OK;
  g_snprintf(hn_fail_text(), HN_FAIL_TEXT, "task %d", (int)i);
  return HN_E_IO + (HnStatus)(i > 7);
}
static HnStatus count_task(void *arg, int64_t i) {
  int *count = arg;
  count[i]++; /* each its own */
  return HN_OK;
}

static void test_pool(void) {
  HnPool *p = hn_pool_new(3);
  HnArena arena = {0}, *before = hn_arena_enter(&arena);
  for (int round = 0; round < 200; round++) {
    int count[50] = {0};
    g_assert_cmpint(hn_pool_run(p, 50, count_task, count), ==, HN_OK);
    for (int i = 0; i < 50; i++) g_assert_cmpint(count[i], ==, 1);
    g_assert_cmpint(hn_pool_run(p, 50, fail_some, NULL), ==, HN_E_IO);
    g_assert_cmpstr(hn_fail_text(), ==, "task 7");
  }
  hn_arena_enter(before), hn_arena_clear(&arena), hn_pool_free(p);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/pool/tasks", test_pool);
  return g_test_run();
}

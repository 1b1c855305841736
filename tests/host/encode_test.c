/* Actions as networks read them. */
#include <glib.h>
#include <hunch/encode.h>

static void test_action(void) {
  const float action[] = {1, 2, 3, 4};
  const int32_t index[] = {2, 0};
  const HnHistory h = {.action = action, .action_index = index};
  float to[4] = {9, 9, 9, 9};
  hn_encode_action(&h, 1, 2, false, to);
  g_assert_true(to[0] == 3 && to[1] == 4 && to[2] == 9);
  hn_encode_action(&h, 0, 3, true, to);
  g_assert_true(to[0] == 0 && to[1] == 0 && to[2] == 1 && to[3] == 9);
  hn_encode_action(&h, 1, 3, true, to);
  g_assert_true(to[0] == 1 && to[1] == 0 && to[2] == 0);
  hn_encode_action(&h, 0, 0, true, to), hn_encode_action(&h, 0, 0, false, to);
  g_assert_true(to[0] == 1);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/encode/action", test_action);
  return g_test_run();
}

/* mnw_mutation.c - built from the kit's sources with one formula wrong (HN_MNW_MUTATION), to prove
 * that the golden comparison sees it, and sees it only where the formula is used. */
#include "mnw_golden.h"

static void test_mutation_is_noticed(void) {
  Report r = golden_compare();
  g_test_message("%d of %d differ: %s", r.wrong, r.compared, r.fields->str);
  g_assert_cmpint(r.compared, ==, 505);
  g_assert_cmpint(r.wrong, >=, 14);
  g_assert_nonnull(strstr(r.fields->str, "generic.log_marginal("));
  g_assert_nonnull(strstr(r.fields->str, "tanh_reward_like.log_marginal("));
  g_assert_null(strstr(r.fields->str, ".M("));
  g_assert_null(strstr(r.fields->str, ".Psi("));
  g_string_free(r.fields, TRUE);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/mnw-mutation/is-noticed", test_mutation_is_noticed);
  return g_test_run();
}

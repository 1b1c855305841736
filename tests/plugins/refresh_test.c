/* refresh_test.c - unfinished trials are inferred again after an update with what was drawn when
 * they were acted: while weights stay, row memory stays to the bit, draws among it. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include "learn.h"
#include "rollout.h"
#include <string.h>

extern const HnPlugin pearl_LTX_hn_plugin, sdvt_LTX_hn_plugin;

/* Trials last 14 steps and windows 10, so that most rows are amid a trial, some amid an episode. */
static void refresh(gconstpointer plugin) {
  HnCell c = cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(plugin, ""),
                           part_of(&toy_policy_LTX_hn_plugin, ""));
  c.run.samples = 2;
  GError *error = NULL;
  HnSession *s = hn_session_new(&c, NULL, &error);
  g_assert_no_error(error);
  const gsize row = s->shape.belief_row;
  int amid = 0;
  for (int n = 0; n < 5; n++) {
    g_assert_cmpint(hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases), ==, HN_OK);
    g_autofree char *before = g_memdup2(s->rollouts.belief, (gsize)s->rollouts.rows * row);
    g_assert_cmpint(hn_learn_refresh(s), ==, HN_OK);
    for (int64_t i = 0; i < s->rollouts.rows; i++) {
      const uint8_t *begin = hn_experience_at(&s->rollouts.tail, HN_F_BEGIN, 0, i);
      if (*begin == HN_NEW_TASK) continue; /* nothing to keep */
      g_assert_cmpmem(s->rollouts.belief + (gsize)i * row, row, before + (gsize)i * row, row);
      amid++;
    }
  }
  g_assert_cmpint(amid, >, 20);
  hn_session_free(s), cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/refresh/pearl", &pearl_LTX_hn_plugin, refresh);
  g_test_add_data_func("/refresh/sdvt", &sdvt_LTX_hn_plugin, refresh);
  return g_test_run();
}

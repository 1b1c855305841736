/* glibrl_run_test.c - GLiBRL in the real run loop: with every view the same bits for any number of
 * workers and after interruptions. */
#include "cell_fixture.h"

extern const HnPlugin glibrl_LTX_hn_plugin, point_robot_LTX_hn_plugin, ppo_LTX_hn_plugin;

static void test_views(void) {
  static const char *const view[] = {
      "compact",
      "full, belief_of: reward",
      "whitened, ema_decay: 0.9",
      "predictions, anchors: 6, updates_decay: 2",
  };
  for (guint k = 0; k < G_N_ELEMENTS(view); k++) {
    g_autofree char *settings = g_strdup_printf(
        "transition_features: 4, reward_features: 8, hidden_units: 8, updates: 2, batch: 3, "
        "start: 4, buffer: 50, view: %s",
        view[k]);
    HnCell c = cell_of_parts(part_of(&point_robot_LTX_hn_plugin, "horizon: 7"),
                             part_of(&glibrl_LTX_hn_plugin, settings),
                             part_of(&ppo_LTX_hn_plugin, "n_epochs: 1, n_minibatches: 2"));
    assert_same_bits(&c);
    cell_clear(&c);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/glibrl-run/views", test_views);
  return g_test_run();
}

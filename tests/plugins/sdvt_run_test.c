/* sdvt_run_test.c - SDVT and what it is compared with in the real run loop on the gridworld: the
 * same bits for any number of workers and after an interruption, with virtual iterations among them
 * and windows that cut trials; and that virtual rewards reach the policy. */
#include "gridworld_trace.h"

extern const HnPlugin sdvt_LTX_hn_plugin;

#define NETS                                                                               \
  "latent: 3, hidden: 16, obs_embed: 4, act_embed: 4, reward_embed: 4, batch: 5, "         \
  "elbo_terms: 6, decoded_steps: 7, reward_layers: 8 8, state_layers: 8, head_layers: 8, " \
  "dispersion_layers: 8, truncate: 20, start: 0, updates: 2, virtual_growth: 0, "          \
  "reward_weight: 1, state_weight: 1"
#define SMALL NETS ", subtasks: 3"
#define LDM   NETS ", subtasks: 1, virtual_source: latents"

static Run run_of(const char *settings, int64_t workers, int64_t steps, int64_t stop_after) {
  return (Run){&sdvt_LTX_hn_plugin, settings, workers, steps, stop_after};
}

/* Whole trials, and windows of 25 steps that cut trials of 30. */
static void test_workers_and_resume(void) {
  static const char *all[] = {SMALL ", virtual_probability: 0.5", LDM ", virtual_probability: 0.5",
                              SMALL ", dispersion_weight: 0"};
  for (guint k = 0; k < G_N_ELEMENTS(all); k++)
    for (int64_t steps = 25; steps <= 30; steps += 5) {
      assert_same(run_of(all[k], 1, steps, 0), run_of(all[k], 2, steps, 0));
      assert_same(run_of(all[k], 1, steps, 0), run_of(all[k], 2, steps, 5));
    }
}

/* A run's trace, and how many of its iterations were virtual. */
static GBytes *count_virtual(const char *settings, double *count) {
  const Run run = run_of(settings, 1, 30, 0);
  double *is_virtual;
  GBytes *trace = trace_of(&run, "inference.virtual", &is_virtual);
  *count = 0;
  for (int k = 0; k < UPDATES && !isnan(is_virtual[k]); k++) *count += is_virtual[k];
  g_free(is_virtual);
  return trace;
}

/* With a chance of 1 all but the first iteration are virtual, and the policy learns otherwise. */
static void test_virtual(void) {
  static const char *real = SMALL ", virtual_probability: 1e-300",
                    *all = SMALL ", virtual_probability: 1";
  double without, with;
  GBytes *x = count_virtual(real, &without), *y = count_virtual(all, &with);
  g_assert_cmpfloat(without, ==, 0);
  g_assert_cmpfloat(with, ==, UPDATES - 1);
  g_assert_false(g_bytes_equal(x, y));
  g_bytes_unref(x), g_bytes_unref(y);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sdvt_run/workers_and_resume", test_workers_and_resume);
  g_test_add_func("/sdvt_run/virtual", test_virtual);
  return g_test_run();
}

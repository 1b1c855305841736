/* varibad_run_test.c - VariBAD and its variants in the real run loop on the gridworld: the same
 * bits for any number of workers and after an interruption, windows that cut lives, and gradients
 * that reach the encoder where they should and nowhere else. */
#include "gridworld_trace.h"
#include "run_dir.h"
#include "safetensors.h"

extern const HnPlugin varibad_LTX_hn_plugin, varibad_joint_LTX_hn_plugin,
    varibad_task_LTX_hn_plugin;

#define SMALL                                                                      \
  "latent: 3, hidden: 16, obs_embed: 4, act_embed: 4, reward_embed: 4, batch: 5, " \
  "elbo_terms: 6, decoded_steps: 7, reward_layers: 8 8, truncate: 20, start: 0, updates: 2"

/* Whole trials, and windows of 25 steps that cut lives of 30. */
static void test_workers_and_resume(void) {
  const HnPlugin *all[] = {&varibad_LTX_hn_plugin, &varibad_joint_LTX_hn_plugin,
                           &varibad_task_LTX_hn_plugin};
  for (guint k = 0; k < G_N_ELEMENTS(all); k++)
    for (int64_t steps = 25; steps <= 30; steps += 5) {
      const char *settings = k == 2 ? SMALL ", task_layers: 8" : SMALL;
      assert_same((Run){all[k], settings, 1, steps, 0}, (Run){all[k], settings, 2, steps, 0});
      assert_same((Run){all[k], settings, 1, steps, 0}, (Run){all[k], settings, 2, steps, 5});
    }
}

/* With nothing to decode and no prior, VariBAD's encoder rests while PPO learns; the joint one's
 * moves. */
static void test_isolation(void) {
  const HnPlugin *plugin = &varibad_LTX_hn_plugin;
  const HnInference *methods = plugin->methods;
  g_assert_false(HN_CAN(methods, forward) || HN_CAN(methods, backward) || HN_CAN(methods, step));
  methods = varibad_joint_LTX_hn_plugin.methods;
  g_assert_true(HN_CAN(methods, forward) && HN_CAN(methods, backward) && HN_CAN(methods, step));
  /* the encoder's learning rate matters to the joint variant alone */
  const char *slow = SMALL ", reward_weight: 0, kl_weight: 0, lr: 0",
             *fast = SMALL ", reward_weight: 0, kl_weight: 0, lr: 0.1";
  assert_same((Run){plugin, slow, 1, 30, 0}, (Run){plugin, fast, 1, 30, 0});
  plugin = &varibad_joint_LTX_hn_plugin;
  GBytes *x = trace_of(&(Run){plugin, slow, 1, 30, 0}, NULL, NULL),
         *y = trace_of(&(Run){plugin, fast, 1, 30, 0}, NULL, NULL);
  g_assert_cmpint(memcmp(g_bytes_get_data(x, NULL), g_bytes_get_data(y, NULL), HN_DIGEST_BYTES), !=,
                  0);
  g_bytes_unref(x), g_bytes_unref(y);
}

/* The largest first moment of Adam that the weights of the encoder have after a run. */
static double moment_after(const Run *r) {
  HnCell c = cell_of(r);
  char *dir = folder_new();
  GError *error = NULL;
  stop = 0;
  hn_run_cell(&c, dir, &stop, NULL, NULL, &error);
  g_assert_no_error(error);
  GPtrArray *paths = hn_run_checkpoints(dir, &error);
  g_assert_no_error(error);
  HnStoredTensors *t = hn_stored_tensors_open(paths->pdata[paths->len - 1], &error);
  g_assert_no_error(error);
  double most = 0;
  int found = 0;
  for (guint k = 0; k < t->all->len; k++) {
    const HnStoredTensor *x = t->all->pdata[k];
    if (!g_str_has_prefix(x->name, "inference/encoder.") || !g_str_has_suffix(x->name, ".m1"))
      continue;
    for (gsize j = 0; j < x->bytes / sizeof(float); j++)
      most = fmax(most, fabs((double)((const float *)(const void *)x->data)[j]));
    found++;
  }
  g_assert_cmpint(found, >, 5);
  hn_stored_tensors_free(t), g_ptr_array_unref(paths), folder_free(dir), cell_clear(&c);
  return most;
}

/* Where nothing else has one, the gradient of the encoder's weights is PPO's: 0 for VariBAD. */
static void test_gradient(void) {
  const char *settings = SMALL ", reward_weight: 0, kl_weight: 0";
  const Run apart = {&varibad_LTX_hn_plugin, settings, 1, 30, 0};
  const Run joint = {&varibad_joint_LTX_hn_plugin, settings, 1, 30, 0};
  g_assert_cmpfloat(moment_after(&apart), ==, 0);
  g_assert_cmpfloat(moment_after(&joint), >, 1e-4);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/varibad_run/workers_and_resume", test_workers_and_resume);
  g_test_add_func("/varibad_run/isolation", test_isolation);
  g_test_add_func("/varibad_run/gradient", test_gradient);
  return g_test_run();
}

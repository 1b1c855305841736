/* varibad_run_test.c - VariBAD and its variants in the real run loop on the gridworld: the same
 * bits for any number of workers and after an interruption, windows that cut lives, and gradients
 * that reach the encoder where they should and nowhere else. */
#include "cell.h"
#include "cell_fixture.h"
#include "error.h"
#include <string.h>

extern const HnPlugin gridworld_LTX_hn_plugin, ppo_LTX_hn_plugin, varibad_LTX_hn_plugin,
    varibad_joint_LTX_hn_plugin, varibad_task_LTX_hn_plugin;

#define SMALL                                                                      \
  "latent: 3, hidden: 16, obs_embed: 4, act_embed: 4, reward_embed: 4, batch: 5, " \
  "elbo_terms: 6, decoded_steps: 7, reward_layers: 8 8, truncate: 20, start: 0, updates: 2"

typedef struct Run {
  const HnPlugin *inference;
  const char *settings;
  int64_t workers, steps, stop_after; /* updates; 0: never */
} Run;

static volatile int stop;
static int64_t left;
static void count_down(void *arg, int64_t frames, int64_t frames_total) {
  (void)arg, (void)frames, (void)frames_total;
  stop = --left == 0;
}

/* Weights' hashes of all 12 updates. */
static GBytes *trace_of(const Run *r) {
  HnCell c = {.study = "varibad",
              .arm = "only",
              .seed = 4321,
              .env = part_of(&gridworld_LTX_hn_plugin, ""),
              .inference = part_of(r->inference, r->settings),
              .policy = part_of(&ppo_LTX_hn_plugin, "n_epochs: 1, n_minibatches: 2"),
              .run = {.frames = 12 * 10 * r->steps,
                      .rows = 10,
                      .steps = r->steps,
                      .episodes = 2,
                      .workers = r->workers,
                      .trace_every = 1},
              .evaluation = {.tasks = 3, .split = "", .greedy = true}};
  GError *error = NULL;
  char *dir = g_dir_make_tmp("hunch-varibad-XXXXXX", &error), *text;
  gsize length;
  stop = 0, left = r->stop_after;
  hn_run_cell(&c, dir, &stop, r->stop_after ? count_down : NULL, NULL, &error);
  if (r->stop_after) {
    g_assert_error(error, HN_ERROR, HN_ERROR_INTERRUPTED);
    g_clear_error(&error);
    stop = 0;
    hn_run_cell(&c, dir, &stop, NULL, NULL, &error);
  }
  g_assert_no_error(error);
  char *path = g_build_filename(dir, "trace.bin", NULL);
  g_assert_true(g_file_get_contents(path, &text, &length, NULL));
  g_assert_cmpint(length, ==, 12 * 32);
  g_free(path), folder_free(dir), cell_clear(&c);
  return g_bytes_new_take(text, length);
}

static void assert_same(Run a, Run b) {
  GBytes *x = trace_of(&a), *y = trace_of(&b);
  g_assert_true(g_bytes_equal(x, y));
  g_bytes_unref(x), g_bytes_unref(y);
}

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
  GBytes *x = trace_of(&(Run){plugin, slow, 1, 30, 0}),
         *y = trace_of(&(Run){plugin, fast, 1, 30, 0});
  g_assert_cmpint(memcmp(g_bytes_get_data(x, NULL), g_bytes_get_data(y, NULL), 32), !=, 0);
  g_bytes_unref(x), g_bytes_unref(y);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/varibad_run/workers_and_resume", test_workers_and_resume);
  g_test_add_func("/varibad_run/isolation", test_isolation);
  return g_test_run();
}

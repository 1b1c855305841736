/* sdvt_run_test.c - SDVT and what it is compared with in the real run loop on the gridworld: the
 * same bits for any number of workers and after an interruption, with virtual iterations among them
 * and windows that cut trials; and that virtual rewards reach the policy. */
#include "cell.h"
#include "cell_fixture.h"
#include "error.h"
#include <string.h>

extern const HnPlugin gridworld_LTX_hn_plugin, ppo_LTX_hn_plugin, sdvt_LTX_hn_plugin;

#define NETS                                                                               \
  "latent: 3, hidden: 16, obs_embed: 4, act_embed: 4, reward_embed: 4, batch: 5, "         \
  "elbo_terms: 6, decoded_steps: 7, reward_layers: 8 8, state_layers: 8, head_layers: 8, " \
  "dispersion_layers: 8, truncate: 20, start: 0, updates: 2, virtual_growth: 0, "          \
  "reward_weight: 1, state_weight: 1"
#define SMALL NETS ", subtasks: 3"
#define LDM   NETS ", subtasks: 1, virtual_source: latents"

enum { UPDATES = 12 };

typedef struct Run {
  const char *settings;
  int64_t workers, steps, stop_after; /* updates; 0: never */
} Run;

static volatile int stop;
static int64_t left;
static void count_down(void *arg, int64_t frames, int64_t frames_total) {
  (void)arg, (void)frames, (void)frames_total;
  stop = --left == 0;
}

/* Weights' hashes of all updates and, if asked, the text of metrics.csv. */
static GBytes *trace_of(const Run *r, char **metrics) {
  HnCell c = {.study = "sdvt",
              .arm = "only",
              .seed = 4321,
              .env = part_of(&gridworld_LTX_hn_plugin, ""),
              .inference = part_of(&sdvt_LTX_hn_plugin, r->settings),
              .policy = part_of(&ppo_LTX_hn_plugin, "n_epochs: 1, n_minibatches: 2"),
              .run = {.frames = UPDATES * 10 * r->steps,
                      .rows = 10,
                      .steps = r->steps,
                      .episodes = 2,
                      .workers = r->workers,
                      .trace_every = 1},
              .evaluation = {.tasks = 3, .split = "", .greedy = true}};
  GError *error = NULL;
  char *dir = g_dir_make_tmp("hunch-sdvt-XXXXXX", &error), *text;
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
  g_assert_cmpint(length, ==, UPDATES * 32);
  g_free(path), path = g_build_filename(dir, "metrics.csv", NULL);
  if (metrics) g_assert_true(g_file_get_contents(path, metrics, NULL, NULL));
  g_free(path), folder_free(dir), cell_clear(&c);
  return g_bytes_new_take(text, length);
}

static bool same(Run a, Run b) {
  GBytes *x = trace_of(&a, NULL), *y = trace_of(&b, NULL);
  bool equal = g_bytes_equal(x, y);
  g_bytes_unref(x), g_bytes_unref(y);
  return equal;
}

/* Whole trials, and windows of 25 steps that cut trials of 30. */
static void test_workers_and_resume(void) {
  static const char *all[] = {SMALL ", virtual_probability: 0.5", LDM ", virtual_probability: 0.5",
                              SMALL ", dispersion_weight: 0"};
  for (guint k = 0; k < G_N_ELEMENTS(all); k++)
    for (int64_t steps = 25; steps <= 30; steps += 5) {
      g_assert_true(same((Run){all[k], 1, steps, 0}, (Run){all[k], 2, steps, 0}));
      g_assert_true(same((Run){all[k], 1, steps, 0}, (Run){all[k], 2, steps, 5}));
    }
}

/* The sum of a column of metrics.csv. */
static double column_sum(const char *text, const char *name) {
  char **lines = g_strsplit(text, "\n", -1), **head = g_strsplit(lines[0], ",", -1);
  guint at = 0;
  double sum = 0;
  while (head[at] && !g_str_has_suffix(head[at], name)) at++;
  g_assert_nonnull(head[at]);
  for (guint k = 1; lines[k] && *lines[k]; k++) {
    char **cell = g_strsplit(lines[k], ",", -1);
    sum += g_ascii_strtod(cell[at], NULL);
    g_strfreev(cell);
  }
  g_strfreev(head), g_strfreev(lines);
  return sum;
}

/* With a chance of 1 all but the first iteration are virtual, and the policy learns otherwise. */
static void test_virtual(void) {
  static const char *real = SMALL ", virtual_probability: 1e-300",
                    *all = SMALL ", virtual_probability: 1";
  char *without, *with;
  GBytes *x = trace_of(&(Run){real, 1, 30, 0}, &without),
         *y = trace_of(&(Run){all, 1, 30, 0}, &with);
  g_assert_cmpfloat(column_sum(without, ".virtual"), ==, 0);
  g_assert_cmpfloat(column_sum(with, ".virtual"), ==, UPDATES - 1);
  g_assert_false(g_bytes_equal(x, y));
  g_bytes_unref(x), g_bytes_unref(y), g_free(without), g_free(with);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sdvt_run/workers_and_resume", test_workers_and_resume);
  g_test_add_func("/sdvt_run/virtual", test_virtual);
  return g_test_run();
}

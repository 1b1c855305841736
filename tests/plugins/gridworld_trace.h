/* gridworld_trace.h - weights' hashes of an inference plugin that learns on the gridworld beside
 * PPO in the real run loop, with any number of workers, interrupted and resumed or not. */
#ifndef HN_TESTS_GRIDWORLD_TRACE_H
#define HN_TESTS_GRIDWORLD_TRACE_H
#include "cell.h"
#include "cell_fixture.h"
#include "digest.h"
#include "error.h"
#include <string.h>

extern const HnPlugin gridworld_LTX_hn_plugin, ppo_LTX_hn_plugin;

enum { UPDATES = 12 };

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

static HnCell cell_of(const Run *r) {
  return (HnCell){.study = "trace",
                  .arm = "only",
                  .seed = 4321,
                  .env = part_of(&gridworld_LTX_hn_plugin, ""),
                  .inference = part_of(r->inference, r->settings),
                  .policy = part_of(&ppo_LTX_hn_plugin, "n_epochs: 1, n_minibatches: 2"),
                  .run = {.frames = UPDATES * 10 * r->steps,
                          .rows = 10,
                          .steps = r->steps,
                          .episodes = 2,
                          .workers = r->workers,
                          .trace_every = 1},
                  .evaluation = {.tasks = 3, .split = "", .greedy = true}};
}

/* Of all updates; and, if asked, a column of metrics.csv, as metrics_column has it. */
static GBytes *trace_of(const Run *r, const char *name, double **column) {
  HnCell c = cell_of(r);
  GError *error = NULL;
  char *dir = folder_new();
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
  char *text = file_in(dir, "trace.bin", &length);
  g_assert_cmpint(length, ==, UPDATES * HN_DIGEST_BYTES);
  if (name) *column = metrics_column(dir, name);
  folder_free(dir), cell_clear(&c);
  return g_bytes_new_take(text, length);
}

static void assert_same(Run a, Run b) {
  GBytes *x = trace_of(&a, NULL, NULL), *y = trace_of(&b, NULL, NULL);
  g_assert_true(g_bytes_equal(x, y));
  g_bytes_unref(x), g_bytes_unref(y);
}
#endif

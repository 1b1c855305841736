/* Soft actor-critic in the real run loop, over PEARL: the critics' loss reaches the encoder through
 * contexts drawn from the replay, unless gradients stop at the belief, with the same bits for any
 * number of workers. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include <string.h>

extern const HnPlugin sac_LTX_hn_plugin, pearl_LTX_hn_plugin;

typedef struct Result {
  double *updates, *norm; /* by iteration, where there is one */
  int count;
  char *trace;
  gsize length;
} Result;

static Result run(const char *more, int64_t workers, int64_t samples, bool stop) {
  char *settings = g_strdup_printf("hidden: '8', learning_starts: 200, updates_per_step: 0.1, "
                                   "context_trials: 4, %s",
                                   more);
  HnCell c = cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""),
                           part_of(&pearl_LTX_hn_plugin, "hidden: '8', latent: 2"),
                           part_of(&sac_LTX_hn_plugin, settings));
  c.run.workers = workers, c.run.samples = samples, c.run.stop_gradient = stop;
  char *dir = folder_new();
  run_whole(&c, dir);
  Result r = {.updates = metrics_column(dir, "policy.updates"),
              .norm = metrics_column(dir, "inference.grad_norm")};
  while (!isnan(r.updates[r.count])) r.count++;
  r.trace = file_in(dir, "trace.bin", &r.length);
  folder_free(dir), cell_clear(&c), g_free(settings);
  return r;
}

static void result_free(Result *r) {
  g_free(r->updates), g_free(r->norm), g_free(r->trace);
}

static void test_trains_encoder(gconstpointer settings) {
  Result one = run(settings, 1, 1, false), two = run(settings, 2, 1, false);
  Result stopped = run(settings, 1, 1, true), shared = run(settings, 3, 1, true);
  int last = one.count - 1;
  g_assert_cmpint(one.count, ==, 10);
  g_assert_cmpfloat(one.updates[0], ==, 0);
  g_assert_cmpfloat(one.updates[last], >, 0);
  for (int k = 0; k < last; k++) g_assert_cmpfloat(one.norm[k], >, 0);
  g_assert_true(isnan(one.norm[last])); /* none before the first update */
  g_assert_true(isnan(stopped.norm[0]));
  g_assert_cmpmem(one.trace, one.length, two.trace, two.length);
  g_assert_cmpmem(stopped.trace, stopped.length, shared.trace, shared.length);
  result_free(&one), result_free(&two), result_free(&stopped), result_free(&shared);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/sac_run/subset",
                       "replay_belief: subset, context_steps: 5, batch_size: 300",
                       test_trains_encoder);
  g_test_add_data_func("/sac_run/prefix", "replay_belief: prefix, batch_size: 90",
                       test_trains_encoder);
  return g_test_run();
}

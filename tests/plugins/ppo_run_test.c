/* PPO in the real run loop, over an inference that is trained through it: the batch's gathered
 * rows and recomputed beliefs are what was acted on, to the bit, also in windows that begin
 * mid-life. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include <string.h>

extern const HnPlugin ppo_LTX_hn_plugin;

typedef struct Result {
  double *value[3]; /* by update: approx_kl, grad_norm, loss */
  int count;
  char *trace;
  gsize length;
} Result;

static Result run(const char *settings, int64_t workers, int64_t samples, bool stop) {
  const char *columns[] = {"policy.approx_kl", "policy.grad_norm", "policy.loss"};
  HnCell c =
      cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(&toy_memory_LTX_hn_plugin, ""),
                    part_of(&ppo_LTX_hn_plugin, settings));
  c.run.workers = workers, c.run.samples = samples, c.run.stop_gradient = stop;
  char *dir = folder_new();
  run_whole(&c, dir);
  Result r = {.count = 0};
  for (int k = 0; k < 3; k++) r.value[k] = metrics_column(dir, columns[k]);
  while (!isnan(r.value[0][r.count])) r.count++;
  r.trace = file_in(dir, "trace.bin", &r.length);
  folder_free(dir), cell_clear(&c);
  return r;
}

static void result_free(Result *r) {
  for (int k = 0; k < 3; k++) g_free(r->value[k]);
  g_free(r->trace);
}

/* One step per update is a step from ratios of 1, in every update: trials last 14 steps,
 * windows 10.  Posterior samples are those acted on, drawn again.  What the gradient meets is not
 * nothing, and the inference's part of its norm comes on top. */
static void test_starts_at_one(gconstpointer samples) {
  const char *one = "n_epochs: 1, n_minibatches: 1, lr: 0.01, max_grad_norm: 0, head_gain: 1";
  const int64_t S = GPOINTER_TO_INT(samples);
  Result through = run(one, 1, S, false), stopped = run(one, 1, S, true);
  g_assert_cmpint(through.count, ==, 10);
  for (int k = 0; k < through.count; k++) {
    g_assert_cmpfloat(through.value[0][k], ==, 0);
    g_assert_cmpfloat(stopped.value[0][k], ==, 0);
    g_assert_cmpfloat(through.value[1][k], >, 0);
  }
  g_assert_cmpfloat_with_epsilon(through.value[2][0], stopped.value[2][0], 1e-6);
  g_assert_cmpfloat(through.value[1][0], >, stopped.value[1][0]);
  result_free(&through), result_free(&stopped);
}

/* Several passes in minibatches of sequences, and of samples: the same weights after every update,
 * whatever the number of workers. */
static void test_workers(void) {
  for (int64_t samples = 0; samples <= 3; samples += 3) {
    const char *settings = "n_epochs: 2, n_minibatches: 4, lr: 0.01";
    Result one = run(settings, 1, samples, false), two = run(settings, 2, samples, false);
    g_assert_cmpmem(one.trace, one.length, two.trace, two.length);
    g_assert_cmpfloat(one.value[0][9], >, 0);
    result_free(&one), result_free(&two);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_data_func("/ppo_run/starts_at_one", GINT_TO_POINTER(0), test_starts_at_one);
  g_test_add_data_func("/ppo_run/starts_at_one/samples", GINT_TO_POINTER(3), test_starts_at_one);
  g_test_add_func("/ppo_run/workers", test_workers);
  return g_test_run();
}

/* cplusplus_test.c - a plugin written in C++ (mean_reward.cc) is loaded, keeps the laws of its
 * kind, and takes part in a run. */
#include "cell_fixture.h"
#include "check.h"
#include "fake_host.h"
#include "fakes/toy.h"
#include "stand_in.h"
#include <hunch/kit/base.h>

static const HnPlugin *plugin;

static void test_descriptor(void) {
  g_assert_cmpint(plugin->kind, ==, HN_KIND_INFERENCE);
  g_assert_cmpstr(plugin->summary, ==, "Squashed mean of the trial's rewards.");
  g_assert_cmphex(plugin->kit_layout, ==, HN_KIT_LAYOUT);
  g_assert_cmpuint(plugin->param_count, ==, 1);
  g_assert_cmpstr(plugin->params[0].name, ==, "gain");
  g_assert_cmpfloat(plugin->params[0].high, ==, 100);
  g_assert_cmpstr(plugin->info[0].name, ==, "steps");
  const HnInference *methods = plugin->methods;
  g_assert_true(HN_CAN(methods, infer) && !HN_CAN(methods, forward));
}

/* Two tasks in one row: rewards 1 and 0.5, then 2. */
static void test_beliefs(void) {
  const HnInference *methods = plugin->methods;
  const double gain = 0.75;
  float reward[] = {0, 1, 0.5f, 9, 2}; /* from step -1 */
  const uint8_t begin[] = {HN_NEW_TASK, HN_KEEP, HN_NEW_EPISODE, HN_NEW_TASK, HN_KEEP};
  const double mean[] = {0, 1, 0.75, 0, 2}, steps[] = {0, 1, 2, 0, 1};
  float belief[5], info[5];
  FakeHost *fake = g_new(FakeHost, 1);
  void *self = g_malloc0(plugin->self_size);
  HnBeliefSpec spec = {.struct_size = sizeof spec, .rows = 1, .steps = 4};
  g_assert_cmpint(methods->create(self, fake_host_open(fake), &gain, &spec), ==, HN_OK);
  const FakeArray *weight = fake_host_find(fake, "gain");
  g_assert_true(weight->spec.rank == 1 && weight->spec.dim[0] == 1 && !weight->grad);
  const HnHistory h = {.struct_size = sizeof h,
                       .steps = 4,
                       .rows = 1,
                       .stride = 1,
                       .begin = begin,
                       .reward = reward + 1};
  void *state = g_malloc0(spec.row_size);
  HnBeliefUpdate q = {
      .struct_size = sizeof q, .history = &h, .state = state, .belief = belief, .info = info};
  g_assert_cmpint(methods->infer(self, &q), ==, HN_OK);
  for (int t = 0; t < 5; t++) {
    g_assert_cmpfloat(fabs((double)belief[t] - tanh(gain * mean[t])), <, 1e-6);
    g_assert_cmpfloat((double)info[t], ==, steps[t]);
  }
  g_free(state), g_free(self), fake_host_close(fake), g_free(fake);
}

static void test_laws(void) {
  int kept = 0;
  for (const HnLaw *law = hn_check_laws(HN_KIND_INFERENCE); law->name; law++) {
    HnCell cell = hn_stand_in_cell(part_of(plugin, "gain: 2"), true);
    g_autoptr(GString) why = g_string_new(NULL);
    HnVerdict verdict = hn_check_judge(law, &cell, why);
    if (verdict == HN_LAW_BROKEN) g_test_fail_printf("%s: %s", law->name, why->str);
    kept += verdict == HN_LAW_KEPT;
    cell_clear(&cell);
  }
  g_assert_cmpint(kept, >=, 3);
}

static void test_run(void) {
  HnCell c = cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(plugin, ""),
                           part_of(&toy_policy_LTX_hn_plugin, ""));
  char *dir = folder_new();
  run_whole(&c, dir);
  g_autofree double *steps = metrics_column(dir, "eval.steps");
  g_assert_cmpfloat(steps[0], >, 0);
  folder_free(dir), cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_autoptr(GError) error = NULL;
  plugin = hn_plugins_load(CPLUSPLUS "/mean_reward.so", 0, &error);
  g_assert_no_error(error);
  g_test_add_func("/cplusplus/descriptor", test_descriptor);
  g_test_add_func("/cplusplus/beliefs", test_beliefs);
  g_test_add_func("/cplusplus/laws", test_laws);
  g_test_add_func("/cplusplus/run", test_run);
  return g_test_run();
}

/* check_test.c - the laws of core/check catch plugins that break them, and say how; and spare one
 * that breaks none. */
#include "cell_fixture.h"
#include "check.h"
#include "faulty.h"
#include "stand_in.h"

static const struct {
  const HnPlugin *plugin;
  const char *fault, *law, *says;
  bool discrete;
} faults[] = {
    {&faulty_env_LTX_hn_plugin, "rows_mix", "batches", "in calls of", false},
    {&faulty_env_LTX_hn_plugin, "unsaved", "batches", "row 0 of 7", false},
    {&faulty_env_LTX_hn_plugin, "keep_moves", "keep", "row memory of a row that is HN_KEEP", false},
    {&faulty_env_LTX_hn_plugin, "forgets_task", "tasks", "HN_NEW_EPISODE changed the task", false},
    {&faulty_env_LTX_hn_plugin, "own_task", "tasks", "of split 0", false},
    {&faulty_env_LTX_hn_plugin, "scratch", "threads", "two calls at once", false},
    {&faulty_env_LTX_hn_plugin, "silent", "outputs", "info[0] is not written", false},
    {&faulty_env_LTX_hn_plugin, "nan", "outputs", "reward[0] is not finite", false},
    {&faulty_env_LTX_hn_plugin, "unsaved", "resumes", "saved and resumed", false},
    {&faulty_inference_LTX_hn_plugin, "window_start", "window", "in two calls, cut after", false},
    {&faulty_inference_LTX_hn_plugin, "rows_mix", "window", "each row alone", false},
    {&faulty_inference_LTX_hn_plugin, "forward_differs", "window", "in forward", false},
    {&faulty_inference_LTX_hn_plugin, "old_task", "prior", "depends on the task before", false},
    {&faulty_inference_LTX_hn_plugin, "silent", "outputs", "belief[0] is not written", false},
    {&faulty_inference_LTX_hn_plugin, "unsaved", "resumes", "inference/w differs", false},
    {&faulty_inference_LTX_hn_plugin, "workers", "workers", "inference/w differs", false},
    {&faulty_inference_LTX_hn_plugin, "random", "repeats", "inference/w differs", false},
    {&faulty_policy_LTX_hn_plugin, "rows_mix", "batches", "action of row", false},
    {&faulty_policy_LTX_hn_plugin, "greedy_differs", "batches", "greedily", false},
    {&faulty_policy_LTX_hn_plugin, "silent", "outputs", "an action is not written", false},
    {&faulty_policy_LTX_hn_plugin, "not_finite", "outputs", "action 0 of row 0 is nan", false},
    {&faulty_policy_LTX_hn_plugin, "out_of_range", "outputs",
     "action_index of row 0 is 4, not 0 .. 3,", true},
    {&faulty_policy_LTX_hn_plugin, "unsaved", "resumes", "host/", false},
};

static HnVerdict judge(const HnPlugin *plugin, const char *fault, const HnLaw *law, bool discrete,
                       GString *why) {
  g_autofree char *setting = g_strdup_printf("fault: %s", fault);
  HnCell cell = hn_stand_in_cell(part_of(plugin, setting), discrete);
  HnVerdict verdict = hn_check_judge(law, &cell, why);
  cell_clear(&cell);
  return verdict;
}

static void test_faults(void) {
  for (guint k = 0; k < G_N_ELEMENTS(faults); k++) {
    const HnLaw *law = hn_check_laws(faults[k].plugin->kind);
    while (strcmp(law->name, faults[k].law) != 0) law++;
    g_autoptr(GString) why = g_string_new(NULL);
    HnVerdict verdict = judge(faults[k].plugin, faults[k].fault, law, faults[k].discrete, why);
    g_test_message("%s: %s", faults[k].fault, why->str);
    if (verdict != HN_LAW_BROKEN || !strstr(why->str, faults[k].says))
      g_test_fail_printf("%s is not caught by %s: %s", faults[k].fault, law->name, why->str);
  }
}

static void test_none(void) {
  static const HnPlugin *const plugins[] = {
      &faulty_env_LTX_hn_plugin, &faulty_inference_LTX_hn_plugin, &faulty_policy_LTX_hn_plugin};
  for (guint k = 0; k < G_N_ELEMENTS(plugins); k++)
    for (const HnLaw *law = hn_check_laws(plugins[k]->kind); law->name; law++)
      for (int discrete = 0; discrete < 2; discrete++) {
        g_autoptr(GString) why = g_string_new(NULL);
        g_assert_cmpint(judge(plugins[k], "none", law, discrete, why), ==, HN_LAW_KEPT);
        g_assert_cmpstr(why->str, ==, "");
      }
}

/* What cannot be judged is not broken: an environment whose episodes go on, a refused shape. */
static void test_skipped(void) {
  const HnLaw *law = hn_check_laws(HN_KIND_ENV);
  g_autoptr(GString) why = g_string_new(NULL);
  while (strcmp(law->name, "episodes") != 0) law++;
  g_assert_cmpint(judge(&faulty_env_LTX_hn_plugin, "goes_on", law, false, why), ==, HN_LAW_SKIPPED);
  g_assert_nonnull(strstr(why->str, "go on where the last one ended"));
  g_string_truncate(why, 0);
  g_assert_cmpint(judge(&faulty_policy_LTX_hn_plugin, "continuous_only",
                        hn_check_laws(HN_KIND_POLICY), true, why),
                  ==, HN_LAW_SKIPPED);
  g_assert_nonnull(strstr(why->str, "needs continuous actions"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/check/faults", test_faults);
  g_test_add_func("/check/none", test_none);
  g_test_add_func("/check/skipped", test_skipped);
  return g_test_run();
}

/* check_test.c - the laws of core/check catch plugins that break them, and say how; and spare one
 * that breaks none. */
#include "apart.h"
#include "cell_fixture.h"
#include "check.h"
#include "faulty.h"
#include "stand_in.h"
#include <stdio.h>

/* Which law catches a fault, and what it says. */
typedef struct Fault {
  const char *law, *fault, *says;
} Fault;

static const Fault env_faults[] = {
    {"batches", "rows_mix", "in calls of"},
    {"batches", "unsaved", "row 0 of 7"},
    {"batches", "slot", "from slot"},
    {"batches", "batch_size", "in calls of"},
    {"batches", "first_row", "in calls of"},
    {"keep", "keep_moves", "row memory of a row that is HN_KEEP"},
    {"keep", "keep_shows", "obs of a row that is HN_KEEP"},
    {"tasks", "forgets_task", "HN_NEW_EPISODE changed the task"},
    {"tasks", "own_task", "of split 0"},
    {"tasks", "numbers_none", "no task has a number"},
    {"tasks", "same_tasks", "are the same"},
    {"tasks", "stream_task", "differs between two instances"},
    {"threads", "scratch", "two calls at once"},
    {"outputs", "silent", "info[0] is not written"},
    {"outputs", "silent_obs", "obs[0] is not written"},
    {"outputs", "silent_reward", "reward[0] is not written"},
    {"outputs", "silent_task", "task[0] is not written"},
    {"outputs", "nan", "reward[0] is not finite"},
    {"outputs", "inf_obs", "obs[0] is not finite"},
    {"outputs", "bad_terminated", "terminated[0] is 2"},
    {"outputs", "bad_truncated", "truncated[0] is 255"},
    {"memory", "silent_obs", "step: leaves obs[0] unwritten"},
    {"memory", "silent_task", "reset: leaves task unwritten"},
    {"memory", "info_beyond", "goes beyond the end of info"},
    {"memory", "obs_beyond", "goes beyond the end of obs"},
    {"memory", "obs_before", "writes before the start of obs"},
    {"memory", "clips_action", "writes to action"},
    {"memory", "clears_begin", "writes to begin"},
    {"memory", "keeps_pointer", "after the call that it was lent for"},
    {"spec", "obs_negative", "obs_dim is -1"},
    {"spec", "obs_huge", "obs_dim is 1099511627776"},
    {"spec", "no_actions", "either continuous or discrete"},
    {"spec", "both_actions", "either continuous or discrete"},
    {"spec", "no_horizon", "horizon is 0"},
    {"spec", "split_twice", "two splits"},
    {"spec", "split_empty", "a split named ''"},
    {"spec", "tasks_negative", "-1"},
    {"spec", "bad_name", "1"},
    {"spec", "bad_seconds", "step_seconds is nan"},
    {"spec", "row_huge", "row_size"},
    {"query", "query_other", "but 200 steps with it show"},
    {"query", "query_order", "is answered otherwise than alone"},
    {"query", "query_noise", "on average, with standard deviation 0.06"},
    {"resumes", "unsaved", "saved and resumed"},
    {"survives", "looks_up_action", "env faulty_env, step: killed by signal 11"},
    {"survives", "rejects_action", "env faulty_env, step: killed by signal 6"},
    {"survives", "wraps_action", "took longer than"},
};

static const Fault inference_faults[] = {
    {"window", "window_start", "in two calls, cut after"},
    {"window", "rows_mix", "each row alone"},
    {"window", "forward_differs", "in forward"},
    {"window", "batch_size", "each row alone"},
    {"prior", "old_task", "depends on the task before"},
    {"causal", "looks_ahead", "depends on what comes after time step"},
    {"blind", "reads_task", "depends on the true task"},
    {"ignores", "learns_belief", "learn: w depends on the belief acted on"},
    {"weights", "reads_learner", "the belief depends on kept array kept, which is not HN_WEIGHT"},
    {"memory", "needs_task", "inference faulty_inference, infer: killed by signal 11"},
    {"outputs", "silent", "belief[0] is not written"},
    {"outputs", "not_finite", "inf"},
    {"memory", "silent_info", "leaves info[0] unwritten"},
    {"memory", "silent", "leaves belief[0] unwritten"},
    {"memory", "belief_beyond", "goes beyond the end of belief"},
    {"memory", "belief_before", "writes before the start of belief"},
    {"memory", "writes_history", "writes to history.obs"},
    {"memory", "keeps_pointer", "after the call that it was lent for"},
    {"memory", "writes_window", "writes to history.reward"},
    {"memory", "writes_d_belief", "writes to d_belief"},
    {"samples", "same_samples", "but the point belief is"},
    {"samples", "shifted_samples", "but the point belief is"},
    {"samples", "constant_samples", "with a variance"},
    {"predict", "scores_after", "but by predict the log-density"},
    {"predict", "predicts_wide", "but by predict the log-density"},
    {"gradients", "gradient_sign", "the gradient says"},
    {"gradients", "gradient_scale", "the gradient says"},
    {"gradients", "gradient_bends", "with weights three times the initial ones"},
    {"gradients", "gradient_missing", "along a direction across it of v"},
    {"gradients", "gradient_rows", "the gradient says"},
    {"gradients", "gradient_loss", "of the loss of its own"},
    {"gradients", "gradient_replaces", "does not add"},
    {"gradients", "forward_fails", "forward: faulty_inference: forward returned "},
    {"gradients", "norm2_root", "norm2 is"},
    {"gradients", "norm2_part", "norm2 is"},
    {"spec", "belief_negative", "belief_dim is -2"},
    {"spec", "latent_large", "latent_dim is 3"},
    {"spec", "row_huge", "row_size"},
    {"survives", "looks_up_reward", "killed by signal 11"},
    {"survives", "rejects_obs", "killed by signal 6"},
    {"resumes", "unsaved", "inference/w differs"},
    {"workers", "workers", "inference/w differs"},
    {"repeats", "random_sum", "inference/w differs"},
};

static const Fault policy_faults[] = {
    {"batches", "rows_mix", "action of row"},
    {"batches", "greedy_differs", "greedily"},
    {"batches", "one_stream", "row"},
    {"batches", "batch_size", "differs where it acts alone"},
    {"same", "greedy_counts", "differs where it acts again, greedily"},
    {"same", "kept_in_self", "differs where it acts again"},
    {"prior", "old_reward", "depends on the task before"},
    {"weights", "reads_learner", "the action depends on kept array kept, which is not HN_WEIGHT"},
    {"divergence", "kl_negative", "is -"},
    {"divergence", "kl_of_equals", "between equal beliefs is 0.01"},
    {"divergence", "kl_tenth", "but by the 4000 actions drawn"},
    {"divergence", "kl_rows_mix", "alone"},
    {"memory", "kl_beyond", "goes beyond the end of kl"},
    {"outputs", "silent", "an action is not written"},
    {"outputs", "not_finite", "action 0 of row 0 is nan"},
    {"outputs", "aux_nan", "aux of row 0 is nan"},
    {"metrics", "metric_nan", "metric updates is not finite"},
    {"outputs", "out_of_range", "action_index of row 0 is 4, not 0 .. 3,"},
    {"outputs", "negative_index", "action_index of row 0 is -3, not 0 .. 3,"},
    {"memory", "silent_aux", "leaves aux[0] unwritten"},
    {"memory", "silent_info", "leaves info[0] unwritten"},
    {"memory", "action_beyond", "goes beyond the end of action"},
    {"memory", "action_before", "writes before the start of action"},
    {"memory", "aux_beyond", "goes beyond the end of aux"},
    {"memory", "clips_obs", "writes to obs"},
    {"memory", "writes_belief", "writes to belief"},
    {"memory", "keeps_pointer", "after the call that it was lent for"},
    {"memory", "writes_window", "writes to history.reward"},
    {"spec", "aux_negative", "aux_dim is -1"},
    {"spec", "many_phases", "phases is 1000"},
    {"spec", "row_huge", "row_size"},
    {"outputs", "always_draws", "asked for the greedy action, with rng NULL"},
    {"survives", "looks_up_obs", "killed by signal 11"},
    {"survives", "rejects_obs", "killed by signal 6"},
    {"survives", "wraps_belief", "took longer than"},
    {"process", "learn_thread", "learn: leaves a thread running"},
    {"process", "learn_rounding", "learn: leaves floating-point control changed"},
    {"process", "learn_rand", "learn: draws from rand()"},
    {"resumes", "unsaved", "host/"},
};

/* Of plugins of every kind. */
static const Fault common_faults[] = {
    {"process", "thread", "leaves a thread running"},
    {"process", "child", "leaves a child process"},
    {"process", "orphan", "leaves a child process"},
    {"process", "file", "leaves a file open"},
    {"process", "closes", "closes a file"},
    {"process", "handler", "leaves a signal handler changed"},
    {"process", "blocks", "leaves signals blocked"},
    {"process", "umask", "leaves the umask changed"},
    {"process", "folder", "leaves the current folder changed"},
    {"process", "environment", "leaves environment variables changed"},
    {"process", "limits", "leaves limits of the process changed"},
    {"process", "rounding", "leaves floating-point control changed"},
    {"process", "denormals", "leaves floating-point control changed"},
    {"process", "rand", "draws from rand()"},
    {"process", "random", "draws from rand() or random()"},
    {"process", "drand48", "draws from drand48()"},
    {"repeats", "clock", "run again later"},
    {"repeats", "reads_environment", "in another environment"},
    {"repeats", "reads_locale", "in another environment"},
    {"repeats", "uninitialised", "run again later"},
    {"repeats", "address", "run again later"},
    {"memory", "crashes", "killed by signal 11"},
    {"memory", "exits", "ended by exit(0)"},
    {"memory", "aborts", "killed by signal 6"},
    {"memory", "loops", "took longer than"},
    {"memory", "hogs", "took more than 0.5 GB of memory"},
    {"memory", "asks_too_much", "this machine has"},
    {"memory", "late_allocation", "alloc is allowed only in create"},
    {"memory", "stack", "killed by signal 11"},
    {"memory", "writes_params", "writes to params"},
    {"self", "self", "writes to the instance"},
    {"self", "allocated", "writes to the instance"},
    {"leaks", "leaks", "memory grows each time, by"},
    {"plain", "row_address", "of a row's memory is an address"},
    {"plain", "kept_address", "of kept array kept is an address"},
    {"resumes", "statics", "saved and resumed"},
};

/* Those that only discrete actions can have. */
static const char *const discrete_faults[] = {"out_of_range", "negative_index", NULL};

static HnVerdict judge(const HnPlugin *plugin, const char *fault, const HnLaw *law, bool discrete,
                       GString *why) {
  g_autofree char *setting = g_strdup_printf("fault: %s", fault);
  HnCell cell = hn_stand_in_cell(part_of(plugin, setting), discrete);
  HnVerdict verdict = hn_check_judge(law, &cell, why);
  cell_clear(&cell);
  return verdict;
}

static const HnLaw *law_of(HnKind kind, const char *name) {
  const HnLaw *law = hn_check_laws(kind);
  while (law->name && strcmp(law->name, name) != 0) law++;
  if (!law->name) g_error("no law %s", name);
  return law;
}

/* Whether the right law catches it, for the right reason. */
static bool is_caught(const HnPlugin *plugin, const Fault *f) {
  const HnLaw *law = law_of(plugin->kind, f->law);
  g_autoptr(GString) why = g_string_new(NULL);
  const bool discrete = g_strv_contains(discrete_faults, f->fault);
  hn_check_lets_time_pass = strcmp(f->fault, "clock") == 0;
  HnVerdict verdict = judge(plugin, f->fault, law, discrete, why);
  g_test_message("%s: %s", f->fault, why->str);
  if (verdict == HN_LAW_BROKEN && strstr(why->str, f->says)) return true;
  g_test_message("%s of %s is not caught by %s: %s", f->fault, plugin->name, f->law, why->str);
  return false;
}

/* A policy that reads its belief, and says that it does not. */
static void test_ignores(void) {
  static const Fault faults[] = {{"ignores", "none", "act: action of row 0 depends on the belief"},
                                 {"ignores", "learns_belief", "learn: kept depends on the belief"}};
  HnPlugin liar = faulty_policy_LTX_hn_plugin;
  liar.flags |= HN_IGNORES_BELIEF;
  for (guint k = 0; k < G_N_ELEMENTS(faults); k++) g_assert_true(is_caught(&liar, &faults[k]));
}

typedef struct Table {
  const HnPlugin *plugin;
  const Fault *fault;
  guint count;
} Table;

static void test_faults(gconstpointer data) {
  const Table *t = data;
  guint missed = 0;
  for (guint k = 0; k < t->count; k++) missed += !is_caught(t->plugin, &t->fault[k]);
  if (missed) g_test_fail();
}

/* A column that the host has: no loader would take it, but a plugin can be linked in. */
static void test_column(void) {
  static const Fault fault = {"spec", "none", "is the name of a column of the host"};
  g_assert_true(is_caught(&faulty_column_LTX_hn_plugin, &fault));
}

static void test_none(void) {
  hn_check_lets_time_pass = false;
  static const HnPlugin *const plugins[] = {
      &faulty_env_LTX_hn_plugin, &faulty_inference_LTX_hn_plugin, &faulty_policy_LTX_hn_plugin};
  for (guint k = 0; k < G_N_ELEMENTS(plugins); k++)
    for (const HnLaw *law = hn_check_laws(plugins[k]->kind); law->name; law++)
      for (int discrete = 0; discrete < 2; discrete++) {
        g_autoptr(GString) why = g_string_new(NULL);
        const HnVerdict verdict = judge(plugins[k], "none", law, discrete, why);
        const bool none = !strcmp(law->name, "loads") ||
                          (discrete && !strcmp(law->name, "predict")) ||
                          (!strcmp(law->name, "metrics") && plugins[k]->kind != HN_KIND_POLICY) ||
                          (!strcmp(law->name, "ignores") && plugins[k]->kind == HN_KIND_POLICY);
        if (verdict != (none ? HN_LAW_SKIPPED : HN_LAW_KEPT))
          g_test_fail_printf("%s breaks %s: %s", plugins[k]->name, law->name, why->str);
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
                        law_of(HN_KIND_POLICY, "outputs"), true, why),
                  ==, HN_LAW_SKIPPED);
  g_assert_nonnull(strstr(why->str, "needs continuous actions"));
}

/* What a constructor leaves; NULL: nothing. */
static void test_loads(void) {
  static const struct {
    const char *name, *says;
  } cases[] = {{"starts_thread", "loading: leaves a thread running"},
               {"starts_child", "loading: leaves a child process"},
               {"opens_file", "loading: leaves a file open"},
               {"handles_signal", "loading: leaves a signal handler changed"},
               {"changes_rounding", "loading: leaves floating-point control changed"},
               {"does_nothing", NULL}};
  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_autofree char *file = g_strdup_printf(ACTING "/%s.so", cases[k].name);
    g_autofree char *line = g_strdup_printf(HUNCH " check %s --only loads", file), *out = NULL;
    int status = -1;
    g_assert_true(g_spawn_command_line_sync(line, &out, NULL, &status, NULL));
    g_assert_cmpint(g_spawn_check_wait_status(status, NULL), ==, cases[k].says == NULL);
    if (!strstr(out, cases[k].says ? cases[k].says : "loads  kept")) g_error("%s", out);
  }
}

int main(int argc, char **argv) {
#ifdef __SANITIZE_ADDRESS__
  /* which has addresses, signals and time of its own */
  puts("1..1\nok 1 /check # SKIP laws are judged without a sanitizer");
  return 0;
#endif
#define TABLE(plugin, faults) \
  { &plugin##_LTX_hn_plugin, faults, G_N_ELEMENTS(faults) }
  static const Table tables[] = {TABLE(faulty_env, env_faults),
                                 TABLE(faulty_env, common_faults),
                                 TABLE(faulty_inference, inference_faults),
                                 TABLE(faulty_inference, common_faults),
                                 TABLE(faulty_policy, policy_faults),
                                 TABLE(faulty_policy, common_faults)};
  g_test_init(&argc, &argv, NULL);
  hn_apart_limits = (HnHelperLimits){.seconds = 120, .cpu_seconds = 2, .bytes = 5e8};
  for (guint k = 0; k < G_N_ELEMENTS(tables); k++) {
    g_autofree char *path =
        g_strdup_printf("/check/%s/%s", tables[k].plugin->name, k % 2 ? "common" : "own");
    g_test_add_data_func(path, &tables[k], test_faults);
  }
  g_test_add_func("/check/column", test_column);
  g_test_add_func("/check/ignores", test_ignores);
  g_test_add_func("/check/loads", test_loads);
  g_test_add_func("/check/none", test_none);
  g_test_add_func("/check/skipped", test_skipped);
  return g_test_run();
}

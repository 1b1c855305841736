/* session_check_test.c - what is wrong with a study only once its plugins are made: `hunch
 * validate` says it with the place in the file, and `hunch run` refuses it and leaves nothing. */
#include "cli_fixture.h"

/* A base of these three plugins, then lines of the top level. */
static void study(const char *dir, const char *plugins, const char *rest) {
  g_autofree char *text =
      g_strdup_printf("hunch: 1\nname: s\nseeds: {root: 7, count: 2}\nbase:\n  %s\n"
                      "  policy: {plugin: ppo, width: 8}\n"
                      "  run: {frames: 480, rows: 2, episodes: 2}\n  evaluation: {tasks: 3}\n%s",
                      plugins, rest);
  fake_write(dir, "s.yaml", text);
}

#define GRID        "env: {plugin: gridworld}\n  inference: {plugin: gridworld_belief}"
#define BANDIT      "env: {plugin: bandit}\n  inference: {plugin: gridworld_belief}"
#define TROUBLE_ENV "env: {plugin: trouble}\n  inference: {plugin: none}"

static void says(const char *dir, const char *arguments, const char *err) {
  g_auto(Run) run = hunch(dir, arguments);
  g_assert_cmpstr(run.err, ==, err);
  g_assert_cmpstr(run.out, ==, "");
  g_assert_cmpint(run.code, ==, 2);
}

static bool exists(const char *dir, const char *name) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Each is the whole of what is said, by every verb that takes a study. */
static void refused(void) {
  static const char *const verbs[] = {"validate s.yaml", "plan s.yaml", "run s.yaml -o out"};
  static const struct {
    const char *plugins, *rest, *says;
  } table[] = {
      /* a column that is not there */
      {GRID, "report: {metric: eval.retrun}\n",
       "s.yaml:10:18: error: 'metric: eval.retrun': metrics.csv has no such column; did you mean "
       "'eval.return'?\n"},
      {GRID, "report: {metric: return}\n",
       "s.yaml:10:18: error: 'metric: return': metrics.csv has no such column; did you mean "
       "'eval.return'?\n"},
      /* a belief over another environment's states, in one arm of two */
      {BANDIT, "arms:\n  belief: {}\n  none: {inference: {plugin: none}}\n",
       "s.yaml:11:3: error: arm belief: gridworld_belief: needs x and y in the observation, not 1 "
       "number(s)\n"},
      /* parameters that contradict each other */
      {"env: {plugin: point_robot}\n  inference: {plugin: glibrl, buffer: 8}", "",
       "s.yaml:5:3: error: arm base: glibrl: start: 10 trials never fit a buffer of 8\n"},
      {GRID, "arms:\n  a: {evaluation: {split: tset}}\n",
       "s.yaml:11:3: error: arm a: evaluation.split: gridworld has no split 'tset'; it has train, "
       "test\n"},
      {GRID, "arms:\n  a: {inference: {plugin: none}, run: {samples: 2}}\n",
       "s.yaml:11:3: error: arm a: none: has no posterior samples; set run.samples: 0\n"},
      /* an inference that would stay as it is, and one that shall */
      {GRID,
       "arms:\n  a: {inference: {plugin: recurrent}, policy: {plugin: trpo}}\n"
       "  b: {inference: {plugin: recurrent}, policy: {plugin: trpo}, run: {stop_gradient: "
       "true}}\n",
       "s.yaml:11:3: error: arm a: trpo: the inference learns through the policy's loss, and this "
       "policy passes no gradient on: it would stay as it is; take ppo, or set "
       "run.stop_gradient\n"},
      /* two arms that are wrong, and one between */
      {GRID, "arms:\n  a: {evaluation: {split: x}}\n  b: {}\n  c: {env: {plugin: bandit}}\n",
       "s.yaml:11:3: error: arm a: evaluation.split: gridworld has no split 'x'; it has train, "
       "test\ns.yaml:13:3: error: arm c: gridworld_belief: needs x and y in the observation, not "
       "1 number(s)\n"}};
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autoptr(Folder) dir = folder();
    study(dir, table[i].plugins, table[i].rest);
    for (guint v = 0; v < G_N_ELEMENTS(verbs); v++) says(dir, verbs[v], table[i].says);
    g_assert_false(exists(dir, "out"));
  }
}

/* More memory than there is, for rows or by a plugin's own asking. */
static void memory(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, TROUBLE_ENV, "arms:\n  a: {}\n  b: {env: {trouble: greed}}\n");
  g_auto(Run) greed = hunch(dir, "run s.yaml");
  g_assert_cmpint(greed.code, ==, 2);
  expect(greed.err, "s.yaml:12:3: error: arm b: trouble asks for 1.13e+06 GB, this machine has ");
  g_auto(Run) rows = hunch(dir, "run s.yaml env.trouble=none run.steps=1e9 run.rows=65536");
  g_assert_cmpint(rows.code, ==, 2);
  expect(rows.err, "error: arm a: experience of 65536 rows over 1000000000 steps takes ");
  g_assert_false(exists(dir, "runs"));
}

/* A metric that one arm has is one, though others lack it; the command line's own place. */
static void metric(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, GRID, "arms:\n  a: {policy: {plugin: uniform}}\n  b: {}\n");
  g_auto(Run) good = hunch(dir, "validate s.yaml report.metric=policy.policy_loss");
  if (good.code != 0) g_error("%s", good.err);
  says(dir, "validate s.yaml report.metric=policy_loss",
       "command line: report.metric=policy_loss: error: 'metric: policy_loss': metrics.csv has no "
       "such column; did you mean 'policy.policy_loss'?\n");
}

/* Plugins that end or block the process that makes them, and print: named with the call, and the
 * arms after them are looked at all the same. */
static void deaths(void) {
  g_autoptr(Folder) dir = folder();
  report_leaks(false);
  study(dir, TROUBLE_ENV,
        "arms:\n  a: {env: {trouble: create_segv}}\n  b: {env: {trouble: create_exit}}\n"
        "  c: {env: {trouble: destroy_segv}}\n  d: {env: {trouble: create_loop}}\n"
        "  e: {}\n  f: {evaluation: {split: x}}\n");
  says(dir, "validate s.yaml",
       "s.yaml:11:3: error: arm a: " SEGV " in env trouble, create\n"
       "s.yaml:12:3: error: arm b: ended by exit(0) in env trouble, create\n"
       "s.yaml:13:3: error: arm c: " SEGV " in env trouble, destroy\n"
       "s.yaml:14:3: error: arm d: took longer than 10 s in env trouble, create\n"
       "s.yaml:16:3: error: arm f: evaluation.split: trouble has no split 'x'; it has train\n");
  report_leaks(true);
}

/* The study that was refused, mended, has its folder to itself. */
static void mended(void) {
  g_autoptr(Folder) dir = folder();
  study(dir,
        "env: {plugin: point_robot}\n  inference: {plugin: glibrl, buffer: 8, hidden_units: 4}",
        "");
  g_auto(Run) wrong = hunch(dir, "run s.yaml -o out");
  g_assert_cmpint(wrong.code, ==, 2);
  g_auto(Run) right = hunch(dir, "run s.yaml -o out -j 1 inference.start=2");
  if (right.code != 0) g_error("%s", right.err);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/session-check/refused", refused);
  g_test_add_func("/session-check/memory", memory);
  g_test_add_func("/session-check/metric", metric);
  g_test_add_func("/session-check/deaths", deaths);
  g_test_add_func("/session-check/mended", mended);
  return g_test_run();
}

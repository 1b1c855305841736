/* check_cli_test.c - `hunch check`: verdicts, exit codes, and plugins that end the process they are
 * judged in. */
#include "cli_fixture.h"
#include "json.h"
#include <stdio.h>

static char *dir;

/* Judges `trouble`, whose fault ends or blocks a process, by two laws. */
static void expect_death(const char *trouble, const char *reason) {
  g_autofree char *arguments = g_strdup_printf(
      "check trouble trouble=%s --seconds %d --memory 0.5 --only keep --only batches", trouble,
      strcmp(trouble, "loop") == 0 ? 1 : 60);
  g_auto(Run) run = hunch(dir, arguments);
  g_assert_cmpint(run.code, ==, 3);
  expect(run.out, reason);
  expect(run.out, "2 laws: ");
  expect(run.out, "again: hunch check trouble trouble=");
}

static void test_deaths(void) {
  expect_death("segv", "env trouble, step: killed by signal 11 (Segmentation fault)");
  expect_death("abort", "env trouble, step: killed by signal 6 (Aborted)");
  expect_death("exit0", "env trouble, step: ended by exit(0)");
  expect_death("loop", "env trouble, step: took longer than ");
  expect_death("hog", "env trouble, step: took more than 0.5 GB of memory");
  expect_death("greed", "env trouble, create: trouble asks for ");
  expect_death("create_exit", "env trouble, create: ended by exit(0)");
  expect_death("destroy_segv", "env trouble, destroy: killed by signal 11 (Segmentation fault)");
}

/* A child that a call leaves breaks one law; the others go on. */
static void test_child(void) {
  g_auto(Run) run =
      hunch(dir, "check trouble trouble=leave_child --only process --only keep --json");
  g_autoptr(JsonObject) o = hn_json_parse("out", run.out, strlen(run.out), NULL);
  g_assert_cmpint(run.code, ==, 3);
  g_assert_cmpint(hn_json_int(o, "broken", -1), ==, 1);
  g_assert_cmpint(hn_json_int(o, "kept", -1), ==, 1);
  JsonArray *laws = hn_json_array(o, "laws");
  JsonObject *law = json_array_get_object_element(laws, 0);
  if (!g_str_equal(hn_json_string(law, "law", ""), "process"))
    law = json_array_get_object_element(laws, 1);
  g_assert_cmpstr(hn_json_string(law, "law", NULL), ==, "process");
  g_assert_cmpstr(hn_json_string(law, "verdict", NULL), ==, "broken");
  g_assert_cmpstr(hn_json_string(law, "reason", NULL), ==, "step: leaves a child process");
  g_assert_cmpuint(strlen(hn_json_string(o, "sha256", "")), ==, 64);
}

static void test_kept(void) {
  g_auto(Run) run = hunch(dir, "check gridworld size=7");
  g_assert_cmpint(run.code, ==, 0);
  expect(run.out, "env gridworld, version ");
  expect(run.out, " 0 broken, 0 skipped");
  expect(run.out, "laws version ");
}

/* A plugin that only fits another one, named as everywhere else. */
static void test_environment(void) {
  g_auto(Run) alone = hunch(dir, "check gridworld_belief --only window");
  g_auto(Run) with = hunch(dir, "check gridworld_belief env.plugin=gridworld --only window");
  g_assert_cmpint(alone.code, ==, 3);
  expect(alone.out, "is outside a grid of size 5");
  expect(alone.out, "env.plugin=NAME names another");
  expect(with.out, "1 law: 1 kept, 0 broken, 0 skipped");
}

static void test_list(void) {
  g_auto(Run) all = hunch(dir, "check --list");
  g_auto(Run) one = hunch(dir, "check ppo --list --json");
  expect(all.out, "\n  batches   A row's results do not depend on which rows share a call");
  g_assert_cmpint(all.code, ==, 0);
  g_autoptr(JsonObject) o = hn_json_parse("out", one.out, strlen(one.out), NULL);
  g_assert_cmpuint(json_object_get_size(o), ==, 1);
  g_assert_nonnull(hn_json_string(hn_json_object(o, "policy"), "prior", NULL));
}

static void test_misuse(void) {
  static const struct {
    const char *arguments, *says;
  } cases[] = {
      {"check", "which plugin?"},
      {"check gridwrld", "did you mean 'gridworld'?"},
      {"check gridworld sise=7", "unknown key 'sise'; did you mean 'size'?"},
      {"check gridworld size=big", "size"},
      {"check gridworld --only batchs", "no law 'batchs' of kind env; did you mean 'batches'?"},
      {"check gridworld env.plugin=bandit", "the plugin that is judged stands before"},
      {"check ppo seeds.count=3", "expected KEY=VALUE, or BLOCK.KEY=VALUE"},
      {"check gridworld size", "expected block.key=value"},
      {"check gridworld --seconds 0", "--seconds is a number in"},
      {"check gridworld --jsn", "did you mean --json?"},
  };
  for (guint k = 0; k < G_N_ELEMENTS(cases); k++) {
    g_auto(Run) run = hunch(dir, cases[k].arguments);
    g_assert_cmpstr(run.out, ==, "");
    g_assert_cmpint(run.code, ==, 2);
    expect(run.err, cases[k].says);
  }
}

int main(int argc, char **argv) {
#ifdef __SANITIZE_ADDRESS__
  /* which has addresses, signals and time of its own */
  puts("1..1\nok 1 /check_cli # SKIP laws are judged without a sanitizer");
  return 0;
#endif
  g_test_init(&argc, &argv, NULL);
  dir = folder();
  g_test_add_func("/check_cli/kept", test_kept);
  g_test_add_func("/check_cli/deaths", test_deaths);
  g_test_add_func("/check_cli/child", test_child);
  g_test_add_func("/check_cli/environment", test_environment);
  g_test_add_func("/check_cli/list", test_list);
  g_test_add_func("/check_cli/misuse", test_misuse);
  const int result = g_test_run();
  remove_folder(dir);
  return result;
}

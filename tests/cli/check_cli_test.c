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

/* One crash is told once, however many laws it breaks; a wrapper's inner environment is named as in
 * a study, with or without its block. */
static void test_once(void) {
  g_auto(Run) run = hunch(dir, "check time_limit inner.plugin=trouble inner.trouble=segv "
                               "--only batches --only outputs");
  g_assert_cmpint(run.code, ==, 3);
  expect(run.out, "  batches  broken  env trouble, step: killed by signal 11");
  expect(run.out, "  outputs  broken  as batches\n");
}

/* A failure without a text is told with plugin and call. */
static void test_untold(void) {
  g_auto(Run) run = hunch(dir, "check trouble trouble=odd_status --only spec");
  g_assert_cmpint(run.code, ==, 3);
  expect(run.out, "trouble: step returned 77, which is no HnStatus, and gave no reason");
}

static void test_kept(void) {
  g_auto(Run) run = hunch(dir, "check gridworld size=7");
  g_assert_cmpint(run.code, ==, 0);
  expect(run.out, "env gridworld, version ");
  expect(run.out, " 0 broken, 2 skipped");
  expect(run.out, "it has no query");
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

/* Of a run that it refuses nothing was judged, which neither passes nor replaces what was found in
 * a run that it takes. */
static void test_refusal(void) {
  static const char refused[] = "check gridworld_belief goal_reward=2 step_reward=2";
  g_auto(Run) before = hunch(dir, refused),
              well = hunch(dir, "check gridworld_belief env.plugin=gridworld"),
              after = hunch(dir, refused);
  g_assert_cmpint(before.code, ==, 2);
  expect(before.out,
         "It refuses the run that it was to be judged in: gridworld_belief: goal_reward and "
         "step_reward are equal");
  g_assert_null(strstr(before.out, "recorded for later runs"));
  g_assert_cmpint(well.code, ==, 0);
  const char *at = strstr(well.out, "recorded for later runs: ");
  g_assert_nonnull(at);
  g_autofree char *record = g_strchomp(g_strdup(at + strlen("recorded for later runs: ")));
  g_assert_cmpint(after.code, ==, 2);
  g_autoptr(JsonObject) o = hn_json_read(record, NULL);
  g_assert_cmpint(hn_json_int(o, "kept", 0), >, 10);
  g_assert_cmpstr(hn_json_string(o, "arguments", NULL), ==, "env.plugin=gridworld");
}

/* ---- records ---- */

/* Runs a study of one cell with the copy of a plugin in the test's folder; what run.json says. */
static JsonObject *checked_in_run(const char *plugin, const char *out) {
  g_autofree char *study =
      g_strdup_printf("hunch: 1\nname: one\nseeds: {root: 1, count: 1}\n"
                      "base:\n  env: {plugin: %s}\n  inference: {plugin: none}\n"
                      "  policy: {plugin: uniform}\n"
                      "  run: {frames: 20, rows: 2}\n  evaluation: {tasks: 2}\n"
                      "arms: {only: {}}\n",
                      plugin);
  g_autofree char *arguments = g_strdup_printf("run one.yaml -o %s", out);
  g_autofree char *path = g_build_filename(dir, out, "only", "0", "run.json", NULL);
  fake_write(dir, "one.yaml", study);
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code) g_error("%s", run.err);
  JsonObject *o = hn_json_read(path, NULL);
  g_assert_nonnull(o);
  return o;
}

static JsonNode *env_checked(JsonObject *o) {
  JsonObject *env = hn_json_object(hn_json_object(o, "plugins"), "env");
  return json_object_get_member(env, "checked");
}

static bool is_unchecked(const char *plugin, const char *out) {
  g_autoptr(JsonObject) o = checked_in_run(plugin, out);
  JsonNode *n = env_checked(o);
  return JSON_NODE_HOLDS_VALUE(n) && !json_node_get_boolean(n);
}

static void expect_note(const char *out, bool unchecked) {
  g_autofree char *compare = g_strdup_printf("compare %s", out);
  g_autofree char *report = g_strdup_printf("report %s -o page.html", out);
  g_auto(Run) table = hunch(dir, compare);
  g_auto(Run) drawn = hunch(dir, report);
  g_assert_cmpint(table.code | drawn.code, ==, 0);
  g_autofree char *page = fake_read(dir, "page.html");
  static const char note[] = "With no passed check on record when they ran: trouble";
  g_assert_true((strstr(table.out, note) != NULL) == unchecked);
  g_assert_true((strstr(page, note) != NULL) == unchecked);
}

/* What is recorded is of the file's bytes: found by later runs, until the file or the record is
 * another, or a law is broken. */
static void test_record(void) {
  g_autofree char *plugin = g_build_filename(dir, "trouble.so", NULL), *bytes = NULL;
  g_autofree char *check = g_strconcat("check ", plugin, NULL);
  g_autofree char *few = g_strconcat(check, " --only keep", NULL);
  g_autofree char *broken = g_strconcat(check, " trouble=segv --only batches", NULL);
  gsize length;
  g_assert_true(g_file_get_contents(TROUBLE "/trouble.so", &bytes, &length, NULL));
  g_assert_true(g_file_set_contents(plugin, bytes, (gssize)length, NULL));
  g_assert_true(is_unchecked(plugin, "before"));
  expect_note("before", true);

  g_auto(Run) one_law = hunch(dir, few);
  g_assert_cmpint(one_law.code, ==, 0);
  g_assert_true(is_unchecked(plugin, "one_law"));

  g_auto(Run) all = hunch(dir, check);
  g_assert_cmpint(all.code, ==, 0);
  const char *at = strstr(all.out, "recorded for later runs: ");
  g_assert_nonnull(at);
  g_autofree char *record = g_strchomp(g_strdup(at + strlen("recorded for later runs: ")));
  g_assert_true(g_str_has_prefix(record, dir));
  g_autoptr(JsonObject) after = checked_in_run(plugin, "after");
  JsonObject *checked = json_node_get_object(env_checked(after));
  g_assert_cmpint(hn_json_int(checked, "laws", 0), >, 0);
  g_assert_cmpstr(hn_json_string(checked, "hunch", ""), ==, VERSION);
  expect_note("after", false);

  /* a record that says more than was written is none */
  g_autofree char *folder = g_path_get_dirname(record), *base = g_path_get_basename(record);
  g_autofree char *kept = fake_read(folder, base);
  fake_patch(folder, base, "\"laws\" : ", "\"laws\" : 1");
  g_assert_true(is_unchecked(plugin, "damaged"));
  fake_write(folder, base, kept);

  /* nor is it one of a file with a byte more */
  g_autofree char *longer = g_malloc0(length + 1);
  memcpy(longer, bytes, length);
  g_assert_true(g_file_set_contents(plugin, longer, (gssize)length + 1, NULL));
  g_assert_true(is_unchecked(plugin, "longer"));
  g_assert_true(g_file_set_contents(plugin, bytes, (gssize)length, NULL));
  g_assert_false(is_unchecked(plugin, "again"));

  g_auto(Run) fault = hunch(dir, broken);
  g_assert_cmpint(fault.code, ==, 3);
  g_assert_false(g_file_test(record, G_FILE_TEST_EXISTS));
  g_assert_true(is_unchecked(plugin, "broken"));
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
  g_test_add_func("/check_cli/once", test_once);
  g_test_add_func("/check_cli/untold", test_untold);
  g_test_add_func("/check_cli/kept", test_kept);
  g_test_add_func("/check_cli/deaths", test_deaths);
  g_test_add_func("/check_cli/child", test_child);
  g_test_add_func("/check_cli/environment", test_environment);
  g_test_add_func("/check_cli/refusal", test_refusal);
  g_test_add_func("/check_cli/record", test_record);
  g_test_add_func("/check_cli/list", test_list);
  g_test_add_func("/check_cli/misuse", test_misuse);
  const int result = g_test_run();
  remove_folder(dir);
  return result;
}

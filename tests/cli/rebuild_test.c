/* rebuild_test.c - a study some of whose plugins are built anew: refused as it stands, and with
 * `--rebuild-ok` run anew as far as that reaches, with what was there kept beside. */
#include "cli_fixture.h"
#include "lock.h"
#include <signal.h>

/* The wrapper time_limit under another name; `build` makes its file another one. */
static void build_plugin(const char *dir, int build) {
  static const char *const argv[] = {
      "cc",         "-shared", "-fPIC",       "-I" SOURCE "/core/include",
      "my_limit.c", "-o",      "my_limit.so", NULL};
  g_autofree char *source = fake_read(SOURCE, "plugins/envs/time_limit.c"), *err = NULL;
  g_auto(GStrv) parts = g_strsplit(source, "HN_PLUGIN(time_limit,", -1);
  g_autofree char *renamed = g_strjoinv("HN_PLUGIN(my_limit,", parts);
  g_autofree char *text = g_strdup_printf("%s\nint build_%d;\n", renamed, build);
  int status = -1;
  g_assert_cmpuint(g_strv_length(parts), ==, 2);
  fake_write(dir, "my_limit.c", text);
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             NULL, &err, &status, NULL));
  if (status != 0) g_error("%s", err);
}

/* An arm with that plugin, one that starts from its weights, and one that has nothing of it. */
static void write_study(const char *dir) {
  fake_write(dir, "s.yaml",
             "hunch: 1\nname: s\nseeds: {root: 3, count: 2}\nbase:\n"
             "  env: {plugin: point_robot}\n  inference: {plugin: none}\n"
             "  policy: {plugin: ppo, width: 8, n_minibatches: 2}\n"
             "  run: {frames: 800, rows: 4, steps: 100, episodes: 1}\n  evaluation: {tasks: 2}\n"
             "arms:\n  plain: {}\n"
             "  limited: {env: {plugin: my_limit, inner: {plugin: point_robot}}}\n"
             "  tuned: {weights: {arm: limited}}\n");
}

static Run run_it(const char *dir, const char *arguments) {
  return hunch_among(dir, dir, arguments);
}

/* A study that is done by the first build, where the second has taken its place. */
static Folder *rebuilt_study(void) {
  Folder *dir = folder();
  write_study(dir);
  build_plugin(dir, 1);
  g_auto(Run) run = run_it(dir, "run s.yaml -o out");
  if (run.code != 0) g_error("%s", run.err);
  build_plugin(dir, 2);
  return dir;
}

static bool exists(const char *dir, const char *name) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void refused(void) {
  g_autoptr(Folder) dir = rebuilt_study();
  g_auto(Run) plan = run_it(dir, "plan s.yaml -o out");
  expect(plan.err, "out: 6 cells, 2 done, 4 rebuilt\n");
  expect(plan.out, "  rebuilt  plugin files differ from those the folder's run used: my_limit\n");
  expect(plan.out, "  rebuilt  limited/1, whose weights it starts from, was another cell\n");
  g_autofree char *before = fake_read(dir, "out/limited/0/run.json");
  g_auto(Run) run = run_it(dir, "run s.yaml -o out");
  g_assert_cmpint(run.code, ==, 2);
  expect(run.err, "out/limited/0: plugin files differ from those the folder's run used: my_limit "
                  "(and 3 more cells); choose another folder with -o, or run anew what other "
                  "plugins change: --rebuild-ok\n");
  g_autofree char *after = fake_read(dir, "out/limited/0/run.json");
  g_assert_cmpstr(before, ==, after);
  g_assert_false(exists(dir, "out/limited/0.replaced-1"));
}

/* What does not depend on the plugin stays, the rest is kept beside what is run anew; numbers are
 * the same, as the code is. */
static void replaced(void) {
  static const char *const cells[] = {"limited/0", "limited/1", "tuned/0", "tuned/1"};
  g_autoptr(Folder) dir = rebuilt_study();
  g_autofree char *plain = fake_read(dir, "out/plain/1/run.json");
  char *before[G_N_ELEMENTS(cells)];
  for (guint i = 0; i < G_N_ELEMENTS(cells); i++) {
    g_autofree char *name = g_strdup_printf("out/%s/run.json", cells[i]);
    before[i] = fake_read(dir, name);
  }
  g_auto(Run) run = run_it(dir, "run s.yaml -o out --rebuild-ok");
  if (run.code != 0) g_error("%s", run.err);
  expect(run.err, "out: 6 cells, 2 done before");
  expect(run.out, "s: 3 arms x 2 seeds, 6 of 6 cells done");
  for (guint i = 0; i < G_N_ELEMENTS(cells); i++) {
    g_autofree char *now = g_strdup_printf("%s/out/%s", dir, cells[i]);
    g_autofree char *was = g_strconcat(now, ".replaced-1", NULL);
    g_autofree char *says = g_strdup_printf("out/%s: run anew, as plugins were rebuilt; the former "
                                            "run is now out/%s.replaced-1\n",
                                            cells[i], cells[i]);
    g_autofree char *kept = fake_read(was, "run.json"), *json = fake_read(now, "run.json");
    expect(run.err, says);
    g_assert_cmpstr(kept, ==, before[i]);
    g_assert_cmpstr(json, !=, before[i]);
    same_file(was, now, "metrics.csv");
    same_file(was, now, "episodes.csv");
    g_free(before[i]);
  }
  g_autofree char *still = fake_read(dir, "out/plain/1/run.json");
  g_assert_cmpstr(still, ==, plain);
  g_auto(Run) again = run_it(dir, "run s.yaml -o out --rebuild-ok");
  expect(again.err, "out: 6 cells, 6 done before");
  g_assert_null(strstr(again.err, "run anew"));
}

/* Cells that are not asked for stay, which is said; they are not compared with the others. */
static void some(void) {
  g_autoptr(Folder) dir = rebuilt_study();
  g_auto(Run) tuned = run_it(dir, "run s.yaml -o out --rebuild-ok --arm tuned");
  g_assert_cmpint(tuned.code, ==, 2);
  expect(tuned.err, "tuned/0 starts from limited/0, which is not done: add --arm limited");
  g_assert_false(exists(dir, "out/tuned/0.replaced-1"));
  g_auto(Run) run = run_it(dir, "run s.yaml -o out --rebuild-ok --arm limited --seed 0");
  g_assert_cmpint(run.code, ==, 0);
  expect(run.err, "hunch run: warning: 3 cells that were not asked for stay as other plugins left "
                  "them\n");
  expect(run.err, "these results cannot be compared: the sha256 of plugin my_limit is ");
  g_assert_true(exists(dir, "out/limited/0.replaced-1"));
  g_assert_false(exists(dir, "out/limited/1.replaced-1"));
  build_plugin(dir, 3);
  g_auto(Run) more = run_it(dir, "run s.yaml -o out --rebuild-ok");
  if (more.code != 0) g_error("%s", more.err);
  g_assert_true(exists(dir, "out/limited/0.replaced-2"));
  g_assert_true(exists(dir, "out/limited/1.replaced-1"));
  g_assert_true(exists(dir, "out/tuned/1.replaced-1"));
}

/* While the first seed runs, the file is built anew: the second seed does not start with it, so the
 * arm does not become one of two builds. */
static void meanwhile(void) {
  g_autoptr(Folder) dir = folder();
  write_study(dir);
  build_plugin(dir, 1);
  g_autofree char *cell = g_build_filename(dir, "out/limited/0", NULL);
  GSubprocess *begun = begin_among(dir, dir,
                                   "run s.yaml -o out -j 1 --arm limited run.checkpoint_every=1 "
                                   "run.frames=80000 policy.anneal=false");
  const int pid = wait_for_cell(begun, cell);
  g_assert_cmpint(kill(pid, SIGSTOP), ==, 0);
  build_plugin(dir, 2);
  g_assert_cmpint(kill(pid, SIGCONT), ==, 0);
  g_auto(Run) run = end(begun);
  g_assert_cmpint(run.code, ==, 4);
  expect(run.err, "out/limited/1: error: the file of env my_limit has changed since this run of "
                  "the study began: start it again (--rebuild-ok runs anew what is done by the "
                  "former file)\n");
  expect(run.err, "1 of 2 cells failed");
  g_assert_true(exists(dir, "out/limited/0/run.json"));
  g_assert_false(exists(dir, "out/limited/1/run.json"));
}

/* Another configuration is no other build, and a cell that runs is not taken away. */
static void kept(void) {
  g_autoptr(Folder) dir = rebuilt_study();
  g_auto(Run) other = run_it(dir, "run s.yaml -o out --rebuild-ok run.rows=2");
  g_assert_cmpint(other.code, ==, 2);
  expect(other.err, "out/plain/0: configuration differs from the folder's: run.rows was 4 (and 5 "
                    "more cells); choose another folder with -o, or remove what is there\n");
  g_autofree char *path = g_build_filename(dir, "out/limited/1/lock", NULL);
  GError *error = NULL;
  const int lock = hn_lock_take(path, 0, &error);
  g_assert_no_error(error);
  g_auto(Run) busy = run_it(dir, "run s.yaml -o out --rebuild-ok");
  hn_lock_release(lock);
  g_assert_cmpint(busy.code, ==, 1);
  expect(busy.err, "out/limited/0: run anew");
  expect(busy.err, "out/limited/1/lock");
  g_assert_true(exists(dir, "out/limited/1/run.json"));
  g_auto(Run) again = run_it(dir, "run s.yaml -o out --rebuild-ok"); /* goes on with the rest */
  if (again.code != 0) g_error("%s", again.err);
  g_assert_true(exists(dir, "out/limited/0.replaced-1") && exists(dir, "out/limited/0/run.json"));
  g_assert_false(exists(dir, "out/limited/0.replaced-2"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/rebuild/refused", refused);
  g_test_add_func("/rebuild/replaced", replaced);
  g_test_add_func("/rebuild/some", some);
  g_test_add_func("/rebuild/meanwhile", meanwhile);
  g_test_add_func("/rebuild/kept", kept);
  return g_test_run();
}

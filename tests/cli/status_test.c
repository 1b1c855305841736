/* status_test.c - `hunch status`, `runs` and `plan` on a study that runs, was killed, and is done:
 * what they print, to people and to programs. */
#include "cli_fixture.h"
#include "json.h"
#include <signal.h>

/* Cells that wait in every step, so that they are still at work when they are looked at. */
static const char study[] =
    "hunch: 1\nname: s\nseeds: {root: 3, count: 2}\nbase:\n"
    "  env: {plugin: trouble, delay: 3000}\n"
    "  inference: {plugin: none}\n  policy: {plugin: uniform}\n"
    "  run: {frames: 4000, rows: 4, checkpoint_every: 3}\n  evaluation: {tasks: 4, every: 2}\n"
    "arms:\n  plain: {}\n  other: {run: {rows: 8}}\nreport: {baseline: plain}\n";

static Folder *dir;

static JsonObject *object(const char *arguments) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != 0) g_error("%s: %d %s", arguments, run.code, run.err);
  JsonObject *o = hn_json_parse("stdout", run.out, strlen(run.out), NULL);
  g_assert_nonnull(o);
  return o;
}

static JsonObject *element(JsonObject *o, const char *array, guint i) {
  return json_array_get_object_element(hn_json_array(o, array), i);
}

/* A cell that runs, one that waits, and after it is killed one that is interrupted. */
static void test_running(void) {
  GSubprocess *run = begin(dir, "run s.yaml -j 1");
  g_autofree char *cell = g_build_filename(dir, "runs/s/plain/0", NULL);
  const int pid = wait_for_cell(run, cell);
  g_autoptr(JsonObject) o = object("status runs/s --json");
  JsonObject *first = element(o, "cells", 0);
  g_assert_cmpstr(hn_json_string(first, "state", NULL), ==, "running");
  g_assert_cmpint(hn_json_int(first, "pid", 0), ==, pid);
  g_assert_cmpint(hn_json_int(first, "frames_total", 0), ==, 4000);
  g_assert_cmpint(hn_json_int(first, "update", 0), >=, 3);
  g_assert_cmpfloat(hn_json_real(first, "frames_per_second", 0), >, 0);
  g_assert_cmpstr(hn_json_string(element(o, "cells", 1), "state", NULL), ==, "waiting");
  g_assert_cmpint(hn_json_int(o, "waiting", 0), ==, 3);
  g_auto(Run) text = hunch(dir, "status runs/s"), plan = hunch(dir, "plan s.yaml");
  g_autofree char *by = g_strdup_printf(" by process %d on %s\n", pid, g_get_host_name());
  expect(text.out, "s: 0 of 4 cells done, 3 waiting, 1 running; ");
  expect(plan.out, "  running  update ");
  expect(plan.out, by);
  expect(plan.err, "4 cells, 3 run, 1 running");
  g_subprocess_send_signal(run, SIGKILL);
  kill(pid, SIGKILL);
  g_subprocess_wait(run, NULL, NULL);
  g_object_unref(run);
  g_autofree char *proc = g_strdup_printf("/proc/%d", pid);
  for (int i = 0; i < 500 && g_file_test(proc, G_FILE_TEST_EXISTS); i++) g_usleep(10000);
  g_auto(Run) killed = hunch(dir, "status runs/s"), again = hunch(dir, "plan s.yaml");
  expect(killed.out, "s: 0 of 4 cells done, 3 waiting, 1 interrupted\n");
  expect(killed.out, "plain/0: its process ended without a word; it goes on from update ");
  expect(again.err, "4 cells, 3 run, 1 resume\n");
}

/* A watch whose output is no terminal says what changes, and ends with the study. */
static void test_watch(void) {
  GSubprocess *run = begin(dir, "run s.yaml -j 4");
  g_auto(Run) watched = hunch(dir, "status runs/s --watch");
  g_auto(Run) finished = end(run);
  g_assert_cmpint(finished.code, ==, 0);
  g_assert_cmpint(watched.code, ==, 0);
  for (int s = 0; s < 2; s++) {
    g_autofree char *plain = g_strdup_printf("plain/%d: done, update 100 of 100, eval.return ", s);
    g_autofree char *other = g_strdup_printf("other/%d: done, update 50 of 50, eval.return ", s);
    expect(watched.out, plain), expect(watched.out, other);
  }
  g_assert_null(strstr(watched.out, "\033"));
}

/* The study is in the list, with the mean of its cells, which `hunch compare` says too. */
static void test_runs(void) {
  g_autoptr(JsonObject) all = object("runs --json"), one = object("runs runs/s --json");
  g_autoptr(JsonObject) compared = object("compare runs/s --json");
  JsonObject *s = element(all, "studies", 0), *same = element(one, "studies", 0);
  g_assert_cmpuint(json_array_get_length(hn_json_array(all, "studies")), ==, 1);
  g_assert_cmpstr(hn_json_string(s, "folder", NULL), ==, "runs/s");
  g_assert_cmpstr(hn_json_string(same, "folder", NULL), ==, "runs/s");
  g_assert_cmpstr(hn_json_string(s, "state", NULL), ==, "done");
  g_assert_cmpint(hn_json_int(s, "done", 0), ==, 4);
  JsonObject *plain = element(element(compared, "columns", 0), "arms", 0);
  g_assert_cmpfloat_with_epsilon(hn_json_real(hn_json_object(s, "baseline"), "value", NAN),
                                 hn_json_real(hn_json_object(plain, "value"), "value", 0), 1e-9);
  g_auto(Run) text = hunch(dir, "runs"), none = hunch(dir, "runs nowhere");
  expect(text.out, "  runs/s  20");
  g_assert_cmpint(none.code, ==, 2);
  expect(none.err, "nowhere: there is no such folder");
}

/* What an arm is, and what it changes. */
static void test_resolved(void) {
  g_auto(Run) both = hunch(dir, "plan s.yaml --resolved");
  expect(both.out, "---\n# plain changes of the base:\n#   nothing\nstudy: s\narm: plain\n");
  expect(both.out, "---\n# other changes of the base:\n#   run.rows: 8 (base: 4)\nstudy: s\n");
  g_auto(Run) other = hunch(dir, "plan s.yaml --resolved other run.frames=80");
  g_assert_true(g_str_has_prefix(other.out, "# other changes of the base:\n#   run.rows: 8 "));
  expect(other.out, "  frames: 80\n");
  g_auto(Run) wrong = hunch(dir, "plan s.yaml --resolved othr");
  g_assert_cmpint(wrong.code, ==, 2);
  expect(wrong.err, "no arm 'othr'; did you mean 'other'?");
}

/* Of an arm one cell is prolonged, and the other and those of the other arm are not yet: not
 * everything is done, and results of an arm of two lengths are not compared. */
static void test_prolonged(void) {
  g_auto(Run) run = hunch(dir, "run s.yaml run.frames=4400 --arm plain --seed 0");
  g_assert_cmpint(run.code, ==, 0);
  g_auto(Run) status = hunch(dir, "status runs/s"), compare = hunch(dir, "compare runs/s");
  expect(status.out, "s: 1 of 4 cells done, 3 interrupted\n");
  expect(status.out, "plain/1: it ended at frame 4000, where others of its arm go on to 4400; it "
                     "goes on when it is run again");
  expect(status.out, "other/1: it ended at frame 4000, where the study goes on to 4400; it goes on "
                     "when it is run again");
  expect(compare.err, "arm plain differ in run.frames: 4400 and 4000; `hunch run` prolongs the "
                      "shorter");
  g_auto(Run) rest = hunch(dir, "run s.yaml run.frames=4400 --arm plain");
  g_assert_cmpint(rest.code, ==, 0);
  g_auto(Run) arm = hunch(dir, "status runs/s"), plan = hunch(dir, "plan s.yaml run.frames=4400"),
              pack = hunch(dir, "pack runs/s -o x.zip --dirty");
  expect(arm.out, "s: 2 of 4 cells done, 2 interrupted\n");
  expect(plan.err, "4 cells, 2 resume, 2 done\n");
  g_assert_cmpint(pack.code, ==, 2);
  expect(pack.err, "arm other: its cells have 4000 of 4400 frames: finish the study, or say "
                   "--unfinished");
  g_auto(Run) all = hunch(dir, "run s.yaml run.frames=4400");
  g_assert_cmpint(all.code, ==, 0);
  g_auto(Run) after = hunch(dir, "status runs/s");
  expect(after.out, "s: 4 of 4 cells done\n");
}

/* A table that is gone is damage, and so are other digits of the same length where a run looks. */
static void test_damaged(void) {
  g_assert_cmpint(shell(dir, "mv runs/s/plain/1/episodes.csv kept.csv"), ==, 0);
  g_auto(Run) gone = hunch(dir, "status runs/s");
  expect(gone.out, "s: 3 of 4 cells done, 1 damaged\n");
  expect(gone.out, "plain/1: ");
  expect(gone.out, "episodes.csv: is not as the run left it");
  g_assert_cmpint(
      shell(dir,
            "mv kept.csv runs/s/plain/1/episodes.csv && cp runs/s/plain/1/metrics.csv kept.csv && "
            "tr 1 2 <kept.csv >runs/s/plain/1/metrics.csv"),
      ==, 0);
  g_auto(Run) same = hunch(dir, "status runs/s"),
              run = hunch(dir, "run s.yaml run.frames=4400 --arm plain");
  expect(same.out, "s: 4 of 4 cells done\n");
  g_assert_cmpint(run.code, ==, 2);
  expect(run.err, "metrics.csv: is not as the run left it");
  g_assert_cmpint(shell(dir, "mv kept.csv runs/s/plain/1/metrics.csv"), ==, 0);
}

/* Of all that is wrong with a plan the list says the first, on one line. */
static void test_broken_plan(void) {
  g_assert_cmpint(shell(dir, "mkdir -p broken/a && echo {} >broken/a/study.json"), ==, 0);
  g_auto(Run) list = hunch(dir, "runs broken");
  g_assert_cmpint(list.code, ==, 0);
  expect(list.out, "damaged");
  expect(list.err, "broken/a/study.json:1:1: error: 'study' is missing: not a study's plan (and ");
  g_assert_null(strstr(list.err, "\\x0a"));
}

/* What is asked for in the wrong way. */
static void test_refused(void) {
  g_auto(Run) none = hunch(dir, "status"), wrong = hunch(dir, "status run/s");
  g_assert_cmpint(none.code, ==, 2);
  expect(none.err, "expected one study folder");
  g_assert_cmpint(wrong.code, ==, 2);
  expect(wrong.err, "did you mean 'runs/s'?");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  dir = folder();
  fake_write(dir, "s.yaml", study);
  g_test_add_func("/status/running", test_running);
  g_test_add_func("/status/watch", test_watch);
  g_test_add_func("/status/runs", test_runs);
  g_test_add_func("/status/resolved", test_resolved);
  g_test_add_func("/status/prolonged", test_prolonged);
  g_test_add_func("/status/damaged", test_damaged);
  g_test_add_func("/status/broken_plan", test_broken_plan);
  g_test_add_func("/status/refused", test_refused);
  const int result = g_test_run();
  remove_folder(dir);
  return result;
}

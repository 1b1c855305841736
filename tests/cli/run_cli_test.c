/* run_cli_test.c - `hunch run` as its users meet it: whole studies, failures, crashes, interrupts.
 */
#include "cli_fixture.h"
#include "determinism.h"
#include "progress.h"
#include "short_text.h"
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Two arms, two seeds; the second arm as given. */
static void study(const char *dir, const char *frames, const char *delay, const char *second) {
  g_autofree char *text = g_strdup_printf(
      "hunch: 1\nname: s\nseeds: {root: 3, count: 2}\nbase:\n  env: {plugin: trouble, delay: %s}\n"
      "  inference: {plugin: none}\n  policy: {plugin: uniform}\n"
      "  run: {frames: %s, rows: 4, checkpoint_every: 3}\n  evaluation: {tasks: 5, every: 10}\n"
      "arms:\n  plain: {}\n  other: %s\nreport: {baseline: plain}\n",
      delay, frames, second);
  fake_write(dir, "s.yaml", text);
}

static void complete(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "2000", "0", "{run: {episodes: 2, rows: 8}}");
  g_auto(Run) run = hunch(dir, "run s.yaml -j 2");
  if (run.code != 0) g_error("%s", run.err);
  expect(run.out, "s: 2 arms x 2 seeds, 4 of 4 cells done");
  expect(run.out, "eval.return");
  expect(run.out, "\nruns/s/report.html\n");
  g_assert_null(strstr(run.err, "eval.return"));
  g_autofree char *page = fake_read(dir, "runs/s/report.html");
  expect(page, "eval_return");
  same_file(dir, dir, "runs/s/study.yaml");
  g_autofree char *source = fake_read(dir, "s.yaml");
  g_autofree char *copy = fake_read(dir, "runs/s/study.yaml");
  g_assert_cmpstr(source, ==, copy);
  g_auto(Run) short_name = hunch(dir, "compare runs/s --metric return");
  g_assert_cmpint(short_name.code, ==, 2);
  expect(short_name.err, "no column 'return' in metrics.csv of any done cell; did you mean "
                         "'eval.return'?");
  /* again: nothing to do, nothing touched, the same table */
  g_autofree char *before = fake_read(dir, "runs/s/plain/1/run.json");
  g_auto(Run) again = hunch(dir, "run s.yaml");
  g_autofree char *after = fake_read(dir, "runs/s/plain/1/run.json");
  g_assert_cmpint(again.code, ==, 0);
  expect(again.err, "4 cells, 4 done before");
  g_assert_cmpstr(again.out, ==, run.out);
  g_assert_cmpstr(before, ==, after);
  g_auto(Run) compared = hunch(dir, "compare runs/s --json");
  g_assert_cmpint(compared.code, ==, 0);
  expect(compared.out, "\"cells_done\" : 4");
}

/* What the host writes is what results are read from, whatever tasks are called. */
static void awkward_names(void) {
  static const char *const names[] = {"open, then close", "say \\\"so\\\"", "two\\nlines",
                                      "d\u00e9j\u00e0 \u6f22", "mean of 4"};
  g_autoptr(Folder) dir = folder();
  study(dir, "200", "0", "{run: {rows: 8}}");
  g_auto(Run) run = hunch(dir, "run s.yaml -j 2 env.named=true evaluation.tasks=4");
  if (run.code != 0 || strstr(run.err, "warning")) g_error("%s", run.err);
  g_auto(Run) compared = hunch(dir, "compare runs/s --by task --json");
  g_assert_cmpint(compared.code, ==, 0);
  const char *at = compared.out;
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) { /* a row each, in the order of their numbers */
    g_autofree char *member = g_strdup_printf("\"column\" : \"%s\",", names[i]);
    expect(at, member);
    at = strstr(at, member);
  }
  g_auto(Run) table = hunch(dir, "compare runs/s --by task");
  expect(table.out, "  open, then close  ");
  expect(table.out, "  two\\x0alines  ");
}

static void failing(void) {
  static const struct {
    const char *arm, *reason;
  } cases[] = {
      {"{env: {trouble: fail}}", "told to fail"},
      {"{env: {trouble: io}}", "told to miss a file"},
      {"{env: {trouble: untold}}",
       "trouble: step returned 3, not a finite number, or a matrix that "
       "is not positive definite, and gave no reason"},
      {"{env: {plugin: time_limit, inner: {plugin: trouble, trouble: odd_status}}}",
       "trouble: step returned 77, which is no HnStatus, and gave no reason"},
      {"{env: {trouble: abort}}",
       "killed by signal 6 (Aborted) in env trouble, step, after update 0"},
      {"{env: {trouble: kill}}", "killed by signal 9 (Killed), as the system does when memory runs "
                                 "out in env trouble, step, after update 0"},
      {"{env: {trouble: segv}}", SEGV " in env trouble, step, after update 0"},
      {"{env: {plugin: reward_noise, inner: {plugin: time_limit, inner: {plugin: trouble, trouble: "
       "segv}}}}",
       SEGV " in env trouble, step, after update 0"},
      {"{env: {trouble: stack}}", SEGV " in env trouble, step, after update 0"},
      {"{env: {trouble: create_segv}}", SEGV " in env trouble, create, after update 0"},
      {"{env: {trouble: exit0}}", "ended by exit(0) in env trouble, step, after update 0"},
      {"{env: {trouble: exit75}}", "ended by exit(75) in env trouble, step, after update 0"},
      {"{env: {trouble: loop}, run: {call_seconds: 0.5}}",
       "took longer than run.call_seconds: 0.5 s in env trouble, step, after update 0"},
      {"{env: {trouble: stop}, run: {call_seconds: 0.5}}",
       "stopped itself in env trouble, step, after update 0"},
      {"{env: {trouble: hog}, run: {memory: 1}}",
       "took more memory than run.memory allows in env trouble, step, after update 0"}};
  report_leaks(false);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Folder) dir = folder();
    study(dir, "400", "0", cases[i].arm);
    g_auto(Run) run = hunch(dir, "run s.yaml -j 1");
    if (run.code != 4) g_error("%d %s", run.code, run.err);
    expect(run.err, "other/0: failed");
    expect(run.err, cases[i].reason);
    expect(run.err, "2 of 4 cells failed");
    expect(run.out, "2 of 4 cells done");
    expect(run.out, "other/1: failed: ");
    g_autofree char *facts = fake_read(dir, "runs/s/other/0/run.json");
    expect(facts, "\"failed\"");
    expect(facts, cases[i].reason);
    expect(facts, "\"arm\"");
    g_autofree char *page = fake_read(dir, "runs/s/report.html");
    expect(page, "2 of 4 cells are not in these results");
    expect(page, cases[i].reason);
  }
  report_leaks(true);
}

/* What a plugin says is one line without control sequences, in messages and in the log. */
static void one_line(void) {
  static const char said[] = "trouble: first\\x0a\\x1b[31msecond\xef\xbf\xbd";
  g_autoptr(Folder) dir = folder();
  study(dir, "400", "0", "{env: {trouble: lines}}");
  g_auto(Run) run = hunch(dir, "run s.yaml -j 1 --arm other --seed 0");
  expect(run.err, said);
  g_autofree char *log = fake_read(dir, "runs/s/other/0/log.txt");
  expect(log, said);
  g_assert_null(strchr(log, '\033'));
}

/* What a plugin does beside its work ends nothing and grows nothing: a fork that comes back from
 * the call, a child that holds the output open, 64 MiB of output in one line.  The arm beside it
 * has the bits of a run alone. */
static void disturbing(void) {
  static const char *const cases[] = {"fork", "leave_child", "flood"};
  g_autoptr(Folder) alone = folder();
  study(alone, "400", "0", "{}");
  g_auto(Run) first = hunch(alone, "run s.yaml -j 1");
  g_assert_cmpint(first.code, ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autoptr(Folder) dir = folder();
    g_autofree char *arm = g_strdup_printf("{env: {trouble: %s}}", cases[i]);
    study(dir, "400", "0", arm);
    g_auto(Run) run = hunch(dir, "run s.yaml -j 2");
    if (run.code != 0) g_error("%s: %d %s", cases[i], run.code, run.err);
    expect(run.out, "4 of 4 cells done");
    same_file(alone, dir, "runs/s/plain/0/metrics.csv");
    same_file(alone, dir, "runs/s/plain/1/episodes.csv");
    g_autofree char *log = g_build_filename(dir, "runs/s/other/0/log.txt", NULL);
    GStatBuf file;
    g_assert_cmpint(g_stat(log, &file), ==, 0);
    g_assert_cmpint(file.st_size, <, 1200000); /* a megabyte of the start, 64 KiB of the end */
    if (strcmp(cases[i], "flood") == 0) g_assert_cmpint(file.st_size, >, 1000000);
  }
}

/* A finished run's table that is cut, or changed without a change of size, takes its own cell out
 * of the table and no other, and is said; `run` does not call it done where its size tells. */
static void damaged(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "400", "0", "{}");
  g_auto(Run) run = hunch(dir, "run s.yaml -j 1");
  g_assert_cmpint(run.code, ==, 0);
  g_autofree char *path = g_build_filename(dir, "runs/s/other/1/metrics.csv", NULL), *text = NULL;
  gsize length;
  g_assert_true(g_file_get_contents(path, &text, &length, NULL));
  g_assert_true(g_file_set_contents(path, text, (gssize)length - 20, NULL));
  g_auto(Run) cut = hunch(dir, "compare runs/s");
  g_assert_cmpint(cut.code, ==, 0);
  expect(cut.out, "3 of 4 cells done");
  expect(cut.out, "other/1: damaged: runs/s/other/1/metrics.csv: is not as the run left it");
  g_auto(Run) again = hunch(dir, "run s.yaml -j 1");
  g_assert_cmpint(again.code, ==, 2);
  expect(again.err, "runs/s/other/1/metrics.csv: is not as the run left it");
  text[length - 2] ^= 1; /* a digit of the last row */
  g_assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
  g_auto(Run) changed = hunch(dir, "compare runs/s");
  expect(changed.out, "other/1: damaged: runs/s/other/1/metrics.csv: is not as the run left it");
  text[length - 2] ^= 1;
  g_assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
  fake_patch(dir, "runs/s/plain/0/run.json", "\"update\" : 10", "\"update\" : 90");
  g_auto(Run) lies = hunch(dir, "compare runs/s");
  expect(lies.out, "3 of 4 cells done");
  expect(lies.out, "plain/0: damaged: runs/s/plain/0/run.json: is damaged; run the study again, "
                   "which writes it anew\n");
  g_auto(Run) anew = hunch(dir, "run s.yaml -j 1");
  g_assert_cmpint(anew.code, ==, 0);
  g_autofree char *config = fake_read(dir, "runs/s/plain/0/config.resolved.yaml");
  fake_write(dir, "runs/s/plain/0/config.resolved.yaml", "a: !x b\nc: !y d\ne: [\n");
  g_auto(Run) odd = hunch(dir, "compare runs/s");
  expect(odd.out, "plain/0: damaged: runs/s/plain/0/config.resolved.yaml:");
  expect(odd.out, " more); to run the cell again, remove runs/s/plain/0\n");
  fake_write(dir, "runs/s/plain/0/config.resolved.yaml", config);
  g_auto(Run) mended = hunch(dir, "compare runs/s");
  expect(mended.out, "4 of 4 cells done");
}

static guint lines_of(const char *dir, const char *name) {
  g_autofree char *text = fake_read(dir, name);
  guint lines = 0;
  for (const char *c = text; *c; c++) lines += *c == '\n';
  return lines;
}

/* Four commands at once on one folder, twice: every cell ran exactly once, none was refused. */
static void launches(void) {
  for (int round = 0; round < 2; round++) {
    g_autoptr(Folder) dir = folder();
    study(dir, "2000", "0", "{run: {rows: 8}}");
    GSubprocess *p[4];
    for (guint i = 0; i < G_N_ELEMENTS(p); i++)
      p[i] = begin(dir, i % 2 ? "run s.yaml -j 2 run.workers=2" : "run s.yaml -j 2");
    for (guint i = 0; i < G_N_ELEMENTS(p); i++) {
      g_auto(Run) run = end(p[i]);
      if (run.code != 0 && run.code != 4) g_error("%d %s", run.code, run.err);
    }
    for (int seed = 0; seed < 2; seed++) { /* a header, and 2000 / 4 or 8 / 10 updates */
      g_autofree char *plain = g_strdup_printf("runs/s/plain/%d/metrics.csv", seed);
      g_autofree char *other = g_strdup_printf("runs/s/other/%d/metrics.csv", seed);
      g_assert_cmpuint(lines_of(dir, plain), ==, 51);
      g_assert_cmpuint(lines_of(dir, other), ==, 26);
    }
    g_auto(Run) again = hunch(dir, "run s.yaml");
    g_assert_cmpint(again.code, ==, 0);
    expect(again.err, "4 cells, 4 done before");
  }
}

/* A report goes over a regular file or where a link leads; a pipe stays one. */
static void outputs(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "200", "0", "{}");
  g_auto(Run) run = hunch(dir, "run s.yaml -j 2");
  g_assert_cmpint(run.code, ==, 0);
  g_autofree char *link = g_build_filename(dir, "link.html", NULL);
  g_autofree char *pipe = g_build_filename(dir, "pipe", NULL);
  fake_write(dir, "real.html", "old");
  g_assert_cmpint(symlink("real.html", link), ==, 0);
  g_assert_cmpint(mkfifo(pipe, 0600), ==, 0);
  g_auto(Run) linked = hunch(dir, "report runs/s -o link.html");
  g_assert_cmpint(linked.code, ==, 0);
  g_assert_true(g_file_test(link, G_FILE_TEST_IS_SYMLINK));
  g_autofree char *page = fake_read(dir, "real.html");
  expect(page, "</html>");
  g_auto(Run) refused = hunch(dir, "report runs/s -o pipe");
  g_assert_cmpint(refused.code, ==, 2);
  expect(refused.err, "pipe: is not a regular file");
  GStatBuf file;
  g_assert_cmpint(g_stat(pipe, &file), ==, 0);
  g_assert_true(S_ISFIFO(file.st_mode));
}

/* Folders of two cells that were exchanged are told by what their run.json says. */
static void exchanged(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "200", "0", "{}");
  g_auto(Run) run = hunch(dir, "run s.yaml -j 2");
  g_assert_cmpint(run.code, ==, 0);
  g_autofree char *a = g_build_filename(dir, "runs/s/plain/0", NULL);
  g_autofree char *b = g_build_filename(dir, "runs/s/other/0", NULL);
  g_autofree char *c = g_build_filename(dir, "c", NULL);
  g_assert_true(g_rename(a, c) == 0 && g_rename(b, a) == 0 && g_rename(c, b) == 0);
  g_auto(Run) compared = hunch(dir, "compare runs/s");
  expect(compared.out, "2 of 4 cells done");
  expect(compared.out, "plain/0: damaged: runs/s/plain/0/run.json: is of other/0");
}

/* Kills the first cell, or stops the whole run; afterwards the same command gives the very files of
 * a run that nothing happened to. */
static void broken_off(bool kill_cell, int code, const char *says) {
  g_autoptr(Folder) dir = folder();
  g_autoptr(Folder) calm = folder();
  study(dir, "1200", "1500", "{run: {rows: 6}}");
  study(calm, "1200", "1500", "{run: {rows: 6}}");
  g_autofree char *cell = g_build_filename(dir, "runs/s/plain/0", NULL);
  g_autofree char *other = g_build_filename(calm, "runs/s/plain/0", NULL);
  GSubprocess *p = begin(dir, "run s.yaml -j 1");
  int pid = wait_for_cell(p, cell);
  if (kill_cell)
    g_assert_cmpint(kill(pid, SIGKILL), ==, 0);
  else
    g_subprocess_send_signal(p, SIGTERM);
  g_auto(Run) run = end(p);
  if (run.code != code) g_error("%d %s", run.code, run.err);
  expect(run.err, says);
  g_autofree char *facts = fake_read(cell, "run.json");
  expect(facts, kill_cell ? "\"failed\"" : "\"interrupted\"");
  g_assert_true((strstr(run.err, "failed") != NULL) == kill_cell);
  g_assert_cmpint(kill(pid, 0), ==, -1); /* nothing is left running */
  g_auto(Run) again = hunch(dir, "run s.yaml");
  g_auto(Run) whole = hunch(calm, "run s.yaml");
  if (again.code != 0) g_error("%d %s", again.code, again.err);
  g_assert_cmpint(whole.code, ==, 0);
  g_assert_cmpstr(again.out, ==, whole.out);
  same_file(cell, other, "metrics.csv");
  same_file(cell, other, "episodes.csv");
  same_file(cell, other, "steps.csv");
}

static void killed_cell(void) {
  broken_off(true, 4, "plain/0: failed: killed by signal 9");
}

/* The parent is gone, and with it who read the pipes: the cell still ends with a checkpoint. */
static void orphaned(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "1200", "1500", "{run: {rows: 6}}");
  g_autofree char *cell = g_build_filename(dir, "runs/s/plain/0", NULL);
  GSubprocess *p = begin(dir, "run s.yaml -j 1");
  wait_for_cell(p, cell);
  g_subprocess_send_signal(p, SIGKILL);
  g_subprocess_wait(p, NULL, NULL);
  g_object_unref(p);
  bool told = false;
  for (int i = 0; i < 500 && !told; i++, g_usleep(20000)) {
    g_autofree char *facts = fake_read(cell, "run.json");
    told = strstr(facts, "\"interrupted\"");
  }
  g_assert_true(told);
}

static void interrupted(void) {
  broken_off(false, 75, "interrupted with 0 of 4 cells done");
}

/* A plugin stops its process, for each row again: one signal to the run ends the cell, which says
 * where it was. */
static void stopped_itself(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "400", "0", "{env: {trouble: stop}}");
  GSubprocess *p = begin(dir, "run s.yaml --arm other --seed 0");
  int pid = 0;
  for (int i = 0; i < 500 && !is_in_state(pid, 'T'); i++, g_usleep(20000)) pid = child_of(p);
  g_assert_true(is_in_state(pid, 'T'));
  g_subprocess_send_signal(p, SIGINT);
  g_auto(Run) run = end(p);
  g_assert_cmpint(run.code, ==, 4);
  expect(run.err, "other/0: failed: stopped itself in env trouble, step, after update 0");
  g_assert_cmpint(kill(pid, 0), ==, -1);
  g_autofree char *facts = fake_read(dir, "runs/s/other/0/run.json");
  expect(facts, "stopped itself in env trouble, step, after update 0");
}

/* A cell that is stopped from outside and whose run is told to end writes its checkpoint, though
 * the run sleeps until the cell has ended. */
static void stopped_from_outside(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "1200", "1500", "{run: {rows: 6}}");
  g_autofree char *cell = g_build_filename(dir, "runs/s/plain/0", NULL);
  GSubprocess *p = begin(dir, "run s.yaml --arm plain --seed 0");
  const int pid = wait_for_cell(p, cell);
  g_assert_cmpint(kill(pid, SIGSTOP), ==, 0);
  g_usleep(500000); /* the run has seen it */
  g_subprocess_send_signal(p, SIGINT);
  g_usleep(1000);
  g_subprocess_send_signal(p, SIGSTOP);
  for (int i = 0; i < 100 && !is_in_state(pid, 'Z'); i++) g_usleep(20000);
  g_usleep(500000); /* a look at its cells is due */
  g_subprocess_send_signal(p, SIGCONT);
  g_auto(Run) run = end(p);
  if (run.code != 75) g_error("%d %s", run.code, run.err);
  g_autofree char *facts = fake_read(cell, "run.json");
  expect(facts, "\"interrupted\"");
}

/* A cell that another run has under way is left alone. */
static void elsewhere(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "400", "4000", "{}");
  g_autofree char *cell = g_build_filename(dir, "runs/s/plain/0", NULL);
  GSubprocess *p = begin(dir, "run s.yaml -j 1 --arm plain --seed 0 policy.plugin=ppo");
  wait_for_cell(p, cell);
  g_auto(Run) second = hunch(dir, "run s.yaml -j 1 --arm plain --seed 0 policy.plugin=ppo");
  g_assert_cmpint(second.code, ==, 4);
  expect(second.err, "plain/0: another process is running it");
  g_auto(Run) first = end(p);
  if (first.code != 0) g_error("%d %s", first.code, first.err);
  expect(first.out, "1 of 4 cells done");
  expect(first.out, "other/1: missing");
}

static void refusals(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "400", "0", "{env: {horizn: 3}}");
  g_auto(Run) bad = hunch(dir, "run s.yaml");
  g_assert_cmpint(bad.code, ==, 2);
  expect(bad.err, "s.yaml:12:17: error");
  expect(bad.err, "horizon");
  g_autofree char *runs = g_build_filename(dir, "runs", NULL);
  g_assert_false(g_file_test(runs, G_FILE_TEST_EXISTS));
  study(dir, "400", "0", "{}");
  g_auto(Run) arm = hunch(dir, "run s.yaml --arm plan");
  g_assert_cmpint(arm.code, ==, 2);
  expect(arm.err, "did you mean 'plain'?");
  g_auto(Run) seed = hunch(dir, "run s.yaml --seed 2");
  g_assert_cmpint(seed.code, ==, 2);
  expect(seed.err, "from 0 to 1");
  g_auto(Run) below_file = hunch(dir, "run s.yaml -o s.yaml/runs");
  g_assert_cmpint(below_file.code, ==, 1);
  expect(below_file.err, "s.yaml/runs cannot be written");
  g_auto(Run) proc = hunch(dir, "run s.yaml -o /proc/runs");
  g_assert_cmpint(proc.code, ==, 1);
  g_auto(Run) foreign = hunch(dir, "run s.yaml -o .");
  g_assert_cmpint(foreign.code, ==, 2);
  expect(foreign.err, "not a study's folder");
  g_assert_false(g_file_test(runs, G_FILE_TEST_EXISTS));
}

/* The same folder with another configuration: refused by name, nothing lost; other cells of the
 * same study are added. */
static void same_folder(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "200", "0", "{}");
  g_auto(Run) one = hunch(dir, "run s.yaml --arm plain --seed 1");
  g_assert_cmpint(one.code, ==, 0);
  g_auto(Run) changed = hunch(dir, "run s.yaml run.frames=100");
  g_assert_cmpint(changed.code, ==, 2);
  expect(changed.err, "run.frames was 200, and a run does not become shorter");
  g_autofree char *other = g_build_filename(dir, "runs/s/other", NULL);
  g_assert_false(g_file_test(other, G_FILE_TEST_EXISTS));
  g_auto(Run) rest = hunch(dir, "run s.yaml run.workers=2");
  if (rest.code != 0) g_error("%s", rest.err);
  expect(rest.err, "4 cells, 1 done before");
  g_autofree char *source = fake_read(dir, "runs/s/study.yaml");
  expect(source, "# run.workers=2\n");
}

/* A study whose run.frames has risen goes on to the bytes of one that was as long at once; not
 * where what was learnt depends on the length. */
static void prolonged(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "200", "0", "{}");
  g_auto(Run) once = hunch(dir, "run s.yaml -o once run.frames=300 -j 2");
  g_auto(Run) first = hunch(dir, "run s.yaml -o twice -j 2");
  g_auto(Run) plan = hunch(dir, "plan s.yaml -o twice run.frames=300");
  g_auto(Run) second = hunch(dir, "run s.yaml -o twice run.frames=300 -j 2");
  if (once.code || first.code || second.code) g_error("%s%s%s", once.err, first.err, second.err);
  expect(plan.out, "done at 200 steps; ");
  g_auto(Run) table_once = hunch(dir, "compare once"), table_twice = hunch(dir, "compare twice");
  g_assert_cmpstr(table_once.out, ==, table_twice.out);
  static const char *const names[] = {"metrics.csv", "episodes.csv", "steps.csv", "trial.csv",
                                      "config.resolved.yaml"};
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *a = g_strconcat("once/plain/1/", names[i], NULL),
                    *b = g_strconcat("twice/plain/1/", names[i], NULL);
    g_autofree char *in_a = fake_read(dir, a), *in_b = fake_read(dir, b);
    g_assert_cmpstr(in_a, ==, in_b);
  }
  g_auto(Run) again = hunch(dir, "run s.yaml -o twice run.frames=300");
  expect(again.err, "4 cells, 4 done before");

  const char *const ppo = "run s.yaml -o scheduled --arm plain --seed 0 policy.plugin=ppo "
                          "policy.anneal=true";
  g_autofree char *longer = g_strconcat(ppo, " run.frames=300", NULL);
  g_auto(Run) annealed = hunch(dir, ppo), refused = hunch(dir, longer);
  if (annealed.code) g_error("%s", annealed.err);
  g_assert_cmpint(refused.code, ==, 2);
  expect(refused.err, "run.frames was 200, on which the schedule of ppo depends");
}

/* ---- kernels of BLAS ---- */

/* Whether the processor lists all of AVX-512 that the wide kernels use. */
static bool has_avx512(void) {
  static const char *const flags[] = {" avx512f ", " avx512bw ", " avx512cd ", " avx512dq ",
                                      " avx512vl "};
  g_autofree char *info = fake_read("/proc", "cpuinfo");
  bool all = true;
  for (guint i = 0; i < G_N_ELEMENTS(flags); i++) all &= strstr(info, flags[i]) != NULL;
  return all;
}

static void set(const char *name, const char *value) {
  if (value)
    g_setenv(name, value, TRUE);
  else
    g_unsetenv(name);
}

/* Runs a cell whose policy uses BLAS, and the doctor, with HUNCH_ISA and OPENBLAS_CORETYPE set so
 * (NULL: not). */
static void blas_is(const char *isa, const char *core, const char *recorded, bool warned) {
  g_autoptr(Folder) dir = folder();
  study(dir, "100", "0", "{}");
  set("HUNCH_ISA", isa), set("OPENBLAS_CORETYPE", core);
  g_auto(Run) run =
      hunch(dir, "run s.yaml -j 1 --arm plain --seed 0 policy.plugin=ppo run.determinism=fast");
  if (run.code != 0) g_error("%d %s", run.code, run.err);
  g_autofree char *facts = fake_read(dir, "runs/s/plain/0/run.json");
  expect(facts, recorded);
  g_auto(Run) doctor = hunch(dir, "doctor");
  bool says = strstr(doctor.out, "OPENBLAS_CORETYPE=Haswell keeps it from AVX-512") != NULL;
  g_assert_true(says == warned);
}

/* On a processor with AVX2 the doctor warns of kernels that do without, whoever chose them. */
static void old_kernels(void) {
  static const struct {
    const char *core, *warning; /* NULL: none */
  } told[] = {{"Prescott", "OPENBLAS_CORETYPE=Prescott keeps it from AVX2"},
              {"Nehalem", "OPENBLAS_CORETYPE=Nehalem keeps it from AVX2"},
              {"Haswell", NULL},
              {"Zen", NULL}};
  g_auto(GStrv) before = g_get_environ();
  g_autoptr(Folder) dir = folder();
  if (hn_portable_lacks()) {
    g_test_skip("this machine lacks AVX2");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS(told); i++) {
    set("OPENBLAS_CORETYPE", told[i].core);
    g_auto(Run) run = hunch(dir, "doctor");
    g_autofree char *says =
        g_strdup_printf("kernels %s where run.determinism is fast", told[i].core);
    expect(run.out, says);
    if (told[i].warning) expect(run.out, told[i].warning);
    g_assert_true((strstr(run.out, "without AVX2") || strstr(run.out, "from AVX2")) ==
                  (told[i].warning != NULL));
  }
  set("OPENBLAS_CORETYPE", NULL);
  g_auto(Run) run = hunch(dir, "doctor");
  g_autoptr(GRegex) old =
      g_regex_new("kernels (Prescott|Core2|Penryn|Nehalem|Sandybridge) where", 0, 0, NULL);
  g_assert_true(g_regex_match(old, run.out, 0, NULL) ==
                (strstr(run.out, "it does not know this processor") != NULL));
  set("OPENBLAS_CORETYPE", g_environ_getenv(before, "OPENBLAS_CORETYPE"));
}

/* A variable that holds BLAS to lesser kernels is on record, and the doctor says so. */
static void kernels(void) {
  g_auto(GStrv) before = g_get_environ();
  bool wide = has_avx512();
  blas_is(NULL, "Haswell", "\"openblas_coretype\" : \"Haswell\"", wide);
  if (wide) blas_is(NULL, "Haswell", "\"blas\" : \"Haswell\"", true);
  blas_is("v3", "Haswell", "\"openblas_coretype\" : \"Haswell\"", false);
  blas_is(NULL, NULL, "\"openblas_coretype\" : null", false);
  set("HUNCH_ISA", g_environ_getenv(before, "HUNCH_ISA"));
  set("OPENBLAS_CORETYPE", g_environ_getenv(before, "OPENBLAS_CORETYPE"));
}

/* ---- parts ---- */

static void order(void) {
  HnCell cells[4] = {{.arm = (char *)(guintptr) "a", .seed_index = 0},
                     {.arm = (char *)(guintptr) "a", .seed_index = 1},
                     {.arm = (char *)(guintptr) "b", .seed_index = 0},
                     {.arm = (char *)(guintptr) "b", .seed_index = 1}};
  HnStudy s = {.seeds.count = 2, .cells = g_ptr_array_new()};
  for (int i = 0; i < 4; i++) g_ptr_array_add(s.cells, &cells[i]);
  g_autoptr(GPtrArray) jobs = hn_jobs_new(&s, "d", NULL, NULL, 0);
  static const char *const expected[] = {"a/0", "b/0", "a/1", "b/1"};
  g_assert_cmpuint(jobs->len, ==, 4);
  for (int i = 0; i < 4; i++) g_assert_cmpstr(((HnJob *)jobs->pdata[i])->name, ==, expected[i]);
  const int64_t one = 1;
  g_autoptr(GPtrArray) few = hn_jobs_new(&s, "d", (char *[]){cells[2].arm, NULL}, &one, 1);
  g_assert_cmpuint(few->len, ==, 1);
  g_assert_cmpstr(((HnJob *)few->pdata[0])->dir, ==, "d/b/1");
  g_ptr_array_unref(s.cells);
}

static void progress(void) {
  HnJob job[] = {{.state = HN_JOB_DONE, .total = 1000000, .frames = 1000000},
                 {.state = HN_JOB_RUNNING, .total = 1000000, .frames = 500000},
                 {.state = HN_JOB_FAILED, .total = 1000000, .frames = 250000},
                 {.state = HN_JOB_WAITING, .total = 1000000}};
  g_autoptr(GPtrArray) jobs = g_ptr_array_new();
  for (guint i = 0; i < G_N_ELEMENTS(job); i++) g_ptr_array_add(jobs, &job[i]);
  HnProgress p = {.jobs = jobs, .metric = "eval.return", .before = 1000000};
  g_autofree char *words = hn_progress_words(&p, 60);
  /* 750,000 frames in a minute; 1,500,000 are still to come */
  g_assert_cmpstr(words, ==,
                  "43%  2m00s left  1 running, 1 done, 1 failed of 4 cells  1.75M/4.00M frames");
  job[1].name = (char *)(guintptr) "a/1", job[1].evaluated = 20, job[1].metric = -1.23456;
  g_autofree char *evaluated = hn_progress_words(&p, 60);
  g_assert_cmpstr(
      evaluated, ==,
      "43%  2m00s left  1 running, 1 done, 1 failed of 4 cells  eval.return a/1 -1.235  "
      "1.75M/4.00M frames");
  for (int width = 1; width < 200; width++) {
    g_autofree char *bar = hn_progress_bar(&p, 60, width);
    g_assert_cmpint((int)strlen(bar), <=, width);
  }
  g_autofree char *wide = hn_progress_bar(&p, 60, 150);
  g_assert_true(g_str_has_prefix(wide, "[=============                 ] 43%"));
  static const struct {
    double seconds;
    const char *text;
  } cases[] = {{0.4, "0s"}, {59.6, "1m00s"}, {192, "3m12s"}, {7500, "2h05m"}, {97200, "1d03h"}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    g_autofree char *text = hn_short_duration(cases[i].seconds);
    g_assert_cmpstr(text, ==, cases[i].text);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/run_cli/one_line", one_line);
  g_test_add_func("/run/order", order);
  g_test_add_func("/run/progress", progress);
  g_test_add_func("/run/complete", complete);
  g_test_add_func("/run/awkward_names", awkward_names);
  g_test_add_func("/run/failing", failing);
  g_test_add_func("/run/disturbing", disturbing);
  g_test_add_func("/run/damaged", damaged);
  g_test_add_func("/run/launches", launches);
  g_test_add_func("/run/outputs", outputs);
  g_test_add_func("/run/exchanged", exchanged);
  g_test_add_func("/run/killed_cell", killed_cell);
  g_test_add_func("/run/orphaned", orphaned);
  g_test_add_func("/run/interrupted", interrupted);
  g_test_add_func("/run/stopped_itself", stopped_itself);
  g_test_add_func("/run/stopped_from_outside", stopped_from_outside);
  g_test_add_func("/run/elsewhere", elsewhere);
  g_test_add_func("/run/refusals", refusals);
  g_test_add_func("/run/same_folder", same_folder);
  g_test_add_func("/run/prolonged", prolonged);
  g_test_add_func("/run/kernels", kernels);
  g_test_add_func("/run/old_kernels", old_kernels);
  return g_test_run();
}

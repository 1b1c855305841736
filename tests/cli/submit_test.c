/* submit_test.c - `hunch submit` and `hunch run` beside it, with commands that only look like
 * Slurm's: what is asked of it, what is kept for later, and what of a study is left to do.  A real
 * Slurm is in slurm_test.c. */
#include "error.h"
#include "slurm.h"
#include "slurm_fixture.h"
#include <signal.h>

#define OPTIONS " --partition cpu --time 1:00:00 --max-parallel 2"
static const char study[] =
    "hunch: 1\nname: s\nseeds: {root: 3, count: 2}\nbase:\n"
    "  env: {plugin: trouble}\n  inference: {plugin: none}\n  policy: {plugin: uniform}\n"
    "  run: {frames: 80, rows: 4, checkpoint_every: 1}\n  evaluation: {tasks: 5}\n"
    "arms:\n  plain: {}\n  other: {run: {rows: 8}}\nreport: {baseline: plain}\n";

static Folder *begun(void) {
  Folder *dir = slurm_fixture();
  fake_write(dir, "s.yaml", study);
  fake_write(dir, "queue", "");
  return dir;
}

static bool is_there(const char *dir, const char *name) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

static Run submit(const char *dir, const char *more) {
  g_autofree char *arguments = g_strconcat("submit s.yaml" OPTIONS " ", more, NULL);
  return hunch(dir, g_strchomp(arguments));
}

/* Asserts that a study was submitted as array `job`. */
static void submits(const char *dir, const char *job) {
  g_auto(Run) run = submit(dir, "");
  if (run.code != 0) g_error("%s", run.err);
  g_assert_cmpstr(run.out, ==, job);
}

static void refuses(const char *dir, const char *arguments, int code, const char *why) {
  g_auto(Run) run = hunch(dir, arguments);
  g_assert_cmpint(run.code, ==, code);
  g_assert_cmpstr(run.out, ==, "");
  expect(run.err, why);
}

/* The cells that a script runs, "plain/0 other/0 ..". */
static char *cells_of(const char *script) {
  g_auto(GStrv) parts = g_strsplit(script, "cells=(", 2);
  g_assert_nonnull(parts[1]);
  parts[1][strcspn(parts[1], ")")] = 0;
  g_auto(GStrv) words = g_regex_split_simple("\\s+", g_strstrip(parts[1]), 0, 0);
  return g_strjoinv(" ", words);
}

/* ---- what is asked of Slurm ---- */

/* Forms of the manual page of sbatch, and how long before the end USR1 comes: two minutes, or half
 * of the time where that is less. */
static void test_times(void) {
  static const struct {
    const char *time;
    int lead;
  } good[] = {{"1", 30},     {"3", 90},        {"2:30", 75},        {"0:10", 5},
              {"5", 120},    {"1:00:00", 120}, {"0:01:10", 35},     {"1-0", 120},
              {"0-0:2", 60}, {"1-12:30", 120}, {"2-00:00:01", 120}, {"UNLIMITED", 120}};
  static const char *const bad[] = {"0",     "0:0:0", "1h",  "1:99",
                                    "1-24",  "-5",    "4.5", "1:2:3:4",
                                    "1-2-3", "soon",  "1:",  "99999999999999999999"};
  g_autoptr(Folder) dir = begun();
  for (guint i = 0; i < G_N_ELEMENTS(good); i++) {
    g_autofree char *arguments = g_strdup_printf(
        "submit s.yaml --partition cpu --max-parallel 2 --dry-run --time %s", good[i].time);
    g_autofree char *time = g_strdup_printf("#SBATCH --time=%s\n", good[i].time);
    g_autofree char *lead = g_strdup_printf("#SBATCH --signal=B:USR1@%d\n", good[i].lead);
    g_auto(Run) run = hunch(dir, arguments);
    if (run.code != 0) g_error("%s", run.err);
    expect(run.out, time), expect(run.out, lead);
  }
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *arguments = g_strdup_printf(
        "submit s.yaml --partition cpu --max-parallel 2 --dry-run --time=%s", bad[i]);
    refuses(dir, arguments, 2, "expected minutes, minutes:seconds, hours:minutes:seconds");
  }
}

static void test_refusals(void) {
  static const struct {
    const char *more, *why;
  } bad[] = {
      {"--partition a;b", "--partition 'a;b': expected the name of a partition"},
      {"--partition a,,b", "--partition 'a,,b'"},
      {"--max-parallel 0", "--max-parallel wants a number of cells, from 1"},
      {"--cpus 0", "--cpus wants a number of processors, from 1"},
      {"--mem 4GB", "--mem '4GB': expected a size with K, M, G or T, as 4G"},
      {"--sbatch account=lab", "--sbatch 'account=lab': expected a long option of sbatch"},
      {"--sbatch -A", "--sbatch '-A': expected a long option of sbatch"},
      {"--sbatch --array=0-3", "--sbatch '--array=0-3': hunch sets --array itself"},
      {"--partitoin b", "did you mean --partition?"},
      {"-o a:b", "a folder for Slurm must not have ':'"},
  };
  g_autoptr(Folder) dir = begun();
  for (guint i = 0; i < G_N_ELEMENTS(bad); i++) {
    g_autofree char *arguments = g_strconcat("submit s.yaml" OPTIONS " ", bad[i].more, NULL);
    refuses(dir, arguments, 2, bad[i].why);
  }
  refuses(dir, "submit s.yaml --time 5 --max-parallel 2", 2, "--partition is missing: expected");
  refuses(dir, "submit s.yaml --partition cpu --max-parallel 2", 2, "--time is missing: expected");
  refuses(dir, "submit s.yaml --partition cpu --time 5", 2, "--max-parallel wants");
  g_setenv("PATH", "/nowhere", TRUE);
  refuses(dir, "submit s.yaml" OPTIONS, 2, "sbatch is not installed here");
  g_assert_false(is_there(dir, "runs"));
}

/* The script is one that bash reads, says what was asked for, and is what a dry run had shown. */
static void test_dry_run(void) {
  static const char *const lines[] = {
      "#SBATCH --job-name=s-1\n",         "#SBATCH --partition=cpu\n",
      "#SBATCH --time=1:00:00\n",         "#SBATCH --array=0-3%2\n",
      "#SBATCH --cpus-per-task=3\n",      "#SBATCH --mem=4G\n",
      "#SBATCH --account=lab\n",          "#SBATCH --requeue\n",
      "#SBATCH --open-mode=append\n",     "#SBATCH '--comment=a%b&c'\n",
      "#SBATCH --output=slurm/1/%a.log\n"};
  static const char more[] =
      "--mem 4G --sbatch --account=lab --sbatch --comment=a%b&c run.workers=3";
  g_autoptr(Folder) dir = begun();
  g_autofree char *dry = g_strconcat("--dry-run ", more, NULL);
  g_auto(Run) shown = submit(dir, dry);
  if (shown.code != 0) g_error("%s", shown.err);
  g_assert_false(is_there(dir, "runs") || is_there(dir, "calls"));
  for (guint i = 0; i < G_N_ELEMENTS(lines); i++) expect(shown.out, lines[i]);
  g_auto(Run) real = submit(dir, more);
  g_assert_cmpint(real.code, ==, 0);
  g_assert_cmpstr(real.out, ==, "101\n");
  g_autofree char *script = fake_read(dir, "runs/s/slurm/1/job.sh");
  g_assert_cmpstr(script, ==, shown.out);
  g_autofree char *calls = fake_read(dir, "calls"), *cells = cells_of(script);
  g_autofree char *call = g_strdup_printf("sbatch --parsable %s/runs/s/slurm/1/job.sh\n", dir);
  g_assert_cmpstr(calls, ==, call);
  g_assert_cmpstr(cells, ==, "plain/0 other/0 plain/1 other/1");
  g_autofree char *check = g_strdup_printf("/bin/bash -n %s/runs/s/slurm/1/job.sh", dir);
  g_assert_cmpint(system(check), ==, 0);
}

/* ---- what runs later ---- */

/* Starts task `index` of a script as Slurm would. */
static GSubprocess *begin_task(const char *dir, int submission, int index) {
  g_autofree char *study_folder = g_build_filename(dir, "runs/s", NULL);
  g_autofree char *script = g_strdup_printf("slurm/%d/job.sh", submission);
  g_autofree char *task = g_strdup_printf("%d", index);
  g_autofree char *loaded = g_build_filename(dir, "loaded", NULL);
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_set_cwd(launcher, study_folder);
  g_subprocess_launcher_unsetenv(launcher, "HUNCH_PLUGIN_PATH");
  g_subprocess_launcher_setenv(launcher, "SLURM_ARRAY_JOB_ID", "101", TRUE);
  g_subprocess_launcher_setenv(launcher, "SLURM_ARRAY_TASK_ID", task, TRUE);
  g_subprocess_launcher_setenv(launcher, "LD_DEBUG", "libs", TRUE);
  g_subprocess_launcher_setenv(launcher, "LD_DEBUG_OUTPUT", loaded, TRUE);
  g_autoptr(GError) error = NULL;
  GSubprocess *p = g_subprocess_launcher_spawn(launcher, &error, "/bin/bash", script, NULL);
  g_assert_no_error(error);
  return p;
}

static void copy(const char *from, const char *to) {
  g_autofree char *text = NULL, *above = g_path_get_dirname(to);
  gsize length;
  g_assert_true(g_file_get_contents(from, &text, &length, NULL));
  g_mkdir_with_parents(above, 0777);
  g_assert_true(g_file_set_contents(to, text, (gssize)length, NULL));
}

static void same_cells(const char *a, const char *b, const char *const *cells) {
  static const char *const names[] = {"metrics.csv", "episodes.csv", "trace.bin"};
  for (; *cells; cells++)
    for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
      g_autofree char *x = g_build_filename(a, *cells, names[i], NULL), *in_x = NULL;
      g_autofree char *y = g_build_filename(b, *cells, names[i], NULL), *in_y = NULL;
      gsize n, m;
      g_assert_true(g_file_get_contents(x, &in_x, &n, NULL) && n > 0);
      g_assert_true(g_file_get_contents(y, &in_y, &m, NULL));
      g_assert_cmpmem(in_x, n, in_y, m);
    }
}

/* What the dynamic loader says it took, of all processes, and of which file. */
static bool was_loaded(const char *dir, const char *file) {
  g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
  g_autofree char *line = g_strdup_printf("calling init: %s\n", file);
  bool found = false;
  for (const char *name; (name = g_dir_read_name(d)) && !found;) {
    if (!g_str_has_prefix(name, "loaded.")) continue;
    g_autofree char *text = fake_read(dir, name);
    found = strstr(text, line) != NULL;
  }
  return found;
}

/* Cells run the program, the kit and the plugins that were there at submission, one of them found
 * by its name and one given as a path, and leave the bits of a run at once; and then there is
 * nothing to do. */
static void test_frozen(void) {
  static const char *const cells[] = {"plain/0", "other/0", "plain/1", "other/1", NULL};
  g_autoptr(Folder) dir = begun();
  g_autofree char *named = g_build_filename(dir, "named/trouble.so", NULL);
  g_autofree char *folder_of_named = g_path_get_dirname(named);
  g_autofree char *given = g_build_filename(dir, "given/uniform.so", NULL);
  fake_patch(dir, "s.yaml", "plugin: uniform", "plugin: ./given/uniform.so");
  fake_patch(dir, "s.yaml", "{plugin: none}", "{plugin: recurrent}");
  copy(TROUBLE "/trouble.so", named), copy(PLUGINS "/uniform.so", given);
  g_auto(Run) local = hunch_among(folder_of_named, dir, "run s.yaml -o local");
  if (local.code != 0) g_error("%s", local.err);
  g_auto(Run) sent = hunch_among(folder_of_named, dir, "submit s.yaml" OPTIONS);
  if (sent.code != 0) g_error("%s", sent.err);
  fake_write(folder_of_named, "trouble.so", "built anew, and no plugin");
  g_assert_cmpint(g_unlink(given), ==, 0);
  for (int i = 0; i < 4; i++) {
    g_auto(Run) run = end(begin_task(dir, 1, i));
    if (run.code != 0) g_error("%s", run.err);
    expect(run.err, cells[i]);
  }
  g_autofree char *a = g_build_filename(dir, "local", NULL);
  g_autofree char *b = g_build_filename(dir, "runs/s", NULL);
  same_cells(a, b, cells);
  g_autofree char *frozen = g_build_filename(b, "slurm/frozen", NULL);
  g_autoptr(GDir) sets = g_dir_open(frozen, 0, NULL);
  g_autofree char *set = g_build_filename(frozen, g_dir_read_name(sets), NULL);
  g_autofree char *kit = g_build_filename(set, "lib/libhunch-kit.so.1", NULL);
  g_autofree char *plugin = g_build_filename(set, "plugins/trouble.so", NULL);
  g_assert_null(g_dir_read_name(sets));
  g_assert_true(was_loaded(dir, kit) && was_loaded(dir, plugin));
  g_assert_false(was_loaded(dir, KIT "/libhunch-kit.so.1"));
  copy(TROUBLE "/trouble.so", named), copy(PLUGINS "/uniform.so", given);
  g_auto(Run) again = hunch_among(folder_of_named, dir, "submit s.yaml" OPTIONS);
  expect(again.err, "runs/s: 4 cells, 4 done before, 0 with Slurm already\n");
  expect(again.err, "nothing is left to submit");
  g_assert_cmpstr(again.out, ==, "");
}

/* Interrupts a task; says whether it was put back into the queue where Slurm is in `state`. */
static bool comes_back(const char *state) {
  g_autoptr(Folder) dir = begun();
  fake_patch(dir, "s.yaml", "plugin: trouble", "plugin: trouble, delay: 50000");
  fake_patch(dir, "s.yaml", "frames: 80", "frames: 2000");
  fake_write(dir, "state", state);
  submits(dir, "101\n");
  GSubprocess *p = begin_task(dir, 1, 0);
  g_autofree char *cell = g_build_filename(dir, "runs/s/plain/0", NULL);
  wait_for_cell(p, cell);
  g_subprocess_send_signal(p, SIGUSR1);
  g_auto(Run) run = end(p);
  g_assert_cmpint(run.code, ==, 75);
  g_autofree char *facts = fake_read(cell, "run.json"), *calls = fake_read(dir, "calls");
  expect(facts, "\"status\" : \"interrupted\"");
  return strstr(calls, "\nscontrol requeue 101_0\n") != NULL;
}

/* A task that was cancelled is completing when it asks. */
static void test_requeue(void) {
  g_assert_true(comes_back("RUNNING\n"));
  g_assert_true(comes_back("SIGNALING\n"));
  g_assert_false(comes_back("COMPLETING\n"));
  g_assert_false(comes_back("CANCELLED\n"));
  g_assert_false(comes_back("PENDING\n"));
}

/* ---- what is left to do ---- */

/* Has squeue say of tasks of array 101 what is asked for, among lines of others that look alike. */
static void queue(const char *dir, const char *const *states) {
  GString *text = g_string_new(NULL);
  for (int i = 0; states[i]; i++) {
    g_string_append_printf(text, "101|%d|%s|node1|None|s-1|%s/runs/s\n", i, states[i], dir);
    g_string_append_printf(text, "101|%d|RUNNING|node1|None|s-1|%s/runs/t\n", i, dir);
    g_string_append_printf(text, "90|%d|RUNNING|node1|None|s-1|%s/runs/s\n", i, dir);
    g_string_append_printf(text, "101|%d|RUNNING|node1|None|s-10|%s/runs/s\n", i, dir);
  }
  g_string_append(text, "7|N/A|RUNNING|node1|None|bash|/root\n\n");
  fake_write(dir, "queue", text->str);
  g_string_free(text, TRUE);
}

/* Tasks 0 to 3 are plain/0, other/0, plain/1, other/1. */
static void test_left(void) {
  static const char *const states[] = {"PENDING", "COMPLETED", "NODE_FAIL", "COMPLETING", NULL};
  static const char *const none[] = {NULL};
  g_autoptr(Folder) dir = begun();
  submits(dir, "101\n");
  queue(dir, states);
  g_auto(Run) local =
      hunch(dir, "run s.yaml --seed 0"); /* runs what has ended without being done */
  g_assert_cmpint(local.code, ==, 4);
  expect(local.err, "runs/s: 1 cell is with Slurm (1 PENDING); left alone\n");
  g_assert_true(is_there(dir, "runs/s/other/0/run.json"));
  g_assert_false(is_there(dir, "runs/s/plain/0"));
  g_auto(Run) again = submit(dir, "");
  g_assert_cmpstr(again.out, ==, "102\n");
  expect(again.err, "4 cells, 1 done before, 2 with Slurm already (1 COMPLETING, 1 PENDING)\n");
  g_autofree char *script = fake_read(dir, "runs/s/slurm/2/job.sh"), *cells = cells_of(script);
  g_assert_cmpstr(cells, ==, "plain/1");
  queue(dir, none); /* forgotten by Slurm: all has ended */
  g_auto(Run) rest = hunch(dir, "run s.yaml");
  g_assert_cmpint(rest.code, ==, 0);
  expect(rest.err, "4 cells, 1 done before");
}

/* A cell that a process is running is not submitted; `hunch status` says of the others what Slurm
 * does with them. */
static void test_status(void) {
  static const char *const states[] = {"RUNNING", "PENDING", "TIMEOUT", NULL};
  g_autoptr(Folder) dir = begun();
  fake_patch(dir, "s.yaml", "plugin: trouble", "plugin: trouble, delay: 50000");
  fake_patch(dir, "s.yaml", "frames: 80", "frames: 2000");
  GSubprocess *local = begin(dir, "run s.yaml --arm plain --seed 0");
  g_autofree char *cell = g_build_filename(dir, "runs/s/plain/0", NULL);
  wait_for_cell(local, cell);
  g_auto(Run) sent = submit(dir, "");
  g_assert_cmpstr(sent.out, ==, "101\n");
  expect(sent.err, "runs/s: 1 cell runs elsewhere; left alone\n");
  g_autofree char *script = fake_read(dir, "runs/s/slurm/1/job.sh"), *cells = cells_of(script);
  g_assert_cmpstr(cells, ==, "other/0 plain/1 other/1");
  queue(dir, states);
  g_auto(Run) status = hunch(dir, "status runs/s");
  expect(status.out, "other/0: in Slurm RUNNING as task 101_0\n");
  expect(status.out, "plain/1: in Slurm PENDING as task 101_1\n");
  expect(status.out, "other/1: in Slurm TIMEOUT as task 101_2\n");
  g_assert_null(strstr(status.out, "plain/0: in Slurm"));
  g_autofree char *queue_file = g_build_filename(dir, "queue", NULL);
  g_unlink(queue_file);
  g_auto(Run) silent = hunch(dir, "status runs/s");
  g_assert_cmpint(silent.code, ==, 0);
  expect(silent.err, "what Slurm has is not shown: squeue failed");
  g_subprocess_send_signal(local, SIGTERM);
  g_auto(Run) run = end(local);
  g_assert_cmpint(run.code, ==, 75);
}

/* A study that was changed is not mixed with what is queued of it. */
static void test_changed(void) {
  static const char *const states[] = {"PENDING", "PENDING", "PENDING", "PENDING", NULL};
  g_autoptr(Folder) dir = begun();
  submits(dir, "101\n");
  queue(dir, states);
  g_autofree char *plan = fake_read(dir, "runs/s/study.json");
  refuses(dir, "submit s.yaml env.horizon=6" OPTIONS, 2,
          "plain/0 is with Slurm (101_0, PENDING) with another configuration or other plugins: "
          "choose another folder with -o, or scancel 101");
  refuses(dir, "run s.yaml env.horizon=6", 2, "with another configuration");
  g_autofree char *after = fake_read(dir, "runs/s/study.json");
  g_assert_cmpstr(plan, ==, after);
  g_auto(Run) same = submit(dir, "run.workers=2"); /* changes no result */
  expect(same.err, "4 with Slurm already (4 PENDING)");
}

/* Where Slurm does not answer, nothing that may be queued is run; what never was is. */
static void test_silence(void) {
  g_autoptr(Folder) dir = begun();
  submits(dir, "101\n");
  g_autofree char *queue_file = g_build_filename(dir, "queue", NULL);
  g_unlink(queue_file);
  refuses(dir, "run s.yaml", 1,
          "whether they are still queued cannot be asked: squeue failed: command: error: out of "
          "order; where they are not, remove runs/s/slurm");
  refuses(dir, "submit s.yaml" OPTIONS, 1, "squeue failed");
  g_setenv("PATH", "/nowhere", TRUE);
  refuses(dir, "run s.yaml", 2, "squeue is not installed here");
  g_assert_false(is_there(dir, "runs/s/plain"));
  g_auto(Run) run = hunch(dir, "run s.yaml -o elsewhere");
  g_assert_cmpint(run.code, ==, 0);
  fake_patch(dir, "runs/s/slurm/1/submission.json", "\"plain/1\"", "\"plain/7\"");
  refuses(dir, "run s.yaml", 1, "submission.json");
}

/* What Slurm refuses leaves no trace among submissions; what it may have taken does. */
static void test_refused_by_slurm(void) {
  static const char *const states[] = {"PENDING", "PENDING", "PENDING", "PENDING", NULL};
  g_autoptr(Folder) dir = begun();
  fake_write(dir, "refuses", "sbatch: error: invalid partition specified: cpu\n");
  refuses(dir, "submit s.yaml" OPTIONS, 1,
          "runs/s/slurm/1/job.sh: sbatch failed: sbatch: error: invalid partition specified: cpu");
  g_assert_false(is_there(dir, "runs/s/slurm/1/submission.json"));
  fake_write(dir, "refuses", "sbatch: error: Socket timed out on send/recv operation\n");
  refuses(dir, "submit s.yaml" OPTIONS, 1, "timed out");
  g_assert_true(is_there(dir, "runs/s/slurm/1/submission.json"));
  queue(dir, states); /* it had */
  g_auto(Run) again = submit(dir, "");
  expect(again.err, "4 with Slurm already (4 PENDING)");
}

/* A cell that starts from another one's weights waits for the array of that one, also where Slurm
 * has that already. */
static void test_weights(void) {
  static const char *const states[] = {"RUNNING", "RUNNING", NULL};
  g_autoptr(Folder) dir = begun();
  fake_patch(dir, "s.yaml", "{plugin: none}", "{plugin: recurrent}");
  fake_patch(dir, "s.yaml", "  other: {run: {rows: 8}}\n", "  tuned: {weights: {arm: plain}}\n");
  g_auto(Run) run = submit(dir, "");
  if (run.code != 0) g_error("%s", run.err);
  g_assert_cmpstr(run.out, ==, "101\n102\n");
  g_autofree char *calls = fake_read(dir, "calls");
  g_autofree char *expected = g_strdup_printf("sbatch --parsable %s/runs/s/slurm/1/job.sh\n"
                                              "sbatch --parsable --dependency=afterany:101 "
                                              "%s/runs/s/slurm/2/job.sh\n",
                                              dir, dir);
  g_assert_cmpstr(calls, ==, expected);
  g_autofree char *second = fake_read(dir, "runs/s/slurm/2/job.sh"), *cells = cells_of(second);
  g_assert_cmpstr(cells, ==, "tuned/0 tuned/1");
  queue(dir, states); /* the second has ended, without having run */
  g_auto(Run) again = submit(dir, "");
  g_assert_cmpstr(again.out, ==, "103\n");
  g_autofree char *more = fake_read(dir, "calls");
  g_autofree char *last = g_strdup_printf(
      "\nsbatch --parsable --dependency=afterany:101 %s/runs/s/slurm/3/job.sh\n", dir);
  g_assert_true(g_str_has_suffix(more, last));
}

/* No array is longer than Slurm's usual limit; of 1200 cells the last 200 wait for the others. */
static void test_many(void) {
  g_autoptr(Folder) dir = begun();
  g_auto(Run) run = submit(dir, "--dry-run seeds.count=600");
  g_assert_cmpint(run.code, ==, 0);
  g_auto(GStrv) scripts = g_strsplit(run.out, "#!/bin/bash\n", -1);
  g_assert_cmpuint(g_strv_length(scripts), ==, 3);
  expect(scripts[1], "#SBATCH --array=0-999%2\n");
  expect(scripts[2], "#SBATCH --array=0-199%2\n");
  expect(scripts[2], "\n  other/599\n)\n");
}

/* ---- what became of cells ---- */

static void says(GHashTable *jobs, const char *cell, const char *id, const char *state,
                 const char *node, const char *reason, bool live) {
  const HnSlurmJob *j = g_hash_table_lookup(jobs, cell);
  g_assert_nonnull(j);
  g_autofree char *is = g_strdup_printf("%d_%d", (int)j->job, (int)j->task);
  g_assert_cmpstr(is, ==, id);
  g_assert_cmpstr(j->state, ==, state);
  g_assert_cmpstr(j->node, ==, node);
  g_assert_cmpstr(j->reason, ==, reason);
  g_assert_cmpint(j->live, ==, live);
}

static void set(const char *dir, const char *name, const char *lines) {
  g_auto(GStrv) parts = g_strsplit(lines, "DIR", -1);
  g_autofree char *text = g_strjoinv(dir, parts);
  fake_write(dir, name, text);
}

/* What squeue says counts before what sacct remembers, a live task before one that has ended, and a
 * later one before an earlier one; what neither knows is not there. */
static void test_jobs(void) {
  g_autoptr(Folder) dir = begun();
  g_autofree char *place = g_build_filename(dir, "runs/s", NULL);
  g_autoptr(GError) error = NULL;
  g_autoptr(GHashTable) none = hn_slurm_jobs(place, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(g_hash_table_size(none), ==, 0);
  submits(dir, "101\n"); /* plain/0 other/0 plain/1 other/1 */
  set(dir, "queue", "101|1|PENDING|n[1-2]|Resources|s-1|DIR/runs/s\n");
  g_auto(Run) more = submit(dir, ""); /* plain/0 plain/1 other/1 */
  g_assert_cmpstr(more.out, ==, "102\n");
  set(dir, "queue",
      "101|0|RUNNING|node1|None|s-1|DIR/runs/s\n101|1|PENDING||Resources|s-1|DIR/runs/s\n"
      "102|0|CANCELLED||None|s-2|DIR/runs/s\n");
  set(dir, "accounts",
      "101_0|FAILED|node3|None|DIR/runs/s\n101_2|TIMEOUT|node1|None|DIR/runs/s\n"
      "102_1|CANCELLED by 1000|node2|None|DIR/runs/s\n102_[3-9]|PENDING||None|DIR/runs/s\n"
      "102_2|COMPLETED|node2|None|DIR/runs/other\n");
  g_autoptr(GHashTable) jobs = hn_slurm_jobs(place, &error);
  g_assert_no_error(error);
  says(jobs, "plain/0", "101_0", "RUNNING", "node1", "", true);
  says(jobs, "other/0", "101_1", "PENDING", "", "Resources", true);
  says(jobs, "plain/1", "102_1", "CANCELLED", "node2", "", false);
  g_assert_cmpuint(g_hash_table_size(jobs), ==, 3);
  g_autofree char *accounts = g_build_filename(dir, "accounts", NULL);
  g_unlink(accounts); /* a cluster without any */
  g_autoptr(GHashTable) fewer = hn_slurm_jobs(place, &error);
  g_assert_no_error(error);
  g_assert_cmpuint(g_hash_table_size(fewer), ==, 2);
  g_autofree char *queue_file = g_build_filename(dir, "queue", NULL);
  g_unlink(queue_file);
  g_assert_null(hn_slurm_jobs(place, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_PROGRAM);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/submit/times", test_times);
  g_test_add_func("/submit/refusals", test_refusals);
  g_test_add_func("/submit/dry-run", test_dry_run);
  g_test_add_func("/submit/frozen", test_frozen);
  g_test_add_func("/submit/requeue", test_requeue);
  g_test_add_func("/submit/left", test_left);
  g_test_add_func("/submit/status", test_status);
  g_test_add_func("/submit/changed", test_changed);
  g_test_add_func("/submit/silence", test_silence);
  g_test_add_func("/submit/refused-by-slurm", test_refused_by_slurm);
  g_test_add_func("/submit/weights", test_weights);
  g_test_add_func("/submit/many", test_many);
  g_test_add_func("/submit/jobs", test_jobs);
  return g_test_run();
}

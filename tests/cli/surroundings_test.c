/* surroundings_test.c - what `hunch` finds around itself when it starts or meets while it runs: few
 * processors, little address space, a terminal that is closed or asks it to stop. */
#include "cli_fixture.h"
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

static void study(const char *dir) {
  fake_write(dir, "s.yaml",
             "hunch: 1\nname: s\nseeds: {root: 3, count: 2}\nbase:\n"
             "  env: {plugin: trouble, delay: 2000}\n  inference: {plugin: none}\n"
             "  policy: {plugin: uniform}\n  run: {frames: 800, rows: 4, checkpoint_every: 2}\n"
             "  evaluation: {tasks: 4}\n");
}

/* As begin(), after `set_up` in the child. */
static GSubprocess *begin_in(GSpawnChildSetupFunc set_up, const char *dir, const char *arguments) {
  g_autofree char *line = g_strconcat(HUNCH " ", arguments, NULL);
  g_auto(GStrv) argv = g_strsplit(line, " ", -1);
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_set_cwd(launcher, dir);
  g_subprocess_launcher_setenv(launcher, "HUNCH_PLUGIN_PATH", TROUBLE, TRUE);
  g_subprocess_launcher_unsetenv(launcher, "OPENBLAS_NUM_THREADS");
  g_subprocess_launcher_set_child_setup(launcher, set_up, NULL, NULL);
  g_autoptr(GError) error = NULL;
  GSubprocess *p = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, &error);
  g_assert_no_error(error);
  return p;
}

static void on_one_processor(gpointer arg) {
  cpu_set_t all, one;
  (void)arg;
  CPU_ZERO(&one);
  if (sched_getaffinity(0, sizeof all, &all) != 0) _exit(1);
  for (int i = 0; i < CPU_SETSIZE && !CPU_COUNT(&one); i++)
    if (CPU_ISSET(i, &all)) CPU_SET(i, &one);
  if (sched_setaffinity(0, sizeof one, &one) != 0) _exit(1);
}

/* As many cells at once as processors that this process may use, not as there are. */
static void test_processors(void) {
  g_autoptr(Folder) dir = folder();
  study(dir);
  g_auto(Run) run = end(begin_in(on_one_processor, dir, "run s.yaml env.delay=0 run.frames=80"));
  if (run.code != 0) g_error("%s", run.err);
  expect(run.err, "2 cells, 0 done before, up to 1 at once");
}

static void in_150_mb(gpointer arg) {
  const struct rlimit limit = {150000000, 150000000};
  (void)arg;
  if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(1);
}

/* A verb that computes nothing starts none of BLAS' threads, for which there is no room. */
static void test_address_space(void) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  g_test_skip("a sanitizer takes more address space");
#else
  g_auto(Run) run = end(begin_in(in_150_mb, "/", "--version"));
  g_assert_cmpstr(run.err, ==, "");
  g_assert_cmpint(run.code, ==, 0);
#endif
}

static void ignoring_hangup(gpointer arg) {
  (void)arg;
  signal(SIGHUP, SIG_IGN);
}

static void listening(gpointer arg) {
  (void)arg;
  signal(SIGHUP, SIG_DFL);
}

/* The terminal is closed: under nohup the run goes on to its end, else it is interrupted. */
static void hang_up(GSpawnChildSetupFunc set_up, int code, const char *status) {
  g_autoptr(Folder) dir = folder();
  study(dir);
  g_autofree char *cell = g_build_filename(dir, "runs/s/base/0", NULL);
  GSubprocess *p = begin_in(set_up, dir, "run s.yaml -j 1");
  wait_for_cell(p, cell); /* which is in a group of its own, that no terminal signals */
  g_subprocess_send_signal(p, SIGHUP);
  g_auto(Run) run = end(p);
  if (run.code != code) g_error("%d %s", run.code, run.err);
  g_autofree char *facts = fake_read(cell, "run.json");
  expect(facts, status);
}

static void test_hangup(void) {
  hang_up(ignoring_hangup, 0, "\"status\" : \"done\"");
  hang_up(listening, 75, "\"status\" : \"interrupted\"");
}

/* Waits until the process is stopped, or is no longer. */
static void wait_for_state(const char *pid, bool stopped) {
  g_autofree char *path = g_strdup_printf("/proc/%s/stat", pid);
  for (int i = 0; i < 500; i++, g_usleep(20000)) {
    g_autofree char *text = NULL;
    const char *end = g_file_get_contents(path, &text, NULL, NULL) ? strrchr(text, ')') : NULL;
    if (!end || (end[2] == 'T') == stopped) return;
  }
  g_error("process %s is %sstopped", pid, stopped ? "not " : "");
}

/* Ctrl-Z stops the cells with the run, and what lets it go on does so with them. */
static void test_stop(void) {
  g_autoptr(Folder) dir = folder();
  study(dir);
  g_autofree char *saved = g_build_filename(dir, "runs/s/base/0", NULL);
  GSubprocess *p = begin_in(listening, dir, "run s.yaml -j 1");
  g_autofree char *cell = g_strdup_printf("%d", wait_for_cell(p, saved));
  g_autofree char *run_pid = g_strdup(g_subprocess_get_identifier(p));
  g_subprocess_send_signal(p, SIGTSTP);
  wait_for_state(run_pid, true), wait_for_state(cell, true);
  g_autofree char *before = fake_read(saved, "metrics.csv");
  g_usleep(100000);
  g_autofree char *after = fake_read(saved, "metrics.csv");
  g_assert_cmpstr(before, ==, after);
  g_subprocess_send_signal(p, SIGCONT);
  wait_for_state(run_pid, false), wait_for_state(cell, false);
  g_auto(Run) run = end(p);
  if (run.code != 0) g_error("%d %s", run.code, run.err);
  expect(run.out, "2 of 2 cells done");
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/surroundings/processors", test_processors);
  g_test_add_func("/surroundings/address_space", test_address_space);
  g_test_add_func("/surroundings/hangup", test_hangup);
  g_test_add_func("/surroundings/stop", test_stop);
  return g_test_run();
}

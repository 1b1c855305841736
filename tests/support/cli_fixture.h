/* cli_fixture.h - runs the program as users do, in folders of the test's own. */
#ifndef HN_CLI_FIXTURE_H
#define HN_CLI_FIXTURE_H
#include "results_fixture.h"
#include <gio/gio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/wait.h>

typedef struct Run {
  char *out, *err;
  int code;
} Run;

static inline void clear(Run *run) {
  g_free(run->out);
  g_free(run->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, clear)

static inline void remove_folder(char *dir) {
  if (dir) fake_remove(dir);
  g_free(dir);
}
typedef char Folder;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Folder, remove_folder)

static inline Folder *folder(void) {
  char *dir = g_dir_make_tmp("hunch-run-XXXXXX", NULL);
  g_assert_nonnull(dir);
  return dir;
}

/* Starts "hunch ARGUMENTS", split at spaces, in `dir`, which is also where it keeps what outlasts
 * it, with plugins from `path` as well. */
static inline GSubprocess *begin_among(const char *path, const char *dir, const char *arguments) {
  g_autofree char *line = g_strconcat(HUNCH " ", arguments, NULL);
  g_auto(GStrv) argv = g_strsplit(line, " ", -1);
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *state = dir ? g_build_filename(dir, ".state", NULL) : NULL;
  if (dir) g_subprocess_launcher_set_cwd(launcher, dir);
  if (dir) g_subprocess_launcher_setenv(launcher, "XDG_STATE_HOME", state, TRUE);
  g_subprocess_launcher_setenv(launcher, "HUNCH_PLUGIN_PATH", path, TRUE);
  GError *error = NULL;
  GSubprocess *p = g_subprocess_launcher_spawnv(launcher, (const char *const *)argv, &error);
  g_assert_no_error(error);
  return p;
}

static inline GSubprocess *begin(const char *dir, const char *arguments) {
  return begin_among(TROUBLE, dir, arguments);
}

static inline Run end(GSubprocess *p) {
  Run run = {NULL, NULL, -1};
  g_assert_true(g_subprocess_communicate_utf8(p, NULL, NULL, &run.out, &run.err, NULL));
  g_assert_true(g_subprocess_get_if_exited(p));
  run.code = g_subprocess_get_exit_status(p);
  g_object_unref(p);
  return run;
}

static inline Run hunch(const char *dir, const char *arguments) {
  return end(begin(dir, arguments));
}

static inline Run hunch_among(const char *path, const char *dir, const char *arguments) {
  return end(begin_among(path, dir, arguments));
}

/* The exit code of a line of the shell in `dir`, -1 where a signal ends it. */
static inline int shell(const char *dir, const char *line) {
  const char *argv[] = {"sh", "-c", line, NULL};
  int status = -1;
  g_assert_true(g_spawn_sync(dir, (char **)(guintptr)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                             NULL, NULL, &status, NULL));
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static inline void expect(const char *text, const char *part) {
  if (!strstr(text, part)) g_error("expected \"%s\" in: %s", part, text);
}

static inline void same_file(const char *a, const char *b, const char *name) {
  g_autofree char *in_a = fake_read(a, name);
  g_autofree char *in_b = fake_read(b, name);
  g_assert_cmpstr(in_a, ==, in_b);
}

/* The pid of the first running child of this run, or 0. */
static inline int child_of(GSubprocess *run) {
  const char *pid = g_subprocess_get_identifier(run);
  g_autofree char *children = g_strdup_printf("/proc/%s/task/%s/children", pid, pid), *text = NULL;
  return g_file_get_contents(children, &text, NULL, NULL) ? atoi(text) : 0;
}

/* The pid of a running `hunch cell` of this run, once it has written a checkpoint. */
static inline int wait_for_cell(GSubprocess *run, const char *dir) {
  g_autofree char *saved = g_build_filename(dir, "ckpt", NULL);
  for (int i = 0; i < 500; i++, g_usleep(20000)) {
    g_autoptr(GDir) any = g_dir_open(saved, 0, NULL);
    const int pid = any && g_dir_read_name(any) ? child_of(run) : 0;
    if (pid > 0) return pid;
  }
  g_error("no cell wrote a checkpoint");
}

/* How a segmentation fault in a plugin ends its process: a sanitizer catches it and exits. */
#ifdef __SANITIZE_ADDRESS__
#  define SEGV "ended by exit(1)"
#else
#  define SEGV "killed by signal 11 (Segmentation fault)"
#endif

/* Whether processes that end by a plugin's exit() look for leaks, which gives another exit code. */
static inline void report_leaks(bool on) {
  const char *options = g_getenv("ASAN_OPTIONS");
  g_autofree char *both = g_strdup_printf("%s:detect_leaks=%d", options ? options : "", on);
  g_setenv("ASAN_OPTIONS", both, TRUE);
}

/* 'T': stopped, 'Z': ended; proc(5).  A process that is gone is in none. */
static inline bool is_in_state(int pid, char state) {
  g_autofree char *name = g_strdup_printf("/proc/%d/stat", pid), *text = NULL;
  const char *after = g_file_get_contents(name, &text, NULL, NULL) ? strrchr(text, ')') : NULL;
  return after && after[2] == state;
}

#endif

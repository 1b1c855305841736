/* cmd_cell.c - `hunch cell DIR [- [BUILDS]|UPDATES]`, which `hunch run` starts once per cell: takes
 * the folder's lock, then runs or resumes the cell whose resolved configuration comes on stdin (-,
 * then BUILDS says by which files of its plugins) or is in DIR, and tells on a page of memory how
 * far it is.  After so many UPDATES it is interrupted (0: never). */
#include "call_record.h"
#include "child.h"
#include "error.h"
#include "guard.h"
#include "json.h"
#include "lock.h"
#include "run.h"
#include "run_dir.h"
#include "run_kernels.h"
#include "verbs.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static volatile int stop;
static int64_t updates_left; /* 0: any */

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

static void on_update(void *arg, int64_t frames, int64_t total) {
  (void)arg, (void)frames, (void)total;
  if (updates_left > 0 && --updates_left == 0) stop = 1;
}

/* GLib's last message before it aborts, as when memory runs out: printed like every other error,
 * and without a core dump. */
static void on_fatal(const char *domain, GLogLevelFlags level, const char *message, void *arg) {
  if (!(level & G_LOG_LEVEL_ERROR)) {
    g_log_default_handler(domain, level, message, arg);
    return;
  }
  g_printerr("error: %s\n", message);
  hn_guard_finish();
  _exit(HN_EXIT_FAILED);
}

static void listen_to_signals(void) {
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  /* a parent that is gone must not keep a checkpoint from being written */
  signal(SIGPIPE, SIG_IGN);
  g_log_set_default_handler(on_fatal, NULL);
}

/* Whether the folder is this cell's, or the exit code: it is done, or something else. */
static int judge(const HnCell *cell, const char *dir, bool *fresh) {
  HnCellStatus status = hn_cell_status(dir, cell);
  const HnCellWork work = status.work;
  const bool other = work == HN_CELL_DIFFERS || work == HN_CELL_REBUILT;
  if (other) g_printerr("%s: error: %s\n", dir, status.reason);
  hn_cell_status_clear(&status);
  g_autofree char *config = hn_run_file(dir, HN_FILE_CONFIG);
  *fresh = !g_file_test(config, G_FILE_TEST_EXISTS);
  return work == HN_CELL_DONE ? HN_EXIT_DONE : other ? HN_EXIT_USAGE : -1;
}

/* Says where a run that goes on will not leave the bits of an undivided one. */
static void warn_of_kernels(const char *dir) {
  g_autoptr(JsonObject) facts = hn_run_facts(dir, NULL);
  g_autofree char *changed = hn_run_kernels_changed(facts);
  if (changed)
    g_printerr("%s: warning: this machine does not offer the kernels that it began with: %s; it "
               "goes on, but not to the bits of an undivided run\n",
               dir, changed);
}

static int run(const HnCell *cell, const char *dir, bool fresh) {
  g_autoptr(GError) error = NULL;
  g_autofree char *path = hn_run_file(dir, HN_FILE_LOG);
  const int log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
  hn_guard_start(cell, log, &stop);
  const bool ok = hn_run_cell(cell, dir, &stop, on_update, NULL, &error);
  hn_guard_finish();
  if (log >= 0) close(log);
  if (ok) return HN_EXIT_DONE;
  const int code = hn_verb_exit_code(error);
  g_printerr("%s: %s%s\n", dir, code == HN_EXIT_INTERRUPTED ? "" : "error: ", error->message);
  if (fresh && g_error_matches(error, HN_ERROR, HN_ERROR_REFUSED)) hn_run_discard(dir);
  return code;
}

/* Whether the plugins are the files that the study began with; else says which was built anew. */
static bool same_builds(const HnCell *cell, const char *dir, const char *wanted) {
  g_autofree char *loaded = hn_cell_builds(cell);
  g_auto(GStrv) was = g_strsplit(wanted, ",", -1), is = g_strsplit(loaded, ",", -1);
  for (guint i = 0; is[i]; i++) {
    if (was[i] && strcmp(was[i], is[i]) == 0) continue;
    g_auto(GStrv) part = g_strsplit(is[i], "/", 3);
    g_printerr("%s: error: the file of %s %s has changed since this run of the study began: start "
               "it again (--rebuild-ok runs anew what is done by the former file)\n",
               dir, part[0], part[1]);
    return false;
  }
  return true;
}

/* Takes the folder's lock before anything in it is read or written. */
static int run_locked(const HnCell *cell, const char *dir) {
  g_autofree char *path = hn_run_file(dir, HN_FILE_LOCK);
  g_autoptr(GError) error = NULL;
  bool fresh;
  if (g_mkdir_with_parents(dir, 0777) != 0) {
    g_printerr("%s: error: %s\n", dir, g_strerror(errno));
    return HN_EXIT_FAILED;
  }
  const int lock = hn_lock_take(path, 0, &error);
  if (lock < 0) {
    if (g_error_matches(error, HN_ERROR, HN_ERROR_BUSY)) return HN_CHILD_ELSEWHERE;
    g_printerr("%s: error: cannot be locked: %s\n", dir, error->message);
    return HN_EXIT_FAILED;
  }
  hn_run_sweep(dir);
  int code = judge(cell, dir, &fresh);
  if (code < 0 && !fresh) warn_of_kernels(dir);
  if (code < 0) code = run(cell, dir, fresh);
  hn_lock_release(lock);
  return code;
}

/* The cell that stdin describes; files that it names are found from its folder. */
static HnCell *read_cell(const char *dir, GError **error) {
  g_autoptr(GString) text = g_string_new(NULL);
  char part[4096];
  for (ssize_t n; (n = read(STDIN_FILENO, part, sizeof part)) > 0;)
    g_string_append_len(text, part, n);
  return hn_cell_parse(dir, text->str, text->len, error);
}

int hn_cmd_cell(int argc, char **argv) {
  const bool scheduled = (argc == 3 || argc == 4) && strcmp(argv[2], "-") == 0;
  guint64 updates = 0;
  if (argc != 2 && !scheduled &&
      !(argc == 3 && g_ascii_string_to_unsigned(argv[2], 10, 0, G_MAXINT64, &updates, NULL))) {
    g_printerr("usage: hunch cell DIR [- [BUILDS]|UPDATES]\n");
    return HN_EXIT_USAGE;
  }
  updates_left = (int64_t)updates;
  listen_to_signals();
  if (scheduled) {
    fcntl(HN_CHILD_RECORD_FD, F_SETFD, FD_CLOEXEC);
    hn_call_record_use(HN_CHILD_RECORD_FD);
  }
  g_autoptr(GError) error = NULL;
  g_autofree char *dir = g_canonicalize_filename(argv[1], NULL); /* wherever a plugin goes */
  g_autoptr(HnCell) cell = scheduled ? read_cell(dir, &error) : hn_cell_open(dir, &error);
  if (error) g_printerr("%s\n", error->message);
  const bool same = cell && (argc < 4 || same_builds(cell, dir, argv[3]));
  const int code = same ? run_locked(cell, dir) : HN_EXIT_USAGE;
  hn_guard_finish();
  return code;
}

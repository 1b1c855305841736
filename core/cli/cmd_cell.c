/* cmd_cell.c - `hunch cell DIR`, which `hunch run` starts once per cell: runs or resumes the cell
 * whose config.resolved.yaml is in DIR, and tells its parent how far it is. */
#include "cli.h"
#include "error.h"
#include "run.h"
#include "run_dir.h"
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static volatile int stop;

static void on_signal(int number) {
  (void)number;
  stop = 1;
}

static void tell(void *arg, int64_t frames, int64_t total) {
  (void)arg;
  printf("progress %" G_GINT64_FORMAT " %" G_GINT64_FORMAT "\n", frames, total);
  fflush(stdout);
}

/* GLib's word for what cannot go on, such as memory that is not there: said as every other error,
 * and an end without a core. */
static void on_fatal(const char *domain, GLogLevelFlags level, const char *message, void *arg) {
  if (!(level & G_LOG_LEVEL_ERROR)) {
    g_log_default_handler(domain, level, message, arg);
    return;
  }
  g_printerr("error: %s\n", message);
  _exit(HN_EXIT_FAILED);
}

static int run(const HnCell *cell, const char *dir) {
  GError *error = NULL;
  struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGUSR1, &action, NULL);
  signal(SIGPIPE,
         SIG_IGN); /* a parent that is gone must not keep the checkpoint from being written */
  g_log_set_default_handler(on_fatal, NULL);
  if (hn_run_cell(cell, dir, &stop, tell, NULL, &error)) return HN_EXIT_DONE;
  bool waiting = g_error_matches(error, HN_RUN_ERROR, HN_RUN_INTERRUPTED);
  bool told_wrong = g_error_matches(error, HN_RUN_ERROR, HN_RUN_WEIGHTS) ||
                    g_error_matches(error, HN_RUN_ERROR, HN_RUN_REFUSED);
  int code = waiting ? HN_EXIT_INTERRUPTED : told_wrong ? HN_EXIT_USAGE : HN_EXIT_FAILED;
  g_printerr("%s: %s%s\n", dir, waiting ? "" : "error: ", error->message);
  g_error_free(error);
  return code;
}

int hn_cli_cell(int argc, char **argv) {
  if (argc != 2) {
    g_printerr("usage: hunch cell DIR\n");
    return HN_EXIT_USAGE;
  }
  g_autoptr(GError) error = NULL;
  HnCell *cell = hn_cell_open(argv[1], &error);
  int code = cell ? run(cell, argv[1]) : HN_EXIT_USAGE;
  if (error) g_printerr("%s\n", error->message);
  hn_cell_free(cell);
  return code;
}

/* cmd_status.c - `hunch status DIR`: what every cell of a study is doing, once or every second. */
#include "message.h"
#include "options.h"
#include "render_live.h"
#include "slurm.h"
#include "verbs.h"
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
  PERIOD_MS = 1000,
  PERIODS_OF_SLURM = 30 /* its controller serves many */,
  ROWS_BESIDE = 4 /* the heading's and the table's own */
};

/* What Slurm has of the study, or NULL; a queue that does not answer is a warning. */
static GHashTable *ask_slurm(const char *dir) {
  g_autoptr(GError) error = NULL;
  GHashTable *jobs = hn_slurm_jobs(dir, &error);
  if (error) hn_message_warning("status", "what Slurm has is not shown: %s", error->message);
  return jobs;
}

/* Says of cells that no process has, and that are not done, what Slurm does with them. */
static void add_slurm(const HnLive *live, GHashTable *jobs) {
  for (guint i = 0; jobs && i < live->cells->len; i++) {
    HnLiveCell *c = live->cells->pdata[i];
    g_autofree char *name = g_strdup_printf("%s/%" G_GINT64_FORMAT, c->arm, c->seed_index);
    const HnSlurmJob *j = g_hash_table_lookup(jobs, name);
    if (!j || c->state == HN_LIVE_DONE || hn_live_cell_is_running(c)) continue;
    char *reason =
        g_strdup_printf("%s%sin Slurm %s as task %" G_GINT64_FORMAT "_%" G_GINT64_FORMAT "%s%s%s",
                        c->reason ? c->reason : "", c->reason ? "; " : "", j->state, j->job,
                        j->task, *j->reason ? " (" : "", j->reason, *j->reason ? ")" : "");
    g_free(c->reason);
    c->reason = reason;
  }
}

/* The screen anew: from its top, and without what was there. */
static void draw(const HnLive *live) {
  struct winsize size = {0};
  const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > ROWS_BESIDE;
  g_autofree char *text = hn_render_live(live, known ? size.ws_row - ROWS_BESIDE : 0);
  printf("\033[H\033[2J%s", text);
}

/* What changes a cell's line: what it is doing, and what was evaluated of it. */
static char *mark_of(const HnLiveCell *c) {
  return g_strdup_printf("%d %" G_GINT64_FORMAT, (int)c->state, c->metric_update);
}

/* A line for each cell that has changed since the last time; before: mark_of each, or NULL. */
static GPtrArray *print_changes(const HnLive *live, const GPtrArray *before) {
  GPtrArray *marks = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < live->cells->len; i++) {
    const HnLiveCell *c = live->cells->pdata[i];
    char *mark = mark_of(c);
    const bool changed = before && i < before->len ? !g_str_equal(mark, before->pdata[i])
                                                   : c->state != HN_LIVE_WAITING;
    g_ptr_array_add(marks, mark);
    if (!changed) continue;
    g_autofree char *line = hn_render_live_line(c, live->plan->report.metric);
    puts(line);
  }
  return marks;
}

static void print_all(const HnLive *live, bool json) {
  g_autofree char *text = json ? hn_render_live_json(live) : hn_render_live(live, 0);
  if (json)
    fputs(text, stdout);
  else
    hn_message_lines(text);
}

static bool is_screen(void) {
  const char *kind = g_getenv("TERM");
  return isatty(STDOUT_FILENO) && kind && !g_str_equal(kind, "dumb");
}

/* Shows the study every second until nothing in it is left to run. */
static bool watch(const char *dir, bool json, GError **error) {
  const bool screen = is_screen();
  g_autoptr(GPtrArray) marks = NULL;
  g_autoptr(GHashTable) jobs = NULL;
  for (guint period = 0;; period++) {
    g_autoptr(HnLive) live = hn_live_read(dir, error);
    if (!live) return false;
    if (period % PERIODS_OF_SLURM == 0) {
      g_clear_pointer(&jobs, g_hash_table_unref);
      jobs = ask_slurm(dir);
    }
    add_slurm(live, jobs);
    if (json) {
      print_all(live, true);
    } else if (screen) {
      draw(live);
    } else {
      GPtrArray *now = print_changes(live, marks);
      g_clear_pointer(&marks, g_ptr_array_unref);
      marks = now;
    }
    if (fflush(stdout) != 0 || !hn_live_goes_on(live)) return true; /* nobody reads it any more */
    g_usleep(PERIOD_MS * 1000);
  }
}

static bool show(const char *dir, bool json, GError **error) {
  g_autoptr(HnLive) live = hn_live_read(dir, error);
  if (!live) return false;
  g_autoptr(GHashTable) jobs = ask_slurm(dir);
  add_slurm(live, jobs);
  print_all(live, json);
  return true;
}

int hn_cmd_status(int argc, char **argv) {
  gboolean json = FALSE, again = FALSE;
  GOptionEntry entries[] = {{"watch", 0, 0, G_OPTION_ARG_NONE, &again,
                             "Show it every second until nothing is left to run: on a terminal the "
                             "whole, else a line for "
                             "each cell that begins, ends or is evaluated.",
                             NULL},
                            {"json", 0, 0, G_OPTION_ARG_NONE, &json,
                             "Print JSON; with --watch an object a second.", NULL},
                            {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc != 2 || !*argv[1]) return hn_options_refuse(verb, "expected one study folder");
  g_autoptr(GError) error = NULL;
  if (again ? watch(argv[1], json, &error) : show(argv[1], json, &error)) return HN_EXIT_DONE;
  hn_message_error(verb->name, "%s", error->message);
  return hn_verb_exit_code(error);
}

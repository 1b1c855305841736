/* schedule.c - one GLib main loop, a child process per running cell. */
#include "schedule.h"
#include "child.h"
#include "last_row.h"
#include "lock.h"
#include "machine.h"
#include "progress.h"
#include "run_dir.h"
#include "short_text.h"
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DRAW_MS = 200, LOOK_MS = 200, HEARTBEAT_S = 60, EXIT_USAGE = 2, EXIT_INTERRUPTED = 75 };

typedef struct Schedule {
  GPtrArray *jobs;
  GPtrArray *children; /* HnChild *, running */
  int64_t parallel;
  guint next;  /* no job before it is waiting */
  int signals; /* received */
  HnProgress progress;
  GMainLoop *loop;
} Schedule;

static void advance(Schedule *s);

static void say(Schedule *s, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void say(Schedule *s, const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_autofree char *text = g_strdup_vprintf(format, list);
  va_end(list);
  hn_progress_clear(&s->progress);
  fprintf(stderr, "%s\n", text);
  hn_progress_draw(&s->progress);
}

/* ---- how a child ended ---- */

/* said: the cell's last line, or NULL. */
static void fail(Schedule *s, HnJob *j, const char *said, char *reason) {
  g_free(j->reason);
  j->reason = reason;
  j->state = HN_JOB_FAILED;
  if (said && strstr(said, reason)) /* it has just been shown */
    say(s, "%s: failed", j->name);
  else
    say(s, "%s: failed: %s", j->name, reason);
}

/* Stopped by the second signal, or by the first before it could listen. */
static void judge_killed(HnJob *j) {
  g_autoptr(GPtrArray) checkpoints = hn_run_checkpoints(j->dir, NULL);
  j->state = HN_JOB_INTERRUPTED;
  hn_job_record(j, "interrupted",
                checkpoints && checkpoints->len
                    ? "killed by a signal; it goes on from its checkpoint"
                    : "killed by a signal before its first checkpoint");
}

static void judge_elsewhere(Schedule *s, HnJob *j) {
  g_autofree char *path = hn_run_file(j->dir, HN_FILE_LOCK), *owner = hn_lock_owner(path);
  j->state = HN_JOB_ELSEWHERE;
  say(s, "%s: another process is running it (%s); left alone", j->name,
      owner ? owner : "it does not say which");
}

static void judge_end(Schedule *s, const HnChild *c) {
  HnJob *j = hn_child_job(c);
  const char *said = hn_child_said(c);
  const int code = hn_child_code(c);
  g_autofree char *status = NULL, *reason = NULL;
  j->refused = code == EXIT_USAGE;
  if (code == HN_CHILD_ELSEWHERE) {
    judge_elsewhere(s, j);
    return;
  }
  hn_job_recorded(j, &status, &reason);
  if (code == 0 && g_strcmp0(status, "done") == 0) {
    j->state = HN_JOB_DONE, j->frames = j->total;
  } else if (code == EXIT_INTERRUPTED) {
    j->state = HN_JOB_INTERRUPTED;
  } else if (s->signals > 0 && hn_child_record(c)->end != HN_END_STOPPED &&
             (hn_child_killer(c) == SIGKILL || hn_child_killer(c) == SIGTERM)) {
    judge_killed(j);
  } else if (code >= 0 && g_strcmp0(status, "failed") == 0 && reason) {
    fail(s, j, said, g_steal_pointer(&reason));
  } else {
    char *why = code < 0 ? hn_child_death(c)
                : said   ? g_strdup(said)
                         : g_strdup_printf("ended with exit code %d", code);
    if (!j->refused) hn_job_record(j, "failed", why);
    fail(s, j, said, why);
  }
}

static void on_end(void *arg, HnChild *c) {
  Schedule *s = arg;
  judge_end(s, c);
  g_ptr_array_remove(s->children, c); /* frees it */
  advance(s);
}

static void on_line(void *arg, HnChild *c, const char *line) {
  Schedule *s = arg;
  if (s->signals == 0) say(s, "%s: %s", hn_child_job(c)->name, line);
}

/* Reads what a cell has evaluated once it must be more than when this was last looked at. */
static void look_at_metric(HnJob *j, int64_t update, const char *metric) {
  const int64_t every = j->cell->evaluation.every;
  if (every <= 0 || update / every <= j->looked_at / every) return;
  const HnLastRow last = hn_last_row(j->dir, metric, every);
  j->looked_at = update;
  if (last.metric_update > 0) j->metric = last.metric, j->evaluated = last.metric_update;
}

/* How far each cell is, as its page of memory says. */
static void look_at_children(Schedule *s) {
  for (guint i = 0; i < s->children->len; i++) {
    const HnChild *c = s->children->pdata[i];
    const HnCallRecord *r = hn_child_record(c);
    if (r->frames_total > 0) hn_child_job(c)->frames = MIN(r->frames, r->frames_total);
    look_at_metric(hn_child_job(c), r->update, s->progress.metric);
  }
}

/* ---- starting one ---- */

static void start(Schedule *s, HnJob *j) {
  const HnChildEvents events = {s, on_line, on_end};
  g_autoptr(GError) error = NULL;
  HnChild *c = hn_child_start(j, &events, &error);
  if (!c) {
    fail(s, j, NULL, g_strdup_printf("cannot be started: %s", error->message));
    return;
  }
  j->state = HN_JOB_RUNNING;
  g_ptr_array_add(s->children, c);
}

/* Whether a job's turn may come: what it starts from is done.  Fails it where that never will be.
 */
static bool may_start(Schedule *s, HnJob *j) {
  const HnJob *before = j->after;
  if (!before || before->state == HN_JOB_DONE) return true;
  bool elsewhere = before->state == HN_JOB_ELSEWHERE;
  if (elsewhere || before->state == HN_JOB_FAILED) {
    char *why = g_strdup_printf("starts from the weights of %s, which %s", before->name,
                                elsewhere ? "another process is running" : "failed");
    hn_job_record(j, "failed", why);
    j->refused = before->refused;
    fail(s, j, NULL, why);
  }
  return false;
}

/* The first job that may start, or NULL. */
static HnJob *next_job(Schedule *s) {
  for (bool failed = true; failed;) { /* a failure may decide jobs that were passed */
    failed = false;
    while (s->next < s->jobs->len && ((HnJob *)s->jobs->pdata[s->next])->state != HN_JOB_WAITING)
      s->next++;
    for (guint i = s->next; i < s->jobs->len; i++) {
      HnJob *j = s->jobs->pdata[i];
      if (j->state != HN_JOB_WAITING) continue;
      if (may_start(s, j)) return j;
      failed |= j->state == HN_JOB_FAILED;
    }
  }
  return NULL;
}

/* Starts what may start; ends the loop when nothing runs and nothing may. */
static void advance(Schedule *s) {
  HnJob *j;
  while (s->signals == 0 && (int64_t)s->children->len < s->parallel && (j = next_job(s)))
    start(s, j);
  if (s->children->len == 0) g_main_loop_quit(s->loop);
}

/* ---- signals and clocks ---- */

static gboolean on_signal(gpointer arg) {
  Schedule *s = arg;
  s->signals++;
  if (s->signals <= 2)
    say(s,
        s->signals == 1 ? "stopping: waiting for %u checkpoint%s; once more to kill"
                        : "killing %u cell%s",
        s->children->len, hn_plural(s->children->len));
  for (guint i = 0; i < s->children->len; i++) {
    hn_child_signal(s->children->pdata[i], s->signals == 1 ? SIGTERM : SIGKILL);
    hn_child_signal(s->children->pdata[i], SIGCONT); /* it may have been stopped */
  }
  if (s->children->len == 0) g_main_loop_quit(s->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean on_draw(gpointer arg) {
  look_at_children(arg);
  hn_progress_draw(&((Schedule *)arg)->progress);
  return G_SOURCE_CONTINUE;
}

static gboolean on_heartbeat(gpointer arg) {
  Schedule *s = arg;
  look_at_children(s);
  hn_progress_heartbeat(&s->progress);
  for (guint i = 0; i < s->children->len; i++) {
    HnChild *c = s->children->pdata[i];
    g_autofree char *call = hn_child_same_call(c);
    if (call) say(s, "%s: more than %d s%s", hn_child_job(c)->name, HEARTBEAT_S, call);
  }
  return G_SOURCE_CONTINUE;
}

/* A cell that stops itself does not come back by itself, and its guard is stopped with it: it has
 * as long as a call may last, and after a signal to this process no time at all. */
static gboolean on_look(gpointer arg) {
  Schedule *s = arg;
  for (guint i = 0; i < s->children->len; i++) {
    HnChild *c = s->children->pdata[i];
    const HnJob *j = hn_child_job(c);
    const double most = j->cell->run.call_seconds;
    double seconds;
    g_autofree char *where = hn_child_stopped(c, &seconds);
    if (where) say(s, "%s: stopped itself%s", j->name, where);
    if (seconds > 0 && (s->signals > 0 || (most > 0 && seconds > most))) hn_child_end_stopped(c);
  }
  return G_SOURCE_CONTINUE;
}

int64_t hn_schedule_parallel(const GPtrArray *jobs) {
  int64_t workers = 1;
  for (guint i = 0; i < jobs->len; i++)
    workers = MAX(workers, ((const HnJob *)jobs->pdata[i])->cell->run.workers);
  return MAX(1, (int64_t)hn_machine_processors() / workers);
}

/* Ctrl-Z: stops the cells, then this process; where it goes on, so do they. */
static gboolean on_stop(int fd, GIOCondition condition, gpointer arg) {
  Schedule *s = arg;
  char byte;
  (void)condition;
  if (read(fd, &byte, 1) != 1) return G_SOURCE_CONTINUE;
  for (guint i = 0; i < s->children->len; i++) hn_child_signal(s->children->pdata[i], SIGSTOP);
  raise(SIGSTOP);
  for (guint i = 0; i < s->children->len; i++) hn_child_signal(s->children->pdata[i], SIGCONT);
  return G_SOURCE_CONTINUE;
}

static int stop_pipe[2] = {-1, -1};
static void note_stop(int number) {
  (void)number;
  const int before = errno;
  if (write(stop_pipe[1], "", 1) < 0) errno = before; /* full: it is known already */
  errno = before;
}

/* nohup and shells' background jobs ignore some signals: so does this process. */
static bool is_ignored(int number) {
  struct sigaction old;
  return sigaction(number, NULL, &old) == 0 && old.sa_handler == SIG_IGN;
}

static void listen_to_stop(Schedule *s, GArray *sources) {
  if (is_ignored(SIGTSTP) || !g_unix_open_pipe(stop_pipe, FD_CLOEXEC, NULL)) return;
  const struct sigaction action = {.sa_handler = note_stop, .sa_flags = SA_RESTART};
  sigaction(SIGTSTP, &action, NULL);
  const guint source = g_unix_fd_add(stop_pipe[0], G_IO_IN, on_stop, s);
  g_array_append_val(sources, source);
}

static GArray *listen_to(Schedule *s) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
  GArray *sources = g_array_new(FALSE, FALSE, sizeof(guint));
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++) {
    if (is_ignored(numbers[i])) continue;
    const guint source = g_unix_signal_add(numbers[i], on_signal, s);
    g_array_append_val(sources, source);
  }
  const guint clock = s->progress.terminal ? g_timeout_add(DRAW_MS, on_draw, s)
                                           : g_timeout_add_seconds(HEARTBEAT_S, on_heartbeat, s);
  g_array_append_val(sources, clock);
  const guint look = g_timeout_add(LOOK_MS, on_look, s);
  g_array_append_val(sources, look);
  listen_to_stop(s, sources);
  return sources;
}

static void stop_listening(GArray *sources) {
  for (guint i = 0; i < sources->len; i++) g_source_remove(g_array_index(sources, guint, i));
  g_array_unref(sources);
  if (stop_pipe[0] < 0) return;
  signal(SIGTSTP, SIG_DFL);
  close(stop_pipe[0]), close(stop_pipe[1]);
  stop_pipe[0] = stop_pipe[1] = -1;
}

bool hn_schedule_run(GPtrArray *jobs, int64_t parallel, const char *metric) {
  Schedule s = {.jobs = jobs,
                .children = g_ptr_array_new_with_free_func((GDestroyNotify)hn_child_free),
                .parallel = parallel,
                .loop = g_main_loop_new(NULL, FALSE)};
  hn_progress_start(&s.progress, jobs, metric);
  GArray *sources = listen_to(&s);
  advance(&s);
  if (s.children->len) g_main_loop_run(s.loop);
  hn_progress_clear(&s.progress);
  stop_listening(sources);
  g_ptr_array_unref(s.children);
  g_main_loop_unref(s.loop);
  for (guint i = 0; i < jobs->len; i++) {
    HnJobState state = ((HnJob *)jobs->pdata[i])->state;
    if (state == HN_JOB_WAITING || state == HN_JOB_INTERRUPTED) return false;
  }
  return true;
}

/* schedule.c - one GLib main loop, a child process per running cell. */
#include "schedule.h"
#include "progress.h"
#include "run_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { LOCK_FD = 3, DRAW_MS = 200, HEARTBEAT_S = 60, EXIT_USAGE = 2, EXIT_INTERRUPTED = 75 };

typedef struct Schedule {
  GPtrArray *jobs;
  GPtrArray *children; /* Child *, running */
  gint64 parallel;
  guint next;  /* no job before it is waiting */
  int signals; /* received */
  HnProgress progress;
  GMainLoop *loop;
} Schedule;

typedef struct Child {
  Schedule *s;
  HnJob *job;
  GSubprocess *process;
  GDataInputStream *out, *err;
  char *said;  /* the last line on stderr, which may be why it crashed */
  int pending; /* streams and the exit that are still to come */
} Child;

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

static char *death(const Child *c) {
  int number = g_subprocess_get_term_sig(c->process);
  return g_strdup_printf("killed by signal %d (%s)%s%s%s", number, g_strsignal(number),
                         number == SIGKILL ? ", as the system does when memory runs out" : "",
                         c->said ? ": " : "", c->said ? c->said : "");
}

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

static void judge_end(Child *c) {
  HnJob *j = c->job;
  g_autofree char *status = NULL, *reason = NULL;
  hn_job_recorded(j, &status, &reason);
  bool left = g_subprocess_get_if_exited(c->process);
  int code = left ? g_subprocess_get_exit_status(c->process) : -1;
  j->refused = code == EXIT_USAGE;
  if (code == 0 && g_strcmp0(status, "done") == 0) {
    j->state = HN_JOB_DONE, j->frames = j->total;
  } else if (code == EXIT_INTERRUPTED) {
    j->state = HN_JOB_INTERRUPTED;
  } else if (!left && c->s->signals > 1) {
    j->state = HN_JOB_INTERRUPTED;
    hn_job_record(j, "interrupted", "killed by a second signal; it goes on from its checkpoint");
  } else if (left && g_strcmp0(status, "failed") == 0 && reason) {
    fail(c->s, j, c->said, g_steal_pointer(&reason));
  } else {
    char *why = !left     ? death(c)
                : c->said ? g_strdup(c->said)
                          : g_strdup_printf("ended with exit code %d", code);
    hn_job_record(j, "failed", why);
    fail(c->s, j, c->said, why);
  }
}

static void settle(Child *c) {
  if (--c->pending > 0) return;
  Schedule *s = c->s;
  judge_end(c);
  g_ptr_array_remove(s->children, c); /* frees it */
  advance(s);
}

static void child_free(Child *c) {
  g_clear_object(&c->out);
  g_clear_object(&c->err);
  g_clear_object(&c->process);
  g_free(c->said);
  g_free(c);
}

/* ---- what a child says ---- */

static void on_line(GObject *source, GAsyncResult *result, gpointer arg) {
  Child *c = arg;
  GDataInputStream *stream = G_DATA_INPUT_STREAM(source);
  g_autofree char *line = g_data_input_stream_read_line_finish(stream, result, NULL, NULL);
  if (!line) {
    settle(c);
    return;
  }
  gint64 frames, total;
  if (stream == c->err) {
    g_autofree char *clean = hn_diag_printable(line);
    if (*g_strstrip(clean)) {
      g_free(c->said);
      c->said = g_steal_pointer(&clean);
      if (c->s->signals == 0) say(c->s, "%s: %s", c->job->name, c->said);
    }
  } else if (sscanf(line, "progress %" G_GINT64_FORMAT " %" G_GINT64_FORMAT, &frames, &total) ==
             2) {
    c->job->frames = frames, c->job->total = total;
  }
  g_data_input_stream_read_line_async(stream, G_PRIORITY_DEFAULT, NULL, on_line, c);
}

static void on_exit_of(GObject *source, GAsyncResult *result, gpointer arg) {
  g_subprocess_wait_finish(G_SUBPROCESS(source), result, NULL);
  settle(arg);
}

/* ---- starting one ---- */

/* In the child, before exec: signals of the terminal go to the parent alone, which forwards them;
 * if the parent dies, the cell writes a checkpoint and ends. */
static void set_up(gpointer arg) {
  (void)arg;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* A descriptor whose lock marks the cell as being run; the child inherits it.  -1: another process
 * has it.  A file system without locks gives a descriptor without one. */
static int lock(const HnJob *j) {
  g_autofree char *path = hn_run_file(j->dir, HN_FILE_CONFIG);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    close(fd);
    return -1;
  }
  return fd >= 0 ? fd : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void start(Schedule *s, HnJob *j) {
  int held = lock(j);
  if (held < 0) {
    j->state = HN_JOB_ELSEWHERE;
    say(s, "%s: another process is running it; left alone", j->name);
    return;
  }
  g_autoptr(GSubprocessLauncher) launcher =
      g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_subprocess_launcher_setenv(launcher, "OPENBLAS_NUM_THREADS", "1", TRUE);
  g_subprocess_launcher_set_child_setup(launcher, set_up, NULL, NULL);
  g_subprocess_launcher_take_fd(launcher, held, LOCK_FD);
  Child *c = g_new0(Child, 1);
  g_autoptr(GError) error = NULL;
  c->s = s, c->job = j;
  c->process =
      g_subprocess_launcher_spawn(launcher, &error, "/proc/self/exe", "cell", j->dir, NULL);
  if (!c->process) {
    char *why = g_strdup_printf("cannot be started: %s", error->message);
    hn_job_record(j, "failed", why);
    fail(s, j, NULL, why);
    child_free(c);
    return;
  }
  j->state = HN_JOB_RUNNING;
  c->out = g_data_input_stream_new(g_subprocess_get_stdout_pipe(c->process));
  c->err = g_data_input_stream_new(g_subprocess_get_stderr_pipe(c->process));
  c->pending = 3;
  g_ptr_array_add(s->children, c);
  g_data_input_stream_read_line_async(c->out, G_PRIORITY_DEFAULT, NULL, on_line, c);
  g_data_input_stream_read_line_async(c->err, G_PRIORITY_DEFAULT, NULL, on_line, c);
  g_subprocess_wait_async(c->process, NULL, on_exit_of, c);
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
  while (s->signals == 0 && (gint64)s->children->len < s->parallel && (j = next_job(s)))
    start(s, j);
  if (s->children->len == 0) g_main_loop_quit(s->loop);
}

/* ---- signals and clocks ---- */

static gboolean on_signal(gpointer arg) {
  Schedule *s = arg;
  s->signals++;
  if (s->signals <= 2)
    say(s,
        s->signals == 1 ? "stopping: waiting for %u checkpoints; once more to kill"
                        : "killing %u cells",
        s->children->len);
  for (guint i = 0; i < s->children->len; i++) {
    Child *c = s->children->pdata[i];
    g_subprocess_send_signal(c->process, s->signals == 1 ? SIGTERM : SIGKILL);
  }
  if (s->children->len == 0) g_main_loop_quit(s->loop);
  return G_SOURCE_CONTINUE;
}

static gboolean on_draw(gpointer arg) {
  hn_progress_draw(&((Schedule *)arg)->progress);
  return G_SOURCE_CONTINUE;
}

static gboolean on_heartbeat(gpointer arg) {
  hn_progress_heartbeat(&((Schedule *)arg)->progress);
  return G_SOURCE_CONTINUE;
}

gint64 hn_schedule_parallel(const GPtrArray *jobs) {
  int64_t workers = 1;
  for (guint i = 0; i < jobs->len; i++)
    workers = MAX(workers, ((const HnJob *)jobs->pdata[i])->cell->run.workers);
  return MAX(1, (gint64)g_get_num_processors() / workers);
}

bool hn_schedule_run(GPtrArray *jobs, gint64 parallel) {
  static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
  Schedule s = {.jobs = jobs,
                .children = g_ptr_array_new_with_free_func((GDestroyNotify)child_free),
                .parallel = parallel,
                .loop = g_main_loop_new(NULL, FALSE)};
  guint source[G_N_ELEMENTS(numbers) + 1];
  hn_progress_start(&s.progress, jobs);
  for (guint i = 0; i < G_N_ELEMENTS(numbers); i++)
    source[i] = g_unix_signal_add(numbers[i], on_signal, &s);
  source[G_N_ELEMENTS(numbers)] = s.progress.terminal
                                      ? g_timeout_add(DRAW_MS, on_draw, &s)
                                      : g_timeout_add_seconds(HEARTBEAT_S, on_heartbeat, &s);
  advance(&s);
  if (s.children->len) g_main_loop_run(s.loop);
  hn_progress_clear(&s.progress);
  for (guint i = 0; i < G_N_ELEMENTS(source); i++) g_source_remove(source[i]);
  g_ptr_array_unref(s.children);
  g_main_loop_unref(s.loop);
  for (guint i = 0; i < jobs->len; i++) {
    HnJobState state = ((HnJob *)jobs->pdata[i])->state;
    if (state == HN_JOB_WAITING || state == HN_JOB_INTERRUPTED) return false;
  }
  return true;
}

/* child.c - see child.h. */
#include "child.h"
#include "output_log.h"
#include "run_dir.h"
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PART = 1 << 16, PARTS_AT_END = 64 };

struct HnChild {
  HnJob *job;
  HnChildEvents events;
  GPid pid;
  int output;          /* the pipe's end, or -1 */
  guint source, watch; /* of the main loop; 0: none */
  int status;          /* of waitpid */
  HnCallRecord *record;
  HnOutputLog *log;
  HnCallSlot seen[HN_CALL_SLOTS]; /* when last asked for a call that lasts */
  int64_t stopped;                /* since when it has been seen stopped, or 0 */
};

/* ---- what it prints ---- */

static void on_line(void *arg, const char *line) {
  HnChild *c = arg;
  c->events.line(c->events.arg, c, line);
}

/* Reads a part; false where there is nothing now, or never again. */
static bool read_part(HnChild *c) {
  char part[PART];
  const ssize_t n = read(c->output, part, sizeof part);
  if (n <= 0) return false;
  hn_output_log_take(c->log, part, (gsize)n);
  return true;
}

static gboolean on_output(int fd, GIOCondition condition, gpointer arg) {
  HnChild *c = arg;
  (void)fd;
  if (read_part(c) || (!(condition & G_IO_HUP) && (errno == EAGAIN || errno == EINTR)))
    return G_SOURCE_CONTINUE;
  c->source = 0;
  return G_SOURCE_REMOVE;
}

static void close_output(HnChild *c) {
  if (c->source) g_source_remove(c->source);
  c->source = 0;
  if (c->output >= 0) close(c->output);
  c->output = -1;
}

/* Processes that it has left in its group are killed; what is still in the pipe is read, but nobody
 * is waited for who holds its other end. */
static void on_exit_of(GPid pid, int status, gpointer arg) {
  HnChild *c = arg;
  c->watch = 0, c->status = status;
  kill(-pid, SIGKILL);
  for (int i = 0; i < PARTS_AT_END && read_part(c); i++) continue;
  close_output(c);
  hn_output_log_end(c->log);
  g_spawn_close_pid(pid);
  c->events.ended(c->events.arg, c);
}

/* ---- starting it ---- */

/* In the child, before exec: signals of the terminal go to the parent alone, which forwards them;
 * if the parent dies, the cell writes a checkpoint and ends. */
static void set_up(gpointer arg) {
  (void)arg;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
}

/* The resolved configuration as a file that is read from its start. */
static int configuration(const HnCell *cell) {
  g_autoptr(HnNode) node = hn_cell_node(cell);
  g_autofree char *text = hn_node_write(node);
  const gsize length = strlen(text);
  const int fd = memfd_create("hunch-configuration", MFD_CLOEXEC);
  if (fd < 0) return -1;
  if (write(fd, text, length) == (ssize_t)length && lseek(fd, 0, SEEK_SET) == 0) return fd;
  close(fd);
  return -1;
}

static bool spawn(HnChild *c, int config, int record, const int pipe[2], GError **error) {
  g_autofree char *builds = hn_cell_builds(c->job->cell);
  const char *const argv[] = {"/proc/self/exe", "hunch", "cell", c->job->dir, "-", builds, NULL};
  g_auto(GStrv) environment = g_get_environ();
  environment = g_environ_setenv(environment, "OPENBLAS_NUM_THREADS", "1", TRUE);
  const int target = HN_CHILD_RECORD_FD;
  return g_spawn_async_with_pipes_and_fds(NULL, argv, (const char *const *)environment,
                                          G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_FILE_AND_ARGV_ZERO,
                                          set_up, NULL, config, pipe[1], pipe[1], &record, &target,
                                          1, &c->pid, NULL, NULL, NULL, error);
}

static void close_all(const int *fd, guint count) {
  for (guint i = 0; i < count; i++)
    if (fd[i] >= 0) close(fd[i]);
}

HnChild *hn_child_start(HnJob *job, const HnChildEvents *events, GError **error) {
  HnChild *c = g_new0(HnChild, 1);
  c->job = job, c->events = *events, c->output = -1;
  int fd[4] = {configuration(job->cell), hn_call_record_new(), -1, -1}; /* .., the pipe */
  if (fd[0] < 0 || fd[1] < 0 || !(c->record = hn_call_record_map(fd[1])) ||
      !g_unix_open_pipe(fd + 2, FD_CLOEXEC, NULL)) {
    g_set_error_literal(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FORK, g_strerror(errno));
  } else if (spawn(c, fd[0], fd[1], fd + 2, error)) {
    c->output = fd[2], fd[2] = -1;
    g_unix_set_fd_nonblocking(c->output, TRUE, NULL);
    g_autofree char *path = hn_run_file(job->dir, HN_FILE_LOG);
    c->log = hn_output_log_new(path, on_line, c);
    c->source =
        g_unix_fd_add_full(G_PRIORITY_LOW, c->output, G_IO_IN | G_IO_HUP, on_output, c, NULL);
    c->watch = g_child_watch_add(c->pid, on_exit_of, c);
  }
  close_all(fd, G_N_ELEMENTS(fd));
  if (!c->watch) g_clear_pointer(&c, hn_child_free);
  return c;
}

void hn_child_free(HnChild *c) {
  if (c->watch) g_source_remove(c->watch);
  close_output(c);
  if (c->log) hn_output_log_free(c->log);
  if (c->record) munmap(c->record, sizeof *c->record);
  g_free(c);
}

HnJob *hn_child_job(const HnChild *c) {
  return c->job;
}
const HnCallRecord *hn_child_record(const HnChild *c) {
  return c->record;
}
const char *hn_child_said(const HnChild *c) {
  return hn_output_log_last(c->log);
}

void hn_child_signal(HnChild *c, int number) {
  const bool whole = number == SIGSTOP || number == SIGCONT || number == SIGKILL;
  if (number == SIGCONT) c->stopped = 0; /* it may have ended by the time it is looked at again */
  if (c->watch) kill(whole ? -c->pid : c->pid, number);
}

/* ---- how it ended ---- */

int hn_child_code(const HnChild *c) {
  return c->record->end == HN_END_RETURN && WIFEXITED(c->status) ? WEXITSTATUS(c->status) : -1;
}

int hn_child_killer(const HnChild *c) {
  return WIFSIGNALED(c->status) ? WTERMSIG(c->status) : 0;
}

/* " in env trouble, step, after update 3": what the call record blames. */
static char *place(const HnChild *c) {
  const HnCell *cell = c->job->cell;
  const int32_t call = hn_call_blamed(c->record);
  if (!hn_call_kind(call))
    return g_strdup_printf(", after update %" G_GINT64_FORMAT, c->record->update);
  return g_strdup_printf(" in %s %s, %s, after update %" G_GINT64_FORMAT, hn_call_kind(call),
                         hn_cell_called(cell, call)->plugin->name, hn_call_method(call),
                         c->record->update);
}

char *hn_child_same_call(HnChild *c) {
  bool same = false;
  for (int i = 0; i < HN_CALL_SLOTS; i++) {
    const HnCallSlot now = c->record->call[i];
    same |=
        now.call != HN_CALL_NONE && now.call == c->seen[i].call && now.serial == c->seen[i].serial;
    c->seen[i] = now;
  }
  return same ? place(c) : NULL;
}

/* A stop is reported once; that the cell goes on, too. */
char *hn_child_stopped(HnChild *c, double *seconds) {
  siginfo_t change = {.si_pid = 0};
  const bool new =
      c->watch &&waitid(P_PID, (id_t)c->pid, &change, WSTOPPED | WCONTINUED | WNOHANG) == 0 &&
      change.si_pid == c->pid;
  const int64_t now = g_get_monotonic_time();
  const bool stops = new &&change.si_code == CLD_STOPPED;
  if (new) c->stopped = stops ? now : 0;
  *seconds = c->stopped ? 1e-6 * (double)(now - c->stopped) : 0;
  return stops ? place(c) : NULL;
}

void hn_child_end_stopped(HnChild *c) {
  c->record->end = HN_END_STOPPED;
  hn_child_signal(c, SIGKILL);
}

char *hn_child_death(const HnChild *c) {
  const HnCell *cell = c->job->cell;
  g_autofree char *where = place(c);
  const int number = hn_child_killer(c);
  switch (c->record->end) {
  case HN_END_STUCK:
    return g_strdup_printf("took longer than run.call_seconds: %g s%s", cell->run.call_seconds,
                           where);
  case HN_END_MEMORY:
    return g_strdup_printf("took more memory than %s%s",
                           cell->run.memory > 0 ? "run.memory allows" : "this machine has", where);
  case HN_END_STOPPED:
    return g_strdup_printf("stopped itself%s", where);
  case HN_END_ORPHAN:
    return g_strdup_printf("was left by the process that started it%s", where);
  default:
    if (!number) return g_strdup_printf("ended by exit(%d)%s", WEXITSTATUS(c->status), where);
    const char *said = hn_child_said(c);
    return g_strdup_printf("killed by signal %d (%s)%s%s%s%s", number, g_strsignal(number),
                           number == SIGKILL ? ", as the system does when memory runs out" : "",
                           where, said ? ": " : "", said ? said : "");
  }
}

/* helper.c - see helper.h. */
#include "helper.h"
#include "machine.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RECORD_FD = 3, POLL_US = 2000 };
static const double share_of_memory = 0.95; /* of the machine's */

/* ---- in the helper ---- */

GString *hn_helper_input(void) {
  GString *text = g_string_new(NULL);
  char part[4096];
  for (ssize_t n; (n = read(STDIN_FILENO, part, sizeof part)) > 0;)
    g_string_append_len(text, part, n);
  return text;
}

FILE *hn_helper_begin(void) {
  const int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, RECORD_FD + 1);
  const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDOUT_FILENO), close(nowhere);
  fcntl(RECORD_FD, F_SETFD, FD_CLOEXEC);
  hn_call_record_use(RECORD_FD);
  return fdopen(out, "w");
}

void hn_helper_end(void) {
  hn_call_record->end = HN_END_RETURN;
}

/* ---- in the process that wants to know ---- */

typedef struct Files {
  int in, out, record; /* in memory, so that nobody waits at a pipe that a plugin's child holds */
} Files;

/* Before exec: signals of the terminal go to the parent alone, and the helper ends with it. */
static void set_up(gpointer arg) {
  (void)arg;
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static bool make_files(Files *f, const GString *input) {
  f->in = memfd_create("hunch-question", MFD_CLOEXEC);
  f->out = memfd_create("hunch-answer", MFD_CLOEXEC);
  f->record = hn_call_record_new();
  return f->in >= 0 && f->out >= 0 && f->record >= 0 &&
         (!input || write(f->in, input->str, input->len) == (ssize_t)input->len) &&
         lseek(f->in, 0, SEEK_SET) == 0;
}

static void close_files(const Files *f) {
  if (f->in >= 0) close(f->in);
  if (f->out >= 0) close(f->out);
  if (f->record >= 0) close(f->record);
}

static bool start(const Files *f, const char *const *argv, GPid *pid, GError **error) {
  g_autoptr(GPtrArray) all = g_ptr_array_new();
  g_ptr_array_add(all, (void *)(guintptr) "/proc/self/exe");
  for (; *argv; argv++) g_ptr_array_add(all, (void *)(guintptr)*argv);
  g_ptr_array_add(all, NULL);
  g_auto(GStrv) environment = g_get_environ();
  environment = g_environ_setenv(environment, "OPENBLAS_NUM_THREADS", "1", TRUE);
  const int target = RECORD_FD;
  return g_spawn_async_with_pipes_and_fds(
      NULL, (const char *const *)all->pdata, (const char *const *)environment,
      G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDERR_TO_DEV_NULL, set_up, NULL, f->in, f->out, -1,
      &f->record, &target, 1, pid, NULL, NULL, NULL, error);
}

/* Whether a process has had so many seconds since `since`, when it had waited `queued` for a
 * processor.  What it waits on a busy machine is not its own time. */
static bool has_had(GPid pid, double seconds, int64_t since, double queued) {
  const double passed = 1e-6 * (double)(g_get_monotonic_time() - since);
  return passed > seconds && passed - (hn_machine_queued(pid) - queued) > seconds;
}

/* Waits for the end.  Returns what had to end it, or NULL; g_free. */
static char *wait_for(GPid pid, const HnCallRecord *record, const HnHelperLimits *limits,
                      int *status) {
  const double machine = share_of_memory * hn_machine_bytes();
  const double most_bytes = limits->bytes > 0 ? MIN(limits->bytes, machine) : machine;
  int64_t update = record->update, since = g_get_monotonic_time();
  double queued = 0;
  char *why = NULL;
  while (waitpid(pid, status, why ? 0 : WNOHANG) == 0) {
    if (record->update != update) {
      update = record->update, since = g_get_monotonic_time();
      queued = hn_machine_queued(pid);
    }
    if (has_had(pid, limits->seconds, since, queued))
      why = g_strdup_printf("took longer than %g s", limits->seconds);
    else if (hn_machine_resident(pid, 0) > most_bytes)
      why = most_bytes < machine
                ? g_strdup_printf("took more than %g GB of memory", 1e-9 * most_bytes)
                : g_strdup("took more memory than this machine has");
    if (why)
      kill(pid, SIGKILL);
    else
      g_usleep(POLL_US);
  }
  kill(-pid, SIGKILL); /* what it has left behind */
  return why;
}

static char *read_all(int fd) {
  const off_t length = lseek(fd, 0, SEEK_END);
  char *text = g_malloc0((gsize)MAX(length, 0) + 1);
  if (length > 0 && pread(fd, text, (gsize)length, 0) < 0) *text = '\0';
  return text;
}

static char *death_of(const HnCallRecord *record, const HnHelperLimits *limits, int status) {
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXCPU)
    return g_strdup_printf("took longer than %g s of a processor", limits->cpu_seconds);
  if (WIFSIGNALED(status))
    return g_strdup_printf("killed by signal %d (%s)", WTERMSIG(status),
                           g_strsignal(WTERMSIG(status)));
  if (record->end == HN_END_RETURN) return NULL;
  return g_strdup_printf("ended by exit(%d)", WEXITSTATUS(status));
}

bool hn_helper_run(const char *const *argv, const GString *input, double seconds, HnHelper *h,
                   GError **error) {
  const HnHelperLimits limits = {.seconds = seconds};
  Files f;
  GPid pid = 0;
  HnCallRecord *record = NULL;
  *h = (HnHelper){.out = NULL};
  if (!make_files(&f, input) || !(record = hn_call_record_map(f.record))) {
    g_set_error_literal(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, g_strerror(errno));
  } else if (start(&f, argv, &pid, error)) {
    int status = 0;
    h->death = wait_for(pid, record, &limits, &status);
    if (!h->death) h->death = death_of(record, &limits, status);
    h->out = read_all(f.out);
    h->record = *record;
    g_spawn_close_pid(pid);
  }
  if (record) munmap(record, sizeof *record);
  close_files(&f);
  return h->out != NULL;
}

static void limit_processor(double seconds) {
  const rlim_t most = (rlim_t)MAX(seconds, 1);
  const struct rlimit none = {0, 0}, cpu = {most, most + 1};
  setrlimit(RLIMIT_CORE, &none);
  if (seconds > 0) setrlimit(RLIMIT_CPU, &cpu);
}

/* In the fork. */
static G_NORETURN void act_and_end(void (*act)(void *arg), void *arg, const HnHelperLimits *limits,
                                   HnCallRecord *record) {
  const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  set_up(NULL);
  for (int fd = STDIN_FILENO; nowhere >= 0 && fd <= STDERR_FILENO; fd++) dup2(nowhere, fd);
  if (nowhere > STDERR_FILENO) close(nowhere);
  limit_processor(limits->cpu_seconds);
  hn_call_record = record;
  hn_call_forked = 0; /* of our own making: it may come back from calls */
  act(arg);
  record->end = HN_END_RETURN;
  exit(0); /* with the destructors of what was loaded */
}

char *hn_helper_try_within(void (*act)(void *arg), void *arg, const HnHelperLimits *limits,
                           HnCallRecord *where) {
  const int fd = hn_call_record_new();
  HnCallRecord *record = fd < 0 ? NULL : hn_call_record_map(fd);
  char *death = NULL;
  if (fd >= 0) close(fd);
  fflush(NULL); /* or an exit() in the fork would write it again */
  const pid_t pid = record ? fork() : -1;
  if (pid == 0) act_and_end(act, arg, limits, record);
  if (pid < 0) {
    death = g_strdup_printf("could not be tried: %s", g_strerror(errno));
  } else {
    int status = 0;
    death = wait_for(pid, record, limits, &status);
    if (!death) death = death_of(record, limits, status);
  }
  if (record && where) *where = *record;
  if (record) munmap(record, sizeof *record);
  return death;
}

char *hn_helper_try(void (*act)(void *arg), void *arg, double seconds) {
  const HnHelperLimits limits = {.seconds = seconds};
  return hn_helper_try_within(act, arg, &limits, NULL);
}

void hn_helper_clear(HnHelper *h) {
  g_free(h->out), g_free(h->death);
}

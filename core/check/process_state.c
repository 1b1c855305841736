/* process_state.c - see process_state.h. */
#include "process_state.h"
#include <errno.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char drawn[sizeof(((HnProcessState *)0)->drawn)];

void hn_process_state_begin(void) {
  initstate(1, drawn, sizeof drawn);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
}

void hn_process_state_reset(void) {
  sigset_t none;
  fesetenv(FE_DFL_ENV);
  for (int k = 1; k < HN_STATE_SIGNALS; k++) signal(k, SIG_DFL);
  sigemptyset(&none);
  pthread_sigmask(SIG_SETMASK, &none, NULL);
  umask(022);
}

/* Control bits without the flags of exceptions that have happened, which any division may set. */
static guint64 floating_point(void) {
#if defined __x86_64__ && defined __GLIBC__
  fenv_t e;
  fegetenv(&e);
  return (guint64)e.__control_word << 32 | (e.__mxcsr & ~0x3fU);
#else
  return (guint64)fegetround();
#endif
}

static guint thread_count(void) {
  struct stat facts;
  return stat("/proc/self/task", &facts) == 0 ? (guint)facts.st_nlink : 0;
}

static bool has_children(void) {
  siginfo_t info;
  return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

static guint hash_of_environment(void) {
  guint hash = 5381;
  for (char **e = environ; e && *e; e++) hash = hash * 33 + g_str_hash(*e);
  return hash;
}

static guint hash_of_folder(void) {
  g_autofree char *folder = g_get_current_dir();
  return g_str_hash(folder);
}

static guint hash_of_limits(void) {
  static const int which[] = {RLIMIT_AS,    RLIMIT_CPU,    RLIMIT_DATA,
                              RLIMIT_FSIZE, RLIMIT_NOFILE, RLIMIT_STACK};
  guint hash = 0;
  struct rlimit limit;
  for (guint k = 0; k < G_N_ELEMENTS(which); k++)
    if (getrlimit(which[k], &limit) == 0)
      hash = hash * 31 + (guint)(limit.rlim_cur ^ limit.rlim_cur >> 32);
  return hash;
}

HnProcessState hn_process_state(void) {
  HnProcessState s = {.floating_point = floating_point(),
                      .threads = thread_count(),
                      .children = has_children(),
                      .environment = hash_of_environment(),
                      .locale = g_str_hash(setlocale(LC_ALL, NULL)),
                      .folder = hash_of_folder(),
                      .limits = hash_of_limits()};
  const mode_t mask = umask(0);
  umask(mask);
  s.umask = mask;
  for (int fd = 0; fd < HN_STATE_FILES; fd++) s.open[fd] = fcntl(fd, F_GETFD) >= 0;
  for (int k = 1; k < HN_STATE_SIGNALS; k++) {
    struct sigaction act;
    if (sigaction(k, NULL, &act) == 0) memcpy(&s.handler[k], &act.sa_handler, sizeof(void *));
  }
  sigset_t blocked;
  pthread_sigmask(SIG_BLOCK, NULL, &blocked);
  for (int k = 1; k < HN_STATE_SIGNALS; k++)
    if (sigismember(&blocked, k) == 1) s.blocked |= (guint64)1 << (k - 1);
  memcpy(s.drawn, drawn, sizeof drawn);
  unsigned short any[3] = {0, 0, 0};
  memcpy(s.drawn48, seed48(any), sizeof s.drawn48);
  memcpy(any, s.drawn48, sizeof any);
  seed48(any);
  return s;
}

/* A thread that was joined may still be on its way out. */
static bool has_more_threads(guint before) {
  for (int k = 0; k < 500; k++) {
    if (thread_count() <= before) return false;
    g_usleep(1000);
  }
  return true;
}

static const char *difference(const HnProcessState *a, const HnProcessState *b) {
  if (a->floating_point != b->floating_point)
    return "leaves floating-point control changed (rounding, denormals or traps)";
  if (b->threads > a->threads && has_more_threads(a->threads)) return "leaves a thread running";
  if (b->children && !a->children) return "leaves a child process";
  for (int fd = 0; fd < HN_STATE_FILES; fd++)
    if (a->open[fd] != b->open[fd])
      return b->open[fd] ? "leaves a file open" : "closes a file that is not its own";
  for (int k = 1; k < HN_STATE_SIGNALS; k++)
    if (a->handler[k] != b->handler[k]) return "leaves a signal handler changed";
  if (a->blocked != b->blocked) return "leaves signals blocked";
  if (a->umask != b->umask) return "leaves the umask changed";
  if (a->folder != b->folder) return "leaves the current folder changed";
  if (a->environment != b->environment) return "leaves environment variables changed";
  if (a->locale != b->locale) return "leaves the locale changed";
  if (a->limits != b->limits) return "leaves limits of the process changed";
  if (memcmp(a->drawn, b->drawn, sizeof a->drawn) != 0) return "draws from rand() or random()";
  if (memcmp(a->drawn48, b->drawn48, sizeof a->drawn48) != 0) return "draws from drand48()";
  return NULL;
}

void hn_process_state_ignore_draws(HnProcessState *s) {
  const HnProcessState now = hn_process_state();
  memcpy(s->drawn, now.drawn, sizeof s->drawn);
  memcpy(s->drawn48, now.drawn48, sizeof s->drawn48);
}

const char *hn_process_state_change(const HnProcessState *before) {
  const HnProcessState now = hn_process_state();
  const char *change = difference(before, &now);
#if defined __x86_64__ && defined __GLIBC__
  if (now.floating_point != before->floating_point) {
    fenv_t e;
    fegetenv(&e);
    e.__control_word = (unsigned short)(before->floating_point >> 32);
    e.__mxcsr = (unsigned)before->floating_point;
    fesetenv(&e);
  }
#endif
  return change;
}

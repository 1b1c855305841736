/* guard.c - see guard.h. */
#include "guard.h"
#include "call_record.h"
#include "machine.h"
#include "pages.h"
#include <execinfo.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
  PERIOD_MS = 100,
  ORPHAN_SECONDS = 60, /* that a cell without a scheduler has for its last checkpoint */
  DEEP = 64,           /* frames of a backtrace */
  LINE = 256
};
static const double share_of_memory = 0.95; /* of the machine's, where run.memory is 0 */

static struct {
  const HnCell *cell; /* for the names of what is being called: the watch may outlive it */
  int log_fd;
  volatile int *stop;
  pid_t parent;
  double most_bytes, call_seconds;
} guard = {.log_fd = -1};

/* ---- words that a signal handler may say ---- */

/* "guard: WHAT in env NAME, step, after update 3". */
static void tell(const char *what, int32_t call) {
  char line[LINE];
  const char *kind = hn_call_kind(call);
  int n = kind ? snprintf(line, sizeof line, "guard: %s in %s %s, %s, after update %" PRId64 "\n",
                          what, kind, hn_cell_called(guard.cell, call)->plugin->name,
                          hn_call_method(call), hn_call_record->update)
               : snprintf(line, sizeof line, "guard: %s after update %" PRId64 "\n", what,
                          hn_call_record->update);
  if (write(guard.log_fd, line, (size_t)MIN(n, LINE - 1)) < 0) return;
}

/* ---- fatal signals ---- */

/* To the scheduler, which says it with the signal. */
static void tell_lent(void) {
  static const char text[] = "writes to an array that is lent only to be read\n";
  if (write(STDERR_FILENO, text, sizeof text - 1) < 0) return;
}

static void on_fatal(int number, siginfo_t *info, void *context) {
  (void)context;
  HnCallRecord *r = hn_call_record;
  HnCallSlot *slot = hn_call_slot();
  if (r->end == HN_END_NONE) {
    char what[64];
    snprintf(what, sizeof what, "signal %d", number);
    r->end = HN_END_CRASH, r->slot = (int32_t)(slot - r->call);
    tell(what, slot->call);
    if (number == SIGSEGV && hn_lent_holds(info->si_addr)) tell_lent();
  }
  void *frame[DEEP];
  backtrace_symbols_fd(frame, backtrace(frame, DEEP), guard.log_fd);
  signal(number, SIG_DFL);
  raise(number);
}

/* Another's handler, a sanitizer's for instance, is left in place. */
static void catch_fatal(void) {
  static const int fatal[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGSYS, SIGTRAP};
  void *frame[1];
  backtrace(frame, 1); /* loads what it needs now, not in a handler */
  struct sigaction action = {.sa_sigaction = on_fatal,
                             .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER},
                   old;
  for (guint i = 0; i < G_N_ELEMENTS(fatal); i++)
    if (sigaction(fatal[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
      sigaction(fatal[i], &action, NULL);
}

/* ---- the watch ---- */

/* Ends the process from outside the call that is to blame: by SIGABRT in its own thread, so that
 * the backtrace is of where it hangs, or else at once. */
static void end(HnCellEnd why, int32_t slot, const char *what) {
  HnCallRecord *r = hn_call_record;
  r->end = (int32_t)why, r->slot = slot;
  tell(what, hn_call_blamed(r));
  if (slot >= 0) {
    hn_call_interrupt(slot, SIGABRT);
    g_usleep(2 * G_USEC_PER_SEC);
  }
  _exit(1);
}

static void watch_memory(void) {
  const double bytes = hn_machine_resident(getpid(), hn_lent_bytes());
  if (bytes <= guard.most_bytes) return;
  char what[LINE / 2];
  snprintf(what, sizeof what, "%.3g GB of memory, more than the %.3g GB that run.memory allows,",
           1e-9 * bytes, 1e-9 * guard.most_bytes);
  end(HN_END_MEMORY, -1, what);
}

typedef struct Watch {
  uint32_t serial[HN_CALL_SLOTS];
  double since[HN_CALL_SLOTS]; /* seconds that the call with this serial has been seen for */
} Watch;

static void watch_calls(Watch *w, double seconds) {
  const double most = guard.call_seconds;
  for (int i = 0; most > 0 && i < HN_CALL_SLOTS; i++) {
    const HnCallSlot slot = hn_call_record->call[i];
    if (slot.call == HN_CALL_NONE || slot.serial != w->serial[i])
      w->serial[i] = slot.serial, w->since[i] = 0;
    else if ((w->since[i] += seconds) > most)
      end(HN_END_STUCK, i, "no return from a call");
  }
}

/* The process that started this one is gone: time for a checkpoint, then the end. */
static void watch_parent(double *orphaned, double seconds) {
  if (getppid() == guard.parent) return;
  *guard.stop = 1;
  const double most = guard.call_seconds;
  if ((*orphaned += seconds) > (most > 0 ? MIN(most, ORPHAN_SECONDS) : ORPHAN_SECONDS))
    end(HN_END_ORPHAN, -1, "no scheduler");
}

static void *watch(void *arg) {
  static Watch w;
  double orphaned = 0;
  (void)arg;
  for (int64_t before = g_get_monotonic_time();;) {
    g_usleep(PERIOD_MS * 1000);
    const int64_t now = g_get_monotonic_time();
    /* a process that was stopped for long was not stuck for long */
    const double seconds = MIN(1e-6 * (double)(now - before), 10e-3 * PERIOD_MS);
    before = now;
    if (hn_call_record->end != HN_END_NONE) return NULL;
    watch_memory();
    watch_calls(&w, seconds);
    watch_parent(&orphaned, seconds);
  }
}

void hn_guard_start(const HnCell *cell, int log_fd, volatile int *stop) {
  static char stack[1 << 16];
  const stack_t alternate = {.ss_sp = stack, .ss_size = sizeof stack};
  pthread_t thread;
  guard.cell = cell, guard.log_fd = log_fd, guard.stop = stop, guard.parent = getppid();
  guard.call_seconds = cell->run.call_seconds;
  guard.most_bytes =
      cell->run.memory > 0 ? 1e9 * cell->run.memory : share_of_memory * hn_machine_bytes();
  sigaltstack(&alternate, NULL);
  catch_fatal();
  sigset_t all, old; /* signals for the process go to its other threads */
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &old);
  if (pthread_create(&thread, NULL, watch, NULL) == 0) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void hn_guard_finish(void) {
  hn_call_record->end = HN_END_RETURN;
}

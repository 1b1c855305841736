/* helper_test.c - how long a helper may take: its own time, not that in which a busy machine lets
 * others run. */
#include "helper.h"
#include "machine.h"
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { RIVALS = 4 };
static const double limit = 0.6; /* s */

static double seconds_of(clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void work(void *arg) {
  const double *seconds = arg;
  while (seconds_of(CLOCK_PROCESS_CPUTIME_ID) < *seconds) {
  }
}

static void rest(void *arg) {
  const double *seconds = arg;
  g_usleep((gulong)(*seconds * 1e6));
}

/* Processes that want all of the one processor that this process and its helpers may use. */
static void rivals_begin(pid_t *rival) {
  cpu_set_t mine, one;
  CPU_ZERO(&one);
  g_assert_cmpint(sched_getaffinity(0, sizeof mine, &mine), ==, 0);
  for (size_t k = 0; k < CPU_SETSIZE && !CPU_COUNT(&one); k++)
    if (CPU_ISSET(k, &mine)) CPU_SET(k, &one);
  g_assert_cmpint(sched_setaffinity(0, sizeof one, &one), ==, 0);
  for (int k = 0; k < RIVALS; k++) {
    rival[k] = fork();
    if (rival[k] == 0) prctl(PR_SET_PDEATHSIG, SIGKILL); /* also where the test is killed */
    for (; rival[k] == 0;) {
    }
    g_assert_cmpint(rival[k], >, 0);
  }
}

static void rivals_end(const pid_t *rival) {
  for (int k = 0; k < RIVALS; k++) kill(rival[k], SIGKILL), waitpid(rival[k], NULL, 0);
}

static void tells(void (*act)(void *), double seconds, const char *says) {
  g_autofree char *death = hn_helper_try(act, &seconds, limit);
  g_assert_cmpstr(death, ==, says);
}

/* Half the limit of work takes five times as long beside the rivals; what works or sleeps beyond
 * the limit is ended all the same. */
static void own_time(void) {
  pid_t rival[RIVALS];
  if (hn_machine_queued(getpid()) <= 0) {
    g_test_skip("no /proc/PID/schedstat");
    return;
  }
  rivals_begin(rival);
  const double before = seconds_of(CLOCK_MONOTONIC);
  tells(work, limit / 2, NULL);
  const double took = seconds_of(CLOCK_MONOTONIC) - before;
  tells(work, 20 * limit, "took longer than 0.6 s");
  tells(rest, 20 * limit, "took longer than 0.6 s");
  rivals_end(rival);
  g_assert_cmpfloat(took, >, limit); /* else nothing was shown */
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/helper/own-time", own_time);
  return g_test_run();
}

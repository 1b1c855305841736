/* lock_fixture.h - locks held by processes of their own, as cells hold theirs. */
#ifndef HN_LOCK_FIXTURE_H
#define HN_LOCK_FIXTURE_H
#include <glib.h>
#include <lock.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* A process that holds the lock until it is ended. */
static inline pid_t lock_fixture_hold(const char *path) {
  int ready[2];
  g_assert_cmpint(pipe(ready), ==, 0);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (hn_lock_take(path, 0, NULL) < 0 || write(ready[1], "", 1) != 1) _exit(1);
    for (;;) pause();
  }
  char byte;
  g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
  close(ready[0]), close(ready[1]);
  return child;
}

static inline void lock_fixture_end(pid_t child) {
  kill(child, SIGKILL);
  g_assert_cmpint(waitpid(child, NULL, 0), ==, child);
}
#endif

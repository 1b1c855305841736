/* lock_test.c - who holds a folder's lock: another process does or does not, and a child that is
 * left behind never does. */
#include "error.h"
#include "lock_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>

static char *dir, *path;

static void refused(const char *says) {
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(hn_lock_take(path, 0, &error), ==, -1);
  g_assert_error(error, HN_ERROR, HN_ERROR_BUSY);
  if (!strstr(error->message, says)) g_error("%s", error->message);
}

/* Busy while its holder lives, with his name; free again however he ended. */
static void test_holder(void) {
  const pid_t child = lock_fixture_hold(path);
  g_autofree char *who =
      g_strdup_printf("held by process %d on %s since 2", child, g_get_host_name());
  refused(who);
  lock_fixture_end(child);
  const int fd = hn_lock_take(path, 0, NULL);
  g_assert_cmpint(fd, >=, 0);
  g_autofree char *owner = hn_lock_owner(path);
  g_autofree char *self = g_strdup_printf("process %d on ", getpid());
  g_assert_true(g_str_has_prefix(owner, self));
  hn_lock_release(fd);
}

/* Another process is told who has it, and asking takes nothing away. */
static void test_asked(void) {
  HnLockHolder before = hn_lock_holder(path);
  g_assert_false(before.held);
  g_assert_cmpint(before.pid, ==, 0);
  const pid_t child = lock_fixture_hold(path);
  for (int i = 0; i < 2; i++) {
    HnLockHolder holder = hn_lock_holder(path);
    g_assert_true(holder.held && holder.here);
    g_assert_cmpint(holder.pid, ==, child);
    g_assert_cmpstr(holder.host, ==, g_get_host_name());
    hn_lock_holder_clear(&holder);
  }
  refused("held by process ");
  lock_fixture_end(child);
  HnLockHolder after = hn_lock_holder(path); /* its name is still written there */
  g_assert_false(after.held);
  g_assert_null(after.host);
}

/* A child without exec, which has the descriptor open, does not hold the lock of its parent. */
static void test_child_left_behind(void) {
  const int fd = hn_lock_take(path, 0, NULL);
  g_assert_cmpint(fd, >=, 0);
  const pid_t left = fork();
  if (left == 0)
    for (;;) pause();
  hn_lock_release(fd);
  const pid_t other = lock_fixture_hold(path); /* would fail if `left` held it */
  lock_fixture_end(other), lock_fixture_end(left);
}

/* Who holds it is said even if he has not written it down yet, nor made an old name go away. */
static void test_late_owner(void) {
  int ready[2];
  g_unlink(path);
  g_assert_cmpint(pipe(ready), ==, 0);
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const int fd = open(path, O_RDWR | O_CREAT, 0666);
    if (fcntl(fd, F_SETLK, &whole) != 0 || write(ready[1], "", 1) != 1) _exit(1);
    g_usleep(50000);
    if (write(fd, "process 17 on a host\n", 21) != 21) _exit(1);
    for (;;) pause();
  }
  char byte;
  g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
  close(ready[0]), close(ready[1]);
  refused("held by process 17 on a host");
  lock_fixture_end(child);
}

static void test_wait(void) {
  const pid_t child = lock_fixture_hold(path);
  const pid_t killer = fork();
  if (killer == 0) {
    g_usleep(200000);
    kill(child, SIGKILL);
    _exit(0);
  }
  const int fd = hn_lock_take(path, 20, NULL); /* the zombie has let go of it */
  g_assert_cmpint(fd, >=, 0);
  hn_lock_release(fd);
  waitpid(child, NULL, 0), waitpid(killer, NULL, 0);
}

/* The folder is removed and made anew while one waits: it is the new file that counts. */
static void test_made_anew(void) {
  const pid_t first = lock_fixture_hold(path);
  g_assert_cmpint(g_unlink(path), ==, 0);
  const pid_t second = lock_fixture_hold(path);
  g_autofree char *who = g_strdup_printf("held by process %d on ", second);
  refused(who);
  lock_fixture_end(first), lock_fixture_end(second);
}

static void test_no_lock(void) {
  g_autofree char *nowhere = g_build_filename(dir, "absent", "lock", NULL);
  g_autoptr(GError) error = NULL;
  g_assert_cmpint(hn_lock_take(nowhere, 0, &error), ==, -1);
  g_assert_error(error, HN_ERROR, HN_ERROR_FILE);
  g_assert_nonnull(strstr(error->message, g_strerror(ENOENT)));
  g_assert_null(hn_lock_owner(nowhere));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  dir = g_dir_make_tmp("hunch-lock-XXXXXX", NULL);
  path = g_build_filename(dir, "lock", NULL);
  g_test_add_func("/lock/holder", test_holder);
  g_test_add_func("/lock/asked", test_asked);
  g_test_add_func("/lock/child_left_behind", test_child_left_behind);
  g_test_add_func("/lock/late_owner", test_late_owner);
  g_test_add_func("/lock/wait", test_wait);
  g_test_add_func("/lock/made_anew", test_made_anew);
  g_test_add_func("/lock/no_lock", test_no_lock);
  const int code = g_test_run();
  g_unlink(path), g_rmdir(dir);
  g_free(path), g_free(dir);
  return code;
}

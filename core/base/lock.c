/* lock.c - see lock.h. */
#include "lock.h"
#include "error.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 50, OWNER_MOST = 256, OWNER_POLLS = 50, OWNER_MS = 20 };

static int fail(GError **error, HnErrorCode code, const char *path, const char *why, int fd) {
  hn_error_set(error, code, "%s: %s", path, why);
  if (fd >= 0) close(fd);
  return -1;
}

/* The first line of the file, or NULL. */
static char *owner_in(int fd) {
  char owner[OWNER_MOST] = "";
  const ssize_t n = pread(fd, owner, sizeof owner - 1, 0);
  owner[MAX(n, 0)] = '\0';
  owner[strcspn(owner, "\n")] = '\0';
  return *owner ? g_utf8_make_valid(owner, -1) : NULL;
}

/* Who has just taken the lock writes in a moment who it is. */
char *hn_lock_owner(const char *path) {
  char *owner = NULL;
  for (int i = 0; i < OWNER_POLLS && !owner; i++) {
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) return NULL;
    owner = owner_in(fd);
    close(fd);
    if (!owner) g_usleep(OWNER_MS * 1000);
  }
  return owner;
}

static int busy(GError **error, const char *path, int fd) {
  g_autofree char *owner = hn_lock_owner(path);
  g_autofree char *why = g_strconcat("held by ", owner ? owner : "another process", NULL);
  return fail(error, HN_ERROR_BUSY, path, why, fd);
}

/* Whether `path` still names the file that fd has open: a folder may have been removed meanwhile.
 */
static bool is_current(int fd, const char *path) {
  struct stat ours, named;
  return fstat(fd, &ours) == 0 && stat(path, &named) == 0 && ours.st_dev == named.st_dev &&
         ours.st_ino == named.st_ino;
}

static void write_owner(int fd) {
  g_autoptr(GDateTime) now = g_date_time_new_now_utc();
  g_autofree char *time = g_date_time_format_iso8601(now);
  g_autofree char *owner =
      g_strdup_printf("process %d on %s since %s\n", (int)getpid(), g_get_host_name(), time);
  const size_t n = strlen(owner); /* a note only: without it, the lock still holds */
  if (pwrite(fd, owner, n, 0) < 0 || ftruncate(fd, (off_t)n) != 0) return;
}

int hn_lock_take(const char *path, double wait, GError **error) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  for (int64_t start = g_get_monotonic_time();;) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0666);
    if (fd < 0) return fail(error, HN_ERROR_FILE, path, g_strerror(errno), -1);
    if (fcntl(fd, F_SETLK, &whole) == 0) {
      if (!is_current(fd, path)) { /* made anew by somebody else: that one counts */
        close(fd);
        continue;
      }
      write_owner(fd);
      return fd;
    }
    if (errno != EACCES && errno != EAGAIN)
      return fail(error, HN_ERROR_FILE, path, g_strerror(errno), fd);
    if ((double)(g_get_monotonic_time() - start) > 1e6 * wait) return busy(error, path, fd);
    close(fd);
    g_usleep(POLL_MS * 1000);
  }
}

void hn_lock_holder_clear(HnLockHolder *holder) {
  g_clear_pointer(&holder->host, g_free);
}

/* "process 123 on HOST since TIME", as write_owner has it. */
static void take_owner(HnLockHolder *holder, const char *owner) {
  int pid = 0, host = 0;
  if (!owner || sscanf(owner, "process %d on %n", &pid, &host) != 1 || !host) return;
  const char *since = g_strrstr(owner, " since ");
  if (pid <= 0 || !since || since < owner + host) return;
  holder->pid = pid;
  holder->host = g_strndup(owner + host, (gsize)(since - owner - host));
}

HnLockHolder hn_lock_holder(const char *path) {
  HnLockHolder holder = {0};
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return holder;
  holder.held = fcntl(fd, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
  holder.here = holder.held && whole.l_pid > 0;
  if (holder.here) {
    holder.pid = whole.l_pid, holder.host = g_strdup(g_get_host_name());
  } else if (holder.held) {
    g_autofree char *owner = owner_in(fd);
    take_owner(&holder, owner);
  }
  close(fd);
  return holder;
}

void hn_lock_release(int fd) {
  if (fd >= 0) close(fd);
}

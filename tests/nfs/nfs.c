/* nfs.c - for LD_PRELOAD: what programs see of a filesystem over NFS.  flock(2) is a lock on a
 * range of bytes there (flock(2), "NFS details"), so that an exclusive one wants a descriptor that
 * is open for writing; names change late, and what stat says is late as well.  O_EXCL and locks of
 * fcntl(2) work as they are. */
#undef _FILE_OFFSET_BITS /* both kinds of stat are defined here */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RENAME_MS = 20, STAT_MS = 4, ONE_STAT_OF = 8 };

static uint32_t draw(void) {
  static _Thread_local uint64_t state;
  struct timespec now;
  if (!state) {
    clock_gettime(CLOCK_MONOTONIC, &now);
    state = (uint64_t)now.tv_nsec ^ ((uint64_t)getpid() << 32) ^ 1;
  }
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

static void wait_up_to(uint32_t ms) {
  const int before = errno;
  const struct timespec pause = {.tv_nsec = (long)(draw() % ms) * 1000000};
  nanosleep(&pause, NULL);
  errno = before;
}

static void wait_for_attributes(void) {
  if (draw() % ONE_STAT_OF == 0) wait_up_to(STAT_MS);
}

int flock(int fd, int operation) {
  struct flock whole = {.l_whence = SEEK_SET};
  whole.l_type = operation & LOCK_UN ? F_UNLCK : operation & LOCK_EX ? F_WRLCK : F_RDLCK;
  const int failed = fcntl(fd, operation & LOCK_NB ? F_OFD_SETLK : F_OFD_SETLKW, &whole);
  if (failed && (errno == EACCES || errno == EAGAIN)) errno = EWOULDBLOCK;
  return failed; /* EBADF: not open for writing */
}

/* The next definition of NAME after a wait. */
#define LATE(wait, type, name, parameters, arguments)             \
  type name parameters {                                          \
    static type(*next) parameters;                                \
    if (!next) *(void **)(void *)&next = dlsym(RTLD_NEXT, #name); \
    wait;                                                         \
    return next arguments;                                        \
  }
/* NOLINTBEGIN(readability-inconsistent-declaration-parameter-name): those of libc are reserved */
LATE(wait_up_to(RENAME_MS), int, rename, (const char *from, const char *to), (from, to))
LATE(wait_up_to(RENAME_MS), int, renameat, (int a, const char *from, int b, const char *to),
     (a, from, b, to))
LATE(wait_for_attributes(), int, stat, (const char *path, struct stat *st), (path, st))
LATE(wait_for_attributes(), int, lstat, (const char *path, struct stat *st), (path, st))
LATE(wait_for_attributes(), int, fstatat, (int dir, const char *path, struct stat *st, int flags),
     (dir, path, st, flags))
LATE(wait_for_attributes(), int, stat64, (const char *path, struct stat64 *st), (path, st))
LATE(wait_for_attributes(), int, lstat64, (const char *path, struct stat64 *st), (path, st))
LATE(wait_for_attributes(), int, fstatat64,
     (int dir, const char *path, struct stat64 *st, int flags), (dir, path, st, flags))
/* NOLINTEND(readability-inconsistent-declaration-parameter-name) */

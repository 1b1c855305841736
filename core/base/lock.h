/* lock.h - a folder's lock: a file in it that is made once and never renamed.
 *
 * The lock is POSIX's (fcntl), which NFS knows too; it belongs to the process, so that a child that
 * a plugin leaves behind does not hold it, and ends with it, so that no lock is stale.  What the
 * file says is for people: who took it last. */
#ifndef HN_LOCK_H
#define HN_LOCK_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Takes the lock `path`, waiting for it at most `wait` seconds; a descriptor, close-on-exec, or -1:
 * HN_ERROR_BUSY, naming who holds it as far as the file tells, or HN_ERROR_FILE.
 * A process takes a lock once and opens its file in no other way. */
int hn_lock_take(const char *path, double wait, GError **error);
/* What the file says of who took it last, or NULL; g_free.  It says nothing of whether he still has
 * it. */
char *hn_lock_owner(const char *path);
/* Who has a lock now. */
typedef struct HnLockHolder {
  bool held;
  bool here;   /* by a process of this machine that this one can see, which `pid` then names */
  int64_t pid; /* as numbered on the holder's machine; 0: not known */
  char *host;  /* of the holder; NULL: not known */
} HnLockHolder;
/* Asks the system for it, without taking the lock or waiting; whom another machine or another
 * namespace of processes has it from, the file says.  A lock that cannot be asked for (there is no
 * file, or no right to read it) counts as not held.  Not for a process that holds it itself: that
 * would lose it. */
HnLockHolder hn_lock_holder(const char *path);
void hn_lock_holder_clear(HnLockHolder *holder);
/* Gives it back; the file stays. */
void hn_lock_release(int fd);
#endif

/* machine.h - what this machine, or the container around the process, has. */
#ifndef HN_MACHINE_H
#define HN_MACHINE_H
#include <sys/types.h>

/* Bytes of memory, of this machine or of the container that the process is confined to.  [any] */
double hn_machine_bytes(void);
/* Bytes of it that a process has taken, of which those that it lends (hn_lent_bytes) have two
 * addresses, but are counted once; 0: not known.  [any] */
double hn_machine_resident(pid_t pid, double lent);
/* Seconds that the first thread of a process could have run, but for others on all processors; 0:
 * not known.  [any] */
double hn_machine_queued(pid_t pid);
/* Processors that this process may use at once: those of its affinity, and no more than the quota
 * of its control groups (rounded up); at least 1.  [any] */
int hn_machine_processors(void);
#endif

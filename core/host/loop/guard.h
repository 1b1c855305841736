/* guard.h - what watches over a cell's process: a handler of fatal signals that leaves a backtrace,
 * and a thread that ends a cell whose plugin does not return, takes too much memory, or whose
 * scheduler is gone.  How the cell ended stands in its call record. */
#ifndef HN_GUARD_H
#define HN_GUARD_H
#include "cell.h"

/* Catches fatal signals for good and starts the watch.  log_fd: where lines and backtraces go,
 * borrowed; stop: set to 1 when the process that started this one is gone, static.  The cell must
 * live as long as its plugins are called.  Once a process. */
void hn_guard_start(const HnCell *cell, int log_fd, volatile int *stop);
/* Notes that the process ends by itself from here on. */
void hn_guard_finish(void);
#endif

/* schedule.h - runs cells as processes of their own, a few at a time. */
#ifndef HN_SCHEDULE_H
#define HN_SCHEDULE_H
#include "jobs.h"

/* Runs every waiting job in order, at most `parallel` at once; each is `hunch cell DIR` in
 * a process group of its own with one BLAS thread, and ends with a checkpoint if this process dies.
 * SIGINT, SIGTERM, SIGHUP or SIGUSR1 stops all with a checkpoint, a second one kills them.  What
 * cells say goes to stderr under their names; a failure is told at once.  metric: the column of
 * metrics.csv that progress shows.  Returns false if it was stopped before all jobs had run. */
bool hn_schedule_run(GPtrArray *jobs, int64_t parallel, const char *metric);
/* As many as there are processors for, by the workers a cell uses. */
int64_t hn_schedule_parallel(const GPtrArray *jobs);
#endif

/* run_sizes.h - what the cells of a study will take of the disk and of memory, said before they
 * run.  Of studies that hn_session_check has seen. */
#ifndef HN_RUN_SIZES_H
#define HN_RUN_SIZES_H
#include "jobs.h"
#include "json.h"
#include "verbs.h"

/* A line on stdout for arms that take the same, and one for the checkpoints of all cells. */
void hn_run_sizes_print(const HnStudy *study);
/* The same as a member "sizes", an element for each arm. */
void hn_run_sizes_add(JsonBuilder *b, const HnStudy *study);
/* A warning where evaluations take more rows than there are tasks. */
void hn_run_sizes_warn_tasks(const HnVerb *verb, const HnStudy *study);
/* A warning where the checkpoints of the jobs that are not done may take more than is free where
 * `dir` is, or will be. */
void hn_run_sizes_warn(const HnVerb *verb, const HnStudy *study, const char *dir,
                       const GPtrArray *jobs);
#endif

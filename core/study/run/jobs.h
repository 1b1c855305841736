/* jobs.h - a study's folder before and after cells run: the jobs in it and what they leave. */
#ifndef HN_FOLDER_H
#define HN_FOLDER_H
#include "cell_status.h"

typedef enum HnJobState {
  HN_JOB_WAITING,
  HN_JOB_RUNNING,
  HN_JOB_DONE,
  HN_JOB_FAILED,
  HN_JOB_INTERRUPTED, /* can go on from a checkpoint */
  HN_JOB_ELSEWHERE    /* another process is running this cell */
} HnJobState;

/* One cell that was asked for. */
typedef struct HnJob HnJob;
struct HnJob {
  const HnCell *cell;
  char *name; /* ARM/SEED_INDEX */
  char *dir;
  HnJobState state;
  bool ready; /* was done before */
  int64_t frames, total;
  char *reason;       /* of a failure */
  bool refused;       /* by a plugin, which was told what cannot be or lacks a file */
  const HnJob *after; /* must be done before: it makes the weights that this one starts from */
};

/* The cells of the study that are asked for (arms, seeds: NULL for all), in the order they run:
 * seed by seed, so that the first results are already paired.  Free with g_ptr_array_unref. */
GPtrArray *hn_jobs_new(const HnStudy *study, const char *dir, char **arms, const gint64 *seeds,
                       gsize seed_count);
/* Looks at what `dir` holds.  HN_ERROR_DIFFERS, naming what, if that is another study or another
 * configuration of it, or lacks a cell that another starts from and that was not asked for; writes
 * nothing. */
bool hn_folder_check(const HnStudy *study, const char *dir, GPtrArray *jobs, GError **error);
/* Checks again, alone, and writes the plan.  HN_ERROR_FILE, or as above; cells write what is
 * theirs when they hold their own folder's lock. */
bool hn_folder_prepare(const HnStudy *study, const char *const *overrides, const char *dir,
                       GPtrArray *jobs, GError **error);
/* Removes the plan again where no cell has left anything: all were refused. */
void hn_folder_discard(const char *dir);
/* Notes in a cell's run.json how it ended, where the cell itself could not. */
void hn_job_record(const HnJob *job, const char *status, const char *reason);
/* Members "status" and "reason" of a cell's run.json; g_free.  NULL: not there. */
void hn_job_recorded(const HnJob *job, char **status, char **reason);
#endif

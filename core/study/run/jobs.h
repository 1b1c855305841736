/* jobs.h - a study's folder before and after cells run: the jobs in it and what they leave. */
#ifndef HN_JOBS_H
#define HN_JOBS_H
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
  bool ready;   /* was done before */
  bool fresh;   /* has no checkpoint of its own to go on from */
  bool rebuilt; /* its folder holds a run by other builds of its plugins, which is put aside: */
  char *aside;  /* where that now is; NULL: not yet, or there was none */
  int64_t frames, total;
  double metric;      /* while it runs, the last value of the deciding metric, */
  int64_t evaluated;  /* which it had at this update; 0: not yet */
  int64_t looked_at;  /* update at which that was last looked for */
  char *reason;       /* of a failure */
  bool refused;       /* by a plugin: its parameters contradict each other, or a file is missing */
  const HnJob *after; /* must be done before: it makes the weights that this one starts from */
};

/* The cells of the study that are asked for (arms, seeds: NULL for all), in the order they run:
 * seed by seed, so that the first results are already paired.  Free with g_ptr_array_unref. */
GPtrArray *hn_jobs_new(const HnStudy *study, const char *dir, char **arms, const int64_t *seeds,
                       gsize seed_count);
/* One of them alone; the cell outlives it. */
GPtrArray *hn_jobs_of_cell(const HnCell *cell, const char *dir);
/* Whether `dir` is a folder or can become one; else HN_ERROR_REFUSED. */
bool hn_jobs_folder_check(const char *dir, GError **error);
/* What becomes of runs by other builds of their plugins (HN_CELL_REBUILT). */
typedef struct HnRebuilds {
  bool replaced; /* those that are asked for are put aside and run anew, instead of being refused */
  guint left;    /* of those that are not asked for: how many stay */
} HnRebuilds;

/* Checks what `dir` holds; writes nothing.  As above, or HN_ERROR_DIFFERS, with the reason, if
 * that is another study or another configuration of it, or if a cell starts from one that is not
 * done and not asked for.  HN_ERROR_REFUSED: the weights that a cell is to begin with are missing
 * or damaged. */
bool hn_jobs_check(const HnStudy *study, const char *dir, GPtrArray *jobs, HnRebuilds *rebuilds,
                   GError **error);
/* Checks again, under the folder's lock, puts runs aside that are replaced (each under its own
 * lock; HN_ERROR_BUSY), and writes the plan.  HN_ERROR_FILE, or as above.  Cells write their own
 * files under their own folders' locks. */
bool hn_jobs_prepare(const HnStudy *study, const char *const *overrides, const char *dir,
                     GPtrArray *jobs, HnRebuilds *rebuilds, GError **error);
/* Removes the plan again where no cell has left anything: all were refused. */
void hn_jobs_discard(const char *dir);
/* Writes into a cell's run.json how it ended, where the cell itself could not. */
void hn_job_record(const HnJob *job, const char *status, const char *reason);
/* Members "status" and "reason" of a cell's run.json, NULL where absent; free with g_free. */
void hn_job_recorded(const HnJob *job, char **status, char **reason);
#endif

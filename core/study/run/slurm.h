/* slurm.h - Slurm, through its own commands: sbatch, squeue, sacct, scontrol.
 *
 * Of a command that is not installed: HN_ERROR_MISSING; of one that fails: HN_ERROR_PROGRAM, with
 * what it said. */
#ifndef HN_SLURM_H
#define HN_SLURM_H
#include "jobs.h"

/* ---- what became of cells ---- */

/* What Slurm says of a cell's task. */
typedef struct HnSlurmJob {
  int64_t job, task; /* JOB_TASK, as Slurm's commands want it */
  char *state;       /* in Slurm's word: "PENDING", "RUNNING", "TIMEOUT", .. */
  char *node;        /* "" where there is none */
  char *reason;      /* why it waits, or ended; "" where there is none */
  char *identity;    /* of the cell as it was submitted (hn_cell_identity) */
  bool live;         /* it is queued or running */
} HnSlurmJob;

/* The cells, "ARM/SEED_INDEX", that were submitted from a study's folder and that Slurm still knows
 * of: -> HnSlurmJob *, of several tasks the one that is live, else the last.  What squeue has
 * forgotten is asked of sacct, where there is accounting.  Starts no command where nothing was
 * submitted; g_hash_table_unref. */
GHashTable *hn_slurm_jobs(const char *dir, GError **error);
/* Marks the waiting jobs whose cells are live in Slurm as HN_JOB_ELSEWHERE and returns what Slurm
 * says of them, as above.  Asks only where one of those was ever submitted; then an answer is
 * needed.  HN_ERROR_DIFFERS: Slurm has such a cell with another configuration or other plugins. */
GHashTable *hn_slurm_leave(const char *dir, GPtrArray *jobs, GError **error);
/* "4 PENDING, 2 RUNNING": how many of a table are in which state; g_free. */
char *hn_slurm_summary(GHashTable *table);

/* ---- handing over ---- */

/* Whether there is an sbatch to submit by. */
bool hn_slurm_is_here(GError **error);
/* Submits a script; after: other arrays, "12:13", that must have ended before, or NULL.  The number
 * of the array, or 0. */
int64_t hn_slurm_submit(const char *script, const char *after, GError **error);

/* ---- within a task ---- */

/* "JOB_TASK" of the task that this process belongs to, or NULL; g_free. */
char *hn_slurm_task(void);
/* Whether Slurm still means that task to run: it was neither cancelled nor has its time run out,
 * and no requeue is on its way. */
bool hn_slurm_is_wanted(const char *task, GError **error);
/* Puts it back into the queue; Slurm may end this process meanwhile. */
bool hn_slurm_requeue(const char *task, GError **error);
#endif

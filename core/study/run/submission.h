/* submission.h - what was handed to Slurm from a study's folder: an array of tasks, a cell each.
 *
 *   STUDY/slurm/NUMBER/job.sh            the script of the array, for people too
 *   STUDY/slurm/NUMBER/cells/ARM/SEED_INDEX.yaml   the cells as they were resolved
 *   STUDY/slurm/NUMBER/submission.json   which cell each task is; what is not there was never sent
 *   STUDY/slurm/NUMBER/TASK.log          what the task printed */
#ifndef HN_SUBMISSION_H
#define HN_SUBMISSION_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct HnSubmission {
  int64_t number;        /* from 1 */
  char *name;            /* of the job: STUDY-NUMBER */
  char *folder;          /* full path of the study's folder, where the tasks run */
  int64_t job;           /* Slurm's number of the array; 0: whether it was taken is not known */
  GPtrArray *cells;      /* char *, ARM/SEED_INDEX, by task */
  GPtrArray *identities; /* char *, of those cells as they were submitted (hn_cell_identity) */
} HnSubmission;

/* study: the full path of its folder; cells are still to be added. */
HnSubmission *hn_submission_new(const char *study, const char *study_name, int64_t number);
void hn_submission_free(HnSubmission *s);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnSubmission, hn_submission_free)

/* "slurm/3", seen from the study's folder; g_free. */
char *hn_submission_place(const HnSubmission *s);
/* Writes submission.json; HN_ERROR_FILE. */
bool hn_submission_write(const HnSubmission *s, GError **error);
/* Removes it again: Slurm did not take the array, and its number is free. */
void hn_submission_forget(const HnSubmission *s);
/* All of a study's folder, HnSubmission * by number; none where it has none.  NULL with
 * HN_ERROR_FILE if one is damaged; g_ptr_array_unref. */
GPtrArray *hn_submissions_read(const char *dir, GError **error);
/* The number after the highest that the folder has. */
int64_t hn_submissions_next(const char *dir);
#endif

/* sbatch.h - what a submission asks of Slurm, and the script that says so. */
#ifndef HN_SBATCH_H
#define HN_SBATCH_H
#include "submission.h"

typedef struct HnSbatch {
  char *partition, *time, *memory; /* in sbatch's forms; memory may be NULL */
  int parallel;                    /* tasks at once */
  int processors;                  /* of a task */
  char **more;                     /* further options of sbatch, "--account=lab"; or NULL */
} HnSbatch;

/* Whether each is of a form that sbatch takes; else HN_ERROR_REFUSED with the form that was
 * expected. Whether a partition exists, Slurm alone knows. */
bool hn_sbatch_check(const HnSbatch *o, GError **error);
/* Whether a script can name that folder; HN_ERROR_REFUSED. */
bool hn_sbatch_folder_check(const char *folder, GError **error);
/* The script of a submission; frozen: its program's folder, seen from the study's.  after: whether
 * other arrays must have ended before; g_free. */
char *hn_sbatch_script(const HnSbatch *o, const HnSubmission *s, const char *frozen, bool after);
#endif

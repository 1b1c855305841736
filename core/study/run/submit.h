/* submit.h - hands the cells of a study that are left to Slurm. */
#ifndef HN_SUBMIT_H
#define HN_SUBMIT_H
#include "freeze.h"
#include "jobs.h"
#include "sbatch.h"

/* An array that is to be submitted. */
typedef struct HnBatch {
  HnSubmission *submission;
  GPtrArray *jobs; /* HnJob *, borrowed, by task */
  char *script;
  char *sources; /* arrays that Slurm has already and that make weights for it, "12:13"; or NULL */
  bool after;    /* of the array before it is to have ended, too */
} HnBatch;

/* The waiting jobs as arrays, HnBatch *, in the order in which they are submitted: a cell that
 * starts from another one's weights comes in a later array, and no array is longer than clusters
 * allow.  dir: the study's folder as a full path; left: of hn_slurm_leave().  g_ptr_array_unref. */
GPtrArray *hn_submit_plan(const HnStudy *study, const char *dir, const GPtrArray *jobs,
                          GHashTable *left, const HnSbatch *options, const HnFrozen *frozen);
/* Writes what the array needs into the study's folder and submits it; before: the array before it,
 * 0: none.  For who holds that folder's slurm/lock, after hn_frozen_write().  False with
 * HN_ERROR_FILE, or an error of slurm.h. */
bool hn_submit_send(HnBatch *b, const HnFrozen *frozen, int64_t before, GError **error);
/* STUDY/slurm/frozen, where programs and plugins are kept; g_free. */
char *hn_submit_frozen_folder(const char *dir);
#endif

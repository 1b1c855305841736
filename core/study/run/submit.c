/* submit.c - see submit.h. */
#include "submit.h"
#include "error.h"
#include "output_file.h"
#include "run_dir.h"
#include "slurm.h"
#include <string.h>

enum { ARRAY_MOST = 1000 }; /* Slurm's MaxArraySize is 1001 unless a cluster says otherwise */
#define FROZEN HN_STUDY_SLURM "/frozen"

static void batch_free(void *p) {
  HnBatch *b = p;
  hn_submission_free(b->submission);
  g_ptr_array_unref(b->jobs);
  g_free(b->script), g_free(b->sources);
  g_free(b);
}

char *hn_submit_frozen_folder(const char *dir) {
  return g_build_filename(dir, FROZEN, NULL);
}

/* ---- which cells make an array ---- */

/* How many arrays must have ended before a job's turn comes. */
static guint level_of(const HnJob *j) {
  guint level = 0;
  for (; j->after && j->after->state != HN_JOB_DONE; j = j->after) {
    level++;
    if (j->after->state != HN_JOB_WAITING) break; /* Slurm has it already */
  }
  return level;
}

/* The waiting jobs of a level, each list at most as long as an array may be. */
static GPtrArray *jobs_by_level(const GPtrArray *jobs) {
  GPtrArray *levels = g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
  for (guint i = 0; i < jobs->len; i++) {
    HnJob *j = jobs->pdata[i];
    if (j->state != HN_JOB_WAITING) continue;
    const guint level = level_of(j);
    while (levels->len <= level) g_ptr_array_add(levels, g_ptr_array_new());
    g_ptr_array_add(levels->pdata[level], j);
  }
  return levels;
}

/* The arrays in Slurm that the jobs' weights come from. */
static char *sources_of(const GPtrArray *jobs, GHashTable *left) {
  g_autoptr(GHashTable) known = g_hash_table_new(g_int64_hash, g_int64_equal);
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < jobs->len; i++) {
    const HnJob *after = ((const HnJob *)jobs->pdata[i])->after;
    HnSlurmJob *s = after ? g_hash_table_lookup(left, after->name) : NULL;
    if (s && g_hash_table_add(known, &s->job))
      g_string_append_printf(out, "%s%" G_GINT64_FORMAT, out->len ? ":" : "", s->job);
  }
  return g_string_free(out, out->len == 0);
}

GPtrArray *hn_submit_plan(const HnStudy *study, const char *dir, const GPtrArray *jobs,
                          GHashTable *left, const HnSbatch *options, const HnFrozen *frozen) {
  GPtrArray *batches = g_ptr_array_new_with_free_func(batch_free);
  g_autoptr(GPtrArray) levels = jobs_by_level(jobs);
  g_autofree char *place = g_build_filename(FROZEN, frozen->hash, NULL);
  int64_t number = hn_submissions_next(dir);
  for (guint level = 0; level < levels->len; level++) {
    const GPtrArray *of_level = levels->pdata[level];
    for (guint start = 0; start < of_level->len; start += ARRAY_MOST) {
      HnBatch *b = g_new0(HnBatch, 1);
      b->jobs = g_ptr_array_new();
      b->submission = hn_submission_new(dir, study->name, number++);
      for (guint i = start; i < MIN(of_level->len, start + ARRAY_MOST); i++) {
        HnJob *j = of_level->pdata[i];
        g_ptr_array_add(b->jobs, j);
        g_ptr_array_add(b->submission->cells, g_strdup(j->name));
        g_ptr_array_add(b->submission->identities, hn_cell_identity(j->cell));
      }
      b->sources = sources_of(b->jobs, left);
      b->after = batches->len > 0;
      b->script = hn_sbatch_script(options, b->submission, place, b->after || b->sources);
      g_ptr_array_add(batches, b);
    }
  }
  return batches;
}

/* ---- handing over ---- */

static bool write_file(const char *path, const char *text, GError **error) {
  g_autofree char *folder = g_path_get_dirname(path);
  g_autoptr(GError) why = NULL;
  g_mkdir_with_parents(folder, 0777); /* what it lacks, the file says */
  return hn_output_replace(path, text, &why) ||
         hn_error_set(error, HN_ERROR_FILE, "%s cannot be written: %s", path, why->message);
}

/* The script and the cells, before the record that counts. */
static bool write_all(const HnBatch *b, const HnFrozen *frozen, const char *script,
                      GError **error) {
  const char *dir = b->submission->folder;
  g_autofree char *place = hn_submission_place(b->submission);
  g_autofree char *folder = hn_submit_frozen_folder(dir);
  for (guint i = 0; i < b->jobs->len; i++) {
    const HnJob *j = b->jobs->pdata[i];
    g_autofree char *text = hn_frozen_configuration(frozen, j->cell, folder);
    g_autofree char *name = g_strconcat(j->name, ".yaml", NULL);
    g_autofree char *path = g_build_filename(dir, place, "cells", name, NULL);
    if (!write_file(path, text, error)) return false;
  }
  return write_file(script, b->script, error) && hn_submission_write(b->submission, error);
}

/* The arrays that must have ended before, or NULL. */
static char *dependency_of(const HnBatch *b, int64_t before) {
  if (!b->after) return g_strdup(b->sources);
  return g_strdup_printf("%" G_GINT64_FORMAT "%s%s", before, b->sources ? ":" : "",
                         b->sources ? b->sources : "");
}

bool hn_submit_send(HnBatch *b, const HnFrozen *frozen, int64_t before, GError **error) {
  HnSubmission *s = b->submission;
  g_autofree char *place = hn_submission_place(s), *after = dependency_of(b, before);
  g_autofree char *script = g_build_filename(s->folder, place, "job.sh", NULL);
  g_autoptr(GError) why = NULL;
  if (!write_all(b, frozen, script, error)) return false;
  s->job = hn_slurm_submit(script, after, &why);
  if (s->job) return hn_submission_write(s, error);
  /* after a time-out Slurm may have taken it: the record then finds it by its name */
  if (!strstr(why->message, "timed out")) hn_submission_forget(s);
  g_propagate_prefixed_error(error, g_steal_pointer(&why), "%s: ", script);
  return false;
}

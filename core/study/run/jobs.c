/* jobs.c - see jobs.h.  Files are written beside and renamed. */
#include "jobs.h"
#include "error.h"
#include "json.h"
#include "lock.h"
#include "output_file.h"
#include "plan_file.h"
#include "run_dir.h"
#include "warm_start.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

enum { LOCK_SECONDS = 30 }; /* that another process may take to write the plan */

static void job_free(HnJob *j) {
  g_free(j->name), g_free(j->dir), g_free(j->reason), g_free(j->aside);
  g_free(j);
}

static void link_jobs(GPtrArray *jobs) {
  g_autoptr(GHashTable) of = g_hash_table_new(NULL, NULL);
  for (guint i = 0; i < jobs->len; i++) {
    HnJob *j = jobs->pdata[i];
    g_hash_table_insert(of, (gpointer)(guintptr)j->cell, j);
  }
  for (guint i = 0; i < jobs->len; i++) {
    HnJob *j = jobs->pdata[i];
    if (j->cell->source) j->after = g_hash_table_lookup(of, j->cell->source);
  }
}

static bool wanted(const HnCell *cell, char **arms, const int64_t *seeds, gsize seed_count) {
  bool seed = !seeds;
  for (gsize i = 0; seeds && i < seed_count; i++) seed |= seeds[i] == cell->seed_index;
  return seed && (!arms || g_strv_contains((const char *const *)arms, cell->arm));
}

static HnJob *job_new(const HnCell *cell, const char *dir) {
  HnJob *j = g_new0(HnJob, 1);
  j->cell = cell;
  j->name = g_strdup_printf("%s/%" G_GINT64_FORMAT, cell->arm, cell->seed_index);
  j->dir = hn_run_dir(dir, cell->arm, cell->seed_index);
  j->total = cell->run.frames;
  return j;
}

GPtrArray *hn_jobs_new(const HnStudy *study, const char *dir, char **arms, const int64_t *seeds,
                       gsize seed_count) {
  GPtrArray *jobs = g_ptr_array_new_with_free_func((GDestroyNotify)job_free);
  for (int64_t s = 0; s < study->seeds.count; s++)
    for (int64_t at = s; at < study->cells->len; at += study->seeds.count) { /* arm-major */
      const HnCell *cell = study->cells->pdata[at];
      if (wanted(cell, arms, seeds, seed_count)) g_ptr_array_add(jobs, job_new(cell, dir));
    }
  link_jobs(jobs);
  return jobs;
}

GPtrArray *hn_jobs_of_cell(const HnCell *cell, const char *dir) {
  GPtrArray *jobs = g_ptr_array_new_with_free_func((GDestroyNotify)job_free);
  g_ptr_array_add(jobs, job_new(cell, dir));
  return jobs;
}

bool hn_jobs_folder_check(const char *dir, GError **error) {
  if (!*dir) return hn_error_set(error, HN_ERROR_REFUSED, "-o wants the name of a folder");
  if (!g_file_test(dir, G_FILE_TEST_EXISTS) || g_file_test(dir, G_FILE_TEST_IS_DIR)) return true;
  return hn_error_set(error, HN_ERROR_REFUSED, "%s is not a folder: choose another with -o", dir);
}

/* Folders that have a cell's configuration below them, in a study's folder. */
static GPtrArray *arms_with_cells(const char *dir) {
  GPtrArray *arms = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
  for (const char *arm; d && (arm = g_dir_read_name(d));) {
    g_autofree char *path = g_build_filename(dir, arm, NULL);
    g_autoptr(GDir) seeds = g_dir_open(path, 0, NULL);
    bool any = false;
    for (const char *seed; seeds && !any && (seed = g_dir_read_name(seeds));) {
      g_autofree char *config =
          g_build_filename(path, seed, hn_run_file_name(HN_FILE_CONFIG), NULL);
      any = g_file_test(config, G_FILE_TEST_EXISTS);
    }
    if (any) g_ptr_array_add(arms, g_strdup(arm));
  }
  return arms;
}

/* Whether a plan is damaged beside cells by which the folder is known: it is then written anew,
 * where these cells fit. */
static bool plan_is_lost(const char *dir, const char *plan, JsonObject *held) {
  g_autofree char *source = g_build_filename(dir, HN_STUDY_SOURCE, NULL);
  g_autoptr(GPtrArray) arms = arms_with_cells(dir);
  return !held && g_file_test(plan, G_FILE_TEST_IS_REGULAR) &&
         g_file_test(source, G_FILE_TEST_IS_REGULAR) && arms->len > 0;
}

/* A folder that is not empty must hold this study's plan. */
static bool same_study(const HnStudy *study, const char *dir, GError **error) {
  g_autofree char *plan = g_build_filename(dir, HN_STUDY_PLAN, NULL);
  g_autofree char *some = hn_run_some_file(dir);
  if (!some) return true;
  g_autoptr(GError) damage = NULL;
  g_autoptr(JsonObject) held = hn_json_read(plan, &damage);
  const char *name = hn_json_string(held, "study", NULL);
  if (g_strcmp0(name, study->name) == 0 || plan_is_lost(dir, plan, held)) return true;
  if (g_error_matches(damage, HN_ERROR, HN_ERROR_FILE))
    return hn_error_set(error, HN_ERROR_DIFFERS, "%s; choose another folder with -o",
                        damage->message);
  if (name)
    hn_error_set(error, HN_ERROR_DIFFERS,
                 "%s holds the study %s, not %s: choose another folder with -o", dir, name,
                 study->name);
  else
    hn_error_set(error, HN_ERROR_DIFFERS,
                 "%s is not a study's folder (it holds %s): choose another with -o", dir, some);
  return false;
}

/* The arms that the folder's plan has, and cells of which are there, but that this study lacks. */
static char *arms_to_lose(const HnStudy *study, const char *dir) {
  g_autofree char *plan = g_build_filename(dir, HN_STUDY_PLAN, NULL);
  g_autoptr(JsonObject) held = hn_json_read(plan, NULL);
  JsonArray *arms = held ? hn_json_array(held, "arms") : NULL;
  g_autoptr(GPtrArray) there = arms_with_cells(dir), lost = g_ptr_array_new();
  const guint count = arms ? json_array_get_length(arms) : there->len;
  for (guint i = 0; i < count; i++) {
    const char *arm = arms ? hn_json_string_at(arms, i) : there->pdata[i];
    g_autofree char *folder = arm ? g_build_filename(dir, arm, NULL) : NULL;
    if (arm && g_file_test(folder, G_FILE_TEST_IS_DIR) &&
        !g_ptr_array_find_with_equal_func(study->arms, arm, g_str_equal, NULL))
      g_ptr_array_add(lost, (void *)(guintptr)arm);
  }
  if (!lost->len) return NULL;
  g_ptr_array_add(lost, NULL);
  return g_strjoinv(", ", (char **)lost->pdata);
}

static bool is_wanted(const GPtrArray *jobs, const HnCell *cell) {
  for (guint i = 0; i < jobs->len; i++)
    if (((const HnJob *)jobs->pdata[i])->cell == cell) return true;
  return false;
}

/* The plan that all cells of a folder share changes only where everything in it fits. */
static bool plan_fits(const HnStudy *study, const char *dir, const GPtrArray *jobs,
                      HnRebuilds *rebuilds, GError **error) {
  g_autofree char *lost = arms_to_lose(study, dir), *first = NULL;
  if (lost) {
    return hn_error_set(
        error, HN_ERROR_DIFFERS,
        "%s holds cells of %s, which this study does not have: choose another folder with -o, "
        "or move them away",
        dir, lost);
  }
  guint others = 0, differing = 0;
  rebuilds->left = 0;
  for (guint i = 0; i < study->cells->len; i++) {
    const HnCell *cell = study->cells->pdata[i];
    g_autofree char *folder = hn_run_dir(dir, cell->arm, cell->seed_index);
    HnCellStatus status = hn_cell_status(folder, cell);
    const bool rebuilt = status.work == HN_CELL_REBUILT;
    differing += status.work == HN_CELL_DIFFERS;
    rebuilds->left += rebuilt && !is_wanted(jobs, cell);
    if ((status.work == HN_CELL_DIFFERS || (rebuilt && !rebuilds->replaced)) && others++ == 0)
      first = g_strdup_printf("%s: %s", folder, status.reason);
    hn_cell_status_clear(&status);
  }
  if (!others) return true;
  g_autofree char *more = others > 1 ? g_strdup_printf(" (and %u more cells)", others - 1) : NULL;
  return hn_error_set(error, HN_ERROR_DIFFERS, "%s%s; choose another folder with -o, or %s", first,
                      more ? more : "",
                      differing ? "remove what is there"
                                : "run anew what other plugins change: --rebuild-ok");
}

/* A cell that was not asked for, but that others start from, must be done. */
static bool sources_done(const char *dir, const GPtrArray *jobs, GError **error) {
  for (guint i = 0; i < jobs->len; i++) {
    const HnJob *j = jobs->pdata[i];
    const HnCell *source = j->cell->source;
    if (j->ready || !source || j->after) continue;
    g_autofree char *folder = hn_run_dir(dir, source->arm, source->seed_index);
    HnCellStatus status = hn_cell_status(folder, source);
    bool done = status.work == HN_CELL_DONE;
    hn_cell_status_clear(&status);
    if (done) continue;
    return hn_error_set(error, HN_ERROR_DIFFERS,
                        "%s starts from %s/%" G_GINT64_FORMAT
                        ", which is not done: add --arm %s, or run it before",
                        j->name, source->arm, source->seed_index, source->arm);
  }
  return true;
}

/* Whether the weights that a job is to begin with are whole; no older ones stand in for them. */
static bool weights_whole(const char *dir, const HnJob *j, GError **error) {
  g_autoptr(GError) why = NULL;
  if (hn_warm_start_whole(j->cell, dir, &why)) return true;
  return hn_error_set(error, HN_ERROR_REFUSED,
                      "%s cannot start from the weights of %s/%" G_GINT64_FORMAT ": %s", j->name,
                      j->cell->source->arm, j->cell->source->seed_index, why->message);
}

bool hn_jobs_check(const HnStudy *study, const char *dir, GPtrArray *jobs, HnRebuilds *rebuilds,
                   GError **error) {
  if (!hn_jobs_folder_check(dir, error) || !same_study(study, dir, error) ||
      !plan_fits(study, dir, jobs, rebuilds, error))
    return false;
  for (guint i = 0; i < jobs->len; i++) {
    HnJob *j = jobs->pdata[i];
    HnCellStatus status = hn_cell_status(j->dir, j->cell);
    j->ready = status.work == HN_CELL_DONE;
    if (j->ready) j->state = HN_JOB_DONE, j->frames = j->total;
    j->rebuilt = status.work == HN_CELL_REBUILT;
    j->fresh = status.work == HN_CELL_RUN || j->rebuilt;
    hn_cell_status_clear(&status);
  }
  if (!sources_done(dir, jobs, error)) return false;
  for (guint i = 0; i < jobs->len; i++) { /* sources that are still to run are looked at then */
    const HnJob *j = jobs->pdata[i];
    if (j->fresh && j->cell->source && (!j->after || j->after->ready) &&
        !weights_whole(dir, j, error))
      return false;
  }
  return true;
}

static bool unwritable(const char *what, const char *why, GError **error) {
  return hn_error_set(error, HN_ERROR_FILE, "%s cannot be written: %s", what, why);
}

static bool make_folder(const char *path, GError **error) {
  return g_mkdir_with_parents(path, 0777) == 0 || unwritable(path, g_strerror(errno), error);
}

static bool write_file(const char *dir, const char *name, const char *text, GError **error) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  g_autoptr(GError) why = NULL;
  return hn_output_replace(path, text, &why) || unwritable(path, why->message, error);
}

/* The source, with overrides noted below it, so that line numbers stay. */
static char *annotated(const HnStudy *study, const char *const *overrides) {
  GString *out = g_string_new(study->source);
  if (overrides && *overrides) g_string_append(out, "\n# overridden on the command line:\n");
  for (; overrides && *overrides; overrides++) {
    g_autofree char *line = hn_diag_printable(*overrides); /* a line break would end the comment */
    g_string_append_printf(out, "# %s\n", line);
  }
  return g_string_free(out, FALSE);
}

/* Renames the folder of a run by other builds, unless a process is running it.  The names of both
 * are on the disk before a new run begins. */
static bool put_aside(HnJob *j, GError **error) {
  g_autofree char *path = hn_run_file(j->dir, HN_FILE_LOCK), *aside = hn_run_aside(j->dir);
  g_autofree char *above = g_path_get_dirname(j->dir);
  if (!aside) return unwritable(j->dir, "there are too many beside it that were replaced", error);
  const int lock = hn_lock_take(path, 0, error);
  if (lock < 0) return false;
  const bool moved = g_rename(j->dir, aside) == 0;
  const int why = errno;
  hn_lock_release(lock);
  if (!moved) return unwritable(aside, g_strerror(why), error);
  j->rebuilt = false, j->aside = g_steal_pointer(&aside);
  return hn_output_sync_folder(above, error);
}

static bool put_all_aside(GPtrArray *jobs, GError **error) {
  for (guint i = 0; i < jobs->len; i++) {
    HnJob *j = jobs->pdata[i];
    if (j->rebuilt && !put_aside(j, error)) return false;
  }
  return true;
}

/* The plan is changed by one process at a time, which looks again at what is there. */
bool hn_jobs_prepare(const HnStudy *study, const char *const *overrides, const char *dir,
                     GPtrArray *jobs, HnRebuilds *rebuilds, GError **error) {
  g_autofree char *source = annotated(study, overrides);
  g_autofree char *plan = hn_plan_file_text(study, overrides, source);
  g_autofree char *path = g_build_filename(dir, HN_STUDY_LOCK, NULL);
  if (!make_folder(dir, error)) return false;
  const int lock = hn_lock_take(path, LOCK_SECONDS, error);
  if (lock < 0) return false;
  hn_run_sweep(dir);
  const bool ok = hn_jobs_check(study, dir, jobs, rebuilds, error) && put_all_aside(jobs, error) &&
                  write_file(dir, HN_STUDY_PLAN, plan, error) &&
                  write_file(dir, HN_STUDY_SOURCE, source, error);
  hn_lock_release(lock);
  return ok;
}

void hn_jobs_discard(const char *dir) {
  static const char *const names[] = {HN_STUDY_PLAN, HN_STUDY_SOURCE, HN_STUDY_LOCK};
  g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
  for (const char *name; d && (name = g_dir_read_name(d));)
    if (!hn_run_is_leftover(name) && !g_str_equal(name, HN_STUDY_PLAN) &&
        !g_str_equal(name, HN_STUDY_SOURCE))
      return; /* a cell is there */
  for (guint i = 0; i < G_N_ELEMENTS(names); i++) {
    g_autofree char *path = g_build_filename(dir, names[i], NULL);
    g_unlink(path);
  }
  g_rmdir(dir);
}

void hn_job_record(const HnJob *job, const char *status, const char *reason) {
  g_autofree char *config = hn_run_file(job->dir, HN_FILE_CONFIG);
  if (!g_file_test(config, G_FILE_TEST_EXISTS)) return; /* nothing here says whose run it was */
  g_autofree char *path = hn_run_file(job->dir, HN_FILE_JSON);
  g_autoptr(JsonObject) o = hn_run_facts(job->dir, NULL);
  if (!o) {
    o = json_object_new();
    json_object_set_string_member(o, "study", job->cell->study);
    json_object_set_string_member(o, "arm", job->cell->arm);
    json_object_set_int_member(o, "seed_index", job->cell->seed_index);
  }
  json_object_set_string_member(o, "status", status);
  json_object_set_string_member(o, "reason", reason);
  g_autofree char *line = hn_json_sealed_text(o);
  g_autoptr(GError) error = NULL;
  if (!hn_output_replace(path, line, &error)) g_printerr("%s\n", error->message);
}

void hn_job_recorded(const HnJob *job, char **status, char **reason) {
  g_autoptr(JsonObject) o = hn_run_facts(job->dir, NULL);
  *status = g_strdup(hn_json_string(o, "status", NULL));
  *reason = g_strdup(hn_json_string(o, "reason", NULL));
}

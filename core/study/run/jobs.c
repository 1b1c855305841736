/* jobs.c - see jobs.h.  Files are written beside and renamed. */
#include "jobs.h"
#include "error.h"
#include "json.h"
#include "lock.h"
#include "plan_file.h"
#include "run_dir.h"
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>

enum { LOCK_SECONDS = 30 }; /* that another process may take to write the plan */

static void job_free(HnJob *j) {
  g_free(j->name), g_free(j->dir), g_free(j->reason);
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

GPtrArray *hn_jobs_new(const HnStudy *study, const char *dir, char **arms, const int64_t *seeds,
                       gsize seed_count) {
  GPtrArray *jobs = g_ptr_array_new_with_free_func((GDestroyNotify)job_free);
  for (int64_t s = 0; s < study->seeds.count; s++)
    for (int64_t at = s; at < study->cells->len; at += study->seeds.count) { /* arm-major */
      const HnCell *cell = study->cells->pdata[at];
      if (!wanted(cell, arms, seeds, seed_count)) continue;
      HnJob *j = g_new0(HnJob, 1);
      j->cell = cell;
      j->name = g_strdup_printf("%s/%" G_GINT64_FORMAT, cell->arm, cell->seed_index);
      j->dir = hn_run_dir(dir, cell->arm, cell->seed_index);
      j->total = cell->run.frames;
      g_ptr_array_add(jobs, j);
    }
  link_jobs(jobs);
  return jobs;
}

bool hn_jobs_folder_check(const char *dir, GError **error) {
  if (!*dir) return hn_error_set(error, HN_ERROR_REFUSED, "-o wants the name of a folder");
  if (!g_file_test(dir, G_FILE_TEST_EXISTS) || g_file_test(dir, G_FILE_TEST_IS_DIR)) return true;
  return hn_error_set(error, HN_ERROR_REFUSED, "%s is not a folder: choose another with -o", dir);
}

/* A folder that is not empty must hold this study's plan. */
static bool same_study(const HnStudy *study, const char *dir, GError **error) {
  g_autofree char *plan = g_build_filename(dir, HN_STUDY_PLAN, NULL);
  g_autofree char *some = hn_run_some_file(dir);
  if (!some) return true;
  g_autoptr(JsonObject) held = hn_json_read(plan, NULL);
  const char *name = hn_json_string(held, "study", NULL);
  if (g_strcmp0(name, study->name) == 0) return true;
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
  g_autoptr(GPtrArray) lost = g_ptr_array_new();
  for (guint i = 0; arms && i < json_array_get_length(arms); i++) {
    const char *arm = hn_json_string_at(arms, i);
    g_autofree char *folder = arm ? g_build_filename(dir, arm, NULL) : NULL;
    if (arm && g_file_test(folder, G_FILE_TEST_IS_DIR) &&
        !g_ptr_array_find_with_equal_func(study->arms, arm, g_str_equal, NULL))
      g_ptr_array_add(lost, (void *)(guintptr)arm);
  }
  if (!lost->len) return NULL;
  g_ptr_array_add(lost, NULL);
  return g_strjoinv(", ", (char **)lost->pdata);
}

/* The plan that all cells of a folder share changes only where everything in it fits. */
static bool plan_fits(const HnStudy *study, const char *dir, GError **error) {
  g_autofree char *lost = arms_to_lose(study, dir), *first = NULL;
  if (lost) {
    return hn_error_set(
        error, HN_ERROR_DIFFERS,
        "%s holds cells of %s, which this study does not have: choose another folder with -o, "
        "or move them away",
        dir, lost);
  }
  guint others = 0;
  for (guint i = 0; i < study->cells->len; i++) {
    const HnCell *cell = study->cells->pdata[i];
    g_autofree char *folder = hn_run_dir(dir, cell->arm, cell->seed_index);
    HnCellStatus status = hn_cell_status(folder, cell);
    if (status.work == HN_CELL_DIFFERS && others++ == 0)
      first = g_strdup_printf("%s: %s", folder, status.reason);
    hn_cell_status_clear(&status);
  }
  if (!others) return true;
  g_autofree char *more = others > 1 ? g_strdup_printf(" (and %u more cells)", others - 1) : NULL;
  return hn_error_set(error, HN_ERROR_DIFFERS,
                      "%s%s; choose another folder with -o, or remove what is there", first,
                      more ? more : "");
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

bool hn_jobs_check(const HnStudy *study, const char *dir, GPtrArray *jobs, GError **error) {
  if (!hn_jobs_folder_check(dir, error) || !same_study(study, dir, error) ||
      !plan_fits(study, dir, error))
    return false;
  for (guint i = 0; i < jobs->len; i++) {
    HnJob *j = jobs->pdata[i];
    HnCellStatus status = hn_cell_status(j->dir, j->cell);
    j->ready = status.work == HN_CELL_DONE;
    if (j->ready) j->state = HN_JOB_DONE, j->frames = j->total;
    hn_cell_status_clear(&status);
  }
  return sources_done(dir, jobs, error);
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
  return g_file_set_contents(path, text, -1, &why) || unwritable(path, why->message, error);
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

/* The plan is changed by one process at a time, which looks again at what is there. */
bool hn_jobs_prepare(const HnStudy *study, const char *const *overrides, const char *dir,
                     GPtrArray *jobs, GError **error) {
  g_autofree char *plan = hn_plan_file_text(study, overrides),
                  *source = annotated(study, overrides);
  g_autofree char *path = g_build_filename(dir, HN_STUDY_LOCK, NULL);
  if (!make_folder(dir, error)) return false;
  const int lock = hn_lock_take(path, LOCK_SECONDS, error);
  if (lock < 0) return false;
  hn_run_sweep(dir);
  const bool ok = hn_jobs_check(study, dir, jobs, error) &&
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
  g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), o);
  g_autofree char *line = hn_json_text(root);
  g_autoptr(GError) error = NULL;
  if (!g_file_set_contents(path, line, -1, &error)) g_printerr("%s\n", error->message);
}

void hn_job_recorded(const HnJob *job, char **status, char **reason) {
  g_autoptr(JsonObject) o = hn_run_facts(job->dir, NULL);
  *status = g_strdup(hn_json_string(o, "status", NULL));
  *reason = g_strdup(hn_json_string(o, "reason", NULL));
}

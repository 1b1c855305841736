/* slurm.c - see slurm.h. */
#include "slurm.h"
#include "error.h"
#include "run_dir.h"
#include "submission.h"
#include <stdio.h>
#include <string.h>

/* ---- commands ---- */

static bool is_here(const char *command, GError **error) {
  g_autofree char *program = g_find_program_in_path(command);
  return program || hn_error_set(error, HN_ERROR_MISSING,
                                 "%s is not installed here: run this where Slurm's commands are, "
                                 "on a login node (Debian: slurm-client)",
                                 command);
}

/* What a command prints, or NULL; environment: NULL for this process's. */
static char *output_of(const char *const *argv, char **environment, GError **error) {
  g_autofree char *out = NULL, *said = NULL;
  int status = 0;
  if (!is_here(argv[0], error)) return NULL;
  if (!g_spawn_sync(NULL, (char **)(guintptr)argv, environment, G_SPAWN_SEARCH_PATH, NULL, NULL,
                    &out, &said, &status, error))
    return NULL;
  if (g_spawn_check_wait_status(status, NULL)) return g_steal_pointer(&out);
  g_autofree char *text = hn_diag_printable(g_strstrip(said));
  hn_error_set(error, HN_ERROR_PROGRAM, "%s failed: %s", argv[0], *text ? text : "it says not why");
  return NULL;
}

/* ---- the queue ---- */

static void job_free(void *p) {
  HnSlurmJob *j = p;
  g_free(j->state), g_free(j->node), g_free(j->reason), g_free(j->identity);
  g_free(j);
}

/* Words that Slurm may add later count as live: such a cell is left alone. */
static bool is_over(const char *state) {
  static const char *const ends[] = {"BOOT_FAIL", "CANCELLED", "COMPLETED", "DEADLINE",
                                     "FAILED",    "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY",
                                     "REVOKED",   "TIMEOUT",   NULL};
  return g_strv_contains(ends, state);
}

/* Takes over what is said of a task, unless more is known of its cell. */
static void take(GHashTable *table, const HnSubmission *s, int64_t job, int64_t task,
                 const char *state, const char *node, const char *reason) {
  if (task < 0 || task >= s->cells->len || (s->job && s->job != job)) return;
  const char *cell = s->cells->pdata[task];
  const HnSlurmJob *known = g_hash_table_lookup(table, cell);
  HnSlurmJob *j = g_new0(HnSlurmJob, 1);
  j->job = job, j->task = task;
  j->state = g_strndup(state, strcspn(state, " ")); /* sacct: "CANCELLED by 1000" */
  j->live = !is_over(j->state);
  j->identity = g_strdup(s->identities->pdata[task]);
  j->node = g_strdup(node);
  j->reason = g_strdup(g_str_equal(reason, "None") ? "" : reason);
  if (known && (known->live > j->live || (known->live == j->live && known->job > job)))
    job_free(j);
  else
    g_hash_table_replace(table, g_strdup(cell), j);
}

/* Lines of squeue: array, task, state, node, reason, name, folder.  The folder may hold anything.
 */
static bool ask_squeue(const GPtrArray *all, GHashTable *table, GError **error) {
  g_autoptr(GHashTable) named = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GString) names = g_string_new("--name=");
  for (guint i = 0; i < all->len; i++) {
    HnSubmission *s = all->pdata[i];
    g_hash_table_insert(named, s->name, s);
    g_string_append_printf(names, "%s%s", i ? "," : "", s->name);
  }
  const char *argv[] = {"squeue",   "--noheader",
                        "--array",  "--states=all",
                        names->str, "--format=%F|%K|%T|%N|%r|%j|%Z",
                        NULL};
  g_autofree char *out = output_of(argv, NULL, error);
  if (!out) return false;
  g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
  for (char **line = lines; *line; line++) {
    g_auto(GStrv) part = g_strsplit(*line, "|", 7);
    int64_t job, task;
    if (g_strv_length(part) != 7 ||
        !g_ascii_string_to_signed(part[0], 10, 1, G_MAXINT64, &job, NULL) ||
        !g_ascii_string_to_signed(part[1], 10, 0, G_MAXINT64, &task, NULL))
      continue; /* no array: not one of ours */
    const HnSubmission *s = g_hash_table_lookup(named, part[5]);
    if (s && strcmp(s->folder, part[6]) == 0) take(table, s, job, task, part[2], part[3], part[4]);
  }
  return true;
}

static bool is_forgotten(const HnSubmission *s, GHashTable *table) {
  for (guint i = 0; s->job && i < s->cells->len; i++)
    if (!g_hash_table_contains(table, s->cells->pdata[i])) return true;
  return false;
}

/* Lines of sacct: task, state, node, reason, folder.  Many clusters keep no accounts, and then the
 * folders of the cells say what became of them. */
static void ask_sacct(const GPtrArray *all, GHashTable *table) {
  g_autoptr(GHashTable) forgotten = g_hash_table_new(g_int64_hash, g_int64_equal);
  g_autoptr(GString) jobs = g_string_new("--jobs=");
  for (guint i = 0; i < all->len; i++) {
    HnSubmission *s = all->pdata[i];
    if (!is_forgotten(s, table)) continue;
    g_string_append_printf(jobs, "%s%" G_GINT64_FORMAT, g_hash_table_size(forgotten) ? "," : "",
                           s->job);
    g_hash_table_insert(forgotten, &s->job, s);
  }
  const char *argv[] = {"sacct",       "--noheader",
                        "--parsable2", "--allocations",
                        jobs->str,     "--format=JobID,State,NodeList,Reason,WorkDir",
                        NULL};
  g_autofree char *out = g_hash_table_size(forgotten) ? output_of(argv, NULL, NULL) : NULL;
  g_auto(GStrv) lines = g_strsplit(out ? out : "", "\n", -1);
  for (char **line = lines; *line; line++) {
    g_auto(GStrv) part = g_strsplit(*line, "|", 5);
    int64_t job, task;
    if (g_strv_length(part) != 5 ||
        sscanf(part[0], "%" G_GINT64_FORMAT "_%" G_GINT64_FORMAT, &job, &task) != 2)
      continue;
    const HnSubmission *s = g_hash_table_lookup(forgotten, &job);
    if (s && strcmp(s->folder, part[4]) == 0) take(table, s, job, task, part[1], part[2], part[3]);
  }
}

/* Adds what the commands say of all those submissions; false with the error. */
static bool ask(const GPtrArray *all, GHashTable *table, bool ended, GError **error) {
  if (!all->len) return true;
  if (!ask_squeue(all, table, error)) return false;
  if (ended) ask_sacct(all, table);
  return true;
}

static GHashTable *table_new(void) {
  return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, job_free);
}

GHashTable *hn_slurm_jobs(const char *dir, GError **error) {
  g_autoptr(GPtrArray) all = hn_submissions_read(dir, error);
  g_autoptr(GHashTable) table = table_new();
  return all && ask(all, table, true, error) ? g_steal_pointer(&table) : NULL;
}

/* Those of the submissions that hold a cell of a waiting job. */
static GPtrArray *concerned(GPtrArray *all, const GPtrArray *jobs) {
  g_autoptr(GHashTable) waiting = g_hash_table_new(g_str_hash, g_str_equal);
  GPtrArray *some = g_ptr_array_new();
  for (guint i = 0; i < jobs->len; i++) {
    HnJob *j = jobs->pdata[i];
    if (j->state == HN_JOB_WAITING) g_hash_table_add(waiting, j->name);
  }
  for (guint i = 0; i < all->len; i++) {
    HnSubmission *s = all->pdata[i];
    bool any = false;
    for (guint k = 0; k < s->cells->len && !any; k++)
      any = g_hash_table_contains(waiting, s->cells->pdata[k]);
    if (any) g_ptr_array_add(some, s);
  }
  return some;
}

/* What Slurm has would leave other results than what is asked for. */
static bool is_same(const HnJob *j, const HnSlurmJob *s, GError **error) {
  g_autofree char *identity = hn_cell_identity(j->cell);
  return strcmp(identity, s->identity) == 0 ||
         hn_error_set(error, HN_ERROR_DIFFERS,
                      "%s is with Slurm (%" G_GINT64_FORMAT "_%" G_GINT64_FORMAT
                      ", %s) with another configuration or other plugins: choose another folder "
                      "with -o, or scancel %" G_GINT64_FORMAT,
                      j->name, s->job, s->task, s->state, s->job);
}

static gboolean is_not_left(gpointer cell, gpointer job, gpointer left) {
  (void)job;
  return !g_hash_table_contains(left, cell);
}

GHashTable *hn_slurm_leave(const char *dir, GPtrArray *jobs, GError **error) {
  g_autoptr(GPtrArray) all = hn_submissions_read(dir, error);
  if (!all) return NULL;
  g_autoptr(GPtrArray) some = concerned(all, jobs);
  g_autoptr(GHashTable) table = table_new(), left = g_hash_table_new(g_str_hash, g_str_equal);
  g_autoptr(GError) why = NULL;
  if (!ask(some, table, false, &why)) {
    const bool missing = g_error_matches(why, HN_ERROR, HN_ERROR_MISSING);
    hn_error_set(error, missing ? HN_ERROR_MISSING : HN_ERROR_PROGRAM,
                 "cells of %s were submitted to Slurm, and whether they are still queued cannot be "
                 "asked: %s; where they are not, remove %s/" HN_STUDY_SLURM,
                 dir, why->message, dir);
    return NULL;
  }
  for (guint i = 0; i < jobs->len; i++) {
    HnJob *j = jobs->pdata[i];
    const HnSlurmJob *s = g_hash_table_lookup(table, j->name);
    if (j->state != HN_JOB_WAITING || !s || !s->live) continue;
    if (!is_same(j, s, error)) return NULL;
    j->state = HN_JOB_ELSEWHERE;
    g_hash_table_add(left, j->name);
  }
  g_hash_table_foreach_remove(table, is_not_left, left);
  return g_steal_pointer(&table);
}

static int by_text(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

char *hn_slurm_summary(GHashTable *table) {
  g_autoptr(GPtrArray) states = g_ptr_array_new();
  GHashTableIter at;
  gpointer job;
  g_hash_table_iter_init(&at, table);
  while (g_hash_table_iter_next(&at, NULL, &job))
    g_ptr_array_add(states, ((const HnSlurmJob *)job)->state);
  g_ptr_array_sort(states, by_text);
  GString *out = g_string_new(NULL);
  for (guint i = 0, first = 0; i < states->len; i++) {
    if (i + 1 < states->len && strcmp(states->pdata[i], states->pdata[i + 1]) == 0) continue;
    g_string_append_printf(out, "%s%u %s", out->len ? ", " : "", i + 1 - first,
                           (const char *)states->pdata[i]);
    first = i + 1;
  }
  return g_string_free(out, FALSE);
}

/* ---- handing over ---- */

bool hn_slurm_is_here(GError **error) {
  return is_here("sbatch", error);
}

int64_t hn_slurm_submit(const char *script, const char *after, GError **error) {
  /* sbatch's variables would go before what the script says */
  static const char *const said[] = {"ARRAY_INX",  "CPUS_PER_TASK", "JOB_NAME",  "MEM_PER_NODE",
                                     "NO_REQUEUE", "OPEN_MODE",     "PARTITION", "REQUEUE",
                                     "SIGNAL",     "TIMELIMIT"};
  g_autofree char *dependency = after ? g_strconcat("--dependency=afterany:", after, NULL) : NULL;
  const char *argv[] = {"sbatch", "--parsable", dependency ? dependency : script,
                        dependency ? script : NULL, NULL};
  g_auto(GStrv) environment = g_get_environ();
  for (guint i = 0; i < G_N_ELEMENTS(said); i++) {
    g_autofree char *name = g_strconcat("SBATCH_", said[i], NULL);
    environment = g_environ_unsetenv(environment, name);
  }
  g_autofree char *out = output_of(argv, environment, error);
  int64_t job = 0;
  if (!out) return 0;
  out[strcspn(out, ";\n")] = 0; /* "5;CLUSTER" */
  if (!g_ascii_string_to_signed(out, 10, 1, G_MAXINT64, &job, NULL)) {
    g_autofree char *shown = hn_diag_cut(out);
    hn_error_set(error, HN_ERROR_PROGRAM, "sbatch answered '%s', which is no job's number", shown);
  }
  return job;
}

/* ---- within a task ---- */

char *hn_slurm_task(void) {
  const char *job = g_getenv("SLURM_ARRAY_JOB_ID"), *task = g_getenv("SLURM_ARRAY_TASK_ID");
  return job && task ? g_strconcat(job, "_", task, NULL) : NULL;
}

bool hn_slurm_is_wanted(const char *task, GError **error) {
  g_autofree char *jobs = g_strconcat("--jobs=", task, NULL);
  const char *argv[] = {"squeue", "--noheader", "--states=all", jobs, "--format=%T", NULL};
  g_autofree char *state = output_of(argv, NULL, error);
  if (!state) return false;
  g_strstrip(state);
  /* what was cancelled is completing, and would come back if it were requeued */
  return g_str_equal(state, "RUNNING") || g_str_equal(state, "SIGNALING");
}

bool hn_slurm_requeue(const char *task, GError **error) {
  const char *argv[] = {"scontrol", "requeue", task, NULL};
  g_autofree char *out = output_of(argv, NULL, error);
  return out != NULL;
}

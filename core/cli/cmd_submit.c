/* cmd_submit.c - `hunch submit STUDY.yaml`: the cells that are left, as an array of Slurm. */
#include "error.h"
#include "lock.h"
#include "message.h"
#include "options.h"
#include "run_dir.h"
#include "short_text.h"
#include "slurm.h"
#include "study_argument.h"
#include "submit.h"
#include "verbs.h"
#include <stdio.h>

enum { NOT_SAID = INT_MIN, LOCK_SECONDS = 60 }; /* that another submission there may take */

typedef struct Options {
  char *output; /* the study's folder as users name it */
  HnSbatch sbatch;
  gboolean dry_run;
} Options;

static void clear(Options *o) {
  g_free(o->output), g_free(o->sbatch.partition), g_free(o->sbatch.time), g_free(o->sbatch.memory);
  g_strfreev(o->sbatch.more);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, clear)

/* As many as the cell with the most threads uses. */
static int processors_for(const HnStudy *study) {
  int64_t most = 1;
  for (guint i = 0; i < study->cells->len; i++)
    most = MAX(most, ((const HnCell *)study->cells->pdata[i])->run.workers);
  return (int)most;
}

static HnFrozen *freeze(const GPtrArray *jobs, GError **error) {
  g_autoptr(GPtrArray) cells = g_ptr_array_new();
  for (guint i = 0; i < jobs->len; i++) {
    const HnJob *j = jobs->pdata[i];
    if (j->state == HN_JOB_WAITING) g_ptr_array_add(cells, (gpointer)(guintptr)j->cell);
  }
  return hn_freeze(cells, error);
}

static guint count_waiting(const GPtrArray *jobs) {
  guint n = 0;
  for (guint i = 0; i < jobs->len; i++)
    n += ((const HnJob *)jobs->pdata[i])->state == HN_JOB_WAITING;
  return n;
}

static bool send_all(const char *dir, const GPtrArray *batches, const HnFrozen *frozen,
                     GError **error) {
  g_autofree char *folder = hn_submit_frozen_folder(dir);
  int64_t before = 0;
  if (!hn_frozen_write(frozen, folder, error)) return false;
  for (guint i = 0; i < batches->len; i++) {
    HnBatch *b = batches->pdata[i];
    if (!hn_submit_send(b, frozen, before, error)) return false;
    before = b->submission->job;
    printf("%" G_GINT64_FORMAT "\n", before);
    (void)fflush(stdout); /* it counts, whatever comes of the next */
  }
  return true;
}

/* Leaves cells alone that another process runs, here or elsewhere; returns how many those are. */
static guint leave_running(const GPtrArray *jobs) {
  guint running = 0;
  for (guint i = 0; i < jobs->len; i++) {
    HnJob *j = jobs->pdata[i];
    g_autofree char *path = hn_run_file(j->dir, HN_FILE_LOCK);
    if (j->state != HN_JOB_WAITING) continue;
    HnLockHolder holder = hn_lock_holder(path);
    if (holder.held) j->state = HN_JOB_ELSEWHERE;
    running += holder.held;
    hn_lock_holder_clear(&holder);
  }
  return running;
}

/* Submits, or shows, the cells that nobody has; false with the error. */
static bool submit(const Options *o, const HnStudy *study, const char *dir, GPtrArray *jobs,
                   GError **error) {
  g_autoptr(GHashTable) left = hn_slurm_leave(dir, jobs, error);
  if (!left) return false;
  const guint running = leave_running(jobs);
  const guint waiting = count_waiting(jobs), queued = g_hash_table_size(left);
  g_autofree char *states = hn_slurm_summary(left);
  fprintf(stderr, "%s: %u cell%s, %u done before, %u with Slurm already%s%s%s\n", o->output,
          jobs->len, hn_plural(jobs->len), jobs->len - waiting - queued - running, queued,
          queued ? " (" : "", states, queued ? ")" : "");
  if (running)
    fprintf(stderr, "%s: %u cell%s elsewhere; left alone\n", o->output, running,
            running == 1 ? " runs" : "s run");
  g_autoptr(HnFrozen) frozen = waiting ? freeze(jobs, error) : NULL;
  if (!waiting) fprintf(stderr, "%s: nothing is left to submit\n", o->output);
  if (!frozen) return !waiting;
  g_autoptr(GPtrArray) batches = hn_submit_plan(study, dir, jobs, left, &o->sbatch, frozen);
  for (guint i = 0; o->dry_run && i < batches->len; i++)
    fputs(((const HnBatch *)batches->pdata[i])->script, stdout);
  if (!o->dry_run && !send_all(dir, batches, frozen, error)) return false;
  fprintf(stderr, "%s: %u cell%s %s, %d at once\n", o->output, waiting, hn_plural(waiting),
          o->dry_run ? "would be submitted" : "submitted", o->sbatch.parallel);
  return true;
}

/* One process at a time asks what is queued and adds to it. */
static bool submit_locked(const Options *o, const HnStudy *study, const char *dir, GPtrArray *jobs,
                          GError **error) {
  g_autofree char *folder = g_build_filename(dir, HN_STUDY_SLURM, NULL);
  g_autofree char *path = g_build_filename(folder, HN_STUDY_LOCK, NULL);
  g_mkdir_with_parents(folder, 0777); /* what it lacks, the lock says */
  const int lock = hn_lock_take(path, LOCK_SECONDS, error);
  if (lock < 0) return false;
  const bool ok = submit(o, study, dir, jobs, error);
  hn_lock_release(lock);
  return ok;
}

/* Whether the folder, and what Slurm has of it, fit the study; before anything is written. */
static bool fits(const HnStudy *study, const char *dir, GError **error) {
  g_autoptr(GPtrArray) jobs = hn_jobs_new(study, dir, NULL, NULL, 0);
  HnRebuilds rebuilds = {0};
  if (!hn_jobs_check(study, dir, jobs, &rebuilds, error)) return false;
  g_autoptr(GHashTable) left = hn_slurm_leave(dir, jobs, error);
  return left != NULL;
}

static int run(const HnVerb *verb, const Options *o, const HnStudy *study,
               const char *const *overrides) {
  g_autofree char *dir = g_canonicalize_filename(o->output, NULL);
  g_autoptr(GPtrArray) jobs = hn_jobs_new(study, dir, NULL, NULL, 0);
  g_autoptr(GError) error = NULL;
  HnRebuilds rebuilds = {0};
  bool ok = hn_jobs_folder_check(o->output, &error) && hn_sbatch_folder_check(dir, &error);
  if (o->dry_run)
    ok = ok && hn_jobs_check(study, dir, jobs, &rebuilds, &error) &&
         submit(o, study, dir, jobs, &error);
  else
    ok = ok && hn_slurm_is_here(&error) && fits(study, dir, &error) &&
         hn_jobs_prepare(study, overrides, dir, jobs, &rebuilds, &error) &&
         submit_locked(o, study, dir, jobs, &error);
  if (!ok) hn_message_error(verb->name, "%s", error->message);
  return ok ? HN_EXIT_DONE : hn_verb_exit_code(error);
}

int hn_cmd_submit(int argc, char **argv) {
  g_auto(Options) o = {0};
  HnSbatch *s = &o.sbatch;
  int processors = NOT_SAID;
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output, "The study's folder (runs/NAME).",
       "DIR"},
      {"partition", 'p', 0, G_OPTION_ARG_STRING, &s->partition, "Where cells run.", "PARTITION"},
      {"time", 't', 0, G_OPTION_ARG_STRING, &s->time,
       "How long a cell may run before it goes back into the queue, as 4:00:00 or 2-12.", "TIME"},
      {"max-parallel", 0, 0, G_OPTION_ARG_INT, &s->parallel, "Cells at once.", "N"},
      {"cpus", 0, 0, G_OPTION_ARG_INT, &processors,
       "Processors of a cell (as many as run.workers).", "N"},
      {"mem", 0, 0, G_OPTION_ARG_STRING, &s->memory, "Memory of a cell, as 4G.", "SIZE"},
      {"sbatch", 0, 0, G_OPTION_ARG_STRING_ARRAY, &s->more,
       "A further option of sbatch, as --account=lab; may be repeated.", "OPTION"},
      {"dry-run", 'n', 0, G_OPTION_ARG_NONE, &o.dry_run,
       "Print the script; write and submit nothing.", NULL},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  const int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  g_autoptr(GError) error = NULL;
  s->processors = processors == NOT_SAID ? 1 : processors;
  if (!hn_sbatch_check(s, &error)) return hn_options_refuse(verb, "%s", error->message);
  g_autoptr(HnStudy) study = hn_study_argument(verb, argc, argv);
  if (!study) return HN_EXIT_USAGE;
  if (study->sweep && study->sweep->halving)
    return hn_options_refuse(verb, "a search by halving goes on by what it has found: let "
                                   "'hunch run' do it, in a job of its own");
  if (processors == NOT_SAID) s->processors = processors_for(study);
  if (!o.output) o.output = g_build_filename("runs", study->name, NULL);
  return run(verb, &o, study, (const char *const *)argv + 2);
}

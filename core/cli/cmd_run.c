/* cmd_run.c - `hunch run STUDY.yaml`: every cell that is not done, then the comparison and the
 * report.
 */
#include "message.h"
#include "options.h"
#include "render_text.h"
#include "report.h"
#include "run_sizes.h"
#include "schedule.h"
#include "search.h"
#include "short_text.h"
#include "slurm.h"
#include "study_argument.h"
#include "verbs.h"
#include <stdio.h>
#include <string.h>

enum { NOT_SAID = INT_MIN };
typedef struct Options {
  char *output;
  char **arms, **seeds;
  int parallel; /* cells at once, or NOT_SAID */
  gboolean rebuild_ok;
} Options;

static char *folder_of(const HnStudy *study, const Options *o) {
  return o->output ? g_strdup(o->output) : g_build_filename("runs", study->name, NULL);
}

/* Appends the seeds that are asked for; -1, or the exit code where an arm or seed does not exist.
 */
static int check_selection(const HnVerb *verb, const HnStudy *study, const Options *o,
                           GArray *seeds) {
  for (char **a = o->arms; a && *a; a++)
    if (hn_study_argument_arm(verb, study, *a, "; repeat --arm for another one") < 0)
      return HN_EXIT_USAGE;
  for (char **s = o->seeds; s && *s; s++) {
    int64_t index = 0;
    if (!g_ascii_string_to_signed(*s, 10, 0, study->seeds.count - 1, &index, NULL))
      return hn_options_refuse(
          verb, "no seed '%s': expected an index from 0 to %" G_GINT64_FORMAT "%s", *s,
          study->seeds.count - 1,
          **s && strpbrk(*s + 1, ",-:") ? "; repeat --seed for another one" : "");
    g_array_append_val(seeds, index);
  }
  return -1;
}

/* Whether every cell was refused at its start: a wrong configuration, not a run that went wrong. */
static bool all_refused(const GPtrArray *jobs) {
  bool all = jobs->len > 0;
  for (guint i = 0; i < jobs->len; i++) {
    const HnJob *j = jobs->pdata[i];
    all &= j->state == HN_JOB_FAILED && j->refused;
  }
  return all;
}

static guint count(const GPtrArray *jobs, HnJobState state) {
  guint n = 0;
  for (guint i = 0; i < jobs->len; i++) n += ((const HnJob *)jobs->pdata[i])->state == state;
  return n;
}

/* Prints the table and writes the page beside the cells; what fails is a warning. */
static void show(const HnVerb *verb, const char *dir) {
  g_autoptr(GError) error = NULL;
  g_autoptr(HnResults) r = hn_results_read(dir, &error);
  g_autoptr(HnComparison) c = r ? hn_compare(r, NULL, NULL, &error) : NULL;
  if (c) {
    g_autofree char *text = hn_render_text(c);
    g_autofree char *page = g_build_filename(dir, "report.html", NULL);
    fputs(text, stdout);
    if (hn_report_write(c, page, &error)) printf("\n%s\n", page);
  }
  if (error) hn_message_warning(verb->name, "%s", error->message);
}

/* Says which runs were replaced, and where they are; what is left is not to be taken for new. */
static void say_replaced(const HnVerb *verb, const GPtrArray *jobs, const HnRebuilds *rebuilds) {
  for (guint i = 0; i < jobs->len; i++) {
    const HnJob *j = jobs->pdata[i];
    if (j->aside)
      fprintf(stderr, "%s: run anew, as plugins were rebuilt; the former run is now %s\n", j->dir,
              j->aside);
  }
  if (rebuilds->replaced && rebuilds->left)
    hn_message_warning(verb->name,
                       rebuilds->left == 1
                           ? "%u cell that was not asked for stays as other plugins left it"
                           : "%u cells that were not asked for stay as other plugins left them",
                       rebuilds->left);
}

/* Leaves cells alone that Slurm has; false with the error where that cannot be known. */
static bool leave_to_slurm(const char *dir, GPtrArray *jobs, GError **error) {
  g_autoptr(GHashTable) left = hn_slurm_leave(dir, jobs, error);
  g_autofree char *states = left ? hn_slurm_summary(left) : NULL;
  const guint waiting = left ? g_hash_table_size(left) : 0;
  if (states && *states)
    fprintf(stderr, "%s: %u cell%s %s with Slurm (%s); left alone\n", dir, waiting,
            hn_plural(waiting), hn_is_or_are(waiting), states);
  return left != NULL;
}

/* Checks and prepares the folder; HN_EXIT_DONE where cells can run. */
static int prepare(const HnVerb *verb, const HnStudy *study, const char *dir, GPtrArray *jobs,
                   const char *const *overrides, bool rebuild_ok) {
  g_autoptr(GError) error = NULL;
  HnRebuilds rebuilds = {.replaced = rebuild_ok};
  const bool ok = hn_jobs_check(study, dir, jobs, &rebuilds, &error) &&
                  leave_to_slurm(dir, jobs, &error) &&
                  hn_jobs_prepare(study, overrides, dir, jobs, &rebuilds, &error);
  say_replaced(verb, jobs, &rebuilds);
  if (!ok) hn_message_error(verb->name, "%s", error->message);
  if (ok) hn_run_sizes_warn(verb, study, dir, jobs);
  return ok ? HN_EXIT_DONE : hn_verb_exit_code(error);
}

/* Runs the jobs that are left; HN_EXIT_DONE where all have ended. */
static int run_jobs(const HnStudy *study, const char *dir, GPtrArray *jobs, int parallel) {
  int64_t at_once = parallel != NOT_SAID ? parallel : hn_schedule_parallel(jobs);
  guint ready = count(jobs, HN_JOB_DONE);
  fprintf(stderr, "%s: %u cell%s, %u done before, up to %" G_GINT64_FORMAT " at once\n", dir,
          jobs->len, hn_plural(jobs->len), ready, at_once);
  if (hn_schedule_run(jobs, at_once, study->report.metric)) return HN_EXIT_DONE;
  fprintf(stderr, "%s: interrupted with %u of %u cell%s done; the same command goes on\n", dir,
          count(jobs, HN_JOB_DONE), jobs->len, hn_plural(jobs->len));
  return HN_EXIT_INTERRUPTED;
}

/* Shows what there is once all jobs have ended, and says how they ended. */
static int conclude(const HnVerb *verb, const char *dir, const GPtrArray *jobs) {
  const guint failed = count(jobs, HN_JOB_FAILED), elsewhere = count(jobs, HN_JOB_ELSEWHERE);
  const bool refused = all_refused(jobs);
  if (!refused) show(verb, dir);
  if (failed)
    hn_message_error(verb->name, "%u of %u cell%s failed", failed, jobs->len, hn_plural(jobs->len));
  if (refused) {
    hn_jobs_discard(dir);
    return HN_EXIT_USAGE;
  }
  return failed || elsewhere ? HN_EXIT_PARTIAL : HN_EXIT_DONE;
}

/* ---- a search ---- */

/* Decides a rung of a search whose jobs have ended, unless another process still runs some. */
static int decide(const HnVerb *verb, const char *dir, const GPtrArray *jobs, HnSearch *s) {
  g_autoptr(GError) error = NULL;
  const guint elsewhere = count(jobs, HN_JOB_ELSEWHERE);
  if (elsewhere) {
    hn_message_error(verb->name,
                     "%u cell%s of this rung %s run elsewhere: run again when that is done",
                     elsewhere, hn_plural(elsewhere), hn_is_or_are(elsewhere));
    return HN_EXIT_PARTIAL;
  }
  if (!hn_search_decide(s, &error)) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  g_auto(GStrv) left = hn_search_arms(s);
  g_autofree char *names = g_strjoinv(", ", left);
  fprintf(stderr,
          hn_search_over(s) ? "%s: the search is over; left: %s\n" : "%s: these go on: %s\n", dir,
          names);
  g_autoptr(GPtrArray) ties = hn_search_ties(s);
  for (guint i = 0; i < ties->len; i++) fprintf(stderr, "%s: %s\n", dir, (char *)ties->pdata[i]);
  return HN_EXIT_DONE;
}

/* Rung by rung, those cells that are not done. */
static int search(const HnVerb *verb, HnStudy *study, const char *dir, const Options *o,
                  const char *const *overrides) {
  g_autoptr(GError) error = NULL;
  g_autoptr(HnSearch) s = hn_search_open(study, dir, &error);
  if (!s) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  for (guint failed = 0;;) {
    hn_search_set_lengths(s, study);
    g_auto(GStrv) arms = hn_search_arms(s);
    g_autoptr(GPtrArray) jobs = hn_jobs_new(study, dir, arms, NULL, 0);
    int code = prepare(verb, study, dir, jobs, overrides, o->rebuild_ok);
    if (code == HN_EXIT_DONE) code = run_jobs(study, dir, jobs, o->parallel);
    if (code != HN_EXIT_DONE) return code;
    failed += count(jobs, HN_JOB_FAILED);
    if (all_refused(jobs) || hn_search_over(s)) return conclude(verb, dir, jobs);
    code = decide(verb, dir, jobs, s);
    if (code != HN_EXIT_DONE) return code;
    if (!hn_search_over(s)) continue;
    code = conclude(verb, dir, jobs);
    return failed ? HN_EXIT_PARTIAL : code;
  }
}

int hn_cmd_run(int argc, char **argv) {
  Options o = {.parallel = NOT_SAID};
  GOptionEntry entries[] = {
      {"output", 'o', 0, G_OPTION_ARG_FILENAME, &o.output, "The study's folder (runs/NAME).",
       "DIR"},
      {"jobs", 'j', 0, G_OPTION_ARG_INT, &o.parallel, "Cells at once (one a processor).", "N"},
      {"arm", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.arms, "Only this arm; may be repeated.", "ARM"},
      {"seed", 0, 0, G_OPTION_ARG_STRING_ARRAY, &o.seeds,
       "Only the seed of this index, from 0; may be repeated.", "I"},
      {"rebuild-ok", 0, 0, G_OPTION_ARG_NONE, &o.rebuild_ok,
       "While plugins are developed: run cells anew whose plugins were rebuilt since, beside what "
       "they left.",
       NULL},
      {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code < 0 && o.parallel != NOT_SAID && o.parallel < 1)
    code = hn_options_refuse(verb, "-j wants a number of cells, from 1");
  g_autoptr(HnStudy) study = code < 0 ? hn_study_argument(verb, argc, argv) : NULL;
  g_autoptr(GArray) seeds = g_array_new(FALSE, FALSE, sizeof(int64_t));
  if (code < 0) code = study ? check_selection(verb, study, &o, seeds) : HN_EXIT_USAGE;
  const bool searches = study && study->sweep && study->sweep->halving;
  if (code < 0 && searches && (o.arms || seeds->len))
    code = hn_options_refuse(verb, "a search runs whole: without --arm and --seed");
  if (code < 0 && searches) {
    g_autofree char *dir = folder_of(study, &o);
    code = search(verb, study, dir, &o, (const char *const *)argv + 2);
  } else if (code < 0) {
    g_autofree char *dir = folder_of(study, &o);
    g_autoptr(GPtrArray) jobs = hn_jobs_new(
        study, dir, o.arms, seeds->len ? (const int64_t *)(void *)seeds->data : NULL, seeds->len);
    code = prepare(verb, study, dir, jobs, (const char *const *)argv + 2, o.rebuild_ok);
    if (code == HN_EXIT_DONE) code = run_jobs(study, dir, jobs, o.parallel);
    if (code == HN_EXIT_DONE) code = conclude(verb, dir, jobs);
  }
  g_strfreev(o.arms), g_strfreev(o.seeds), g_free(o.output);
  return code;
}

/* cmd_task.c - `hunch task CONFIGURATION DIR`, which the script of `hunch submit` starts: runs the
 * cell whose resolved configuration is in that file, in the study's folder DIR, as `hunch run`
 * would, and has Slurm put the task back into its queue where the cell is not done. */
#include "json.h"
#include "message.h"
#include "run_dir.h"
#include "schedule.h"
#include "slurm.h"
#include "verbs.h"
#include <stdio.h>

/* Back into the queue, unless Slurm is ending the task: then it comes back by itself, or somebody
 * has cancelled it. */
static void requeue(const HnVerb *verb, const HnJob *j, const char *task, const char *why) {
  g_autoptr(GError) error = NULL;
  if (task && hn_slurm_is_wanted(task, &error)) {
    fprintf(stderr, "%s: %s; task %s goes back into the queue\n", j->name, why, task);
    hn_slurm_requeue(task, &error); /* from here on Slurm may end this process */
  }
  if (error)
    hn_message_error(verb->name, "%s cannot be put back into the queue: %s", j->name,
                     error->message);
}

/* The column that the study is judged by, for the log; g_free. */
static char *metric_of(const char *dir) {
  g_autofree char *path = g_build_filename(dir, HN_STUDY_PLAN, NULL);
  g_autoptr(JsonObject) plan = hn_json_read(path, NULL);
  return g_strdup(hn_json_string(hn_json_object(plan, "report"), "metric", "eval.return"));
}

static int run(const HnVerb *verb, const HnCell *cell, const char *dir) {
  g_autoptr(GPtrArray) jobs = hn_jobs_of_cell(cell, dir);
  g_autofree char *task = hn_slurm_task(), *metric = metric_of(dir);
  const HnJob *j = jobs->pdata[0];
  fprintf(stderr, "%s: task %s on %s\n", j->name, task ? task : "of no array", g_get_host_name());
  hn_schedule_run(jobs, 1, metric);
  switch (j->state) {
  case HN_JOB_DONE:
    fprintf(stderr, "%s: done\n", j->name);
    return HN_EXIT_DONE;
  case HN_JOB_FAILED:
    return j->refused ? HN_EXIT_USAGE : HN_EXIT_FAILED;
  case HN_JOB_ELSEWHERE: /* a node that is lost, too, as long as the file server keeps its lock */
    requeue(verb, j, task, "to be looked at again");
    return HN_EXIT_PARTIAL;
  default:
    requeue(verb, j, task, "stopped with a checkpoint");
    return HN_EXIT_INTERRUPTED;
  }
}

int hn_cmd_task(int argc, char **argv) {
  const HnVerb *verb = hn_verb_find(argv[0]);
  g_autoptr(GError) error = NULL;
  if (argc != 3) {
    g_printerr("usage: hunch %s %s\n", verb->name, verb->usage);
    return HN_EXIT_USAGE;
  }
  g_autofree char *dir = g_canonicalize_filename(argv[2], NULL);
  g_autoptr(HnCell) cell = hn_cell_open_file(argv[1], &error);
  if (cell) return run(verb, cell, dir);
  hn_message_error(verb->name, "%s", error->message);
  return hn_verb_exit_code(error);
}

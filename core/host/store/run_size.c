/* run_size.c - see run_size.h. */
#include "run_size.h"
#include "checkpoint.h"
#include "evaluation_tasks.h"
#include "memory_budget.h"
#include <limits.h>
#include <math.h>

enum { NEWEST = 2 }; /* that stay whatever run.keep_every says */

/* The newest, and the updates that run.keep_every asks for, from the first weights on. */
static double kept_of(const HnSession *s) {
  const HnRunParams *run = &s->cell->run;
  if (run->keep_every == 0) return NEWEST;
  return NEWEST + 1 + floor(hn_run_updates(s) / (double)run->keep_every);
}

double hn_run_updates(const HnSession *s) {
  return ceil((double)s->cell->run.frames / (double)hn_session_frames(s));
}

HnRunSize hn_run_size(struct HnSession *s) {
  HnEpisodeStats stats;
  hn_episode_stats_make(&stats, s->rollouts.rows, s->shape.env_infos, &s->trial);
  g_autoptr(GPtrArray) states = hn_states_of(s, &stats);
  HnRunSize size = {.checkpoint = (double)hn_states_most_bytes(states),
                    .kept = kept_of(s),
                    .memory = hn_memory_budget_bytes(s),
                    .frames = hn_run_updates(s) * (double)hn_session_frames(s),
                    .update = (double)hn_session_frames(s)};
  size.distinct = (double)s->cell->evaluation.tasks;
  for (guint i = 0; i < s->passes; i++)
    size.distinct = fmin(size.distinct, (double)hn_evaluation_taken(s, s->pass[i].split).distinct);
  if (s->cell->warm_start)
    size.checkpoint += 2. * PATH_MAX; /* it says whence, some letters as two */
  hn_episode_stats_free(&stats);
  return size;
}

double hn_run_size_on_disk(const HnRunSize *size) {
  return (size->kept + 1) * size->checkpoint;
}

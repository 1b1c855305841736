/* recorder.c - the tables of a run folder; facts.c writes run.json. */
#include "recorder.h"
#include "csv.h"
#include "error.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum Table { METRICS, TIMING, EPISODES, STEPS, TRIAL, PREDICTIONS, TRACE, TABLES } Table;
static const char *const table_name[TABLES] = {"metrics.csv", "timing.csv", "episodes.csv",
                                               "steps.csv",   "trial.csv",  "predictions.csv",
                                               "trace.bin"};
static const char *const timing_name[HN_TIMINGS] = {[HN_COLLECTING] = "collect",
                                                    [HN_LEARNING_POLICY] = "learn_policy",
                                                    [HN_LEARNING_INFERENCE] = "learn_inference",
                                                    [HN_EVALUATING] = "evaluate",
                                                    [HN_SAVING] = "checkpoint"};

struct HnRecorder {
  char *dir;
  FILE *table[TABLES];
};

/* A number as few digits as repeat it to ten places; empty cells are "not measured". */
static void number(FILE *f, double x) {
  if (isnan(x))
    fputs(",nan", f);
  else
    fprintf(f, ",%.10g", x);
}

/* A plugin's words as one field. */
static void quoted(FILE *f, const char *text) {
  g_autofree char *field = hn_csv_quoted(text);
  fputs(field, f);
}

static void names(FILE *f, const char *prefix, const HnColumn *columns) {
  for (guint k = 0; columns && columns[k].name; k++) fprintf(f, ",%s%s", prefix, columns[k].name);
}

/* Columns NAME_0 .. NAME_n-1. */
static void numbered(FILE *f, const char *name, int64_t n) {
  for (int64_t k = 0; k < n; k++) fprintf(f, ",%s_%" G_GINT64_FORMAT, name, k);
}

/* Cells of the picture that the inference draws of its belief. */
static int64_t map_cells(const HnSession *s) {
  return HN_CAN(HN_INFERENCE(s), map) ? s->bs.map_width * s->bs.map_height : 0;
}

static void write_trial_header(FILE *f, const HnSession *s) {
  fputs("update,row,task,step,begin", f);
  numbered(f, "obs", s->shape.obs), numbered(f, "task", s->shape.task);
  if (s->shape.action)
    numbered(f, "act", s->shape.action);
  else
    fputs(",action_index", f);
  fputs(",reward", f);
  numbered(f, "next_obs", s->shape.obs), numbered(f, "belief", s->shape.belief);
  numbered(f, "map", map_cells(s));
  fputc('\n', f);
}

/* True where the success of the last episode that counts is a figure of its own. */
static bool counts_last(const HnSession *s) {
  return s->protocol.flags & HN_COUNTS_LAST;
}

/* How predictions came out, where they are asked for. */
static int64_t predictive_scores(const HnSession *s) {
  return hn_predictive_offered(s) ? HN_PREDICTIVE_SCORES : 0;
}
static void predictive_names(FILE *f, const char *prefix, const HnSession *s) {
  for (int64_t k = 0; k < predictive_scores(s); k++)
    fprintf(f, ",%s%s", prefix, hn_predictive_name[k]);
}

static int64_t band_members(const HnSession *s) {
  return MIN(s->eval_samples, HN_BAND_MEMBERS);
}
static void write_predictions_header(FILE *f, const HnSession *s) {
  fputs("update,row,task,step,seen,x,truth,mean,stddev", f);
  for (int64_t k = 1; k <= band_members(s); k++) fprintf(f, ",member_%" G_GINT64_FORMAT, k);
  fputc('\n', f);
}

static void write_headers(const HnRecorder *r, const HnSession *s) {
  const HnPlugin *env = s->env->plugin, *q = s->inference->plugin, *p = s->policy->plugin;
  FILE *f = r->table[METRICS];
  fputs("update,frames,train.return", f);
  names(f, "train.", env->info);
  names(f, "env.", env->metrics), names(f, "policy.", p->metrics);
  names(f, "inference.", q->metrics);
  fputs(",eval.return", f);
  for (int64_t k = 1; k <= s->eval_trial.episodes; k++)
    fprintf(f, ",eval.return_%" G_GINT64_FORMAT, k);
  names(f, "eval.", env->info), names(f, "eval.", q->info), names(f, "eval.", p->info);
  if (counts_last(s)) fputs(",eval.success_last", f);
  predictive_names(f, "eval.", s);
  for (guint i = 1; i < s->eval_split_count; i++) {
    g_autofree char *prefix = g_strdup_printf("eval.%s.", s->splits[s->eval_split[i]]);
    fprintf(f, ",%sreturn", prefix);
    names(f, prefix, env->info);
    if (counts_last(s)) fprintf(f, ",%ssuccess_last", prefix);
    predictive_names(f, prefix, s);
  }
  fputc('\n', f);
  fputs("update,frames", r->table[TIMING]);
  for (int k = 0; k < HN_TIMINGS; k++) fprintf(r->table[TIMING], ",%s", timing_name[k]);
  fputc('\n', r->table[TIMING]);
  fputs("phase,update,arm,seed,split,task,row,trial_episode,length,return", r->table[EPISODES]);
  names(r->table[EPISODES], "", env->info);
  fputc('\n', r->table[EPISODES]);
  write_trial_header(r->table[TRIAL], s);
  fputs("update,step,reward", r->table[STEPS]);
  names(r->table[STEPS], "", env->info);
  names(r->table[STEPS], "", q->info), predictive_names(r->table[STEPS], "", s);
  fputc('\n', r->table[STEPS]);
  if (r->table[PREDICTIONS]) write_predictions_header(r->table[PREDICTIONS], s);
}

static FILE *open_table(const char *dir, Table t, GHashTable *meta, GError **error) {
  char *path = g_build_filename(dir, table_name[t], NULL);
  const char *length = g_hash_table_lookup(meta, table_name[t]);
  off_t keep = length ? (off_t)g_ascii_strtoll(length, NULL, 10) : 0;
  FILE *f = fopen(path, "ab");
  bool cut_short = f && ftello(f) < keep;
  if (!f || cut_short || ftruncate(fileno(f), keep) != 0) {
    g_set_error(error, HN_RUN_ERROR, HN_RUN_IO, "%s: %s", path,
                cut_short ? "is shorter than the checkpoint says" : g_strerror(errno));
    if (f) fclose(f);
    f = NULL;
  }
  g_free(path);
  return f;
}

HnRecorder *hn_recorder_open(const char *dir, const HnSession *s, GHashTable *meta,
                             GError **error) {
  HnRecorder *r = g_new0(HnRecorder, 1);
  r->dir = g_strdup(dir);
  for (int t = 0; t < TABLES; t++) {
    if (t == PREDICTIONS && !hn_predictive_has_curves(s)) continue;
    if (!(r->table[t] = open_table(dir, t, meta, error))) {
      hn_recorder_close(r);
      return NULL;
    }
  }
  if (g_hash_table_size(meta) == 0) write_headers(r, s);
  return r;
}

void hn_recorder_close(HnRecorder *r) {
  if (!r) return;
  for (int t = 0; t < TABLES; t++)
    if (r->table[t]) fclose(r->table[t]);
  g_free(r->dir), g_free(r);
}

gboolean hn_recorder_sync(HnRecorder *r, GHashTable *meta, GError **error) {
  for (int t = 0; t < TABLES; t++) {
    FILE *f = r->table[t];
    if (!f) continue;
    if (fflush(f) != 0 || ferror(f) || fsync(fileno(f)) != 0) {
      g_set_error(error, HN_RUN_ERROR, HN_RUN_IO, "%s/%s: cannot write: %s", r->dir, table_name[t],
                  g_strerror(errno));
      return FALSE;
    }
    g_hash_table_insert(meta, g_strdup(table_name[t]),
                        g_strdup_printf("%" G_GINT64_FORMAT, (gint64)ftello(f)));
  }
  return TRUE;
}

/* A task's name, or its number, or nothing. */
static void write_task(FILE *f, const HnSession *s, int64_t split, int64_t k) {
  const HnEnv *env = HN_ENV(s);
  const char *name = k >= 0 && HN_CAN(env, task_name) ? env->task_name(s->env->self, split, k) : "";
  if (name && *name)
    quoted(f, name);
  else if (k >= 0)
    fprintf(f, "%" G_GINT64_FORMAT, k);
}

void hn_recorder_episode(HnRecorder *r, const HnSession *s, const char *phase, int64_t split,
                         const HnEpisode *e) {
  FILE *f = r->table[EPISODES];
  fprintf(f, "%s,%" G_GINT64_FORMAT ",%s,%" G_GINT64_FORMAT ",%s,", phase, s->update, s->cell->arm,
          s->cell->seed_index, s->splits[split]);
  write_task(f, s, split, e->task_index);
  fprintf(f, ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT, e->row,
          e->trial_episode, e->length);
  number(f, e->reward);
  for (guint k = 0; k < s->shape.env_infos; k++) number(f, e->info[k]);
  fputc('\n', f);
}

static void blanks(FILE *f, int64_t n) {
  while (n-- > 0) fputc(',', f);
}

static void write_means(FILE *f, const HnEpisodeMeans *m, bool each) {
  int64_t E = m->trial_episodes;
  number(f, hn_mean_of(m->reward[E], m->reward_count[E]));
  for (int64_t k = 0; each && k < E; k++) number(f, hn_mean_of(m->reward[k], m->reward_count[k]));
  for (int64_t k = 0; k < m->infos; k++) number(f, hn_mean_of(m->info[k], m->info_count[k]));
}

void hn_recorder_update(HnRecorder *r, HnSession *s, const HnEpisodeMeans *train,
                        const HnEvaluation *eval, const guint8 digest[32]) {
  FILE *f = r->table[METRICS];
  HnInstance *part[] = {s->env, s->policy, s->inference};
  fprintf(f, "%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT, s->update, s->frames);
  write_means(f, train, false);
  for (guint p = 0; p < G_N_ELEMENTS(part); p++)
    for (guint k = 0; k < part[p]->metrics; k++) number(f, hn_instance_metric(part[p], k));
  int64_t D = s->shape.belief_infos, P = s->shape.policy_infos;
  if (eval) {
    write_means(f, &eval->episodes, true);
    for (int64_t k = 0; k < D; k++) number(f, eval->belief_info[k]);
    for (int64_t k = 0; k < P; k++) number(f, eval->policy_info[k]);
    for (guint i = 0; i < s->eval_split_count; i++) {
      if (i) write_means(f, &eval[i].episodes, false);
      if (counts_last(s)) number(f, eval[i].success_last);
      for (int64_t k = 0; k < predictive_scores(s); k++) number(f, eval[i].predictive.mean[k]);
    }
  } else {
    int64_t more = s->eval_split_count - 1, last = counts_last(s) + predictive_scores(s);
    blanks(f, 1 + s->eval_trial.episodes + s->shape.env_infos + D + P + last +
                  more * (1 + s->shape.env_infos + last));
  }
  fputc('\n', f);
  fwrite(digest, 32, 1, r->table[TRACE]);
}

void hn_recorder_steps(HnRecorder *r, const HnSession *s, const HnEvaluation *eval) {
  FILE *f = r->table[STEPS];
  guint columns = s->shape.env_infos + s->shape.belief_infos;
  for (int64_t t = 0; t < eval->observations; t++) {
    fprintf(f, "%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT, s->update, t);
    number(f, t ? eval->step_reward[t] : (double)NAN);
    for (guint k = 0; k < columns; k++) number(f, eval->step_info[t * columns + k]);
    for (int64_t k = 0; k < predictive_scores(s); k++)
      number(f, eval->predictive.step[t * HN_PREDICTIVE_SCORES + k]);
    fputc('\n', f);
  }
}

static void numbers(FILE *f, const float *x, int64_t n) {
  for (int64_t k = 0; k < n; k++) number(f, (double)x[k]);
}

/* What was done at observation t, its reward and where it ended. */
static void write_step(FILE *f, const HnExperience *w, int64_t t, int64_t k) {
  if (w->shape.action)
    numbers(f, hn_experience_at(w, HN_F_ACTION, t, k), w->shape.action);
  else
    number(f, *(const int32_t *)hn_experience_at(w, HN_F_ACTION_INDEX, t, k));
  numbers(f, hn_experience_at(w, HN_F_TRUE_REWARD, t, k), 1);
  numbers(f, hn_experience_at(w, HN_F_NEXT_OBS, t, k), w->shape.obs);
}

HnStatus hn_recorder_trial(HnRecorder *r, HnSession *s, int64_t split, const HnEvaluation *eval) {
  FILE *f = r->table[TRIAL];
  const HnExperience *w = &eval->trial;
  const HnShape *n = &w->shape;
  int64_t cells = map_cells(s), rows = w->h.rows;
  float *map = g_new(float, cells + 1);
  HnStatus status = HN_OK;
  for (int64_t k = 0; k < rows && !status; k++)
    for (int64_t t = 0; t < eval->observations && !status; t++) {
      const float *belief = hn_experience_at(w, HN_F_BELIEF, t, k);
      fprintf(f, "%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",", s->update,
              hn_kept_row(s->cell->evaluation.tasks, rows, k));
      write_task(f, s, split, w->task_index[t * rows + k]);
      fprintf(f, ",%" G_GINT64_FORMAT, t);
      number(f, *(const uint8_t *)hn_experience_at(w, HN_F_BEGIN, t, k));
      numbers(f, hn_experience_at(w, HN_F_OBS, t, k), n->obs);
      numbers(f, hn_experience_at(w, HN_F_TASK, t, k), n->task);
      if (t + 1 < eval->observations)
        write_step(f, w, t, k);
      else
        blanks(f, MAX(n->action, 1) + 1 + n->obs);
      numbers(f, belief, n->belief);
      if (cells) HN_CALL(status, HN_INFERENCE(s)->map(s->inference->self, belief, map));
      numbers(f, map, status ? 0 : cells);
      fputc('\n', f);
    }
  g_free(map);
  return status; /* NOLINT(clang-analyzer-unix.Malloc): it is freed */
}

/* The beginning of a line of predictions.csv. */
static void begin_point(FILE *f, const HnSession *s, int64_t split, const HnEvaluation *eval,
                        int64_t k, int64_t step, bool seen) {
  const HnExperience *w = &eval->trial;
  fprintf(f, "%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT ",", s->update,
          hn_kept_row(s->cell->evaluation.tasks, w->h.rows, k));
  write_task(f, s, split, w->task_index[step * w->h.rows + k]);
  fprintf(f, ",%" G_GINT64_FORMAT ",%d", step, seen);
}

/* Row k at one of the steps: what it has seen, then what it predicts along the grid. */
static void write_band(FILE *f, const HnSession *s, int64_t split, const HnEvaluation *eval,
                       int64_t k, int64_t i) {
  const float *band = hn_predictive_band(&eval->predictive, k, i);
  int64_t lines = HN_BAND_FIXED + eval->predictive.members, step = hn_band_step[i];
  for (int64_t t = 0; t < step; t++) {
    begin_point(f, s, split, eval, k, step, true);
    numbers(f, hn_experience_at(&eval->trial, HN_F_ACTION, t, k), 1);
    numbers(f, hn_experience_at(&eval->trial, HN_F_NEXT_OBS, t, k), 1);
    blanks(f, lines - 1);
    fputc('\n', f);
  }
  for (int64_t j = 0; j < HN_BAND_POINTS; j++) {
    begin_point(f, s, split, eval, k, step, false);
    number(f, (double)hn_band_x(j));
    for (int64_t m = 0; m < lines; m++) number(f, (double)band[m * HN_BAND_POINTS + j]);
    fputc('\n', f);
  }
}

void hn_recorder_predictions(HnRecorder *r, const HnSession *s, int64_t split,
                             const HnEvaluation *eval) {
  for (int64_t k = 0; k < eval->predictive.kept; k++)
    for (int64_t i = 0; i < HN_BAND_STEPS; i++)
      if (hn_band_step[i] < eval->observations)
        write_band(r->table[PREDICTIONS], s, split, eval, k, i);
}

void hn_recorder_timing(HnRecorder *r, const HnSession *s, const double seconds[HN_TIMINGS]) {
  FILE *f = r->table[TIMING];
  fprintf(f, "%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT, s->update, s->frames);
  for (int k = 0; k < HN_TIMINGS; k++) fprintf(f, ",%.6f", seconds[k]);
  fputc('\n', f);
}

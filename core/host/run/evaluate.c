/* evaluate.c - see evaluate.h. */
#include "evaluate.h"
#include "belief_diagnostics.h"
#include "evaluation_tasks.h"
#include <math.h>
#include <string.h>

/* An episode, kept until all that share a count have ended. */
typedef struct Ended {
  HnEpisode e;   /* info is a copy */
  int64_t clock; /* steps that its row has taken since adaptation ended */
} Ended;

/* Sums over the rows of an evaluation. */
typedef struct Sums {
  HnSession *s;
  HnEvaluation *out;
  HnEpisodeSink *sink;
  void *arg;
  HnEpisodeStats stats;
  double last_count;
  int64_t names;                                         /* tasks that rows take in turn */
  int64_t *clock;                                        /* [rows] */
  GArray *ended;                                         /* Ended, where goals share a count */
  double *belief, *belief_count, *policy, *policy_count; /* [rows, columns] folded over the trial */
  HnBeliefWatch *watch;                                  /* or NULL */
  HnStatus watched;                                      /* its first failure */
  double *step_count;                                    /* [steps, env and belief columns] */
} Sums;

/* Adds an episode that is the `slot`-th to count of its row or group, and passes it on. */
static void tell_episode(Sums *u, const HnEpisode *e, int64_t slot) {
  HnEpisode counted = *e;
  counted.trial_episode = slot;
  if (e->kind == HN_COUNTED) hn_episode_means_add(&u->out->episodes, &counted);
  if (e->kind == HN_COUNTED && slot + 1 == u->s->protocol.episodes && u->s->success >= 0)
    hn_fold(HN_MEAN, e->info[u->s->success], &u->out->success_last, &u->last_count);
  if (u->sink) u->sink(u->arg, e);
}

static void count_episode(void *arg, const HnEpisode *finished) {
  Sums *u = arg;
  const HnProtocol *p = &u->s->protocol;
  HnEpisode e = *finished;
  int64_t slot = e.trial_episode - p->adapt;
  if (slot >= p->episodes) return; /* rows whose episodes end early have time for more */
  e.kind = slot < 0 ? HN_ADAPTATION : HN_COUNTED;
  if (slot >= 0) u->clock[e.row] += e.length;
  if (!(p->flags & HN_SHARES_COUNT)) {
    tell_episode(u, &e, slot);
    return;
  }
  e.info = g_memdup2(e.info, sizeof *e.info * u->s->shape.env_infos);
  g_array_append_vals(u->ended, &(Ended){e, u->clock[e.row]}, 1);
}

static int by_clock(const void *a, const void *b) {
  const Ended *x = *(Ended *const *)a, *y = *(Ended *const *)b;
  if (x->clock != y->clock) return x->clock < y->clock ? -1 : 1;
  return (x->e.row > y->e.row) - (x->e.row < y->e.row);
}

/* Of every `parallel` rows with the same task name the first episodes to end count.  Source:
 * Meta-World's evaluation(), which runs the goals of a name side by side and appends what ends. */
static void share_counts(Sums *u) {
  const HnProtocol *p = &u->s->protocol;
  int64_t groups = u->s->cell->evaluation.tasks / p->parallel;
  int64_t *used = g_new0(int64_t, groups), *slot = g_new0(int64_t, u->ended->len + 1);
  g_autoptr(GPtrArray) order = g_ptr_array_new();
  for (guint i = 0; i < u->ended->len; i++)
    g_ptr_array_add(order, &g_array_index(u->ended, Ended, i));
  g_ptr_array_sort(order, by_clock);
  for (guint i = 0; i < order->len; i++) {
    Ended *x = order->pdata[i];
    int64_t group = x->e.row / (u->names * p->parallel) * u->names + x->e.row % u->names;
    int64_t *at = &slot[x - (Ended *)(void *)u->ended->data];
    if (x->e.kind == HN_COUNTED) *at = used[group]++;
    if (x->e.kind == HN_COUNTED && *at >= p->episodes) x->e.kind = HN_UNCOUNTED;
  }
  for (guint i = 0; i < u->ended->len; i++)
    tell_episode(u, &g_array_index(u->ended, Ended, i).e, slot[i]);
  g_free(used), g_free(slot);
}

static void count_columns(const HnColumn *columns, int64_t n, const float *x, double *value,
                          double *count) {
  for (int64_t k = 0; k < n; k++) hn_fold(columns[k].fold, (double)x[k], &value[k], &count[k]);
}

/* Counts n columns, from `first` on, of a row at one observation of the trial. */
static void count_at(Sums *u, int64_t at, int64_t first, int64_t n, const float *x) {
  const HnShape *shape = &u->s->shape;
  int64_t from = at * (shape->env_infos + shape->belief_infos) + first;
  for (int64_t k = 0; k < n; k++)
    hn_fold(HN_MEAN, (double)x[k], &u->out->step_info[from + k], &u->step_count[from + k]);
}

/* Counts step t of row i of a window, which leads to observation `to` of the trial. */
static void count_step(Sums *u, const HnExperience *w, int64_t t, int64_t i, int64_t to) {
  const HnSession *s = u->s;
  const int64_t B = w->h.rows, k = t * B + i, E = s->shape.env_infos, P = s->shape.policy_infos;
  u->out->step_reward[to] += (double)w->h.true_reward[hn_at(&w->h, t, i)] / (double)B;
  count_at(u, to, 0, E, w->env_info + k * E);
  count_columns(s->policy->info, P, w->policy_info + k * P, u->policy + i * P,
                u->policy_count + i * P);
}

/* Counts the belief of row i at observation t of a window, which is observation `at` of the trial.
 */
static void count_belief(Sums *u, const HnExperience *w, int64_t t, int64_t i, int64_t at) {
  const HnSession *s = u->s;
  const int64_t D = s->shape.belief_infos;
  const float *info = w->belief_info + (t * w->h.rows + i) * D;
  count_columns(s->inference->info, D, info, u->belief + i * D, u->belief_count + i * D);
  count_at(u, at, s->shape.env_infos, D, info);
}

/* Counts `steps` steps of a window that starts at observation `at` of the trial.  The window's last
 * observation is the next one's first, so it is counted only where the trial ends. */
static void count_window(Sums *u, const HnRollouts *r, const HnExperience *w, int64_t at,
                         int64_t steps, bool last) {
  for (int64_t t = 0; t <= steps; t++)
    for (int64_t i = 0; i < w->h.rows; i++) {
      if (t < steps && at + t < r->ended[i]) count_step(u, w, t, i, at + t + 1);
      if ((t < steps || last) && at + t <= r->ended[i]) count_belief(u, w, t, i, at + t);
    }
}

/* Copies the kept rows of a window into the trial; the last observation is the next window's first.
 */
static void keep_window(HnExperience *trial, const HnExperience *w, int64_t at, int64_t steps) {
  int64_t kept = trial->h.rows;
  for (int64_t k = 0; k < kept; k++) {
    int64_t i = hn_kept_row(w->h.rows, kept, k);
    for (int64_t t = 0; t <= steps; t++) {
      for (HnExperienceField f = 0; f < HN_FIELDS; f++)
        memcpy(hn_experience_at(trial, f, at + t, k), hn_experience_at(w, f, t, i), w->size[f]);
      trial->task_index[(at + t) * kept + k] = w->task_index[t * w->h.rows + i];
    }
  }
}

/* Mean over rows of columns folded over their trials. */
static void mean_rows(const HnColumn *columns, int64_t rows, int64_t n, const double *value,
                      const double *count, double *mean) {
  for (int64_t k = 0; k < n; k++) {
    double sum = 0, used = 0;
    for (int64_t i = 0; i < rows; i++)
      hn_fold(HN_MEAN, hn_folded(columns[k].fold, value[i * n + k], count[i * n + k]), &sum, &used);
    mean[k] = hn_mean_of(sum, used);
  }
}

/* Steps of the k-th window: as in training.  Of a policy that adapts between phases the last one
 * begins where adaptation ends. */
static int64_t window_steps(const HnSession *s, int64_t k) {
  int64_t K = s->phases, lifetime = s->eval_trial.lifetime;
  int64_t adapt = s->protocol.adapt * s->es.horizon, part = adapt / MAX(K - 1, 1);
  if (K == 1 || part < 1) return MIN(s->steps, lifetime);
  if (k + 1 == K) return lifetime - adapt;
  return k + 2 == K ? adapt - part * (K - 2) : part;
}

HnStatus hn_evaluate_trial(HnSession *s, HnRollouts *r, HnWindowSink *sink, void *arg) {
  int64_t lifetime = s->eval_trial.lifetime, K = s->phases;
  HnStatus status = HN_OK;
  HnExperience phase[HN_PHASES_MAX];
  for (int64_t k = 0; k < K; k++)
    hn_experience_make(&phase[k], &s->shape, window_steps(s, k), r->rows, r->samples);
  for (int64_t at = 0; at < lifetime && !status;) {
    status = hn_rollouts_collect(s, r, phase, K);
    for (int64_t k = 0; k < K && at < lifetime && !status; k++) {
      int64_t steps = MIN(phase[k].h.steps, lifetime - at);
      if (sink) sink(arg, r, &phase[k], at, steps);
      at += steps;
    }
  }
  for (int64_t k = 0; k < K; k++) hn_experience_free(&phase[k]);
  return status;
}

static void count_in(void *arg, const HnRollouts *r, const HnExperience *w, int64_t at,
                     int64_t steps) {
  Sums *u = arg;
  const HnSession *s = u->s;
  hn_episode_stats_window(&u->stats, w, s->env->info, steps, count_episode, u);
  count_window(u, r, w, at, steps, at + steps == s->eval_trial.lifetime);
  keep_window(&u->out->trial, w, at, steps);
  if (u->watch && !u->watched)
    u->watched = hn_belief_watch_window(u->watch, u->s, r, w, at, steps,
                                        at + steps == s->eval_trial.lifetime);
}

static HnStatus run_trial(Sums *u, const HnEvaluationPass *pass) {
  HnSession *s = u->s;
  int64_t rows = s->cell->evaluation.tasks;
  HnRollouts r;
  hn_episode_stats_make(&u->stats, rows, s->shape.env_infos, &s->eval_trial);
  HnStatus status = hn_rollouts_make(s, &r, rows, pass->split, &s->eval_trial, false);
  r.drawn = pass->drawn, r.shuffled = pass->shuffled;
  r.predictive = u->out->predictive.queries ? &u->out->predictive : NULL;
  if (!status) status = hn_evaluate_trial(s, &r, count_in, u);
  if (!status) status = u->watched;
  const int64_t kept = u->out->trial.h.rows;
  for (int64_t k = 0; k < kept && !status; k++)
    u->out->trial_steps[k] = MIN(r.ended[hn_kept_row(rows, kept, k)], s->eval_trial.lifetime);
  hn_episode_stats_free(&u->stats), hn_rollouts_free(&r);
  return status;
}

HnStatus hn_evaluate(HnSession *s, const HnEvaluationPass *pass, HnEvaluation *out,
                     HnEpisodeSink *sink, void *arg) {
  const HnEvaluationParams *p = &s->cell->evaluation;
  gsize B = (gsize)p->tasks, D = s->shape.belief_infos, P = s->shape.policy_infos;
  gsize steps = (gsize)s->eval_trial.lifetime + 1, all = s->shape.env_infos + D;
  *out = (HnEvaluation){.observations = s->eval_trial.lifetime + 1,
                        .task_share = (double)NAN,
                        .reliability = (double)NAN,
                        .belief_info = g_new0(double, D + 1),
                        .policy_info = g_new0(double, P + 1),
                        .step_reward = g_new0(double, steps),
                        .step_info = g_new0(double, steps *all + 1)};
  hn_episode_means_make(&out->episodes, s->eval_trial.episodes, s->shape.env_infos);
  hn_experience_make(&out->trial, &s->shape, s->eval_trial.lifetime, MIN(p->record_rows, p->tasks),
                     s->eval_samples);
  out->trial_steps = g_new0(int64_t, out->trial.h.rows + 1);
  out->predictive =
      hn_predictive_new(s, p->tasks, MIN(p->record_rows, p->tasks), out->observations);
  Sums u = {.s = s,
            .out = out,
            .sink = sink,
            .arg = arg,
            .clock = g_new0(int64_t, B),
            .ended = g_array_new(false, false, sizeof(Ended)),
            .belief = g_new0(double, B *D + 1),
            .belief_count = g_new0(double, B *D + 1),
            .policy = g_new0(double, B *P + 1),
            .policy_count = g_new0(double, B *P + 1),
            .watch = p->diagnose && pass == s->pass ? hn_belief_watch_new(s, p->tasks) : NULL,
            .step_count = g_new0(double, steps *all + 1)};
  u.names = hn_evaluation_tasks(s, pass->split, p->tasks, u.clock);
  memset(u.clock, 0, B * sizeof *u.clock);
  HnStatus status = run_trial(&u, pass);
  if (s->protocol.flags & HN_SHARES_COUNT) share_counts(&u);
  hn_predictive_sum(&out->predictive);
  if (u.watch && !status) hn_belief_watch_result(u.watch, &out->task_share, &out->reliability);
  out->success_last = hn_mean_of(out->success_last, u.last_count);
  mean_rows(s->inference->info, p->tasks, (int64_t)D, u.belief, u.belief_count, out->belief_info);
  mean_rows(s->policy->info, p->tasks, (int64_t)P, u.policy, u.policy_count, out->policy_info);
  for (gsize k = 0; k < steps * all; k++)
    out->step_info[k] = hn_mean_of(out->step_info[k], u.step_count[k]);
  g_free(u.belief), g_free(u.belief_count), g_free(u.policy), g_free(u.policy_count);
  for (guint i = 0; i < u.ended->len; i++)
    g_free((void *)(guintptr)g_array_index(u.ended, Ended, i).e.info);
  hn_belief_watch_free(u.watch);
  g_free(u.step_count), g_free(u.clock), g_array_unref(u.ended);
  return status;
}

void hn_evaluation_free(HnEvaluation *e) {
  hn_episode_means_free(&e->episodes), hn_experience_free(&e->trial),
      hn_predictive_free(&e->predictive);
  g_free(e->belief_info), g_free(e->policy_info), g_free(e->step_reward), g_free(e->step_info);
  g_free(e->trial_steps);
  *e = (HnEvaluation){.observations = 0};
}

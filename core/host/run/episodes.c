/* episodes.c - see episodes.h. */
#include "episodes.h"
#include "evaluation_tasks.h"
#include "pages.h"
#include <math.h>
#include <string.h>

void hn_fold(HnFold fold, double x, double *value, double *count) {
  if (isnan(x)) return;
  if (fold == HN_MAX)
    *value = *count > 0 ? fmax(*value, x) : x;
  else if (fold == HN_LAST)
    *value = x;
  else
    *value += x;
  *count += 1;
}

double hn_folded(HnFold fold, double value, double count) {
  if (!(count > 0)) return (double)NAN;
  return fold == HN_MEAN ? value / count : value;
}

double hn_mean_of(double sum, double count) {
  return count > 0 ? sum / count : (double)NAN;
}

/* ---- episodes ---- */

void hn_episode_stats_make(HnEpisodeStats *y, int64_t rows, int64_t infos,
                           const HnTrialLength *trial) {
  gsize n = (gsize)rows, k = (gsize)infos;
  *y = (HnEpisodeStats){.rows = rows,
                        .infos = infos,
                        .trial_steps = trial->by_steps ? trial->lifetime : 0,
                        .reward = hn_zeros(n * sizeof(double)),
                        .length = hn_zeros(n * sizeof(int64_t)),
                        .episode = hn_zeros(n * sizeof(int64_t)),
                        .info = hn_zeros(n * k * sizeof(double)),
                        .info_count = hn_zeros(n * k * sizeof(double))};
}

void hn_episode_stats_free(HnEpisodeStats *y) {
  hn_zeros_free(y->reward), hn_zeros_free(y->length), hn_zeros_free(y->episode);
  hn_zeros_free(y->info), hn_zeros_free(y->info_count);
  *y = (HnEpisodeStats){.rows = 0};
}

static void finish_episode(HnEpisodeStats *y, const HnExperience *w, const HnColumn *columns,
                           int64_t t, int64_t i, HnEpisodeSink *sink, void *arg) {
  double *info = y->info + i * y->infos, *count = y->info_count + i * y->infos;
  for (int64_t k = 0; k < y->infos; k++) info[k] = hn_folded(columns[k].fold, info[k], count[k]);
  HnEpisode e = {.row = i,
                 .task_index = w->task_index[t * w->h.rows + i],
                 .trial_episode = y->episode[i],
                 .length = y->length[i],
                 .reward = y->reward[i],
                 .info = info};
  sink(arg, &e);
  y->reward[i] = 0, y->length[i] = 0, y->episode[i]++;
  memset(info, 0, (gsize)y->infos * sizeof *info);
  memset(count, 0, (gsize)y->infos * sizeof *count);
}

void hn_episode_stats_window(HnEpisodeStats *y, const HnExperience *w, const HnColumn *columns,
                             int64_t steps, HnEpisodeSink *sink, void *arg) {
  const HnHistory *h = &w->h;
  for (int64_t t = 0; t < steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      int64_t at = hn_at(h, t, i);
      y->reward[i] += (double)h->true_reward[at];
      y->length[i]++;
      for (int64_t k = 0; k < y->infos; k++)
        hn_fold(columns[k].fold, (double)w->env_info[at * y->infos + k], &y->info[i * y->infos + k],
                &y->info_count[i * y->infos + k]);
      uint8_t begin = h->begin[hn_at(h, t + 1, i)];
      bool over = y->trial_steps ? y->length[i] == y->trial_steps : begin != HN_KEEP;
      if (over) finish_episode(y, w, columns, t, i, sink, arg);
      if (begin == HN_NEW_TASK) y->episode[i] = 0;
    }
}

void hn_episode_means_make(HnEpisodeMeans *m, int64_t trial_episodes, int64_t infos) {
  *m = (HnEpisodeMeans){.trial_episodes = trial_episodes,
                        .infos = infos,
                        .reward = g_new0(double, trial_episodes + 1),
                        .reward_count = g_new0(double, trial_episodes + 1),
                        .info = g_new0(double, infos + 1),
                        .info_count = g_new0(double, infos + 1)};
}

void hn_episode_means_free(HnEpisodeMeans *m) {
  g_free(m->reward), g_free(m->reward_count), g_free(m->info), g_free(m->info_count);
  *m = (HnEpisodeMeans){.infos = 0};
}

void hn_episode_means_add(HnEpisodeMeans *m, const HnEpisode *e) {
  if (e->trial_episode >= m->trial_episodes) return;
  m->reward[e->trial_episode] += e->reward, m->reward_count[e->trial_episode] += 1;
  m->reward[m->trial_episodes] += e->reward, m->reward_count[m->trial_episodes] += 1;
  for (int64_t k = 0; k < m->infos; k++)
    hn_fold(HN_MEAN, e->info[k], &m->info[k], &m->info_count[k]);
}

/* ---- evaluation ---- */

/* A counted episode that shares its count, until all of them are known. */
typedef struct Ended {
  HnEpisode e;   /* info is a copy */
  int64_t clock; /* steps of its row since adaptation ended */
} Ended;

typedef struct Sums { /* over the rows of an evaluation */
  HnSession *s;
  HnEvaluation *out;
  HnEpisodeSink *sink;
  void *arg;
  double last_count;
  int64_t names;                                         /* tasks that rows take in turn */
  int64_t *clock;                                        /* [rows] */
  GArray *ended;                                         /* Ended, where goals share a count */
  double *belief, *belief_count, *policy, *policy_count; /* [rows, columns] folded over the trial */
  double *step_count;                                    /* [steps, env and belief columns] */
} Sums;

/* Counts an episode that is the `slot`-th to count of its row or group, and hands it on. */
static void count_in(Sums *u, const HnEpisode *e, int64_t slot) {
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
  if (!p->parallel) {
    count_in(u, &e, slot);
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

/* Of every `parallel` rows with a task's name the first episodes to end count.  Source:
 * Meta-World's evaluation(), which lets the goals of a name run side by side and appends what ends.
 */
static void share_counts(Sums *u) {
  const HnProtocol *p = &u->s->protocol;
  int64_t groups = u->s->cell->evaluation.tasks / p->parallel;
  int64_t *used = g_new0(int64_t, groups), *slot = g_new0(int64_t, u->ended->len + 1);
  GPtrArray *order = g_ptr_array_new();
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
    count_in(u, &g_array_index(u->ended, Ended, i).e, slot[i]);
  g_free(used), g_free(slot), g_ptr_array_unref(order);
}

static void count_columns(const HnColumn *columns, int64_t n, const float *x, double *value,
                          double *count) {
  for (int64_t k = 0; k < n; k++) hn_fold(columns[k].fold, (double)x[k], &value[k], &count[k]);
}

/* Counts n columns, from `first` on, of what a row shows at a percept of the trial. */
static void count_at(Sums *u, int64_t percept, int64_t first, int64_t n, const float *x) {
  const HnShape *shape = &u->s->shape;
  int64_t from = percept * (shape->env_infos + shape->belief_infos) + first;
  for (int64_t k = 0; k < n; k++)
    hn_fold(HN_MEAN, (double)x[k], &u->out->step_info[from + k], &u->step_count[from + k]);
}

/* Counts `steps` steps of a window that starts at percept `at` of the trial.  The window's last
 * percept is the next one's first, so it is counted only where the trial ends. */
static void count_window(Sums *u, const HnExperience *w, int64_t at, int64_t steps, bool last) {
  const HnSession *s = u->s;
  int64_t B = w->h.rows, E = s->shape.env_infos, D = s->shape.belief_infos;
  int64_t P = s->shape.policy_infos;
  HnEvaluation *e = u->out;
  for (int64_t t = 0; t <= steps; t++)
    for (int64_t i = 0; i < B; i++) {
      int64_t k = t * B + i;
      if (t < steps) {
        e->step_reward[at + t + 1] += (double)w->h.true_reward[hn_at(&w->h, t, i)] / (double)B;
        count_at(u, at + t + 1, 0, E, w->env_info + k * E);
        count_columns(s->policy->plugin->info, P, w->policy_info + k * P, u->policy + i * P,
                      u->policy_count + i * P);
      } else if (!last) {
        continue;
      }
      count_columns(s->inference->plugin->info, D, w->belief_info + k * D, u->belief + i * D,
                    u->belief_count + i * D);
      count_at(u, at + t, E, D, w->belief_info + k * D);
    }
}

int64_t hn_evaluation_row(int64_t rows, int64_t kept, int64_t k) {
  return (2 * k + 1) * rows / (2 * kept);
}

/* Copies the kept rows of a window into the trial; the last percept is the next window's first. */
static void keep_window(HnExperience *trial, const HnExperience *w, int64_t at, int64_t steps) {
  int64_t kept = trial->h.rows;
  for (int64_t k = 0; k < kept; k++) {
    int64_t i = hn_evaluation_row(w->h.rows, kept, k);
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

int64_t hn_evaluation_steps(const HnSession *s, int64_t k) {
  int64_t K = s->phases, life = s->eval_trial.lifetime;
  int64_t adapt = s->protocol.adapt * s->es.horizon, part = adapt / MAX(K - 1, 1);
  if (K == 1 || part < 1) return MIN(s->steps, life);
  if (k + 1 == K) return life - adapt;
  return k + 2 == K ? adapt - part * (K - 2) : part;
}

static HnStatus live_one_trial(Sums *u, int64_t split) {
  HnSession *s = u->s;
  const HnEvaluationParams *p = &s->cell->evaluation;
  int64_t life = s->eval_trial.lifetime, K = s->phases;
  HnRollouts c;
  HnEpisodeStats y;
  HnExperience phase[HN_PHASES_MAX];
  for (int64_t k = 0; k < K; k++)
    hn_experience_make(&phase[k], &s->shape, hn_evaluation_steps(s, k), p->tasks, s->eval_samples);
  hn_episode_stats_make(&y, p->tasks, s->shape.env_infos, &s->eval_trial);
  HnStatus status = hn_rollouts_make(s, &c, p->tasks, split, &s->eval_trial, false);
  c.ask = u->out->ask.questions ? &u->out->ask : NULL;
  for (int64_t at = 0; at < life && !status;) {
    status = hn_rollouts_collect(s, &c, phase, K);
    for (int64_t k = 0; k < K && at < life && !status; k++) {
      int64_t steps = MIN(phase[k].h.steps, life - at);
      hn_episode_stats_window(&y, &phase[k], s->env->plugin->info, steps, count_episode, u);
      count_window(u, &phase[k], at, steps, at + steps == life);
      keep_window(&u->out->trial, &phase[k], at, steps);
      at += steps;
    }
  }
  for (int64_t k = 0; k < K; k++) hn_experience_free(&phase[k]);
  hn_episode_stats_free(&y), hn_rollouts_free(&c);
  return status;
}

HnStatus hn_evaluate(HnSession *s, int64_t split, HnEvaluation *out, HnEpisodeSink *sink,
                     void *arg) {
  const HnEvaluationParams *p = &s->cell->evaluation;
  gsize B = (gsize)p->tasks, D = s->shape.belief_infos, P = s->shape.policy_infos;
  gsize steps = (gsize)s->eval_trial.lifetime + 1, all = s->shape.env_infos + D;
  *out = (HnEvaluation){.steps = s->eval_trial.lifetime + 1,
                        .belief_info = g_new0(double, D + 1),
                        .policy_info = g_new0(double, P + 1),
                        .step_reward = g_new0(double, steps),
                        .step_info = g_new0(double, steps *all + 1)};
  hn_episode_means_make(&out->episodes, s->eval_trial.episodes, s->shape.env_infos);
  hn_experience_make(&out->trial, &s->shape, s->eval_trial.lifetime, MIN(p->record_rows, p->tasks),
                     s->eval_samples);
  out->ask = hn_predictive_new(s, p->tasks, MIN(p->record_rows, p->tasks), out->steps);
  Sums u = {.s = s,
            .out = out,
            .sink = sink,
            .arg = arg,
            .clock = g_new0(int64_t, B),
            .ended = g_array_new(FALSE, FALSE, sizeof(Ended)),
            .belief = g_new0(double, B *D + 1),
            .belief_count = g_new0(double, B *D + 1),
            .policy = g_new0(double, B *P + 1),
            .policy_count = g_new0(double, B *P + 1),
            .step_count = g_new0(double, steps *all + 1)};
  u.names = hn_protocol_tasks(s, split, p->tasks, u.clock);
  memset(u.clock, 0, B * sizeof *u.clock);
  HnStatus status = live_one_trial(&u, split);
  if (s->protocol.parallel) share_counts(&u);
  hn_predictive_sum(&out->ask);
  out->success_last = hn_mean_of(out->success_last, u.last_count);
  mean_rows(s->inference->plugin->info, p->tasks, (int64_t)D, u.belief, u.belief_count,
            out->belief_info);
  mean_rows(s->policy->plugin->info, p->tasks, (int64_t)P, u.policy, u.policy_count,
            out->policy_info);
  for (gsize k = 0; k < steps * all; k++)
    out->step_info[k] = hn_mean_of(out->step_info[k], u.step_count[k]);
  g_free(u.belief), g_free(u.belief_count), g_free(u.policy), g_free(u.policy_count);
  for (guint i = 0; i < u.ended->len; i++)
    g_free((void *)(guintptr)g_array_index(u.ended, Ended, i).e.info);
  g_free(u.step_count), g_free(u.clock), g_array_unref(u.ended);
  return status;
}

void hn_evaluation_free(HnEvaluation *e) {
  hn_episode_means_free(&e->episodes), hn_experience_free(&e->trial), hn_predictive_free(&e->ask);
  g_free(e->belief_info), g_free(e->policy_info), g_free(e->step_reward), g_free(e->step_info);
  *e = (HnEvaluation){.steps = 0};
}

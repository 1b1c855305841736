/* episodes.c - see episodes.h. */
#include "episodes.h"
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

/* scaling.c - running moments, redundant columns, and the scaling of targets. */
#include "scaling.h"
#include <math.h>
#include <string.h>

/* Adds deviation products of dense rows x [n, m] to g->comoment, given the moments z of all rows
 * before (Chan et al. 1979).  work [2 m]. */
static void add_comoment(Glibrl *g, const HnNormaliser *z, int64_t n, const float *x,
                         double *work) {
  int64_t m = g->obs_dim;
  double *mean = work, *d = work + m, before = z->count[0], all = before + (double)n;
  memset(mean, 0, (size_t)m * sizeof *mean);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < m; j++) mean[j] += (double)x[i * m + j];
  for (int64_t j = 0; j < m; j++) mean[j] /= (double)n;
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < m; j++) d[j] = (double)x[i * m + j] - mean[j];
    for (int64_t j = 0; j < m; j++)
      for (int64_t k = 0; k <= j; k++) g->comoment[j * m + k] += d[j] * d[k];
  }
  for (int64_t j = 0; j < m; j++) d[j] = mean[j] - z->mean[j];
  for (int64_t j = 0; j < m; j++)
    for (int64_t k = 0; k <= j; k++)
      g->comoment[j * m + k] += d[j] * d[k] * before * (double)n / all;
}

void glibrl_update_moments(Glibrl *g, const HnHistory *h) {
  const HnHost *host = g->host;
  int64_t o = g->obs_dim, n = h->steps * h->rows;
  if (!n) return;
  float *delta = host->scratch(host, n * o, sizeof(float));
  for (int64_t k = 0; k < n * o; k++) delta[k] = h->next_obs[k] - h->obs[k];
  bool next = g->p->transition_target == GLIBRL_TARGET_NEXT;
  add_comoment(g, &g->target_norm, n, next ? h->next_obs : delta,
               host->scratch(host, 2 * o, sizeof(double)));
  hn_normaliser_update(&g->obs_norm, n, h->obs, o);
  hn_normaliser_update(&g->delta_norm, n, delta, o);
  if (next) hn_normaliser_update(&g->target_norm, n, h->next_obs, o);
  hn_normaliser_update(&g->reward_norm, n, h->reward, 1);
}

/* Marks the columns worth predicting, in order: one that is constant, or that earlier columns
 * explain (a copy, or any linear combination), would only shrink the features.  The share left
 * unexplained is a pivot of the Cholesky factor l of the covariance.  l [m, m]. */
static void choose_columns(const Glibrl *g, double *l) {
  int64_t m = g->obs_dim;
  double count = g->target_norm.count[0], least = g->p->constant_below;
  for (int64_t j = 0; j < m; j++) {
    double variance = g->comoment[j * m + j] / count, pivot = variance;
    for (int64_t k = 0; k < j; k++) {
      l[j * m + k] = 0;
      if (!g->scale.live[k]) continue;
      double sum = g->comoment[j * m + k] / count;
      for (int64_t i = 0; i < k; i++) sum -= l[j * m + i] * l[k * m + i];
      l[j * m + k] = sum / l[k * m + k];
      pivot -= l[j * m + k] * l[j * m + k];
    }
    g->scale.live[j] = variance > least * least && pivot > g->p->copy_below * variance;
    l[j * m + j] = g->scale.live[j] ? sqrt(pivot) : 0;
  }
}

void glibrl_set_scale(Glibrl *g) {
  const GlibrlParams *p = g->p;
  int64_t m = g->obs_dim;
  double least = p->constant_below * p->constant_below;
  if (g->target_norm.count[0] <= 0) return;
  if (p->target_columns == GLIBRL_COLUMNS_LIVE)
    choose_columns(g, g->host->scratch(g->host, m * m, sizeof(double)));
  for (int64_t j = 0; j < m && p->normalise_targets; j++) {
    double variance = g->comoment[j * m + j] / g->target_norm.count[0];
    g->scale.mean[j] = g->target_norm.mean[j];
    g->scale.stddev[j] = variance > least ? sqrt(variance) : 1;
  }
  double variance = g->reward_norm.m2[0] / g->reward_norm.count[0];
  if (p->reward_scaling != GLIBRL_REWARD_RAW)
    g->scale.reward[1] = variance > least ? sqrt(variance) : 1;
  if (p->reward_scaling == GLIBRL_REWARD_STANDARD) g->scale.reward[0] = g->reward_norm.mean[0];
}

/* glibrl_model.h - what predicting and learning share: the instance, the feature networks, and how
 * raw steps become inputs and targets.
 *
 * Inputs of the reward features are [s, a, s' and/or s' - s]; those of the transition features are
 * their leading columns [s, a]. */
#ifndef GLIBRL_MODEL_H
#define GLIBRL_MODEL_H
#include "../../common/trial_replay.h"
#include "glibrl.h"
#include <hunch/kit.h>

/* One model that is linear in learnt features, with an isotropic prior. */
typedef struct Model {
  int64_t d, learnt, inputs; /* D; columns the network gives (the rest is 1); its input columns */
  float gain;                /* the features are gain * network */
  double regulariser;
  HnMlp net;
  HnTensor *prior; /* [1, 2] ln xi, ln psi */
} Model;

/* How targets are scaled: y = (raw - mean) / stddev.  Kept, so that it changes only in learn. */
typedef struct Scale {
  double *mean, *stddev; /* [obs_dim] */
  int32_t *live;         /* [obs_dim] whether the column is predicted */
  double *reward;        /* [2] mean, stddev */
} Scale;

typedef struct Glibrl {
  const HnThisParams *p;
  const HnHost *host;
  int64_t obs_dim, action_dim;
  bool discrete;
  HnStore store;
  Model transition, reward;
  Scale scale;
  HnNormaliser seen, moved, led, paid; /* s, s' - s, s', r; led is moved or s' by the target */
  double *comoment; /* [obs_dim, obs_dim] of raw targets: sums of products of deviations */
  HnTrialReplay replay;
  float *flat;                               /* [batch, store.size] gradients by trial */
  double *stats;                             /* [batch, STAT_COUNT] sums by trial */
  int64_t *slot;                             /* [batch] trials of the running update */
  size_t row_size, transition_at, reward_at; /* layout of row memory, see glibrl_believe.h */
} Glibrl;

static int64_t live_columns(const Glibrl *g) {
  int64_t live = 0;
  for (int64_t j = 0; j < g->obs_dim; j++) live += g->scale.live[j] != 0;
  return live;
}

/* The model's prior of `targets` targets, as learnt so far. */
static HnMnwPrior prior_of(const Glibrl *g, const Model *k, int64_t targets) {
  static const HnMnwNoise noise[] = {HN_MNW_INFERRED, HN_MNW_FIXED, HN_MNW_NORMAL};
  return (HnMnwPrior){.noise = noise[g->p->noise],
                      .xi = exp((double)k->prior->data[0]),
                      .psi = exp((double)k->prior->data[1]),
                      .nu0 = (double)targets + g->p->prior_dof,
                      .variance = g->p->noise_variance};
}

/* Inputs x [n, reward.inputs] of n dense raw steps; delta [n, obs_dim] gets s' - s. */
static void make_inputs(const Glibrl *g, int64_t n, const float *obs, const float *act,
                        const float *next, float *delta, float *x) {
  const float clip = 10;
  int64_t o = g->obs_dim, a = g->action_dim, width = g->reward.inputs, at = o + a;
  for (int64_t k = 0; k < n * o; k++) delta[k] = next[k] - obs[k];
  for (int64_t k = 0; k < n; k++) memcpy(x + k * width + o, act + k * a, (size_t)a * sizeof *x);
  struct Part {
    const HnNormaliser *z;
    const float *from;
    int64_t to;
  } part[3] = {{&g->seen, obs, 0}};
  int64_t parts = 1;
  if (g->p->next_input != NEXT_DELTA) part[parts++] = (struct Part){&g->seen, next, at}, at += o;
  if (g->p->next_input != NEXT_STATE) part[parts++] = (struct Part){&g->moved, delta, at};
  for (int64_t i = 0; i < parts; i++) {
    float *to = x + part[i].to;
    if (g->p->normalise_inputs)
      hn_normaliser_apply(part[i].z, n, part[i].from, o, clip, to, width);
    else
      for (int64_t k = 0; k < n; k++)
        memcpy(to + k * width, part[i].from + k * o, (size_t)o * sizeof *to);
  }
}

/* Scaled live targets of one step, y [live]; raw is s' - s or s', by transition_target. */
static void make_target(const Scale *s, int64_t obs_dim, const float *raw, double *y) {
  for (int64_t j = 0, k = 0; j < obs_dim; j++)
    if (s->live[j]) y[k++] = ((double)raw[j] - s->mean[j]) / s->stddev[j];
}

static double make_reward_target(const Scale *s, float reward) {
  return ((double)reward - s->reward[0]) / s->reward[1];
}

/* Features c [n, D] of network outputs phi [n, learnt]. */
static void finish_features(const Model *k, int64_t n, const float *phi, float *c) {
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < k->learnt; j++) c[i * k->d + j] = k->gain * phi[i * k->learnt + j];
    if (k->learnt < k->d) c[i * k->d + k->learnt] = 1;
  }
}

/* Widest of the network's layers. */
static int64_t widest(const HnThisParams *p, const Model *k) {
  return k->learnt > p->hidden_units ? k->learnt : p->hidden_units;
}

/* Features c [n, D] of inputs x (row stride ldx), without a tape: acting reuses its memory.
 * work [2, n, widest]. */
static void features(const HnThisParams *p, const Model *k, int64_t n, const float *x, int64_t ldx,
                     float *work, float *c) {
  float *half[2] = {work, work + n * widest(p, k)};
  for (int64_t l = 0; l < k->net.layers; l++) {
    const HnTensor *w = k->net.w[l];
    float *y = half[l & 1];
    HnActivation act = l + 1 < k->net.layers ? k->net.hidden : k->net.output;
    for (int64_t i = 0; i < n; i++)
      memcpy(y + i * w->cols, k->net.b[l]->data, (size_t)w->cols * sizeof *y);
    hn_gemm(n, w->cols, w->rows, x, ldx, 1, w->data, w->cols, 1, y, w->cols);
    if (act == HN_TANH) hn_vec_tanh(n * w->cols, y, y);
    x = y, ldx = w->cols;
  }
  finish_features(k, n, x, c);
}
#endif

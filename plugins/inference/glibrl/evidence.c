/* glibrl_learn.h - learning the features: running moments, replay, and Adam on the evidence.
 *
 *   loss = -(ln p(Y_T | C_T) + ln p(y_R | C_R)) / N + lambda ||C||^2 / N    over a batch of N steps
 *
 * Every trial of a batch is a task of its own with its own posterior, hence a shard. */
#ifndef GLIBRL_LEARN_H
#define GLIBRL_LEARN_H
#include "model.c"

/* Sums over the steps of one trial, for both models: transition, then reward. */
enum {
  STAT_EVIDENCE = 0, /* 2 of each */
  STAT_SQUARES = 2,
  STAT_SATURATED = 4,
  STAT_RETRIES = 6, /* of both together */
  STAT_COUNT = 7
};

/* ---- moments ---- */

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

static void take_moments(Glibrl *g, const HnHistory *h) {
  const HnHost *host = g->host;
  int64_t o = g->obs_dim, n = h->steps * h->rows;
  if (!n) return;
  float *delta = host->scratch(host, n * o, sizeof(float));
  for (int64_t k = 0; k < n * o; k++) delta[k] = h->next_obs[k] - h->obs[k];
  const float *raw = g->p->transition_target == TARGET_DELTA ? delta : h->next_obs;
  add_comoment(g, &g->led, n, raw, host->scratch(host, 2 * o, sizeof(double)));
  hn_normaliser_update(&g->seen, n, h->obs, o);
  hn_normaliser_update(&g->moved, n, delta, o);
  if (g->p->transition_target == TARGET_NEXT) hn_normaliser_update(&g->led, n, h->next_obs, o);
  hn_normaliser_update(&g->paid, n, h->reward, 1);
}

/* Marks the columns worth predicting, in order: one that is constant, or that earlier columns
 * explain (a copy, or any linear combination), would only shrink the features.  The share left
 * unexplained is a pivot of the Cholesky factor l of the covariance.  l [m, m]. */
static void choose_columns(const Glibrl *g, double *l) {
  int64_t m = g->obs_dim;
  double count = g->led.count[0], least = g->p->constant_below;
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

/* Freezes the scaling of targets until the next lesson. */
static void freeze_scale(Glibrl *g) {
  const HnThisParams *p = g->p;
  int64_t m = g->obs_dim;
  double least = p->constant_below * p->constant_below;
  if (g->led.count[0] <= 0) return;
  if (p->target_columns == COLUMNS_LIVE)
    choose_columns(g, g->host->scratch(g->host, m * m, sizeof(double)));
  for (int64_t j = 0; j < m && p->normalise_targets; j++) {
    double variance = g->comoment[j * m + j] / g->led.count[0];
    g->scale.mean[j] = g->led.mean[j];
    g->scale.stddev[j] = variance > least ? sqrt(variance) : 1;
  }
  double variance = g->paid.m2[0] / g->paid.count[0];
  if (p->reward_scaling != REWARD_RAW) g->scale.reward[1] = variance > least ? sqrt(variance) : 1;
  if (p->reward_scaling == REWARD_STANDARD) g->scale.reward[0] = g->paid.mean[0];
}

/* ---- one trial ---- */

typedef struct Batch {
  Glibrl *g;
  int64_t steps; /* N, of all trials */
} Batch;

/* Rows of a trial whose activations stay in the second-level cache, on a tape of their own. */
enum { STRETCH = 256 };
typedef struct Stretch {
  HnTape tape;
  HnVar *phi;
} Stretch;

/* Back through the network: d/dphi of (regulariser - evidence) from d evidence/dC, a stretch at a
 * time, seed [STRETCH, learnt]. */
static void descend_stretches(const Batch *b, const Model *k, int64_t n, const float *c,
                              const float *dc, Stretch *stretch, float *seed) {
  double divisor = (double)b->steps, reg = k->regulariser;
  if (b->g->p->regulariser_per_step) reg /= divisor;
  const float pull = (float)(2 * reg * (double)k->gain), push = (float)((double)k->gain / divisor);
  for (int64_t from = 0; from < n; from += STRETCH, stretch++) {
    for (int64_t i = 0; i < stretch->phi->rows; i++) {
      const float *x = c + (from + i) * k->d, *g = dc + (from + i) * k->d;
      float *to = seed + i * k->learnt;
      for (int64_t j = 0; j < k->learnt; j++) to[j] = pull * x[j] - push * g[j];
    }
    hn_tape_backward_from(&stretch->tape, stretch->phi, seed);
  }
}

/* What a trial's features add to the statistics. */
static void count_features(const Model *k, const HnVar *phi, int which, double *stats) {
  const int64_t count = phi->rows * k->learnt;
  int32_t saturated = 0;
  for (int64_t i = 0; i < count; i++) saturated += fabsf(phi->data[i]) > 0.99f;
  stats[STAT_SQUARES + which] += (double)k->gain * (double)k->gain * hn_vec_norm2(count, phi->data);
  stats[STAT_SATURATED + which] += (double)saturated / (double)k->learnt;
}

/* Evidence of one model on one trial, and its gradient through the network into flat.  x [n,
 * model inputs] dense, y [n, m].  which: 0 transition, 1 reward. */
static HnStatus train_model(const Batch *b, const Model *k, int64_t n, const float *x,
                            const double *y, int64_t m, int which, float *flat, double *stats) {
  const Glibrl *g = b->g;
  const HnHost *host = g->host;
  Stretch *stretch = host->scratch(host, (n + STRETCH - 1) / STRETCH, sizeof *stretch);
  float *c = host->scratch(host, n * k->d, sizeof *c);
  float *dc = host->scratch(host, n * k->d, sizeof *dc);
  for (int64_t from = 0; from < n; from += STRETCH) {
    Stretch *s = &stretch[from / STRETCH];
    const int64_t rows = n - from < STRETCH ? n - from : STRETCH;
    s->tape = hn_tape_begin(host, true);
    s->phi = hn_mlp(&s->tape, &k->net, hn_constant(&s->tape, rows, k->inputs, x + from * k->inputs),
                    flat);
    finish_features(k, rows, s->phi->data, c + from * k->d);
    count_features(k, s->phi, which, stats);
  }

  HnMnwPrior prior = prior_of(g, k, m);
  HnMnwTrial trial = {.n = n, .d = k->d, .m = m, .c = c, .ldc = k->d, .y64 = y, .ldy = m};
  HnMnwLesson lesson = {.dc = dc, .lddc = k->d};
  void *work = host->scratch(host, (int64_t)hn_mnw_train_size(n, k->d, m), 1);
  HnStatus status = hn_mnw_train(&prior, &trial, &lesson, work);
  if (status) return host->fail(host, status, "evidence of a trial of %d steps", (int)n);

  descend_stretches(b, k, n, c, dc, stretch,
                    host->scratch(host, STRETCH * k->learnt, sizeof(float)));
  if (g->p->learn_prior) {
    flat[k->prior->offset] -= (float)(lesson.d_log_xi / (double)b->steps);
    flat[k->prior->offset + 1] -= (float)(lesson.d_log_psi / (double)b->steps);
  }
  stats[STAT_EVIDENCE + which] = lesson.evidence;
  stats[STAT_RETRIES] += (double)lesson.raises;
  return HN_OK;
}

/* Raw steps of a remembered trial as inputs x [n, reward.inputs] and targets. */
static void open_trial(const Glibrl *g, int64_t slot, float *delta, float *x, double *y,
                       double *pay) {
  const HnTrialReplay *r = &g->replay;
  int64_t n = r->steps[slot], o = g->obs_dim, first = slot * r->shape.length,
          live = live_columns(g);
  const float *next = r->next_obs + first * o;
  make_inputs(g, n, r->obs + first * o, r->action + first * g->action_dim, next, delta, x);
  const float *raw = g->p->transition_target == TARGET_DELTA ? delta : next;
  for (int64_t t = 0; t < n; t++) {
    make_target(&g->scale, o, raw + t * o, y + t * live);
    pay[t] = make_reward_target(&g->scale, r->reward[first + t]);
  }
}

static HnStatus train_trial(void *arg, int64_t i) {
  const Batch *b = arg;
  Glibrl *g = b->g;
  const HnHost *host = g->host;
  int64_t n = g->replay.steps[g->slot[i]], o = g->obs_dim, live = live_columns(g);
  int64_t wide = g->reward.inputs, narrow = g->transition.inputs;
  float *flat = g->flat + i * g->store.size, *x = host->scratch(host, n * wide, sizeof *x);
  float *delta = host->scratch(host, n * o, sizeof *delta);
  double *y = host->scratch(host, n * (live + 1), sizeof *y), *pay = y + n * live;
  double *stats = g->stats + i * STAT_COUNT;
  memset(flat, 0, (size_t)g->store.size * sizeof *flat);
  memset(stats, 0, STAT_COUNT * sizeof *stats);
  open_trial(g, g->slot[i], delta, x, y, pay);
  if (live) {
    float *head = host->scratch(host, n * narrow, sizeof *head);
    for (int64_t t = 0; t < n; t++)
      memcpy(head + t * narrow, x + t * wide, (size_t)narrow * sizeof *head);
    HnStatus status = train_model(b, &g->transition, n, head, y, live, 0, flat, stats);
    if (status) return status;
  }
  return train_model(b, &g->reward, n, x, pay, 1, 1, flat, stats);
}

/* ---- an update ---- */

/* Keeps a learnt prior where its factorisations are safe. */
static void confine_prior(const Model *k) {
  const double low[2] = {1e-3, 1e-6}, high = 1e6;
  for (int i = 0; i < 2; i++)
    k->prior->data[i] = (float)fmin(fmax((double)k->prior->data[i], log(low[i])), log(high));
}

static void report(const Glibrl *g, const Batch *b, double norm2) {
  const HnHost *host = g->host;
  double n = (double)b->steps, sum[STAT_COUNT] = {0};
  for (int64_t i = 0; i < g->p->batch; i++)
    for (int s = 0; s < STAT_COUNT; s++) sum[s] += g->stats[i * STAT_COUNT + s];
  static const int32_t evidence[] = {metric_evidence_transition, metric_evidence_reward},
                       norm[] = {metric_feature_norm_transition, metric_feature_norm_reward},
                       saturated[] = {metric_saturated_transition, metric_saturated_reward},
                       xi[] = {metric_xi_transition, metric_xi_reward},
                       psi[] = {metric_psi_transition, metric_psi_reward};
  const Model *model[] = {&g->transition, &g->reward};
  for (int w = live_columns(g) ? 0 : 1; w < 2; w++) {
    host->metric(host, evidence[w], sum[STAT_EVIDENCE + w] / n);
    host->metric(host, norm[w], sqrt(sum[STAT_SQUARES + w] / n));
    host->metric(host, saturated[w], sum[STAT_SATURATED + w] / n);
    host->metric(host, xi[w], exp((double)model[w]->prior->data[0]));
    host->metric(host, psi[w], exp((double)model[w]->prior->data[1]));
  }
  host->metric(host, metric_grad_norm, sqrt(norm2));
  host->metric(host, metric_potrf_retries, sum[STAT_RETRIES]);
}

static HnStatus update(Glibrl *g, HnRng *rng) {
  const HnThisParams *p = g->p;
  const HnTrialReplay *r = &g->replay;
  Batch b = {.g = g};
  for (int64_t i = 0; i < p->batch; i++) {
    g->slot[i] = hn_trial_replay_draw(r, rng);
    b.steps += r->steps[g->slot[i]];
  }
  HnStatus status = g->host->parallel(g->host, p->batch, train_trial, &b);
  if (status) return status;
  hn_store_reduce(&g->store, p->batch, g->flat);
  double norm2 = hn_store_norm2(&g->store);
  if (!isfinite(norm2))
    return g->host->fail(g->host, HN_E_NUMERIC, "the gradient of the evidence is not finite");
  HnAdam adam = {.lr = p->lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  hn_adam_step(&g->store, &adam, hn_clip_scale(norm2, p->grad_norm), 1);
  confine_prior(&g->transition), confine_prior(&g->reward);
  report(g, &b, norm2);
  return HN_OK;
}

/* Participation ratio (tr A)^2 / tr A^2 of the covariance A of a trial's learnt features: how many
 * directions they really use. */
static double effective_rank(const Glibrl *g, const Model *k, int64_t n, const float *x) {
  const HnHost *host = g->host;
  int64_t d = k->d;
  float *c = host->scratch(host, n * d, sizeof *c);
  features(g->p, k, n, x, g->reward.inputs,
           host->scratch(host, 2 * n * widest(g->p, k), sizeof(float)), c);
  double *mean = host->scratch(host, d, sizeof *mean), trace = 0, square = 0;
  memset(mean, 0, (size_t)d * sizeof *mean);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) mean[j] += (double)c[i * d + j] / (double)n;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) c[i * d + j] -= (float)mean[j];
  float *a = host->scratch(host, d * d, sizeof *a);
  hn_gemm(d, d, n, c, 1, d, c, d, 0, a, d);
  for (int64_t j = 0; j < d * d; j++) {
    square += (double)a[j] * (double)a[j];
    if (j % (d + 1) == 0) trace += (double)a[j];
  }
  return square > 0 ? trace * trace / square : 0;
}

/* Reports the ranks on the first trial of the last batch. */
static void report_ranks(const Glibrl *g) {
  const HnHost *host = g->host;
  int64_t slot = g->slot[0], n = g->replay.steps[slot], live = live_columns(g);
  float *delta = host->scratch(host, n * g->obs_dim, sizeof *delta);
  float *x = host->scratch(host, n * g->reward.inputs, sizeof *x);
  double *y = host->scratch(host, n * (live + 1), sizeof *y);
  open_trial(g, slot, delta, x, y, y + n * live);
  if (live) host->metric(host, metric_rank_transition, effective_rank(g, &g->transition, n, x));
  host->metric(host, metric_rank_reward, effective_rank(g, &g->reward, n, x));
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Glibrl *g = self;
  const HnHost *host = g->host;
  const HnThisParams *p = g->p;
  hn_store_refresh(&g->store);
  for (int64_t k = 0; k < l->phases; k++) {
    HnStatus status = hn_trial_replay_append(&g->replay, l->phase[k]);
    if (status) return status;
    take_moments(g, l->phase[k]);
  }
  freeze_scale(g);
  host->metric(host, metric_live_columns, (double)live_columns(g));
  host->metric(host, metric_trials, (double)hn_trial_replay_count(&g->replay));
  if (hn_trial_replay_count(&g->replay) < p->start) return HN_OK;
  for (int64_t u = 0; u < p->updates; u++) {
    HnStatus status = update(g, l->rng);
    if (status) return status;
  }
  if (p->updates) report_ranks(g);
  return HN_OK;
}
#endif

/* glibrl_believe.h - the running posterior of every row: score, then take in.
 *
 * Row memory: Row, the last observation, the posterior over transitions, the posterior over
 * rewards.  Networks run over many steps at once, posteriors a step at a time. */
#ifndef GLIBRL_BELIEVE_H
#define GLIBRL_BELIEVE_H
#include "model.c"

typedef struct Row {
  int64_t live;  /* columns of the transition posterior */
  int64_t steps; /* taken in */
} Row;

static size_t align_up(size_t n) {
  return (n + 63) & ~(size_t)63;
}

/* [create] */
static void lay_out_row(Glibrl *g) {
  g->transition_at = align_up(sizeof(Row) + (size_t)g->obs_dim * sizeof(float));
  g->reward_at = g->transition_at + align_up(hn_mnw_belief_size(g->transition.d, g->obs_dim));
  g->row_size = g->reward_at + align_up(hn_mnw_belief_size(g->reward.d, 1));
}

static bool policy_sees(const HnThisParams *p, int32_t model) {
  return p->belief_of == OF_BOTH || p->belief_of == model;
}

/* Features of one model's posterior with m targets, without the count. */
static int64_t belief_features(const HnThisParams *p, int64_t d, int64_t m) {
  if (p->belief == BELIEF_MEANS) return d * m;
  if (p->belief == BELIEF_COMPACT) return d * m + d + m;
  return d * m + d * (d + 1) / 2 + m * (m + 1) / 2;
}

static int64_t belief_dim(const Glibrl *g) {
  const HnThisParams *p = g->p;
  int64_t dim = p->belief != BELIEF_MEANS; /* ln(1 + N) */
  if (policy_sees(p, OF_TRANSITION)) dim += belief_features(p, g->transition.d, g->obs_dim);
  if (policy_sees(p, OF_REWARD)) dim += belief_features(p, g->reward.d, 1);
  return dim;
}

/* Memory of one believe call. */
typedef struct Desk {
  int64_t live, capacity; /* live columns; steps that fit a chunk */
  double log_jacobian;    /* sum of ln stddev over live columns */
  HnMnwPrior transition_prior, reward_prior;
  float *obs, *next, *act, *delta, *x; /* [capacity, ..] a chunk's steps and inputs */
  float *transition_c, *reward_c;      /* [capacity, D] */
  float *net_work;
  double *y, *error;     /* [obs_dim] */
  double *mean, *square; /* [D, m]; [side, side], the larger of D and m */
  void *work;
} Desk;

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static Desk desk_of(const Glibrl *g, int64_t rows, int64_t steps) {
  const int64_t chunk = 512; /* steps whose activations stay in the second-level cache */
  const HnHost *host = g->host;
  const Model *tr = &g->transition, *re = &g->reward;
  int64_t n = rows * (steps + 1), o = g->obs_dim, m = o;
  n = n < chunk ? n : most(chunk / rows, 1) * rows;
  Desk k = {.live = live_columns(g), .capacity = n};
  for (int64_t j = 0; j < o; j++)
    if (g->scale.live[j]) k.log_jacobian += log(g->scale.stddev[j]);
  k.transition_prior = prior_of(g, tr, k.live), k.reward_prior = prior_of(g, re, 1);
  k.obs = host->scratch(host, n * o, sizeof(float));
  k.next = host->scratch(host, n * o, sizeof(float));
  k.act = host->scratch(host, n * g->action_dim, sizeof(float));
  k.delta = host->scratch(host, n * o, sizeof(float));
  k.x = host->scratch(host, n * re->inputs, sizeof(float));
  k.transition_c = host->scratch(host, n * tr->d, sizeof(float));
  k.reward_c = host->scratch(host, n * re->d, sizeof(float));
  k.net_work = host->scratch(host, 2 * n * most(widest(g->p, tr), widest(g->p, re)), sizeof(float));
  int64_t side = most(most(tr->d, re->d), m);
  k.y = host->scratch(host, m, sizeof(double)), k.error = host->scratch(host, m, sizeof(double));
  k.mean = host->scratch(host, most(tr->d * m, re->d), sizeof(double));
  k.square = host->scratch(host, side * side, sizeof(double));
  size_t a = hn_mnw_belief_work_size(tr->d, m), b = hn_mnw_belief_work_size(re->d, 1);
  k.work = host->scratch(host, (int64_t)(a > b ? a : b), 1);
  return k;
}

/* Features of the steps that lead to percepts from .. from + count - 1 of all rows; steps that do
 * not exist are taken as zeros. */
static void make_chunk(const Glibrl *g, const HnBeliefUpdate *q, int64_t from, int64_t count,
                       Desk *k) {
  const HnHistory *h = q->history;
  int64_t o = g->obs_dim, a = g->action_dim, n = count * h->rows;
  size_t bytes = (size_t)o * sizeof(float);
  for (int64_t t = from, to = 0; t < from + count; t++)
    for (int64_t i = 0; i < h->rows; i++, to++) {
      int64_t at = hn_at(h, t - 1, i);
      if (h->begin[hn_at(h, t, i)] == HN_NEW_TASK) {
        memset(k->obs + to * o, 0, bytes), memset(k->next + to * o, 0, bytes);
        memset(k->act + to * a, 0, (size_t)a * sizeof(float));
        continue;
      }
      /* percept -1 is not part of a window: the row remembers it */
      const char *row = (const char *)q->state + (size_t)i * g->row_size;
      const void *obs = t ? (const void *)(h->obs + at * o) : (const void *)(row + sizeof(Row));
      memcpy(k->obs + to * o, obs, bytes), memcpy(k->next + to * o, h->next_obs + at * o, bytes);
      hn_encode_action(h, at, a, g->discrete, k->act + to * a);
    }
  make_inputs(g, n, k->obs, k->act, k->next, k->delta, k->x);
  int64_t ldx = g->reward.inputs;
  if (k->live) features(g->p, &g->transition, n, k->x, ldx, k->net_work, k->transition_c);
  features(g->p, &g->reward, n, k->x, ldx, k->net_work, k->reward_c);
}

/* Scores step `at` of a chunk by the row's posteriors, then takes it in.  False: not finite. */
static bool take_in(const Glibrl *g, char *row, int64_t at, float reward, Desk *k, float *info) {
  /* cppcheck-suppress uninitvar */
  HnMnwScore score, *wanted = info ? &score : NULL;
  const Scale *s = &g->scale;
  double sum = 0;
  if (k->live) {
    const float *raw = g->p->transition_target == TARGET_DELTA ? k->delta : k->next;
    make_target(s, g->obs_dim, raw + at * g->obs_dim, k->y);
    hn_mnw_belief_update(row + g->transition_at, k->transition_c + at * g->transition.d, k->y,
                         k->error, wanted, k->work);
    double l1 = 0;
    for (int64_t j = 0, c = 0; j < g->obs_dim; j++)
      if (s->live[j]) l1 += fabs(k->error[c]) * s->stddev[j], c++;
    if (info) {
      info[info_transition_l1] = (float)(l1 / (double)k->live);
      info[info_transition_nll] = (float)((k->log_jacobian - score.logp) / (double)k->live);
    }
    sum += l1;
  }
  double y = make_reward_target(s, reward), error;
  hn_mnw_belief_update(row + g->reward_at, k->reward_c + at * g->reward.d, &y, &error, wanted,
                       k->work);
  if (info) {
    double logp = score.logp - log(s->reward[1]);
    info[info_reward_l1] = (float)(fabs(error) * s->reward[1]);
    info[info_reward_nll] = (float)-logp, info[info_log_predictive] = (float)logp;
  }
  ((Row *)(void *)row)->steps++;
  return isfinite(sum + error);
}

/* What a percept can say of the posteriors themselves. */
static void inform(const Glibrl *g, const char *row, const Desk *k, float *info) {
  const void *reward = row + g->reward_at;
  info[info_kl_reward] = (float)hn_mnw_belief_kl(reward);
  info[info_kl_transition] = k->live ? (float)hn_mnw_belief_kl(row + g->transition_at) : NAN;
  double variance = g->p->noise_variance, psi;
  if (g->p->noise == HN_MNW_INFERRED) {
    hn_mnw_belief_psi(reward, &psi);
    double nu = k->reward_prior.nu0 + (double)((const Row *)(const void *)row)->steps;
    double dof = nu - 2; /* E[Sigma] = Psi / (nu - m - 1) */
    variance = dof > 0 ? psi / dof : (double)NAN;
  }
  info[info_believed_noise_stddev] = (float)(sqrt(variance) * g->scale.reward[1]);
}

/* Puts the lower triangle of a [n, n], times `by`, at the live rows and columns (NULL: all) of a
 * packed triangle [whole, whole]; returns its end. */
static float *put_triangle(const double *a, int64_t n, double by, const int32_t *live,
                           int64_t whole, float *to) {
  for (int64_t i = 0, r = 0; i < whole; i++) {
    bool row = !live || live[i];
    for (int64_t j = 0, c = 0; j <= i; j++) {
      bool column = !live || live[j];
      *to++ = row && column ? (float)(a[r * n + c] * by) : 0;
      c += column;
    }
    r += row;
  }
  return to;
}

/* Writes one posterior's means to `mean` and the rest to `rest`: variances to be logged, or
 * triangles.  m live targets of `whole`; columns that are not live give 0 (1 where the log is to be
 * taken).  Returns the end of rest. */
static float *put_posterior(const Glibrl *g, const void *b, int64_t d, int64_t m, double nu,
                            const int32_t *live, int64_t whole, Desk *k, float *mean, float *rest) {
  bool compact = g->p->belief == BELIEF_COMPACT, inferred = g->p->noise == HN_MNW_INFERRED;
  if (m) hn_mnw_belief_mean(b, k->mean);
  for (int64_t i = 0; i < d; i++)
    for (int64_t j = 0, c = 0; j < whole; j++)
      *mean++ = !live || live[j] ? (float)k->mean[i * m + c++] : 0;
  if (g->p->belief == BELIEF_MEANS) return rest;
  if (m && compact) {
    hn_mnw_belief_variance(b, k->square);
    for (int64_t i = 0; i < d; i++) *rest++ = (float)k->square[i];
  } else if (m) {
    hn_mnw_belief_v(b, k->square);
    rest = put_triangle(k->square, d, 1, NULL, d, rest);
  } else
    for (int64_t i = 0; i < (compact ? d : d * (d + 1) / 2); i++) *rest++ = compact;
  double by = 1;
  if (m && inferred) {
    hn_mnw_belief_psi(b, k->square);
    by = 1 / nu;
  } else
    for (int64_t i = 0; i < m * m; i++) k->square[i] = i % (m + 1) ? 0 : g->p->noise_variance;
  if (!compact) return put_triangle(k->square, m, by, live, whole, rest);
  for (int64_t j = 0, c = 0; j < whole; j++)
    if (!live || live[j])
      *rest++ = (float)(k->square[c * (m + 1)] * by), c++;
    else
      *rest++ = 1;
  return rest;
}

/* The policy's view of a row: means first, then what tells how sure they are. */
static void put_belief(const Glibrl *g, const char *row, Desk *k, float *to) {
  const HnThisParams *p = g->p;
  bool tr = policy_sees(p, OF_TRANSITION), re = policy_sees(p, OF_REWARD);
  float *mean = to, *rest = to, *logs;
  double steps = (double)((const Row *)(const void *)row)->steps;
  if (tr) rest += g->transition.d * g->obs_dim;
  if (re) rest += g->reward.d;
  logs = rest;
  if (tr)
    rest = put_posterior(g, row + g->transition_at, g->transition.d, k->live,
                         k->transition_prior.nu0 + steps, g->scale.live, g->obs_dim, k, mean, rest);
  if (re)
    rest = put_posterior(g, row + g->reward_at, g->reward.d, 1, k->reward_prior.nu0 + steps, NULL,
                         1, k, mean + (tr ? g->transition.d * g->obs_dim : 0), rest);
  if (p->belief == BELIEF_MEANS) return;
  *rest++ = (float)(1 + steps);
  if (p->belief == BELIEF_FULL) logs = rest - 1;
  hn_vec_log(rest - logs, logs, logs);
}

static HnStatus start_row(const Glibrl *g, char *row, const Desk *k) {
  HnStatus status = HN_OK;
  *(Row *)(void *)row = (Row){.live = k->live};
  if (k->live)
    status =
        hn_mnw_belief_start(row + g->transition_at, g->transition.d, k->live, &k->transition_prior);
  if (!status) status = hn_mnw_belief_start(row + g->reward_at, g->reward.d, 1, &k->reward_prior);
  return status;
}

/* Percept t of row i, whose step is number `at` of the chunk. */
static HnStatus perceive(const Glibrl *g, HnBeliefUpdate *q, int64_t t, int64_t i, int64_t at,
                         Desk *k) {
  const HnHistory *h = q->history;
  char *row = (char *)q->state + (size_t)i * g->row_size;
  int64_t place = t * h->rows + i, copies = most(q->samples, 1), dim = belief_dim(g);
  float *info = q->info ? q->info + place * info_count : NULL,
        *to = q->belief + place * copies * dim;
  for (int64_t c = 0; info && c < info_count; c++) info[c] = NAN;
  if (h->begin[hn_at(h, t, i)] == HN_NEW_TASK) {
    if (start_row(g, row, k)) return g->host->fail(g->host, HN_E_NUMERIC, "prior out of range");
  } else {
    if (((Row *)(void *)row)->live != k->live)
      return g->host->fail(g->host, HN_E_SHAPE,
                           "row %d: posterior of %d columns, now %d are predicted", (int)i,
                           (int)((Row *)(void *)row)->live, (int)k->live);
    if (!take_in(g, row, at, h->reward[hn_at(h, t - 1, i)], k, info))
      return g->host->fail(g->host, HN_E_NUMERIC,
                           "row %d, percept %d: the posterior or the step is not finite", (int)i,
                           (int)t);
  }
  if (info) inform(g, row, k, info);
  put_belief(g, row, k, to);
  for (int64_t s = 1; s < copies; s++) memcpy(to + s * dim, to, (size_t)dim * sizeof *to);
  return HN_OK;
}

static HnStatus believe(void *self, HnBeliefUpdate *q) {
  const Glibrl *g = self;
  const HnHistory *h = q->history;
  Desk k = desk_of(g, h->rows, h->steps);
  int64_t count = k.capacity / h->rows;
  for (int64_t from = 0; from <= h->steps; from += count) {
    if (count > h->steps + 1 - from) count = h->steps + 1 - from;
    make_chunk(g, q, from, count, &k);
    for (int64_t i = 0; i < h->rows; i++)
      for (int64_t t = from; t < from + count; t++) {
        HnStatus status = perceive(g, q, t, i, (t - from) * h->rows + i, &k);
        if (status) return status;
      }
  }
  for (int64_t i = 0; i < h->rows; i++)
    memcpy((char *)q->state + (size_t)i * g->row_size + sizeof(Row),
           h->obs + hn_at(h, h->steps, i) * g->obs_dim, (size_t)g->obs_dim * sizeof(float));
  return HN_OK;
}
#endif

/* posterior.c - the running posterior of every row: a step is scored, then conditioned on.
 *
 * Networks run over many steps at once, posteriors a step at a time. */
#include "posterior.h"
#include "model.h"
#include "view.h"
#include <math.h>
#include <string.h>

/* Reserves bytes of row memory; returns where. */
static size_t reserve(Glibrl *g, size_t bytes) {
  size_t at = g->row_size;
  g->row_size += (bytes + 63) & ~(size_t)63;
  return at;
}

void glibrl_layout_row(Glibrl *g) {
  GlibrlModel *model[] = {&g->transition, &g->reward};
  const int64_t targets[] = {g->obs_dim, 1};
  reserve(g, sizeof(GlibrlRow));
  for (int i = 0; i < 2; i++)
    model[i]->posterior_at = reserve(g, hn_mnw_belief_size(model[i]->d, targets[i]));
  for (int i = 0; i < 2; i++)
    if (model[i]->anchor_c)
      model[i]->probe_at = reserve(g, (size_t)(g->p->anchors * (1 + targets[i])) * sizeof(double));
}

/* Memory of one infer call. */
typedef struct Workspace {
  int64_t live, capacity; /* live columns; steps that fit a chunk */
  double log_jacobian;    /* sum of ln stddev over live columns */
  HnMnwPrior transition_prior, reward_prior;
  float *obs, *next, *action, *delta, *x; /* [capacity, ..] a chunk's steps and inputs */
  float *transition_c, *reward_c;         /* [capacity, D] */
  float *net_work;
  double *y, *error; /* [obs_dim] */
  void *mnw_work;
  GlibrlView view;
} Workspace;

static int64_t most(int64_t a, int64_t b) {
  return a > b ? a : b;
}

static Workspace workspace_of(const Glibrl *g, int64_t rows, int64_t steps) {
  const int64_t chunk = 512; /* steps whose activations stay in the second-level cache */
  const HnHost *host = g->host;
  const GlibrlModel *tr = &g->transition, *re = &g->reward;
  int64_t n = rows * (steps + 1), o = g->obs_dim;
  n = n < chunk ? n : most(chunk / rows, 1) * rows;
  Workspace w = {.live = glibrl_live_columns(g), .capacity = n, .view = glibrl_view_open(g, n)};
  for (int64_t j = 0; j < o; j++)
    if (g->scale.live[j]) w.log_jacobian += log(g->scale.stddev[j]);
  w.transition_prior = glibrl_prior(g, tr, w.live), w.reward_prior = glibrl_prior(g, re, 1);
  w.obs = host->scratch(host, n * o, sizeof(float));
  w.next = host->scratch(host, n * o, sizeof(float));
  w.action = host->scratch(host, n * g->action_dim, sizeof(float));
  w.delta = host->scratch(host, n * o, sizeof(float));
  w.x = host->scratch(host, n * re->inputs, sizeof(float));
  w.transition_c = host->scratch(host, n * tr->d, sizeof(float));
  w.reward_c = host->scratch(host, n * re->d, sizeof(float));
  w.net_work = host->scratch(host, most(glibrl_features_work(tr, n), glibrl_features_work(re, n)),
                             sizeof(float));
  w.y = host->scratch(host, o, sizeof(double)), w.error = host->scratch(host, o, sizeof(double));
  size_t a = hn_mnw_belief_work_size(tr->d, o), b = hn_mnw_belief_work_size(re->d, 1);
  w.mnw_work = host->scratch(host, (int64_t)(a > b ? a : b), 1);
  return w;
}

/* Features of the steps that lead to times from .. from + count - 1 of all rows; steps that do not
 * exist are taken as zeros. */
static void chunk_features(const Glibrl *g, const HnHistory *h, int64_t from, int64_t count,
                           const Workspace *w) {
  int64_t o = g->obs_dim, a = g->action_dim, n = count * h->rows;
  size_t bytes = (size_t)o * sizeof(float);
  for (int64_t t = from, to = 0; t < from + count; t++)
    for (int64_t i = 0; i < h->rows; i++, to++) {
      int64_t at = hn_at(h, t - 1, i);
      if (h->begin[hn_at(h, t, i)] == HN_NEW_TASK) {
        memset(w->obs + to * o, 0, bytes), memset(w->next + to * o, 0, bytes);
        memset(w->action + to * a, 0, (size_t)a * sizeof(float));
        continue;
      }
      memcpy(w->obs + to * o, h->obs + at * o, bytes);
      memcpy(w->next + to * o, h->next_obs + at * o, bytes);
      hn_encode_action(h, at, a, g->discrete, w->action + to * a);
    }
  glibrl_make_inputs(g, n, w->obs, w->action, w->next, w->delta, w->x);
  int64_t ldx = g->reward.inputs;
  if (w->live) glibrl_features(&g->transition, n, w->x, ldx, w->net_work, w->transition_c);
  glibrl_features(&g->reward, n, w->x, ldx, w->net_work, w->reward_c);
}

/* Scores a step of features c and targets y by one model's posterior, then conditions it on it.
 * error [targets] out, score NULL: not asked. */
static void absorb(const Glibrl *g, const GlibrlModel *k, char *row, const float *c,
                   const double *y, double *error, HnMnwScore *score, const Workspace *w) {
  void *posterior = row + k->posterior_at;
  hn_mnw_belief_update(posterior, c, y, error, score, w->mnw_work);
  if (k->anchor_c)
    hn_mnw_probe_update(posterior, g->p->anchors, k->anchor_c, error,
                        (double *)(void *)(row + k->probe_at));
}

/* Scores step `at` of a chunk by the row's posteriors, then conditions them on it.  False: not
 * finite. */
static bool absorb_step(const Glibrl *g, char *row, int64_t at, float reward, const Workspace *w,
                        float *info) {
  /* cppcheck-suppress uninitvar */
  HnMnwScore score, *wanted = info ? &score : NULL;
  const GlibrlScale *s = &g->scale;
  double sum = 0;
  if (w->live) {
    const float *raw = g->p->transition_target == GLIBRL_TARGET_DELTA ? w->delta : w->next;
    glibrl_make_target(g, raw + at * g->obs_dim, w->y);
    absorb(g, &g->transition, row, w->transition_c + at * g->transition.d, w->y, w->error, wanted,
           w);
    double l1 = 0;
    for (int64_t j = 0, c = 0; j < g->obs_dim; j++)
      if (s->live[j]) l1 += fabs(w->error[c]) * s->stddev[j], c++;
    if (info) {
      info[glibrl_info_transition_l1] = (float)(l1 / (double)w->live);
      info[glibrl_info_transition_nll] = (float)((w->log_jacobian - score.logp) / (double)w->live);
    }
    sum += l1;
  }
  double y = glibrl_make_reward_target(g, reward), error;
  absorb(g, &g->reward, row, w->reward_c + at * g->reward.d, &y, &error, wanted, w);
  if (info) {
    double logp = score.logp - log(s->reward[1]);
    info[glibrl_info_predicted_reward] = reward - (float)(error * s->reward[1]);
    info[glibrl_info_reward_l1] = (float)(fabs(error) * s->reward[1]);
    info[glibrl_info_reward_nll] = (float)-logp, info[glibrl_info_log_predictive] = (float)logp;
  }
  ((GlibrlRow *)(void *)row)->steps++;
  return isfinite(sum + error);
}

/* The columns that describe the posteriors themselves. */
static void describe_posteriors(const Glibrl *g, const char *row, const Workspace *w, float *info) {
  const void *reward = row + g->reward.posterior_at;
  const double kl_reward = hn_mnw_belief_kl(reward);
  const double kl = w->live ? hn_mnw_belief_kl(row + g->transition.posterior_at) : 0;
  info[glibrl_info_kl_reward] = (float)kl_reward;
  info[glibrl_info_kl_transition] = w->live ? (float)kl : NAN;
  info[glibrl_info_kl] = (float)(kl_reward + kl);
  double variance = g->p->noise_variance, psi;
  if (g->p->noise == HN_MNW_INFERRED) {
    hn_mnw_belief_psi(reward, &psi);
    double nu = w->reward_prior.nu0 + (double)((const GlibrlRow *)(const void *)row)->steps;
    double dof = nu - 2; /* E[Sigma] = Psi / (nu - m - 1) */
    variance = dof > 0 ? psi / dof : (double)NAN;
  }
  info[glibrl_info_believed_noise_stddev] = (float)(sqrt(variance) * g->scale.reward[1]);
}

static HnStatus start_posterior(const Glibrl *g, const GlibrlModel *k, char *row, int64_t targets,
                                const HnMnwPrior *prior) {
  void *posterior = row + k->posterior_at;
  HnStatus status = hn_mnw_belief_start(posterior, k->d, targets, prior);
  if (!status && k->anchor_c)
    hn_mnw_probe_start(posterior, g->p->anchors, k->anchor_c,
                       (double *)(void *)(row + k->probe_at));
  return status;
}

static HnStatus start_row(const Glibrl *g, char *row, const Workspace *w) {
  HnStatus status = HN_OK;
  *(GlibrlRow *)(void *)row = (GlibrlRow){.live = w->live};
  if (w->live) status = start_posterior(g, &g->transition, row, w->live, &w->transition_prior);
  return status ? status : start_posterior(g, &g->reward, row, 1, &w->reward_prior);
}

/* Time t of row i; the step that leads to it is number `at` of the chunk.  Its view goes to `to`.
 */
static HnStatus infer_step(const Glibrl *g, const HnBeliefUpdate *q, int64_t t, int64_t i,
                           int64_t at, const Workspace *w, float *to) {
  const HnHistory *h = q->history;
  char *row = (char *)q->state + (size_t)i * g->row_size;
  float *info = q->info ? q->info + (t * h->rows + i) * glibrl_info_count : NULL;
  for (int64_t c = 0; info && c < glibrl_info_count; c++) info[c] = NAN;
  if (h->begin[hn_at(h, t, i)] == HN_NEW_TASK) {
    if (start_row(g, row, w)) return g->host->fail(g->host, HN_E_NUMERIC, "prior out of range");
  } else {
    if (((GlibrlRow *)(void *)row)->live != w->live)
      return g->host->fail(g->host, HN_E_SHAPE,
                           "row %d: posterior of %d columns, now %d are predicted", (int)i,
                           (int)((GlibrlRow *)(void *)row)->live, (int)w->live);
    if (!absorb_step(g, row, at, h->reward[hn_at(h, t - 1, i)], w, info))
      return g->host->fail(g->host, HN_E_NUMERIC,
                           "row %d, time step %d: the posterior or the step is not finite", (int)i,
                           (int)t);
  }
  if (info) describe_posteriors(g, row, w, info);
  glibrl_view_write(&w->view, row, to);
  return HN_OK;
}

HnStatus glibrl_infer(void *self, HnBeliefUpdate *q) {
  const Glibrl *g = self;
  const HnHistory *h = q->history;
  const Workspace w = workspace_of(g, h->rows, h->steps);
  const int64_t copies = most(q->samples, 1), dim = w.view.dim, stride = copies * dim;
  int64_t count = w.capacity / h->rows;
  for (int64_t from = 0; from <= h->steps; from += count) {
    if (count > h->steps + 1 - from) count = h->steps + 1 - from;
    float *views = q->belief + from * h->rows * stride;
    chunk_features(g, h, from, count, &w);
    for (int64_t i = 0; i < h->rows; i++)
      for (int64_t t = from; t < from + count; t++) {
        const int64_t at = (t - from) * h->rows + i;
        HnStatus status = infer_step(g, q, t, i, at, &w, views + at * stride);
        if (status) return status;
      }
    glibrl_view_finish(&w.view, count * h->rows, views, stride);
    for (int64_t k = 0; k < count * h->rows; k++)
      for (int64_t s = 1; s < copies; s++)
        memcpy(views + k * stride + s * dim, views + k * stride, (size_t)dim * sizeof *views);
  }
  return HN_OK;
}

/* loss.c - the family's loss and its gradient, and the two ways to it: a policy that trains the
 * agent through its beliefs (forward, backward, step), or, where none has in this iteration, one
 * step on the loss alone (learn).
 *
 *   loss = mean over steps of -log p(what step t showed | z_t, context_t, e_a)
 *        + kl_weight mean over t of KL(q_t || stop_gradient(q_{t-1})),        q_{-1} = the prior
 *
 * forward keeps values of each shard, not tapes: backward runs the networks again, but not the
 * posteriors, which cost more. */
#include "../../common/shards.h"
#include "filter.h"
#include "posterior.h"
#include <math.h>

/* More than 16 rows gain nothing from each other; small batches are cut into up to 8 shards as long
 * as that costs one worker less than 3 %: shards of 4 rows would cost it 10 to 20 %. */
static const HnShardRule rule = {.most = 16, .least = 5, .wanted = 8, .bound = INT64_MAX};

/* A training window, shard by shard. */
typedef struct VrnnWindow {
  const Vrnn *m;
  const HnBeliefUpdate *q;
  int64_t size, shards; /* rows of a shard, but perhaps the last */
  uint64_t seed;
  const float *d_belief; /* [T+1, B, max(S, 1), D]; NULL: no policy trains */
  VrnnShard *shard;      /* [shards] */
  float *flat;           /* [shards, store.size] */
  HnStatus (*run)(struct VrnnWindow *w, int64_t k);
} VrnnWindow;

/* Rows of shard k. */
static int64_t rows_of(const VrnnWindow *w, int64_t k) {
  int64_t left = w->q->history->rows - k * w->size;
  return left < w->size ? left : w->size;
}

static VrnnUnroll unroll_of(const VrnnWindow *w, int64_t k, bool records) {
  return vrnn_unroll_open(w->m, w->q, k * w->size, rows_of(w, k),
                          records ? w->flat + k * w->m->store.size : NULL);
}

/* Memory for a shard, in the caller's scratch. */
static VrnnShard shard_of(const VrnnWindow *w, int64_t first, int64_t n) {
  const Vrnn *m = w->m;
  const HnHistory *h = w->q->history;
  int64_t size = (h->steps + 1) * n, S = m->head.net.layers ? m->p->model_samples : 0;
  int64_t kept = m->W && w->q->samples > 0 ? w->q->samples : 0;
  VrnnShard s = {.first = first,
                 .n = n,
                 .start = vrnn_floats(m, n * m->rnn.carry),
                 .mean = vrnn_floats(m, size * m->F),
                 .d_out = vrnn_zeros(m, size * vrnn_output_width(m)),
                 .noise = vrnn_floats(m, size * S * m->F),
                 .offset = vrnn_floats(m, size * S * m->F),
                 .policy_noise = kept ? vrnn_floats(m, size * kept * m->F) : NULL,
                 .rng = m->host->scratch(m->host, n, sizeof(HnRng)),
                 .weight = 1 / (double)hn_lived_steps(h)};
  for (int64_t i = 0; i < n; i++) s.rng[i] = hn_rng(w->seed, (uint64_t)(first + i));
  return s;
}

/* ---- the head's loss ---- */

/* Log-densities [K, 1] of a signal x [K, outputs] for which S members predict means [K, outputs].
 */
static HnVar *signal_logp(const Vrnn *m, HnTape *t, int64_t S, HnVar *const *member, const float *x,
                          float *flat) {
  HnVar *sigma = vrnn_signal_stddev(t, m, flat), *mean = member[0], *squares = NULL;
  int64_t rows = mean->rows, cols = mean->cols;
  for (int64_t k = 1; k < S; k++) mean = hn_add(t, mean, member[k]);
  if (S > 1) mean = hn_affine(t, mean, 1 / (float)S, 0);
  for (int64_t k = 0; k < S && S > 1 && !m->p->upstream_aggregate; k++) {
    HnVar *square = hn_square(t, hn_sub(t, member[k], mean));
    squares = squares ? hn_add(t, squares, square) : square;
  }
  HnVar *variance = hn_square(t, sigma), *logstd;
  if (S > 1 && m->p->upstream_aggregate) {
    logstd = hn_log(t, variance); /* taken for the standard deviation */
  } else {
    if (squares) variance = hn_add(t, hn_affine(t, squares, 1 / (float)S, 0), variance);
    logstd = hn_affine(t, hn_log(t, variance), 0.5f, 0);
  }
  if (logstd->rows != rows || logstd->cols != cols) {
    HnVar *zero = hn_constant(t, rows, cols, hn_tape_room(t, rows * cols, sizeof(float)));
    logstd = hn_add(t, zero, logstd);
  }
  return hn_normal_logp(t, mean, logstd, x);
}

/* Log-probabilities [K, 1] of classes `target` [K], each the mean of S members' probabilities. */
static HnVar *class_logp(const Vrnn *m, HnTape *t, int64_t S, HnVar *const *logits,
                         const int32_t *target) {
  HnVar **logp = hn_tape_room(t, S, sizeof *logp);
  for (int64_t k = 0; k < S; k++) logp[k] = hn_categorical_logp(t, logits[k], target);
  return hn_mixture_logp(t, S, logp, m->p->upstream_mixture);
}

/* 1 for each of the K steps that was lived, 0 for those that fill a row up; [K, 1]. */
static HnVar *lived(const VrnnUnroll *u, HnTape *t, int64_t K) {
  float *x = hn_tape_room(t, K, sizeof *x);
  for (int64_t k = 0; k < K; k++)
    x[k] = k / u->n < hn_row_steps(u->q->history, u->first + k % u->n);
  return hn_constant(t, K, 1, x);
}

/* Log-densities [K, 1] of what the steps of the window showed. */
static HnVar *steps_logp(const VrnnUnroll *u, HnTape *t, int64_t S, HnVar *const *member) {
  const Vrnn *m = u->m;
  const HnHistory *h = u->q->history;
  int64_t K = (u->count - 1) * u->n, O = m->head.outputs;
  if (m->p->head == HEAD_REWARD) {
    int32_t *target = hn_tape_room(t, K, sizeof *target);
    for (int64_t k = 0; k < K; k++)
      target[k] = h->reward[hn_at(h, k / u->n, u->first + k % u->n)] > 0.5f;
    return class_logp(m, t, S, member, target);
  }
  float *x = hn_tape_room(t, K * O, sizeof *x);
  for (int64_t k = 0; k < K; k++)
    memcpy(x + k * O, h->next_obs + hn_at(h, k / u->n, u->first + k % u->n) * O,
           (size_t)O * sizeof *x);
  return signal_logp(m, t, S, member, x, u->flat);
}

/* Leaves of the head's tape: z of each sample, context, embedded action. */
typedef struct HeadInputs {
  int64_t S, K;
  HnVar **z, *context, *action;
} HeadInputs;

static HeadInputs head_inputs(const VrnnUnroll *u, const VrnnShard *shard, HnTape *t) {
  const Vrnn *m = u->m;
  int64_t K = (u->count - 1) * u->n, F = m->F, draws = m->p->model_samples, S = draws ? draws : 1;
  HeadInputs in = {.S = S, .K = K, .z = hn_tape_room(t, S, sizeof *in.z)};
  for (int64_t d = 0; d < S; d++) {
    float *z = hn_tape_room(t, K * F, sizeof *z);
    memcpy(z, shard->mean, (size_t)(K * F) * sizeof *z);
    for (int64_t k = 0; k < K && draws; k++)
      for (int64_t j = 0; j < F; j++) z[k * F + j] += shard->offset[(k * S + d) * F + j];
    in.z[d] = hn_leaf(t, K, F, z, hn_tape_room(t, K * F, sizeof *z));
  }
  if (m->C) in.context = hn_leaf(t, K, m->C, u->context, hn_tape_room(t, K * m->C, sizeof(float)));
  in.action = hn_leaf(t, K, m->E, u->act + u->n * m->E, hn_tape_room(t, K * m->E, sizeof(float)));
  return in;
}

/* y += x */
static void add_to(int64_t n, const float *x, float *y) {
  for (int64_t j = 0; j < n; j++) y[j] += x[j];
}

/* Adds the gradients of the head's inputs to d_out. */
static void add_head_gradients(const VrnnUnroll *u, VrnnShard *shard, void *work,
                               const HeadInputs *in) {
  const Vrnn *m = u->m;
  int64_t F = m->F, width = vrnn_output_width(m), S = in->S;
  float *d_z = m->W && m->p->model_samples ? vrnn_floats(m, in->K * S * F) : NULL;
  for (int64_t k = 0; k < in->K; k++) {
    float *d_out = shard->d_out + k * width;
    for (int64_t d = 0; d < S; d++) {
      add_to(F, in->z[d]->grad + k * F, d_out);
      if (d_z) memcpy(d_z + (k * S + d) * F, in->z[d]->grad + k * F, (size_t)F * sizeof *d_z);
    }
    if (m->C) add_to(m->C, in->context->grad + k * m->C, d_out + vrnn_context_column(m));
    add_to(m->E, in->action->grad + k * m->E, d_out + u->n * width + vrnn_act_column(m));
  }
  if (d_z)
    m->posterior->sample_backward(m, work, in->K, u->cov_params, S, shard->noise, d_z,
                                  shard->d_out + F, width);
}

static void head_backward(VrnnUnroll *u, VrnnShard *shard, void *work) {
  const Vrnn *m = u->m;
  if (!m->head.net.layers || u->count < 2) return;
  HnTape t = hn_tape_begin(m->host, true);
  HeadInputs in = head_inputs(u, shard, &t);
  HnVar **member = hn_tape_room(&t, in.S, sizeof *member);
  vrnn_heads(&t, &m->head, in.S, in.z, in.context, in.action, u->flat, member);
  HnVar *logp = steps_logp(u, &t, in.S, member);
  if (u->q->history->length) logp = hn_mul(&t, logp, lived(u, &t, in.K));
  HnVar *sum = hn_sum(&t, logp);
  shard->nll = -(double)sum->data[0];
  hn_tape_backward(&t, hn_affine(&t, sum, -(float)shard->weight, 0));
  add_head_gradients(u, shard, work, &in);
}

/* ---- backward ---- */

/* Adds a policy's gradient of the beliefs to d_out. */
static void add_belief_gradients(const VrnnWindow *w, const VrnnUnroll *u, const VrnnShard *shard,
                                 void *work) {
  const Vrnn *m = u->m;
  int64_t S = w->q->samples > 1 ? w->q->samples : 1, F = m->F, width = vrnn_output_width(m);
  int64_t K = u->count * u->n;
  float *d_z = shard->policy_noise ? vrnn_floats(m, K * S * F) : NULL;
  for (int64_t k = 0; k < K; k++) {
    float *d_out = shard->d_out + k * width;
    int64_t at = k / u->n * w->q->history->rows + u->first + k % u->n;
    for (int64_t d = 0; d < S; d++) {
      const float *from = w->d_belief + (at * S + d) * m->D;
      add_to(F, from, d_out), add_to(m->C, from + F, d_out + vrnn_context_column(m));
      if (d_z) memcpy(d_z + (k * S + d) * F, from, (size_t)F * sizeof *d_z);
    }
  }
  if (d_z)
    m->posterior->sample_backward(m, work, K, u->cov_params, S, shard->policy_noise, d_z,
                                  shard->d_out + F, width);
}

/* From what the networks put out back to the weights. */
static void unroll_backward(const VrnnWindow *w, VrnnUnroll *u, VrnnShard *shard) {
  const Vrnn *m = u->m;
  void *work = m->W ? m->posterior->workspace(m, u->n) : NULL;
  int64_t width = vrnn_output_width(m);
  head_backward(u, shard, work);
  if (w->d_belief) add_belief_gradients(w, u, shard, work);
  for (int64_t k = 0; k < u->count * u->n; k++) /* what is masked has no gradient */
    if (u->masked[k])
      memset(shard->d_out + k * width, 0, (size_t)vrnn_act_column(m) * sizeof(float));
  hn_tape_backward_from(&u->tape, u->out, shard->d_out);
}

/* ---- shards ---- */

static HnStatus forward_shard(VrnnWindow *w, int64_t k) {
  VrnnShard *shard = &w->shard[k];
  VrnnUnroll u = unroll_of(w, k, false);
  memcpy(shard->start, vrnn_unroll_carries(&u), (size_t)(u.n * w->m->rnn.carry) * sizeof(float));
  vrnn_unroll(&u, shard->start);
  return vrnn_filter(&u, shard);
}

static HnStatus backward_shard(VrnnWindow *w, int64_t k) {
  VrnnUnroll u = unroll_of(w, k, true);
  vrnn_unroll(&u, w->shard[k].start);
  unroll_backward(w, &u, &w->shard[k]);
  return HN_OK;
}

/* Both at once, where no policy comes in between. */
static HnStatus learn_shard(VrnnWindow *w, int64_t k) {
  VrnnUnroll u = unroll_of(w, k, true);
  VrnnShard shard = shard_of(w, u.first, u.n);
  vrnn_unroll(&u, vrnn_unroll_carries(&u));
  HnStatus status = vrnn_filter(&u, &shard);
  if (status) return status;
  unroll_backward(w, &u, &shard);
  w->shard[k].kl = shard.kl, w->shard[k].nll = shard.nll;
  return HN_OK;
}

static HnStatus run_shard(void *arg, int64_t k) {
  VrnnWindow *w = arg;
  return w->run(w, k);
}

/* ---- windows ---- */

static VrnnWindow window_of(const Vrnn *m, const HnBeliefUpdate *q, uint64_t seed) {
  int64_t rows = q->history->rows, size = hn_shard_size(&rule, rows);
  VrnnWindow w = {.m = m, .q = q, .size = size, .shards = (rows + size - 1) / size, .seed = seed};
  w.shard = m->host->scratch(m->host, w.shards, sizeof *w.shard);
  memset(w.shard, 0, (size_t)w.shards * sizeof *w.shard);
  w.flat = vrnn_floats(m, w.shards * m->store.size);
  return w;
}

/* Adds up the shards' gradients and reports. */
static HnStatus reduce(Vrnn *m, const VrnnWindow *w) {
  const HnHost *host = m->host;
  const HnHistory *h = w->q->history;
  double kl = 0, nll = 0, count = (double)hn_lived_steps(h);
  for (int64_t k = 0; k < w->shards; k++) kl += w->shard[k].kl, nll += w->shard[k].nll;
  kl /= count, nll /= count;
  hn_store_reduce(&m->store, w->shards, w->flat);
  hn_store_clamp(&m->store, m->p->max_grad_value);
  m->norm2 = hn_store_norm2(&m->store);
  if (!isfinite(m->norm2)) return host->fail(host, HN_E_NUMERIC, "the gradient is not finite");
  double loss = nll + m->p->kl_weight * kl;
  host->metric(host, vrnn_metric_loss, loss);
  if (w->q->loss) *w->q->loss = loss;
  if (m->head.net.layers) host->metric(host, vrnn_metric_nll, nll);
  if (m->p->kl_weight > 0) host->metric(host, vrnn_metric_kl, kl);
  host->metric(host, vrnn_metric_grad_norm, sqrt(m->norm2));
  return HN_OK;
}

/* Derives what is derived from weights, which a resumed run overwrites. */
static void refresh(Vrnn *m) {
  hn_store_refresh(&m->store);
  if (m->posterior->refresh) m->posterior->refresh(m);
}

HnStatus vrnn_forward(void *self, HnBeliefUpdate *q) {
  Vrnn *m = self;
  refresh(m);
  HnRng rng = q->rng ? q->rng[0] : hn_rng(0, 0);
  VrnnWindow *w = m->window = m->host->scratch(m->host, 1, sizeof *w);
  *w = window_of(m, q, hn_rng_u64(&rng));
  w->run = forward_shard;
  for (int64_t k = 0; k < w->shards; k++) w->shard[k] = shard_of(w, k * w->size, rows_of(w, k));
  return m->host->parallel(m->host, w->shards, run_shard, w);
}

HnStatus vrnn_backward(void *self, const HnBeliefUpdate *q, const float *d_belief, double *norm2) {
  Vrnn *m = self;
  VrnnWindow *w = m->window;
  w->q = q, w->d_belief = d_belief, w->run = backward_shard;
  HnStatus status = m->host->parallel(m->host, w->shards, run_shard, w);
  if (!status) status = reduce(m, w);
  if (norm2) *norm2 = m->norm2;
  return status;
}

static HnStatus descend(Vrnn *m, double scale, double rate) {
  const VrnnParams *p = m->p;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, p->weight_decay};
  hn_adam_step(&m->store, &adam, scale, rate);
  if (m->posterior->refresh) m->posterior->refresh(m);
  if (m->head.sigma_w) {
    HnTape t = hn_tape_begin(m->host, false);
    double stddev = (double)vrnn_signal_stddev(&t, m, NULL)->data[0];
    m->host->metric(m->host, vrnn_metric_signal_stddev, stddev);
  }
  return HN_OK;
}

HnStatus vrnn_step(void *self, double scale, double rate) {
  Vrnn *m = self;
  m->stepped = true;
  return descend(m, scale, rate);
}

/* One step on the loss over all rows of a phase. */
static HnStatus learn_phase(Vrnn *m, const HnHistory *h, uint64_t seed) {
  const HnHost *host = m->host;
  size_t bytes = (size_t)h->rows * m->row.size;
  HnBeliefUpdate q = {.struct_size = sizeof q, .history = h};
  q.state = host->scratch(host, 1, bytes);
  if (h->state)
    memcpy(q.state, h->state, bytes);
  else
    memset(q.state, 0, bytes);
  VrnnWindow w = window_of(m, &q, seed);
  w.run = learn_shard;
  HnStatus status = host->parallel(host, w.shards, run_shard, &w);
  if (!status) status = reduce(m, &w);
  return status ? status : descend(m, hn_clip_scale(m->norm2, m->p->max_grad_norm), 1);
}

HnStatus vrnn_learn(void *self, const HnTrainBatch *batch) {
  Vrnn *m = self;
  bool trained = m->stepped;
  m->stepped = false;
  refresh(m);
  if (trained || (!m->head.net.layers && !(m->p->kl_weight > 0))) return HN_OK;
  for (int64_t k = 0; k < batch->phases; k++) {
    HnStatus status = learn_phase(m, batch->phase[k], hn_rng_u64(batch->rng));
    if (status) return status;
  }
  return HN_OK;
}

/* vrnn_learn.h - the own loss and its gradient, and the two ways to it: a policy that trains the
 * agent through its beliefs (forward, backward, step), or, where none has in this iteration, one
 * step on the lesson (learn).
 *
 *   loss = mean over steps of [ -log p(what step t showed | z_t, context_t, e_a) ]
 *        + beta mean over percepts of KL(q_t || stopped q_{t-1}),          q_{-1} = the prior
 *
 * Rows are cut into shards of a fixed size whose gradients are added in order: the same bits for
 * any number of workers.  forward keeps values, not tapes: backward runs the networks again, but
 * not the posteriors, which cost more. */
#ifndef VRNN_LEARN_H
#define VRNN_LEARN_H
#include "vrnn_stream.h"

enum { SHARD = 16 }; /* rows */

/* A window at work; shares are of its shards. */
typedef struct Lesson {
  const Vrnn *m;
  const HnBeliefUpdate *q;
  int64_t shards;
  uint64_t seed;
  const float *d_belief; /* [T+1, B, max(S, 1), D]; NULL: no policy asks */
  Share *share;          /* [shards] */
  float *flat;           /* [shards, store.size] */
  HnStatus (*shard)(struct Lesson *l, int64_t k);
} Lesson;

static Pass pass_of(const Lesson *l, int64_t k, bool records) {
  const HnHistory *h = l->q->history;
  Pass s = {.m = l->m, .q = l->q, .first = k * SHARD, .n = SHARD, .count = h->steps + 1};
  if (s.n > h->rows - s.first) s.n = h->rows - s.first;
  s.tape = hn_tape_begin(l->m->host, records);
  if (records) {
    s.flat = l->flat + k * l->m->store.size;
    memset(s.flat, 0, (size_t)l->m->store.size * sizeof(float));
  }
  open_pass(&s);
  return s;
}

/* Room for a share, in the scratch of who calls. */
static Share share_of(const Lesson *l, int64_t first, int64_t n) {
  const Vrnn *m = l->m;
  const HnHistory *h = l->q->history;
  int64_t percepts = (h->steps + 1) * n, draws = m->head.net.layers ? m->draws : 0;
  int64_t kept = m->W && l->q->samples > 0 ? l->q->samples : 0;
  Share s = {.first = first,
             .n = n,
             .start = floats(m->host, n * m->carry),
             .mean = floats(m->host, percepts * m->F),
             .seed = zeros(m->host, percepts * read_width(m)),
             .noise = floats(m->host, percepts * draws * m->F),
             .offset = floats(m->host, percepts * draws * m->F),
             .policy_noise = kept ? floats(m->host, percepts * kept * m->F) : NULL,
             .rng = m->host->scratch(m->host, n, sizeof(HnRng)),
             .weight = 1 / (double)(h->steps * h->rows)};
  for (int64_t i = 0; i < n; i++) s.rng[i] = hn_rng(l->seed, (uint64_t)(first + i));
  return s;
}

/* ---- the head's loss ---- */

/* What S members [K, outputs] say of a signal x [K, outputs]: the sum of log-densities. */
static HnVar *signal_sum(const Vrnn *m, HnTape *t, int64_t S, HnVar *const *member, const float *x,
                         float *flat) {
  HnVar *sigma = signal_stddev(t, m, flat), *mean = member[0], *apart = NULL;
  int64_t rows = mean->rows, cols = mean->cols;
  for (int64_t k = 1; k < S; k++) mean = hn_add(t, mean, member[k]);
  if (S > 1) mean = hn_affine(t, mean, 1 / (float)S, 0);
  for (int64_t k = 0; k < S && S > 1 && !m->p->upstream_aggregate; k++) {
    HnVar *square = hn_square(t, hn_sub(t, member[k], mean));
    apart = apart ? hn_add(t, apart, square) : square;
  }
  HnVar *variance = hn_square(t, sigma), *logstd;
  if (S > 1 && m->p->upstream_aggregate) {
    logstd = hn_log(t, variance); /* taken for the deviation */
  } else {
    if (apart) variance = hn_add(t, hn_affine(t, apart, 1 / (float)S, 0), variance);
    logstd = hn_affine(t, hn_log(t, variance), 0.5f, 0);
  }
  if (logstd->rows != rows || logstd->cols != cols) {
    HnVar *zero = hn_constant(t, rows, cols, hn_tape_room(t, rows * cols, sizeof(float)));
    logstd = hn_add(t, zero, logstd);
  }
  return hn_sum(t, hn_normal_logp(t, mean, logstd, x));
}

/* The sum of log-probabilities of classes action_index [K], each the mean of S members'. */
static HnVar *mixture_sum(const Vrnn *m, HnTape *t, int64_t S, HnVar *const *logits,
                          const int32_t *action_index) {
  HnVar **logp = hn_tape_room(t, S, sizeof *logp), *top = NULL, *sum = NULL;
  for (int64_t k = 0; k < S; k++) {
    logp[k] = hn_categorical_logp(t, logits[k], action_index);
    top = top ? hn_max(t, top, logp[k]) : logp[k];
  }
  if (S == 1) return hn_sum(t, logp[0]);
  top = m->p->upstream_mixture ? NULL : hn_stop(t, top);
  for (int64_t k = 0; k < S; k++) {
    HnVar *part = top ? hn_exp(t, hn_sub(t, logp[k], top)) : logp[k];
    sum = sum ? hn_add(t, sum, part) : part;
  }
  sum = hn_affine(t, sum, 1 / (float)S, 0);
  return hn_sum(t, top ? hn_add(t, hn_log(t, sum), top) : sum);
}

/* What steps showed, of steps before percepts 1 .. count - 1. */
static HnVar *target_sum(const Pass *s, HnTape *t, int64_t S, HnVar *const *answer) {
  const Vrnn *m = s->m;
  const HnHistory *h = s->q->history;
  int64_t K = (s->count - 1) * s->n, O = m->head.outputs;
  if (m->p->head == HEAD_REWARD) {
    int32_t *action_index = hn_tape_room(t, K, sizeof *action_index);
    for (int64_t k = 0; k < K; k++)
      action_index[k] = h->reward[hn_at(h, k / s->n, s->first + k % s->n)] > 0.5f;
    return mixture_sum(m, t, S, answer, action_index);
  }
  float *x = hn_tape_room(t, K * O, sizeof *x);
  for (int64_t k = 0; k < K; k++)
    memcpy(x + k * O, h->next_obs + hn_at(h, k / s->n, s->first + k % s->n) * O,
           (size_t)O * sizeof *x);
  return signal_sum(m, t, S, answer, x, s->flat);
}

/* Leaves of the head's tape: z of each draw, context, embedded action. */
typedef struct Asked {
  int64_t S, K;
  HnVar **z, *context, *action;
} Asked;

static Asked ask_about(const Pass *s, const Share *share, HnTape *t) {
  const Vrnn *m = s->m;
  int64_t K = (s->count - 1) * s->n, F = m->F, S = m->draws ? m->draws : 1;
  Asked a = {.S = S, .K = K, .z = hn_tape_room(t, S, sizeof *a.z)};
  for (int64_t d = 0; d < S; d++) {
    float *z = hn_tape_room(t, K * F, sizeof *z);
    memcpy(z, share->mean, (size_t)(K * F) * sizeof *z);
    for (int64_t k = 0; k < K && m->draws; k++)
      for (int64_t j = 0; j < F; j++) z[k * F + j] += share->offset[(k * S + d) * F + j];
    a.z[d] = hn_leaf(t, K, F, z, hn_tape_room(t, K * F, sizeof *z));
  }
  if (m->C) a.context = hn_leaf(t, K, m->C, s->context, hn_tape_room(t, K * m->C, sizeof(float)));
  a.action = hn_leaf(t, K, m->E, s->act + s->n * m->E, hn_tape_room(t, K * m->E, sizeof(float)));
  return a;
}

/* y += x */
static void add_to(int64_t n, const float *x, float *y) {
  for (int64_t j = 0; j < n; j++) y[j] += x[j];
}

/* Adds the head's gradients to what was read out. */
static void return_asked(const Pass *s, const Share *share, Tools *tools, const Asked *a) {
  const Vrnn *m = s->m;
  int64_t F = m->F, width = read_width(m), S = a->S;
  float *d_z = m->W && m->draws ? floats(m->host, a->K * S * F) : NULL;
  for (int64_t k = 0; k < a->K; k++) {
    float *seed = share->seed + k * width;
    for (int64_t d = 0; d < S; d++) {
      add_to(F, a->z[d]->grad + k * F, seed);
      if (d_z) memcpy(d_z + (k * S + d) * F, a->z[d]->grad + k * F, (size_t)F * sizeof *d_z);
    }
    if (m->C) add_to(m->C, a->context->grad + k * m->C, seed + context_at(m));
    add_to(m->E, a->action->grad + k * m->E, seed + s->n * width + act_at(m));
  }
  if (d_z) offsets_back(m, tools, a->K, s->spread, S, share->noise, d_z, share->seed + F, width);
}

static void learn_head(Pass *s, Share *share, Tools *tools) {
  const Vrnn *m = s->m;
  if (!m->head.net.layers || s->count < 2) return;
  HnTape t = hn_tape_begin(m->host, true);
  Asked a = ask_about(s, share, &t);
  HnVar **answer = hn_tape_room(&t, a.S, sizeof *answer);
  for (int64_t d = 0; d < a.S; d++)
    answer[d] = ask(&t, &m->head, a.z[d], a.context, a.action, s->flat);
  HnVar *sum = target_sum(s, &t, a.S, answer);
  share->nll = -(double)sum->data[0];
  hn_tape_backward(&t, hn_affine(&t, sum, -(float)share->weight, 0));
  return_asked(s, share, tools, &a);
}

/* ---- back ---- */

/* Adds what a policy's gradient of the beliefs owes to what was read out. */
static void return_beliefs(const Lesson *l, const Pass *s, const Share *share, Tools *tools) {
  const Vrnn *m = s->m;
  int64_t S = l->q->samples > 1 ? l->q->samples : 1, F = m->F, width = read_width(m);
  int64_t K = s->count * s->n;
  float *d_z = share->policy_noise ? floats(m->host, K * S * F) : NULL;
  for (int64_t k = 0; k < K; k++) {
    float *seed = share->seed + k * width;
    int64_t at = k / s->n * l->q->history->rows + s->first + k % s->n;
    for (int64_t d = 0; d < S; d++) {
      const float *from = l->d_belief + (at * S + d) * m->D;
      add_to(F, from, seed), add_to(m->C, from + F, seed + context_at(m));
      if (d_z) memcpy(d_z + (k * S + d) * F, from, (size_t)F * sizeof *d_z);
    }
  }
  if (d_z)
    offsets_back(m, tools, K, s->spread, S, share->policy_noise, d_z, share->seed + F, width);
}

/* From what `encode` left on the pass's tape back to the weights. */
static void go_back(const Lesson *l, Pass *s, Share *share) {
  const Vrnn *m = s->m;
  Tools *tools = m->W ? take_tools(m, s->n) : NULL;
  int64_t width = read_width(m);
  learn_head(s, share, tools);
  if (l->d_belief) return_beliefs(l, s, share, tools);
  for (int64_t k = 0; k < s->count * s->n; k++) /* what is not shown has no gradient */
    if (s->dark[k]) memset(share->seed + k * width, 0, (size_t)act_at(m) * sizeof(float));
  hn_tape_backward_from(&s->tape, s->read, share->seed);
}

/* ---- shards ---- */

static HnStatus look_ahead(Lesson *l, int64_t k) {
  Share *share = &l->share[k];
  Pass s = pass_of(l, k, false);
  memcpy(share->start, recall(&s), (size_t)(s.n * l->m->carry) * sizeof(float));
  s.start = share->start;
  encode(&s);
  return stream(&s, share);
}

static HnStatus look_back(Lesson *l, int64_t k) {
  Share *share = &l->share[k];
  Pass s = pass_of(l, k, true);
  s.start = share->start;
  encode(&s);
  go_back(l, &s, share);
  return HN_OK;
}

/* Both at once, where nobody comes in between. */
static HnStatus look_through(Lesson *l, int64_t k) {
  Pass s = pass_of(l, k, true);
  Share share = share_of(l, s.first, s.n);
  s.start = recall(&s);
  encode(&s);
  HnStatus status = stream(&s, &share);
  if (status) return status;
  go_back(l, &s, &share);
  l->share[k].kl = share.kl, l->share[k].nll = share.nll;
  return HN_OK;
}

static HnStatus run_shard(void *arg, int64_t k) {
  Lesson *l = arg;
  return l->shard(l, k);
}

/* ---- a lesson ---- */

static Lesson lesson_of(const Vrnn *m, const HnBeliefUpdate *q, uint64_t seed) {
  const HnHost *host = m->host;
  Lesson l = {.m = m, .q = q, .seed = seed, .shards = (q->history->rows + SHARD - 1) / SHARD};
  l.share = host->scratch(host, l.shards, sizeof *l.share);
  memset(l.share, 0, (size_t)l.shards * sizeof *l.share);
  l.flat = floats(host, l.shards * m->store.size);
  return l;
}

/* Gathers the shards' gradients and reports. */
static HnStatus gather(Vrnn *m, const Lesson *l) {
  const HnHost *host = m->host;
  const HnHistory *h = l->q->history;
  double kl = 0, nll = 0, percepts = (double)(h->steps * h->rows);
  for (int64_t k = 0; k < l->shards; k++) kl += l->share[k].kl, nll += l->share[k].nll;
  kl /= percepts, nll /= percepts;
  hn_store_reduce(&m->store, l->shards, l->flat);
  hn_store_clamp(&m->store, m->p->grad_clip);
  m->norm2 = hn_store_norm2(&m->store);
  if (!isfinite(m->norm2)) return host->fail(host, HN_E_NUMERIC, "the gradient is not finite");
  host->metric(host, metric_loss, nll + m->beta * kl);
  if (l->q->loss) *l->q->loss = nll + m->beta * kl;
  if (m->head.net.layers) host->metric(host, metric_nll, nll);
  if (m->beta > 0) host->metric(host, metric_kl, kl);
  host->metric(host, metric_grad_norm, sqrt(m->norm2));
  return HN_OK;
}

static HnStatus forward(void *self, HnBeliefUpdate *q) {
  Vrnn *m = self;
  hn_store_refresh(&m->store); /* a resumed run overwrites weights */
  HnRng rng = q->rng ? q->rng[0] : hn_rng(0, 0);
  uint64_t high = hn_rng_u32(&rng);
  m->lesson = m->host->scratch(m->host, 1, sizeof *m->lesson);
  *m->lesson = lesson_of(m, q, high << 32 | hn_rng_u32(&rng));
  m->lesson->shard = look_ahead;
  for (int64_t k = 0; k < m->lesson->shards; k++) {
    int64_t left = q->history->rows - k * SHARD;
    m->lesson->share[k] = share_of(m->lesson, k * SHARD, left < SHARD ? left : SHARD);
  }
  return m->host->parallel(m->host, m->lesson->shards, run_shard, m->lesson);
}

static HnStatus backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                         double *norm2) {
  Vrnn *m = self;
  Lesson *l = m->lesson;
  l->q = q, l->d_belief = d_belief, l->shard = look_back;
  HnStatus status = m->host->parallel(m->host, l->shards, run_shard, l);
  if (!status) status = gather(m, l);
  if (norm2) *norm2 = m->norm2;
  return status;
}

static HnStatus descend(Vrnn *m, double scale, double rate) {
  const HnThisParams *p = m->p;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, p->weight_decay};
  hn_adam_step(&m->store, &adam, scale, rate);
  if (m->head.sigma_w) {
    HnTape t = hn_tape_begin(m->host, false);
    m->host->metric(m->host, metric_signal_stddev, (double)signal_stddev(&t, m, NULL)->data[0]);
  }
  return HN_OK;
}

static HnStatus step(void *self, double scale, double rate) {
  Vrnn *m = self;
  m->stepped = true;
  return descend(m, scale, rate);
}

/* One step on the own loss over all rows of a phase. */
static HnStatus learn_phase(Vrnn *m, const HnHistory *h, uint64_t seed) {
  const HnHost *host = m->host;
  size_t bytes = (size_t)h->rows * m->row.size;
  HnBeliefUpdate q = {
      .struct_size = sizeof q, .history = h, .state = host->scratch(host, 1, bytes)};
  if (h->state)
    memcpy(q.state, h->state, bytes);
  else
    memset(q.state, 0, bytes);
  Lesson l = lesson_of(m, &q, seed);
  l.shard = look_through;
  HnStatus status = host->parallel(host, l.shards, run_shard, &l);
  if (!status) status = gather(m, &l);
  return status ? status : descend(m, hn_clip_scale(m->norm2, m->p->grad_norm), 1);
}

static HnStatus learn(void *self, const HnTrainBatch *lesson) {
  Vrnn *m = self;
  bool trained = m->stepped;
  m->stepped = false;
  if (trained || (!m->head.net.layers && !(m->beta > 0))) return HN_OK;
  hn_store_refresh(&m->store);
  for (int64_t k = 0; k < lesson->phases; k++) {
    uint64_t high = hn_rng_u32(lesson->rng), seed = high << 32 | hn_rng_u32(lesson->rng);
    HnStatus status = learn_phase(m, lesson->phase[k], seed);
    if (status) return status;
  }
  return HN_OK;
}
#endif

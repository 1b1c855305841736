/* varibad_believe.h - the running belief.  Row memory is the hidden state; a new task starts from
 * zeros, so its belief is the same learnt prior every time. */
#ifndef VARIBAD_BELIEVE_H
#define VARIBAD_BELIEVE_H
#include "model.c"

/* The steps before percepts 0 .. T, [T+1, B]; zeros where a task begins.  fresh [T+1, B] says
 * where; reset is where the percept before did, or NULL if none. */
typedef struct Percepts {
  int64_t count, rows;
  Steps steps;
  bool *fresh;
  uint8_t *reset;
  float *h0; /* [B, hidden] */
} Percepts;

static void put_step(const Varibad *v, const HnHistory *h, int64_t t, int64_t i, const Steps *s) {
  int64_t to = t * h->rows + i, at = hn_at(h, t - 1, i), n = v->state_dim;
  uint8_t begin = h->begin[hn_at(h, t, i)];
  if (begin == HN_NEW_TASK) {
    memset(s->state + to * n, 0, (size_t)n * sizeof(float));
    memset(s->action + to * v->action_dim, 0, (size_t)v->action_dim * sizeof(float));
    s->reward[to] = 0;
    return;
  }
  memcpy(s->state + to * n, h->next_obs + at * v->obs_dim, (size_t)v->obs_dim * sizeof(float));
  if (n > v->obs_dim) s->state[to * n + v->obs_dim] = begin == HN_NEW_EPISODE ? 1 : 0;
  if (v->embed_action.layers)
    hn_encode_action(h, at, v->action_dim, v->discrete, s->action + to * v->action_dim);
  s->reward[to] = h->reward[at];
}

static Percepts percepts_of(const Varibad *v, const HnBeliefUpdate *q) {
  const HnHistory *h = q->history;
  const HnHost *host = v->host;
  int64_t n = (h->steps + 1) * h->rows;
  Percepts k = {.count = h->steps + 1, .rows = h->rows};
  k.steps.state = host->scratch(host, n * v->state_dim, sizeof(float));
  k.steps.action = host->scratch(host, n * v->action_dim, sizeof(float));
  k.steps.reward = host->scratch(host, n, sizeof(float));
  k.fresh = host->scratch(host, n, sizeof *k.fresh);
  uint8_t *reset = host->scratch(host, n, sizeof *reset);
  memset(reset, 0, (size_t)n);
  for (int64_t t = 0; t < k.count; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      int64_t to = t * h->rows + i;
      k.fresh[to] = h->begin[hn_at(h, t, i)] == HN_NEW_TASK;
      put_step(v, h, t, i, &k.steps);
      if (!k.fresh[to] || t == h->steps) continue;
      reset[to + h->rows] = 1;
      k.reset = reset;
    }
  size_t bytes = (size_t)(h->rows * v->hidden) * sizeof(float);
  k.h0 = memcpy(host->scratch(host, h->rows * v->hidden, sizeof(float)), q->state, bytes);
  return k;
}

/* A copy of hidden states y, zeros where a task begins. */
static float *settle(const Varibad *v, const Percepts *k, const float *y) {
  int64_t n = k->count * k->rows;
  size_t row = (size_t)v->hidden * sizeof(float);
  float *h = memcpy(v->host->scratch(v->host, n * v->hidden, sizeof *h), y, (size_t)n * row);
  for (int64_t i = 0; i < n; i++)
    if (k->fresh[i]) memset(h + i * v->hidden, 0, row);
  return h;
}

/* What the policy sees of a posterior m [2 d]; noise NULL: its mean. */
static void put_belief(const Varibad *v, const float *m, const float *noise, float *to) {
  memcpy(to, m, (size_t)v->belief_dim * sizeof *to);
  for (int64_t j = 0; noise && j < v->d; j++) to[j] = m[j] + expf(0.5f * m[v->d + j]) * noise[j];
}

static void inform(const Varibad *v, const float *m, float *info) {
  double entropy = 0, kl = 0;
  for (int64_t j = 0; j < v->d; j++) {
    double mean = (double)m[j], logvar = (double)m[v->d + j];
    entropy += 0.5 * (logvar + 2.8378770664093453); /* 1 + ln 2 pi */
    kl += 0.5 * (exp(logvar) + mean * mean - 1 - logvar);
  }
  info[info_entropy] = (float)entropy, info[info_kl] = (float)kl;
}

/* Writes all that a thought asks for; returns the noise of draws [.., S, d], or NULL. */
static const float *answer(const Varibad *v, const HnBeliefUpdate *q, const float *m) {
  int64_t rows = q->history->rows, n = (q->history->steps + 1) * rows, d = v->d;
  int64_t S = q->samples, draws = S > 0 ? S : 1;
  float *noise = S > 0 ? v->host->scratch(v->host, n * S * d, sizeof *noise) : NULL;
  for (int64_t k = 0; k < n; k++) {
    for (int64_t s = 0; s < draws; s++) {
      float *x = noise ? noise + (k * S + s) * d : NULL;
      for (int64_t j = 0; x && j < d; j++) x[j] = (float)hn_rng_normal(&q->rng[k % rows]);
      put_belief(v, m + k * 2 * d, x, q->belief + (k * draws + s) * v->belief_dim);
    }
    if (q->info) inform(v, m + k * 2 * d, q->info + k * info_count);
  }
  return noise;
}

/* One pass for acting and for learning through it: with `memo`, what backward needs stays there. */
static HnStatus think(const Varibad *v, HnBeliefUpdate *q, Memo *memo) {
  const HnHost *host = v->host;
  Percepts k = percepts_of(v, q);
  int64_t n = k.count * k.rows;
  float *flat = memo ? hn_store_flat(&v->encoder, 1) : NULL;
  HnTape unrolled = hn_tape_begin(host, memo != NULL), head = hn_tape_begin(host, memo != NULL);
  HnVar *x = embed_steps(v, &unrolled, n, &k.steps, flat);
  HnVar *y = unroll(v, &unrolled, k.count, k.rows, x, k.h0, k.reset, flat);
  float *grad = memo ? hn_tape_room(&head, n * v->hidden, sizeof *grad) : NULL;
  HnVar *h = hn_leaf(&head, n, v->hidden, settle(v, &k, y->data), grad);
  HnVar *belief = moments(v, &head, h, flat);
  for (int64_t i = 0; i < n * 2 * v->d; i++)
    if (!isfinite(belief->data[i]))
      return host->fail(host, HN_E_NUMERIC, "the belief of row %lld is not finite",
                        (long long)(i / (2 * v->d) % k.rows));
  memcpy(q->state, h->data + (n - k.rows) * v->hidden,
         (size_t)(k.rows * v->hidden) * sizeof(float));
  const float *noise = answer(v, q, belief->data);
  if (memo) *memo = (Memo){unrolled, head, y, h, belief, flat, noise};
  return HN_OK;
}

static HnStatus believe(void *self, HnBeliefUpdate *q) {
  return think(self, q, NULL);
}

/* How likely entering each cell pays the reward, decoded from the latent's mean or draw. */
static HnStatus map(void *self, const float *belief, float *cells) {
  const Varibad *v = self;
  HnTape t = hn_tape_begin(v->host, false);
  HnVar *x = hn_mlp(&t, &v->reward.net, hn_constant(&t, 1, v->d, belief), NULL);
  hn_vec_sigmoid(v->reward.outputs, x->data, cells);
  return HN_OK;
}
#endif

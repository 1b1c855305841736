/* belief.c - VariBAD's running belief, and the gradient of a policy's loss through it.  A task
 * begins with a hidden state of 0 and the head's bias as belief, the same learnt prior every time.
 */
#include "encoder.h"
#include "row.h"

/* The steps before observations 0 .. T, [T+1, B]; zeros where a task begins. */
typedef struct Inputs {
  int64_t count, rows; /* T + 1, B */
  VaribadSteps steps;
  bool *fresh;    /* [T+1, B] where a task begins */
  uint8_t *reset; /* [T+1, B] where one began at the observation before; NULL: nowhere */
  float *h0;      /* [B, hidden] */
} Inputs;

static Inputs read_window(const Varibad *v, const HnBeliefUpdate *q) {
  const HnHistory *h = q->history;
  const HnHost *host = v->host;
  int64_t n = (h->steps + 1) * h->rows;
  Inputs x = {.count = h->steps + 1, .rows = h->rows, .steps = varibad_steps_new(v, n)};
  x.fresh = host->scratch(host, n, sizeof *x.fresh);
  uint8_t *reset = memset(host->scratch(host, n, sizeof *reset), 0, (size_t)n);
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      int64_t to = t * h->rows + i;
      x.fresh[to] = h->begin[hn_at(h, t, i)] == HN_NEW_TASK;
      if (!x.fresh[to])
        varibad_put_step(v, h, t, i, &x.steps, to);
      else if (t < h->steps)
        reset[to + h->rows] = 1, x.reset = reset;
    }
  x.h0 = host->scratch(host, h->rows * v->hidden, sizeof(float));
  for (int64_t i = 0; i < h->rows; i++)
    memcpy(x.h0 + i * v->hidden, varibad_hidden_of(v, q->state, i),
           (size_t)v->hidden * sizeof(float));
  return x;
}

/* A copy of hidden states [T+1, B, hidden], zeros where a task begins. */
static float *cleared(const Varibad *v, const Inputs *x, const float *states) {
  int64_t n = x->count * x->rows;
  size_t row = (size_t)v->hidden * sizeof(float);
  float *h = memcpy(v->host->scratch(v->host, n * v->hidden, sizeof *h), states, (size_t)n * row);
  for (int64_t i = 0; i < n; i++)
    if (x->fresh[i]) memset(h + i * v->hidden, 0, row);
  return h;
}

/* What the policy sees of a posterior m [2 d]; noise NULL: its mean. */
static void put_belief(const Varibad *v, const float *m, const float *noise, float *to) {
  memcpy(to, m, (size_t)v->belief_dim * sizeof *to);
  for (int64_t j = 0; noise && j < v->d; j++) to[j] = m[j] + expf(0.5f * m[v->d + j]) * noise[j];
}

static void put_info(const Varibad *v, const float *m, float *info) {
  double entropy = 0, kl = 0;
  for (int64_t j = 0; j < v->d; j++) {
    double mean = (double)m[j], logvar = (double)m[v->d + j];
    entropy += 0.5 * (logvar + 2.8378770664093453); /* 1 + ln 2 pi */
    kl += 0.5 * (exp(logvar) + mean * mean - 1 - logvar);
  }
  info[varibad_info_entropy] = (float)entropy, info[varibad_info_kl] = (float)kl;
  if (v->info_count > VARIBAD_INFO_SUBTASK_ENTROPY) info[VARIBAD_INFO_SUBTASK_ENTROPY] = 0;
}

/* Writes beliefs and info of posteriors m [T+1, B, 2 d]; returns the noise of draws [T+1, B, S, d],
 * or NULL. */
static const float *put_outputs(const Varibad *v, const HnBeliefUpdate *q, const float *m) {
  int64_t rows = q->history->rows, n = (q->history->steps + 1) * rows, d = v->d;
  int64_t S = q->samples, draws = S > 0 ? S : 1;
  float *noise = S > 0 ? v->host->scratch(v->host, n * S * d, sizeof *noise) : NULL;
  for (int64_t k = 0; k < n; k++) {
    for (int64_t s = 0; s < draws; s++) {
      float *x = noise ? noise + (k * S + s) * d : NULL;
      for (int64_t j = 0; x && j < d; j++) x[j] = (float)hn_rng_normal(&q->rng[k % rows]);
      put_belief(v, m + k * 2 * d, x, q->belief + (k * draws + s) * v->belief_dim);
    }
    if (q->info) put_info(v, m + k * 2 * d, q->info + k * v->info_count);
  }
  return noise;
}

/* Beliefs and info of hidden states h of single Gaussians: their moments, and the noise of draws.
 */
static HnStatus put_gaussians(const Varibad *v, HnBeliefUpdate *q, HnTape *t, HnVar *h, float *flat,
                              HnVar **moments, const float **noise) {
  HnVar *m = *moments = varibad_moments(v, t, h, flat);
  for (int64_t i = 0; i < m->rows * m->cols; i++)
    if (!isfinite(m->data[i]))
      return v->host->fail(v->host, HN_E_NUMERIC, "the belief of row %lld is not finite",
                           (long long)(i / m->cols % q->history->rows));
  *noise = put_outputs(v, q, m->data);
  return HN_OK;
}

/* One pass over a window; `forward` (or NULL) receives what backward needs. */
static HnStatus pass(const Varibad *v, HnBeliefUpdate *q, VaribadForward *forward) {
  const HnHost *host = v->host;
  Inputs x = read_window(v, q);
  int64_t n = x.count * x.rows;
  float *flat = forward ? hn_store_flat(&v->encoder, 1) : NULL;
  HnTape recurrence = hn_tape_begin(host, forward), head = hn_tape_begin(host, forward);
  HnVar *y = varibad_encode(v, &recurrence, x.count, x.rows, &x.steps, x.h0, x.reset, flat);
  float *grad = forward ? hn_tape_room(&head, n * v->hidden, sizeof *grad) : NULL;
  HnVar *h = hn_leaf(&head, n, v->hidden, cleared(v, &x, y->data), grad);
  VaribadRow *place = v->follows ? host->scratch(host, n, sizeof *place) : NULL;
  if (place) varibad_follow(v, q, place);
  HnVar *m = NULL;
  const float *noise = NULL;
  HnStatus status = v->mixture.K > 1 ? varibad_put_mixture(v, q, &head, h, place)
                                     : put_gaussians(v, q, &head, h, flat, &m, &noise);
  if (status) return status;
  for (int64_t i = 0; i < x.rows; i++)
    memcpy(varibad_hidden_of(v, q->state, i), h->data + (n - x.rows + i) * v->hidden,
           (size_t)v->hidden * sizeof(float));
  if (forward) *forward = (VaribadForward){recurrence, head, y, h, m, flat, noise};
  return HN_OK;
}

HnStatus varibad_infer(void *self, HnBeliefUpdate *q) {
  return pass(self, q, NULL);
}

/* ---- through the belief ---- */

HnStatus varibad_forward(void *self, HnBeliefUpdate *q) {
  Varibad *v = self;
  hn_store_refresh(&v->encoder); /* the policy learns first, after a resume too */
  return pass(v, q, &v->forward);
}

/* d(loss)/d(moments), [(T+1) B, 2 d], of d(loss)/d(belief). */
static float *moments_gradient(const Varibad *v, const HnBeliefUpdate *q, const float *d_belief) {
  int64_t n = v->forward.moments->rows, d = v->d, S = q->samples, draws = S > 0 ? S : 1;
  float *gradient = varibad_zeros(v, n * 2 * d);
  for (int64_t k = 0; k < n * draws; k++) {
    float *to = gradient + k / draws * 2 * d;
    const float *from = d_belief + k * v->belief_dim;
    const float *m = v->forward.moments->data + k / draws * 2 * d;
    for (int64_t j = 0; j < v->belief_dim; j++) to[j] += from[j];
    for (int64_t j = 0; S > 0 && j < d; j++)
      to[d + j] += 0.5f * from[j] * expf(0.5f * m[d + j]) * v->forward.noise[k * d + j];
  }
  return gradient;
}

HnStatus varibad_backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                          double *norm2) {
  Varibad *v = self;
  VaribadForward *f = &v->forward;
  const HnHistory *h = q->history;
  hn_tape_backward_from(&f->head, f->moments, moments_gradient(v, q, d_belief));
  for (int64_t k = 0; k < f->head_states->rows; k++) /* where a task begins, nothing came before */
    if (h->begin[k] == HN_NEW_TASK)
      memset(f->head_states->grad + k * v->hidden, 0, (size_t)v->hidden * sizeof(float));
  hn_tape_backward_from(&f->recurrence, f->states, f->head_states->grad);
  hn_store_reduce(&v->encoder, 1, f->flat);
  if (norm2) *norm2 = hn_store_norm2(&v->encoder);
  return HN_OK;
}

HnStatus varibad_step(void *self, double scale, double rate) {
  Varibad *v = self;
  const HnAdam adam = {.lr = v->p->lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  hn_adam_step(&v->encoder, &adam, scale, rate);
  return HN_OK;
}

/* varibad_decode.h - what latents say of steps, its loss, and the gradient back into both.
 *
 * A batch has n trials.  Latents z [K n, d] are term-major: latent k of trial j at k n + j; steps
 * [T n, ..] are time-major.  Every function adds the loss it returns and the gradients of the same.
 *
 * Exact shortcuts: where the decoder reads the latent alone, each latent is decoded once and its
 * steps are counted; else the first layer's share of a latent and of a step are each computed once,
 * and pairs start from their sum. */
#ifndef VARIBAD_DECODE_H
#define VARIBAD_DECODE_H
#include "../reuse.h"
#include "model.c"

/* ---- the experience to be decoded ---- */

typedef struct Scene {
  const Varibad *v;
  int64_t n, K, T;        /* trials, latents a trial, steps of the longest */
  const int64_t *time;    /* [K n] how many steps each latent has seen */
  const int64_t *length;  /* [n] steps of each trial; a latent with time > length is not decoded */
  int64_t picks;          /* steps each latent decodes; 0: all of them */
  const int64_t *pick;    /* [K n, picks] */
  Steps steps;            /* [T n, ..] state: s' */
  const float *before;    /* [T n, state_dim] s */
  const float *task;      /* [n, task_dim] */
  const double *per_term; /* [n] weight of a latent */
  bool mean_steps;
} Scene;

/* Steps that latent `k` decodes: count, and the i-th of them. */
static int64_t decoded(const Scene *s, int64_t k) {
  int64_t end = s->v->p->decode_past ? s->time[k] : s->length[k % s->n];
  if (s->time[k] > s->length[k % s->n]) return 0;
  return s->picks && end > 0 ? s->picks : end;
}
static int64_t decoded_step(const Scene *s, int64_t k, int64_t i) {
  return s->picks ? s->pick[k * s->picks + i] : i;
}

/* Weight of each of the `count` steps that latent k decodes. */
static double step_weight(const Scene *s, int64_t k, int64_t count) {
  return s->per_term[k % s->n] / (s->mean_steps ? (double)count : 1);
}

/* ---- decoders of the latent alone ---- */

/* ln(1 + e^x) and the logistic function of x [n]. */
static void softplus_sigmoid(int64_t n, const float *x, float *plus, float *sigmoid) {
  for (int64_t i = 0; i < n; i++) plus[i] = fabsf(x[i]);
  hn_vec_sigmoid(n, plus, plus);
  hn_vec_log(n, plus, plus);
  for (int64_t i = 0; i < n; i++) plus[i] = (x[i] > 0 ? x[i] : 0) - plus[i];
  hn_vec_sigmoid(n, x, sigmoid);
}

/* The head of the cell s' = (x, y). */
static int64_t cell_of(const Varibad *v, const float *state) {
  int64_t side = v->p->reward_grid, x = lrintf(state[0]), y = lrintf(state[1]);
  x = x < 0 ? 0 : x >= side ? side - 1 : x, y = y < 0 ? 0 : y >= side ? side - 1 : y;
  return side * x + y;
}

/* Sums over the steps that latent k decodes: [cells] how many, what they paid, and (squared error)
 * the squares' total. */
static double count_cells(const Scene *s, const int32_t *cell, int64_t k, int64_t count,
                          float *visits, float *paid) {
  const Decoder *d = &s->v->reward;
  double squares = 0;
  memset(visits, 0, (size_t)d->outputs * sizeof *visits);
  memset(paid, 0, (size_t)d->outputs * sizeof *paid);
  for (int64_t i = 0; i < count; i++) {
    int64_t at = decoded_step(s, k, i) * s->n + k % s->n;
    float r = s->steps.reward[at];
    if (d->bernoulli) r = r == 1.0f ? 1 : 0;
    visits[cell[at]] += 1, paid[cell[at]] += r, squares += (double)r * (double)r;
  }
  return squares;
}

/* How latents are counted: visits and pay [.., cells], a row each or, where all latents of a trial
 * decode the same steps, a row a trial. */
typedef struct Counts {
  bool shared;
  float *visits, *paid, *weight; /* weight: [K n] */
} Counts;

static int64_t count_row(const Scene *s, const Counts *c, int64_t k) {
  return c->shared ? k % s->n : k;
}

/* Returns what the squares of the steps' rewards add to the loss. */
static double count_steps(const Scene *s, Counts *c) {
  const Varibad *v = s->v;
  const HnHost *host = v->host;
  int64_t n = s->n, cells = v->reward.outputs;
  c->shared = !s->picks && !v->p->decode_past;
  int64_t rows = c->shared ? n : s->K * n;
  c->visits = host->scratch(host, rows * cells, sizeof(float));
  c->paid = host->scratch(host, rows * cells, sizeof(float));
  c->weight = host->scratch(host, s->K * n, sizeof(float));
  int32_t *cell = host->scratch(host, s->T * n, sizeof *cell);
  double *squares = host->scratch(host, rows, sizeof *squares), constant = 0;
  for (int64_t i = 0; i < s->T * n; i++)
    cell[i] = (int32_t)cell_of(v, s->steps.state + i * v->state_dim);
  for (int64_t k = 0; k < rows; k++)
    squares[k] = count_cells(s, cell, k, c->shared ? s->length[k] : decoded(s, k),
                             c->visits + k * cells, c->paid + k * cells);
  for (int64_t k = 0; k < s->K * n; k++) {
    int64_t count = decoded(s, k);
    c->weight[k] = count ? (float)step_weight(s, k, count) : 0;
    constant += (double)c->weight[k] * squares[count_row(s, c, k)];
  }
  return v->reward.bernoulli ? 0 : constant;
}

/* In eight running sums, so that a compiler can use vectors. */
static double sum_of(int64_t n, const float *x) {
  double sum[8] = {0};
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int l = 0; l < 8; l++) sum[l] += (double)x[i + l];
  for (; i < n; i++) sum[0] += (double)x[i];
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static double decode_grid(const Scene *s, HnVar *z, float *flat) {
  const Varibad *v = s->v;
  const Decoder *d = &v->reward;
  const HnHost *host = v->host;
  int64_t rows = s->K * s->n, cells = d->outputs, all = rows * cells;
  HnTape t = hn_tape_begin(host, true);
  HnVar *x = hn_mlp(&t, &d->net, z, flat);
  float *plus = host->scratch(host, all, sizeof *plus);
  float *seed = host->scratch(host, all, sizeof *seed);
  Counts c;
  double loss = count_steps(s, &c);
  if (d->bernoulli)
    softplus_sigmoid(all, x->data, plus, seed);
  else
    for (int64_t i = 0; i < all; i++) /* visits f^2 - 2 paid f, its slope 2 (visits f - paid) */
      plus[i] = x->data[i] * x->data[i], seed[i] = x->data[i];
  float scale = d->bernoulli ? 1 : 2;
  for (int64_t k = 0; k < rows; k++) {
    const float *visits = c.visits + count_row(s, &c, k) * cells, *f = x->data + k * cells;
    const float *paid = c.paid + count_row(s, &c, k) * cells, w = c.weight[k];
    const float back = scale * (float)d->weight * w;
    float *value = plus + k * cells, *slope = seed + k * cells;
    for (int64_t i = 0; i < cells; i++) {
      value[i] = w * (visits[i] * value[i] - scale * paid[i] * f[i]);
      slope[i] = back * (visits[i] * slope[i] - paid[i]);
    }
  }
  hn_tape_backward_from(&t, x, seed);
  return loss + sum_of(all, plus);
}

/* Cross-entropy or squared error of the true task. */
static double decode_task(const Scene *s, HnVar *z, float *flat) {
  const Varibad *v = s->v;
  const Decoder *d = &v->task;
  int64_t rows = s->K * s->n, m = d->outputs;
  HnTape t = hn_tape_begin(v->host, true);
  HnVar *x = hn_mlp(&t, &d->net, z, flat);
  float *seed = v->host->scratch(v->host, rows * m, sizeof *seed);
  double loss = 0;
  memset(seed, 0, (size_t)(rows * m) * sizeof *seed);
  for (int64_t k = 0; k < rows; k++) {
    const float *y = x->data + k * m, *truth = s->task + k % s->n * m;
    double top = (double)y[0], sum = 0, w = s->per_term[k % s->n];
    if (s->time[k] > s->length[k % s->n]) continue;
    for (int64_t j = 1; j < m; j++) top = fmax(top, (double)y[j]);
    for (int64_t j = 0; j < m; j++) sum += exp((double)y[j] - top);
    for (int64_t j = 0; j < m; j++) {
      double e = (double)y[j] - (double)truth[j], logp = (double)y[j] - top - log(sum);
      bool class = v->task_loss == TASK_CLASS;
      loss += w * (class ? -(double)truth[j] * logp : e * e / (double)m);
      seed[k * m + j] =
          (float)(d->weight * w * (class ? exp(logp) - (double)truth[j] : 2 * e / (double)m));
    }
  }
  hn_tape_backward_from(&t, x, seed);
  return loss;
}

/* ---- decoders of latent and step ---- */

/* Rows of a tensor as a parameter of their own. */
static HnVar *rows_of(HnTape *t, const HnTensor *w, int64_t from, int64_t count, float *flat) {
  return hn_leaf(t, count, w->cols, w->data + from * w->cols,
                 flat ? flat + w->offset + from * w->cols : NULL);
}

/* What steps add to the first layer, bias included: [T n, units]. */
static HnVar *step_share(const Scene *s, HnTape *t, const Decoder *d, float *flat) {
  const Varibad *v = s->v;
  int64_t rows = s->T * s->n, count = 0;
  HnVar *part[3];
  if (d->next)
    part[count++] =
        hn_mlp(t, &d->embed_state, hn_constant(t, rows, v->state_dim, s->steps.state), flat);
  if (d->embed_action.layers)
    part[count++] =
        hn_mlp(t, &d->embed_action, hn_constant(t, rows, v->action_dim, s->steps.action), flat);
  if (d->state)
    part[count++] = hn_mlp(t, &d->embed_state, hn_constant(t, rows, v->state_dim, s->before), flat);
  HnVar *bias = hn_param(t, d->net.b[0], flat);
  if (!count) /* reads the latent alone: every step adds the bias */
    return hn_add(t, hn_constant(t, rows, bias->cols, hn_tape_room(t, rows * bias->cols, 4)), bias);
  HnVar *x = count == 1 ? part[0] : hn_concat(t, count, part);
  return hn_linear(t, x, rows_of(t, d->net.w[0], v->d, d->inputs - v->d, flat), bias, HN_LINEAR);
}

/* A chunk of pairs (latent, step), and where their gradients go. */
typedef struct Pairs {
  const Scene *s;
  const Decoder *d;
  bool states; /* what is decoded: s', or the reward */
  int64_t count, units;
  const int64_t *latent, *step; /* [count] rows of both shares */
  const float *weight;          /* [count] */
  const float *share_z, *share_step;
  float *dz, *dstep, *flat;
} Pairs;

/* Loss of output y [outputs] at step `at`; its slope in seed, both without the weight. */
static double pair_loss(const Pairs *p, const float *y, int64_t at, float *seed) {
  const Scene *s = p->s;
  const Varibad *v = s->v;
  if (p->states) {
    double sum = 0, m = (double)v->obs_dim;
    for (int64_t j = 0; j < v->obs_dim; j++) {
      double e = (double)y[j] - (double)s->steps.state[at * v->state_dim + j];
      sum += e * e / m, seed[j] = (float)(2 * e / m);
    }
    return sum;
  }
  double x = (double)*y, r = (double)s->steps.reward[at];
  if (!p->d->bernoulli) return *seed = (float)(2 * (x - r)), (x - r) * (x - r);
  double hit = r == 1, tail = exp(-fabs(x));
  *seed = (float)((x > 0 ? 1 : tail) / (1 + tail) - hit);
  return fmax(x, 0) + log1p(tail) - hit * x;
}

/* x = relu(a + b), n units; and its gradient dx added to those of a and b. */
static void share_relu(int64_t n, const float *restrict a, const float *restrict b,
                       float *restrict x) {
  for (int64_t j = 0; j < n; j++) {
    float sum = a[j] + b[j];
    x[j] = sum > 0 ? sum : 0;
  }
}
static void share_back(int64_t n, const float *restrict x, const float *restrict dx,
                       float *restrict a, float *restrict b) {
  for (int64_t j = 0; j < n; j++) {
    float g = dx[j], live = x[j] > 0 ? g : 0;
    a[j] += live, b[j] += live;
  }
}

/* The layers after the first, forward and backward, on memory that the next chunk uses again. */
static double decode_pairs(const Pairs *p, Reuse *reuse) {
  const HnMlp *net = &p->d->net;
  int64_t n = p->count, units = p->units, m = p->d->outputs;
  double loss = 0;
  reuse_again(reuse);
  HnTape t = hn_tape_begin(&reuse->host, true);
  float *x = reuse_scratch(&reuse->host, n * units, sizeof *x);
  float *dx = hn_tape_room(&t, n * units, sizeof *dx);
  float *seed = hn_tape_room(&t, n * m, sizeof *seed);
  for (int64_t i = 0; i < n; i++)
    share_relu(units, p->share_z + p->latent[i] * units, p->share_step + p->step[i] * units,
               x + i * units);
  HnVar *y = hn_leaf(&t, n, units, x, dx);
  for (int64_t l = 1; l < net->layers; l++)
    y = hn_linear(&t, y, hn_param(&t, net->w[l], p->flat), hn_param(&t, net->b[l], p->flat),
                  l + 1 == net->layers ? HN_LINEAR : HN_RELU);
  for (int64_t i = 0; i < n; i++) {
    double w = (double)p->weight[i];
    loss += w * pair_loss(p, y->data + i * m, p->step[i], seed + i * m);
    for (int64_t j = 0; j < m; j++)
      seed[i * m + j] = (float)(p->d->weight * w * (double)seed[i * m + j]);
  }
  hn_tape_backward_from(&t, y, seed);
  for (int64_t i = 0; i < n; i++)
    share_back(units, x + i * units, dx + i * units, p->dz + p->latent[i] * units,
               p->dstep + p->step[i] * units);
  return loss;
}

/* Rewards or states of every pair, a trial at a time in chunks. */
static double decode_steps(const Scene *s, const Decoder *d, bool states, HnVar *z, float *flat) {
  enum { CHUNK = 512 };
  const Varibad *v = s->v;
  const HnHost *host = v->host;
  HnTape tz = hn_tape_begin(host, true), ts = hn_tape_begin(host, true);
  HnVar *a = hn_linear(&tz, z, rows_of(&tz, d->net.w[0], 0, v->d, flat), NULL, HN_LINEAR);
  HnVar *b = step_share(s, &ts, d, flat);
  Reuse *reuse = host->scratch(host, 1, sizeof *reuse);
  reuse_begin(reuse, host);
  int64_t *latent = host->scratch(host, 2 * CHUNK, sizeof *latent), *step = latent + CHUNK;
  float *weight = host->scratch(host, CHUNK, sizeof *weight);
  Pairs p = {.s = s, .d = d, .states = states, .units = a->cols, .latent = latent, .step = step};
  p.weight = weight, p.share_z = a->data, p.share_step = b->data, p.flat = flat;
  p.dz = hn_tape_room(&tz, a->rows * a->cols, sizeof(float));
  p.dstep = hn_tape_room(&ts, b->rows * b->cols, sizeof(float));
  double loss = 0;
  for (int64_t j = 0; j < s->n; j++)
    for (int64_t k = j; k < s->K * s->n; k += s->n)
      for (int64_t i = 0, count = decoded(s, k); i < count; i++) {
        latent[p.count] = k, step[p.count] = decoded_step(s, k, i) * s->n + j;
        weight[p.count++] = (float)step_weight(s, k, count);
        if (p.count < CHUNK) continue;
        loss += decode_pairs(&p, reuse);
        p.count = 0;
      }
  if (p.count) loss += decode_pairs(&p, reuse);
  hn_tape_backward_from(&tz, a, p.dz);
  hn_tape_backward_from(&ts, b, p.dstep);
  return loss;
}
#endif

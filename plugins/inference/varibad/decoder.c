/* decoder.c - see decoder.h. */
#include "decoder.h"
#include <hunch/kit/scratch.h>
#include <math.h>

/* How many steps latent k decodes, and the i-th of them. */
static int64_t decoded_count(const VaribadTerms *s, int64_t k) {
  int64_t end = s->v->p->decode_past ? s->time[k] : s->length[k % s->n];
  if (s->time[k] > s->length[k % s->n]) return 0;
  return s->picks && end > 0 ? s->picks : end;
}
static int64_t decoded_step(const VaribadTerms *s, int64_t k, int64_t i) {
  return s->picks ? s->pick[k * s->picks + i] : i;
}

/* Weight of each of the `count` steps that latent k decodes. */
static double step_weight(const VaribadTerms *s, int64_t k, int64_t count) {
  return s->weight[k % s->n] / (s->v->p->over_steps == VARIBAD_MEAN ? (double)count : 1);
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

/* Sums over the steps that latent k decodes: [cells] how many, and their rewards; returns the sum
 * of squared rewards. */
static double count_cells(const VaribadTerms *s, const int32_t *cell, int64_t k, int64_t count,
                          float *visits, float *rewards) {
  const VaribadDecoder *d = &s->v->reward;
  double squares = 0;
  memset(visits, 0, (size_t)d->outputs * sizeof *visits);
  memset(rewards, 0, (size_t)d->outputs * sizeof *rewards);
  for (int64_t i = 0; i < count; i++) {
    int64_t at = decoded_step(s, k, i) * s->n + k % s->n;
    float r = s->steps.reward[at];
    if (d->bernoulli) r = r == 1.0f ? 1 : 0;
    visits[cell[at]] += 1, rewards[cell[at]] += r, squares += (double)r * (double)r;
  }
  return squares;
}

/* What latents decode, counted by cell: a row each or, where all latents of a trial decode the same
 * steps, a row a trial. */
typedef struct Counts {
  bool shared;
  float *visits, *rewards; /* [rows, cells] */
  float *weight;           /* [K n] of each step that a latent decodes */
} Counts;

static int64_t count_row(const VaribadTerms *s, const Counts *c, int64_t k) {
  return c->shared ? k % s->n : k;
}

/* Returns what squared rewards add to the loss. */
static double count_steps(const VaribadTerms *s, Counts *c) {
  const Varibad *v = s->v;
  const HnHost *host = v->host;
  int64_t n = s->n, cells = v->reward.outputs;
  c->shared = !s->picks && !v->p->decode_past;
  int64_t rows = c->shared ? n : s->K * n;
  c->visits = host->scratch(host, rows * cells, sizeof(float));
  c->rewards = host->scratch(host, rows * cells, sizeof(float));
  c->weight = host->scratch(host, s->K * n, sizeof(float));
  int32_t *cell = host->scratch(host, s->T * n, sizeof *cell);
  double *squares = host->scratch(host, rows, sizeof *squares), constant = 0;
  for (int64_t i = 0; i < s->T * n; i++)
    cell[i] = (int32_t)cell_of(v, s->steps.state + i * v->state_dim);
  for (int64_t k = 0; k < rows; k++)
    squares[k] = count_cells(s, cell, k, c->shared ? s->length[k] : decoded_count(s, k),
                             c->visits + k * cells, c->rewards + k * cells);
  for (int64_t k = 0; k < s->K * n; k++) {
    int64_t count = decoded_count(s, k);
    c->weight[k] = count ? (float)step_weight(s, k, count) : 0;
    constant += (double)c->weight[k] * squares[count_row(s, c, k)];
  }
  return v->reward.bernoulli ? 0 : constant;
}

/* Adds n numbers to eight running sums, so that a compiler can use vectors. */
static void add_to_sums(int64_t n, const float *x, double sum[8]) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (int l = 0; l < 8; l++) sum[l] += (double)x[i + l];
  for (; i < n; i++) sum[0] += (double)x[i];
}

/* Latents `from` to `from + count`, on memory that the next chunk uses again. */
static void decode_cells(const VaribadTerms *s, const Counts *c, HnReuse *reuse, const HnVar *z,
                         int64_t from, int64_t count, float *flat, double sum[8]) {
  const VaribadDecoder *d = &s->v->reward;
  const HnHost *host = &reuse->host;
  const int64_t cells = d->outputs, all = count * cells, latent = z->cols;
  hn_reuse_reset(reuse);
  HnTape t = hn_tape_begin(host, true);
  HnVar *own = hn_leaf(&t, count, latent, z->data + from * latent, z->grad + from * latent);
  HnVar *x = hn_mlp(&t, &d->net, own, flat);
  float *value = host->scratch(host, all, sizeof *value);
  float *seed = host->scratch(host, all, sizeof *seed);
  if (d->bernoulli)
    softplus_sigmoid(all, x->data, value, seed);
  else /* visits f^2 - 2 rewards f, its slope 2 (visits f - rewards) */
    for (int64_t i = 0; i < all; i++) value[i] = x->data[i] * x->data[i], seed[i] = x->data[i];
  const float scale = d->bernoulli ? 1 : 2;
  for (int64_t k = 0; k < count; k++) {
    const float *visits = c->visits + count_row(s, c, from + k) * cells, *f = x->data + k * cells;
    const float *rewards = c->rewards + count_row(s, c, from + k) * cells, w = c->weight[from + k];
    const float back = scale * (float)d->weight * w;
    float *restrict loss_k = value + k * cells, *restrict slope = seed + k * cells;
    for (int64_t i = 0; i < cells; i++) {
      loss_k[i] = w * (visits[i] * loss_k[i] - scale * rewards[i] * f[i]);
      slope[i] = back * (visits[i] * slope[i] - rewards[i]);
    }
  }
  hn_tape_backward_from(&t, x, seed);
  add_to_sums(all, value, sum);
}

/* A reward head for each cell of a grid. */
static double decode_grid(const VaribadTerms *s, const HnVar *z, float *flat) {
  enum { CHUNK = 128 }; /* a multiple of the running sums, so that it does not show in their bits */
  const int64_t rows = s->K * s->n;
  double sum[8] = {0};
  Counts c;
  const double constant = count_steps(s, &c);
  HnReuse reuse;
  hn_reuse_begin(&reuse, s->v->host, NULL, 0);
  for (int64_t from = 0; from < rows; from += CHUNK)
    decode_cells(s, &c, &reuse, z, from, rows - from < CHUNK ? rows - from : CHUNK, flat, sum);
  return constant +
         (((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7])));
}

double varibad_decode_task(const VaribadTerms *s, HnVar *z, float *flat) {
  const Varibad *v = s->v;
  const VaribadDecoder *d = &v->task;
  int64_t rows = s->K * s->n, m = d->outputs;
  if (!d->net.layers) return 0;
  HnTape t = hn_tape_begin(v->host, true);
  HnVar *x = hn_mlp(&t, &d->net, z, flat);
  float *seed = v->host->scratch(v->host, rows * m, sizeof *seed);
  double loss = 0;
  memset(seed, 0, (size_t)(rows * m) * sizeof *seed);
  for (int64_t k = 0; k < rows; k++) {
    const float *y = x->data + k * m, *truth = s->task + k % s->n * m;
    double top = (double)y[0], sum = 0, w = s->weight[k % s->n];
    if (s->time[k] > s->length[k % s->n]) continue;
    for (int64_t j = 1; j < m; j++) top = fmax(top, (double)y[j]);
    for (int64_t j = 0; j < m; j++) sum += exp((double)y[j] - top);
    for (int64_t j = 0; j < m; j++) {
      double e = (double)y[j] - (double)truth[j], logp = (double)y[j] - top - log(sum);
      bool class = v->p->task_loss == VARIBAD_TASK_CLASS;
      loss += w * (class ? -(double)truth[j] * logp : e * e / (double)m);
      seed[k * m + j] =
          (float)(d->weight * w * (class ? exp(logp) - (double)truth[j] : 2 * e / (double)m));
    }
  }
  hn_tape_backward_from(&t, x, seed);
  return loss;
}

/* ---- decoders of latent and step ---- */

/* Rows of a weight as a parameter of their own. */
static HnVar *weight_rows(HnTape *t, const HnTensor *w, int64_t from, int64_t count, float *flat) {
  return hn_leaf(t, count, w->cols, w->data + from * w->cols,
                 flat ? flat + w->offset + from * w->cols : NULL);
}

/* Weights of what a decoder reads of a step. */
static HnVar *step_weights(HnTape *t, const VaribadDecoder *d, float *flat) {
  return weight_rows(t, d->net.w[0], d->code, d->inputs - d->code, flat);
}

/* What a decoder reads of `rows` steps, [rows, inputs - code]; NULL: nothing. */
static HnVar *embed_steps(const Varibad *v, HnTape *t, const VaribadDecoder *d, int64_t rows,
                          const VaribadSteps *s, const float *before, float *flat) {
  int64_t count = 0;
  HnVar *part[3];
  if (d->reads_next)
    part[count++] = hn_mlp(t, &d->embed_state, hn_constant(t, rows, v->state_dim, s->state), flat);
  if (d->embed_action.layers)
    part[count++] =
        hn_mlp(t, &d->embed_action, hn_constant(t, rows, v->action_dim, s->action), flat);
  if (d->reads_state)
    part[count++] = hn_mlp(t, &d->embed_state, hn_constant(t, rows, v->state_dim, before), flat);
  return count > 1 ? hn_concat(t, count, part) : count ? part[0] : NULL;
}

/* What steps add to the first layer, bias included: [T n, units]; x [T n, ..] of embed_steps. */
static HnVar *step_share(const VaribadTerms *s, HnTape *t, const VaribadDecoder *d, HnVar *x,
                         float *flat) {
  int64_t rows = s->T * s->n;
  HnVar *bias = hn_param(t, d->net.b[0], flat);
  if (!x) /* reads the latent alone: every step adds the bias */
    return hn_add(t, hn_constant(t, rows, bias->cols, hn_tape_room(t, rows * bias->cols, 4)), bias);
  return hn_linear(t, x, step_weights(t, d, flat), bias, HN_LINEAR);
}

/* Inverted dropout of n numbers: 0, or 1 / (1 - dropout); 16 random bits each. */
static void draw_mask(HnRng *rng, double dropout, int64_t n, float *mask) {
  const uint32_t least = (uint32_t)lrint(dropout * 65536);
  const float scale = (float)(1 / (1 - dropout));
  for (int64_t i = 0; i < n; i += 2) {
    uint32_t word = hn_rng_u32(rng);
    mask[i] = (word & 0xffff) < least ? 0 : scale;
    if (i + 1 < n) mask[i + 1] = word >> 16 < least ? 0 : scale;
  }
}

/* A chunk of pairs (latent, step), and where their gradients go.  A share is what a latent or a
 * step adds to the first layer; with dropout that of a step is only its embeddings. */
typedef struct Pairs {
  const VaribadTerms *s;
  const VaribadDecoder *d;
  bool states;                /* what is decoded: s', or the reward */
  int64_t count, units, wide; /* wide: numbers of a step's share */
  float *mask;                /* [count, wide] of dropout; NULL: none */
  int64_t *latent, *step;     /* [count] rows of both shares */
  float *weight;              /* [count] */
  const float *share_z, *share_step;
  float *dz, *dstep, *flat;
} Pairs;

/* Loss of output y [outputs] at step `at`; its slope in seed, both without the weight. */
static double pair_loss(const Pairs *p, const float *y, int64_t at, float *seed) {
  const VaribadTerms *s = p->s;
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
  double one = r == 1, e = exp(-fabs(x));
  *seed = (float)((x > 0 ? 1 : e) / (1 + e) - one);
  return fmax(x, 0) + log1p(e) - one * x;
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
    float g = x[j] > 0 ? dx[j] : 0;
    a[j] += g, b[j] += g;
  }
}

/* Outputs of the first layer, and what their gradient is taken back through. */
typedef struct First {
  HnVar *y;      /* [count, units] */
  float *x, *dx; /* of y itself; or with dropout of what is dropped, [count, wide] */
  float *dz;     /* with dropout: of the latents' shares */
} First;

static First first_layer(const Pairs *p, HnTape *t) {
  const HnHost *host = t->host;
  int64_t n = p->count, units = p->units, wide = p->wide;
  First f = {.x = host->scratch(host, n * wide, sizeof(float)),
             .dx = hn_tape_room(t, n * wide, sizeof(float))};
  if (!p->mask) {
    for (int64_t i = 0; i < n; i++)
      share_relu(units, p->share_z + p->latent[i] * units, p->share_step + p->step[i] * units,
                 f.x + i * units);
    f.y = hn_leaf(t, n, units, f.x, f.dx);
    return f;
  }
  float *z = host->scratch(host, n * units, sizeof *z);
  f.dz = hn_tape_room(t, n * units, sizeof *z);
  for (int64_t i = 0; i < n; i++) {
    const float *e = p->share_step + p->step[i] * wide, *mask = p->mask + i * wide;
    for (int64_t j = 0; j < wide; j++) f.x[i * wide + j] = e[j] * mask[j];
    memcpy(z + i * units, p->share_z + p->latent[i] * units, (size_t)units * sizeof *z);
  }
  HnVar *x = hn_linear(t, hn_leaf(t, n, wide, f.x, f.dx), step_weights(t, p->d, p->flat),
                       hn_param(t, p->d->net.b[0], p->flat), HN_LINEAR);
  f.y = hn_activate(t, hn_add(t, x, hn_leaf(t, n, units, z, f.dz)), HN_RELU);
  return f;
}

static void first_layer_back(const Pairs *p, const First *f) {
  int64_t units = p->units, wide = p->wide;
  for (int64_t i = 0; i < p->count; i++) {
    float *dz = p->dz + p->latent[i] * units, *dstep = p->dstep + p->step[i] * wide;
    if (!p->mask) {
      share_back(units, f->x + i * units, f->dx + i * units, dz, dstep);
      continue;
    }
    for (int64_t j = 0; j < units; j++) dz[j] += f->dz[i * units + j];
    for (int64_t j = 0; j < wide; j++) dstep[j] += p->mask[i * wide + j] * f->dx[i * wide + j];
  }
}

/* All layers, forward and backward, on memory that the next chunk uses again. */
static double decode_pairs(const Pairs *p, HnReuse *reuse) {
  const HnMlp *net = &p->d->net;
  int64_t n = p->count, m = p->d->outputs;
  double loss = 0;
  hn_reuse_reset(reuse);
  HnTape t = hn_tape_begin(&reuse->host, true);
  float *seed = hn_tape_room(&t, n * m, sizeof *seed);
  const First first = first_layer(p, &t);
  HnVar *y = first.y;
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
  first_layer_back(p, &first);
  return loss;
}

/* Rewards or states of every pair, a trial at a time in chunks. */
static double decode_steps(const VaribadTerms *s, const VaribadDecoder *d, bool states, HnVar *z,
                           float *flat) {
  enum { CHUNK = 512 };
  const Varibad *v = s->v;
  const HnHost *host = v->host;
  HnTape tz = hn_tape_begin(host, true), ts = hn_tape_begin(host, true);
  HnVar *a = hn_linear(&tz, z, weight_rows(&tz, d->net.w[0], 0, d->code, flat), NULL, HN_LINEAR);
  HnVar *b = embed_steps(v, &ts, d, s->T * s->n, &s->steps, s->before, flat);
  const bool drops = b && v->p->dropout > 0;
  if (!drops) b = step_share(s, &ts, d, b, flat);
  HnReuse reuse;
  hn_reuse_begin(&reuse, host, NULL, 0);
  Pairs p = {.s = s, .d = d, .states = states, .units = a->cols, .wide = b->cols, .flat = flat};
  p.mask = drops ? host->scratch(host, CHUNK * p.wide, sizeof *p.mask) : NULL;
  p.latent = host->scratch(host, 2 * CHUNK, sizeof *p.latent), p.step = p.latent + CHUNK;
  p.weight = host->scratch(host, CHUNK, sizeof *p.weight);
  p.share_z = a->data, p.share_step = b->data;
  p.dz = hn_tape_room(&tz, a->rows * a->cols, sizeof(float));
  p.dstep = hn_tape_room(&ts, b->rows * b->cols, sizeof(float));
  double loss = 0;
  for (int64_t j = 0; j < s->n; j++)
    for (int64_t k = j; k < s->K * s->n; k += s->n)
      for (int64_t i = 0, count = decoded_count(s, k); i < count; i++) {
        p.latent[p.count] = k, p.step[p.count] = decoded_step(s, k, i) * s->n + j;
        if (drops) draw_mask(&s->rng[j], v->p->dropout, p.wide, p.mask + p.count * p.wide);
        p.weight[p.count++] = (float)step_weight(s, k, count);
        if (p.count < CHUNK) continue;
        loss += decode_pairs(&p, &reuse);
        p.count = 0;
      }
  if (p.count) loss += decode_pairs(&p, &reuse);
  hn_tape_backward_from(&tz, a, p.dz);
  hn_tape_backward_from(&ts, b, p.dstep);
  return loss;
}

double varibad_decode_reward(const VaribadTerms *s, HnVar *z, float *flat) {
  const VaribadDecoder *d = &s->v->reward;
  if (!d->net.layers) return 0;
  return s->v->p->reward_grid ? decode_grid(s, z, flat) : decode_steps(s, d, false, z, flat);
}

double varibad_decode_state(const VaribadTerms *s, HnVar *z, float *flat) {
  const VaribadDecoder *d = &s->v->state;
  return d->net.layers ? decode_steps(s, d, true, z, flat) : 0;
}

void varibad_predict_reward(const Varibad *v, int64_t n, const float *code, const VaribadSteps *s,
                            const float *before, HnRng *rng, float *reward) {
  const VaribadDecoder *d = &v->reward;
  HnTape t = hn_tape_begin(v->host, false);
  HnVar *x = hn_constant(&t, n, d->code, code);
  HnVar *e = embed_steps(v, &t, d, n, s, before, NULL);
  if (e && rng) {
    float *mask = v->host->scratch(v->host, n * e->cols, sizeof *mask);
    for (int64_t i = 0; i < n; i++) draw_mask(&rng[i], v->p->dropout, e->cols, mask + i * e->cols);
    e = hn_mul(&t, e, hn_constant(&t, n, e->cols, mask));
  }
  if (e) x = hn_concat(&t, 2, (HnVar *[]){x, e});
  memcpy(reward, hn_mlp(&t, &d->net, x, NULL)->data, (size_t)n * sizeof *reward);
}

/* ---- pictures ---- */

/* How likely entering each cell pays the reward, decoded from the latent's mean or a draw. */
HnStatus varibad_map(void *self, const float *belief, float *cells) {
  const Varibad *v = self;
  HnTape t = hn_tape_begin(v->host, false);
  HnVar *x = hn_mlp(&t, &v->reward.net, hn_constant(&t, 1, v->d, belief), NULL);
  hn_vec_sigmoid(v->reward.outputs, x->data, cells);
  return HN_OK;
}

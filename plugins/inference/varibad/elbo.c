/* varibad_learn.h - the evidence lower bound, its gradient, and the schedule of updates.
 *
 *   loss = mean over trials of sum_t [ sum_i c_r l_r(z_t, i) + c_s l_s(z_t, i) + c_task l_task(z_t)
 * ]
 *                              + beta sum_t KL(q_t || q_{t-1}),    t = 0 .. T, q_{-1} = N(0, I)
 *
 * over all t and i or over draws of them, sums or means.  A batch is cut into shards of trials
 * whose size depends on the batch alone, each with a stream of its own per trial; gradients are
 * added in order: the same bits for any number of workers. */
#ifndef VARIBAD_LEARN_H
#define VARIBAD_LEARN_H
#include "decoder.c"

enum { PART_KL, PART_REWARD, PART_STATE, PART_TASK, PARTS };

typedef struct Batch {
  Varibad *v;
  int64_t trials, size; /* B; of them, in a shard */
  int64_t steps;        /* of the longest trial */
  uint64_t seed;
  float *encoder_flat, *decoder_flat; /* [shards, store.size] */
  double *parts;                      /* [shards, PARTS] */
} Batch;

/* Trials [from, from + n) of a batch at work. */
typedef struct Shard {
  const Batch *b;
  const Varibad *v;
  int64_t from, n, T, K, rows; /* rows: K n latents */
  int64_t *length;             /* [n] */
  HnRng *rng;                  /* [n] */
  Steps steps;
  float *before;              /* [T n, state_dim] s; NULL: nobody reads it */
  float *task;                /* [n, task_dim] */
  int64_t *time, *pick;       /* [K n]; [K n, picks] */
  float *moments, *d_moments; /* [(T+1) n, 2 d] of every posterior */
  float *noise, *z, *dz;      /* [K n, d]; noise times the standard deviation */
  float *encoder_flat, *decoder_flat;
} Shard;

static void *floats(const Varibad *v, int64_t count) {
  return v->host->scratch(v->host, count, sizeof(float));
}
static float *zeros(const Varibad *v, int64_t count) {
  return memset(floats(v, count), 0, (size_t)count * sizeof(float));
}

/* ---- the experience of a shard ---- */

static void copy_step(const Shard *s, int64_t slot, int64_t t, int64_t to) {
  const Varibad *v = s->v;
  const HnTrialReplay *r = &v->replay;
  int64_t at = slot * r->shape.length + t, o = v->obs_dim, n = v->state_dim;
  size_t bytes = (size_t)o * sizeof(float);
  bool begins = t == 0 || r->ended[at - 1], crosses = t && begins && v->p->cross_resets;
  memcpy(s->steps.state + to * n, r->next_obs + at * o, bytes);
  if (n > o) s->steps.state[to * n + o] = r->ended[at];
  if (s->before) {
    memcpy(s->before + to * n, crosses ? r->next_obs + (at - 1) * o : r->obs + at * o, bytes);
    if (n > o) s->before[to * n + o] = crosses;
  }
  if (r->action)
    memcpy(s->steps.action + to * v->action_dim, r->action + at * v->action_dim,
           (size_t)v->action_dim * sizeof(float));
  s->steps.reward[to] = r->reward[at];
}

static void open_trials(Shard *s) {
  const Varibad *v = s->v;
  const HnTrialReplay *r = &v->replay;
  int64_t rows = s->T * s->n, m = r->shape.task_dim;
  s->steps.state = zeros(v, rows * v->state_dim), s->steps.reward = zeros(v, rows);
  s->steps.action = r->action ? zeros(v, rows * v->action_dim) : NULL;
  s->before = r->obs ? zeros(v, rows * v->state_dim) : NULL;
  s->task = floats(v, s->n * m);
  s->length = v->host->scratch(v->host, s->n, sizeof *s->length);
  s->rng = v->host->scratch(v->host, s->n, sizeof *s->rng);
  for (int64_t j = 0; j < s->n; j++) {
    int64_t slot = v->slot[s->from + j];
    s->length[j] = r->steps[slot];
    s->rng[j] = hn_rng(s->b->seed, (uint64_t)(s->from + j));
    for (int64_t t = 0; t < s->length[j]; t++) copy_step(s, slot, t, t * s->n + j);
    if (m) memcpy(s->task + j * m, r->task + slot * m, (size_t)m * sizeof(float));
    if (v->p->misread_indices) s->length[j] = s->T; /* what lies past the end is zeros, and used */
  }
}

/* ---- which posteriors, which steps ---- */

/* Draw k of `each` for a trial: uniform below its length (+ 1).  The reference code files draws by
 * trial and reads them by draw, so that they meet another trial's length. */
static int64_t draw_index(const Shard *s, int64_t j, int64_t k, int64_t each, int64_t more) {
  const Varibad *v = s->v;
  int64_t trial = s->from + j;
  if (v->p->misread_indices) trial = (k * s->b->trials + trial) / each;
  return hn_rng_below(&s->rng[j], v->replay.steps[v->slot[trial]] + more);
}

static void draw_terms(Shard *s) {
  const HnThisParams *p = s->v->p;
  const HnHost *host = s->v->host;
  s->K = p->elbo_terms ? p->elbo_terms : s->T + 1, s->rows = s->K * s->n;
  s->time = host->scratch(host, s->rows, sizeof *s->time);
  s->pick = NULL;
  for (int64_t k = 0; k < s->rows; k++)
    s->time[k] = p->elbo_terms ? draw_index(s, k % s->n, k / s->n, s->K, 1) : k / s->n;
  int64_t each = p->decoded_steps;
  if (!each) return;
  s->pick = host->scratch(host, s->rows * each, sizeof *s->pick);
  for (int64_t k = 0; k < s->rows; k++)
    for (int64_t i = 0; i < each; i++) {
      int64_t seen = p->decode_past ? s->time[k] : 0, j = k % s->n;
      s->pick[k * each + i] = p->decode_past
                                  ? (seen ? hn_rng_below(&s->rng[j], seen) : 0)
                                  : draw_index(s, j, k / s->n * each + i, s->K * each, 0);
    }
}

static double term_weight(const Shard *s, int64_t j) {
  const HnThisParams *p = s->v->p;
  int64_t terms = p->elbo_terms ? s->K : s->length[j] + 1;
  return 1 / ((double)s->b->trials * (p->over_terms == REDUCE_MEAN ? (double)terms : 1));
}

/* ---- latents ---- */

static void draw_latents(Shard *s) {
  const Varibad *v = s->v;
  int64_t d = v->d;
  float *own = floats(v, s->K * d), *work = floats(v, s->K * d + 1);
  s->noise = floats(v, s->rows * d), s->z = floats(v, s->rows * d), s->dz = zeros(v, s->rows * d);
  for (int64_t j = 0; j < s->n; j++) {
    if (v->p->draw_latent)
      draw_normals(&s->rng[j], s->K * d, own, work);
    else
      memset(own, 0, (size_t)(s->K * d) * sizeof *own);
    for (int64_t k = 0; k < s->K; k++)
      memcpy(s->noise + (k * s->n + j) * d, own + k * d, (size_t)d * sizeof *own);
  }
  for (int64_t k = 0; k < s->rows; k++) {
    const float *m = s->moments + (s->time[k] * s->n + k % s->n) * 2 * d;
    for (int64_t j = 0; j < d; j++) s->z[k * d + j] = 0.5f * m[d + j];
  }
  hn_vec_exp(s->rows * d, s->z, s->z);
  for (int64_t k = 0; k < s->rows; k++) {
    const float *m = s->moments + (s->time[k] * s->n + k % s->n) * 2 * d;
    for (int64_t j = k * d; j < (k + 1) * d; j++)
      s->noise[j] *= s->z[j], s->z[j] = m[j - k * d] + s->noise[j];
  }
}

/* Gradients of latents to those of their moments. */
static void return_latents(const Shard *s) {
  int64_t d = s->v->d;
  for (int64_t k = 0; k < s->rows; k++) {
    float *g = s->d_moments + (s->time[k] * s->n + k % s->n) * 2 * d;
    for (int64_t j = 0; j < d; j++)
      g[j] += s->dz[k * d + j], g[d + j] += 0.5f * s->dz[k * d + j] * s->noise[k * d + j];
  }
}

/* ---- KL ---- */

/* KL(q || prior) of one posterior m [2 d]; before NULL: N(0, I).  e [2 d] holds exp(logvar -
 * logvar_before) and exp(-logvar_before).  Adds `by` times its gradient to g and (if not NULL)
 * to g_before. */
static double kl_term(int64_t d, const float *m, const float *before, const float *e, float by,
                      float *g, float *g_before) {
  double sum = 0;
  for (int64_t j = 0; j < d; j++) {
    float mean = before ? before[j] : 0, logvar = before ? before[d + j] : 0;
    float apart = m[j] - mean, pull = apart * e[d + j], square = apart * pull;
    sum += 0.5 * ((double)(logvar - m[d + j]) - 1 + (double)e[j] + (double)square);
    g[j] += by * pull, g[d + j] += by * 0.5f * (e[j] - 1);
    if (g_before) g_before[j] -= by * pull, g_before[d + j] += by * 0.5f * (1 - e[j] - square);
  }
  return sum;
}

/* Adds up the KL of every posterior drawn, as often as it was. */
static double kl_all(const Shard *s) {
  const Varibad *v = s->v;
  int64_t d = v->d, n = s->n, count = (s->T + 1) * n;
  float *often = zeros(v, count), *e = floats(v, count * 2 * d);
  bool standard = v->p->prior == PRIOR_STANDARD, moves = v->p->prior == PRIOR_PREVIOUS;
  for (int64_t k = 0; k < s->rows; k++)
    if (s->time[k] <= s->length[k % n])
      often[s->time[k] * n + k % n] += (float)term_weight(s, k % n);
  for (int64_t i = 0; i < count; i++)
    for (int64_t j = 0; j < d; j++) {
      bool first = standard || i < n;
      float logvar = first ? 0 : s->moments[(i - n) * 2 * d + d + j];
      e[i * 2 * d + j] = s->moments[i * 2 * d + d + j] - logvar, e[i * 2 * d + d + j] = -logvar;
    }
  hn_vec_exp(count * 2 * d, e, e);
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    if (!(often[i] > 0)) continue;
    const float *before = standard || i < n ? NULL : s->moments + (i - n) * 2 * d;
    float *back = before && moves ? s->d_moments + (i - n) * 2 * d : NULL;
    sum += (double)often[i] * kl_term(d, s->moments + i * 2 * d, before, e + i * 2 * d,
                                      (float)v->p->kl_weight * often[i], s->d_moments + i * 2 * d,
                                      back);
  }
  return sum;
}

/* ---- one shard ---- */

/* A stretch of time within which gradients flow. */
typedef struct Stretch {
  HnTape tape;
  HnVar *y, *moments;
  int64_t from, count;
} Stretch;

/* Posteriors of all times; gradients may later flow back through each stretch. */
static int64_t encode(Shard *s, Stretch *stretch) {
  const Varibad *v = s->v;
  int64_t n = s->n, wide = 2 * v->d, cut = v->p->truncate ? v->p->truncate : s->T, count = 0;
  s->moments = floats(v, (s->T + 1) * n * wide), s->d_moments = zeros(v, (s->T + 1) * n * wide);
  for (int64_t j = 0; j < n; j++)
    memcpy(s->moments + j * wide, v->bias->data, (size_t)wide * sizeof(float));
  const float *h = zeros(v, n * v->hidden);
  for (int64_t t = 0; t < s->T; t += cut) {
    Stretch *k = &stretch[count++];
    k->from = t, k->count = s->T - t < cut ? s->T - t : cut;
    k->tape = hn_tape_begin(v->host, true);
    Steps steps = {.state = s->steps.state + t * n * v->state_dim,
                   .action = s->steps.action ? s->steps.action + t * n * v->action_dim : NULL,
                   .reward = s->steps.reward + t * n};
    HnVar *x = embed_steps(v, &k->tape, k->count * n, &steps, s->encoder_flat);
    k->y = unroll(v, &k->tape, k->count, n, x, h, NULL, s->encoder_flat);
    k->moments = moments(v, &k->tape, k->y, s->encoder_flat);
    memcpy(s->moments + (t + 1) * n * wide, k->moments->data,
           (size_t)(k->count * n * wide) * sizeof(float));
    h = k->y->data + (k->count - 1) * n * v->hidden;
  }
  return count;
}

static void encode_back(const Shard *s, int64_t count, Stretch *stretch) {
  const Varibad *v = s->v;
  int64_t wide = 2 * v->d;
  for (int64_t j = 0; j < s->n; j++) /* the prior is the head's bias */
    for (int64_t i = 0; i < wide; i++)
      s->encoder_flat[v->bias->offset + i] += s->d_moments[j * wide + i];
  for (int64_t k = count; k-- > 0;)
    hn_tape_backward_from(&stretch[k].tape, stretch[k].moments,
                          s->d_moments + (stretch[k].from + 1) * s->n * wide);
}

static void decode(Shard *s, double *parts) {
  const Varibad *v = s->v;
  const HnThisParams *p = v->p;
  Scene scene = {.v = v,
                 .n = s->n,
                 .K = s->K,
                 .T = s->T,
                 .time = s->time,
                 .length = s->length,
                 .picks = p->decoded_steps,
                 .pick = s->pick,
                 .steps = s->steps,
                 .before = s->before,
                 .task = s->task,
                 .mean_steps = p->over_steps == REDUCE_MEAN};
  double *per_term = v->host->scratch(v->host, s->n, sizeof *per_term);
  for (int64_t j = 0; j < s->n; j++) per_term[j] = term_weight(s, j);
  scene.per_term = per_term;
  HnTape t = hn_tape_begin(v->host, true);
  HnVar *z = hn_leaf(&t, s->rows, v->d, s->z, s->dz);
  if (v->reward.net.layers)
    parts[PART_REWARD] = p->reward_grid
                             ? decode_grid(&scene, z, s->decoder_flat)
                             : decode_steps(&scene, &v->reward, false, z, s->decoder_flat);
  if (v->next.net.layers)
    parts[PART_STATE] = decode_steps(&scene, &v->next, true, z, s->decoder_flat);
  if (v->task.net.layers) parts[PART_TASK] = decode_task(&scene, z, s->decoder_flat);
}

static HnStatus train_shard(void *arg, int64_t index) {
  const Batch *b = arg;
  Varibad *v = b->v;
  int64_t from = index * b->size;
  Shard s = {.b = b, .v = v, .from = from, .T = b->steps};
  s.n = b->trials - from < b->size ? b->trials - from : b->size;
  s.encoder_flat = b->encoder_flat + index * v->encoder.size;
  s.decoder_flat = b->decoder_flat + index * v->decoders.size;
  double *parts = b->parts + index * PARTS;
  memset(s.encoder_flat, 0, (size_t)v->encoder.size * sizeof(float));
  memset(s.decoder_flat, 0, (size_t)v->decoders.size * sizeof(float));
  memset(parts, 0, PARTS * sizeof *parts);
  open_trials(&s), draw_terms(&s);
  int64_t most = v->p->truncate ? s.T / v->p->truncate + 1 : 1;
  Stretch *stretch = v->host->scratch(v->host, most, sizeof *stretch);
  int64_t count = encode(&s, stretch);
  draw_latents(&s);
  decode(&s, parts);
  return_latents(&s);
  if (v->p->kl_weight > 0) parts[PART_KL] = kl_all(&s);
  encode_back(&s, count, stretch);
  return HN_OK;
}

/* ---- an update ---- */

/* Trials of a shard: few, so that a batch keeps several workers busy, but enough for products that
 * are worth their while. */
static int64_t shard_size(int64_t trials) {
  int64_t half = (trials + 1) / 2;
  return half < 13 ? half : 13;
}

static HnStatus descend(Varibad *v, const Batch *b, int64_t shards) {
  const HnThisParams *p = v->p;
  const HnHost *host = v->host;
  const HnAdam adam = {.lr = p->lr, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
  HnStore *store[] = {&v->encoder, &v->decoders};
  const double clip[] = {p->encoder_grad_norm, p->decoder_grad_norm};
  const float *flat[] = {b->encoder_flat, b->decoder_flat};
  const int32_t metric[] = {metric_encoder_grad_norm, metric_decoder_grad_norm};
  for (int k = 0; k < 2; k++) {
    hn_store_reduce(store[k], shards, flat[k]);
    double norm2 = hn_store_norm2(store[k]);
    if (!isfinite(norm2))
      return host->fail(host, HN_E_NUMERIC, "the gradient of the evidence bound is not finite");
    hn_adam_step(store[k], &adam, hn_clip_scale(norm2, clip[k]), 1);
    host->metric(host, metric[k], sqrt(norm2));
  }
  return HN_OK;
}

static void report(const Varibad *v, const Batch *b, int64_t shards) {
  static const int32_t metric[] = {metric_kl, metric_reward_loss, metric_state_loss,
                                   metric_task_loss};
  const double weight[] = {v->p->kl_weight, v->reward.weight, v->next.weight, v->task.weight};
  const HnHost *host = v->host;
  double loss = 0;
  for (int i = 0; i < PARTS; i++) {
    double sum = 0;
    for (int64_t k = 0; k < shards; k++) sum += b->parts[k * PARTS + i];
    loss += weight[i] * sum;
    if (weight[i] > 0) host->metric(host, metric[i], sum);
  }
  host->metric(host, metric_loss, loss);
}

static HnStatus update(Varibad *v, HnRng *rng, int64_t usable) {
  const HnHost *host = v->host;
  Batch b = {.v = v, .trials = usable < v->p->batch ? usable : v->p->batch};
  hn_trial_replay_draw_distinct(&v->replay, rng, usable, b.trials, v->slot);
  for (int64_t i = 0; i < b.trials; i++)
    if (v->replay.steps[v->slot[i]] > b.steps) b.steps = v->replay.steps[v->slot[i]];
  b.size = shard_size(b.trials);
  int64_t shards = (b.trials + b.size - 1) / b.size;
  uint64_t high = hn_rng_u32(rng);
  b.seed = high << 32 | hn_rng_u32(rng);
  b.encoder_flat = floats(v, shards * v->encoder.size);
  b.decoder_flat = floats(v, shards * v->decoders.size);
  b.parts = host->scratch(host, shards * PARTS, sizeof *b.parts);
  HnStatus status = host->parallel(host, shards, train_shard, &b);
  if (!status) status = descend(v, &b, shards);
  if (!status) report(v, &b, shards);
  return status;
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Varibad *v = self;
  const HnHost *host = v->host;
  const HnThisParams *p = v->p;
  const HnTrialReplay *r = &v->replay;
  hn_store_refresh(&v->encoder), hn_store_refresh(&v->decoders);
  for (int64_t k = 0; k < l->phases; k++) {
    HnStatus status = hn_trial_replay_append(&v->replay, l->phase[k]);
    if (status) return status;
  }
  int64_t usable = hn_trial_replay_count(r);
  host->metric(host, metric_trials, (double)usable);
  if (p->lagged_buffer && usable < p->buffer)
    usable = usable > r->shape.rows ? usable - r->shape.rows : 0;
  if (!l->iteration || l->frames < p->start || !usable) return HN_OK;
  for (int64_t u = 0; u < p->updates; u++) {
    HnStatus status = update(v, l->rng, usable);
    if (status) return status;
  }
  return HN_OK;
}
#endif

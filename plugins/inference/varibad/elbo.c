/* elbo.c - see elbo.h. */
#include "elbo.h"

/* ---- the trials of a shard ---- */

static void read_trials(VaribadShard *s) {
  const Varibad *v = s->v;
  VaribadTerms *k = &s->terms;
  const int64_t *slot = v->slot + s->from, rows = k->T * k->n;
  for (int64_t j = 0; j < k->n; j++) k->length[j] = v->replay.steps[slot[j]];
  HnHistory h = hn_trial_replay_window(&v->replay, v->host, k->n, slot, k->length);
  k->steps = varibad_steps_new(v, rows);
  k->before = h.obs ? varibad_zeros(v, rows * v->state_dim) : NULL;
  k->task = h.task; /* of time step 0 */
  for (int64_t j = 0; j < k->n; j++) {
    for (int64_t t = 0; t < k->length[j]; t++) {
      int64_t to = t * k->n + j;
      varibad_put_step(v, &h, t + 1, j, &k->steps, to);
      if (k->before) varibad_put_before(v, &h, t, j, k->before + to * v->state_dim);
    }
    if (v->p->misread_indices) k->length[j] = k->T; /* zeros past the end are used */
  }
}

/* ---- which posteriors, which steps ---- */

/* Draw k of `each` for trial j: uniform below its length + more.  The reference code files draws by
 * trial and reads them by draw, so that they meet another trial's length. */
static int64_t draw_index(const VaribadShard *s, int64_t j, int64_t k, int64_t each, int64_t more) {
  const Varibad *v = s->v;
  int64_t trial = s->from + j;
  if (v->p->misread_indices) trial = (k * s->b->trials + trial) / each;
  return hn_rng_below(&s->rng[j], v->replay.steps[v->slot[trial]] + more);
}

/* The i-th step that latent k decodes. */
static int64_t draw_step(const VaribadShard *s, int64_t k, int64_t i) {
  const VaribadTerms *x = &s->terms;
  int64_t j = k % x->n, seen = x->time[k];
  if (!s->v->p->decode_past) return draw_index(s, j, k / x->n * x->picks + i, x->K * x->picks, 0);
  return seen ? hn_rng_below(&s->rng[j], seen) : 0;
}

static void draw_terms(VaribadShard *s) {
  const VaribadParams *p = s->v->p;
  const HnHost *host = s->v->host;
  VaribadTerms *x = &s->terms;
  x->K = p->elbo_terms ? p->elbo_terms : x->T + 1, x->picks = p->decoded_steps;
  int64_t latents = x->K * x->n;
  x->time = host->scratch(host, latents, sizeof *x->time);
  x->pick = host->scratch(host, latents * x->picks, sizeof *x->pick);
  x->weight = host->scratch(host, x->n, sizeof *x->weight);
  for (int64_t k = 0; k < latents; k++)
    x->time[k] = p->elbo_terms ? draw_index(s, k % x->n, k / x->n, x->K, 1) : k / x->n;
  for (int64_t k = 0; k < latents; k++)
    for (int64_t i = 0; i < x->picks; i++) x->pick[k * x->picks + i] = draw_step(s, k, i);
  for (int64_t j = 0; j < x->n; j++) {
    int64_t terms = p->elbo_terms ? x->K : x->length[j] + 1;
    double share = p->over_terms == VARIBAD_MEAN ? (double)terms : 1;
    x->weight[j] = 1 / ((double)s->b->trials * share);
  }
}

VaribadShard varibad_open_shard(const VaribadBatch *b, int64_t from, int64_t n) {
  const Varibad *v = b->v;
  const HnHost *host = v->host;
  VaribadShard s = {.b = b, .v = v, .from = from, .terms = {.v = v, .n = n, .T = b->steps}};
  s.terms.length = host->scratch(host, n, sizeof *s.terms.length);
  s.rng = host->scratch(host, n, sizeof *s.rng);
  for (int64_t j = 0; j < n; j++) s.rng[j] = hn_rng(b->seed, (uint64_t)(from + j));
  s.terms.rng = s.rng;
  read_trials(&s), draw_terms(&s);
  return s;
}

/* ---- posteriors ---- */

int64_t varibad_encode_shard(VaribadShard *s, VaribadSegment *segment) {
  const Varibad *v = s->v;
  const VaribadTerms *x = &s->terms;
  int64_t n = x->n, wide = 2 * v->d, cut = v->p->truncate ? v->p->truncate : x->T, count = 0;
  if (v->head) {
    s->moments = v->host->scratch(v->host, (x->T + 1) * n * wide, sizeof(float));
    s->d_moments = varibad_zeros(v, (x->T + 1) * n * wide);
    for (int64_t j = 0; j < n; j++)
      memcpy(s->moments + j * wide, v->bias->data, (size_t)wide * sizeof(float));
  }
  const float *h = varibad_zeros(v, n * v->hidden);
  for (int64_t t = 0; t < x->T; t += cut) {
    VaribadSegment *k = &segment[count++];
    k->from = t, k->count = x->T - t < cut ? x->T - t : cut;
    k->tape = hn_tape_begin(v->host, true);
    const VaribadSteps *all = &x->steps;
    VaribadSteps steps = {.state = all->state + t * n * v->state_dim,
                          .action = all->action ? all->action + t * n * v->action_dim : NULL,
                          .reward = all->reward + t * n};
    HnVar *y = varibad_encode(v, &k->tape, k->count, n, &steps, h, NULL, s->encoder_flat);
    k->states = y, h = y->data + (k->count - 1) * n * v->hidden;
    if (!v->head) continue;
    k->moments = varibad_moments(v, &k->tape, y, s->encoder_flat);
    memcpy(s->moments + (t + 1) * n * wide, k->moments->data,
           (size_t)(k->count * n * wide) * sizeof(float));
  }
  return count;
}

static void encode_backward(const VaribadShard *s, int64_t count, VaribadSegment *segment) {
  const Varibad *v = s->v;
  int64_t wide = 2 * v->d, n = s->terms.n;
  for (int64_t j = 0; j < n; j++) /* before any step the posterior is the head's bias */
    for (int64_t i = 0; i < wide; i++)
      s->encoder_flat[v->bias->offset + i] += s->d_moments[j * wide + i];
  for (int64_t k = count; k-- > 0;)
    hn_tape_backward_from(&segment[k].tape, segment[k].moments,
                          s->d_moments + (segment[k].from + 1) * n * wide);
}

/* ---- latents ---- */

/* Where latent k's posterior lies in moments or their gradient. */
static float *posterior_of(const VaribadShard *s, float *moments, int64_t k) {
  return moments + (s->terms.time[k] * s->terms.n + k % s->terms.n) * 2 * s->v->d;
}

static void draw_latents(VaribadShard *s) {
  const Varibad *v = s->v;
  const HnHost *host = v->host;
  int64_t d = v->d, K = s->terms.K, n = s->terms.n, latents = K * n;
  float *own = varibad_zeros(v, K * d);
  s->noise = host->scratch(host, latents * d, sizeof *s->noise);
  s->z = host->scratch(host, latents * d, sizeof *s->z), s->dz = varibad_zeros(v, latents * d);
  for (int64_t j = 0; j < n; j++) {
    if (v->p->draw_latent) hn_normals(&s->rng[j], K * d, own);
    for (int64_t k = 0; k < K; k++)
      memcpy(s->noise + (k * n + j) * d, own + k * d, (size_t)d * sizeof *own);
  }
  for (int64_t k = 0; k < latents; k++) {
    const float *m = posterior_of(s, s->moments, k);
    for (int64_t j = 0; j < d; j++) s->z[k * d + j] = 0.5f * m[d + j];
  }
  hn_vec_exp(latents * d, s->z, s->z);
  for (int64_t k = 0; k < latents; k++) {
    const float *m = posterior_of(s, s->moments, k);
    for (int64_t j = k * d; j < (k + 1) * d; j++)
      s->noise[j] *= s->z[j], s->z[j] = m[j - k * d] + s->noise[j];
  }
}

/* Adds the gradient of latents to that of their moments. */
static void latents_backward(const VaribadShard *s) {
  int64_t d = s->v->d;
  for (int64_t k = 0; k < s->terms.K * s->terms.n; k++) {
    float *g = posterior_of(s, s->d_moments, k);
    for (int64_t j = 0; j < d; j++)
      g[j] += s->dz[k * d + j], g[d + j] += 0.5f * s->dz[k * d + j] * s->noise[k * d + j];
  }
}

/* ---- KL ---- */

double varibad_kl(int64_t d, const float *q, const float *p, const float *e, float weight,
                  float *dq, float *dp) {
  double sum = 0;
  for (int64_t j = 0; j < d; j++) {
    float mean = p ? p[j] : 0, logvar = p ? p[d + j] : 0;
    float apart = q[j] - mean, scaled = apart * e[d + j], square = apart * scaled;
    sum += 0.5 * ((double)(logvar - q[d + j]) - 1 + (double)e[j] + (double)square);
    dq[j] += weight * scaled, dq[d + j] += weight * 0.5f * (e[j] - 1);
    if (dp) dp[j] -= weight * scaled, dp[d + j] += weight * 0.5f * (1 - e[j] - square);
  }
  return sum;
}

/* The KL divergence of every posterior from its prior, as often as it was drawn. */
static double kl_all(const VaribadShard *s) {
  const Varibad *v = s->v;
  const VaribadTerms *x = &s->terms;
  int64_t d = v->d, n = x->n, count = (x->T + 1) * n;
  float *weight = varibad_zeros(v, count), *e = v->host->scratch(v->host, count * 2 * d, 4);
  bool standard = v->p->prior == VARIBAD_PRIOR_STANDARD;
  for (int64_t k = 0; k < x->K * n; k++)
    if (x->time[k] <= x->length[k % n]) weight[x->time[k] * n + k % n] += (float)x->weight[k % n];
  for (int64_t i = 0; i < count; i++)
    for (int64_t j = 0; j < d; j++) {
      bool first = standard || i < n;
      float logvar = first ? 0 : s->moments[(i - n) * 2 * d + d + j];
      e[i * 2 * d + j] = s->moments[i * 2 * d + d + j] - logvar, e[i * 2 * d + d + j] = -logvar;
    }
  hn_vec_exp(count * 2 * d, e, e);
  double sum = 0;
  for (int64_t i = 0; i < count; i++) {
    if (!(weight[i] > 0)) continue;
    const float *p = standard || i < n ? NULL : s->moments + (i - n) * 2 * d;
    float *dp = p && v->p->prior == VARIBAD_PRIOR_PREVIOUS ? s->d_moments + (i - n) * 2 * d : NULL;
    sum += (double)weight[i] * varibad_kl(d, s->moments + i * 2 * d, p, e + i * 2 * d,
                                          (float)v->p->kl_weight * weight[i],
                                          s->d_moments + i * 2 * d, dp);
  }
  return sum;
}

/* ---- one shard ---- */

static void decode(const VaribadShard *s, double *parts) {
  const Varibad *v = s->v;
  HnTape t = hn_tape_begin(v->host, true);
  HnVar *z = hn_leaf(&t, s->terms.K * s->terms.n, v->d, s->z, s->dz);
  parts[VARIBAD_PART_REWARD] = varibad_decode_reward(&s->terms, z, s->decoder_flat);
  parts[VARIBAD_PART_STATE] = varibad_decode_state(&s->terms, z, s->decoder_flat);
  parts[VARIBAD_PART_TASK] = varibad_decode_task(&s->terms, z, s->decoder_flat);
}

HnStatus varibad_train_shard(void *arg, int64_t index) {
  const VaribadBatch *b = arg;
  const Varibad *v = b->v;
  int64_t from = index * b->shard_size, left = b->trials - from;
  VaribadShard s = varibad_open_shard(b, from, left < b->shard_size ? left : b->shard_size);
  s.encoder_flat = b->encoder_flat + index * v->encoder.size;
  s.decoder_flat = b->decoder_flat + index * v->decoders.size;
  double *parts = b->parts + index * VARIBAD_PARTS;
  memset(s.encoder_flat, 0, (size_t)v->encoder.size * sizeof(float));
  memset(s.decoder_flat, 0, (size_t)v->decoders.size * sizeof(float));
  int64_t most = v->p->truncate ? b->steps / v->p->truncate + 1 : 1;
  VaribadSegment *segment = v->host->scratch(v->host, most, sizeof *segment);
  int64_t count = varibad_encode_shard(&s, segment);
  memset(parts, 0, VARIBAD_PARTS * sizeof *parts);
  if (v->mixture.K > 1) {
    varibad_mixture_shard(&s, count, segment, parts);
    return HN_OK;
  }
  draw_latents(&s);
  decode(&s, parts);
  latents_backward(&s);
  parts[VARIBAD_PART_KL] = v->p->kl_weight > 0 ? kl_all(&s) : 0;
  encode_backward(&s, count, segment);
  return HN_OK;
}

/* ppo_shard.h - the loss on one shard of a minibatch, and its gradient. */
#ifndef PPO_SHARD_H
#define PPO_SHARD_H
#include "../common/actor_critic.c"

/* ---- the lesson, made ready ---- */

/* Arrays are by place t * B + i; inputs are normalised. */
typedef struct Window {
  const HnHistory *h;
  bool point;                /* acted on samples, but the loss sees the point belief */
  int64_t count, S;          /* T * B; samples of a belief that the loss sees, at least 1 */
  const float *obs, *belief; /* [count, O], [count, S, D] */
  const float *raw;          /* [T+1, B, S, D] belief before it is normalised */
  float *advantage, *target; /* [count] */
  float *logp, *value;       /* [count] of the policy before this lesson */
  double *belief_scale;      /* [D] d(normalised belief)/d(belief) */
  double advantage_mean, advantage_stddev;
  double explained; /* variance of the targets; NaN where they have none */
} Window;

/* Sums over elements. */
typedef struct Sums {
  double policy, value, entropy, kl, ratio, clipped;
} Sums;

/* A pass over n elements of a window. */
typedef struct Job {
  const Ppo *m;
  const Window *w;
  int64_t n, size;      /* elements; of them, in a shard */
  const int64_t *place; /* [n] */
  const float *fresh;   /* [n, S, D] beliefs computed anew; NULL: the window's own */
  float *d_fresh;       /* their gradient, out */
  double centre, scale; /* standardise advantages */
  float *flat;          /* [shards, store.size] gradients */
  Sums *sums;           /* [shards] */
} Job;

/* Shards of a minibatch are a power of two, so that 2 or 4 workers have as much to do each, and
 * equally large.  Activations of 128 rows stay in the second-level cache; below 32 rows the
 * products are not worth a worker's while. */
enum { SHARD_MOST = 128, SHARD_LEAST = 32, SHARDS = 64 };

static int64_t shard_size(int64_t n) {
  int64_t shards = 1;
  while (shards < SHARDS && n > shards * SHARD_MOST) shards *= 2;
  if (shards == 1 && n >= 2 * SHARD_LEAST) shards = 2;
  return (n + shards - 1) / shards;
}
static int64_t shard_count(int64_t n) {
  return (n + shard_size(n) - 1) / shard_size(n);
}

/* Room that is about to be filled, where a tape's would be zeroed first. */
static float *blank(const HnTape *t, int64_t count) {
  return t->host->scratch(t->host, count, sizeof(float));
}

static float *gather(const HnTape *t, const float *x, int64_t width, const int64_t *place,
                     int64_t n) {
  float *y = blank(t, n * width);
  for (int64_t k = 0; k < n; k++)
    memcpy(y + k * width, x + place[k] * width, (size_t)width * sizeof(float));
  return y;
}

/* The network's answer to a shard's elements; `beliefs` receives [S] gradients [n, D] of the
 * normalised beliefs where these were computed anew. */
static Answer answer_shard(const Job *j, HnTape *t, int64_t from, int64_t n, int asked, float *flat,
                           HnVar ***beliefs) {
  const Ppo *m = j->m;
  const Window *w = j->w;
  const int64_t *place = j->place + from;
  int64_t D = m->D, S = w->S;
  HnVar *obs = m->O > 0 ? hn_constant(t, n, m->O, gather(t, w->obs, m->O, place, n)) : NULL;
  HnVar **b = *beliefs = hn_tape_room(t, S, sizeof *b); /* NULLs where there is no belief */
  for (int64_t s = 0; s < S && D > 0; s++) {
    float *x = blank(t, n * D);
    if (j->fresh) {
      normalise(&m->belief_norm, m->p->normalise_belief, n, D, j->fresh + (from * S + s) * D, S * D,
                x);
      b[s] = hn_leaf(t, n, D, x, j->d_fresh ? hn_tape_room(t, n * D, sizeof(float)) : NULL);
    } else {
      for (int64_t k = 0; k < n; k++)
        memcpy(x + k * D, w->belief + (place[k] * S + s) * D, (size_t)D * sizeof(float));
      b[s] = hn_constant(t, n, D, x);
    }
  }
  return answer(m, t, obs, b, S, asked, flat);
}

/* Log-density of a uniform mixture from its S parts', [n, 1] each. */
static HnVar *mixture(const HnThisParams *p, HnTape *t, int64_t S, HnVar *const *part) {
  if (S == 1) return part[0];
  HnVar *top = part[0], *sum = NULL;
  if (p->upstream_mixture) {
    for (int64_t s = 1; s < S; s++) top = hn_add(t, top, part[s]);
    return hn_affine(t, top, 1 / (float)S, 0);
  }
  /* the largest is taken out first: densities underflow */
  for (int64_t s = 1; s < S; s++) top = hn_max(t, top, part[s]);
  top = hn_stop(t, top);
  for (int64_t s = 0; s < S; s++) {
    HnVar *ratio = hn_exp(t, hn_sub(t, part[s], top));
    sum = sum ? hn_add(t, sum, ratio) : ratio;
  }
  return hn_add(t, hn_log(t, hn_affine(t, sum, 1 / (float)S, 0)), top);
}

/* Log-density [n, 1] of what was done at n places. */
static HnVar *log_density(const Job *j, HnTape *t, const Answer *y, int64_t from, int64_t n) {
  const Ppo *m = j->m;
  const HnHistory *h = j->w->h;
  const int64_t *place = j->place + from;
  int64_t S = j->w->S, A = m->A;
  int32_t *action_index = hn_tape_room(t, n, sizeof *action_index);
  float *move = m->discrete ? NULL : blank(t, n * A);
  for (int64_t k = 0; k < n; k++) {
    const float *raw = h->aux + place[k] * m->N + NOTE_RAW;
    if (m->discrete)
      action_index[k] = h->action_index[place[k]];
    else
      memcpy(move + k * A, m->p->squash == SQUASH_SAMPLE ? raw : h->action + place[k] * A,
             (size_t)A * sizeof(float));
  }
  HnVar **part = hn_tape_room(t, S, sizeof *part);
  for (int64_t s = 0; s < S; s++)
    part[s] = m->discrete                     ? hn_categorical_logp(t, y->out[s], action_index)
              : m->p->squash == SQUASH_SAMPLE ? hn_tanh_normal_logp(t, y->out[s], y->logstd, move)
                                              : hn_normal_logp(t, y->out[s], y->logstd, move);
  return mixture(m->p, t, S, part);
}

/* The policy before this lesson, at the job's places. */
static HnStatus look_back(void *arg, int64_t k) {
  const Job *j = arg;
  int64_t from = k * j->size, n = j->n - from < j->size ? j->n - from : j->size;
  HnTape t = hn_tape_begin(j->m->host, false);
  HnVar **beliefs;
  const Window *w = j->w;
  Answer y = answer_shard(j, &t, from, n, w->point ? VALUES : ACTIONS | VALUES, NULL, &beliefs);
  if (!w->point)
    memcpy(w->logp + from, log_density(j, &t, &y, from, n)->data, (size_t)n * sizeof(float));
  memcpy(w->value + from, y.value->data, (size_t)n * sizeof(float));
  return HN_OK;
}

/* ---- one shard of a minibatch ---- */

/* Sum over the shard of max(error(v), error(v_old + clip(v - v_old))). */
static HnVar *value_loss(const HnThisParams *p, HnTape *t, HnVar *value, HnVar *old,
                         HnVar *target) {
  float clip = (float)p->value_clip, huber = (float)p->huber;
  HnVar *near = clip > 0 ? hn_add(t, hn_clamp(t, hn_sub(t, value, old), -clip, clip), old) : NULL;
  HnVar *v[2] = {value, near}, *loss[2] = {NULL, NULL};
  for (int k = 0; k < 2 && v[k]; k++)
    loss[k] = huber > 0 ? hn_huber(t, v[k], target, huber)
                        : hn_affine(t, hn_square(t, hn_sub(t, v[k], target)), 0.5f, 0);
  return hn_sum(t, near ? hn_max(t, loss[0], loss[1]) : loss[0]);
}

/* Sum over the shard of the entropy; of a mixture the mean of its parts', a lower bound. */
static HnVar *entropy_sum(const Ppo *m, HnTape *t, const Answer *y, int64_t S, int64_t n) {
  if (!m->discrete) return hn_affine(t, hn_sum(t, hn_normal_entropy(t, y->logstd)), (float)n, 0);
  HnVar *sum = NULL;
  for (int64_t s = 0; s < S; s++) {
    HnVar *part = hn_sum(t, hn_categorical_entropy(t, y->out[s]));
    sum = sum ? hn_add(t, sum, part) : part;
  }
  return S > 1 ? hn_affine(t, sum, 1 / (float)S, 0) : sum;
}

/* Back through the normaliser: d_fresh from the gradients of the normalised beliefs. */
static void return_gradient(const Job *j, HnVar *const *beliefs, int64_t from, int64_t n) {
  int64_t D = j->m->D, S = j->w->S;
  bool clips = j->m->p->normalise_belief;
  for (int64_t k = 0; k < n; k++)
    for (int64_t s = 0; s < S; s++) {
      const float *x = beliefs[s]->data + k * D, *g = beliefs[s]->grad + k * D;
      float *to = j->d_fresh + ((from + k) * S + s) * D;
      for (int64_t d = 0; d < D; d++)
        to[d] =
            clips && fabsf(x[d]) >= INPUT_CLIP ? 0 : (float)((double)g[d] * j->w->belief_scale[d]);
    }
}

static HnStatus shard(void *arg, int64_t index) {
  const Job *j = arg;
  const Ppo *m = j->m;
  const HnThisParams *p = m->p;
  const Window *w = j->w;
  int64_t from = index * j->size, n = j->n - from < j->size ? j->n - from : j->size;
  const int64_t *place = j->place + from;
  float *flat = j->flat + index * m->store.size, mean = 1 / (float)j->n;
  memset(flat, 0, (size_t)m->store.size * sizeof(float));

  HnTape t = hn_tape_begin(m->host, true);
  HnVar **beliefs;
  Answer y = answer_shard(j, &t, from, n, ACTIONS | VALUES, flat, &beliefs);
  HnVar *old = hn_constant(&t, n, 1, gather(&t, w->logp, 1, place, n));
  float *standard = gather(&t, w->advantage, 1, place, n);
  for (int64_t k = 0; k < n; k++)
    standard[k] = (float)(((double)standard[k] - j->centre) * j->scale);
  HnVar *advantage = hn_constant(&t, n, 1, standard);

  /* Schulman et al. 2017, equation 7 */
  HnVar *change = hn_sub(&t, log_density(j, &t, &y, from, n), old), *ratio = hn_exp(&t, change);
  HnVar *near = hn_clamp(&t, ratio, (float)(1 - p->clip), (float)(1 + p->clip));
  HnVar *gain = hn_sum(&t, hn_min(&t, hn_mul(&t, ratio, advantage), hn_mul(&t, near, advantage)));
  HnVar *value = p->upstream_critic ? hn_stop(&t, y.value) : y.value;
  HnVar *error = value_loss(p, &t, value, hn_constant(&t, n, 1, gather(&t, w->value, 1, place, n)),
                            hn_constant(&t, n, 1, gather(&t, w->target, 1, place, n)));
  HnVar *entropy = entropy_sum(m, &t, &y, w->S, n);
  HnVar *loss = hn_add(&t, hn_affine(&t, gain, -mean, 0),
                       hn_add(&t, hn_affine(&t, error, (float)p->value_weight * mean, 0),
                              hn_affine(&t, entropy, -(float)p->entropy * mean, 0)));
  hn_tape_backward(&t, loss);
  if (j->d_fresh) return_gradient(j, beliefs, from, n);

  Sums sums = {.policy = -(double)gain->data[0],
               .value = (double)error->data[0],
               .entropy = (double)entropy->data[0]};
  for (int64_t k = 0; k < n; k++) {
    double r = (double)ratio->data[k];
    sums.ratio += r, sums.clipped += fabs(r - 1) > p->clip;
    sums.kl += r - 1 - (double)change->data[k];
  }
  j->sums[index] = sums;
  return HN_OK;
}
#endif

/* loss.c - the losses of critics, actor and temperature, and their gradients. */
#include "../common/shards.h"
#include "sac.h"
#include <math.h>
#include <string.h>

#define HALF_LOG_2PI 0.91893853320467274178

typedef struct Pass {
  Sac *m;
  const SacBatch *b;
  const SacWork *w;
} Pass;

SacWork sac_work_begin(const Sac *m, int64_t n) {
  int64_t actor = m->actor_store.size, critic = m->critic_store.size, shards = shard_count(n);
  int64_t most = actor > critic ? actor : critic;
  return (SacWork){.flat = m->host->scratch(m->host, shards * most, sizeof(float)),
                   .sums = m->host->scratch(m->host, shards, sizeof(SacSums))};
}

/* The gradient of shard k of a store, cleared. */
static float *clear_flat(const Pass *p, const HnStore *store, int64_t k) {
  return memset(p->w->flat + k * store->size, 0, (size_t)store->size * sizeof(float));
}

/* Elements from .. from + n - 1 of a minibatch, on a tape. */
typedef struct Shard {
  HnTape t;
  int64_t from, n;
} Shard;

static Shard shard_begin(const Pass *p, int64_t k) {
  const int64_t size = shard_size(p->b->n), from = k * size, left = p->b->n - from;
  return (Shard){
      .t = hn_tape_begin(p->m->host, true), .from = from, .n = left < size ? left : size};
}

static HnVar *constant(Shard *x, const float *data, int64_t width) {
  return width ? hn_constant(&x->t, x->n, width, data + x->from * width) : NULL;
}

/* ---- the critics' target ---- */

/* alpha times the entropy of the policy at what follows, plus the value of what it does there, by
 * the target critics; [n, 1]. */
static HnVar *soft_value(const Sac *m, Shard *x, const SacBatch *b, float alpha) {
  HnTape *t = &x->t;
  HnVar *in = sac_input(t, constant(x, b->next_obs, m->O), constant(x, b->next_belief, m->D));
  SacPolicy pi = sac_actor(m, t, in, NULL);
  HnVar *action = NULL, *u = NULL;
  if (!m->discrete) {
    u = hn_normal_sample(t, pi.mean, pi.logstd, b->next_noise + x->from * m->A);
    action = hn_activate(t, u, HN_TANH);
  }
  HnVar *q = hn_min(t, sac_critic(m, t, &m->target[0], in, action, NULL),
                    sac_critic(m, t, &m->target[1], in, action, NULL));
  if (m->discrete)
    return hn_add(t, hn_sum_columns(t, hn_mul(t, hn_softmax(t, pi.mean), q)),
                  hn_affine(t, hn_categorical_entropy(t, pi.mean), alpha, 0));
  HnVar *logp = hn_tanh_normal_logp(t, pi.mean, pi.logstd, u->data);
  return hn_sub(t, q, hn_affine(t, logp, alpha, 0));
}

/* y = r + discount * soft value [n, 1]: Haarnoja et al. 2019, equations 2 and 3. */
static HnVar *bellman_target(const Sac *m, Shard *x, const SacBatch *b) {
  float *y = hn_tape_room(&x->t, x->n, sizeof *y);
  HnVar *next = soft_value(m, x, b, expf(m->log_alpha->data[0]));
  for (int64_t i = 0; i < x->n; i++)
    y[i] = b->reward[x->from + i] + b->discount[x->from + i] * next->data[i];
  return hn_constant(&x->t, x->n, 1, y);
}

/* ---- critics ---- */

static HnStatus critic_shard(void *arg, int64_t k) {
  const Pass *p = arg;
  const Sac *m = p->m;
  const SacBatch *b = p->b;
  Shard x = shard_begin(p, k);
  HnTape *t = &x.t;
  float *flat = clear_flat(p, &m->critic_store, k);
  HnVar *y = bellman_target(m, &x, b), *belief = NULL, *action = constant(&x, b->action, m->A);
  if (m->D)
    belief = hn_leaf(t, x.n, m->D, b->belief + x.from * m->D,
                     b->d_belief ? b->d_belief + x.from * m->D : NULL);
  HnVar *in = sac_input(t, constant(&x, b->obs, m->O), belief), *error[2], *q[2];
  for (int j = 0; j < 2; j++) {
    q[j] = sac_critic(m, t, &m->critic[j], in, action, flat);
    if (m->discrete) q[j] = hn_sum_columns(t, hn_mul(t, q[j], action)); /* of what was done */
    error[j] = hn_square(t, hn_sub(t, q[j], y));
  }
  HnVar *sum = hn_sum(t, hn_add(t, error[0], error[1]));
  SacSums *s = &p->w->sums[k];
  *s = (SacSums){.critic_loss = 0.5 * (double)sum->data[0]};
  for (int64_t i = 0; i < x.n; i++) s->q += 0.5 * ((double)q[0]->data[i] + (double)q[1]->data[i]);
  hn_tape_backward(t, hn_affine(t, sum, 0.5f / (float)b->n, 0));
  return HN_OK;
}

static HnStatus require_finite(const Sac *m, double loss, const char *what) {
  if (isfinite(loss)) return HN_OK;
  return m->host->fail(m->host, HN_E_NUMERIC, "the loss of the %s is %g", what, loss);
}

HnStatus sac_critic_gradient(Sac *m, const SacWork *w, const SacBatch *b, SacSums *sums) {
  int64_t shards = shard_count(b->n);
  Pass p = {m, b, w};
  HnStatus status = m->host->parallel(m->host, shards, critic_shard, &p);
  if (status) return status;
  hn_store_reduce(&m->critic_store, shards, w->flat);
  double loss = 0;
  for (int64_t k = 0; k < shards; k++) loss += w->sums[k].critic_loss, sums->q += w->sums[k].q;
  sums->critic_loss += loss;
  return require_finite(m, loss, "critics");
}

void sac_critic_step(Sac *m) {
  const SacParams *p = m->p;
  hn_adam_step(&m->critic_store, &(HnAdam){p->critic_lr, 0.9, 0.999, p->adam_eps, 0}, 1, 1);
}

/* ---- actor and temperature ---- */

/* log pi [n, 1] of tanh(u), u = mean + exp(logstd) noise, whose gradient by the mean is that of
 * tanh alone: Haarnoja et al. 2018, appendix C. */
static HnVar *reparameterised_logp(const Sac *m, Shard *x, const SacBatch *b, HnVar *logstd,
                                   HnVar *u) {
  HnTape *t = &x->t;
  float *c = hn_tape_room(t, x->n, sizeof *c);
  const float *noise = b->noise + x->from * m->A;
  for (int64_t i = 0; i < x->n; i++) {
    double sum = 0;
    for (int64_t j = 0; j < m->A; j++) sum += (double)(noise[i * m->A + j] * noise[i * m->A + j]);
    c[i] = (float)(-0.5 * sum - (double)m->A * HALF_LOG_2PI);
  }
  HnVar *volume = hn_add(t, hn_sum_columns(t, logstd), hn_tanh_log_slope(t, u));
  return hn_sub(t, hn_constant(t, x->n, 1, c), volume);
}

static HnStatus actor_shard(void *arg, int64_t k) {
  const Pass *p = arg;
  const Sac *m = p->m;
  const SacBatch *b = p->b;
  Shard x = shard_begin(p, k);
  HnTape *t = &x.t;
  float alpha = expf(m->log_alpha->data[0]);
  HnVar *in = sac_input(t, constant(&x, b->obs, m->O), constant(&x, b->belief, m->D));
  SacPolicy pi = sac_actor(m, t, in, clear_flat(p, &m->actor_store, k));
  HnVar *action = NULL, *u = NULL, *entropy, *value;
  if (!m->discrete) {
    u = hn_normal_sample(t, pi.mean, pi.logstd, b->noise + x.from * m->A);
    action = hn_activate(t, u, HN_TANH);
  }
  HnVar *q = hn_min(t, sac_critic(m, t, &m->critic[0], in, action, NULL),
                    sac_critic(m, t, &m->critic[1], in, action, NULL));
  if (m->discrete) { /* Christodoulou 2019, equation 12 */
    entropy = hn_sum(t, hn_categorical_entropy(t, pi.mean));
    value = hn_sum(t, hn_mul(t, hn_softmax(t, pi.mean), q));
  } else { /* Haarnoja et al. 2019, equation 7 */
    entropy = hn_affine(t, hn_sum(t, reparameterised_logp(m, &x, b, pi.logstd, u)), -1, 0);
    value = hn_sum(t, q);
  }
  HnVar *loss = hn_affine(t, hn_add(t, hn_affine(t, entropy, alpha, 0), value), -1, 0);
  p->w->sums[k] =
      (SacSums){.actor_loss = (double)loss->data[0], .entropy = (double)entropy->data[0]};
  hn_tape_backward(t, hn_affine(t, loss, 1 / (float)b->n, 0));
  return HN_OK;
}

HnStatus sac_actor_gradient(Sac *m, const SacWork *w, const SacBatch *b, SacSums *sums) {
  int64_t shards = shard_count(b->n);
  double entropy = 0, loss = 0;
  Pass p = {m, b, w};
  HnStatus status = m->host->parallel(m->host, shards, actor_shard, &p);
  if (status) return status;
  hn_store_reduce(&m->actor_store, shards, w->flat);
  for (int64_t k = 0; k < shards; k++) loss += w->sums[k].actor_loss, entropy += w->sums[k].entropy;
  sums->actor_loss += loss, sums->entropy += entropy;
  /* by log alpha: equation 18 */
  double alpha = exp((double)m->log_alpha->data[0]);
  m->log_alpha->grad[0] += (float)(alpha * (entropy / (double)b->n - m->target_entropy));
  return require_finite(m, loss, "actor");
}

void sac_actor_step(Sac *m) {
  const SacParams *p = m->p;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, 0};
  hn_adam_step(&m->actor_store, &adam, 1, 1);
  if (p->tune_ent_coef) hn_adam_step(&m->alpha_store, &adam, 1, 1);
  m->log_alpha->grad[0] = 0;
  hn_store_mix(&m->target_store, &m->critic_store, p->tau);
}

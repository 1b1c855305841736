/* loss.c - PPO's loss on one shard of a minibatch, and its gradients. */
#include "ppo.h"
#include <math.h>
#include <string.h>

Mixture ppo_mixture(const Ppo *m, const Heads *heads, int64_t S) {
  return (Mixture){.heads = heads,
                   .S = S,
                   .A = m->net.A,
                   .squash = m->p->squash == SQUASH_SAMPLE,
                   .mean_logp = m->p->upstream_mixture};
}

/* ---- one shard ---- */

/* Elements `from` to `from + n` of a minibatch, on a tape. */
typedef struct Shard {
  const PpoMinibatch *mb;
  HnTape t;
  int64_t from, n;
  const int64_t *place;
  HnVar **belief; /* [S] of [n, D], normalised */
  Heads heads;
  Mixture policy;
} Shard;

/* Room that is about to be filled, where a tape's would be zeroed first. */
static float *blank(const HnTape *t, int64_t count) {
  return t->host->scratch(t->host, count, sizeof(float));
}

/* Rows of x [.., width] at the shard's places. */
static float *gather(const Shard *x, const float *from, int64_t width) {
  float *y = blank(&x->t, x->n * width);
  for (int64_t k = 0; k < x->n; k++)
    memcpy(y + k * width, from + x->place[k] * width, (size_t)width * sizeof(float));
  return y;
}

static HnVar *gather_column(Shard *x, const float *from) {
  return hn_constant(&x->t, x->n, 1, gather(x, from, 1));
}

/* Beliefs of the shard: leaves with gradients where they were inferred anew. */
static void take_beliefs(Shard *x) {
  const PpoMinibatch *mb = x->mb;
  int64_t D = mb->m->net.D, S = mb->batch->S, n = x->n;
  x->belief = hn_tape_room(&x->t, S, sizeof *x->belief); /* NULLs where there is no belief */
  for (int64_t s = 0; s < S && D > 0; s++) {
    float *y = blank(&x->t, n * D);
    if (mb->belief) {
      actor_critic_normalise_belief(&mb->m->net, n, mb->belief + (x->from * S + s) * D, S * D, y);
      float *grad = mb->d_belief ? hn_tape_room(&x->t, n * D, sizeof *grad) : NULL;
      x->belief[s] = hn_leaf(&x->t, n, D, y, grad);
    } else {
      for (int64_t k = 0; k < n; k++)
        memcpy(y + k * D, mb->batch->belief + (x->place[k] * S + s) * D, (size_t)D * sizeof(float));
      x->belief[s] = hn_constant(&x->t, n, D, y);
    }
  }
}

/* Runs the networks on shard k, for the heads asked for; flat as in actor_critic_forward.  x must
 * not move afterwards. */
static void shard_begin(Shard *x, const PpoMinibatch *mb, int64_t k, int asked, float *flat) {
  const Ppo *m = mb->m;
  int64_t from = k * mb->shard_size, left = mb->n - from;
  *x = (Shard){.mb = mb,
               .t = hn_tape_begin(m->host, flat != NULL),
               .from = from,
               .n = left < mb->shard_size ? left : mb->shard_size,
               .place = mb->place + from};
  HnVar *obs = NULL;
  if (m->net.O > 0) obs = hn_constant(&x->t, x->n, m->net.O, gather(x, mb->batch->obs, m->net.O));
  take_beliefs(x);
  x->heads = actor_critic_forward(&m->net, &x->t, obs, x->belief, mb->batch->S, asked, flat);
  x->policy = ppo_mixture(m, &x->heads, mb->batch->S);
}

/* Log-density [n, 1] of what was done. */
static HnVar *log_density(Shard *x) {
  const Ppo *m = x->mb->m;
  const HnHistory *h = x->mb->batch->h;
  int64_t A = m->net.A;
  if (m->net.discrete) {
    int32_t *action_index = hn_tape_room(&x->t, x->n, sizeof *action_index);
    for (int64_t k = 0; k < x->n; k++) action_index[k] = h->action_index[x->place[k]];
    return mixture_logp(&x->policy, &x->t, action_index, NULL);
  }
  float *u = blank(&x->t, x->n * A);
  for (int64_t k = 0; k < x->n; k++) {
    int64_t at = x->place[k];
    const float *raw = h->aux + at * m->aux_dim + AUX_RAW;
    memcpy(u + k * A, x->policy.squash ? raw : h->action + at * A, (size_t)A * sizeof(float));
  }
  return mixture_logp(&x->policy, &x->t, NULL, u);
}

HnStatus ppo_shard_old_policy(void *arg, int64_t k) {
  const PpoMinibatch *mb = arg;
  const PpoBatch *batch = mb->batch;
  Shard x;
  shard_begin(&x, mb, k, batch->point ? HEADS_VALUE : HEADS_ACTION | HEADS_VALUE, NULL);
  if (!batch->point)
    memcpy(batch->logp + x.from, log_density(&x)->data, (size_t)x.n * sizeof(float));
  memcpy(batch->value + x.from, x.heads.value->data, (size_t)x.n * sizeof(float));
  return HN_OK;
}

/* ---- the loss ---- */

/* Sum over the shard of max(error(v), error(v_old + clip(v - v_old))). */
static HnVar *value_loss(const PpoParams *p, HnTape *t, HnVar *value, HnVar *old, HnVar *target) {
  float clip = (float)p->clip_range_vf, huber = (float)p->huber;
  HnVar *near = clip > 0 ? hn_add(t, hn_clamp(t, hn_sub(t, value, old), -clip, clip), old) : NULL;
  HnVar *v[2] = {value, near}, *loss[2] = {NULL, NULL};
  for (int k = 0; k < 2 && v[k]; k++)
    loss[k] = huber > 0 ? hn_huber(t, v[k], target, huber)
                        : hn_affine(t, hn_square(t, hn_sub(t, v[k], target)), 0.5f, 0);
  return hn_sum(t, near ? hn_max(t, loss[0], loss[1]) : loss[0]);
}

static HnVar *standardised_advantage(Shard *x) {
  const PpoMinibatch *mb = x->mb;
  float *a = gather(x, mb->batch->advantage, 1);
  for (int64_t k = 0; k < x->n; k++)
    a[k] = (float)(((double)a[k] - mb->advantage_mean) * mb->advantage_scale);
  return hn_constant(&x->t, x->n, 1, a);
}

HnStatus ppo_shard_loss(void *arg, int64_t k) {
  const PpoMinibatch *mb = arg;
  const PpoParams *p = mb->m->p;
  const PpoBatch *batch = mb->batch;
  int64_t size = mb->m->net.store.size, S = batch->S, D = mb->m->net.D;
  float *flat = mb->flat + k * size, mean = 1 / (float)mb->n;
  memset(flat, 0, (size_t)size * sizeof(float));
  Shard x;
  shard_begin(&x, mb, k, HEADS_ACTION | HEADS_VALUE, flat);
  HnTape *t = &x.t;
  HnVar *old = gather_column(&x, batch->logp), *advantage = standardised_advantage(&x);

  /* Schulman et al. 2017, equation 7 */
  HnVar *change = hn_sub(t, log_density(&x), old), *ratio = hn_exp(t, change);
  HnVar *near = hn_clamp(t, ratio, (float)(1 - p->clip_range), (float)(1 + p->clip_range));
  HnVar *gain = hn_sum(t, hn_min(t, hn_mul(t, ratio, advantage), hn_mul(t, near, advantage)));
  HnVar *value = p->upstream_critic ? hn_stop(t, x.heads.value) : x.heads.value;
  HnVar *error =
      value_loss(p, t, value, gather_column(&x, batch->value), gather_column(&x, batch->target));
  HnVar *entropy = mixture_entropy_sum(&x.policy, t, x.n);
  HnVar *loss = hn_add(t, hn_affine(t, gain, -mean, 0),
                       hn_add(t, hn_affine(t, error, (float)p->vf_coef * mean, 0),
                              hn_affine(t, entropy, -(float)p->ent_coef * mean, 0)));
  hn_tape_backward(t, loss);
  for (int64_t s = 0; s < S && mb->d_belief; s++)
    actor_critic_normalise_belief_backward(&mb->m->net, x.n, x.belief[s]->data, x.belief[s]->grad,
                                           mb->d_belief + (x.from * S + s) * D, S * D);

  PpoSums *sums = &mb->sums[k];
  *sums = (PpoSums){.policy = -(double)gain->data[0],
                    .value = (double)error->data[0],
                    .entropy = (double)entropy->data[0]};
  for (int64_t i = 0; i < x.n; i++) {
    double r = (double)ratio->data[i];
    sums->ratio += r, sums->clipped += fabs(r - 1) > p->clip_range;
    sums->kl += r - 1 - (double)change->data[i];
  }
  return HN_OK;
}

/* learner.c - PPO's creation, acting and updates.
 *
 * Posterior samples: the policy is the uniform mixture of its answers to each, the value their
 * mean.  The loss sees the same samples; or, as the Laplace VRNN trains, the point belief alone,
 * with the mixture's density of what was done, stored when it was done, below the ratio. */
#include "../common/shards.h"
#include "ppo.h"
#include <math.h>
#include <string.h>

const HnColumn ppo_metrics[] = {PPO_METRICS(HN_COLUMN_){NULL, NULL, NULL, 0}};
const HnColumn ppo_info[] = {PPO_INFO(HN_COLUMN_){NULL, NULL, NULL, 0}};

HnStatus ppo_create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Ppo *m = self;
  m->p = params, m->host = host;
  HnStatus status = actor_critic_create(&m->net, host, params, spec);
  if (status) return status;
  m->return_norm = hn_normaliser_make(host, "return_norm", 1);
  m->return_so_far = host->keep(
      host, HN_ARRAY("return_so_far", HN_LEARNER, HN_F64, .rank = 1, .dim = {spec->rows}));
  m->aux_dim = AUX_RAW + (m->p->squash == SQUASH_SAMPLE ? m->net.A : 0);
  if (m->p->loss_belief == LOSS_BELIEF_POINT && spec->samples > 0 && m->net.D > 0)
    m->logp_at = m->aux_dim++;
  spec->aux_dim = m->aux_dim;
  spec->row_size = 0, spec->phases = 1;
  return HN_OK;
}

static int64_t at_least_one(int64_t samples) {
  return samples > 1 ? samples : 1;
}

/* ---- acting ---- */

/* Values that neither the loss nor the caller will read are left out: 0 in aux. */
HnStatus ppo_act(void *self, HnActBatch *a) {
  const Ppo *m = self;
  const HnHost *host = m->host;
  int64_t S = at_least_one(a->samples), A = m->net.A;
  bool valued = !m->logp_at || a->info;
  HnTape t = hn_tape_begin(host, false);
  Heads heads = actor_critic_forward_raw(&m->net, &t, a->rows, a->obs, a->belief, S,
                                         valued ? HEADS_ACTION | HEADS_VALUE : HEADS_ACTION);
  Mixture policy = ppo_mixture(m, &heads, S);
  double *work = hn_tape_room(&t, A > S ? A : S, sizeof *work);
  for (int64_t i = 0; i < a->rows; i++) {
    HnRng *rng = a->rng ? &a->rng[i] : NULL;
    float value = valued ? heads.value->data[i] : 0, *aux = a->aux + i * m->aux_dim;
    float *action = m->net.discrete ? NULL : a->action + i * A;
    if (!isfinite(value))
      return host->fail(host, HN_E_NUMERIC, "the value of row %lld is %g", (long long)i,
                        (double)value);
    aux[AUX_VALUE] = value;
    if (a->info) a->info[i * PPO_INFOS + info_value] = value;
    if (m->net.discrete)
      a->action_index[i] = mixture_act_discrete(&policy, i, rng, work);
    else
      mixture_act(&policy, i, rng, action, aux + AUX_RAW);
    if (!m->logp_at) continue;
    double logp = mixture_logp_of(&policy, i, m->net.discrete ? a->action_index[i] : 0,
                                  policy.squash ? aux + AUX_RAW : action, work);
    if (!isfinite(logp))
      return host->fail(host, HN_E_NUMERIC, "the log-density of row %lld's action is %g",
                        (long long)i, logp);
    aux[m->logp_at] = (float)logp;
  }
  return HN_OK;
}

HnStatus ppo_divergence(void *self, int64_t n, const float *obs, const float *belief_a,
                        const float *belief_b, int64_t samples, float *kl) {
  const Ppo *m = self;
  const int64_t S = at_least_one(samples);
  HnTape t = hn_tape_begin(m->host, false);
  Heads a = actor_critic_forward_raw(&m->net, &t, n, obs, belief_a, S, HEADS_ACTION);
  Heads b = actor_critic_forward_raw(&m->net, &t, n, obs, belief_b, S, HEADS_ACTION);
  Mixture p = ppo_mixture(m, &a, S), q = ppo_mixture(m, &b, S);
  for (int64_t i = 0; i < n; i++) kl[i] = (float)mixture_kl(&p, &q, i);
  return HN_OK;
}

/* ---- the batch, made ready ---- */

static float *floats(const Ppo *m, int64_t count) {
  return m->host->scratch(m->host, count, sizeof(float));
}

static HnStatus open_batch(const Ppo *m, const HnTrainBatch *l, PpoBatch *b) {
  const HnHistory *h = l->phase[0];
  bool point = m->logp_at > 0;
  int64_t n = h->steps * h->rows;
  *b = (PpoBatch){.h = h,
                  .point = point,
                  .count = n,
                  .S = point ? 1 : at_least_one(h->samples),
                  .raw_belief = h->belief,
                  .advantage = floats(m, n),
                  .target = floats(m, n),
                  .logp = floats(m, n),
                  .value = floats(m, n)};
  if (!point) return HN_OK;
  float *belief = floats(m, (n + h->rows) * m->net.D);
  b->raw_belief = belief;
  return l->infer(l, h, 0, belief);
}

/* Rewards to advantages and targets, by the values that were acted with; where the loss sees the
 * point belief, by those of that belief. */
static void estimate_advantages(Ppo *m, PpoBatch *b) {
  const HnHistory *h = b->h;
  const PpoParams *p = m->p;
  int64_t n = b->count, B = h->rows;
  float *reward = floats(m, n), *value = floats(m, n + B);
  const ReturnRule rule = {p->gamma, p->gae_lambda, p->episode_boundary == BOUNDARY_TERMINAL,
                           p->time_limit_bootstrap};
  if (p->normalise_reward)
    advantage_scale_rewards(&rule, h, &m->return_norm, m->return_so_far, reward);
  else
    memcpy(reward, h->reward, (size_t)n * sizeof(float));
  for (int64_t k = 0; k < n; k++)
    value[k] = b->point ? b->value[k] : h->aux[k * m->aux_dim + AUX_VALUE];
  HnTape t = hn_tape_begin(m->host, false);
  const float *belief = m->net.D > 0 ? b->raw_belief + n * b->S * m->net.D : NULL;
  Heads last =
      actor_critic_forward_raw(&m->net, &t, B, h->obs + n * m->net.O, belief, b->S, HEADS_VALUE);
  memcpy(value + n, last.value->data, (size_t)B * sizeof(float));
  advantage_gae(&rule, h, reward, value, b->advantage, b->target);

  b->advantages = advantage_moments(b->advantage, NULL, n); /* advantage = target - value */
  b->explained = advantage_explained(advantage_moments(b->target, NULL, n), b->advantages);
}

/* Input statistics take the batch in; then what the policy was, seen through the new ones, so that
 * ratios start at exactly 1 (at the density acted by, where the loss sees another belief). */
static HnStatus evaluate_old_policy(Ppo *m, PpoBatch *b) {
  int64_t n = b->count;
  b->obs = actor_critic_take_in_obs(&m->net, n, b->h->obs);
  b->belief = actor_critic_take_in_belief(&m->net, n * b->S, b->raw_belief);
  for (int64_t k = 0; k < n && b->point; k++) b->logp[k] = b->h->aux[k * m->aux_dim + m->logp_at];
  int64_t *place = m->host->scratch(m->host, n, sizeof *place);
  for (int64_t k = 0; k < n; k++) place[k] = k;
  PpoMinibatch all = {.m = m, .batch = b, .n = n, .shard_size = shard_size(n), .place = place};
  return m->host->parallel(m->host, shard_count(n), ppo_shard_old_policy, &all);
}

/* ---- learning ---- */

/* Work space and running figures of one update. */
typedef struct Update {
  bool through;                  /* minibatches of sequences, through the inference */
  bool ordered;                  /* one minibatch of all: its order does not matter .. */
  bool at_hand;                  /* .. and the point beliefs just inferred serve its first epoch */
  int64_t units, count, largest; /* sequences or places; minibatches; elements of the largest */
  int64_t *order, *place;        /* [units], [largest] */
  float *belief, *d_belief;      /* [T+1, rows, S, D] if through */
  float *flat;                   /* [shards, store.size] */
  PpoSums *shard_sums, sums;     /* [shards]; of the update */
  double rate, norm, kl, elements; /* kl: of this epoch */
  int64_t steps;
} Update;

static Update begin_update(const Ppo *m, const HnTrainBatch *l, const PpoBatch *b) {
  const HnHistory *h = b->h;
  const HnHost *host = m->host;
  Update u = {.through = HN_CAN(l, backward) && m->net.D > 0};
  int64_t T = h->steps;
  u.units = u.through ? h->rows : b->count;
  u.count = m->p->n_minibatches < u.units ? m->p->n_minibatches : u.units;
  u.ordered = u.at_hand = u.through && b->point && u.count == 1;
  int64_t most = (u.units + u.count - 1) / u.count;
  u.largest = u.through ? most * T : most;
  u.order = host->scratch(host, u.units, sizeof *u.order);
  u.place = host->scratch(host, u.largest, sizeof *u.place);
  if (u.through) {
    int64_t size = (T + 1) * most * b->S * m->net.D;
    u.belief = floats(m, size), u.d_belief = floats(m, size);
  }
  int64_t shards = shard_count(u.largest);
  u.flat = floats(m, shards * m->net.store.size);
  u.shard_sums = host->scratch(host, shards, sizeof *u.shard_sums);
  double before = (double)(l->frames - b->count); /* the first update steps at full rate */
  u.rate = 1;
  const int64_t total = m->p->anneal ? l->frames_total(l) : 0;
  if (total > 0) u.rate = fmin(1, fmax(0, 1 - before / (double)total));
  for (int64_t k = 0; k < u.units; k++) u.order[k] = k;
  return u;
}

/* Turns a minibatch of `n` sequences into one of their elements, with beliefs under the current
 * weights. */
static HnStatus infer_beliefs(const Ppo *m, const HnTrainBatch *l, const PpoBatch *b, Update *u,
                              int64_t n, const int64_t *row, PpoMinibatch *mb) {
  int64_t T = b->h->steps, B = b->h->rows, width = b->S * m->net.D;
  HnStatus status;
  if (!u->at_hand &&
      (status = l->infer(l, l->rows(l, 0, n, row), b->point ? 0 : b->h->samples, u->belief)))
    return status;
  for (int64_t t = 0; t < T; t++)
    for (int64_t i = 0; i < n; i++) u->place[t * n + i] = t * B + row[i];
  memset(u->d_belief + T * n * width, 0, (size_t)(n * width) * sizeof(float));
  mb->n = T * n, mb->place = u->place, mb->d_belief = u->d_belief;
  mb->belief = u->at_hand ? b->raw_belief : u->belief;
  u->at_hand = false;
  return HN_OK;
}

static void log_once(const Ppo *m, bool *logged, int64_t n, const char *what, const char *instead) {
  if (!*logged)
    m->host->log(m->host, "all advantages of a %s of size %lld are equal: %s (logged once)", what,
                 (long long)n, instead);
  *logged = true;
}

/* Equal advantages have no deviation to standardise by, and without their mean nothing would be
 * learnt from them. */
static void standardise(Ppo *m, const PpoBatch *b, PpoMinibatch *mb) {
  mb->advantage_mean = 0, mb->advantage_scale = 1;
  if (m->p->advantages == ADVANTAGES_NONE) return;
  Moments a = b->advantages;
  if (a.stddev == 0) {
    log_once(m, &m->logged_batch, b->count, "batch", "not standardised");
    return;
  }
  if (m->p->advantages == ADVANTAGES_MINIBATCH) {
    Moments own = advantage_moments(b->advantage, mb->place, mb->n);
    if (own.stddev == 0)
      log_once(m, &m->logged_minibatch, mb->n, "minibatch", "standardised over the batch");
    else
      a = own;
  }
  mb->advantage_mean = a.mean, mb->advantage_scale = 1 / (a.stddev + 1e-8);
}

/* Gradients of one minibatch, of `n` units; norm2 of the inference's part. */
static HnStatus add_gradients(Ppo *m, const HnTrainBatch *l, const PpoBatch *b, Update *u,
                              int64_t n, const int64_t *unit, double *norm2) {
  PpoMinibatch mb = {
      .m = m, .batch = b, .n = n, .place = unit, .flat = u->flat, .sums = u->shard_sums};
  HnStatus status;
  if (u->through && (status = infer_beliefs(m, l, b, u, n, unit, &mb))) return status;
  standardise(m, b, &mb);
  mb.shard_size = shard_size(mb.n);
  int64_t shards = shard_count(mb.n);
  if ((status = m->host->parallel(m->host, shards, ppo_shard_loss, &mb))) return status;
  hn_store_reduce(&m->net.store, shards, u->flat);
  for (int64_t k = 0; k < shards; k++) {
    const PpoSums *s = &u->shard_sums[k];
    u->sums.policy += s->policy, u->sums.value += s->value, u->sums.entropy += s->entropy;
    u->sums.kl += s->kl, u->sums.ratio += s->ratio, u->sums.clipped += s->clipped;
    u->kl += s->kl;
  }
  u->elements += (double)mb.n;
  return u->through ? l->backward(l, u->d_belief, norm2) : HN_OK;
}

/* One pass over the batch in a new order. */
static HnStatus run_epoch(Ppo *m, const HnTrainBatch *l, const PpoBatch *b, Update *u) {
  const PpoParams *p = m->p;
  HnStore *store = &m->net.store;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, p->weight_decay};
  for (int64_t k = u->units - 1; k > 0 && !u->ordered; k--) {
    int64_t other = hn_rng_below(l->rng, k + 1), unit = u->order[k];
    u->order[k] = u->order[other], u->order[other] = unit;
  }
  u->kl = 0;
  for (int64_t k = 0; k < u->count; k++) {
    int64_t from = k * u->units / u->count, to = (k + 1) * u->units / u->count;
    double norm2 = 0;
    HnStatus status = add_gradients(m, l, b, u, to - from, u->order + from, &norm2);
    if (status) return status;
    double own = hn_store_norm2(store);
    if (!isfinite(norm2 + own))
      return m->host->fail(m->host, HN_E_NUMERIC, "the gradient is not finite");
    if (p->max_grad_value > 0)
      hn_store_clamp(store, p->max_grad_value), own = hn_store_norm2(store);
    norm2 += own;
    double scale = hn_clip_scale(norm2, p->max_grad_norm);
    hn_adam_step(store, &adam, scale, u->rate);
    if (u->through && (status = l->step(l, scale, u->rate))) return status;
    u->norm += sqrt(norm2), u->steps++;
  }
  return HN_OK;
}

static void report(const Ppo *m, const PpoBatch *b, const Update *u, int64_t epochs) {
  const PpoParams *p = m->p;
  const HnHost *host = m->host;
  const PpoSums *s = &u->sums;
  double n = u->elements;
  host->metric(host, metric_loss,
               (s->policy + p->vf_coef * s->value - p->ent_coef * s->entropy) / n);
  host->metric(host, metric_policy_loss, s->policy / n);
  host->metric(host, metric_value_loss, s->value / n);
  host->metric(host, metric_entropy, s->entropy / n);
  host->metric(host, metric_approx_kl, s->kl / n);
  host->metric(host, metric_ratio, s->ratio / n);
  host->metric(host, metric_clip_fraction, s->clipped / n);
  if (isfinite(b->explained)) host->metric(host, metric_explained_variance, b->explained);
  host->metric(host, metric_advantage_stddev, b->advantages.stddev);
  host->metric(host, metric_grad_norm, u->norm / (double)u->steps);
  host->metric(host, metric_epochs, (double)epochs);
  host->metric(host, metric_lr, p->lr * u->rate);
}

HnStatus ppo_learn(void *self, const HnTrainBatch *l) {
  Ppo *m = self;
  hn_store_refresh(&m->net.store);
  PpoBatch b;
  HnStatus status = open_batch(m, l, &b);
  if (status) return status;
  if (!b.point) estimate_advantages(m, &b);
  if ((status = evaluate_old_policy(m, &b))) return status;
  if (b.point) estimate_advantages(m, &b);

  Update u = begin_update(m, l, &b);
  int64_t epoch = 0;
  while (epoch < m->p->n_epochs) {
    if ((status = run_epoch(m, l, &b, &u))) return status;
    epoch++;
    if (m->p->target_kl > 0 && u.kl > m->p->target_kl * (u.elements / (double)epoch)) break;
  }
  report(m, &b, &u, epoch);
  return HN_OK;
}

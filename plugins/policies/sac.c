/* Soft actor-critic on (observation, belief): off-policy, from a replay of whole trials.
 *
 * After a first phase of uniform actions, each environment step is paid for with updates_per_step
 * updates of a minibatch: critics, then actor and temperature, then target critics.  A transition
 * that ends in a terminal state has no value after it; one that a time limit ends, be it that of
 * its trial, has that of the observation that it led to.
 *
 * Beliefs are those that were acted on, or are inferred anew for each minibatch.  Then the critics'
 * loss trains an inference that has a backward pass, as PEARL trains its encoder.
 *
 * With posterior samples the policy acts on one of them, and each replayed step on one drawn anew;
 * greedy, it takes the mean of what it would do on each.
 *
 * Source: Haarnoja et al. 2018, 2019; discrete actions: Christodoulou 2019. */
#include "sac/sac.h"
#include <math.h>
#include <string.h>

HN_PARAMS_OF(SacParams, SAC_PARAMS);

#define METRICS(X)                                                                        \
  X(critic_loss, "", "Half the squared error of the critics, summed over both.", HN_MEAN) \
  X(actor_loss, "", "Temperature times log-density, minus value.", HN_MEAN)               \
  X(q, "", "Mean of both critics on what was done.", HN_MEAN)                             \
  X(entropy, "nats", "Entropy of the policy on replayed observations.", HN_MEAN)          \
  X(ent_coef, "", "Temperature alpha after the iteration.", HN_MEAN)                      \
  X(updates, "", "Updates of the iteration.", HN_MEAN)                                    \
  X(replay_trials, "", "Finished trials in the replay.", HN_MEAN)
HN_METRICS(METRICS);

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Sac *m = self;
  m->p = params, m->host = host;
  m->O = spec->obs_dim, m->D = spec->belief_dim;
  m->discrete = spec->action_count > 0;
  m->A = m->discrete ? spec->action_count : spec->action_dim;
  m->samples = spec->samples, m->S = spec->samples > 1 ? spec->samples : 1;
  HnStatus status = sac_networks_create(m, spec->rng);
  if (status) return status;
  sac_replay_create(m, spec);
  m->steps_seen = host->keep(
      host, HN_ARRAY("steps_seen", HN_WEIGHT, HN_I64, .rank = 1, .dim = {1}, .end = INT64_MAX));
  spec->aux_dim = 0, spec->row_size = 0, spec->phases = 1;
  return HN_OK;
}

/* ---- acting ---- */

static void act_uniformly(const Sac *m, const HnActBatch *a) {
  for (int64_t i = 0; i < a->rows; i++) {
    if (m->discrete) a->action_index[i] = (int32_t)hn_rng_below(&a->rng[i], m->A);
    for (int64_t k = 0; k < m->A && !m->discrete; k++)
      a->action[i * m->A + k] = (float)hn_rng_uniform(&a->rng[i], -1, 1);
  }
}

/* What the actor says to each row and sample. */
static SacPolicy ask_actor(const Sac *m, HnTape *t, const HnActBatch *a, int64_t S) {
  int64_t n = a->rows * S, O = m->O, D = m->D;
  float *obs = hn_tape_room(t, n * O, sizeof *obs),
        *belief = hn_tape_room(t, n * D, sizeof *belief);
  for (int64_t k = 0; k < n && O; k++)
    memcpy(obs + k * O, a->obs + k / S * O, (size_t)O * sizeof *obs);
  if (D) memcpy(belief, a->belief, (size_t)(n * D) * sizeof *belief);
  sac_normalise(&m->obs_norm, n, obs), sac_normalise(&m->belief_norm, n, belief);
  HnVar *o = O ? hn_constant(t, n, O, obs) : NULL, *b = D ? hn_constant(t, n, D, belief) : NULL;
  return sac_actor(m, t, sac_input(t, o, b), NULL);
}

/* An index from the softmaxes' mean over S rows of logits, or its mode; p [A] work. */
static int32_t choose_index(const Sac *m, int64_t S, const float *logit, HnRng *rng, double *p) {
  int64_t A = m->A;
  memset(p, 0, (size_t)A * sizeof *p);
  for (int64_t s = 0; s < S; s++, logit += A) {
    double top = (double)logit[0], sum = 0;
    for (int64_t k = 1; k < A; k++) top = fmax(top, (double)logit[k]);
    for (int64_t k = 0; k < A; k++) sum += exp((double)logit[k] - top);
    for (int64_t k = 0; k < A; k++) p[k] += exp((double)logit[k] - top) / (sum * (double)S);
  }
  int32_t best = 0;
  if (rng) {
    double u = hn_rng_uniform(rng, 0, 1);
    while (best < A - 1 && (u -= p[best]) >= 0) best++;
  } else
    for (int32_t k = 1; k < A; k++) best = p[k] > p[best] ? k : best;
  return best;
}

static HnStatus act(void *self, HnActBatch *a) {
  const Sac *m = self;
  int64_t A = m->A, S = a->samples > 1 && m->D ? a->samples : 1;
  if (a->rng && *m->steps_seen < m->p->learning_starts) {
    act_uniformly(m, a);
    return HN_OK;
  }
  HnTape t = hn_tape_begin(m->host, false);
  SacPolicy pi = ask_actor(m, &t, a, S);
  double *p = hn_tape_room(&t, A, sizeof *p);
  for (int64_t i = 0; i < a->rows; i++) {
    HnRng *rng = a->rng ? &a->rng[i] : NULL;
    const float *mean = pi.mean->data + i * S * A;
    if (m->discrete) {
      a->action_index[i] = choose_index(m, S, mean, rng, p);
      continue;
    }
    int64_t s = rng && S > 1 ? hn_rng_below(rng, S) : 0;
    for (int64_t k = 0; k < A; k++) {
      double u = 0;
      if (rng)
        u = (double)mean[s * A + k] +
            exp((double)pi.logstd->data[(i * S + s) * A + k]) * hn_rng_normal(rng);
      for (int64_t j = 0; j < S && !rng; j++) u += (double)mean[j * A + k] / (double)S;
      a->action[i * A + k] = (float)tanh(u);
    }
  }
  return HN_OK;
}

/* ---- learning ---- */

/* Statistics of inputs and the replay take the window in. */
static HnStatus take_in(Sac *m, const HnHistory *h) {
  int64_t n = h->steps * h->rows;
  if (m->obs_norm.n) hn_normaliser_update(&m->obs_norm, n, h->obs, m->O);
  if (m->belief_norm.n) hn_normaliser_update(&m->belief_norm, n * m->S, h->belief, m->D);
  *m->steps_seen += n;
  return hn_trial_replay_append(&m->replay, h);
}

/* Updates owed for the last n steps, those after learning_starts. */
static int64_t updates_due(const Sac *m, int64_t n) {
  const SacParams *p = m->p;
  int64_t after = *m->steps_seen - p->learning_starts, before = after - n;
  if (after <= 0 || !hn_trial_replay_count(&m->replay)) return 0;
  return (int64_t)floor(p->updates_per_step * (double)after) -
         (int64_t)floor(p->updates_per_step * (double)(before > 0 ? before : 0));
}

static HnStatus update(Sac *m, const HnTrainBatch *l, const SacWork *w, SacDraw *d, SacSums *sums) {
  SacBatch b;
  HnStatus status = sac_draw(m, l, d, &b);
  if (!status) status = sac_critic_gradient(m, w, &b, sums);
  if (status) return status;
  if (b.d_belief) {
    double norm2 = 0;
    if ((status = sac_draw_backward(m, l, d, &b, &norm2))) return status;
    if ((status = l->step(l, 1, 1))) return status;
  }
  sac_critic_step(m);
  if ((status = sac_actor_gradient(m, w, &b, sums))) return status;
  sac_actor_step(m);
  return HN_OK;
}

static void report(const Sac *m, const SacSums *s, int64_t updates) {
  const HnHost *host = m->host;
  double n = (double)(updates * m->p->batch_size);
  host->metric(host, metric_updates, (double)updates);
  host->metric(host, metric_replay_trials, (double)hn_trial_replay_count(&m->replay));
  host->metric(host, metric_ent_coef, exp((double)m->log_alpha->data[0]));
  if (!updates) return;
  host->metric(host, metric_critic_loss, s->critic_loss / n);
  host->metric(host, metric_actor_loss, s->actor_loss / n);
  host->metric(host, metric_q, s->q / n);
  host->metric(host, metric_entropy, s->entropy / n);
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Sac *m = self;
  HnStore *stores[] = {&m->actor_store, &m->critic_store, &m->target_store};
  for (int k = 0; k < 3; k++) hn_store_refresh(stores[k]);
  const HnHistory *h = l->phase[0];
  HnStatus status = take_in(m, h);
  if (status) return status;
  bool stored = m->p->replay_belief == REPLAY_STORED, through = HN_CAN(l, backward) && m->D > 0;
  if (through && stored && !m->logged)
    m->host->log(m->host,
                 "replay_belief is stored: the critics' loss does not train the inference");
  m->logged = true;
  SacDraw d;
  SacWork w = sac_work_begin(m, m->p->batch_size);
  SacSums sums = {0};
  sac_draw_begin(m, &d, through);
  int64_t due = updates_due(m, h->steps * h->rows);
  for (int64_t k = 0; k < due; k++)
    if ((status = update(m, l, &w, &d, &sums))) return status;
  report(m, &sums, due);
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act, .learn = learn};
HN_PLUGIN(sac, HN_KIND_POLICY, Sac, &methods, .version = "0.1", .license = "MIT",
          .metrics = hn_this_metrics,
          .summary = "Soft actor-critic, off-policy, on replayed or anew inferred beliefs.",
          .source = "arXiv 1812.05905; discrete actions: arXiv 1910.07207");

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
#include "common/mixture.h"
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

/* What the actor says to sample s of each row's belief. */
static SacPolicy ask_actor(const Sac *m, HnTape *t, const HnActBatch *a, int64_t s, int64_t S) {
  int64_t n = a->rows, O = m->O, D = m->D;
  float *obs = hn_tape_room(t, n * O, sizeof *obs);
  float *belief = hn_tape_room(t, n * D, sizeof *belief);
  if (O) memcpy(obs, a->obs, (size_t)(n * O) * sizeof *obs);
  for (int64_t i = 0; i < n && D; i++)
    memcpy(belief + i * D, a->belief + (i * S + s) * D, (size_t)D * sizeof *belief);
  sac_normalise(&m->obs_norm, n, obs), sac_normalise(&m->belief_norm, n, belief);
  HnVar *o = O ? hn_constant(t, n, O, obs) : NULL, *b = D ? hn_constant(t, n, D, belief) : NULL;
  return sac_actor(m, t, sac_input(t, o, b), NULL);
}

/* Row i draws from one of the Gaussians before tanh, or takes their mean. */
static void act_continuously(const Sac *m, const HnActBatch *a, const SacPolicy *pi, int64_t S,
                             int64_t i) {
  HnRng *rng = a->rng ? &a->rng[i] : NULL;
  int64_t A = m->A, s = rng && S > 1 ? hn_rng_below(rng, S) : 0;
  for (int64_t k = i * A; k < (i + 1) * A; k++) {
    double u = 0;
    if (rng)
      u = (double)pi[s].mean->data[k] + exp((double)pi[s].logstd->data[k]) * hn_rng_normal(rng);
    for (int64_t j = 0; j < S && !rng; j++) u += (double)pi[j].mean->data[k] / (double)S;
    a->action[k] = (float)tanh(u);
  }
}

static HnStatus act(void *self, HnActBatch *a) {
  const Sac *m = self;
  int64_t S = a->samples > 1 && m->D ? a->samples : 1;
  if (a->rng && *m->steps_seen < m->p->learning_starts) {
    act_uniformly(m, a);
    return HN_OK;
  }
  HnTape t = hn_tape_begin(m->host, false);
  SacPolicy *pi = hn_tape_room(&t, S, sizeof *pi);
  Heads heads = {.action = hn_tape_room(&t, S, sizeof *heads.action)};
  const Mixture mixture = {.heads = &heads, .S = S, .A = m->A};
  double *work = hn_tape_room(&t, m->A, sizeof *work);
  for (int64_t s = 0; s < S; s++) {
    pi[s] = ask_actor(m, &t, a, s, S);
    heads.action[s] = pi[s].mean;
  }
  for (int64_t i = 0; i < a->rows; i++)
    if (m->discrete)
      a->action_index[i] = mixture_act_discrete(&mixture, i, a->rng ? &a->rng[i] : NULL, work);
    else
      act_continuously(m, a, pi, S, i);
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

/* networks.c - the actor, the twin critics and the copies that they bootstrap from. */
#include "sac.h"
#include <math.h>

enum { INPUT_CLIP = 10 };

static HnStatus check(const Sac *m) {
  const SacParams *p = m->p;
  const HnHost *host = m->host;
  if (m->A < 1) return host->fail(host, HN_E_SHAPE, "the environment takes no actions");
  if (m->O + m->D < 1)
    return host->fail(host, HN_E_SHAPE, "there is neither an observation nor a belief to act on");
  if (p->log_std_low > p->log_std_high)
    return host->fail(host, HN_E_PARAM, "log_std_low (%g) must not be above log_std_high (%g)",
                      p->log_std_low, p->log_std_high);
  return HN_OK;
}

HnStatus sac_networks_create(Sac *m, HnRng *rng) {
  const SacParams *p = m->p;
  const HnHost *host = m->host;
  HnStatus status = check(m);
  if (status) return status;
  int64_t width[HN_MLP_MAX + 1], layers = hn_widths(p->hidden, HN_MLP_MAX - 1, width + 1);
  if (layers < 0)
    return host->fail(host, HN_E_PARAM, "hidden '%s': expected 1 to %d widths, such as '256 256'",
                      p->hidden, HN_MLP_MAX - 1);
  const HnActivation act = p->activation == SAC_TANH ? HN_TANH : HN_RELU;
  int64_t top = layers + 1, inputs = m->O + m->D;
  width[0] = inputs, width[top] = m->discrete ? m->A : 2 * m->A;
  hn_store_begin(&m->actor_store, host, "");
  m->actor =
      hn_mlp_make(&m->actor_store, "actor", top, width, act, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, rng);
  width[0] = m->discrete ? inputs : inputs + m->A, width[top] = m->discrete ? m->A : 1;
  hn_store_begin(&m->critic_store, host, "critic.");
  hn_store_begin_target(&m->target_store, host, "target.");
  for (int k = 0; k < 2; k++) {
    const char *name = k ? "second" : "first";
    m->critic[k] =
        hn_mlp_make(&m->critic_store, name, top, width, act, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, rng);
    m->target[k] =
        hn_mlp_make(&m->target_store, name, top, width, act, HN_LINEAR, HN_INIT_ZERO, 0, 0, rng);
  }
  hn_store_mix(&m->target_store, &m->critic_store, 1);
  hn_store_begin(&m->alpha_store, host, "temperature.");
  m->log_alpha =
      hn_store_add(&m->alpha_store, "log_alpha", 1, 1, HN_INIT_CONSTANT, log(p->ent_coef), rng);
  m->target_entropy = m->discrete ? p->target_entropy_discrete * log((double)m->A)
                                  : p->target_entropy * (double)m->A;
  if (p->normalise_obs && m->O) m->obs_norm = hn_normaliser_make(host, "obs_norm", m->O);
  if (p->normalise_belief && m->D) m->belief_norm = hn_normaliser_make(host, "belief_norm", m->D);
  return HN_OK;
}

HnVar *sac_input(HnTape *t, HnVar *obs, HnVar *belief) {
  return !belief ? obs : !obs ? belief : hn_concat(t, 2, (HnVar *const[]){obs, belief});
}

SacPolicy sac_actor(const Sac *m, HnTape *t, HnVar *x, float *flat) {
  HnVar *y = hn_mlp(t, &m->actor, x, flat);
  if (m->discrete) return (SacPolicy){.mean = y};
  const SacParams *p = m->p;
  return (SacPolicy){.mean = hn_columns(t, y, 0, m->A),
                     .logstd = hn_clamp(t, hn_columns(t, y, m->A, m->A), (float)p->log_std_low,
                                        (float)p->log_std_high)};
}

HnVar *sac_critic(const Sac *m, HnTape *t, const HnMlp *critic, HnVar *x, HnVar *action,
                  float *flat) {
  if (!m->discrete) x = hn_concat(t, 2, (HnVar *const[]){x, action});
  return hn_mlp(t, critic, x, flat);
}

void sac_normalise(const HnNormaliser *z, int64_t rows, float *x) {
  if (z->n) hn_normaliser_apply(z, rows, x, z->n, INPUT_CLIP, x, z->n);
}

void sac_normalise_backward(const HnNormaliser *z, int64_t rows, const float *x, float *d) {
  for (int64_t j = 0; j < z->n; j++) {
    double scale = 1 / hn_normaliser_stddev(z, j);
    for (int64_t k = j; k < rows * z->n; k += z->n)
      d[k] = fabsf(x[k]) >= INPUT_CLIP ? 0 : (float)((double)d[k] * scale);
  }
}

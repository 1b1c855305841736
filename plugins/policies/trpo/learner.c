/* learner.c - see learner.h. */
#include "learner.h"
#include <string.h>

HnStatus learner_create(Learner *m, const HnHost *host, const ActorCriticParams *p,
                        HnPolicySpec *spec) {
  m->host = host, m->net.actor_only = true;
  if (spec->samples > 1)
    return host->fail(host, HN_E_UNSUPPORTED,
                      "mixtures over posterior samples have no divergence in closed form; set "
                      "run.samples to 0 or 1, or take ppo");
  if (spec->trains_inference && spec->belief_dim > 0)
    return host->fail(host, HN_E_UNSUPPORTED,
                      "the inference learns through the policy's loss, and this policy passes no "
                      "gradient on: it would stay as it is; take ppo, or set run.stop_gradient");
  HnStatus status = actor_critic_create(&m->net, host, p, spec);
  if (status) return status;
  m->obs_dim = spec->obs_dim;
  m->aux_dim = AUX_RAW + (p->squash == SQUASH_SAMPLE ? m->net.A : 0);
  spec->aux_dim = m->aux_dim, spec->row_size = 0, spec->phases = 1;
  return HN_OK;
}

void learner_act(const Learner *m, HnReuse *memory, const ActorCritic *net, HnActBatch *a,
                 int64_t first, int64_t rows) {
  const int64_t A = net->A, S = a->samples > 1 ? a->samples : 1;
  hn_reuse_reset(memory);
  HnTape t = hn_tape_begin(&memory->host, false);
  const Heads heads = actor_critic_forward_raw(net, &t, rows, a->obs + first * m->obs_dim,
                                               a->belief + first * S * net->D, S, HEADS_ACTION);
  const Mixture policy = {
      .heads = &heads, .S = S, .A = A, .squash = net->p->squash == SQUASH_SAMPLE};
  double *work = hn_tape_room(&t, A, sizeof *work);
  for (int64_t i = 0; i < rows; i++) {
    const int64_t k = first + i;
    HnRng *rng = a->rng ? &a->rng[k] : NULL;
    float *aux = a->aux + k * m->aux_dim;
    aux[AUX_TIME] = (float)(m->trials ? a->trial_step[k] : a->episode_step[k]);
    if (net->discrete)
      a->action_index[k] = mixture_act_discrete(&policy, i, rng, work);
    else
      mixture_act(&policy, i, rng, a->action + k * A, aux + AUX_RAW);
  }
}

/* ---- reading ---- */

/* Where in the window element k stands. */
static int64_t place_of(const Elements *e, int64_t k) {
  if (e->row < 0) return hn_at(e->h, e->from + k / e->h->rows, k % e->h->rows);
  return hn_at(e->h, e->from + k, e->row);
}

void learner_read(const Learner *m, const Elements *e, Sample *s) {
  const ActorCritic *net = &m->net;
  const HnHistory *h = e->h;
  const int64_t A = net->A;
  const size_t bytes = (size_t)A * sizeof(float);
  for (int64_t k = 0; k < s->n; k++) {
    const int64_t at = place_of(e, k);
    if (s->obs)
      actor_critic_normalise_obs(net, 1, h->obs + at * m->obs_dim, m->obs_dim, s->obs + k * net->O);
    if (s->belief)
      actor_critic_normalise_belief(net, 1, h->belief + at * net->D, net->D,
                                    s->belief + k * net->D);
    if (s->action_index) s->action_index[k] = h->action_index[at];
    if (!s->action) continue;
    const float *raw = h->aux + at * m->aux_dim + AUX_RAW;
    const bool squashed = net->p->squash == SQUASH_SAMPLE;
    memcpy(s->action + k * A, squashed ? raw : h->action + at * A, bytes);
  }
}

/* Steps that the return at observation k, which follows element `last` where it is the window's
 * last one, has been going on for. */
static float time_at(const Learner *m, const Elements *e, int64_t at, int64_t last, bool beyond) {
  const HnHistory *h = e->h;
  if (!beyond) return h->aux[at * m->aux_dim + AUX_TIME];
  const uint8_t begin = h->begin[at];
  const bool anew = begin == HN_NEW_TASK || (begin == HN_NEW_EPISODE && !m->trials);
  return anew ? 0 : h->aux[last * m->aux_dim + AUX_TIME] + 1;
}

Moments learner_advantages(const Learner *m, const HnHost *host, const ReturnRule *rule, int by,
                           const Elements *e, double *coef, float *value, Sample *s) {
  const HnHistory *h = e->h;
  const int64_t B = e->row < 0 ? h->rows : 1, n = e->steps * B, D = m->net.D, O = m->obs_dim;
  const int64_t inputs = learner_inputs(m);
  float *x = host->scratch(host, (n + B) * (inputs + 1) + n, sizeof *x);
  float *time = x + (n + B) * inputs, *reward = time + n + B;
  for (int64_t k = 0; k < n + B; k++) {
    const int64_t at = place_of(e, k);
    memcpy(x + k * inputs, h->obs + at * O, (size_t)O * sizeof *x);
    if (D > 0) memcpy(x + k * inputs + O, h->belief + at * D, (size_t)D * sizeof *x);
    time[k] = time_at(m, e, at, at - h->stride, k >= n);
    if (k < n) reward[k] = h->reward[at];
  }
  HnHistory part = *h; /* as advantage_gae reads it */
  const int64_t first = place_of(e, 0);
  part.rows = B, part.steps = e->steps;
  part.begin += first, part.truncated += first, part.terminated += first;
  linear_baseline_advantages(host, rule, &part, inputs, x, time, reward, coef, s->advantage, value);
  return advantage_standardise(by, n, s->advantage);
}

void learner_take_in(Learner *m, const HnTrainBatch *l) {
  for (int64_t k = 0; k < l->phases; k++) {
    const HnHistory *h = l->phase[k];
    actor_critic_take_in_obs(&m->net, h->steps * h->rows, h->obs);
    actor_critic_take_in_belief(&m->net, h->steps * h->rows, h->belief);
  }
}

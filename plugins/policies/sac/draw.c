/* draw.c - minibatches from the replay, and the beliefs that go with them. */
#include "sac.h"
#include <string.h>

/* ---- the replay ---- */

void sac_replay_create(Sac *m, const HnPolicySpec *spec) {
  const SacParams *p = m->p;
  int64_t length = spec->lifetime, trials = p->buffer_size / length;
  int64_t episodes = (length + spec->horizon - 1) / spec->horizon;
  const HnTrialReplayShape shape = {.buffer = trials > 1 ? trials : 1,
                                    .rows = spec->rows,
                                    .length = length,
                                    .episodes = p->trial_episodes ? p->trial_episodes : episodes,
                                    .obs_dim = m->O,
                                    .next_obs_dim = m->O,
                                    .action_dim = m->A,
                                    .belief_dim =
                                        p->replay_belief == REPLAY_STORED ? m->S * m->D : 0,
                                    .discrete = m->discrete};
  hn_trial_replay_create(&m->replay, m->host, &shape);
}

/* ---- room ---- */

static float *floats(const Sac *m, int64_t count) {
  return m->host->scratch(m->host, count, sizeof(float));
}

static int64_t *ints(const Sac *m, int64_t count) {
  return m->host->scratch(m->host, count, sizeof(int64_t));
}

void sac_draw_begin(const Sac *m, SacDraw *d, bool through) {
  const SacParams *p = m->p;
  int64_t n = p->batch_size;
  bool stored = p->replay_belief == REPLAY_STORED || !m->D;
  memset(d, 0, sizeof *d);
  hn_reuse_begin(&d->reuse, m->host, NULL, 0);
  d->S = m->S, d->trials = p->context_trials < n ? p->context_trials : n;
  d->slot = ints(m, n), d->length = ints(m, n);
  d->trial = ints(m, n), d->step = ints(m, n), d->sample = ints(m, n), d->when = ints(m, n);
  d->obs = floats(m, n * m->O), d->next_obs = floats(m, n * m->O);
  d->belief = floats(m, n * m->D), d->next_belief = floats(m, n * m->D);
  d->action = floats(m, n * m->A), d->noise = floats(m, 2 * n * m->A);
  d->reward = floats(m, n), d->discount = floats(m, n);
  if (stored) {
    d->trials = n;
    return;
  }
  d->steps = p->replay_belief == REPLAY_PREFIX ? m->replay.shape.length : p->context_steps;
  int64_t numbers = (d->steps + 1) * d->trials * m->S * m->D;
  d->inferred = floats(m, numbers);
  if (through) d->d_inferred = floats(m, numbers), d->d_belief = floats(m, n * m->D);
}

/* ---- which transitions ---- */

/* Where beliefs are inferred anew, elements are spread over few trials, whose steps share them. */
static void choose(const Sac *m, HnRng *rng, SacDraw *d) {
  const HnTrialReplay *r = &m->replay;
  int64_t n = m->p->batch_size;
  for (int64_t i = 0; i < d->trials && d->inferred; i++) d->slot[i] = hn_trial_replay_draw(r, rng);
  for (int64_t k = 0; k < n; k++) {
    if (d->inferred) {
      d->trial[k] = k % d->trials;
      d->step[k] = hn_rng_below(rng, r->steps[d->slot[d->trial[k]]]);
    } else {
      HnTransition x = hn_trial_replay_draw_transition(r, rng);
      d->trial[k] = k, d->slot[k] = x.slot, d->step[k] = x.step;
    }
    d->sample[k] = d->S > 1 ? hn_rng_below(rng, d->S) : 0;
  }
}

static void copy(const float *from, float *to, int64_t width) {
  if (width) memcpy(to, from, (size_t)width * sizeof *to);
}

/* Element k, but for its beliefs. */
static void read_element(const Sac *m, const SacDraw *d, int64_t k) {
  const HnTrialReplay *r = &m->replay;
  int64_t slot = d->slot[d->trial[k]], step = d->step[k], at = slot * r->shape.length + step;
  bool across = m->p->episode_boundary == BOUNDARY_IGNORE && step + 1 < r->steps[slot];
  copy(r->obs + at * m->O, d->obs + k * m->O, m->O);
  if (m->O)
    copy(across ? r->obs + (at + 1) * m->O : hn_trial_replay_next_obs(r, slot, step),
         d->next_obs + k * m->O, m->O);
  copy(r->action + at * m->A, d->action + k * m->A, m->A);
  d->reward[k] = r->reward[at];
  d->discount[k] = r->terminated[at] && !across ? 0 : (float)m->p->gamma;
}

/* ---- their beliefs ---- */

/* Those acted on.  What the last step of a trial led to has none, and takes that before it. */
static void read_beliefs(const Sac *m, const SacDraw *d, int64_t k) {
  const HnTrialReplay *r = &m->replay;
  int64_t slot = d->slot[k], step = d->step[k], next = step + (step + 1 < r->steps[slot]);
  const float *trial = r->belief + slot * r->shape.length * m->S * m->D + d->sample[k] * m->D;
  copy(trial + step * m->S * m->D, d->belief + k * m->D, m->D);
  copy(trial + next * m->S * m->D, d->next_belief + k * m->D, m->D);
}

static int64_t inferred_at(const Sac *m, const SacDraw *d, int64_t k, int64_t time) {
  return ((time * d->trials + d->trial[k]) * d->S + d->sample[k]) * m->D;
}

/* Steps of the first context_episodes episodes of a trial, or of all. */
static int64_t context_length(const Sac *m, int64_t slot) {
  const HnTrialReplay *r = &m->replay;
  const uint8_t *ended = r->ended + slot * r->shape.length;
  int64_t left = m->p->context_episodes;
  if (left > 0)
    for (int64_t t = 0; t < r->steps[slot]; t++)
      if (ended[t] && --left == 0) return t + 1;
  return r->steps[slot];
}

/* The trials drawn, as a window: all of each, or some steps of it in a random order. */
static HnHistory context(const Sac *m, HnRng *rng, SacDraw *d) {
  const HnTrialReplay *r = &m->replay;
  const HnHost *host = &d->reuse.host;
  bool prefix = m->p->replay_belief == REPLAY_PREFIX;
  for (int64_t i = 0; i < d->trials; i++)
    d->length[i] = prefix ? r->steps[d->slot[i]] : context_length(m, d->slot[i]);
  if (prefix) return hn_trial_replay_window(r, host, d->trials, d->slot, d->length);
  int64_t *pick = host->scratch(host, d->steps * d->trials, sizeof *pick);
  for (int64_t t = 0; t < d->steps; t++)
    for (int64_t i = 0; i < d->trials; i++)
      pick[t * d->trials + i] = hn_rng_below(rng, d->length[i]);
  return hn_trial_replay_context(r, host, d->trials, d->slot, d->steps, pick);
}

/* Beliefs under the weights of now; a transition sees that of its own time, or of as many steps of
 * the subset as were drawn for it, before and after it alike. */
static HnStatus infer_beliefs(const Sac *m, const HnTrainBatch *l, SacDraw *d) {
  const SacParams *p = m->p;
  int64_t n = p->batch_size;
  hn_reuse_reset(&d->reuse);
  HnHistory h = context(m, l->rng, d);
  bool prefix = p->replay_belief == REPLAY_PREFIX;
  HnHistory *kept = d->reuse.host.scratch(&d->reuse.host, 1, sizeof *kept);
  *kept = h; /* until the backward */
  for (int64_t k = 0; k < n; k++)
    d->when[k] = prefix            ? d->step[k]
                 : p->context_vary ? hn_rng_below(l->rng, d->steps + 1)
                                   : d->steps;
  HnStatus status = l->infer(l, kept, m->samples, d->inferred);
  if (status) return status;
  d->window = h.steps;
  for (int64_t k = 0; k < n; k++) {
    int64_t now = inferred_at(m, d, k, d->when[k]);
    int64_t next = inferred_at(m, d, k, d->when[k] + prefix);
    copy(d->inferred + now, d->belief + k * m->D, m->D);
    copy(d->inferred + next, d->next_belief + k * m->D, m->D);
  }
  return HN_OK;
}

/* ---- a minibatch ---- */

HnStatus sac_draw(const Sac *m, const HnTrainBatch *l, SacDraw *d, SacBatch *b) {
  int64_t n = m->p->batch_size;
  choose(m, l->rng, d);
  for (int64_t k = 0; k < n; k++) read_element(m, d, k);
  for (int64_t k = 0; k < n && m->D && !d->inferred; k++) read_beliefs(m, d, k);
  HnStatus status = d->inferred ? infer_beliefs(m, l, d) : HN_OK;
  if (status) return status;
  sac_normalise(&m->obs_norm, n, d->obs), sac_normalise(&m->obs_norm, n, d->next_obs);
  sac_normalise(&m->belief_norm, n, d->belief), sac_normalise(&m->belief_norm, n, d->next_belief);
  if (!m->discrete) hn_normals(l->rng, 2 * n * m->A, d->noise);
  if (d->d_belief) memset(d->d_belief, 0, (size_t)(n * m->D) * sizeof(float));
  *b = (SacBatch){.n = n,
                  .obs = d->obs,
                  .next_obs = d->next_obs,
                  .belief = d->belief,
                  .next_belief = d->next_belief,
                  .action = d->action,
                  .reward = d->reward,
                  .discount = d->discount,
                  .noise = d->noise,
                  .next_noise = d->noise + n * m->A,
                  .d_belief = d->d_belief};
  return HN_OK;
}

HnStatus sac_draw_backward(const Sac *m, const HnTrainBatch *l, SacDraw *d, const SacBatch *b,
                           double *norm2) {
  int64_t D = m->D;
  sac_normalise_backward(&m->belief_norm, b->n, b->belief, d->d_belief);
  memset(d->d_inferred, 0, (size_t)((d->window + 1) * d->trials * d->S * D) * sizeof(float));
  for (int64_t k = 0; k < b->n; k++) {
    float *to = d->d_inferred + inferred_at(m, d, k, d->when[k]);
    for (int64_t j = 0; j < D; j++) to[j] += d->d_belief[k * D + j];
  }
  return l->backward(l, d->d_inferred, norm2);
}

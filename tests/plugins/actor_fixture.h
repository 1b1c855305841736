/* actor_fixture.h - actors of the trpo library on the fake host, samples made up by hand, and a
 * naive float64 twin: a policy with at most one hidden layer of tanh, with gradients written out.
 */
#ifndef ACTOR_FIXTURE_H
#define ACTOR_FIXTURE_H
#include "../../plugins/policies/trpo/region.h"
#include "fake_host.h"
#include <glib.h>
#include <math.h>

typedef struct ActorFixture {
  FakeHost fake;
  ActorCriticParams params;
  ActorCritic net;
  HnRng rng;
} ActorFixture;

/* layers 0 or 1, of `width`; sigma below the floor: its gradient is 0. */
static inline ActorFixture *actor_fixture_new(int64_t O, int64_t actions, bool discrete,
                                              int64_t layers, int64_t width, double sigma,
                                              double floor) {
  ActorFixture *f = g_new0(ActorFixture, 1);
  const HnHost *host = fake_host_open(&f->fake);
  f->rng = hn_rng(3, 4);
  f->params = (ActorCriticParams){.see_obs = true,
                                  .hidden = "",
                                  .width = width,
                                  .layers = layers,
                                  .gain = 1,
                                  .head_gain = 1,
                                  .std_init = sigma,
                                  .std_floor = floor};
  HnPolicySpec spec = {.struct_size = sizeof spec,
                       .obs_dim = O,
                       .action_dim = discrete ? 0 : actions,
                       .action_count = discrete ? actions : 0,
                       .rows = 1,
                       .steps = 1,
                       .rng = &f->rng};
  f->net.actor_only = true;
  g_assert_cmpint(actor_critic_create(&f->net, host, &f->params, &spec), ==, HN_OK);
  return f;
}

static inline void actor_fixture_free(ActorFixture *f) {
  fake_host_close(&f->fake);
  g_free(f);
}

static inline int64_t actor_fixture_offset(const ActorFixture *f, const char *name) {
  for (int64_t k = 0; k < f->net.store.count; k++)
    if (!strcmp(f->net.store.tensor[k].name, name)) return f->net.store.tensor[k].offset;
  g_error("no tensor %s", name);
}

/* Random states, actions and advantages; of the policy that acts nothing is filled in. */
static inline Sample actor_fixture_sample(ActorFixture *f, int64_t n, uint64_t seed) {
  Sample s = actor_sample(&f->net, n);
  HnRng rng = hn_rng(seed, 9);
  for (int64_t k = 0; k < n * f->net.O; k++) s.obs[k] = (float)hn_rng_normal(&rng);
  for (int64_t k = 0; k < n; k++) {
    s.advantage[k] = (float)hn_rng_normal(&rng);
    if (s.action_index) s.action_index[k] = (int32_t)hn_rng_below(&rng, f->net.A);
    for (int64_t j = 0; j < f->net.A && s.action; j++)
      s.action[k * f->net.A + j] = (float)hn_rng_normal(&rng);
  }
  return s;
}

/* ---- the twin ---- */

enum { TWIN_WIDE = 16 };

/* Its weights in the order of the network's flat gradient. */
typedef struct Twin {
  const ActorFixture *f;
  int64_t O, H, A, P, w0, b0, w1, b1, logstd; /* H 0: no hidden layer; offsets */
} Twin;

static inline Twin twin_of(const ActorFixture *f) {
  const bool hidden = f->params.layers > 0;
  return (Twin){.f = f,
                .O = f->net.O,
                .A = f->net.A,
                .H = hidden ? f->params.width : 0,
                .P = f->net.store.size,
                .w0 = hidden ? actor_fixture_offset(f, "actor.0.weight") : 0,
                .b0 = hidden ? actor_fixture_offset(f, "actor.0.bias") : 0,
                .w1 = actor_fixture_offset(f, "action.0.weight"),
                .b1 = actor_fixture_offset(f, "action.0.bias"),
                .logstd = f->net.discrete ? -1 : actor_fixture_offset(f, "logstd")};
}

/* Hidden units [H] (the observation, if there are none) and head [A] at observation x. */
static inline void twin_forward(const Twin *z, const double *w, const float *x, double *hidden,
                                double *head) {
  const int64_t top = z->H ? z->H : z->O;
  for (int64_t j = 0; j < top; j++) {
    double sum = z->H ? w[z->b0 + j] : (double)x[j];
    for (int64_t i = 0; i < z->O && z->H; i++) sum += (double)x[i] * w[z->w0 + i * z->H + j];
    hidden[j] = z->H ? tanh(sum) : sum;
  }
  for (int64_t j = 0; j < z->A; j++) {
    head[j] = w[z->b1 + j];
    for (int64_t i = 0; i < top; i++) head[j] += hidden[i] * w[z->w1 + i * z->A + j];
  }
}

static inline void twin_softmax(const Twin *z, const double *head, double *p) {
  double sum = 0;
  for (int64_t j = 0; j < z->A; j++) sum += exp(head[j]);
  for (int64_t j = 0; j < z->A; j++) p[j] = exp(head[j]) / sum;
}

/* Log-density of step k; d_head [A] and d_logstd [A], its gradients. */
static inline double twin_logp(const Twin *z, const double *w, const Sample *s, int64_t k,
                               const double *head, double *d_head, double *d_logstd) {
  double logp = 0, p[TWIN_WIDE];
  if (z->logstd < 0) {
    twin_softmax(z, head, p);
    for (int64_t j = 0; j < z->A; j++) d_head[j] = (j == s->action_index[k]) - p[j];
    return log(p[s->action_index[k]]);
  }
  for (int64_t j = 0; j < z->A; j++) {
    const double sigma = exp(w[z->logstd + j]);
    const double d = ((double)s->action[k * z->A + j] - head[j]) / sigma;
    logp += -d * d / 2 - log(sigma) - 0.5 * log(2 * G_PI);
    d_head[j] = d / sigma, d_logstd[j] = d * d - 1;
  }
  return logp;
}

/* Loss of a sample (LOSS_LOGP, LOSS_RATIO, LOSS_CLIP), whose policy that acted had the
 * log-densities old [n]; adds scale times its gradient to grad, unless that is NULL. */
static inline double twin_loss(const Twin *z, const double *w, const Sample *s, ActorLoss loss,
                               double clip, const double *old, double scale, double *grad) {
  double sum = 0, hidden[TWIN_WIDE], head[TWIN_WIDE], d_head[TWIN_WIDE], d_logstd[TWIN_WIDE];
  const double n = (double)s->n;
  const int64_t top = z->H ? z->H : z->O;
  for (int64_t k = 0; k < s->n; k++) {
    const float *x = s->obs + k * z->O;
    const double a = (double)s->advantage[k];
    twin_forward(z, w, x, hidden, head);
    const double logp = twin_logp(z, w, s, k, head, d_head, d_logstd);
    const double ratio = loss == LOSS_LOGP ? 1 : exp(logp - old[k]);
    const double near = fmin(fmax(ratio, 1 - clip), 1 + clip);
    const bool cut = loss == LOSS_CLIP && near * a < ratio * a;
    sum -= loss == LOSS_LOGP ? logp * a / n : (cut ? near : ratio) * a / n;
    if (!grad || cut) continue;
    const double d = -scale * ratio * a / n;
    for (int64_t j = 0; j < z->A; j++) {
      grad[z->b1 + j] += d * d_head[j];
      if (z->logstd >= 0) grad[z->logstd + j] += d * d_logstd[j];
      for (int64_t i = 0; i < top; i++) grad[z->w1 + i * z->A + j] += d * d_head[j] * hidden[i];
    }
    for (int64_t i = 0; i < z->H; i++) {
      double back = 0;
      for (int64_t j = 0; j < z->A; j++) back += d * d_head[j] * w[z->w1 + i * z->A + j];
      back *= 1 - hidden[i] * hidden[i];
      grad[z->b0 + i] += back;
      for (int64_t o = 0; o < z->O; o++) grad[z->w0 + o * z->H + i] += back * (double)x[o];
    }
  }
  return sum;
}

/* Log-densities [n] of a sample under w. */
static inline void twin_densities(const Twin *z, const double *w, const Sample *s, double *logp) {
  double hidden[TWIN_WIDE], head[TWIN_WIDE], d_head[TWIN_WIDE], d_logstd[TWIN_WIDE];
  for (int64_t k = 0; k < s->n; k++) {
    twin_forward(z, w, s->obs + k * z->O, hidden, head);
    logp[k] = twin_logp(z, w, s, k, head, d_head, d_logstd);
  }
}

/* Mean KL(policy of `old` || policy of w) over a sample. */
static inline double twin_kl(const Twin *z, const double *old, const double *w, const Sample *s) {
  double sum = 0, hidden[TWIN_WIDE], before[TWIN_WIDE], now[TWIN_WIDE], p[TWIN_WIDE], q[TWIN_WIDE];
  for (int64_t k = 0; k < s->n; k++) {
    twin_forward(z, old, s->obs + k * z->O, hidden, before);
    twin_forward(z, w, s->obs + k * z->O, hidden, now);
    if (z->logstd < 0) twin_softmax(z, before, p), twin_softmax(z, now, q);
    for (int64_t j = 0; j < z->A; j++) {
      if (z->logstd < 0) {
        sum += p[j] * log(p[j] / q[j]);
        continue;
      }
      const double a = w[z->logstd + j], b = old[z->logstd + j], d = before[j] - now[j];
      sum += a - b + (exp(2 * b) + d * d) / (2 * exp(2 * a)) - 0.5;
    }
  }
  return sum / (double)s->n;
}
#endif

/* toy_policy.c - compiled once per plugin: POLICY or ADAPTER; see toy.h. */
#include "toy.h"
#include <string.h>

#define PARAMS(X) X(real, rate, "", "Step size.", 0.01, 0, 1)
HN_PARAMS(PARAMS);
#define METRICS(X) X(loss, "", "Of the surrogate.", HN_MEAN)
HN_METRICS(METRICS);
#define INFO(X) X(value, "", "Not much.", HN_MEAN)
HN_INFO(INFO);

typedef struct Toy {
  const HnThisParams *p;
  const HnHost *host;
  int64_t O, D, A, P; /* P = A (O + D) */
  float *w, *grad;
} Toy; /* row memory of the adapter: float [A] added to the mean */

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Toy *m = self;
  if (!spec->action_dim) return host->fail(host, HN_E_SHAPE, "needs continuous actions");
  m->p = params, m->host = host, m->O = spec->obs_dim, m->D = spec->belief_dim;
  m->A = spec->action_dim, m->P = m->A * (m->O + m->D);
  m->w = host->keep(host, HN_ARRAY("w", HN_WEIGHT, HN_F32, .rank = 2, .dim = {m->A, m->O + m->D},
                                   .grad = &m->grad));
  for (int64_t k = 0; k < m->P; k++) m->w[k] = (float)(0.1 * hn_rng_normal(spec->rng));
  spec->aux_dim = m->A; /* the mean that was drawn around */
#ifdef ADAPTER
  spec->phases = 2, spec->row_size = (size_t)m->A * sizeof(float);
#endif
  return HN_OK;
}

static HnStatus act(void *self, HnActBatch *a) {
  const Toy *m = self;
  int64_t S = a->samples > 0 ? a->samples : 1;
  for (int64_t i = 0; i < a->rows; i++)
    for (int64_t k = 0; k < m->A; k++) {
      const float *w = m->w + k * (m->O + m->D), *b = a->belief + i * S * m->D;
      float mean = 0;
      for (int64_t j = 0; j < m->O; j++) mean += w[j] * a->obs[i * m->O + j];
      for (int64_t j = 0; j < m->D; j++) mean += w[m->O + j] * b[j];
#ifdef ADAPTER
      mean += ((const float *)a->state)[i * m->A + k];
#endif
      a->aux[i * m->A + k] = mean;
      a->action[i * m->A + k] = mean + (a->rng ? (float)(0.3 * hn_rng_normal(&a->rng[i])) : 0);
      if (a->info) a->info[i] = mean;
    }
  return HN_OK;
}

/* Adds the gradient of -reward log p(act) of a window; d_belief may be NULL. */
static double surrogate(Toy *m, const HnHistory *h, const float *belief, float *d_belief) {
  double loss = 0, n = (double)(h->steps * h->rows);
  for (int64_t t = 0; t < h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      int64_t at = hn_at(h, t, i);
      for (int64_t k = 0; k < m->A; k++) {
        float *w = m->w + k * (m->O + m->D), *g = m->grad + k * (m->O + m->D);
        float off = h->action[at * m->A + k] - h->aux[at * m->A + k];
        float d = (float)(-(double)h->reward[at] * (double)off / 0.09 / n);
        loss += 0.5 * (double)(h->reward[at] * off * off) / 0.09 / n;
        for (int64_t j = 0; j < m->O; j++) g[j] += d * h->obs[at * m->O + j];
        for (int64_t j = 0; j < m->D; j++) g[m->O + j] += d * belief[at * m->D + j];
        for (int64_t j = 0; j < m->D && d_belief; j++) d_belief[at * m->D + j] += d * w[m->O + j];
      }
    }
  return loss;
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Toy *m = self;
  const HnHistory *h = l->phase[l->phases - 1];
  int64_t T = h->steps, B = h->rows, half = (B + 1) / 2;
  float *belief = m->host->scratch(m->host, 2 * (T + 1) * B * m->D, sizeof(float));
  float *d_belief = belief + (T + 1) * B * m->D;
  int64_t *order = m->host->scratch(m->host, B, sizeof *order);
  for (int64_t i = 0; i < B; i++) order[i] = (i * 3 + hn_rng_below(l->rng, B)) % B;
  for (int64_t from = 0; from < B; from += half) {
    int64_t n = from + half < B ? half : B - from;
    double norm2;
    const HnHistory *mb = l->rows(l, l->phases - 1, n, order + from);
    HnStatus status = l->infer(l, mb, 0, belief);
    if (status) return status;
    memset(d_belief, 0, (size_t)((T + 1) * n * m->D) * sizeof(float));
    double loss = surrogate(m, mb, belief, HN_CAN(l, backward) ? d_belief : NULL);
    m->host->metric(m->host, metric_loss, loss);
    if (HN_CAN(l, backward)) {
      if ((status = l->backward(l, d_belief, &norm2))) return status;
      if ((status = l->step(l, 1, 1))) return status;
    }
    for (int64_t k = 0; k < m->P; k++) m->w[k] -= (float)m->p->rate * m->grad[k], m->grad[k] = 0;
  }
  return HN_OK;
}

#ifndef ADAPTER
/* Between Gaussians of standard deviation 0.3. */
static HnStatus divergence(void *self, int64_t n, const float *obs, const float *belief_a,
                           const float *belief_b, int64_t samples, float *kl) {
  const Toy *m = self;
  const int64_t S = samples > 0 ? samples : 1;
  (void)obs;
  for (int64_t i = 0; i < n; i++) {
    double sum = 0;
    for (int64_t k = 0; k < m->A; k++) {
      double apart = 0;
      for (int64_t j = 0; j < m->D; j++)
        apart += (double)m->w[k * (m->O + m->D) + m->O + j] *
                 ((double)belief_a[i * S * m->D + j] - (double)belief_b[i * S * m->D + j]);
      sum += apart * apart / (2 * 0.09);
    }
    kl[i] = (float)sum;
  }
  return HN_OK;
}
#endif

#ifdef ADAPTER
static HnStatus adapt(void *self, const HnHistory *h, void *state) {
  const Toy *m = self;
  for (int64_t i = 0; i < h->rows; i++)
    for (int64_t t = 0; t < h->steps; t++)
      for (int64_t k = 0; k < m->A; k++)
        ((float *)state)[i * m->A + k] += 0.01f * h->action[hn_at(h, t, i) * m->A + k];
  return HN_OK;
}
static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act, .adapt = adapt,
                                 .learn = learn};
HN_PLUGIN(toy_adapter, HN_KIND_POLICY, Toy, &methods, .version = "1", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics, .summary = "Adapts.",
          .source = "tests");
#else
static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act, .learn = learn,
                                 .divergence = divergence};
HN_PLUGIN(toy_policy, HN_KIND_POLICY, Toy, &methods, .version = "1", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics, .summary = "Learns.",
          .source = "tests");
#endif

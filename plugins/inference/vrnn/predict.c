/* predict.c - see predict.h. */
#include "predict.h"
#include "network.h"
#include <math.h>

static double normal_logp(double x, double mean, double stddev) {
  double z = (x - mean) / stddev;
  return -0.5 * z * z - log(stddev) - 0.91893853320467274; /* ln sqrt(2 pi) */
}

void vrnn_signal_moments(const Vrnn *m, int64_t S, const float *member, int64_t stride,
                         double stddev, double *mean, double *deviation) {
  double sum = 0, square = 0;
  for (int64_t k = 0; k < S; k++) sum += (double)member[k * stride];
  *mean = sum / (double)S;
  for (int64_t k = 0; k < S; k++) {
    double d = (double)member[k * stride] - *mean;
    square += d * d;
  }
  if (m->p->upstream_aggregate)
    *deviation = S > 1 ? stddev * stddev : stddev;
  else
    *deviation = sqrt(stddev * stddev + square / (double)S);
}

double vrnn_class_logp(const Vrnn *m, int64_t S, const float *logits, int64_t stride, int target,
                       double *work) {
  for (int64_t k = 0; k < S; k++) {
    double other = (double)logits[k * stride + !target] - (double)logits[k * stride + target];
    work[k] = other > 0 ? -other - log1p(exp(-other)) : -log1p(exp(other));
  }
  return hn_mixture_logp_of(S, work, m->p->upstream_mixture);
}

float *vrnn_members(HnTape *t, const Vrnn *m, int64_t S, int64_t n, const float *z,
                    const float *context, const float *act) {
  int64_t size = n * m->head.outputs;
  float *y = hn_tape_room(t, S * size, sizeof *y);
  HnVar *c = m->C ? hn_constant(t, n, m->C, context) : NULL, *a = hn_constant(t, n, m->E, act);
  HnVar **draw = hn_tape_room(t, S, sizeof *draw), **out = hn_tape_room(t, S, sizeof *out);
  for (int64_t k = 0; k < S; k++) draw[k] = hn_constant(t, n, m->F, z + k * n * m->F);
  vrnn_heads(t, &m->head, S, draw, c, a, NULL, out);
  for (int64_t k = 0; k < S; k++) memcpy(y + k * size, out[k]->data, (size_t)size * sizeof *y);
  return y;
}

double vrnn_log_predictive(const Vrnn *m, const HnHistory *h, int64_t at, int64_t S, int64_t n,
                           const float *member, double stddev, double *work) {
  int64_t outputs = m->head.outputs, stride = n * outputs;
  double sum = 0, mean, deviation;
  if (m->p->head == HEAD_REWARD)
    return vrnn_class_logp(m, S, member, stride, h->reward[at] > 0.5f, work);
  for (int64_t d = 0; d < outputs; d++) {
    vrnn_signal_moments(m, S, member + d, stride, stddev, &mean, &deviation);
    sum += normal_logp((double)h->next_obs[at * outputs + d], mean, deviation);
  }
  return sum;
}

HnStatus vrnn_predict(void *self, const float *belief, int64_t samples, int64_t n, const float *act,
                      float *mean, float *stddev, float *member) {
  const Vrnn *m = self;
  const HnHost *host = m->host;
  if (m->p->head != HEAD_SIGNAL || m->discrete)
    return host->fail(host, HN_E_UNSUPPORTED,
                      "predictions need head: signal and continuous actions");
  HnTape t = hn_tape_begin(host, false);
  int64_t S = samples > 1 ? samples : 1, O = m->obs_dim;
  HnVar *a = vrnn_embed(&t, &m->act, hn_constant(&t, n, m->act.in, act), NULL);
  float *all = hn_tape_room(&t, S * n * O, sizeof *all);
  float *z = hn_tape_room(&t, n * m->F, sizeof *z), *c = hn_tape_room(&t, n * m->C, sizeof *c);
  for (int64_t k = 0; k < S; k++) {
    const float *b = belief + k * m->D;
    for (int64_t i = 0; i < n; i++) {
      memcpy(z + i * m->F, b, (size_t)m->F * sizeof *z);
      memcpy(c + i * m->C, b + m->F, (size_t)m->C * sizeof *c);
    }
    memcpy(all + k * n * O, vrnn_members(&t, m, 1, n, z, c, a->data),
           (size_t)(n * O) * sizeof *all);
  }
  double sigma = (double)vrnn_signal_stddev(&t, m, NULL)->data[0], value, deviation;
  for (int64_t i = 0; i < n * O; i++) {
    vrnn_signal_moments(m, S, all + i, n * O, sigma, &value, &deviation);
    mean[i] = (float)value, stddev[i] = (float)deviation;
  }
  if (member) memcpy(member, all, (size_t)(S * n * O) * sizeof *all);
  return HN_OK;
}

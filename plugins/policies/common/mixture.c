/* mixture.c - draws, modes, log-densities and entropies of a mixture policy. */
#include "mixture.h"
#include <math.h>
#include <string.h>

/* ---- acting ---- */

int32_t mixture_act_discrete(const Mixture *x, int64_t row, HnRng *rng, double *work) {
  int64_t A = x->A;
  memset(work, 0, (size_t)A * sizeof *work);
  for (int64_t s = 0; s < x->S; s++) {
    const float *logit = x->heads->action[s]->data + row * A;
    double top = (double)logit[0], sum = 0;
    for (int64_t k = 1; k < A; k++) top = fmax(top, (double)logit[k]);
    for (int64_t k = 0; k < A; k++) sum += exp((double)logit[k] - top);
    for (int64_t k = 0; k < A; k++) work[k] += exp((double)logit[k] - top) / (sum * (double)x->S);
  }
  int32_t action_index = 0;
  if (rng) {
    double u = hn_rng_uniform(rng, 0, 1);
    while (action_index < A - 1 && (u -= work[action_index]) >= 0) action_index++;
  } else {
    for (int32_t k = 1; k < A; k++) action_index = work[k] > work[action_index] ? k : action_index;
  }
  return action_index;
}

void mixture_act(const Mixture *x, int64_t row, HnRng *rng, float *action, float *raw) {
  const Heads *y = x->heads;
  int64_t A = x->A, member = rng && x->S > 1 ? hn_rng_below(rng, x->S) : 0;
  for (int64_t k = 0; k < A; k++) {
    double u = 0;
    if (rng)
      u = (double)y->action[member]->data[row * A + k] +
          exp((double)y->logstd->data[k]) * hn_rng_normal(rng);
    for (int64_t s = 0; s < x->S && !rng; s++)
      u += (double)y->action[s]->data[row * A + k] / (double)x->S;
    action[k] = (float)(x->squash ? tanh(u) : u);
    if (x->squash) raw[k] = (float)u;
  }
}

/* log(1 - tanh(u)^2) */
static double log_slope(double u) {
  double down = -2 * fabs(u);
  return 2 * log(2) + down - 2 * log1p(exp(down));
}

/* Under member s. */
static double member_logp(const Mixture *x, int64_t s, int64_t row, int32_t action_index,
                          const float *u) {
  const HnVar *logstd = x->heads->logstd;
  const float *out = x->heads->action[s]->data + row * x->A;
  double sum = 0, top = (double)out[0];
  if (!logstd) { /* discrete */
    for (int64_t k = 1; k < x->A; k++) top = fmax(top, (double)out[k]);
    for (int64_t k = 0; k < x->A; k++) sum += exp((double)out[k] - top);
    return (double)out[action_index] - top - log(sum);
  }
  for (int64_t k = 0; k < x->A; k++) {
    double log_s = (double)logstd->data[k], v = (double)u[k];
    double z = (v - (double)out[k]) * exp(-log_s);
    sum -= 0.5 * z * z + log_s + 0.91893853320467274178; /* log(2 pi) / 2 */
    if (x->squash) sum -= log_slope(v);
  }
  return sum;
}

double mixture_logp_of(const Mixture *x, int64_t row, int32_t action_index, const float *u,
                       double *work) {
  for (int64_t s = 0; s < x->S; s++) work[s] = member_logp(x, s, row, action_index, u);
  return hn_mixture_logp_of(x->S, work, x->mean_logp);
}

/* Of softmaxes of A logits. */
static double categorical_kl(int64_t A, const float *p, const float *q) {
  double top[2] = {(double)p[0], (double)q[0]}, sum[2] = {0, 0}, kl = 0;
  for (int64_t k = 1; k < A; k++)
    top[0] = fmax(top[0], (double)p[k]), top[1] = fmax(top[1], (double)q[k]);
  for (int64_t k = 0; k < A; k++)
    sum[0] += exp((double)p[k] - top[0]), sum[1] += exp((double)q[k] - top[1]);
  for (int64_t k = 0; k < A; k++) {
    const double logp = (double)p[k] - top[0] - log(sum[0]);
    kl += exp(logp) * (logp - ((double)q[k] - top[1] - log(sum[1])));
  }
  return fmax(kl, 0);
}

/* Of diagonal Gaussians, and of their draws behind tanh, which loses nothing. */
static double gaussian_kl(int64_t A, const float *mean_p, const float *logstd_p,
                          const float *mean_q, const float *logstd_q) {
  double kl = 0;
  for (int64_t k = 0; k < A; k++) {
    const double wider = (double)logstd_q[k] - (double)logstd_p[k];
    const double z = ((double)mean_p[k] - (double)mean_q[k]) * exp(-(double)logstd_q[k]);
    kl += wider + 0.5 * (exp(-2 * wider) + z * z - 1);
  }
  return fmax(kl, 0);
}

double mixture_kl(const Mixture *p, const Mixture *q, int64_t row) {
  const HnVar *logstd_p = p->heads->logstd, *logstd_q = q->heads->logstd;
  const int64_t A = p->A;
  double sum = 0;
  for (int64_t s = 0; s < p->S; s++) {
    const float *a = p->heads->action[s]->data + row * A, *b = q->heads->action[s]->data + row * A;
    sum +=
        logstd_p ? gaussian_kl(A, a, logstd_p->data, b, logstd_q->data) : categorical_kl(A, a, b);
  }
  return sum / (double)p->S;
}

/* ---- learning ---- */

HnVar *mixture_logp(const Mixture *x, HnTape *t, const int32_t *action_index, const float *u) {
  const Heads *y = x->heads;
  HnVar **member = hn_tape_room(t, x->S, sizeof *member);
  for (int64_t s = 0; s < x->S; s++)
    member[s] = !y->logstd  ? hn_categorical_logp(t, y->action[s], action_index)
                : x->squash ? hn_tanh_normal_logp(t, y->action[s], y->logstd, u)
                            : hn_normal_logp(t, y->action[s], y->logstd, u);
  return hn_mixture_logp(t, x->S, member, x->mean_logp);
}

HnVar *mixture_entropy_sum(const Mixture *x, HnTape *t, int64_t n) {
  const Heads *y = x->heads;
  if (y->logstd) return hn_affine(t, hn_sum(t, hn_normal_entropy(t, y->logstd)), (float)n, 0);
  HnVar *sum = NULL;
  for (int64_t s = 0; s < x->S; s++) {
    HnVar *part = hn_sum(t, hn_categorical_entropy(t, y->action[s]));
    sum = sum ? hn_add(t, sum, part) : part;
  }
  return x->S > 1 ? hn_affine(t, sum, 1 / (float)x->S, 0) : sum;
}

/* advantage.c - returns, advantages and their moments. */
#include "advantage.h"
#include <math.h>

/* True if what begins here is no part of the return before it. */
static bool ends_return(const ReturnRule *rule, uint8_t begin) {
  return begin == HN_NEW_TASK || (begin == HN_NEW_EPISODE && rule->episodes_end);
}

void advantage_gae(const ReturnRule *rule, const HnHistory *h, const float *reward,
                   const float *value, float *advantage, float *target) {
  int64_t B = h->rows;
  for (int64_t i = 0; i < B; i++) {
    double later = 0;
    for (int64_t t = h->steps - 1; t >= 0; t--) {
      int64_t k = t * B + i, at = hn_at(h, t, i);
      bool ends = ends_return(rule, h->begin[hn_at(h, t + 1, i)]);
      double live = ends ? 0 : rule->gamma, v = (double)value[k];
      later = (double)reward[k] + live * (double)value[k + B] - v + live * rule->gae_lambda * later;
      if (rule->time_limit_bootstrap && h->truncated[at] && !h->terminated[at]) later = 0;
      advantage[k] = (float)later, target[k] = (float)(later + v);
    }
  }
}

void advantage_scale_rewards(const ReturnRule *rule, const HnHistory *h, HnNormaliser *z,
                             double *so_far, float *reward) {
  int64_t T = h->steps, B = h->rows;
  for (int64_t t = 0; t < T; t++)
    for (int64_t i = 0; i < B; i++) {
      int64_t at = hn_at(h, t, i);
      if (ends_return(rule, h->begin[at])) so_far[i] = 0;
      so_far[i] = rule->gamma * so_far[i] + (double)h->true_reward[at];
      reward[t * B + i] = (float)so_far[i];
    }
  hn_normaliser_update(z, T * B, reward, 1);
  double scale = 1 / hn_normaliser_stddev(z, 0);
  for (int64_t t = 0; t < T; t++)
    for (int64_t i = 0; i < B; i++) {
      double r = (double)h->reward[hn_at(h, t, i)] * scale;
      reward[t * B + i] = (float)(r < -10 ? -10 : r > 10 ? 10 : r); /* fmin would hide a NaN */
    }
}

Moments advantage_moments(const float *x, const int64_t *place, int64_t n) {
  double sum = 0, square = 0, first = (double)x[place ? place[0] : 0];
  bool equal = true;
  for (int64_t k = 0; k < n; k++) {
    double v = (double)x[place ? place[k] : k];
    sum += v, equal &= v == first;
  }
  double mean = sum / (double)n;
  for (int64_t k = 0; k < n; k++) {
    double d = (double)x[place ? place[k] : k] - mean;
    square += d * d;
  }
  return (Moments){mean, equal ? 0 : sqrt(square / (double)(n - 1))};
}

double advantage_explained(Moments targets, Moments errors) {
  const double all = targets.stddev, left = errors.stddev;
  return all > 0 ? 1 - left * left / (all * all) : (double)NAN;
}

Moments advantage_standardise(int by, int64_t n, float *advantage) {
  const Moments m = advantage_moments(advantage, NULL, n);
  if (by == ADVANTAGE_RAW) return m;
  const double s = by == ADVANTAGE_BY_STDDEV ? m.stddev : m.stddev * m.stddev;
  for (int64_t k = 0; k < n; k++)
    advantage[k] = m.stddev > 0 ? (float)(((double)advantage[k] - m.mean) / (s + 1e-8)) : 0;
  return m;
}

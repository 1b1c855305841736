/* advantage.h - what a policy-gradient learner makes of rewards: their scale, and the generalised
 * advantage.  Arrays are [T, B] and dense unless said otherwise.  For plugins of this folder. */
#ifndef ADVANTAGE_H
#define ADVANTAGE_H
#include <hunch/kit/nn.h>

typedef struct Returns {
  double discount, lambda; /* per step */
  bool episodes_end;       /* an episode's end inside a trial ends the return too */
  bool time_limits;        /* a step cut by the horizon is replaced by V(s_t): Pardo et al. 2018 as
                              VariBAD has it */
} Returns;

/* Generalised advantages and their targets A + V; value [T+1, B] of the percepts.  The end of a
 * task ends the return: a trial is finite, and nothing of it is left to win. Source: Schulman et
 * al. 2016, equation 16. */
static inline void returns_advantages(const Returns *r, const HnHistory *h, const float *reward,
                                      const float *value, float *advantage, float *target) {
  int64_t B = h->rows;
  for (int64_t i = 0; i < B; i++) {
    double later = 0;
    for (int64_t t = h->steps - 1; t >= 0; t--) {
      int64_t k = t * B + i, at = hn_at(h, t, i);
      uint8_t next = h->begin[hn_at(h, t + 1, i)];
      bool ends = next == HN_NEW_TASK || (next == HN_NEW_EPISODE && r->episodes_end);
      double live = ends ? 0 : r->discount, v = (double)value[k];
      later = (double)reward[k] + live * (double)value[k + B] - v + live * r->lambda * later;
      if (r->time_limits && h->truncated[at] && !h->terminated[at]) later = 0;
      advantage[k] = (float)later, target[k] = (float)(later + v);
    }
  }
}

/* reward = h's reward over the running standard deviation of the discounted return, within +-10;
 * the mean stays.  Statistics are of what the environment paid, so that relabelled rewards keep the
 * same scale, and take in the whole window first, so that one scale serves all of it.
 *   z      of one column       trail  [B] float64, kept: the return of each row's trial so far
 * Source: Engstrom et al. 2020. */
static inline void returns_scale(const Returns *horizon, const HnHistory *h, HnNormaliser *z,
                                 double *trail, float *reward) {
  int64_t T = h->steps, B = h->rows;
  for (int64_t t = 0; t < T; t++)
    for (int64_t i = 0; i < B; i++) {
      int64_t at = hn_at(h, t, i);
      if (h->begin[at] == HN_NEW_TASK) trail[i] = 0;
      trail[i] = horizon->discount * trail[i] + (double)h->true_reward[at];
      reward[t * B + i] = (float)trail[i];
    }
  hn_normaliser_update(z, T * B, reward, 1);
  double scale = 1 / hn_normaliser_stddev(z, 0);
  for (int64_t t = 0; t < T; t++)
    for (int64_t i = 0; i < B; i++) {
      double r = (double)h->reward[hn_at(h, t, i)] * scale;
      reward[t * B + i] = (float)(r < -10 ? -10 : r > 10 ? 10 : r); /* fmin would hide a NaN */
    }
}
#endif

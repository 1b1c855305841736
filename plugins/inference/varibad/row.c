/* row.c - see row.h. */
#include "row.h"
#include "mixture.h"
#include <math.h>

size_t varibad_row_size(const Varibad *v) {
  size_t hidden = (size_t)v->hidden * sizeof(float);
  int64_t code = v->mixture.K > v->d ? v->mixture.K : v->d;
  if (!v->follows) return hidden;
  return (hidden + 7) / 8 * 8 + sizeof(VaribadRow) + ((size_t)code * sizeof(float) + 7) / 8 * 8;
}

void varibad_follow(const Varibad *v, HnBeliefUpdate *q, VaribadRow *place) {
  const HnHistory *h = q->history;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      VaribadRow *r = varibad_row_of(v, q->state, i);
      uint8_t begin = h->begin[hn_at(h, t, i)];
      if (begin == HN_NEW_TASK) {
        *r = (VaribadRow){.seed = hn_rng_u64(&q->rng[i])};
      } else {
        r->time++;
        r->episode_time = begin == HN_NEW_EPISODE ? 0 : r->episode_time + 1;
      }
      place[t * h->rows + i] = *r;
    }
}

/* ---- beliefs of a mixture ---- */

static void put_info(const Varibad *v, const float *mean, const float *variance, const float *pi,
                     float *info) {
  double entropy = 0, kl = 0, subtask = 0;
  for (int64_t j = 0; j < v->d; j++) {
    double mu = (double)mean[j], var = (double)(variance[j] + VARIBAD_VIEW_FLOOR);
    entropy += 0.5 * (log(var) + 2.8378770664093453); /* 1 + ln 2 pi */
    kl += 0.5 * (var + mu * mu - 1 - log(var));
  }
  for (int64_t k = 0; k < v->mixture.K; k++)
    if (pi[k] > 0) subtask -= (double)pi[k] * log((double)pi[k]);
  info[varibad_info_entropy] = (float)entropy, info[varibad_info_kl] = (float)kl;
  info[VARIBAD_INFO_SUBTASK_ENTROPY] = (float)subtask;
}

/* Beliefs of one row at one time: mean or draws, ln(variance + 1e-20), pi. */
static void put_beliefs(const Varibad *v, const float *mean, const float *variance, const float *pi,
                        int64_t S, HnRng *rng, float *to) {
  int64_t d = v->d, draws = S > 0 ? S : 1;
  for (int64_t s = 0; s < draws; s++, to += v->belief_dim) {
    for (int64_t j = 0; j < d; j++) {
      to[j] = mean[j], to[d + j] = logf(variance[j] + VARIBAD_VIEW_FLOOR);
      if (S > 0) to[j] += sqrtf(variance[j] + VARIBAD_DRAW_FLOOR) * (float)hn_rng_normal(rng);
    }
    memcpy(to + 2 * d, pi, (size_t)v->mixture.K * sizeof *to);
  }
}

HnStatus varibad_put_mixture(const Varibad *v, HnBeliefUpdate *q, HnTape *t, HnVar *h,
                             const VaribadRow *place) {
  const HnHost *host = v->host;
  int64_t n = h->rows, K = v->mixture.K, d = v->d, rows = q->history->rows;
  HnRng *rng = host->scratch(host, n, sizeof *rng);
  float *noise = host->scratch(host, n * K, sizeof *noise);
  for (int64_t k = 0; k < n; k++) {
    rng[k] = varibad_draws_of(&place[k]);
    varibad_gumbel(&rng[k], K, noise + k * K);
  }
  VaribadPosterior p = {.logits = varibad_logits(v, t, h, NULL)};
  varibad_latent_of(v, t, h, varibad_draw_subtask(v, t, p.logits, noise), NULL, &p);
  const HnVar *pi = hn_softmax(t, p.logits);
  for (int64_t i = 0; i < n * d; i++)
    if (!isfinite(p.mean->data[i]) || !isfinite(p.variance->data[i]))
      return host->fail(host, HN_E_NUMERIC, "the belief of row %lld is not finite",
                        (long long)(i / d % rows));
  int64_t wide = (q->samples > 0 ? q->samples : 1) * v->belief_dim;
  for (int64_t k = 0; k < n; k++) {
    const float *mean = p.mean->data + k * d, *variance = p.variance->data + k * d;
    put_beliefs(v, mean, variance, pi->data + k * K, q->samples, &rng[k], q->belief + k * wide);
    if (q->info) put_info(v, mean, variance, pi->data + k * K, q->info + k * v->info_count);
  }
  return HN_OK;
}

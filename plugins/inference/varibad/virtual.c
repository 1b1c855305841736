/* virtual.c - see virtual.h. */
#include "virtual.h"
#include "decoder.h"
#include "mixture.h"
#include "row.h"
#include <math.h>
#include <string.h>

static bool is_ever_virtual(const VaribadParams *p) {
  return p->virtual_probability > 0 || p->virtual_growth > 0;
}

HnStatus varibad_check_virtual(const Varibad *v) {
  const VaribadParams *p = v->p;
  if (!is_ever_virtual(p)) return HN_OK;
  if (!(p->reward_weight > 0))
    return v->host->fail(v->host, HN_E_PARAM, "virtual training needs reward_weight > 0");
  if (v->mixture.K == 1 && p->virtual_source == VARIBAD_VIRTUAL_SUBTASKS)
    return v->host->fail(v->host, HN_E_PARAM, "virtual_source: subtasks needs subtasks > 1");
  if (p->virtual_low > p->virtual_high)
    return v->host->fail(v->host, HN_E_PARAM, "virtual_low is above virtual_high");
  return HN_OK;
}

void varibad_make_virtual(Varibad *v, int64_t rows) {
  VaribadVirtual *x = &v->virtual;
  const HnHost *host = v->host;
  if (!is_ever_virtual(v->p)) return;
  x->active = host->keep(
      host, HN_ARRAY("virtual.active", HN_WEIGHT, HN_I64, .rank = 1, .dim = {1}, .end = 2));
  x->count = host->keep(
      host, HN_ARRAY("virtual.count", HN_WEIGHT, HN_I64, .rank = 1, .dim = {1}, .end = INT64_MAX));
  if (v->p->virtual_source == VARIBAD_VIRTUAL_SUBTASKS) {
    x->usage = hn_normaliser_make(host, "virtual.usage", v->mixture.K);
    return;
  }
  x->latent = host->keep(
      host, HN_ARRAY("virtual.latent", HN_WEIGHT, HN_F32, .rank = 2, .dim = {rows, v->d}));
  x->latents = host->keep(host, HN_ARRAY("virtual.latents", HN_WEIGHT, HN_I64, .rank = 1,
                                         .dim = {1}, .end = INT64_MAX));
}

double varibad_virtual_probability(const VaribadParams *p, int64_t frames) {
  return fmin(1, p->virtual_probability + p->virtual_growth * (double)frames / 1e8);
}

/* ---- draws ---- */

/* ln of a gamma variate of shape a >= 1 and scale 1. */
static double log_gamma(HnRng *rng, double a) {
  const double d = a - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    const double x = hn_rng_normal(rng), v = pow(1 + c * x, 3);
    const double u = 1 - hn_rng_uniform(rng, 0, 1);
    if (c * x > -1 && log(u) < 0.5 * x * x + d - d * v + d * log(v)) return log(d) + log(v);
  }
}

void varibad_dirichlet(HnRng *rng, int64_t n, const double *alpha, float *x) {
  double most = -INFINITY, sum = 0;
  for (int64_t k = 0; k < n; k++) {
    /* of shape a < 1: one of a + 1 times u^(1 / a), whose logarithm cannot underflow */
    double a = fmax(alpha[k], 1e-20), g = log_gamma(rng, a < 1 ? a + 1 : a);
    if (a < 1) g += log(1 - hn_rng_uniform(rng, 0, 1)) / a;
    x[k] = (float)fmax(g, -1e30), most = fmax(most, (double)x[k]);
  }
  for (int64_t k = 0; k < n; k++) sum += exp((double)x[k] - most);
  for (int64_t k = 0; k < n; k++) x[k] = (float)(exp((double)x[k] - most) / sum);
}

/* weight [n]: uniform over the simplex of `mix` of them, 0 elsewhere. */
static void mix_some(HnRng *rng, int64_t n, int64_t mix, float *weight) {
  double sum = 0;
  memset(weight, 0, (size_t)n * sizeof *weight);
  for (int64_t left = n, k = 0; k < n && mix > 0; k++, left--) {
    if (hn_rng_below(rng, left) >= mix) continue; /* selection sampling */
    weight[k] = (float)-log(1 - hn_rng_uniform(rng, 0, 1)), sum += (double)weight[k], mix--;
  }
  for (int64_t k = 0; k < n; k++) weight[k] = (float)((double)weight[k] / sum);
}

void varibad_draw_virtual(const Varibad *v, HnRng *rng, float *code) {
  const VaribadVirtual *x = &v->virtual;
  const int64_t K = v->mixture.K, d = v->d, mix = v->p->virtual_mix;
  if (x->usage.mean) {
    if (*x->count)
      varibad_dirichlet(rng, K, x->usage.mean, code);
    else
      mix_some(rng, K, mix < K ? mix : K, code);
    return;
  }
  const int64_t rows = v->replay.shape.rows, n = *x->latents < rows ? *x->latents : rows;
  float *weight = v->host->scratch(v->host, n, sizeof *weight);
  mix_some(rng, n, mix < n ? mix : n, weight);
  memset(code, 0, (size_t)d * sizeof *code);
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < d; j++) code[j] += weight[i] * x->latent[i * d + j];
}

/* ---- rewards ---- */

/* Draws z [n, d] ~ q(z | h, y) of rows that have drawn their y; at the first step of a trial their
 * own y if virtual_first_own. */
static void draw_latents(const Varibad *v, int64_t n, const void *state, HnRng *rng, float *z) {
  const HnHost *host = v->host;
  const int64_t K = v->mixture.K, d = v->d, H = v->hidden;
  float *h = host->scratch(host, n * H, sizeof *h), *y = host->scratch(host, n * K, sizeof *y);
  float *noise = host->scratch(host, n * d, sizeof *noise);
  for (int64_t i = 0; i < n; i++) {
    memcpy(h + i * H, varibad_hidden_of(v, state, i), (size_t)H * sizeof *h);
    memcpy(y + i * K, varibad_code_of(v, state, i), (size_t)K * sizeof *y);
    for (int64_t j = 0; j < d; j++) noise[i * d + j] = (float)hn_rng_normal(&rng[i]);
  }
  HnTape t = hn_tape_begin(host, false);
  HnVar *hidden = hn_constant(&t, n, H, h);
  if (v->p->virtual_first_own) {
    float *gumbel = host->scratch(host, n * K, sizeof *gumbel);
    for (int64_t i = 0; i < n; i++) {
      HnRng own = varibad_draws_of(varibad_row_of(v, state, i));
      varibad_gumbel(&own, K, gumbel + i * K);
    }
    const HnVar *mine = varibad_draw_subtask(v, &t, varibad_logits(v, &t, hidden, NULL), gumbel);
    for (int64_t i = 0; i < n; i++)
      if (!varibad_row_of(v, state, i)->time)
        memcpy(y + i * K, mine->data + i * K, (size_t)K * sizeof *y);
  }
  VaribadPosterior q;
  varibad_latent_of(v, &t, hidden, hn_constant(&t, n, K, y), NULL, &q);
  memcpy(z, varibad_draw_latent(&t, &q, noise)->data, (size_t)(n * d) * sizeof *z);
}

/* The steps of a window of one, as the reward decoder reads them.  The host has not yet said which
 * of them end an episode, so they are counted. */
static VaribadSteps read_steps(const Varibad *v, const HnHistory *h, const void *state,
                               float *before) {
  VaribadSteps s = varibad_steps_new(v, h->rows);
  for (int64_t i = 0; i < h->rows; i++) {
    const VaribadRow *r = varibad_row_of(v, state, i);
    const int64_t at = hn_at(h, 0, i), n = v->state_dim, o = v->obs_dim;
    memcpy(s.state + i * n, h->next_obs + at * o, (size_t)o * sizeof(float));
    if (n > o)
      s.state[i * n + o] = h->terminated[at] || h->truncated[at] ||
                           r->episode_time + 1 == v->horizon || r->time + 1 == v->lifetime;
    if (s.action) hn_encode_action(h, at, v->action_dim, v->discrete, s.action + i * v->action_dim);
    varibad_put_before(v, h, 0, i, before + i * n);
  }
  return s;
}

HnStatus varibad_relabel(void *self, const HnHistory *h, void *state, HnRng *rng, float *reward) {
  const Varibad *v = self;
  const VaribadParams *p = v->p;
  const HnHost *host = v->host;
  const int64_t n = h->rows, d = v->d;
  if (!v->virtual.active || !*v->virtual.active) return HN_OK;
  float *code = host->scratch(host, n * d, sizeof *code);
  for (int64_t i = 0; i < n; i++) {
    VaribadRow *r = varibad_row_of(v, state, i);
    if (!r->drawn) varibad_draw_virtual(v, &rng[i], varibad_code_of(v, state, i));
    r->drawn = 1;
    memcpy(code + i * d, varibad_code_of(v, state, i), (size_t)d * sizeof *code);
  }
  if (p->virtual_source == VARIBAD_VIRTUAL_SUBTASKS) draw_latents(v, n, state, rng, code);
  if (v->mixture.disperse.layers) {
    HnTape t = hn_tape_begin(host, false);
    code = hn_mlp(&t, &v->mixture.disperse, hn_constant(&t, n, d, code), NULL)->data;
  }
  float *before = host->scratch(host, n * v->state_dim, sizeof *before);
  const VaribadSteps s = read_steps(v, h, state, before);
  varibad_predict_reward(v, n, code, &s, before, p->virtual_dropout ? rng : NULL, reward);
  const float low = (float)p->virtual_low, high = (float)p->virtual_high;
  for (int64_t i = 0; i < n; i++)
    reward[i] = reward[i] < low ? low : reward[i] > high ? high : reward[i];
  return HN_OK;
}

/* ---- learning ---- */

/* Keeps a draw from the last belief of every real trial that the window ends. */
static void keep_latents(Varibad *v, const HnHistory *h, HnRng *rng) {
  const int64_t S = h->samples > 0 ? h->samples : 1, d = v->d, rows = v->replay.shape.rows;
  for (int64_t t = 0; t < h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      if (h->begin[hn_at(h, t + 1, i)] != HN_NEW_TASK) continue;
      bool first = true; /* the trial that ends may have had virtual steps before the window */
      for (int64_t k = 1; k <= t && first; k++) first = h->begin[hn_at(h, k, i)] != HN_NEW_TASK;
      if (first && v->replay.forgotten[i]) continue;
      const float *q = h->belief + hn_at(h, t, i) * S * v->belief_dim;
      float *to = v->virtual.latent + (*v->virtual.latents)++ % rows * d;
      memcpy(to, q, (size_t)d * sizeof *to); /* with samples, a draw already */
      for (int64_t j = 0; j < d && h->samples == 0; j++)
        to[j] += expf(0.5f * q[d + j]) * (float)hn_rng_normal(rng);
    }
}

/* Takes a window into the replay, or passes over it, and into what virtual codes are drawn from. */
static HnStatus take_in(Varibad *v, const HnHistory *h, HnRng *rng) {
  VaribadVirtual *x = &v->virtual;
  const int64_t S = h->samples > 0 ? h->samples : 1;
  if (x->usage.mean && h->belief)
    hn_normaliser_update(&x->usage, h->steps * h->rows, h->belief + 2 * v->d, S * v->belief_dim);
  if (x->latent && h->belief && !*x->active) keep_latents(v, h, rng);
  if (!*x->active) return hn_trial_replay_append(&v->replay, h);
  hn_trial_replay_pass_over(&v->replay, h);
  return HN_OK;
}

/* Whether the next iteration is virtual. */
static void decide(Varibad *v, const HnTrainBatch *batch) {
  VaribadVirtual *x = &v->virtual;
  const double chance = varibad_virtual_probability(v->p, batch->frames);
  const bool ready = !x->latent || *x->latents > 0;
  v->host->metric(v->host, varibad_metric_virtual, (double)*x->active);
  v->host->metric(v->host, varibad_metric_virtual_probability, chance);
  *x->count += *x->active;
  *x->active = hn_rng_uniform(batch->rng, 0, 1) < chance && ready;
}

HnStatus varibad_learn_virtual(void *self, const HnTrainBatch *batch) {
  Varibad *v = self;
  if (!v->virtual.active) return varibad_learn(v, batch);
  for (int64_t k = 0; k < batch->phases; k++) {
    HnStatus status = take_in(v, batch->phase[k], batch->rng);
    if (status) return status;
  }
  HnStatus status = varibad_train(v, batch);
  if (!status) decide(v, batch);
  return status;
}

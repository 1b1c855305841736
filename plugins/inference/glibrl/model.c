/* model.c - feature networks, priors, inputs and targets; and how an instance is made of them. */
#include "model.h"
#include "anchors.h"
#include "evidence.h"
#include "posterior.h"
#include "view.h"
#include "whitening.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

int64_t glibrl_live_columns(const Glibrl *g) {
  int64_t live = 0;
  for (int64_t j = 0; j < g->obs_dim; j++) live += g->scale.live[j] != 0;
  return live;
}

HnMnwPrior glibrl_prior(const Glibrl *g, const GlibrlModel *k, int64_t targets) {
  static const HnMnwNoise noise[] = {HN_MNW_INFERRED, HN_MNW_FIXED, HN_MNW_NORMAL};
  return (HnMnwPrior){.noise = noise[g->p->noise],
                      .xi = exp((double)k->prior->data[0]),
                      .psi = exp((double)k->prior->data[1]),
                      .nu0 = (double)targets + g->p->prior_dof,
                      .variance = g->p->noise_variance};
}

void glibrl_make_inputs(const Glibrl *g, int64_t n, const float *obs, const float *action,
                        const float *next, float *delta, float *x) {
  const float clip = 10;
  int64_t o = g->obs_dim, a = g->action_dim, width = g->reward.inputs, at = o + a;
  for (int64_t k = 0; k < n * o; k++) delta[k] = next[k] - obs[k];
  for (int64_t k = 0; k < n; k++) memcpy(x + k * width + o, action + k * a, (size_t)a * sizeof *x);
  struct Part {
    const HnNormaliser *z;
    const float *from;
    int64_t to;
  } part[3] = {{&g->obs_norm, obs, 0}};
  int64_t parts = 1;
  if (g->p->next_input != GLIBRL_INPUT_DELTA)
    part[parts++] = (struct Part){&g->obs_norm, next, at}, at += o;
  if (g->p->next_input != GLIBRL_INPUT_NEXT)
    part[parts++] = (struct Part){&g->delta_norm, delta, at};
  for (int64_t i = 0; i < parts; i++) {
    float *to = x + part[i].to;
    if (g->p->normalise_inputs)
      hn_normaliser_apply(part[i].z, n, part[i].from, o, clip, to, width);
    else
      for (int64_t k = 0; k < n; k++)
        memcpy(to + k * width, part[i].from + k * o, (size_t)o * sizeof *to);
  }
}

void glibrl_make_target(const Glibrl *g, const float *raw, double *y) {
  const GlibrlScale *s = &g->scale;
  for (int64_t j = 0, k = 0; j < g->obs_dim; j++)
    if (s->live[j]) y[k++] = ((double)raw[j] - s->mean[j]) / s->stddev[j];
}

double glibrl_make_reward_target(const Glibrl *g, float reward) {
  return ((double)reward - g->scale.reward[0]) / g->scale.reward[1];
}

void glibrl_finish_features(const GlibrlModel *k, int64_t n, const float *phi, float *c) {
  for (int64_t i = 0; i < n; i++) {
    for (int64_t j = 0; j < k->learnt; j++) c[i * k->d + j] = k->gain * phi[i * k->learnt + j];
    if (k->learnt < k->d) c[i * k->d + k->learnt] = 1;
  }
}

/* Widest of the network's layers. */
static int64_t widest(const GlibrlModel *k) {
  int64_t width = 0;
  for (int64_t l = 0; l < k->net.layers; l++)
    if (k->net.w[l]->cols > width) width = k->net.w[l]->cols;
  return width;
}

int64_t glibrl_features_work(const GlibrlModel *k, int64_t n) {
  return 2 * n * widest(k);
}

void glibrl_features(const GlibrlModel *k, int64_t n, const float *x, int64_t ldx, float *work,
                     float *c) {
  float *half[2] = {work, work + n * widest(k)};
  const HnMlp *net = &k->belief_net;
  for (int64_t l = 0; l < net->layers; l++) {
    const HnTensor *w = net->w[l];
    float *y = half[l & 1];
    HnActivation act = l + 1 < net->layers ? net->hidden : net->output;
    for (int64_t i = 0; i < n; i++)
      memcpy(y + i * w->cols, net->b[l]->data, (size_t)w->cols * sizeof *y);
    hn_gemm(n, w->cols, w->rows, x, ldx, 1, w->data, w->cols, 1, y, w->cols);
    if (act == HN_TANH) hn_vec_tanh(n * w->cols, y, y);
    x = y, ldx = w->cols;
  }
  glibrl_finish_features(k, n, x, c);
}

float *glibrl_draw_steps(const Glibrl *g, int64_t n, HnRng *rng) {
  const HnTrialReplay *r = &g->replay;
  int64_t o = g->obs_dim, a = g->action_dim;
  float *steps = g->host->scratch(g->host, n * (2 * o + a), sizeof *steps), *to = steps;
  for (int64_t i = 0; i < n; i++, to += 2 * o + a) {
    const HnTransition x = hn_trial_replay_draw_transition(r, rng);
    const int64_t at = x.slot * r->shape.length + x.step;
    memcpy(to, r->obs + at * o, (size_t)o * sizeof *to);
    memcpy(to + o, r->action + at * a, (size_t)a * sizeof *to);
    memcpy(to + o + a, r->next_obs + at * o, (size_t)o * sizeof *to);
  }
  return steps;
}

float *glibrl_step_features(const Glibrl *g, const GlibrlModel *k, int64_t n, const float *steps) {
  const HnHost *host = g->host;
  int64_t o = g->obs_dim, a = g->action_dim, wide = g->reward.inputs;
  float *obs = host->scratch(host, n * o, sizeof *obs);
  float *action = host->scratch(host, n * a, sizeof *action);
  float *next = host->scratch(host, n * o, sizeof *next);
  float *delta = host->scratch(host, n * o, sizeof *delta);
  float *x = host->scratch(host, n * wide, sizeof *x),
        *c = host->scratch(host, n * k->d, sizeof *c);
  float *work = host->scratch(host, glibrl_features_work(k, n), sizeof *work);
  for (int64_t i = 0; i < n; i++, steps += 2 * o + a) {
    memcpy(obs + i * o, steps, (size_t)o * sizeof *obs);
    memcpy(action + i * a, steps + o, (size_t)a * sizeof *action);
    memcpy(next + i * o, steps + o + a, (size_t)o * sizeof *next);
  }
  glibrl_make_inputs(g, n, obs, action, next, delta, x);
  glibrl_features(k, n, x, wide, work, c);
  return c;
}

static void average_tensor(HnTensor *average, const HnTensor *w, double decay) {
  const float keep = (float)decay, take = (float)(1 - decay);
  for (int64_t i = 0; i < w->rows * w->cols; i++)
    average->data[i] = keep * average->data[i] + take * w->data[i];
}

void glibrl_average_weights(Glibrl *g) {
  const double decay = g->p->ema_decay;
  GlibrlModel *model[] = {&g->transition, &g->reward};
  for (int i = 0; i < 2 && decay > 0; i++)
    for (int64_t l = 0; l < model[i]->net.layers; l++) {
      average_tensor(model[i]->belief_net.w[l], model[i]->net.w[l], decay);
      average_tensor(model[i]->belief_net.b[l], model[i]->net.b[l], decay);
    }
}

/* ---- the instance ---- */

/* A kept copy of a tensor's data, NAME.average. */
static HnTensor *keep_average(const HnHost *host, const HnTensor *w, HnTensor *average) {
  const size_t count = (size_t)(w->rows * w->cols), size = strlen(w->name) + sizeof ".average";
  char *name = host->alloc(host, (int64_t)size, 1);
  snprintf(name, size, "%s.average", w->name);
  *average = *w;
  average->data =
      host->keep(host, HN_ARRAY(name, HN_WEIGHT, HN_F32, .rank = 2, .dim = {w->rows, w->cols}));
  memcpy(average->data, w->data, count * sizeof *w->data);
  return average;
}

static void make_model(Glibrl *g, GlibrlModel *k, const char *name, int64_t d, int64_t inputs,
                       double regulariser, HnRng *rng) {
  const GlibrlParams *p = g->p;
  int64_t width[HN_MLP_MAX + 1] = {inputs};
  for (int64_t l = 1; l <= p->hidden_layers; l++) width[l] = p->hidden_units;
  k->d = d, k->learnt = d - p->feature_constant, k->inputs = inputs;
  width[p->hidden_layers + 1] = k->learnt;
  k->gain = p->feature_scaling ? (float)(1 / sqrt((double)d)) : 1;
  k->regulariser = regulariser;
  HnActivation output = p->feature_output == GLIBRL_OUTPUT_TANH ? HN_TANH : HN_LINEAR;
  k->net = hn_mlp_make(&g->store, name, p->hidden_layers + 1, width, HN_TANH, output,
                       HN_INIT_ORTHOGONAL, 1, 1, rng);
  k->belief_net = k->net;
  for (int64_t l = 0; l <= p->hidden_layers && p->ema_decay > 0; l++) {
    k->belief_net.w[l] = keep_average(g->host, k->net.w[l], &k->averaged[2 * l]);
    k->belief_net.b[l] = keep_average(g->host, k->net.b[l], &k->averaged[2 * l + 1]);
  }
}

static void make_prior(Glibrl *g, GlibrlModel *k, const char *name, HnRng *rng) {
  k->prior = hn_store_add(&g->store, name, 1, 2, HN_INIT_ZERO, 0, rng);
  k->prior->data[0] = (float)log(g->p->prior_xi), k->prior->data[1] = (float)log(g->p->prior_psi);
}

static void make_scale(Glibrl *g) {
  const HnHost *host = g->host;
  int64_t o = g->obs_dim;
  GlibrlScale *s = &g->scale;
  s->mean = host->keep(host, HN_ARRAY("target.mean", HN_WEIGHT, HN_F64, .rank = 1, .dim = {o}));
  s->stddev = host->keep(host, HN_ARRAY("target.stddev", HN_WEIGHT, HN_F64, .rank = 1, .dim = {o}));
  s->live =
      host->keep(host, HN_ARRAY("target.live", HN_WEIGHT, HN_I32, .rank = 1, .dim = {o}, .end = 2));
  s->reward = host->keep(host, HN_ARRAY("reward.scale", HN_WEIGHT, HN_F64, .rank = 1, .dim = {2}));
  for (int64_t j = 0; j < o; j++) s->stddev[j] = 1, s->live[j] = 1;
  s->reward[1] = 1;
  g->comoment =
      host->keep(host, HN_ARRAY("target.comoment", HN_LEARNER, HN_F64, .rank = 2, .dim = {o, o}));
  g->obs_norm = hn_normaliser_make(host, "obs", o);
  g->delta_norm = g->target_norm = hn_normaliser_make(host, "delta", o);
  if (g->p->transition_target == GLIBRL_TARGET_NEXT)
    g->target_norm = hn_normaliser_make(host, "next", o);
  g->reward_norm = hn_normaliser_make(host, "reward", 1);
}

static void make_replay(Glibrl *g, const HnBeliefSpec *spec) {
  const HnTrialReplayShape shape = {.buffer = g->p->buffer,
                                    .rows = spec->rows,
                                    .length = spec->lifetime,
                                    .obs_dim = g->obs_dim,
                                    .next_obs_dim = g->obs_dim,
                                    .action_dim = g->action_dim,
                                    .discrete = g->discrete};
  hn_trial_replay_create(&g->replay, g->host, &shape);
}

static HnStatus check_params(const HnHost *host, const GlibrlParams *p) {
  if (p->start > p->buffer)
    return host->fail(host, HN_E_PARAM, "start: %d trials never fit a buffer of %d", (int)p->start,
                      (int)p->buffer);
  if (p->view == GLIBRL_VIEW_PREDICTIONS && p->noise == HN_MNW_INFERRED && p->prior_dof <= 1)
    return host->fail(host, HN_E_PARAM,
                      "view: predictions needs prior_dof above 1: up to there the variance of a "
                      "prediction is infinite");
  return HN_OK;
}

HnStatus glibrl_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Glibrl *g = self;
  const GlibrlParams *p = g->p = params;
  g->host = host;
  g->obs_dim = spec->obs_dim, g->discrete = spec->action_count > 0;
  g->action_dim = spec->action_count ? spec->action_count : spec->action_dim;
  if (g->obs_dim < 1) return host->fail(host, HN_E_SHAPE, "needs observations");
  HnStatus status = check_params(host, p);
  if (status) return status;
  int64_t o = g->obs_dim, inputs = o + g->action_dim;
  hn_store_begin(&g->store, host, "");
  make_model(g, &g->transition, "transition", p->transition_features, inputs,
             p->transition_regulariser, spec->rng);
  make_model(g, &g->reward, "reward", p->reward_features,
             inputs + (p->next_input == GLIBRL_INPUT_BOTH ? 2 * o : o), p->reward_regulariser,
             spec->rng);
  make_prior(g, &g->transition, "transition.prior", spec->rng);
  make_prior(g, &g->reward, "reward.prior", spec->rng);
  make_scale(g);
  make_replay(g, spec);
  g->flat = host->alloc(host, p->batch * g->store.size, sizeof(float));
  g->stats = host->alloc(host, p->batch * GLIBRL_STATS, sizeof(double));
  g->slot = host->alloc(host, p->batch, sizeof(int64_t));
  g->iterations = host->keep(
      host, HN_ARRAY("iterations", HN_LEARNER, HN_I64, .rank = 1, .dim = {1}, .end = INT64_MAX));
  if (p->view == GLIBRL_VIEW_PREDICTIONS) glibrl_keep_anchors(g);
  if (p->view == GLIBRL_VIEW_WHITENED) glibrl_keep_whitening(g);
  glibrl_layout_row(g);
  spec->belief_dim = glibrl_view_dim(g), spec->latent_dim = 0;
  spec->row_size = g->row_size, spec->refresh = true;
  return HN_OK;
}

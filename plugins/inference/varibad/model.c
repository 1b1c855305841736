/* varibad_model.h - the encoder and the decoders of VariBAD: what they are made of, and the
 * encoder's pass.  Each variant defines its parameters with HN_PARAMS before it includes this. */
#ifndef VARIBAD_MODEL_H
#define VARIBAD_MODEL_H
#include "../../common/trial_replay.h"
#include "../draw_normals.h"
#include "varibad.h"
#include <hunch/kit/nn.h>
#include <stdio.h>

/* What a latent says of a step: an MLP on [z, e(s'), e(a), e(s)], of which it reads the parts that
 * are there.  Its first layer is a sum of what z adds and what the step adds. */
typedef struct Decoder {
  HnMlp net; /* layers 0: nothing is decoded */
  HnMlp embed_state, embed_action;
  bool next, action, state;
  bool bernoulli;
  int64_t inputs, outputs;
  double weight;
} Decoder;

/* What a step is seen by: [n, state_dim], [n, action_dim], [n]. */
typedef struct Steps {
  float *state, *action, *reward;
} Steps;

/* What forward remembers for backward. */
typedef struct Memo {
  HnTape unroll, head;
  HnVar *y, *h, *belief;
  float *flat;
  const float *noise; /* [.., S, d] */
} Memo;

typedef struct Varibad {
  const HnThisParams *p;
  const HnHost *host;
  int64_t d, hidden;           /* latent, units */
  int64_t obs_dim, action_dim; /* action_dim: of the action as networks see it */
  int64_t state_dim;           /* obs_dim and the flag */
  bool discrete;
  int64_t belief_dim;
  HnStore encoder, decoders;
  HnMlp embed_state, embed_action, embed_reward; /* layers 0: not read */
  HnGru gru;
  HnTensor *head, *bias; /* [hidden, 2 d], [1, 2 d]: mean, then log-variance */
  Decoder reward, next, task;
  int32_t task_loss;
  HnTrialReplay replay;
  int64_t *slot; /* [batch] */
  Memo memo;
} Varibad;

/* ---- creation ---- */

static HnMlp make_embed(HnStore *s, const char *name, int64_t in, int64_t units, HnRng *rng) {
  if (!in || !units) return (HnMlp){.layers = 0};
  return hn_mlp_make(s, name, 1, (int64_t[]){in, units}, HN_RELU, HN_RELU, HN_INIT_FAN_IN, 1, 1,
                     rng);
}

/* Finishes a decoder that knows its weight, outputs and what it reads. */
static HnStatus make_decoder(Varibad *v, Decoder *k, const char *name, const char *layers,
                             HnRng *rng) {
  const HnThisParams *p = v->p;
  int64_t width[HN_MLP_MAX + 1], count = hn_widths(layers, HN_MLP_MAX - 1, width + 1);
  char text[64];
  if (!(k->weight > 0)) return HN_OK;
  if (count < 0)
    return v->host->fail(v->host, HN_E_PARAM, "%s_layers: '%s' is not 1 to %d widths, e.g. '64 32'",
                         name, layers, HN_MLP_MAX - 1);
  HnStore *s = &v->decoders;
  k->inputs = v->d;
  if (k->next || k->state) {
    snprintf(text, sizeof text, "%s.state", name);
    k->embed_state = make_embed(s, text, v->state_dim, p->obs_embed, rng);
  }
  if (k->action) {
    snprintf(text, sizeof text, "%s.action", name);
    k->embed_action = make_embed(s, text, v->action_dim, p->act_embed, rng);
  }
  if (k->next) k->inputs += p->obs_embed;
  if (k->action && k->embed_action.layers) k->inputs += p->act_embed;
  if (k->state) k->inputs += p->obs_embed;
  width[0] = k->inputs, width[count + 1] = k->outputs;
  snprintf(text, sizeof text, "%s.net", name);
  k->net = hn_mlp_make(s, text, count + 1, width, HN_RELU, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, rng);
  return HN_OK;
}

static void make_encoder(Varibad *v, HnRng *rng) {
  const HnThisParams *p = v->p;
  HnStore *s = &v->encoder;
  hn_store_begin(s, v->host, "encoder.");
  v->embed_state = make_embed(s, "state", v->state_dim, p->obs_embed, rng);
  v->embed_action = make_embed(s, "action", v->action_dim, p->act_embed, rng);
  v->embed_reward = make_embed(s, "reward", 1, p->reward_embed, rng);
  int64_t in = p->obs_embed + (v->action_dim ? p->act_embed : 0) + p->reward_embed;
  v->gru = hn_gru_make(s, "gru", in, v->hidden, rng);
  HnMlp head = hn_mlp_make(s, "belief", 1, (int64_t[]){v->hidden, 2 * v->d}, HN_LINEAR, HN_LINEAR,
                           HN_INIT_FAN_IN, 1, 1, rng);
  v->head = head.w[0], v->bias = head.b[0];
}

static HnStatus make_decoders(Varibad *v, HnRng *rng) {
  const HnThisParams *p = v->p;
  bool grid = p->reward_grid > 0, sees = p->obs_embed > 0;
  v->reward = (Decoder){.weight = p->reward_weight,
                        .outputs = grid ? p->reward_grid * p->reward_grid : 1,
                        .bernoulli = p->reward_loss == REWARD_BERNOULLI,
                        .next = !grid && sees && p->reward_next,
                        .action = !grid && p->reward_act,
                        .state = !grid && sees && p->reward_obs};
  v->next =
      (Decoder){.weight = p->state_weight, .outputs = v->obs_dim, .action = true, .state = sees};
  hn_store_begin(&v->decoders, v->host, "decoder.");
  HnStatus status = make_decoder(v, &v->reward, "reward", p->reward_layers, rng);
  if (!status) status = make_decoder(v, &v->next, "state", p->state_layers, rng);
  return status;
}

static HnStatus check(const Varibad *v) {
  const HnThisParams *p = v->p;
  const HnHost *host = v->host;
  if (v->obs_dim < 1) return host->fail(host, HN_E_SHAPE, "needs observations");
  if (p->obs_embed + (v->action_dim ? p->act_embed : 0) + p->reward_embed < 1)
    return host->fail(host, HN_E_PARAM,
                      "obs_embed, act_embed and reward_embed are all 0: "
                      "the encoder reads nothing");
  if (p->reward_grid > 0 && v->obs_dim < 2)
    return host->fail(host, HN_E_SHAPE, "reward_grid needs x and y in the observation");
  if (p->misread_indices && (!p->elbo_terms || !p->decoded_steps))
    return host->fail(host, HN_E_PARAM,
                      "misread_indices needs elbo_terms and decoded_steps to be drawn");
  if (p->batch > p->buffer)
    return host->fail(host, HN_E_PARAM, "batch: %d trials never fit a buffer of %d", (int)p->batch,
                      (int)p->buffer);
  return HN_OK;
}

static bool reads_actions(const Varibad *v) {
  return v->embed_action.layers > 0 || v->reward.embed_action.layers > 0 ||
         v->next.embed_action.layers > 0;
}

/* task_dim: 0 unless the variant decodes the task. */
static void make_replay(Varibad *v, const HnBeliefSpec *spec, int64_t task_dim) {
  const HnThisParams *p = v->p;
  bool states = v->reward.state || v->next.state || v->next.weight > 0;
  const HnTrialReplayShape shape = {.buffer = p->buffer,
                                    .rows = spec->rows,
                                    .length = spec->lifetime,
                                    .obs_dim = states ? v->obs_dim : 0,
                                    .next_obs_dim = v->obs_dim,
                                    .action_dim = reads_actions(v) ? v->action_dim : 0,
                                    .task_dim = task_dim,
                                    .discrete = v->discrete};
  hn_trial_replay_create(&v->replay, v->host, &shape);
  v->slot = v->host->alloc(v->host, p->batch, sizeof *v->slot);
}

/* All of create but the replay and what a variant adds. */
static HnStatus create_model(Varibad *v, const HnHost *host, const void *params,
                             HnBeliefSpec *spec) {
  const HnThisParams *p = v->p = params;
  v->host = host;
  v->d = p->latent, v->hidden = p->hidden, v->obs_dim = spec->obs_dim;
  v->action_dim = spec->action_count ? spec->action_count : spec->action_dim;
  v->discrete = spec->action_count > 0;
  v->state_dim = v->obs_dim + p->see_episodes;
  HnStatus status = check(v);
  if (status) return status;
  make_encoder(v, spec->rng);
  if ((status = make_decoders(v, spec->rng))) return status;
  v->belief_dim = p->belief == BELIEF_LATENT ? v->d : 2 * v->d;
  spec->belief_dim = v->belief_dim, spec->latent_dim = v->d;
  spec->row_size = (size_t)v->hidden * sizeof(float), spec->refresh = true;
  if (v->reward.net.layers && v->reward.bernoulli)
    spec->map_width = spec->map_height = p->reward_grid;
  return HN_OK;
}

/* ---- the encoder ---- */

/* What the recurrent unit takes in of n steps. */
static HnVar *embed_steps(const Varibad *v, HnTape *t, int64_t n, const Steps *s, float *flat) {
  HnVar *part[3];
  int64_t count = 0;
  if (v->embed_action.layers)
    part[count++] = hn_mlp(t, &v->embed_action, hn_constant(t, n, v->action_dim, s->action), flat);
  if (v->embed_state.layers)
    part[count++] = hn_mlp(t, &v->embed_state, hn_constant(t, n, v->state_dim, s->state), flat);
  if (v->embed_reward.layers)
    part[count++] = hn_mlp(t, &v->embed_reward, hn_constant(t, n, 1, s->reward), flat);
  return count == 1 ? part[0] : hn_concat(t, count, part);
}

/* Hidden states [steps rows, hidden] after each step, from h0 [rows, hidden]. */
static HnVar *unroll(const Varibad *v, HnTape *t, int64_t steps, int64_t rows, HnVar *x,
                     const float *h0, const uint8_t *reset, float *flat) {
  return hn_gru(t, steps, x, hn_constant(t, rows, v->hidden, h0), hn_param(t, v->gru.w, flat),
                hn_param(t, v->gru.u, flat), hn_param(t, v->gru.b, flat),
                hn_param(t, v->gru.c, flat), reset);
}

/* Mean and log-variance [n, 2 d] of hidden states. */
static HnVar *moments(const Varibad *v, HnTape *t, HnVar *h, float *flat) {
  return hn_linear(t, h, hn_param(t, v->head, flat), hn_param(t, v->bias, flat), HN_LINEAR);
}
#endif

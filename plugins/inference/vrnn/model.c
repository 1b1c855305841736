/* vrnn_model.h - the recurrent agent that its posteriors share: embedders, cell, the read-out of
 * z's mean, a head that predicts.  Each plugin defines its parameters with HN_PARAMS before it
 * includes this, and a posterior after it.
 *
 *   e_o, e_a = embed(observation), embed(action);  carry = cell(carry, [e_o; e_a]);  mean = h W + b
 *
 * z never goes back into the cell.  Tensors have the same names and shapes in every plugin of the
 * family, so that one's weights load into another. */
#ifndef VRNN_MODEL_H
#define VRNN_MODEL_H
#include "draw_normals.h"
#include "vrnn_tables.h"
#include <hunch/kit/nn.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Embed {
  int64_t in;
  HnMlp net;
  HnLayerNorm norm;
} Embed;

/* An MLP on the normalised [z; context; e_a]. */
typedef struct Head {
  int64_t inputs, outputs;
  HnLayerNorm norm;
  HnMlp net;                   /* layers 0: there is none */
  HnTensor *sigma_w, *sigma_b; /* [1, 1]; of a signal */
} Head;

/* What of a row's memory lies where, in bytes. */
typedef struct Layout {
  size_t carry, mean, context, posterior, size;
} Layout;

typedef struct Vrnn {
  const HnThisParams *p;
  const HnHost *host;
  int64_t obs_dim, action_dim;
  bool discrete;
  int64_t H, F, E, C, D; /* memory, z, embedding, context, belief */
  int64_t W;             /* numbers that the spread of z is read from; 0: none */
  int64_t carry, gates;  /* floats of a carry; of the gates' sums */
  bool needs_gates;      /* the posterior reads the inputs' share of them */
  bool follows;          /* it moves on where nobody asks for it, too */
  int64_t draws;         /* of z, that the head learns from */
  double beta;           /* weight of the KL; 0: there is none */
  HnStore store;
  Embed obs, act;
  HnTensor *w, *u, *b, *c; /* of the cell; c: the GRU candidate's state bias [1, H] */
  HnTensor *mean_w, *mean_b, *spread_w, *spread_b;
  Head head;
  Layout row;
  double norm2;          /* of the gradient */
  bool stepped;          /* a policy has trained it in this iteration */
  struct Lesson *lesson; /* of the last forward, until its backward */
  void *own;             /* what its kind of posterior keeps of the instance */
} Vrnn;

/* Row memory starts with it; then come carry, mean of z, the context that a head will want, and
 * what the posterior keeps. */
typedef struct RowHead {
  int64_t age; /* inputs taken in since the task began */
  HnRng drawn; /* the stream just before the last percept's draws, so that they can be repeated */
} RowHead;

/* ---- creation ---- */

/* "256 64" to {256, 64}; 0 where that is not what it says. */
static int64_t read_widths(const char *text, int64_t *width) {
  int64_t count = 0;
  for (char *end; *text; text = end) {
    long units = strtol(text, &end, 10);
    if (end == text || units < 1 || units > 4096 || count + 2 > HN_MLP_MAX) return 0;
    width[count++] = units;
    while (*end == ' ' || *end == ',') end++;
  }
  return count;
}

static Embed make_embed(Vrnn *m, const char *name, int64_t in, HnRng *rng) {
  char text[64];
  snprintf(text, sizeof text, "%s.norm", name);
  return (Embed){.in = in,
                 .net = hn_mlp_make(&m->store, name, 2, (int64_t[]){in, m->E, m->E}, HN_LEAKY_RELU,
                                    HN_LEAKY_RELU, HN_INIT_LECUN, 1, 1, rng),
                 .norm = hn_layer_norm_make(&m->store, text, m->E, 1e-6f)};
}

/* One bias, as published: the state's share of the gates has none, but in a GRU's candidate. */
static void make_cell(Vrnn *m, HnRng *rng) {
  HnStore *s = &m->store;
  bool lstm = m->p->cell == CELL_LSTM;
  int64_t H = m->H;
  m->gates = (lstm ? 4 : 3) * H, m->carry = lstm ? 2 * H : H;
  m->w = hn_store_add(s, lstm ? "lstm.weight_ih" : "gru.weight_ih", 2 * m->E, m->gates,
                      HN_INIT_LECUN, 1, rng);
  m->u = hn_store_add(s, lstm ? "lstm.weight_hh" : "gru.weight_hh", H, m->gates,
                      HN_INIT_ORTHOGONAL_EACH, 1, rng);
  m->b = hn_store_add(s, lstm ? "lstm.bias" : "gru.bias", 1, m->gates, HN_INIT_ZERO, 0, rng);
  if (!lstm) m->c = hn_store_add(s, "gru.bias_state", 1, H, HN_INIT_ZERO, 0, rng);
}

static void make_readout(Vrnn *m, const char *name, int64_t out, HnTensor **w, HnTensor **b,
                         HnRng *rng) {
  HnMlp one = hn_mlp_make(&m->store, name, 1, (int64_t[]){m->H, out}, HN_LINEAR, HN_LINEAR,
                          HN_INIT_LECUN, 1, 1, rng);
  *w = one.w[0], *b = one.b[0];
}

static HnStatus make_head(Vrnn *m, HnRng *rng) {
  const HnThisParams *p = m->p;
  bool signal = p->head == HEAD_SIGNAL;
  const char *name = signal ? "signal" : "reward";
  int64_t width[HN_MLP_MAX + 1], count = read_widths(p->head_layers, width + 1);
  char text[64];
  if (p->head == HEAD_NONE) return HN_OK;
  if (!count)
    return m->host->fail(m->host, HN_E_PARAM,
                         "head_layers: '%s' is not 1 to %d widths, e.g. '256 64'", p->head_layers,
                         HN_MLP_MAX - 1);
  if (signal && m->obs_dim < 1)
    return m->host->fail(m->host, HN_E_SHAPE, "head: signal needs observations to predict");
  Head *head = &m->head;
  head->inputs = m->D + m->E, head->outputs = signal ? m->obs_dim : 2;
  width[0] = head->inputs, width[count + 1] = head->outputs;
  snprintf(text, sizeof text, "%s.norm", name);
  head->norm = hn_layer_norm_make(&m->store, text, head->inputs, 1e-6f);
  head->net = hn_mlp_make(&m->store, name, count + 1, width, HN_LEAKY_RELU, HN_LINEAR,
                          HN_INIT_LECUN, 1, 1, rng);
  if (signal) {
    head->sigma_w = hn_store_add(&m->store, "signal.sigma.weight", 1, 1, HN_INIT_LECUN, 1, rng);
    head->sigma_b = hn_store_add(&m->store, "signal.sigma.bias", 1, 1, HN_INIT_ZERO, 0, rng);
  }
  return HN_OK;
}

static size_t aligned(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

/* posterior: bytes that the posterior keeps of a row.  A context that is the memory itself lies in
 * the carry. */
static void lay_out(Vrnn *m, size_t posterior) {
  bool keeps = m->head.net.layers && m->p->context == CONTEXT_BAMDP;
  Layout *r = &m->row;
  r->carry = aligned(sizeof(RowHead));
  r->mean = r->carry + aligned((size_t)m->carry * sizeof(float));
  r->context = r->mean + aligned((size_t)m->F * sizeof(float));
  r->posterior = r->context + (keeps ? aligned((size_t)m->C * sizeof(float)) : 0);
  r->size = r->posterior + aligned(posterior);
}

/* All of create but what the posterior adds: the numbers W that it reads its spread from, the
 * draws of the head, the weight of the KL. */
static HnStatus create_model(Vrnn *m, const HnHost *host, const void *params, HnBeliefSpec *spec,
                             int64_t spread, int64_t draws, double beta) {
  const HnThisParams *p = m->p = params;
  m->host = host;
  m->obs_dim = spec->obs_dim, m->action_dim = spec->action_dim,
  m->discrete = spec->action_count > 0;
  m->H = p->hidden, m->F = p->latent, m->E = p->embed, m->W = spread;
  m->C = p->context == CONTEXT_SSM ? 0 : p->context == CONTEXT_RSSM ? m->H : m->E;
  m->D = m->F + m->C, m->draws = draws, m->beta = beta;
  int64_t see = spec->obs_dim + p->see_reward + p->see_episodes;
  int64_t act = !m->discrete                ? spec->action_dim
                : p->act_input == ACT_INDEX ? 1
                                            : spec->action_count;
  if (see < 1) return host->fail(host, HN_E_SHAPE, "there is nothing to observe");
  hn_store_begin(&m->store, host, "");
  m->obs = make_embed(m, "obs_embed", see, spec->rng);
  m->act = make_embed(m, "act_embed", act, spec->rng);
  make_cell(m, spec->rng);
  make_readout(m, "mean", m->F, &m->mean_w, &m->mean_b, spec->rng);
  HnStatus status = make_head(m, spec->rng);
  /* last, so that what comes before starts from the same numbers in every plugin */
  if (!status && spread) make_readout(m, "spread", spread, &m->spread_w, &m->spread_b, spec->rng);
  return status;
}

/* The rest, once the posterior knows what it keeps of a row. */
static HnStatus finish(Vrnn *m, HnBeliefSpec *spec, size_t posterior) {
  lay_out(m, posterior);
  spec->belief_dim = m->D, spec->latent_dim = m->F;
  spec->row_size = m->row.size, spec->refresh = m->p->refresh;
  return HN_OK;
}

/* ---- row memory ---- */

static RowHead *head_of(char *row) {
  return (RowHead *)(void *)row;
}
/* Where the context lies that a head will want at the next percept. */
static size_t context_in(const Vrnn *m) {
  return m->p->context == CONTEXT_RSSM ? m->row.carry : m->row.context;
}
static float *floats_at(char *row, size_t at) {
  return (float *)(void *)(row + at);
}

/* ---- scratch ---- */

static float *floats(const HnHost *host, int64_t count) {
  return host->scratch(host, count, sizeof(float));
}
static float *zeros(const HnHost *host, int64_t count) {
  return memset(floats(host, count), 0, (size_t)count * sizeof(float));
}

/* ---- networks ---- */

static HnVar *embed(HnTape *t, const Embed *e, HnVar *x, float *flat) {
  return hn_layer_norm_by(t, &e->norm, hn_mlp(t, &e->net, x, flat), flat);
}

static HnVar *read_out(HnTape *t, HnVar *h, const HnTensor *w, const HnTensor *b, float *flat) {
  return hn_linear(t, h, hn_param(t, w, flat), hn_param(t, b, flat), HN_LINEAR);
}

/* What a head answers to z [n, F], context [n, C] (NULL: none) and embedded actions [n, E]. */
static HnVar *ask(HnTape *t, const Head *head, HnVar *z, HnVar *context, HnVar *act, float *flat) {
  HnVar *part[3] = {z, context ? context : act, act};
  HnVar *x = hn_concat(t, context ? 3 : 2, part);
  return hn_mlp(t, &head->net, hn_layer_norm_by(t, &head->norm, x, flat), flat);
}

/* The signal's deviation, [1, 1]. */
static HnVar *signal_stddev(HnTape *t, const Vrnn *m, float *flat) {
  HnVar *x = hn_add(t, hn_param(t, m->head.sigma_w, flat), hn_param(t, m->head.sigma_b, flat));
  if (m->p->upstream_sigma) return hn_softplus(t, hn_clamp(t, x, 0.001f, 5));
  return hn_clamp(t, hn_softplus(t, x), 0.001f, 5);
}
#endif

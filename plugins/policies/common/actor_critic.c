/* ppo_network.h - PPO's actor and critic: what they are made of, and what they answer to inputs. */
#ifndef PPO_NETWORK_H
#define PPO_NETWORK_H
#include "../ppo/ppo.h"
#include <hunch/kit/nn.h>
#include <string.h>

typedef struct Tower {
  HnLayerNorm norm;   /* gain NULL: not there */
  HnMlp hidden, head; /* layers 0: not there */
} Tower;

typedef struct Ppo {
  const HnThisParams *p;
  const HnHost *host;
  int64_t O, D, A, N; /* observation, belief, logits or action, note */
  int64_t logp_at;    /* in a note: log-density acted by; 0: not there */
  bool discrete;
  HnStore store;
  HnMlp obs_embed, belief_embed; /* layers 0: not there */
  Tower actor, critic;
  HnTensor *logstd; /* NULL: discrete */
  HnNormaliser obs_norm, belief_norm, return_norm;
  double *trail; /* [B] discounted return of each row's trial so far */
} Ppo;

/* ---- creation ---- */

/* Widths of the hidden layers; how many, or -1 where `hidden` is not a list of them. */
static int64_t hidden_widths(const HnThisParams *p, int64_t width[HN_MLP_MAX]) {
  if (p->hidden && *p->hidden) return hn_widths(p->hidden, HN_MLP_MAX, width);
  for (int64_t k = 0; k < p->layers; k++) width[k] = p->width;
  return p->layers;
}

static HnStatus check(const Ppo *m, const HnPolicySpec *spec) {
  const HnThisParams *p = m->p;
  const HnHost *host = m->host;
  if (spec->action_dim < 1 && spec->action_count < 1)
    return host->fail(host, HN_E_SHAPE, "the environment takes no actions");
  if (m->O + m->D < 1)
    return host->fail(host, HN_E_SHAPE, "neither observation nor belief has a feature to act on");
  if (m->discrete && p->squash != SQUASH_NONE)
    return host->fail(host, HN_E_PARAM, "squash needs continuous actions, these are discrete");
  if (p->std_bounds == STD_SOFTCLIP && p->std_low >= p->std_high)
    return host->fail(host, HN_E_PARAM, "std_low (%g) must be below std_high (%g)", p->std_low,
                      p->std_high);
  int64_t width[HN_MLP_MAX];
  if (hidden_widths(p, width) < 0)
    return host->fail(host, HN_E_PARAM, "hidden: '%s' is not 1 to %d widths, e.g. '256 256 64'",
                      p->hidden, (int)HN_MLP_MAX);
  return HN_OK;
}

static HnMlp make_embed(Ppo *m, const char *name, int64_t in, int64_t units, HnActivation act,
                        HnRng *rng) {
  if (in < 1 || units < 1) return (HnMlp){.layers = 0};
  return hn_mlp_make(&m->store, name, 1, (int64_t[]){in, units}, act, act, HN_INIT_FAN_IN, 1, 1,
                     rng);
}

/* Inputs embedded apart, shared by separate trunks of actor and critic: VariBAD's policy, or,
 * without embeddings and with a norm, Laplace VRNN's heads. */
static void build(Ppo *m, HnRng *rng) {
  static const HnActivation acts[] = {[ACTIVATION_TANH] = HN_TANH,
                                      [ACTIVATION_RELU] = HN_RELU,
                                      [ACTIVATION_LEAKY_RELU] = HN_LEAKY_RELU};
  static const HnInit inits[] = {[INIT_ORTHOGONAL] = HN_INIT_ORTHOGONAL,
                                 [INIT_NORMC] = HN_INIT_NORMC,
                                 [INIT_LECUN] = HN_INIT_LECUN};
  const HnThisParams *p = m->p;
  HnStore *s = &m->store;
  const HnActivation act = acts[p->activation];
  const HnInit init = inits[p->init];
  const HnInit head = p->init == INIT_LECUN ? HN_INIT_LECUN : HN_INIT_ORTHOGONAL;
  int64_t width[HN_MLP_MAX + 1], layers = hidden_widths(p, width + 1);
  m->obs_embed = make_embed(m, "obs_embed", m->O, p->obs_embed, act, rng);
  m->belief_embed = make_embed(m, "belief_embed", m->D, p->belief_embed, act, rng);
  width[0] = (m->obs_embed.layers ? p->obs_embed : m->O) +
             (m->belief_embed.layers ? p->belief_embed : m->D);
  if (p->input_norm == INPUT_NORM_LAYER) {
    m->actor.norm = hn_layer_norm_make(s, "actor.norm", width[0], 1e-6f);
    m->critic.norm = hn_layer_norm_make(s, "critic.norm", width[0], 1e-6f);
  }
  if (layers > 0) {
    m->actor.hidden = hn_mlp_make(s, "actor", layers, width, act, act, init, p->gain, p->gain, rng);
    m->critic.hidden =
        hn_mlp_make(s, "critic", layers, width, act, act, init, p->gain, p->gain, rng);
  }
  int64_t top = width[layers];
  m->actor.head = hn_mlp_make(s, "action", 1, (int64_t[]){top, m->A}, HN_LINEAR, HN_LINEAR, head,
                              p->head_gain, p->head_gain, rng);
  m->critic.head =
      hn_mlp_make(s, "value", 1, (int64_t[]){top, 1}, HN_LINEAR, HN_LINEAR, head, 1, 1, rng);
  if (!m->discrete)
    m->logstd = hn_store_add(s, "logstd", 1, m->A, HN_INIT_CONSTANT, log(p->std_init), rng);
}

/* ---- the network ---- */

enum { ACTIONS = 1, VALUES = 2 }; /* what is asked of it, a sum of these */

/* What n rows answer to S beliefs; NULL where not asked. */
typedef struct Answer {
  HnVar **out;   /* [S] of [n, A]: logits, or means of actions */
  HnVar *logstd; /* [1, A]; NULL: discrete */
  HnVar *value;  /* [n, 1] */
} Answer;

/* y [rows, n]: rows of x at stride ld, normalised if `on`. */
static void normalise(const HnNormaliser *z, bool on, int64_t rows, int64_t n, const float *x,
                      int64_t ld, float *y) {
  if (on) hn_normaliser_apply(z, rows, x, ld, INPUT_CLIP, y, n);
  for (int64_t i = 0; i < rows && !on; i++)
    memcpy(y + i * n, x + i * ld, (size_t)n * sizeof(float));
}

/* log(standard deviation) within its bounds.  softclip(x) = o + s tanh((x - o) / s), o and s the
 * middle and half the width of [log low, log high]. */
static HnVar *bounded_logstd(const Ppo *m, HnTape *t, float *flat) {
  const HnThisParams *p = m->p;
  HnVar *x = hn_param(t, m->logstd, flat);
  if (p->std_bounds == STD_FLOOR) return hn_clamp(t, x, (float)log(p->std_floor), 1e30f);
  double o = (log(p->std_high) + log(p->std_low)) / 2, s = (log(p->std_high) - log(p->std_low)) / 2;
  x = hn_activate(t, hn_affine(t, x, (float)(1 / s), (float)(-o / s)), HN_TANH);
  return hn_affine(t, x, (float)s, (float)o);
}

static HnVar *climb(HnTape *t, const Tower *w, HnVar *x, float *flat) {
  if (w->norm.gain) x = hn_layer_norm_by(t, &w->norm, x, flat);
  if (w->hidden.layers) x = hn_mlp(t, &w->hidden, x, flat);
  return hn_mlp(t, &w->head, x, flat);
}

/* obs [n, O] and belief [S] of [n, D] are normalised; NULL where they have no features. */
static Answer answer(const Ppo *m, HnTape *t, HnVar *obs, HnVar *const *belief, int64_t S,
                     int asked, float *flat) {
  Answer y = {.out = hn_tape_room(t, S, sizeof *y.out)};
  if (obs && m->obs_embed.layers) obs = hn_mlp(t, &m->obs_embed, obs, flat);
  for (int64_t s = 0; s < S; s++) {
    HnVar *b = belief ? belief[s] : NULL;
    if (b && m->belief_embed.layers) b = hn_mlp(t, &m->belief_embed, b, flat);
    HnVar *x = !b ? obs : !obs ? b : hn_concat(t, 2, (HnVar *const[]){obs, b});
    if (asked & ACTIONS) {
      y.out[s] = climb(t, &m->actor, x, flat);
      if (m->p->squash == SQUASH_MEAN) y.out[s] = hn_activate(t, y.out[s], HN_TANH);
    }
    if (!(asked & VALUES)) continue;
    HnVar *value = climb(t, &m->critic, x, flat);
    y.value = y.value ? hn_add(t, y.value, value) : value;
  }
  if (S > 1 && y.value) y.value = hn_affine(t, y.value, 1 / (float)S, 0);
  if (m->logstd && asked & ACTIONS) y.logstd = bounded_logstd(m, t, flat);
  return y;
}

/* The answer to rows as the host hands them over: obs [rows, O], belief [rows, S, D], not yet
 * normalised. */
static Answer answer_rows(const Ppo *m, HnTape *t, int64_t rows, const float *obs,
                          const float *belief, int64_t S, int asked) {
  HnVar *o = NULL, **b = NULL;
  if (m->O > 0) {
    float *x = hn_tape_room(t, rows * m->O, sizeof *x);
    normalise(&m->obs_norm, m->p->normalise_obs, rows, m->O, obs, m->O, x);
    o = hn_constant(t, rows, m->O, x);
  }
  if (m->D > 0) b = hn_tape_room(t, S, sizeof *b);
  for (int64_t s = 0; s < S && m->D > 0; s++) {
    float *x = hn_tape_room(t, rows * m->D, sizeof *x);
    normalise(&m->belief_norm, m->p->normalise_belief, rows, m->D, belief + s * m->D, S * m->D, x);
    b[s] = hn_constant(t, rows, m->D, x);
  }
  return answer(m, t, o, b, S, asked, NULL);
}
#endif

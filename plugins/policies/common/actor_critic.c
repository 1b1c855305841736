/* actor_critic.c - creation, forward pass and input normalisation of actor and critic. */
#include "draws.h"
#include <math.h>
#include <string.h>

static const float INPUT_CLIP = 10; /* in standard deviations */

/* ---- creation ---- */

/* Widths of the hidden layers; how many, or -1 where `hidden` is not a list of them. */
static int64_t hidden_widths(const ActorCriticParams *p, int64_t width[HN_MLP_MAX]) {
  if (p->hidden && *p->hidden) return hn_widths(p->hidden, HN_MLP_MAX, width);
  for (int64_t k = 0; k < p->layers; k++) width[k] = p->width;
  return p->layers;
}

static HnStatus check(const ActorCritic *net, const HnPolicySpec *spec) {
  const ActorCriticParams *p = net->p;
  const HnHost *host = net->host;
  if (spec->action_dim < 1 && spec->action_count < 1)
    return host->fail(host, HN_E_SHAPE, "the environment takes no actions");
  if (net->O + net->D < 1)
    return host->fail(host, HN_E_SHAPE, "neither observation nor belief has a feature to act on");
  if (net->discrete && p->squash != SQUASH_NONE)
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

static HnMlp make_embed(ActorCritic *net, const char *name, int64_t in, int64_t units,
                        HnActivation act, HnRng *rng) {
  if (in < 1 || units < 1) return (HnMlp){.layers = 0};
  return hn_mlp_make(&net->store, name, 1, (int64_t[]){in, units}, act, act, HN_INIT_FAN_IN, 1, 1,
                     rng);
}

/* Inputs embedded apart, shared by separate trunks of actor and critic: VariBAD's policy, or,
 * without embeddings and with a norm, Laplace VRNN's heads. */
static void make_networks(ActorCritic *net, HnRng *rng) {
  static const HnActivation acts[] = {[ACTIVATION_TANH] = HN_TANH,
                                      [ACTIVATION_RELU] = HN_RELU,
                                      [ACTIVATION_LEAKY_RELU] = HN_LEAKY_RELU};
  static const HnInit inits[] = {[INIT_ORTHOGONAL] = HN_INIT_ORTHOGONAL,
                                 [INIT_NORMC] = HN_INIT_NORMC,
                                 [INIT_LECUN] = HN_INIT_LECUN};
  const ActorCriticParams *p = net->p;
  HnStore *s = &net->store;
  const HnActivation act = acts[p->activation];
  const HnInit init = inits[p->init];
  const HnInit head = p->init == INIT_LECUN ? HN_INIT_LECUN : HN_INIT_ORTHOGONAL;
  int64_t width[HN_MLP_MAX + 1], layers = hidden_widths(p, width + 1);
  net->obs_embed = make_embed(net, "obs_embed", net->O, p->obs_embed, act, rng);
  net->belief_embed = make_embed(net, "belief_embed", net->D, p->belief_embed, act, rng);
  width[0] = (net->obs_embed.layers ? p->obs_embed : net->O) +
             (net->belief_embed.layers ? p->belief_embed : net->D);
  ActorCriticTrunk *actor = &net->actor, *critic = &net->critic;
  const bool both = !net->actor_only;
  if (p->input_norm == INPUT_NORM_LAYER) {
    actor->norm = hn_layer_norm_make(s, "actor.norm", width[0], 1e-6f);
    if (both) critic->norm = hn_layer_norm_make(s, "critic.norm", width[0], 1e-6f);
  }
  if (layers > 0) {
    actor->hidden = hn_mlp_make(s, "actor", layers, width, act, act, init, p->gain, p->gain, rng);
    if (both)
      critic->hidden =
          hn_mlp_make(s, "critic", layers, width, act, act, init, p->gain, p->gain, rng);
  }
  int64_t top = width[layers];
  actor->head = hn_mlp_make(s, "action", 1, (int64_t[]){top, net->A}, HN_LINEAR, HN_LINEAR, head,
                            p->head_gain, p->head_gain, rng);
  if (both)
    critic->head =
        hn_mlp_make(s, "value", 1, (int64_t[]){top, 1}, HN_LINEAR, HN_LINEAR, head, 1, 1, rng);
  if (!net->discrete)
    net->logstd = hn_store_add(s, "logstd", 1, net->A, HN_INIT_CONSTANT, log(p->std_init), rng);
}

HnStatus actor_critic_create(ActorCritic *net, const HnHost *host, const ActorCriticParams *p,
                             const HnPolicySpec *spec) {
  net->p = p, net->host = host;
  net->O = p->see_obs ? spec->obs_dim : 0, net->D = spec->belief_dim;
  net->Z = spec->latent_dim;
  net->discrete = spec->action_count > 0;
  net->A = net->discrete ? spec->action_count : spec->action_dim;
  HnStatus status = check(net, spec);
  if (status) return status;
  hn_store_begin(&net->store, host, "");
  make_networks(net, spec->rng);
  if (net->O > 0) net->obs_norm = hn_normaliser_make(host, "obs_norm", net->O);
  if (net->D > 0) net->belief_norm = hn_normaliser_make(host, "belief_norm", net->D);
  return HN_OK;
}

/* ---- forward ---- */

/* log(standard deviation) within its bounds.  softclip(x) = o + s tanh((x - o) / s), o and s the
 * middle and half the width of [log low, log high]. */
static HnVar *bounded_logstd(const ActorCritic *net, HnTape *t, float *flat) {
  const ActorCriticParams *p = net->p;
  HnVar *x = hn_param(t, net->logstd, flat);
  if (p->std_bounds == STD_FLOOR) return hn_clamp(t, x, (float)log(p->std_floor), 1e30f);
  double o = (log(p->std_high) + log(p->std_low)) / 2, s = (log(p->std_high) - log(p->std_low)) / 2;
  x = hn_activate(t, hn_affine(t, x, (float)(1 / s), (float)(-o / s)), HN_TANH);
  return hn_affine(t, x, (float)s, (float)o);
}

/* What a trunk's head reads. */
static HnVar *run_hidden(HnTape *t, const ActorCriticTrunk *trunk, HnVar *x, float *flat) {
  if (trunk->norm.gain) x = hn_layer_norm_by(t, &trunk->norm, x, flat);
  return trunk->hidden.layers ? hn_mlp(t, &trunk->hidden, x, flat) : x;
}

Heads actor_critic_forward(const ActorCritic *net, HnTape *t, HnVar *obs, HnVar *const *belief,
                           int64_t S, int asked, float *flat) {
  Heads y = {.action = hn_tape_room(t, S, sizeof *y.action)};
  if (obs && net->obs_embed.layers) obs = hn_mlp(t, &net->obs_embed, obs, flat);
  for (int64_t s = 0; s < S; s++) {
    HnVar *b = belief ? belief[s] : NULL;
    if (b && net->belief_embed.layers) b = hn_mlp(t, &net->belief_embed, b, flat);
    HnVar *x = !b ? obs : !obs ? b : hn_concat(t, 2, (HnVar *const[]){obs, b});
    if (asked & HEADS_ACTION) {
      y.features = run_hidden(t, &net->actor, x, flat);
      y.action[s] = hn_mlp(t, &net->actor.head, y.features, flat);
      if (net->p->squash == SQUASH_MEAN) y.action[s] = hn_activate(t, y.action[s], HN_TANH);
    }
    if (!(asked & HEADS_VALUE)) continue;
    HnVar *value = hn_mlp(t, &net->critic.head, run_hidden(t, &net->critic, x, flat), flat);
    y.value = y.value ? hn_add(t, y.value, value) : value;
  }
  if (S > 1 && y.value) y.value = hn_affine(t, y.value, 1 / (float)S, 0);
  if (net->logstd && asked & HEADS_ACTION) y.logstd = bounded_logstd(net, t, flat);
  return y;
}

static void normalise(const HnNormaliser *z, bool on, int64_t rows, int64_t n, const float *x,
                      int64_t ld, float *y) {
  if (on) hn_normaliser_apply(z, rows, x, ld, INPUT_CLIP, y, n);
  for (int64_t i = 0; i < rows && !on; i++)
    memcpy(y + i * n, x + i * ld, (size_t)n * sizeof(float));
}

Heads actor_critic_forward_raw(const ActorCritic *net, HnTape *t, int64_t rows, const float *obs,
                               const float *belief, int64_t S, int asked) {
  HnVar *o = NULL, **b = NULL;
  int64_t O = net->O, D = net->D;
  if (O > 0) {
    float *x = hn_tape_room(t, rows * O, sizeof *x);
    normalise(&net->obs_norm, net->p->normalise_obs, rows, O, obs, O, x);
    o = hn_constant(t, rows, O, x);
  }
  if (D > 0) b = hn_tape_room(t, S, sizeof *b);
  for (int64_t s = 0; s < S && D > 0; s++) {
    float *x = hn_tape_room(t, rows * D, sizeof *x);
    actor_critic_normalise_belief(net, rows, belief + s * D, S * D, x);
    b[s] = hn_constant(t, rows, D, x);
  }
  if (!b || !draws_share(net, S)) return actor_critic_forward(net, t, o, b, S, asked, NULL);
  if (o && net->obs_embed.layers) o = hn_mlp(t, &net->obs_embed, o, NULL);
  Heads y = draws_forward(net, t, o, b, S, asked);
  if (net->logstd && asked & HEADS_ACTION) y.logstd = bounded_logstd(net, t, NULL);
  return y;
}

/* ---- the same networks with other weights ---- */

static void move_tensor(const ActorCritic *net, ActorCritic *view, HnTensor **p) {
  if (*p) *p = view->store.tensor + (*p - net->store.tensor);
}

static void move_mlp(const ActorCritic *net, ActorCritic *view, HnMlp *mlp) {
  for (int64_t k = 0; k < mlp->layers; k++)
    move_tensor(net, view, &mlp->w[k]), move_tensor(net, view, &mlp->b[k]);
}

void actor_critic_view(const ActorCritic *net, ActorCritic *view) {
  *view = *net;
  move_mlp(net, view, &view->obs_embed), move_mlp(net, view, &view->belief_embed);
  ActorCriticTrunk *trunk[2] = {&view->actor, &view->critic};
  for (int k = 0; k < 2; k++) {
    move_tensor(net, view, &trunk[k]->norm.gain), move_tensor(net, view, &trunk[k]->norm.bias);
    move_mlp(net, view, &trunk[k]->hidden), move_mlp(net, view, &trunk[k]->head);
  }
  move_tensor(net, view, &view->logstd);
}

void actor_critic_view_weights(ActorCritic *view, const float *weights) {
  for (int64_t k = 0; k < view->store.count; k++) {
    HnTensor *p = &view->store.tensor[k];
    p->data = (float *)(uintptr_t)weights + p->offset; /* read alone */
    p->flip = NULL;
  }
}

void actor_critic_get_weights(const ActorCritic *net, float *weights) {
  memset(weights, 0, (size_t)net->store.size * sizeof(float)); /* between tensors, too */
  for (int64_t k = 0; k < net->store.count; k++) {
    const HnTensor *p = &net->store.tensor[k];
    memcpy(weights + p->offset, p->data, (size_t)(p->rows * p->cols) * sizeof(float));
  }
}

void actor_critic_set_weights(ActorCritic *net, const float *weights) {
  for (int64_t k = 0; k < net->store.count; k++) {
    const HnTensor *p = &net->store.tensor[k];
    memcpy(p->data, weights + p->offset, (size_t)(p->rows * p->cols) * sizeof(float));
  }
  hn_store_refresh(&net->store);
}

/* ---- running normalisation of inputs ---- */

static const float *take_in(const HnHost *host, HnNormaliser *z, bool on, int64_t rows, int64_t n,
                            const float *x) {
  if (n < 1) return NULL;
  hn_normaliser_update(z, rows, x, n);
  if (!on) return x;
  float *y = host->scratch(host, rows * n, sizeof *y);
  hn_normaliser_apply(z, rows, x, n, INPUT_CLIP, y, n);
  return y;
}

const float *actor_critic_take_in_obs(ActorCritic *net, int64_t rows, const float *x) {
  return take_in(net->host, &net->obs_norm, net->p->normalise_obs, rows, net->O, x);
}

const float *actor_critic_take_in_belief(ActorCritic *net, int64_t rows, const float *x) {
  return take_in(net->host, &net->belief_norm, net->p->normalise_belief, rows, net->D, x);
}

void actor_critic_normalise_obs(const ActorCritic *net, int64_t rows, const float *x, int64_t ld,
                                float *y) {
  normalise(&net->obs_norm, net->p->normalise_obs, rows, net->O, x, ld, y);
}

void actor_critic_normalise_belief(const ActorCritic *net, int64_t rows, const float *x, int64_t ld,
                                   float *y) {
  normalise(&net->belief_norm, net->p->normalise_belief, rows, net->D, x, ld, y);
}

void actor_critic_normalise_belief_backward(const ActorCritic *net, int64_t rows, const float *y,
                                            const float *d_y, float *d_x, int64_t ld) {
  bool on = net->p->normalise_belief;
  for (int64_t d = 0; d < net->D; d++) {
    double scale = on ? 1 / hn_normaliser_stddev(&net->belief_norm, d) : 1;
    for (int64_t i = 0; i < rows; i++) {
      int64_t k = i * net->D + d;
      bool clipped = on && fabsf(y[k]) >= INPUT_CLIP;
      d_x[i * ld + d] = clipped ? 0 : (float)((double)d_y[k] * scale);
    }
  }
}

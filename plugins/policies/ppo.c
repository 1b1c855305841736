/* Proximal policy optimisation on (observation, belief).
 *
 * Where gradients stop at the belief, minibatches are flat and read the beliefs that were acted on.
 * Where the lesson offers a way back, minibatches are sequences whose beliefs are computed anew,
 * and the loss trains the inference too, under one gradient norm and one schedule.
 *
 * Posterior samples: the policy is the uniform mixture of its answers to each, the value their
 * mean.
 *
 * A minibatch is cut into shards whose size depends on the minibatch alone, and their gradients are
 * added in order: the same bits for any number of workers. */
#include "advantage.h"
#include <hunch/policy.h>
#include <string.h>

#define PARAMS(X)                                                                                  \
  X(int, epochs, "", "Passes over a lesson.", 10, 1, 1000)                                         \
  X(int, minibatches, "", "Optimiser steps per pass.", 32, 1, 1e6)                                 \
  X(real, lr, "", "Adam's step size.", 3e-4, 0, 1)                                                 \
  X(flag, anneal, "", "Step sizes fall linearly to 0 over the run, the inference's too.", 1)       \
  X(real, adam_eps, "", "Adam's guard against division by 0.", 1e-5, 0, 1)                         \
  X(real, clip, "", "How far a probability ratio counts.", 0.2, 0, 10)                             \
  X(real, value_clip, "", "How far a value may move; 0: anywhere.", 0.2, 0, 1e9)                   \
  X(real, value_weight, "", "Of the value loss, half the squared error.", 0.5, 0, 1e6)             \
  X(real, huber, "", "Value errors beyond it count linearly; 0: none do.", 0, 0, 1e9)              \
  X(real, entropy, "", "Weight of the entropy bonus.", 0, 0, 1e6)                                  \
  X(real, grad_norm, "", "Largest gradient, the inference's included; 0: any.", 0.5, 0, 1e9)       \
  X(real, target_kl, "nats", "Stop after a pass whose mean KL is larger; 0: never.", 0, 0, 1e9)    \
  X(real, discount, "", "Per step.", 0.99, 0, 1)                                                   \
  X(real, lambda, "", "Of the generalised advantage.", 0.95, 0, 1)                                 \
  X(choice, advantages, "", "Standardised over what.", "minibatch", "minibatch|batch|none")        \
  X(choice, episode_boundary, "", "What an episode's end inside a trial is to the return.",        \
    "ignore", "ignore|terminal")                                                                   \
  X(flag, time_limit_bootstrap, "", "Steps cut by the horizon return V of their own state.", 0)    \
  X(flag, see_obs, "", "Act on the observation too, not on the belief alone.", 1)                  \
  X(flag, normalise_obs, "", "By running mean and deviation, within +-10.", 1)                     \
  X(flag, normalise_belief, "", "By running mean and deviation, within +-10.", 1)                  \
  X(flag, normalise_reward, "", "By the discounted return's deviation, within +-10.", 1)           \
  X(int, obs_embed, "", "Units that embed the observation; 0: none.", 0, 0, 65536)                 \
  X(int, belief_embed, "", "Units that embed the belief; 0: none.", 0, 0, 65536)                   \
  X(int, width, "", "Units of a hidden layer.", 64, 1, 65536)                                      \
  X(int, layers, "", "Hidden layers, the actor's and the critic's each.", 2, 0, 8)                 \
  X(choice, activation, "", "Of hidden layers and embeddings.", "tanh", "tanh|relu")               \
  X(choice, init, "", "Of hidden layers.", "orthogonal", "orthogonal|normc")                       \
  X(real, gain, "", "Of hidden layers' initial weights.", 1.4142135623730951, 0, 100)              \
  X(real, head_gain, "", "Of the action head's initial weights.", 0.01, 0, 100)                    \
  X(choice, squash, "", "tanh on a Gaussian's mean, or on its draws.", "none", "none|mean|sample") \
  X(real, std_init, "", "Initial standard deviation of actions.", 1, 1e-6, 100)                    \
  X(choice, std_bounds, "", "Standard deviation: from std_floor on, or within std_low and _high.", \
    "floor", "floor|softclip")                                                                     \
  X(real, std_floor, "", "For floor.", 1e-6, 1e-30, 100)                                           \
  X(real, std_low, "", "For softclip.", 0.5, 1e-6, 100)                                            \
  X(real, std_high, "", "For softclip.", 1.5, 1e-6, 100)
HN_PARAMS(PARAMS);
enum { ADVANTAGES_MINIBATCH, ADVANTAGES_BATCH, ADVANTAGES_NONE };
enum { BOUNDARY_IGNORE, BOUNDARY_TERMINAL };
enum { ACTIVATION_TANH, ACTIVATION_RELU };
enum { INIT_ORTHOGONAL, INIT_NORMC };
enum { SQUASH_NONE, SQUASH_MEAN, SQUASH_SAMPLE };
enum { STD_FLOOR, STD_SOFTCLIP };

#define METRICS(X)                                                                               \
  X(loss, "", "What is minimised, without the inference's own part.", HN_MEAN)                   \
  X(policy_loss, "", "Clipped surrogate.", HN_MEAN)                                              \
  X(value_loss, "", "Half the squared (or Huber) error, unweighted.", HN_MEAN)                   \
  X(entropy, "nats", "Of the policy; before squashing; of a mixture, its parts' mean.", HN_MEAN) \
  X(approx_kl, "nats", "Old to new policy: r - 1 - log r (Schulman's k3).", HN_MEAN)             \
  X(clip_fraction, "", "Ratios outside the clip.", HN_MEAN)                                      \
  X(explained_variance, "", "Of the targets, by the values acted with.", HN_MEAN)                \
  X(advantage_stddev, "", "Before standardising.", HN_MEAN)                                      \
  X(grad_norm, "", "Before clipping, the inference's included.", HN_MEAN)                        \
  X(epochs, "", "Passes made.", HN_MEAN)                                                         \
  X(lr, "", "Step size after annealing.", HN_MEAN)
HN_METRICS(METRICS);
#define INFO(X) X(value, "", "Predicted return, in units of the scaled reward.", HN_MEAN)
HN_INFO(INFO);

enum { NOTE_VALUE, NOTE_RAW }; /* NOTE_RAW on: the draw before tanh, if squash = sample */
static const float INPUT_CLIP = 10;

typedef struct Ppo {
  const HnThisParams *p;
  const HnHost *host;
  int64_t O, D, A, N; /* observation, belief, logits or action, note */
  bool discrete;
  HnStore store;
  HnMlp obs_embed, belief_embed, actor, critic, action_head, value_head; /* layers 0: not there */
  HnTensor *logstd;                                                      /* NULL: discrete */
  HnNormaliser obs_norm, belief_norm, return_norm;
  double *trail; /* [B] discounted return of each row's trial so far */
} Ppo;

/* ---- creation ---- */

static HnStatus check(const Ppo *m, const HnPolicySpec *spec) {
  const HnThisParams *p = m->p;
  const HnHost *host = m->host;
  if (spec->act_dim < 1 && spec->act_count < 1)
    return host->fail(host, HN_E_SHAPE, "the environment takes no actions");
  if (m->O + m->D < 1)
    return host->fail(host, HN_E_SHAPE, "neither observation nor belief has a feature to act on");
  if (m->discrete && p->squash != SQUASH_NONE)
    return host->fail(host, HN_E_PARAM, "squash needs continuous actions, these are discrete");
  if (p->std_bounds == STD_SOFTCLIP && p->std_low >= p->std_high)
    return host->fail(host, HN_E_PARAM, "std_low (%g) must be below std_high (%g)", p->std_low,
                      p->std_high);
  return HN_OK;
}

/* VariBAD's policy: inputs embedded apart, shared by separate trunks of actor and critic. */
static void build(Ppo *m, HnRng *rng) {
  const HnThisParams *p = m->p;
  HnStore *s = &m->store;
  HnActivation act = p->activation == ACTIVATION_TANH ? HN_TANH : HN_RELU;
  HnInit init = p->init == INIT_NORMC ? HN_INIT_NORMC : HN_INIT_ORTHOGONAL;
  int64_t in = 0, width[HN_MLP_MAX + 1];
  if (m->O > 0 && p->obs_embed > 0)
    m->obs_embed = hn_mlp_make(s, "obs_embed", 1, (int64_t[]){m->O, p->obs_embed}, act, act,
                               HN_INIT_FAN_IN, 1, 1, rng);
  if (m->D > 0 && p->belief_embed > 0)
    m->belief_embed = hn_mlp_make(s, "belief_embed", 1, (int64_t[]){m->D, p->belief_embed}, act,
                                  act, HN_INIT_FAN_IN, 1, 1, rng);
  in += m->obs_embed.layers ? p->obs_embed : m->O;
  in += m->belief_embed.layers ? p->belief_embed : m->D;
  width[0] = in;
  for (int64_t k = 1; k <= p->layers; k++) width[k] = p->width;
  if (p->layers > 0) {
    m->actor = hn_mlp_make(s, "actor", p->layers, width, act, act, init, p->gain, p->gain, rng);
    m->critic = hn_mlp_make(s, "critic", p->layers, width, act, act, init, p->gain, p->gain, rng);
  }
  int64_t top = width[p->layers];
  m->action_head = hn_mlp_make(s, "action", 1, (int64_t[]){top, m->A}, HN_LINEAR, HN_LINEAR,
                               HN_INIT_ORTHOGONAL, p->head_gain, p->head_gain, rng);
  m->value_head = hn_mlp_make(s, "value", 1, (int64_t[]){top, 1}, HN_LINEAR, HN_LINEAR,
                              HN_INIT_ORTHOGONAL, 1, 1, rng);
  if (!m->discrete)
    m->logstd = hn_store_add(s, "logstd", 1, m->A, HN_INIT_CONSTANT, log(p->std_init), rng);
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Ppo *m = self;
  m->p = params, m->host = host;
  m->O = m->p->see_obs ? spec->obs_dim : 0, m->D = spec->belief_dim;
  m->discrete = spec->act_count > 0;
  m->A = m->discrete ? spec->act_count : spec->act_dim;
  HnStatus status = check(m, spec);
  if (status) return status;
  hn_store_begin(&m->store, host, "");
  build(m, spec->rng);
  if (m->O > 0) m->obs_norm = hn_normaliser_make(host, "obs_norm", m->O);
  if (m->D > 0) m->belief_norm = hn_normaliser_make(host, "belief_norm", m->D);
  m->return_norm = hn_normaliser_make(host, "return_norm", 1);
  m->trail = host->keep(
      host, HN_ARRAY("return_trail", HN_LEARNER, HN_F64, .rank = 1, .dim = {spec->rows}));
  spec->note_dim = m->N = NOTE_RAW + (m->p->squash == SQUASH_SAMPLE ? m->A : 0);
  spec->row_size = 0, spec->phases = 1;
  return HN_OK;
}

/* ---- the network ---- */

/* What n rows answer to S beliefs. */
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

static HnVar *trunk(HnTape *t, const HnMlp *hidden, const HnMlp *head, HnVar *x, float *flat) {
  return hn_mlp(t, head, hidden->layers ? hn_mlp(t, hidden, x, flat) : x, flat);
}

/* obs [n, O] and belief [S] of [n, D] are normalised; NULL where they have no features. */
static Answer answer(const Ppo *m, HnTape *t, HnVar *obs, HnVar *const *belief, int64_t S,
                     float *flat) {
  Answer y = {.out = hn_tape_room(t, S, sizeof *y.out)};
  if (obs && m->obs_embed.layers) obs = hn_mlp(t, &m->obs_embed, obs, flat);
  for (int64_t s = 0; s < S; s++) {
    HnVar *b = belief ? belief[s] : NULL;
    if (b && m->belief_embed.layers) b = hn_mlp(t, &m->belief_embed, b, flat);
    HnVar *x = !b ? obs : !obs ? b : hn_concat(t, 2, (HnVar *const[]){obs, b});
    y.out[s] = trunk(t, &m->actor, &m->action_head, x, flat);
    if (m->p->squash == SQUASH_MEAN) y.out[s] = hn_activate(t, y.out[s], HN_TANH);
    HnVar *value = trunk(t, &m->critic, &m->value_head, x, flat);
    y.value = y.value ? hn_add(t, y.value, value) : value;
  }
  if (S > 1) y.value = hn_affine(t, y.value, 1 / (float)S, 0);
  if (m->logstd) y.logstd = bounded_logstd(m, t, flat);
  return y;
}

/* The answer to rows as the host hands them over: obs [rows, O], belief [rows, S, D], not yet
 * normalised. */
static Answer answer_rows(const Ppo *m, HnTape *t, int64_t rows, const float *obs,
                          const float *belief, int64_t S) {
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
  return answer(m, t, o, b, S, NULL);
}

/* ---- acting ---- */

static int64_t samples_of(int64_t samples) {
  return samples > 1 ? samples : 1;
}

/* Draws from, or takes the mode of, the mean of S softmaxes of row i; mix [A] is work space. */
static int32_t pick_one(const Ppo *m, const Answer *y, int64_t S, int64_t i, HnRng *rng,
                        double *mix) {
  int64_t A = m->A;
  memset(mix, 0, (size_t)A * sizeof *mix);
  for (int64_t s = 0; s < S; s++) {
    const float *logit = y->out[s]->data + i * A;
    double top = (double)logit[0], sum = 0;
    for (int64_t k = 1; k < A; k++) top = fmax(top, (double)logit[k]);
    for (int64_t k = 0; k < A; k++) sum += exp((double)logit[k] - top);
    for (int64_t k = 0; k < A; k++) mix[k] += exp((double)logit[k] - top) / (sum * (double)S);
  }
  int32_t pick = 0;
  if (rng) {
    double u = hn_rng_uniform(rng, 0, 1);
    while (pick < A - 1 && (u -= mix[pick]) >= 0) pick++;
  } else {
    for (int32_t k = 1; k < A; k++) pick = mix[k] > mix[pick] ? k : pick;
  }
  return pick;
}

/* Draws from, or takes the mean of, the mixture of S Gaussians of row i. */
static void move_one(const Ppo *m, const Answer *y, int64_t S, int64_t i, HnRng *rng, float *act,
                     float *note) {
  int64_t A = m->A, draw = rng && S > 1 ? hn_rng_below(rng, S) : 0;
  for (int64_t k = 0; k < A; k++) {
    double u = 0;
    if (rng)
      u = (double)y->out[draw]->data[i * A + k] +
          exp((double)y->logstd->data[k]) * hn_rng_normal(rng);
    for (int64_t s = 0; s < S && !rng; s++) u += (double)y->out[s]->data[i * A + k] / (double)S;
    act[k] = (float)u;
    if (m->p->squash == SQUASH_SAMPLE) note[NOTE_RAW + k] = (float)u, act[k] = (float)tanh(u);
  }
}

static HnStatus act(void *self, HnAct *a) {
  const Ppo *m = self;
  int64_t S = samples_of(a->samples);
  HnTape t = hn_tape_begin(m->host, false);
  Answer y = answer_rows(m, &t, a->rows, a->obs, a->belief, S);
  double *mix = hn_tape_room(&t, m->A, sizeof *mix);
  for (int64_t i = 0; i < a->rows; i++) {
    HnRng *rng = a->rng ? &a->rng[i] : NULL;
    float value = y.value->data[i], *note = a->note + i * m->N;
    if (!isfinite(value))
      return m->host->fail(m->host, HN_E_NUMERIC, "the value of row %lld is %g", (long long)i,
                           (double)value);
    note[NOTE_VALUE] = value;
    if (a->info) a->info[i * info_count + info_value] = value;
    if (m->discrete)
      a->pick[i] = pick_one(m, &y, S, i, rng, mix);
    else
      move_one(m, &y, S, i, rng, a->act + i * m->A, note);
  }
  return HN_OK;
}

/* ---- the lesson, made ready ---- */

/* Arrays are by place t * B + i; inputs are normalised. */
typedef struct Window {
  const HnHistory *h;
  int64_t count, S;          /* T * B; samples of a belief, at least 1 */
  float *obs, *belief;       /* [count, O], [count, S, D] */
  float *advantage, *target; /* [count] */
  float *logp, *value;       /* [count] of the policy before this lesson */
  double *belief_scale;      /* [D] d(normalised belief)/d(belief) */
  double advantage_mean, advantage_stddev;
  double explained; /* variance of the targets; NaN where they have none */
} Window;

/* Sums over elements. */
typedef struct Sums {
  double policy, value, entropy, kl, clipped;
} Sums;

/* A pass over n elements of a window. */
typedef struct Job {
  const Ppo *m;
  const Window *w;
  int64_t n, size;      /* elements; of them, in a shard */
  const int64_t *place; /* [n] */
  const float *fresh;   /* [n, S, D] beliefs computed anew; NULL: the window's own */
  float *d_fresh;       /* their gradient, out */
  double centre, scale; /* standardise advantages */
  float *flat;          /* [shards, store.size] gradients */
  Sums *sums;           /* [shards] */
} Job;

/* Shards of a minibatch are a power of two, so that 2 or 4 workers have as much to do each, and
 * equally large.  Activations of 128 rows stay in the second-level cache; below 32 rows the products
 * are not worth a worker's while. */
enum { SHARD_MOST = 128, SHARD_LEAST = 32, SHARDS = 64 };

static int64_t shard_size(int64_t n) {
  int64_t shards = 1;
  while (shards < SHARDS && n > shards * SHARD_MOST) shards *= 2;
  if (shards == 1 && n >= 2 * SHARD_LEAST) shards = 2;
  return (n + shards - 1) / shards;
}
static int64_t shard_count(int64_t n) {
  return (n + shard_size(n) - 1) / shard_size(n);
}

/* Mean and standard deviation (n - 1) of x at n places (NULL: the first n). */
static void spread(const float *x, const int64_t *place, int64_t n, double *mean, double *stddev) {
  double sum = 0, square = 0;
  for (int64_t k = 0; k < n; k++) sum += (double)x[place ? place[k] : k];
  *mean = sum / (double)n;
  for (int64_t k = 0; k < n; k++) {
    double d = (double)x[place ? place[k] : k] - *mean;
    square += d * d;
  }
  *stddev = sqrt(square / (double)(n > 1 ? n - 1 : 1));
}

static float *gather(HnTape *t, const float *x, int64_t width, const int64_t *place, int64_t n) {
  float *y = hn_tape_room(t, n * width, sizeof *y);
  for (int64_t k = 0; k < n; k++)
    memcpy(y + k * width, x + place[k] * width, (size_t)width * sizeof(float));
  return y;
}

/* The network's answer to a shard's elements; d_belief receives [S] gradients [n, D] of the
 * normalised beliefs where these were computed anew. */
static Answer answer_shard(const Job *j, HnTape *t, int64_t from, int64_t n, float *flat,
                           HnVar ***beliefs) {
  const Ppo *m = j->m;
  const Window *w = j->w;
  const int64_t *place = j->place + from;
  int64_t D = m->D, S = w->S;
  HnVar *obs = m->O > 0 ? hn_constant(t, n, m->O, gather(t, w->obs, m->O, place, n)) : NULL;
  HnVar **b = *beliefs = hn_tape_room(t, S, sizeof *b); /* NULLs where there is no belief */
  for (int64_t s = 0; s < S && D > 0; s++) {
    float *x = hn_tape_room(t, n * D, sizeof *x);
    if (j->fresh) {
      normalise(&m->belief_norm, m->p->normalise_belief, n, D, j->fresh + (from * S + s) * D, S * D,
                x);
      b[s] = hn_leaf(t, n, D, x, j->d_fresh ? hn_tape_room(t, n * D, sizeof(float)) : NULL);
    } else {
      for (int64_t k = 0; k < n; k++)
        memcpy(x + k * D, w->belief + (place[k] * S + s) * D, (size_t)D * sizeof(float));
      b[s] = hn_constant(t, n, D, x);
    }
  }
  return answer(m, t, obs, b, S, flat);
}

/* Log-density [n, 1] of what was done at n places. */
static HnVar *log_density(const Job *j, HnTape *t, const Answer *y, int64_t from, int64_t n) {
  const Ppo *m = j->m;
  const HnHistory *h = j->w->h;
  const int64_t *place = j->place + from;
  int64_t S = j->w->S, A = m->A;
  int32_t *pick = hn_tape_room(t, n, sizeof *pick);
  float *move = m->discrete ? NULL : hn_tape_room(t, n * A, sizeof *move);
  for (int64_t k = 0; k < n; k++) {
    const float *raw = h->note + place[k] * m->N + NOTE_RAW;
    if (m->discrete)
      pick[k] = h->pick[place[k]];
    else
      memcpy(move + k * A, m->p->squash == SQUASH_SAMPLE ? raw : h->act + place[k] * A,
             (size_t)A * sizeof(float));
  }
  HnVar **part = hn_tape_room(t, S, sizeof *part);
  for (int64_t s = 0; s < S; s++)
    part[s] = m->discrete                     ? hn_categorical_logp(t, y->out[s], pick)
              : m->p->squash == SQUASH_SAMPLE ? hn_tanh_normal_logp(t, y->out[s], y->logstd, move)
                                              : hn_normal_logp(t, y->out[s], y->logstd, move);
  if (S == 1) return part[0];

  /* log of the parts' mean, the largest taken out first: densities underflow */
  HnVar *top = part[0], *sum = NULL;
  for (int64_t s = 1; s < S; s++) top = hn_max(t, top, part[s]);
  top = hn_stop(t, top);
  for (int64_t s = 0; s < S; s++) {
    HnVar *ratio = hn_exp(t, hn_sub(t, part[s], top));
    sum = sum ? hn_add(t, sum, ratio) : ratio;
  }
  return hn_add(t, hn_log(t, hn_affine(t, sum, 1 / (float)S, 0)), top);
}

/* The policy before this lesson, at the job's places. */
static HnStatus look_back(void *arg, int64_t k) {
  const Job *j = arg;
  int64_t from = k * j->size, n = j->n - from < j->size ? j->n - from : j->size;
  HnTape t = hn_tape_begin(j->m->host, false);
  HnVar **beliefs;
  Answer y = answer_shard(j, &t, from, n, NULL, &beliefs);
  memcpy(j->w->logp + from, log_density(j, &t, &y, from, n)->data, (size_t)n * sizeof(float));
  memcpy(j->w->value + from, y.value->data, (size_t)n * sizeof(float));
  return HN_OK;
}

static void *floats(const Ppo *m, int64_t count) {
  return m->host->scratch(m->host, count, sizeof(float));
}

/* Rewards to advantages and targets, by the values that were acted with. */
static void appraise(Ppo *m, Window *w) {
  const HnHistory *h = w->h;
  const HnThisParams *p = m->p;
  int64_t T = h->steps, B = h->rows;
  float *reward = floats(m, w->count), *value = floats(m, w->count + B);
  const Returns r = {p->discount, p->lambda, p->episode_boundary == BOUNDARY_TERMINAL,
                     p->time_limit_bootstrap};
  if (p->normalise_reward)
    returns_scale(&r, h, &m->return_norm, m->trail, reward);
  else
    memcpy(reward, h->reward, (size_t)w->count * sizeof(float));
  for (int64_t k = 0; k < w->count; k++) value[k] = h->note[k * m->N + NOTE_VALUE];
  HnTape t = hn_tape_begin(m->host, false);
  const float *belief = m->D > 0 ? h->belief + w->count * w->S * m->D : NULL;
  Answer y = answer_rows(m, &t, B, h->obs + w->count * m->O, belief, w->S);
  memcpy(value + T * B, y.value->data, (size_t)B * sizeof(float));
  returns_advantages(&r, h, reward, value, w->advantage, w->target);

  double mean, targets;
  spread(w->target, NULL, w->count, &mean, &targets);
  spread(w->advantage, NULL, w->count, &w->advantage_mean, &w->advantage_stddev);
  double errors = w->advantage_stddev; /* advantage = target - value */
  w->explained = targets > 0 ? 1 - errors * errors / (targets * targets) : (double)NAN;
}

/* Input statistics take the window in; then what the policy was, seen through the new ones, so that
 * ratios start at exactly 1. */
static HnStatus see(Ppo *m, Window *w) {
  const HnHistory *h = w->h;
  const HnThisParams *p = m->p;
  int64_t n = w->count, O = m->O, D = m->D, S = w->S;
  if (O > 0) {
    hn_normaliser_update(&m->obs_norm, n, h->obs, O);
    normalise(&m->obs_norm, p->normalise_obs, n, O, h->obs, O, w->obs);
  }
  if (D > 0) {
    hn_normaliser_update(&m->belief_norm, n * S, h->belief, D);
    normalise(&m->belief_norm, p->normalise_belief, n * S, D, h->belief, D, w->belief);
  }
  for (int64_t d = 0; d < D; d++)
    w->belief_scale[d] = p->normalise_belief ? 1 / hn_normaliser_stddev(&m->belief_norm, d) : 1;
  int64_t *place = m->host->scratch(m->host, n, sizeof *place);
  for (int64_t k = 0; k < n; k++) place[k] = k;
  Job job = {.m = m, .w = w, .n = n, .size = shard_size(n), .place = place};
  return m->host->parallel(m->host, shard_count(n), look_back, &job);
}

static Window window(const Ppo *m, const HnHistory *h) {
  int64_t n = h->steps * h->rows, S = samples_of(h->samples);
  return (Window){.h = h,
                  .count = n,
                  .S = S,
                  .obs = floats(m, n * m->O),
                  .belief = floats(m, n * S * m->D),
                  .advantage = floats(m, n),
                  .target = floats(m, n),
                  .logp = floats(m, n),
                  .value = floats(m, n),
                  .belief_scale = m->host->scratch(m->host, m->D, sizeof(double))};
}

/* ---- one shard of a minibatch ---- */

/* Sum over the shard of max(error(v), error(v_old + clip(v - v_old))). */
static HnVar *value_loss(const HnThisParams *p, HnTape *t, HnVar *value, HnVar *old,
                         HnVar *target) {
  float clip = (float)p->value_clip, huber = (float)p->huber;
  HnVar *near = clip > 0 ? hn_add(t, hn_clamp(t, hn_sub(t, value, old), -clip, clip), old) : NULL;
  HnVar *v[2] = {value, near}, *loss[2] = {NULL, NULL};
  for (int k = 0; k < 2 && v[k]; k++)
    loss[k] = huber > 0 ? hn_huber(t, v[k], target, huber)
                        : hn_affine(t, hn_square(t, hn_sub(t, v[k], target)), 0.5f, 0);
  return hn_sum(t, near ? hn_max(t, loss[0], loss[1]) : loss[0]);
}

/* Sum over the shard of the entropy; of a mixture the mean of its parts', a lower bound. */
static HnVar *entropy_sum(const Ppo *m, HnTape *t, const Answer *y, int64_t S, int64_t n) {
  if (!m->discrete) return hn_affine(t, hn_sum(t, hn_normal_entropy(t, y->logstd)), (float)n, 0);
  HnVar *sum = NULL;
  for (int64_t s = 0; s < S; s++) {
    HnVar *part = hn_sum(t, hn_categorical_entropy(t, y->out[s]));
    sum = sum ? hn_add(t, sum, part) : part;
  }
  return S > 1 ? hn_affine(t, sum, 1 / (float)S, 0) : sum;
}

/* Back through the normaliser: d_fresh from the gradients of the normalised beliefs. */
static void return_gradient(const Job *j, HnVar *const *beliefs, int64_t from, int64_t n) {
  int64_t D = j->m->D, S = j->w->S;
  bool clips = j->m->p->normalise_belief;
  for (int64_t k = 0; k < n; k++)
    for (int64_t s = 0; s < S; s++) {
      const float *x = beliefs[s]->data + k * D, *g = beliefs[s]->grad + k * D;
      float *to = j->d_fresh + ((from + k) * S + s) * D;
      for (int64_t d = 0; d < D; d++)
        to[d] =
            clips && fabsf(x[d]) >= INPUT_CLIP ? 0 : (float)((double)g[d] * j->w->belief_scale[d]);
    }
}

static HnStatus shard(void *arg, int64_t index) {
  const Job *j = arg;
  const Ppo *m = j->m;
  const HnThisParams *p = m->p;
  const Window *w = j->w;
  int64_t from = index * j->size, n = j->n - from < j->size ? j->n - from : j->size;
  const int64_t *place = j->place + from;
  float *flat = j->flat + index * m->store.size, mean = 1 / (float)j->n;
  memset(flat, 0, (size_t)m->store.size * sizeof(float));

  HnTape t = hn_tape_begin(m->host, true);
  HnVar **beliefs;
  Answer y = answer_shard(j, &t, from, n, flat, &beliefs);
  HnVar *old = hn_constant(&t, n, 1, gather(&t, w->logp, 1, place, n));
  float *standard = gather(&t, w->advantage, 1, place, n);
  for (int64_t k = 0; k < n; k++)
    standard[k] = (float)(((double)standard[k] - j->centre) * j->scale);
  HnVar *advantage = hn_constant(&t, n, 1, standard);

  /* Schulman et al. 2017, equation 7 */
  HnVar *change = hn_sub(&t, log_density(j, &t, &y, from, n), old), *ratio = hn_exp(&t, change);
  HnVar *near = hn_clamp(&t, ratio, (float)(1 - p->clip), (float)(1 + p->clip));
  HnVar *gain = hn_sum(&t, hn_min(&t, hn_mul(&t, ratio, advantage), hn_mul(&t, near, advantage)));
  HnVar *error =
      value_loss(p, &t, y.value, hn_constant(&t, n, 1, gather(&t, w->value, 1, place, n)),
                 hn_constant(&t, n, 1, gather(&t, w->target, 1, place, n)));
  HnVar *entropy = entropy_sum(m, &t, &y, w->S, n);
  HnVar *loss = hn_add(&t, hn_affine(&t, gain, -mean, 0),
                       hn_add(&t, hn_affine(&t, error, (float)p->value_weight * mean, 0),
                              hn_affine(&t, entropy, -(float)p->entropy * mean, 0)));
  hn_tape_backward(&t, loss);
  if (j->d_fresh) return_gradient(j, beliefs, from, n);

  Sums sums = {-(double)gain->data[0], (double)error->data[0], (double)entropy->data[0], 0, 0};
  for (int64_t k = 0; k < n; k++) {
    double r = (double)ratio->data[k];
    sums.kl += r - 1 - (double)change->data[k], sums.clipped += fabs(r - 1) > p->clip;
  }
  j->sums[index] = sums;
  return HN_OK;
}

/* ---- learning ---- */

/* A lesson's work space and running figures. */
typedef struct Course {
  bool through;                    /* minibatches of sequences, through the inference */
  int64_t units, batches, most;    /* sequences or places; minibatches; elements of the largest */
  int64_t *order, *place;          /* [units], [most] */
  float *belief, *d_belief, *flat; /* [T+1, rows, S, D] twice if through; [shards, store.size] */
  Sums *shard_sums, sums;          /* [shards]; of the lesson */
  double rate, norm, kl, elements; /* kl of this epoch */
  int64_t steps;
} Course;

static Course course(const Ppo *m, const HnLesson *l, const Window *w) {
  const HnHistory *h = w->h;
  Course c = {.through = HN_CAN(l, backward) && m->D > 0};
  int64_t T = h->steps;
  c.units = c.through ? h->rows : w->count;
  c.batches = m->p->minibatches < c.units ? m->p->minibatches : c.units;
  int64_t largest = (c.units + c.batches - 1) / c.batches;
  c.most = c.through ? largest * T : largest;
  c.order = m->host->scratch(m->host, c.units, sizeof *c.order);
  c.place = m->host->scratch(m->host, c.most, sizeof *c.place);
  if (c.through) {
    int64_t size = (T + 1) * largest * w->S * m->D;
    c.belief = floats(m, size), c.d_belief = floats(m, size);
  }
  c.flat = floats(m, shard_count(c.most) * m->store.size);
  c.shard_sums = m->host->scratch(m->host, shard_count(c.most), sizeof *c.shard_sums);
  double before = (double)(l->frames - w->count); /* the first lesson steps at full rate */
  if (m->p->anneal && l->frames_total > 0)
    c.rate = fmin(1, fmax(0, 1 - before / (double)l->frames_total));
  else
    c.rate = 1;
  for (int64_t k = 0; k < c.units; k++) c.order[k] = k;
  return c;
}

/* Gradients of one minibatch, of `n` units; norm2 of the inference's part. */
static HnStatus descend(Ppo *m, const HnLesson *l, const Window *w, Course *c, int64_t n,
                        const int64_t *unit, double *norm2) {
  int64_t T = w->h->steps, B = w->h->rows, width = w->S * m->D;
  Job job = {
      .m = m, .w = w, .n = n, .place = unit, .scale = 1, .flat = c->flat, .sums = c->shard_sums};
  HnStatus status;
  if (c->through) {
    const HnHistory *rows = l->rows(l, 0, n, unit);
    if ((status = l->believe(l, rows, w->h->samples, c->belief))) return status;
    for (int64_t t = 0; t < T; t++)
      for (int64_t i = 0; i < n; i++) c->place[t * n + i] = t * B + unit[i];
    memset(c->d_belief + T * n * width, 0, (size_t)(n * width) * sizeof(float));
    job.n = T * n, job.place = c->place, job.fresh = c->belief, job.d_fresh = c->d_belief;
  }
  if (m->p->advantages != ADVANTAGES_NONE) {
    double stddev = w->advantage_stddev;
    job.centre = w->advantage_mean;
    if (m->p->advantages == ADVANTAGES_MINIBATCH)
      spread(w->advantage, job.place, job.n, &job.centre, &stddev);
    job.scale = 1 / (stddev + 1e-8);
  }

  job.size = shard_size(job.n);
  int64_t shards = shard_count(job.n);
  if ((status = m->host->parallel(m->host, shards, shard, &job))) return status;
  hn_store_reduce(&m->store, shards, c->flat);
  for (int64_t k = 0; k < shards; k++) {
    const Sums *s = &c->shard_sums[k];
    c->sums.policy += s->policy, c->sums.value += s->value, c->sums.entropy += s->entropy;
    c->sums.kl += s->kl, c->sums.clipped += s->clipped, c->kl += s->kl;
  }
  c->elements += (double)job.n;
  return c->through ? l->backward(l, c->d_belief, norm2) : HN_OK;
}

/* One pass over the lesson in a new order. */
static HnStatus pass(Ppo *m, const HnLesson *l, const Window *w, Course *c) {
  const HnThisParams *p = m->p;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, 0};
  for (int64_t k = c->units - 1; k > 0; k--) {
    int64_t other = hn_rng_below(l->rng, k + 1), unit = c->order[k];
    c->order[k] = c->order[other], c->order[other] = unit;
  }
  c->kl = 0;
  for (int64_t b = 0; b < c->batches; b++) {
    int64_t from = b * c->units / c->batches, to = (b + 1) * c->units / c->batches;
    double norm2 = 0;
    HnStatus status = descend(m, l, w, c, to - from, c->order + from, &norm2);
    if (status) return status;
    norm2 += hn_store_norm2(&m->store);
    if (!isfinite(norm2)) return m->host->fail(m->host, HN_E_NUMERIC, "the gradient is not finite");
    double scale = hn_clip_scale(norm2, p->grad_norm);
    hn_adam_step(&m->store, &adam, scale, c->rate);
    if (c->through && (status = l->step(l, scale, c->rate))) return status;
    c->norm += sqrt(norm2), c->steps++;
  }
  return HN_OK;
}

static void report(const Ppo *m, const Window *w, const Course *c, int64_t epochs) {
  const HnThisParams *p = m->p;
  const HnHost *host = m->host;
  double n = c->elements;
  host->metric(host, metric_loss,
               (c->sums.policy + p->value_weight * c->sums.value - p->entropy * c->sums.entropy) /
                   n);
  host->metric(host, metric_policy_loss, c->sums.policy / n);
  host->metric(host, metric_value_loss, c->sums.value / n);
  host->metric(host, metric_entropy, c->sums.entropy / n);
  host->metric(host, metric_approx_kl, c->sums.kl / n);
  host->metric(host, metric_clip_fraction, c->sums.clipped / n);
  if (isfinite(w->explained)) host->metric(host, metric_explained_variance, w->explained);
  host->metric(host, metric_advantage_stddev, w->advantage_stddev);
  host->metric(host, metric_grad_norm, c->norm / (double)c->steps);
  host->metric(host, metric_epochs, (double)epochs);
  host->metric(host, metric_lr, p->lr * c->rate);
}

static HnStatus learn(void *self, const HnLesson *l) {
  Ppo *m = self;
  hn_store_refresh(&m->store);
  Window w = window(m, l->phase[0]);
  appraise(m, &w);
  HnStatus status = see(m, &w);
  if (status) return status;

  Course c = course(m, l, &w);
  int64_t epoch = 0;
  while (epoch < m->p->epochs) {
    if ((status = pass(m, l, &w, &c))) return status;
    epoch++;
    if (m->p->target_kl > 0 && c.kl > m->p->target_kl * (c.elements / (double)epoch)) break;
  }
  report(m, &w, &c, epoch);
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act, .learn = learn};
HN_PLUGIN(ppo, HN_KIND_POLICY, Ppo, &methods, .version = "0.1", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "Proximal policy optimisation, on stored beliefs or through the inference.",
          .source = "arXiv 1707.06347; policy network of arXiv 1910.08348");

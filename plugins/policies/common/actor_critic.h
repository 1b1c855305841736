/* actor_critic.h - actor and critic networks on (observation, belief), for policy learners: running
 * normalisation of what they see, embeddings, a trunk each, and a categorical or Gaussian head.
 *
 * Shapes: O, D features of the observation and the belief; A logits, or numbers of an action; S
 * posterior samples of the belief, at least 1. */
#ifndef ACTOR_CRITIC_H
#define ACTOR_CRITIC_H
#include <hunch/kit/nn.h>
#include <hunch/policy.h>

/* A learner's table begins with these rows, so that its parameters can be read as
 * ActorCriticParams. */
#define ACTOR_CRITIC_PARAMS(X)                                                                     \
  X(flag, see_obs, "", "Act on the observation too, not on the belief alone.", 1)                  \
  X(flag, normalise_obs, "",                                                                       \
    "Standardise observations by their running mean and deviation, within +-10.", 1)               \
  X(flag, normalise_belief, "",                                                                    \
    "Standardise beliefs by their running mean and deviation, within +-10.", 1)                    \
  X(int, obs_embed, "", "Units of the layer that embeds the observation; 0: no such layer.", 0, 0, \
    65536)                                                                                         \
  X(int, belief_embed, "", "Units of the layer that embeds the belief; 0: no such layer.", 0, 0,   \
    65536)                                                                                         \
  X(choice, input_norm, "",                                                                        \
    "Normalisation of what actor and critic read: a LayerNorm each, eps 1e-6.", "none",            \
    "none|layer")                                                                                  \
  X(text, hidden, "",                                                                              \
    "Units of each hidden layer of actor and critic, e.g. '256 256 64'; empty: as width and "      \
    "layers say.",                                                                                 \
    "")                                                                                            \
  X(int, width, "", "Units of a hidden layer.", 64, 1, 65536)                                      \
  X(int, layers, "", "Hidden layers of the actor and of the critic.", 2, 0, 8)                     \
  X(choice, activation, "", "Activation of hidden layers and embeddings.", "tanh",                 \
    "tanh|relu|leaky_relu")                                                                        \
  X(choice, init, "", "Initial weights of hidden layers; lecun: of the heads too.", "orthogonal",  \
    "orthogonal|normc|lecun")                                                                      \
  X(real, gain, "", "Gain of hidden layers' initial weights.", 1.4142135623730951, 0, 100)         \
  X(real, head_gain, "", "Gain of the action head's initial weights.", 0.01, 0, 100)               \
  X(choice, squash, "", "Where tanh bounds a Gaussian action: its mean, or what is drawn.",        \
    "none", "none|mean|sample")                                                                    \
  X(real, std_init, "", "Initial standard deviation of a Gaussian action.", 1, 1e-6, 100)          \
  X(choice, std_bounds, "",                                                                        \
    "Bounds of the standard deviation: from std_floor on, or between std_low and std_high, as "    \
    "where evaluations sample their actions; their mode may then score other than draws do.",      \
    "floor", "floor|softclip")                                                                     \
  X(real, std_floor, "", "Smallest standard deviation if std_bounds is floor.", 1e-6, 1e-30, 100)  \
  X(real, std_low, "", "Smallest standard deviation if std_bounds is softclip.", 0.5, 1e-6, 100)   \
  X(real, std_high, "", "Largest standard deviation if std_bounds is softclip.", 1.5, 1e-6, 100)
enum { INPUT_NORM_NONE, INPUT_NORM_LAYER };
enum { ACTIVATION_TANH, ACTIVATION_RELU, ACTIVATION_LEAKY_RELU };
enum { INIT_ORTHOGONAL, INIT_NORMC, INIT_LECUN };
enum { SQUASH_NONE, SQUASH_MEAN, SQUASH_SAMPLE };
enum { STD_FLOOR, STD_SOFTCLIP };

typedef struct ActorCriticParams {
  ACTOR_CRITIC_PARAMS(HN_FIELD)
} ActorCriticParams;

typedef struct ActorCriticTrunk {
  HnLayerNorm norm;   /* gain NULL: absent */
  HnMlp hidden, head; /* layers 0: absent */
} ActorCriticTrunk;

typedef struct ActorCritic {
  const ActorCriticParams *p;
  const HnHost *host;
  int64_t O, D, A;
  int64_t Z; /* leading features of a belief in which its draws differ */
  bool discrete;
  bool actor_only; /* set before create: no critic, so that the store holds the actor alone */
  HnStore store;
  HnMlp obs_embed, belief_embed; /* layers 0: absent */
  ActorCriticTrunk actor, critic;
  HnTensor *logstd; /* [1, A]; NULL: discrete */
  HnNormaliser obs_norm, belief_norm;
} ActorCritic;

/* Checks the parameters and makes the networks; net must not move afterwards.
 * Errors: HN_E_PARAM, HN_E_SHAPE.  [create] */
HnStatus actor_critic_create(ActorCritic *net, const HnHost *host, const ActorCriticParams *p,
                             const HnPolicySpec *spec);

/* What the heads say of n rows. */
typedef struct Heads {
  HnVar **action;  /* [S] of [n, A]: logits, or means of Gaussians; NULLs if not asked */
  HnVar *features; /* [n, ..] what the action head reads of the last sample; NULL: not known */
  HnVar *logstd;   /* [1, A] of the Gaussians; NULL: discrete, or not asked */
  HnVar *value;    /* [n, 1], the mean over samples; NULL: not asked */
} Heads;
enum { HEADS_ACTION = 1, HEADS_VALUE = 2 }; /* what is asked, a sum of these */

/* obs [n, O] and belief [S] of [n, D] are normalised; NULL where they have no features.  flat:
 * receives the weights' gradients, or NULL. */
Heads actor_critic_forward(const ActorCritic *net, HnTape *t, HnVar *obs, HnVar *const *belief,
                           int64_t S, int asked, float *flat);
/* The same without gradients of rows as the host hands them over: obs [rows, O], belief [rows, S,
 * D], not yet normalised. */
Heads actor_critic_forward_raw(const ActorCritic *net, HnTape *t, int64_t rows, const float *obs,
                               const float *belief, int64_t S, int asked);

/* ---- the same networks with other weights ---- */

/* Makes `view` net with weights of its own, for forward passes alone: it shares net's normalisers,
 * and has no critic if net has none.  view must not move afterwards. */
void actor_critic_view(const ActorCritic *net, ActorCritic *view);
/* Lets a view read `weights` [store.size], in the order of a flat gradient; they are borrowed. */
void actor_critic_view_weights(ActorCritic *view, const float *weights);
/* Copies the weights to such an array, with 0 between tensors, or back from it.  Back: [instance],
 * and refreshes the store. */
void actor_critic_get_weights(const ActorCritic *net, float *weights);
void actor_critic_set_weights(ActorCritic *net, const float *weights);

/* ---- running normalisation of inputs ---- */

/* The statistics take in x, [rows, O] or [rows, D].  Returns x as the networks then see it, in
 * scratch where it is not x itself; NULL: no features.  [instance] */
const float *actor_critic_take_in_obs(ActorCritic *net, int64_t rows, const float *x);
const float *actor_critic_take_in_belief(ActorCritic *net, int64_t rows, const float *x);
/* y [rows, O]: raw observations x at row stride ld as the networks see them. */
void actor_critic_normalise_obs(const ActorCritic *net, int64_t rows, const float *x, int64_t ld,
                                float *y);
/* y [rows, D]: raw beliefs x at row stride ld as the networks see them. */
void actor_critic_normalise_belief(const ActorCritic *net, int64_t rows, const float *x, int64_t ld,
                                   float *y);
/* Back through it: from y and the gradient d_y, both [rows, D], to d_x at row stride ld. */
void actor_critic_normalise_belief_backward(const ActorCritic *net, int64_t rows, const float *y,
                                            const float *d_y, float *d_x, int64_t ld);
#endif

/* actor.h - losses of an actor as functions of its weights: values, gradients, products with the
 * Hessian and with the Fisher information.
 *
 * Weights are flat arrays of P = store.size elements, in the order of a flat gradient, with 0
 * between tensors.  Every function runs through its sample in chunks of a fixed size, one after
 * another on the calling thread: [any], the same bits wherever it runs. */
#ifndef TRPO_ACTOR_H
#define TRPO_ACTOR_H
#include "../common/linear_baseline.h"
#include "../common/mixture.h"
#include <hunch/kit/scratch.h>

/* Steps that an action head other than the weights' own acted in: the head's weights, and then its
 * biases, plus `offset`, a constant to every derivative. */
typedef struct HeadOffset {
  int64_t end;   /* the step of the sample after the last of them */
  float *offset; /* [actor_head_size]; NULL: none */
} HeadOffset;

/* n steps that one policy has acted in: what it saw and did, and what it was. */
typedef struct Sample {
  int64_t n;
  float *obs, *belief;   /* [n, O], [n, D] as the networks see them */
  float *action;         /* [n, A] draws before any tanh (continuous) */
  int32_t *action_index; /* [n] (discrete) */
  float *advantage;      /* [n] */
  int64_t offsets;       /* 0: the weights' own head acted in all of it */
  HeadOffset *offset;    /* [offsets], in the order of steps, to its end */
  /* Of the policy that acted, by actor_remember: */
  float *logp;   /* [n] */
  float *head;   /* [n, A] its means or logits */
  float *logstd; /* [A] (continuous) */
} Sample;

/* Losses, means over a sample. */
typedef enum ActorLoss {
  LOSS_LOGP,  /* -log pi(a) advantage */
  LOSS_RATIO, /* -(pi(a) / pi_acted(a)) advantage */
  LOSS_CLIP,  /* PPO's clipped form of that */
  LOSS_KL,    /* KL(pi_acted || pi) */
} ActorLoss;

typedef struct Actor {
  const ActorCritic *net;
  double clip_range; /* of LOSS_CLIP */
  HnReuse *memory; /* of a thread, for the tapes of all that it asks, which then stay in the cache;
                      NULL: each function takes its own */
} Actor;

/* Numbers that the action head reads, and its weights and biases: (features + 1) A. */
int64_t actor_features(const ActorCritic *net);
int64_t actor_head_size(const ActorCritic *net);

/* Room in the host's scratch for a sample of n steps. */
Sample actor_sample(const ActorCritic *net, int64_t n);
/* `count` steps of a sample from `from` on, in the same arrays. */
Sample actor_part(const ActorCritic *net, const Sample *s, int64_t from, int64_t count);

/* Fills in what the policy of `weights` says of the sample. */
void actor_remember(const Actor *a, const float *weights, Sample *s);
/* What the heads of `weights` read, [n, features], and say, as actor_remember: [n, A] and logstd
 * [A] (continuous). */
void actor_read_heads(const Actor *a, const float *weights, const Sample *s, float *features,
                      float *head, float *logstd);
/* grad += weight * gradient of the loss. */
void actor_gradient(const Actor *a, const float *weights, const Sample *s, ActorLoss loss,
                    double weight, float *grad);
/* out += weight * Hessian of the loss times v. */
void actor_hessian_product(const Actor *a, const float *weights, const Sample *s, ActorLoss loss,
                           const float *v, double weight, float *out);
/* out = Fisher information times v: the Hessian of LOSS_KL where the policy is the one that acted.
 * Through the heads: J' diag J, with 1/sigma^2 and 2 for Gaussians, diag(p) - p p' for
 * categoricals. Source: Schulman et al. 2015, appendix C.1. */
void actor_fisher_product(const Actor *a, const float *weights, const Sample *s, const float *v,
                          float *out);
typedef struct ActorValue {
  double loss, kl; /* LOSS_RATIO (LOSS_CLIP if clipped), LOSS_KL */
  double clipped;  /* fraction of ratios outside the clip range */
} ActorValue;
ActorValue actor_value(const Actor *a, const float *weights, const Sample *s, bool clipped);
/* Mean entropy of the policy that acted, before any tanh. */
double actor_entropy(const Actor *a, const Sample *s);
#endif

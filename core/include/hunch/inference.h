/* hunch/inference.h - what an inference plugin implements: a belief about the hidden task,
 * updated from experience.
 *
 * A belief is D features; the first Z of them are the latent itself (posterior mean, or a
 * sample); where D = 2 Z, the others are its log-variances.  One function, infer, is prior, filter,
 * smoother of a whole window, sampler and score; acting is T = 0.  A method belongs to one of two
 * families:
 *   gradient stops at the belief   create infer [learn]      GLiBRL, VariBAD, exact, SDVT
 *   trained through the policy     + forward backward step   RL2, VRNN, Laplace, TrMRL, ECET */
#ifndef HUNCH_INFERENCE_H
#define HUNCH_INFERENCE_H
#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct HnBeliefSpec {
  uint32_t struct_size;
  int64_t obs_dim, action_dim, action_count; /* in: as in HnEnvSpec */
  int64_t task_dim;                          /* in: likewise; 0 unless privileged */
  int64_t horizon, lifetime;                 /* in: steps per episode; per trial at most */
  int64_t episodes;                          /* in: per trial at most */
  int64_t rows, steps;                       /* in: B and T of each phase of a training batch */
  HnRng *rng;                                /* in: for initial weights; valid in create */
  int64_t belief_dim; /* out: D, features the policy sees, e.g. mean then log-variance */
  int64_t latent_dim; /* out: Z <= D leading features that a sample replaces; 0: no samples */
  size_t row_size;    /* out: bytes of row memory, e.g. a hidden state or a posterior (any type) */
  bool refresh; /* out: row memory depends on weights, so after learn the host rebuilds that of
                   every unfinished trial: it replays the trial so far through infer */
  int64_t map_width, map_height; /* out: cells of the grid that map fills; 0: none */
} HnBeliefSpec;

/* Beliefs along a window.  Every array is the host's and is lent for the call. */
typedef struct HnBeliefUpdate {
  uint32_t struct_size;
  const HnHistory *history;
  void *state;     /* [B] row memory: in, before time 0; out, after time T */
  int64_t samples; /* S: 0 the point belief, else S independent samples */
  HnRng *rng;      /* [B] for samples.  Where a trial or a window is inferred again, streams are
                      those of the first time: draw the same numbers in the same order */
  float *belief;   /* [T+1, B, max(S, 1), D] out */
  float *info;     /* [T+1, B, info_count] out, or NULL: not asked.  A column named
                      log_predictive (nats) is the score of the step that led to this time, given
                      the belief before it; entropy and parts of a KL go here too.  NaN: nothing
                      to say at this time */
  double *loss;    /* out, by backward: the method's own loss on the window, whose gradient it adds
                      to that of d_belief; 0 before the call, left so where there is none.  NULL:
                      not asked */
} HnBeliefUpdate;

typedef struct HnInference {
  uint32_t struct_size;

  /* Checks params, which live as long as the instance, keeps arrays, fills initial weights,
   * completes spec.  Errors: HN_E_PARAM, HN_E_SHAPE, HN_E_IO. [instance] */
  HnStatus (*create)(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec);

  /* At each time t of the window: at HN_NEW_TASK take the prior (row memory is zero, ignore step
   * t-1), else condition on step t-1; then take in obs[t] if the method does; write belief[t].
   * A window in one call and in T+1 calls must agree.
   * Errors: HN_E_NUMERIC if a posterior precision is not positive definite. [rows] */
  HnStatus (*infer)(void *self, HnBeliefUpdate *q);

  /* The same beliefs, keeping in scratch what backward needs.  May be NULL, then backward and
   * step are too. [instance] */
  HnStatus (*forward)(void *self, HnBeliefUpdate *q);

  /* After forward: adds to the gradients those of d_belief [T+1, B, max(S, 1), D] and of the
   * method's own loss on the same window (KL, reconstruction), which goes to *q->loss.  norm2 as
   * in HnTrainBatch. [instance] */
  HnStatus (*backward)(void *self, const HnBeliefUpdate *q, const float *d_belief, double *norm2);

  /* One optimiser step on scale * gradient, at rate times the plugin's own learning rate; clears
   * the gradient. [instance] */
  HnStatus (*step)(void *self, double scale, double rate);

  /* The method's own training, once an iteration, after the policy's: its replay, its number of
   * updates.  Row i continues row i of the training batch before.  NULL: nothing to learn.
   * [instance] */
  HnStatus (*learn)(void *self, const HnTrainBatch *l);

  /* Training only, after each environment step: may replace reward [B] of step 0 of h (whose
   * time 1 does not exist yet), or leave it.  state: row memory; rng [B].  May be NULL. [rows] */
  HnStatus (*relabel)(void *self, const HnHistory *h, void *state, HnRng *rng, float *reward);

  void (*destroy)(void *self); /* may be NULL: host memory needs no freeing. [instance] */

  /* For figures: what a belief [D] says about a task that is a place on a grid.  map
   * [map_width, map_height] out, cell (x, y) at x * map_height + y, x to the right, y upwards:
   * probabilities.  obs[0] and obs[1] are then the agent's cell, and so is the true task's largest
   * entry its cell, if a task has as many.  May be NULL. [any] */
  HnStatus (*map)(void *self, const float *belief, float *map);

  /* For supervised tasks: the predictive distribution of the observation that each of n actions
   * would give, under a belief [max(samples, 1), D].  action [n, action_dim]; mean, stddev
   * [n, obs_dim] out; member [max(samples, 1), n, obs_dim] out, the mean under each sample, or
   * NULL: not asked.  The host scores it against the environment's query.  A column log_predictive
   * is then the log-density of what was shown, under independent Gaussians of these.
   * Errors: HN_E_UNSUPPORTED under parameters that cannot.  May be NULL. [any] */
  HnStatus (*predict)(void *self, const float *belief, int64_t samples, int64_t n,
                      const float *action, float *mean, float *stddev, float *member);
} HnInference;

/* Every method in the struct's order, as HN_ENV_METHODS. */
#define HN_INFERENCE_METHODS(X)                                                 \
  X(create, true, "Checks parameters and initialises weights.")                 \
  X(infer, true, "Updates beliefs along a window of experience.")               \
  X(forward, false, "As infer, keeping what backward needs.")                   \
  X(backward, false, "Adds the gradients of the policy's loss and of its own.") \
  X(step, false, "Takes one optimiser step.")                                   \
  X(learn, false, "Trains on an iteration's experience.")                       \
  X(relabel, false, "Replaces rewards in training.")                            \
  X(destroy, false, "Releases what the host does not own.")                     \
  X(map, false, "Probabilities of the task over a grid, for pictures.")         \
  X(predict, false, "Predictive distribution of a supervised task's response.")

#ifdef __cplusplus
}
#endif
#endif

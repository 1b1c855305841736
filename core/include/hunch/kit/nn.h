/* hunch/kit/nn.h - named parameters, layers made of them, Adam, and running normalisers.
 *
 * Threads: functions tagged [create] belong in create, [instance] ones must not run twice at once
 * on one store, the others are [any].  A store that does not fit its fixed limits, or a wrong
 * shape, is a bug and aborts. */
#ifndef HUNCH_KIT_NN_H
#define HUNCH_KIT_NN_H
#include "tape.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- parameters ---- */

typedef struct HnTensor {
  const char *name;
  int64_t rows, cols;
  int64_t offset; /* of its first element in a flat gradient of the store */
  float *data;    /* [rows, cols], kept by the host as HN_WEIGHT under this name */
  float *flip;    /* transposed copy, refreshed by hn_store_refresh and hn_adam_step */
  float *grad;    /* [rows, cols], the host's gradient array; NULL in a target store */
  float *m1, *m2; /* Adam's moments, kept as HN_LEARNER under the name + ".m1" and ".m2"; NULL in a
                     target store */
} HnTensor;

/* The parameters that one optimiser steps. */
enum { HN_STORE_MAX = 128 };
typedef struct HnStore {
  const HnHost *host;
  const char *prefix;
  int64_t count, size; /* tensors; elements of a flat gradient of all of them */
  int64_t *clock;      /* [1] Adam steps so far, kept as PREFIX + "clock"; NULL in a target store */
  HnTensor tensor[HN_STORE_MAX];
} HnStore;

typedef int32_t HnInit;
enum {
  HN_INIT_ZERO = 0,
  HN_INIT_ORTHOGONAL = 1, /* gain times a matrix with orthonormal rows or columns */
  HN_INIT_FAN_IN = 2,     /* uniform within +-gain / sqrt(rows) */
  HN_INIT_NORMC = 3,      /* normal, each output's weight vector scaled to norm gain */
  HN_INIT_CONSTANT = 4,   /* gain everywhere */
  HN_INIT_LECUN = 5, /* standard deviation gain / sqrt(rows), from a normal cut at +-2 stddev */
  HN_INIT_ORTHOGONAL_EACH = 6, /* gain times square orthogonal blocks side by side */
  HN_INIT_XAVIER = 7,          /* uniform within +-gain sqrt(6 / (rows + cols)) */
  HN_INIT_NORMAL = 8,          /* normal with standard deviation gain */
};

/* Begins a store.  `prefix` (may be "") starts the names of all its arrays, so that a plugin may
 * have several stores; it is copied.  The store must not move afterwards.  [create] */
HN_KIT void hn_store_begin(HnStore *s, const HnHost *host, const char *prefix);
/* The same for target networks, the slowly moving copies that an off-policy learner bootstraps
 * from: kept as HN_LEARNER, because acting does not read them, and without gradients or moments.
 * Layers are added as to the store that they follow, in the same order.  [create] */
HN_KIT void hn_store_begin_target(HnStore *s, const HnHost *host, const char *prefix);
/* Polyak averaging: target = (1 - tau) target + tau online, tensor by tensor; tau 1 copies, as
 * create should.  Refreshes target's transposed copies.  [instance]  Source: Lillicrap et al. 2016.
 */
HN_KIT void hn_store_mix(HnStore *target, const HnStore *online, double tau);
/* Adds a tensor named PREFIX + name, with initial values by `init` and `gain` from rng; `name` is
 * copied.  A linear layer's weight is [in, out].  [create] */
HN_KIT HnTensor *hn_store_add(HnStore *s, const char *name, int64_t rows, int64_t cols, HnInit init,
                              double gain, HnRng *rng);
/* Rebuilds the transposed copies.  A learner calls it first, because resuming a run overwrites
 * weights.  [instance] */
HN_KIT void hn_store_refresh(HnStore *s);
/* Flat gradients [shards, size], zeroed, in host->scratch: one row a shard. */
HN_KIT float *hn_store_flat(const HnStore *s, int64_t shards);
/* Adds flat gradients [shards, size] to the tensors' gradients, shard by shard in order. [instance]
 */
HN_KIT void hn_store_reduce(HnStore *s, int64_t shards, const float *flat);
/* Squared norm of all the tensors' gradients. [instance] */
HN_KIT double hn_store_norm2(const HnStore *s);
/* Limits every element of the tensors' gradients to +-bound; bound <= 0: no limit.  NaN stays.
 * [instance] */
HN_KIT void hn_store_clamp(HnStore *s, double bound);
/* A tensor as a leaf of a tape; its gradient is added to flat + offset (flat NULL: a constant). */
HN_KIT HnVar *hn_param(HnTape *t, const HnTensor *p, float *flat);

typedef struct HnAdam {
  double lr, beta1, beta2, eps, weight_decay; /* weight decay is decoupled (AdamW) */
} HnAdam;
/* One step of Adam on scale * gradient with step size rate * lr; then clears the gradients and
 * refreshes the transposed copies.  [instance]  Source: Kingma & Ba 2015; Loshchilov & Hutter 2019.
 */
HN_KIT void hn_adam_step(HnStore *s, const HnAdam *a, double scale, double rate);
/* The factor that clips a gradient of squared norm norm2: min(1, max_norm / sqrt(norm2)), or 1
 * where max_norm <= 0.  NaN where norm2 is not finite. */
HN_KIT double hn_clip_scale(double norm2, double max_norm);

/* ---- layers ---- */

enum { HN_MLP_MAX = 8 };
typedef struct HnMlp {
  int64_t layers;
  HnActivation hidden, output;
  HnTensor *w[HN_MLP_MAX], *b[HN_MLP_MAX];
} HnMlp;
/* A multilayer perceptron of 1 to HN_MLP_MAX layers; width [layers + 1]: input, hidden .., output.
 * Adds tensors NAME.0.weight, NAME.0.bias, ..; output_gain is the last layer's gain.  Biases start
 * at 0 (with FAN_IN: as the weights). [create] */
HN_KIT HnMlp hn_mlp_make(HnStore *s, const char *name, int64_t layers, const int64_t *width,
                         HnActivation hidden, HnActivation output, HnInit init, double gain,
                         double output_gain, HnRng *rng);
/* Its output [B, last width] for x [B, first width]; gradients are added to flat (NULL: constants).
 */
HN_KIT HnVar *hn_mlp(HnTape *t, const HnMlp *mlp, HnVar *x, float *flat);
/* As hn_mlp, by the layers from `first` on; x [B, width that layer `first` reads].  All layers or
 * more: x itself. */
HN_KIT HnVar *hn_mlp_from(HnTape *t, const HnMlp *mlp, int64_t first, HnVar *x, float *flat);

/* Reads a list of layer widths such as "256 256 64", separated by blanks or commas: 1 to `most`
 * widths of 1 to 65536.  Returns their number, or -1 if the text is anything else. */
HN_KIT int64_t hn_widths(const char *text, int64_t most, int64_t *width);

typedef struct HnLayerNorm {
  HnTensor *gain, *bias;
  float eps;
} HnLayerNorm;
/* Adds the tensors NAME.weight (initially 1) and NAME.bias (0), [1, n] each. [create] */
HN_KIT HnLayerNorm hn_layer_norm_make(HnStore *s, const char *name, int64_t n, float eps);
/* hn_layer_norm with these tensors. */
HN_KIT HnVar *hn_layer_norm_by(HnTape *t, const HnLayerNorm *norm, HnVar *x, float *flat);

/* ---- running normalisation ---- */

/* Running mean and variance of each column in float64, kept as HN_WEIGHT under NAME.count,
 * NAME.mean and NAME.m2, because acting reads them.  Source: Chan et al. 1979. */
typedef struct HnNormaliser {
  int64_t n;
  double *count, *mean, *m2; /* [1]; [n]; [n] sums of squared deviations from the mean */
} HnNormaliser;
/* Statistics of n columns, empty.  [create] */
HN_KIT HnNormaliser hn_normaliser_make(const HnHost *host, const char *name, int64_t n);
/* Updates the statistics with x [rows, n] of row stride ld. [instance] */
HN_KIT void hn_normaliser_update(HnNormaliser *z, int64_t rows, const float *x, int64_t ld);
/* Standardises: y [rows, n] = (x - mean) / sqrt(variance + 1e-8), limited to +-clip (INFINITY: no
 * limit).  Before the first update y = x, limited.  ldx, ldy: row strides. */
HN_KIT void hn_normaliser_apply(const HnNormaliser *z, int64_t rows, const float *x, int64_t ldx,
                                float clip, float *y, int64_t ldy);
/* sqrt(variance + 1e-8) of a column, or 1 before the first update. */
HN_KIT double hn_normaliser_stddev(const HnNormaliser *z, int64_t column);

#ifdef __cplusplus
}
#endif
#endif

/* hunch/kit/nn.h - named parameters, layers, optimiser and running normalisers on the tape. */
#ifndef HUNCH_KIT_NN_H
#define HUNCH_KIT_NN_H
#include "tape.h"

/* ---- parameters ---- */

typedef struct HnTensor {
  const char *name;
  int64_t rows, cols;
  int64_t offset; /* of its first element in a flat gradient of the store */
  float *data;    /* [rows, cols], kept by the host as HN_WEIGHT under its name */
  float *flip;    /* transposed copy, refreshed by hn_store_refresh and hn_adam_step */
  float *grad;    /* [rows, cols], the host's gradient array; NULL in a target store */
  float *m1, *m2; /* Adam's moments, kept as HN_LEARNER; NULL in a target store */
} HnTensor;

enum { HN_STORE_MAX = 128 };
typedef struct HnStore {
  const HnHost *host;
  const char *prefix;
  int64_t count, size; /* tensors; elements of a flat gradient of all of them */
  int64_t *clock;      /* [1] Adam steps so far, kept; NULL in a target store */
  HnTensor tensor[HN_STORE_MAX];
} HnStore;

typedef int32_t HnInit;
enum {
  HN_INIT_ZERO = 0,
  HN_INIT_ORTHOGONAL = 1, /* times gain */
  HN_INIT_FAN_IN = 2,     /* U(+-gain / sqrt(rows)) */
  HN_INIT_NORMC = 3,      /* normal, each output's weight vector scaled to norm gain */
  HN_INIT_CONSTANT = 4,   /* gain everywhere */
  HN_INIT_LECUN = 5,      /* gain / sqrt(rows) times a normal cut at 2 deviations, variance 1 */
  HN_INIT_ORTHOGONAL_EACH = 6, /* square orthogonal blocks side by side, times gain */
};

/* Call once in create.  `prefix` (may be "") starts the names of all the store's arrays, so a
 * plugin may have several stores.  The store must not move afterwards.  [create] */
HN_KIT void hn_store_begin(HnStore *s, const HnHost *host, const char *prefix);
/* The same for target networks, the slowly moving copies that an off-policy learner bootstraps
 * from: kept as HN_LEARNER, because acting does not read them, and without gradients or moments.
 * Layers are added as to the store that they follow, in the same order.  [create] */
HN_KIT void hn_store_begin_target(HnStore *s, const HnHost *host, const char *prefix);
/* target = (1 - tau) target + tau online, tensor by tensor; tau 1 copies, as create should.
 * Refreshes target's transposed copies.  Polyak averaging: Lillicrap et al. 2016.  [instance] */
HN_KIT void hn_store_mix(HnStore *target, const HnStore *online, double tau);
/* Adds a tensor PREFIX + name; `name` is copied.  A linear layer's weight is [in, out].  Adam's
 * moments are kept under the same name + ".m1" and ".m2".  [create] */
HN_KIT HnTensor *hn_store_add(HnStore *s, const char *name, int64_t rows, int64_t cols, HnInit init,
                              double gain, HnRng *rng);
/* Rebuilds transposed copies; a learner calls it first, because a resumed run overwrites weights.
 */
HN_KIT void hn_store_refresh(HnStore *s);
/* Flat gradients [shards, size], zeroed, in host->scratch. */
HN_KIT float *hn_store_flat(const HnStore *s, int64_t shards);
/* Adds `shards` flat gradients [shards, size] to the tensors' own, in order. */
HN_KIT void hn_store_reduce(HnStore *s, int64_t shards, const float *flat);
HN_KIT double hn_store_norm2(const HnStore *s);
/* Limits every element of the tensors' own gradients to +-bound; bound <= 0: none.  NaN stays. */
HN_KIT void hn_store_clamp(HnStore *s, double bound);
/* A tensor on a tape; its gradient is added to flat + offset (flat NULL: a constant). */
HN_KIT HnVar *hn_param(HnTape *t, const HnTensor *p, float *flat);

typedef struct HnAdam {
  double lr, beta1, beta2, eps, weight_decay; /* decoupled (AdamW) */
} HnAdam;
/* Kingma & Ba 2015: one step on scale * grad at rate * lr, then clears the gradients and refreshes
 * transposed copies.  [instance] */
HN_KIT void hn_adam_step(HnStore *s, const HnAdam *a, double scale, double rate);
/* min(1, max_norm / sqrt(norm2)); max_norm <= 0: 1.  Not finite: NaN. */
HN_KIT double hn_clip_scale(double norm2, double max_norm);

/* ---- layers ---- */

enum { HN_MLP_MAX = 8 };
typedef struct HnMlp {
  int64_t layers;
  HnActivation hidden, output;
  HnTensor *w[HN_MLP_MAX], *b[HN_MLP_MAX];
} HnMlp;
/* width [layers + 1]: input, hidden .., output.  Tensors NAME.0.weight, NAME.0.bias, ..; biases 0
 * (FAN_IN: as the weights). [create] */
HN_KIT HnMlp hn_mlp_make(HnStore *s, const char *name, int64_t layers, const int64_t *width,
                         HnActivation hidden, HnActivation output, HnInit init, double gain,
                         double output_gain, HnRng *rng);
HN_KIT HnVar *hn_mlp(HnTape *t, const HnMlp *mlp, HnVar *x, float *flat);

/* Reads a list such as "256 256 64", by blanks or commas: at most `most` widths, each 1 to 65536.
 * Returns how many; -1: the text is none, or something else.  [any] */
HN_KIT int64_t hn_widths(const char *text, int64_t most, int64_t *width);

typedef struct HnLayerNorm {
  HnTensor *gain, *bias;
  float eps;
} HnLayerNorm;
/* NAME.weight (1) and NAME.bias (0), [1, n] each. [create] */
HN_KIT HnLayerNorm hn_layer_norm_make(HnStore *s, const char *name, int64_t n, float eps);
HN_KIT HnVar *hn_layer_norm_by(HnTape *t, const HnLayerNorm *norm, HnVar *x, float *flat);

typedef struct HnGru {
  HnTensor *w, *u, *b, *c;
} HnGru;
/* NAME.weight_ih [in, 3H], weight_hh [H, 3H] (orthogonal), bias_ih, bias_hh (0). [create] */
HN_KIT HnGru hn_gru_make(HnStore *s, const char *name, int64_t in, int64_t hidden, HnRng *rng);

typedef struct HnLstm {
  HnTensor *w, *u, *b, *c;
} HnLstm;
/* NAME.weight_ih [in, 4H], weight_hh [H, 4H] (orthogonal), bias_ih, bias_hh (0). [create] */
HN_KIT HnLstm hn_lstm_make(HnStore *s, const char *name, int64_t in, int64_t hidden, HnRng *rng);

/* ---- running normalisation ---- */

/* Running mean and variance by column (Chan et al. 1979), float64, kept as HN_WEIGHT because
 * acting reads it. */
typedef struct HnNormaliser {
  int64_t n;
  double *count, *mean, *m2; /* [1], [n], [n] sum of squared deviations */
} HnNormaliser;
HN_KIT HnNormaliser hn_normaliser_make(const HnHost *host, const char *name, int64_t n);
/* Takes in rows of x [rows, n] at row stride ld. [instance] */
HN_KIT void hn_normaliser_update(HnNormaliser *z, int64_t rows, const float *x, int64_t ld);
/* y [rows, n] = clip((x - mean) / sqrt(variance + 1e-8), +-clip); the identity (clipped) before the
 * first update.  clip INFINITY: none. [any] */
HN_KIT void hn_normaliser_apply(const HnNormaliser *z, int64_t rows, const float *x, int64_t ldx,
                                float clip, float *y, int64_t ldy);
/* sqrt(variance + 1e-8) of a column; 1 before the first update. */
HN_KIT double hn_normaliser_stddev(const HnNormaliser *z, int64_t column);
#endif

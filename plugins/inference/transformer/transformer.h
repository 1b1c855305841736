/* transformer.h - what TrMRL and ECET share: a transformer over the tokens of a few steps.
 *
 * A token is one step: the observation to act from, the action and reward before it, and, where
 * memory outlives episodes, a flag that one has just ended.  A window is up to `memory` tokens,
 * oldest first; the network embeds them, adds the positions of their slots and reads the encoder's
 * output at the newest.
 *   network.c   parameters, tokens, the network on a few windows
 *   windows.c   many windows, in pieces that fit the cache; their gradient; the optimiser's step
 *   jacobian.c  the derivative of what one window says in its embedded tokens
 * Source: Melo 2022, arXiv 2206.06614 (TrMRL), and its code. */
#ifndef HN_TRANSFORMER_H
#define HN_TRANSFORMER_H
#include "../../common/laplace.h"
#include <hunch/inference.h>
#include <hunch/kit/attention.h>
#include <hunch/kit/scratch.h>

#define TRANSFORMER_NETWORK_PARAMS(X)                                                             \
  X(int, memory, "step", "Most recent steps that the transformer reads.", 5, 1, 64)               \
  X(int, layers, "", "Layers of the transformer over steps.", 4, 1, 8)                            \
  X(int, width, "", "Width of the transformer, and of the belief.", 32, 1, 4096)                  \
  X(int, heads, "", "Attention heads, a divisor of width.", 4, 1, 256)                            \
  X(int, feed_forward, "", "Hidden ReLU units of a layer's feed-forward network.", 128, 1, 65536) \
  X(choice, positions, "", "How the slots of a window are told apart.", "sinusoidal",             \
    "sinusoidal|learned")
#define TRANSFORMER_TRMRL_PARAMS(X)                                                               \
  X(flag, persist_memory, "",                                                                     \
    "Whether steps of earlier episodes of the trial are remembered; as published, the memory is " \
    "emptied when an episode begins.",                                                            \
    false)
#define TRANSFORMER_ECET_PARAMS(X)                                                                \
  X(int, episodes, "", "Most recent episodes that are attended to, the current among them.", 25,  \
    1, 256)                                                                                       \
  X(int, episode_layers, "", "Layers of the transformer over episodes.", 2, 1, 6)                 \
  X(choice, sampling, "",                                                                         \
    "Which steps of an episode that has ended are read: drawn at random, or its last.", "random", \
    "random|last")
#define TRANSFORMER_LAPLACE_PARAMS(X)                                                           \
  X(choice, accumulate, "",                                                                     \
    "Sums kept over time: none (the precision is damping I plus the curvature of the memory's " \
    "steps), or of precisions.",                                                                \
    "precision", "none|precision")                                                              \
  LAPLACE_COVARIANCE(X) LAPLACE_DAMPING(X) LAPLACE_PRIOR(X)
#define TRANSFORMER_OPTIMISER_PARAMS(X)                                                           \
  X(real, lr, "", "Learning rate of AdamW; the policy's schedule scales it.", 5e-5, 0, 1)         \
  X(real, weight_decay, "", "Decoupled weight decay of AdamW.", 0.01, 0, 1)                       \
  X(real, adam_eps, "", "Term of Adam's denominator that guards against division by 0.", 1e-8, 0, \
    1)                                                                                            \
  X(real, max_grad_norm, "",                                                                      \
    "Largest norm of this plugin's gradient, after the policy's joint bound; 0: no bound.", 0, 0, \
    1e9)

#define TRANSFORMER_METRICS(X) \
  X(grad_norm, "", "Norm of this plugin's gradient before clipping.", HN_MEAN)
#define TRANSFORMER_METRIC_(n, ...) transformer_metric_##n,
enum { TRANSFORMER_METRICS(TRANSFORMER_METRIC_) };

/* Indices of the choices of positions and sampling. */
enum { TRANSFORMER_SINUSOIDAL, TRANSFORMER_LEARNED };
enum { TRANSFORMER_RANDOM, TRANSFORMER_LAST };

typedef struct TransformerParams {
  TRANSFORMER_NETWORK_PARAMS(HN_FIELD)
  TRANSFORMER_TRMRL_PARAMS(HN_FIELD)
  TRANSFORMER_ECET_PARAMS(HN_FIELD)
  TRANSFORMER_LAPLACE_PARAMS(HN_FIELD)
  TRANSFORMER_OPTIMISER_PARAMS(HN_FIELD)
} TransformerParams;

typedef struct Transformer {
  const TransformerParams *p;
  const HnHost *host;
  bool discrete;
  int64_t obs_dim, action_dim;
  int64_t in; /* numbers of a token */
  HnStore store;
  HnTensor *embed;    /* [in, width], without a bias */
  HnTensor *position; /* [memory, width] learned positions, or NULL .. */
  float *sinusoids;   /* .. and then these, [memory, width] */
  const HnEncoder *encoder;
  double norm2; /* of the gradient */
} Transformer;

/* Windows over a table of tokens. */
typedef struct Windows {
  int64_t tokens, n;
  float *token; /* [tokens, in] */
  int32_t *row; /* [n, memory] tokens of each window, the newest last; -1 before the first */
} Windows;

/* ---- network.c ---- */

/* Checks parameters, begins the store, adds the network over steps.  `room`: floats of row memory
 * are the plugin's affair. */
HnStatus transformer_create(Transformer *m, const HnHost *host, const TransformerParams *p,
                            HnBeliefSpec *spec);
/* Writes a token: the observation obs, and action and reward of element `past` of h (below 0: none,
 * zeros; see hn_at), with the flag if the network reads one. */
void transformer_token(const Transformer *m, const HnHistory *h, const float *obs, bool past,
                       int64_t at, bool flag, float *to);
/* The tokens of windows first .. first + count - 1 as the encoder reads them, embedded and with
 * their positions: tokens [count memory, width], and their slots [count memory] in it, -1: empty.
 */
typedef struct Embedded {
  HnVar *tokens;
  int32_t *slot;
} Embedded;
Embedded transformer_embed(const Transformer *m, HnTape *t, const Windows *w, int64_t first,
                           int64_t count, float *flat);
/* What windows first .. first + count - 1 say, [count, width]. */
HnVar *transformer_run(const Transformer *m, HnTape *t, const Windows *w, int64_t first,
                       int64_t count, float *flat);

/* ---- jacobian.c ---- */

/* j [width, memory width]: the derivative of what window `which` says in its embedded tokens, slot
 * by slot; 0 where a slot is empty.  As much work as a gradient of `width` windows.  Takes scratch
 * of `memory`, which is reset.  [any] */
void transformer_jacobian(const Transformer *m, const Windows *w, int64_t which, HnReuse *memory,
                          float *j);

/* ---- windows.c ---- */

/* What all windows say, [n, width], in this thread. */
void transformer_values(const Transformer *m, const Windows *w, float *out);
/* The same on the workers, to the same bits. */
HnStatus transformer_forward(const Transformer *m, const Windows *w, float *out);
/* Adds the gradient of d_out [n, width] to the store's. */
HnStatus transformer_backward(Transformer *m, const Windows *w, const float *d_out);
/* The norm of the gradient, for *norm2 and the metric. */
void transformer_norm(Transformer *m, double *norm2);
/* HnInference.step */
HnStatus transformer_step(void *self, double scale, double rate);
#endif

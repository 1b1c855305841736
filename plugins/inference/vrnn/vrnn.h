/* vrnn.h - recurrent agents with a posterior over a latent z.
 *
 *   e_o, e_a = embed(observation), embed(action);  h = cell(h, [e_o; e_a]);  mean of z = h W + b
 *
 * z never goes back into the cell.  The policy sees [z; context]; a head may predict from it what
 * the next step will show.  A plugin of the family is its table of parameters (params.h) and its
 * posterior (posterior.h); everything else is here.  Tensors have the same names and shapes in
 * every plugin, so that one's weights load into another.
 *
 * A window is read as observations 0 .. T of its B rows; step t - 1 led to observation t. */
#ifndef VRNN_H
#define VRNN_H
#include "params.h"
#include <hunch/inference.h>
#include <hunch/kit/nn.h>
#include <string.h>

typedef struct VrnnPosterior VrnnPosterior;

typedef struct VrnnEmbedding {
  int64_t in;
  HnMlp net;
  HnLayerNorm norm;
} VrnnEmbedding;

/* An MLP on the normalised [z; context; e_a]. */
typedef struct VrnnHead {
  int64_t inputs, outputs;
  HnLayerNorm norm;
  HnMlp net;                   /* layers 0: there is none */
  HnTensor *sigma_w, *sigma_b; /* [1, 1]; of a signal */
} VrnnHead;

/* Where things lie in a row's memory, in bytes; VrnnRow comes first. */
typedef struct VrnnLayout {
  size_t carry, mean, context, posterior, size;
} VrnnLayout;

typedef struct VrnnRow {
  int64_t inputs; /* observations read since the task began */
  HnRng drawn;    /* the stream just before the last samples were drawn, to repeat them */
} VrnnRow;

typedef struct Vrnn {
  const VrnnParams *p;
  const HnHost *host;
  const VrnnPosterior *posterior;
  void *posterior_data; /* what the posterior keeps of the instance */
  int64_t info_count;
  int64_t obs_dim, action_dim;
  bool discrete;
  int64_t H, F, E, C, D; /* recurrent state, z, embedding, context, belief */
  int64_t W;             /* covariance parameters read out of the state; 0: none */
  HnStore store;
  VrnnEmbedding obs, act;
  HnRnn rnn;
  HnMlp mean, cov; /* read out of the state by one linear layer each; cov: if W > 0 */
  VrnnHead head;
  VrnnLayout row;
  double norm2;              /* of the gradient */
  bool stepped;              /* a policy has trained it in this iteration */
  struct VrnnWindow *window; /* of the last forward, until its backward */
} Vrnn;

/* ---- the methods of HnInference; self is a Vrnn ---- */

/* What a plugin's create calls: makes the agent with this posterior, whose plugin reports
 * info_count columns. [create] */
HnStatus vrnn_create(Vrnn *m, const HnHost *host, const void *params, HnBeliefSpec *spec,
                     const VrnnPosterior *posterior, int64_t info_count);
HnStatus vrnn_infer(void *self, HnBeliefUpdate *q);
HnStatus vrnn_forward(void *self, HnBeliefUpdate *q);
HnStatus vrnn_backward(void *self, const HnBeliefUpdate *q, const float *d_belief, double *norm2);
HnStatus vrnn_step(void *self, double scale, double rate);
HnStatus vrnn_learn(void *self, const HnTrainBatch *batch);
HnStatus vrnn_predict(void *self, const float *belief, int64_t samples, int64_t n, const float *act,
                      float *mean, float *stddev, float *member);
#define VRNN_METHODS(create_)                                                                   \
  {                                                                                             \
    .struct_size = sizeof(HnInference), .create = create_, .infer = vrnn_infer,                 \
    .forward = vrnn_forward, .backward = vrnn_backward, .step = vrnn_step, .learn = vrnn_learn, \
    .predict = vrnn_predict                                                                     \
  }

/* ---- for the family's own files ---- */

/* A linear layer from the recurrent state to `out` numbers. [create] */
HnMlp vrnn_make_readout(Vrnn *m, const char *name, int64_t out, HnRng *rng);
/* Rounds up to where anything may lie. */
static inline size_t vrnn_aligned(size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

static inline VrnnRow *vrnn_row(char *row) {
  return (VrnnRow *)(void *)row;
}
static inline float *vrnn_row_floats(char *row, size_t at) {
  return (float *)(void *)(row + at);
}

static inline float *vrnn_floats(const Vrnn *m, int64_t count) {
  return m->host->scratch(m->host, count, sizeof(float));
}
static inline float *vrnn_zeros(const Vrnn *m, int64_t count) {
  return memset(vrnn_floats(m, count), 0, (size_t)count * sizeof(float));
}
#endif

/* elbo.h - the loss of a batch of trials, minus the evidence lower bound, and its gradient.
 *
 *   loss = mean over trials of  sum_t [ sum_i (c_r l_r(z_t, i) + c_s l_s(z_t, i)) + c_k l_k(z_t) ]
 *                             + beta sum_t KL(q_t || q_{t-1}),    t = 0 .. T, q_{-1} = N(0, I)
 *
 * of rewards r, states s and the task k,
 * over all t and i or over draws of them, sums or means.  A batch is cut into shards of trials
 * whose size depends on the batch alone, and every trial has a random stream of its own; gradients
 * are added in order: the same bits for any number of workers. */
#ifndef HN_VARIBAD_ELBO_H
#define HN_VARIBAD_ELBO_H
#include "decoder.h"

/* A mixture has the parts from GAUSS on instead of the KL (mixture.h). */
enum {
  VARIBAD_PART_KL,
  VARIBAD_PART_REWARD,
  VARIBAD_PART_STATE,
  VARIBAD_PART_TASK,
  VARIBAD_PART_GAUSS,
  VARIBAD_PART_CAT,
  VARIBAD_PART_OCC,
  VARIBAD_PART_EXT,
  VARIBAD_PARTS
};

typedef struct VaribadBatch {
  Varibad *v;                 /* its slot [trials] names the trials */
  int64_t trials, shard_size; /* how many; of them, in a shard */
  int64_t steps;              /* of the longest trial */
  uint64_t seed;
  float *encoder_flat, *decoder_flat; /* [shards, store.size] */
  double *parts;                      /* [shards, VARIBAD_PARTS] unweighted */
} VaribadBatch;

/* Computes parts and gradients of shard `index` of the VaribadBatch arg: an HnTask. */
HnStatus varibad_train_shard(void *arg, int64_t index);

/* ---- the pieces of a shard, for tests ---- */

typedef struct VaribadShard {
  const VaribadBatch *b;
  const Varibad *v;
  int64_t from; /* first trial of the batch */
  VaribadTerms terms;
  HnRng *rng;                 /* [n] */
  float *moments, *d_moments; /* [(T+1) n, 2 d] of every posterior, and their gradient */
  float *noise, *z, *dz;      /* [K n, d] latents; noise is times the standard deviation */
  float *encoder_flat, *decoder_flat;
} VaribadShard;

/* A stretch of time within which the gradient flows. */
typedef struct VaribadSegment {
  HnTape tape;
  HnVar *states, *moments; /* after each step; moments of single Gaussians alone */
  int64_t from, count;     /* steps */
} VaribadSegment;

/* Reads trials from .. from + n - 1 of the batch, and draws which posteriors decode which steps. */
VaribadShard varibad_open_shard(const VaribadBatch *b, int64_t from, int64_t n);
/* Posteriors of all times, in as many segments as are returned; of a mixture hidden states alone.
 */
int64_t varibad_encode_shard(VaribadShard *s, VaribadSegment *segment);
/* Losses of a mixture whose hidden states are encoded, and their gradient. */
void varibad_mixture_shard(VaribadShard *s, int64_t count, VaribadSegment *segment, double *parts);
/* KL(q || p) of one posterior q [2 d]; p NULL: N(0, I).  e [2 d] holds exp(logvar_q - logvar_p) and
 * exp(-logvar_p).  Adds weight times its gradient to dq and (if not NULL) to dp. */
double varibad_kl(int64_t d, const float *q, const float *p, const float *e, float weight,
                  float *dq, float *dp);
#endif

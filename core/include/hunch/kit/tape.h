/* hunch/kit/tape.h - eager reverse-mode differentiation of float32 matrices.
 *
 * Each operation computes at once and, when recording, leaves a record; hn_tape_backward runs the
 * records in reverse.  Operations are coarse: forward and backward are one pass or one product
 * each.  All memory comes from host->scratch, so a tape lives until the plugin function or HnTask
 * that began it returns: nothing to free, no allocation in steady state.  A learner begins one
 * tape per shard of a minibatch inside host->parallel.  Shards should be as large as their
 * activations fit in the second-level cache (about 512 rows of a network 256 wide): larger ones
 * stream from memory, smaller ones spend their gain on adding up gradients.
 *
 * Shapes [rows, cols], row-major and dense.  Gradients accumulate.  A tape belongs to one thread.
 * Wrong shapes are bugs and abort. */
#ifndef HUNCH_KIT_TAPE_H
#define HUNCH_KIT_TAPE_H
#include "../plugin.h"
#include "gemm.h"

typedef struct HnVar {
  int64_t rows, cols;
  float *data;       /* [rows, cols] */
  float *grad;       /* the same shape; NULL: a constant.  After backward only leaves' are meant
                        to be read: an operation may overwrite its output's */
  const float *flip; /* data transposed [cols, rows] where a parameter keeps it, else NULL */
  bool touched;      /* grad holds something; until then it is not even zeroed */
  int32_t moved;     /* the call of hn_tape_along that `along` is from */
  struct HnVar *along, *whole; /* how it moves; what it is a window on, if hn_rows_of made it */
} HnVar;

typedef struct HnRecord HnRecord;
/* Leaves whose gradients lie in base[0 .. size) move along v, each element along the one of v at
 * its gradient's place.  With hn_store_flat's array as base, v is a flat direction of the store. */
typedef struct HnDirection {
  int64_t size;
  const float *base, *v;
} HnDirection;
typedef struct HnTape {
  const HnHost *host;
  bool recording;
  char *room; /* of the current chunk */
  size_t left;
  HnRecord *last;
  int32_t moves; /* calls of hn_tape_along so far, and the direction of the last */
  HnDirection direction;
} HnTape;

typedef int32_t HnActivation;
enum {
  HN_LINEAR = 0,
  HN_TANH = 1,
  HN_RELU = 2,
  HN_SIGMOID = 3,
  HN_LEAKY_RELU = 4, /* x, or 0.01 x below 0 */
};

/* recording = false: values only, for acting. */
HN_KIT HnTape hn_tape_begin(const HnHost *host, bool recording);
/* count * size bytes, zeroed, 64-byte aligned, as long as the tape. */
HN_KIT void *hn_tape_room(HnTape *t, int64_t count, size_t size);
/* Seeds d(loss) = 1 for a [1, 1] loss, then runs all records backward; once per tape. */
HN_KIT void hn_tape_backward(HnTape *t, HnVar *loss);
/* Adds `seed`, shaped as y, to y's gradient and runs backward. */
HN_KIT void hn_tape_backward_from(HnTape *t, HnVar *y, const float *seed);

/* ---- derivatives along a direction, and so second derivatives ---- */
/* dy/de of y(leaves + e v) at e = 0 as a variable of the same tape, shaped as y; NULL: y does not
 * move.  It is made of operations of the tape, so it can be read, seeded (v is borrowed until then)
 * and differentiated again.  Costs nothing where it is not called.  Pearlmutter 1994, with the
 * passes the other way round. */
HN_KIT HnVar *hn_tape_along(HnTape *t, HnVar *y, HnDirection d);
/* Adds H v to the leaves' gradients, H the Hessian of a [1, 1] loss: runs hn_tape_along and then
 * backward from its result, instead of from the loss.  Leaves with gradients outside of the
 * direction stay where they are, and get their rows of H v.  Takes as long as about 3 gradients, 8
 * where most is recurrent. */
HN_KIT void hn_tape_hvp(HnTape *t, HnVar *loss, HnDirection d);

/* ---- leaves ---- */
/* Borrowed values without a gradient. */
HN_KIT HnVar *hn_constant(HnTape *t, int64_t rows, int64_t cols, const float *data);
/* Borrowed values whose gradient is added to grad (NULL: a constant). */
HN_KIT HnVar *hn_leaf(HnTape *t, int64_t rows, int64_t cols, const float *data, float *grad);
/* The same values, cut off from the gradient. */
HN_KIT HnVar *hn_stop(HnTape *t, const HnVar *x);

/* ---- products ---- */
/* y = act(x w + b): x [B, in], w [in, out], b [1, out] or NULL. */
HN_KIT HnVar *hn_linear(HnTape *t, HnVar *x, HnVar *w, HnVar *b, HnActivation act);
/* Several heads of one layer, of which each row reads a few: y[i, j] = x[i] w[:, k] + b[k] with
 * k = pick[i, j]; pick borrowed [B, picks], repeats allowed.  Costs only the outputs picked,
 * forward and backward.  [B, picks] */
HN_KIT HnVar *hn_linear_pick(HnTape *t, HnVar *x, HnVar *w, HnVar *b, int64_t picks,
                             const int32_t *pick);
/* y = a b: a [n, k], b [k, m]. */
HN_KIT HnVar *hn_matmul(HnTape *t, HnVar *a, HnVar *b);

/* ---- normalisation ---- */
/* Each row less its mean, over sqrt(its variance + eps), times gain, plus bias: gain and bias
 * [1, n], or NULL for 1 and 0.  Ba, Kiros & Hinton 2016. */
HN_KIT HnVar *hn_layer_norm(HnTape *t, HnVar *x, HnVar *gain, HnVar *bias, float eps);

/* ---- elementwise; b may be [B, n], or [1, n] or [1, 1], which broadcast ---- */
HN_KIT HnVar *hn_add(HnTape *t, HnVar *a, HnVar *b);
HN_KIT HnVar *hn_sub(HnTape *t, HnVar *a, HnVar *b);
HN_KIT HnVar *hn_mul(HnTape *t, HnVar *a, HnVar *b);
HN_KIT HnVar *hn_min(HnTape *t, HnVar *a, HnVar *b); /* ties: gradient to a */
HN_KIT HnVar *hn_max(HnTape *t, HnVar *a, HnVar *b); /* ties: gradient to a */
HN_KIT HnVar *hn_affine(HnTape *t, HnVar *x, float scale, float shift);
HN_KIT HnVar *hn_activate(HnTape *t, HnVar *x, HnActivation act);
HN_KIT HnVar *hn_exp(HnTape *t, HnVar *x);
HN_KIT HnVar *hn_log(HnTape *t, HnVar *x);
HN_KIT HnVar *hn_square(HnTape *t, HnVar *x);
HN_KIT HnVar *hn_softplus(HnTape *t, HnVar *x);
/* Outside [low, high] the gradient is 0. */
HN_KIT HnVar *hn_clamp(HnTape *t, HnVar *x, float low, float high);
/* 1/2 d^2 where |d| <= delta, else delta (|d| - delta/2); d = x - target. */
HN_KIT HnVar *hn_huber(HnTape *t, HnVar *x, HnVar *target, float delta);

/* ---- shape ---- */
HN_KIT HnVar *hn_concat(HnTape *t, int64_t n, HnVar *const *parts);         /* along columns */
HN_KIT HnVar *hn_stack(HnTape *t, int64_t n, HnVar *const *parts);          /* along rows */
HN_KIT HnVar *hn_columns(HnTape *t, HnVar *x, int64_t from, int64_t count); /* [B, count] */
HN_KIT HnVar *hn_rows_of(HnTape *t, HnVar *x, int64_t from, int64_t count); /* [count, n] */

/* ---- reductions ---- */
HN_KIT HnVar *hn_sum(HnTape *t, HnVar *x);         /* [1, 1] */
HN_KIT HnVar *hn_mean(HnTape *t, HnVar *x);        /* [1, 1] */
HN_KIT HnVar *hn_sum_columns(HnTape *t, HnVar *x); /* [B, 1] */
/* sum_i weight[i] x[i] over all elements, weight borrowed [rows, cols]: [1, 1] */
HN_KIT HnVar *hn_dot(HnTape *t, HnVar *x, const float *weight);

/* ---- distributions ---- */
/* Diagonal Gaussian; mean [B, A]; logstd [B, A] or [1, A]; x borrowed.  Log-density, [B, 1]. */
HN_KIT HnVar *hn_normal_logp(HnTape *t, HnVar *mean, HnVar *logstd, const float *x);
/* Entropy in nats, one value a row of logstd: [B, 1] or [1, 1]. */
HN_KIT HnVar *hn_normal_entropy(HnTape *t, HnVar *logstd);
/* KL(N(m1, s1) || N(m0, s0)), mean1 [B, A], the others [B, A] or [1, A]: [B, 1]. */
HN_KIT HnVar *hn_normal_kl(HnTape *t, HnVar *mean1, HnVar *logstd1, HnVar *mean0, HnVar *logstd0);
/* mean + exp(logstd) noise; noise borrowed [B, A]. */
HN_KIT HnVar *hn_normal_sample(HnTape *t, HnVar *mean, HnVar *logstd, const float *noise);
/* Full covariance Q diag(exp(logvar)) Q' of n dimensions.  A sample is mean + Q (exp(logvar / 2)
 * noise), the log-density of z that of Q' (z - mean) under hn_normal_logp.
 *
 * Cayley's rotation Q = -(I + S)^-1 (I - S), S = (A - A') / 2 with angles [B, n (n - 1) / 2] as A's
 * strict lower triangle row by row: [B, n n], each row a Q row by row.  Angles of 0 give -I.
 * First derivatives only.  Sixteen rows at a time, in float64 inside; 2 n^3 flops a row, backward 4
 * n^3. */
HN_KIT HnVar *hn_cayley(HnTape *t, HnVar *angles, int64_t n);
/* Q x of each row, or Q' x if back: q [B, n n], x [B, n]. */
HN_KIT HnVar *hn_rotate(HnTape *t, HnVar *q, HnVar *x, bool back);
/* KL(N1 || N0) of such Gaussians, [B, 1]; N0's may be of one row, and get no gradient.  First
 * derivatives only. */
HN_KIT HnVar *hn_rotated_kl(HnTape *t, HnVar *mean1, HnVar *logvar1, HnVar *q1, const HnVar *mean0,
                            const HnVar *logvar0, const HnVar *q0);
/* Log-density of a = tanh(u), u ~ N(mean, exp(logstd)): takes the raw u [B, A], which keeps the
 * density finite at |a| = 1.  [B, 1].  Haarnoja et al. 2018, appendix C. */
HN_KIT HnVar *hn_tanh_normal_logp(HnTape *t, HnVar *mean, HnVar *logstd, const float *u);
/* sum_j log(1 - tanh(u_j)^2), [B, 1]: what turns the log-density of a sample u that carries a
 * gradient into that of tanh(u). */
HN_KIT HnVar *hn_tanh_log_slope(HnTape *t, HnVar *u);
/* Bernoulli by logits: minus the log-likelihood in nats of ones[i, j] ones among total[i, j] draws
 * of logit [i, j], summed over j: [B, 1].  Terms that share a logit are exact as counts; any
 * weights
 * >= 0 will do.  ones, total borrowed [B, n]; total NULL: 1 everywhere. */
HN_KIT HnVar *hn_bce_logits(HnTape *t, HnVar *logits, const float *ones, const float *total);
/* exp(x) / sum exp(x) of each row. */
HN_KIT HnVar *hn_softmax(HnTape *t, HnVar *logits);
/* Log-density [B, 1] of a uniform mixture, from its members' log-densities logp[0 .. n), [B, 1]
 * each; `mean`: the members' mean instead, a lower bound. */
HN_KIT HnVar *hn_mixture_logp(HnTape *t, int64_t n, HnVar *const *logp, bool mean);
/* The same of numbers logp[0 .. n), off the tape. [any] */
HN_KIT double hn_mixture_logp_of(int64_t n, const double *logp, bool mean);
/* Categorical: log-probability of pick[i], [B, 1]; entropy, [B, 1]; KL(p||q), [B, 1]. */
HN_KIT HnVar *hn_categorical_logp(HnTape *t, HnVar *logits, const int32_t *pick);
HN_KIT HnVar *hn_categorical_entropy(HnTape *t, HnVar *logits);
HN_KIT HnVar *hn_categorical_kl(HnTape *t, HnVar *p_logits, HnVar *q_logits);

/* ---- recurrence ---- */
/* GRU over a whole sequence (Cho et al. 2014, PyTorch's gate convention):
 *   r = s(x Wr + br + h Ur + cr), z = s(x Wz + bz + h Uz + cz), n = tanh(x Wn + bn + r (h Un + cn))
 *   h' = (1 - z) n + z h
 *   x [T B, in] time-major;  h0 [B, H];  w [in, 3H], u [H, 3H] gates r, z, n;  b, c [1, 3H]
 *   reset  borrowed [T, B]: where non-zero, h is taken as 0 before step t (and no gradient flows
 *          further back); NULL: never.
 * Returns [T B, H].  Input projections and weight gradients are one product for every window of at
 * least 256 rows.  A sequence goes on from hn_stop of its last state where it is to be truncated.
 */
HN_KIT HnVar *hn_gru(HnTape *t, int64_t steps, HnVar *x, HnVar *h0, HnVar *w, HnVar *u, HnVar *b,
                     HnVar *c, const uint8_t *reset);
/* LSTM over a whole sequence (Hochreiter & Schmidhuber 1997 with forget gates, PyTorch's order):
 *   i, f, o = s(x W. + b. + h U. + c.), g = tanh(x Wg + bg + h Ug + cg)
 *   m' = f m + i g, h' = o tanh(m')
 *   x [T B, in] time-major;  h0, c0 [B, H];  w [in, 4H], u [H, 4H] gates i, f, g, o;  b, c [1, 4H]
 *   reset  as hn_gru's, for h and the cells m
 *   cells  NULL, or receives m after every step, [T B, H], an output like the first
 * Returns h, [T B, H]. */
HN_KIT HnVar *hn_lstm(HnTape *t, int64_t steps, HnVar *x, HnVar *h0, HnVar *c0, HnVar *w, HnVar *u,
                      HnVar *b, HnVar *c, const uint8_t *reset, HnVar **cells);
#endif

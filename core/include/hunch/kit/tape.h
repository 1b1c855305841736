/* hunch/kit/tape.h - reverse-mode automatic differentiation of float32 matrices.
 *
 * Every operation computes its value at once.  On a recording tape it also leaves a record, and
 * hn_tape_backward runs the records in reverse order.  Operations are coarse: forward and backward
 * are one pass over the data or one matrix product each.
 *
 * Memory.  Everything a tape holds comes from host->scratch, so it lives until the plugin function
 * or HnTask that began the tape returns; there is nothing to free and no allocation in steady
 * state. "Borrowed" arrays are read again by backward and must stay unchanged until then.
 *
 * Shapes are [rows, cols], row-major and dense; B stands for rows.  Gradients accumulate.  A
 * variable with a NULL gradient is a constant.  Wrong shapes are bugs: they print which operation
 * was called wrongly and abort.
 *
 * Threads.  A tape and its variables belong to one thread; different tapes are independent, so
 * every function here is [any].  A learner begins one tape per shard of a minibatch inside
 * host->parallel. Shards should be as large as their activations fit in the second-level cache
 * (about 512 rows of a network 256 wide): larger ones stream from memory, smaller ones spend their
 * gain on adding up gradients. */
#ifndef HUNCH_KIT_TAPE_H
#define HUNCH_KIT_TAPE_H
#include "../plugin.h"
#include "gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct HnVar {
  int64_t rows, cols;
  float *data;       /* [rows, cols] */
  float *grad;       /* the same shape, or NULL: a constant.  After backward read only the gradients
                        of leaves: an operation may have overwritten its output's */
  const float *flip; /* the transpose of data [cols, rows] if a parameter keeps it, else NULL */
  bool touched;      /* grad has been written; until then it is not even zeroed */
  int32_t jvp;       /* the number of the hn_tape_jvp that `tangent` belongs to */
  struct HnVar *tangent, *whole; /* whole: what hn_rows_of made this a view of, else NULL */
} HnVar;

typedef struct HnRecord HnRecord;

/* A tangent vector: the leaf element whose gradient is stored at base[i] has the tangent v[i], for
 * 0 <= i < size.  Leaves whose gradients lie elsewhere have the tangent 0.  With the array of
 * hn_store_flat as base, v is a flat vector over the store's parameters. */
typedef struct HnTangent {
  int64_t size;
  const float *base, *v;
} HnTangent;

typedef struct HnTape {
  const HnHost *host;
  bool recording;
  char *room;  /* the rest of the current chunk of memory .. */
  size_t left; /* .. and its bytes */
  HnRecord *last;
  int32_t jvps; /* calls of hn_tape_jvp so far, and the tangent of the last */
  HnTangent tangent;
} HnTape;

typedef int32_t HnActivation;
enum {
  HN_LINEAR = 0,
  HN_TANH = 1,
  HN_RELU = 2,
  HN_SIGMOID = 3,
  HN_LEAKY_RELU = 4, /* x, or 0.01 x below 0 */
};

/* An empty tape.  recording = false: values only, for acting. */
HN_KIT HnTape hn_tape_begin(const HnHost *host, bool recording);
/* Memory that lives as long as the tape: count * size bytes, zeroed, 64-byte aligned. */
HN_KIT void *hn_tape_room(HnTape *t, int64_t count, size_t size);
/* Backward pass from a [1, 1] loss: adds d(loss)/d(leaf) to the gradients of the leaves.  Once per
 * tape. */
HN_KIT void hn_tape_backward(HnTape *t, HnVar *loss);
/* Backward pass from y of any shape, whose gradient is `seed` of that shape (a vector-Jacobian
 * product). */
HN_KIT void hn_tape_backward_from(HnTape *t, HnVar *y, const float *seed);

/* ---- forward mode, and so second derivatives ---- */
/* Jacobian-vector product: d/de y(leaves + e d) at e = 0, shaped as y; NULL where y does not depend
 * on any leaf that has a tangent.  d.v is borrowed.  The result is made of operations of the same
 * tape, so it can be read, seeded and differentiated again.  Must come before the backward pass. An
 * operation without such a product (hn_cayley, hn_rotated_kl) aborts.  Source: Pearlmutter 1994,
 * with the passes in the other order. */
HN_KIT HnVar *hn_tape_jvp(HnTape *t, HnVar *y, HnTangent d);
/* Hessian-vector product: adds H d to the leaves' gradients, H the Hessian of a [1, 1] loss, by
 * running hn_tape_jvp and then backward from its result instead of from the loss.  Leaves without a
 * tangent get their rows of H d as well.  Takes as long as about 3 gradients, or 8 where most of
 * the network is recurrent. */
HN_KIT void hn_tape_hvp(HnTape *t, HnVar *loss, HnTangent d);

/* ---- leaves ---- */
/* Borrowed values without a gradient. */
HN_KIT HnVar *hn_constant(HnTape *t, int64_t rows, int64_t cols, const float *data);
/* Borrowed values whose gradient is added to grad [rows, cols] (NULL: a constant). */
HN_KIT HnVar *hn_leaf(HnTape *t, int64_t rows, int64_t cols, const float *data, float *grad);
/* The same values as a constant: no gradient flows through. */
HN_KIT HnVar *hn_stop(HnTape *t, const HnVar *x);

/* ---- products ---- */
/* Linear layer act(x w + b), [B, out]: x [B, in], w [in, out], b [1, out] or NULL. */
HN_KIT HnVar *hn_linear(HnTape *t, HnVar *x, HnVar *w, HnVar *b, HnActivation act);
/* A few outputs of a wide linear layer, chosen by row: y[i, j] = x[i] w[:, k] + b[k] with
 * k = pick[i, j], [B, picks].  x [B, in], w [in, out], b [1, out] or NULL; pick borrowed [B,
 * picks], each in 0 .. out - 1, repeats allowed.  Costs only the outputs picked, forward and
 * backward. */
HN_KIT HnVar *hn_linear_pick(HnTape *t, HnVar *x, HnVar *w, HnVar *b, int64_t picks,
                             const int32_t *pick);
/* Matrix product a b: a [n, k], b [k, m]. */
HN_KIT HnVar *hn_matmul(HnTape *t, HnVar *a, HnVar *b);

/* ---- normalisation ---- */
/* Layer normalisation: each row minus its mean, divided by sqrt(its variance + eps), times gain,
 * plus bias.  x [B, n]; gain and bias [1, n], or NULL for 1 and 0.  Source: Ba, Kiros & Hinton
 * 2016. */
HN_KIT HnVar *hn_layer_norm(HnTape *t, HnVar *x, HnVar *gain, HnVar *bias, float eps);

/* ---- elementwise: a [B, n]; b [B, n], or [1, n], [B, 1] or [1, 1], which broadcast ---- */
HN_KIT HnVar *hn_add(HnTape *t, HnVar *a, HnVar *b);
HN_KIT HnVar *hn_sub(HnTape *t, HnVar *a, HnVar *b);
HN_KIT HnVar *hn_mul(HnTape *t, HnVar *a, HnVar *b);
HN_KIT HnVar *hn_min(HnTape *t, HnVar *a, HnVar *b);                    /* ties: gradient to a */
HN_KIT HnVar *hn_max(HnTape *t, HnVar *a, HnVar *b);                    /* ties: gradient to a */
HN_KIT HnVar *hn_affine(HnTape *t, HnVar *x, float scale, float shift); /* scale x + shift */
HN_KIT HnVar *hn_activate(HnTape *t, HnVar *x, HnActivation act);
HN_KIT HnVar *hn_exp(HnTape *t, HnVar *x);
HN_KIT HnVar *hn_log(HnTape *t, HnVar *x);
HN_KIT HnVar *hn_square(HnTape *t, HnVar *x);
HN_KIT HnVar *hn_softplus(HnTape *t, HnVar *x);
/* x limited to [low, high]; outside the gradient is 0. */
HN_KIT HnVar *hn_clamp(HnTape *t, HnVar *x, float low, float high);
/* Huber loss of each element: d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2), with
 * d = x - target. */
HN_KIT HnVar *hn_huber(HnTape *t, HnVar *x, HnVar *target, float delta);

/* ---- shape ---- */
/* n parts of equal rows side by side; n parts of equal columns on top of each other. */
HN_KIT HnVar *hn_concat(HnTape *t, int64_t n, HnVar *const *parts);
HN_KIT HnVar *hn_stack(HnTape *t, int64_t n, HnVar *const *parts);
/* A copy of columns from .. from + count - 1, [B, count]. */
HN_KIT HnVar *hn_columns(HnTape *t, HnVar *x, int64_t from, int64_t count);
/* A view of rows from .. from + count - 1, [count, n]: no copy, no record. */
HN_KIT HnVar *hn_rows_of(HnTape *t, HnVar *x, int64_t from, int64_t count);
/* A copy of any n rows, [n, cols]: y[i] = x[row[i]], or 0 where row[i] < 0; row borrowed [n],
 * repeats allowed. */
HN_KIT HnVar *hn_pick_rows(HnTape *t, HnVar *x, int64_t n, const int32_t *row);
/* Returns how many rows of x [n, cols] differ bit for bit, and sets these, [count, cols] in the
 * order in which they first appear, and row [n]: row i of x is distinct[row[i]].  Both are in the
 * tape's memory.  What is a function of a row alone is so computed for count rows, and picked. */
HN_KIT int64_t hn_distinct_rows(HnTape *t, int64_t n, int64_t cols, const float *x,
                                const float **distinct, const int32_t **row);
/* The same where it pays: where more than half of the rows differ, returns n and sets distinct to x
 * and row to NULL, which stands for each row itself. */
HN_KIT int64_t hn_shared_rows(HnTape *t, int64_t n, int64_t cols, const float *x,
                              const float **distinct, const int32_t **row);

/* ---- reductions ---- */
HN_KIT HnVar *hn_sum(HnTape *t, HnVar *x);         /* of all elements, [1, 1] */
HN_KIT HnVar *hn_mean(HnTape *t, HnVar *x);        /* of all elements, [1, 1] */
HN_KIT HnVar *hn_sum_columns(HnTape *t, HnVar *x); /* of each row, [B, 1] */
/* Weighted sum of all elements, [1, 1]; weight borrowed, shaped as x. */
HN_KIT HnVar *hn_dot(HnTape *t, HnVar *x, const float *weight);

/* ---- distributions: log-densities, entropies and divergences in nats, one value a row ---- */
/* Log-density of the diagonal Gaussian N(mean, exp(logstd)^2) at x, [B, 1].  mean [B, A]; logstd
 * [B, A] or [1, A]; x borrowed [B, A]. */
HN_KIT HnVar *hn_normal_logp(HnTape *t, HnVar *mean, HnVar *logstd, const float *x);
/* Its entropy, one value a row of logstd: [B, 1] or [1, 1]. */
HN_KIT HnVar *hn_normal_entropy(HnTape *t, HnVar *logstd);
/* KL(N(mean1, exp(logstd1)^2) || N(mean0, exp(logstd0)^2)), [B, 1].  mean1 [B, A], the others [B,
 * A] or [1, A]. */
HN_KIT HnVar *hn_normal_kl(HnTape *t, HnVar *mean1, HnVar *logstd1, HnVar *mean0, HnVar *logstd0);
/* Reparameterised sample mean + exp(logstd) noise, [B, A]; noise borrowed [B, A]. */
HN_KIT HnVar *hn_normal_sample(HnTape *t, HnVar *mean, HnVar *logstd, const float *noise);

/* Gaussians with the full covariance Q diag(exp(logvar)) Q' of n dimensions.  A sample is
 * mean + Q (exp(logvar / 2) noise); the log-density of z is that of Q' (z - mean) under
 * hn_normal_logp.
 *
 * Cayley transform: the rotation Q = -(I + S)^-1 (I - S) with S = (A - A') / 2, where angles
 * [B, n (n - 1) / 2] hold A's strict lower triangle row by row.  Returns [B, n n], each row one Q,
 * row by row.  Angles of 0 give -I.  First derivatives only.  2 n^3 flops a row, backward 4 n^3, in
 * float32: errors of 1e-6 where angles are no more than about 1, at worst 6e-8 times the square of
 * S's largest singular value. */
HN_KIT HnVar *hn_cayley(HnTape *t, HnVar *angles, int64_t n);
/* Q x of each row, or Q' x if transpose: q [B, n n], x [B, n]; [B, n]. */
HN_KIT HnVar *hn_rotate(HnTape *t, HnVar *q, HnVar *x, bool transpose);
/* KL(N1 || N0) of such Gaussians, [B, 1]: means and log-variances [B, n], rotations [B, n n].  N0
 * may have a single row and gets no gradient.  First derivatives only. */
HN_KIT HnVar *hn_rotated_kl(HnTape *t, HnVar *mean1, HnVar *logvar1, HnVar *q1, const HnVar *mean0,
                            const HnVar *logvar0, const HnVar *q0);

/* Log-density of a = tanh(u) with u ~ N(mean, exp(logstd)^2), [B, 1], given the sample before tanh:
 * u borrowed [B, A], which keeps the density finite at |a| = 1.  mean [B, A], logstd [B, A] or
 * [1, A].  Source: Haarnoja et al. 2018, appendix C. */
HN_KIT HnVar *hn_tanh_normal_logp(HnTape *t, HnVar *mean, HnVar *logstd, const float *u);
/* sum_j log(1 - tanh(u_j)^2), [B, 1] for u [B, A]: subtract it from the log-density of a sample u
 * that carries a gradient to get that of tanh(u). */
HN_KIT HnVar *hn_tanh_log_slope(HnTape *t, HnVar *u);

/* Negative log-likelihood of Bernoulli variables given by logits [B, n], [B, 1]: ones[i, j] ones
 * among total[i, j] draws of logit [i, j], summed over j.  Repeated terms that share a logit are
 * exact as counts; any weights >= 0 will do.  ones, total borrowed [B, n]; total NULL: 1 each. */
HN_KIT HnVar *hn_bce_logits(HnTape *t, HnVar *logits, const float *ones, const float *total);
/* Softmax of each row, [B, n]. */
HN_KIT HnVar *hn_softmax(HnTape *t, HnVar *logits);
/* Categorical distributions given by logits [B, n]: log-probability of pick[i] (borrowed [B], each
 * in 0 .. n - 1); entropy; KL(p || q).  [B, 1] each.  A logit of -infinity has probability 0. */
HN_KIT HnVar *hn_categorical_logp(HnTape *t, HnVar *logits, const int32_t *pick);
HN_KIT HnVar *hn_categorical_entropy(HnTape *t, HnVar *logits);
HN_KIT HnVar *hn_categorical_kl(HnTape *t, HnVar *p_logits, HnVar *q_logits);
/* Log-density of a uniform mixture of n members, from theirs: logp[0 .. n - 1] of [B, 1] each, to
 * [B, 1].  mean: the mean of the members' log-densities instead, a lower bound. */
HN_KIT HnVar *hn_mixture_logp(HnTape *t, int64_t n, HnVar *const *logp, bool mean);
/* The same off the tape, for one value a member: logp [n]. */
HN_KIT double hn_mixture_logp_of(int64_t n, const double *logp, bool mean);

#ifdef __cplusplus
}
#endif
#endif

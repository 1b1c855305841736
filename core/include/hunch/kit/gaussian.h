/* hunch/kit/gaussian.h - batches of small Gaussians N(mean, P^-1) given by their precisions P.
 *
 * A precision is stored in float64: a full one as its lower triangle row by row, element (i, j <=
 * i) at i (i + 1) / 2 + j, a diagonal one as its diagonal.  It is never inverted: P + jitter I = L
 * L' is factored, sixteen rows at a time, and triangular systems are solved.  The jitter is added
 * where a precision is used and never stored.
 *
 * Samples are float32 (as their noise is); entropies and divergences are float64 throughout,
 * because the divergence of nearly equal Gaussians is a difference of large, nearly equal terms.
 *
 * A row's bits do not depend on which rows share a call.  Nothing here allocates; `work` is memory
 * of the caller's, 64-byte aligned, of hn_precision_work_size bytes.  Functions that factor return
 * HN_E_NUMERIC where a precision is not positive definite (or not finite) and leave the first such
 * row in *bad (if not NULL); outputs are then undefined.  Every function is [any].
 *
 * Source: Laplace VRNN, arXiv 2505.18591; Rasmussen & Williams 2006, appendix A. */
#ifndef HUNCH_KIT_GAUSSIAN_H
#define HUNCH_KIT_GAUSSIAN_H
#include "../plugin.h"
#include "gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HN_JITTER 1e-6

typedef struct HnPrecision {
  int64_t rows, dim; /* dim: F */
  bool diagonal;
  const double *p;
  int64_t p_row; /* doubles from one row to the next */
  double jitter; /* >= 0 */
} HnPrecision;

/* Doubles that one precision takes: F (F + 1) / 2, or F if diagonal. */
static inline int64_t hn_precision_count(int64_t dim, bool diagonal) {
  return diagonal ? dim : dim * (dim + 1) / 2;
}
/* Sets one precision to value times the identity. */
HN_KIT void hn_precision_set(int64_t dim, bool diagonal, double value, double *p);
/* Sets a full precision to Q diag(exp(-logvar)) Q', the inverse of the covariance given by
 * hn_cayley's Q [F, F] and logvar [F]; 2 F^3 flops. */
HN_KIT void hn_precision_rotated(int64_t dim, const float *logvar, const float *q, double *p);
/* Bytes of `work`, for any number of rows. */
HN_KIT size_t hn_precision_work_size(int64_t dim);

/* Cholesky factors: L of P + jitter I = L L' in float32, l [rows, F (F + 1) / 2] packed as P; of
 * diagonal ones the square roots [rows, F]. */
HN_KIT HnStatus hn_precision_factor(const HnPrecision *p, float *l, int64_t *bad, void *work);

/* Samples z = mean + L^-T noise, `draws` of each row: noise and z [rows, draws, F], which may be
 * the same array; mean [F] a row, mean_row floats from one row to the next. */
HN_KIT HnStatus hn_precision_sample(const HnPrecision *p, const float *mean, int64_t mean_row,
                                    int64_t draws, const float *noise, float *z, int64_t *bad,
                                    void *work);

/* Entropy of a posterior q, and its divergence from the one before, in nats. */
typedef struct HnPrecisionStats {
  double entropy;
  double marginal; /* entropy of a single coordinate, averaged over the F */
  /* The terms of KL(q || before), which is their sum minus F / 2, with d the difference of means:
   * tr(P_before P^-1) / 2, d' P_before d / 2, (ln|P| - ln|P_before|) / 2. */
  double trace, mahalanobis, logdet, kl;
} HnPrecisionStats;
/* Statistics of each row, stats [rows].  before NULL: only the first two, the others 0.  mean and
 * mean_before: [F] a row, mean_row and before_row floats from one row to the next. */
HN_KIT HnStatus hn_precision_stats(const HnPrecision *q, const float *mean, int64_t mean_row,
                                   const HnPrecision *before, const float *mean_before,
                                   int64_t before_row, HnPrecisionStats *stats, int64_t *bad,
                                   void *work);

/* KL(q || before) alone, kl [rows], with the bits of hn_precision_stats, and its gradient in the
 * means, grad [rows, F], as hn_precision_mahalanobis has it: what a filter learns from.
 *   factors  64-byte aligned, hn_precision_factors_size bytes of the caller's; on return they hold
 *            the factors of q, and nothing where the call fails
 *   known    on entry they hold the factors of `before`, which was q in the call before this one */
HN_KIT size_t hn_precision_factors_size(int64_t dim, int64_t rows, bool diagonal);
HN_KIT HnStatus hn_precision_kl(const HnPrecision *q, const float *mean, int64_t mean_row,
                                const HnPrecision *before, const float *mean_before,
                                int64_t before_row, bool known, void *factors, float *grad,
                                double *kl, int64_t *bad, void *work);

/* The Mahalanobis term (to - from)' (P + jitter I) (to - from) / 2 of KL(N(to, .) || N(from,
 * P^-1)): its value [rows] (NULL: not wanted) and its gradient with respect to `to`, grad [rows,
 * F].  to and from: [F] a row, to_row and from_row floats from one row to the next. */
HN_KIT void hn_precision_mahalanobis(const HnPrecision *p, const float *to, int64_t to_row,
                                     const float *from, int64_t from_row, float *grad,
                                     double *value);

/* ---- covariances Q diag(exp(logvar)) Q' ----
 *
 * Of one row, in float32: q [F, F] is the rotation of hn_cayley for angles [F (F - 1) / 2], with
 * that one's errors; logvar [F].  The tape has the same Gaussians (hn_cayley, hn_rotate,
 * hn_rotated_kl); here gradients go straight to the angles, by two products of matrices instead of
 * three, or by none.  Nothing fails: what is not finite gives what is not finite.  `work` is of
 * hn_rotated_work_size bytes, 64-byte aligned; arrays do not overlap. */

/* Bytes of `work`. */
HN_KIT size_t hn_rotated_work_size(int64_t dim);
/* q = the rotation of the angles; 2 F^3 flops. */
HN_KIT void hn_rotated_axes(int64_t dim, const float *angle, float *q, void *work);
/* KL(N(mean, logvar, q) || N(mean0, logvar0, q0)) in nats, given shift [F] = mean - mean0, and its
 * gradient: sets d_shift [F], d_logvar [F] and d_angle, of q's angles; 6 F^3 flops.  Products and
 * terms are float32, sums of the trace float64. */
HN_KIT double hn_rotated_divergence(int64_t dim, const float *shift, const float *logvar,
                                    const float *q, const float *logvar0, const float *q0,
                                    float *d_shift, float *d_logvar, float *d_angle, void *work);
/* Samples less their mean, offset [draws, F] = Q (exp(logvar / 2) noise), noise [draws, F]. */
HN_KIT void hn_rotated_draw(int64_t dim, const float *logvar, const float *q, int64_t draws,
                            const float *noise, float *offset, void *work);
/* Adds what their gradient d_offset [draws, F] owes to logvar and the angles to d_logvar [F] and
 * d_angle; 6 F^2 flops a draw. */
HN_KIT void hn_rotated_draw_backward(int64_t dim, const float *logvar, const float *q,
                                     int64_t draws, const float *noise, const float *d_offset,
                                     float *d_logvar, float *d_angle, void *work);

#ifdef __cplusplus
}
#endif
#endif

/* hunch/kit/solve.h - what a step within a trust region is made of: conjugate gradients on a matrix
 * that is known by its products alone, and a line search that backtracks.
 *
 * Nothing here allocates; vectors have n elements.  Source: Schulman et al. 2015, TRPO, appendix C.
 */
#ifndef HUNCH_KIT_SOLVE_H
#define HUNCH_KIT_SOLVE_H
#include "../plugin.h"
#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y = A v for a symmetric positive definite A. */
typedef HnStatus HnProduct(void *arg, const double *v, double *y);

/* Solves A x = b approximately, from x = 0, by at most `iterations` steps of conjugate gradients,
 * fewer where the squared norm of the residual falls below `tolerance`.
 *   x          out; elements that are not finite become 0
 *   work       [3, n]
 *   curvature  out, x' A x without another product: x' (b - residual); 0 where x had to be mended
 * Fails where `product` does.  [any]  Source: Golub & Van Loan 2013, section 11.3. */
HN_KIT HnStatus hn_conjugate_gradients(int64_t n, HnProduct *product, void *arg, const double *b,
                                       int64_t iterations, double tolerance, double *x,
                                       double *work, double *curvature);

/* Whether a step may end at x. */
typedef HnStatus HnTrial(void *arg, const float *x, bool *accepted);

/* Tries x - ratio^k step for k = 0, 1, .. tries - 1 and leaves the first that is accepted in
 * `next`; where none is, x itself, to the bit. next   not x taken  out, that k, or -1 Fails where
 * `trial` does.  [any] */
HN_KIT HnStatus hn_line_search(int64_t n, const float *x, const double *step, double ratio,
                               int64_t tries, HnTrial *trial, void *arg, float *next,
                               int64_t *taken);

#ifdef __cplusplus
}
#endif
#endif

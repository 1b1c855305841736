/* hunch/kit/root.h - a root of a covariance that moves as little as it must while the covariance
 * does.
 */
#ifndef HUNCH_KIT_ROOT_H
#define HUNCH_KIT_ROOT_H
#include "../plugin.h"
#include "gemm.h"

#ifdef __cplusplus
extern "C" {
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of work. */
HN_KIT size_t hn_nearest_root_size(int64_t n);
/* Replaces root by the R with R R' = a that is nearest to it in the Frobenius norm; nearest to the
 * identity is the symmetric root.  If a becomes Q a Q' and root Q root, so does R, for orthogonal
 * Q.
 *   a     [n, n] symmetric positive definite
 *   root  [n, n] regular
 *   work  64-byte aligned
 * HN_E_NUMERIC: not so, to float64's precision.  About 20 n^3 flops.  Source: R = a P (P' a P)^-1/2
 * for the root P before, by the orthogonal Procrustes problem (Schoenemann 1966).  [any] */
HN_KIT HnStatus hn_nearest_root(int64_t n, const double *a, double *root, void *work);

#ifdef __cplusplus
}
#endif

#ifdef __cplusplus
}
#endif
#endif

/* hunch/kit/gemm.h - matrix products and vector math whose bits depend on nothing but their inputs.
 *
 * Every element of a product is one chain of fused multiply-adds over k = 0, 1, .., in that order,
 * and every reduction is one fixed tree.  So a row's result does not depend on how many rows share
 * the call, on the thread, or on the vector width: instruction sets with FMA (v3: AVX2, v4:
 * AVX-512) give the same bits.  `base` (no FMA) runs anywhere and may differ in the last place.
 * The set is chosen at first use and can be pinned by the environment variable HUNCH_ISA. */
#ifndef HUNCH_KIT_GEMM_H
#define HUNCH_KIT_GEMM_H
#include "../rng.h"
#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* HN_KIT_LAYOUT of the library, which is that of the headers unless a plugin has found another kit.
 * [any] */
HN_KIT uint64_t hn_kit_layout(void);
/* Name of the instruction set in use: "base", "v3" or "v4". [any] */
HN_KIT const char *hn_kit_isa(void);
/* Name of OpenBLAS's kernels, e.g. "Cooperlake"; limits BLAS to one thread as well. [any] */
HN_KIT const char *hn_kit_blas(void);

/* C = A B (accumulate = 0) or C += A B.
 *   a  element (i, p) at a[i * a_row + p * a_col], so a transpose is free      [m, k]
 *   b  row-major, row stride ldb                                               [k, n]
 *   c  row-major, row stride ldc                                               [m, n]
 * Arrays need not be aligned or padded; c must not overlap a or b. [any] */
HN_KIT void hn_gemm(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_col,
                    const float *b, int64_t ldb, int accumulate, float *c, int64_t ldc);
/* t [cols, rows] = the transpose of a [rows, cols]; distinct. [any] */
HN_KIT void hn_transpose(int64_t rows, int64_t cols, const float *a, float *t);

/* Elementwise y = f(x) of n elements; y may be x. [any] */
HN_KIT void hn_vec_tanh(int64_t n, const float *x, float *y);
HN_KIT void hn_vec_sigmoid(int64_t n, const float *x, float *y);
HN_KIT void hn_vec_exp(int64_t n, const float *x, float *y);
HN_KIT void hn_vec_log(int64_t n, const float *x, float *y);
/* Draws n standard normals x in float32, several times as fast as hn_rng_normal.  Takes
 * 2 ceil(n / 2) words of rng; the two values of a Box-Muller pair lie ceil(n / 2) apart; none is
 * beyond 5.9 standard deviations; sine and cosine are polynomials with errors below 1e-7.  [any]
 * Source: Box & Muller 1958. */
HN_KIT void hn_normals(HnRng *rng, int64_t n, float *x);
/* Sum of squares of n elements in float64, in one fixed order. [any] */
HN_KIT double hn_vec_norm2(int64_t n, const float *x);

#ifdef __cplusplus
}
#endif
#endif

/* hunch/kit/gemm.h - dense products and vector math whose bits depend on nothing but their inputs.
 *
 * Every element of a product is one chain of fused multiply-adds over k = 0, 1, .., in that order,
 * and every reduction has one fixed tree.  So a row's result does not depend on how many rows share
 * the call, on the thread, or on the vector width: instruction sets with FMA (v3: AVX2, v4:
 * AVX-512) give the same bits.  `base` (no FMA) runs anywhere and may differ in the last place.
 * The set is chosen at first use and can be pinned by the environment variable HUNCH_ISA. */
#ifndef HUNCH_KIT_GEMM_H
#define HUNCH_KIT_GEMM_H
#include "../rng.h"
#include <stddef.h>
#include <stdint.h>

#ifndef HN_KIT
#  define HN_KIT __attribute__((visibility("default")))
#endif

/* Name of the instruction set in use: "base", "v3" or "v4". [any] */
HN_KIT const char *hn_kit_isa(void);
/* Name of OpenBLAS's kernels, e.g. "Cooperlake"; also limits BLAS to one thread. [any] */
HN_KIT const char *hn_kit_blas(void);

/* C = A B (accumulate = 0) or C += A B.
 *   a  element (i, p) at a[i * a_row + p * a_col], so a transpose is free      [m, k]
 *   b  row-major, row stride ldb                                               [k, n]
 *   c  row-major, row stride ldc                                               [m, n]
 * No alignment or padding is asked for. [any] */
HN_KIT void hn_gemm(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_col,
                    const float *b, int64_t ldb, int accumulate, float *c, int64_t ldc);
/* t [cols, rows] = transpose of a [rows, cols]. [any] */
HN_KIT void hn_transpose(int64_t rows, int64_t cols, const float *a, float *t);

/* Elementwise y = f(x), n elements; y may be x. [any] */
HN_KIT void hn_vec_tanh(int64_t n, const float *x, float *y);
HN_KIT void hn_vec_sigmoid(int64_t n, const float *x, float *y);
HN_KIT void hn_vec_exp(int64_t n, const float *x, float *y);
HN_KIT void hn_vec_log(int64_t n, const float *x, float *y);
/* n standard normals x, reaching to 5.9 deviations, by 2 ceil(n / 2) words of rng: the two values
 * of each Box-Muller pair lie ceil(n / 2) apart.  Several times as fast as hn_rng_normal, float32
 * throughout (sine and cosine are polynomials, error below 1e-7).  [any]  Box & Muller 1958. */
HN_KIT void hn_normals(HnRng *rng, int64_t n, float *x);
/* Sum of squares in float64, fixed order. [any] */
HN_KIT double hn_vec_norm2(int64_t n, const float *x);
#endif

/* gemm.c - the public dense products and vector math: calls to the chosen kernels. */
#include "hunch/kit/gemm.h"
#include "isa.h"
#include "kernels.h"

const HnKernels *hn_kernels(void) {
  static const HnKernels *const tables[] = HN_VARIANTS(hn_kernels);
  return tables[hn_isa_level()];
}

void hn_gemm(int64_t m, int64_t n, int64_t k, const float *a, int64_t a_row, int64_t a_col,
             const float *b, int64_t ldb, int accumulate, float *c, int64_t ldc) {
  hn_kernels()->product(&(HnProduct){.m = m,
                                     .n = n,
                                     .k = k,
                                     .a = a,
                                     .a_row = a_row,
                                     .a_col = a_col,
                                     .b = b,
                                     .ldb = ldb,
                                     .init = accumulate ? c : NULL,
                                     .init_row = ldc,
                                     .c = c,
                                     .ldc = ldc});
}

void hn_transpose(int64_t rows, int64_t cols, const float *a, float *t) {
  hn_kernels()->transpose(rows, cols, a, t);
}

void hn_vec_tanh(int64_t n, const float *x, float *y) {
  hn_kernels()->tanh(n, x, y);
}
void hn_vec_sigmoid(int64_t n, const float *x, float *y) {
  hn_kernels()->sigmoid(n, x, y);
}
void hn_vec_exp(int64_t n, const float *x, float *y) {
  hn_kernels()->exp(n, x, y);
}
void hn_vec_log(int64_t n, const float *x, float *y) {
  hn_kernels()->log(n, x, y);
}
double hn_vec_norm2(int64_t n, const float *x) {
  return hn_kernels()->norm2(n, x);
}

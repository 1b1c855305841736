/* group.c - see group.h; compiled once per instruction set. */
#include "group.h"
#include "isa.h"
#include "transpose.h"
#include <math.h>

HN_INLINE HnV v_sqrt(HnV x) {
#if defined(__AVX512F__)
  return (HnV)_mm512_sqrt_ps((__m512)x);
#elif defined(__AVX2__)
  return (HnV)_mm256_sqrt_ps((__m256)x);
#else
  for (int i = 0; i < HN_LANES; i++) x[i] = sqrtf(x[i]);
  return x;
#endif
}
HN_INLINE HnW w_sqrt(HnW x) {
#if defined(__AVX512F__)
  return (HnW)_mm512_sqrt_pd((__m512d)x);
#elif defined(__AVX2__)
  return (HnW)_mm256_sqrt_pd((__m256d)x);
#else
  for (int i = 0; i < HN_LANES64; i++) x[i] = sqrt(x[i]);
  return x;
#endif
}
/* The smaller of x and the lowest so far; NaN once either was. */
HN_INLINE HnV v_lowest(HnV lowest, HnV x) {
  return v_pick((lowest <= x) | (lowest != lowest), lowest, x);
}
HN_INLINE HnW w_lowest(HnW lowest, HnW x) {
  typedef int64_t Mask __attribute__((vector_size(sizeof(HnW))));
  const Mask keep = (lowest <= x) | (lowest != lowest);
  return (HnW)((keep & (Mask)lowest) | (~keep & (Mask)x));
}

#define REAL      float
#define NAME(f)   f##_f32
#define VEC       HnV
#define WIDTH     HN_LANES
#define LOAD      v_load
#define STORE     v_store
#define ALL       v_all
#define FMA       v_fma
#define SQRT      v_sqrt
#define LOWEST    v_lowest
#define TRANSPOSE v_transpose
#include "group_body.inc"
#undef REAL
#undef NAME
#undef VEC
#undef WIDTH
#undef LOAD
#undef STORE
#undef ALL
#undef FMA
#undef SQRT
#undef LOWEST
#undef TRANSPOSE
#define REAL      double
#define NAME(f)   f##_f64
#define VEC       HnW
#define WIDTH     HN_LANES64
#define LOAD      w_load
#define STORE     w_store
#define ALL       w_all
#define FMA       w_fma
#define SQRT      w_sqrt
#define LOWEST    w_lowest
#define TRANSPOSE w_transpose
#include "group_body.inc"

/* ---- one matrix ---- */

/* Sum of row[j] (to[j] - from[j]): eight running sums whatever the vector width, then a fixed
 * tree. */
static double dot_difference(int64_t n, const double *row, const float *to, const float *from) {
  double sum[8] = {0};
  int64_t j = 0;
  for (; j + 8 <= n; j += 8)
    for (int l = 0; l < 8; l++) sum[l] += row[j + l] * ((double)to[j + l] - (double)from[j + l]);
  for (int l = 0; j + l < n; l++) sum[l] += row[j + l] * ((double)to[j + l] - (double)from[j + l]);
  for (int width = 4; width > 0; width /= 2)
    for (int l = 0; l < width; l++) sum[l] += sum[l + width];
  return sum[0];
}

/* By blocks of columns, whose sums stay in the cache while the rows below are read. */
static double quadratic(int64_t n, const double *a, double jitter, const float *to,
                        const float *from, float *grad) {
  enum { BLOCK = 32 };
  double total = 0;
  for (int64_t i = 0; i < n; i += BLOCK) {
    const int64_t count = n - i < BLOCK ? n - i : BLOCK;
    double sum[BLOCK] = {0};
    for (int64_t k = i; k < n; k++) {
      const double *row = a + hn_triangle(k), dk = (double)to[k] - (double)from[k];
      const int64_t left = k - i < count ? k - i : count;
      for (int64_t c = 0; c < left; c++) sum[c] += row[i + c] * dk;
      if (k < i + count) sum[k - i] += (row[k] + jitter) * dk + dot_difference(k, row, to, from);
    }
    for (int64_t c = 0; c < count; c++) {
      total += ((double)to[i + c] - (double)from[i + c]) * sum[c];
      if (grad) grad[i + c] = (float)sum[c];
    }
  }
  return total;
}

const HnGroupKernels HN_VARIANT(hn_group_kernels) = {
    .f32 = {gather_f32, scatter_f32, factor_f32, solve_back_f32, solve_f32, squares_f32},
    .f64 = {gather_f64, scatter_f64, factor_f64, solve_back_f64, solve_f64, squares_f64},
    .quadratic = quadratic,
};

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

/* ---- inverse ---- */

/* c [4, 4] = its inverse, Gauss-Jordan. */
HN_INLINE void invert_block(HnW c[4][4]) {
#pragma GCC unroll 4
  for (int k = 0; k < 4; k++) {
    const HnW pivot = w_all(1) / c[k][k];
    c[k][k] = w_all(1);
#pragma GCC unroll 4
    for (int j = 0; j < 4; j++) c[k][j] = c[k][j] * pivot;
#pragma GCC unroll 4
    for (int i = 0; i < 4; i++) {
      if (i == k) continue;
      const HnW factor = -c[i][k];
      c[i][k] = w_all(0);
#pragma GCC unroll 4
      for (int j = 0; j < 4; j++) c[i][j] = w_fma(factor, c[k][j], c[i][j]);
    }
  }
}

#define SQUARE(a, i, j) ((a) + ((i)*n + (j)) * HN_GROUP)

HN_INLINE void load_block(int64_t n, const double *a, int64_t i, int64_t j, HnW c[4][4]) {
#pragma GCC unroll 4
  for (int r = 0; r < 4; r++)
#pragma GCC unroll 4
    for (int s = 0; s < 4; s++) c[r][s] = w_load(SQUARE(a, i + r, j + s));
}

/* Four rows of column j: c x, added to the column or in its place. */
HN_INLINE void combine(int64_t n, double *a, int64_t i, int64_t j, HnW c[4][4], const HnW x[4],
                       bool add) {
#pragma GCC unroll 4
  for (int r = 0; r < 4; r++) {
    HnW sum = add ? w_load(SQUARE(a, i + r, j)) : w_all(0);
#pragma GCC unroll 4
    for (int s = 0; s < 4; s++) sum = w_fma(c[r][s], x[s], sum);
    w_store(SQUARE(a, i + r, j), sum);
  }
}

/* Rows i .. i + 4, c in front, over all columns: += c x with x the rows at k; in the columns at k,
 * which are done with, = c x. */
HN_INLINE void combine_rows(int64_t n, double *a, int64_t i, int64_t k, HnW c[4][4]) {
  for (int64_t j = 0; j < n; j++) {
    HnW x[4];
#pragma GCC unroll 4
    for (int s = 0; s < 4; s++) x[s] = w_load(SQUARE(a, k + s, j));
    combine(n, a, i, j, c, x, i != k && (j < k || j >= k + 4));
  }
}

/* Gauss-Jordan by blocks of four: the rows at k are multiplied by D, the inverse of their diagonal
 * block, which it replaces; then their multiple is subtracted from every other row. */
static void invert_part(int64_t n, double *a) {
  for (int64_t k = 0; k < n; k += 4) {
    HnW c[4][4];
    load_block(n, a, k, k, c);
    invert_block(c);
    for (int r = 0; r < 4; r++)
      for (int s = 0; s < 4; s++) w_store(SQUARE(a, k + r, k + s), w_all(r == s));
    combine_rows(n, a, k, k, c);
    for (int64_t i = 0; i < n; i += 4) {
      if (i == k) continue;
      load_block(n, a, i, k, c);
      for (int r = 0; r < 4; r++)
        for (int s = 0; s < 4; s++) c[r][s] = -c[r][s];
      combine_rows(n, a, i, k, c);
    }
  }
}
#undef SQUARE

static void invert(int64_t lanes, int64_t n, double *a) {
  for (int64_t part = 0; part < lanes; part += HN_LANES64) invert_part(n, a + part);
}

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
    .invert = invert,
    .quadratic = quadratic,
};

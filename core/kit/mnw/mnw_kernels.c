/* mnw_kernels.c - see mnw_kernels.h; compiled once per instruction set. */
#include "mnw_kernels.h"
#include "isa.h"
#include "vector64.h"

/* Kernels take the eight lanes of a tile register by register, so that a lane's sum is the same in
 * every instruction set. */
enum { PART = HN_LANES64, PARTS = 8 / PART };

/* The sum of eight lanes, always ((x0+x4)+(x1+x5)) + ((x2+x6)+(x3+x7)). */
HN_INLINE double fold(const double *x) {
  return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

/* out[r] += the fold of row r of x [8, 8]. */
#if defined(__AVX2__)
HN_INLINE __m256d halves(const double *x) {
  return _mm256_add_pd(_mm256_loadu_pd(x), _mm256_loadu_pd(x + 4));
}
HN_INLINE __m256d fold_four(const double *x) {
  const __m256d low = _mm256_hadd_pd(halves(x), halves(x + 8));
  const __m256d high = _mm256_hadd_pd(halves(x + 16), halves(x + 24));
  return _mm256_add_pd(_mm256_permute2f128_pd(low, high, 0x20),
                       _mm256_permute2f128_pd(low, high, 0x31));
}
HN_INLINE void fold_eight(const double *x, double *out) {
  _mm256_storeu_pd(out, _mm256_add_pd(_mm256_loadu_pd(out), fold_four(x)));
  _mm256_storeu_pd(out + 4, _mm256_add_pd(_mm256_loadu_pd(out + 4), fold_four(x + 32)));
}
#else
HN_INLINE void fold_eight(const double *x, double *out) {
  for (int r = 0; r < 8; r++) out[r] += fold(x + 8 * r);
}
#endif

/* One row of tiles, the columns of one part: a tile off the diagonal serves its own rows and,
 * transposed, its columns' rows, so that each is read once.  c and y point at the part. */
HN_INLINE void multiply_row(int64_t i, const double *p, const double *weights, const double *c,
                            double *y, double *sums) {
  HnW rows[8], weight[8];
#pragma GCC unroll 8
  for (int r = 0; r < 8; r++) rows[r] = w_all(0), weight[r] = w_all(weights[r]);
  for (int64_t j = 0; j < i; j += 8, p += 64) {
    const HnW cj = w_load(c + j);
    HnW even = w_load(y + j), odd = w_all(0);
#pragma GCC unroll 4
    for (int r = 0; r < 8; r += 2) {
      const HnW a = w_load(p + 8 * r), b = w_load(p + 8 * r + 8);
      rows[r] = w_fma(a, cj, rows[r]);
      rows[r + 1] = w_fma(b, cj, rows[r + 1]);
      even = w_fma(a, weight[r], even);
      odd = w_fma(b, weight[r + 1], odd);
    }
    w_store(y + j, even + odd);
  }
  const HnW ci = w_load(c + i);
#pragma GCC unroll 8
  for (int r = 0; r < 8; r++) w_store(sums + 8 * r, w_fma(w_load(p + 8 * r), ci, rows[r]));
}

/* y = T c for the tiles alone. */
static void multiply_tiles(const HnTiles *v, const double *c, double *y) {
  const double *p = v->tile;
  double sums[64];
  for (int64_t i = 0; i < v->width; i++) y[i] = 0;
  for (int64_t i = 0; i < v->width; i += 8, p += 8 * i) {
#pragma GCC unroll 4
    for (int h = 0; h < 8; h += PART) multiply_row(i, p + h, c + i, c + h, y + h, sums + h);
    fold_eight(sums, y + i);
  }
}

/* out[j] = rows[j] . c */
static void dots(int64_t count, int64_t width, const double *rows, const double *c, double *out) {
  for (int64_t j = 0; j < count; j++, rows += width) {
    HnW sum[PARTS] = {0};
    double x[8];
    for (int64_t i = 0; i < width; i += 8)
#pragma GCC unroll 4
      for (int h = 0; h < PARTS; h++)
        sum[h] = w_fma(w_load(rows + i + h * PART), w_load(c + i + h * PART), sum[h]);
#pragma GCC unroll 4
    for (int h = 0; h < PARTS; h++) w_store(x + h * PART, sum[h]);
    out[j] = fold(x);
  }
}

/* rows[j] += weight[j] k */
static void shift(int64_t count, int64_t width, const double *weight, const double *k,
                  double *rows) {
  for (int64_t j = 0; j < count; j++, rows += width) {
    const HnW w = w_all(weight[j]);
    for (int64_t i = 0; i < width; i += PART)
      w_store(rows + i, w_fma(w, w_load(k + i), w_load(rows + i)));
  }
}

/* y += sum_j weight[j] rows[j], in the order of j. */
static void gather(int64_t count, int64_t width, const double *weight, const double *rows,
                   double *y) {
  for (int64_t i = 0; i < width; i += PART) {
    HnW sum = w_load(y + i);
    for (int64_t j = 0; j < count; j++)
      sum = w_fma(w_all(weight[j]), w_load(rows + j * width + i), sum);
    w_store(y + i, sum);
  }
}

static double multiply(const HnTiles *v, const double *c, double *k) {
  double weight[HN_PENDING], total;
  multiply_tiles(v, c, k);
  if (v->pending > 0) {
    dots(v->pending, v->width, v->gain, c, weight);
    for (int64_t j = 0; j < v->pending; j++) weight[j] *= -v->inverse_s[j];
    gather(v->pending, v->width, weight, v->gain, k);
  }
  dots(1, v->width, k, c, &total);
  return total;
}

/* Four rows of a row of tiles: their weights for every pending update stay in registers. */
HN_INLINE void flush_rows(const HnTiles *v, int64_t i, int first, double *p) {
  HnW weight[HN_PENDING][4];
#pragma GCC unroll 8
  for (int u = 0; u < HN_PENDING; u++)
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++)
      weight[u][r] = w_all(-v->gain[u * v->width + i + first + r] * v->inverse_s[u]);
  for (int64_t j = 0; j <= i; j += 8, p += 64)
#pragma GCC unroll 4
    for (int h = 0; h < 8; h += PART) {
      double *at = p + 8 * first + h;
      HnW rows[4];
#pragma GCC unroll 4
      for (int r = 0; r < 4; r++) rows[r] = w_load(at + 8 * r);
#pragma GCC unroll 8
      for (int u = 0; u < HN_PENDING; u++) {
        const HnW column = w_load(v->gain + u * v->width + j + h);
#pragma GCC unroll 4
        for (int r = 0; r < 4; r++) rows[r] = w_fma(weight[u][r], column, rows[r]);
      }
#pragma GCC unroll 4
      for (int r = 0; r < 4; r++) w_store(at + 8 * r, rows[r]);
    }
}

static void flush(const HnTiles *v) {
  double *p = v->tile;
  for (int64_t i = 0; i < v->width; i += 8, p += 8 * i) {
    flush_rows(v, i, 0, p);
    flush_rows(v, i, 4, p);
  }
}

#if defined(__AVX2__)
/* ROWS x vecs registers of a, over `rows` rows of x: each element is one chain over the rows. */
enum { ROWS = PART == 8 ? 8 : 4, VECS = 3, DEPTH = 128 };

HN_INLINE void gram_tile(int vecs, int64_t rows, int64_t d, const double *left, const double *right,
                         double *a) {
  HnW sum[ROWS][VECS];
#  pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++)
#  pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) sum[r][v] = w_load(a + r * d + v * PART);
  for (int64_t k = 0; k < rows; k++, left += d, right += d) {
    HnW x[VECS];
#  pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) x[v] = w_load(right + v * PART);
#  pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      const HnW w = w_all(left[r]);
#  pragma GCC unroll 4
      for (int v = 0; v < vecs; v++) sum[r][v] = w_fma(w, x[v], sum[r][v]);
    }
  }
#  pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++)
#  pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) w_store(a + r * d + v * PART, sum[r][v]);
}

static void gram(int64_t rows, int64_t d, const double *x, double *a) {
  for (int64_t k = 0; k < rows; k += DEPTH, x += DEPTH * d) {
    const int64_t depth = rows - k < DEPTH ? rows - k : DEPTH;
    for (int64_t j = 0; j < d; j += VECS * PART)
      for (int64_t i = j; i < d; i += ROWS) {
        double *at = a + i * d + j;
        if (d - j >= 3 * PART)
          gram_tile(3, depth, d, x + i, x + j, at);
        else if (d - j >= 2 * PART)
          gram_tile(2, depth, d, x + i, x + j, at);
        else
          gram_tile(1, depth, d, x + i, x + j, at);
      }
  }
}
#endif

static void widen(int64_t n, const float *x, double *y) {
  for (int64_t i = 0; i < n; i++) y[i] = (double)x[i];
}

static void narrow(int64_t n, const double *x, float *y) {
  for (int64_t i = 0; i < n; i++) y[i] = (float)x[i];
}

const HnMnwKernels HN_VARIANT(hn_mnw_kernels) = {
    .multiply = multiply,
    .flush = flush,
    .dots = dots,
    .shift = shift,
    .gather = gather,
#if defined(__AVX2__)
    .gram = gram,
#endif
    .widen = widen,
    .narrow = narrow,
};

/* mnw_kernels.c - see mnw_kernels.h; compiled once per instruction set. */
#include "mnw_kernels.h"
#include "isa.h"
#include <string.h>
#if defined(__AVX2__)
#  include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

/* A part of eight lanes that fits one register: kernels pass over the columns of a tile, part by
 * part, so that a lane's sum is the same in all of them. */
#if defined(__AVX512F__)
enum { PART = 8 };
#elif defined(__AVX2__)
enum { PART = 4 };
#else
enum { PART = 2 };
#endif
enum { PARTS = 8 / PART };
typedef double Part __attribute__((vector_size(PART * 8)));

INLINE Part load(const double *p) {
  Part v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(double *p, Part v) {
  memcpy(p, &v, sizeof v);
}
INLINE Part all(double x) {
  return x - (Part){0};
}
/* a b + c, rounded once where the set has FMA */
INLINE Part madd(Part a, Part b, Part c) {
#if defined(__AVX512F__)
  return (Part)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__)
  return (Part)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  return a * b + c;
#endif
}

/* The sum of eight lanes, always ((x0+x4)+(x1+x5)) + ((x2+x6)+(x3+x7)). */
INLINE double fold(const double *x) {
  return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

/* out[r] += the fold of row r of x [8, 8]. */
#if defined(__AVX2__)
INLINE __m256d halves(const double *x) {
  return _mm256_add_pd(_mm256_loadu_pd(x), _mm256_loadu_pd(x + 4));
}
INLINE __m256d fold_four(const double *x) {
  const __m256d low = _mm256_hadd_pd(halves(x), halves(x + 8));
  const __m256d high = _mm256_hadd_pd(halves(x + 16), halves(x + 24));
  return _mm256_add_pd(_mm256_permute2f128_pd(low, high, 0x20),
                       _mm256_permute2f128_pd(low, high, 0x31));
}
INLINE void fold_eight(const double *x, double *out) {
  _mm256_storeu_pd(out, _mm256_add_pd(_mm256_loadu_pd(out), fold_four(x)));
  _mm256_storeu_pd(out + 4, _mm256_add_pd(_mm256_loadu_pd(out + 4), fold_four(x + 32)));
}
#else
INLINE void fold_eight(const double *x, double *out) {
  for (int r = 0; r < 8; r++) out[r] += fold(x + 8 * r);
}
#endif

/* One row of tiles, the columns of one part: a tile off the diagonal serves its own rows and,
 * transposed, its columns' rows, so that each is read once.  c and y point at the part. */
INLINE void multiply_row(int64_t i, const double *p, const double *weights, const double *c,
                         double *y, double *sums) {
  Part rows[8], weight[8];
#pragma GCC unroll 8
  for (int r = 0; r < 8; r++) rows[r] = all(0), weight[r] = all(weights[r]);
  for (int64_t j = 0; j < i; j += 8, p += 64) {
    const Part cj = load(c + j);
    Part even = load(y + j), odd = all(0);
#pragma GCC unroll 4
    for (int r = 0; r < 8; r += 2) {
      const Part a = load(p + 8 * r), b = load(p + 8 * r + 8);
      rows[r] = madd(a, cj, rows[r]);
      rows[r + 1] = madd(b, cj, rows[r + 1]);
      even = madd(a, weight[r], even);
      odd = madd(b, weight[r + 1], odd);
    }
    store(y + j, even + odd);
  }
  const Part ci = load(c + i);
#pragma GCC unroll 8
  for (int r = 0; r < 8; r++) store(sums + 8 * r, madd(load(p + 8 * r), ci, rows[r]));
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
    Part sum[PARTS] = {0};
    double x[8];
    for (int64_t i = 0; i < width; i += 8)
#pragma GCC unroll 4
      for (int h = 0; h < PARTS; h++)
        sum[h] = madd(load(rows + i + h * PART), load(c + i + h * PART), sum[h]);
#pragma GCC unroll 4
    for (int h = 0; h < PARTS; h++) store(x + h * PART, sum[h]);
    out[j] = fold(x);
  }
}

/* rows[j] += weight[j] k */
static void shift(int64_t count, int64_t width, const double *weight, const double *k,
                  double *rows) {
  for (int64_t j = 0; j < count; j++, rows += width) {
    const Part w = all(weight[j]);
    for (int64_t i = 0; i < width; i += PART) store(rows + i, madd(w, load(k + i), load(rows + i)));
  }
}

/* y += sum_j weight[j] rows[j], in the order of j. */
static void gather(int64_t count, int64_t width, const double *weight, const double *rows,
                   double *y) {
  for (int64_t i = 0; i < width; i += PART) {
    Part sum = load(y + i);
    for (int64_t j = 0; j < count; j++) sum = madd(all(weight[j]), load(rows + j * width + i), sum);
    store(y + i, sum);
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
INLINE void flush_rows(const HnTiles *v, int64_t i, int first, double *p) {
  Part weight[HN_PENDING][4];
#pragma GCC unroll 8
  for (int u = 0; u < HN_PENDING; u++)
#pragma GCC unroll 4
    for (int r = 0; r < 4; r++)
      weight[u][r] = all(-v->gain[u * v->width + i + first + r] * v->inverse_s[u]);
  for (int64_t j = 0; j <= i; j += 8, p += 64)
#pragma GCC unroll 4
    for (int h = 0; h < 8; h += PART) {
      double *at = p + 8 * first + h;
      Part rows[4];
#pragma GCC unroll 4
      for (int r = 0; r < 4; r++) rows[r] = load(at + 8 * r);
#pragma GCC unroll 8
      for (int u = 0; u < HN_PENDING; u++) {
        const Part column = load(v->gain + u * v->width + j + h);
#pragma GCC unroll 4
        for (int r = 0; r < 4; r++) rows[r] = madd(weight[u][r], column, rows[r]);
      }
#pragma GCC unroll 4
      for (int r = 0; r < 4; r++) store(at + 8 * r, rows[r]);
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

INLINE void gram_tile(int vecs, int64_t rows, int64_t d, const double *left, const double *right,
                      double *a) {
  Part sum[ROWS][VECS];
#  pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++)
#  pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) sum[r][v] = load(a + r * d + v * PART);
  for (int64_t k = 0; k < rows; k++, left += d, right += d) {
    Part x[VECS];
#  pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) x[v] = load(right + v * PART);
#  pragma GCC unroll 8
    for (int r = 0; r < ROWS; r++) {
      const Part w = all(left[r]);
#  pragma GCC unroll 4
      for (int v = 0; v < vecs; v++) sum[r][v] = madd(w, x[v], sum[r][v]);
    }
  }
#  pragma GCC unroll 8
  for (int r = 0; r < ROWS; r++)
#  pragma GCC unroll 4
    for (int v = 0; v < vecs; v++) store(a + r * d + v * PART, sum[r][v]);
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

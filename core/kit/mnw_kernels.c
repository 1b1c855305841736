/* mnw_kernels.c - see mnw_kernels.h; compiled once per instruction set. */
#include "mnw_kernels.h"
#include "isa.h"
#include <string.h>
#if defined(__AVX2__)
#  include <immintrin.h>
#endif

#define INLINE static inline __attribute__((always_inline))

/* Eight float64 lanes in as many registers as they need. */
#if defined(__AVX512F__)
enum { PARTS = 1 };
#elif defined(__AVX2__)
enum { PARTS = 2 };
#else
enum { PARTS = 4 };
#endif
typedef double Part __attribute__((vector_size(64 / PARTS)));
typedef struct Lanes {
  Part part[PARTS];
} Lanes;

INLINE Lanes load(const double *p) {
  Lanes v;
  memcpy(&v, p, sizeof v);
  return v;
}
INLINE void store(double *p, Lanes v) {
  memcpy(p, &v, sizeof v);
}
INLINE Lanes zero(void) {
  return (Lanes){0};
}
INLINE Lanes all(double x) {
  Lanes v;
#pragma GCC unroll 4
  for (int i = 0; i < PARTS; i++) v.part[i] = x - (Part){0};
  return v;
}
INLINE Lanes add(Lanes a, Lanes b) {
#pragma GCC unroll 4
  for (int i = 0; i < PARTS; i++) a.part[i] += b.part[i];
  return a;
}
INLINE Lanes mul(Lanes a, Lanes b) {
#pragma GCC unroll 4
  for (int i = 0; i < PARTS; i++) a.part[i] *= b.part[i];
  return a;
}
/* a b + c, rounded once where the set has FMA */
INLINE Lanes fma8(Lanes a, Lanes b, Lanes c) {
#pragma GCC unroll 4
  for (int i = 0; i < PARTS; i++)
#if defined(__AVX512F__)
    c.part[i] = (Part)_mm512_fmadd_pd((__m512d)a.part[i], (__m512d)b.part[i], (__m512d)c.part[i]);
#elif defined(__FMA__)
    c.part[i] = (Part)_mm256_fmadd_pd((__m256d)a.part[i], (__m256d)b.part[i], (__m256d)c.part[i]);
#else
    c.part[i] += a.part[i] * b.part[i];
#endif
  return c;
}

/* out[r] += sum of the lanes x of a[r], as ((x0+x4)+(x1+x5)) + ((x2+x6)+(x3+x7)). */
#if defined(__AVX2__)
INLINE __m256d fold(Lanes a) {
#  if defined(__AVX512F__)
  __m512d x = (__m512d)a.part[0];
  return _mm256_add_pd(_mm512_castpd512_pd256(x), _mm512_extractf64x4_pd(x, 1));
#  else
  return _mm256_add_pd((__m256d)a.part[0], (__m256d)a.part[1]);
#  endif
}
INLINE __m256d fold_four(const Lanes *a) {
  const __m256d low = _mm256_hadd_pd(fold(a[0]), fold(a[1]));
  const __m256d high = _mm256_hadd_pd(fold(a[2]), fold(a[3]));
  return _mm256_add_pd(_mm256_permute2f128_pd(low, high, 0x20),
                       _mm256_permute2f128_pd(low, high, 0x31));
}
INLINE void fold_eight(const Lanes *a, double *out) {
  _mm256_storeu_pd(out, _mm256_add_pd(_mm256_loadu_pd(out), fold_four(a)));
  _mm256_storeu_pd(out + 4, _mm256_add_pd(_mm256_loadu_pd(out + 4), fold_four(a + 4)));
}
#else
INLINE void fold_eight(const Lanes *a, double *out) {
  for (int r = 0; r < 8; r++) {
    double x[8];
    memcpy(x, a + r, sizeof x);
    out[r] += ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
  }
}
#endif
INLINE double fold_one(Lanes a) {
  double x[8];
  memcpy(x, &a, sizeof x);
  return ((x[0] + x[4]) + (x[1] + x[5])) + ((x[2] + x[6]) + (x[3] + x[7]));
}

/* y = T c for the tiles alone.  A tile off the diagonal serves its own rows and, transposed, its
 * columns' rows, so each is read once. */
static void multiply_tiles(const HnTiles *v, const double *c, double *y) {
  const int64_t width = v->width;
  const double *p = v->tile;
  for (int64_t i = 0; i < width; i++) y[i] = 0;
  for (int64_t i = 0; i < width; i += 8) {
    Lanes rows[8], weight[8];
#pragma GCC unroll 8
    for (int r = 0; r < 8; r++) rows[r] = zero(), weight[r] = all(c[i + r]);
    for (int64_t j = 0; j < i; j += 8, p += 64) {
      const Lanes cj = load(c + j);
      Lanes even = load(y + j), odd = zero();
#pragma GCC unroll 4
      for (int r = 0; r < 8; r += 2) {
        const Lanes a = load(p + 8 * r), b = load(p + 8 * r + 8);
        rows[r] = fma8(a, cj, rows[r]);
        rows[r + 1] = fma8(b, cj, rows[r + 1]);
        even = fma8(a, weight[r], even);
        odd = fma8(b, weight[r + 1], odd);
      }
      store(y + j, add(even, odd));
    }
    const Lanes ci = load(c + i);
#pragma GCC unroll 8
    for (int r = 0; r < 8; r++) rows[r] = fma8(load(p + 8 * r), ci, rows[r]);
    p += 64;
    fold_eight(rows, y + i);
  }
}

static double multiply(const HnTiles *v, const double *c, double *k) {
  const int64_t width = v->width;
  Lanes sum[HN_PENDING] = {0}, weight[HN_PENDING], total = zero();
  multiply_tiles(v, c, k);
  if (v->pending > 0) {
    for (int64_t i = 0; i < width; i += 8) {
      const Lanes ci = load(c + i);
#pragma GCC unroll 4
      for (int j = 0; j < HN_PENDING; j++)
        if (j < v->pending) sum[j] = fma8(load(v->gain + j * width + i), ci, sum[j]);
    }
    for (int j = 0; j < HN_PENDING; j++)
      weight[j] = all(j < v->pending ? -fold_one(sum[j]) * v->inverse_s[j] : 0);
  }
  for (int64_t i = 0; i < width; i += 8) {
    Lanes ki = load(k + i);
#pragma GCC unroll 4
    for (int j = 0; j < HN_PENDING; j++)
      if (j < v->pending) ki = fma8(weight[j], load(v->gain + j * width + i), ki);
    store(k + i, ki);
    total = fma8(ki, load(c + i), total);
  }
  return fold_one(total);
}

static void flush(const HnTiles *v) {
  double *p = v->tile;
  for (int64_t i = 0; i < v->width; i += 8)
    for (int64_t j = 0; j <= i; j += 8, p += 64) {
      Lanes rows[8];
#pragma GCC unroll 8
      for (int r = 0; r < 8; r++) rows[r] = load(p + 8 * r);
      for (int64_t u = 0; u < v->pending; u++) {
        const double *gain = v->gain + u * v->width;
        const Lanes column = mul(load(gain + j), all(-v->inverse_s[u]));
#pragma GCC unroll 8
        for (int r = 0; r < 8; r++) rows[r] = fma8(all(gain[i + r]), column, rows[r]);
      }
#pragma GCC unroll 8
      for (int r = 0; r < 8; r++) store(p + 8 * r, rows[r]);
    }
}

static void dots(int64_t count, int64_t width, const double *rows, const double *c, double *out) {
  for (int64_t j = 0; j < count; j++, rows += width) {
    Lanes sum = zero();
    for (int64_t i = 0; i < width; i += 8) sum = fma8(load(rows + i), load(c + i), sum);
    out[j] = fold_one(sum);
  }
}

static void shift(int64_t count, int64_t width, const double *weight, const double *k,
                  double *rows) {
  for (int64_t j = 0; j < count; j++, rows += width) {
    const Lanes w = all(weight[j]);
    for (int64_t i = 0; i < width; i += 8) store(rows + i, fma8(w, load(k + i), load(rows + i)));
  }
}

/* Elementwise over rows of a, because symmetry lets out = sum_i x_i a_i. */
static double form(int64_t m, const double *a, const double *x, double *out) {
  double sum = 0;
  for (int64_t j = 0; j < m; j++) out[j] = a[j] * x[0];
  for (int64_t i = 1; i < m; i++)
    for (int64_t j = 0; j < m; j++) out[j] += a[i * m + j] * x[i];
  for (int64_t j = 0; j < m; j++) sum += out[j] * x[j];
  return sum;
}

static void rank_one(int64_t m, double alpha, const double *x, double *a) {
  for (int64_t i = 0; i < m; i++) {
    const double weight = alpha * x[i];
    for (int64_t j = 0; j < m; j++) a[i * m + j] += weight * x[j];
  }
}

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
    .form = form,
    .rank_one = rank_one,
    .widen = widen,
    .narrow = narrow,
};

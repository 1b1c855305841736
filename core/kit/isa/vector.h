/* vector.h - one float32 vector type and its few operations, for files compiled once per
 * instruction set.  Multiply-adds are spelled out, so that contraction is never the compiler's
 * choice and v3 and v4 round alike. */
#ifndef HN_KIT_VECTOR_H
#define HN_KIT_VECTOR_H
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX2__)
#  include <immintrin.h>
#endif

#define HN_INLINE static inline __attribute__((always_inline))

#if defined(__AVX512F__)
enum { HN_LANES = 16 };
#elif defined(__AVX2__)
enum { HN_LANES = 8 };
#else
enum { HN_LANES = 4 };
#endif

typedef float HnV __attribute__((vector_size(HN_LANES * 4)));
typedef int32_t HnVi __attribute__((vector_size(HN_LANES * 4)));
typedef uint32_t HnVu __attribute__((vector_size(HN_LANES * 4)));

HN_INLINE HnV v_all(float x) {
  return x - (HnV){0};
}
HN_INLINE HnV v_load(const float *p) {
  HnV v;
  memcpy(&v, p, sizeof v);
  return v;
}
HN_INLINE void v_store(float *p, HnV v) {
  memcpy(p, &v, sizeof v);
}

/* The first n lanes, 0 < n <= HN_LANES; the others load as zero and are not stored. */
#if defined(__AVX512F__)
typedef __mmask16 HnLaneMask;
HN_INLINE HnLaneMask v_lane_mask(int64_t n) {
  return (HnLaneMask)(0xffffu >> (HN_LANES - n));
}
HN_INLINE HnV v_load_part(const float *p, HnLaneMask m) {
  return (HnV)_mm512_maskz_loadu_ps(m, p);
}
HN_INLINE void v_store_part(float *p, HnV v, HnLaneMask m) {
  _mm512_mask_storeu_ps(p, m, (__m512)v);
}
#elif defined(__AVX2__)
typedef __m256i HnLaneMask;
HN_INLINE HnLaneMask v_lane_mask(int64_t n) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), lane);
}
HN_INLINE HnV v_load_part(const float *p, HnLaneMask m) {
  return (HnV)_mm256_maskload_ps(p, m);
}
HN_INLINE void v_store_part(float *p, HnV v, HnLaneMask m) {
  _mm256_maskstore_ps(p, m, (__m256)v);
}
#else
typedef int64_t HnLaneMask;
HN_INLINE HnLaneMask v_lane_mask(int64_t n) {
  return n;
}
HN_INLINE HnV v_load_part(const float *p, HnLaneMask n) {
  HnV v = {0};
  for (int64_t i = 0; i < n; i++) v[i] = p[i];
  return v;
}
HN_INLINE void v_store_part(float *p, HnV v, HnLaneMask n) {
  for (int64_t i = 0; i < n; i++) p[i] = v[i];
}
#endif

/* A whole vector, or the lanes of part. */
HN_INLINE HnV v_load_any(const float *p, bool whole, HnLaneMask part) {
  return whole ? v_load(p) : v_load_part(p, part);
}
HN_INLINE void v_store_any(float *p, HnV v, bool whole, HnLaneMask part) {
  if (whole)
    v_store(p, v);
  else
    v_store_part(p, v, part);
}

/* DO for every vector of n numbers, the last of which may be partial: it may read j, the first
 * number, and whole and part as v_load_any takes them. */
#define HN_FOR_VECTORS(n, DO)                        \
  do {                                               \
    int64_t j = 0;                                   \
    for (; j + HN_LANES <= (n); j += HN_LANES) {     \
      const bool whole = true;                       \
      const HnLaneMask part = v_lane_mask(HN_LANES); \
      DO;                                            \
    }                                                \
    if (j < (n)) {                                   \
      const bool whole = false;                      \
      const HnLaneMask part = v_lane_mask((n)-j);    \
      DO;                                            \
    }                                                \
  } while (0)

/* Minimum and maximum; b where either is NaN. */
HN_INLINE HnV v_min(HnV a, HnV b) {
#if defined(__AVX512F__)
  return (HnV)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (HnV)_mm256_min_ps((__m256)a, (__m256)b);
#else
  for (int i = 0; i < HN_LANES; i++) b[i] = a[i] < b[i] ? a[i] : b[i];
  return b;
#endif
}
HN_INLINE HnV v_max(HnV a, HnV b) {
#if defined(__AVX512F__)
  return (HnV)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined(__AVX2__)
  return (HnV)_mm256_max_ps((__m256)a, (__m256)b);
#else
  for (int i = 0; i < HN_LANES; i++) b[i] = a[i] > b[i] ? a[i] : b[i];
  return b;
#endif
}

/* Lanes of a where the mask of a comparison is set, else of b. */
HN_INLINE HnV v_pick(HnVi mask, HnV a, HnV b) {
  return (HnV)((mask & (HnVi)a) | (~mask & (HnVi)b));
}

/* a b + c, rounded once where the set has FMA. */
HN_INLINE HnV v_fma(HnV a, HnV b, HnV c) {
#if defined(__AVX512F__)
  return (HnV)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined(__FMA__)
  return (HnV)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}
#endif

/* transpose.h - square blocks of numbers transposed in registers, one vector a row: first within
 * 128 bits, then the 128-bit pieces among themselves. */
#ifndef HN_KIT_TRANSPOSE_H
#define HN_KIT_TRANSPOSE_H
#include "vector64.h"

/* Of every 128 bits: the lower or the upper half of a's numbers, each followed by b's. */
#if defined(__AVX512F__)
HN_INLINE HnV v_zip_low(HnV a, HnV b) {
  return (HnV)_mm512_unpacklo_ps((__m512)a, (__m512)b);
}
HN_INLINE HnV v_zip_high(HnV a, HnV b) {
  return (HnV)_mm512_unpackhi_ps((__m512)a, (__m512)b);
}
HN_INLINE HnW w_zip_low(HnW a, HnW b) {
  return (HnW)_mm512_unpacklo_pd((__m512d)a, (__m512d)b);
}
HN_INLINE HnW w_zip_high(HnW a, HnW b) {
  return (HnW)_mm512_unpackhi_pd((__m512d)a, (__m512d)b);
}
#elif defined(__AVX2__)
HN_INLINE HnV v_zip_low(HnV a, HnV b) {
  return (HnV)_mm256_unpacklo_ps((__m256)a, (__m256)b);
}
HN_INLINE HnV v_zip_high(HnV a, HnV b) {
  return (HnV)_mm256_unpackhi_ps((__m256)a, (__m256)b);
}
HN_INLINE HnW w_zip_low(HnW a, HnW b) {
  return (HnW)_mm256_unpacklo_pd((__m256d)a, (__m256d)b);
}
HN_INLINE HnW w_zip_high(HnW a, HnW b) {
  return (HnW)_mm256_unpackhi_pd((__m256d)a, (__m256d)b);
}
#else
HN_INLINE HnV v_zip_low(HnV a, HnV b) {
  return __builtin_shufflevector(a, b, 0, 4, 1, 5);
}
HN_INLINE HnV v_zip_high(HnV a, HnV b) {
  return __builtin_shufflevector(a, b, 2, 6, 3, 7);
}
HN_INLINE HnW w_zip_low(HnW a, HnW b) {
  return __builtin_shufflevector(a, b, 0, 2);
}
HN_INLINE HnW w_zip_high(HnW a, HnW b) {
  return __builtin_shufflevector(a, b, 1, 3);
}
#endif

/* As many rows of 128-bit pieces as a vector has pieces, each `step` further on in x. */
HN_INLINE void w_transpose_pieces(HnW *x, int step) {
#if defined(__AVX512F__)
  const __m512d even0 = _mm512_shuffle_f64x2((__m512d)x[0], (__m512d)x[step], 0x88);
  const __m512d even1 = _mm512_shuffle_f64x2((__m512d)x[2 * step], (__m512d)x[3 * step], 0x88);
  const __m512d odd0 = _mm512_shuffle_f64x2((__m512d)x[0], (__m512d)x[step], 0xdd);
  const __m512d odd1 = _mm512_shuffle_f64x2((__m512d)x[2 * step], (__m512d)x[3 * step], 0xdd);
  x[0] = (HnW)_mm512_shuffle_f64x2(even0, even1, 0x88);
  x[step] = (HnW)_mm512_shuffle_f64x2(odd0, odd1, 0x88);
  x[2 * step] = (HnW)_mm512_shuffle_f64x2(even0, even1, 0xdd);
  x[3 * step] = (HnW)_mm512_shuffle_f64x2(odd0, odd1, 0xdd);
#elif defined(__AVX2__)
  const __m256d a = (__m256d)x[0], b = (__m256d)x[step];
  x[0] = (HnW)_mm256_permute2f128_pd(a, b, 0x20);
  x[step] = (HnW)_mm256_permute2f128_pd(a, b, 0x31);
#else
  (void)x, (void)step;
#endif
}

/* x [HN_LANES64, HN_LANES64] = x' */
HN_INLINE void w_transpose(HnW x[HN_LANES64]) {
#pragma GCC unroll 8
  for (int i = 0; i < HN_LANES64; i += 2) {
    const HnW a = x[i], b = x[i + 1];
    x[i] = w_zip_low(a, b), x[i + 1] = w_zip_high(a, b);
  }
  for (int i = 0; i < 2; i++) w_transpose_pieces(x + i, 2);
}

/* x [HN_LANES, HN_LANES] = x' */
HN_INLINE void v_transpose(HnV x[HN_LANES]) {
  HnW y[HN_LANES];
#pragma GCC unroll 16
  for (int i = 0; i < HN_LANES; i += 4) {
    const HnW a = (HnW)v_zip_low(x[i], x[i + 1]), b = (HnW)v_zip_low(x[i + 2], x[i + 3]);
    const HnW c = (HnW)v_zip_high(x[i], x[i + 1]), d = (HnW)v_zip_high(x[i + 2], x[i + 3]);
    y[i] = w_zip_low(a, b), y[i + 1] = w_zip_high(a, b);
    y[i + 2] = w_zip_low(c, d), y[i + 3] = w_zip_high(c, d);
  }
  for (int i = 0; i < 4; i++) w_transpose_pieces(y + i, 4);
#pragma GCC unroll 16
  for (int i = 0; i < HN_LANES; i++) x[i] = (HnV)y[i];
}
#endif

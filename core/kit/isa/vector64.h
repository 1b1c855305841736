/* vector64.h - one float64 vector type and its few operations, for files compiled once per
 * instruction set; the sibling of vector.h. */
#ifndef HN_KIT_VECTOR64_H
#define HN_KIT_VECTOR64_H
#include "vector.h"

enum { HN_LANES64 = HN_LANES / 2 };
typedef double HnW __attribute__((vector_size(HN_LANES64 * 8)));

HN_INLINE HnW w_load(const double *p) {
  HnW v;
  memcpy(&v, p, sizeof v);
  return v;
}
HN_INLINE void w_store(double *p, HnW v) {
  memcpy(p, &v, sizeof v);
}
HN_INLINE HnW w_all(double x) {
  return x - (HnW){0};
}
/* a b + c, rounded once where the set has FMA */
HN_INLINE HnW w_fma(HnW a, HnW b, HnW c) {
#if defined(__AVX512F__)
  return (HnW)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)c);
#elif defined(__FMA__)
  return (HnW)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)c);
#else
  return a * b + c;
#endif
}
#endif

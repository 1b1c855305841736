/* vector_math.h - exp, log, tanh, sigmoid and softplus of one vector.
 *
 * Polynomials fitted for this file (minimax, Lawson's iteration in 50 digits) and rounded to
 * float32; gemm_test.c holds them to the stated errors.  Explicit multiply-adds and correctly
 * rounded operations only, so v3 and v4 give the same bits.  NaN in, NaN out. */
#ifndef HN_KIT_VECTOR_MATH_H
#define HN_KIT_VECTOR_MATH_H
#include "vector.h"
#include <math.h>

/* Relative error <= 1.2e-7 in the normal range; overflows to infinity, underflows gradually. */
HN_INLINE HnV v_exp(HnV x) {
  const HnV shift = v_all(0x1.8p23f); /* adding it rounds to an integer, left in the low bits */
  x = v_min(v_all(89.0f), v_max(v_all(-104.0f), x));
  const HnV t = v_fma(x, v_all(1.44269504f), shift), n = t - shift;
  HnV r = v_fma(n, v_all(-0.693359375f), x);
  r = v_fma(n, v_all(2.12194440e-4f), r);
  HnV q = v_all(0.0013950594f);
  q = v_fma(q, r, v_all(0.008368954f));
  q = v_fma(q, r, v_all(0.041666206f));
  q = v_fma(q, r, v_all(0.16666518f));
  q = v_fma(q, r, v_all(0.5f));
  q = v_fma(q * r, r, r) + v_all(1.0f);
  /* 2^n in two factors, because n reaches 128 and -150 */
  const HnVi i = (HnVi)t - (HnVi)shift, half = i >> 1;
  return q * (HnV)((half + 127) << 23) * (HnV)((i - half + 127) << 23);
}

/* Absolute error <= 1e-7 for |log x| <= 1, relative 1e-7 beyond. */
HN_INLINE HnV v_log(HnV x) {
  const HnV least = v_all(0x1p-126f);
  const HnVi tiny = x < least;
  const HnVu bits = (HnVu)v_pick(tiny, x * v_all(0x1p23f), x);
  /* So that the mantissa is in sqrt(1/2) .. sqrt(2); unsigned, as it wraps for x <= 0. */
  const HnVi exponent = (HnVi)(bits - 0x3f3504f3u) >> 23;
  const HnV f = (HnV)(bits - ((HnVu)exponent << 23)) - v_all(1.0f);
  const HnV e = __builtin_convertvector(exponent - (tiny & 23), HnV);
  const HnV s = f / (f + v_all(2.0f)), z = s * s;
  HnV r = v_all(0.23585002f);
  r = v_fma(r, z, v_all(0.28537166f));
  r = v_fma(r, z, v_all(0.40000337f));
  r = v_fma(r, z, v_all(0.66666663f));
  const HnV low = v_fma(e, v_all(-2.12194440e-4f), s * v_fma(r, z, -f));
  HnV y = v_fma(e, v_all(0.693359375f), f + low);
  y = v_pick(x == v_all(INFINITY), x, y);
  y = v_pick(x == v_all(0.0f), v_all(-INFINITY), y);
  return v_pick((x < v_all(0.0f)) | (x != x), v_all(NAN), y);
}

/* Relative error <= 3.5e-7 everywhere; |tanh| <= 1.  A rational function of x^2. */
HN_INLINE HnV v_tanh(HnV x) {
  x = v_min(v_all(9.0f), v_max(v_all(-9.0f), x));
  const HnV u = x * x;
  HnV p = v_all(1.3352900e-8f), q = v_all(7.775912e-7f);
  p = v_fma(p, u, v_all(2.0608075e-5f));
  q = v_fma(q, u, v_all(3.2855468e-4f));
  p = v_fma(p, u, v_all(3.4955405e-3f));
  q = v_fma(q, u, v_all(2.5876816e-2f));
  p = v_fma(p, u, v_all(0.13380992f));
  q = v_fma(q, u, v_all(0.46714306f));
  p = v_fma(p, u, v_all(1.0f));
  q = v_fma(q, u, v_all(1.0f));
  return v_min(v_all(1.0f), v_max(v_all(-1.0f), x * p / q));
}

/* Relative error <= 2.5e-7 wherever exp(-x) is finite, else 0. */
HN_INLINE HnV v_sigmoid(HnV x) {
  return v_all(1.0f) / (v_all(1.0f) + v_exp(-x));
}

/* log(1 + e^x), relative error <= 3e-7. */
HN_INLINE HnV v_softplus(HnV x) {
  const HnV one = v_all(1.0f), zero = v_all(0.0f);
  const HnV e = v_exp(v_min(x, -x)), u = one + e;
  /* the last term restores what 1 + e has rounded off */
  return v_max(zero, x) + (v_log(u) - ((u - one) - e) / u);
}
#endif

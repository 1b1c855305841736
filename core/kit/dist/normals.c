/* normals.c - many standard normals at once. */
#include "hunch/kit/gemm.h"
#include <math.h>

/* (cos, sin)(2 pi turn) sqrt(-2 log_radius), in place; turn in [-1/2, 1/2). */
static inline void box_muller(float *log_radius, float *turn) {
  const float side = fabsf(*turn), quarter = 0.25f - side; /* cos(turn) = sin(quarter) */
  const float folded = side > 0.25f ? 0.5f - side : side, r = sqrtf(-2 * *log_radius);
  float y[2] = {copysignf(folded, *turn), quarter};
  for (int k = 0; k < 2; k++) {
    const float u = 6.2831853f * y[k], s = u * u;
    float sine = -2.5052108e-8f * s + 2.7557319e-6f;
    sine = (sine * s - 1.9841270e-4f) * s + 8.3333333e-3f;
    y[k] = r * (u + u * s * (sine * s - 0.16666667f));
  }
  *log_radius = y[0], *turn = y[1];
}

void hn_normals(HnRng *rng, int64_t n, float *x) {
  const int64_t pairs = (n + 1) / 2, whole = n / 2;
  float *restrict radius = x, *restrict turn = x + pairs, last = 0; /* last: turn of half a pair */
  for (int64_t i = 0; i < pairs; i++) {
    radius[i] = ((float)(hn_rng_u32(rng) >> 8) + 0.5f) * 0x1p-24f;
    *(i < whole ? &turn[i] : &last) = (float)(hn_rng_u32(rng) >> 8) * 0x1p-24f - 0.5f;
  }
  hn_vec_log(pairs, radius, radius);
  for (int64_t i = 0; i < whole; i++) box_muller(&radius[i], &turn[i]);
  if (whole < pairs) box_muller(&radius[whole], &last);
}

/* draw_normals.h - many standard normals at once.  For plugins of this folder. */
#ifndef DRAW_NORMALS_H
#define DRAW_NORMALS_H
#include <hunch/kit/gemm.h>
#include <hunch/plugin.h>
#include <math.h>
#include <string.h>

/* Standard normals x [n] (Box-Muller, both values of each pair), reaching to 5.9 deviations; work
 * [n + 1].  The angle's sine and cosine are polynomials (error below 1e-7), so that a compiler can
 * use vectors.  Source: Box & Muller 1958. */
static inline void draw_normals(HnRng *rng, int64_t n, float *x, float *work) {
  int64_t pairs = (n + 1) / 2;
  float *radius = work, *turn = work + pairs;
  for (int64_t i = 0; i < pairs; i++) {
    radius[i] = ((float)(hn_rng_u32(rng) >> 8) + 0.5f) * 0x1p-24f;
    turn[i] = (float)(hn_rng_u32(rng) >> 8) * 0x1p-24f - 0.5f;
  }
  hn_vec_log(pairs, radius, radius);
  for (int64_t i = 0; i < pairs; i++) {
    float side = fabsf(turn[i]), quarter = 0.25f - side; /* cos(turn) = sin(quarter) */
    float folded = side > 0.25f ? 0.5f - side : side;
    float y[2] = {copysignf(folded, turn[i]), quarter}, r = sqrtf(-2 * radius[i]);
    for (int k = 0; k < 2; k++) {
      float u = 6.2831853f * y[k], s = u * u;
      float sine = -2.5052108e-8f * s + 2.7557319e-6f;
      sine = (sine * s - 1.9841270e-4f) * s + 8.3333333e-3f;
      y[k] = r * (u + u * s * (sine * s - 0.16666667f));
    }
    radius[i] = y[0], turn[i] = y[1];
  }
  memcpy(x, radius, (size_t)pairs * sizeof *x);
  memcpy(x + pairs, turn, (size_t)(n - pairs) * sizeof *x);
}
#endif

/* rotated.c - Gaussians turned by a rotation, row by row off the tape; the arithmetic is
 * rotation.c.
 */
#include "hunch/kit/gaussian.h"
#include "isa.h"
#include "kernels.h"
#include "rotation.h"

const HnRotationKernels *hn_rotation(void) {
  static const HnRotationKernels *const tables[] = HN_VARIANTS(hn_rotation);
  return tables[hn_isa_level()];
}

/* Behind the kernels' room: three vectors and some draws. */
size_t hn_rotated_work_size(int64_t dim) {
  return (size_t)(hn_rotation_room(dim) + (3 + HN_DRAWS_TOGETHER) * dim) * sizeof(float);
}

/* to [n] = exp(scale x) */
static void exps(int64_t n, float scale, const float *x, float *to) {
  for (int64_t j = 0; j < n; j++) to[j] = scale * x[j];
  hn_kernels()->exp(n, to, to);
}

void hn_rotated_axes(int64_t dim, const float *angle, float *q, void *work) {
  hn_rotation()->cayley(dim, angle, q, work);
}

double hn_rotated_divergence(int64_t dim, const float *shift, const float *logvar, const float *q,
                             const float *logvar0, const float *q0, float *d_shift, float *d_logvar,
                             float *d_angle, void *work) {
  float *spread = (float *)work + hn_rotation_room(dim), *inverse = spread + dim;
  exps(dim, 1, logvar, spread), exps(dim, -1, logvar0, inverse);
  const HnRotatedPair pair = {.n = dim,
                              .shift = shift,
                              .spread1 = spread,
                              .inverse0 = inverse,
                              .q1 = q,
                              .q0 = q0,
                              .d_shift = d_shift,
                              .d_logvar = d_logvar,
                              .d_angle = d_angle};
  double twice = hn_rotation()->divergence(&pair, work);
  for (int64_t j = 0; j < dim; j++) twice += (double)logvar0[j] - (double)logvar[j] - 1;
  return 0.5 * twice;
}

/* How many draws from `from` on go together. */
static int64_t together(int64_t draws, int64_t from) {
  return draws - from < HN_DRAWS_TOGETHER ? draws - from : HN_DRAWS_TOGETHER;
}

/* x [count, n] = stddev noise */
static void spread_noise(int64_t n, int64_t count, const float *stddev, const float *noise,
                         float *x) {
  for (int64_t k = 0; k < count; k++)
    for (int64_t j = 0; j < n; j++) x[k * n + j] = stddev[j] * noise[k * n + j];
}

void hn_rotated_draw(int64_t dim, const float *logvar, const float *q, int64_t draws,
                     const float *noise, float *offset, void *work) {
  float *stddev = (float *)work + hn_rotation_room(dim), *x = stddev + dim;
  exps(dim, 0.5f, logvar, stddev);
  for (int64_t s = 0; s < draws; s += HN_DRAWS_TOGETHER) {
    const int64_t count = together(draws, s);
    spread_noise(dim, count, stddev, noise + s * dim, x);
    hn_rotation()->turn(dim, count, q, x, offset + s * dim, work);
  }
}

void hn_rotated_draw_backward(int64_t dim, const float *logvar, const float *q, int64_t draws,
                              const float *noise, const float *d_offset, float *d_logvar,
                              float *d_angle, void *work) {
  float *stddev = (float *)work + hn_rotation_room(dim), *x = stddev + dim;
  exps(dim, 0.5f, logvar, stddev);
  for (int64_t s = 0; s < draws; s += HN_DRAWS_TOGETHER) {
    const int64_t count = together(draws, s);
    spread_noise(dim, count, stddev, noise + s * dim, x);
    hn_rotation()->turn_back(&(HnRotatedDraws){.n = dim,
                                               .draws = count,
                                               .q = q,
                                               .x = x,
                                               .d_y = d_offset + s * dim,
                                               .d_logvar = d_logvar,
                                               .d_angle = d_angle},
                             work);
  }
}

/* rotation.h - Gaussians N(mean, Q diag(exp(logvar)) Q') one by one, with Q = I - 2 M the Cayley
 * transform of angles and M = (I + S)^-1, provided by every instruction set.
 *
 * Matrices are [n, n], row by row; `room` is hn_rotation_room(n) numbers and holds nothing between
 * calls. */
#ifndef HN_KIT_ROTATION_H
#define HN_KIT_ROTATION_H
#include <stdint.h>

enum { HN_ROTATION_BLOCK = 16, HN_DRAWS_TOGETHER = 16 };

static inline int64_t hn_rotation_room(int64_t n) {
  const int64_t rows = 2 * HN_ROTATION_BLOCK + 4;
  return 4 * n * n + rows * n + HN_ROTATION_BLOCK * HN_ROTATION_BLOCK;
}

/* KL(N1 || N0) of one pair, and its gradient. */
typedef struct HnRotatedPair {
  int64_t n;
  const float *shift;              /* [n] mean1 - mean0 */
  const float *spread1, *inverse0; /* [n] exp(logvar1), exp(-logvar0) */
  const float *q1, *q0;
  float *d_shift, *d_logvar, *d_angle; /* [n], [n], [n (n - 1) / 2]: set */
} HnRotatedPair;

/* Gradients of up to HN_DRAWS_TOGETHER draws y = Q x, x [draws, n] = exp(logvar / 2) noise. */
typedef struct HnRotatedDraws {
  int64_t n, draws;
  const float *q, *x;
  const float *d_y;          /* [draws, n] */
  float *d_logvar, *d_angle; /* added to */
} HnRotatedDraws;

typedef struct HnRotationKernels {
  /* q of angles [n (n - 1) / 2] */
  void (*cayley)(int64_t n, const float *angle, float *q, float *room);
  /* d_angle += what dq owes to the angles of q */
  void (*cayley_back)(int64_t n, const float *q, const float *dq, float *d_angle, float *room);
  /* Twice the divergence, but for the sum of logvar0 - logvar1 - 1. */
  double (*divergence)(const HnRotatedPair *p, float *room);
  /* y = Q x, [draws, n] */
  void (*turn)(int64_t n, int64_t draws, const float *q, const float *x, float *y, float *room);
  void (*turn_back)(const HnRotatedDraws *d, float *room);
} HnRotationKernels;

extern const HnRotationKernels hn_rotation_base, hn_rotation_v3, hn_rotation_v4;

/* The table of the instruction set in use.  [any] */
const HnRotationKernels *hn_rotation(void);
#endif

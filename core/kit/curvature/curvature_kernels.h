/* curvature_kernels.h - float32 kernels of the Laplace precision, provided by every instruction
 * set.  Slopes d [4 H] lie gate by gate as u has its columns; where the state leaks, the next is
 * the slope by the state itself, whose "recurrent weights" are the identity; the rest are 0. */
#ifndef HN_KIT_CURVATURE_KERNELS_H
#define HN_KIT_CURVATURE_KERNELS_H
#include <stdbool.h>
#include <stdint.h>

enum { HN_MIXED = 4, HN_BLOCK = 16 };

/* Rows `from` to `from + count` of S' [H, H] for up to HN_MIXED inputs at once, which share the
 * reading of u: S'[j, k] = sum_g d[g H + k] u[j, g H + k]; a leak's d[gates H + k] adds to S'[k,
 * k].
 */
typedef struct HnMix {
  int64_t hidden, from, count, slopes;
  int64_t gates;
  bool leaks;
  const float *u; /* [H, gates H] */
  const float *d; /* [slopes, 4 H] */
  float *s;       /* [slopes, count, H] */
} HnMix;

/* Q [H, H] = sum_gg' gram_gg' * (sum_i d_gi d_g'i') of up to HN_MIXED rows of a batch, which share
 * the reading of gram; k <= l only, element (k, l) at k H + l.
 * gram_gg' [k, l] = gram[(((k * blocks + l / 16) * 4 + g) * 4 + g') * 16 + l % 16], 16 lanes a
 * block and as many blocks as hold H, zeros past it. */
typedef struct HnBlend {
  int64_t hidden, rows;
  int64_t inputs[HN_MIXED];
  const float *d[HN_MIXED]; /* [inputs, 4 H] */
  float *q[HN_MIXED];       /* [H, H] */
  const float *gram;
} HnBlend;

typedef struct HnCurvatureKernels {
  void (*mix)(const HnMix *s);
  void (*blend)(const HnBlend *b);
  /* y [cols] = sums of squares of the columns of x [rows, cols] */
  void (*squares)(int64_t rows, int64_t cols, const float *x, float *y);
  /* y [cols, cols] = x'x: the lower triangle, and some above it */
  void (*square)(int64_t rows, int64_t cols, const float *x, float *y);
  /* p (packed) += scale x, of x's lower triangle [n, n], which is read up to 16 numbers past its
   * end; room: n (n + 1) / 2 + 16 numbers. */
  void (*add_triangle)(int64_t n, double scale, const float *x, float *room, double *p);
} HnCurvatureKernels;

extern const HnCurvatureKernels hn_curvature_kernels_base, hn_curvature_kernels_v3,
    hn_curvature_kernels_v4;

/* The table of the instruction set in use.  [any] */
const HnCurvatureKernels *hn_curvature_kernels(void);
#endif

/* curvature_kernels.h - float32 kernels of the Laplace precision, provided by every instruction
 * set.  Slopes d [4 H] lie gate by gate as u has its columns; a GRU's fourth is the state's own
 * share z, whose "recurrent weights" are the identity. */
#ifndef HN_KIT_CURVATURE_KERNELS_H
#define HN_KIT_CURVATURE_KERNELS_H
#include <stdbool.h>
#include <stdint.h>

enum { HN_MIXED = 4, HN_BLOCK = 16 };

/* Rows `from` to `from + count` of S' [H, H] for up to HN_MIXED slopes at once, which share the
 * reading of u: S'[j, k] = sum_g d[g H + k] u[j, g H + k]. */
typedef struct HnMix {
  int64_t hidden, from, count, slopes;
  bool gru;       /* u is [H, 3 H], and d[3 H + k] is added to S'[k, k] */
  const float *u; /* [H, 4 H] or [H, 3 H] */
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
  /* d of one more step on x [4 H] from cells m; sums [4 H] are the state's share of the gates'. */
  void (*lstm_slopes)(int64_t hidden, const float *sums, const float *x, const float *m, float *d);
  /* The same for x, sums [3 H] from state h; the candidate's columns are kept apart. */
  void (*gru_slopes)(int64_t hidden, const float *sums, const float *x, const float *h, float *d);
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

/* curvature_kernels.h - float32 kernels of the Laplace precision, provided by every instruction
 * set.  Slopes d [4 H] lie gate by gate as u has its columns; a GRU's fourth is the state's own
 * share z, whose "recurrent weights" are the identity. */
#ifndef HN_KIT_CURVATURE_KERNELS_H
#define HN_KIT_CURVATURE_KERNELS_H
#include <stdbool.h>
#include <stdint.h>

/* Rows `from` to `from + count` of S' [H, H], S'[j, k] = sum_g d[g H + k] u[j, g H + k]. */
typedef struct HnMix {
  int64_t hidden, from, count;
  const float *u;
  bool gru; /* u is [H, 3 H] and d[3 H + k] is added to S'[k, k] */
  float *s; /* [count, H] */
} HnMix;

/* Q [H, H] = sum_gg' gram_gg' * (sum_i d_gi d_g'i') for slopes d [inputs, 4 H]. */
typedef struct HnBlend {
  int64_t hidden, inputs;
  const float *d, *gram;
  float *q;
} HnBlend;

typedef struct HnCurvatureKernels {
  /* d of one more step on x [4 H] from cells m; sums [4 H] are the state's share of the gates'. */
  void (*lstm_slopes)(int64_t hidden, const float *sums, const float *x, const float *m, float *d);
  /* The same for x, sums [3 H] from state h; the candidate's columns are kept apart. */
  void (*gru_slopes)(int64_t hidden, const float *sums, const float *x, const float *h, float *d);
  void (*mix)(const HnMix *s, const float *d);
  void (*blend)(const HnBlend *b);
  /* y [cols] = sums of squares of the columns of x [rows, cols] */
  void (*squares)(int64_t rows, int64_t cols, const float *x, float *y);
} HnCurvatureKernels;

extern const HnCurvatureKernels hn_curvature_kernels_base, hn_curvature_kernels_v3,
    hn_curvature_kernels_v4;

/* The table of the instruction set in use.  [any] */
const HnCurvatureKernels *hn_curvature_kernels(void);
#endif

/* mnw_kernels.h - float64 kernels of the running belief, provided by every instruction set.  An
 * element's arithmetic is the same in all of them: sums over columns run in eight lanes that fold
 * in one fixed tree, and multiply-adds are spelled out. */
#ifndef HN_KIT_MNW_KERNELS_H
#define HN_KIT_MNW_KERNELS_H
#include <stdint.h>

enum {
  HN_TILE = 8,    /* rows and columns of a tile; widths are multiples of it */
  HN_PENDING = 4, /* updates gathered before one pass over the tiles applies them */
};

/* V = tiles - sum_j inverse_s[j] gain[j] gain[j]': the lower half in tiles of 8 x 8, row-major, row
 * of tiles by row of tiles (those on the diagonal whole), and the updates not applied yet. */
typedef struct HnTiles {
  int64_t width, pending;
  double *tile, *gain; /* gain [HN_PENDING, width] */
  double *inverse_s;   /* [HN_PENDING] */
} HnTiles;

typedef struct HnMnwKernels {
  /* k [width] = V c; returns c'k.  k may be the next free row of gain. */
  double (*multiply)(const HnTiles *v, const double *c, double *k);
  /* Applies HN_PENDING updates. */
  void (*flush)(const HnTiles *v);
  /* out[j] = rows[j] . c for `count` rows of [count, width]. */
  void (*dots)(int64_t count, int64_t width, const double *rows, const double *c, double *out);
  /* rows[j] += weight[j] k */
  void (*shift)(int64_t count, int64_t width, const double *weight, const double *k, double *rows);
  /* y [width] += sum_j weight[j] rows[j] */
  void (*gather)(int64_t count, int64_t width, const double *weight, const double *rows, double *y);
  /* a [d, d] += x'x for x [rows, d], d a multiple of 8; the lower triangle, and some above it.
   * NULL where BLAS does better. */
  void (*gram)(int64_t rows, int64_t d, const double *x, double *a);
  void (*widen)(int64_t n, const float *x, double *y);
  /* y = x, rounded */
  void (*narrow)(int64_t n, const double *x, float *y);
} HnMnwKernels;

extern const HnMnwKernels hn_mnw_kernels_base, hn_mnw_kernels_v3, hn_mnw_kernels_v4;

/* The table of the instruction set in use.  [any] */
const HnMnwKernels *hn_mnw_kernels(void);
#endif

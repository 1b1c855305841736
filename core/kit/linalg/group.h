/* group.h - sixteen small triangular matrices at once, one a lane, provided by every instruction
 * set.  A lane's arithmetic is that of one matrix alone, in one order.  Of the lanes only the first
 * `lanes`, rounded up to whole vectors, are worked on, so that few matrices cost less than sixteen.
 *
 * Element (i, j <= i) of lane l lies at [(i (i + 1) / 2 + j) * 16 + l], a vector's element i at
 * [i * 16 + l]. */
#ifndef HN_KIT_GROUP_H
#define HN_KIT_GROUP_H
#include <stdint.h>

enum { HN_GROUP = 16 };

static inline int64_t hn_triangle(int64_t n) {
  return n * (n + 1) / 2;
}

/* Factors are made in blocks of four rows: the order a triangle of n rows is filled up to. */
static inline int64_t hn_group_order(int64_t n) {
  return (n + 3) / 4 * 4;
}

/* In float32 and in float64. */
#define HN_GROUP_KERNELS(REAL)                                                                  \
  /* dst [triangle of hn_group_order(n)] = the lanes' triangles of n rows, jitter added to the  \
   * diagonal, filled up with rows of the identity */                                           \
  void (*gather)(int64_t lanes, int64_t n, const double *const *src, double jitter, REAL *dst); \
  /* the first n numbers of each lane's array, from lanes that lie together; arrays may be the  \
   * same where lanes are equal */                                                              \
  void (*scatter)(int64_t lanes, int64_t n, const REAL *src, REAL *const *dst);                 \
  /* A = L L' in place.  Returns the lanes, as bits, where a pivot was not > 0. */              \
  uint32_t (*factor)(int64_t lanes, int64_t n, REAL * a);                                       \
  /* z = L^-T z */                                                                              \
  void (*solve_back)(int64_t lanes, int64_t n, const REAL *l, REAL *z);                         \
  /* x = L^-1 x, x triangular too and filled up like L */                                       \
  void (*solve)(int64_t lanes, int64_t n, const REAL *l, REAL *x);                              \
  /* y = the sums of squares of each column of a triangle */                                    \
  void (*squares)(int64_t lanes, int64_t n, const REAL *x, REAL *y)

typedef struct HnGroup32 {
  HN_GROUP_KERNELS(float);
} HnGroup32;
typedef struct HnGroup64 {
  HN_GROUP_KERNELS(double);
} HnGroup64;

typedef struct HnGroupKernels {
  HnGroup32 f32;
  HnGroup64 f64;
  /* d'(A + jitter I) d for one packed A and d = to - from; grad = (A + jitter I) d unless NULL */
  double (*quadratic)(int64_t n, const double *a, double jitter, const float *to, const float *from,
                      float *grad);
} HnGroupKernels;

extern const HnGroupKernels hn_group_kernels_base, hn_group_kernels_v3, hn_group_kernels_v4;

/* The table of the instruction set in use.  [any] */
const HnGroupKernels *hn_group_kernels(void);
#endif

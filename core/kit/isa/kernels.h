/* kernels.h - the table of float32 kernels that every instruction set provides.  Pointers may be
 * unaligned and counts anything; outputs may be inputs only where said. */
#ifndef HN_KIT_KERNELS_H
#define HN_KIT_KERNELS_H
#include <stdint.h>

/* c = act(init + a b), every element one chain of fused multiply-adds over k that starts at init.
 */
typedef struct HnProduct {
  int64_t m, n, k;
  const float *a; /* element (i, p) at a[i * a_row + p * a_col] */
  int64_t a_row, a_col;
  const float *b; /* [k, n], row stride ldb */
  int64_t ldb;
  const float
      *init; /* [m, n], row stride init_row (0: the same row for all); NULL: zeros; may be c */
  int64_t init_row;
  float *c; /* [m, n], row stride ldc */
  int64_t ldc;
  int32_t act; /* HnActivation, applied to each tile while it is in the cache */
} HnProduct;

typedef struct HnAdamRates {
  float scale;        /* of the gradient */
  float mix1, mix2;   /* 1 - beta1, 1 - beta2 */
  float step, spread; /* lr / (1 - beta1^t), 1 / sqrt(1 - beta2^t) */
  float eps, keep;    /* keep: 1 - lr * weight_decay */
} HnAdamRates;

typedef struct HnKernels {
  void (*product)(const HnProduct *g);
  void (*transpose)(int64_t rows, int64_t cols, const float *a, float *t);
  /* y = f(x); y may be x */
  void (*tanh)(int64_t n, const float *x, float *y);
  void (*sigmoid)(int64_t n, const float *x, float *y);
  void (*exp)(int64_t n, const float *x, float *y);
  void (*log)(int64_t n, const float *x, float *y);
  void (*softplus)(int64_t n, const float *x, float *y);
  void (*relu)(int64_t n, const float *x, float *y);
  void (*leaky_relu)(int64_t n, const float *x, float *y);
  /* g [rows, cols], given y = act(..): g *= act'; then sum += columns of g, if not NULL. */
  void (*activate_back)(int32_t act, int64_t rows, int64_t cols, const float *y, float *g,
                        float *sum);
  void (*add)(int64_t n, const float *x, float *y);           /* y += x */
  void (*axpy)(int64_t n, float a, const float *x, float *y); /* y += a x */
  float (*dot)(int64_t n, const float *x, const float *y);    /* in one fixed order */
  double (*norm2)(int64_t n, const float *x);
  void (*multiply_add)(int64_t n, const float *x, const float *y, float *sum); /* sum += x y */
  /* Of one row: z = (x - mean) / deviation, y = z gain + bias; returns 1 / deviation, inverse.
   * Back: dx += (d - mean d - z mean(z d)) inverse for d = g gain, which it leaves.  gain and bias
   * may be NULL. */
  float (*norm)(int64_t n, const float *x, const float *gain, const float *bias, float eps,
                float *z, float *y);
  void (*norm_back)(int64_t n, const float *g, const float *z, const float *gain, float inverse,
                    float *d, float *dx);
  /* Of columns of x [rows, cols], row stride ld, in float64: sum += x; squares += (x - mean)^2. */
  void (*column_sums)(int64_t rows, int64_t cols, const float *x, int64_t ld, double *sum);
  void (*column_squares)(int64_t rows, int64_t cols, const float *x, int64_t ld, const double *mean,
                         double *squares);
  /* y = (x - mean) * inverse, rounded to float32, within +-clip; y may be x. */
  void (*standardise)(int64_t rows, int64_t cols, const float *x, int64_t ldx, const double *mean,
                      const double *inverse, float clip, float *y, int64_t ldy);
  void (*adam)(int64_t n, const HnAdamRates *r, float *w, float *g, float *m1, float *m2);
} HnKernels;

extern const HnKernels hn_kernels_base, hn_kernels_v3, hn_kernels_v4;

/* The table of the instruction set in use.  [any] */
const HnKernels *hn_kernels(void);
#endif

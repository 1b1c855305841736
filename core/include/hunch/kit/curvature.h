/* hunch/kit/curvature.h - the Laplace approximation of a recurrent network's linear read-out.
 *
 * A recurrent layer (hunch/kit/rnn.h) carries a state h [H], and perhaps a second state m, and
 * reads out a mean h w + b of F numbers.  For the carry after a step, and inputs x_i fed to it once
 * more,
 *
 *   J_i = d mean(one more step from (h, m) on x_i) / d h     [F, H], m held fixed
 *   P = base + sum_i J_i J_i'                                [F, F], the Laplace precision
 *
 * In closed form J_i = w' S_i with S_i = sum_g D_g U_g, where D_g is a gate's slope (a diagonal)
 * and U_g its recurrent weights: one [H, H] by [H, F] product for each input.  For many inputs
 *
 *   sum_i J_i J_i' = w' [sum_gh (U_g U_h') * (sum_i d_gi d_hi')] w     (elementwise *)
 *
 * with the Gram blocks U_g U_h' computed once for given weights (hn_core_gram).  The two forms
 * differ in rounding only.
 *
 * Rows are independent, and their bits do not depend on which rows share a call.  Nothing here
 * allocates; `work` is memory of the caller's, 64-byte aligned, of as many bytes as the matching
 * _size function says.  Every function is [any]: calls on distinct memory may run at once.
 *
 * Source: Laplace VRNN, arXiv 2505.18591. */
#ifndef HUNCH_KIT_CURVATURE_H
#define HUNCH_KIT_CURVATURE_H
#include "../plugin.h"
#include "gaussian.h"
#include "gemm.h"
#include "rnn.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A recurrent layer and its read-out; weights are borrowed. */
typedef struct HnCore {
  HnRnnCell cell;
  int64_t hidden, latent; /* H, F */
  const float *u;         /* [H, G H], the layer's recurrent weights, G gates as hn_rnn_gates */
  const float *c;         /* [1, G H], its state bias (hn_rnn_state_bias); NULL: zero */
  const float *w;         /* [H, F], weights of the read-out as hn_linear takes them */
  const float *gram;      /* from hn_core_gram for this u; NULL: inputs are taken one by one */
} HnCore;

/* Columns of u. */
static inline int64_t hn_core_width(const HnCore *core) {
  return hn_rnn_gates(core->cell) * core->hidden;
}

/* The Gram blocks of u: floats of `gram`, bytes of work, and computing them, which takes 32 H^3
 * flops once for given weights. */
HN_KIT int64_t hn_core_gram_count(const HnCore *core);
HN_KIT size_t hn_core_gram_work_size(const HnCore *core);
HN_KIT void hn_core_gram(const HnCore *core, float *gram, void *work);
/* Whether a window of so many inputs is cheaper with gram: from 2 inputs on, for common shapes. */
HN_KIT bool hn_core_gram_is_cheaper(const HnCore *core, int64_t window);

/* Carries after a step, and the inputs to feed once more.  Strides are in floats from one row to
 * the next, so that arrays may lie in row memory. */
typedef struct HnCarry {
  int64_t rows;
  const float *h, *m; /* the two states after the step, H a row; m is not read where there is one */
  int64_t h_row, m_row;
  const float *x; /* hn_rnn_input of a row's inputs, [window, G H], in any order */
  int64_t x_row;
  int64_t window;        /* inputs that x has room for */
  const int32_t *filled; /* [rows] how many of them there are; NULL: window */
  bool normalise;        /* divide a row's sum by its number of inputs */
} HnCarry;

/* Bytes of work for the functions below, for up to so many rows. */
HN_KIT size_t hn_curvature_work_size(const HnCore *core, int64_t rows, int64_t window);

/* p += sum_i J_i J_i' of each row, or its diagonal: p as in kit/gaussian.h, p_row doubles from one
 * row to the next.  Products are float32, the sum with p is float64.  Flops for each row and input:
 * H^2 (2 F + 8) + H F^2; with gram, for each row: H^2 (2 F + 16 + 16 window) + H F^2. */
HN_KIT void hn_curvature_add(const HnCore *core, const HnCarry *carry, bool diagonal, double *p,
                             int64_t p_row, void *work);

/* The transposed Jacobians J_i' of every row and input: j [rows, window, H, F], zeros where there
 * is no input. */
HN_KIT void hn_curvature_jacobian(const HnCore *core, const HnCarry *carry, float *j, void *work);

#ifdef __cplusplus
}
#endif
#endif

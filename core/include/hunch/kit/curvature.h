/* hunch/kit/curvature.h - the Laplace approximation of a recurrent network's linear read-out.
 *
 * A recurrent layer (hunch/kit/rnn.h) carries a state h [H], and perhaps a second state m, and
 * reads out a mean h w + b of F numbers.  For the carry after a step, and inputs x_i fed to it once
 * more, J_i = d mean(one more step from (h, m) on x_i) / d h     [F, H], m held fixed P = base +
 * sum_i J_i J_i'                                [F, F], the Laplace precision In closed form J_i =
 * w' S_i with S_i = sum_g D_g U_g, where D_g is a gate's slope (a diagonal) and U_g its recurrent
 * weights: one [H, H] by [H, F] product for each input.  For many inputs sum_i J_i J_i' = w'
 * [sum_gg' (U_g U_g'') * (sum_i d_gi d_g'i')] w    (elementwise *) with the Gram blocks U_g U_g''
 * computed once for given weights (hn_core_gram).  The two forms differ in rounding only.
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

typedef HnRnnCell HnCoreKind;
enum { HN_CORE_LSTM = HN_RNN_LSTM, HN_CORE_GRU = HN_RNN_GRU };

/* Weights are borrowed.  `gram` is valid as long as u does not change. */
typedef struct HnCore {
  HnCoreKind kind;
  int64_t hidden, latent; /* H, F */
  const float *u;         /* [H, 4 H] gates i, f, g, o; GRU: [H, 3 H] gates r, z, n */
  const float *c;         /* [1, 4 H] or [1, 3 H], the state's bias; NULL: zero */
  const float *w;         /* [H, F], the read-out's weights as hn_linear takes them */
  const float *gram;      /* from hn_core_gram; NULL: inputs are taken one by one */
} HnCore;

/* Columns of u: 4 H or 3 H. */
static inline int64_t hn_core_width(const HnCore *core) {
  return hn_rnn_gates(core->kind) * core->hidden;
}

/* Floats of `gram` and bytes of its work.  Pays for windows of two inputs or more (hn_core_pays):
 * 32 H^3 flops once. */
HN_KIT int64_t hn_core_gram_count(const HnCore *core);
HN_KIT size_t hn_core_gram_work_size(const HnCore *core);
HN_KIT void hn_core_gram(const HnCore *core, float *gram, void *work);
/* Whether a window of so many inputs is cheaper with gram. */
HN_KIT bool hn_core_pays(const HnCore *core, int64_t window);

/* Carries after a step and the inputs to feed them.  Strides are in floats from a row to the next,
 * so that arrays may lie in row memory. */
typedef struct HnCarry {
  int64_t rows;
  const float *h, *m; /* state and cells after the step, H a row; m is not read of a GRU */
  int64_t h_row, m_row;
  const float *x; /* x_i w_x + b of a row's inputs, the input's share of the gates' sums:
                     [window, 4 H] or [window, 3 H], in any order */
  int64_t x_row;
  int64_t window;        /* slots of the buffer */
  const int32_t *filled; /* [rows] slots that count, the first ones; NULL: all */
  bool normalise;        /* divide a row's sum by its inputs */
} HnCarry;

/* Bytes of work for the functions below, for so many rows or fewer. */
HN_KIT size_t hn_curvature_work_size(const HnCore *core, int64_t rows, int64_t window);

/* p += sum_i J_i J_i', or its diagonal, for each row: p as hn_precision_* take it, p_row doubles
 * from a row to the next.  Products in float32, the sum with p in float64.  Per row and input
 * H^2 (2 F + 8) + H F^2 flops; with gram per row H^2 (2 F + 16 + 16 window) + H F^2. */
HN_KIT void hn_curvature_add(const HnCore *core, const HnCarry *carry, bool diagonal, double *p,
                             int64_t p_row, void *work);

/* J_i', transposed, of every row and input: j [rows, window, H, F].  Slots that do not count are
 * zero. */
HN_KIT void hn_curvature_jacobian(const HnCore *core, const HnCarry *carry, float *j, void *work);

#ifdef __cplusplus
}
#endif
#endif

/* jacobian.h - what a posterior by curvature needs of an agent, whatever its architecture.
 *
 * After each step the agent has a state of H numbers h, by which it is differentiated, and perhaps
 * others that are held fixed (an LSTM's cells; an attention layer's keys and values), and it
 * remembers an input x by so many numbers.  One more step from that state on x would read a mean of
 * F numbers out: J = d mean(h, x) / d h.  Recurrent cells offer these functions through the kit's
 * closed forms; any agent that can compute J may offer its own, and posterior_laplace.c neither
 * knows nor cares. */
#ifndef VRNN_JACOBIAN_H
#define VRNN_JACOBIAN_H
#include "vrnn.h"
#include <hunch/kit/curvature.h>

/* HnCarry says of how many rows; its m is whatever is held fixed. */
typedef struct VrnnJacobian {
  const void *agent;
  int64_t input; /* numbers that an input is remembered by */
  size_t (*work_size)(const void *agent, int64_t rows, int64_t window);
  /* p += sum_i J_i J_i' over the window's inputs (or its diagonal), divided by their number if
   * `carry` says so; p packed as kit/gaussian.h has it, p_row doubles from row to row. */
  void (*add_curvature)(const void *agent, const HnCarry *carry, bool diagonal, double *p,
                        int64_t p_row, void *work);
  /* J' [rows, window, H, F] */
  void (*jacobian)(const void *agent, const HnCarry *carry, float *j, void *work);
} VrnnJacobian;

/* The gates' products for one set of weights: they outlive a call, in memory of the instance, for
 * as long as its copy of those weights is what the network uses. */
typedef struct VrnnGram {
  float *of, *gram; /* [H, gates], hn_core_gram_count; NULL: never used */
} VrnnGram;

/* Takes the instance's memory if windows of so many inputs need it. [create] */
void vrnn_gram_make(const Vrnn *m, VrnnGram *g, int64_t window);
/* Brings the products up to the weights. [instance] */
void vrnn_gram_refresh(const Vrnn *m, const VrnnGram *g);
/* Of the agent's own cell with the weights of now; in scratch. */
VrnnJacobian vrnn_cell_jacobian(const Vrnn *m, const VrnnGram *g);
#endif

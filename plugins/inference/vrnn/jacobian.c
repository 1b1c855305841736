/* laplace_hook.h - what a posterior by curvature asks of an agent, whatever its architecture.
 *
 * After each step the agent has a state of H numbers h, by which it is differentiated, and perhaps
 * others that are held fixed (an LSTM's cells; an attention layer's keys and values), and it
 * remembers an input x by so many numbers.  One more step from that state on x would read a mean of
 * F numbers out: J = d mean(h, x) / d h.  Cells offer this table through the kit's closed forms;
 * any agent that can state J, an attention layer too, may offer its own, and the posterior
 * (laplace_posterior.h) neither knows nor cares. */
#ifndef LAPLACE_HOOK_H
#define LAPLACE_HOOK_H
#include "vrnn_pass.h"
#include <hunch/kit/curvature.h>

/* HnCarry says of how many rows; m is whatever is held fixed. */
typedef struct Curved {
  const void *agent;
  int64_t input; /* numbers that an input is remembered by */
  size_t (*work_size)(const void *agent, int64_t rows, int64_t window);
  /* p += sum_i J_i J_i' over the window's inputs (or its diagonal), divided by their number if at
   * says so; p packed as kit/gaussian.h has it, p_row doubles from row to row. */
  void (*add)(const void *agent, const HnCarry *at, bool diagonal, double *p, int64_t p_row,
              void *work);
  /* J' [rows, window, H, F] */
  void (*jacobian)(const void *agent, const HnCarry *at, float *j, void *work);
} Curved;

/* ---- LSTM and GRU ---- */

static size_t cell_work_size(const void *core, int64_t rows, int64_t window) {
  return hn_curvature_work_size(core, rows, window);
}
static void cell_add(const void *core, const HnCarry *at, bool diagonal, double *p, int64_t p_row,
                     void *work) {
  hn_curvature_add(core, at, diagonal, p, p_row, work);
}
static void cell_jacobian(const void *core, const HnCarry *at, float *j, void *work) {
  hn_curvature_jacobian(core, at, j, work);
}

/* The gates' products for one set of weights: they outlive a call, in memory of the instance, for
 * as long as its copy of those weights is what the network uses. */
typedef struct Gram {
  float *of, *gram; /* [H, gates], hn_core_gram_count; NULL: never used */
} Gram;

static HnCore cell_core(const Vrnn *m) {
  HnCore core = {.kind = m->p->cell == CELL_LSTM ? HN_CORE_LSTM : HN_CORE_GRU,
                 .hidden = m->H,
                 .latent = m->F,
                 .u = m->u->data,
                 .w = m->mean_w->data};
  if (m->c) { /* beside zeros, in the kit's shape */
    float *c = zeros(m->host, m->gates);
    memcpy(c + m->gates - m->H, m->c->data, (size_t)m->H * sizeof *c);
    core.c = c;
  }
  return core;
}

/* [create] */
static void make_gram(const Vrnn *m, Gram *g, int64_t window) {
  HnCore core = cell_core(m);
  if (!hn_core_pays(&core, window)) return;
  g->of = m->host->alloc(m->host, m->H * m->gates, sizeof(float));
  g->gram = m->host->alloc(m->host, hn_core_gram_count(&core), sizeof(float));
}

static bool is_fresh(const Vrnn *m, const Gram *g) {
  return !memcmp(g->of, m->u->data, (size_t)(m->H * m->gates) * sizeof(float));
}

static void fill_gram(const Vrnn *m, float *gram) {
  HnCore core = cell_core(m);
  hn_core_gram(&core, gram, m->host->scratch(m->host, 1, hn_core_gram_work_size(&core)));
}

/* Brings the instance's products up to its weights. [instance] */
static void refresh_gram(const Vrnn *m, const Gram *g) {
  if (!g->gram || is_fresh(m, g)) return;
  fill_gram(m, g->gram);
  memcpy(g->of, m->u->data, (size_t)(m->H * m->gates) * sizeof(float));
}

/* The table for the weights of now; in scratch. */
static Curved curved_cell(const Vrnn *m, const Gram *g) {
  HnCore *core = m->host->scratch(m->host, 1, sizeof *core);
  *core = cell_core(m);
  core->gram = g->gram;
  if (g->gram && !is_fresh(m, g)) { /* loaded or resumed, and not yet learnt from */
    float *gram = floats(m->host, hn_core_gram_count(core));
    fill_gram(m, gram);
    core->gram = gram;
  }
  return (Curved){.agent = core,
                  .input = m->gates,
                  .work_size = cell_work_size,
                  .add = cell_add,
                  .jacobian = cell_jacobian};
}
#endif

/* jacobian.c - see jacobian.h: an LSTM's and a GRU's. */
#include "jacobian.h"

static size_t work_size(const void *core, int64_t rows, int64_t window) {
  return hn_curvature_work_size(core, rows, window);
}
static void add_curvature(const void *core, const HnCarry *carry, bool diagonal, double *p,
                          int64_t p_row, void *work) {
  hn_curvature_add(core, carry, diagonal, p, p_row, work);
}
static void jacobian(const void *core, const HnCarry *carry, float *j, void *work) {
  hn_curvature_jacobian(core, carry, j, work);
}

static HnCore core_of(const Vrnn *m) {
  HnCore core = {.kind = m->p->cell == CELL_LSTM ? HN_CORE_LSTM : HN_CORE_GRU,
                 .hidden = m->H,
                 .latent = m->F,
                 .u = m->u->data,
                 .w = m->mean.w[0]->data};
  if (m->c) { /* beside zeros, in the kit's shape */
    float *c = vrnn_zeros(m, m->gates);
    memcpy(c + m->gates - m->H, m->c->data, (size_t)m->H * sizeof *c);
    core.c = c;
  }
  return core;
}

void vrnn_gram_make(const Vrnn *m, VrnnGram *g, int64_t window) {
  HnCore core = core_of(m);
  if (!hn_core_pays(&core, window)) return;
  g->of = m->host->alloc(m->host, m->H * m->gates, sizeof(float));
  g->gram = m->host->alloc(m->host, hn_core_gram_count(&core), sizeof(float));
}

static bool is_current(const Vrnn *m, const VrnnGram *g) {
  return !memcmp(g->of, m->u->data, (size_t)(m->H * m->gates) * sizeof(float));
}

static void compute_gram(const Vrnn *m, float *gram) {
  HnCore core = core_of(m);
  hn_core_gram(&core, gram, m->host->scratch(m->host, 1, hn_core_gram_work_size(&core)));
}

void vrnn_gram_refresh(const Vrnn *m, const VrnnGram *g) {
  if (!g->gram || is_current(m, g)) return;
  compute_gram(m, g->gram);
  memcpy(g->of, m->u->data, (size_t)(m->H * m->gates) * sizeof(float));
}

VrnnJacobian vrnn_cell_jacobian(const Vrnn *m, const VrnnGram *g) {
  HnCore *core = m->host->scratch(m->host, 1, sizeof *core);
  *core = core_of(m);
  core->gram = g->gram;
  if (g->gram && !is_current(m, g)) { /* loaded or resumed, and not yet learnt from */
    float *gram = vrnn_floats(m, hn_core_gram_count(core));
    compute_gram(m, gram);
    core->gram = gram;
  }
  return (VrnnJacobian){.agent = core,
                        .input = m->gates,
                        .work_size = work_size,
                        .add_curvature = add_curvature,
                        .jacobian = jacobian};
}

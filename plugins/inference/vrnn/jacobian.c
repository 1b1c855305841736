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
  return (HnCore){.cell = m->rnn.cell,
                  .hidden = m->H,
                  .latent = m->F,
                  .u = m->rnn.u->data,
                  .c = hn_rnn_state_bias(&m->rnn, m->host),
                  .w = m->mean.w[0]->data};
}

void vrnn_gram_make(const Vrnn *m, VrnnGram *g, int64_t window) {
  HnCore core = core_of(m);
  if (!hn_core_gram_is_cheaper(&core, window)) return;
  g->of = m->host->alloc(m->host, m->H * m->rnn.width, sizeof(float));
  g->gram = m->host->alloc(m->host, hn_core_gram_count(&core), sizeof(float));
}

static bool is_current(const Vrnn *m, const VrnnGram *g) {
  return !memcmp(g->of, m->rnn.u->data, (size_t)(m->H * m->rnn.width) * sizeof(float));
}

static void compute_gram(const Vrnn *m, float *gram) {
  HnCore core = core_of(m);
  hn_core_gram(&core, gram, m->host->scratch(m->host, 1, hn_core_gram_work_size(&core)));
}

void vrnn_gram_refresh(const Vrnn *m, const VrnnGram *g) {
  if (!g->gram || is_current(m, g)) return;
  compute_gram(m, g->gram);
  memcpy(g->of, m->rnn.u->data, (size_t)(m->H * m->rnn.width) * sizeof(float));
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
                        .input = m->rnn.width,
                        .work_size = work_size,
                        .add_curvature = add_curvature,
                        .jacobian = jacobian};
}

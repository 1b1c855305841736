/* model.c - makes an agent: its tensors, and where things lie in a row's memory. */
#include "posterior.h"
#include <stdio.h>

static VrnnEmbedding make_embedding(Vrnn *m, const char *name, int64_t in, HnRng *rng) {
  char text[64];
  snprintf(text, sizeof text, "%s.norm", name);
  return (VrnnEmbedding){.in = in,
                         .net = hn_mlp_make(&m->store, name, 2, (int64_t[]){in, m->E, m->E},
                                            HN_LEAKY_RELU, HN_LEAKY_RELU, HN_INIT_LECUN, 1, 1, rng),
                         .norm = hn_layer_norm_make(&m->store, text, m->E, 1e-6f)};
}

HnMlp vrnn_make_readout(Vrnn *m, const char *name, int64_t out, HnRng *rng) {
  return hn_mlp_make(&m->store, name, 1, (int64_t[]){m->H, out}, HN_LINEAR, HN_LINEAR,
                     HN_INIT_LECUN, 1, 1, rng);
}

static HnStatus make_head(Vrnn *m, HnRng *rng) {
  const VrnnParams *p = m->p;
  bool signal = p->head == HEAD_SIGNAL;
  const char *name = signal ? "signal" : "reward";
  int64_t width[HN_MLP_MAX + 1], count = hn_widths(p->head_layers, HN_MLP_MAX - 1, width + 1);
  char text[64];
  if (p->head == HEAD_NONE) return HN_OK;
  if (count < 1)
    return m->host->fail(m->host, HN_E_PARAM,
                         "head_layers: '%s' is not 1 to %d widths, e.g. '256 64'", p->head_layers,
                         HN_MLP_MAX - 1);
  if (signal && m->obs_dim < 1)
    return m->host->fail(m->host, HN_E_SHAPE, "head: signal needs observations to predict");
  VrnnHead *head = &m->head;
  head->inputs = m->D + m->E, head->outputs = signal ? m->obs_dim : 2;
  width[0] = head->inputs, width[count + 1] = head->outputs;
  snprintf(text, sizeof text, "%s.norm", name);
  head->norm = hn_layer_norm_make(&m->store, text, head->inputs, 1e-6f);
  head->net = hn_mlp_make(&m->store, name, count + 1, width, HN_LEAKY_RELU, HN_LINEAR,
                          HN_INIT_LECUN, 1, 1, rng);
  if (signal) {
    head->sigma_w = hn_store_add(&m->store, "signal.sigma.weight", 1, 1, HN_INIT_LECUN, 1, rng);
    head->sigma_b = hn_store_add(&m->store, "signal.sigma.bias", 1, 1, HN_INIT_ZERO, 0, rng);
  }
  return HN_OK;
}

/* posterior: bytes that the posterior keeps of a row.  The head's context is kept too, unless it is
 * the recurrent state, which lies in the carry. */
static void lay_out_row(Vrnn *m, size_t posterior) {
  bool keeps = m->head.net.layers && m->p->context == CONTEXT_BAMDP;
  VrnnLayout *r = &m->row;
  r->carry = vrnn_aligned(sizeof(VrnnRow));
  r->mean = r->carry + vrnn_aligned((size_t)m->rnn.carry * sizeof(float));
  r->context = r->mean + vrnn_aligned((size_t)m->F * sizeof(float));
  r->posterior = r->context + (keeps ? vrnn_aligned((size_t)m->C * sizeof(float)) : 0);
  r->size = r->posterior + vrnn_aligned(posterior);
  if (m->p->context == CONTEXT_RSSM) r->context = r->carry;
}

HnStatus vrnn_create(Vrnn *m, const HnHost *host, const void *params, HnBeliefSpec *spec,
                     const VrnnPosterior *posterior, int64_t info_count) {
  const VrnnParams *p = m->p = params;
  m->host = host, m->posterior = posterior, m->info_count = info_count;
  m->obs_dim = spec->obs_dim, m->action_dim = spec->action_dim;
  m->discrete = spec->action_count > 0;
  m->H = p->hidden, m->F = p->latent, m->E = p->embed;
  m->C = p->context == CONTEXT_SSM ? 0 : p->context == CONTEXT_RSSM ? m->H : m->E;
  m->D = m->F + m->C;
  int64_t obs = spec->obs_dim + p->see_reward + p->see_episodes;
  int64_t act = !m->discrete                ? spec->action_dim
                : p->act_input == ACT_INDEX ? 1
                                            : spec->action_count;
  if (obs < 1) return host->fail(host, HN_E_SHAPE, "there is nothing to observe");
  hn_store_begin(&m->store, host, "");
  m->obs = make_embedding(m, "obs_embed", obs, spec->rng);
  m->act = make_embedding(m, "act_embed", act, spec->rng);
  m->rnn = hn_rnn_make(&m->store, hn_rnn_cell_name(p->cell), p->cell, HN_RNN_FLAX, 2 * m->E, m->H,
                       spec->rng);
  m->mean = vrnn_make_readout(m, "mean", m->F, spec->rng);
  HnStatus status = make_head(m, spec->rng);
  size_t kept = 0; /* the posterior last, so that the rest starts from the same numbers with any */
  if (!status && posterior->create) status = posterior->create(m, spec->rng, &kept);
  if (status) return status;
  lay_out_row(m, kept);
  spec->belief_dim = m->D, spec->latent_dim = m->F;
  spec->row_size = m->row.size, spec->refresh = p->refresh;
  return HN_OK;
}

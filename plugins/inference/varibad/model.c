/* model.c - see varibad.h: makes an instance. */
#include "mixture.h"
#include "row.h"
#include "virtual.h"
#include <stdio.h>

static HnMlp make_embedding(HnStore *s, const char *name, int64_t in, int64_t units, HnRng *rng) {
  if (!in || !units) return (HnMlp){.layers = 0};
  return hn_mlp_make(s, name, 1, (int64_t[]){in, units}, HN_RELU, HN_RELU, HN_INIT_FAN_IN, 1, 1,
                     rng);
}

/* The widths of a decoder's layers, the last of them its outputs; returns how many layers, or -1.
 */
static int64_t read_layers(const Varibad *v, const char *name, const char *text, int64_t *width) {
  int64_t count = hn_widths(text, HN_MLP_MAX - 1, width + 1);
  if (count >= 0) return count + 1;
  v->host->fail(v->host, HN_E_PARAM, "%s_layers: '%s' is not 1 to %d widths, e.g. '64 32'", name,
                text, HN_MLP_MAX - 1);
  return -1;
}

/* Makes the networks of a decoder that has its weight, outputs and what it reads. */
static HnStatus make_decoder(Varibad *v, VaribadDecoder *d, const char *name, const char *layers,
                             HnRng *rng) {
  const VaribadParams *p = v->p;
  HnStore *s = &v->decoders;
  int64_t width[HN_MLP_MAX + 1];
  char text[64];
  if (!(d->weight > 0)) return HN_OK;
  int64_t count = read_layers(v, name, layers, width);
  if (count < 0) return HN_E_PARAM;
  d->inputs = d->code;
  if (d->reads_next || d->reads_state) {
    snprintf(text, sizeof text, "%s.state", name);
    d->embed_state = make_embedding(s, text, v->state_dim, p->obs_embed, rng);
  }
  if (d->reads_action) {
    snprintf(text, sizeof text, "%s.action", name);
    d->embed_action = make_embedding(s, text, v->action_dim, p->act_embed, rng);
  }
  if (d->reads_next) d->inputs += p->obs_embed;
  if (d->embed_action.layers) d->inputs += p->act_embed;
  if (d->reads_state) d->inputs += p->obs_embed;
  width[0] = d->inputs, width[count] = d->outputs;
  snprintf(text, sizeof text, "%s.net", name);
  d->net = hn_mlp_make(s, text, count, width, HN_RELU, HN_LINEAR, HN_INIT_FAN_IN, 1, 1, rng);
  return HN_OK;
}

static HnStatus make_encoder(Varibad *v, HnRng *rng) {
  const VaribadParams *p = v->p;
  HnStore *s = &v->encoder;
  hn_store_begin(s, v->host, "encoder.");
  v->embed_state = make_embedding(s, "state", v->state_dim, p->obs_embed, rng);
  v->embed_action = make_embedding(s, "action", v->action_dim, p->act_embed, rng);
  v->embed_reward = make_embedding(s, "reward", 1, p->reward_embed, rng);
  int64_t in = p->obs_embed + (v->action_dim ? p->act_embed : 0) + p->reward_embed;
  v->gru = hn_rnn_make(s, "gru", HN_RNN_GRU, HN_RNN_TORCH, in, v->hidden, rng);
  if (v->mixture.K > 1) return varibad_make_posterior(v, rng);
  HnMlp head = hn_mlp_make(s, "belief", 1, (int64_t[]){v->hidden, 2 * v->d}, HN_LINEAR, HN_LINEAR,
                           HN_INIT_FAN_IN, 1, 1, rng);
  v->head = head.w[0], v->bias = head.b[0];
  return HN_OK;
}

static HnStatus make_decoders(Varibad *v, int64_t task_dim, HnRng *rng) {
  const VaribadParams *p = v->p;
  bool grid = p->reward_grid > 0, sees = p->obs_embed > 0;
  bool mixture = v->mixture.K > 1, disperses = mixture && p->dispersion_weight > 0;
  v->reward = (VaribadDecoder){.weight = p->reward_weight,
                               .code = disperses ? v->hidden : v->d,
                               .outputs = grid ? p->reward_grid * p->reward_grid : 1,
                               .bernoulli = p->reward_loss == VARIBAD_REWARD_BERNOULLI,
                               .reads_next = !grid && sees && p->reward_next,
                               .reads_action = !grid && p->reward_act,
                               .reads_state = !grid && sees && p->reward_obs};
  v->state = (VaribadDecoder){.weight = p->state_weight,
                              .code = v->d,
                              .outputs = v->obs_dim,
                              .reads_action = true,
                              .reads_state = sees};
  v->task = (VaribadDecoder){.weight = p->task_weight, .code = v->d, .outputs = task_dim};
  hn_store_begin(&v->decoders, v->host, "decoder.");
  HnStatus status = make_decoder(v, &v->reward, "reward", p->reward_layers, rng);
  if (!status) status = make_decoder(v, &v->state, "state", p->state_layers, rng);
  if (!status) status = make_decoder(v, &v->task, "task", p->task_layers, rng);
  if (!status && mixture) status = varibad_make_prior(v, rng);
  return status;
}

static bool reads_state(const VaribadDecoder *d) {
  return d->net.layers && d->reads_state;
}

static void make_replay(Varibad *v, const HnBeliefSpec *spec) {
  const VaribadParams *p = v->p;
  const HnTrialReplayShape shape = {
      .buffer = p->buffer,
      .rows = spec->rows,
      .length = spec->lifetime,
      .episodes = spec->episodes,
      .obs_dim = reads_state(&v->reward) || reads_state(&v->state) ? v->obs_dim : 0,
      .next_obs_dim = v->obs_dim,
      .action_dim = v->reads_actions ? v->action_dim : 0,
      .task_dim = v->task.net.layers ? spec->task_dim : 0,
      .discrete = v->discrete,
      .forgets = v->virtual.active != NULL};
  hn_trial_replay_create(&v->replay, v->host, &shape);
  v->slot = v->host->alloc(v->host, p->batch, sizeof *v->slot);
}

static HnStatus check(const Varibad *v, const HnBeliefSpec *spec) {
  const VaribadParams *p = v->p;
  const HnHost *host = v->host;
  if (v->obs_dim < 1) return host->fail(host, HN_E_SHAPE, "needs observations");
  if (p->task_weight > 0 && spec->task_dim < 1)
    return host->fail(host, HN_E_SHAPE, "the environment does not describe its task");
  if (p->obs_embed + (v->action_dim ? p->act_embed : 0) + p->reward_embed < 1)
    return host->fail(host, HN_E_PARAM,
                      "obs_embed, act_embed and reward_embed are all 0: "
                      "the encoder reads nothing");
  if (p->reward_grid > 0 && v->obs_dim < 2)
    return host->fail(host, HN_E_SHAPE, "reward_grid needs x and y in the observation");
  if (p->misread_indices && (!p->elbo_terms || !p->decoded_steps))
    return host->fail(host, HN_E_PARAM,
                      "misread_indices needs elbo_terms and decoded_steps to be drawn");
  if (p->batch > p->buffer)
    return host->fail(host, HN_E_PARAM, "batch: %d trials never fit a buffer of %d", (int)p->batch,
                      (int)p->buffer);
  return varibad_check_virtual(v);
}

/* What the policy sees of a belief, and what a row remembers. */
static void fill_spec(Varibad *v, HnBeliefSpec *spec) {
  const VaribadParams *p = v->p;
  v->belief_dim = p->belief == VARIBAD_BELIEF_LATENT ? v->d : 2 * v->d;
  if (v->mixture.K > 1) v->belief_dim += v->mixture.K;
  v->info_count = VARIBAD_INFO_COUNT + (p->subtasks > 0);
  v->follows = v->mixture.K > 1 || v->virtual.active;
  v->row_size = varibad_row_size(v);
  spec->belief_dim = v->belief_dim, spec->latent_dim = v->d;
  spec->row_size = v->row_size, spec->refresh = true;
  if (v->reward.net.layers && v->reward.bernoulli)
    spec->map_width = spec->map_height = p->reward_grid;
}

HnStatus varibad_create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Varibad *v = self;
  const VaribadParams *p = v->p = params;
  v->host = host;
  v->d = p->latent, v->hidden = p->hidden, v->obs_dim = spec->obs_dim;
  v->action_dim = spec->action_count ? spec->action_count : spec->action_dim;
  v->discrete = spec->action_count > 0;
  v->state_dim = v->obs_dim + p->see_episodes;
  v->mixture.K = p->subtasks > 1 ? p->subtasks : 1;
  v->horizon = spec->horizon, v->lifetime = spec->lifetime;
  HnStatus status = check(v, spec);
  if (status) return status;
  if ((status = make_encoder(v, spec->rng))) return status;
  if ((status = make_decoders(v, spec->task_dim, spec->rng))) return status;
  v->reads_actions =
      v->embed_action.layers || v->reward.embed_action.layers || v->state.embed_action.layers;
  varibad_make_virtual(v, spec->rows);
  make_replay(v, spec);
  fill_spec(v, spec);
  return HN_OK;
}

/* GLiBRL: transitions and rewards are linear in learnt features; the posterior over the weights and
 * the noise of a task is exact, and the features are trained on the exact evidence.
 *
 * The belief is the flattened posterior, updated by rank one at every step and kept over a whole
 * task.  No gradient of the policy reaches the features.  Source: arXiv 2512.20974.
 *
 * The defaults are ours where the paper is silent.  Closest to its text: reward_features 256,
 * transition_target next, next_input next, reward_scaling none, normalise_targets false,
 * target_columns all, learn_prior false, belief full.  Its ablation of noise inference is `fixed`
 * or `fixed_unscaled`; which of the two is not said. */
#include "glibrl/posterior.c"
#include "glibrl/evidence.c"

static void make_model(Glibrl *g, Model *k, const char *name, int64_t d, int64_t inputs,
                       double regulariser, HnRng *rng) {
  const HnThisParams *p = g->p;
  int64_t width[HN_MLP_MAX + 1] = {inputs};
  for (int64_t l = 1; l <= p->hidden_layers; l++) width[l] = p->hidden_units;
  k->d = d, k->learnt = d - p->feature_constant, k->inputs = inputs;
  width[p->hidden_layers + 1] = k->learnt;
  k->gain = p->feature_scaling ? (float)(1 / sqrt((double)d)) : 1;
  k->regulariser = regulariser;
  HnActivation output = p->feature_output == OUTPUT_TANH ? HN_TANH : HN_LINEAR;
  k->net = hn_mlp_make(&g->store, name, p->hidden_layers + 1, width, HN_TANH, output,
                       HN_INIT_ORTHOGONAL, 1, 1, rng);
}

static void make_prior(Glibrl *g, Model *k, const char *name, HnRng *rng) {
  k->prior = hn_store_add(&g->store, name, 1, 2, HN_INIT_ZERO, 0, rng);
  k->prior->data[0] = (float)log(g->p->prior_xi), k->prior->data[1] = (float)log(g->p->prior_psi);
}

static void make_scale(Glibrl *g) {
  const HnHost *host = g->host;
  int64_t o = g->obs_dim;
  Scale *s = &g->scale;
  s->mean = host->keep(host, HN_ARRAY("target.mean", HN_WEIGHT, HN_F64, .rank = 1, .dim = {o}));
  s->stddev = host->keep(host, HN_ARRAY("target.stddev", HN_WEIGHT, HN_F64, .rank = 1, .dim = {o}));
  s->live = host->keep(host, HN_ARRAY("target.live", HN_WEIGHT, HN_I32, .rank = 1, .dim = {o}));
  s->reward = host->keep(host, HN_ARRAY("reward.scale", HN_WEIGHT, HN_F64, .rank = 1, .dim = {2}));
  for (int64_t j = 0; j < o; j++) s->stddev[j] = 1, s->live[j] = 1;
  s->reward[1] = 1;
  g->comoment =
      host->keep(host, HN_ARRAY("target.comoment", HN_LEARNER, HN_F64, .rank = 2, .dim = {o, o}));
  g->seen = hn_normaliser_make(host, "obs", o);
  g->moved = g->led = hn_normaliser_make(host, "delta", o);
  if (g->p->transition_target == TARGET_NEXT) g->led = hn_normaliser_make(host, "next", o);
  g->paid = hn_normaliser_make(host, "reward", 1);
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Glibrl *g = self;
  const HnThisParams *p = g->p = params;
  g->host = host;
  g->obs_dim = spec->obs_dim;
  g->discrete = spec->action_count > 0;
  g->action_dim = spec->action_count ? spec->action_count : spec->action_dim;
  if (g->obs_dim < 1) return host->fail(host, HN_E_SHAPE, "needs observations");
  if (p->start > p->buffer)
    return host->fail(host, HN_E_PARAM, "start: %d trials never fit a buffer of %d", (int)p->start,
                      (int)p->buffer);
  int64_t o = g->obs_dim, inputs = o + g->action_dim;
  hn_store_begin(&g->store, host, "");
  make_model(g, &g->transition, "transition", p->transition_features, inputs,
             p->transition_regulariser, spec->rng);
  make_model(g, &g->reward, "reward", p->reward_features,
             inputs + (p->next_input == NEXT_BOTH ? 2 * o : o), p->reward_regulariser, spec->rng);
  make_prior(g, &g->transition, "transition.prior", spec->rng);
  make_prior(g, &g->reward, "reward.prior", spec->rng);
  make_scale(g);
  const HnTrialReplayShape remembered = {.buffer = p->buffer,
                                         .rows = spec->rows,
                                         .length = spec->lifetime,
                                         .obs_dim = o,
                                         .next_obs_dim = o,
                                         .action_dim = g->action_dim,
                                         .discrete = g->discrete};
  hn_trial_replay_create(&g->replay, host, &remembered);
  g->flat = host->alloc(host, p->batch * g->store.size, sizeof(float));
  g->stats = host->alloc(host, p->batch * STAT_COUNT, sizeof(double));
  g->slot = host->alloc(host, p->batch, sizeof(int64_t));
  lay_out_row(g);
  spec->belief_dim = belief_dim(g), spec->latent_dim = 0;
  spec->row_size = g->row_size, spec->refresh = true;
  return HN_OK;
}

static const HnInference methods = {sizeof(HnInference), .create = create, .infer = believe,
                                    .learn = learn};
HN_PLUGIN(glibrl, HN_KIND_INFERENCE, Glibrl, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics,
          .summary = "Exact posterior of models that are linear in learnt features.",
          .source = "arXiv 2512.20974");

/* Uniform actions, blind to observation and belief: the query policy of supervised tasks, and the
 * floor that a learner must rise above. */
#include <hunch/policy.h>

#define PARAMS(X)
HN_PARAMS(PARAMS);

typedef struct Uniform {
  int64_t dim, count; /* of a continuous action; of discrete actions */
} Uniform;

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Uniform *u = self;
  (void)params;
  u->dim = spec->act_dim, u->count = spec->act_count;
  if (u->dim < 1 && u->count < 1)
    return host->fail(host, HN_E_SHAPE, "the environment takes no actions");
  spec->note_dim = 1; /* log-density, nats */
  spec->row_size = 0;
  return HN_OK;
}

/* Greedy: no action is likelier than another, so the first (discrete) or the mean, 0. */
static HnStatus act(void *self, HnAct *a) {
  const Uniform *u = self;
  float logp = (float)(u->count > 0 ? -log((double)u->count) : -(double)u->dim * log(2));
  for (int64_t i = 0; i < a->rows; i++) {
    HnRng *rng = a->rng ? &a->rng[i] : NULL;
    if (u->count > 0) a->pick[i] = rng ? (int32_t)hn_rng_below(rng, u->count) : 0;
    for (int64_t k = 0; k < u->dim && u->count < 1; k++)
      a->act[i * u->dim + k] = rng ? (float)hn_rng_uniform(rng, -1, 1) : 0;
    a->note[i] = logp;
  }
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act};
HN_PLUGIN(uniform, HN_KIND_POLICY, Uniform, &methods, .version = "0.1", .license = "MIT",
          .summary = "Uniformly random actions, as a control; learns nothing.");

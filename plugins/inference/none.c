/* none.c - no belief: 0 features.  A control: what the policy learns from observations alone. */
#include <hunch/inference.h>

#define PARAMS(X)
HN_PARAMS(PARAMS);

typedef struct None {
  char unused; /* C has no empty struct */
} None;

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->belief_dim = spec->latent_dim = 0, spec->row_size = 0;
  return HN_OK;
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  (void)self, (void)q;
  return HN_OK;
}

static const HnInference methods = {sizeof(HnInference), .create = create, .infer = infer};
HN_PLUGIN(none, HN_KIND_INFERENCE, None, &methods, .version = "0.1", .license = "MIT",
          .summary = "No belief: a control whose policy sees the observation alone.");

/* No belief: 0 features.  The control that shows what any belief is worth. */
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

static HnStatus believe(void *self, HnBeliefUpdate *q) {
  (void)self, (void)q;
  return HN_OK;
}

static const HnInference methods = {sizeof(HnInference), .create = create, .infer = believe};
HN_PLUGIN(none, HN_KIND_INFERENCE, None, &methods, .version = "0.1", .license = "MIT",
          .summary = "No belief, as a control: the policy sees the observation alone.");

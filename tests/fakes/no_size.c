/* no_size.c - does not say how long its methods are. */
#include <hunch/env.h>

#define PARAMS(X) X(real, gain, "", "Reward of every step.", 1, 0, 10)
HN_PARAMS(PARAMS);

typedef struct Fake {
  int unused;
} Fake;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->obs_dim = 1, spec->action_count = 2, spec->horizon = 1;
  return HN_OK;
}

static HnStatus reset(void *self, HnEnvBatch *batch) {
  (void)self;
  for (int64_t i = 0; i < batch->rows; i++) batch->obs[i] = 0;
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *batch) {
  (void)self;
  for (int64_t i = 0; i < batch->rows; i++) batch->obs[i] = batch->reward[i] = 1;
  return HN_OK;
}

static const HnEnv methods = {.create = create, .reset = reset, .step = step};
HN_PLUGIN(no_size, HN_KIND_ENV, Fake, &methods, .version = "1", .summary = "Test plugin.");

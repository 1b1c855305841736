/* oracle.c - the true task as belief, known from the first observation on: an upper bound for any
 * inference.  It is privileged, which every result records. */
#include <hunch/inference.h>
#include <string.h>

#define PARAMS(X)
HN_PARAMS(PARAMS);

typedef struct Oracle {
  int64_t dim;
} Oracle;

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  (void)params;
  if (spec->task_dim < 1)
    return host->fail(host, HN_E_SHAPE, "the environment gives no task parameters (task_dim is 0)");
  /* a point mass: each of its samples is the task itself */
  spec->belief_dim = spec->latent_dim = ((Oracle *)self)->dim = spec->task_dim;
  spec->row_size = 0;
  return HN_OK;
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  const HnHistory *h = q->history;
  int64_t D = ((const Oracle *)self)->dim, S = q->samples > 0 ? q->samples : 1;
  float *belief = q->belief;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++)
      for (int64_t s = 0; s < S; s++, belief += D)
        memcpy(belief, h->task + hn_at(h, t, i) * D, (size_t)D * sizeof(float));
  return HN_OK;
}

static const HnInference methods = {sizeof(HnInference), .create = create, .infer = infer};
HN_PLUGIN(oracle, HN_KIND_INFERENCE, Oracle, &methods, .version = "0.1", .license = "MIT",
          .flags = HN_PRIVILEGED,
          .summary = "The true task as belief: an upper bound for any inference.");

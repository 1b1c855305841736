/* The belief is the true task, known from the first percept on: the upper bound of any inference.
 * Privileged, and so recorded with every result. */
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
    return host->fail(host, HN_E_SHAPE,
                      "the environment describes its tasks by no numbers (task_dim 0), so there is "
                      "nothing to know of them");
  /* a point mass: each of its samples is the task itself */
  spec->belief_dim = spec->latent_dim = ((Oracle *)self)->dim = spec->task_dim;
  spec->row_size = 0;
  return HN_OK;
}

static HnStatus believe(void *self, HnBeliefUpdate *q) {
  const HnHistory *h = q->history;
  int64_t D = ((const Oracle *)self)->dim, S = q->samples > 0 ? q->samples : 1;
  float *belief = q->belief;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++)
      for (int64_t s = 0; s < S; s++, belief += D)
        memcpy(belief, h->task + hn_at(h, t, i) * D, (size_t)D * sizeof(float));
  return HN_OK;
}

static const HnInference methods = {sizeof(HnInference), .create = create, .infer = believe};
HN_PLUGIN(oracle, HN_KIND_INFERENCE, Oracle, &methods, .version = "0.1", .license = "MIT",
          .flags = HN_PRIVILEGED,
          .summary = "The true task as belief: a bound that no method can expect to pass.");

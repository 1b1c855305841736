/* my_plugin.c - a wrapper, an environment that holds another: observations get one number more, how
 * much of the episode is over.
 *
 * The contract is hunch/env.h, from HnInner on; `hunch check` judges it.
 *
 * Source: Pardo et al. 2018, Time Limits in Reinforcement Learning. */
#include <hunch/env.h>
#include <string.h>

/* As of any plugin; the environment that it holds is the key `inner`, which is no parameter. */
#define PARAMS(X) X(real, scale, "", "What the number reaches at the end of an episode.", 1, 0, 1e6)
HN_PARAMS(PARAMS);

/* What the wrapper itself remembers of a row; what the inner environment does is kept apart. */
typedef struct Row {
  int64_t steps;
} Row;

typedef struct Wrapper {
  const HnThisParams *p;
  const HnInner *inner;
} Wrapper;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)host;
  *(Wrapper *)self = (Wrapper){params, spec->inner};
  spec->obs_dim++, spec->row_size = sizeof(Row); /* the rest is the inner environment's */
  return HN_OK;
}

/* Row i's observation: the inner one's, and the time. */
static void observe(const Wrapper *e, const HnEnvBatch *b, int64_t i) {
  const HnEnvSpec *inner = e->inner->spec;
  const double over = (double)((const Row *)b->state)[i].steps / (double)inner->horizon;
  float *obs = b->obs + i * (inner->obs_dim + 1);
  memcpy(obs, b->inner->obs + i * inner->obs_dim, (size_t)inner->obs_dim * sizeof *obs);
  obs[inner->obs_dim] = (float)(e->p->scale * over);
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const Wrapper *e = self;
  HnStatus s = e->inner->env->reset(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows && !s; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    ((Row *)b->state)[i].steps = 0;
    observe(e, b, i);
  }
  return s;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const Wrapper *e = self;
  HnStatus s = e->inner->env->step(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows && !s; i++) {
    ((Row *)b->state)[i].steps++;
    observe(e, b, i);
  }
  return s;
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, .reset = reset, .step = step};
/* The name is the file's: my_plugin.so, `plugin: my_plugin` in a study. */
HN_PLUGIN(my_plugin, HN_KIND_ENV, Wrapper, &methods, .flags = HN_WRAPPER, .version = "1.0",
          .license = "MIT", .summary = "Wrapper: observations that tell the time.",
          .source = "Pardo et al. 2018, Time Limits in Reinforcement Learning");

/* my_plugin.cpp - a wrapper, an environment that holds another: observations get one number more,
 * how much of the episode is over.
 *
 * The contract is hunch/env.h, from HnInner on; `hunch check` judges it.
 *
 * Source: Pardo et al. 2018, Time Limits in Reinforcement Learning. */
#include <algorithm>
#include <hunch/env.h>

/* As of any plugin; the environment that it holds is the key `inner`, which is no parameter. */
#define PARAMS(X) X(real, scale, "", "What the number reaches at the end of an episode.", 1, 0, 1e6)
HN_PARAMS(PARAMS);

namespace {
/* What the wrapper itself remembers of a row; what the inner environment does is kept apart. */
struct Row {
  int64_t steps;
};

struct Wrapper {
  const HnThisParams *p;
  const HnInner *inner;
};

HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  static_cast<void>(host);
  *static_cast<Wrapper *>(self) = {static_cast<const HnThisParams *>(params), spec->inner};
  spec->obs_dim++, spec->row_size = sizeof(Row); /* the rest is the inner environment's */
  return HN_OK;
}

/* Row i's observation: the inner one's, and the time. */
void observe(const Wrapper *e, const HnEnvBatch *b, int64_t i) {
  const HnEnvSpec *inner = e->inner->spec;
  const double over = static_cast<double>(static_cast<const Row *>(b->state)[i].steps) /
                      static_cast<double>(inner->horizon);
  float *obs = b->obs + i * (inner->obs_dim + 1);
  std::copy_n(b->inner->obs + i * inner->obs_dim, inner->obs_dim, obs);
  obs[inner->obs_dim] = static_cast<float>(e->p->scale * over);
}

HnStatus reset(void *self, HnEnvBatch *b) {
  const auto *e = static_cast<const Wrapper *>(self);
  HnStatus s = e->inner->env->reset(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows && !s; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    static_cast<Row *>(b->state)[i].steps = 0;
    observe(e, b, i);
  }
  return s;
}

HnStatus step(void *self, HnEnvBatch *b) {
  const auto *e = static_cast<const Wrapper *>(self);
  HnStatus s = e->inner->env->step(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows && !s; i++) {
    static_cast<Row *>(b->state)[i].steps++;
    observe(e, b, i);
  }
  return s;
}

constexpr HnEnv methods = [] {
  HnEnv m = {};
  m.struct_size = sizeof m, m.create = create, m.reset = reset, m.step = step;
  return m;
}();
} // namespace

/* The name is the file's: my_plugin.so, `plugin: my_plugin` in a study. */
HN_PLUGIN(my_plugin, HN_KIND_ENV, Wrapper, &methods, .flags = HN_WRAPPER, .version = "1.0",
          .license = "MIT", .summary = "Wrapper: observations that tell the time.",
          .source = "Pardo et al. 2018, Time Limits in Reinforcement Learning");

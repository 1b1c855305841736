/* time_limit.c - a wrapper that ends episodes after so many steps: its environment with a shorter
 * horizon.  The host truncates there, as at any horizon; what the environment itself does with a
 * horizon of its own stays as it is.
 *
 * Source: Gymnasium's TimeLimit; Pardo et al. 2018, Time Limits in Reinforcement Learning. */
#include <hunch/env.h>

#define PARAMS(X) \
  X(int, steps, "step", "Longest episode; 0: as long as the inner environment's.", 0, 0, 1e9)
HN_PARAMS(PARAMS);

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  (void)self, (void)host;
  if (p->steps > 0 && p->steps < spec->horizon) spec->horizon = p->steps;
  return HN_OK;
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv), .create = create};
HN_PLUGIN(time_limit, HN_KIND_ENV, char, &methods, .flags = HN_WRAPPER, .version = "1.0",
          .license = "MIT", .summary = "Wrapper: episodes that are truncated after some steps.",
          .source = "Gymnasium, TimeLimit; Pardo et al. 2018");

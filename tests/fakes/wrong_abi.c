/* wrong_abi.c - was built for an ABI of the future; its constructor must not run. */
#include <hunch/env.h>
#include <stdio.h>
#include <stdlib.h>

/* Leaves a trace if it is ever run. */
__attribute__((constructor)) static void leave_mark(void) {
  const char *path = getenv("HUNCH_TEST_MARK");
  FILE *mark = path ? fopen(path, "w") : NULL;
  if (mark) fclose(mark);
}

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

static const HnEnv methods = {sizeof(HnEnv), .create = create, .reset = reset, .step = step};
/* Not HN_PLUGIN, which says the true ABI. */
extern HN_EXPORT const HnPlugin wrong_abi_LTX_hn_plugin;
const HnPlugin wrong_abi_LTX_hn_plugin = {.struct_size = sizeof(HnPlugin),
                                          .abi = 7u << 16 | 9,
                                          .kind = HN_KIND_ENV,
                                          .name = "wrong_abi",
                                          .summary = "Test plugin.",
                                          .version = "1",
                                          .methods = &methods,
                                          .self_size = sizeof(Fake),
                                          .params_size = sizeof(HnThisParams),
                                          .params = hn_this_params,
                                          .param_count = 1,
                                          .param_stride = sizeof(HnParam)};

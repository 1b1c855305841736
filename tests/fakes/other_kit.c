/* other_kit.c - was compiled with another layout of the kit's structs. */
#include <hunch/env.h>
#undef HN_PLUGIN_KIT_LAYOUT
#define HN_PLUGIN_KIT_LAYOUT UINT64_C(0x0123456789abcdef)

#define NOTHING(X)
HN_PARAMS(NOTHING);

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params, (void)spec;
  return HN_OK;
}

static HnStatus reset(void *self, HnEnvBatch *batch) {
  (void)self, (void)batch;
  return HN_OK;
}

static const HnEnv methods = {sizeof(HnEnv), .create = create, .reset = reset, .step = reset};
HN_PLUGIN(other_kit, HN_KIND_ENV, char, &methods, .version = "1", .summary = "Test plugin.");

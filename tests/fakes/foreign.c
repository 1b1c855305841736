/* foreign.c - compiled once per plugin, NAME, each with something that this hunch does not have:
 *   other_kit   another layout of the kit's structs, LAYOUT
 *   drafts      drafts of methods, DRAFTS
 *   newer_kit   a kit of another soname
 *   stale_kit   a library that calls itself as the kit does, and is none
 *   silent_kit  the true kit, none of whose headers it includes */
#include <hunch/env.h>
#ifdef LAYOUT
#  undef HN_PLUGIN_KIT_LAYOUT
#  define HN_PLUGIN_KIT_LAYOUT LAYOUT
#endif
#ifdef DRAFTS
#  undef HN_PLUGIN_DRAFTS
#  define HN_PLUGIN_DRAFTS DRAFTS
#endif

#ifdef LINKED
const char *hn_kit_isa(void);
#  define USE_KIT() hn_kit_isa()
#else
#  define USE_KIT() ((void)0)
#endif

#define NOTHING(X)
HN_PARAMS(NOTHING);

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params, (void)spec;
  USE_KIT();
  return HN_OK;
}

static HnStatus reset(void *self, HnEnvBatch *batch) {
  (void)self, (void)batch;
  return HN_OK;
}

static const HnEnv methods = {sizeof(HnEnv), .create = create, .reset = reset, .step = reset};
#define PLUGIN(name) \
  HN_PLUGIN(name, HN_KIND_ENV, char, &methods, .version = "1", .summary = "Test plugin.")
PLUGIN(NAME);

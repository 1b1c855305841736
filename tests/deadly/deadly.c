/* deadly.c - plugins, right in every byte that is read, that end or block who loads them: by END in
 * a constructor or, with AT_EXIT, in a destructor. */
#include <hunch/env.h>
#include <stdlib.h>
#include <unistd.h>

#ifdef AT_EXIT
__attribute__((destructor))
#else
__attribute__((constructor))
#endif
static void
end(void) {
  END;
}

#define NO_PARAMS(X)
HN_PARAMS(NO_PARAMS);

typedef struct Deadly {
  int unused;
} Deadly;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->action_count = 2, spec->horizon = 1;
  return HN_OK;
}

static HnStatus rest(void *self, HnEnvBatch *batch) {
  (void)self, (void)batch;
  return HN_OK;
}

static const HnEnv methods = {sizeof(HnEnv), .create = create, .reset = rest, .step = rest};
#define PLUGIN(name, ...) HN_PLUGIN(name, __VA_ARGS__)
PLUGIN(NAME, HN_KIND_ENV, Deadly, &methods, .version = "1", .license = "MIT",
       .summary = "Is not to be loaded.");

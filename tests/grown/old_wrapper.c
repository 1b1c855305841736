/* old_wrapper.c - a wrapper that hands on a copy of its inner batch, in a struct as long as its
 * headers', with what is no zero behind it; and turns actions round in it. */
#include <hunch/env.h>
#include <string.h>

#define NOTHING(X)
HN_PARAMS(NOTHING);

typedef struct Old {
  const HnHost *host;
  const HnInner *inner;
  int64_t action;
} Old;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)params;
  *(Old *)self = (Old){host, spec->inner, spec->action_dim};
  HnEnvSpec whole = *spec; /* as a plugin may that sets most of it */
  whole.row_size = sizeof(double);
  *spec = whole;
  return HN_OK;
}

typedef struct Copy {
  HnEnvBatch batch;
  unsigned char behind[64];
} Copy;

static Copy copy_of(const HnEnvBatch *b) {
  Copy c = {.batch = *b};
  memset(c.behind, 0xA5, sizeof c.behind);
  return c;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const Old *e = self;
  Copy c = copy_of(b->inner);
  return e->inner->env->reset(e->inner->self, &c.batch);
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const Old *e = self;
  Copy c = copy_of(b->inner);
  float *turned = e->host->scratch(e->host, b->rows * e->action, sizeof *turned);
  for (int64_t k = 0; k < b->rows * e->action; k++) turned[k] = -b->action[k];
  c.batch.action = turned;
  return e->inner->env->step(e->inner->self, &c.batch);
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, .reset = reset, .step = step};
HN_PLUGIN(old_wrapper, HN_KIND_ENV, Old, &methods, .version = "1", .license = "MIT",
          .flags = HN_WRAPPER, .summary = "Copies a batch.", .source = "tests");

/* inference_fixture.h - an instance of an inference plugin on a fake host. */
#ifndef HN_TESTS_INFERENCE_FIXTURE_H
#define HN_TESTS_INFERENCE_FIXTURE_H
#include "cell_fixture.h"
#include "fake_host.h"
#include <glib.h>

typedef struct Case {
  const char *name, *settings;
  int64_t obs_dim, action_dim, action_count;
} Case;

typedef struct Fixture {
  FakeHost fake;
  const HnInference *methods;
  void *self;
  HnPluginChoice part;
  HnBeliefSpec spec;
  HnRng rng;
} Fixture;

static inline HnStatus fixture_try(Fixture *b, const HnPlugin *plugin, const Case *c,
                                   const char *more) {
  const HnHost *host = fake_host_open(&b->fake);
  char *settings = g_strdup_printf("%s%s", c->settings, more);
  b->part = part_of(plugin, settings);
  g_free(settings);
  b->methods = plugin->methods, b->self = g_malloc0(plugin->self_size), b->rng = hn_rng(3, 1);
  b->spec = (HnBeliefSpec){.struct_size = sizeof(HnBeliefSpec),
                           .obs_dim = c->obs_dim,
                           .action_dim = c->action_dim,
                           .action_count = c->action_count,
                           .rng = &b->rng};
  return b->methods->create(b->self, host, b->part.params, &b->spec);
}

/* Biases, and weights of norms, are moved from where they begin, so that they matter. */
static inline Fixture *fixture_new(const HnPlugin *plugin, const Case *c, const char *more) {
  Fixture *b = g_new0(Fixture, 1);
  HnStatus status = fixture_try(b, plugin, c, more);
  g_assert_cmpstr(b->fake.error, ==, "");
  g_assert_cmpint(status, ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  for (int64_t k = 0; k < b->fake.array_count; k++) {
    FakeArray *a = &b->fake.array[k];
    for (int64_t j = 0; a->grad && a->spec.dim[0] == 1 && j < a->count; j++)
      ((float *)a->data)[j] += (float)hn_rng_uniform(&b->rng, -0.4, 0.4);
  }
  return b;
}

static inline void fixture_free(Fixture *b) {
  fake_host_close(&b->fake);
  g_free(b->part.params), g_free(b->self), g_free(b);
}

/* Streams of n rows. */
static inline HnRng *streams_new(int64_t n) {
  HnRng *rng = g_new0(HnRng, n);
  for (int64_t i = 0; i < n; i++) rng[i] = hn_rng(21, (uint64_t)i);
  return rng;
}
#endif

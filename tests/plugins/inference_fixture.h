/* inference_fixture.h - an instance of a recurrent agent on a fake host.  Include it after the
 * plugin's source, with PLUGIN and METHOD (its self) defined. */
#ifndef SUBJECT_H
#define SUBJECT_H
#include "cell_fixture.h"
#include "fake_host.h"
#include <glib.h>

typedef struct Case {
  const char *name, *settings;
  int64_t obs_dim, action_dim, action_count;
} Case;

typedef struct Subject {
  FakeHost fake;
  METHOD *m;
  HnPluginChoice part;
  HnBeliefSpec spec;
  HnRng rng;
  const Case *c;
} Subject;

static HnStatus subject_try(Subject *b, const Case *c, const char *more) {
  const HnHost *host = fake_host_open(&b->fake);
  char *settings = g_strdup_printf("%s%s", c->settings, more);
  b->part = part_of(&PLUGIN, settings);
  g_free(settings);
  b->m = g_new0(METHOD, 1), b->rng = hn_rng(3, 1), b->c = c;
  b->spec = (HnBeliefSpec){.struct_size = sizeof(HnBeliefSpec),
                           .obs_dim = c->obs_dim,
                           .action_dim = c->action_dim,
                           .action_count = c->action_count,
                           .rng = &b->rng};
  return create(b->m, host, b->part.params, &b->spec);
}

/* Biases, and weights of norms, are moved from where they begin, so that they matter. */
static Subject *subject_new(const Case *c, const char *more) {
  Subject *b = g_new0(Subject, 1);
  HnStatus status = subject_try(b, c, more);
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

static void subject_free(Subject *b) {
  fake_host_close(&b->fake);
  g_free(b->part.params), g_free(b->m), g_free(b);
}

typedef HnStatus Believe(void *self, HnBeliefUpdate *q);
#endif

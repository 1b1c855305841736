/* sac_fixture.h - soft actor-critic on the fake host: trials whose every number is different, an
 * inference that counts, and minibatches drawn of both. */
#ifndef SAC_FIXTURE_H
#define SAC_FIXTURE_H
#include "../../plugins/policies/sac/sac.h"
#include "numbers.h"
#include "policy_fixture.h"
#include <math.h>

extern const HnPlugin sac_LTX_hn_plugin;

static inline PolicyFixture *open_sac(const char *settings, HnPolicySpec spec) {
  PolicyFixture *f = policy_fixture_open(&sac_LTX_hn_plugin, 3);
  policy_fixture_set_all(f, settings);
  spec.struct_size = sizeof spec, spec.rng = &f->rng;
  f->spec = spec;
  g_assert_cmpint(policy_fixture_create(f), ==, HN_OK);
  return f;
}

enum { STEPS = 24, ROWS = 2, LIFE = 6 };

/* Trials of two episodes of three steps; the first ends in a terminal state in odd trials.  Every
 * number is different: observation 10 t + row at time t, 1000 more where a step led to before a
 * reset; reward t + row / 10; beliefs 100 t + row, for two samples. */
typedef struct Life {
  uint8_t begin[STEPS + 1][ROWS], terminated[STEPS][ROWS], truncated[STEPS][ROWS];
  float obs[STEPS + 1][ROWS], next_obs[STEPS][ROWS], action[STEPS][ROWS], reward[STEPS][ROWS];
  float belief[STEPS + 1][ROWS][2];
  HnHistory h;
} Life;

static inline Life *life_new(void) {
  Life *x = g_new0(Life, 1);
  for (int t = 0; t <= STEPS; t++)
    for (int i = 0; i < ROWS; i++) {
      int at = t % LIFE;
      x->begin[t][i] = at == 0 ? HN_NEW_TASK : at == 3 ? HN_NEW_EPISODE : HN_KEEP;
      x->obs[t][i] = (float)(10 * t + i);
      x->belief[t][i][0] = (float)(100 * t + i), x->belief[t][i][1] = -x->belief[t][i][0];
      if (t == STEPS) continue;
      bool ends = at == 2 || at == 5;
      x->terminated[t][i] = at == 2 && t / LIFE % 2,
      x->truncated[t][i] = ends && !x->terminated[t][i];
      x->next_obs[t][i] = (float)(10 * (t + 1) + i + (ends ? 1000 : 0));
      x->action[t][i] = 0.01f * (float)(t + 1), x->reward[t][i] = (float)t + 0.1f * (float)i;
    }
  x->h = (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = STEPS,
                     .rows = ROWS,
                     .stride = ROWS,
                     .begin = x->begin[0],
                     .obs = x->obs[0],
                     .action = x->action[0],
                     .reward = x->reward[0],
                     .true_reward = x->reward[0],
                     .next_obs = x->next_obs[0],
                     .terminated = x->terminated[0],
                     .truncated = x->truncated[0],
                     .samples = 2,
                     .belief = x->belief[0][0]};
  return x;
}

/* An inference that counts: after t steps of a window the belief of sample s is the sum of their
 * rewards, times s + 1; what it gets back it remembers. */
typedef struct Counting {
  HnTrainBatch l;
  HnRng rng;
  const HnHistory *asked;
  double handed[2];    /* sums of gradients, by sample */
  int handings, steps; /* how often it got something back; and took a step, each time after */
} Counting;

static inline HnStatus counting_infer(const HnTrainBatch *l, const HnHistory *h, int64_t samples,
                                      float *belief) {
  Counting *c = l->impl;
  c->asked = h;
  g_assert_cmpint(samples, ==, 2);
  for (int64_t i = 0; i < h->rows; i++) {
    double sum = 0;
    g_assert_cmpint(h->begin[i], ==, HN_NEW_TASK);
    for (int64_t t = 0; t <= h->steps; t++) {
      for (int s = 0; s < 2; s++) belief[(t * h->rows + i) * 2 + s] = (float)((s + 1) * sum);
      if (t < h->steps) sum += (double)h->reward[t * h->rows + i];
    }
  }
  return HN_OK;
}

static inline HnStatus counting_backward(const HnTrainBatch *l, const float *d_belief,
                                         double *norm2) {
  Counting *c = l->impl;
  for (int64_t k = 0; k < (c->asked->steps + 1) * c->asked->rows * 2; k++)
    c->handed[k % 2] += (double)d_belief[k];
  c->handings++, *norm2 = 0;
  return HN_OK;
}

static inline HnStatus counting_step(const HnTrainBatch *l, double scale, double rate) {
  Counting *c = l->impl;
  g_assert_true(scale == 1 && rate == 1);
  g_assert_cmpint(++c->steps, ==, c->handings);
  return HN_OK;
}

typedef struct Drawn {
  PolicyFixture *f;
  Sac *m;
  Life *life;
  Counting counting;
  SacDraw draw;
  SacBatch b;
} Drawn;

/* Nothing is drawn, and nothing is in the replay yet. */
static inline Drawn *drawn_new(const char *settings) {
  Drawn *x = g_new0(Drawn, 1);
  char *all = g_strdup_printf("hidden 4 batch_size 300 gamma 0.9 normalise_belief 0 %s", settings);
  x->f = open_sac(all, (HnPolicySpec){.obs_dim = 1,
                                      .belief_dim = 1,
                                      .action_dim = 1,
                                      .samples = 2,
                                      .horizon = 3,
                                      .lifetime = LIFE,
                                      .rows = ROWS,
                                      .steps = STEPS});
  x->m = x->f->self, x->life = life_new();
  x->counting = (Counting){.rng = hn_rng(5, 0)};
  x->counting.l = (HnTrainBatch){.struct_size = sizeof(HnTrainBatch),
                                 .impl = &x->counting,
                                 .rng = &x->counting.rng,
                                 .infer = counting_infer,
                                 .backward = counting_backward,
                                 .step = counting_step};
  g_free(all);
  return x;
}

static inline void drawn_draw(Drawn *x) {
  sac_draw_begin(x->m, &x->draw, true);
  g_assert_cmpint(sac_draw(x->m, &x->counting.l, &x->draw, &x->b), ==, HN_OK);
}

static inline Drawn *draw(const char *settings) {
  Drawn *x = drawn_new(settings);
  g_assert_cmpint(hn_trial_replay_append(&x->m->replay, &x->life->h), ==, HN_OK);
  drawn_draw(x);
  return x;
}

/* The life is learnt from. */
static inline void drawn_learn(Drawn *x) {
  const HnHistory *phase[] = {&x->life->h};
  x->counting.l.phases = 1, x->counting.l.phase = phase;
  g_assert_cmpint(x->f->method->learn(x->f->self, &x->counting.l), ==, HN_OK);
  policy_fixture_end_call(x->f);
}

static inline void drawn_free(Drawn *x) {
  g_free(x->life), policy_fixture_close(x->f), g_free(x);
}
#endif

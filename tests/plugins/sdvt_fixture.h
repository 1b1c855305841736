/* sdvt_fixture.h - the experience and weights of golden/sdvt/record_sdvt.py, and an instance of
 * SDVT on the fake host. */
#ifndef HN_TESTS_SDVT_FIXTURE_H
#define HN_TESTS_SDVT_FIXTURE_H
#include "../../plugins/inference/varibad/elbo.h"
#include "../../plugins/inference/varibad/mixture.h"
#include "../../plugins/inference/varibad/row.h"
#include "../../plugins/inference/varibad/virtual.h"
#include "cell_fixture.h"
#include "fake_host.h"
#include "numbers.h"
#include <glib.h>

enum { OBS = 2, ACT = 3, ROWS = 2, STEPS = 8 };

#define NETS                                                                                     \
  "latent: 3, hidden: 7, obs_embed: 4, act_embed: 3, reward_embed: 2, "                          \
  "head_layers: 6 5, dispersion_layers: 5 4, reward_layers: 6 5, state_layers: 5, "              \
  "elbo_terms: 5, decoded_steps: 4, dropout: 0.5, temperature: 0.8, batch: 2, "                  \
  "buffer: 8, start: 0, reward_weight: 2, state_weight: 3, gauss_weight: 0.7, cat_weight: 0.9, " \
  "occ_weight: 1.1, dispersion_weight: 3, virtual_low: -10"
#define SMALL NETS ", subtasks: 4"

extern const HnPlugin sdvt_LTX_hn_plugin;

/* STEPS steps of ROWS rows: trials of 8 and of 6 and 2 unfinished steps. */
typedef struct Experience {
  uint8_t begin[(STEPS + 1) * ROWS], none[STEPS * ROWS];
  float obs[(STEPS + 1) * ROWS * OBS], next[STEPS * ROWS * OBS];
  float action[STEPS * ROWS * ACT], reward[STEPS * ROWS];
} Experience;

static const uint8_t begins[ROWS][STEPS + 1] = {{2, 0, 0, 0, 1, 0, 0, 0, 2},
                                                {2, 0, 0, 1, 0, 0, 2, 0, 0}};

static inline Experience *experience_new(void) {
  Experience *x = g_new0(Experience, 1);
  for (int t = 0; t <= STEPS; t++)
    for (int i = 0; i < ROWS; i++) {
      int at = t * ROWS + i;
      x->begin[at] = begins[i][t];
      for (int j = 0; j < OBS; j++) {
        x->obs[at * OBS + j] =
            x->begin[at] ? (float)(0.1 * (j + 1)) : (float)sin(0.9 * t + 1.7 * j + 2.3 * i);
        if (t < STEPS) x->next[at * OBS + j] = (float)sin(0.9 * (t + 1) + 1.7 * j + 2.3 * i);
      }
      for (int j = 0; t < STEPS && j < ACT; j++)
        x->action[at * ACT + j] = (float)sin(1.1 * t + 0.6 * j + 0.4 * i);
      if (t < STEPS) x->reward[at] = (float)(1 + sin(0.5 * t + i));
    }
  return x;
}

/* Steps from .. from + steps - 1. */
static inline HnHistory window(const Experience *x, int64_t from, int64_t steps) {
  int64_t at = from * ROWS;
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = ROWS,
                     .stride = ROWS,
                     .begin = x->begin + at,
                     .obs = x->obs + at * OBS,
                     .action = x->action + at * ACT,
                     .reward = x->reward + at,
                     .true_reward = x->reward + at,
                     .next_obs = x->next + at * OBS,
                     .terminated = x->none,
                     .truncated = x->none};
}

typedef struct Fixture {
  FakeHost fake;
  HnPluginChoice part;
  Varibad v;
  HnBeliefSpec spec;
  HnRng rng;
  int64_t iteration, frames;
} Fixture;

static inline HnStatus fixture_try(Fixture *b, const char *settings, int64_t obs, int64_t act) {
  const HnHost *host = fake_host_open(&b->fake);
  b->part = part_of(&sdvt_LTX_hn_plugin, settings);
  b->rng = hn_rng(7, 1);
  b->spec = (HnBeliefSpec){.struct_size = sizeof(HnBeliefSpec),
                           .obs_dim = obs,
                           .action_dim = act,
                           .horizon = 4,
                           .lifetime = STEPS,
                           .episodes = STEPS,
                           .rows = ROWS,
                           .steps = STEPS,
                           .rng = &b->rng};
  return varibad_create(&b->v, host, b->part.params, &b->spec);
}

static inline Fixture *fixture_new(const char *settings) {
  Fixture *b = g_new0(Fixture, 1);
  HnStatus status = fixture_try(b, settings, OBS, ACT);
  g_assert_cmpstr(b->fake.error, ==, "");
  g_assert_cmpint(status, ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  return b;
}

static inline void fixture_free(Fixture *b) {
  fake_host_close(&b->fake);
  g_free(b->part.params), g_free(b);
}

/* Every weight as the script has it. */
static inline void set_weights(Fixture *b) {
  HnStore *store[] = {&b->v.encoder, &b->v.decoders};
  for (int s = 0; s < 2; s++) {
    for (int64_t k = 0; k < store[s]->count; k++) {
      HnTensor *w = &store[s]->tensor[k];
      int phase = 0;
      for (const char *c = w->name; *c; c++) phase += *c;
      for (int64_t i = 0; i < w->rows * w->cols; i++)
        w->data[i] = (float)(0.5 * sin(0.7 * (double)i + phase));
    }
    hn_store_refresh(store[s]);
  }
}

/* Learns from a window; belief: as acted on, or NULL. */
static inline void learn(Fixture *b, const HnHistory *h) {
  const HnHistory *phase[] = {h};
  b->frames += h->steps * h->rows;
  HnTrainBatch batch = {.struct_size = sizeof batch,
                        .iteration = b->iteration++,
                        .frames = b->frames,
                        .rng = &b->rng,
                        .phases = 1,
                        .phase = phase};
  g_assert_cmpint(varibad_learn_virtual(&b->v, &batch), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
}

/* Beliefs [T + 1, ROWS, S, D] along a window, on row memory and streams that go on. */
static inline float *infer(Fixture *b, const HnHistory *h, int64_t samples, void *state,
                           HnRng *rng) {
  HnBeliefUpdate q = {
      .struct_size = sizeof q, .history = h, .state = state, .samples = samples, .rng = rng};
  q.belief = g_new0(float, (h->steps + 1) * ROWS * MAX(samples, 1) * b->spec.belief_dim);
  g_assert_cmpint(varibad_infer(&b->v, &q), ==, HN_OK);
  fake_host_reset(&b->fake, (FakeMark){0});
  return q.belief;
}
#endif

/* laplace_steps.h - what an observation costs laplace_vrnn in trials of different lengths: acting
 * on samples, Markov precision, one input (its state does not grow, so neither may its cost). */
#ifndef LAPLACE_STEPS_H
#define LAPLACE_STEPS_H
#include "../tests/support/cell_fixture.h"
#include "../tests/support/fake_host.h"
#include <hunch/inference.h>

extern const HnPlugin laplace_vrnn_LTX_hn_plugin;

enum { STEP_ROWS = 16, STEP_SAMPLES = 10, STEP_ROUNDS = 7, STEP_OBS = 4 };

typedef struct Agent {
  FakeHost fake;
  const HnInference *methods;
  void *self;
  HnPluginChoice part;
  char *state;
  HnBeliefSpec spec;
  float *belief, *obs;
  HnRng rng[STEP_ROWS], weights;
} Agent;

static Agent *agent_new(void) {
  const HnPlugin *p = &laplace_vrnn_LTX_hn_plugin;
  Agent *a = room(1, sizeof *a);
  a->methods = p->methods, a->weights = hn_rng(5, 6);
  a->self = room((int64_t)p->self_size, 1), a->part = part_of(p, "");
  a->spec = (HnBeliefSpec){
      .struct_size = sizeof a->spec, .obs_dim = STEP_OBS, .action_dim = 1, .rng = &a->weights};
  if (a->methods->create(a->self, fake_host_open(&a->fake), a->part.params, &a->spec)) abort();
  a->state = room(STEP_ROWS, a->spec.row_size);
  a->belief = room(STEP_ROWS * STEP_SAMPLES * a->spec.belief_dim, sizeof(float));
  a->obs = noise(&a->weights, (STEP_ROWS + 1) * STEP_OBS, 1);
  fake_host_reset(&a->fake, (FakeMark){0});
  return a;
}

/* Microseconds a row and observation of a trial so long, one call an observation. */
static double time_trial(Agent *a, int64_t steps) {
  uint8_t begin[2 * STEP_ROWS] = {0};
  float act[2 * STEP_ROWS] = {0}, reward[2 * STEP_ROWS] = {0};
  memset(a->state, 0, STEP_ROWS * a->spec.row_size);
  for (int i = 0; i < STEP_ROWS; i++) a->rng[i] = hn_rng(7, (uint64_t)i);
  const double start = now();
  for (int64_t t = 0; t <= steps; t++) {
    memset(begin, t ? HN_KEEP : HN_NEW_TASK, sizeof begin);
    for (int i = 0; i < STEP_ROWS; i++) act[i] = (float)hn_rng_uniform(&a->rng[i], -1, 1);
    const HnHistory h = {.struct_size = sizeof h,
                         .rows = STEP_ROWS,
                         .stride = STEP_ROWS,
                         .begin = begin + STEP_ROWS,
                         .obs = a->obs + t % 2 * STEP_OBS,
                         .action = act + STEP_ROWS,
                         .reward = reward + STEP_ROWS};
    memcpy(act + STEP_ROWS, act, STEP_ROWS * sizeof *act);
    HnBeliefUpdate q = {.struct_size = sizeof q,
                        .history = &h,
                        .state = a->state,
                        .samples = STEP_SAMPLES,
                        .rng = a->rng,
                        .belief = a->belief};
    if (a->methods->infer(a->self, &q)) abort();
    fake_host_reset(&a->fake, (FakeMark){0});
  }
  return (now() - start) / ((double)(STEP_ROWS * (steps + 1)) * 1e-6);
}

static void bench_steps(void) {
  static const int64_t length[] = {200, 2000};
  Agent *a = agent_new();
  double time[2][STEP_ROUNDS], m[2];
  time_trial(a, 200); /* finds its memory */
  for (int r = 0; r < STEP_ROUNDS; r++)
    for (int i = 0; i < 2; i++) {
      const int64_t trials = length[1] / length[i]; /* as many observations in either */
      time[i][r] = 0;
      for (int64_t k = 0; k < trials; k++) time[i][r] += time_trial(a, length[i]) / (double)trials;
    }
  for (int i = 0; i < 2; i++) {
    qsort(time[i], STEP_ROUNDS, sizeof(double), ascending);
    m[i] = time[i][STEP_ROUNDS / 2];
  }
  printf("\nacting on %d samples, F 64, H 128, B 1, us a row and observation\n"
         "trial of 200   of 2000   ratio\n%12.1f  %8.1f  %6.3f\n",
         STEP_SAMPLES, m[0], m[1], m[1] / m[0]);
}
#endif

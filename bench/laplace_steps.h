/* laplace_steps.h - what a percept of laplace_vrnn costs in trials of different lengths: acting on
 * draws, Markov precision, one input (its state does not grow, so neither may its cost). */
#ifndef LAPLACE_STEPS_H
#define LAPLACE_STEPS_H
#include "../tests/support/fake_host.h"
#include <hunch/inference.h>

extern const HnPlugin laplace_vrnn_LTX_hn_plugin;

enum { STEP_ROWS = 16, STEP_SAMPLES = 10, STEP_ROUNDS = 7, STEP_OBS = 4 };

typedef struct Agent {
  FakeHost fake;
  const HnInference *methods;
  void *self;
  char *params, *state;
  HnBeliefSpec spec;
  float *belief, *obs;
  HnRng rng[STEP_ROWS], weights;
} Agent;

/* The plugin's defaults, as the host would fill them in: of a choice, its place among them. */
static char *presets(const HnPlugin *p) {
  char *params = room((int64_t)p->params_size, 1);
  for (uint32_t i = 0; i < p->param_count; i++) {
    const HnParam *k = &p->params[i];
    void *to = params + k->offset;
    if (k->kind == HN_REAL) *(double *)to = k->preset;
    if (k->kind == HN_INT) *(int64_t *)to = (int64_t)k->preset;
    if (k->kind == HN_FLAG) *(bool *)to = k->preset > 0;
    if (k->kind == HN_TEXT) *(const char **)to = k->text;
    if (k->kind != HN_CHOICE) continue;
    const size_t length = strlen(k->text);
    int32_t place = 0;
    const char *at = k->choices;
    while (strncmp(at, k->text, length) != 0 || (at[length] && at[length] != '|'))
      at = strchr(at, '|') + 1, place++;
    *(int32_t *)to = place;
  }
  return params;
}

static Agent *agent_new(void) {
  const HnPlugin *p = &laplace_vrnn_LTX_hn_plugin;
  Agent *a = room(1, sizeof *a);
  a->methods = p->methods, a->weights = hn_rng(5, 6);
  a->self = room((int64_t)p->self_size, 1), a->params = presets(p);
  a->spec = (HnBeliefSpec){
      .struct_size = sizeof a->spec, .obs_dim = STEP_OBS, .action_dim = 1, .rng = &a->weights};
  if (a->methods->create(a->self, fake_host_open(&a->fake), a->params, &a->spec)) abort();
  a->state = room(STEP_ROWS, a->spec.row_size);
  a->belief = room(STEP_ROWS * STEP_SAMPLES * a->spec.belief_dim, sizeof(float));
  a->obs = noise(&a->weights, (STEP_ROWS + 1) * STEP_OBS, 1);
  fake_host_reset(&a->fake, (FakeMark){0});
  return a;
}

/* Microseconds a row and percept of a trial so long, one call a percept. */
static double live(Agent *a, int64_t steps) {
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
  live(a, 200); /* finds its memory */
  for (int r = 0; r < STEP_ROUNDS; r++)
    for (int i = 0; i < 2; i++) {
      const int64_t trials = length[1] / length[i]; /* as many percepts in either */
      time[i][r] = 0;
      for (int64_t k = 0; k < trials; k++) time[i][r] += live(a, length[i]) / (double)trials;
    }
  for (int i = 0; i < 2; i++) {
    qsort(time[i], STEP_ROUNDS, sizeof(double), ascending);
    m[i] = time[i][STEP_ROUNDS / 2];
  }
  printf("\nacting on %d draws, F 64, H 128, B 1, us a row and percept\n"
         "trial of 200   of 2000   ratio\n%12.1f  %8.1f  %6.3f\n",
         STEP_SAMPLES, m[0], m[1], m[1] / m[0]);
}
#endif

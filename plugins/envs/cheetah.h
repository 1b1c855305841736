/* cheetah.h - a half-cheetah as a plugin, but for its tasks and what they pay.  A plugin includes
 * this after its parameters, among them horizon and start_noise, its columns, and TASK_DIM, the
 * numbers of a task; it defines choose and pay, and a create that calls cheetah_create. */
#ifndef CHEETAH_H
#define CHEETAH_H
#include "mujoco/half_cheetah.h"
#include <hunch/env.h>

typedef struct Row {
  HnCheetah body;
  double task[TASK_DIM];
} Row;

typedef struct Cheetah {
  const HnThisParams *p;
  HnSim sim;
} Cheetah;

/* Picks the task of row i, whose row memory is zero. */
static HnStatus choose(const Cheetah *e, const HnEnvBatch *b, int64_t i, double task[TASK_DIM]);
/* The reward of a step of that task.
 *   velocity  m/s, mean over the step        effort  sum of squared actions
 *   info      [info_count] out */
static double pay(const Cheetah *e, const double task[TASK_DIM], double velocity, double effort,
                  HnRng *rng, float *info);

static HnStatus cheetah_create(Cheetah *e, const HnHost *host, const void *params,
                               HnEnvSpec *spec) {
  e->p = params;
  spec->obs_dim = HN_CHEETAH_OBS, spec->action_dim = HN_CHEETAH_ACT, spec->task_dim = TASK_DIM;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  spec->step_seconds = HN_CHEETAH_SECONDS;
  return hn_cheetah_create(&e->sim, host, spec->rows);
}

static HnStatus cheetah_reset(void *self, HnEnvBatch *b) {
  const Cheetah *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    HnStatus s = b->begin[i] == HN_NEW_TASK ? choose(e, b, i, row->task) : HN_OK;
    if (!s) s = hn_cheetah_begin(&e->sim, b->first, e->p->start_noise, &b->rng[i], &row->body);
    if (s) return s;
    for (int k = 0; k < TASK_DIM; k++) b->task[i * TASK_DIM + k] = (float)row->task[k];
    hn_cheetah_observe(&row->body, b->obs + i * HN_CHEETAH_OBS);
  }
  return HN_OK;
}

static HnStatus cheetah_step(void *self, HnEnvBatch *b) {
  const Cheetah *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    double velocity, effort;
    HnStatus s = hn_cheetah_step(&e->sim, b->first, &row->body, b->action + i * HN_CHEETAH_ACT,
                                 &velocity, &effort);
    if (s) return s;
    b->reward[i] = (float)pay(e, row->task, velocity, effort, &b->rng[i], b->info + i * info_count);
    hn_cheetah_observe(&row->body, b->obs + i * HN_CHEETAH_OBS);
  }
  return HN_OK;
}

static HnStatus cheetah_render(void *self, const void *state, int64_t width, int64_t height,
                               uint8_t *rgb) {
  return hn_cheetah_render(&((const Cheetah *)self)->sim, &((const Row *)state)->body, width,
                           height, rgb);
}

static void cheetah_destroy(void *self) {
  hn_sim_destroy(&((Cheetah *)self)->sim);
}

#define CHEETAH_METHODS \
  .reset = cheetah_reset, .step = cheetah_step, .render = cheetah_render, .destroy = cheetah_destroy
#endif

/* cheetah_dir.c - a half-cheetah that must run forward or backward; which is the hidden task.
 *
 * reward = direction * velocity - control_cost * sum of squared actions, with velocity the mean
 * forward speed over the step and actions as given, before clipping.  Nothing terminates.
 * Observation: see mujoco/half_cheetah.h.  Task: direction, -1 or +1.  Task 0 is backward, task 1
 * forward; both splits have both.
 *
 * Source: Finn et al. 2017 (MAML); version of Zintgraf et al. 2020, VariBAD. */
#include "mujoco/half_cheetah.h"
#include "numbered.h"

#define PARAMS(X)                                                                                \
  X(int, horizon, "step", "Steps of 0.05 s per episode.", 200, 1, 100000)                        \
  X(real, control_cost, "", "What the sum of squared actions costs, per unit.", 0.05, 0, 100)    \
  X(real, start_noise, "", "Spread of joint angles (rad) and speeds (rad/s) at the start.", 0.1, \
    0, 1)
HN_PARAMS(PARAMS);
#define INFO(X) X(velocity, "m/s", "Forward velocity over the step.", HN_MEAN)
HN_INFO(INFO);

typedef struct Row {
  HnCheetah body;
  double direction;
} Row;

typedef struct CheetahDir {
  const HnThisParams *p;
  HnSim sim;
} CheetahDir;

enum { TASKS = 2 };

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  CheetahDir *e = self;
  e->p = params;
  spec->obs_dim = HN_CHEETAH_OBS, spec->act_dim = HN_CHEETAH_ACT, spec->task_dim = 1;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  return hn_cheetah_create(&e->sim, host, spec->rows);
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const CheetahDir *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) {
      HnStatus s = numbered_settle(e->sim.host, b, i, TASKS);
      if (s) return s;
      row->direction = b->task_index[i] == 0 ? -1 : 1;
    }
    b->task[i] = (float)row->direction;
    HnStatus s = hn_cheetah_begin(&e->sim, b->first, e->p->start_noise, &b->rng[i], &row->body);
    if (s) return s;
    hn_cheetah_observe(&row->body, b->obs + i * HN_CHEETAH_OBS);
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const CheetahDir *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    double velocity, effort;
    HnStatus s = hn_cheetah_step(&e->sim, b->first, &row->body, b->act + i * HN_CHEETAH_ACT,
                                 &velocity, &effort);
    if (s) return s;
    b->reward[i] = (float)(row->direction * velocity - e->p->control_cost * effort);
    b->info[i * info_count + info_velocity] = (float)velocity;
    hn_cheetah_observe(&row->body, b->obs + i * HN_CHEETAH_OBS);
  }
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  return (void)self, (void)split, TASKS;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  return (void)self, (void)split, k == 0 ? "backward" : "forward";
}

static HnStatus render(void *self, const void *state, int64_t width, int64_t height, uint8_t *rgb) {
  return hn_cheetah_render(&((const CheetahDir *)self)->sim, &((const Row *)state)->body, width,
                           height, rgb);
}

static void destroy(void *self) {
  hn_sim_destroy(&((CheetahDir *)self)->sim);
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count,
                              .task_name = task_name,
                              .render = render,
                              .destroy = destroy};
HN_PLUGIN(cheetah_dir, HN_KIND_ENV, CheetahDir, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Half-cheetah with a hidden direction (MuJoCo).",
          .source = "Finn et al. 2017, MAML; Zintgraf et al. 2020, VariBAD");

/* cheetah_dir.c - a half-cheetah that must run forward or backward; which is the hidden task.
 *
 * reward = direction * velocity - control_cost * sum of squared actions, with velocity the mean
 * forward speed over the step and actions as given, before clipping.  Nothing terminates.
 * Observation: see mujoco/half_cheetah.h.  Task: direction, -1 or +1.  Task 0 is backward, task 1
 * forward; both splits have both.
 *
 * Source: Finn et al. 2017 (MAML); version of Zintgraf et al. 2020, VariBAD. */
#include <hunch/tasks.h>

#define PARAMS(X)                                                                                \
  X(int, horizon, "step", "Steps of 0.05 s per episode.", 200, 1, 100000)                        \
  X(real, control_cost, "", "What the sum of squared actions costs, per unit.", 0.05, 0, 100)    \
  X(real, start_noise, "", "Spread of joint angles (rad) and speeds (rad/s) at the start.", 0.1, \
    0, 1)
HN_PARAMS(PARAMS);
#define INFO(X) X(velocity, "m/s", "Forward velocity over the step.", HN_MEAN)
HN_INFO(INFO);

enum { TASKS = 2, TASK_DIM = 1 };
#include "cheetah.h"

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  return cheetah_create(self, host, params, spec);
}

static HnStatus choose(const Cheetah *e, const HnEnvBatch *b, int64_t i, double task[TASK_DIM]) {
  HnStatus s = hn_task_settle(e->sim.host, b, i, TASKS);
  task[0] = b->task_index[i] == 0 ? -1 : 1;
  return s;
}

static double pay(const Cheetah *e, const double task[TASK_DIM], double velocity, double effort,
                  HnRng *rng, float *info) {
  (void)rng;
  info[info_velocity] = (float)velocity;
  return task[0] * velocity - e->p->control_cost * effort;
}

static int64_t task_count(void *self, int64_t split) {
  return (void)self, (void)split, TASKS;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  return (void)self, (void)split, k == 0 ? "backward" : "forward";
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .task_count = task_count,
                              .task_name = task_name,
                              CHEETAH_METHODS};
HN_PLUGIN(cheetah_dir, HN_KIND_ENV, Cheetah, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Half-cheetah with a hidden direction (MuJoCo).",
          .source = "Finn et al. 2017, MAML; Zintgraf et al. 2020, VariBAD");

/* cheetah_dir.c - a half-cheetah that must run forward or backward; which is the hidden task.
 *
 * reward = direction * velocity - ctrl_cost_weight * sum of squared actions, with velocity the mean
 * forward speed over the step.  With sparse_distance > 0 the first term is 0 in steps that end
 * nearer than that to x = 0, about which episodes start.  Nothing terminates.  Observation: see
 * mujoco/half_cheetah.h.  Task: direction, -1 or +1.  Task 0 is backward, task 1 forward; both
 * splits have both.
 *
 * Source: Finn et al. 2017 (MAML); version of Zintgraf et al. 2020, VariBAD; sparse: Zintgraf et
 * al. 2021, HyperX. */
#include "mujoco/half_cheetah.h"
#include <hunch/tasks.h>

#define PARAMS(X)                                                                                 \
  X(int, horizon, "step", "Episode length, in steps of 0.05 s.", 200, 1, 100000)                  \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared actions.", 0.05,  \
    0, 100)                                                                                       \
  X(real, sparse_distance, "m",                                                                   \
    "Distance from the start up to which velocity is not paid for (sparse reward); 0: it always " \
    "is.",                                                                                        \
    0, 0, 1000)                                                                                   \
  X(real, reset_noise_scale, "",                                                                  \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.1, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X) X(velocity, "m/s", "Mean forward velocity over the step.", HN_MEAN)
HN_INFO(INFO);

enum { TASKS = 2, TASK_DIM = 1 };

static HnStatus draw_task(const HnLocomotion *e, const HnEnvBatch *b, int64_t i,
                          const HnBodyRow *row) {
  HnStatus s = hn_task_settle(e->sim.host, b, i, TASKS);
  row->task[0] = b->task_index[i] == 0 ? -1 : 1;
  return s;
}

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double velocity = m->moved[0] / m->seconds;
  bool told = fabs(m->state[0]) >= p->sparse_distance;
  m->info[info_velocity] = (float)velocity;
  return (told ? m->task[0] * velocity : 0) - p->ctrl_cost_weight * m->effort;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  return hn_locomotion_create(self, host, params, spec,
                              (HnLocomotionTasks){.body = &hn_cheetah,
                                                  .horizon = p->horizon,
                                                  .start_noise = p->reset_noise_scale,
                                                  .task_dim = TASK_DIM,
                                                  .info_count = info_count,
                                                  .draw_task = draw_task,
                                                  .reward = reward});
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
                              HN_LOCOMOTION_METHODS};
HN_PLUGIN(cheetah_dir, HN_KIND_ENV, HnLocomotion, &methods, .flags = HN_ROW_CACHE, .version = "1.0",
          .license = "MIT", .info = hn_this_info,
          .renamed = "control_cost:ctrl_cost_weight start_noise:reset_noise_scale",
          .summary = "Half-cheetah with a hidden direction (MuJoCo).",
          .source = "Finn et al. 2017, MAML; Zintgraf et al. 2020, VariBAD");

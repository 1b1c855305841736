/* cheetah_sparse.c - a half-cheetah that must run at a hidden velocity and is paid only near it.
 *
 * A step whose velocity is within `band` of the target pays 1 - |velocity - target|, any other 0;
 * of both, ctrl_cost_weight times the sum of squared actions is taken off, with velocity the mean
 * forward speed over the step.  The target is uniform in [velocity_low, velocity_high).  Nothing
 * terminates.  Observation: see mujoco/half_cheetah.h.  Task: target velocity.  Tasks are drawn,
 * not numbered; both splits draw from the same distribution.
 *
 * The tasks are those of cheetah_vel; the reward is to its reward what that of point_robot is to
 * the distance. */
#include "mujoco/half_cheetah.h"

#define PARAMS(X)                                                                                \
  X(int, horizon, "step", "Episode length, in steps of 0.05 s.", 200, 1, 100000)                 \
  X(real, velocity_low, "m/s", "Lower end of the range of target velocities.", 0.0, -100, 100)   \
  X(real, velocity_high, "m/s", "Upper end of the range of target velocities.", 3.0, -100, 100)  \
  X(real, band, "m/s", "Largest distance from the target velocity at which a step is rewarded.", \
    0.5, 0.001, 1)                                                                               \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared actions.", 0.05, \
    0, 100)                                                                                      \
  X(real, reset_noise_scale, "",                                                                 \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.1, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                       \
  X(velocity, "m/s", "Mean forward velocity over the step.", HN_MEAN) \
  X(success, "", "Whether the velocity was within the band.", HN_MAX) \
  X(inside, "", "Fraction of steps with the velocity within the band.", HN_MEAN)
HN_INFO(INFO);

enum { TASK_DIM = 1 };

static HnStatus draw_task(const HnLocomotion *e, const HnEnvBatch *b, int64_t i,
                          const HnBodyRow *row) {
  const HnThisParams *p = e->params;
  row->task[0] = hn_rng_uniform(&b->rng[i], p->velocity_low, p->velocity_high);
  return HN_OK;
}

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double velocity = m->moved[0] / m->seconds;
  double off = fabs(velocity - m->task[0]);
  bool inside = off <= p->band;
  m->info[info_velocity] = (float)velocity;
  m->info[info_success] = m->info[info_inside] = inside ? 1 : 0;
  return (inside ? 1 - off : 0) - p->ctrl_cost_weight * m->effort;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  if (p->velocity_low > p->velocity_high)
    return host->fail(host, HN_E_PARAM, "velocity_low %g is above velocity_high %g",
                      p->velocity_low, p->velocity_high);
  return hn_locomotion_create(self, host, params, spec,
                              (HnLocomotionTasks){.body = &hn_cheetah,
                                                  .horizon = p->horizon,
                                                  .start_noise = p->reset_noise_scale,
                                                  .task_dim = TASK_DIM,
                                                  .info_count = info_count,
                                                  .draw_task = draw_task,
                                                  .reward = reward});
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, HN_LOCOMOTION_METHODS};
HN_PLUGIN(cheetah_sparse, HN_KIND_ENV, HnLocomotion, &methods, .flags = HN_ROW_CACHE,
          .version = "1.0", .license = "MIT", .info = hn_this_info,
          .renamed = "control_cost:ctrl_cost_weight start_noise:reset_noise_scale",
          .summary = "Half-cheetah paid only near a hidden target velocity (MuJoCo).",
          .source = "tasks of Finn et al. 2017, MAML; reward as in VariBAD's sparse point robot");

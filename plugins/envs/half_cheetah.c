/* half_cheetah.c - the half-cheetah that runs as fast as it can: one task, which is no secret, so
 * that policy learners can be held against results published elsewhere.
 *
 * reward = forward_reward_weight * velocity - ctrl_cost_weight * sum of squared actions, with
 * velocity the mean forward speed over the step.  Nothing terminates.  Observation [17]: that of
 * mujoco/half_cheetah.h without the torso's place.
 *
 * Source: Gymnasium's HalfCheetah-v4. */
#include "mujoco/half_cheetah.h"

#define PARAMS(X)                                                                                  \
  X(int, horizon, "step", "Episode length, in steps of 0.05 s.", 1000, 1, 100000)                  \
  X(real, forward_reward_weight, "", "Weight of the forward velocity.", 1, 0, 100)                 \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared actions.", 0.1, 0, \
    100)                                                                                           \
  X(real, reset_noise_scale, "",                                                                   \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.1, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X) X(velocity, "m/s", "Mean forward velocity over the step.", HN_MEAN)
HN_INFO(INFO);

static HnStatus draw_task(const HnLocomotion *e, const HnEnvBatch *b, int64_t i,
                          const HnBodyRow *row) {
  return (void)e, (void)b, (void)i, (void)row, HN_OK;
}

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double velocity = m->moved[0] / m->seconds;
  m->info[info_velocity] = (float)velocity;
  return p->forward_reward_weight * velocity - p->ctrl_cost_weight * m->effort;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  return hn_locomotion_create(self, host, params, spec,
                              (HnLocomotionTasks){.body = &hn_cheetah_placeless,
                                                  .horizon = p->horizon,
                                                  .start_noise = p->reset_noise_scale,
                                                  .info_count = info_count,
                                                  .draw_task = draw_task,
                                                  .reward = reward});
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, HN_LOCOMOTION_METHODS};
HN_PLUGIN(half_cheetah, HN_KIND_ENV, HnLocomotion, &methods, .flags = HN_ROW_CACHE,
          .version = "1.0", .license = "MIT", .info = hn_this_info,
          .summary = "Half-cheetah that runs as fast as it can, a single task (MuJoCo).",
          .source = "Gymnasium HalfCheetah-v4; Wawrzynski 2009");

/* walker_friction_gravity.c - a walker that must run forward although friction and gravity are
 * hidden.
 *
 * reward = velocity + healthy_reward - ctrl_cost_weight * sum of squared actions, with velocity the
 * mean forward speed over the step.  A walker that falls is done: see hn_walker_stands.
 * Observation: see mujoco/walker.h.  Task, of 1 to 8 numbers: see mujoco/friction_gravity.h; bodies
 * are the torso, then thigh, shin and foot of the right and of the left leg.  Tasks are drawn, not
 * numbered; both splits draw from the same distribution.
 *
 * Source: the body and the reward of walker_rand_params, with tasks of ours. */
#include "mujoco/friction_gravity.h"
#include "mujoco/walker.h"

#define PARAMS(X)                                                                                \
  X(int, horizon, "step", "Episode length, in steps of 0.016 s.", 200, 1, 100000)                \
  HN_FRICTION_GRAVITY_PARAMS(X)                                                                  \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared actions.", 1e-3, \
    0, 100)                                                                                      \
  X(real, healthy_reward, "", "Constant reward of every step.", 1.0, -100, 100)                  \
  X(real, reset_noise_scale, "",                                                                 \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.005, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X) X(velocity, "m/s", "Mean forward velocity over the step.", HN_MEAN)
HN_INFO(INFO);

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double velocity = m->moved[0] / m->seconds;
  m->terminated = !hn_walker_stands(m->state);
  m->info[info_velocity] = (float)velocity;
  return velocity + p->healthy_reward - p->ctrl_cost_weight * m->effort;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  HnBody body = hn_walker;
  body.extra = 0; /* masses and what follows from them stay as compiled */
  return hn_friction_gravity_create(
      self, host, params, spec,
      (HnScales){p->friction, p->gravity, p->friction_scale, p->gravity_scale},
      (HnLocomotionTasks){.body = &body,
                          .horizon = p->horizon,
                          .start_noise = p->reset_noise_scale,
                          .info_count = info_count,
                          .reward = reward});
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, HN_LOCOMOTION_METHODS};
HN_PLUGIN(walker_friction_gravity, HN_KIND_ENV, HnFrictionGravity, &methods, .flags = HN_ROW_CACHE,
          .version = "1.0", .license = "MIT", .info = hn_this_info,
          .summary = "Walker with hidden friction and gravity (MuJoCo).",
          .source = "body and reward of Rakelly et al. 2019, PEARL; tasks of our own");

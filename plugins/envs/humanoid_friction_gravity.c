/* humanoid_friction_gravity.c - a humanoid that must run forward although friction and gravity are
 * hidden.
 *
 * reward = forward_reward_weight * move / 0.003 s - ctrl_cost_weight * sum of squared controls
 *          - min(contact_cost_weight * sum of squared contact forces, 10) + healthy_reward,
 * with move the step's displacement of the centre of mass along x and controls 0.4 times the
 * actions: what humanoid_dir pays in that direction.  A humanoid whose torso leaves [1, 2] m of
 * height is done.  Observation: see mujoco/humanoid.h.  Task, of 1 to 14 numbers: see
 * mujoco/friction_gravity.h; bodies are torso, waist, pelvis, then thigh, shin and foot of the
 * right and of the left leg, then upper and lower arm, right and left.  Tasks are drawn, not
 * numbered; both splits draw from the same distribution.
 *
 * use_contact_forces: see hn_sim_forces in mujoco/sim.h.
 *
 * Source: the body and the reward of Gymnasium's Humanoid, with tasks of ours. */
#include "mujoco/friction_gravity.h"
#include "mujoco/humanoid.h"

#define PARAMS(X)                                                                                 \
  X(int, horizon, "step", "Episode length, in steps of 0.015 s.", 200, 1, 100000)                 \
  HN_FRICTION_GRAVITY_PARAMS(X)                                                                   \
  X(real, forward_reward_weight, "",                                                              \
    "Weight of the forward reward, a step's displacement over 0.003 s.", 0.25, 0, 100)            \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared controls.", 0.1,  \
    0, 100)                                                                                       \
  X(real, contact_cost_weight, "",                                                                \
    "Weight of the contact cost, the sum of squared contact forces; weighted, it is at most 10.", \
    5e-7, 0, 100)                                                                                 \
  X(real, healthy_reward, "", "Constant reward of every step.", 5.0, -100, 100)                   \
  X(flag, use_contact_forces, "", "Contact forces count; if false they are zero.", true)          \
  X(real, reset_noise_scale, "",                                                                  \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.01, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                               \
  X(velocity, "m/s", "Mean velocity of the centre of mass along x.", HN_MEAN) \
  X(contact_cost, "", "Contact cost, weighted.", HN_SUM)
HN_INFO(INFO);

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double contact = fmin(p->contact_cost_weight * m->impact, 10);
  m->terminated = !hn_humanoid_stands(m->state);
  m->info[info_velocity] = (float)(m->moved[0] / m->seconds);
  m->info[info_contact_cost] = (float)contact;
  return p->forward_reward_weight * m->moved[0] / hn_humanoid.time_step -
         p->ctrl_cost_weight * m->effort - contact + p->healthy_reward;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  return hn_friction_gravity_create(
      self, host, params, spec,
      (HnScales){p->friction, p->gravity, p->friction_scale, p->gravity_scale},
      (HnLocomotionTasks){.body = &hn_humanoid,
                          .horizon = p->horizon,
                          .start_noise = p->reset_noise_scale,
                          .contact_forces = p->use_contact_forces,
                          .info_count = info_count,
                          .reward = reward});
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, HN_LOCOMOTION_METHODS};
HN_PLUGIN(humanoid_friction_gravity, HN_KIND_ENV, HnFrictionGravity, &methods,
          .flags = HN_ROW_CACHE, .version = "1.0", .license = "MIT", .info = hn_this_info,
          .summary = "Humanoid with hidden friction and gravity (MuJoCo).",
          .source = "body and reward of Gymnasium's Humanoid; tasks of our own");

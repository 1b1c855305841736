/* humanoid_dir.c - a humanoid that must run in a hidden direction.
 *
 * reward = forward_reward_weight * move / 0.003 s - ctrl_cost_weight * sum of squared controls
 *          - min(contact_cost_weight * sum of squared contact forces, 10) + healthy_reward,
 * with move the step's displacement of the centre of mass along the direction and controls 0.4
 * times the actions.  A step is five time steps of 0.003 s, so that the first term pays five times
 * the speed; so do Gym's humanoid and VariBAD's.  A humanoid whose torso leaves [1, 2] m of height
 * is done.  Observation: see mujoco/humanoid.h.  Task: the direction as a unit vector [2], its
 * angle uniform on the circle.  Tasks are drawn, not numbered; both splits draw from the same
 * distribution.
 *
 * use_contact_forces: see hn_sim_forces in mujoco/sim.h.  With MuJoCo 2.0, VariBAD's code reads
 * zeros.
 *
 * Source: Rakelly et al. 2019 (PEARL); version of Zintgraf et al. 2020, VariBAD. */
#include "mujoco/humanoid.h"

#define PARAMS(X)                                                                                 \
  X(int, horizon, "step", "Episode length, in steps of 0.015 s.", 200, 1, 100000)                 \
  X(real, forward_reward_weight, "",                                                              \
    "Weight of the forward reward, a step's displacement over 0.003 s.", 0.25, 0, 100)            \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared controls.", 0.1,  \
    0, 100)                                                                                       \
  X(real, contact_cost_weight, "",                                                                \
    "Weight of the contact cost, the sum of squared contact forces; weighted, it is at most 10.", \
    5e-7, 0, 100)                                                                                 \
  X(real, healthy_reward, "", "Constant reward of every step.", 5.0, -100, 100)                   \
  X(flag, use_contact_forces, "",                                                                 \
    "Contact forces count; if false they are zero, as with MuJoCo 2.0 in VariBAD's code.", true)  \
  X(real, reset_noise_scale, "",                                                                  \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.01, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                           \
  X(velocity, "m/s", "Mean velocity of the centre of mass along the direction.", HN_MEAN) \
  X(contact_cost, "", "Contact cost, weighted.", HN_SUM)
HN_INFO(INFO);

enum { TASK_DIM = 2 };

static HnStatus draw_task(const HnLocomotion *e, const HnEnvBatch *b, int64_t i,
                          const HnBodyRow *row) {
  double angle = hn_rng_uniform(&b->rng[i], 0, 6.283185307179586);
  (void)e;
  row->task[0] = cos(angle), row->task[1] = sin(angle);
  return HN_OK;
}

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double along = (m->moved[0] * m->task[0] + m->moved[1] * m->task[1]) / hn_humanoid.time_step;
  double contact = fmin(p->contact_cost_weight * m->impact, 10);
  m->terminated = !hn_humanoid_stands(m->state);
  m->info[info_velocity] = (float)(along / hn_humanoid.frames);
  m->info[info_contact_cost] = (float)contact;
  return p->forward_reward_weight * along - p->ctrl_cost_weight * m->effort - contact +
         p->healthy_reward;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  return hn_locomotion_create(self, host, params, spec,
                              (HnLocomotionTasks){.body = &hn_humanoid,
                                                  .horizon = p->horizon,
                                                  .start_noise = p->reset_noise_scale,
                                                  .contact_forces = p->use_contact_forces,
                                                  .task_dim = TASK_DIM,
                                                  .info_count = info_count,
                                                  .draw_task = draw_task,
                                                  .reward = reward});
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, HN_LOCOMOTION_METHODS};
HN_PLUGIN(humanoid_dir, HN_KIND_ENV, HnLocomotion, &methods, .flags = HN_ROW_CACHE,
          .version = "1.0", .license = "MIT", .info = hn_this_info,
          .renamed = "velocity_reward:forward_reward_weight control_cost:ctrl_cost_weight "
                     "contact_cost:contact_cost_weight survive_reward:healthy_reward "
                     "contact_forces:use_contact_forces start_noise:reset_noise_scale",
          .summary = "Humanoid with a hidden direction (MuJoCo).",
          .source = "Rakelly et al. 2019, PEARL; Zintgraf et al. 2020, VariBAD");

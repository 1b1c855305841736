/* ant_goal.c - an ant that must reach a hidden place on the floor and stay there.
 *
 * reward = -(|x - goal x| + |y - goal y|) - ctrl_cost_weight * sum of squared actions
 *          - contact_cost_weight * sum of squared contact forces,
 * with (x, y) the torso's place and each number of each contact force clipped to [-1, 1].  The goal
 * is uniform in a disc of radius goal_radius about the start.  With sparse_radius > 0 the first
 * term is instead 1 - d within that distance d of the goal, and -sparse_radius beyond.  Nothing
 * terminates.  Observation: qpos [15], qvel [14], clipped contact forces [84].  Task: the goal's x
 * and y.  Tasks are drawn, not numbered; both splits draw from the same distribution.
 *
 * The torso's place is that of the pose that the step ends with.  VariBAD's code and Gymnasium read
 * what MuJoCo computed on the way into the last of the step's time steps, 0.01 s earlier.
 *
 * use_contact_forces: see hn_sim_forces in mujoco/sim.h.  VariBAD asks for MuJoCo 1.50 here,
 * because under 2.0 its code reads zeros.
 *
 * Source: Rakelly et al. 2019 (PEARL); version of Zintgraf et al. 2020, VariBAD; sparse: Zintgraf
 * et al. 2021, HyperX. */
#include "mujoco/ant.h"

#define PARAMS(X)                                                                                  \
  X(int, horizon, "step", "Episode length, in steps of 0.05 s.", 200, 1, 100000)                   \
  X(real, goal_radius, "m", "Radius of the disc of goals about the start.", 3.0, 0, 30)            \
  X(real, sparse_radius, "m",                                                                      \
    "Distance from the goal up to which the reward tells it (sparse reward); 0: at any distance.", \
    0, 0, 30)                                                                                      \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared actions.", 0.1, 0, \
    100)                                                                                           \
  X(real, contact_cost_weight, "",                                                                 \
    "Weight of the contact cost, the sum of squared contact forces, each clipped to [-1, 1].",     \
    5e-4, 0, 100)                                                                                  \
  X(flag, use_contact_forces, "",                                                                  \
    "Contact forces count; if false they are zero, as with MuJoCo 2.0 in VariBAD's code.", true)   \
  X(real, reset_noise_scale, "",                                                                   \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.1, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                              \
  X(distance, "m", "Euclidean distance from the torso to the goal after the step.", HN_LAST) \
  X(contact_cost, "", "Contact cost, weighted.", HN_SUM)
HN_INFO(INFO);

enum { TASK_DIM = 2 };

static HnStatus draw_task(const HnLocomotion *e, const HnEnvBatch *b, int64_t i,
                          const HnBodyRow *row) {
  const HnThisParams *p = e->params;
  double angle = hn_rng_uniform(&b->rng[i], 0, 6.283185307179586);
  double radius = p->goal_radius * sqrt(hn_rng_uniform(&b->rng[i], 0, 1));
  row->task[0] = radius * cos(angle), row->task[1] = radius * sin(angle);
  return HN_OK;
}

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double contact = p->contact_cost_weight * m->impact;
  double dx = m->state[0] - m->task[0], dy = m->state[1] - m->task[1];
  double distance = hypot(dx, dy), paid = -fabs(dx) - fabs(dy);
  if (p->sparse_radius > 0) paid = distance <= p->sparse_radius ? 1 - distance : -p->sparse_radius;
  m->info[info_distance] = (float)distance;
  m->info[info_contact_cost] = (float)contact;
  return paid - p->ctrl_cost_weight * m->effort - contact;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  return hn_locomotion_create(self, host, params, spec,
                              (HnLocomotionTasks){.body = &hn_ant_whole,
                                                  .horizon = p->horizon,
                                                  .start_noise = p->reset_noise_scale,
                                                  .contact_forces = p->use_contact_forces,
                                                  .is_place = true,
                                                  .task_dim = TASK_DIM,
                                                  .info_count = info_count,
                                                  .draw_task = draw_task,
                                                  .reward = reward});
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, HN_LOCOMOTION_METHODS};
HN_PLUGIN(ant_goal, HN_KIND_ENV, HnLocomotion, &methods, .flags = HN_ROW_CACHE, .version = "1.0",
          .license = "MIT", .info = hn_this_info,
          .renamed = "control_cost:ctrl_cost_weight contact_cost:contact_cost_weight "
                     "contact_forces:use_contact_forces start_noise:reset_noise_scale",
          .summary = "Ant with a hidden goal on the floor (MuJoCo).",
          .source = "Rakelly et al. 2019, PEARL; Zintgraf et al. 2020, VariBAD");

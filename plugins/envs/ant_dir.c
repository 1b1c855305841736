/* ant_dir.c - an ant that must run in a hidden direction.
 *
 * reward = velocity along the direction - ctrl_cost_weight * sum of squared actions
 *          - contact_cost_weight * sum of squared contact forces + healthy_reward,
 * with velocity the torso's mean over the step and each number of each contact force clipped to
 * [-1, 1].  An ant whose torso leaves [0.2, 1] m of height is done.  Observation: qpos without x
 * and y [13], qvel [14].  Task: the direction as a unit vector [2].  Both splits have the same
 * tasks.
 *
 * The code of VariBAD draws "directions" of -1 and +1 for forward and backward and takes their
 * cosine and sine, so that its two tasks are 57 degrees to the right and to the left and both are
 * mostly forward.  That is `direction: upstream`; the default is what the paper says.
 *
 * The torso's place is that of the pose that the step ends with.  VariBAD's code and Gymnasium read
 * what MuJoCo computed on the way into the last of the step's time steps, 0.01 s earlier.
 *
 * use_contact_forces: see hn_sim_forces in mujoco/sim.h.  VariBAD asks for MuJoCo 1.50, which
 * computed them unasked, and allows 2.0, under which its contact cost is zero.
 *
 * Source: Finn et al. 2017 (MAML); version of Zintgraf et al. 2020, VariBAD. */
#include "mujoco/ant.h"
#include <hunch/tasks.h>

#define PARAMS(X)                                                                                  \
  X(int, horizon, "step", "Episode length, in steps of 0.05 s.", 200, 1, 100000)                   \
  X(choice, direction, "",                                                                         \
    "Distribution of directions: forward or backward, any, or one radian to either side as in "    \
    "VariBAD's code.",                                                                             \
    "forward_backward", "forward_backward|uniform|upstream")                                       \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared actions.", 0.5, 0, \
    100)                                                                                           \
  X(real, contact_cost_weight, "",                                                                 \
    "Weight of the contact cost, the sum of squared contact forces, each clipped to [-1, 1].",     \
    5e-4, 0, 100)                                                                                  \
  X(real, healthy_reward, "", "Constant reward of every step.", 1.0, -100, 100)                    \
  X(flag, use_contact_forces, "",                                                                  \
    "Contact forces count; if false they are zero, as with MuJoCo 2.0 in VariBAD's code.", true)   \
  X(real, reset_noise_scale, "",                                                                   \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.1, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                   \
  X(velocity, "m/s", "Mean velocity along the direction over the step.", HN_MEAN) \
  X(contact_cost, "", "Contact cost, weighted.", HN_SUM)
HN_INFO(INFO);

enum { TASKS = 2, TASK_DIM = 2 };
enum { FORWARD_BACKWARD, UNIFORM, UPSTREAM };

static int32_t kind(const void *self) {
  return ((const HnThisParams *)((const HnLocomotion *)self)->params)->direction;
}

static int64_t task_count(void *self, int64_t split) {
  return (void)split, kind(self) == UNIFORM ? 0 : TASKS;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  static const char *const names[][TASKS] = {
      [FORWARD_BACKWARD] = {"backward", "forward"}, [UPSTREAM] = {"right", "left"}};
  return (void)split, names[kind(self)][k];
}

/* A unit vector. */
static HnStatus draw_task(const HnLocomotion *e, const HnEnvBatch *b, int64_t i,
                          const HnBodyRow *row) {
  HnStatus s = hn_task_settle(e->sim.host, b, i, kind(e) == UNIFORM ? 0 : TASKS);
  if (s) return s;
  double side = b->task_index[i] == 0 ? -1 : 1;
  double angle = kind(e) == UNIFORM ? hn_rng_uniform(&b->rng[i], 0, 6.283185307179586) : side;
  bool along = kind(e) == FORWARD_BACKWARD;
  row->task[0] = along ? side : cos(angle);
  row->task[1] = along ? 0 : sin(angle);
  return HN_OK;
}

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double velocity = (m->moved[0] * m->task[0] + m->moved[1] * m->task[1]) / m->seconds;
  double contact = p->contact_cost_weight * m->impact, height = m->state[2];
  m->terminated = !(height >= 0.2 && height <= 1);
  m->info[info_velocity] = (float)velocity;
  m->info[info_contact_cost] = (float)contact;
  return velocity - p->ctrl_cost_weight * m->effort - contact + p->healthy_reward;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  return hn_locomotion_create(self, host, params, spec,
                              (HnLocomotionTasks){.body = &hn_ant,
                                                  .horizon = p->horizon,
                                                  .start_noise = p->reset_noise_scale,
                                                  .contact_forces = p->use_contact_forces,
                                                  .task_dim = TASK_DIM,
                                                  .info_count = info_count,
                                                  .draw_task = draw_task,
                                                  .reward = reward});
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .task_count = task_count,
                              .task_name = task_name,
                              HN_LOCOMOTION_METHODS};
HN_PLUGIN(ant_dir, HN_KIND_ENV, HnLocomotion, &methods, .flags = HN_ROW_CACHE, .version = "1.0",
          .license = "MIT", .info = hn_this_info,
          .renamed = "control_cost:ctrl_cost_weight contact_cost:contact_cost_weight "
                     "survive_reward:healthy_reward contact_forces:use_contact_forces "
                     "start_noise:reset_noise_scale",
          .summary = "Ant with a hidden direction (MuJoCo).",
          .source = "Finn et al. 2017, MAML; Zintgraf et al. 2020, VariBAD");

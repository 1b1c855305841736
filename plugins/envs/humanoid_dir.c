/* humanoid_dir.c - a humanoid that must run in a hidden direction.
 *
 * reward = velocity_reward * move / 0.003 s - control_cost * sum of squared controls
 *          - min(contact_cost * sum of squared contact forces, 10) + survive_reward,
 * with move the step's displacement of the centre of mass along the direction and controls 0.4
 * times the actions as given, before clipping.  A step is five time steps of 0.003 s, so that the
 * first term pays five times the speed; so do Gym's humanoid and VariBAD's.  A humanoid whose torso
 * leaves [1, 2] m of height is done.  Observation: see mujoco/humanoid.h.  Task: the direction as a
 * unit vector [2], its angle uniform on the circle.  Tasks are drawn, not numbered; both splits
 * draw from the same distribution.
 *
 * contact_forces: see hn_sim_forces in mujoco/sim.h.  With MuJoCo 2.0, VariBAD's code reads zeros.
 *
 * Source: Rakelly et al. 2019 (PEARL); version of Zintgraf et al. 2020, VariBAD. */
#include "mujoco/humanoid.h"
#include <hunch/env.h>

#define PARAMS(X)                                                                                  \
  X(int, horizon, "step", "Steps of 0.015 s per episode.", 200, 1, 100000)                         \
  X(real, velocity_reward, "", "Reward of the displacement in a step over 0.003 s.", 0.25, 0, 100) \
  X(real, control_cost, "", "What the sum of squared controls costs, per unit.", 0.1, 0, 100)      \
  X(real, contact_cost, "", "Cost of the sum of squared contact forces, up to 10.", 5e-7, 0, 100)  \
  X(real, survive_reward, "", "Reward of every step, for being there.", 5.0, -100, 100)            \
  X(flag, contact_forces, "", "Off: they count as zero, as with MuJoCo 2.0 in VariBAD's code.",    \
    true)                                                                                          \
  X(real, start_noise, "", "Spread of the pose (m, rad) and speeds (m/s, rad/s) at the start.",    \
    0.01, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                           \
  X(velocity, "m/s", "Mean velocity of the centre of mass along the direction.", HN_MEAN) \
  X(contact_cost, "", "What contact forces took off the reward.", HN_SUM)
HN_INFO(INFO);

typedef struct Row {
  HnHumanoid body;
  double x, y; /* the direction, a unit vector */
} Row;

typedef struct HumanoidDir {
  const HnThisParams *p;
  HnSim sim;
} HumanoidDir;

enum { TASK_DIM = 2 };

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  HumanoidDir *e = self;
  e->p = params;
  spec->obs_dim = HN_HUMANOID_OBS, spec->action_dim = HN_HUMANOID_ACT, spec->task_dim = TASK_DIM;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  spec->step_seconds = HN_HUMANOID_FRAMES * HN_HUMANOID_TIME_STEP;
  return hn_humanoid_create(&e->sim, host, spec->rows);
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const HumanoidDir *e = self;
  const HnThisParams *p = e->p;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) {
      double angle = hn_rng_uniform(&b->rng[i], 0, 6.283185307179586);
      row->x = cos(angle), row->y = sin(angle);
    }
    b->task[i * TASK_DIM] = (float)row->x, b->task[i * TASK_DIM + 1] = (float)row->y;
    HnStatus s = hn_humanoid_begin(&e->sim, b->first, p->start_noise, p->contact_forces, &b->rng[i],
                                   &row->body, b->obs + i * HN_HUMANOID_OBS);
    if (s) return s;
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const HumanoidDir *e = self;
  const HnThisParams *p = e->p;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    double move[2], effort, impact;
    HnStatus s = hn_humanoid_step(&e->sim, b->first, p->contact_forces, &row->body,
                                  b->action + i * HN_HUMANOID_ACT, b->obs + i * HN_HUMANOID_OBS,
                                  move, &effort, &impact);
    if (s) return s;
    double along = (move[0] * row->x + move[1] * row->y) / HN_HUMANOID_TIME_STEP;
    double contact = fmin(p->contact_cost * impact, 10);
    b->reward[i] = (float)(p->velocity_reward * along - p->control_cost * effort - contact +
                           p->survive_reward);
    double height = row->body.state[2];
    b->terminated[i] = height < 1 || height > 2;
    b->info[i * info_count + info_velocity] = (float)(along / HN_HUMANOID_FRAMES);
    b->info[i * info_count + info_contact_cost] = (float)contact;
  }
  return HN_OK;
}

static HnStatus render(void *self, const void *state, int64_t width, int64_t height, uint8_t *rgb) {
  const HumanoidDir *e = self;
  const Row *row = state;
  return hn_humanoid_render(&e->sim, &row->body, width, height, rgb);
}

static void destroy(void *self) {
  hn_sim_destroy(&((HumanoidDir *)self)->sim);
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .render = render,
                              .destroy = destroy};
HN_PLUGIN(humanoid_dir, HN_KIND_ENV, HumanoidDir, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Humanoid with a hidden direction (MuJoCo).",
          .source = "Rakelly et al. 2019, PEARL; Zintgraf et al. 2020, VariBAD");

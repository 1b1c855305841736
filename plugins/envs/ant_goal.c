/* ant_goal.c - an ant that must reach a hidden place on the floor and stay there.
 *
 * reward = -(|x - goal x| + |y - goal y|) - control_cost * sum of squared actions
 *          - contact_cost * sum of squared contact forces,
 * with (x, y) the torso's place, actions as given, before clipping, and each number of each contact
 * force clipped to [-1, 1].  The goal is uniform in a disc of radius goal_radius about the start.
 * Nothing terminates.  Observation: qpos [15], qvel [14], clipped contact forces [84].  Task: the
 * goal's x and y.  Tasks are drawn, not numbered; both splits draw from the same distribution.
 *
 * contact_forces: see hn_sim_forces in mujoco/sim.h.  VariBAD asks for MuJoCo 1.50 here, because
 * under 2.0 its code reads zeros.
 *
 * Source: Rakelly et al. 2019 (PEARL); version of Zintgraf et al. 2020, VariBAD. */
#include "mujoco/ant.h"
#include <hunch/env.h>

#define PARAMS(X)                                                                                \
  X(int, horizon, "step", "Steps of 0.05 s per episode.", 200, 1, 100000)                        \
  X(real, goal_radius, "m", "Farthest goal from the start.", 3.0, 0, 30)                         \
  X(real, control_cost, "", "What the sum of squared actions costs, per unit.", 0.1, 0, 100)     \
  X(real, contact_cost, "", "Cost of the sum of squared, clipped contact forces.", 5e-4, 0, 100) \
  X(flag, contact_forces, "", "Off: they count as zero, as with MuJoCo 2.0 in VariBAD's code.",  \
    true)                                                                                        \
  X(real, start_noise, "", "Spread of the pose (m, rad) and speeds (m/s, rad/s) at the start.",  \
    0.1, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                     \
  X(distance, "m", "From the torso to the goal after the step, straight.", HN_LAST) \
  X(contact_cost, "", "What contact forces took off the reward.", HN_SUM)
HN_INFO(INFO);

typedef struct Row {
  HnAnt body;
  double goal_x, goal_y;
} Row;

typedef struct AntGoal {
  const HnThisParams *p;
  HnSim sim;
} AntGoal;

enum { TASK_DIM = 2, MOTION = HN_ANT_QPOS + HN_ANT_QVEL, OBS = MOTION + HN_ANT_FORCES };

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  AntGoal *e = self;
  e->p = params;
  spec->obs_dim = OBS, spec->action_dim = HN_ANT_ACT, spec->task_dim = TASK_DIM;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  spec->step_seconds = HN_ANT_SECONDS;
  return hn_ant_create(&e->sim, host, spec->rows);
}

/* Writes the observation right after a begin or a step; returns the sum of squared forces. */
static double observe(const AntGoal *e, int64_t slot, const Row *row, float *obs) {
  double force[HN_ANT_FORCES];
  double sum = hn_ant_contacts(&e->sim, slot, e->p->contact_forces, force);
  for (int k = 0; k < MOTION; k++) obs[k] = (float)row->body.state[k];
  for (int k = 0; k < HN_ANT_FORCES; k++) obs[MOTION + k] = (float)force[k];
  return sum;
}

static void draw_task(const AntGoal *e, HnRng *rng, Row *row) {
  double angle = hn_rng_uniform(rng, 0, 6.283185307179586);
  double radius = e->p->goal_radius * sqrt(hn_rng_uniform(rng, 0, 1));
  row->goal_x = radius * cos(angle), row->goal_y = radius * sin(angle);
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const AntGoal *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) draw_task(e, &b->rng[i], row);
    b->task[i * TASK_DIM] = (float)row->goal_x, b->task[i * TASK_DIM + 1] = (float)row->goal_y;
    HnStatus s = hn_ant_begin(&e->sim, b->first, e->p->start_noise, &b->rng[i], &row->body);
    if (s) return s;
    observe(e, b->first, row, b->obs + i * OBS);
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const AntGoal *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    double effort;
    HnStatus s = hn_ant_step(&e->sim, b->first, &row->body, b->action + i * HN_ANT_ACT, &effort);
    if (s) return s;
    double contact = e->p->contact_cost * observe(e, b->first, row, b->obs + i * OBS);
    double dx = row->body.state[0] - row->goal_x, dy = row->body.state[1] - row->goal_y;
    b->reward[i] = (float)(-fabs(dx) - fabs(dy) - e->p->control_cost * effort - contact);
    b->info[i * info_count + info_distance] = (float)hypot(dx, dy);
    b->info[i * info_count + info_contact_cost] = (float)contact;
  }
  return HN_OK;
}

static HnStatus render(void *self, const void *state, int64_t width, int64_t height, uint8_t *rgb) {
  const AntGoal *e = self;
  const Row *row = state;
  return hn_ant_render(&e->sim, &row->body, (double[]){row->goal_x, row->goal_y, 0.25}, width,
                       height, rgb);
}

static void destroy(void *self) {
  hn_sim_destroy(&((AntGoal *)self)->sim);
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .render = render,
                              .destroy = destroy};
HN_PLUGIN(ant_goal, HN_KIND_ENV, AntGoal, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Ant with a hidden goal on the floor (MuJoCo).",
          .source = "Rakelly et al. 2019, PEARL; Zintgraf et al. 2020, VariBAD");

/* ant_dir.c - an ant that must run in a hidden direction.
 *
 * reward = velocity along the direction - control_cost * sum of squared actions
 *          - contact_cost * sum of squared contact forces + survive_reward,
 * with velocity the torso's mean over the step, actions as given, before clipping, and each number
 * of each contact force clipped to [-1, 1].  An ant whose torso leaves [0.2, 1] m of height is
 * done.  Observation: qpos without x and y [13], qvel [14].  Task: the direction as a unit vector
 * [2].  Both splits have the same tasks.
 *
 * The code of VariBAD draws "directions" of -1 and +1 for forward and backward and takes their
 * cosine and sine, so that its two tasks are 57 degrees to the right and to the left and both are
 * mostly forward.  That is `direction: upstream`; the default is what the paper says.
 *
 * contact_forces: see hn_sim_forces in mujoco/sim.h.  VariBAD asks for MuJoCo 1.50, which computed
 * them unasked, and allows 2.0, under which its contact cost is zero.
 *
 * Source: Finn et al. 2017 (MAML); version of Zintgraf et al. 2020, VariBAD. */
#include "mujoco/ant.h"
#include <hunch/tasks.h>

#define PARAMS(X)                                                                                \
  X(int, horizon, "step", "Steps of 0.05 s per episode.", 200, 1, 100000)                        \
  X(choice, direction, "",                                                                       \
    "Along x and against it, any, or one radian to either side of x as VariBAD's code has it.",  \
    "forward_backward", "forward_backward|uniform|upstream")                                     \
  X(real, control_cost, "", "What the sum of squared actions costs, per unit.", 0.5, 0, 100)     \
  X(real, contact_cost, "", "Cost of the sum of squared, clipped contact forces.", 5e-4, 0, 100) \
  X(real, survive_reward, "", "Reward of every step, for being there.", 1.0, -100, 100)          \
  X(flag, contact_forces, "", "Off: they count as zero, as with MuJoCo 2.0 in VariBAD's code.",  \
    true)                                                                                        \
  X(real, start_noise, "", "Spread of the pose (m, rad) and speeds (m/s, rad/s) at the start.",  \
    0.1, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                              \
  X(velocity, "m/s", "Velocity along the direction over the step.", HN_MEAN) \
  X(contact_cost, "", "What contact forces took off the reward.", HN_SUM)
HN_INFO(INFO);

typedef struct Row {
  HnAnt body;
  double x, y; /* the direction, a unit vector */
} Row;

typedef struct AntDir {
  const HnThisParams *p;
  HnSim sim;
} AntDir;

enum { TASKS = 2, TASK_DIM = 2, OBS = HN_ANT_QPOS - 2 + HN_ANT_QVEL };
enum { FORWARD_BACKWARD, UNIFORM, UPSTREAM };

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  AntDir *e = self;
  e->p = params;
  spec->obs_dim = OBS, spec->action_dim = HN_ANT_ACT, spec->task_dim = TASK_DIM;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  spec->step_seconds = HN_ANT_SECONDS;
  return hn_ant_create(&e->sim, host, spec->rows);
}

static int64_t task_count(void *self, int64_t split) {
  return (void)split, ((const AntDir *)self)->p->direction == UNIFORM ? 0 : TASKS;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  static const char *const names[][TASKS] = {
      [FORWARD_BACKWARD] = {"backward", "forward"}, [UPSTREAM] = {"right", "left"}};
  return (void)split, names[((const AntDir *)self)->p->direction][k];
}

static HnStatus pick_task(AntDir *e, const HnEnvBatch *b, int64_t i, Row *row) {
  HnStatus s = hn_task_settle(e->sim.host, b, i, task_count(e, b->split));
  if (s) return s;
  if (e->p->direction == UNIFORM) {
    double angle = hn_rng_uniform(&b->rng[i], 0, 6.283185307179586);
    row->x = cos(angle), row->y = sin(angle);
    return HN_OK;
  }
  double side = b->task_index[i] == 0 ? -1 : 1;
  row->x = e->p->direction == UPSTREAM ? cos(side) : side;
  row->y = e->p->direction == UPSTREAM ? sin(side) : 0;
  return HN_OK;
}

static void observe(const Row *row, float *obs) {
  for (int k = 0; k < OBS; k++) obs[k] = (float)row->body.state[2 + k];
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const AntDir *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    HnStatus s = HN_OK;
    if (b->begin[i] == HN_NEW_TASK) s = pick_task(self, b, i, row);
    if (!s) s = hn_ant_begin(&e->sim, b->first, e->p->start_noise, &b->rng[i], &row->body);
    if (s) return s;
    b->task[i * TASK_DIM] = (float)row->x, b->task[i * TASK_DIM + 1] = (float)row->y;
    observe(row, b->obs + i * OBS);
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const AntDir *e = self;
  const HnThisParams *p = e->p;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    const double *place = row->body.state, x = place[0], y = place[1];
    double effort;
    HnStatus s = hn_ant_step(&e->sim, b->first, &row->body, b->action + i * HN_ANT_ACT, &effort);
    if (s) return s;
    double velocity = ((place[0] - x) * row->x + (place[1] - y) * row->y) / HN_ANT_SECONDS;
    double contact = p->contact_cost * hn_ant_contacts(&e->sim, b->first, p->contact_forces, NULL);
    b->reward[i] = (float)(velocity - p->control_cost * effort - contact + p->survive_reward);
    b->terminated[i] = !(place[2] >= 0.2 && place[2] <= 1);
    b->info[i * info_count + info_velocity] = (float)velocity;
    b->info[i * info_count + info_contact_cost] = (float)contact;
    observe(row, b->obs + i * OBS);
  }
  return HN_OK;
}

static HnStatus render(void *self, const void *state, int64_t width, int64_t height, uint8_t *rgb) {
  const AntDir *e = self;
  const Row *row = state;
  return hn_ant_render(&e->sim, &row->body, NULL, width, height, rgb);
}

static void destroy(void *self) {
  hn_sim_destroy(&((AntDir *)self)->sim);
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count,
                              .task_name = task_name,
                              .render = render,
                              .destroy = destroy};
HN_PLUGIN(ant_dir, HN_KIND_ENV, AntDir, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Ant with a hidden direction (MuJoCo).",
          .source = "Finn et al. 2017, MAML; Zintgraf et al. 2020, VariBAD");

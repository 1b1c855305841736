/* point_robot.c - a point in the plane looks for a goal hidden on a semicircle; the reward is
 * silent until the goal is near, or says at each step how far it is.
 *
 * An episode starts at the origin.  A step moves by step_size times the action, clipped to
 * [-1, 1].  Where it ends at distance d of the goal, a sparse reward pays 1 - d if d <= goal_radius
 * and else 0; a dense one pays -d.  The goal lies at distance goal_distance, at an angle uniform in
 * [0, pi).  Nothing terminates.
 *
 * Observation: the position.  Task: the goal's position.  Tasks are drawn, not numbered; both
 * splits draw from the same distribution.
 *
 * Source: Zintgraf et al. 2021, VariBAD (JMLR), sparse 2D navigation; Rakelly et al. 2019, PEARL.
 */
#include <hunch/env.h>

#define PARAMS(X)                                                                                 \
  X(real, goal_distance, "m", "Radius of the semicircle of goals.", 1.0, 0.01, 100)               \
  X(choice, reward, "",                                                                           \
    "Reward of a step: within goal_radius alone (sparse), or less the distance (dense).",         \
    "sparse", "sparse|dense")                                                                     \
  X(real, goal_radius, "m",                                                                       \
    "Largest distance from the goal at which a step counts as a success, and is paid if sparse.", \
    0.2, 0.001, 100)                                                                              \
  X(real, step_size, "m", "Largest displacement along each axis in one step.", 0.1, 0.0001, 10)   \
  X(int, horizon, "step", "Episode length.", 100, 1, 100000)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                    \
  X(success, "", "Whether the step ended within goal_radius of the goal.", HN_MAX) \
  X(distance, "m", "Distance to the goal after the step.", HN_LAST)
HN_INFO(INFO);

enum { SPARSE, DENSE };

typedef struct Row {
  double position[2], goal[2];
} Row;

typedef struct PointRobot {
  const HnThisParams *p;
  const HnHost *host;
} PointRobot;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  PointRobot *e = self;
  e->p = params, e->host = host;
  spec->obs_dim = 2, spec->action_dim = 2, spec->task_dim = 2, spec->horizon = e->p->horizon;
  spec->row_size = sizeof(Row), spec->splits = "train|test";
  return HN_OK;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const HnThisParams *p = ((const PointRobot *)self)->p;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) {
      double angle = hn_rng_uniform(&b->rng[i], 0, 3.141592653589793);
      row->goal[0] = p->goal_distance * cos(angle), row->goal[1] = p->goal_distance * sin(angle);
    }
    for (int64_t k = 0; k < 2; k++) {
      row->position[k] = 0;
      b->task[2 * i + k] = (float)row->goal[k];
      b->obs[2 * i + k] = 0;
    }
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const PointRobot *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    for (int64_t k = 0; k < 2; k++) {
      double a = (double)b->action[2 * i + k];
      if (!isfinite(a)) return e->host->fail(e->host, HN_E_NUMERIC, "action %d is %g", (int)k, a);
      row->position[k] += e->p->step_size * fmin(fmax(a, -1), 1);
      b->obs[2 * i + k] = (float)row->position[k];
    }
    double d = hypot(row->position[0] - row->goal[0], row->position[1] - row->goal[1]);
    bool near = d <= e->p->goal_radius;
    b->reward[i] = (float)(e->p->reward == DENSE ? -d : near ? 1 - d : 0);
    b->info[i * info_count + info_success] = near ? 1 : 0;
    b->info[i * info_count + info_distance] = (float)d;
  }
  return HN_OK;
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, .reset = reset, .step = step};
HN_PLUGIN(point_robot, HN_KIND_ENV, PointRobot, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Point robot with a hidden goal on a semicircle.",
          .source = "Zintgraf et al. 2021, VariBAD (JMLR), sparse 2D navigation");

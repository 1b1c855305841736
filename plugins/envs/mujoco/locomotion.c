/* locomotion.c - see locomotion.h. */
#include "locomotion.h"

enum { FORCES_MAX = 6 * 14 }; /* the ant and the humanoid have 14 parts */

float *hn_body_append(float *obs, const double *values, int count) {
  for (int k = 0; k < count; k++) *obs++ = (float)values[k];
  return obs;
}

static int state_count(const HnBody *body) {
  return body->qpos + 2 * body->qvel + 1;
}

static int row_count(const HnLocomotion *e) {
  return state_count(e->tasks.body) + e->tasks.body->extra + e->tasks.task_dim;
}

HnBodyRow hn_locomotion_row(const HnLocomotion *e, void *state, int64_t i) {
  double *row = (double *)state + i * row_count(e), *extra = row + state_count(e->tasks.body);
  return (HnBodyRow){.state = row, .extra = extra, .task = extra + e->tasks.body->extra};
}

/* ---- create ---- */

static bool has_shape(const HnBody *body, const HnSim *sim) {
  const mjModel *m = sim->model;
  return m->nq == body->qpos && m->nv == body->qvel && m->nu == body->actions &&
         m->nbody == body->parts && m->opt.timestep == body->time_step &&
         hn_sim_state_count(sim) == state_count(body);
}

HnStatus hn_locomotion_create(HnLocomotion *e, const HnHost *host, const void *params,
                              HnEnvSpec *spec, HnLocomotionTasks tasks) {
  const HnBody *body = tasks.body;
  e->params = params, e->tasks = tasks;
  spec->obs_dim = body->obs_dim, spec->action_dim = body->actions, spec->task_dim = tasks.task_dim;
  spec->horizon = tasks.horizon, spec->splits = "train|test";
  spec->row_size = sizeof(double) * (size_t)row_count(e);
  spec->step_seconds = body->frames * body->time_step;
  HnStatus s = hn_sim_create(&e->sim, host, body->mjcf, spec->rows);
  if (s || has_shape(body, &e->sim)) return s;
  hn_sim_destroy(&e->sim);
  return host->fail(host, HN_E_UNSUPPORTED, "this MuJoCo compiles the %s to another shape",
                    body->name);
}

/* ---- episodes ---- */

/* Writes the observation, right after a begin or an advance; returns HnMotion.impact. */
static double observe(const HnLocomotion *e, int64_t slot, const HnBodyRow *row, float *obs) {
  const HnBody *body = e->tasks.body;
  const double limit = body->force_limit;
  const bool felt = limit > 0 && e->tasks.contact_forces;
  const double *given = felt ? hn_sim_forces(&e->sim, slot) : NULL;
  double force[FORCES_MAX] = {0}, sum = 0;
  for (int k = 0; felt && k < 6 * body->parts; k++) {
    force[k] = fmin(fmax(given[k], -limit), limit);
    sum += force[k] * force[k];
  }
  body->observe(&e->sim, slot, row, force, obs);
  return sum;
}

static HnStatus prepare(const HnLocomotion *e, int64_t slot, const HnBodyRow *row) {
  const HnBody *body = e->tasks.body;
  return body->prepare ? body->prepare(&e->sim, slot, row) : HN_OK;
}

/* Starts an episode as Gymnasium does: pose uniform in +-noise about the model's, then speeds. */
static HnStatus begin(const HnLocomotion *e, int64_t slot, HnRng *rng, const HnBodyRow *row) {
  const HnBody *body = e->tasks.body;
  const double noise = e->tasks.start_noise;
  HnStatus s = prepare(e, slot, row);
  if (s) return s;
  hn_sim_draw_pose(&e->sim, noise, rng, row->state);
  for (int k = 0; k < body->qvel; k++)
    row->state[body->qpos + k] =
        body->uniform_speeds ? hn_rng_uniform(rng, -noise, noise) : noise * hn_rng_normal(rng);
  return hn_sim_begin(&e->sim, slot, row->state);
}

HnStatus hn_locomotion_reset(void *self, HnEnvBatch *b) {
  const HnLocomotion *e = self;
  const HnLocomotionTasks *t = &e->tasks;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    const HnBodyRow row = hn_locomotion_row(e, b->state, i);
    HnStatus s = b->begin[i] == HN_NEW_TASK ? t->draw_task(e, b, i, &row) : HN_OK;
    if (!s) s = begin(e, b->first, &b->rng[i], &row);
    if (s) return s;
    for (int k = 0; k < t->task_dim; k++) b->task[i * t->task_dim + k] = (float)row.task[k];
    observe(e, b->first, &row, b->obs + i * t->body->obs_dim);
  }
  return HN_OK;
}

HnStatus hn_locomotion_step(void *self, HnEnvBatch *b) {
  const HnLocomotion *e = self;
  const HnLocomotionTasks *t = &e->tasks;
  const HnBody *body = t->body;
  for (int64_t i = 0; i < b->rows; i++) {
    const HnBodyRow row = hn_locomotion_row(e, b->state, i);
    const double *place = row.state + body->place, x = place[0], y = place[1];
    const float *action = b->action + i * body->actions, *chosen = b->chosen + i * body->actions;
    HnStatus s = prepare(e, b->first, &row);
    if (!s) s = hn_sim_advance(&e->sim, b->first, row.state, action, body->frames);
    if (s) return s;
    HnMotion motion = {.task = row.task,
                       .state = row.state,
                       .seconds = body->frames * body->time_step,
                       .rng = &b->rng[i],
                       .info = b->info + i * t->info_count};
    motion.impact = observe(e, b->first, &row, b->obs + i * body->obs_dim);
    motion.moved[0] = place[0] - x, motion.moved[1] = place[1] - y;
    for (int k = 0; k < body->actions; k++) {
      double control = body->control * (double)chosen[k];
      motion.effort += control * control;
    }
    b->reward[i] = (float)t->reward(e, &motion);
    b->terminated[i] = motion.terminated;
  }
  return HN_OK;
}

/* ---- pictures ---- */

HnStatus hn_locomotion_render(void *self, const void *state, int64_t width, int64_t height,
                              uint8_t *rgb) {
  const HnLocomotion *e = self;
  const HnBody *body = e->tasks.body;
  const double *row = state, *task = row + state_count(body) + body->extra;
  const bool marked = e->tasks.is_place; /* else there may be no task at all */
  const double goal[3] = {marked ? task[0] : 0, marked ? task[1] : 0, 0.25};
  HnView view = body->view;
  view.look_at[0] = row[0], view.look_at[1] = body->planar ? 0 : row[1];
  if (marked) view.goal = goal;
  HnStatus s = hn_sim_render(&e->sim, row, &view, width, height, rgb);
  if (s != HN_E_UNSUPPORTED || !body->sketch) return s;
  body->sketch(&e->sim, row, width, height, rgb);
  return HN_OK;
}

void hn_locomotion_destroy(void *self) {
  hn_sim_destroy(&((HnLocomotion *)self)->sim);
}

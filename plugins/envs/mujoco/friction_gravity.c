/* friction_gravity.c - see friction_gravity.h. */
#include "friction_gravity.h"

/* ---- what a row remembers: the scale of gravity, then of each body's friction, the world's too
 * ---- */

static int scale_count(const HnBody *body) {
  return 1 + body->parts;
}

/* They stand last in extra, which the task follows. */
static double *scales_of(const HnSim *sim, const HnBodyRow *row) {
  return row->task - 1 - sim->model->nbody;
}

static HnStatus draw_task(const HnLocomotion *l, const HnEnvBatch *b, int64_t i,
                          const HnBodyRow *row) {
  const HnFrictionGravity *e = (const HnFrictionGravity *)l;
  const double gravity = log(e->scales.gravity_scale), friction = log(e->scales.friction_scale);
  double *scale = scales_of(&l->sim, row), *task = row->task;
  for (int k = 0; k < scale_count(&e->body); k++) scale[k] = 1;
  if (e->scales.gravity) {
    *task = hn_rng_uniform(&b->rng[i], -gravity, gravity);
    *scale = exp(*task++);
  }
  if (e->scales.friction == HN_FRICTION_NONE) return HN_OK;
  for (int body = 1; body < e->body.parts; body++) {
    if (body == 1 || e->scales.friction == HN_FRICTION_EACH)
      *task++ = hn_rng_uniform(&b->rng[i], -friction, friction);
    scale[1 + body] = exp(task[-1]);
  }
  return HN_OK;
}

/* ---- into the model of a slot ---- */

enum { COEFFICIENTS = 3 }; /* sliding, spinning, rolling */

/* Geom 0 is the ground, in every body here. */
static void write_friction(const mjModel *nominal, mjModel *m, const double *scale) {
  const mjtNum *ground = nominal->geom_friction;
  for (int k = 0; k < COEFFICIENTS; k++) m->geom_friction[k] = 0;
  for (int g = 1; g < m->ngeom; g++)
    for (int k = 0; k < COEFFICIENTS; k++) {
      const int at = COEFFICIENTS * g + k;
      m->geom_friction[at] = fmax(nominal->geom_friction[at], ground[k]) * scale[m->geom_bodyid[g]];
    }
}

static HnStatus prepare(const HnSim *sim, int64_t slot, const HnBodyRow *row) {
  const double *scale = scales_of(sim, row);
  mjModel *m = hn_sim_own_model(sim, slot);
  if (!m) return HN_E_IO;
  for (int k = 0; k < 3; k++) m->opt.gravity[k] = sim->model->opt.gravity[k] * scale[0];
  write_friction(sim->model, m, scale + 1);
  return HN_OK;
}

HnStatus hn_friction_gravity_create(HnFrictionGravity *e, const HnHost *host, const void *params,
                                    HnEnvSpec *spec, HnScales scales, HnLocomotionTasks tasks) {
  const int frictions[] = {0, 1, tasks.body->parts - 1};
  e->scales = scales, e->body = *tasks.body;
  e->body.extra += scale_count(&e->body), e->body.prepare = prepare;
  tasks.body = &e->body, tasks.draw_task = draw_task;
  tasks.task_dim = scales.gravity + frictions[scales.friction];
  if (tasks.task_dim == 0)
    return host->fail(host, HN_E_PARAM, "nothing is hidden: friction is none, and gravity false");
  return hn_locomotion_create(&e->locomotion, host, params, spec, tasks);
}

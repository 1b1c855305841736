/* A template of an environment: a torque-limited pendulum whose bob's mass is the hidden task.
 *
 * To make it yours: copy it as NAME.c, put NAME into HN_PLUGIN, and compile it as the README says.
 * The contract is hunch/env.h.
 *
 * Source: Gymnasium's Pendulum-v1; the mass is fixed there. */
#include <hunch/tasks.h>

/* A row is a parameter: the field p->mass_low, the key `mass_low` of a study, a line of `hunch
 * inspect`.  X(kind, name, unit, doc, default, low, high). */
#define PARAMS(X)                                                              \
  X(real, mass_low, "kg", "Lightest bob that is drawn.", 0.5, 0.01, 10)        \
  X(real, mass_high, "kg", "Heaviest bob that is drawn.", 2, 0.01, 10)         \
  X(int, test_tasks, "", "Number of tasks of the split test.", 20, 1, 1000000) \
  X(int, horizon, "step", "Steps per episode.", 200, 1, 100000)
HN_PARAMS(PARAMS);
/* What a step reports beside its reward, and how the steps of an episode become one number. */
#define INFO(X) X(upright, "", "Whether the bob is within 0.2 rad of the top.", HN_MEAN)
HN_INFO(INFO);

enum { TEST = 1 }; /* splits by number */

/* All that a row remembers: plain bytes, zeroed by the host when a task begins. */
typedef struct Row {
  double mass;         /* kg */
  double angle, speed; /* rad from upright, rad/s */
} Row;

typedef struct Pendulum {
  const HnThisParams *p;
  const HnHost *host;
} Pendulum;

static int64_t task_count(void *self, int64_t split) {
  return split == TEST ? ((const Pendulum *)self)->p->test_tasks : 0; /* training tasks are drawn */
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Pendulum *e = self;
  e->p = params, e->host = host;
  if (e->p->mass_low > e->p->mass_high)
    return host->fail(host, HN_E_PARAM, "mass_low %g is above mass_high %g", e->p->mass_low,
                      e->p->mass_high);
  spec->obs_dim = 3, spec->action_dim = 1, spec->task_dim = 1;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  return HN_OK;
}

static void observe(const Row *row, float *obs) {
  obs[0] = (float)cos(row->angle), obs[1] = (float)sin(row->angle), obs[2] = (float)row->speed;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const Pendulum *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) {
      HnRng own; /* a numbered task is the same in every run: hunch/tasks.h */
      HnStatus s = hn_task_settle(e->host, b, i, task_count(self, b->split));
      if (s) return s;
      row->mass = hn_rng_uniform(hn_task_stream(b, i, &own), e->p->mass_low, e->p->mass_high);
    }
    row->angle = hn_rng_uniform(&b->rng[i], -3.14159265358979, 3.14159265358979);
    row->speed = hn_rng_uniform(&b->rng[i], -1, 1);
    b->task[i] = (float)row->mass;
    observe(row, b->obs + 3 * i);
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const double g = 10, dt = 0.05, torque = 2; /* m/s^2, s, N m; the pole is 1 m long */
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    double u = torque * (double)b->action[i]; /* the host has clipped actions to [-1, 1] */
    double angle = remainder(row->angle, 6.28318530717959), speed = row->speed;
    b->reward[i] = (float)-(angle * angle + 0.1 * speed * speed + 0.001 * u * u);
    b->info[i * info_count + info_upright] = fabs(angle) < 0.2 ? 1 : 0;
    speed += (1.5 * g * sin(angle) + 3 * u / row->mass) * dt;
    row->speed = fmin(fmax(speed, -8), 8);
    row->angle = angle + row->speed * dt;
    observe(row, b->obs + 3 * i);
  }
  return HN_OK;
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count};
HN_PLUGIN(my_env, HN_KIND_ENV, Pendulum, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Pendulum with a hidden bob mass.",
          .source = "Gymnasium Pendulum-v1");

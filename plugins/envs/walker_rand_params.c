/* walker_rand_params.c - a walker that must run forward although its own mass, inertia, damping and
 * friction are hidden.
 *
 * reward = velocity + survive_reward - control_cost * sum of squared actions, with velocity the
 * mean forward speed over the step and actions as given, before clipping.  A walker that falls is
 * done: see hn_walker_stands.  Observation and the order of parameters: see mujoco/walker.h.
 *
 * Each parameter of each body, joint and geom is the model's times a factor of its own:
 * scale_base^u for masses, moments of inertia and friction, damping_base^u for damping, all u
 * independent and uniform in [-scale_limit, scale_limit).  Task: the factors [58].  Tasks are
 * drawn, not numbered; both splits draw from the same distribution.
 *
 * constants: MuJoCo keeps numbers that follow from masses and inertias, most of all the weights
 * that say how soft contacts and limits are.  VariBAD's code changes the parameters and leaves
 * these at the unscaled body's, which `nominal` does; by default they are computed anew.
 *
 * Source: Rakelly et al. 2019 (PEARL); version of Zintgraf et al. 2020, VariBAD. */
#include "mujoco/walker.h"
#include <hunch/env.h>

#define PARAMS(X)                                                                                \
  X(int, horizon, "step", "Steps of 0.016 s per episode.", 200, 1, 100000)                       \
  X(real, scale_limit, "", "Largest exponent of a factor.", 3.0, 0, 10)                          \
  X(real, scale_base, "", "Base of the factors of mass, inertia and friction.", 1.5, 1, 10)      \
  X(real, damping_base, "", "Base of the factors of damping.", 1.3, 1, 10)                       \
  X(choice, constants, "", "What MuJoCo derives from masses: of this body, or of the unscaled.", \
    "derived", "derived|nominal")                                                                \
  X(real, control_cost, "", "What the sum of squared actions costs, per unit.", 1e-3, 0, 100)    \
  X(real, survive_reward, "", "Reward of every step, for being there.", 1.0, -100, 100)          \
  X(real, start_noise, "", "Spread of the pose (m, rad) and speeds (m/s, rad/s) at the start.",  \
    0.005, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X) X(velocity, "m/s", "Forward velocity over the step.", HN_MEAN)
HN_INFO(INFO);

enum { DERIVED, NOMINAL };

typedef struct WalkerRandParams {
  const HnThisParams *p;
  HnSim sim;
} WalkerRandParams;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  WalkerRandParams *e = self;
  e->p = params;
  spec->obs_dim = HN_WALKER_OBS, spec->action_dim = HN_WALKER_ACT,
  spec->task_dim = HN_WALKER_PARAMS;
  spec->horizon = e->p->horizon, spec->row_size = sizeof(HnWalker), spec->splits = "train|test";
  spec->step_seconds = HN_WALKER_SECONDS;
  return hn_walker_create(&e->sim, host, spec->rows);
}

static void draw_task(const HnThisParams *p, HnRng *rng, double *scale) {
  for (int k = 0; k < HN_WALKER_PARAMS; k++) {
    bool damping = k >= HN_WALKER_DAMPING && k < HN_WALKER_FRICTION;
    scale[k] = pow(damping ? p->damping_base : p->scale_base,
                   hn_rng_uniform(rng, -p->scale_limit, p->scale_limit));
  }
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const WalkerRandParams *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    HnWalker *row = (HnWalker *)b->state + i;
    HnStatus s = HN_OK;
    if (b->begin[i] == HN_NEW_TASK) {
      draw_task(e->p, &b->rng[i], row->scale);
      s = hn_walker_set(&e->sim, b->first, e->p->constants == DERIVED, row);
    }
    if (!s) s = hn_walker_begin(&e->sim, b->first, e->p->start_noise, &b->rng[i], row);
    if (s) return s;
    float *task = b->task + i * HN_WALKER_PARAMS;
    for (int k = 0; k < HN_WALKER_PARAMS; k++) task[k] = (float)row->scale[k];
    hn_walker_observe(row, b->obs + i * HN_WALKER_OBS);
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const WalkerRandParams *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    HnWalker *row = (HnWalker *)b->state + i;
    double velocity, effort;
    HnStatus s =
        hn_walker_step(&e->sim, b->first, row, b->action + i * HN_WALKER_ACT, &velocity, &effort);
    if (s) return s;
    b->reward[i] = (float)(velocity + e->p->survive_reward - e->p->control_cost * effort);
    b->terminated[i] = !hn_walker_stands(row);
    b->info[i * info_count + info_velocity] = (float)velocity;
    hn_walker_observe(row, b->obs + i * HN_WALKER_OBS);
  }
  return HN_OK;
}

static HnStatus render(void *self, const void *state, int64_t width, int64_t height, uint8_t *rgb) {
  const WalkerRandParams *e = self;
  const HnWalker *row = state;
  return hn_walker_render(&e->sim, row, width, height, rgb);
}

static void destroy(void *self) {
  hn_sim_destroy(&((WalkerRandParams *)self)->sim);
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .render = render,
                              .destroy = destroy};
HN_PLUGIN(walker_rand_params, HN_KIND_ENV, WalkerRandParams, &methods, .version = "1.0",
          .license = "MIT", .info = hn_this_info,
          .summary = "Walker with hidden masses, damping and friction (MuJoCo).",
          .source = "Rakelly et al. 2019, PEARL; Zintgraf et al. 2020, VariBAD");

/* walker_rand_params.c - a walker that must run forward although its own mass, inertia, damping and
 * friction are hidden.
 *
 * reward = velocity + healthy_reward - ctrl_cost_weight * sum of squared actions, with velocity the
 * mean forward speed over the step.  A walker that falls is done: see hn_walker_stands.
 * Observation and the order of parameters: see mujoco/walker.h.
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

#define PARAMS(X)                                                                                  \
  X(int, horizon, "step", "Episode length, in steps of 0.016 s.", 200, 1, 100000)                  \
  X(real, scale_limit, "", "Largest exponent of the random factors.", 3.0, 0, 10)                  \
  X(real, scale_base, "", "Base of the random factors of mass, inertia and friction.", 1.5, 1, 10) \
  X(real, damping_base, "", "Base of the random factors of damping.", 1.3, 1, 10)                  \
  X(choice, constants, "",                                                                         \
    "Body from which MuJoCo's derived constants are computed: the scaled one, or the nominal one " \
    "as in VariBAD's code.",                                                                       \
    "derived", "derived|nominal")                                                                  \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared actions.", 1e-3,   \
    0, 100)                                                                                        \
  X(real, healthy_reward, "", "Constant reward of every step.", 1.0, -100, 100)                    \
  X(real, reset_noise_scale, "",                                                                   \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.005, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X) X(velocity, "m/s", "Mean forward velocity over the step.", HN_MEAN)
HN_INFO(INFO);

enum { DERIVED, NOMINAL };

static HnStatus draw_task(const HnLocomotion *e, const HnEnvBatch *b, int64_t i,
                          const HnBodyRow *row) {
  const HnThisParams *p = e->params;
  for (int k = 0; k < HN_WALKER_PARAMS; k++) {
    bool damping = k >= HN_WALKER_DAMPING && k < HN_WALKER_FRICTION;
    row->task[k] = pow(damping ? p->damping_base : p->scale_base,
                       hn_rng_uniform(&b->rng[i], -p->scale_limit, p->scale_limit));
  }
  return hn_walker_derive(&e->sim, b->first, p->constants == DERIVED, row);
}

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double velocity = m->moved[0] / m->seconds;
  m->terminated = !hn_walker_stands(m->state);
  m->info[info_velocity] = (float)velocity;
  return velocity + p->healthy_reward - p->ctrl_cost_weight * m->effort;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  return hn_locomotion_create(self, host, params, spec,
                              (HnLocomotionTasks){.body = &hn_walker,
                                                  .horizon = p->horizon,
                                                  .start_noise = p->reset_noise_scale,
                                                  .task_dim = HN_WALKER_PARAMS,
                                                  .info_count = info_count,
                                                  .draw_task = draw_task,
                                                  .reward = reward});
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, HN_LOCOMOTION_METHODS};
HN_PLUGIN(
    walker_rand_params, HN_KIND_ENV, HnLocomotion, &methods, .flags = HN_ROW_CACHE,
    .version = "1.0", .license = "MIT", .info = hn_this_info,
    .renamed =
        "control_cost:ctrl_cost_weight survive_reward:healthy_reward start_noise:reset_noise_scale",
    .summary = "Walker with hidden masses, damping and friction (MuJoCo).",
    .source = "Rakelly et al. 2019, PEARL; Zintgraf et al. 2020, VariBAD");

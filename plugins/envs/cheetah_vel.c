/* cheetah_vel.c - a half-cheetah that must run at a hidden velocity, and whose reward may carry
 * noise of a scale that is hidden too.
 *
 * clean reward = -|velocity - target| - ctrl_cost_weight * sum of squared actions, with velocity
 * the mean forward speed over the step.  The target is uniform in [velocity_low, velocity_high).
 * With reward_noise_high > 0 each task also has a standard deviation, log-uniform between
 * reward_noise_low and reward_noise_high, and every reward the learner sees is the clean one plus
 * independent Gaussian noise of it; the column clean_reward sums to a return without noise.
 * Nothing terminates.  Observation: see mujoco/half_cheetah.h.  Task: target velocity, standard
 * deviation of the noise.  Tasks are drawn, not numbered; both splits draw from the same
 * distribution.
 *
 * Source: Finn et al. 2017 (MAML); version of Zintgraf et al. 2020, VariBAD; the noise is ours. */
#include "mujoco/half_cheetah.h"

#define PARAMS(X)                                                                                \
  X(int, horizon, "step", "Episode length, in steps of 0.05 s.", 200, 1, 100000)                 \
  X(real, velocity_low, "m/s", "Lower end of the range of target velocities.", 0.0, -100, 100)   \
  X(real, velocity_high, "m/s", "Upper end of the range of target velocities.", 3.0, -100, 100)  \
  X(real, ctrl_cost_weight, "", "Weight of the control cost, the sum of squared actions.", 0.05, \
    0, 100)                                                                                      \
  X(real, reward_noise_low, "",                                                                  \
    "Lower end of the range of standard deviations of the reward noise.", 0.0, 0, 1e6)           \
  X(real, reward_noise_high, "",                                                                 \
    "Upper end of that range, from which each task draws log-uniformly; 0 for both: no noise.",  \
    0.0, 0, 1e6)                                                                                 \
  X(real, reset_noise_scale, "",                                                                 \
    "Scale of the noise on the initial pose (m, rad) and velocities (m/s, rad/s).", 0.1, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                       \
  X(velocity, "m/s", "Mean forward velocity over the step.", HN_MEAN) \
  X(clean_reward, "", "Reward without the noise.", HN_SUM)            \
  X(noise_stddev, "", "Standard deviation of this task's reward noise.", HN_LAST)
HN_INFO(INFO);

enum { TARGET, NOISE_STDDEV, TASK_DIM };

/* The target first, so that the same stream has the same targets with and without noise. */
static HnStatus draw_task(const HnLocomotion *e, const HnEnvBatch *b, int64_t i,
                          const HnBodyRow *row) {
  const HnThisParams *p = e->params;
  row->task[TARGET] = hn_rng_uniform(&b->rng[i], p->velocity_low, p->velocity_high);
  if (p->reward_noise_high > 0)
    row->task[NOISE_STDDEV] =
        exp(hn_rng_uniform(&b->rng[i], log(p->reward_noise_low), log(p->reward_noise_high)));
  return HN_OK;
}

static double reward(const HnLocomotion *e, HnMotion *m) {
  const HnThisParams *p = e->params;
  double velocity = m->moved[0] / m->seconds;
  double clean = -fabs(velocity - m->task[TARGET]) - p->ctrl_cost_weight * m->effort;
  m->info[info_velocity] = (float)velocity;
  m->info[info_clean_reward] = (float)clean;
  m->info[info_noise_stddev] = (float)m->task[NOISE_STDDEV];
  return m->task[NOISE_STDDEV] > 0 ? clean + m->task[NOISE_STDDEV] * hn_rng_normal(m->rng) : clean;
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  if (p->velocity_low > p->velocity_high)
    return host->fail(host, HN_E_PARAM, "velocity_low %g is above velocity_high %g",
                      p->velocity_low, p->velocity_high);
  if (p->reward_noise_low > p->reward_noise_high)
    return host->fail(host, HN_E_PARAM, "reward_noise_low %g is above reward_noise_high %g",
                      p->reward_noise_low, p->reward_noise_high);
  if (p->reward_noise_low <= 0 && p->reward_noise_high > 0)
    return host->fail(host, HN_E_PARAM,
                      "reward_noise_low must be above 0 where reward_noise_high is: the "
                      "standard deviation is log-uniform between them");
  return hn_locomotion_create(self, host, params, spec,
                              (HnLocomotionTasks){.body = &hn_cheetah,
                                                  .horizon = p->horizon,
                                                  .start_noise = p->reset_noise_scale,
                                                  .task_dim = TASK_DIM,
                                                  .info_count = info_count,
                                                  .draw_task = draw_task,
                                                  .reward = reward});
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, HN_LOCOMOTION_METHODS};
HN_PLUGIN(cheetah_vel, HN_KIND_ENV, HnLocomotion, &methods, .flags = HN_ROW_CACHE, .version = "1.0",
          .license = "MIT", .info = hn_this_info,
          .renamed = "control_cost:ctrl_cost_weight start_noise:reset_noise_scale",
          .summary = "Half-cheetah with a hidden target velocity and reward noise (MuJoCo).",
          .source = "Finn et al. 2017, MAML; Zintgraf et al. 2020, VariBAD");

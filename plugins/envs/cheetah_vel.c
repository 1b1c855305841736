/* cheetah_vel.c - a half-cheetah that must run at a hidden velocity, and whose reward may carry
 * noise of a scale that is hidden too.
 *
 * clean reward = -|velocity - target| - control_cost * sum of squared actions, with velocity the
 * mean forward speed over the step and actions as given, before clipping.  The target is uniform in
 * [velocity_low, velocity_high).  With reward_noise_high > 0 each task also has a standard
 * deviation, log-uniform between reward_noise_low and reward_noise_high, and every reward the
 * learner sees is the clean one plus independent Gaussian noise of it; the column clean_reward sums
 * to a return without noise.  Nothing terminates. Observation: see mujoco/half_cheetah.h.  Task:
 * target velocity, standard deviation of the noise. Tasks are drawn, not numbered; both splits draw
 * from the same distribution.
 *
 * Source: Finn et al. 2017 (MAML); version of Zintgraf et al. 2020, VariBAD; the noise is ours. */
#include "mujoco/half_cheetah.h"
#include <hunch/env.h>

#define PARAMS(X)                                                                                \
  X(int, horizon, "step", "Steps of 0.05 s per episode.", 200, 1, 100000)                        \
  X(real, velocity_low, "m/s", "Lowest target velocity a task may have.", 0.0, -100, 100)        \
  X(real, velocity_high, "m/s", "Highest target velocity a task may have.", 3.0, -100, 100)      \
  X(real, control_cost, "", "What the sum of squared actions costs, per unit.", 0.05, 0, 100)    \
  X(real, reward_noise_low, "", "Lowest standard deviation of a task's reward noise.", 0.0, 0,   \
    1e6)                                                                                         \
  X(real, reward_noise_high, "",                                                                 \
    "Highest one; tasks are drawn log-uniformly in between; 0 for both: no noise.", 0.0, 0, 1e6) \
  X(real, start_noise, "", "Spread of joint angles (rad) and speeds (rad/s) at the start.", 0.1, \
    0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                                  \
  X(velocity, "m/s", "Forward velocity over the step.", HN_MEAN) \
  X(clean_reward, "", "Reward without the noise.", HN_SUM)       \
  X(noise_stddev, "", "Standard deviation of this task's reward noise.", HN_LAST)
HN_INFO(INFO);

typedef struct Row {
  HnCheetah body;
  double target, noise_stddev;
} Row;

typedef struct CheetahVel {
  const HnThisParams *p;
  HnSim sim;
} CheetahVel;

enum { TASK_DIM = 2 };

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  CheetahVel *e = self;
  const HnThisParams *p = e->p = params;
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
  spec->obs_dim = HN_CHEETAH_OBS, spec->act_dim = HN_CHEETAH_ACT, spec->task_dim = TASK_DIM;
  spec->horizon = p->horizon, spec->row_size = sizeof(Row), spec->splits = "train|test";
  return hn_cheetah_create(&e->sim, host, spec->rows);
}

/* The target first, so that the same stream has the same targets with and without noise. */
static void draw_task(const HnThisParams *p, HnRng *rng, Row *row) {
  row->target = hn_rng_uniform(rng, p->velocity_low, p->velocity_high);
  row->noise_stddev = 0;
  if (p->reward_noise_high > 0)
    row->noise_stddev =
        exp(hn_rng_uniform(rng, log(p->reward_noise_low), log(p->reward_noise_high)));
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const CheetahVel *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) draw_task(e->p, &b->rng[i], row);
    b->task[i * TASK_DIM] = (float)row->target;
    b->task[i * TASK_DIM + 1] = (float)row->noise_stddev;
    HnStatus s = hn_cheetah_begin(&e->sim, b->first, e->p->start_noise, &b->rng[i], &row->body);
    if (s) return s;
    hn_cheetah_observe(&row->body, b->obs + i * HN_CHEETAH_OBS);
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const CheetahVel *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    double velocity, effort;
    HnStatus s = hn_cheetah_step(&e->sim, b->first, &row->body, b->act + i * HN_CHEETAH_ACT,
                                 &velocity, &effort);
    if (s) return s;
    double clean = -fabs(velocity - row->target) - e->p->control_cost * effort;
    double noise = row->noise_stddev > 0 ? row->noise_stddev * hn_rng_normal(&b->rng[i]) : 0;
    b->reward[i] = (float)(clean + noise);
    b->info[i * info_count + info_velocity] = (float)velocity;
    b->info[i * info_count + info_clean_reward] = (float)clean;
    b->info[i * info_count + info_noise_stddev] = (float)row->noise_stddev;
    hn_cheetah_observe(&row->body, b->obs + i * HN_CHEETAH_OBS);
  }
  return HN_OK;
}

static HnStatus render(void *self, const void *state, int64_t width, int64_t height, uint8_t *rgb) {
  return hn_cheetah_render(&((const CheetahVel *)self)->sim, &((const Row *)state)->body, width,
                           height, rgb);
}

static void destroy(void *self) {
  hn_sim_destroy(&((CheetahVel *)self)->sim);
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .render = render,
                              .destroy = destroy};
HN_PLUGIN(cheetah_vel, HN_KIND_ENV, CheetahVel, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info,
          .summary = "Half-cheetah with a hidden target velocity and reward noise (MuJoCo).",
          .source = "Finn et al. 2017, MAML; Zintgraf et al. 2020, VariBAD");

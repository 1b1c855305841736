/* reward_noise.c - a wrapper that adds Gaussian noise to rewards, of a scale that is hidden and
 * differs between tasks.
 *
 * Each task has a standard deviation, log-uniform between stddev_low and stddev_high; every reward
 * the learner sees is the inner one's plus independent noise of it.  That is the law of
 * cheetah_vel's reward_noise_low and reward_noise_high, and so are the columns: clean_reward sums
 * to a return without noise.  With 0 for both there is none, and the inner environment's rewards
 * stay bit for bit.  What the inner environment does is the same with noise and without.
 *
 * Task: the inner one's, then the standard deviation.  That of task k of a split is always the
 * same; where tasks have no number it is drawn with them. */
#include <hunch/tasks.h>

#define PARAMS(X)                                                                                \
  X(real, stddev_low, "", "Lower end of the range of standard deviations of the noise.", 0.0, 0, \
    1e6)                                                                                         \
  X(real, stddev_high, "",                                                                       \
    "Upper end of that range, from which each task draws log-uniformly; 0 for both: no noise.",  \
    0.0, 0, 1e6)
HN_PARAMS(PARAMS);
#define INFO(X)                                            \
  X(clean_reward, "", "Reward without the noise.", HN_SUM) \
  X(noise_stddev, "", "Standard deviation of this task's reward noise.", HN_LAST)
HN_INFO(INFO);

typedef struct Row {
  double stddev;
} Row;

typedef struct RewardNoise {
  const HnThisParams *p;
  const HnInner *inner;
} RewardNoise;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnThisParams *p = params;
  *(RewardNoise *)self = (RewardNoise){p, spec->inner};
  if (p->stddev_low > p->stddev_high)
    return host->fail(host, HN_E_PARAM, "stddev_low %g is above stddev_high %g", p->stddev_low,
                      p->stddev_high);
  if (p->stddev_low <= 0 && p->stddev_high > 0)
    return host->fail(host, HN_E_PARAM,
                      "stddev_low must be above 0 where stddev_high is: the standard deviation is "
                      "log-uniform between them");
  spec->task_dim = 1, spec->row_size = sizeof(Row);
  return HN_OK;
}

/* A numbered task has a stream of its own, other than that its environment may draw it from. */
static double draw_stddev(const RewardNoise *e, const HnEnvBatch *b, int64_t i) {
  HnRng own, *rng = hn_task_stream_of(UINT64_C(0x72772e6e6f697365), b, i, &own); /* "rw.noise" */
  if (e->p->stddev_high <= 0) return 0;
  return exp(hn_rng_uniform(rng, log(e->p->stddev_low), log(e->p->stddev_high)));
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const RewardNoise *e = self;
  HnStatus status = e->inner->env->reset(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows && !status; i++) {
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_KEEP) continue;
    if (b->begin[i] == HN_NEW_TASK) row->stddev = draw_stddev(e, b, i);
    b->task[i] = (float)row->stddev;
  }
  return status;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const RewardNoise *e = self;
  HnStatus status = e->inner->env->step(e->inner->self, b->inner);
  for (int64_t i = 0; i < b->rows && !status; i++) {
    const double stddev = ((const Row *)b->state)[i].stddev;
    b->info[i * info_count + info_clean_reward] = b->reward[i];
    b->info[i * info_count + info_noise_stddev] = (float)stddev;
    if (stddev > 0)
      b->reward[i] = (float)((double)b->reward[i] + stddev * hn_rng_normal(&b->rng[i]));
  }
  return status;
}

static const HnEnv methods = {
    .struct_size = sizeof(HnEnv), .create = create, .reset = reset, .step = step};
HN_PLUGIN(reward_noise, HN_KIND_ENV, RewardNoise, &methods, .flags = HN_WRAPPER, .version = "1.0",
          .license = "MIT", .info = hn_this_info,
          .summary = "Wrapper: reward noise of a hidden scale that tasks draw.");

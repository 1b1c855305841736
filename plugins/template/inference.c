/* A template of an inference method: the exact posterior over the mean reward of a task, for
 * rewards with Gaussian noise of known variance.
 *
 * To make it yours: copy it as NAME.c, put NAME into HN_PLUGIN, and compile it as the README says.
 * The contract is hunch/inference.h.  A method that trains keeps its weights by host->keep and has
 * `learn`, or `forward`, `backward` and `step` where the policy's loss trains it.
 *
 * Source: the conjugate normal model, e.g. Murphy 2007, section 3. */
#include <hunch/inference.h>

#define PARAMS(X)                                                                      \
  X(real, prior_variance, "", "Prior variance of a task's mean reward.", 1, 1e-9, 1e9) \
  X(real, noise_variance, "", "Variance of a reward around that mean.", 1, 1e-9, 1e9)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                                 \
  X(log_predictive, "nats", "Log-density of the last reward under the belief before.", HN_MEAN) \
  X(entropy, "nats", "Entropy of the belief.", HN_LAST)
HN_INFO(INFO);

static const double log_2pi = 1.8378770664093453;

/* Row memory: what the rewards of a task come to.  The host zeroes it at a new task. */
typedef struct Row {
  double count, sum;
} Row;

typedef struct MeanReward {
  const HnThisParams *p;
} MeanReward;

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  (void)host;
  ((MeanReward *)self)->p = params;
  spec->belief_dim = 2; /* mean, log-variance */
  spec->latent_dim = 1; /* a sample replaces the mean */
  spec->row_size = sizeof(Row);
  return HN_OK;
}

/* The posterior N(*mean, *variance) given what a row remembers. */
static void posterior(const HnThisParams *p, const Row *row, double *mean, double *variance) {
  *variance = 1 / (1 / p->prior_variance + row->count / p->noise_variance);
  *mean = *variance * row->sum / p->noise_variance;
}

/* Conditions on a reward; returns its log-density under the belief before it. */
static double condition(const HnThisParams *p, Row *row, double reward) {
  double mean, variance;
  posterior(p, row, &mean, &variance);
  row->count += 1, row->sum += reward;
  double v = variance + p->noise_variance, d = reward - mean;
  return -0.5 * (log_2pi + log(v) + d * d / v);
}

/* One function for acting (T = 0) and for whole windows: the same calls in the same order. */
static HnStatus infer(void *self, HnBeliefUpdate *q) {
  const HnThisParams *p = ((const MeanReward *)self)->p;
  const HnHistory *h = q->history;
  const int64_t draws = q->samples > 0 ? q->samples : 1;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      Row *row = (Row *)q->state + i;
      double mean, variance, log_predictive = NAN; /* NaN: nothing to say */
      if (h->begin[hn_at(h, t, i)] != HN_NEW_TASK) /* else: the prior, in zeroed row memory */
        log_predictive = condition(p, row, (double)h->reward[hn_at(h, t - 1, i)]);
      posterior(p, row, &mean, &variance);
      for (int64_t s = 0; s < draws; s++) {
        float *belief = q->belief + ((t * h->rows + i) * draws + s) * 2;
        double noise = q->samples > 0 ? hn_rng_normal(&q->rng[i]) : 0;
        belief[0] = (float)(mean + sqrt(variance) * noise);
        belief[1] = (float)log(variance);
      }
      if (!q->info) continue;
      float *info = q->info + (t * h->rows + i) * info_count;
      info[info_log_predictive] = (float)log_predictive;
      info[info_entropy] = (float)(0.5 * (log_2pi + 1 + log(variance)));
    }
  return HN_OK;
}

static const HnInference methods = {
    .struct_size = sizeof(HnInference), .create = create, .infer = infer};
HN_PLUGIN(my_inference, HN_KIND_INFERENCE, MeanReward, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Exact posterior over the mean reward of a task.",
          .source = "Murphy 2007, Conjugate Bayesian analysis of the Gaussian distribution");

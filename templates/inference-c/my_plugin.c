/* my_plugin.c - the exact posterior over what each action earns in this task: rewards of an action
 * have a mean of their own, and Gaussian noise of known variance.  Where actions are continuous,
 * all count as one.
 *
 * The contract is hunch/inference.h; `hunch check` judges it.  A method that trains keeps its
 * weights by host->keep and has `learn`, or `forward`, `backward` and `step` where the policy's
 * loss trains it.
 *
 * Source: the conjugate normal model, e.g. Murphy 2007, section 3. */
#include <hunch/inference.h>

/* A row is a parameter: the field p->prior_variance, the key `prior_variance` of a study, a line of
 * `hunch inspect`.  X(kind, name, unit, doc, default, low, high). */
#define PARAMS(X)                                                                      \
  X(real, prior_mean, "", "Prior mean of what an action earns.", 0, -1e9, 1e9)         \
  X(real, prior_variance, "", "Prior variance of what an action earns.", 1, 1e-9, 1e9) \
  X(real, noise_variance, "", "Variance of a reward around that mean.", 1, 1e-9, 1e9)
HN_PARAMS(PARAMS);
/* What is reported of each time; reports know these names. */
#define INFO(X)                                                                                 \
  X(log_predictive, "nats", "Log-density of the last reward under the belief before.", HN_MEAN) \
  X(entropy, "nats", "Entropy of the belief.", HN_LAST)
HN_INFO(INFO);

static const double log_2pi = 1.8378770664093453;

/* Row memory: what one row has seen of its task, [actions] of these.  Plain bytes without pointers,
 * which the host zeroes when a task begins, copies and saves. */
typedef struct Evidence {
  double count, sum; /* rewards of this action */
} Evidence;

/* The instance, zeroed by the host.  It is shared by all rows, so `infer` only reads it. */
typedef struct Conjugate {
  const HnThisParams *p;
  int64_t actions;
} Conjugate;

/* Reads what the environment is, says what a belief is. */
static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Conjugate *m = self;
  (void)host;
  m->p = params;
  m->actions = spec->action_count > 0 ? spec->action_count : 1;
  spec->belief_dim = 2 * m->actions; /* means, log-variances */
  spec->latent_dim = m->actions;     /* a sample replaces the means */
  spec->row_size = (size_t)m->actions * sizeof(Evidence);
  return HN_OK;
}

/* The posterior N(*mean, *variance) of what an action earns. */
static void posterior(const HnThisParams *p, const Evidence *e, double *mean, double *variance) {
  *variance = 1 / (1 / p->prior_variance + e->count / p->noise_variance);
  *mean = *variance * (p->prior_mean / p->prior_variance + e->sum / p->noise_variance);
}

/* Conditions on a reward; returns its log-density under the belief before it. */
static double condition(const HnThisParams *p, Evidence *e, double reward) {
  double mean, variance;
  posterior(p, e, &mean, &variance);
  e->count += 1, e->sum += reward;
  double v = variance + p->noise_variance, d = reward - mean;
  return -0.5 * (log_2pi + log(v) + d * d / v);
}

/* Writes a belief, or one sample of it where there is a random stream; returns its entropy. */
static double write_belief(const Conjugate *m, const Evidence *row, HnRng *rng, float *belief) {
  double entropy = 0;
  for (int64_t a = 0; a < m->actions; a++) {
    double mean, variance;
    posterior(m->p, &row[a], &mean, &variance);
    belief[a] = (float)(mean + (rng ? sqrt(variance) * hn_rng_normal(rng) : 0));
    belief[m->actions + a] = (float)log(variance);
    entropy += 0.5 * (log_2pi + 1 + log(variance));
  }
  return entropy;
}

/* One function for acting (T = 0) and for whole windows, which must agree to the bit.  At each
 * time: the prior where a task begins, else condition on the step before; then write the belief. */
static HnStatus infer(void *self, HnBeliefUpdate *q) {
  const Conjugate *m = self;
  const HnHistory *h = q->history;
  const int64_t draws = q->samples > 0 ? q->samples : 1, dim = 2 * m->actions;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      Evidence *row = (Evidence *)q->state + i * m->actions;
      const int64_t before = hn_at(h, t - 1, i), out = t * h->rows + i;
      double log_predictive = NAN, entropy = 0;      /* NaN: nothing to say */
      if (h->begin[hn_at(h, t, i)] != HN_NEW_TASK) { /* else: the prior, in zeroed row memory */
        Evidence *seen = &row[m->actions > 1 ? h->action_index[before] : 0];
        log_predictive = condition(m->p, seen, (double)h->reward[before]);
      }
      for (int64_t s = 0; s < draws; s++)
        entropy = write_belief(m, row, q->samples > 0 ? &q->rng[i] : NULL,
                               q->belief + (out * draws + s) * dim);
      if (!q->info) continue; /* not asked */
      q->info[out * info_count + info_log_predictive] = (float)log_predictive;
      q->info[out * info_count + info_entropy] = (float)entropy;
    }
  return HN_OK;
}

static const HnInference methods = {
    .struct_size = sizeof(HnInference), .create = create, .infer = infer};
/* The name is the file's: my_plugin.so, `plugin: my_plugin` in a study. */
HN_PLUGIN(my_plugin, HN_KIND_INFERENCE, Conjugate, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Exact posterior over what each action earns.",
          .source = "Murphy 2007, Conjugate Bayesian analysis of the Gaussian distribution");

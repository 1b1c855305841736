/* Trust region policy optimisation on (observation, belief): natural gradients by conjugate
 * gradients, and a line search that keeps the divergence from the old policy within a bound.
 *
 * Gradients stop at the belief.  The baseline is linear in features of observation, belief and
 * time, fitted to the batch's own returns.  Where the window ends within a return, what is left is
 * valued by the fit of the update before. */
#include "trpo/learner.h"
#include "trpo/region.h"
#include <math.h>

#define PARAMS(X)                                                                              \
  ACTOR_CRITIC_PARAMS(X)                                                                       \
  RETURN_PARAMS(X, 0.98)                                                                       \
  X(choice, episode_boundary, "",                                                              \
    "Whether the end of an episode ends the return (terminal), or only the end of the trial.", \
    "ignore", "ignore|terminal")                                                               \
  REGION_PARAMS(X)
enum { BOUNDARY_IGNORE, BOUNDARY_TERMINAL };
HN_PARAMS(PARAMS);

#define METRICS(X)                                                                             \
  X(loss, "", "Surrogate loss before the step: minus the mean advantage.", HN_MEAN)            \
  X(loss_change, "", "Change of the surrogate loss by the step.", HN_MEAN)                     \
  X(kl, "nats", "Mean KL(old || new) of the policy by the step.", HN_MEAN)                     \
  X(accepted, "", "Whether the line search accepted a step.", HN_MEAN)                         \
  X(tries, "", "Steps that the line search tried.", HN_MEAN)                                   \
  X(step_norm, "", "Norm of the step in the weights.", HN_MEAN)                                \
  X(grad_norm, "", "Norm of the gradient.", HN_MEAN)                                           \
  X(entropy, "nats", "Entropy of the policy that acted, before squashing.", HN_MEAN)           \
  X(advantage_stddev, "", "Standard deviation of advantages before they are scaled.", HN_MEAN) \
  X(explained_variance, "",                                                                    \
    "Fraction of the variance of advantage + value that the fitted baseline explains.", HN_MEAN)
HN_METRICS(METRICS);

typedef struct Trpo {
  const HnThisParams *p;
  Learner learner;
  RegionParams region;
  double *coef; /* of the baseline, from update to update */
} Trpo;

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Trpo *m = self;
  const HnThisParams *p = m->p = params;
  m->learner.trials = p->episode_boundary == BOUNDARY_IGNORE;
  HnStatus status = learner_create(&m->learner, host, params, spec);
  if (status) return status;
  m->region = REGION_PARAMS_OF(p);
  const int64_t features = linear_baseline_features(learner_inputs(&m->learner));
  m->coef =
      host->keep(host, HN_ARRAY("baseline", HN_LEARNER, HN_F64, .rank = 1, .dim = {features}));
  return HN_OK;
}

static HnStatus act(void *self, HnActBatch *a) {
  const Trpo *m = self;
  HnReuse memory;
  hn_reuse_begin(&memory, m->learner.host, NULL, 0);
  learner_act(&m->learner, &memory, &m->learner.net, a, 0, a->rows);
  return HN_OK;
}

enum { SHARD = 512 }; /* steps of a shard: see actor.c */

static HnStatus remember(void *arg, int64_t i) {
  region_adapt(arg, i);
  return HN_OK;
}

/* The batch in shards of equal size, each a task without inner steps. */
static void make_shards(const Trpo *m, Region *r, const Sample *all) {
  const HnHost *host = m->learner.host;
  const ActorCritic *net = &m->learner.net;
  r->count = (all->n + SHARD - 1) / SHARD;
  r->task = host->scratch(host, r->count, sizeof *r->task);
  for (int64_t i = 0; i < r->count; i++) {
    const int64_t from = i * all->n / r->count, to = (i + 1) * all->n / r->count;
    Task *task = &r->task[i];
    *task = (Task){.weight = (double)(to - from) / (double)all->n,
                   .outer = actor_part(net, all, from, to - from)};
    if (!net->discrete) task->outer.logstd = host->scratch(host, net->A, sizeof(float));
  }
}

static void report(const Trpo *m, const Region *r, const RegionStep *step,
                   const Moments *advantages, double explained) {
  const HnHost *host = m->learner.host;
  double entropy = 0;
  for (int64_t i = 0; i < r->count; i++)
    entropy += r->task[i].weight * actor_entropy(&r->actor, &r->task[i].outer);
  host->metric(host, metric_loss, step->loss);
  host->metric(host, metric_loss_change, step->change);
  host->metric(host, metric_kl, step->kl);
  host->metric(host, metric_accepted, step->accepted);
  host->metric(host, metric_tries, (double)step->tries);
  host->metric(host, metric_step_norm, step->norm);
  host->metric(host, metric_grad_norm, step->grad_norm);
  host->metric(host, metric_entropy, entropy);
  host->metric(host, metric_advantage_stddev, advantages->stddev);
  if (isfinite(explained)) host->metric(host, metric_explained_variance, explained);
}

/* Of what the advantages with lambda 1 would be the residual of: returns = advantage + value. */
static double explained_variance(const HnHost *host, int64_t n, const float *residual,
                                 const float *value) {
  float *target = host->scratch(host, n, sizeof *target);
  for (int64_t k = 0; k < n; k++) target[k] = residual[k] + value[k];
  return advantage_explained(advantage_moments(target, NULL, n),
                             advantage_moments(residual, NULL, n));
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Trpo *m = self;
  Learner *learner = &m->learner;
  const HnHost *host = learner->host;
  const HnHistory *h = l->phase[0];
  const ReturnRule rule = {m->p->gamma, m->p->gae_lambda, !learner->trials, false};
  hn_store_refresh(&learner->net.store);
  const Elements all = {.h = h, .row = -1, .steps = h->steps};
  const int64_t n = elements_count(&all);
  Sample s = actor_sample(&learner->net, n);
  float *value = host->scratch(host, n, sizeof *value);
  learner_read(learner, &all, &s);
  const Moments advantages =
      learner_advantages(learner, host, &rule, ADVANTAGE_RAW, &all, m->coef, value, &s);
  const double explained = explained_variance(host, n, s.advantage, value);
  advantage_standardise(m->p->advantages, n, s.advantage);

  Region r = {.inner_lr = 0};
  make_shards(m, &r, &s);
  region_begin(&r, &learner->net);
  HnStatus status = host->parallel(host, r.count, remember, &r);
  if (status) return status;
  double *grad = host->scratch(host, r.P, sizeof *grad);
  float *next = host->scratch(host, r.P, sizeof *next);
  RegionStep step;
  if ((status = region_gradient(&r, grad))) return status;
  if ((status = region_step(&r, &m->region, grad, next, &step))) return status;
  if (step.accepted) actor_critic_set_weights(&learner->net, next);
  report(m, &r, &step, &advantages, explained);
  learner_take_in(learner, l);
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act, .learn = learn};
HN_PLUGIN(trpo, HN_KIND_POLICY, Trpo, &methods, .version = "0.1", .license = "MIT",
          .metrics = hn_this_metrics,
          .summary = "Trust region policy optimisation with a linear baseline, on stored beliefs.",
          .source = "arXiv 1502.05477; baseline of arXiv 1604.06778");

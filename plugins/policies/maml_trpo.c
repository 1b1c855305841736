/* Model-agnostic meta-learning of a policy by trust-region steps: learns weights from which a few
 * gradient steps on a task's own experience go far.
 *
 * Each iteration collects inner_steps + 1 windows of the same rows, a row a task; see trpo/maml.h.
 * The outer loss is the probability ratio times the advantage on the last window, so that it and
 * the divergence can be evaluated at other weights in the line search. */
#include "trpo/maml.h"
#include <math.h>

#define PARAMS(X)         \
  MAML_PARAMS(X, "ratio") \
  REGION_PARAMS(X)
HN_PARAMS(PARAMS);

#define METRICS(X)                                                                   \
  X(loss, "", "Surrogate loss before the step: minus the mean advantage.", HN_MEAN)  \
  X(loss_change, "", "Change of the surrogate loss by the step.", HN_MEAN)           \
  X(kl, "nats", "Mean KL(old || new) of the adapted policies by the step.", HN_MEAN) \
  X(accepted, "", "Whether the line search accepted a step.", HN_MEAN)               \
  X(tries, "", "Steps that the line search tried.", HN_MEAN)                         \
  X(step_norm, "", "Norm of the step in the weights.", HN_MEAN)                      \
  X(grad_norm, "", "Norm of the meta-gradient.", HN_MEAN)                            \
  MAML_METRICS(X)
HN_METRICS(METRICS);

typedef struct MamlTrpo {
  Maml maml;
  RegionParams region;
} MamlTrpo;

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  MamlTrpo *m = self;
  const HnThisParams *p = params;
  m->region = REGION_PARAMS_OF(p);
  return maml_create(&m->maml, host, params, spec);
}

static void report(const HnHost *host, const RegionStep *step, const MamlSums *sums) {
  host->metric(host, metric_loss, step->loss);
  host->metric(host, metric_loss_change, step->change);
  host->metric(host, metric_kl, step->kl);
  host->metric(host, metric_accepted, step->accepted);
  host->metric(host, metric_tries, (double)step->tries);
  host->metric(host, metric_step_norm, step->norm);
  host->metric(host, metric_grad_norm, step->grad_norm);
  host->metric(host, metric_inner_steps_taken, sums->inner_steps);
  host->metric(host, metric_entropy, sums->entropy);
  host->metric(host, metric_advantage_stddev, sums->stddev);
  if (isfinite(sums->explained)) host->metric(host, metric_explained_variance, sums->explained);
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  MamlTrpo *m = self;
  const HnHost *host = m->maml.learner.host;
  Region r;
  MamlSums sums;
  HnStatus status = maml_open(&m->maml, l, &r, &sums);
  if (status) return status;
  double *grad = host->scratch(host, r.P, sizeof *grad);
  float *next = host->scratch(host, r.P, sizeof *next);
  RegionStep step;
  if ((status = region_gradient(&r, grad))) return status;
  if ((status = region_step(&r, &m->region, grad, next, &step))) return status;
  maml_close(&m->maml, l, step.accepted ? next : NULL);
  report(host, &step, &sums);
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = maml_act,
                                 .adapt = maml_adapt, .learn = learn};
HN_PLUGIN(maml_trpo, HN_KIND_POLICY, MamlTrpo, &methods, .version = "0.1", .license = "MIT",
          .metrics = hn_this_metrics,
          .summary = "Model-agnostic meta-learning of a policy, by steps within a trust region.",
          .source = "arXiv 1703.03400; step of arXiv 1502.05477");

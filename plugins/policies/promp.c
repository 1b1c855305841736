/* Proximal meta-policy search: model-agnostic meta-learning whose outer steps are PPO's, by Adam on
 * the clipped ratio of the adapted policies, with a penalty on how far the policies move that the
 * inner steps start from.
 *
 * Experience, acting and inner steps are as in maml_trpo; see trpo/maml.h. */
#include "trpo/maml.h"
#include <math.h>
#include <string.h>

#define PARAMS(X)                                                                                  \
  MAML_PARAMS(X, "ratio")                                                                          \
  X(int, n_epochs, "", "Steps of Adam on the meta-batch.", 5, 1, 1000)                             \
  X(real, lr, "", "Learning rate of Adam.", 1e-3, 0, 1)                                            \
  X(real, adam_eps, "", "Adam's eps, which keeps its denominator from 0.", 1e-8, 0, 1)             \
  X(real, clip_range, "", "The adapted policies' ratio is clipped to [1 - eps, 1 + eps].", 0.3, 0, \
    10)                                                                                            \
  X(real, kl_coef, "",                                                                             \
    "Weight eta of KL(old || new) of the policies before inner steps, averaged over steps and "    \
    "tasks.",                                                                                      \
    5e-4, 0, 1e6)
HN_PARAMS(PARAMS);

#define METRICS(X)                                                                               \
  X(loss, "", "Clipped surrogate loss before the steps: minus the mean advantage.", HN_MEAN)     \
  X(loss_change, "", "Change of the clipped surrogate loss by the steps.", HN_MEAN)              \
  X(kl, "nats", "Mean KL(old || new) of the adapted policies by the steps.", HN_MEAN)            \
  X(clip_fraction, "", "Fraction of the adapted policies' ratios outside the clip range after.", \
    HN_MEAN)                                                                                     \
  X(grad_norm, "", "Norm of the meta-gradient, averaged over the steps.", HN_MEAN)               \
  MAML_METRICS(X)
HN_METRICS(METRICS);

typedef struct Promp {
  Maml maml;
  const HnThisParams *p;
} Promp;

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Promp *m = self;
  m->p = params;
  return maml_create(&m->maml, host, params, spec);
}

/* One step of Adam. */
typedef struct Step {
  Region *r;
  double kl_coef;
  float *flat; /* [tasks, P] out */
} Step;

/* The gradient of a task's share at the weights in r->at, which may be other than those that acted:
 * inner steps are taken anew. */
static HnStatus task_gradient(void *arg, int64_t i) {
  const Step *step = arg;
  HnReuse memory;
  const Region own = region_on_thread(step->r, &memory), *r = &own;
  const HnHost *host = r->actor.net->host;
  const Task *task = &r->task[i];
  float *out = step->flat + i * r->P, *work = host->scratch(host, r->P, sizeof *work);
  float *adapted = host->scratch(host, task->steps * r->P, sizeof *adapted);
  const float *at = r->at;
  for (int64_t k = 0; k < task->steps; k++) {
    region_inner_step(r, at, &task->inner[k], adapted + k * r->P);
    at = adapted + k * r->P;
  }
  memset(out, 0, (size_t)r->P * sizeof *out);
  actor_gradient(&r->actor, at, &task->outer, LOSS_CLIP, 1, out);
  region_pull_back(r, task, r->at, adapted, step->kl_coef, out, work);
  for (int64_t j = 0; j < r->P; j++) out[j] *= (float)task->weight;
  return HN_OK;
}

/* n_epochs steps; norm: the gradient's, on average. */
static HnStatus run_steps(Promp *m, Region *r, double *norm) {
  const HnThisParams *p = m->p;
  ActorCritic *net = &m->maml.learner.net;
  const HnHost *host = m->maml.learner.host;
  const HnAdam adam = {p->lr, 0.9, 0.999, p->adam_eps, 0};
  Step step = {.r = r, .kl_coef = p->kl_coef / (double)m->maml.K, .flat = r->out};
  for (int64_t epoch = 0; epoch < p->n_epochs; epoch++) {
    actor_critic_get_weights(net, r->at);
    HnStatus status = host->parallel(host, r->count, task_gradient, &step);
    if (status) return status;
    hn_store_reduce(&net->store, r->count, step.flat);
    const double norm2 = hn_store_norm2(&net->store);
    if (!isfinite(norm2)) return host->fail(host, HN_E_NUMERIC, "the gradient is not finite");
    *norm += sqrt(norm2) / (double)p->n_epochs;
    hn_adam_step(&net->store, &adam, 1, 1);
  }
  return HN_OK;
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Promp *m = self;
  const HnHost *host = m->maml.learner.host;
  Region r;
  MamlSums sums;
  ActorValue before, after;
  double norm = 0;
  HnStatus status = maml_open(&m->maml, l, &r, &sums);
  if (status) return status;
  r.actor.clip_range = m->p->clip_range, r.clipped = true;
  if ((status = region_evaluate(&r, r.theta, &before))) return status;
  if ((status = run_steps(m, &r, &norm))) return status;
  actor_critic_get_weights(&m->maml.learner.net, r.at);
  if ((status = region_evaluate(&r, r.at, &after))) return status;
  maml_close(&m->maml, l, NULL);
  host->metric(host, metric_loss, before.loss);
  host->metric(host, metric_loss_change, after.loss - before.loss);
  host->metric(host, metric_kl, after.kl);
  host->metric(host, metric_clip_fraction, after.clipped);
  host->metric(host, metric_grad_norm, norm);
  host->metric(host, metric_inner_steps_taken, sums.inner_steps);
  host->metric(host, metric_entropy, sums.entropy);
  host->metric(host, metric_advantage_stddev, sums.stddev);
  if (isfinite(sums.explained)) host->metric(host, metric_explained_variance, sums.explained);
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = maml_act,
                                 .adapt = maml_adapt, .learn = learn};
HN_PLUGIN(promp, HN_KIND_POLICY, Promp, &methods, .version = "0.1", .license = "MIT",
          .metrics = hn_this_metrics,
          .summary = "Proximal meta-policy search: MAML with PPO's outer steps.",
          .source = "arXiv 1810.06784");

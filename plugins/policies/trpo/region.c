/* region.c - see region.h. */
#include "region.h"
#include <math.h>
#include <string.h>

static float *floats(const Region *r, int64_t count) {
  const HnHost *host = r->actor.net->host;
  return host->scratch(host, count, sizeof(float));
}

void region_begin(Region *r, const ActorCritic *net) {
  r->actor.net = net, r->P = net->store.size;
  r->theta = floats(r, r->P), r->at = floats(r, r->P), r->v = floats(r, r->P);
  r->out = floats(r, r->count * r->P);
  r->value = net->host->scratch(net->host, r->count, sizeof *r->value);
  actor_critic_get_weights(net, r->theta);
}

Region region_on_thread(const Region *r, HnReuse *memory) {
  Region own = *r;
  hn_reuse_begin(memory, r->actor.net->host, NULL, 0);
  own.actor.memory = memory;
  return own;
}

/* ---- inner steps ---- */

void region_inner_step(const Region *r, const float *from, const Sample *s, float *to) {
  const size_t bytes = (size_t)r->P * sizeof *to;
  if (s->n < 1) {
    memcpy(to, from, bytes);
    return;
  }
  memset(to, 0, bytes);
  actor_gradient(&r->actor, from, s, r->inner_loss, 1, to);
  const float alpha = (float)r->inner_lr;
  for (int64_t j = 0; j < r->P; j++) to[j] = from[j] - alpha * to[j];
}

/* The weights that inner step k began at; k = steps: that the outer loss sees. */
static const float *before_step(const Region *r, const float *theta, const float *adapted,
                                int64_t k) {
  return k ? adapted + (k - 1) * r->P : theta;
}

void region_adapt_step(const Region *r, Task *task, int64_t k) {
  const float *at = before_step(r, r->theta, task->adapted, k);
  Sample *s = k < task->steps ? &task->inner[k] : &task->outer;
  actor_remember(&r->actor, at, s);
  if (k < task->steps) region_inner_step(r, at, s, task->adapted + k * r->P);
}

void region_adapt(const Region *all, int64_t i) {
  HnReuse memory;
  const Region own = region_on_thread(all, &memory);
  for (int64_t k = 0; k <= own.task[i].steps; k++) region_adapt_step(&own, &own.task[i], k);
}

/* v becomes J_k v. */
static void apply_jacobian(const Region *r, const Sample *s, const float *weights, float *v,
                           float *work) {
  if (r->first_order || r->inner_lr == 0) return;
  memset(work, 0, (size_t)r->P * sizeof *work);
  actor_hessian_product(&r->actor, weights, s, r->inner_loss, v, r->inner_lr, work);
  for (int64_t j = 0; j < r->P; j++) v[j] -= work[j];
}

void region_pull_back(const Region *r, const Task *task, const float *theta, const float *adapted,
                      double kl_weight, float *v, float *work) {
  for (int64_t k = task->steps - 1; k >= 0; k--) {
    const float *weights = before_step(r, theta, adapted, k);
    apply_jacobian(r, &task->inner[k], weights, v, work);
    if (kl_weight > 0) actor_gradient(&r->actor, weights, &task->inner[k], LOSS_KL, kl_weight, v);
  }
}

/* ---- over all tasks ---- */

/* sum_i w_i out_i, in the order of tasks. */
static void reduce(const Region *r, double *sum) {
  memset(sum, 0, (size_t)r->P * sizeof *sum);
  for (int64_t i = 0; i < r->count; i++) {
    const float *out = r->out + i * r->P;
    const double w = r->task[i].weight;
    for (int64_t j = 0; j < r->P; j++) sum[j] += w * (double)out[j];
  }
}

static HnStatus task_gradient(void *arg, int64_t i) {
  HnReuse memory;
  const Region own = region_on_thread(arg, &memory), *r = &own;
  const Task *task = &r->task[i];
  float *out = r->out + i * r->P;
  memset(out, 0, (size_t)r->P * sizeof *out);
  actor_gradient(&r->actor, before_step(r, r->theta, task->adapted, task->steps), &task->outer,
                 LOSS_RATIO, 1, out);
  region_pull_back(r, task, r->theta, task->adapted, 0, out, floats(r, r->P));
  return HN_OK;
}

HnStatus region_gradient(Region *r, double *grad) {
  const HnHost *host = r->actor.net->host;
  HnStatus status = host->parallel(host, r->count, task_gradient, r);
  if (!status) reduce(r, grad);
  return status;
}

static HnStatus task_curvature(void *arg, int64_t i) {
  HnReuse memory;
  const Region own = region_on_thread(arg, &memory), *r = &own;
  const Task *task = &r->task[i];
  float *out = r->out + i * r->P, *work = floats(r, r->P), *v = floats(r, r->P);
  memcpy(v, r->v, (size_t)r->P * sizeof *v);
  for (int64_t k = 0; k < task->steps; k++)
    apply_jacobian(r, &task->inner[k], before_step(r, r->theta, task->adapted, k), v, work);
  actor_fisher_product(&r->actor, before_step(r, r->theta, task->adapted, task->steps),
                       &task->outer, v, out);
  region_pull_back(r, task, r->theta, task->adapted, 0, out, work);
  return HN_OK;
}

HnStatus region_curvature(Region *r, const double *v, double *y) {
  const HnHost *host = r->actor.net->host;
  for (int64_t j = 0; j < r->P; j++) r->v[j] = (float)v[j];
  HnStatus status = host->parallel(host, r->count, task_curvature, r);
  if (!status) reduce(r, y);
  return status;
}

/* Where r->at is the weights. */
static HnStatus task_value(void *arg, int64_t i) {
  HnReuse memory;
  const Region own = region_on_thread(arg, &memory), *r = &own;
  const Task *task = &r->task[i];
  const float *at = r->at;
  float *pair = floats(r, 2 * r->P);
  for (int64_t k = 0; k < task->steps; k++) {
    float *next = pair + k % 2 * r->P;
    region_inner_step(r, at, &task->inner[k], next);
    at = next;
  }
  r->value[i] = actor_value(&r->actor, at, &task->outer, r->clipped);
  return HN_OK;
}

HnStatus region_evaluate(Region *r, const float *weights, ActorValue *sum) {
  const HnHost *host = r->actor.net->host;
  if (weights != r->at) memcpy(r->at, weights, (size_t)r->P * sizeof *r->at);
  HnStatus status = host->parallel(host, r->count, task_value, r);
  *sum = (ActorValue){0, 0, 0};
  for (int64_t i = 0; i < r->count && !status; i++) {
    const double w = r->task[i].weight;
    sum->loss += w * r->value[i].loss, sum->kl += w * r->value[i].kl;
    sum->clipped += w * r->value[i].clipped;
  }
  return status;
}

/* ---- the step ---- */

static const double GUARD = 1e-8; /* of a step's length, where there is no curvature */

typedef struct Search {
  Region *r;
  const RegionParams *p;
  RegionStep *step;
} Search;

static HnStatus damped_curvature(void *arg, const double *v, double *y) {
  const Search *s = arg;
  HnStatus status = region_curvature(s->r, v, y);
  for (int64_t j = 0; j < s->r->P && !status; j++) y[j] += s->p->cg_damping * v[j];
  return status;
}

/* NaN is no improvement. */
static HnStatus is_improvement(void *arg, const float *x, bool *accepted) {
  Search *s = arg;
  ActorValue now;
  HnStatus status = region_evaluate(s->r, x, &now);
  s->step->tries++;
  s->step->change = now.loss - s->step->loss, s->step->kl = now.kl;
  *accepted = s->step->change < 0 && now.kl <= s->p->target_kl;
  return status;
}

static double norm_of(int64_t n, const double *v) {
  double sum = 0;
  for (int64_t j = 0; j < n; j++) sum += v[j] * v[j];
  return sqrt(sum);
}

HnStatus region_step(Region *r, const RegionParams *p, const double *grad, float *next,
                     RegionStep *step) {
  const HnHost *host = r->actor.net->host;
  const int64_t P = r->P;
  double *direction = host->scratch(host, 4 * P, sizeof *direction), curvature = 0;
  Search search = {r, p, step};
  *step = (RegionStep){.grad_norm = norm_of(P, grad)};
  memcpy(next, r->theta, (size_t)P * sizeof *next);
  ActorValue before;
  HnStatus status = region_evaluate(r, r->theta, &before);
  if (status) return status;
  step->loss = before.loss;
  if (!isfinite(step->grad_norm))
    return host->fail(host, HN_E_NUMERIC, "the gradient is not finite");
  status = hn_conjugate_gradients(P, damped_curvature, &search, grad, p->cg_max_steps,
                                  p->cg_tolerance, direction, direction + P, &curvature);
  if (status || !(curvature > 0)) return status;
  const double length = sqrt(2 * p->target_kl / (curvature + GUARD));
  for (int64_t j = 0; j < P; j++) direction[j] *= length;
  int64_t taken;
  status = hn_line_search(P, r->theta, direction, p->line_search_shrinking_factor,
                          p->line_search_max_iter, is_improvement, &search, next, &taken);
  step->accepted = taken >= 0;
  if (!step->accepted) step->change = step->kl = 0;
  if (step->accepted)
    step->norm = norm_of(P, direction) * pow(p->line_search_shrinking_factor, (double)taken);
  return status;
}

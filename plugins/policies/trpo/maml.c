/* maml.c - see maml.h. */
#include "maml.h"
#include <math.h>
#include <string.h>

/* ---- rows ---- */

typedef struct Row {
  int64_t version, steps; /* that theta was at; inner steps since, 0: acts by theta */
  float pad[12];          /* weights are on a cache line of their own */
  float weights[];        /* [P] */
} Row;

static Row *row_of(const Maml *m, void *state, int64_t i) {
  const size_t size = sizeof(Row) + (size_t)m->learner.net.store.size * sizeof(float);
  return (Row *)(void *)((char *)state + (size_t)i * size);
}

static bool has_adapted(const Maml *m, const Row *row) {
  return row->steps > 0 && row->version == *m->version;
}

HnStatus maml_create(Maml *m, const HnHost *host, const MamlParams *p, HnPolicySpec *spec) {
  m->p = p, m->K = p->inner_steps;
  HnStatus status =
      learner_create(&m->learner, host, (const ActorCriticParams *)(const void *)p, spec);
  if (status) return status;
  m->version = host->keep(
      host, HN_ARRAY("version", HN_WEIGHT, HN_I64, .rank = 1, .dim = {1}, .end = INT64_MAX));
  spec->phases = m->K + 1;
  spec->row_size = sizeof(Row) + (size_t)m->learner.net.store.size * sizeof(float);
  return HN_OK;
}

/* Rows that act by theta share a product; the others have weights of their own. */
HnStatus maml_act(void *self, HnActBatch *a) {
  const Maml *m = self;
  const ActorCritic *net = &m->learner.net;
  ActorCritic view;
  HnReuse memory;
  hn_reuse_begin(&memory, m->learner.host, NULL, 0);
  actor_critic_view(net, &view);
  for (int64_t i = 0, end; i < a->rows; i = end) {
    const Row *row = row_of(m, a->state, i);
    end = i + 1;
    if (!has_adapted(m, row)) {
      while (end < a->rows && !has_adapted(m, row_of(m, a->state, end))) end++;
      learner_act(&m->learner, &memory, net, a, i, end - i);
      continue;
    }
    actor_critic_view_weights(&view, row->weights);
    learner_act(&m->learner, &memory, &view, a, i, 1);
  }
  return HN_OK;
}

/* ---- samples ---- */

/* The steps of row i's window since a task last began in it; none where one begins at its end. */
static Elements steps_to_adapt_on(const HnHistory *h, int64_t i) {
  int64_t from = h->steps;
  while (from > 0 && h->begin[hn_at(h, from, i)] != HN_NEW_TASK) from--;
  return (Elements){.h = h, .row = i, .from = from, .steps = h->steps - from};
}

/* The steps of row i's last window until another task begins. */
static Elements steps_to_learn_from(const HnHistory *h, int64_t i) {
  int64_t end = 1;
  while (end < h->steps && h->begin[hn_at(h, end, i)] != HN_NEW_TASK) end++;
  return (Elements){.h = h, .row = i, .steps = end};
}

/* Fills in a sample with advantages by a baseline of its own; returns that the window's end cuts
 * count what was won until then. */
static Moments take_sample(const Maml *m, const HnHost *host, const Elements *e, Sample *s,
                           double *explained) {
  const MamlParams *p = m->p;
  const ReturnRule rule = {p->gamma, p->gae_lambda, true, false};
  const int64_t features = linear_baseline_features(learner_inputs(&m->learner));
  double *coef = host->scratch(host, features, sizeof *coef);
  float *value = host->scratch(host, 2 * s->n, sizeof *value), *target = value + s->n;
  memset(coef, 0, (size_t)features * sizeof *coef);
  learner_read(&m->learner, e, s);
  const Moments found =
      learner_advantages(&m->learner, host, &rule, ADVANTAGE_RAW, e, coef, value, s);
  for (int64_t k = 0; k < s->n; k++) target[k] = s->advantage[k] + value[k];
  *explained = advantage_explained(advantage_moments(target, NULL, s->n), found);
  return advantage_standardise(p->advantages, s->n, s->advantage);
}

static Region region_for(const Maml *m) {
  return (Region){.actor = {.net = &m->learner.net},
                  .P = m->learner.net.store.size,
                  .inner_lr = m->p->inner_lr,
                  .inner_loss = m->p->inner_form == INNER_RATIO ? LOSS_RATIO : LOSS_LOGP,
                  .first_order = m->p->first_order};
}

HnStatus maml_adapt(void *self, const HnHistory *h, void *state) {
  const Maml *m = self;
  const HnHost *host = m->learner.host;
  if (h->samples > 1)
    return host->fail(host, HN_E_UNSUPPORTED,
                      "adapts to what was done on one belief; set evaluation.samples to 0 or 1");
  Region r = region_for(m);
  r.inner_loss = LOSS_LOGP; /* the gradient of either form at the weights that acted */
  float *next = host->scratch(host, 2 * r.P, sizeof *next), *theta = next + r.P;
  Sample room = actor_sample(&m->learner.net, h->steps);
  HnReuse baseline, tapes; /* rows share memory */
  hn_reuse_begin(&baseline, host, NULL, 0), hn_reuse_begin(&tapes, host, NULL, 0);
  r.actor.memory = &tapes;
  actor_critic_get_weights(&m->learner.net, theta);
  for (int64_t i = 0; i < h->rows; i++) {
    const Elements e = steps_to_adapt_on(h, i);
    if (e.steps < 1) continue;
    Row *row = row_of(m, state, i);
    double explained;
    room.n = e.steps;
    hn_reuse_reset(&baseline);
    take_sample(m, &baseline.host, &e, &room, &explained);
    const bool again = has_adapted(m, row);
    region_inner_step(&r, again ? row->weights : theta, &room, next);
    for (int64_t j = 0; j < r.P; j++)
      if (!isfinite(next[j]))
        return host->fail(host, HN_E_NUMERIC, "the inner step of row %lld is not finite",
                          (long long)i);
    memcpy(row->weights, next, (size_t)r.P * sizeof *next);
    row->version = *m->version, row->steps = again ? row->steps + 1 : 1;
  }
  return HN_OK;
}

/* ---- tasks ---- */

typedef struct Opening {
  const Maml *m;
  const HnTrainBatch *l;
  Region *r;
  Moments *moments;  /* [rows] of the last window's advantages */
  double *explained; /* [rows] */
} Opening;

/* The first of the windows that row i adapted on in the task of its last window; K: none. */
static int64_t first_phase(const Maml *m, const HnTrainBatch *l, int64_t i) {
  int64_t k = m->K;
  while (k > 0) {
    const HnHistory *h = l->phase[k - 1];
    const Elements e = steps_to_adapt_on(h, i);
    if (e.steps < 1) break; /* the task began where that window ends */
    k--;
    if (e.from > 0 || h->begin[hn_at(h, 0, i)] == HN_NEW_TASK) break;
  }
  return k;
}

static HnStatus open_task(void *arg, int64_t i) {
  const Opening *o = arg;
  Task *task = &o->r->task[i];
  const int64_t K = o->m->K, first = K - task->steps;
  double ignored;
  for (int64_t k = 0; k < task->steps; k++) {
    const Elements e = steps_to_adapt_on(o->l->phase[first + k], i);
    take_sample(o->m, o->m->learner.host, &e, &task->inner[k], &ignored);
  }
  const Elements last = steps_to_learn_from(o->l->phase[K], i);
  o->moments[i] = take_sample(o->m, o->m->learner.host, &last, &task->outer, &o->explained[i]);
  region_adapt(o->r, i);
  return HN_OK;
}

/* Room for the task of row i, in scratch that outlives what fills it. */
static void make_task(const Maml *m, const HnTrainBatch *l, Region *r, int64_t i) {
  const HnHost *host = m->learner.host;
  const int64_t K = m->K, first = first_phase(m, l, i);
  Task *task = &r->task[i];
  *task = (Task){.weight = 1 / (double)r->count, .steps = K - first};
  task->inner = host->scratch(host, K, sizeof *task->inner);
  task->adapted = host->scratch(host, K * r->P, sizeof *task->adapted);
  for (int64_t k = 0; k < task->steps; k++)
    task->inner[k] = actor_sample(&m->learner.net, steps_to_adapt_on(l->phase[first + k], i).steps);
  task->outer = actor_sample(&m->learner.net, steps_to_learn_from(l->phase[K], i).steps);
}

HnStatus maml_open(Maml *m, const HnTrainBatch *l, Region *r, MamlSums *sums) {
  const HnHost *host = m->learner.host;
  HnStatus status = learner_check(&m->learner, l);
  if (status) return status;
  hn_store_refresh(&m->learner.net.store);
  *r = region_for(m);
  r->count = l->phase[0]->rows;
  r->task = host->scratch(host, r->count, sizeof *r->task);
  for (int64_t i = 0; i < r->count; i++) make_task(m, l, r, i);
  region_begin(r, &m->learner.net);
  Opening o = {.m = m,
               .l = l,
               .r = r,
               .moments = host->scratch(host, r->count, sizeof *o.moments),
               .explained = host->scratch(host, r->count, sizeof *o.explained)};
  if ((status = host->parallel(host, r->count, open_task, &o))) return status;
  *sums = (MamlSums){.stddev = 0};
  double known = 0;
  for (int64_t i = 0; i < r->count; i++) {
    const double w = r->task[i].weight;
    sums->stddev += w * o.moments[i].stddev, sums->inner_steps += w * (double)r->task[i].steps;
    sums->entropy += w * actor_entropy(&r->actor, &r->task[i].outer);
    if (isfinite(o.explained[i])) sums->explained += o.explained[i], known++;
  }
  sums->explained = known > 0 ? sums->explained / known : (double)NAN;
  return HN_OK;
}

void maml_close(Maml *m, const HnTrainBatch *l, const float *theta) {
  if (theta) actor_critic_set_weights(&m->learner.net, theta);
  ++*m->version;
  learner_take_in(&m->learner, l);
}

/* maml.c - see maml.h. */
#include "maml.h"
#include <math.h>
#include <string.h>

/* ---- rows ---- */

typedef struct Row {
  int64_t version, steps; /* that theta was at; inner steps since, 0: acts by theta */
  int64_t drawn;          /* of a posterior: the inner steps of that drawn from, 0: none yet */
  float seed[2];          /* of the draw, as in aux */
  float pad[8];           /* weights are on a cache line of their own */
  float weights[];        /* [P]; of a posterior, then its precisions and the head drawn */
} Row;

/* Of aux, with a posterior: the seed of the head that acted, its upper and its lower half, which
 * floats hold exactly; 0: the weights' own. */
enum { SEED_SIZE = 2, SEED_BITS = 24 };

static uint64_t seed_of(const float *seed) {
  return (uint64_t)seed[0] << SEED_BITS | (uint64_t)seed[1];
}

static size_t weights_size(const Maml *m) {
  return sizeof(Row) + ((size_t)m->learner.net.store.size * sizeof(float) + 7) / 8 * 8;
}
static size_t row_size(const Maml *m) {
  const ActorCritic *net = &m->learner.net;
  if (!m->draws) return sizeof(Row) + (size_t)net->store.size * sizeof(float);
  return weights_size(m) + (size_t)head_posterior_count(net) * sizeof(double) +
         ((size_t)actor_head_size(net) * sizeof(float) + 7) / 8 * 8;
}
static Row *row_of(const Maml *m, void *state, int64_t i) {
  return (Row *)(void *)((char *)state + (size_t)i * row_size(m));
}
static double *precisions_of(const Maml *m, Row *row) {
  return (double *)(void *)((char *)row + weights_size(m));
}
static float *head_of(const Maml *m, Row *row) {
  return (float *)(void *)(precisions_of(m, row) + head_posterior_count(&m->learner.net));
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
  m->draws = p->posterior == POSTERIOR_LAPLACE;
  m->posterior = (HeadPosterior){p->prior_precision, p->temperature};
  if (m->draws) spec->aux_dim = m->learner.aux_dim += SEED_SIZE;
  spec->phases = m->K + 1;
  spec->row_size = row_size(m);
  return HN_OK;
}

/* ---- acting ---- */

/* Draws the row's head. */
static HnStatus draw_head(const Maml *m, const HnHost *host, HnRng *rng, Row *row) {
  const ActorCritic *net = &m->learner.net;
  const HnTensor *w = net->actor.head.w[0], *b = net->actor.head.b[0];
  const int64_t n = w->rows * w->cols;
  const uint64_t bits = hn_rng_u64(rng), most = (UINT64_C(1) << SEED_BITS) - 1;
  row->seed[0] = (float)(bits >> SEED_BITS & most), row->seed[1] = (float)((bits & most) | 1);
  row->drawn = row->steps;
  float *head = head_of(m, row);
  const HnStatus status =
      head_posterior_draw(net, host, precisions_of(m, row), seed_of(row->seed), head);
  for (int64_t j = 0; j < n; j++) head[j] += row->weights[w->offset + j];
  for (int64_t j = 0; j < net->A; j++) head[n + j] += row->weights[b->offset + j];
  return status;
}

/* Lets the view read the row's weights, and the head that it acts by. */
static HnStatus view_row(const Maml *m, const HnActBatch *a, int64_t i, const HnHost *host,
                         Row *row, ActorCritic *view) {
  HnStatus status = HN_OK;
  actor_critic_view_weights(view, row->weights);
  if (!m->draws || !a->rng) return HN_OK;
  if (a->begin[i] != HN_KEEP || row->drawn != row->steps)
    status = draw_head(m, host, &a->rng[i], row);
  HnTensor *w = view->actor.head.w[0], *b = view->actor.head.b[0];
  w->data = head_of(m, row), b->data = w->data + w->rows * w->cols;
  return status;
}

static void write_seeds(const Maml *m, HnActBatch *a, int64_t first, int64_t rows,
                        const float *seed) {
  for (int64_t i = first; m->draws && i < first + rows; i++)
    for (int k = 0; k < SEED_SIZE; k++)
      a->aux[(i + 1) * m->learner.aux_dim - SEED_SIZE + k] = seed ? seed[k] : 0;
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
    Row *row = row_of(m, a->state, i);
    end = i + 1;
    if (!has_adapted(m, row)) {
      while (end < a->rows && !has_adapted(m, row_of(m, a->state, end))) end++;
      learner_act(&m->learner, &memory, net, a, i, end - i);
      write_seeds(m, a, i, end - i, NULL);
      continue;
    }
    hn_reuse_reset(&memory);
    const HnStatus status = view_row(m, a, i, &memory.host, row, &view);
    if (status) return status;
    learner_act(&m->learner, &memory, &view, a, i, 1);
    write_seeds(m, a, i, 1, a->rng ? row->seed : NULL);
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

static uint64_t seed_at(const Maml *m, const Elements *e, int64_t k) {
  const int64_t aux_dim = m->learner.aux_dim;
  const int64_t at = hn_at(e->h, e->from + k, e->row);
  return seed_of(e->h->aux + (at + 1) * aux_dim - SEED_SIZE);
}

/* Makes room for the offsets of the heads that acted in the elements, a row's. */
static void make_offsets(const Maml *m, const HnHost *host, const Elements *e, Sample *s) {
  s->offsets = 0;
  if (!m->draws || s->n < 1) return;
  s->offset = host->scratch(host, s->n, sizeof *s->offset);
  bool drawn = false;
  for (int64_t k = 0; k < s->n; k++) {
    const uint64_t seed = seed_at(m, e, k);
    if (k == 0 || seed != seed_at(m, e, k - 1)) {
      HeadOffset *own = &s->offset[s->offsets++];
      own->offset =
          seed ? host->scratch(host, actor_head_size(&m->learner.net), sizeof(float)) : NULL;
      drawn |= seed > 0;
    }
    s->offset[s->offsets - 1].end = k + 1;
  }
  if (!drawn) s->offsets = 0;
}

/* Draws them again, from precisions p. */
static HnStatus draw_offsets(const Maml *m, const HnHost *host, const Elements *e, const double *p,
                             const Sample *s) {
  HnStatus status = HN_OK;
  for (int64_t k = 0; !status && k < s->offsets; k++)
    if (s->offset[k].offset)
      status = head_posterior_draw(&m->learner.net, host, p, seed_at(m, e, s->offset[k].end - 1),
                                   s->offset[k].offset);
  return status;
}

static Region region_for(const Maml *m) {
  return (Region){.actor = {.net = &m->learner.net},
                  .P = m->learner.net.store.size,
                  .inner_lr = m->p->inner_lr,
                  .inner_loss = m->p->inner_form == INNER_RATIO ? LOSS_RATIO : LOSS_LOGP,
                  .first_order = m->p->first_order};
}

/* Adds what a row has just adapted on, at the weights that it adapted to, to its precisions. */
static void take_curvature(const Maml *m, const HnHost *host, const Actor *actor, const Sample *s,
                           bool again, Row *row) {
  Sample plain = *s;
  plain.offsets = 0, row->drawn = 0;
  if (!again) head_posterior_set_prior(&m->posterior, &m->learner.net, precisions_of(m, row));
  head_posterior_add(&m->posterior, host, actor, row->weights, &plain, precisions_of(m, row));
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
    make_offsets(m, &baseline.host, &e, &room);
    const HnStatus status = draw_offsets(m, &baseline.host, &e, precisions_of(m, row), &room);
    if (status) return status;
    region_inner_step(&r, again ? row->weights : theta, &room, next);
    for (int64_t j = 0; j < r.P; j++)
      if (!isfinite(next[j]))
        return host->fail(host, HN_E_NUMERIC, "the inner step of row %lld is not finite",
                          (long long)i);
    memcpy(row->weights, next, (size_t)r.P * sizeof *next);
    row->version = *m->version, row->steps = again ? row->steps + 1 : 1;
    if (m->draws) take_curvature(m, &baseline.host, &r.actor, &room, again, row);
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

/* The elements of the task's sample k; k = steps: of the outer one. */
static Elements elements_of(const Maml *m, const HnTrainBatch *l, int64_t i, const Task *task,
                            int64_t k) {
  if (k == task->steps) return steps_to_learn_from(l->phase[m->K], i);
  return steps_to_adapt_on(l->phase[m->K - task->steps + k], i);
}

/* Adapts task i along its samples; the heads that acted after inner steps are drawn again. */
static HnStatus adapt_task(const Opening *o, int64_t i) {
  const Maml *m = o->m;
  const HnHost *host = m->learner.host;
  Task *task = &o->r->task[i];
  HnReuse memory;
  const Region own = region_on_thread(o->r, &memory);
  double *p = NULL;
  if (m->draws) {
    p = host->scratch(host, head_posterior_count(&m->learner.net), sizeof *p);
    head_posterior_set_prior(&m->posterior, &m->learner.net, p);
  }
  for (int64_t k = 0; k <= task->steps; k++) {
    if (m->draws && k > 0) {
      Sample before = task->inner[k - 1];
      const Sample *s = k < task->steps ? &task->inner[k] : &task->outer;
      const Elements e = elements_of(m, o->l, i, task, k);
      before.offsets = 0;
      head_posterior_add(&m->posterior, host, &own.actor, task->adapted + (k - 1) * own.P, &before,
                         p);
      const HnStatus status = draw_offsets(m, host, &e, p, s);
      if (status) return status;
    }
    region_adapt_step(&own, task, k);
  }
  return HN_OK;
}

static HnStatus open_task(void *arg, int64_t i) {
  const Opening *o = arg;
  Task *task = &o->r->task[i];
  double ignored;
  for (int64_t k = 0; k < task->steps; k++) {
    const Elements e = elements_of(o->m, o->l, i, task, k);
    take_sample(o->m, o->m->learner.host, &e, &task->inner[k], &ignored);
  }
  const Elements last = elements_of(o->m, o->l, i, task, task->steps);
  o->moments[i] = take_sample(o->m, o->m->learner.host, &last, &task->outer, &o->explained[i]);
  return adapt_task(o, i);
}

/* Room for the task of row i, in scratch that outlives what fills it. */
static void make_task(const Maml *m, const HnTrainBatch *l, Region *r, int64_t i) {
  const HnHost *host = m->learner.host;
  const int64_t K = m->K, first = first_phase(m, l, i);
  Task *task = &r->task[i];
  *task = (Task){.weight = 1 / (double)r->count, .steps = K - first};
  task->inner = host->scratch(host, K, sizeof *task->inner);
  task->adapted = host->scratch(host, K * r->P, sizeof *task->adapted);
  for (int64_t k = 0; k <= task->steps; k++) {
    const Elements e = elements_of(m, l, i, task, k);
    Sample *s = k < task->steps ? &task->inner[k] : &task->outer;
    *s = actor_sample(&m->learner.net, e.steps);
    make_offsets(m, host, &e, s);
  }
}

HnStatus maml_open(Maml *m, const HnTrainBatch *l, Region *r, MamlSums *sums) {
  const HnHost *host = m->learner.host;
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
  HnStatus status = host->parallel(host, r->count, open_task, &o);
  if (status) return status;
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

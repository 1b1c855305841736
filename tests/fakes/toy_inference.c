/* toy_inference.c - compiled once per plugin: FILTER, MEMORY or ORACLE; see toy.h. */
#include "toy.h"
#include <string.h>

#define PARAMS(X) X(real, rate, "", "Step size.", 0.01, 0, 1)
HN_PARAMS(PARAMS);
#define INFO(X)                                           \
  X(log_predictive, "nats", "Of the step seen.", HN_MEAN) \
  X(size, "", "Of the belief.", HN_LAST)
HN_INFO(INFO);
#define METRICS(X) X(seen, "", "Steps in the replay.", HN_MEAN)
HN_METRICS(METRICS);

enum { D = 3, CAPACITY = 64 };
typedef struct Toy {
  const HnThisParams *p;
  const HnHost *host;
  int64_t O, used;
  float *w, *grad; /* [D] decay of each integrator */
  float *replay;   /* [CAPACITY] rewards */
  float *before;   /* of forward: [T+1, B, D] memory before each percept */
} Toy;             /* row memory: float [D] */

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Toy *m = self;
  m->p = params, m->host = host, m->O = spec->obs_dim;
  m->w = host->keep(host,
                    HN_ARRAY("decay", HN_WEIGHT, HN_F32, .rank = 1, .dim = {D}, .grad = &m->grad));
  m->replay = host->keep(
      host, HN_ARRAY("replay", HN_REPLAY, HN_F32, .rank = 1, .dim = {CAPACITY}, .used = &m->used));
  for (int k = 0; k < D; k++) m->w[k] = (float)hn_rng_uniform(spec->rng, 0.2, 0.9);
  spec->belief_dim = spec->latent_dim = D, spec->row_size = D * sizeof(float);
  spec->map_width = D, spec->map_height = 1;
#ifdef FILTER
  spec->refresh = true;
#endif
#ifdef ORACLE
  if (spec->task_dim != 1) return host->fail(host, HN_E_SHAPE, "expected to be told the task");
#endif
  return HN_OK;
}

/* What integrator k takes in at (t, i). */
static float input(const Toy *m, const HnHistory *h, int64_t t, int64_t i, int k) {
#ifdef ORACLE
  (void)m, (void)k;
  return h->task[hn_at(h, t, i)];
#else
  int64_t at = hn_at(h, t, i), past = hn_at(h, t - 1, i);
  if (h->begin[at] == HN_NEW_TASK) return h->obs[at * m->O];
  return k == 0 ? h->obs[at * m->O] : k == 1 ? h->reward[past] : h->action[past * 2];
#endif
}

static HnStatus run(Toy *m, HnBeliefUpdate *q, float *before) {
  const HnHistory *h = q->history;
  int64_t S = q->samples > 0 ? q->samples : 1;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      float *x = (float *)q->state + i * D;
      bool fresh = h->begin[hn_at(h, t, i)] == HN_NEW_TASK;
      for (int k = 0; k < D; k++) {
        if (fresh) x[k] = 0;
        if (before) before[(t * h->rows + i) * D + k] = x[k];
        x[k] = m->w[k] * x[k] + input(m, h, t, i, k);
        for (int64_t s = 0; s < S; s++)
          q->belief[((t * h->rows + i) * S + s) * D + k] =
              x[k] + (q->samples ? (float)(0.1 * hn_rng_normal(&q->rng[i])) : 0);
      }
      if (!q->info) continue;
      float *info = q->info + (t * h->rows + i) * info_count;
      info[info_log_predictive] = fresh ? NAN : h->reward[hn_at(h, t - 1, i)];
      info[info_size] = fabsf(x[0]);
    }
  return HN_OK;
}
static HnStatus believe(void *self, HnBeliefUpdate *q) {
  return run(self, q, NULL);
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Toy *m = self;
  const HnHistory *h = l->phase[0];
  for (int64_t t = 0; t < h->steps && m->used < CAPACITY; t++)
    m->replay[m->used++] = h->reward[hn_at(h, t, 0)];
  for (int k = 0; k < D; k++)
    m->w[k] += (float)(m->p->rate * (hn_rng_uniform(l->rng, 0.2, 0.9) - (double)m->w[k]));
  m->host->metric(m->host, metric_seen, (double)m->used);
  return HN_OK;
}

static HnStatus map(void *self, const float *belief, float *cells) {
  (void)self;
  for (int k = 0; k < D; k++) cells[k] = 2 * belief[k] + 1;
  return HN_OK;
}

#ifdef MEMORY
static HnStatus forward(void *self, HnBeliefUpdate *q) {
  Toy *m = self;
  m->before =
      m->host->scratch(m->host, (q->history->steps + 1) * q->history->rows * D, sizeof(float));
  return run(m, q, m->before);
}
static HnStatus backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                         double *norm2) {
  Toy *m = self;
  const HnHistory *h = q->history;
  int64_t S = q->samples > 0 ? q->samples : 1;
  double sum = 0;
  for (int k = 0; k < D; k++) {
    for (int64_t i = 0; i < h->rows; i++) {
      float d = 0;
      for (int64_t t = h->steps; t >= 0; t--) {
        for (int64_t s = 0; s < S; s++) d += d_belief[((t * h->rows + i) * S + s) * D + k];
        m->grad[k] += d * m->before[(t * h->rows + i) * D + k];
        d = h->begin[hn_at(h, t, i)] == HN_NEW_TASK ? 0 : d * m->w[k];
      }
    }
    sum += (double)m->grad[k] * (double)m->grad[k];
  }
  if (norm2) *norm2 = sum;
  return HN_OK;
}
static HnStatus improve(void *self, double scale, double rate) {
  Toy *m = self;
  for (int k = 0; k < D; k++) m->w[k] -= (float)(scale * rate * m->p->rate) * m->grad[k];
  memset(m->grad, 0, D * sizeof(float));
  return HN_OK;
}
#endif

#if defined FILTER
static const HnInference methods = {sizeof(HnInference), .create = create, .infer = believe,
                                    .learn = learn, .map = map};
HN_PLUGIN(toy_filter, HN_KIND_INFERENCE, Toy, &methods, .version = "1", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics, .summary = "Filters.",
          .source = "tests");
#elif defined MEMORY
static const HnInference methods = {
    sizeof(HnInference),  .create = create, .infer = believe, .forward = forward,
    .backward = backward, .step = improve,  .learn = learn,   .map = map};
HN_PLUGIN(toy_memory, HN_KIND_INFERENCE, Toy, &methods, .version = "1", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics, .summary = "Remembers.",
          .source = "tests");
#else
static const HnInference methods = {sizeof(HnInference), .create = create, .infer = believe,
                                    .learn = learn, .map = map};
HN_PLUGIN(toy_oracle, HN_KIND_INFERENCE, Toy, &methods, .version = "1", .license = "MIT",
          .info = hn_this_info, .metrics = hn_this_metrics, .flags = HN_PRIVILEGED,
          .summary = "Knows.", .source = "tests");
#endif

/* unusual.c - see unusual.h. */
#include "unusual.h"
#include <math.h>
#include <string.h>

#define NO_PARAMS(X)
HN_PARAMS(NO_PARAMS);

/* HN_PLUGIN with what all of them say alike. */
#define UNUSUAL(name, kind, Self, methods, ...)                                             \
  HN_PLUGIN(name, kind, Self, methods, .version = "1", .license = "MIT", .source = "tests", \
            __VA_ARGS__)

typedef struct Nothing {
  int unused;
} Nothing;

/* ---- environments ---- */

typedef struct Slope { /* row memory: answers are slope x + noise */
  double slope;
} Slope;

static HnStatus supervised_create(void *self, const HnHost *host, const void *params,
                                  HnEnvSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->obs_dim = 1, spec->action_dim = 1, spec->task_dim = 1, spec->horizon = 8;
  spec->row_size = sizeof(Slope);
  return HN_OK;
}

static HnStatus supervised_reset(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    Slope *row = (Slope *)b->state + i;
    if (b->begin[i] == HN_KEEP) continue;
    if (b->begin[i] == HN_NEW_TASK) row->slope = hn_rng_normal(&b->rng[i]);
    b->obs[i] = 0, b->task[i] = (float)row->slope;
  }
  return HN_OK;
}

static HnStatus supervised_step(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    const Slope *row = (Slope *)b->state + i;
    b->obs[i] = (float)(row->slope * (double)b->action[i] + 0.1 * hn_rng_normal(&b->rng[i]));
    b->reward[i] = 0;
  }
  return HN_OK;
}

static HnStatus supervised_query(void *self, const void *state, int64_t n, const float *action,
                                 float *obs) {
  (void)self;
  for (int64_t k = 0; k < n; k++)
    obs[k] = (float)(((const Slope *)state)->slope * (double)action[k]);
  return HN_OK;
}

static const HnEnv supervised = {sizeof(HnEnv), .create = supervised_create,
                                 .reset = supervised_reset, .step = supervised_step,
                                 .query = supervised_query};
UNUSUAL(unusual_supervised, HN_KIND_ENV, Nothing, &supervised, .summary = "Answers.");

static HnStatus bare_create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->action_count = 3, spec->horizon = 4;
  return HN_OK;
}

static HnStatus bare_reset(void *self, HnEnvBatch *b) {
  return (void)self, (void)b, HN_OK;
}

static HnStatus bare_step(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++)
    b->reward[i] = (float)(b->action_index[i] + hn_rng_normal(&b->rng[i]));
  return HN_OK;
}

static const HnEnv bare = {sizeof(HnEnv), .create = bare_create, .reset = bare_reset,
                           .step = bare_step};
UNUSUAL(unusual_bare, HN_KIND_ENV, Nothing, &bare, .summary = "Remembers nothing.");

static HnStatus one_create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->obs_dim = 1, spec->action_count = 1, spec->horizon = 5, spec->row_size = sizeof(double);
  return HN_OK;
}

static HnStatus one_reset(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    double *x = (double *)b->state + i;
    if (b->begin[i] != HN_KEEP) *x = hn_rng_normal(&b->rng[i]), b->obs[i] = (float)*x;
  }
  return HN_OK;
}

static HnStatus one_step(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    double *x = (double *)b->state + i;
    *x = 0.9 * *x + 0.1 * hn_rng_normal(&b->rng[i]);
    b->obs[i] = (float)*x, b->reward[i] = (float)-fabs(*x);
    b->terminated[i] = fabs(*x) < 0.05;
  }
  return HN_OK;
}

static const HnEnv one_action = {sizeof(HnEnv), .create = one_create, .reset = one_reset,
                                 .step = one_step};
UNUSUAL(unusual_one_action, HN_KIND_ENV, Nothing, &one_action, .summary = "No choice.");

/* Caches the square of what the row holds, checked against row memory. */
typedef struct Cached {
  double *x, *square;
} Cached;

static HnStatus cache_create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Cached *c = self;
  HnStatus s = one_create(self, host, params, spec);
  c->x = host->alloc(host, spec->rows, sizeof *c->x);
  c->square = host->alloc(host, spec->rows, sizeof *c->square);
  return s;
}

static HnStatus cache_step(void *self, HnEnvBatch *b) {
  const Cached *c = self;
  HnStatus s = one_step(self, b);
  for (int64_t i = 0; i < b->rows; i++) {
    const double x = ((double *)b->state)[i];
    const int64_t slot = b->first + i;
    if (c->x[slot] != x) c->x[slot] = x, c->square[slot] = x * x;
    b->reward[i] = (float)-c->square[slot];
  }
  return s;
}

static const HnEnv cache = {sizeof(HnEnv), .create = cache_create, .reset = one_reset,
                            .step = cache_step};
UNUSUAL(unusual_cache, HN_KIND_ENV, Cached, &cache, .flags = HN_ROW_CACHE,
        .summary = "Caches by row.");

/* ---- inference ---- */

/* hidden = tanh(w0 hidden + w1 obs[0] + w2), which is the belief; 0 before the first time. */
typedef struct Elman {
  const HnHost *host;
  int64_t obs_dim;
  float *w, *grad;
  float *hidden; /* [T+2, B] from forward: from the one before the window on */
} Elman;

static HnStatus elman_create(void *self, const HnHost *host, const void *params,
                             HnBeliefSpec *spec) {
  Elman *m = self;
  (void)params;
  m->host = host, m->obs_dim = spec->obs_dim;
  m->w =
      host->keep(host, HN_ARRAY("w", HN_WEIGHT, HN_F32, .rank = 1, .dim = {3}, .grad = &m->grad));
  for (int k = 0; k < 3; k++) m->w[k] = (float)(0.5 * hn_rng_normal(spec->rng));
  spec->belief_dim = 1, spec->row_size = sizeof(float), spec->refresh = true;
  return HN_OK;
}

static HnStatus elman_run(const Elman *m, HnBeliefUpdate *q, float *hidden) {
  const HnHistory *h = q->history;
  float *state = q->state;
  for (int64_t i = 0; i < h->rows && hidden; i++) hidden[i] = state[i];
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      if (h->begin[hn_at(h, t, i)] == HN_NEW_TASK) state[i] = 0;
      const float x = m->obs_dim ? h->obs[hn_at(h, t, i) * m->obs_dim] : 0;
      state[i] = tanhf(m->w[0] * state[i] + m->w[1] * x + m->w[2]);
      q->belief[t * h->rows + i] = state[i];
      if (hidden) hidden[(t + 1) * h->rows + i] = state[i];
    }
  return HN_OK;
}

static HnStatus elman_infer(void *self, HnBeliefUpdate *q) {
  return elman_run(self, q, NULL);
}

static HnStatus elman_forward(void *self, HnBeliefUpdate *q) {
  Elman *m = self;
  m->hidden = m->host->scratch(m->host, (q->history->steps + 2) * q->history->rows, sizeof(float));
  return elman_run(m, q, m->hidden);
}

static HnStatus elman_backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                               double *norm2) {
  const Elman *m = self;
  const HnHistory *h = q->history;
  double g[3] = {0, 0, 0};
  for (int64_t i = 0; i < h->rows; i++) {
    double later = 0; /* what comes back from the next time */
    for (int64_t t = h->steps; t >= 0; t--) {
      const bool fresh = h->begin[hn_at(h, t, i)] == HN_NEW_TASK;
      const double now = (double)m->hidden[(t + 1) * h->rows + i];
      const double was = fresh ? 0 : (double)m->hidden[t * h->rows + i];
      const double d = ((double)d_belief[t * h->rows + i] + later) * (1 - now * now);
      g[0] += d * was, g[2] += d;
      g[1] += m->obs_dim ? d * (double)h->obs[hn_at(h, t, i) * m->obs_dim] : 0;
      later = fresh ? 0 : d * (double)m->w[0];
    }
  }
  *norm2 = 0;
  for (int k = 0; k < 3; k++) {
    m->grad[k] += (float)g[k];
    *norm2 += (double)m->grad[k] * (double)m->grad[k];
  }
  return HN_OK;
}

static HnStatus elman_step(void *self, double scale, double rate) {
  const Elman *m = self;
  for (int k = 0; k < 3; k++) m->w[k] -= (float)(0.1 * scale * rate) * m->grad[k], m->grad[k] = 0;
  return HN_OK;
}

static const HnInference recurrent = {sizeof(HnInference),        .create = elman_create,
                                      .infer = elman_infer,       .forward = elman_forward,
                                      .backward = elman_backward, .step = elman_step};
UNUSUAL(unusual_recurrent, HN_KIND_INFERENCE, Elman, &recurrent, .summary = "Elman's network.");

static HnStatus empty_create(void *self, const HnHost *host, const void *params,
                             HnBeliefSpec *spec) {
  return (void)self, (void)host, (void)params, (void)spec, HN_OK;
}
static HnStatus empty_infer(void *self, HnBeliefUpdate *q) {
  return (void)self, (void)q, HN_OK;
}

static const HnInference empty = {sizeof(HnInference), .create = empty_create,
                                  .infer = empty_infer};
UNUSUAL(unusual_empty, HN_KIND_INFERENCE, Nothing, &empty, .summary = "Believes nothing.");

typedef struct Task {
  int64_t task_dim;
} Task;

static HnStatus privileged_create(void *self, const HnHost *host, const void *params,
                                  HnBeliefSpec *spec) {
  (void)host, (void)params;
  ((Task *)self)->task_dim = spec->belief_dim = spec->latent_dim = spec->task_dim;
  return HN_OK;
}

static HnStatus privileged_infer(void *self, HnBeliefUpdate *q) {
  const HnHistory *h = q->history;
  const int64_t K = ((const Task *)self)->task_dim, S = q->samples > 0 ? q->samples : 1;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++)
      for (int64_t k = 0; k < S; k++)
        memcpy(q->belief + ((t * h->rows + i) * S + k) * K, h->task + hn_at(h, t, i) * K,
               (size_t)K * sizeof(float));
  return HN_OK;
}

static const HnInference privileged = {sizeof(HnInference), .create = privileged_create,
                                       .infer = privileged_infer};
UNUSUAL(unusual_privileged, HN_KIND_INFERENCE, Task, &privileged, .flags = HN_PRIVILEGED,
        .summary = "Knows the task.");

/* ---- policies ---- */

typedef struct Actor {
  int64_t action_dim, action_count;
} Actor;

static HnStatus actor_create(void *self, const HnHost *host, const void *params,
                             HnPolicySpec *spec) {
  (void)host, (void)params;
  *(Actor *)self = (Actor){spec->action_dim, spec->action_count};
  return HN_OK;
}

/* Never without a stream. */
static HnStatus stochastic_act(void *self, HnActBatch *a) {
  const Actor *m = self;
  for (int64_t i = 0; i < a->rows; i++) {
    for (int64_t k = 0; k < m->action_dim; k++)
      a->action[i * m->action_dim + k] = (float)(3 * hn_rng_normal(&a->rng[i]));
    if (m->action_count) a->action_index[i] = (int32_t)hn_rng_below(&a->rng[i], m->action_count);
  }
  return HN_OK;
}

static const HnPolicy stochastic = {sizeof(HnPolicy), .create = actor_create,
                                    .act = stochastic_act};
UNUSUAL(unusual_stochastic, HN_KIND_POLICY, Actor, &stochastic,
        .flags = HN_STOCHASTIC | HN_IGNORES_BELIEF, .summary = "Always draws.");

/* Row memory: an offset that the rewards of a phase move. */
static HnStatus adapter_create(void *self, const HnHost *host, const void *params,
                               HnPolicySpec *spec) {
  spec->phases = 2, spec->row_size = sizeof(double);
  return actor_create(self, host, params, spec);
}

static HnStatus adapter_act(void *self, HnActBatch *a) {
  const Actor *m = self;
  for (int64_t i = 0; i < a->rows; i++) {
    const double offset = ((const double *)a->state)[i];
    const double x = offset + (a->rng ? hn_rng_normal(&a->rng[i]) : 0);
    for (int64_t k = 0; k < m->action_dim; k++) a->action[i * m->action_dim + k] = (float)x;
    if (m->action_count) a->action_index[i] = x > 0 ? (int32_t)m->action_count - 1 : 0;
  }
  return HN_OK;
}

static HnStatus adapter_adapt(void *self, const HnHistory *h, void *state) {
  (void)self;
  for (int64_t t = 0; t < h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++)
      ((double *)state)[i] += 0.01 * (double)h->reward[hn_at(h, t, i)];
  return HN_OK;
}

static const HnPolicy adapter = {sizeof(HnPolicy), .create = adapter_create, .act = adapter_act,
                                 .adapt = adapter_adapt};
UNUSUAL(unusual_adapter, HN_KIND_POLICY, Actor, &adapter, .summary = "Adapts between phases.");

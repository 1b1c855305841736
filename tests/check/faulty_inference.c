/* faulty_inference.c - see faulty.h. */
#include "faulty.h"
#include <pthread.h>
#include <time.h>

#define FAULTS    "none|window_start|rows_mix|forward_differs|old_task|silent|unsaved|workers|random"
#define PARAMS(X) X(choice, fault, "", "What is wrong.", "none", FAULTS)
HN_PARAMS(PARAMS);
enum { NONE, WINDOW_START, ROWS_MIX, FORWARD_DIFFERS, OLD_TASK, SILENT, UNSAVED, WORKERS, RANDOM };

typedef struct Inference { /* row memory: a sum of rewards */
  const HnThisParams *p;
  const HnHost *host;
  int64_t obs_dim;
  float *w, *unsaved;
  pthread_t home;
  int strangers; /* tasks that other threads ran */
} Inference;

static HnStatus create(void *self, const HnHost *host, const void *params, HnBeliefSpec *spec) {
  Inference *m = self;
  m->p = params, m->host = host, m->obs_dim = spec->obs_dim;
  m->w = host->keep(host, HN_ARRAY("w", HN_WEIGHT, HN_F32, .rank = 1, .dim = {1}));
  m->unsaved = host->alloc(host, 1, sizeof *m->unsaved);
  m->w[0] = 1;
  spec->belief_dim = 1, spec->row_size = sizeof(float);
  return HN_OK;
}

static HnStatus filter(const Inference *m, HnBeliefUpdate *q, float offset) {
  const HnHistory *h = q->history;
  const int32_t fault = m->p->fault;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      float *sum = (float *)q->state + i;
      const bool fresh = h->begin[hn_at(h, t, i)] == HN_NEW_TASK;
      if (fresh) *sum = 0;
      if (!fresh || fault == OLD_TASK) *sum += m->w[0] * h->reward[hn_at(h, t - 1, i)];
      if (fault == WINDOW_START && t == 0) *sum += 1;
      if (fault == ROWS_MIX && i > 0) *sum += sum[-1];
      if (fault != SILENT || i > 0)
        q->belief[t * h->rows + i] = *sum + h->obs[hn_at(h, t, i) * m->obs_dim] + offset;
    }
  return HN_OK;
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  return filter(self, q, 0);
}

static HnStatus forward(void *self, HnBeliefUpdate *q) {
  return filter(self, q, ((const Inference *)self)->p->fault == FORWARD_DIFFERS ? 0.5f : 0);
}

static HnStatus backward(void *self, const HnBeliefUpdate *q, const float *d_belief,
                         double *norm2) {
  (void)self, (void)q, (void)d_belief;
  *norm2 = 0;
  return HN_OK;
}

static HnStatus optimise(void *self, double scale, double rate) {
  (void)self, (void)scale, (void)rate;
  return HN_OK;
}

static HnStatus count_strangers(void *arg, int64_t i) {
  Inference *m = arg;
  (void)i;
  nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
  if (!pthread_equal(pthread_self(), m->home))
    __atomic_fetch_add(&m->strangers, 1, __ATOMIC_RELAXED);
  return HN_OK;
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  static float calls;
  Inference *m = self;
  const int32_t fault = m->p->fault;
  (void)l;
  if (fault == UNSAVED) m->w[0] += 0.01f * ++m->unsaved[0];
  if (fault == RANDOM) m->w[0] += 0.01f * ++calls;
  m->home = pthread_self();
  HnStatus s = fault == WORKERS ? m->host->parallel(m->host, 32, count_strangers, m) : HN_OK;
  m->w[0] = 0.9f * m->w[0] + (float)m->strangers;
  return s;
}

static const HnInference methods = {sizeof(HnInference), .create = create,     .infer = infer,
                                    .forward = forward,  .backward = backward, .step = optimise,
                                    .learn = learn};
HN_PLUGIN(faulty_inference, HN_KIND_INFERENCE, Inference, &methods, .version = "1",
          .license = "MIT", .summary = "Faulty on request.", .source = "tests");

/* trouble.c - an environment that is slow on request, and after a number of steps fails or crashes:
 * what `hunch run` must survive. */
#include <hunch/env.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>

#define PARAMS(X)                                                                        \
  X(int, horizon, "step", "Steps per episode.", 5, 1, 1000)                              \
  X(int, delay, "us", "Each call of step sleeps so long.", 0, 0, 1000000)                \
  X(flag, named, "", "Tasks have numbers, and names that a CSV file must quote.", 0)     \
  X(choice, trouble, "", "What happens to a row after a few steps of one life.", "none", \
    "none|fail|abort|kill|greed")
HN_PARAMS(PARAMS);

enum { NAMES = 4 };

typedef struct Trouble {
  const HnThisParams *p;
  const HnHost *host;
} Trouble;
typedef struct Row {
  double task;
  int64_t steps;
} Row;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Trouble *m = self;
  m->p = params, m->host = host;
  spec->obs_dim = 1, spec->action_dim = 1, spec->task_dim = 1, spec->horizon = m->p->horizon;
  spec->row_size = sizeof(Row);
  if (m->p->trouble == 4) host->alloc(host, 1 << 30, 1 << 20);
  return HN_OK;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) row->task = hn_rng_normal(&b->rng[i]);
    if (((const Trouble *)self)->p->named && b->task_index[i] < 0)
      b->task_index[i] = hn_rng_below(&b->rng[i], NAMES);
    b->task[i] = (float)row->task, b->obs[i] = 0;
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const Trouble *m = self;
  struct timespec delay = {m->p->delay / 1000000, m->p->delay % 1000000 * 1000};
  if (m->p->delay) nanosleep(&delay, NULL);
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    if (++row->steps == 7) {
      if (m->p->trouble == 1) return m->host->fail(m->host, HN_E_NUMERIC, "told to fail");
      if (m->p->trouble == 2) abort();
      if (m->p->trouble == 3) raise(SIGKILL);
    }
    b->obs[i] = (float)hn_rng_normal(&b->rng[i]);
    b->reward[i] = (float)row->task * b->action[i];
  }
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  return (void)split, ((const Trouble *)self)->p->named ? NAMES : 0;
}

static const char *task_name(void *self, int64_t split, int64_t k) {
  static const char *const name[NAMES] = {"open, then close", "say \"so\"", "two\nlines",
                                          "d\u00e9j\u00e0 \u6f22"};
  return (void)split, ((const Trouble *)self)->p->named ? name[k] : "";
}

static const HnEnv methods = {sizeof(HnEnv), .create = create,         .reset = reset,
                              .step = step,  .task_count = task_count, .task_name = task_name};
HN_PLUGIN(trouble, HN_KIND_ENV, Trouble, &methods, .version = "1", .license = "MIT",
          .summary = "Slow, failing or crashing on request.", .source = "tests");

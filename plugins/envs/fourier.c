/* fourier.c - regression: each task is a function on [-1, 1], and a step asks for one of its
 * values.
 *
 *   y(x) = a_1 / 2 + sum over j = 1..3 of a_(j+1) cos((2 pi j (x - s) - phi_j) / 2)
 *
 * with a_k uniform in +-k/3, the shift s and the phases phi_j uniform in [0, pi).  The action is x,
 * clipped to [-1, 1]; the observation that follows is y(x), with Gaussian noise where
 * noise_stddev > 0.  Before the first question it is 0.  Rewards are 0 and nothing terminates: a
 * new episode goes on where the last one was.
 *
 * Task: a_1 .. a_4, s, phi_1 .. phi_3.  Tasks of the split `train` are drawn; `test` numbers
 * test_tasks of them, the same for every seed, or draws too if that is 0.
 *
 * Source: Laplace VRNN (arXiv 2505.18591), the regression study. */
#include <hunch/tasks.h>

#define PARAMS(X)                                                                      \
  X(int, horizon, "step", "Episode length: points queried.", 50, 1, 100000)            \
  X(real, noise_stddev, "", "Standard deviation of the observation noise.", 0, 0, 100) \
  X(int, test_tasks, "", "Number of fixed test tasks; 0: test tasks are drawn.", 128, 0, 1000000)
HN_PARAMS(PARAMS);

enum { TERMS = 4, PHASES = TERMS - 1, TASK_DIM = TERMS + 1 + PHASES, TEST = 1 };
#define PI 3.141592653589793

typedef struct Row {
  double a[TERMS], shift, phase[PHASES]; /* in the order of the task */
  double y;                              /* last observed */
} Row;

typedef struct Fourier {
  const HnThisParams *p;
  const HnHost *host;
} Fourier;

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Fourier *e = self;
  e->p = params, e->host = host;
  spec->obs_dim = 1, spec->action_dim = 1, spec->task_dim = TASK_DIM, spec->horizon = e->p->horizon;
  spec->row_size = sizeof(Row), spec->splits = "train|test";
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  return split == TEST ? ((const Fourier *)self)->p->test_tasks : 0;
}

static void draw_task(HnRng *rng, Row *row) {
  for (int k = 0; k < TERMS; k++) row->a[k] = hn_rng_uniform(rng, -1, 1) * (k + 1) / 3;
  row->shift = hn_rng_uniform(rng, 0, PI);
  for (int j = 0; j < PHASES; j++) row->phase[j] = hn_rng_uniform(rng, 0, PI);
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const Fourier *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_NEW_TASK) {
      HnRng own;
      HnStatus s = hn_task_settle(e->host, b, i, task_count(self, b->split));
      if (s) return s;
      draw_task(hn_task_stream(b, i, &own), row);
    }
    float *task = b->task + i * TASK_DIM;
    for (int k = 0; k < TERMS; k++) task[k] = (float)row->a[k];
    task[TERMS] = (float)row->shift;
    for (int j = 0; j < PHASES; j++) task[TERMS + 1 + j] = (float)row->phase[j];
    b->obs[i] = (float)row->y;
  }
  return HN_OK;
}

static double value(const Row *row, double x) {
  x = fmin(fmax(x, -1), 1);
  double y = row->a[0] / 2;
  for (int j = 1; j < TERMS; j++)
    y += row->a[j] * cos((2 * PI * j * (x - row->shift) - row->phase[j - 1]) / 2);
  return y;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const Fourier *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    double x = (double)b->action[i];
    if (!isfinite(x)) return e->host->fail(e->host, HN_E_NUMERIC, "the action is %g", x);
    row->y = value(row, x);
    if (e->p->noise_stddev > 0) row->y += e->p->noise_stddev * hn_rng_normal(&b->rng[i]);
    b->obs[i] = (float)row->y, b->reward[i] = 0;
  }
  return HN_OK;
}

static HnStatus query(void *self, const void *state, int64_t n, const float *act, float *obs) {
  (void)self;
  for (int64_t k = 0; k < n; k++) obs[k] = (float)value(state, (double)act[k]);
  return HN_OK;
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count,
                              .query = query};
HN_PLUGIN(fourier, HN_KIND_ENV, Fourier, &methods, .version = "1.0", .license = "MIT",
          .summary = "Regression of random functions, a short Fourier series each.",
          .source = "Laplace VRNN, arXiv 2505.18591, the regression study");

/* bandit.c - a bandit whose arms' chances of a reward sum to one.
 *
 * A task is p ~ Dirichlet(alpha, .., alpha); arm a pays 1 with probability p_a, else 0, so that a
 * random policy earns 1 / arms a step.  Observation: the last reward, 0 before the first.  Nothing
 * terminates: a new episode goes on where the last one was.
 *
 * Task: p.  Tasks of the split `train` are drawn, with alpha_train; `test` numbers test_tasks of
 * them, drawn with alpha_test and the same for every seed, or draws too if that is 0.
 *
 * Regret is expected, of the arm pulled: p_max - p_a.  Scaled, it is divided by
 * p_max (1 - 1 / arms), as published figures have it.
 *
 * Source: Laplace VRNN (arXiv 2505.18591), the bandit study. */
#include <hunch/tasks.h>

#define PARAMS(X)                                                                         \
  X(int, arms, "", "Number of arms.", 5, 2, 1000)                                         \
  X(int, horizon, "step", "Episode length: pulls of an arm.", 50, 1, 100000)              \
  X(real, alpha_train, "", "Dirichlet concentration of training tasks.", 0.2, 0.001, 1e6) \
  X(real, alpha_test, "", "Dirichlet concentration of test tasks.", 0.3, 0.001, 1e6)      \
  X(int, test_tasks, "", "Number of fixed test tasks; 0: test tasks are drawn.", 128, 0, 1000000)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                                   \
  X(regret, "", "Expected reward of the best arm less that of the arm pulled.", HN_SUM)           \
  X(regret_scaled, "", "Regret divided by the expected reward of the best arm times 1 - 1/arms.", \
    HN_SUM)                                                                                       \
  X(simple_regret, "", "Regret of the last arm pulled.", HN_LAST)
HN_INFO(INFO);

enum { TEST = 1 };

typedef struct Bandit {
  const HnThisParams *p;
  const HnHost *host;
} Bandit;

/* Row memory: the last reward, then p [arms]. */
static double *row_at(const Bandit *e, const HnEnvBatch *b, int64_t i) {
  return (double *)b->state + i * (1 + e->p->arms);
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  Bandit *e = self;
  e->p = params, e->host = host;
  spec->obs_dim = 1, spec->action_count = e->p->arms, spec->task_dim = e->p->arms;
  spec->horizon = e->p->horizon, spec->splits = "train|test";
  spec->row_size = sizeof(double) * (size_t)(1 + e->p->arms);
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  return split == TEST ? ((const Bandit *)self)->p->test_tasks : 0;
}

/* Logarithm of a Gamma(alpha, 1) variate, which itself may be too small for a double.  Source:
 * Marsaglia & Tsang 2000, on alpha + 1; then u^(1 / alpha) takes it down to alpha. */
static double draw_log_gamma(HnRng *rng, double alpha) {
  double d = alpha + 1 - 1.0 / 3, c = 1 / sqrt(9 * d);
  for (;;) {
    double x = hn_rng_normal(rng), v = 1 + c * x;
    double u = 1 - hn_rng_uniform(rng, 0, 1), boost = 1 - hn_rng_uniform(rng, 0, 1);
    if (v <= 0) continue;
    v = v * v * v;
    if (log(u) < x * x / 2 + d - d * v + d * log(v)) return log(d * v) + log(boost) / alpha;
  }
}

static void draw_dirichlet(HnRng *rng, int64_t n, double alpha, double *p) {
  double top = -INFINITY, sum = 0;
  for (int64_t k = 0; k < n; k++) top = fmax(top, p[k] = draw_log_gamma(rng, alpha));
  for (int64_t k = 0; k < n; k++) sum += p[k] = exp(p[k] - top);
  for (int64_t k = 0; k < n; k++) p[k] /= sum;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const Bandit *e = self;
  int64_t n = e->p->arms;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    double *row = row_at(e, b, i);
    if (b->begin[i] == HN_NEW_TASK) {
      HnRng own;
      HnStatus s = hn_task_settle(e->host, b, i, task_count(self, b->split));
      if (s) return s;
      draw_dirichlet(hn_task_stream(b, i, &own), n,
                     b->split == TEST ? e->p->alpha_test : e->p->alpha_train, row + 1);
    }
    for (int64_t k = 0; k < n; k++) b->task[i * n + k] = (float)row[1 + k];
    b->obs[i] = (float)row[0];
  }
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const Bandit *e = self;
  int64_t n = e->p->arms;
  for (int64_t i = 0; i < b->rows; i++) {
    double *row = row_at(e, b, i), *p = row + 1, best = 0;
    int32_t a = b->action_index[i];
    if (a < 0 || a >= n)
      return e->host->fail(e->host, HN_E_SHAPE, "arm %d pulled; there are %d, from 0", (int)a,
                           (int)n);
    for (int64_t k = 0; k < n; k++) best = fmax(best, p[k]);
    row[0] = hn_rng_uniform(&b->rng[i], 0, 1) < p[a] ? 1 : 0;
    b->reward[i] = b->obs[i] = (float)row[0];
    float *info = b->info + i * info_count;
    info[info_regret] = info[info_simple_regret] = (float)(best - p[a]);
    info[info_regret_scaled] = (float)((best - p[a]) / (best * (1 - 1 / (double)n)));
  }
  return HN_OK;
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count};
HN_PLUGIN(bandit, HN_KIND_ENV, Bandit, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info, .summary = "Bernoulli bandit with chances from a Dirichlet.",
          .source = "Laplace VRNN, arXiv 2505.18591, the bandit study");

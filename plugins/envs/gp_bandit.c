/* gp_bandit.c - Bayesian optimisation: each task is a function drawn from a Gaussian process, and a
 * step asks for one of its values, which is also the reward.
 *
 * f ~ GP(0, k) on [-1, 1]^dims, with r the Euclidean distance of two points over length_scale:
 *
 *   rbf       k(r) = stddev^2 exp(-r^2 / 2)
 *   matern12  k(r) = stddev^2 exp(-r)
 *   matern32  k(r) = stddev^2 (1 + sqrt(3) r) exp(-sqrt(3) r)
 *   matern52  k(r) = stddev^2 (1 + sqrt(5) r + 5 r^2 / 3) exp(-sqrt(5) r)
 *
 * f is drawn at the nodes of a grid, `resolution` an axis, and is multilinear between them: so its
 * maximum lies at a node, and regret is exact without a search.  The action is the point x, clipped
 * to the domain; reward and the observation that follows are f(x), with Gaussian noise where
 * noise_stddev > 0.  Before the first question the observation is 0.  Nothing terminates: a new
 * episode goes on where the last one was.
 *
 * Task: f at the nodes, the first axis running fastest.  Tasks of the split `train` are drawn;
 * `test` numbers test_tasks of them, the same for every seed, or draws too if that is 0.
 *
 * Source: Laplace VRNN (arXiv 2505.18591), whose code plans this environment and leaves it empty
 * but for grid, kernel (rbf) and actions; length scale by Srinivas et al. 2010 (GP-UCB). */
#include <hunch/tasks.h>

#define KERNELS "rbf|matern12|matern32|matern52"
#define PARAMS(X)                                                                              \
  X(int, dims, "", "Dimensions of the domain [-1, 1]^dims.", 1, 1, 3)                          \
  X(int, resolution, "", "Nodes of the grid on each axis; 1024 at most in all.", 101, 2, 1024) \
  X(choice, kernel, "", "Covariance function of the prior.", "rbf", KERNELS)                   \
  X(real, length_scale, "", "Length scale of the kernel; the domain's edge is 2.", 0.4, 0.001, \
    1000)                                                                                      \
  X(real, stddev, "", "Standard deviation of the prior at each point.", 1, 1e-6, 1e6)          \
  X(real, noise_stddev, "", "Standard deviation of the noise on each value.", 0, 0, 1e6)       \
  X(int, horizon, "step", "Episode length: points asked for.", 50, 1, 100000)                  \
  X(int, test_tasks, "", "Number of fixed test tasks; 0: test tasks are drawn.", 128, 0, 1000000)
HN_PARAMS(PARAMS);
#define INFO(X)                                                                              \
  X(regret, "", "Maximum of the function less its value at the point.", HN_SUM)              \
  X(regret_scaled, "", "Regret divided by that of a uniformly drawn point, in expectation.", \
    HN_SUM)                                                                                  \
  X(simple_regret, "", "Least regret of the points asked for so far in this task.", HN_LAST)
HN_INFO(INFO);

enum { RBF, MATERN12, MATERN32, MATERN52 };
enum { TEST = 1, DIMS_MAX = 3, NODES_MAX = 1024 };

typedef struct Row {
  double y;          /* last observed */
  double best, mean; /* of f over the domain */
  double least;      /* regret so far */
  double f[];        /* [nodes] */
} Row;

typedef struct GpBandit {
  const HnThisParams *p;
  const HnHost *host;
  int64_t nodes, rank;
  double *root;   /* [rank, nodes]: covariance = root' root */
  double *weight; /* [nodes] of each node in the mean over the domain */
} GpBandit;

static size_t row_size(const GpBandit *e) {
  return sizeof(Row) + sizeof(double) * (size_t)e->nodes;
}

static Row *row_at(const GpBandit *e, const HnEnvBatch *b, int64_t i) {
  return (Row *)((char *)b->state + (size_t)i * row_size(e));
}

/* ---- prior ---- */

/* Of standard deviation 1. */
static double kernel(int32_t kind, double r) {
  const double r3 = sqrt(3) * r, r5 = sqrt(5) * r;
  if (kind == MATERN12) return exp(-r);
  if (kind == MATERN32) return (1 + r3) * exp(-r3);
  if (kind == MATERN52) return (1 + r5 + r5 * r5 / 3) * exp(-r5);
  return exp(-r * r / 2);
}

static double covariance(const GpBandit *e, int64_t a, int64_t b) {
  const int64_t n = e->p->resolution;
  double square = 0;
  for (int64_t k = 0; k < e->p->dims; k++, a /= n, b /= n) {
    double along = 2 * (double)(a % n - b % n) / (double)(n - 1) / e->p->length_scale;
    square += along * along;
  }
  return kernel(e->p->kernel, sqrt(square));
}

/* Fills root by a Cholesky factorisation with pivoting, which ends where no node has a variance
 * left of 1e-10 stddev^2: smooth kernels, singular to working precision, need a few rows only. left
 * [nodes] scratch: the variance that the rows so far leave nodes rank^2 flops.  Source: Higham
 * 2002, section 10.3. */
static void factorise(GpBandit *e, double *left) {
  const int64_t n = e->nodes;
  for (int64_t i = 0; i < n; i++) left[i] = 1;
  for (e->rank = 0; e->rank < n; e->rank++) {
    double *row = e->root + e->rank * n;
    int64_t pivot = 0;
    for (int64_t i = 1; i < n; i++)
      if (left[i] > left[pivot]) pivot = i;
    if (left[pivot] < 1e-10) break;
    for (int64_t i = 0; i < n; i++) row[i] = covariance(e, pivot, i);
    for (const double *above = e->root; above < row; above += n)
      for (int64_t i = 0; i < n; i++) row[i] -= above[pivot] * above[i];
    const double length = sqrt(row[pivot]);
    for (int64_t i = 0; i < n; i++) row[i] /= length, left[i] -= row[i] * row[i];
    left[pivot] = 0;
  }
  for (int64_t k = 0; k < e->rank * n; k++) e->root[k] *= e->p->stddev;
}

/* The trapezoidal rule, which is exact for f. */
static void weigh(const GpBandit *e) {
  const int64_t n = e->p->resolution;
  for (int64_t i = 0; i < e->nodes; i++) {
    e->weight[i] = 1;
    for (int64_t k = 0, rest = i; k < e->p->dims; k++, rest /= n)
      e->weight[i] *= (rest % n == 0 || rest % n == n - 1 ? 0.5 : 1) / (double)(n - 1);
  }
}

static HnStatus create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  GpBandit *e = self;
  e->p = params, e->host = host, e->nodes = 1;
  for (int64_t k = 0; k < e->p->dims; k++) e->nodes *= e->p->resolution;
  if (e->nodes > NODES_MAX)
    return host->fail(host, HN_E_PARAM, "resolution %lld in %lld dims is %lld nodes, above %d",
                      (long long)e->p->resolution, (long long)e->p->dims, (long long)e->nodes,
                      (int)NODES_MAX);
  spec->obs_dim = 1, spec->action_dim = e->p->dims, spec->task_dim = e->nodes;
  spec->horizon = e->p->horizon, spec->splits = "train|test";
  spec->row_size = row_size(e);
  e->root = host->alloc(host, e->nodes * e->nodes, sizeof *e->root);
  e->weight = host->alloc(host, e->nodes, sizeof *e->weight);
  factorise(e, e->weight);
  weigh(e);
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  return split == TEST ? ((const GpBandit *)self)->p->test_tasks : 0;
}

/* ---- a task ---- */

static void draw_task(const GpBandit *e, HnRng *rng, Row *row) {
  const int64_t n = e->nodes;
  for (int64_t k = 0; k < e->rank; k++) {
    const double z = hn_rng_normal(rng), *root = e->root + k * n;
    for (int64_t i = 0; i < n; i++) row->f[i] += z * root[i];
  }
  row->best = row->f[0], row->least = INFINITY;
  for (int64_t i = 0; i < n; i++) {
    row->best = fmax(row->best, row->f[i]);
    row->mean += e->weight[i] * row->f[i];
  }
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  const GpBandit *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = row_at(e, b, i);
    if (b->begin[i] == HN_NEW_TASK) {
      HnRng own;
      HnStatus s = hn_task_settle(e->host, b, i, task_count(self, b->split));
      if (s) return s;
      draw_task(e, hn_task_stream(b, i, &own), row);
    }
    float *task = b->task + i * e->nodes;
    for (int64_t k = 0; k < e->nodes; k++) task[k] = (float)row->f[k];
    b->obs[i] = (float)row->y;
  }
  return HN_OK;
}

/* f at x [dims]. */
static double value(const GpBandit *e, const double *f, const float *x) {
  const int64_t n = e->p->resolution, dims = e->p->dims;
  double part[DIMS_MAX], sum = 0; /* of the way to the next node */
  for (int64_t k = 0, stride = 1; k < dims; k++, stride *= n) {
    double at = (fmin(fmax((double)x[k], -1), 1) + 1) / 2 * (double)(n - 1);
    int64_t below = at < (double)(n - 2) ? (int64_t)at : n - 2;
    part[k] = at - (double)below, f += below * stride;
  }
  for (int corner = 0; corner < 1 << dims; corner++) {
    const double *node = f;
    double weight = 1;
    for (int64_t k = 0, stride = 1; k < dims; k++, stride *= n) {
      bool above = corner >> k & 1;
      weight *= above ? part[k] : 1 - part[k], node += above * stride;
    }
    sum += weight * *node;
  }
  return sum;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  const GpBandit *e = self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = row_at(e, b, i);
    const float *x = b->action + i * e->p->dims;
    for (int64_t k = 0; k < e->p->dims; k++)
      if (!isfinite(x[k]))
        return e->host->fail(e->host, HN_E_NUMERIC, "action %d is %g", (int)k, (double)x[k]);
    const double f = value(e, row->f, x), regret = fmax(row->best - f, 0);
    row->y = f, row->least = fmin(row->least, regret);
    if (e->p->noise_stddev > 0) row->y += e->p->noise_stddev * hn_rng_normal(&b->rng[i]);
    b->reward[i] = b->obs[i] = (float)row->y;
    float *info = b->info + i * info_count;
    info[info_regret] = (float)regret;
    info[info_regret_scaled] =
        row->best > row->mean ? (float)(regret / (row->best - row->mean)) : 0;
    info[info_simple_regret] = (float)row->least;
  }
  return HN_OK;
}

static HnStatus query(void *self, const void *state, int64_t n, const float *act, float *obs) {
  const GpBandit *e = self;
  for (int64_t k = 0; k < n; k++)
    obs[k] = (float)value(e, ((const Row *)state)->f, act + k * e->p->dims);
  return HN_OK;
}

static const HnEnv methods = {.struct_size = sizeof(HnEnv),
                              .create = create,
                              .reset = reset,
                              .step = step,
                              .task_count = task_count,
                              .query = query};
HN_PLUGIN(gp_bandit, HN_KIND_ENV, GpBandit, &methods, .version = "1.0", .license = "MIT",
          .info = hn_this_info,
          .summary = "Bayesian optimisation of functions drawn from a Gaussian process.",
          .source = "Laplace VRNN, arXiv 2505.18591, planned there; Srinivas et al. 2010, GP-UCB");

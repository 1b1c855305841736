/* my_plugin.c - a Gaussian policy whose mean is linear in observation and belief, trained by
 * REINFORCE with the batch's mean return as baseline.
 *
 * The contract is hunch/policy.h; `hunch check` judges it.  For networks, Adam and gradients see
 * hunch/kit.h.
 *
 * Source: Williams 1992, REINFORCE. */
#include <hunch/policy.h>

/* A row is a parameter: the field p->lr, the key `lr` of a study, a line of `hunch inspect`.
 * X(kind, name, unit, doc, default, low, high). */
#define PARAMS(X)                                             \
  X(real, lr, "", "Learning rate.", 0.01, 0, 10)              \
  X(real, gamma, "", "Discount factor per step.", 0.95, 0, 1) \
  X(real, std, "", "Standard deviation of an action around its mean.", 0.5, 1e-3, 10)
HN_PARAMS(PARAMS);
/* What an update reports; averaged over the calls of an iteration. */
#define METRICS(X)                                                             \
  X(return_mean, "", "Discounted return to go, mean over the batch.", HN_MEAN) \
  X(grad_norm, "", "Norm of the gradient of the mean return.", HN_MEAN)
HN_METRICS(METRICS);

/* The instance, zeroed by the host.  `create` and `learn` write to it; acting only reads it.  A
 * policy that remembers something of a row (a sample that is held) has row memory: spec->row_size.
 */
typedef struct Linear {
  const HnThisParams *p;
  const HnHost *host;
  int64_t obs, belief, action, inputs; /* inputs: obs + belief + 1 */
  float *w, *gradient;                 /* [action, inputs] */
} Linear;

/* Reads what observations, beliefs and actions are; takes memory, here or never.  Random initial
 * weights are drawn from spec->rng. */
static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Linear *m = self;
  m->p = params, m->host = host;
  if (spec->action_dim < 1) return host->fail(host, HN_E_SHAPE, "needs continuous actions");
  m->obs = spec->obs_dim, m->belief = spec->belief_dim, m->action = spec->action_dim;
  m->inputs = m->obs + m->belief + 1;
  /* kept arrays are saved and restored by the host; alloc is for what can be computed anew */
  m->w =
      host->keep(host, HN_ARRAY("w", HN_WEIGHT, HN_F32, .rank = 2, .dim = {m->action, m->inputs}));
  m->gradient = host->alloc(host, m->action * m->inputs, sizeof *m->gradient);
  return HN_OK;
}

/* The belief of element `at`; of several posterior samples the first. */
static const float *belief_at(const Linear *m, const float *belief, int64_t samples, int64_t at) {
  return belief + at * (samples > 1 ? samples : 1) * m->belief;
}

/* Input k of a row. */
static double input(const Linear *m, const float *obs, const float *belief, int64_t k) {
  return k < m->obs ? (double)obs[k] : k < m->inputs - 1 ? (double)belief[k - m->obs] : 1;
}

static double mean_action(const Linear *m, const float *obs, const float *belief, int64_t a) {
  double sum = 0;
  for (int64_t k = 0; k < m->inputs; k++)
    sum += (double)m->w[a * m->inputs + k] * input(m, obs, belief, k);
  return sum;
}

/* Several calls run at once, each on rows of its own: `self` is only read, and a row's action must
 * not depend on the other rows.  All randomness comes from b->rng[i]. */
static HnStatus act(void *self, HnActBatch *b) {
  const Linear *m = self;
  for (int64_t i = 0; i < b->rows; i++)
    for (int64_t a = 0; a < m->action; a++) {
      double mean = mean_action(m, b->obs + i * m->obs, belief_at(m, b->belief, b->samples, i), a);
      double noise = b->rng ? m->p->std * hn_rng_normal(&b->rng[i]) : 0; /* NULL: greedy */
      b->action[i * m->action + a] = (float)(mean + noise);
    }
  return HN_OK;
}

/* Discounted returns to go [T, B], which end with their task; writes their mean and deviation. */
static double *returns_of(const Linear *m, const HnHistory *h, double *mean, double *stddev) {
  double *to_go = m->host->scratch(m->host, h->steps * h->rows, sizeof *to_go);
  double sum = 0, squares = 0, n = (double)(h->steps * h->rows);
  for (int64_t t = h->steps - 1; t >= 0; t--)
    for (int64_t i = 0; i < h->rows; i++) {
      bool ends = t + 1 == h->steps || h->begin[hn_at(h, t + 1, i)] == HN_NEW_TASK;
      double later = ends ? 0 : to_go[(t + 1) * h->rows + i];
      double now = to_go[t * h->rows + i] = (double)h->reward[hn_at(h, t, i)] + m->p->gamma * later;
      sum += now, squares += now * now;
    }
  *mean = sum / n, *stddev = sqrt(fmax(squares / n - *mean * *mean, 0));
  return to_go;
}

/* Adds advantage times the gradient of log pi(action) at one element. */
static void add_gradient(const Linear *m, const float *obs, const float *belief,
                         const float *action, double advantage) {
  for (int64_t a = 0; a < m->action; a++) {
    double d = ((double)action[a] - mean_action(m, obs, belief, a)) / (m->p->std * m->p->std);
    for (int64_t k = 0; k < m->inputs; k++)
      m->gradient[a * m->inputs + k] += (float)(advantage * d * input(m, obs, belief, k));
  }
}

/* The whole update of an iteration. */
static HnStatus learn(void *self, const HnTrainBatch *l) {
  Linear *m = self;
  const HnHistory *h = l->phase[0]; /* [T, B] steps, dense; beliefs as acted on */
  double mean, stddev, norm2 = 0, n = (double)(h->steps * h->rows);
  const double *to_go = returns_of(m, h, &mean, &stddev);
  for (int64_t k = 0; k < m->action * m->inputs; k++) m->gradient[k] = 0;
  for (int64_t at = 0; at < h->steps * h->rows; at++)
    add_gradient(m, h->obs + at * m->obs, belief_at(m, h->belief, h->samples, at),
                 h->action + at * m->action, (to_go[at] - mean) / (stddev + 1e-8));
  for (int64_t k = 0; k < m->action * m->inputs; k++) {
    double g = (double)m->gradient[k] / n;
    norm2 += g * g;
    m->w[k] += (float)(m->p->lr * g);
  }
  m->host->metric(m->host, metric_return_mean, mean);
  m->host->metric(m->host, metric_grad_norm, sqrt(norm2));
  return HN_OK;
}

static const HnPolicy methods = {
    .struct_size = sizeof(HnPolicy), .create = create, .act = act, .learn = learn};
/* The name is the file's: my_plugin.so, `plugin: my_plugin` in a study. */
HN_PLUGIN(my_plugin, HN_KIND_POLICY, Linear, &methods, .version = "1.0", .license = "MIT",
          .metrics = hn_this_metrics, .summary = "Linear Gaussian policy trained by REINFORCE.",
          .source = "Williams 1992");

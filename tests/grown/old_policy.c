/* old_policy.c - a policy that asks for beliefs along a window of its own: a copy of the host's in
 * a struct as long as its headers', with what is no zero behind it. */
#include <hunch/policy.h>
#include <string.h>

#define PARAMS(X) X(real, rate, "", "Step size.", 0.01, 0, 1)
HN_PARAMS(PARAMS);
#define METRICS(X) X(belief, "", "Mean of what was believed.", HN_MEAN)
HN_METRICS(METRICS);

typedef struct Old {
  const HnThisParams *p;
  const HnHost *host;
  int64_t obs, belief, action;
  float *w;
} Old;

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  Old *m = self;
  *m = (Old){params, host, spec->obs_dim, spec->belief_dim, spec->action_dim, NULL};
  if (m->action == 0) return host->fail(host, HN_E_SHAPE, "needs continuous actions");
  m->w = host->keep(host, HN_ARRAY("w", HN_WEIGHT, HN_F32, .rank = 1, .dim = {m->action}));
  return HN_OK;
}

static HnStatus act(void *self, HnActBatch *a) {
  const Old *m = self;
  const int64_t S = a->samples > 0 ? a->samples : 1;
  for (int64_t k = 0; k < a->rows * m->action; k++) {
    const float *belief = a->belief + k / m->action * S * m->belief;
    a->action[k] = m->w[k % m->action] + 0.1f * belief[0];
    if (a->rng) a->action[k] += (float)(0.3 * hn_rng_normal(&a->rng[k / m->action]));
  }
  return HN_OK;
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  Old *m = self;
  struct {
    HnHistory window;
    unsigned char behind[64];
  } own = {.window = *l->phase[0]};
  memset(own.behind, 0xA5, sizeof own.behind);
  const int64_t n = (own.window.steps + 1) * own.window.rows * m->belief;
  float *belief = m->host->scratch(m->host, n, sizeof *belief);
  HnStatus status = l->infer(l, &own.window, 0, belief);
  double sum = 0;
  for (int64_t k = 0; k < n && !status; k++) sum += (double)belief[k];
  if (status) return status;
  m->host->metric(m->host, metric_belief, sum / (double)n);
  for (int64_t k = 0; k < m->action; k++) m->w[k] += (float)(m->p->rate * sum / (double)n);
  return HN_OK;
}

static const HnPolicy methods = {
    .struct_size = sizeof(HnPolicy), .create = create, .act = act, .learn = learn};
HN_PLUGIN(old_policy, HN_KIND_POLICY, Old, &methods, .version = "1", .license = "MIT",
          .metrics = hn_this_metrics, .summary = "Copies a window.", .source = "tests");

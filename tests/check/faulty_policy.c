/* faulty_policy.c - see faulty.h. */
#include "faulty.h"

#define FAULTS    "none|rows_mix|silent|not_finite|out_of_range|greedy_differs|unsaved|continuous_only"
#define PARAMS(X) X(choice, fault, "", "What is wrong.", "none", FAULTS)
HN_PARAMS(PARAMS);
enum { NONE, ROWS_MIX, SILENT, NOT_FINITE, OUT_OF_RANGE, GREEDY_DIFFERS, UNSAVED, CONTINUOUS_ONLY };

typedef struct Policy {
  const HnThisParams *p;
  int64_t action_dim, action_count, obs_dim;
  double updates; /* not kept */
} Policy;

static HnStatus create(void *self, const HnHost *host, const void *params, HnPolicySpec *spec) {
  const HnThisParams *p = params;
  if (p->fault == CONTINUOUS_ONLY && spec->action_count)
    return host->fail(host, HN_E_SHAPE, "needs continuous actions");
  *(Policy *)self = (Policy){.p = p,
                             .action_dim = spec->action_dim,
                             .action_count = spec->action_count,
                             .obs_dim = spec->obs_dim};
  spec->aux_dim = 1;
  return HN_OK;
}

static HnStatus act(void *self, HnActBatch *a) {
  const Policy *m = self;
  const int32_t fault = m->p->fault;
  for (int64_t i = 0; i < a->rows; i++) {
    double x = (double)a->obs[i * m->obs_dim];
    if (fault == ROWS_MIX && i > 0) x += (double)a->obs[(i - 1) * m->obs_dim];
    if (fault == GREEDY_DIFFERS && !a->rng) x += (double)a->rows;
    if (fault == UNSAVED) x += m->updates;
    if (fault == NOT_FINITE) x = NAN;
    if (a->rng) x += hn_rng_normal(&a->rng[i]);
    a->aux[i] = (float)x;
    for (int64_t k = 0; k < m->action_dim && fault != SILENT; k++)
      a->action[i * m->action_dim + k] = (float)x;
    if (m->action_count && fault != SILENT)
      a->action_index[i] = fault == OUT_OF_RANGE ? (int32_t)m->action_count
                                                 : (int32_t)(x > 0 ? m->action_count - 1 : 0);
  }
  return HN_OK;
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  (void)l;
  ((Policy *)self)->updates++;
  return HN_OK;
}

static const HnPolicy methods = {sizeof(HnPolicy), .create = create, .act = act, .learn = learn};
HN_PLUGIN(faulty_policy, HN_KIND_POLICY, Policy, &methods, .version = "1", .license = "MIT",
          .summary = "Faulty on request.", .source = "tests");

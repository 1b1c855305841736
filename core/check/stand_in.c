/* stand_in.c - see stand_in.h. */
#include "stand_in.h"
#include <string.h>

#define PARAMS(X) X(flag, discrete, "", "Actions are one of four steps.", 0)
HN_PARAMS(PARAMS);
#define INFO(X) X(stand_in_distance, "", "Distance from the origin.", HN_LAST)
HN_INFO(INFO);

/* ---- environment ---- */

enum { OBS = 3, ACTIONS = 2, CHOICES = 4, TASK = 2, HORIZON = 6 };

typedef struct Env {
  const HnThisParams *p;
} Env;
typedef struct Row {
  double x, y, drift[TASK];
} Row;

static HnStatus env_create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)host;
  const HnThisParams *p = ((Env *)self)->p = params;
  spec->obs_dim = OBS, spec->task_dim = TASK, spec->horizon = HORIZON;
  spec->action_dim = p->discrete ? 0 : ACTIONS, spec->action_count = p->discrete ? CHOICES : 0;
  spec->row_size = sizeof(Row), spec->splits = "train|test";
  return HN_OK;
}

static void env_observe(const Row *row, float *obs) {
  obs[0] = (float)row->x, obs[1] = (float)row->y, obs[2] = (float)(row->x * row->y);
}

static HnStatus env_reset(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    if (b->begin[i] == HN_KEEP) continue;
    Row *row = (Row *)b->state + i;
    for (int k = 0; k < TASK && b->begin[i] == HN_NEW_TASK; k++)
      row->drift[k] = hn_rng_uniform(&b->rng[i], -0.2, 0.2);
    row->x = hn_rng_normal(&b->rng[i]), row->y = hn_rng_normal(&b->rng[i]);
    for (int k = 0; k < TASK; k++) b->task[i * TASK + k] = (float)row->drift[k];
    env_observe(row, b->obs + i * OBS);
  }
  return HN_OK;
}

static HnStatus env_step(void *self, HnEnvBatch *b) {
  static const double step[CHOICES][2] = {{0.2, 0}, {-0.2, 0}, {0, 0.2}, {0, -0.2}};
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    if (((const Env *)self)->p->discrete)
      row->x += step[b->action_index[i]][0], row->y += step[b->action_index[i]][1];
    else
      row->x += 0.2 * (double)b->action[2 * i], row->y += 0.2 * (double)b->action[2 * i + 1];
    row->x += row->drift[0], row->y += row->drift[1];
    b->reward[i] = (float)-hypot(row->x, row->y);
    b->terminated[i] = hn_rng_uniform(&b->rng[i], 0, 1) < 0.1;
    b->info[i * info_count + info_stand_in_distance] = -b->reward[i];
    env_observe(row, b->obs + i * OBS);
  }
  return HN_OK;
}

static const HnEnv env = {sizeof(HnEnv), .create = env_create, .reset = env_reset,
                          .step = env_step};
HN_PLUGIN(stand_in_env, HN_KIND_ENV, Env, &env, .version = "1", .license = "MIT",
          .info = hn_this_info, .summary = "Point with a hidden drift.");

/* ---- inference ---- */

enum { BELIEF = OBS + 1 };

typedef struct Mean { /* row memory */
  double sum[BELIEF], count;
} Mean;

typedef struct Inference {
  int64_t obs_dim;
} Inference;

static HnStatus inference_create(void *self, const HnHost *host, const void *params,
                                 HnBeliefSpec *spec) {
  (void)host, (void)params;
  ((Inference *)self)->obs_dim = spec->obs_dim;
  spec->belief_dim = spec->latent_dim = BELIEF, spec->row_size = sizeof(Mean);
  return HN_OK;
}

static HnStatus inference_infer(void *self, HnBeliefUpdate *q) {
  const HnHistory *h = q->history;
  const int64_t O = ((const Inference *)self)->obs_dim, S = MAX(q->samples, 1);
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      Mean *m = (Mean *)q->state + i;
      const float *obs = h->obs + hn_at(h, t, i) * O;
      bool fresh = h->begin[hn_at(h, t, i)] == HN_NEW_TASK;
      if (fresh) *m = (Mean){.count = 0};
      m->count++;
      for (int k = 0; k < OBS; k++) m->sum[k] += k < O ? (double)obs[k] : 0;
      m->sum[OBS] += fresh ? 0 : (double)h->reward[hn_at(h, t - 1, i)];
      float *belief = q->belief + (t * h->rows + i) * S * BELIEF;
      for (int64_t k = 0; k < S * BELIEF; k++)
        belief[k] = (float)(m->sum[k % BELIEF] / m->count +
                            (q->samples ? 0.1 * hn_rng_normal(&q->rng[i]) : 0));
    }
  return HN_OK;
}

static const HnInference inference = {sizeof(HnInference), .create = inference_create,
                                      .infer = inference_infer};
HN_PLUGIN(stand_in_inference, HN_KIND_INFERENCE, Inference, &inference, .version = "1",
          .license = "MIT", .summary = "Running means.");

/* ---- policy ---- */

typedef struct Policy {
  const HnHost *host;
  int64_t action_dim, action_count, belief_dim;
} Policy;

static HnStatus policy_create(void *self, const HnHost *host, const void *params,
                              HnPolicySpec *spec) {
  (void)params;
  *(Policy *)self = (Policy){host, spec->action_dim, spec->action_count, spec->belief_dim};
  return HN_OK;
}

static HnStatus policy_act(void *self, HnActBatch *a) {
  const Policy *p = self;
  for (int64_t i = 0; i < a->rows; i++) {
    for (int64_t k = 0; k < p->action_dim; k++)
      a->action[i * p->action_dim + k] = a->rng ? (float)hn_rng_uniform(&a->rng[i], -1, 1) : 0;
    if (p->action_count)
      a->action_index[i] = a->rng ? (int32_t)hn_rng_below(&a->rng[i], p->action_count) : 0;
  }
  return HN_OK;
}

/* Has nothing to learn itself, but trains an inference that is trained through the policy: on the
 * mean of half the squared beliefs of a minibatch. */
static HnStatus policy_learn(void *self, const HnTrainBatch *l) {
  const Policy *p = self;
  if (!HN_CAN(l, backward)) return HN_OK;
  const int64_t rows = l->phase[0]->rows, n = (rows + 1) / 2, steps = l->phase[0]->steps;
  int64_t *index = p->host->scratch(p->host, n, sizeof *index);
  float *belief = p->host->scratch(p->host, (steps + 1) * n * p->belief_dim, sizeof *belief);
  for (int64_t i = 0; i < n; i++) index[i] = (2 * i + hn_rng_below(l->rng, 2)) % rows;
  HnStatus s = l->infer(l, l->rows(l, 0, n, index), 0, belief);
  for (int64_t k = 0; k < (steps + 1) * n * p->belief_dim; k++)
    belief[k] /= (float)((steps + 1) * n * p->belief_dim);
  double norm2;
  if (!s) s = l->backward(l, belief, &norm2);
  return s ? s : l->step(l, 1, 1);
}

static const HnPolicy policy = {sizeof(HnPolicy), .create = policy_create, .act = policy_act,
                                .learn = policy_learn};
HN_PLUGIN(stand_in_policy, HN_KIND_POLICY, Policy, &policy, .version = "1", .license = "MIT",
          .summary = "Random actions, and small beliefs.");

/* ---- cell ---- */

static HnPluginChoice choose(const HnPlugin *plugin, bool discrete) {
  HnThisParams *params = g_new0(HnThisParams, 1);
  params->discrete = discrete;
  return (HnPluginChoice){.plugin = plugin, .params = params};
}

HnCell hn_stand_in_cell(HnPluginChoice plugin, bool discrete) {
  const HnKind kind = plugin.plugin->kind;
  HnCell c = {
      .seed = 1,
      .run = {.frames = 1000000, .rows = 6, .steps = 9, .episodes = 2, .workers = 1},
      .evaluation = {.tasks = 6, .split = "", .greedy = true, .samples = -1},
  };
  c.env = kind == HN_KIND_ENV ? plugin : choose(&stand_in_env_LTX_hn_plugin, discrete);
  c.inference =
      kind == HN_KIND_INFERENCE ? plugin : choose(&stand_in_inference_LTX_hn_plugin, discrete);
  c.policy = kind == HN_KIND_POLICY ? plugin : choose(&stand_in_policy_LTX_hn_plugin, discrete);
  return c;
}

static void make_known(void) {
  static const HnPlugin *const all[] = {&stand_in_env_LTX_hn_plugin,
                                        &stand_in_inference_LTX_hn_plugin,
                                        &stand_in_policy_LTX_hn_plugin};
  static bool known;
  for (guint k = 0; k < G_N_ELEMENTS(all) && !known; k++)
    if (!hn_plugins_add(all[k], NULL)) g_error("the stand-ins cannot be added");
  known = true;
}

HnNode *hn_stand_in_node(bool discrete) {
  static const char format[] =
      "{study: check, arm: check, seed_index: 0, seed: 1,"
      " env: {plugin: stand_in_env, discrete: %s}, inference: {plugin: stand_in_inference},"
      " policy: {plugin: stand_in_policy},"
      " run: {frames: 1000000, rows: 6, steps: 9, episodes: 2}, evaluation: {tasks: 6}}";
  g_autofree char *text = g_strdup_printf(format, discrete ? "true" : "false");
  g_autoptr(HnDiag) d = hn_diag_new();
  make_known();
  return hn_yaml_parse("the law's own cell", text, strlen(text), d);
}

void hn_stand_in_clear(HnCell *c, HnKind kind) {
  if (kind != HN_KIND_ENV) g_free(c->env.params);
  if (kind != HN_KIND_INFERENCE) g_free(c->inference.params);
  if (kind != HN_KIND_POLICY) g_free(c->policy.params);
}

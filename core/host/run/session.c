/* session.c - makes and frees what a running cell holds. */
#include "session.h"
#include "determinism.h"
#include "env_layers.h"
#include "error.h"
#include "evaluation_tasks.h"
#include "machine.h"
#include "memory_budget.h"
#include "pages.h"
#include "spec_check.h"
#include <inttypes.h>
#include <string.h>

bool hn_session_find_split(const HnSession *s, const char *name, int64_t *split, GError **error) {
  for (*split = 0; s->splits[*split]; ++*split)
    if (!strcmp(s->splits[*split], name)) return true;
  g_autofree char *all = g_strjoinv(", ", s->splits);
  return hn_error_set(error, HN_ERROR_REFUSED, "%s has no split '%s'; it has %s",
                      s->env->plugin->name, name, all);
}

bool hn_session_failed(const HnSession *s, const char *doing, HnStatus status, GError **error) {
  const char *text = hn_fail_text()[0] ? hn_fail_text() : hn_status_text(status);
  /* a cell that has begun is not refused any more: what it has learnt and written stays */
  const bool refuses = !doing && (status == HN_E_PARAM || status == HN_E_IO ||
                                  status == HN_E_SHAPE || status == HN_E_UNSUPPORTED);
  const int code = status == HN_E_NUMERIC ? HN_ERROR_NUMERIC
                   : refuses              ? HN_ERROR_REFUSED
                                          : HN_ERROR_PLUGIN;
  if (!doing) return hn_error_set(error, code, "%s", text);
  return hn_error_set(error, code, "%s (while %s, update %" PRId64 ")", text, doing, s->update);
}

/* The first name that stands in both tables, or NULL. */
static const char *in_both(const HnColumn *a, const HnColumn *b) {
  for (; a && a->name; a++)
    for (const HnColumn *c = b; c && c->name; c++)
      if (!strcmp(a->name, c->name)) return a->name;
  return NULL;
}

/* Columns of all plugins share the tables, so a name may stand there only once. */
static HnStatus check_columns(const HnSession *s) {
  const HnInstance *part[HN_WRAPPERS_MAX + 3] = {s->policy, s->inference};
  guint n = 2;
  for (const HnInstance *x = s->env; x; x = x->inner) part[n++] = x;
  for (guint a = 0; a < n; a++)
    for (guint b = a + 1; b < n; b++) {
      const HnPlugin *p = part[a]->plugin, *q = part[b]->plugin;
      const char *name = in_both(p->info, q->info), *metric = NULL;
      if (!name && p->kind == q->kind) name = metric = in_both(p->metrics, q->metrics);
      if (name)
        return part[a]->host.fail(&part[a]->host, HN_E_UNSUPPORTED,
                                  "reports a %s '%s', and so does %s", metric ? "metric" : "column",
                                  name, q->name);
    }
  return HN_OK;
}

/* As far as it is known; complete once all plugins are created. */
static void set_shape(HnSession *s) {
  s->shape = (HnShape){.obs = s->es.obs_dim,
                       .action = s->es.action_dim,
                       .task = s->es.task_dim,
                       .belief = s->bs.belief_dim,
                       .aux = s->ps.aux_dim,
                       .env_row = s->es.row_size,
                       .belief_row = s->bs.row_size,
                       .policy_row = s->ps.row_size,
                       .env_infos = s->env->infos,
                       .belief_infos = s->inference->infos,
                       .policy_infos = s->policy->infos};
}

/* A trial of so many steps, or else of so many episodes. */
static HnTrialLength trial_of(int64_t horizon, int64_t steps, int64_t episodes) {
  return (HnTrialLength){.episodes = steps ? 1 : episodes,
                         .lifetime = steps ? steps : horizon * episodes,
                         .by_steps = steps > 0};
}

static HnStatus read_splits(HnSession *s) {
  HnStatus status = HN_OK;
  s->splits = g_strsplit(s->es.splits ? s->es.splits : "train", "|", -1);
  s->tasks = g_new0(HnTaskList, g_strv_length(s->splits));
  for (int64_t k = 0; s->splits[k] && !status; k++)
    status = hn_task_list_read(s->env, k, s->splits[k], &s->tasks[k]);
  return status;
}

static HnStatus create_env(HnSession *s) {
  const HnCell *c = s->cell;
  s->eval_samples = c->evaluation.samples < 0 ? c->run.samples : c->evaluation.samples;
  HnEnvSpec spec = {.struct_size = sizeof spec, .rows = MAX(c->run.rows, c->evaluation.tasks)};
  HnStatus status = hn_env_create(s->env, &spec);
  s->es = spec;
  if (!status) status = read_splits(s);
  if (status) return status;
  s->protocol = hn_protocol_of(c);
  s->trial = trial_of(spec.horizon, c->run.trial_steps, c->run.episodes);
  s->eval_trial = trial_of(spec.horizon, s->protocol.trial_steps, s->protocol.row_episodes);
  s->eval_trial.episodes = s->protocol.episodes;
  s->steps = c->run.steps ? c->run.steps : s->trial.lifetime;
  set_shape(s);
  return hn_memory_budget_check(s, hn_machine_bytes());
}

/* Fields of a spec that inference and policy are both told. */
#define TOLD(s, reader)                                                                     \
  .obs_dim = (s)->es.obs_dim, .action_dim = (s)->es.action_dim,                             \
  .action_count = (s)->es.action_count,                                                     \
  .task_dim = (reader)->plugin->flags & HN_PRIVILEGED ? (s)->es.task_dim : 0,               \
  .horizon = (s)->es.horizon, .lifetime = (s)->trial.lifetime, .rows = (s)->cell->run.rows, \
  .steps = (s)->steps

static HnStatus create_inference(HnSession *s) {
  const HnCell *c = s->cell;
  HnRng rng = hn_stream(c->seed, HN_FOR_INFERENCE_WEIGHTS, 0);
  HnStatus status;
  HnBeliefSpec spec = {.struct_size = sizeof spec,
                       .episodes = s->trial.by_steps ? s->trial.lifetime : s->trial.episodes,
                       .rng = &rng,
                       TOLD(s, s->inference)};
  HN_CALL(status, INFERENCE_create,
          HN_INFERENCE(s)->create(s->inference->self, &s->inference->host, s->inference->params,
                                  &spec));
  s->inference->creating = false;
  if (status) return status;
  s->inference_created = true;
  s->bs = spec;
  status = hn_spec_check_belief(s->inference, &s->bs);
  if (status) return status;
  const HnHost *host = &s->inference->host;
  if (MAX(c->run.samples, s->eval_samples) > 0 && !s->bs.latent_dim)
    return host->fail(host, HN_E_UNSUPPORTED, "has no posterior samples; set %s.samples: 0",
                      c->run.samples ? "run" : "evaluation");
  return HN_OK;
}

static HnStatus create_policy(HnSession *s) {
  const HnCell *c = s->cell;
  HnRng rng = hn_stream(c->seed, HN_FOR_POLICY_WEIGHTS, 0);
  HnStatus status;
  HnPolicySpec spec = {.struct_size = sizeof spec,
                       .belief_dim = s->bs.belief_dim,
                       .latent_dim = s->bs.latent_dim,
                       .samples = c->run.samples,
                       .rng = &rng,
                       .trains_inference = hn_session_trains_through_policy(s),
                       TOLD(s, s->policy)};
  HN_CALL(status, POLICY_create,
          HN_POLICY(s)->create(s->policy->self, &s->policy->host, s->policy->params, &spec));
  s->policy->creating = false;
  if (status) return status;
  s->policy_created = true;
  s->ps = spec, s->phases = MAX(spec.phases, 1);
  return hn_spec_check_policy(s->policy, &s->ps);
}

static HnStatus make_experience(HnSession *s) {
  const HnCell *c = s->cell;
  set_shape(s);
  HnStatus status = hn_memory_budget_check(s, hn_machine_bytes());
  if (status) return status;
  for (int64_t k = 0; k < s->phases; k++)
    hn_experience_make(&s->phase[k], &s->shape, s->steps, c->run.rows, c->run.samples);
  hn_experience_make(&s->gather, &s->shape, s->steps, c->run.rows, c->run.samples);
  if (s->bs.refresh) {
    HnShape shape = s->shape; /* only what beliefs are inferred from */
    shape.belief = shape.aux = 0;
    hn_experience_make(&s->history, &shape, s->trial.lifetime, c->run.rows, 0);
    s->history_steps = hn_zeros((gsize)c->run.rows * sizeof(int64_t));
  }
  return hn_rollouts_make(s, &s->rollouts, c->run.rows, 0, &s->trial, true);
}

static bool machine_offers(const HnCell *cell, GError **error) {
  const char *lacking = cell->run.determinism == HN_PORTABLE ? hn_portable_lacks() : NULL;
  return !lacking || hn_error_set(error, HN_ERROR_REFUSED,
                                  "run.determinism: portable needs AVX2 and FMA, and this machine "
                                  "lacks %s; fast takes the kernels that it has",
                                  lacking);
}

HnSession *hn_session_new(const HnCell *cell, FILE *log, GError **error) {
  if (!machine_offers(cell, error)) return NULL;
  HnSession *s = g_new0(HnSession, 1);
  hn_fail_text()[0] = '\0';
  s->cell = cell, s->log = log;
  hn_arena_enter(&s->main);
  s->pool = hn_pool_new(cell->run.workers);
  s->policy_learning = hn_stream(cell->seed, HN_FOR_POLICY_LEARNING, 0);
  s->inference_learning = hn_stream(cell->seed, HN_FOR_INFERENCE_LEARNING, 0);
  s->env = hn_instance_new(&cell->env, s->pool, log);
  s->inference = hn_instance_new(&cell->inference, s->pool, log);
  s->policy = hn_instance_new(&cell->policy, s->pool, log);
  HnStatus status = check_columns(s);
  if (!status) status = create_env(s);
  if (!status) status = create_inference(s);
  if (!status) status = create_policy(s);
  if (!status) status = make_experience(s);
  if (!status && hn_evaluation_check(s, error)) return s;
  if (status) hn_session_failed(s, NULL, status, error);
  hn_session_free(s);
  return NULL;
}

void hn_session_free(HnSession *s) {
  if (!s) return;
  hn_rollouts_free(&s->rollouts);
  for (int k = 0; k < HN_PHASES_MAX; k++) hn_experience_free(&s->phase[k]);
  hn_experience_free(&s->gather), hn_experience_free(&s->history), hn_zeros_free(s->history_steps);
  hn_instance_free(s->policy, s->policy_created);
  hn_instance_free(s->inference, s->inference_created);
  hn_instance_free(s->env, s->env && s->env->created);
  hn_pool_free(s->pool);
  hn_arena_enter(NULL);
  hn_arena_clear(&s->main), hn_arena_clear(&s->forward);
  for (guint k = 0; s->tasks && s->splits[k]; k++) hn_task_list_clear(&s->tasks[k]);
  g_strfreev(s->splits), g_free(s->tasks), g_free(s->pass), g_free(s);
}

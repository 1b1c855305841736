/* protocol_test.c - evaluation protocols on goals whose success is known by episode: what counts,
 * what adaptation leaves, and what cannot be followed. */
#include "cell_fixture.h"
#include "error.h"
#include "evaluate.h"
#include "evaluation_tasks.h"
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

#define PARAMS(X) X(int, phases, "", "Of the policy.", 1, 1, 16)
HN_PARAMS(PARAMS);

enum { HORIZON = 5, NAMES = 2, GOALS = 4, TASKS = NAMES * GOALS, ADAPT = 2, EPISODES = 3 };
enum { ROLLOUTS = 10 };

/* The step at which an episode of a goal of split test succeeds; 0: never.  The first ADAPT are
 * those of adaptation where there is one. */
static const int when[TASKS][ROLLOUTS] = {
    {1, 1, 1, 1, 1, 0, 0, 0, 0, 2}, /* push 0 */
    {0, 3, 0, 0, 0, 0, 0, 0, 0, 0}, /* push 1: only while it adapts */
    {0},
    {0},
    {0, 0, 0, 0, 0, 0, 0, 0, 0, 5}, /* reach 0 */
    {0},
    {0},
    {0, 0, 4, 0, 0, 0, 0, 0, 0, 0}, /* reach 3 */
};

/* ---- an environment that is this table ---- */

typedef struct Unused {
  char unused;
} Unused;
typedef struct Row {
  int64_t split, task, episode, age, life;
} Row;
#define INFO(X) X(success, "", "Reached at this step.", HN_MAX)
HN_INFO(INFO);

static HnStatus env_create(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->obs_dim = 1, spec->action_dim = 3, spec->task_dim = 1, spec->horizon = HORIZON;
  spec->row_size = sizeof(Row), spec->splits = "train|test";
  return HN_OK;
}

static int64_t task_count(void *self, int64_t split) {
  (void)self, (void)split;
  return TASKS;
}
static const char *task_name(void *self, int64_t split, int64_t k) {
  static const char *const name[2][NAMES] = {{"door", "drawer"}, {"push", "reach"}};
  (void)self;
  return name[split][k / GOALS];
}

static HnStatus env_reset(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    if (b->begin[i] == HN_KEEP) continue;
    if (b->begin[i] == HN_NEW_EPISODE) row->episode++;
    if (b->begin[i] == HN_NEW_TASK) row->split = b->split, row->task = b->task_index[i];
    row->age = 0;
    b->obs[i] = (float)(100 * row->episode), b->task[i] = (float)row->task;
  }
  return HN_OK;
}

/* Goals of split train are reached in every third step; the reward numbers the task's steps. */
static HnStatus env_step(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    Row *row = (Row *)b->state + i;
    row->age++, row->life++;
    b->obs[i] = (float)(100 * row->episode + row->age);
    b->reward[i] = (float)row->life;
    int at = row->split == 0                             ? 3
             : row->episode < ROLLOUTS && row->task >= 0 ? when[row->task][row->episode]
                                                         : 0;
    b->info[i] = at == row->age;
  }
  return HN_OK;
}

static const HnEnv env_methods = {
    sizeof(HnEnv),    .create = env_create,     .reset = env_reset,
    .step = env_step, .task_count = task_count, .task_name = task_name};
HN_PLUGIN(goals, HN_KIND_ENV, Unused, &env_methods, .version = "1", .info = hn_this_info,
          .summary = "Goals reached by a table.");

/* ---- a belief that counts the steps it took in, and names the last ---- */

static HnStatus belief_create(void *self, const HnHost *host, const void *params,
                              HnBeliefSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->belief_dim = 3, spec->row_size = 2 * sizeof(float);
  return HN_OK;
}

static HnStatus infer(void *self, HnBeliefUpdate *q) {
  (void)self;
  const HnHistory *h = q->history;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      float *memory = (float *)q->state + 2 * i, *out = q->belief + 3 * hn_at(h, t, i);
      if (h->begin[hn_at(h, t, i)] != HN_NEW_TASK)
        memory[0]++, memory[1] = h->reward[hn_at(h, t - 1, i)];
      out[0] = memory[0], out[1] = memory[1], out[2] = h->obs[hn_at(h, t, i)];
    }
  return HN_OK;
}

static const HnInference belief_methods = {sizeof(HnInference), .create = belief_create,
                                           .infer = infer};
HN_PLUGIN(counter, HN_KIND_INFERENCE, Unused, &belief_methods, .version = "1",
          .summary = "Counts steps.");

/* ---- a policy that shows: drawn or not, acts so far, steps it adapted to ---- */

typedef struct Policy {
  const HnThisParams *p;
} Policy;

static HnStatus policy_create(void *self, const HnHost *host, const void *params,
                              HnPolicySpec *spec) {
  Policy *m = self;
  (void)host;
  m->p = params, spec->row_size = 2 * sizeof(float), spec->phases = m->p->phases;
  return HN_OK;
}

static HnStatus act(void *self, HnActBatch *a) {
  (void)self;
  for (int64_t i = 0; i < a->rows; i++) {
    float *memory = (float *)a->state + 2 * i;
    a->action[3 * i] = a->rng ? 1 : 0, a->action[3 * i + 1] = memory[0]++;
    a->action[3 * i + 2] = memory[1];
  }
  return HN_OK;
}

static HnStatus adapt(void *self, const HnHistory *h, void *state) {
  (void)self;
  for (int64_t i = 0; i < h->rows; i++) ((float *)state)[2 * i + 1] += (float)h->steps;
  return HN_OK;
}

static const HnPolicy policy_methods = {sizeof(HnPolicy), .create = policy_create, .act = act,
                                        .adapt = adapt};
HN_PLUGIN(shower, HN_KIND_POLICY, Policy, &policy_methods, .version = "1",
          .summary = "Acts to be looked at.");

/* ---- cells ---- */

static HnCell cell_with(HnProtocolKind protocol, HnPluginChoice inference, HnPluginChoice policy) {
  return (HnCell){.study = "test",
                  .arm = "only",
                  .seed = 7,
                  .env = part_of(&goals_LTX_hn_plugin, ""),
                  .inference = inference,
                  .policy = policy,
                  .run = {.frames = 30, .rows = 3, .episodes = 2, .workers = 1},
                  .evaluation = {.tasks = TASKS,
                                 .protocol = (int32_t)protocol,
                                 .adapt_episodes = ADAPT,
                                 .parallel = GOALS,
                                 .split = "",
                                 .greedy = true,
                                 .record_rows = TASKS}};
}

static HnCell cell_of(HnProtocolKind protocol, const char *phases) {
  return cell_with(protocol, part_of(&counter_LTX_hn_plugin, ""),
                   part_of(&shower_LTX_hn_plugin, phases));
}

typedef struct Counts {
  int kind[3];
  double reward; /* of those that count */
} Counts;
static void count(void *arg, const HnEpisode *e) {
  Counts *c = arg;
  c->kind[e->kind]++;
  if (e->kind == HN_COUNTED) c->reward += e->reward;
}

/* Evaluates split test; returns the mean success over what counts. */
static double evaluate(const HnCell *c, HnEvaluation *e, Counts *counts) {
  GError *error = NULL;
  HnSession *s = hn_session_new(c, NULL, &error);
  g_assert_no_error(error);
  *counts = (Counts){.reward = 0};
  g_assert_cmpint(hn_evaluate(s, &(HnEvaluationPass){.split = 1}, e, count, counts), ==, HN_OK);
  hn_session_free(s);
  return e->episodes.info[0] / e->episodes.info_count[0];
}

/* ---- on whose belief a row acts ---- */

/* Acts on what it is shown. */
static HnStatus act_belief(void *self, HnActBatch *a) {
  (void)self;
  memcpy(a->action, a->belief, (size_t)a->rows * 3 * sizeof(float));
  return HN_OK;
}

static const HnPolicy mirror_methods = {sizeof(HnPolicy), .create = policy_create,
                                        .act = act_belief};
HN_PLUGIN(mirror, HN_KIND_POLICY, Policy, &mirror_methods, .version = "1",
          .summary = "Acts out the belief.");

/* A belief that is the number of the task. */
static HnStatus infer_task(void *self, HnBeliefUpdate *q) {
  (void)self;
  const HnHistory *h = q->history;
  for (int64_t k = 0; k < (h->steps + 1) * h->rows; k++)
    for (int j = 0; j < 3; j++) q->belief[3 * k + j] = h->task[k];
  return HN_OK;
}

static const HnInference teller_methods = {sizeof(HnInference), .create = belief_create,
                                           .infer = infer_task};
HN_PLUGIN(teller, HN_KIND_INFERENCE, Unused, &teller_methods, .version = "1",
          .flags = HN_PRIVILEGED, .summary = "Tells the task.");

/* Row i acts out the task of row i + 1, the last one that of the first, for any number of workers;
 * not shuffled, each its own.  Beliefs stay with their rows. */
static void test_shuffled(void) {
  for (int workers = 1; workers <= 3; workers++)
    for (int shuffled = 0; shuffled < 2; shuffled++) {
      HnCell c = cell_with(HN_PROTOCOL_TRIAL, part_of(&teller_LTX_hn_plugin, ""),
                           part_of(&mirror_LTX_hn_plugin, ""));
      c.run.workers = workers;
      GError *error = NULL;
      HnSession *s = hn_session_new(&c, NULL, &error);
      g_assert_no_error(error);
      HnEvaluation e;
      Counts n;
      const HnEvaluationPass pass = {.split = 1, .shuffled = shuffled};
      g_assert_cmpint(hn_evaluate(s, &pass, &e, count, &n), ==, HN_OK);
      const HnHistory *h = &e.trial.h;
      for (int64_t t = 0; t < h->steps; t++)
        for (int64_t i = 0; i < TASKS; i++) {
          const int64_t of = shuffled ? (i + 1) % TASKS : i;
          g_assert_cmpfloat(h->action[3 * hn_at(h, t, i)], ==, h->task[hn_at(h, t, of)]);
          g_assert_cmpfloat(*(float *)hn_experience_at(&e.trial, HN_F_BELIEF, t, i), ==,
                            h->task[hn_at(h, t, i)]);
        }
      hn_evaluation_free(&e), hn_session_free(s), cell_clear(&c);
    }
}

/* ---- what counts ---- */

/* push: goal 0 succeeds in all of its three, so 3 of 12; reach: goal 3 in one of its three, so 1 of
 * 12.  Each episode goes on to the horizon. */
static void test_metaworld(void) {
  HnCell c = cell_of(HN_PROTOCOL_METAWORLD, "");
  HnEvaluation e;
  Counts n;
  g_assert_cmpfloat_with_epsilon(evaluate(&c, &e, &n), (3. / 12 + 1. / 12) / 2, 1e-15);
  g_assert_cmpint(n.kind[HN_COUNTED], ==, TASKS * EPISODES);
  g_assert_cmpint(n.kind[HN_ADAPTATION], ==, TASKS * ADAPT);
  g_assert_cmpint(n.kind[HN_UNCOUNTED], ==, 0);
  /* steps 11 .. 25 of every row are paid by their number: three episodes */
  g_assert_cmpfloat(n.reward, ==, TASKS * (11 + 25) * 15 / 2.);
  g_assert_cmpint(e.episodes.trial_episodes, ==, EPISODES);
  g_assert_cmpfloat_with_epsilon(e.episodes.reward[2] / e.episodes.reward_count[2], 23 * 5, 1e-12);
  hn_evaluation_free(&e), cell_clear(&c);
}

/* Side by side, success ending episodes.  push: goal 0 ends at 1, 2 and 3, all that is counted: 3
 * of
 * 3.  reach: goal 3 ends at 4 with success, goals 0, 1 and 2 at 5 without,
 * and goal 2 is too late: 1 of 3. */
static void test_upstream_biased(void) {
  HnCell c = cell_of(HN_PROTOCOL_UPSTREAM_BIASED, "");
  HnEvaluation e;
  Counts n;
  g_assert_cmpfloat_with_epsilon(evaluate(&c, &e, &n), (3. / 3 + 1. / 3) / 2, 1e-15);
  g_assert_cmpint(n.kind[HN_COUNTED], ==, NAMES * EPISODES);
  g_assert_cmpint(n.kind[HN_ADAPTATION], ==, TASKS * ADAPT);
  g_assert_cmpint(n.kind[HN_UNCOUNTED], ==, 3 + 1);
  /* push 11 + 12 + 13; reach 11 + .. + 14 and twice 11 + .. + 15 */
  g_assert_cmpfloat(n.reward, ==, 36 + 50 + 2 * 65);
  hn_evaluation_free(&e);

  /* Two goals a count.  push 0 and 1: 3 of 3; 2 and 3: two end at 5, one at 10, 0 of 3.  reach 2
   * and 3: at 4 with success, 5 and 9 without; 0 and 1: 0 of 3. */
  c.evaluation.parallel = 2;
  g_assert_cmpfloat_with_epsilon(evaluate(&c, &e, &n), (3. / 3 + 0 + 1. / 3 + 0) / 4, 1e-15);
  g_assert_cmpint(n.kind[HN_COUNTED], ==, 4 * EPISODES);
  hn_evaluation_free(&e);

  /* Each goal by itself: nothing is crowded out, the unbiased number. */
  c.evaluation.parallel = 1;
  g_assert_cmpfloat_with_epsilon(evaluate(&c, &e, &n), 1. / 6, 1e-15);
  hn_evaluation_free(&e), cell_clear(&c);
}

/* push: goal 0 in six of ten episodes, goal 1 in one; reach: goals 0 and 3 in one each.
 * Of the last episodes push 0 and reach 0 succeed. */
static void test_sdvt(void) {
  HnCell c = cell_of(HN_PROTOCOL_SDVT, "");
  HnEvaluation e;
  Counts n;
  g_assert_cmpfloat_with_epsilon(evaluate(&c, &e, &n), 9. / 80, 1e-15);
  g_assert_cmpfloat_with_epsilon(e.success_last, 2. / 8, 1e-15);
  g_assert_cmpint(n.kind[HN_COUNTED], ==, TASKS * ROLLOUTS);
  const HnHistory *h = &e.trial.h;
  for (int64_t t = 0; t < h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      g_assert_cmpfloat(h->action[3 * hn_at(h, t, i)], ==, 1);        /* sampled throughout */
      g_assert_cmpfloat(h->belief[3 * hn_at(h, t, i)], ==, (float)t); /* and carried on */
    }
  hn_evaluation_free(&e), cell_clear(&c);
}

static void test_trial(void) {
  HnCell c = cell_of(HN_PROTOCOL_TRIAL, "");
  HnEvaluation e;
  Counts n;
  g_assert_cmpfloat_with_epsilon(evaluate(&c, &e, &n), 3. / 16, 1e-15);
  g_assert_cmpfloat_with_epsilon(e.success_last, 2. / 8, 1e-15);
  g_assert_cmpint(n.kind[HN_COUNTED], ==, TASKS * 2);
  hn_evaluation_free(&e), cell_clear(&c);
}

/* What counts is said in the singular where it is one. */
static void test_text_of_one(void) {
  static const char *const says[] = {
      [HN_PROTOCOL_TRIAL] = "trial: 1 episode of the policy's mode",
      [HN_PROTOCOL_METAWORLD] =
          "metaworld: 1 adaptation and 1 counted episode, success at any step",
      [HN_PROTOCOL_SDVT] = "sdvt: 1 sampled episode, success at any step",
      [HN_PROTOCOL_UPSTREAM_BIASED] =
          "upstream_biased: 1 adaptation episode, the first 1 of 2 goals to end"};
  for (int kind = HN_PROTOCOL_TRIAL; kind <= HN_PROTOCOL_UPSTREAM_BIASED; kind++) {
    HnCell c = cell_of(kind, "");
    c.evaluation.episodes = 1, c.evaluation.adapt_episodes = 1, c.evaluation.parallel = 2;
    g_autofree char *text = hn_protocol_text(&c);
    g_assert_cmpstr(text, ==, says[kind]);
    cell_clear(&c);
  }
}

/* A policy without a greedy action draws in every protocol, and so it is said. */
static void test_stochastic(void) {
  HnPlugin stochastic = shower_LTX_hn_plugin;
  stochastic.flags = HN_STOCHASTIC;
  for (int kind = HN_PROTOCOL_TRIAL; kind <= HN_PROTOCOL_UPSTREAM_BIASED; kind++)
    for (int draws = 0; draws < 2; draws++) {
      HnCell c = cell_of(kind, "");
      if (draws) c.policy.plugin = &stochastic;
      HnEvaluation e;
      Counts n;
      evaluate(&c, &e, &n);
      int64_t drawn = 0, steps = e.trial.h.steps * e.trial.h.rows;
      for (int64_t k = 0; k < steps; k++) drawn += e.trial.h.action[3 * k] == 1;
      g_assert_true(draws || kind == HN_PROTOCOL_SDVT ? drawn == steps : drawn < steps);
      if (kind == HN_PROTOCOL_TRIAL) {
        g_autofree char *text = hn_protocol_text(&c);
        g_assert_cmpstr(text, ==,
                        draws ? "trial: 2 episodes of the policy's draws"
                              : "trial: 2 episodes of the policy's mode");
      }
      hn_evaluation_free(&e), cell_clear(&c);
    }
}

/* ---- what adaptation leaves ---- */

/* Every counted episode begins with all of adaptation's steps and none of a counted one, its own
 * observation, and the policy's memory of then; windows may cut anywhere. */
static void assert_restored(const HnHistory *h, int64_t adapted, float inner) {
  int64_t first = adapted * HORIZON;
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      int64_t age = t % HORIZON, episode = t / HORIZON, at = hn_at(h, t, i);
      float known = (float)(t < first ? t : first + age);
      g_assert_cmpint(h->begin[at], ==, t == 0 ? HN_NEW_TASK : age == 0 ? HN_NEW_EPISODE : HN_KEEP);
      g_assert_cmpfloat(h->belief[3 * at], ==, known);
      g_assert_cmpfloat(h->belief[3 * at + 1], ==, t < first || age ? (float)t : (float)first);
      g_assert_cmpfloat(h->belief[3 * at + 2], ==, (float)(100 * episode + age));
      if (t == h->steps) continue;
      g_assert_cmpfloat(h->action[3 * at], ==, t < first);
      g_assert_cmpfloat(h->action[3 * at + 1], ==, known);
      g_assert_cmpfloat(h->action[3 * at + 2], ==, t < first ? 0 : inner);
    }
}

static void test_restored(void) {
  static const int64_t steps[] = {0, 1, 3, HORIZON, 7, 2 * HORIZON};
  for (guint k = 0; k < G_N_ELEMENTS(steps); k++)
    for (int64_t adapted = 0; adapted <= ADAPT; adapted++) {
      HnCell c = cell_of(HN_PROTOCOL_METAWORLD, "");
      HnEvaluation e;
      Counts n;
      c.run.steps = steps[k], c.evaluation.adapt_episodes = adapted;
      evaluate(&c, &e, &n);
      g_assert_cmpint(e.trial.h.steps, ==, (adapted + EPISODES) * HORIZON);
      assert_restored(&e.trial.h, adapted, 0);
      hn_evaluation_free(&e), cell_clear(&c);
    }
}

/* A policy that adapts between phases does so once, to the experience of adaptation. */
static void test_phases(void) {
  HnCell c = cell_of(HN_PROTOCOL_METAWORLD, "phases: 2");
  HnEvaluation e;
  Counts n;
  c.run.episodes = ADAPT + 1; /* training's windows end elsewhere */
  evaluate(&c, &e, &n);
  assert_restored(&e.trial.h, ADAPT, ADAPT * HORIZON);
  hn_evaluation_free(&e), cell_clear(&c);
}

/* ---- rows and tasks ---- */

static int64_t two_tasks(void *self, int64_t split) {
  (void)self, (void)split;
  return 3;
}

/* Different tasks among `rows`, counted one by one. */
static int64_t counted(const HnSession *s, int64_t rows) {
  g_autofree int64_t *task = g_new(int64_t, rows);
  int64_t distinct = 0;
  hn_evaluation_tasks(s, 1, rows, task);
  for (int64_t i = 0; i < rows; i++) {
    bool seen = false;
    for (int64_t k = 0; k < i; k++) seen |= task[k] >= 0 && task[k] == task[i];
    distinct += !seen;
  }
  return distinct;
}

/* What is taken of a split, for every number of rows. */
static void taken(HnCell *c, const HnSession *s, int64_t first_by_name, int64_t last_by_name) {
  for (int64_t rows = 1; rows <= 40; rows++) {
    c->evaluation.tasks = rows;
    const HnTasksTaken t = hn_evaluation_taken(s, 1);
    g_assert_cmpint(t.rows, ==, rows);
    g_assert_cmpint(t.distinct, ==, counted(s, rows));
    if (rows == 1) g_assert_cmpint(t.by_name, ==, first_by_name);
    if (rows == 40) g_assert_cmpint(t.by_name, ==, last_by_name);
  }
}

/* Names in turn, of each the goals that bear it in turn; without names every task is one. */
static void test_tasks(void) {
  HnCell c = cell_of(HN_PROTOCOL_TRIAL, "");
  HnSession *s = hn_session_new(&c, NULL, NULL);
  int64_t wanted[10];
  static const int64_t named[] = {0, 4, 1, 5, 2, 6, 3, 7, 0, 4}, bare[] = {0, 1, 2, 0, 1, 2, 0};
  g_assert_cmpint(hn_evaluation_tasks(s, 1, 10, wanted), ==, NAMES);
  g_assert_cmpmem(wanted, sizeof wanted, named, sizeof named);
  taken(&c, s, 1, 4);
  hn_session_free(s);
  HnEnv methods = env_methods;
  HnPlugin plugin = goals_LTX_hn_plugin;
  methods.task_name = NULL, methods.task_count = two_tasks;
  plugin.methods = &methods, c.env.plugin = &plugin;
  s = hn_session_new(&c, NULL, NULL);
  g_assert_cmpint(hn_evaluation_tasks(s, 1, 7, wanted), ==, 3);
  g_assert_cmpmem(wanted, sizeof bare, bare, sizeof bare);
  taken(&c, s, 1, 1);
  hn_session_free(s);
  methods.task_count = NULL;
  s = hn_session_new(&c, NULL, NULL);
  g_assert_cmpint(hn_evaluation_tasks(s, 1, 7, wanted), ==, 1);
  g_assert_cmpint(wanted[6], ==, -1);
  taken(&c, s, 1, 40);
  hn_session_free(s), cell_clear(&c);
}

static void refuses(const HnCell *c, const char *says) {
  GError *error = NULL;
  g_assert_null(hn_session_new(c, NULL, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_REFUSED);
  if (!strstr(error->message, says)) g_test_message("said: %s", error->message);
  g_assert_nonnull(strstr(error->message, says));
  g_error_free(error);
}

static void test_refuses(void) {
  HnColumn info[] = {{"success", "", "", HN_MEAN}, {NULL, NULL, NULL, 0}};
  HnPlugin plugin = goals_LTX_hn_plugin;
  HnCell c = cell_of(HN_PROTOCOL_UPSTREAM_BIASED, "");
  c.evaluation.tasks = 12;
  refuses(&c, "tasks: 12 rows do not give each of the 2 tasks of split test the same number of "
              "goals, in groups of evaluation.parallel: use a multiple of 8 (environment goals)");
  c.evaluation.protocol = HN_PROTOCOL_METAWORLD, c.evaluation.tasks = 7;
  refuses(&c, "same number of goals: use a multiple of 2 ");
  c.evaluation.tasks = 8, c.evaluation.split = "test|train|test";
  refuses(&c, "evaluation.split names test twice");
  c.evaluation.split = "test|trian";
  refuses(&c, "goals has no split 'trian'; it has train, test");
  c.evaluation.split = "", c.env.plugin = &plugin, plugin.info = info;
  refuses(&c, "evaluation.protocol counts success at any step, and the column 'success' is not the "
              "largest");
  info[0].name = "luck";
  refuses(&c, "there is no column 'success': use trial");
  cell_clear(&c);
}

/* ---- recorded ---- */

/* The value of a column in the last row of metrics.csv. */
static double metric(char **lines, const char *column) {
  guint last = g_strv_length(lines) - 2;
  char **names = g_strsplit(lines[0], ",", -1), **values = g_strsplit(lines[last], ",", -1);
  g_assert_cmpuint(g_strv_length(names), ==, g_strv_length(values));
  double x = NAN;
  for (guint i = 0; names[i]; i++)
    if (!strcmp(names[i], column)) x = g_ascii_strtod(values[i], NULL);
  g_strfreev(names), g_strfreev(values);
  return x;
}

static guint lines_with(const char *text, const char *start) {
  char **lines = g_strsplit(text, "\n", -1);
  guint n = 0;
  for (char **l = lines; *l; l++) n += g_str_has_prefix(*l, start);
  g_strfreev(lines);
  return n;
}

/* Both splits go to the tables, every kind of episode to its own phase, the protocol to run.json;
 * the rows of metrics.csv without an evaluation are as wide. */
static void test_recorded(void) {
  HnCell c = cell_of(HN_PROTOCOL_SDVT, "");
  c.run.frames = 60, c.evaluation.split = "test|train";
  char *dir = g_dir_make_tmp("hunch-protocol-XXXXXX", NULL);
  GError *error = NULL;
  g_assert_true(hn_run_cell(&c, dir, NULL, NULL, NULL, &error));
  char *text = file_in(dir, "metrics.csv", NULL), **lines = g_strsplit(text, "\n", -1);
  g_assert_cmpuint(g_strv_length(lines), ==, 1 + 2 + 1);
  g_assert_cmpfloat_with_epsilon(metric(lines, "eval.success"), 9. / 80, 1e-9);
  g_assert_cmpfloat_with_epsilon(metric(lines, "eval.success_last"), 2. / 8, 1e-9);
  g_assert_cmpfloat_with_epsilon(metric(lines, "eval.train.success"), 1, 1e-9);
  g_assert_cmpfloat_with_epsilon(metric(lines, "eval.train.success_last"), 1, 1e-9);
  g_assert_cmpfloat_with_epsilon(metric(lines, "eval.train.return"), 25.5 * 5, 1e-9);
  char **names = g_strsplit(lines[0], ",", -1), **blanks = g_strsplit(lines[1], ",", -1);
  g_assert_cmpuint(g_strv_length(names), ==, g_strv_length(blanks));
  g_strfreev(names), g_strfreev(blanks), g_strfreev(lines), g_free(text);
  text = file_in(dir, "run.json", NULL);
  g_assert_nonnull(
      strstr(text, "\"protocol\" : \"sdvt: 10 sampled episodes, success at any step\""));
  g_assert_nonnull(strstr(text, "\"simulator\" : null"));
  g_free(text), folder_free(dir);

  c.evaluation.protocol = HN_PROTOCOL_UPSTREAM_BIASED, c.evaluation.split = "test";
  dir = g_dir_make_tmp("hunch-protocol-XXXXXX", NULL);
  g_assert_true(hn_run_cell(&c, dir, NULL, NULL, NULL, &error));
  text = file_in(dir, "episodes.csv", NULL);
  g_assert_cmpuint(lines_with(text, "adapt,2,only,0,test,"), ==, TASKS * ADAPT);
  g_assert_cmpuint(lines_with(text, "eval,2,only,0,test,push,0,"), ==, 3);
  g_assert_cmpuint(lines_with(text, "eval,2,only,0,test,reach,"), ==, 3);
  g_assert_cmpuint(lines_with(text, "uncounted,2,only,0,test,"), ==, 4);
  g_free(text), folder_free(dir), cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/protocol/metaworld", test_metaworld);
  g_test_add_func("/protocol/upstream_biased", test_upstream_biased);
  g_test_add_func("/protocol/sdvt", test_sdvt);
  g_test_add_func("/protocol/trial", test_trial);
  g_test_add_func("/protocol/stochastic", test_stochastic);
  g_test_add_func("/protocol/text_of_one", test_text_of_one);
  g_test_add_func("/protocol/restored", test_restored);
  g_test_add_func("/protocol/phases", test_phases);
  g_test_add_func("/protocol/tasks", test_tasks);
  g_test_add_func("/protocol/refuses", test_refuses);
  g_test_add_func("/protocol/recorded", test_recorded);
  g_test_add_func("/protocol/shuffled", test_shuffled);
  return g_test_run();
}

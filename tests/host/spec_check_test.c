/* spec_check_test.c - what the host refuses when plugins say of themselves what cannot be: sizes,
 * splits, numbers and names of tasks. */
#include "../fakes/toy.h"
#include "cell_fixture.h"
#include "evaluation_tasks.h"
#include "session.h"
#include "spec_check.h"

/* ---- plugins that say what a test wants, where that is not 0 ---- */

static HnEnvSpec env_says;
static HnBeliefSpec belief_says;
static HnPolicySpec policy_says;

static HnStatus create_env(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  const HnEnv *e = toy_env_LTX_hn_plugin.methods;
  const HnStatus status = e->create(self, host, params, spec);
  const HnEnvSpec *s = &env_says;
  if (s->obs_dim) spec->obs_dim = s->obs_dim;
  if (s->action_dim) spec->action_dim = s->action_dim;
  if (s->action_count) spec->action_count = s->action_count;
  if (s->task_dim) spec->task_dim = s->task_dim;
  if (s->horizon) spec->horizon = s->horizon;
  if (s->row_size) spec->row_size = s->row_size;
  if (s->splits) spec->splits = s->splits;
  if (s->step_seconds != 0) spec->step_seconds = s->step_seconds;
  return status;
}

static HnStatus create_belief(void *self, const HnHost *host, const void *params,
                              HnBeliefSpec *spec) {
  const HnInference *q = toy_filter_LTX_hn_plugin.methods;
  const HnStatus status = q->create(self, host, params, spec);
  const HnBeliefSpec *s = &belief_says;
  if (s->belief_dim) spec->belief_dim = s->belief_dim;
  if (s->latent_dim) spec->latent_dim = s->latent_dim;
  if (s->row_size) spec->row_size = s->row_size;
  if (s->map_width) spec->map_width = s->map_width, spec->map_height = s->map_height;
  return status;
}

static HnStatus map(void *self, const float *belief, float *out) {
  (void)self, (void)belief, (void)out;
  return HN_OK;
}

static HnStatus create_policy(void *self, const HnHost *host, const void *params,
                              HnPolicySpec *spec) {
  const HnPolicy *p = toy_policy_LTX_hn_plugin.methods;
  const HnStatus status = p->create(self, host, params, spec);
  const HnPolicySpec *s = &policy_says;
  if (s->aux_dim) spec->aux_dim = s->aux_dim;
  if (s->row_size) spec->row_size = s->row_size;
  if (s->phases) spec->phases = s->phases;
  return status;
}

/* ---- tasks ---- */

static struct {
  int64_t count;
  const char *name; /* of task 1; the others have none */
  int64_t index;    /* that a reset gives, where not 0 */
} tasks;

static int64_t task_count(void *self, int64_t split) {
  (void)self;
  return split == 1 ? tasks.count : 0;
}
static const char *task_name(void *self, int64_t split, int64_t k) {
  (void)self, (void)split;
  return k == 1 ? tasks.name : NULL;
}
static HnStatus reset(void *self, HnEnvBatch *b) {
  const HnEnv *e = toy_env_LTX_hn_plugin.methods;
  const HnStatus status = e->reset(self, b);
  for (int64_t i = 0; i < b->rows && b->split == 1 && tasks.index; i++)
    b->task_index[i] = tasks.index;
  return status;
}

/* ---- a cell of these ---- */

static struct {
  HnEnv env;
  HnInference inference;
  HnPolicy policy;
  HnPlugin plugin[3];
} liar;

static HnCell cell_of_liars(void) {
  liar.env = *(const HnEnv *)toy_env_LTX_hn_plugin.methods;
  liar.inference = *(const HnInference *)toy_filter_LTX_hn_plugin.methods;
  liar.policy = *(const HnPolicy *)toy_policy_LTX_hn_plugin.methods;
  liar.env.create = create_env, liar.env.task_count = task_count, liar.env.task_name = task_name;
  liar.env.reset = reset;
  liar.inference.create = create_belief, liar.inference.map = map;
  liar.policy.create = create_policy;
  liar.plugin[0] = toy_env_LTX_hn_plugin, liar.plugin[0].methods = &liar.env;
  liar.plugin[1] = toy_filter_LTX_hn_plugin, liar.plugin[1].methods = &liar.inference;
  liar.plugin[2] = toy_policy_LTX_hn_plugin, liar.plugin[2].methods = &liar.policy;
  env_says = (HnEnvSpec){0}, belief_says = (HnBeliefSpec){0}, policy_says = (HnPolicySpec){0};
  tasks.count = 5, tasks.name = NULL, tasks.index = 0;
  return cell_of_parts(part_of(&liar.plugin[0], ""), part_of(&liar.plugin[1], ""),
                       part_of(&liar.plugin[2], ""));
}

/* A session is refused for that reason; NULL: it is not. */
static void assert_refused(const HnCell *c, const char *says) {
  g_autoptr(GError) error = NULL;
  HnSession *s = hn_session_new(c, NULL, &error);
  hn_session_free(s);
  if (!says) g_assert_no_error(error);
  if (!says) return;
  g_assert_error(error, HN_ERROR, HN_ERROR_REFUSED);
  if (!strstr(error->message, says)) g_error("'%s' does not say '%s'", error->message, says);
}

static void test_env(void) {
  static const struct {
    HnEnvSpec spec;
    const char *says;
  } table[] = {
      {{.horizon = -1}, "toy_env: horizon is -1: expected 1 .. 1000000000"},
      {{.horizon = INT64_MAX}, "toy_env: horizon is 9223372036854775807: expected 1 .."},
      {{.obs_dim = -1}, "toy_env: obs_dim is -1: expected 0 .. 1048576"},
      {{.obs_dim = 1000000000}, "toy_env: obs_dim is 1000000000: expected 0 .. 1048576"},
      {{.task_dim = -7}, "toy_env: task_dim is -7: expected"},
      {{.task_dim = 2000000}, "toy_env: task_dim is 2000000: expected"},
      {{.action_dim = 1 << 21}, "toy_env: action_dim is 2097152: expected"},
      {{.action_count = -3}, "toy_env: action_count is -3: expected"},
      {{.action_count = 3}, "either continuous or discrete: action_dim is 2, action_count 3"},
      {{.row_size = SIZE_MAX},
       "toy_env: row_size is 9223372036854775807: expected 0 .. 1073741824"},
      {{.row_size = (size_t)1 << 29}, "; row_size of toy_env is 536870912"},
      {{.obs_dim = HN_DIM_MAX}, "; obs_dim of toy_env is 1048576"},
      {{.horizon = HN_HORIZON_MAX}, "; horizon of toy_env is 1000000000"},
      {{.step_seconds = (double)NAN}, "toy_env: step_seconds is nan"},
      {{.step_seconds = -1}, "toy_env: step_seconds is -1"},
      {{.splits = "train|"}, "toy_env: has a split named ''"},
      {{.splits = "a,b"}, "toy_env: has a split named 'a,b'"},
      {{.splits = "a\nb"}, "toy_env: has a split named 'a\\x0ab'"},
      {{.splits = "train|caf\xe9"}, "toy_env: has a split named 'caf\xef\xbf\xbd'"},
      {{.splits = "train|predict"}, "toy_env: has a split named 'predict'"},
      {{.splits = "a|b|a"}, "toy_env: has two splits named 'a'"},
      {{.splits = ""}, "toy_env: has no split"}};
  HnCell c = cell_of_liars();
  c.run.rows = 65536;
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    env_says = table[i].spec;
    assert_refused(&c, table[i].says);
  }
  cell_clear(&c);
}

static void test_belief(void) {
  static const struct {
    HnBeliefSpec spec;
    const char *says;
  } table[] = {
      {{.belief_dim = 1000000000}, "toy_filter: belief_dim is 1000000000: expected 0 .. 1048576"},
      {{.belief_dim = -2}, "toy_filter: belief_dim is -2: expected"},
      {{.latent_dim = -1}, "toy_filter: latent_dim is -1: expected 0 .."},
      {{.latent_dim = 1000}, "toy_filter: latent_dim is 1000: expected 0 .."},
      {{.row_size = SIZE_MAX - 1}, "toy_filter: row_size is 9223372036854775807: expected"},
      {{.map_width = -2, .map_height = -3}, "toy_filter: map_width is -2: expected 1 .. 1048576"},
      {{.map_width = 3, .map_height = 0}, "toy_filter: map_height is 0: expected 1 .. 349525"},
      {{.map_width = 1024, .map_height = 1025},
       "toy_filter: map_height is 1025: expected 1 .. 1024"},
      {{.belief_dim = HN_DIM_MAX}, "; belief_dim of toy_filter is 1048576"}};
  HnCell c = cell_of_liars();
  c.run.steps = 100000;
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    belief_says = table[i].spec;
    assert_refused(&c, table[i].says);
  }
  cell_clear(&c);
}

static void test_policy(void) {
  static const struct {
    HnPolicySpec spec;
    const char *says;
  } table[] = {
      {{.aux_dim = 1000000000}, "toy_policy: aux_dim is 1000000000: expected 0 .. 1048576"},
      {{.aux_dim = -1}, "toy_policy: aux_dim is -1: expected"},
      {{.phases = 17}, "toy_policy: phases is 17: expected 0 .. 16"},
      {{.phases = -1}, "toy_policy: phases is -1: expected"},
      {{.row_size = SIZE_MAX}, "toy_policy: row_size is 9223372036854775807: expected"}};
  HnCell c = cell_of_liars();
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    policy_says = table[i].spec;
    assert_refused(&c, table[i].says);
  }
  cell_clear(&c);
}

/* Names are asked for once, each; without names no number of tasks is too large. */
static void test_tasks(void) {
  HnCell c = cell_of_liars();
  g_autofree char *just = g_strnfill(HN_TASK_NAME_MAX, 'x'), *more = g_strconcat(just, "x", NULL);
  const struct {
    int64_t count;
    const char *name, *says;
  } table[] = {
      {5, "caf\xc3\xa9, \"so\"\nand so", NULL},
      {5, just, NULL},
      {5, more, "toy_env: task_name: the name of task 1 of split test is longer than 256 bytes"},
      {5, "caf\xe9", "toy_env: task_name: the name of task 1 of split test is not UTF-8"},
      {5, "0x10", NULL},
      {5, "10", "toy_env: task_name: the name of task 1 of split test is a number"},
      {5, "\x1b[2J",
       "toy_env: task_name: the name of task 1 of split test has a control character"},
      {-1, NULL, "toy_env: task_count: split test has -1 tasks"},
      {1000000000000000, NULL,
       "toy_env: task_count: split test has 1000000000000000 tasks, of which at most 1048576"}};
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    tasks.count = table[i].count, tasks.name = table[i].name;
    assert_refused(&c, table[i].says);
  }
  liar.env.task_name = NULL, tasks.count = 1000000000000000;
  HnSession *s = hn_session_new(&c, NULL, NULL);
  int64_t task[7];
  g_assert_cmpint(hn_evaluation_tasks(s, 1, 7, task), ==, 1000000000000000);
  for (int64_t i = 0; i < 7; i++) g_assert_cmpint(task[i], ==, i);
  hn_session_free(s), cell_clear(&c);
}

/* A row that is given task k begins task k. */
static void test_task_index(void) {
  HnCell c = cell_of_liars();
  tasks.index = 3;
  HnSession *s = hn_session_new(&c, NULL, NULL);
  HnRollouts r;
  g_assert_cmpint(hn_rollouts_make(s, &r, 7, 1, &s->eval_trial, false), ==, HN_E_NUMERIC);
  g_assert_cmpstr(hn_fail_text(), ==,
                  "env toy_env, reset: task_index of row 0 is 3, not 0 as asked, at step 0 of its "
                  "trial");
  hn_rollouts_free(&r);
  tasks.index = 5;
  memset(&r, 0, sizeof r);
  g_assert_cmpint(hn_rollouts_make(s, &r, 7, 1, &s->trial, true), ==, HN_E_NUMERIC);
  g_assert_cmpstr(hn_fail_text(), ==,
                  "env toy_env, reset: task_index of row 0 is 5, not -1 .. 4, at step 0 of its "
                  "trial");
  hn_rollouts_free(&r), hn_session_free(s), cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/spec/env", test_env);
  g_test_add_func("/spec/belief", test_belief);
  g_test_add_func("/spec/policy", test_policy);
  g_test_add_func("/spec/tasks", test_tasks);
  g_test_add_func("/spec/task-index", test_task_index);
  return g_test_run();
}

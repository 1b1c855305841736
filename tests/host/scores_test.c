/* scores_test.c - scores belong to the host: plugins that write to what they are lent, that write
 * numbers which are none, and that have their say only later; and rows that go on after their
 * trial.
 *
 * In the honest world row i earns 1 + its action, the policy plays 0, 1, 2, 0, .. through a trial,
 * and an episode has nine steps: it returns 18. */
#include "../fakes/toy.h"
#include "call_record.h"
#include "cell_fixture.h"
#include "guard.h"
#include "table_fixture.h"
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROWS = 5, HORIZON = 9, EPISODES = 2, ACTIONS = 3, RETURN = 18 };

#define NO_PARAMS(X)
HN_PARAMS(NO_PARAMS);
#define INFO(X) X(note, "", "Something.", HN_MEAN)
HN_INFO(INFO);

/* What a plugin does wrong, in one call and one place. */
static struct {
  const char *call, *what;
  int64_t row, step; /* after so many steps of the trial */
  double value;
} fault;

static bool is_faulty(const char *call, const char *what) {
  return !g_strcmp0(fault.call, call) && !g_strcmp0(fault.what, what);
}
/* Writes the wrong value, if this is the place for it. */
static void spoil(const char *call, const char *what, int64_t row, int64_t step, float *x) {
  if (is_faulty(call, what) && row == fault.row && step == fault.step) *x = (float)fault.value;
}
/* Writes to what is lent, if that is the fault. */
static void overwrite(const char *call, const char *what, const void *lent) {
  if (is_faulty(call, what)) memset((void *)(guintptr)lent, 1, 4);
}

/* ---- an environment ---- */

typedef struct World {
  int64_t row, steps, age; /* steps of the trial, of the episode */
} World;
static float *reward_before, *obs_before; /* lent in the call before */

static HnStatus create_env(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->obs_dim = 2, spec->action_count = ACTIONS, spec->task_dim = 1, spec->horizon = HORIZON;
  spec->row_size = sizeof(World);
  return HN_OK;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    World *w = (World *)b->state + i;
    if (is_faulty("reset", "kept")) b->obs[2 * i] = NAN, b->task[i] = NAN, b->task_index[i] = 7;
    if (b->begin[i] == HN_KEEP) continue;
    if (is_faulty("reset", "kept")) b->task_index[i] = -1;
    w->row = b->first + i, w->age = 0, b->task[i] = 1, b->obs[2 * i] = b->obs[2 * i + 1] = 0;
    spoil("reset", "observation", w->row, w->steps, &b->obs[2 * i + 1]);
    spoil("reset", "task", w->row, w->steps, &b->task[i]);
  }
  overwrite("reset", "begin", b->begin);
  return HN_OK;
}

static HnStatus step(void *self, HnEnvBatch *b) {
  (void)self;
  if (is_faulty("step", "later") && reward_before) *reward_before = 1e6F;
  if (is_faulty("step", "later") && obs_before) *obs_before = NAN;
  reward_before = b->reward, obs_before = b->obs;
  for (int64_t i = 0; i < b->rows; i++) {
    World *w = (World *)b->state + i;
    w->steps++, w->age++;
    b->obs[2 * i] = b->obs[2 * i + 1] = (float)w->steps;
    b->reward[i] = (float)(1 + b->action_index[i]), b->info[i] = NAN;
    if (is_faulty("step", "early"))
      b->terminated[i] = w->age == w->row + 1, b->info[i] = (float)w->row;
    spoil("step", "observation", w->row, w->steps, &b->obs[2 * i + 1]);
    spoil("step", "reward", w->row, w->steps, &b->reward[i]);
    spoil("step", "info", w->row, w->steps, &b->info[i]);
    if (w->row != fault.row || w->steps != fault.step) continue;
    if (is_faulty("step", "terminated")) b->terminated[i] = (uint8_t)fault.value;
    if (is_faulty("step", "truncated")) b->truncated[i] = (uint8_t)fault.value;
  }
  overwrite("step", "action_index", b->action_index);
  return HN_OK;
}

static const HnEnv env_methods = {sizeof(HnEnv), .create = create_env, .reset = reset,
                                  .step = step};
HN_PLUGIN(world, HN_KIND_ENV, char, &env_methods, .summary = "Pays.", .version = "1",
          .info = hn_this_info);

/* ---- an inference ---- */

typedef struct Seen {
  int64_t steps;
} Seen;

static HnStatus create_belief(void *self, const HnHost *host, const void *params,
                              HnBeliefSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->belief_dim = 2, spec->row_size = sizeof(Seen), spec->map_width = 2, spec->map_height = 1;
  return HN_OK;
}

/* The observation's second number; row of the call, because rows of a call may be any. */
static HnStatus infer(void *self, HnBeliefUpdate *q) {
  (void)self;
  const HnHistory *h = q->history;
  overwrite("infer", "true_reward", h->true_reward + hn_at(h, -1, 0));
  overwrite("infer", "begin", h->begin);
  overwrite("infer", "obs", h->obs);
  overwrite("infer", "action_index", h->action_index + hn_at(h, -1, 0));
  for (int64_t t = 0; t <= h->steps; t++)
    for (int64_t i = 0; i < h->rows; i++) {
      Seen *s = (Seen *)q->state + i;
      if (h->begin[hn_at(h, t, i)] != HN_NEW_TASK) s->steps++;
      float *belief = q->belief + 2 * (t * h->rows + i);
      belief[0] = belief[1] = (float)s->steps;
      spoil("infer", "belief", i, s->steps, &belief[1]);
      if (q->info) q->info[t * h->rows + i] = is_faulty("step", "early") ? 1 : NAN;
      if (q->info) spoil("infer", "info", i, s->steps, &q->info[t * h->rows + i]);
    }
  return HN_OK;
}

static HnStatus relabel(void *self, const HnHistory *h, void *state, HnRng *rng, float *reward) {
  (void)self, (void)state, (void)rng;
  overwrite("relabel", "terminated", h->terminated);
  if (is_faulty("relabel", "reward")) reward[fault.row] = (float)fault.value;
  return HN_OK;
}

static HnStatus learn_belief(void *self, const HnTrainBatch *l) {
  (void)self;
  overwrite("inference learn", "true_reward", l->phase[0]->true_reward);
  return HN_OK;
}

static HnStatus map(void *self, const float *belief, float *out) {
  (void)self, (void)belief;
  out[0] = out[1] = 0.5F;
  if (is_faulty("map", "map")) out[1] = (float)fault.value;
  return HN_OK;
}

static const HnInference inference_methods = {sizeof(HnInference),   .create = create_belief,
                                              .infer = infer,        .relabel = relabel,
                                              .learn = learn_belief, .map = map};
static const HnColumn believer_info[] = {{"guess", "", "Something.", HN_SUM},
                                         {NULL, NULL, NULL, 0}};
HN_PLUGIN(believer, HN_KIND_INFERENCE, char, &inference_methods, .summary = "Counts.",
          .version = "1", .info = believer_info);

/* ---- a policy, which learns nothing but looks at what it is to learn from ---- */

static HnStatus create_policy(void *self, const HnHost *host, const void *params,
                              HnPolicySpec *spec) {
  (void)self, (void)host, (void)params;
  spec->row_size = sizeof(Seen);
  return HN_OK;
}

static HnStatus act(void *self, HnActBatch *a) {
  (void)self;
  for (int64_t i = 0; i < a->rows; i++) {
    Seen *s = (Seen *)a->state + i; /* zeroed at a new task */
    a->action_index[i] = (int32_t)(s->steps % ACTIONS);
    if (is_faulty("act", "action_index") && i == fault.row && s->steps == fault.step)
      a->action_index[i] = (int32_t)fault.value;
    if (a->info) a->info[i] = 1;
    if (a->info) spoil("act", "info", i, s->steps, &a->info[i]);
    s->steps++;
  }
  overwrite("act", "obs", a->obs), overwrite("act", "belief", a->belief);
  overwrite("act", "episode_step", a->episode_step), overwrite("act", "trial_step", a->trial_step);
  return HN_OK;
}

/* Long enough to be seen holding all of it. */
static void read_slowly(const HnHistory *h) {
  double sum = 0;
  for (int64_t k = 0; k < 2 * h->steps * h->rows; k++)
    sum += (double)(h->obs[k] + h->next_obs[k] + h->belief[k]);
  g_assert_cmpfloat(sum, >, 0);
  g_usleep(G_USEC_PER_SEC / 5);
}

static HnStatus learn(void *self, const HnTrainBatch *l) {
  (void)self;
  static const int64_t all[ROWS] = {0, 1, 2, 3, 4};
  const HnHistory *h = l->phase[0], *gathered = l->rows(l, 0, ROWS, all);
  if (is_faulty("step", "early")) return HN_OK;
  for (int64_t t = 0; t < h->steps; t++) /* windows are whole trials */
    for (int64_t i = 0; i < h->rows; i++) {
      g_assert_cmpint(h->action_index[hn_at(h, t, i)], ==, t % ACTIONS);
      g_assert_cmpfloat(h->true_reward[hn_at(h, t, i)], ==, 1 + t % ACTIONS);
    }
  if (is_faulty("learn", "slowly")) read_slowly(h), read_slowly(gathered);
  overwrite("learn", "true_reward", h->true_reward), overwrite("learn", "rows", gathered->reward);
  return HN_OK;
}

static const HnPolicy policy_methods = {sizeof(HnPolicy), .create = create_policy, .act = act,
                                        .learn = learn};
static const HnColumn player_info[] = {{"mood", "", "Something.", HN_SUM}, {NULL, NULL, NULL, 0}};
HN_PLUGIN(player, HN_KIND_POLICY, char, &policy_methods, .summary = "Plays in turn.",
          .version = "1", .info = player_info);

/* ---- cells ---- */

static HnCell honest_cell(void) {
  HnCell c = cell_of_parts(part_of(&world_LTX_hn_plugin, ""), part_of(&believer_LTX_hn_plugin, ""),
                           part_of(&player_LTX_hn_plugin, ""));
  c.run.rows = ROWS, c.run.steps = EPISODES * HORIZON, c.run.episodes = EPISODES;
  c.run.frames = 2 * ROWS * EPISODES * HORIZON;
  c.evaluation.tasks = ROWS, c.evaluation.every = 1;
  return c;
}

static void set_fault(const char *call, const char *what, int64_t row, int64_t at, double value) {
  fault.call = call, fault.what = what, fault.row = row, fault.step = at, fault.value = value;
  reward_before = obs_before = NULL;
}

/* The reason that a cell fails with; free with g_free. */
static char *failure_of(const HnCell *c) {
  char *dir = folder_new();
  g_autoptr(GError) error = NULL;
  g_assert_false(hn_run_cell(c, dir, NULL, NULL, NULL, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_NUMERIC);
  folder_free(dir);
  return g_strdup(error->message);
}

static void assert_returns(const HnCell *c) {
  char *dir = folder_new();
  run_whole(c, dir);
  double *train = metrics_column(dir, "train.return"), *eval = metrics_column(dir, "eval.return");
  for (int k = 0; k < 2; k++) {
    g_assert_cmpfloat(train[k], ==, RETURN);
    g_assert_cmpfloat(eval[k], ==, RETURN);
  }
  g_free(train), g_free(eval), folder_free(dir);
}

/* ---- numbers that are none ---- */

static void test_outputs(void) {
  static const struct {
    const char *call, *what;
    int64_t row, step;
    double value;
    const char *says;
  } table[] = {
      {"reset", "observation", 3, 0, (double)NAN,
       "env world, reset: observation 1 of row 3 is nan at step 0 of its trial"},
      {"reset", "observation", 4, HORIZON, -(double)INFINITY,
       "env world, reset: observation 1 of row 4 is -inf at step 9 of its trial"},
      {"reset", "task", 0, 0, (double)INFINITY,
       "env world, reset: task of row 0 is inf at step 0 of its trial"},
      {"step", "observation", 3, 17, -(double)NAN,
       "env world, step: observation 1 of row 3 is nan at step 17 of its trial"},
      {"step", "reward", 2, 4, (double)INFINITY,
       "env world, step: reward of row 2 is inf at step 4 of its trial"},
      {"step", "info", 1, 2, -(double)INFINITY,
       "env world, step: info note of row 1 is -inf at step 2 of its trial"},
      {"step", "terminated", 4, 5, 2,
       "env world, step: terminated of row 4 is 2, not 0 or 1, at step 5 of its trial"},
      {"step", "truncated", 0, 1, 255,
       "env world, step: truncated of row 0 is 255, not 0 or 1, at step 1 of its trial"},
      {"infer", "belief", 1, 7, (double)NAN,
       "inference believer, infer: belief 1 of row 1 is nan at step 7 of its trial"},
      {"infer", "info", 0, 3, (double)INFINITY,
       "inference believer, infer: info guess of row 0 is inf at step 3 of its trial"},
      {"relabel", "reward", 2, 0, (double)NAN,
       "inference believer, relabel: reward of row 2 is nan at step 1 of its trial"},
      {"map", "map", 0, 0, (double)NAN,
       "inference believer, map: map 1 of row 0 is nan at step 0 of its trial"},
      {"act", "action_index", 2, 6, ACTIONS,
       "policy player, act: action_index of row 2 is 3, not 0 .. 2, at step 6 of its trial"},
      {"act", "action_index", 2, 0, -1,
       "policy player, act: action_index of row 2 is -1, not 0 .. 2, at step 0 of its trial"},
      {"act", "info", 4, 1, (double)INFINITY,
       "policy player, act: info mood of row 4 is inf at step 1 of its trial"},
  };
  HnCell c = honest_cell();
  for (guint k = 0; k < G_N_ELEMENTS(table); k++) {
    set_fault(table[k].call, table[k].what, table[k].row, table[k].step, table[k].value);
    g_autofree char *why = failure_of(&c);
    g_assert_true(g_str_has_prefix(why, table[k].says));
  }
  set_fault(NULL, NULL, 0, 0, 0);
  assert_returns(&c); /* and NaN in info says nothing */
  cell_clear(&c);
}

/* ---- gradients through beliefs, of toys that learn together ---- */

static HnStatus forward(void *self, HnBeliefUpdate *q) {
  const HnInference *toy = toy_memory_LTX_hn_plugin.methods;
  const HnStatus status = toy->forward(self, q);
  const int64_t D = 3, row = 1, t = 4;
  if (is_faulty("forward", "belief")) q->belief[(t * q->history->rows + row) * D + 2] = NAN;
  return status;
}

static HnStatus (*host_backward)(const HnTrainBatch *l, const float *d_belief, double *norm2);

static HnStatus backward_nothing(const HnTrainBatch *l, const float *d_belief, double *norm2) {
  float *d = (float *)(guintptr)d_belief; /* the policy's own */
  d[0] = INFINITY;
  return host_backward(l, d, norm2);
}

static HnStatus learn_nothing(void *self, const HnTrainBatch *l) {
  const HnPolicy *toy = toy_policy_LTX_hn_plugin.methods;
  HnTrainBatch other = *l;
  host_backward = l->backward;
  if (is_faulty("learn", "gradient")) other.backward = backward_nothing;
  return toy->learn(self, &other);
}

/* The first to give what is no number is named, not whose weights go bad by it. */
static void test_gradients(void) {
  HnInference memory = *(const HnInference *)toy_memory_LTX_hn_plugin.methods;
  HnPolicy policy = *(const HnPolicy *)toy_policy_LTX_hn_plugin.methods;
  HnPlugin plugin[] = {toy_memory_LTX_hn_plugin, toy_policy_LTX_hn_plugin};
  memory.forward = forward, plugin[0].methods = &memory;
  policy.learn = learn_nothing, plugin[1].methods = &policy;
  HnCell c = cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(&plugin[0], ""),
                           part_of(&plugin[1], ""));
  set_fault("forward", "belief", 0, 0, 0);
  g_autofree char *belief = failure_of(&c);
  g_assert_true(g_str_has_prefix(belief, "inference toy_memory, forward: belief 2 of row 1 is nan "
                                         "at time 4 of its window"));
  set_fault("learn", "gradient", 0, 0, 0);
  g_autofree char *gradient = failure_of(&c);
  g_assert_true(g_str_has_prefix(gradient, "policy toy_policy, learn: gradient of the loss by "
                                           "belief 0 of row 0 is inf at time 0 of its window"));
  cell_clear(&c);
}

/* ---- writing to what is lent ---- */

/* Runs a cell under guard in a process of its own: what it and its guard say, and how it ended, as
 * waitpid tells. */
static char *run_guarded(const HnCell *c, int *status) {
  char *dir = folder_new(), *log = g_build_filename(dir, "said", NULL), *text = NULL;
  static volatile int stop;
  const pid_t child = fork();
  if (child == 0) {
    hn_call_forked = 0; /* on purpose, not by a plugin */
    const int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0666);
    dup2(fd, STDERR_FILENO);
    hn_guard_start(c, fd, &stop);
    _exit(!hn_run_cell(c, dir, NULL, NULL, NULL, NULL));
  }
  waitpid(child, status, 0);
  g_assert_true(g_file_get_contents(log, &text, NULL, NULL));
  g_free(log), folder_free(dir);
  return text;
}

static void test_lent(void) {
#ifdef __SANITIZE_ADDRESS__
  g_test_skip("the sanitizer takes the fault before the guard sees it");
  return;
#endif
  static const struct {
    const char *call, *what, *says;
  } table[] = {
      {"reset", "begin", "in env world, reset,"},
      {"infer", "true_reward", "in inference believer, infer,"},
      {"infer", "begin", "in inference believer, infer,"},
      {"infer", "obs", "in inference believer, infer,"},
      {"infer", "action_index", "in inference believer, infer,"},
      {"relabel", "terminated", "in inference believer, relabel,"},
      {"inference learn", "true_reward", "in inference believer, learn,"},
      {"act", "obs", "in policy player, act,"},
      {"act", "belief", "in policy player, act,"},
      {"learn", "true_reward", "in policy player, learn,"},
      {"learn", "rows", "in policy player, learn,"},
  };
  HnCell c = honest_cell();
  for (guint k = 0; k < G_N_ELEMENTS(table); k++) {
    int status;
    set_fault(table[k].call, table[k].what, 0, 0, 0);
    g_autofree char *said = run_guarded(&c, &status);
    g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    g_assert_nonnull(strstr(said, table[k].says));
    g_assert_nonnull(strstr(said, "writes to an array that is lent only to be read"));
  }
  cell_clear(&c);
}

/* What is lent as a copy may be written to, and nothing comes of it; nor of a reward or observation
 * that is written after its step, nor of what reset writes for rows that go on. */
static void test_copies(void) {
  static const char *const table[][2] = {{"step", "action_index"},
                                         {"act", "episode_step"},
                                         {"act", "trial_step"},
                                         {"step", "later"},
                                         {"reset", "kept"}};
  HnCell c = honest_cell();
  for (guint k = 0; k < G_N_ELEMENTS(table); k++) {
    set_fault(table[k][0], table[k][1], 0, 0, 0);
    assert_returns(&c);
  }
  cell_clear(&c);
}

/* ---- rows that go on after their trial ---- */

/* Row i's episodes end after i + 1 steps, so that its trial has 2 (i + 1): what it does in the rest
 * of the 18 steps that every row takes counts nowhere. */
static void test_after_the_trial(void) {
  HnCell c = honest_cell();
  char *dir = folder_new();
  set_fault("step", "early", -1, 0, 0);
  c.evaluation.every = 0, c.evaluation.record_rows = ROWS;
  run_whole(&c, dir);
  Rows steps = rows_read(dir, "steps.csv"), trial = rows_read(dir, "trial.csv");
  double all = 0;
  for (int64_t o = 1; o <= EPISODES * HORIZON; o++) { /* observations */
    int64_t left = 0, sum = 0;
    for (int64_t i = 0; i < ROWS; i++)
      if (2 * (i + 1) >= o) left++, sum += i;
    const double reward = (double)(left * (1 + (o - 1) % ACTIONS)) / ROWS;
    all += reward;
    g_assert_cmpfloat(rows_at(&steps, o, "reward"), ==, reward);
    if (left) g_assert_cmpfloat(rows_at(&steps, o, "note"), ==, (double)sum / (double)left);
    if (!left) g_assert_true(isnan(rows_at(&steps, o, "note")));
    if (!left) g_assert_true(isnan(rows_at(&steps, o, "guess")));
  }
  double *returns[] = {metrics_column(dir, "eval.return_1"), metrics_column(dir, "eval.return_2")};
  double *guess = metrics_column(dir, "eval.guess"), *mood = metrics_column(dir, "eval.mood");
  g_assert_cmpfloat_with_epsilon(returns[0][0] + returns[1][0], all, 1e-12);
  g_assert_cmpfloat(guess[0], ==, 7); /* observations: 3, 5, 7, 9, 11 */
  g_assert_cmpfloat(mood[0], ==, 6);  /* steps: 2, 4, 6, 8, 10 */
  g_assert_cmpint(trial.count, ==, 3 + 5 + 7 + 9 + 11);
  for (int64_t k = 0, i = 0; i < ROWS; k += 2 * (i + 1) + 1, i++) { /* the last of row i */
    g_assert_cmpfloat(rows_at(&trial, k + 2 * (i + 1), "step"), ==, (double)(2 * (i + 1)));
    g_assert_cmpstr(rows_text(&trial, k + 2 * (i + 1), "reward"), ==, "");
  }
  g_free(returns[0]), g_free(returns[1]), g_free(guess), g_free(mood);
  rows_clear(&steps), rows_clear(&trial), folder_free(dir), cell_clear(&c);
}

/* Windows of 94 MB have two addresses, but are held once: 130 MB in all, not 185. */
static void test_memory(void) {
#ifdef __SANITIZE_ADDRESS__
  g_test_skip("the sanitizer's own memory counts too");
  return;
#endif
  HnCell c = honest_cell();
  c.run.steps = 12000 * EPISODES * HORIZON, c.run.frames = 1, c.run.memory = 0.15;
  int status;
  set_fault("learn", "slowly", 0, 0, 0);
  g_autofree char *said = run_guarded(&c, &status);
  g_assert_cmpstr(said, ==, "");
  g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/scores/outputs", test_outputs);
  g_test_add_func("/scores/gradients", test_gradients);
  g_test_add_func("/scores/lent", test_lent);
  g_test_add_func("/scores/copies", test_copies);
  g_test_add_func("/scores/after-the-trial", test_after_the_trial);
  g_test_add_func("/scores/memory", test_memory);
  return g_test_run();
}

/* act_batch_test.c - what the host tells a policy that acts, what it lets through to the
 * environment, and what windows hold before their first step: a policy and an environment that
 * check it themselves. */
#include "cell_fixture.h"
#include "rollout.h"
#include "session.h"

enum { ROWS = 5, STEPS = 7, OWN_LIMIT = 5, HORIZON = 9, EPISODES = 3, TERMINAL = 3 };

#define NO_PARAMS(X)
HN_PARAMS(NO_PARAMS);

/* ---- an environment that limits its own episodes, and ends some of them ---- */

typedef struct Clock {
  int64_t episode, step, id; /* id: numbers observations through the whole trial */
} Clock;

static HnStatus create_env(void *self, const HnHost *host, const void *params, HnEnvSpec *spec) {
  (void)self, (void)host, (void)params;
  spec->obs_dim = 1, spec->action_dim = 2, spec->task_dim = 1, spec->horizon = HORIZON;
  spec->row_size = sizeof(Clock);
  return HN_OK;
}

static HnStatus reset(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    Clock *row = (Clock *)b->state + i;
    if (b->begin[i] == HN_KEEP) continue;
    if (b->begin[i] == HN_NEW_EPISODE) row->episode++;
    row->step = 0, b->task[i] = 1, b->obs[i] = (float)++row->id;
  }
  return HN_OK;
}

/* Episode 1 ends in a terminal state, the others by the environment's own limit. */
static HnStatus step(void *self, HnEnvBatch *b) {
  (void)self;
  for (int64_t i = 0; i < b->rows; i++) {
    Clock *row = (Clock *)b->state + i;
    b->obs[i] = (float)++row->id;
    b->reward[i] = b->action[2 * i] + 10 * b->action[2 * i + 1];
    row->step++;
    b->terminated[i] = row->episode == 1 && row->step == TERMINAL;
    b->truncated[i] = row->step == OWN_LIMIT;
  }
  return HN_OK;
}

static const HnEnv env_methods = {sizeof(HnEnv), .create = create_env, .reset = reset,
                                  .step = step};
HN_PLUGIN(clock, HN_KIND_ENV, char, &env_methods, .summary = "Counts.", .version = "1");

/* ---- a belief of nothing ---- */

static HnStatus create_belief(void *self, const HnHost *host, const void *params,
                              HnBeliefSpec *spec) {
  (void)self, (void)host, (void)params, (void)spec;
  return HN_OK;
}
static HnStatus infer(void *self, HnBeliefUpdate *q) {
  return (void)self, (void)q, HN_OK;
}
static const HnInference inference_methods = {sizeof(HnInference), .create = create_belief,
                                              .infer = infer};
HN_PLUGIN(nothing, HN_KIND_INFERENCE, char, &inference_methods, .summary = "None.", .version = "1");

/* ---- a policy that keeps its own books ---- */

typedef struct Books {
  int64_t episode_step, trial_step;
  float reward; /* that its last action must have brought */
  bool acted;
} Books;

static HnPolicySpec told; /* what create was told */

static HnStatus create_policy(void *self, const HnHost *host, const void *params,
                              HnPolicySpec *spec) {
  (void)self, (void)host, (void)params;
  told = *spec;
  spec->row_size = sizeof(Books);
  return HN_OK;
}

static float clip(float x) {
  return x < -1 ? -1 : x > 1 ? 1 : x;
}

static HnStatus act(void *self, HnActBatch *a) {
  (void)self;
  for (int64_t i = 0; i < a->rows; i++) {
    Books *row = (Books *)a->state + i; /* zeroed at a new task */
    g_assert_cmpint(a->begin[i] == HN_NEW_TASK, ==, !row->acted);
    if (a->begin[i] != HN_KEEP) row->episode_step = 0;
    g_assert_cmpint(a->episode_step[i], ==, row->episode_step);
    g_assert_cmpint(a->trial_step[i], ==, row->trial_step);
    if (row->acted) g_assert_cmpfloat(a->reward[i], ==, row->reward);
    float *action = a->action + 2 * i;
    action[0] = (float)(row->trial_step % 5) - 2, action[1] = 0.25f * (float)row->episode_step;
    row->reward = clip(action[0]) + 10 * clip(action[1]);
    row->episode_step++, row->trial_step++, row->acted = true;
  }
  return HN_OK;
}

static const HnPolicy policy_methods = {sizeof(HnPolicy), .create = create_policy, .act = act};
HN_PLUGIN(books, HN_KIND_POLICY, char, &policy_methods, .summary = "Counts too.", .version = "1");

static HnSession *session_of(HnCell *c) {
  GError *error = NULL;
  *c = cell_of_parts(part_of(&clock_LTX_hn_plugin, ""), part_of(&nothing_LTX_hn_plugin, ""),
                     part_of(&books_LTX_hn_plugin, ""));
  c->run.rows = ROWS, c->run.steps = STEPS, c->run.episodes = EPISODES;
  HnSession *s = hn_session_new(c, NULL, &error);
  g_assert_no_error(error);
  return s;
}

static void test_spec(void) {
  HnCell c;
  HnSession *s = session_of(&c);
  g_assert_cmpint(told.horizon, ==, HORIZON);
  g_assert_cmpint(told.lifetime, ==, EPISODES * HORIZON);
  g_assert_cmpint(told.task_dim, ==, 0); /* not privileged */
  hn_session_free(s), cell_clear(&c);
}

/* Trials of 5 + 3 + 5 steps; windows of 7 cut them anywhere. */
static void test_windows(void) {
  static const int64_t ends[] = {OWN_LIMIT, OWN_LIMIT + TERMINAL, 2 * OWN_LIMIT + TERMINAL};
  HnCell c;
  HnSession *s = session_of(&c);
  float last[ROWS] = {0}; /* the observation before the window's first */
  int64_t trial_step = 0;
  for (int k = 0; k < 6; k++) {
    g_assert_cmpint(hn_rollouts_collect(s, &s->rollouts, s->phase, 1), ==, HN_OK);
    const HnHistory *h = &s->phase[0].h;
    for (int64_t i = 0; k && i < ROWS; i++) g_assert_cmpfloat(h->obs[hn_at(h, -1, i)], ==, last[i]);
    for (int64_t t = 0; t < STEPS; t++) {
      const float chosen = (float)(trial_step % 5) - 2;
      trial_step++;
      for (int64_t i = 0; i < ROWS; i++) {
        const int64_t at = hn_at(h, t, i);
        g_assert_cmpfloat(h->action[2 * at], ==, chosen); /* unclipped */
        g_assert_cmpfloat(h->reward[at], ==, clip(chosen) + 10 * clip(h->action[2 * at + 1]));
        g_assert_cmpint(h->terminated[at], ==, trial_step == ends[1]);
        g_assert_cmpint(h->truncated[at], ==, trial_step == ends[0] || trial_step == ends[2]);
        last[i] = h->obs[hn_at(h, STEPS - 1, i)];
      }
      if (trial_step == ends[2]) trial_step = 0;
    }
  }
  hn_session_free(s), cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/act-batch/spec", test_spec);
  g_test_add_func("/act-batch/windows", test_windows);
  return g_test_run();
}

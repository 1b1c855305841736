/* trial_replay_test.c - the replay buffer against the experience that was put into it. */
#include "../../plugins/common/trial_replay.h"
#include "fake_host.h"
#include <glib.h>

enum { ROWS = 3, STEPS = 120, LONGEST = 9, OBS = 2, ACT = 3, TASK = 2, BELIEF = 4, BUFFER = 7 };

/* ---- experience made up here ---- */

/* Every number is different, so that a step is recognised by any of them, but that a step leads to
 * the next one's observation, unless an episode ends. */
typedef struct Experience {
  uint8_t begin[STEPS + 1][ROWS], terminated[STEPS][ROWS], truncated[STEPS][ROWS];
  float obs[STEPS + 1][ROWS][OBS], next_obs[STEPS][ROWS][OBS], action[STEPS][ROWS][ACT];
  float reward[STEPS][ROWS], task[STEPS + 1][ROWS][TASK], belief[STEPS + 1][ROWS][BELIEF];
  int32_t action_index[STEPS][ROWS];
} Experience;

/* Trials of 4 to LONGEST steps, of two episodes each, the first of which ends in a terminal state.
 */
static void live_row(Experience *x, int row) {
  HnRng rng = hn_rng(1, (uint64_t)row);
  int left = 0, half = 0;
  for (int t = 0; t <= STEPS; t++) {
    x->begin[t][row] = !left ? HN_NEW_TASK : left == half ? HN_NEW_EPISODE : HN_KEEP;
    if (!left) left = 4 + (int)hn_rng_below(&rng, LONGEST - 3), half = left / 2;
    left--;
    float number = (float)(1 + t * ROWS + row);
    for (int j = 0; j < OBS; j++) x->obs[t][row][j] = number + 0.1f * (float)j;
    for (int j = 0; j < TASK; j++) x->task[t][row][j] = number;
    for (int j = 0; j < BELIEF; j++) x->belief[t][row][j] = 5000 + number + 0.1f * (float)j;
    if (x->begin[t][row] != HN_NEW_TASK) memcpy(x->task[t][row], x->task[t - 1][row], 4 * TASK);
    if (t == STEPS) break;
    x->action_index[t][row] = (int32_t)hn_rng_below(&rng, ACT);
    x->terminated[t][row] = left == half, x->truncated[t][row] = left == 0;
    x->reward[t][row] = -number;
    for (int j = 0; j < OBS; j++)
      x->next_obs[t][row][j] = number + 0.1f * (float)j + (left == half || left == 0 ? 1000 : ROWS);
    for (int j = 0; j < ACT; j++) x->action[t][row][j] = 2000 + number + 0.1f * (float)j;
  }
}

static Experience *experience_new(void) {
  Experience *x = g_new0(Experience, 1);
  for (int i = 0; i < ROWS; i++) live_row(x, i);
  return x;
}

static HnHistory window(const Experience *x, int from, int steps) {
  return (HnHistory){.struct_size = sizeof(HnHistory),
                     .steps = steps,
                     .rows = ROWS,
                     .stride = ROWS,
                     .begin = x->begin[from],
                     .obs = x->obs[from][0],
                     .action = x->action[from][0],
                     .action_index = x->action_index[from],
                     .reward = x->reward[from],
                     .next_obs = x->next_obs[from][0],
                     .terminated = x->terminated[from],
                     .truncated = x->truncated[from],
                     .task = x->task[from][0],
                     .belief = x->belief[from][0]};
}

static const HnTrialReplayShape everything = {.buffer = BUFFER,
                                              .rows = ROWS,
                                              .length = LONGEST,
                                              .episodes = 2,
                                              .obs_dim = OBS,
                                              .next_obs_dim = OBS,
                                              .action_dim = ACT,
                                              .task_dim = TASK,
                                              .belief_dim = BELIEF};

/* A replay that was given all of x in windows of so many steps. */
static HnTrialReplay replay_of(FakeHost *f, const Experience *x, HnTrialReplayShape shape,
                               int steps) {
  HnTrialReplay r = {0};
  hn_trial_replay_create(&r, fake_host_open(f), &shape);
  for (int t = 0; t < STEPS; t += steps) {
    HnHistory h = window(x, t, MIN(steps, STEPS - t));
    g_assert_cmpint(hn_trial_replay_append(&r, &h), ==, HN_OK);
  }
  return r;
}

/* A finished trial of x: its row and steps from .. from + length - 1. */
typedef struct Trial {
  int row, from, length;
} Trial;

/* All of them, in the order in which windows of `steps` steps hand them in. */
static int trials_of(const Experience *x, int steps, Trial *trial) {
  int count = 0;
  for (int at = 0; at < STEPS; at += steps)
    for (int i = 0; i < ROWS; i++)
      for (int t = at + 1; t <= MIN(at + steps, STEPS); t++) {
        int from = t - 1;
        if (x->begin[t][i] != HN_NEW_TASK) continue;
        while (x->begin[from][i] != HN_NEW_TASK) from--;
        trial[count++] = (Trial){i, from, t - from};
      }
  return count;
}

static void assert_step(const HnTrialReplay *r, int64_t at, const Experience *x, int t, int row) {
  g_assert_cmpmem(r->obs + at * OBS, 4 * OBS, x->obs[t][row], 4 * OBS);
  const int64_t slot = at / LONGEST, step = at % LONGEST;
  g_assert_cmpmem(hn_trial_replay_next_obs(r, slot, step), 4 * OBS, x->next_obs[t][row], 4 * OBS);
  g_assert_cmpmem(r->action + at * ACT, 4 * ACT, x->action[t][row], 4 * ACT);
  g_assert_cmpmem(r->belief + at * BELIEF, 4 * BELIEF, x->belief[t][row], 4 * BELIEF);
  g_assert_true(r->reward[at] == x->reward[t][row]);
  g_assert_cmpint(r->ended[at], ==, x->begin[t + 1][row] != HN_KEEP);
  g_assert_cmpint(r->terminated[at], ==, x->terminated[t][row]);
}

/* ---- writing ---- */

/* Windows of any length leave the newest trials, whole and oldest first. */
static void test_append(void) {
  Experience *x = experience_new();
  for (int steps = 1; steps <= STEPS; steps += 17) {
    FakeHost *f = g_new0(FakeHost, 1);
    Trial trial[STEPS * ROWS];
    int count = trials_of(x, steps, trial);
    HnTrialReplay r = replay_of(f, x, everything, steps);
    g_assert_cmpint(count, >, 3 * BUFFER);
    g_assert_cmpint(hn_trial_replay_count(&r), ==, BUFFER);
    g_assert_cmpint(r.used, ==, BUFFER + ROWS);
    for (int k = 0; k < BUFFER; k++) {
      Trial wanted = trial[count - BUFFER + k];
      int64_t slot = r.finished[(*r.oldest + k) % BUFFER];
      g_assert_cmpint(r.steps[slot], ==, wanted.length);
      g_assert_cmpmem(r.task + slot * TASK, 4 * TASK, x->task[wanted.from][wanted.row], 4 * TASK);
      for (int t = 0; t < wanted.length; t++)
        assert_step(&r, slot * LONGEST + t, x, wanted.from + t, wanted.row);
      for (int n = 1; n <= wanted.length; n++) {
        float next[LONGEST][OBS];
        hn_trial_replay_next_all(&r, slot, n, next[0]);
        for (int t = 0; t < n; t++)
          g_assert_cmpmem(next[t], 4 * OBS, x->next_obs[wanted.from + t][wanted.row], 4 * OBS);
      }
    }
    fake_host_close(f), g_free(f);
  }
  g_free(x);
}

/* What a learner does not want is neither kept nor read. */
static void test_widths(void) {
  Experience *x = experience_new();
  FakeHost *f = g_new0(FakeHost, 1);
  HnTrialReplay r = replay_of(
      f, x, (HnTrialReplayShape){.buffer = BUFFER, .rows = ROWS, .length = LONGEST}, STEPS);
  g_assert_false(r.obs || r.next_obs || r.action || r.task);
  HnHistory h = hn_trial_replay_window(&r, &f->host, 1, r.finished, &r.steps[r.finished[0]]);
  g_assert_false(h.obs || h.next_obs || h.action || h.action_index || h.task);
  fake_host_close(f), g_free(f), g_free(x);
}

/* The memory it takes is what its header says. */
static void test_memory(void) {
  FakeHost *f = g_new0(FakeHost, 1);
  HnTrialReplay r = {0};
  hn_trial_replay_create(&r, fake_host_open(f), &everything);
  static const size_t size[] = {[HN_F32] = 4, [HN_I64] = 8, [HN_U8] = 1};
  size_t bytes = 0;
  for (int64_t k = 0; k < f->array_count; k++)
    bytes += (size_t)f->array[k].count * size[f->array[k].spec.type];
  g_assert_cmpuint(
      bytes, ==,
      (BUFFER + ROWS) * (LONGEST * (4 * (OBS + ACT + BELIEF + 1) + 2) + 4 * (2 * OBS + TASK) + 16) +
          16);
  fake_host_close(f), g_free(f);
}

static void test_refusals(void) {
  Experience *x = experience_new();
  FakeHost *f = g_new0(FakeHost, 1);
  HnTrialReplayShape shape = everything;
  HnHistory h = window(x, 0, STEPS);
  HnTrialReplay r = {0};
  shape.length = LONGEST - 1;
  hn_trial_replay_create(&r, fake_host_open(f), &shape);
  g_assert_cmpint(hn_trial_replay_append(&r, &h), ==, HN_E_SHAPE);
  g_assert_cmpstr(f->error, ==, "a trial is longer than the 8 steps announced");
  fake_host_close(f), g_free(f);
  f = g_new0(FakeHost, 1);
  shape = everything, shape.episodes = 1, r = (HnTrialReplay){0};
  hn_trial_replay_create(&r, fake_host_open(f), &shape);
  g_assert_cmpint(hn_trial_replay_append(&r, &h), ==, HN_E_SHAPE);
  g_assert_cmpstr(f->error, ==, "a trial has more than the 1 episodes announced");
  h.rows = 2;
  g_assert_cmpint(hn_trial_replay_append(&r, &h), ==, HN_E_SHAPE);
  g_assert_cmpstr(f->error, ==, "a window of 2 rows, not 3");
  fake_host_close(f), g_free(f), g_free(x);
}

/* ---- reading ---- */

/* Within 4.5 standard errors (7e-6 by chance) of `share` of n draws. */
static void assert_share(int64_t hits, double share, int64_t n) {
  double error = sqrt(share * (1 - share) * (double)n);
  g_assert_cmpfloat(fabs((double)hits - share * (double)n), <=, 4.5 * error);
}

/* Trials are drawn evenly; different ones are, and leave out those that finished last. */
static void test_draws_trials(void) {
  enum { N = 20000 };
  Experience *x = experience_new();
  FakeHost *f = g_new0(FakeHost, 1);
  HnTrialReplay r = replay_of(f, x, everything, STEPS);
  HnRng rng = hn_rng(1, 1);
  int64_t often[BUFFER + ROWS] = {0}, distinct[BUFFER + ROWS] = {0}, slot[4];
  for (int k = 0; k < N; k++) {
    often[hn_trial_replay_draw(&r, &rng)]++;
    hn_trial_replay_draw_distinct(&r, &rng, 5, 4, slot);
    for (int i = 0; i < 4; i++) {
      distinct[slot[i]]++;
      for (int j = 0; j < i; j++) g_assert_cmpint(slot[i], !=, slot[j]);
    }
  }
  for (int k = 0; k < BUFFER; k++) {
    assert_share(often[r.finished[k]], 1.0 / BUFFER, N);
    assert_share(distinct[r.finished[k]], k < 5 ? 0.8 : 0, N);
  }
  fake_host_close(f), g_free(f), g_free(x);
}

/* Transitions are drawn evenly over all steps of trials of different lengths. */
static void test_draws_transitions(void) {
  enum { N = 40000 };
  Experience *x = experience_new();
  FakeHost *f = g_new0(FakeHost, 1);
  HnTrialReplay r = replay_of(f, x, everything, STEPS);
  HnRng rng = hn_rng(1, 2);
  int64_t often[BUFFER + ROWS][LONGEST] = {{0}}, steps = 0, longest = 0, shortest = LONGEST;
  for (int k = 0; k < N; k++) {
    HnTransition d = hn_trial_replay_draw_transition(&r, &rng);
    often[d.slot][d.step]++;
  }
  for (int k = 0; k < BUFFER; k++) {
    int64_t n = r.steps[r.finished[k]];
    steps += n, longest = MAX(longest, n), shortest = MIN(shortest, n);
  }
  g_assert_cmpint(longest, >, shortest);
  for (int k = 0; k < BUFFER; k++)
    for (int t = 0; t < LONGEST; t++) {
      int64_t slot = r.finished[k];
      assert_share(often[slot][t], t < r.steps[slot] ? 1 / (double)steps : 0, N);
    }
  fake_host_close(f), g_free(f), g_free(x);
}

/* The context of a step is its trial up to there, as it was lived, and what came next. */
static void check_window(const HnHistory *h, int64_t row, int steps, bool discrete,
                         const Experience *x, Trial trial) {
  for (int t = 0; t <= h->steps; t++) {
    int64_t at = hn_at(h, t, row);
    int from = trial.from + t, end = steps == trial.length ? steps : -1;
    static const float zeros[ACT] = {0};
    bool in = t < steps, reached = t <= steps;
    uint8_t begin = t == end ? HN_NEW_EPISODE : x->begin[from][trial.row];
    const float *obs = t == end ? x->next_obs[from - 1][trial.row] : x->obs[from][trial.row];
    g_assert_cmpint(h->begin[at], ==, reached ? begin : HN_KEEP);
    g_assert_cmpmem(h->obs + at * OBS, 4 * OBS, reached ? obs : zeros, 4 * OBS);
    g_assert_cmpmem(h->task + at * TASK, 4 * TASK, reached ? x->task[trial.from][trial.row] : zeros,
                    4 * TASK);
    if (t == h->steps) break;
    g_assert_true(h->reward[at] == (in ? x->reward[from][trial.row] : 0));
    g_assert_cmpmem(h->next_obs + at * OBS, 4 * OBS, in ? x->next_obs[from][trial.row] : zeros,
                    4 * OBS);
    g_assert_cmpint(h->terminated[at], ==, in && x->terminated[from][trial.row]);
    g_assert_cmpint(h->truncated[at], ==, in && x->truncated[from][trial.row]);
    g_assert_true(discrete == !h->action && discrete == !!h->action_index);
    if (discrete)
      g_assert_cmpint(h->action_index[at], ==, in ? x->action_index[from][trial.row] : 0);
    else
      g_assert_cmpmem(h->action + at * ACT, 4 * ACT, in ? x->action[from][trial.row] : zeros,
                      4 * ACT);
  }
}

static void test_window(void) {
  Experience *x = experience_new();
  for (int discrete = 0; discrete < 2; discrete++) {
    FakeHost *f = g_new0(FakeHost, 1);
    HnTrialReplayShape shape = everything;
    shape.discrete = discrete, shape.buffer = STEPS * ROWS;
    HnTrialReplay r = replay_of(f, x, shape, STEPS);
    Trial trial[STEPS * ROWS];
    int count = trials_of(x, STEPS, trial);
    for (int k = 0; k + 1 < count; k++)
      for (int steps = 0; steps <= trial[k].length; steps++) {
        const int64_t slot[2] = {r.finished[k], r.finished[k + 1]}, upto[2] = {steps, 3};
        HnHistory h = hn_trial_replay_window(&r, &f->host, 2, slot, upto);
        g_assert_cmpint(h.steps, ==, MAX(steps, 3));
        g_assert_cmpint(h.rows, ==, 2);
        check_window(&h, 0, steps, discrete, x, trial[k]);
        check_window(&h, 1, 3, discrete, x, trial[k + 1]);
        fake_host_reset(f, (FakeMark){0});
      }
    fake_host_close(f), g_free(f);
  }
  g_free(x);
}

/* Chosen steps as episodes of their own, in the order chosen. */
static void test_context(void) {
  Experience *x = experience_new();
  FakeHost *f = g_new0(FakeHost, 1);
  HnTrialReplay r = replay_of(f, x, everything, STEPS);
  const int64_t slot[2] = {r.finished[1], r.finished[4]};
  const int64_t pick[3 * 2] = {2, 0, 0, 3, 2, 1};
  HnHistory h = hn_trial_replay_context(&r, &f->host, 2, slot, 3, pick);
  g_assert_true(h.steps == 3 && h.rows == 2 && h.stride == 2 && !h.action_index && !h.state);
  for (int k = 0; k < 8; k++) g_assert_cmpint(h.begin[k], ==, k < 2 ? HN_NEW_TASK : HN_NEW_EPISODE);
  for (int k = 0; k < 6; k++) {
    const int64_t from = slot[k % 2], at = from * LONGEST + pick[k];
    const float *next = hn_trial_replay_next_obs(&r, from, pick[k]);
    g_assert_cmpmem(h.obs + k * OBS, 4 * OBS, r.obs + at * OBS, 4 * OBS);
    g_assert_cmpmem(h.next_obs + k * OBS, 4 * OBS, next, 4 * OBS);
    g_assert_cmpmem(h.action + k * ACT, 4 * ACT, r.action + at * ACT, 4 * ACT);
    g_assert_cmpmem(h.task + k * TASK, 4 * TASK, r.task + from * TASK, 4 * TASK);
    g_assert_true(h.reward[k] == r.reward[at] && h.true_reward[k] == r.reward[at]);
    g_assert_cmpint(h.terminated[k], ==, r.terminated[at]);
    g_assert_cmpint(h.truncated[k], ==, !r.terminated[at]);
  }
  g_assert_cmpmem(h.obs + 6 * OBS, 4 * 2 * OBS, h.next_obs + 4 * OBS, 4 * 2 * OBS);
  g_assert_cmpmem(h.task + 6 * TASK, 4 * TASK, r.task + slot[0] * TASK, 4 * TASK);
  fake_host_close(f), g_free(f), g_free(x);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/trial_replay/append", test_append);
  g_test_add_func("/trial_replay/widths", test_widths);
  g_test_add_func("/trial_replay/memory", test_memory);
  g_test_add_func("/trial_replay/refusals", test_refusals);
  g_test_add_func("/trial_replay/draws/trials", test_draws_trials);
  g_test_add_func("/trial_replay/draws/transitions", test_draws_transitions);
  g_test_add_func("/trial_replay/window", test_window);
  g_test_add_func("/trial_replay/context", test_context);
  return g_test_run();
}

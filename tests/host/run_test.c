/* run_test.c - the run loop's promises: bits independent of workers, of evaluation and of being
 * killed; lives replayed; failures kept with their reason. */
#include "../fakes/toy.h"
#include "call_record.h"
#include "cell_fixture.h"
#include "checkpoint.h"
#include "error.h"
#include "json.h"
#include "learn.h"
#include "machine.h"
#include "memory_budget.h"
#include "run_dir.h"
#include "run_json.h"
#include <glib/gstdio.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- cells and folders ---- */

static HnCell cell_of(const HnPlugin *inference, const HnPlugin *policy) {
  return cell_of_parts(part_of(&toy_env_LTX_hn_plugin, ""), part_of(inference, ""),
                       part_of(policy, ""));
}

/* Every family the loop serves. */
static const struct {
  const char *name;
  const HnPlugin *inference, *policy;
  int64_t samples;
  bool stop;
  int64_t trial_steps;
} family[] = {
    {"filter", &toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin, 0, false, 0},
    {"memory", &toy_memory_LTX_hn_plugin, &toy_policy_LTX_hn_plugin, 0, false, 0},
    {"stopped", &toy_memory_LTX_hn_plugin, &toy_policy_LTX_hn_plugin, 0, true, 0},
    {"samples", &toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin, 3, false, 0},
    {"oracle", &toy_oracle_LTX_hn_plugin, &toy_policy_LTX_hn_plugin, 0, false, 0},
    {"adapter", &toy_filter_LTX_hn_plugin, &toy_adapter_LTX_hn_plugin, 0, false, 0},
    {"trial_steps", &toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin, 0, false, 17},
};

static HnCell family_cell(gconstpointer k) {
  guint i = GPOINTER_TO_UINT(k);
  HnCell c = cell_of(family[i].inference, family[i].policy);
  c.run.samples = family[i].samples, c.run.stop_gradient = family[i].stop;
  c.run.trial_steps = family[i].trial_steps, c.evaluation.episodes = 2;
  return c;
}

static void test_bits(gconstpointer k) {
  HnCell c = family_cell(k);
  assert_same_bits(&c);
  cell_clear(&c);
}

/* ---- interruption ---- */

/* Rows of a table that a run is writing. */
static int rows_of(const char *dir) {
  g_autofree char *path = g_build_filename(dir, "metrics.csv", NULL), *text = NULL;
  int rows = 0;
  if (!g_file_get_contents(path, &text, NULL, NULL)) return 0;
  for (const char *c = text; *c; c++) rows += *c == '\n';
  return rows;
}

/* Killed at three times of 200 updates, wherever it is just then. */
static void test_kill(void) {
  HnCell c = family_cell(GUINT_TO_POINTER(0));
  c.run.frames = 38000;
  char *whole = folder_new(), *parts = folder_new();
  run_whole(&c, whole);
  static const int at[] = {5, 40, 120};
  for (guint i = 0; i < G_N_ELEMENTS(at); i++) {
    pid_t child = fork();
    if (child == 0) {
      hn_call_forked = 0; /* on purpose, not by a plugin */
      _exit(!hn_run_cell(&c, parts, NULL, NULL, NULL, NULL));
    }
    while (rows_of(parts) < at[i]) g_usleep(50);
    kill(child, SIGKILL);
    int status;
    waitpid(child, &status, 0);
    g_assert_true(WIFSIGNALED(status));
  }
  run_whole(&c, parts);
  assert_same_run(whole, parts);
  folder_free(whole), folder_free(parts), cell_clear(&c);
}

/* ---- going on beyond a former end ---- */

static void assert_same_end(const char *a, const char *b) {
  g_autoptr(GPtrArray) x = hn_run_checkpoints(a, NULL), y = hn_run_checkpoints(b, NULL);
  gsize n = 0, m = 0;
  g_autofree char *in_x = file_in("/", x->pdata[x->len - 1], &n),
                  *in_y = file_in("/", y->pdata[y->len - 1], &m);
  assert_same_run(a, b);
  g_assert_cmpmem(in_x, n, in_y, m);
}

/* Notes the frames after the first update that is run, and stops later. */
typedef struct First {
  int64_t frames;
  Stopper stopper;
} First;
static void note_first(void *arg, int64_t frames, int64_t total) {
  First *f = arg;
  if (!f->frames) f->frames = frames;
  stop_at(&f->stopper, frames, total);
}

/* Ten updates that follow on others leave the files of ten in one go, and at most one is run again:
 * where the former end is one of the longer run's evaluations (8) or is not (7), with checkpoints
 * to go back to or none, once and over two former ends, one of which was not reached. */
static void test_prolong(void) {
  static const struct {
    int64_t first, second, evaluate, trace, checkpoint;
  } table[] = {{8, 0, 4, 1, 3}, {7, 0, 4, 1, 3}, {8, 0, 4, 3, 3}, {7, 0, 4, 1, 0},
               {4, 8, 4, 1, 3}, {3, 9, 0, 2, 1}, {1, 2, 1, 1, 1}};
  for (guint k = 0; k < G_N_ELEMENTS(table); k++) {
    HnCell c = family_cell(GUINT_TO_POINTER(1));
    const int64_t update = c.run.rows * c.run.steps;
    c.evaluation.every = table[k].evaluate;
    c.run.trace_every = table[k].trace, c.run.checkpoint_every = table[k].checkpoint;
    char *whole = folder_new(), *parts = folder_new();
    run_whole(&c, whole);
    c.run.frames = table[k].first * update, run_whole(&c, parts);
    if (table[k].second) c.run.frames = table[k].second * update, run_whole(&c, parts);
    c.run.frames = 10 * update;
    First f = {.stopper.at = c.run.frames - update};
    g_assert_false(hn_run_cell(&c, parts, &f.stopper.stop, note_first, &f, NULL));
    g_assert_cmpint(f.frames, >=, MAX(table[k].first, table[k].second) * update);
    run_whole(&c, parts);
    g_assert_cmpint(hn_run_length(parts), ==, 10 * update);
    assert_same_end(whole, parts);
    folder_free(whole), folder_free(parts), cell_clear(&c);
  }
}

static void test_evaluation_leaves_training(void) {
  HnCell c = family_cell(GUINT_TO_POINTER(1));
  char *often = folder_new(), *once = folder_new();
  c.evaluation.every = 1;
  run_whole(&c, often);
  c.evaluation.every = 0, c.evaluation.tasks = 3;
  run_whole(&c, once);
  gsize n, m;
  char *x = file_in(often, "trace.bin", &n), *y = file_in(once, "trace.bin", &m);
  g_assert_cmpmem(x, n, y, m);
  g_free(x), g_free(y), folder_free(often), folder_free(once), cell_clear(&c);
}

/* What keeps a run from going on leaves it done, as here a log that cannot be opened; what fails
 * once the configuration is replaced leaves nothing that looks damaged, as a table that cannot. */
static void test_prolong_killed(void) {
  HnCell c = family_cell(GUINT_TO_POINTER(1));
  char *whole = folder_new(), *parts = folder_new();
  g_autofree char *log = g_build_filename(parts, "log.txt", NULL),
                  *timing = g_build_filename(parts, "timing.csv", NULL);
  const int64_t frames = c.run.frames, fewer = 4 * c.run.rows * c.run.steps;
  const struct {
    const char *file, *status;
    int64_t length;
  } stage[] = {{log, "done", fewer}, {timing, "failed", frames}};
  run_whole(&c, whole);
  c.run.frames = fewer, run_whole(&c, parts);
  c.run.frames = frames;
  for (guint k = 0; k < G_N_ELEMENTS(stage); k++) {
    g_unlink(stage[k].file), g_mkdir(stage[k].file, 0777);
    g_assert_false(hn_run_cell(&c, parts, NULL, NULL, NULL, NULL));
    g_rmdir(stage[k].file);
    g_autoptr(JsonObject) facts = hn_run_facts(parts, NULL);
    g_assert_cmpstr(hn_json_string(facts, "status", NULL), ==, stage[k].status);
    g_assert_cmpint(hn_run_length(parts), ==, stage[k].length);
    g_assert_true(k == 0 || hn_run_files_intact(parts, facts, true, NULL));
  }
  run_whole(&c, parts);
  assert_same_end(whole, parts);
  folder_free(whole), folder_free(parts), cell_clear(&c);
}

static void assert_fails(const HnCell *c, int code, const char *message) {
  char *dir = folder_new();
  GError *error = NULL;
  g_assert_false(hn_run_cell(c, dir, NULL, NULL, NULL, &error));
  g_assert_error(error, HN_ERROR, code);
  g_assert_nonnull(strstr(error->message, message));
  char *json = file_in(dir, "run.json", NULL);
  g_assert_nonnull(strstr(json, "\"failed\""));
  g_assert_nonnull(strstr(json, message));
  g_free(json), g_error_free(error), folder_free(dir);
}

static void assert_same_columns(const char *a, const char *in_a, const char *b, const char *in_b) {
  double *x = metrics_column(a, in_a), *y = metrics_column(b, in_b);
  int64_t n = 0;
  for (; !isnan(x[n]); n++) g_assert_cmpfloat(x[n], ==, y[n]);
  g_assert_cmpint(n, >, 2);
  g_free(x), g_free(y);
}

/* The second pass of an evaluation is that of a run which evaluates by draws alone, and changes
 * nothing of the first. */
static void test_also_drawn(void) {
  HnCell c = family_cell(GUINT_TO_POINTER(1));
  char *both = folder_new(), *greedy = folder_new(), *drawn = folder_new();
  c.evaluation.tasks = 40;
  run_whole(&c, greedy);
  c.evaluation.greedy = false, run_whole(&c, drawn);
  c.evaluation.greedy = c.evaluation.also_drawn = true, run_whole(&c, both);
  double *mode = metrics_column(greedy, "eval.return"),
         *draws = metrics_column(drawn, "eval.return");
  g_assert_cmpfloat(mode[0], !=, draws[0]);
  g_free(mode), g_free(draws);
  assert_same_columns(both, "eval.return", greedy, "eval.return");
  assert_same_columns(both, "eval.drawn.return", drawn, "eval.return");
  gsize n, m;
  char *x = file_in(both, "trace.bin", &n), *y = file_in(greedy, "trace.bin", &m);
  g_assert_cmpmem(x, n, y, m);
  g_free(x), g_free(y);
  x = file_in(both, "episodes.csv", &n);
  g_assert_nonnull(strstr(x, "\ndrawn,"));
  c.evaluation.greedy = false;
  assert_fails(&c, HN_ERROR_REFUSED,
               "evaluation.also_drawn adds sampled actions to greedy ones: it "
               "needs protocol: trial and greedy: true");
  g_free(x), folder_free(both), folder_free(greedy), folder_free(drawn), cell_clear(&c);
}

/* Of ten updates every fourth is hashed, and the last; resuming makes no difference. */
static void test_trace_every(void) {
  HnCell c = family_cell(GUINT_TO_POINTER(1));
  char *every = folder_new(), *fourth = folder_new(), *parts = folder_new();
  run_whole(&c, every);
  c.run.trace_every = 4;
  run_whole(&c, fourth);
  run_in_parts(&c, parts);
  gsize n, m;
  char *x = file_in(every, "trace.bin", &n), *y = file_in(fourth, "trace.bin", &m);
  g_assert_cmpuint(n, ==, 10 * HN_DIGEST_BYTES);
  g_assert_cmpuint(m, ==, 3 * HN_DIGEST_BYTES);
  static const int updates[] = {4, 8, 10}; /* every fourth, and the last */
  for (int k = 0; k < 3; k++)
    g_assert_cmpmem(y + k * HN_DIGEST_BYTES, HN_DIGEST_BYTES,
                    x + (updates[k] - 1) * HN_DIGEST_BYTES, HN_DIGEST_BYTES);
  assert_same_run(fourth, parts);
  g_free(x), g_free(y), folder_free(every), folder_free(fourth), folder_free(parts);
  cell_clear(&c);
}

/* ---- inside a session ---- */

static HnSession *session(const HnCell *c) {
  GError *error = NULL;
  HnSession *s = hn_session_new(c, NULL, &error);
  g_assert_no_error(error);
  return s;
}

/* toy_filter's recursion, written again: memory of row i before the next observation. */
static void expected_memory(const HnExperience *w, int windows, int64_t i, const float *decay,
                            float x[3]) {
  for (int n = 0; n < windows; n++)
    for (int64_t t = 0; t < w[n].h.steps; t++) {
      const HnHistory *h = &w[n].h;
      int64_t at = hn_at(h, t, i), past = hn_at(h, t - 1, i);
      bool fresh = h->begin[at] == HN_NEW_TASK;
      float o = h->obs[at * 2];
      float in[3] = {o, fresh ? o : h->reward[past], fresh ? o : h->action[past * 2]};
      for (int k = 0; k < 3; k++) x[k] = decay[k] * (fresh ? 0 : x[k]) + in[k];
    }
}

static void test_refresh(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  HnSession *s = session(&c);
  HnExperience kept[3];
  for (int n = 0; n < 3; n++) {
    g_assert_cmpint(hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases), ==, HN_OK);
    hn_experience_make(&kept[n], &s->shape, s->steps, s->rollouts.rows, 0);
    int64_t *all = g_new(int64_t, s->rollouts.rows);
    for (int64_t i = 0; i < s->rollouts.rows; i++) all[i] = i;
    hn_experience_gather(&s->phase[0], &kept[n], s->rollouts.rows, all);
    g_free(all);
    g_assert_cmpint(hn_learn_inference(s), ==, HN_OK);
    g_assert_cmpint(hn_learn_refresh(s), ==, HN_OK);
  }
  const float *decay = ((HnArrayRecord *)s->inference->kept->pdata[0])->data;
  int running = 0;
  for (int64_t i = 0; i < s->rollouts.rows; i++) {
    const uint8_t *begin = hn_experience_at(&s->rollouts.tail, HN_F_BEGIN, 0, i);
    float x[3] = {0, 0, 0};
    const float *got = (const float *)(void *)(s->rollouts.belief + (gsize)i * s->shape.belief_row);
    if (*begin != HN_NEW_TASK) expected_memory(kept, 3, i, decay, x), running++;
    for (int k = 0; k < 3; k++) g_assert_cmpfloat_with_epsilon(got[k], x[k], 1e-5f);
  }
  g_assert_cmpint(running, >, 5);
  for (int n = 0; n < 3; n++) hn_experience_free(&kept[n]);
  hn_session_free(s), cell_clear(&c);
}

static void test_task_is_hidden(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  HnCell o = cell_of(&toy_oracle_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  HnSession *s = session(&c);
  g_assert_null(hn_experience_view(&s->phase[0], s->inference, 0, 0, 1, 1).task);
  g_assert_null(hn_experience_view(&s->phase[0], s->policy, 0, 0, 1, 1).task);
  g_assert_cmpint(s->bs.task_dim, ==, 0);
  hn_session_free(s);
  s = session(&o);
  g_assert_nonnull(hn_experience_view(&s->phase[0], s->inference, 0, 0, 1, 1).task);
  g_assert_null(hn_experience_view(&s->phase[0], s->policy, 0, 0, 1, 1).task);
  hn_session_free(s), cell_clear(&c), cell_clear(&o);
}

/* A trial ends after its episodes; at a new task all row memory is zero. */
static void test_new_task(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_adapter_LTX_hn_plugin);
  HnSession *s = session(&c);
  int64_t episodes[19] = {0};
  int trials = 0, cuts = 0, dones = 0;
  for (int n = 0; n < 6; n++) {
    g_assert_cmpint(hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases), ==, HN_OK);
    for (int64_t p = 0; p < s->phases; p++)
      for (int64_t t = 0; t < s->steps; t++)
        for (int64_t i = 0; i < 19; i++) {
          const HnHistory *h = &s->phase[p].h;
          uint8_t begin = h->begin[hn_at(h, t + 1, i)];
          bool done = h->terminated[hn_at(h, t, i)], cut = h->truncated[hn_at(h, t, i)];
          g_assert_false(done && cut);
          g_assert_true((begin != HN_KEEP) == (done || cut));
          cuts += cut, dones += done;
          if (begin != HN_KEEP) episodes[i]++;
          g_assert_true((begin == HN_NEW_TASK) == (begin != HN_KEEP && episodes[i] % 2 == 0));
          trials += begin == HN_NEW_TASK;
        }
    for (int64_t i = 0; i < 19; i++)
      if (*(uint8_t *)hn_experience_at(&s->rollouts.tail, HN_F_BEGIN, 0, i) == HN_NEW_TASK) {
        float zero[3] = {0, 0, 0};
        g_assert_cmpmem(s->rollouts.belief + i * 12, 12, zero, 12);
        g_assert_cmpmem(s->rollouts.policy + i * 8, 8, zero, 8);
      }
  }
  g_assert_cmpint(trials, >, 20);
  g_assert_cmpint(cuts, >, 20);
  g_assert_cmpint(dones, >, 20);
  hn_session_free(s), cell_clear(&c);
}

static void collect_episode(void *arg, const HnEpisode *e) {
  double *sum = arg;
  sum[0] += e->reward, sum[1] += (double)e->length, sum[2] += 1;
  sum[3] += e->info[0] * (double)e->length; /* the mean speed, back to a sum */
}

static void test_episode_stats(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  HnSession *s = session(&c);
  HnEpisodeStats y;
  double sum[4] = {0}, reward = 0, speed = 0, steps = 0, ends = 0;
  hn_episode_stats_make(&y, 19, s->shape.env_infos, &s->trial);
  for (int n = 0; n < 5; n++) {
    g_assert_cmpint(hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases), ==, HN_OK);
    hn_episode_stats_window(&y, &s->phase[0], s->env->info, s->steps, collect_episode, sum);
    const HnHistory *h = &s->phase[0].h;
    for (int64_t k = 0; k < s->steps * 19; k++) {
      reward += (double)h->true_reward[k], steps += 1;
      speed += (double)s->phase[0].env_info[2 * k];
      ends += h->begin[k + 19] != HN_KEEP;
    }
  }
  for (int i = 0; i < 19; i++) /* what is still running */
    reward -= y.reward[i], steps -= (double)y.length[i], speed -= y.info[2 * i];
  g_assert_cmpfloat_with_epsilon(sum[0], reward, 1e-9);
  g_assert_cmpfloat_with_epsilon(sum[1], steps, 1e-9);
  g_assert_cmpfloat_with_epsilon(sum[2], ends, 1e-9);
  g_assert_cmpfloat_with_epsilon(sum[3], speed, 1e-9);
  hn_episode_stats_free(&y), hn_session_free(s), cell_clear(&c);
}

static void test_evaluation_tasks(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  char *dir = folder_new();
  run_whole(&c, dir);
  char *text = file_in(dir, "episodes.csv", NULL);
  g_assert_nonnull(strstr(text, "eval,10,only,0,test,gale,4,0,"));
  g_assert_nonnull(strstr(text, "eval,10,only,0,test,calm,5,1,")); /* seven rows, five tasks */
  g_assert_null(strstr(text, "eval,10,only,0,test,calm,5,2,"));    /* two episodes a trial */
  g_assert_nonnull(strstr(text, "train,1,only,0,train,,"));
  g_free(text), folder_free(dir), cell_clear(&c);
}

/* ---- trials of so many steps ---- */

/* In training: a new task every 17 steps, whose last episode is cut; episodes of at most 7. */
static void test_trial_steps(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  c.run.trial_steps = 17;
  HnSession *s = session(&c);
  int64_t trial_step = 0, episode_step[19] = {0}, dones = 0;
  double sum[4] = {0};
  HnEpisodeStats y;
  hn_episode_stats_make(&y, 19, s->shape.env_infos, &s->trial);
  g_assert_cmpint(s->bs.lifetime, ==, 17);
  for (int n = 0; n < 17; n++) { /* 170 steps: ten trials */
    g_assert_cmpint(hn_rollouts_collect(s, &s->rollouts, s->phase, s->phases), ==, HN_OK);
    hn_episode_stats_window(&y, &s->phase[0], s->env->info, s->steps, collect_episode, sum);
    const HnHistory *h = &s->phase[0].h;
    for (int64_t t = 0; t < s->steps; t++) {
      trial_step++;
      for (int64_t i = 0; i < 19; i++) {
        uint8_t begin = h->begin[hn_at(h, t + 1, i)];
        bool done = h->terminated[hn_at(h, t, i)],
             over = ++episode_step[i] == 7 || trial_step % 17 == 0;
        g_assert_cmpint(begin, ==,
                        trial_step % 17 == 0 ? HN_NEW_TASK
                        : done || over       ? HN_NEW_EPISODE
                                             : HN_KEEP);
        g_assert_true(h->truncated[hn_at(h, t, i)] == (over && !done));
        if (begin != HN_KEEP) episode_step[i] = 0;
        dones += done;
      }
    }
  }
  g_assert_cmpint(dones, >, 50);
  g_assert_true(sum[2] == 19 * 10 && sum[1] == 19 * 170); /* a trial is scored as one */
  hn_episode_stats_free(&y), hn_session_free(s), cell_clear(&c);
}

/* The value in the last row of a table's column. */
static double last_of(const char *dir, const char *table, const char *column, double *sum) {
  char *text = file_in(dir, table, NULL), **line = g_strsplit(text, "\n", -1);
  char **name = g_strsplit(line[0], ",", -1);
  guint k = 0;
  double last = (double)NAN;
  while (name[k] && strcmp(name[k], column) != 0) k++;
  g_assert_nonnull(name[k]);
  for (guint i = 1; *line[i]; i++) {
    char **field = g_strsplit(line[i], ",", -1);
    double x = *field[k] ? g_ascii_strtod(field[k], NULL) : (double)NAN;
    if (!isnan(x)) last = x, *sum += x;
    g_strfreev(field);
  }
  g_strfreev(name), g_strfreev(line), g_free(text);
  return last;
}

/* Evaluation over 25 steps where training has 17: scored as one episode of 25, and steps.csv has
 * what it is made of. */
static void test_evaluated_steps(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  c.run.trial_steps = 17, c.evaluation.trial_steps = 25, c.evaluation.every = 0;
  char *dir = folder_new();
  run_whole(&c, dir);
  char *text = file_in(dir, "episodes.csv", NULL), **line = g_strsplit(text, "\n", -1);
  int evaluated = 0;
  for (guint i = 1; *line[i]; i++) {
    bool eval = g_str_has_prefix(line[i], "eval,");
    g_assert_nonnull(strstr(line[i], eval ? ",0,25," : ",0,17,")); /* episode, length */
    evaluated += eval;
  }
  g_assert_cmpint(evaluated, ==, 7);
  g_strfreev(line), g_free(text);
  double rewards = 0, speeds = 0, none = 0;
  g_assert_true(last_of(dir, "steps.csv", "step", &none) == 25);
  last_of(dir, "steps.csv", "reward", &rewards);
  last_of(dir, "steps.csv", "speed", &speeds);
  double score = last_of(dir, "metrics.csv", "eval.return", &none);
  g_assert_cmpfloat_with_epsilon(score, rewards, 1e-5 * fabs(rewards));
  g_assert_true(score == last_of(dir, "metrics.csv", "eval.return_1", &none));
  score = last_of(dir, "metrics.csv", "eval.speed", &none);
  g_assert_cmpfloat_with_epsilon(score, speeds / 25, 1e-5 * score);
  text = file_in(dir, "metrics.csv", NULL);
  g_assert_null(strstr(text, "return_2"));
  g_free(text), folder_free(dir), cell_clear(&c);
}

/* ---- the recorded trial ---- */

/* A session as the last checkpoint of a run left it. */
static HnSession *session_after(const HnCell *c, const char *dir, const char *checkpoint) {
  HnSession *s = session(c);
  HnEpisodeStats y;
  hn_episode_stats_make(&y, c->run.rows, s->shape.env_infos, &s->trial);
  GPtrArray *states = hn_states_of(s, &y);
  GHashTable *meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  char *path = g_build_filename(dir, "ckpt", checkpoint, NULL);
  GError *error = NULL;
  hn_checkpoint_read(path, states, meta, &error);
  g_assert_no_error(error);
  g_hash_table_unref(meta), g_free(path), g_ptr_array_unref(states), hn_episode_stats_free(&y);
  return s;
}

/* n numbers from the k-th field on; all empty if x is NULL. */
static guint fields(char **field, guint k, const float *x, guint n) {
  for (guint j = 0; j < n; j++)
    if (x)
      g_assert_cmpfloat((float)g_ascii_strtod(field[k + j], NULL), ==, x[j]);
    else
      g_assert_cmpstr(field[k + j], ==, "");
  return k + n;
}

static void assert_observation(const char *line, const HnHistory *h, int64_t t, int64_t i,
                               int64_t step, bool over) {
  static const char *const task[] = {"calm", "breeze", "wind", "storm", "gale", "calm", "breeze"};
  char **field = g_strsplit(line, ",", -1);
  int64_t at = hn_at(h, t, i), S = MAX(h->samples, 1);
  const float *belief = h->belief + at * S * 3;
  float drift = 0.2f * (float)(i % 5), map[3];
  for (int d = 0; d < 3; d++) map[d] = 2 * belief[d] + 1;
  char *start = g_strdup_printf("10,%d,%s,%d,%d,", (int)i, task[i], (int)step, (int)h->begin[at]);
  g_assert_true(g_str_has_prefix(line, start));
  g_assert_cmpuint(g_strv_length(field), ==, 19);
  guint k = fields(field, 5, h->obs + 2 * at, 2);
  k = fields(field, k, &drift, 1);
  k = fields(field, k, over ? NULL : h->action + 2 * at, 2);
  k = fields(field, k, over ? NULL : h->true_reward + at, 1);
  k = fields(field, k, over ? NULL : h->next_obs + 2 * at, 2);
  k = fields(field, k, belief, 3);
  fields(field, k, map, 3);
  g_free(start), g_strfreev(field);
}

/* Steps of row i's trial of two episodes of at most 7, in windows of 10. */
static int trial_steps(const HnExperience *w, int64_t i) {
  int t = 0;
  for (int ended = 0; ended < 2; t++) {
    const HnHistory *h = &w[t / 10].h;
    ended += h->begin[hn_at(h, t % 10 + 1, i)] != HN_KEEP;
  }
  return t;
}

/* trial.csv holds what rows 1, 3 and 5 of the final evaluation went through until their second
 * episode ended. */
static void test_trial(gconstpointer k) {
  HnCell c = family_cell(k);
  bool phases = c.policy.plugin == &toy_adapter_LTX_hn_plugin;
  c.run.frames = phases ? 3800 : 1900;
  char *dir = folder_new();
  run_whole(&c, dir);
  char *text = file_in(dir, "trial.csv", NULL), **lines = g_strsplit(text, "\n", -1);
  g_assert_cmpstr(lines[0], ==,
                  "update,row,task,step,begin,obs_0,obs_1,task_0,act_0,act_1,reward,next_obs_0,"
                  "next_obs_1,belief_0,belief_1,belief_2,map_0,map_1,map_2");
  HnSession *s = session_after(&c, dir, "00000010.safetensors");
  HnRollouts r;
  HnExperience w[2];
  for (int n = 0; n < 2; n++) hn_experience_make(&w[n], &s->shape, 10, 7, c.run.samples);
  g_assert_cmpint(hn_rollouts_make(s, &r, 7, 1, &s->eval_trial, false), ==, HN_OK);
  for (int n = 0; n < 2; n++)
    if (!phases || n == 0)
      g_assert_cmpint(hn_rollouts_collect(s, &r, &w[n], phases ? 2 : 1), ==, HN_OK);
  char **line = lines + 1;
  for (int i = 1; i < 7; i += 2)
    for (int t = 0, last = trial_steps(w, i); t <= last; t++)
      assert_observation(*line++, &w[t / 10].h, t % 10, i, t, t == last);
  g_assert_cmpstr(*line, ==, "");
  g_assert_cmpint(line - lines - 1, <, 3 * 15); /* some episode ended early */
  for (int n = 0; n < 2; n++) hn_experience_free(&w[n]);
  hn_rollouts_free(&r), hn_session_free(s), g_strfreev(lines), g_free(text);
  text = file_in(dir, "run.json", NULL);
  g_assert_nonnull(strstr(text, "\"belief_dim\" : 3"));
  g_assert_nonnull(strstr(text, "\"map_width\" : 3"));
  g_free(text), folder_free(dir), cell_clear(&c);
}

static const char *two_words(void *self, int64_t split, int64_t k) {
  (void)self, (void)split, (void)k;
  return "open, \"wide\"";
}

/* What a task is called stays one field of the table. */
static void test_task_names(void) {
  HnEnv methods = *(const HnEnv *)toy_env_LTX_hn_plugin.methods;
  HnPlugin plugin = toy_env_LTX_hn_plugin;
  methods.task_name = two_words, plugin.methods = &methods;
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  c.env.plugin = &plugin;
  char *dir = folder_new();
  run_whole(&c, dir);
  char *text = file_in(dir, "episodes.csv", NULL);
  g_assert_nonnull(strstr(text, "eval,10,only,0,test,\"open, \"\"wide\"\"\",4,0,"));
  g_free(text), folder_free(dir), cell_clear(&c);
}

/* ---- failures ---- */

static void test_failures(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  const HnSchema s = hn_schema_of(c.env.plugin);
  char *params = c.env.params;
  *(bool *)(params + hn_schema_find(&s, "fail")->offset) = true;
  assert_fails(&c, HN_ERROR_NUMERIC, "toy_env: told to fail (while collecting, update 0)");
  *(bool *)(params + hn_schema_find(&s, "fail")->offset) = false;
  c.evaluation.split = "tset";
  assert_fails(&c, HN_ERROR_REFUSED, "toy_env has no split 'tset'; it has train, test");
  c.evaluation.split = "";
  double poison = 0.5;
  memcpy(params + hn_schema_find(&s, "poison_at")->offset, &poison, sizeof poison);
  assert_fails(&c, HN_ERROR_NUMERIC, "env toy_env, step: reward of row");
  cell_clear(&c);
}

/* The foretold bytes are those of the arrays that are then made, to a hundredth. */
static void test_demand(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  c.run.rows = 64, c.run.steps = 1000, c.evaluation.tasks = 1;
  HnSession *s = hn_session_new(&c, NULL, NULL);
  const HnExperience *windows[] = {&s->phase[0], &s->gather, &s->history};
  double bytes = 0;
  for (guint k = 0; k < G_N_ELEMENTS(windows); k++) {
    double element =
        sizeof(int64_t) +
        (s->shape.env_infos + s->shape.belief_infos + s->shape.policy_infos) * sizeof(float);
    for (int f = 0; f < HN_FIELDS; f++) element += (double)windows[k]->size[f];
    bytes += element * (double)(windows[k]->h.steps * windows[k]->h.rows);
  }
  g_assert_cmpint(hn_memory_budget_check(s, 1.02 * bytes), ==, HN_OK);
  g_assert_cmpint(hn_memory_budget_check(s, 0.99 * bytes), ==, HN_E_SHAPE);
  g_assert_nonnull(strstr(hn_fail_text(), "experience of 64 rows over 1000 steps takes 0.0"));
  /* toy_filter keeps 3 weights with their gradients, 64 rewards and 2 of the policy's */
  g_autofree char *text = hn_memory_budget_text(s);
  g_assert_nonnull(strstr(text, " kept by toy_filter once full, most of it replay"));
  double enough = bytes;
  while (hn_memory_budget_check(s, enough) != HN_OK) enough += 64;
  g_assert_cmpint(hn_memory_budget_check(s, enough - 128), ==, HN_E_SHAPE);
  g_assert_nonnull(strstr(hn_fail_text(), "what toy_filter keeps takes"));
  hn_session_free(s);
  g_assert_cmpfloat(hn_machine_bytes(), >, 1e7);
  c.run.rows = 65536, c.run.steps = 1000000000;
  assert_fails(&c, HN_ERROR_REFUSED, "experience of 65536 rows over 1000000000 steps takes ");
  c.run.rows = 1, c.run.steps = 1, c.evaluation.tasks = 65536, c.evaluation.episodes = 1000000;
  c.run.episodes = 1000000, c.run.steps = 10000000;
  assert_fails(&c, HN_ERROR_REFUSED, "an evaluation of 65536 rows over 7000000 steps takes ");
  cell_clear(&c);
}

/* ---- damage ---- */

/* A newest checkpoint that cannot be read is passed over; of tables that lost what a checkpoint
 * counts on, nothing is made up. */
static void test_damage(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  char *dir = folder_new(), *whole = folder_new();
  c.run.checkpoint_every = 1;
  run_whole(&c, dir), run_whole(&c, whole);
  char *newest = g_build_filename(dir, "ckpt", "00000010.safetensors", NULL);
  g_assert_cmpint(truncate(newest, 100), ==, 0);
  run_whole(&c, dir);
  assert_same_run(dir, whole);
  char *log = file_in(dir, "log.txt", NULL), *table = g_build_filename(dir, "metrics.csv", NULL);
  g_assert_nonnull(strstr(log, "cut short; going back to the one before"));
  GError *error = NULL;
  g_assert_cmpint(truncate(table, 100), ==, 0);
  g_assert_false(hn_run_cell(&c, dir, NULL, NULL, NULL, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_FILE);
  g_assert_nonnull(strstr(error->message, "metrics.csv: is shorter than the checkpoint says"));
  g_clear_error(&error);
  c.run.steps = 20; /* another cell: said so, not as shapes that do not fit */
  g_assert_false(hn_run_cell(&c, dir, NULL, NULL, NULL, &error));
  g_assert_nonnull(strstr(error->message, "was made by another configuration"));
  g_clear_error(&error);
  g_free(newest), g_free(log), g_free(table);
  folder_free(dir), folder_free(whole), cell_clear(&c);
}

/* A checkpoint with right checksums and integers in range, of which two do not agree: how long a
 * history is, and how many steps the trial has had. */
static void test_disagreement(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  char *dir = folder_new(), *whole = folder_new();
  c.run.checkpoint_every = 1;
  run_whole(&c, dir), run_whole(&c, whole);
  g_autofree char *newest = g_build_filename(dir, "ckpt", "00000010.safetensors", NULL);
  HnStoredTensors *t = hn_stored_tensors_open(newest, NULL);
  HnStoredTensor *steps = g_hash_table_lookup(t->find, "host/history.steps");
  const HnStoredTensor *trial = g_hash_table_lookup(t->find, "host/trial_step");
  g_assert_cmpmem(steps->data, steps->bytes, trial->data, trial->bytes);
  int64_t *other = g_memdup2(steps->data, steps->bytes);
  other[3] = other[3] > 0 ? 0 : 1;
  steps->data = (const char *)other;
  g_assert_true(hn_stored_tensors_write(t, newest, NULL));
  run_whole(&c, dir);
  assert_same_run(dir, whole);
  g_autofree char *log = file_in(dir, "log.txt", NULL);
  g_assert_nonnull(strstr(log, "host/history.steps holds "));
  g_assert_nonnull(strstr(log, "; going back to the one before"));
  hn_stored_tensors_free(t), g_free(other);
  folder_free(dir), folder_free(whole), cell_clear(&c);
}

/* A process that was killed before it had removed the third newest checkpoint: the next one does.
 */
static void test_third_checkpoint(void) {
  HnCell c = cell_of(&toy_filter_LTX_hn_plugin, &toy_policy_LTX_hn_plugin);
  char *dir = folder_new();
  run_whole(&c, dir);
  g_autofree char *third = g_build_filename(dir, "ckpt", "00000005.safetensors", NULL);
  g_assert_true(g_file_set_contents(third, "old", -1, NULL));
  run_whole(&c, dir);
  g_assert_false(g_file_test(third, G_FILE_TEST_EXISTS));
  folder_free(dir), cell_clear(&c);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  for (guint k = 0; k < G_N_ELEMENTS(family); k++) {
    char *bits = g_strdup_printf("/run/bits/%s", family[k].name);
    g_test_add_data_func(bits, GUINT_TO_POINTER(k), test_bits);
    char *trial = g_strdup_printf("/run/trial/%s", family[k].name);
    g_test_add_data_func(trial, GUINT_TO_POINTER(k), test_trial);
    g_free(bits), g_free(trial);
  }
  g_test_add_func("/run/kill", test_kill);
  g_test_add_func("/run/prolong", test_prolong);
  g_test_add_func("/run/prolong_killed", test_prolong_killed);
  g_test_add_func("/run/evaluation_leaves_training", test_evaluation_leaves_training);
  g_test_add_func("/run/also_drawn", test_also_drawn);
  g_test_add_func("/run/evaluation_tasks", test_evaluation_tasks);
  g_test_add_func("/run/task_names", test_task_names);
  g_test_add_func("/run/refresh", test_refresh);
  g_test_add_func("/run/task_is_hidden", test_task_is_hidden);
  g_test_add_func("/run/new_task", test_new_task);
  g_test_add_func("/run/trace_every", test_trace_every);
  g_test_add_func("/run/episode_stats", test_episode_stats);
  g_test_add_func("/run/trial_steps", test_trial_steps);
  g_test_add_func("/run/evaluated_steps", test_evaluated_steps);
  g_test_add_func("/run/failures", test_failures);
  g_test_add_func("/run/demand", test_demand);
  g_test_add_func("/run/damage", test_damage);
  g_test_add_func("/run/disagreement", test_disagreement);
  g_test_add_func("/run/third_checkpoint", test_third_checkpoint);
  return g_test_run();
}

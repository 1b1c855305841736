/* arm_weights_test.c - studies whose arms start from checkpoints, as users write and run them: from
 * another study or from another arm, in what order, and all that may be wrong with it. */
#include "cli_fixture.h"
#include "run_dir.h"

#define HEAD                                                                            \
  "hunch: 1\nname: %s\nseeds: {root: 3, count: 2}\nbase:\n  env: {plugin: gridworld}\n" \
  "  inference: {plugin: rl2, hidden: 4}\n  policy: {plugin: ppo, width: 8}\n"          \
  "  run: {frames: 480, rows: 2, checkpoint_every: 1, keep_every: 2}\n"                 \
  "  evaluation: {tasks: 3}\n"

static void study(const char *dir, const char *name, const char *rest) {
  g_autofree char *head = g_strdup_printf(HEAD, name), *text = g_strconcat(head, rest, NULL);
  g_autofree char *file = g_strconcat(name, ".yaml", NULL);
  fake_write(dir, file, text);
}

static void good(const char *dir, const char *arguments) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != 0) g_error("%s: %d %s", arguments, run.code, run.err);
}

/* Refused with these words, in that order. */
static void refused(const char *dir, const char *arguments, const char *says) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != 2) g_error("%s: %d %s", arguments, run.code, run.err);
  expect(run.err, says);
}

static bool exists(const char *dir, const char *name) {
  g_autofree char *path = g_build_filename(dir, name, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* "eval.return" to the end of the last row. */
static char *evaluation(const char *dir, const char *cell) {
  g_autofree char *name = g_build_filename("runs", cell, "metrics.csv", NULL);
  g_autofree char *text = fake_read(dir, name);
  g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
  g_auto(GStrv) head = g_strsplit(lines[0], ",", -1);
  g_auto(GStrv) last = g_strsplit(lines[g_strv_length(lines) - 1], ",", -1);
  guint k = 0;
  while (head[k] && strcmp(head[k], "eval.return") != 0) k++;
  return g_strjoinv(",", last + k);
}

static void same_evaluation(const char *dir, const char *a, const char *b) {
  g_autofree char *x = evaluation(dir, a), *y = evaluation(dir, b);
  g_assert_cmpstr(x, ==, y);
}

/* Post hoc: seed by seed what was trained, compared and reported; a changed file is noticed. */
static void other_study(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "det", "");
  study(dir, "post",
        "  weights: {from: runs/det, arm: base}\n"
        "arms:\n  after: {run: {frames: 0}}\n  before: {run: {frames: 0}, weights: {at: 0}}\n"
        "  fixed: {run: {frames: 0}, weights: {seed: 1}}\n"
        "  tuned: {}\n  random: {run: {frames: 0}, weights: none}\n");
  refused(dir, "run post.yaml",
          "post.yaml:10:19: error: weights: runs/det: there is no such folder; 'hunch run "
          "STUDY.yaml -o runs/det' makes it");
  g_assert_false(exists(dir, "runs"));
  good(dir, "run det.yaml -j 1 --seed 0");
  refused(dir, "plan post.yaml",
          "error: weights: runs/det has not run arm base with seed 1: 'hunch run det.yaml -o "
          "runs/det --arm base --seed 1'");
  good(dir, "run det.yaml -j 1");
  g_auto(Run) plan = hunch(dir, "plan post.yaml");
  g_assert_cmpint(plan.code, ==, 0);
  expect(plan.err, "10 cells, 10 run");
  g_auto(Run) run = hunch(dir, "run post.yaml -j 2");
  if (run.code != 0) g_error("%s", run.err);
  expect(run.out, "post: 5 arms x 2 seeds, 10 of 10 cells done");
  expect(run.out, "eval.return");
  same_evaluation(dir, "post/after/0", "det/base/0");
  same_evaluation(dir, "post/after/1", "det/base/1");
  same_evaluation(dir, "post/random/1", "post/before/1");
  g_autofree char *config = fake_read(dir, "runs/post/fixed/0/config.resolved.yaml");
  g_autofree char *other = fake_read(dir, "runs/post/after/1/config.resolved.yaml");
  g_auto(GStrv) parts = g_strsplit(config, "  sha256: ", 2);
  g_assert_cmpuint(g_strv_length(parts), ==, 2);
  expect(other, parts[1]); /* both are of seed 1 */
  g_assert_true(exists(dir, "runs/post/report.html"));
  /* another file of the same shapes */
  g_autofree char *from = g_build_filename(dir, "runs/det/base/1/ckpt/00000008.safetensors", NULL);
  g_autofree char *to = g_build_filename(dir, "runs/det/base/0/ckpt/00000008.safetensors", NULL);
  g_assert_true(exists(dir, "runs/det/base/0/ckpt/00000008.safetensors"));
  char *bytes;
  gsize n;
  g_assert_true(g_file_get_contents(from, &bytes, &n, NULL));
  g_assert_true(g_file_set_contents(to, bytes, (gssize)n, NULL));
  g_free(bytes);
  refused(dir, "run post.yaml",
          "runs/post/after/0: configuration differs from the folder's: "
          "weights.sha256 was ");
}

/* Every tensor that does not fit is named before anything is written. */
static void unfit(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "det", "");
  good(dir, "run det.yaml -j 1");
  study(dir, "post",
        "arms:\n  ok: {weights: {from: runs/det, arm: base}}\n"
        "  wide: {inference: {hidden: 5}, weights: {from: runs/det, arm: base}}\n"
        "  lstm: {inference: {cell: lstm}, weights: {from: runs/det, arm: base, load: inference}}\n"
        "  bare: {inference: {plugin: none}, policy: {plugin: uniform},\n"
        "         weights: {from: runs/det, arm: base}}\n");
  static const char *const verbs[] = {"run", "validate", "plan"};
  for (guint i = 0; i < G_N_ELEMENTS(verbs); i++) {
    g_autofree char *line = g_strconcat(verbs[i], " post.yaml", NULL);
    refused(
        dir, line,
        "post.yaml:12:43: error: weights of arm wide: misshapen: inference/gru.weight_hh is F32 "
        "[4, 12] in the checkpoint, F32 [5, 15] here");
  }
  g_auto(Run) run = hunch(dir, "run post.yaml");
  expect(run.err, "weights of arm wide: misshapen: inference/gru.bias_hh is F32 [1, 12]");
  expect(run.err, "weights of arm wide: misshapen: policy/");
  expect(run.err, "weights of arm lstm: missing: inference/lstm.weight_hh F32 [4, 16]; nearest in "
                  "the checkpoint: inference/gru.weight_hh F32 [4, 12]");
  expect(run.err, "weights of arm lstm: extra: inference/gru.weight_hh F32 [4, 12]; nearest here: "
                  "inference/lstm.weight_hh F32 [4, 16] (ignore_extra: true leaves it out)");
  expect(run.err, "weights of arm bare: none and uniform keep no weights that could be taken");
  expect(run.err, "weights of arm bare: extra: inference/gru.weight_hh");
  g_assert_null(strstr(run.err, "adam"));
  g_assert_null(strstr(run.err, "arm ok"));
  g_assert_null(strstr(run.err, "arm lstm: missing: policy"));
  g_assert_false(exists(dir, "runs/post"));
}

/* Arms of one study, written in the wrong order: sources run first, seed by seed. */
static void same_study(void) {
  g_autoptr(Folder) dir = folder();
  study(dir, "s",
        "arms:\n  later: {run: {frames: 0}, weights: {arm: tuned}}\n"
        "  tuned: {weights: {arm: first, at: 2}}\n  first: {}\n");
  g_auto(Run) alone = hunch(dir, "run s.yaml --arm later");
  g_assert_cmpint(alone.code, ==, 2);
  expect(alone.err, "later/0 starts from tuned/0, which is not done: add --arm tuned");
  g_auto(Run) run = hunch(dir, "run s.yaml -j 2");
  if (run.code != 0) g_error("%s", run.err);
  expect(run.out, "6 of 6 cells done");
  same_evaluation(dir, "s/later/0", "s/tuned/0");
  same_evaluation(dir, "s/later/1", "s/tuned/1");
  g_autofree char *facts = fake_read(dir, "runs/s/tuned/1/run.json");
  expect(facts, "/first/1/ckpt/00000002.safetensors\"");
  /* now that the others are there, one arm alone; the folder may have moved */
  g_autofree char *from = g_build_filename(dir, "runs", NULL);
  g_autofree char *to = g_build_filename(dir, "moved", NULL);
  g_assert_cmpint(g_rename(from, to), ==, 0);
  g_autofree char *cell = g_build_filename(dir, "moved/s/later", NULL);
  fake_remove(cell);
  good(dir, "run s.yaml -o moved/s --arm later");
  /* what the first arm is decides what the last one is */
  refused(dir, "run s.yaml -o moved/s arms.first.policy.lr=1e-4",
          "/later/0: tuned/0, whose weights it starts from, was another cell");
}

/* The last checkpoint of a cell is gone, or has another byte: whoever asks for it is told so, and
 * the one before is not taken for it. */
static void lost_source(void) {
  static const char *const studies[] = {"s", "post"}; /* its own cell's, another study's */
  g_autoptr(Folder) dir = folder();
  study(dir, "s", "arms:\n  first: {}\n  later: {weights: {arm: first}}\n");
  study(dir, "post", "arms:\n  later: {weights: {from: runs/s, arm: first}}\n");
  good(dir, "run s.yaml -j 1 --arm first");
  for (guint i = 0; i < G_N_ELEMENTS(studies); i++) {
    g_autofree char *cell = g_build_filename(dir, "runs/s/first/1", NULL), *text = NULL;
    g_autofree char *run = g_strdup_printf("run %s.yaml -j 1", studies[i]);
    g_autofree char *made = g_strdup_printf("runs/%s/later", studies[i]);
    g_autoptr(GPtrArray) all = hn_run_checkpoints(cell, NULL);
    gsize length;
    g_assert_cmpuint(all->len, >, 1);
    const char *path = all->pdata[all->len - 1];
    g_assert_true(g_file_get_contents(path, &text, &length, NULL));
    g_assert_cmpint(g_unlink(path), ==, 0);
    refused(dir, run, "runs/s/first/1: its last checkpoint, of update ");
    text[length - 5] ^= 1;
    g_assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
    refused(dir, run, " is damaged");
    g_assert_false(exists(dir, made));
    text[length - 5] ^= 1;
    g_assert_true(g_file_set_contents(path, text, (gssize)length, NULL));
  }
  good(dir, "run s.yaml -j 2");
  good(dir, "run post.yaml -j 2");
}

/* What starts from a failed cell fails too, with the reason; the rest runs. */
static void failed_source(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml",
             "hunch: 1\nname: s\nseeds: {count: 1}\nbase:\n  env: {plugin: trouble}\n"
             "  inference: {plugin: rl2, hidden: 4}\n  policy: {plugin: ppo, width: 8}\n"
             "  run: {frames: 400, rows: 4}\n  evaluation: {tasks: 2}\n"
             "arms:\n  third: {weights: {arm: second}}\n  second: {weights: {arm: first}}\n"
             "  first: {env: {trouble: fail}}\n  other: {}\n");
  g_auto(Run) run = hunch(dir, "run s.yaml -j 1");
  g_assert_cmpint(run.code, ==, 4);
  expect(run.err, "second/0: failed: starts from the weights of first/0, which failed");
  expect(run.err, "third/0: failed: starts from the weights of second/0, which failed");
  expect(run.err, "3 of 4 cells failed");
  expect(run.out, "1 of 4 cells done");
}

static void wrong_blocks(void) {
  static const struct {
    const char *weights, *says;
  } table[] = {
      {"{}", "11:16: error: weights: missing key 'arm'"},
      {"{arm: a}", "11:22: error: weights: arm a would start from itself"},
      {"{arm: b}", "11:22: error: weights: arm a would start from itself"},
      {"{arm: d}", "11:22: error: weights: this study has no arm 'd'; valid: a, b, c"},
      {"{arm: c, seed: 2}", "11:31: error: weights: this study has seeds 0 to 1"},
      {"{arm: c, seed: some}",
       "11:31: error: 'seed: some': expected same or an integer of at least 0"},
      {"{arm: c, at: -1}", "11:29: error: 'at: -1': expected last or an integer of at least 0"},
      {"{arm: c, at: 3}",
       "11:29: error: weights: arm c will not keep update 3: its run.keep_every is 2"},
      {"{arm: c, at: 10}",
       "error: weights of arm a: arm c ends after 8 updates, and update 10 is asked for"},
      {"{arm: c, load: all}", "'load: all': expected one of both, inference, policy"},
      {"{arm: c, form: x}", "weights: unknown key 'form'; did you mean 'from'?"},
      {"nothing", "11:16: error: weights: expected a map of keys and values, not text"},
      {"{arm: c, from: c}", "11:31: error: weights: c: there is no such folder"},
      {"{arm: c, from: .}", "11:31: error: weights: . is not a study's folder"},
  };
  g_autoptr(Folder) dir = folder();
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *arms = g_strdup_printf(
        "arms:\n  a: {weights: %s}\n  b: {weights: {arm: a}}\n  c: {}\n", table[i].weights);
    study(dir, "s", arms);
    refused(dir, "validate s.yaml", table[i].says);
  }
  study(dir, "s", "arms:\n  a: {weights: none}\n  b: {weights: {arm: a}}\n");
  good(dir, "validate s.yaml");
  good(dir, "validate s.yaml arms.b.weights.load=policy");
}

/* ---- posteriors laid over what other plugins have learnt ---- */

/* The last number of a column. */
static double last_of(const char *dir, const char *cell, const char *column) {
  g_autofree char *name = g_build_filename("runs", cell, "metrics.csv", NULL);
  g_autofree char *text = fake_read(dir, name);
  g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
  g_auto(GStrv) head = g_strsplit(lines[0], ",", -1);
  g_auto(GStrv) last = g_strsplit(lines[g_strv_length(lines) - 1], ",", -1);
  for (guint k = 0; head[k]; k++)
    if (!strcmp(head[k], column)) return g_ascii_strtod(last[k], NULL);
  g_error("%s has no column %s", cell, column);
}

/* The transformer's belief is the posterior's mean, on which the policy does the same; draws from a
 * wide posterior are something else. */
static void over_trmrl(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(
      dir, "laid.yaml",
      "hunch: 1\nname: laid\nseeds: {root: 3, count: 1}\nbase:\n"
      "  env: {plugin: gridworld, size: 3, horizon: 5}\n"
      "  inference: {plugin: trmrl, width: 8, heads: 2, memory: 4, persist_memory: true}\n"
      "  policy: {plugin: ppo, width: 8, see_obs: false}\n"
      "  run: {frames: 480, rows: 2, checkpoint_every: 0}\n  evaluation: {tasks: 20}\narms:\n"
      "  trmrl: {}\n  mean: {weights: {arm: trmrl}, run: {frames: 0}, inference: {plugin: "
      "laplace_trmrl, width: 8, heads: 2, memory: 4, persist_memory: true}}\n"
      "  draws: {weights: {arm: trmrl}, run: {frames: 0}, evaluation: {samples: 3}, "
      "inference: {plugin: laplace_trmrl, width: 8, heads: 2, memory: 4, "
      "persist_memory: true, prior_variance: 100}}\n");
  good(dir, "run laid.yaml -j 1");
  const double plain = last_of(dir, "laid/trmrl/0", "eval.return");
  g_assert_cmpfloat(last_of(dir, "laid/mean/0", "eval.return"), ==, plain);
  g_assert_cmpfloat(last_of(dir, "laid/mean/0", "eval.value"), ==,
                    last_of(dir, "laid/trmrl/0", "eval.value"));
  g_assert_cmpfloat(last_of(dir, "laid/draws/0", "eval.return"), !=, plain);
  g_assert_cmpfloat(last_of(dir, "laid/mean/0", "eval.kl"), >, 0);
  g_assert_true(isfinite(last_of(dir, "laid/draws/0", "eval.entropy")));
}

/* Until they adapt, rows act by the same weights with the same streams; then by draws. */
static void over_maml(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "laid.yaml",
             "hunch: 1\nname: laid\nseeds: {root: 3, count: 1}\nbase:\n"
             "  env: {plugin: point_robot, goal_radius: 3, horizon: 5}\n"
             "  inference: {plugin: none}\n  policy: {plugin: maml_trpo, width: 8}\n"
             "  run: {frames: 480, rows: 4, episodes: 4, steps: 10, checkpoint_every: 0}\n"
             "  evaluation: {tasks: 6, greedy: false}\narms:\n  maml: {}\n"
             "  draws: {weights: {arm: maml}, run: {frames: 0}, policy: {posterior: laplace}}\n");
  good(dir, "validate laid.yaml");
  good(dir, "run laid.yaml -j 1");
  static const char *const before[] = {"eval.return_1", "eval.return_2"};
  for (int k = 0; k < 2; k++)
    g_assert_cmpfloat(last_of(dir, "laid/draws/0", before[k]), ==,
                      last_of(dir, "laid/maml/0", before[k]));
  g_assert_cmpfloat(last_of(dir, "laid/draws/0", "eval.return_3"), !=,
                    last_of(dir, "laid/maml/0", "eval.return_3"));
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/starts/other-study", other_study);
  g_test_add_func("/starts/unfit", unfit);
  g_test_add_func("/starts/same-study", same_study);
  g_test_add_func("/starts/lost-source", lost_source);
  g_test_add_func("/starts/failed-source", failed_source);
  g_test_add_func("/starts/wrong-blocks", wrong_blocks);
  g_test_add_func("/starts/over-trmrl", over_trmrl);
  g_test_add_func("/starts/over-maml", over_maml);
  return g_test_run();
}

/* search_test.c - a search by successive halving, as users run it: who goes on is decided by what
 * metrics.csv says, a search that is stopped goes on to the same bits, and what cannot be is
 * refused. */
#include "cli_fixture.h"
#include "json.h"
#include <signal.h>

enum { RUNGS = 3, CANDIDATES = 5, SEEDS = 2 };
static const int frames[RUNGS] = {96, 192, 384};
static const char *const candidates[CANDIDATES] = {
    "belief_lr=1e-4", "belief_lr=1e-3", "belief_lr=1e-2", "belief_lr=1e-1", "belief_lr=1e0"};
#define SEARCH(halving)                                                                          \
  "hunch: 1\nname: s\nseeds: {root: 7, count: 2}\nbase:\n"                                       \
  "  env: {plugin: gridworld, size: 4, horizon: 6}\n"                                            \
  "  inference: {plugin: gridworld_belief, size: 4}\n"                                           \
  "  policy: {plugin: ppo, anneal: false, width: 8, layers: 1, n_epochs: 1, n_minibatches: 1}\n" \
  "  run: {rows: 4, episodes: 2}\n  evaluation: {tasks: 4}\n"                                    \
  "arms:\n  belief: {}\n  none: {inference: {plugin: none}}\n"                                   \
  "sweep:\n  arms: [belief]\n  parameters:\n"                                                    \
  "    policy.lr: {from: 1e-4, to: 1, count: 5, scale: log}\n  halving: " halving "\n"           \
  "report: {baseline: none}\n"
#define HALVING "{root: 99, at: [96, 192, 384]}"

/* A column of a cell in the row in which it had trained for so many frames. */
static double value_at(const char *dir, const char *arm, int seed, int at, const char *column) {
  g_autofree char *cell = fake_cell_dir(dir, arm, seed), *text = fake_read(cell, "metrics.csv");
  g_auto(GStrv) lines = g_strsplit(text, "\n", -1), head = g_strsplit(lines[0], ",", -1);
  guint frames_at = 0, column_at = 0;
  while (strcmp(head[frames_at], "frames") != 0) frames_at++;
  while (strcmp(head[column_at], column) != 0) column_at++;
  for (char **line = lines + 1; *line && **line; line++) {
    g_auto(GStrv) field = g_strsplit(*line, ",", -1);
    if (atoi(field[frames_at]) == at) return g_ascii_strtod(field[column_at], NULL);
  }
  g_error("%s/%d has no row at %d frames", arm, seed, at);
}

/* How often an arm was trained on, by its longest seed. */
static int64_t trained(const char *dir, const char *arm) {
  g_autofree char *cell = fake_cell_dir(dir, arm, 0), *text = fake_read(cell, "run.json");
  g_autoptr(JsonObject) o = hn_json_parse("run.json", text, strlen(text), NULL);
  return hn_json_int(o, "frames", -1);
}

/* A package has what a reader needs to see how the arms were chosen. */
static void expect_packed(const char *dir) {
  static const char name[] = "study/search.json";
  g_auto(Run) pack = hunch(dir, "pack r -o r.zip --dirty"), verify = hunch(dir, "verify r.zip");
  g_assert_cmpint(pack.code, ==, 0);
  g_assert_cmpint(verify.code, ==, 0);
  g_autofree char *zip = g_build_filename(dir, "r.zip", NULL), *bytes = NULL;
  gsize length;
  g_assert_true(g_file_get_contents(zip, &bytes, &length, NULL));
  g_assert_nonnull(memmem(bytes, length, name, strlen(name)));
}

/* A folder holds one search, which runs whole. */
static void expect_refused(const char *dir) {
  fake_write(dir, "t.yaml", SEARCH("{root: 99, at: [96, 384]}"));
  g_auto(Run) other = hunch(dir, "run t.yaml name=s -o r");
  g_auto(Run) plan = hunch(dir, "plan t.yaml name=s -o r"),
              part = hunch(dir, "run s.yaml --seed 0");
  g_assert_cmpint(other.code, ==, 2);
  g_assert_cmpint(plan.code, ==, 2);
  g_assert_cmpint(part.code, ==, 2);
  expect(other.err, "r/search.json is of another search");
  expect(part.err, "a search runs whole");
}

/* Decides again, by hand: of 5 the best 3 go on (the half, rounded up), of 3 the best 2. */
static void decides(void) {
  static const int kept[RUNGS] = {3, 2, 2};
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", SEARCH(HALVING));
  g_auto(Run) run = hunch(dir, "run s.yaml -o r -j 2");
  g_assert_cmpint(run.code, ==, 0);
  expect(run.out, "A search by successive halving on root 99: 5 candidates, 2304 frames, 3 of 3");
  g_autofree char *results = g_build_filename(dir, "r", NULL);
  bool left[CANDIDATES] = {true, true, true, true, true};
  int64_t length[CANDIDATES], total = 0;
  for (int k = 0; k < RUNGS; k++) {
    double value[CANDIDATES];
    for (int i = 0; i < CANDIDATES; i++) {
      if (!left[i]) continue;
      length[i] = frames[k], value[i] = 0;
      for (int s = 0; s < SEEDS; s++)
        value[i] += value_at(results, candidates[i], s, frames[k], "eval.return");
    }
    for (int i = 0; i < CANDIDATES && k + 1 < RUNGS; i++) {
      int better = 0;
      for (int j = 0; j < CANDIDATES; j++)
        better += left[i] && length[j] == frames[k] && j != i &&
                  (value[j] > value[i] || (value[j] == value[i] && j < i));
      left[i] &= better < kept[k];
    }
  }
  for (int i = 0; i < CANDIDATES; i++) {
    g_assert_cmpint(trained(results, candidates[i]), ==, length[i]);
    total += SEEDS * length[i];
  }
  g_assert_cmpint(total, ==, 2304);
  g_assert_cmpint(trained(results, "none"), ==, 384); /* it is not swept */
  g_auto(Run) again = hunch(dir, "run s.yaml -o r"), plan = hunch(dir, "plan s.yaml -o r");
  g_assert_cmpint(again.code, ==, 0);
  expect(again.err, "6 cells, 6 done before");
  expect(plan.err, "12 cells, 12 done");
  expect_packed(dir), expect_refused(dir);
}

/* What search.json says of all candidates, "frames", or of the i-th. */
static int64_t said_frames(JsonObject *o, int i) {
  JsonArray *all = hn_json_array(o, "candidates");
  return hn_json_int(i < 0 ? o : json_array_get_object_element(all, (guint)i), "frames", -1);
}

/* Updates are of 48 frames: rungs at 90, 100 and 300 end at 96, 144 and 336.  All 5 train to the
 * first, 3 to the second and 2 to the third: 5 96 + 3 48 + 2 192 = 1008 by seed, and the arm beside
 * the search 336. */
static void whole_updates(void) {
  static const int64_t ends[RUNGS] = {96, 144, 336};
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", SEARCH("{root: 99, at: [90, 100, 300]}"));
  g_auto(Run) plan = hunch(dir, "validate s.yaml"), run = hunch(dir, "run s.yaml -o r -j 2");
  g_assert_cmpint(run.code, ==, 0);
  expect(plan.out, "frames 2688\n"); /* 2 (1008 + 336) */
  expect(run.out, "5 candidates, 2016 frames, 3 of 3 rungs decided");
  expect(run.out, " learnt from 96 frames and none from 336.");
  g_autofree char *text = fake_read(dir, "r/search.json");
  g_autofree char *results = g_build_filename(dir, "r", NULL);
  g_autoptr(JsonObject) o = hn_json_parse("search.json", text, strlen(text), NULL);
  g_assert_cmpint(said_frames(o, -1), ==, 2016);
  for (int i = 0; i < CANDIDATES; i++) {
    JsonObject *c = json_array_get_object_element(hn_json_array(o, "candidates"), (guint)i);
    const int64_t stopped = hn_json_int(c, "stopped_after", -1);
    g_assert_cmpint(trained(results, candidates[i]), ==, ends[stopped < 0 ? RUNGS - 1 : stopped]);
    g_assert_cmpint(said_frames(o, i), ==, SEEDS * trained(results, candidates[i]));
  }
}

static void expect_ties(JsonObject *o, guint candidate, const char *const *arms) {
  JsonArray *all = hn_json_array(o, "candidates");
  JsonArray *tied = hn_json_array(json_array_get_object_element(all, candidate), "tied_with");
  g_assert_cmpuint(json_array_get_length(tied), ==, g_strv_length((char **)(guintptr)arms));
  for (guint i = 0; arms[i]; i++) g_assert_cmpstr(hn_json_string_at(tied, i), ==, arms[i]);
}

/* Steps too small for single precision change no weight, so that all three are one policy. */
static void says_ties(void) {
  static const char *const arm[] = {"belief_lr=1e-30", "belief_lr=2e-30", "belief_lr=3e-30", NULL};
  g_autoptr(Folder) dir = folder();
  g_auto(GStrv) part = g_strsplit(SEARCH(HALVING), "{from: 1e-4, to: 1, count: 5, scale: log}", 2);
  g_autofree char *study = g_strconcat(part[0], "[1e-30, 2e-30, 3e-30]", part[1], NULL);
  fake_write(dir, "s.yaml", study);
  g_auto(Run) run = hunch(dir, "run s.yaml -o r -j 2");
  g_assert_cmpint(run.code, ==, 0);
  expect(run.err, "r: belief_lr=3e-30 is tied with belief_lr=1e-30, belief_lr=2e-30: the first in "
                  "the study go on\n");
  expect(run.err,
         "r: belief_lr=2e-30 is tied with belief_lr=1e-30: the first in the study goes on\n");
  expect(run.out, "note: Stopped though another that had reached the same went on, as it comes "
                  "first in the study: belief_lr=2e-30, belief_lr=3e-30.\n");
  g_autofree char *text = fake_read(dir, "r/search.json"), *page = fake_read(dir, "r/report.html");
  g_autoptr(JsonObject) o = hn_json_parse("search.json", text, strlen(text), NULL);
  expect_ties(o, 0, arm + 3);
  expect_ties(o, 1, (const char *const[]){arm[0], NULL});
  expect_ties(o, 2, (const char *const[]){arm[0], arm[1], NULL});
  expect(page,
         "id=\"finding\">The search kept belief_lr=1e-30, chosen out of 3 candidates by these "
         "same seeds: run what it kept on another root. ");
}

/* Its seeds are those of the search's root, not of the study's. */
static void own_root(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", SEARCH(HALVING));
  fake_write(dir, "t.yaml", SEARCH("{root: 98, at: [96, 192]}"));
  g_auto(Run) one = hunch(dir, "plan s.yaml --json"), other = hunch(dir, "plan t.yaml --json");
  g_auto(Run) more = hunch(dir, "plan s.yaml --json seeds.root=8");
  g_assert_cmpstr(one.out, !=, other.out);
  g_assert_cmpstr(one.out, ==, more.out);
}

/* Stopped once a rung is decided, and killed later, it ends as one left alone. */
static void goes_on(void) {
  static const char *const arms[] = {"belief_lr=1e-4", "belief_lr=1e-1", "none"};
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", SEARCH(HALVING));
  g_auto(Run) whole = hunch(dir, "run s.yaml -o whole -j 2");
  g_assert_cmpint(whole.code, ==, 0);
  g_autofree char *file = g_build_filename(dir, "r", "search.json", NULL);
  for (int number = SIGTERM;; number = SIGKILL) {
    GSubprocess *run = begin(dir, "run s.yaml -o r -j 1");
    for (int i = 0; i < 3000 && !g_file_test(file, G_FILE_TEST_EXISTS); i++) g_usleep(10000);
    g_subprocess_send_signal(run, number);
    g_subprocess_wait(run, NULL, NULL);
    g_object_unref(run);
    if (number == SIGKILL) break;
  }
  g_usleep(200000); /* cells of the killed process end by themselves */
  g_auto(Run) rest = hunch(dir, "run s.yaml -o r -j 2");
  g_assert_cmpint(rest.code, ==, 0);
  g_autofree char *a = g_build_filename(dir, "whole", NULL), *b = g_build_filename(dir, "r", NULL);
  same_file(a, b, "search.json");
  for (guint i = 0; i < G_N_ELEMENTS(arms); i++)
    for (int s = 0; s < SEEDS; s++) {
      g_autofree char *in_a = fake_cell_dir(a, arms[i], s), *in_b = fake_cell_dir(b, arms[i], s);
      same_file(in_a, in_b, "metrics.csv"), same_file(in_a, in_b, "trace.bin");
    }
}

static void refuses(void) {
  static const struct {
    const char *halving, *says;
  } wrong[] = {
      {"{root: 7, at: [96, 192]}", "s.yaml:17:19: error: a search needs a root of its own"},
      {"{at: [96, 192]}", "s.yaml:17:12: error: halving: missing key 'root'"},
      {"{root: 9}", "s.yaml:17:12: error: halving: missing key 'at'"},
      {"{root: 9, at: 96}", "s.yaml:17:26: error: 'at:': expected a list of 2 to 32"},
      {"{root: 9, at: [96, 96]}", "s.yaml:17:31: error: 'at: 96': expected frames that rise"},
      {"{root: 9, at: [96, 100, 144]}",
       "s.yaml:17:36: error: 'at: 144': ends with the same update as 100: an update of arm "
       "belief_lr=1e-4 is of 48 frames"},
      {"{root: 9, at: [96, few]}", "s.yaml:17:31: error: 'at: few': expected an integer"},
      {"{root: 9, at: [96, 192], keep: 1}", "s.yaml:17:43: error: 'keep: 1' is out of range"},
      {"{root: 9, at: [96, 192], metric: eval.retrun}",
       "s.yaml:17:45: error: 'metric: eval.retrun': metrics.csv has no such column; did you mean "
       "'eval.return'?"},
      {"{root: 9, at: [96, 192], metric: policy.entropy}",
       "s.yaml:17:45: error: 'metric: policy.entropy': it is not known whether higher is better: "
       "search by another metric"},
      {"{root: 9, at: [96, 192], kep: 0.5}", "unknown key 'kep'; did you mean 'keep'?"},
  };
  g_autoptr(Folder) dir = folder();
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_auto(GStrv) part = g_strsplit(SEARCH("HERE"), "HERE", 2);
    g_autofree char *text = g_strconcat(part[0], wrong[i].halving, part[1], NULL);
    fake_write(dir, "s.yaml", text);
    g_auto(Run) run = hunch(dir, "validate s.yaml");
    g_assert_cmpint(run.code, ==, 2);
    expect(run.err, wrong[i].says);
  }
}

/* Frames that a search would not heed are refused, but for an arm beside it that only evaluates. */
static void refuses_frames(void) {
  static const struct {
    const char *override, *says;
  } wrong[] = {
      {"run.frames=500", "command line: run.frames=500: error: run.frames is what halving's 'at' "
                         "says: change it in s.yaml:17:27\n"},
      {"arms.belief_lr=1e-2.run.frames=0", "is what halving's 'at' says"},
      {"arms.none.run.frames=96", "is what halving's 'at' says"},
  };
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", SEARCH(HALVING));
  for (guint i = 0; i < G_N_ELEMENTS(wrong); i++) {
    g_autofree char *call = g_strconcat("validate s.yaml ", wrong[i].override, NULL);
    g_auto(Run) run = hunch(dir, call);
    g_assert_cmpint(run.code, ==, 2);
    expect(run.err, wrong[i].says);
  }
  g_auto(Run) untrained = hunch(dir, "validate s.yaml arms.none.run.frames=0");
  g_assert_cmpint(untrained.code, ==, 0);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/search/decides", decides);
  g_test_add_func("/search/whole_updates", whole_updates);
  g_test_add_func("/search/says_ties", says_ties);
  g_test_add_func("/search/own_root", own_root);
  g_test_add_func("/search/goes_on", goes_on);
  g_test_add_func("/search/refuses", refuses);
  g_test_add_func("/search/refuses_frames", refuses_frames);
  return g_test_run();
}

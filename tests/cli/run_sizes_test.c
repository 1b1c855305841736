/* run_sizes_test.c - what `hunch validate` says that a cell will take, against the checkpoints that
 * it then writes, and against the bytes of a replay counted by hand. */
#include "cli_fixture.h"
#include "json.h"
#include "short_text.h"
#include <glib/gstdio.h>
#include <string.h>

/* Soft actor-critic that only collects, with a replay of 200 trials of 100 steps: of 2 rows' 300.
 */
#define REPLAY                                                                       \
  "hunch: 1\nname: s\nseeds: {root: 7, count: 1}\nbase:\n"                           \
  "  env: {plugin: point_robot}\n  inference: {plugin: none}\n"                      \
  "  policy: {plugin: sac, hidden: '4', buffer_size: 20000, learning_starts: 1e9}\n" \
  "  run: {frames: 30000, rows: 2, episodes: 1, steps: 100, checkpoint_every: 50}\n" \
  "  evaluation: {tasks: 2}\n"
#define GRID                                                                                    \
  "hunch: 1\nname: s\nseeds: {root: 7, count: 2}\nbase:\n"                                      \
  "  env: {plugin: gridworld}\n  inference: {plugin: none}\n  policy: {plugin: uniform}\n"      \
  "  run: {frames: 600, rows: 4, episodes: 1, checkpoint_every: 1}\n  evaluation: {tasks: 2}\n" \
  "arms:\n  none: {}\n  same: {}\n  third: {}\n  fourth: {}\n"                                  \
  "  oracle: {inference: {plugin: oracle}}\n"

/* What is said of the first arm. */
typedef struct Said {
  double checkpoint, kept, disk, memory;
} Said;

static Said said(const char *dir, const char *overrides) {
  g_autofree char *arguments = g_strconcat("validate s.yaml --json", overrides, NULL);
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != 0) g_error("%s", run.err);
  g_autoptr(JsonObject) o = hn_json_parse("validate", run.out, strlen(run.out), NULL);
  JsonObject *first = json_array_get_object_element(hn_json_array(o, "sizes"), 0);
  return (Said){hn_json_real(first, "checkpoint_bytes", 0),
                hn_json_real(first, "checkpoints_kept", 0), hn_json_real(first, "disk_bytes", 0),
                hn_json_real(first, "memory_bytes", 0)};
}

/* Of the checkpoints in the folder of a cell: how many, and the size of the newest. */
static guint written(const char *dir, const char *cell, double *newest) {
  g_autofree char *path = g_build_filename(dir, "out", cell, "ckpt", NULL);
  g_autoptr(GDir) all = g_dir_open(path, 0, NULL);
  g_autofree char *last = NULL;
  guint count = 0;
  g_assert_nonnull(all);
  for (const char *name; (name = g_dir_read_name(all)); count++)
    if (!last || strcmp(name, last) > 0) g_free(last), last = g_strdup(name);
  g_autofree char *file = g_build_filename(path, last, NULL);
  GStatBuf found;
  g_assert_cmpint(g_stat(file, &found), ==, 0);
  *newest = (double)found.st_size;
  return count;
}

static void run_to_end(const char *dir, const char *arguments) {
  g_auto(Run) run = hunch(dir, arguments);
  if (run.code != 0) g_error("%s", run.err);
}

/* Half way into its replay, a checkpoint is half as long; then as long as was said. */
static void full_replay(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", REPLAY);
  const Said s = said(dir, "");
  double file;
  run_to_end(dir, "run s.yaml -o out run.frames=10000");
  written(dir, "base/0", &file);
  g_assert_cmpfloat(file, <, 0.6 * s.checkpoint);
  run_to_end(dir, "run s.yaml -o out");
  g_assert_cmpuint(written(dir, "base/0", &file), ==, 2);
  g_assert_cmpfloat(s.kept, ==, 2);
  g_assert_cmpfloat(file, <=, s.checkpoint);
  g_assert_cmpfloat(file, >, 0.97 * s.checkpoint);
  g_assert_cmpfloat(s.disk, ==, 3 * s.checkpoint); /* the one that is being written */
}

/* Of each trial more: 100 steps with an observation and an action of two numbers and a reward, all
 * of 4 bytes, and two marks; where it ended; its length, and its place in the ring. */
static void by_hand(void) {
  const double trial = 100 * (4 * (2 + 2 + 1) + 2) + 4 * 2 + 8 + 8;
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", REPLAY);
  const Said a = said(dir, ""), b = said(dir, " policy.buffer_size=50000");
  g_assert_cmpfloat(b.checkpoint - a.checkpoint, ==, 300 * trial);
  g_assert_cmpfloat(b.memory - a.memory, ==, 300 * trial);
}

/* Checkpoints that are kept: the first weights', every third update's, the two newest. */
static void without_replay(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", GRID);
  const Said two = said(dir, ""), s = said(dir, " run.keep_every=3");
  double file;
  g_assert_cmpfloat(two.kept, ==, 2);
  g_assert_cmpfloat(two.checkpoint, ==, s.checkpoint);
  run_to_end(dir, "run s.yaml -o out --arm none run.keep_every=3");
  const guint count = written(dir, "none/0", &file); /* 600 frames are 10 updates of 4 x 15 */
  g_assert_cmpuint(count, ==, 5);
  g_assert_cmpfloat(s.kept, ==, 2 + 4);
  g_assert_cmpfloat(file, <=, s.checkpoint);
  g_assert_cmpfloat(file, >, 0.5 * s.checkpoint); /* much of it is a header */
}

/* Arms that take the same share a line. */
static void text(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", GRID);
  g_auto(Run) run = hunch(dir, "validate s.yaml");
  g_auto(GStrv) line = g_strsplit(run.out, "\n", -1);
  g_assert_cmpint(run.code, ==, 0);
  g_assert_cmpuint(g_strv_length(line), ==, 5);
  g_assert_cmpstr(line[0], ==, "s: cells 10, arms 5, seeds 2, frames 6000");
  g_assert_true(g_regex_match_simple(
      "^arms none, same, third and 1 more: a checkpoint at most [0-9.]+ kB, 2 kept; memory "
      "[0-9.]+ kB plus scratch$",
      line[1], 0, 0));
  g_assert_true(g_str_has_prefix(line[2], "arm oracle: a checkpoint at most "));
  g_assert_true(
      g_regex_match_simple("^all cells: checkpoints at most [0-9]+ kB on disk$", line[3], 0, 0));
}

/* Runs end with whole updates, here of 4 x 15 frames. */
static void rounded_up(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", GRID);
  g_auto(Run) run = hunch(dir, "validate s.yaml run.frames=601");
  expect(run.out, "plus scratch; 601 frames are rounded up to 660, whole updates of 60\n");
  expect(run.out, ", frames 6600\n"); /* of ten cells */
  run_to_end(dir, "run s.yaml -o out --arm none --seed 0 run.frames=601");
  g_autofree char *file = g_build_filename(dir, "out/none/0/run.json", NULL);
  g_autoptr(JsonObject) done = hn_json_read(file, NULL);
  g_assert_cmpint(hn_json_int(done, "frames", 0), ==, 660);
}

/* A study that cannot run has its findings, and no sizes. */
static void wrong(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", GRID);
  g_auto(Run) run = hunch(dir, "validate s.yaml evaluation.split=x --json");
  g_autoptr(JsonObject) o = hn_json_parse("validate", run.out, strlen(run.out), NULL);
  g_assert_cmpint(run.code, ==, 2);
  g_assert_null(hn_json_array(o, "sizes"));
  g_assert_cmpuint(json_array_get_length(hn_json_array(o, "findings")), ==, 5 - 3);
}

/* More than any disk has is said by those who know the folder, and keeps nobody from running. */
static void full_disk(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", GRID);
  g_auto(Run) enough = hunch(dir, "plan s.yaml -o new/out");
  g_assert_cmpstr(enough.err, ==,
                  "hunch plan: warning: arms none, same, third and fourth are the same\n"
                  "new/out: 10 cells, 10 run\n");
  g_auto(Run) plan = hunch(dir, "plan s.yaml -o new/out run.frames=1e14 run.keep_every=1");
  expect(plan.err, "hunch plan: warning: new/out: checkpoints of 10 cells may take ");
  expect(plan.err, " of the disk are free\n");
  g_assert_cmpint(plan.code, ==, 0);
}

/* 12 rows of the 5 goals of a grid of 3 x 3: said before the run, and what the episodes then are.
 */
static void repeated_tasks(void) {
  static const char warning[] =
      "arms none, same, third and 2 more: evaluation.tasks is 12, of 5 different tasks: those that "
      "come again are no trials of their own, and intervals of rates count 5 a seed\n";
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", GRID);
  g_auto(Run) few = hunch(dir, "validate s.yaml env.size=3 evaluation.tasks=5");
  g_assert_null(strstr(few.err, "evaluation.tasks"));
  g_auto(Run) many = hunch(dir, "validate s.yaml env.size=3 evaluation.tasks=12");
  expect(many.err, warning);
  g_auto(Run) run = hunch(dir, "run s.yaml -o out --arm none env.size=3 evaluation.tasks=12");
  expect(run.err, warning);
  g_autofree char *file = g_build_filename(dir, "out/none/0/run.json", NULL),
                  *rows = g_build_filename(dir, "out/none/0", NULL),
                  *text = fake_read(rows, "episodes.csv");
  g_autoptr(JsonObject) o = hn_json_read(file, NULL);
  JsonObject *test = json_array_get_object_element(hn_json_array(o, "tasks"), 0);
  g_assert_cmpstr(hn_json_string(test, "split", NULL), ==, "test");
  g_assert_cmpint(hn_json_int(test, "distinct", 0), ==, 5);
  g_assert_cmpint(hn_json_int(test, "rows", 0), ==, 12);
  g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_auto(GStrv) line = g_strsplit(text, "\n", -1);
  for (char **l = line; *l; l++) {
    const char *task = strstr(*l, ",test,");
    if (g_str_has_prefix(*l, "eval,") && task)
      g_hash_table_add(names, g_strndup(task + 6, strcspn(task + 6, ",")));
  }
  g_assert_cmpuint(g_hash_table_size(names), ==, 5);
}

/* One cell is no cells. */
static void one_cell(void) {
  g_autoptr(Folder) dir = folder();
  fake_write(dir, "s.yaml", GRID);
  g_auto(Run) plan = hunch(dir, "plan s.yaml -o new");
  expect(plan.err, "new: 10 cells, 10 run\n");
  fake_write(dir, "s.yaml", REPLAY);
  g_auto(Run) alone = hunch(dir, "plan s.yaml -o new");
  expect(alone.err, "new: 1 cell, 1 run\n");
  g_assert_cmpstr(hn_plural(0), ==, "s");
  g_assert_cmpstr(hn_is_or_are(1), ==, "is");
}

static void short_bytes(void) {
  static const struct {
    double bytes;
    const char *text;
  } table[] = {{0, "0 B"},        {999, "999 B"},     {1000, "1.00 kB"},   {1240, "1.24 kB"},
               {1241, "1.25 kB"}, {9990, "9.99 kB"},  {9991, "10.0 kB"},   {99900, "99.9 kB"},
               {99901, "100 kB"}, {999000, "999 kB"}, {999001, "1.00 MB"}, {1.1e9, "1.10 GB"},
               {5e17, "500 PB"}};
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *is = hn_short_bytes(table[i].bytes);
    g_assert_cmpstr(is, ==, table[i].text);
  }
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/run-sizes/full-replay", full_replay);
  g_test_add_func("/run-sizes/by-hand", by_hand);
  g_test_add_func("/run-sizes/without-replay", without_replay);
  g_test_add_func("/run-sizes/text", text);
  g_test_add_func("/run-sizes/rounded-up", rounded_up);
  g_test_add_func("/run-sizes/wrong", wrong);
  g_test_add_func("/run-sizes/full-disk", full_disk);
  g_test_add_func("/run-sizes/repeated-tasks", repeated_tasks);
  g_test_add_func("/run-sizes/one-cell", one_cell);
  g_test_add_func("/run-sizes/short-bytes", short_bytes);
  return g_test_run();
}

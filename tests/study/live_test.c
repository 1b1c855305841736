/* live_test.c - a study as it is at a moment: what the files and locks of every cell say, on
 * folders made of files whose locks processes of the test hold. */
#include "lock_fixture.h"
#include "render_live.h"
#include "three_arms_fixture.h"

static char *dir;

static char *path_of(const char *arm, int seed, const char *name) {
  g_autofree char *cell = fake_cell_dir(dir, arm, seed);
  return g_build_filename(cell, name, NULL);
}

static pid_t hold(const char *arm, int seed) {
  g_autofree char *path = path_of(arm, seed, "lock");
  return lock_fixture_hold(path);
}

static void says(const char *arm, int seed, const char *status, const char *reason) {
  g_autofree char *cell = fake_cell_dir(dir, arm, seed);
  g_autofree char *to =
      g_strdup_printf("\"status\": \"%s\", \"reason\": %s", status, reason ? reason : "null");
  fake_patch(cell, "run.json", "\"status\": \"done\", \"reason\": null", to);
}

/* Rows of updates 1 to `last` of 1600 steps: the return is minus the update, evaluated every 5; an
 * update takes half a second, an evaluation two more. */
static void rows(const char *arm, int seed, int last) {
  g_autofree char *cell = fake_cell_dir(dir, arm, seed);
  g_autoptr(GString) metrics = g_string_new("update,frames,eval.return\n");
  g_autoptr(GString) timing = g_string_new("update,frames,collect,learn_policy,evaluate\n");
  for (int u = 1; u <= last; u++) {
    g_autofree char *value = u % 5 ? g_strdup("") : g_strdup_printf("%d", -u);
    g_string_append_printf(metrics, "%d,%d,%s\n", u, 1600 * u, value);
    g_string_append_printf(timing, "%d,%d,0.3,0.2,%d\n", u, 1600 * u, u % 5 ? 0 : 2);
  }
  g_string_append_printf(metrics, "%d,%d", last + 1, 16); /* is being written */
  fake_write(cell, "metrics.csv", metrics->str);
  fake_write(cell, "timing.csv", timing->str);
}

static const HnLiveCell *cell_of(const HnLive *live, int arm, int seed) {
  return live->cells->pdata[arm * 3 + seed];
}

static void begin(void) {
  dir = temporary();
  fake_study(&three, dir);
}

/* One of each state. */
static void test_states(void) {
  static const HnLiveState expected[] = {HN_LIVE_DONE,    HN_LIVE_RUNNING, HN_LIVE_INTERRUPTED,
                                         HN_LIVE_FAILED,  HN_LIVE_WAITING, HN_LIVE_STOPPED,
                                         HN_LIVE_DAMAGED, HN_LIVE_RUNNING, HN_LIVE_INTERRUPTED};
  begin();
  says("inferred", 1, "running", NULL), says("inferred", 2, "running", NULL);
  says("memory only", 0, "failed", "\"took longer\"");
  says("memory only", 2, "running", NULL);
  says("fixed", 1, "failed", "\"before\"");
  says("fixed", 2, "interrupted", "\"after update 5\"");
  g_autofree char *gone = fake_cell_dir(dir, "memory only", 1), *broken = path_of("fixed", 0, "");
  g_autofree char *ckpt = path_of("inferred", 2, "ckpt");
  fake_remove(gone);
  fake_write(broken, "run.json", "{");
  fake_write(ckpt, "00000012.safetensors", "");
  const pid_t running = hold("inferred", 1), stopped = hold("memory only", 2);
  const pid_t again = hold("fixed", 1); /* a failed one that is run again */
  kill(stopped, SIGSTOP);
  int status;
  g_assert_cmpint(waitpid(stopped, &status, WUNTRACED), ==, stopped);
  g_autoptr(HnLive) live = hn_live_read(dir, NULL);
  for (guint i = 0; i < live->cells->len; i++) {
    const HnLiveCell *c = live->cells->pdata[i];
    if (c->state != expected[i]) g_error("cell %u is %s", i, hn_live_state_name(c->state));
  }
  g_assert_cmpint(cell_of(live, 0, 1)->pid, ==, running);
  g_assert_cmpstr(cell_of(live, 0, 1)->host, ==, g_get_host_name());
  g_assert_cmpint(cell_of(live, 1, 2)->pid, ==, stopped);
  g_assert_cmpint(cell_of(live, 0, 0)->pid, ==, 0);
  g_assert_cmpstr(cell_of(live, 0, 0)->host, ==, "h"); /* as run.json says */
  g_assert_null(cell_of(live, 2, 1)->reason);
  g_assert_cmpstr(cell_of(live, 1, 0)->reason, ==, "took longer");
  g_assert_cmpstr(cell_of(live, 0, 2)->reason, ==,
                  "its process ended without a word; it goes on from update 12");
  g_assert_cmpstr(cell_of(live, 2, 2)->reason, ==, "after update 5");
  g_assert_cmpint(live->count[HN_LIVE_INTERRUPTED], ==, 2);
  g_assert_true(hn_live_goes_on(live));
  lock_fixture_end(running), lock_fixture_end(stopped), lock_fixture_end(again);
  g_autoptr(HnLive) after = hn_live_read(dir, NULL);
  g_assert_cmpint(cell_of(after, 0, 1)->state, ==, HN_LIVE_INTERRUPTED);
  g_assert_cmpstr(cell_of(after, 0, 1)->reason, ==,
                  "its process ended without a word, before its first checkpoint");
  g_assert_cmpint(cell_of(after, 2, 1)->state, ==, HN_LIVE_FAILED);
  done(dir);
}

/* Update, speed, time left and the last evaluation of a cell at update 13 of 20: 13 updates of half
 * a second and two evaluations of two. */
static void test_numbers(void) {
  begin();
  says("inferred", 1, "running", NULL), says("inferred", 2, "running", NULL);
  rows("inferred", 1, 13), rows("inferred", 2, 4);
  const pid_t one = hold("inferred", 1), two = hold("inferred", 2);
  g_autofree char *gone = fake_cell_dir(dir, "inferred", 0);
  fake_remove(gone);
  g_autoptr(HnLive) live = hn_live_read(dir, NULL);
  const HnLiveCell *waiting = cell_of(live, 0, 0), *c = cell_of(live, 0, 1);
  g_assert_cmpint(c->update, ==, 13);
  g_assert_cmpint(c->updates, ==, 20);
  g_assert_cmpint(c->frames, ==, 13 * 1600);
  g_assert_cmpfloat_with_epsilon(c->rate, 13 * 1600 / 10.5, 1e-9);
  g_assert_cmpfloat_with_epsilon(c->left, 7 * 10.5 / 13, 1e-9);
  g_assert_cmpfloat(c->metric, ==, -10);
  g_assert_cmpint(c->metric_update, ==, 10);
  g_assert_cmpfloat(c->quiet, ==, 0);
  g_assert_cmpint(cell_of(live, 0, 2)->metric_update, ==, -1);
  g_assert_true(isnan(cell_of(live, 0, 2)->metric));
  g_assert_cmpint(waiting->state, ==, HN_LIVE_WAITING);
  g_assert_cmpint(waiting->updates, ==, 20); /* as long as the others of its arm */
  /* 20 + 7 + 16 updates to go at the speed of both that run */
  const double rate = 13 * 1600 / 10.5 + 4 * 1600 / 2.0;
  g_assert_cmpfloat_with_epsilon(live->left, 43 * 1600 / rate, 1e-9);
  g_autofree char *line = hn_render_live_line(c, "eval.return");
  g_autofree char *expected = g_strdup_printf(
      "inferred/1: running, update 13 of 20 by process %d on %s, 1.98k frames/s, 6s left, "
      "eval.return -10 at update 10",
      one, g_get_host_name());
  g_assert_cmpstr(line, ==, expected);
  lock_fixture_end(one), lock_fixture_end(two);
  done(dir);
}

/* An evaluation that lies far back in a long table; of the speed, that of late updates counts. */
static void test_long(void) {
  enum { UPDATES = 30000, EVALUATED = 20000 };
  begin();
  says("fixed", 0, "running", NULL);
  g_autofree char *cell = fake_cell_dir(dir, "fixed", 0);
  g_autoptr(GString) metrics = g_string_new("update,frames,eval.return\n");
  g_autoptr(GString) timing = g_string_new("update,frames,collect\n");
  for (int u = 1; u <= UPDATES; u++) {
    g_string_append_printf(metrics, "%d,%d,%s\n", u, 10 * u, u == EVALUATED ? "4.25" : "");
    g_string_append_printf(timing, "%d,%d,%s\n", u, 10 * u, u > UPDATES - 1000 ? "0.5" : "7");
  }
  fake_write(cell, "metrics.csv", metrics->str);
  fake_write(cell, "timing.csv", timing->str);
  fake_patch(cell, "config.resolved.yaml", "every: 5", "every: 20000");
  fake_patch(cell, "config.resolved.yaml", "frames: 32000", "frames: 500000");
  const pid_t holder = hold("fixed", 0);
  g_autoptr(HnLiveCell) c = hn_live_cell_read(cell, "fixed", 0, "eval.return");
  g_assert_cmpint(c->update, ==, UPDATES);
  g_assert_cmpint(c->updates, ==, 50000);
  g_assert_cmpint(c->metric_update, ==, EVALUATED);
  g_assert_cmpfloat(c->metric, ==, 4.25);
  g_assert_cmpfloat(c->rate, >, 10 / 7.0);
  lock_fixture_end(holder);
  done(dir);
}

/* What was not said for ten minutes is told. */
static void test_quiet(void) {
  begin();
  says("fixed", 0, "running", NULL);
  rows("fixed", 0, 5);
  const pid_t holder = hold("fixed", 0);
  g_autofree char *cell = fake_cell_dir(dir, "fixed", 0);
  g_autofree char *path = g_build_filename(cell, "metrics.csv", NULL);
  const gint64 then = g_get_real_time() / G_USEC_PER_SEC - 600;
  g_autofree char *touch = g_strdup_printf("touch -d @%" G_GINT64_FORMAT " %s", then, path);
  g_assert_true(g_spawn_command_line_sync(touch, NULL, NULL, NULL, NULL));
  g_autoptr(HnLiveCell) c = hn_live_cell_read(cell, "fixed", 0, "eval.return");
  g_assert_cmpfloat(c->quiet, >=, 600);
  g_assert_cmpfloat(c->quiet, <, 700);
  g_autofree char *line = hn_render_live_line(c, "eval.return");
  g_assert_true(g_str_has_suffix(line, "s") && strstr(line, ": no update for 10m"));
  lock_fixture_end(holder);
  done(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/live/states", test_states);
  g_test_add_func("/live/numbers", test_numbers);
  g_test_add_func("/live/long", test_long);
  g_test_add_func("/live/quiet", test_quiet);
  return g_test_run();
}

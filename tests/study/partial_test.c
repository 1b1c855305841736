/* partial_test.c - a comparison of a study whose cells are on their way: which of them count, and
 * as of which update. */
#include "compare.h"
#include "finding.h"
#include "lock_fixture.h"
#include "render_text.h"
#include "three_arms_fixture.h"

static char *dir;

/* The return of a cell at update u is scale * u + seed * 100, evaluated every 5 updates. */
static void rows(const char *arm, int seed, int last, int scale) {
  g_autofree char *cell = fake_cell_dir(dir, arm, seed);
  g_autoptr(GString) text = g_string_new("update,frames,train.return,eval.return\n");
  for (int u = 1; u <= last; u++) {
    g_autofree char *value = u % 5 ? g_strdup("") : g_strdup_printf("%d", scale * u + seed * 100);
    g_string_append_printf(text, "%d,%d,%d,%s\n", u, 1600 * u, u, value);
  }
  fake_write(cell, "metrics.csv", text->str);
}

/* Makes a cell one that is running, by a process that holds its lock. */
static pid_t begin(const char *arm, int seed, int last, int scale) {
  g_autofree char *cell = fake_cell_dir(dir, arm, seed);
  g_autofree char *lock = g_build_filename(cell, "lock", NULL);
  rows(arm, seed, last, scale);
  fake_patch(cell, "run.json", "\"status\": \"done\"", "\"status\": \"running\"");
  return lock_fixture_hold(lock);
}

static void study(int fixed_last) {
  dir = temporary();
  fake_study(&three, dir);
  for (int s = 0; s < 3; s++) rows("fixed", s, fixed_last, 2), rows("memory only", s, 20, 1);
}

static const HnCompared *first(const HnComparison *c) {
  return c->columns->pdata[0];
}

static void expect(double x, double expected) {
  g_assert_cmpfloat_with_epsilon(x, expected, 1e-12);
}

/* Of the arm `inferred` two cells are at updates 17 and 12 and one has no evaluation: both count at
 * update 10, 3 * 10 and 3 * 10 + 100, against 2 * 10 and 2 * 10 + 100 of the baseline, whose own
 * row is of its end, 2 * 20 + 100 on average. */
static void test_arm_on_its_way(void) {
  study(20);
  const pid_t holder[] = {begin("inferred", 0, 17, 3), begin("inferred", 1, 12, 3),
                          begin("inferred", 2, 4, 3)};
  g_autoptr(HnResults) r = hn_results_read(dir, NULL);
  g_autoptr(HnComparison) c = hn_compare(r, NULL, NULL, NULL);
  const HnCompared *m = first(c);
  g_assert_cmpint(c->counts_at[0], ==, 10);
  g_assert_cmpint(c->counts_at[1], ==, -1);
  g_assert_cmpint(c->counts_at[2], ==, -1);
  g_assert_cmpint(m->estimate[0][HN_VALUE].n, ==, 2);
  expect(m->estimate[0][HN_VALUE].value, 80);
  expect(m->estimate[0][HN_DIFFERENCE].value, 10);
  expect(m->estimate[2][HN_VALUE].value, 140);
  expect(m->estimate[1][HN_DIFFERENCE].value, -20); /* both are done */
  g_assert_cmpuint(c->partial->len, ==, 2);
  g_assert_cmpuint(c->absent->len, ==, 1);
  g_assert_true(g_str_has_prefix(c->partial->pdata[1], "inferred/1: running, update 12 of 20 by "));
  g_autofree char *text = hn_render_text(c);
  g_assert_nonnull(strstr(text, "  inferred (partial)      2  "));
  g_assert_nonnull(strstr(text, "note: partial: inferred at update 10, the last at which"));
  for (int s = 0; s < 3; s++) lock_fixture_end(holder[s]);
  done(dir);
}

/* A column of training, here the update itself, is averaged over the last tenth of the updates that
 * count: of 15 it is 14 and 15, of all 20 it is 19 and 20. */
static void test_training(void) {
  study(20);
  const pid_t holder = begin("inferred", 0, 19, 3);
  for (int s = 1; s < 3; s++) {
    g_autofree char *gone = fake_cell_dir(dir, "inferred", s);
    fake_remove(gone);
  }
  g_autoptr(HnResults) r = hn_results_read(dir, NULL);
  g_autoptr(HnComparison) c = hn_compare(r, NULL, "train.return", NULL);
  g_assert_cmpint(c->counts_at[0], ==, 15);
  expect(first(c)->estimate[0][HN_VALUE].value, 14.5);
  expect(first(c)->estimate[0][HN_DIFFERENCE].value, 0); /* of the same updates */
  expect(first(c)->estimate[2][HN_VALUE].value, 19.5);
  lock_fixture_end(holder);
  done(dir);
}

/* The baseline is on its way: other arms are set against it as of its update. */
static void test_baseline_on_its_way(void) {
  study(20);
  pid_t holder[3];
  for (int s = 0; s < 3; s++) holder[s] = begin("fixed", s, 9, 2);
  g_autoptr(HnResults) r = hn_results_read(dir, NULL);
  g_autoptr(HnComparison) c = hn_compare(r, NULL, NULL, NULL);
  g_autofree char *finding = hn_finding(c);
  g_assert_true(g_str_has_suffix(finding, " So far: not all cells have ended."));
  g_assert_cmpint(c->counts_at[2], ==, 5);
  expect(first(c)->estimate[2][HN_VALUE].value, 110);
  expect(first(c)->estimate[1][HN_VALUE].value, 120);
  expect(first(c)->estimate[1][HN_DIFFERENCE].value, -5);
  for (int s = 0; s < 3; s++) lock_fixture_end(holder[s]);
  done(dir);
}

/* Where a cell of an arm is done, those on their way do not count, and are told. */
static void test_done_first(void) {
  study(20);
  const pid_t holder = begin("memory only", 1, 12, 1);
  g_autoptr(HnResults) r = hn_results_read(dir, NULL);
  g_autoptr(HnComparison) c = hn_compare(r, NULL, NULL, NULL);
  g_assert_cmpint(c->counts_at[1], ==, -1);
  g_assert_cmpint(first(c)->estimate[1][HN_VALUE].n, ==, 2);
  expect(first(c)->estimate[1][HN_VALUE].value, 120); /* 20 and 220 */
  g_assert_cmpuint(c->partial->len, ==, 0);
  g_assert_cmpuint(c->absent->len, ==, 1);
  g_assert_true(
      g_str_has_suffix(c->absent->pdata[0], ", eval.return 110 at update 10")); /* 10 + 100 */
  lock_fixture_end(holder);
  done(dir);
}

/* Nobody has the cell and no checkpoint vouches for its rows: it is not taken for running, nor
 * counted. */
static void test_killed(void) {
  study(20);
  for (int s = 0; s < 3; s++) lock_fixture_end(begin("inferred", s, 12, 3));
  g_autoptr(HnResults) r = hn_results_read(dir, NULL);
  g_autoptr(HnComparison) c = hn_compare(r, NULL, NULL, NULL);
  g_assert_cmpstr(hn_results_cell(r, 0, 0)->status, ==, "interrupted");
  g_assert_cmpint(c->counts_at[0], ==, -1);
  g_assert_cmpint(first(c)->estimate[0][HN_VALUE].n, ==, 0);
  g_assert_cmpuint(c->absent->len, ==, 3);
  done(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/partial/arm_on_its_way", test_arm_on_its_way);
  g_test_add_func("/partial/training", test_training);
  g_test_add_func("/partial/baseline_on_its_way", test_baseline_on_its_way);
  g_test_add_func("/partial/done_first", test_done_first);
  g_test_add_func("/partial/killed", test_killed);
  return g_test_run();
}

/* reach_test.c - frames to reach a value, and means over frames, of curves made by hand. */
#include "error.h"
#include "render_json.h"
#include "render_reach.h"
#include "three_arms_fixture.h"

static const FakeStudy seven = {"noise", arms, 3, 7, 20, 5, 60, "mean"};

/* Evaluations at 100, 200, .. 800 frames, of which the one at 100 (seed + 1) and all later are 4
 * higher; seed 6 never is. */
static void curve(const char *dir, const char *arm, int seed) {
  GString *text = g_string_new("update,frames,eval.return\n");
  for (int k = 1; k <= 8; k++)
    g_string_append_printf(text, "%d,%d,%d\n%d,%d,\n", 2 * k, 100 * k, seed < 6 && k > seed ? 5 : 1,
                           2 * k + 1, 100 * k + 50);
  char *cell = fake_cell_dir(dir, arm, seed);
  fake_write(cell, "metrics.csv", text->str);
  g_free(cell), g_string_free(text, TRUE);
}

/* Six of seven, at 100 .. 600: the interval ends between the first and the second, 11/15 of the way
 * (n = 7: 126/128 and 112/128 around 0.95), and beyond what was run. */
static void frames(void) {
  char *dir = temporary();
  fake_study(&seven, dir);
  for (int i = 0; i < 7; i++) curve(dir, "inferred", i);
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  HnReach *reach = hn_reach(c, 5, NULL);
  g_assert_cmpint(reach->reached[0], ==, 6);
  g_assert_cmpint(reach->frames[0].n, ==, 7);
  g_assert_cmpfloat(reach->frames[0].value, ==, 400);
  g_assert_cmpfloat_with_epsilon(reach->frames[0].low, 100 + 1100 / 15.0, 1e-9);
  g_assert_cmpfloat(reach->frames[0].high, ==, INFINITY);
  /* by trapezoids over 700 frames: seed 0 always 5, seed 6 always 1, seed 3 rises from 300 to 400
   */
  g_assert_cmpfloat(reach->area->final[0], ==, 5);
  g_assert_cmpfloat(reach->area->final[6], ==, 1);
  g_assert_cmpfloat_with_epsilon(reach->area->final[3], (200 * 1 + 100 * 3 + 400 * 5) / 700.0,
                                 1e-12);
  char *text = hn_render_reach(c, reach, HN_SHEET_TEXT);
  g_assert_nonnull(strstr(text, "Frames until eval.return is at least 5"));
  g_assert_nonnull(strstr(text, "6 of 7"));
  g_assert_nonnull(strstr(text, "\nFinal values; differences to "));
  g_assert_null(strstr(text, "Newcombe's")); /* of rates, which are not in these tables */
  g_assert_nonnull(strstr(text, "[173, not reached]"));
  g_assert_nonnull(strstr(text, "eval.return, mean over frames"));
  char *json = hn_render_json(c, NULL, reach);
  g_assert_nonnull(strstr(json, "\"reached\" : 6"));
  hn_reach_free(reach), g_free(text), g_free(json);
  reach = hn_reach(c, 1000, NULL);
  text = hn_render_reach(c, reach, HN_SHEET_TEXT);
  g_assert_cmpint(reach->reached[0], ==, 0);
  g_assert_cmpfloat(reach->frames[0].value, ==, INFINITY);
  g_assert_nonnull(strstr(text, "not reached"));
  hn_reach_free(reach), g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Where lower is better it is reached from above; three seeds have no interval, in words. */
static void below(void) {
  static const char rows[] = "update,frames,eval.reward_l1\n1,10,3\n2,20,2\n3,30,1\n4,40,2\n";
  char *dir = temporary();
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    char *cell = fake_cell_dir(dir, "inferred", i);
    fake_write(cell, "metrics.csv", rows);
    g_free(cell);
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, "eval.reward_l1", NULL);
  HnReach *reach = hn_reach(c, 1.5, NULL);
  g_assert_true(reach->below);
  g_assert_cmpfloat(reach->frames[0].value, ==, 30);
  g_assert_cmpint(reach->frames[0].interval, ==, HN_INTERVAL_NONE);
  char *text = hn_render_reach(c, reach, HN_SHEET_TEXT);
  g_assert_nonnull(strstr(text, "Frames until eval.reward_l1 is at most 1.5"));
  g_assert_nonnull(strstr(text, "No interval of a median below 6 seeds"));
  hn_reach_free(reach), g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/reach/frames", frames);
  g_test_add_func("/reach/below", below);
  return g_test_run();
}

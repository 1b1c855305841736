/* join_test.c - arms of two studies in one comparison. */
#include "error.h"
#include "join.h"
#include "render_text.h"
#include "three_arms_fixture.h"

static const FakeArm others[] = {{"inferred", "glibrl", 20, 4, 1.5, 0.05},
                                 {"late", "gru", 3, 3, 0, 0}};
static const FakeStudy other = {"later", others, 2, 4, 20, 5, 60, "mean"};

static HnResults *joined(char **dir, const char *const *keep, const char *baseline,
                         GError **error) {
  g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func((GDestroyNotify)hn_results_free);
  for (int i = 0; i < 2; i++) g_ptr_array_add(parts, hn_results_read(dir[i], NULL));
  return hn_results_join(parts, keep, baseline, error);
}

static void start(char **dir) {
  dir[0] = temporary(), dir[1] = temporary();
  fake_study(&three, dir[0]), fake_study(&other, dir[1]);
}

/* Names that both have are told apart; the fourth seed of the longer one has no partner; the
 * difference is that of the values in the two folders. */
static void values(void) {
  char *dir[2];
  start(dir);
  GError *error = NULL;
  HnResults *r = joined(dir, NULL, NULL, &error);
  g_assert_no_error(error);
  static const char *const names[] = {"noise/inferred", "memory only", "fixed", "later/inferred",
                                      "late"};
  g_assert_cmpint(r->arm_count, ==, 5);
  g_assert_cmpint(r->seeds, ==, 4);
  for (int a = 0; a < 5; a++) g_assert_cmpstr(r->arms[a], ==, names[a]);
  HnComparison *c = hn_compare(r, NULL, NULL, &error);
  g_assert_no_error(error);
  const HnCompared *m = c->columns->pdata[0];
  g_assert_cmpstr(r->arms[c->baseline], ==, "fixed");
  g_assert_cmpint(c->done, ==, 9 + 8);
  g_assert_cmpint(m->estimate[3][HN_VALUE].n, ==, 4);
  g_assert_cmpint(m->estimate[3][HN_DIFFERENCE].n, ==, 3);
  HnResults *alone[2] = {hn_results_read(dir[0], NULL), hn_results_read(dir[1], NULL)};
  double sum = 0;
  for (int s = 0; s < 3; s++) {
    const HnTable *x = hn_results_cell(alone[1], 0, s)->metrics,
                  *y = hn_results_cell(alone[0], 2, s)->metrics;
    const int64_t at = hn_table_find(x, "eval.return");
    sum += hn_table_at(x, x->rows - 1, at) - hn_table_at(y, y->rows - 1, at);
  }
  g_assert_cmpfloat_with_epsilon(m->estimate[3][HN_DIFFERENCE].value, sum / 3, 1e-12);
  char *text = hn_render_text(c);
  g_assert_nonnull(strstr(text, "noise and later: 5 arms x 4 seeds, 17 of 20 cells done"));
  g_assert_nonnull(strstr(text, "fixed/3: missing: noise has 3 seeds"));
  for (int i = 0; i < 2; i++) hn_results_free(alone[i]);
  g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir[0]), done(dir[1]);
}

static void chosen(void) {
  static const char *const some[] = {"late", "noise/inferred", NULL},
                           *const both[] = {"inferred", NULL}, *const none[] = {"lat", NULL};
  char *dir[2];
  start(dir);
  HnResults *r = joined(dir, some, NULL, NULL);
  g_assert_cmpint(r->arm_count, ==, 2);
  g_assert_cmpstr(r->arms[0], ==, "noise/inferred");
  g_assert_cmpstr(r->report.baseline, ==, "noise/inferred"); /* `fixed` is left out */
  hn_results_free(r);
  r = joined(dir, both, NULL, NULL);
  g_assert_cmpint(r->arm_count, ==, 2);
  hn_results_free(r);
  GError *error = NULL;
  g_assert_null(joined(dir, none, NULL, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_MISSING);
  g_assert_nonnull(strstr(error->message, "no arm 'lat'; did you mean 'late'?"));
  g_error_free(error), done(dir[0]), done(dir[1]);
}

static void refused(void) {
  char *dir[2], *twice[2];
  start(dir);
  GError *error = NULL;
  for (int i = 0; i < 4; i++) {
    char *cell = fake_cell_dir(dir[1], "late", i);
    fake_patch(cell, "config.resolved.yaml", "size: 5", "size: 9");
    g_free(cell);
  }
  g_assert_null(joined(dir, NULL, NULL, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_DIFFERS);
  g_assert_cmpstr(error->message, ==,
                  "these studies cannot be compared: later/late and fixed differ in env.size: 9 "
                  "and 5");
  g_clear_error(&error);
  g_assert_null(joined(dir, NULL, "late", &error));
  g_assert_nonnull(strstr(error->message, "noise/inferred and late differ in env.size: 5 and 9"));
  g_clear_error(&error);
  twice[0] = twice[1] = dir[0];
  g_assert_null(joined(twice, NULL, NULL, &error));
  g_assert_nonnull(strstr(error->message, "is there twice"));
  g_error_free(error), done(dir[0]), done(dir[1]);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/join/values", values);
  g_test_add_func("/join/chosen", chosen);
  g_test_add_func("/join/refused", refused);
  return g_test_run();
}

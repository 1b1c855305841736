/* compare_tasks_test.c - a comparison by task from hand-made episodes, and the protocol beside
 * numbers. */
#include "csv.h"
#include "error.h"
#include "render_csv.h"
#include "render_json.h"
#include "render_text.h"
#include "report_fixture.h"
#include "results_fixture.h"

static const FakeArm arms[] = {{"inferred", "glibrl", 12, 4, 0, 0},
                               {"memory only", "gru", 9, 3, 0, 0},
                               {"fixed", "glibrl", 10, 3, 0, 0}};
static const FakeStudy three = {"noise", arms, 3, 3, 20, 5, 60, "mean"};

/* Of seeds 0, 1, 2: stats_test's paired3, whose 95 % t interval is scipy's. */
static const double x[] = {3.1, -0.4, 7.25}, y[] = {2, 0.1, 6};

/* A cell whose last evaluation pays `level` for the task of an awkward name, and 1 for `push`,
 * which one goal of two reaches; before it stands what must not be counted. */
static void episodes(const char *dir, const char *arm, int seed, double level) {
  char *cell = fake_cell_dir(dir, arm, seed);
  char *text = g_strdup_printf(
      "phase,update,arm,seed,split,task,row,trial_episode,length,return,success\n"
      "eval,19,%s,%d,test,push,0,0,5,1000,1\n"
      "%s" /* an update may end no episode of training */
      "adapt,20,%s,%d,test,push,0,0,5,1000,1\n"
      "eval,20,%s,%d,test,\"open, \"\"wide\"\"\",0,1,5,%.17g,0\n"
      "eval,20,%s,%d,test,push,1,1,5,0.5,1\n"
      "eval,20,%s,%d,test,\"open, \"\"wide\"\"\",0,2,5,%.17g,nan\n"
      "uncounted,20,%s,%d,test,push,1,2,5,1000,1\n"
      "eval,20,%s,%d,test,push,3,1,5,1.5,0\n"
      "eval,20,%s,%d,train,push,0,1,5,7,1\n"
      "eval,20,%s,%d,train,push,0,2,5,10", /* the last line is still being written */
      arm, seed, seed ? "" : "train,20,x,0,train,push,0,0,5,1000,1\n", arm, seed, arm, seed,
      level - 1, arm, seed, arm, seed, level + 1, arm, seed, arm, seed, arm, seed, arm, seed);
  fake_write(cell, "episodes.csv", text);
  g_free(text), g_free(cell);
}

static char *study(void) {
  char *dir = g_dir_make_tmp("hunch-tasks-XXXXXX", NULL);
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) episodes(dir, "inferred", i, x[i]), episodes(dir, "fixed", i, y[i]);
  return dir;
}

static void done(char *dir) {
  fake_remove(dir);
  g_free(dir);
}

static const HnTaskComparison *table(const GPtrArray *all, guint i, const char *split,
                                     const char *column, guint rows) {
  const HnTaskComparison *b = all->pdata[i];
  g_assert_cmpstr(b->split, ==, split);
  g_assert_cmpstr(b->column, ==, column);
  g_assert_cmpuint(b->rows->len, ==, rows);
  return b;
}

static const HnCompared *row(const HnTaskComparison *b, guint i, const char *task) {
  const HnCompared *m = b->rows->pdata[i];
  g_assert_cmpstr(m->column, ==, task);
  return m;
}

/* Arm 0 is `inferred`, arm 1 has no episodes, arm 2 is the baseline. */
static void values(void) {
  char *dir = study();
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_compare_tasks(c, NULL);
  g_assert_cmpuint(all->len, ==, 4);
  const HnTaskComparison *paid = table(all, 1, "test", "return", 3);
  const HnCompared *open = row(paid, 0, "open, \"wide\""), *push = row(paid, 1, "push"),
                   *mean = row(paid, 2, "mean of 2");
  g_assert_cmpfloat_with_epsilon(open->estimate[0][HN_VALUE].value, 3.3166666666666664, 1e-12);
  g_assert_cmpfloat_with_epsilon(open->estimate[0][HN_DIFFERENCE].value, 0.6166666666666667, 1e-12);
  g_assert_cmpfloat_with_epsilon(open->estimate[0][HN_DIFFERENCE].low, -1.7928615466618694, 1e-12);
  g_assert_cmpfloat_with_epsilon(open->estimate[0][HN_DIFFERENCE].high, 3.0261948799952028, 1e-12);
  g_assert_cmpfloat_with_epsilon(push->estimate[2][HN_VALUE].value, 1, 1e-15);
  g_assert_cmpint(push->estimate[1][HN_VALUE].n, ==, 0);
  /* half of the difference of one task, as the other task has none */
  g_assert_cmpfloat_with_epsilon(mean->estimate[0][HN_VALUE].value, (3.3166666666666664 + 1) / 2,
                                 1e-12);
  g_assert_cmpfloat_with_epsilon(mean->estimate[0][HN_DIFFERENCE].high, 3.0261948799952028 / 2,
                                 1e-12);
  g_assert_cmpstr(open->unit, ==, "reward per episode");
  g_assert_cmpint(open->better, ==, 1);
  const HnTaskComparison *reached = table(all, 0, "test", "success", 3);
  g_assert_cmpfloat_with_epsilon(row(reached, 1, "push")->estimate[0][HN_VALUE].value, 0.5, 1e-15);
  /* Wilson's of six trials, two a seed */
  g_assert_cmpfloat_with_epsilon(row(reached, 1, "push")->estimate[0][HN_VALUE].low,
                                 0.0654801139409694, 1e-12);
  g_assert_cmpfloat_with_epsilon(row(reached, 0, "open, \"wide\"")->estimate[0][HN_VALUE].value, 0,
                                 1e-15);
  g_assert_cmpfloat_with_epsilon(row(reached, 2, "mean of 2")->estimate[0][HN_VALUE].value, 0.25,
                                 1e-15);
  g_assert_cmpfloat_with_epsilon(row(table(all, 3, "train", "return", 2), 0, "push")->final[0], 7,
                                 1e-15);
  g_ptr_array_unref(all), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Of a split that names a task the others have their numbers; what has no name at all is left out.
 * A name of which there are fewer different tasks than trials counts these. */
static void unnamed(void) {
  char *dir = g_dir_make_tmp("hunch-tasks-XXXXXX", NULL);
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    g_autofree char *cell = fake_cell_dir(dir, "fixed", i);
    fake_write(cell, "episodes.csv",
               "phase,update,split,task,trial_episode,return,success\n"
               "eval,20,test,3,1,5,1\neval,20,test,push,1,7,1\neval,20,test,push,1,7,1\n"
               "eval,20,test,,1,9,1\neval,20,train,4,1,9,1\n");
    fake_patch(cell, "run.json", "\"protocol\"",
               "\"tasks\": [{\"split\": \"test\", \"rows\": 4, \"distinct\": 3, \"by_name\": 1}], "
               "\"protocol\"");
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_compare_tasks(c, NULL);
  g_assert_cmpuint(all->len, ==, 2);
  const HnTaskComparison *reached = table(all, 0, "test", "success", 3),
                         *paid = table(all, 1, "test", "return", 3);
  g_assert_cmpfloat(row(paid, 0, "task 3")->final[6], ==, 5);
  g_assert_cmpfloat(row(paid, 2, "mean of 2")->final[6], ==, 6);
  /* Wilson's of three trials won, one a seed: 3 / (3 + t^2) */
  g_assert_cmpfloat_with_epsilon(row(reached, 1, "push")->estimate[2][HN_VALUE].low,
                                 3 / (3 + 18.51282051282052), 1e-9);
  g_ptr_array_unref(all), hn_comparison_free(c), hn_results_free(r), done(dir);
}

static const HnCompared *score(const HnTaskComparison *b, const char *name) {
  for (guint i = 0; i < b->scores->len; i++) {
    const HnCompared *m = b->scores->pdata[i];
    if (g_str_equal(m->column, name)) return m;
  }
  return NULL;
}

/* Of the six scores 3.1, -0.4, 7.25 and three times 1: by hand, beside rliable's in
 * task_scores_test. */
static void scores(void) {
  char *dir = study();
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  c->target = 2;
  GPtrArray *all = hn_compare_tasks(c, NULL);
  const HnTaskComparison *paid = table(all, 1, "test", "return", 3);
  const HnCompared *iqm = score(paid, "iqm"), *better = score(paid, "improvement");
  g_assert_cmpuint(paid->scores->len, ==, 4);
  g_assert_cmpfloat_with_epsilon(iqm->estimate[0][HN_VALUE].value, (3 + 3.1) / 4, 1e-12);
  g_assert_cmpfloat_with_epsilon(iqm->estimate[2][HN_VALUE].value, 5.0 / 4, 1e-12);
  g_assert_cmpfloat_with_epsilon(iqm->estimate[0][HN_DIFFERENCE].value, 1.1 / 4, 1e-12);
  g_assert_cmpint(iqm->estimate[0][HN_DIFFERENCE].interval, ==, HN_INTERVAL_JACKKNIFE);
  g_assert_cmpint(iqm->estimate[1][HN_VALUE].n, ==, 0);
  /* 5 of 9 pairs on one task, ties on the other */
  g_assert_cmpfloat_with_epsilon(better->estimate[0][HN_VALUE].value, (5 / 9.0 + 0.5) / 2, 1e-12);
  g_assert_cmpint(better->estimate[2][HN_VALUE].n, ==, 0);
  g_assert_cmpfloat_with_epsilon(score(paid, "optimality gap")->estimate[0][HN_VALUE].value,
                                 2 - (2 - 0.4 + 2 + 3) / 6, 1e-12);
  g_assert_cmpfloat_with_epsilon(paid->level[0], -0.4, 1e-12);
  g_assert_cmpfloat(paid->level[HN_PROFILE_LEVELS - 1], ==, 7.25);
  g_assert_cmpfloat_with_epsilon(paid->profile[0], 5 / 6.0,
                                 1e-12); /* above the smallest: the rest */
  g_assert_cmpfloat(paid->profile[2 * HN_PROFILE_LEVELS], ==, 1);
  g_assert_true(isnan(paid->profile[HN_PROFILE_LEVELS]));
  g_ptr_array_unref(all), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* A number is no name.  A task that a cell lacks takes that cell out of the mean over tasks. */
static void lacking(void) {
  char *dir = study(), *cell = fake_cell_dir(dir, "inferred", 1);
  fake_patch(cell, "episodes.csv", "test,push,1,1", "test,,1,1");
  fake_patch(cell, "episodes.csv", "test,push,3,1", "test,,3,1");
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_compare_tasks(c, NULL);
  const HnTaskComparison *paid = table(all, 1, "test", "return", 3);
  g_assert_cmpint(row(paid, 0, "open, \"wide\"")->estimate[0][HN_VALUE].n, ==, 3);
  g_assert_cmpint(row(paid, 1, "push")->estimate[0][HN_VALUE].n, ==, 2);
  g_assert_cmpint(row(paid, 2, "mean of 2")->estimate[0][HN_VALUE].n, ==, 2);
  g_assert_cmpint(row(paid, 2, "mean of 2")->estimate[2][HN_VALUE].n, ==, 3);
  g_ptr_array_unref(all);
  GError *error = NULL;
  fake_patch(cell, "episodes.csv", "eval,20,inferred,1,train,push,0,1,5,7,1", "eval,20,inf");
  g_assert_null(hn_compare_tasks(c, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_FILE);
  g_assert_nonnull(strstr(error->message, "inferred/1/episodes.csv:9: 3 fields, expected 11 as"));
  g_error_free(error), g_free(cell);
  hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Episodes with sampled actions are a table of their own. */
static void drawn(void) {
  char *dir = study();
  for (int i = 0; i < 3; i++) {
    char *cell = fake_cell_dir(dir, "inferred", i);
    fake_patch(cell, "episodes.csv", "uncounted,20", "drawn,20");
    g_free(cell);
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_compare_tasks(c, NULL);
  g_assert_cmpuint(all->len, ==, 6);
  g_assert_cmpfloat(row(table(all, 2, "test, drawn", "success", 2), 0, "push")->final[0], ==, 1);
  g_assert_cmpfloat(row(table(all, 3, "test, drawn", "return", 2), 0, "push")->final[0], ==, 1000);
  g_assert_cmpfloat(row(table(all, 0, "test", "success", 3), 1, "push")->final[0], ==, 0.5);
  g_ptr_array_unref(all), hn_comparison_free(c), hn_results_free(r), done(dir);
}

static void shown(void) {
  char *dir = study();
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_compare_tasks(c, NULL);
  char *text = hn_render_tasks(c, all, HN_SHEET_TEXT), *csv = hn_render_csv_tasks(c, all);
  char *json = hn_render_json(c, all, NULL), **lines = g_strsplit(text, "\n", -1);
  for (char **l = lines; *l; l++) g_assert_cmpint(g_utf8_strlen(*l, -1), <=, 100);
  g_assert_nonnull(strstr(text, "\nsuccess by task, split test\n"));
  g_assert_nonnull(strstr(text, "\nFinal values; intervals: "));
  g_assert_null(strstr(text, "differences to")); /* there are none in these tables */
  g_assert_nonnull(strstr(text, "\nreturn by task, split train\n"));
  g_assert_nonnull(strstr(text, "  mean of 2       0.25"));
  char **rows = g_strsplit(csv, "\n", -1);
  /* two tasks, their mean, then median, iqm, improvement and, of success, the optimality gap */
  g_assert_cmpuint(g_strv_length(rows), ==, 1 + 3 * (3 + 4 + 3 + 3 + 2 + 2) + 1);
  g_assert_cmpstr(rows[1 + 3 * (3 + 4)], ==,
                  "test,return,\"open, \"\"wide\"\"\",inferred,3,3.316666667,-6.196586197,"
                  "12.82991953,0.6166666667,-1.792861547,3.02619488,3.1,-0.4,7.25");
  g_assert_cmpstr(rows[2 + 3 * (3 + 4)], ==,
                  "test,return,\"open, \"\"wide\"\"\",memory only,0,,,,,,,,,");
  g_assert_nonnull(strstr(json, "\"column\" : \"open, \\\"wide\\\"\""));
  g_assert_nonnull(strstr(json, "\"profile\""));
  g_strfreev(lines), g_strfreev(rows), g_free(text), g_free(csv), g_free(json);

  char *page = g_build_filename(dir, "report.html", NULL);
  GError *error = NULL;
  g_assert_true(write_report(r, page, &error));
  char *html = fake_read(dir, "report.html"), *beside = fake_read(dir, "report/tasks.csv");
  g_assert_nonnull(strstr(html, "<th>open, &quot;wide&quot;</th>"));
  g_assert_nonnull(strstr(html, "href=\"report/tasks.csv\""));
  g_assert_nonnull(strstr(html, "protocol: trial: 2 episodes of the policy&apos;s mode"));
  g_assert_nonnull(strstr(html, "environment: gridworld 1.0 on libmujoco.so.2.2.2"));
  g_assert_true(g_str_has_prefix(beside, "split,column,task,arm,seeds,value,"));
  g_free(html), g_free(beside), g_free(page);
  g_ptr_array_unref(all), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Where arms were counted by different protocols each is named, and no difference is taken; of
 * different simulators nothing is compared. */
static void protocols(void) {
  char *dir = study(), *cell = NULL;
  for (int i = 0; i < 3; i++) {
    g_free(cell);
    cell = fake_cell_dir(dir, "inferred", i);
    fake_patch(cell, "config.resolved.yaml", "tasks: 20", "tasks: 20\n  protocol: sdvt");
    fake_patch(cell, "run.json", "trial: 2 episodes of the policy's mode", "sdvt: 10");
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  char *text = hn_render_text(c);
  g_assert_nonnull(strstr(text, "\nenvironment: gridworld 1.0 on libmujoco.so.2.2.2\n"));
  g_assert_nonnull(strstr(text, "\nprotocol of inferred: sdvt: 10\n"));
  g_assert_nonnull(
      strstr(text, "\nprotocol of memory only, fixed: trial: 2 episodes of the policy's mode\n"));
  g_assert_nonnull(strstr(text, "inferred is not set against the baseline: evaluation.protocol"));
  GPtrArray *all = hn_compare_tasks(c, NULL);
  const HnTaskComparison *paid = table(all, 1, "test", "return", 3);
  g_assert_cmpint(row(paid, 0, "open, \"wide\"")->estimate[0][HN_DIFFERENCE].n, ==, 0);
  g_ptr_array_unref(all), g_free(text), hn_comparison_free(c), hn_results_free(r);
  fake_patch(cell, "run.json", "\"protocol\"", "\"simulator\": \"MuJoCo 3.3.0\", \"protocol\"");
  r = hn_results_read(dir, NULL);
  GError *error = NULL;
  g_assert_null(hn_compare(r, NULL, NULL, &error));
  g_assert_nonnull(strstr(error->message, "and MuJoCo 3.3.0 in inferred/2"));
  g_error_free(error), hn_results_free(r), g_free(cell), done(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/tasks/unnamed", unnamed);
  g_test_add_func("/tasks/values", values);
  g_test_add_func("/tasks/scores", scores);
  g_test_add_func("/tasks/lacking", lacking);
  g_test_add_func("/tasks/drawn", drawn);
  g_test_add_func("/tasks/shown", shown);
  g_test_add_func("/tasks/protocols", protocols);
  return g_test_run();
}

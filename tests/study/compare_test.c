/* compare_test.c - a study folder made of files, compared: numbers, refusals, text and JSON. */
#include "error.h"
#include "format.h"
#include "metric_info.h"
#include "render_json.h"
#include "render_text.h"
#include "three_arms_fixture.h"
#include <string.h>

static HnCompared *column(const HnComparison *c, const char *name) {
  for (guint i = 0; i < c->columns->len; i++) {
    HnCompared *m = c->columns->pdata[i];
    if (g_str_equal(m->column, name)) return m;
  }
  return NULL;
}

static void refuses(const char *dir, const char *baseline, const char *metric, int code,
                    const char *says) {
  GError *error = NULL;
  HnResults *r = hn_results_read(dir, &error);
  g_assert_no_error(error);
  g_assert_null(hn_compare(r, baseline, metric, &error));
  g_assert_error(error, HN_ERROR, code);
  if (!strstr(error->message, says)) g_test_message("said: %s", error->message);
  g_assert_nonnull(strstr(error->message, says));
  g_clear_error(&error);
  hn_results_free(r);
}

/* Writes the metrics of a cell: one evaluation. */
static void values(const char *dir, const char *arm, int seed, const char *row) {
  char *cell = fake_cell_dir(dir, arm, seed);
  char *text = g_strdup_printf("update,frames,eval.return,eval.reward_l1\n1,10,5,5\n%s\n", row);
  fake_write(cell, "metrics.csv", text);
  g_free(text);
  g_free(cell);
}

/* The same numbers as stats_test's paired3: x = 3.1, -0.4, 7.25 against y = 2, 0.1, 6; the 95 % t
 * interval of their mean difference is scipy's. */
static void compares(void) {
  static const char *const x[] = {"2,20,3.1,", "2,20,-0.4,1", "2,20,7.25,2"}, *const y[] = {
                                                                                  "2,20,2,3",
                                                                                  "2,20,0.1,nan",
                                                                                  "2,20,6,4"};
  char *dir = temporary();
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) values(dir, "inferred", i, x[i]), values(dir, "fixed", i, y[i]);
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  HnCompared *m = column(c, "eval.return");
  g_assert_cmpint(c->baseline, ==, 2);
  g_assert_cmpint(c->done, ==, 9);
  g_assert_cmpfloat_with_epsilon(m->estimate[0][HN_VALUE].value, 3.3166666666666664, 1e-12);
  g_assert_cmpfloat_with_epsilon(m->estimate[0][HN_DIFFERENCE].value, 0.6166666666666667, 1e-12);
  g_assert_cmpfloat_with_epsilon(m->estimate[0][HN_DIFFERENCE].low, -1.7928615466618694, 1e-12);
  g_assert_cmpfloat_with_epsilon(m->estimate[0][HN_DIFFERENCE].high, 3.0261948799952028, 1e-12);
  g_assert_cmpstr(hn_compared_verdict(m, 0), ==, "unclear");
  g_assert_cmpstr(hn_compared_verdict(m, 2), ==, "");
  /* an empty field is no number: the evaluation before counts; nan is the final value */
  HnCompared *l1 = column(c, "eval.reward_l1");
  g_assert_cmpfloat_with_epsilon(l1->final[0], 5, 1e-15);
  g_assert_cmpint(l1->estimate[0][HN_VALUE].n, ==, 3);
  g_assert_cmpint(l1->estimate[2][HN_VALUE].n, ==, 2);
  g_assert_cmpint(l1->estimate[0][HN_DIFFERENCE].n, ==, 2);
  g_assert_cmpint(l1->estimate[0][HN_DIFFERENCE].interval, ==, HN_INTERVAL_NONE);
  hn_comparison_free(c);
  hn_results_free(r);
  done(dir);
}

static HnComparison *compared(const HnResults *r, char **text) {
  GError *error = NULL;
  HnComparison *c = hn_compare(r, NULL, NULL, &error);
  g_assert_no_error(error);
  *text = hn_render_text(c);
  return c;
}

/* All seeds always succeed at the 20 tasks of the evaluation: Wilson's of 60 trials. */
static void success(void) {
  char *dir = temporary(), *text;
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    char *cell = fake_cell_dir(dir, "inferred", i);
    fake_write(cell, "metrics.csv", "update,frames,eval.return,eval.success\n2,20,5,1\n");
    g_free(cell);
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = compared(r, &text);
  const HnEstimate *e = &column(c, "eval.success")->estimate[0][HN_VALUE];
  g_assert_cmpfloat_with_epsilon(e->low, 0.764206401045069, 1e-12);
  g_assert_cmpfloat(e->high, ==, 1);
  g_assert_nonnull(strstr(text, "intervals: Student's t, Wilson's, Newcombe's."));
  g_assert_nonnull(strstr(text, "note: Wilson's: trials as the seeds' variance allows"));
  g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* The 20 trials of a seed are of 5 different tasks, which run.json says: Wilson's of 15 trials ends
 * at 15 / (15 + t^2). */
static void repeated_tasks(void) {
  char *dir = temporary(), *text;
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    g_autofree char *cell = fake_cell_dir(dir, "inferred", i);
    fake_write(cell, "metrics.csv", "update,frames,eval.return,eval.success\n2,20,5,1\n");
    fake_patch(cell, "run.json", "\"protocol\"",
               "\"tasks\": [{\"split\": \"test\", \"rows\": 20, \"distinct\": 5, \"by_name\": 1}, "
               "{\"split\": "
               "\"train\", \"rows\": 20, \"distinct\": 7, \"by_name\": 2}], \"protocol\"");
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = compared(r, &text);
  const HnEstimate *e = &column(c, "eval.success")->estimate[0][HN_VALUE];
  g_assert_cmpfloat_with_epsilon(e->low, 15 / (15 + 18.51282051282052), 1e-9);
  g_assert_nonnull(strstr(text, "note: The 20 trials of a seed's evaluation are of 5 different "
                                "tasks: rates count 5 a seed."));
  const HnMetricTasks train = hn_metric_tasks(r, "train");
  g_assert_true(train.rows == 20 && train.distinct == 7 && train.by_name == 2);
  g_autofree char *tasks = hn_metric_tasks_text(r);
  g_assert_cmpstr(tasks, ==, "5 held-out tasks in 20 trials a seed");
  g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Three medians have no interval, whatever they are, and are not judged. */
static void medians(void) {
  FakeStudy of = three;
  of.aggregate = "median";
  char *dir = temporary();
  fake_study(&of, dir);
  static const char *const far[] = {"2,20,101,", "2,20,104,", "2,20,103,"};
  for (int i = 0; i < 3; i++)
    values(dir, "inferred", i, far[i]), values(dir, "fixed", i, "2,20,1,");
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  HnCompared *m = column(c, "eval.return");
  g_assert_cmpfloat(m->estimate[0][HN_DIFFERENCE].value, ==, 102);
  g_assert_cmpstr(hn_compared_verdict(m, 0), ==, "");
  char *text = hn_render_text(c);
  g_assert_nonnull(strstr(text, "No interval of a median below 6 seeds"));
  g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Differences whose t are 5 and 6 of two degrees of freedom: each alone leaves out 0, p is 0.0377
 * and 0.0267, and of two by Holm 0.0533 for both. */
static void adjusted(void) {
  static const double t[] = {5, 6}, off[] = {-1, 0, 1};
  static const char *const arm[] = {"inferred", "memory only"};
  char *dir = temporary(), *text;
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    for (int a = 0; a < 2; a++) {
      char *row = g_strdup_printf("2,20,%.17g,", 100 * i + t[a] / sqrt(3) + off[i]);
      values(dir, arm[a], i, row);
      g_free(row);
    }
    char *base = g_strdup_printf("2,20,%d,", 100 * i);
    values(dir, "fixed", i, base);
    g_free(base);
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = compared(r, &text);
  HnCompared *m = column(c, "eval.return");
  g_assert_true(m->adjusted && m->family == 2 && isnan(m->p[2]));
  for (int a = 0; a < 2; a++) {
    g_assert_cmpfloat(m->estimate[a][HN_DIFFERENCE].low, >, 0);
    g_assert_cmpfloat_with_epsilon(m->p[a], 2 * 0.026671473215424, 1e-9);
    g_assert_cmpstr(hn_compared_verdict(m, a), ==, "unclear");
  }
  g_assert_nonnull(strstr(text, "Verdicts are adjusted for the 2 differences of a metric (Holm)"));
  char *json = hn_render_json(c, NULL, NULL);
  g_assert_nonnull(strstr(json, "\"adjust\" : \"holm\""));
  g_assert_nonnull(strstr(json, "\"p_adjusted\" : 0.0533"));
  g_free(json), g_free(text), hn_comparison_free(c);
  r->report.adjust = HN_ADJUST_NONE;
  c = compared(r, &text);
  m = column(c, "eval.return");
  for (int a = 0; a < 2; a++) g_assert_cmpstr(hn_compared_verdict(m, a), ==, "better");
  g_assert_nonnull(strstr(text, "differences are not adjusted for being many"));
  g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Three pairs that all differ by 2 are no certainty: no interval, no verdict, and why in words. */
static void constant(void) {
  static const char *const x[] = {"2,20,3,", "2,20,5,", "2,20,9,"}, *const y[] = {"2,20,1,",
                                                                                  "2,20,3,",
                                                                                  "2,20,7,"};
  char *dir = temporary(), *text;
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) values(dir, "inferred", i, x[i]), values(dir, "fixed", i, y[i]);
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = compared(r, &text);
  const HnCompared *m = column(c, "eval.return");
  g_assert_cmpfloat(m->estimate[0][HN_DIFFERENCE].value, ==, 2);
  g_assert_cmpint(m->estimate[0][HN_DIFFERENCE].interval, ==, HN_INTERVAL_NONE);
  g_assert_cmpstr(hn_compared_verdict(m, 0), ==, "");
  g_assert_nonnull(strstr(text, "No interval where all seeds have, or differ by, the same"));
  g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Scores that are said to be skewed: means without an interval, and why in words. */
static void skewed(void) {
  char *dir = temporary(), *text;
  fake_study(&three, dir);
  HnResults *r = hn_results_read(dir, NULL);
  r->report.scores = HN_SHAPE_SKEWED;
  HnComparison *c = compared(r, &text);
  const HnCompared *m = column(c, "eval.return");
  g_assert_cmpint(m->estimate[0][HN_VALUE].interval, ==, HN_INTERVAL_NONE);
  g_assert_cmpint(m->estimate[0][HN_DIFFERENCE].interval, ==, HN_INTERVAL_T);
  g_assert_nonnull(strstr(text, "No interval of an arm's mean: it would not hold for skewed"));
  g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* What arms of unequal seeds leave to be said: one without any number, one with fewer than the
 * baseline. */
static void unequal_seeds(void) {
  static const char *const x[] = {"2,20,nan,", "2,20,nan,", "2,20,nan,"}, *const y[] = {
                                                                              "2,20,1,",
                                                                              "2,20,nan,",
                                                                              "2,20,inf,"};
  char *dir = temporary(), *text;
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    values(dir, "inferred", i, x[i]), values(dir, "memory only", i, y[i]);
    values(dir, "fixed", i, "2,20,0,");
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = compared(r, &text);
  g_assert_nonnull(strstr(text, "inferred: 3 of 3 done cells have no finite eval.return."));
  g_assert_nonnull(strstr(text, "memory only: 2 of 3 done cells have no finite eval.return."));
  g_assert_nonnull(strstr(text, "memory only has 1 seed and fixed 3: their difference is over the"
                                " 1 in common."));
  g_assert_nonnull(strstr(text, "No interval below 3 seeds"));
  g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Cells of one index whose seeds differ are no pair, and cells of one seed are, wherever they
 * stand: the baseline's are 1000 .. 1002. */
static void pairs_by_seed(void) {
  static const char *const seeds[] = {"1001", "1002", "7"}, *const other[] = {"5", "6", "8"};
  static const char *const x[] = {"2,20,11,", "2,20,22,", "2,20,99,"}, *const y[] = {"2,20,500,",
                                                                                     "2,20,10,",
                                                                                     "2,20,20,"};
  char *dir = temporary(), *text;
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    char *cell = fake_cell_dir(dir, "inferred", i), *none = fake_cell_dir(dir, "memory only", i);
    char *own = g_strdup_printf("\"seed\": \"%d\"", 1000 + i);
    char *to = g_strdup_printf("\"seed\": \"%s\"", seeds[i]);
    char *away = g_strdup_printf("\"seed\": \"%s\"", other[i]);
    fake_patch(cell, "run.json", own, to), fake_patch(none, "run.json", own, away);
    values(dir, "inferred", i, x[i]), values(dir, "fixed", i, y[i]);
    g_free(cell), g_free(none), g_free(own), g_free(to), g_free(away);
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = compared(r, &text);
  const HnEstimate *d = &column(c, "eval.return")->estimate[0][HN_DIFFERENCE];
  g_assert_cmpint(d->n, ==, 2);
  g_assert_cmpfloat(d->value, ==, 1.5); /* of 11 - 10 and 22 - 20 */
  g_assert_cmpint(column(c, "eval.return")->estimate[1][HN_DIFFERENCE].n, ==, 0);
  g_assert_nonnull(strstr(text, "memory only has no seed in common with fixed: no difference."));
  g_assert_nonnull(
      strstr(text, "inferred has 3 seeds and fixed 3: their difference is over the 2"));
  g_free(text), hn_comparison_free(c);
  c = hn_compare(r, "memory only", NULL, NULL);
  text = hn_render_text(c);
  g_assert_nonnull(strstr(text, "Final values; no differences to memory only; intervals: "));
  g_assert_null(strstr(text, "paired"));
  g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
}

static void text_and_json(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  char *cell = fake_cell_dir(dir, "memory only", 1);
  fake_patch(cell, "run.json", "\"done\", \"reason\": null",
             "\"failed\", \"reason\": \"the return is NaN at update 7\"");
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  char *text = hn_render_text(c);
  char **lines = g_strsplit(text, "\n", -1);
  for (char **l = lines; *l; l++) g_assert_cmpint(g_utf8_strlen(*l, -1), <=, 100);
  g_assert_nonnull(strstr(text, "8 of 9 cells done"));
  g_assert_nonnull(strstr(text, "memory only/1: failed: the return is NaN at update 7"));
  g_assert_nonnull(strstr(text, "eval.return  (reward per episode; higher is better)"));
  g_assert_nonnull(strstr(text, "baseline"));
  g_assert_nonnull(strstr(text, "No interval below 3 seeds"));
  g_strfreev(lines);
  g_free(text);

  char *json = hn_render_json(c, NULL, NULL);
  JsonNode *root = json_from_string(json, NULL);
  JsonObject *o = json_node_get_object(root);
  g_assert_cmpint(json_object_get_int_member(o, "cells_failed"), ==, 1);
  JsonObject *first = json_array_get_object_element(json_object_get_array_member(o, "columns"), 0);
  g_assert_cmpstr(json_object_get_string_member(first, "column"), ==, "eval.return");
  JsonObject *arm = json_array_get_object_element(json_object_get_array_member(first, "arms"), 1);
  JsonArray *final = json_object_get_array_member(arm, "final");
  g_assert_true(json_array_get_null_element(final, 1));
  HnTable *t = hn_results_cell(r, 1, 2)->metrics;
  g_assert_cmpfloat_with_epsilon(json_array_get_double_element(final, 2),
                                 hn_table_at(t, t->rows - 1, hn_table_find(t, "eval.return")),
                                 1e-12);
  json_node_unref(root);
  g_free(json);
  hn_comparison_free(c);
  hn_results_free(r);
  g_free(cell);
  done(dir);
}

static void refusals(void) {
  char *dir = temporary(), *cell = fake_cell_dir(dir, "inferred", 1);
  GError *error = NULL;
  g_assert_null(hn_results_read(dir, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_MISSING);
  g_clear_error(&error);
  fake_study(&three, dir);
  refuses(dir, "fixd", NULL, HN_ERROR_MISSING, "did you mean 'fixed'?");
  refuses(dir, NULL, "eval.retrun", HN_ERROR_MISSING, "did you mean 'eval.return'?");
  fake_patch(cell, "config.resolved.yaml", "frames: 32000", "frames: 32001");
  refuses(dir, NULL, NULL, HN_ERROR_DIFFERS, "arm inferred differ in run.frames: 32000 and 32001");
  fake_patch(cell, "config.resolved.yaml", "frames: 32001", "frames: 32000");
  fake_patch(cell, "run.json", "\"0.1.0\"", "\"0.2.0\"");
  refuses(dir, NULL, NULL, HN_ERROR_DIFFERS,
          "the version of hunch is 0.1.0 in inferred/0 and 0.2.0");
  fake_patch(cell, "run.json", "\"0.2.0\"", "\"0.1.0\"");
  fake_patch(cell, "run.json", "\"sha256\": \"bb\"", "\"sha256\": \"bbb\"");
  refuses(dir, NULL, NULL, HN_ERROR_DIFFERS, "the sha256 of plugin glibrl is bb in inferred/0");
  fake_patch(cell, "run.json", "\"sha256\": \"bbb\"", "\"sha256\": \"bb\"");
  fake_patch(cell, "run.json", "2.2.2", "3.3.0");
  refuses(dir, NULL, NULL, HN_ERROR_DIFFERS, "the simulator is libmujoco.so.2.2.2 in inferred/0");
  g_free(cell);
  done(dir);
}

/* The notes of a comparison that say that a key had no effect, in one text; g_free. */
static char *without_effect(const char *dir) {
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < c->notes->len; i++)
    if (strstr(c->notes->pdata[i], "had no effect")) g_string_append(out, c->notes->pdata[i]);
  hn_comparison_free(c), hn_results_free(r);
  return g_string_free(out, FALSE);
}

/* Arms that differ in a key and in no number of any seed are named with that key. */
static void equal_results(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    char *row = g_strdup_printf("2,20,%d.25,3", i);
    values(dir, "inferred", i, row), values(dir, "fixed", i, row);
    g_free(row);
  }
  char *text = without_effect(dir);
  g_assert_cmpstr(text, ==, "");
  g_free(text);
  for (int i = 0; i < 3; i++) {
    char *cell = fake_cell_dir(dir, "inferred", i);
    fake_patch(cell, "config.resolved.yaml", "plugin: ppo\n", "plugin: ppo\n  width: 32\n");
    g_free(cell);
  }
  text = without_effect(dir);
  g_assert_cmpstr(text, ==,
                  "fixed has the results of inferred to the last digit: what they differ in had "
                  "no effect (policy.width).");
  g_free(text);
  values(dir, "fixed", 2, "2,20,2.25,3.0000000001");
  text = without_effect(dir);
  g_assert_cmpstr(text, ==, "");
  g_free(text);
  done(dir);
}

/* An arm with another environment keeps its value but is not set against the baseline. */
static void other_protocol(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    char *cell = fake_cell_dir(dir, "inferred", i);
    fake_patch(cell, "config.resolved.yaml", "size: 5", "size: 9");
    g_free(cell);
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  HnCompared *m = column(c, "eval.return");
  g_assert_cmpstr(c->protocol[0], ==, "env.size: 9 and 5");
  g_assert_cmpint(m->estimate[0][HN_VALUE].n, ==, 3);
  g_assert_cmpint(m->estimate[0][HN_DIFFERENCE].n, ==, 0);
  g_assert_cmpint(m->estimate[1][HN_DIFFERENCE].n, ==, 3);
  hn_comparison_free(c);
  hn_results_free(r);
  done(dir);
}

static void numbers(void) {
  static const struct {
    double x;
    HnFormat format;
    const char *text;
  } cases[] = {{1.005, {1, 0, false, false}, "1.0"},       {-0.004, {2, 0, false, false}, "0.00"},
               {-0.004, {2, 0, true, false}, "0.00"},      {12.34, {1, 0, true, false}, "+12.3"},
               {-3, {0, 0, false, false}, "-3"},           {7.92e-6, {2, -6, false, false}, "7.92"},
               {7.92e-6, {2, -6, true, true}, "+7.92e-6"}, {(double)NAN, {2, 0, true, false}, "-"}};
  for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
    char *text = hn_format_number(cases[i].x, cases[i].format);
    g_assert_cmpstr(text, ==, cases[i].text);
    g_free(text);
  }
}

/* Two digits of the narrowest interval, differences apart from values. */
static void formats(void) {
  HnEstimate estimate[2][HN_STATISTICS] = {
      {[HN_VALUE] = {.value = 8e-6, .low = -8e-6, .high = 2.4e-5, .interval = HN_INTERVAL_T},
       [HN_DIFFERENCE] = {.value = -6e-8, .low = -2e-7, .high = 8e-8, .interval = HN_INTERVAL_T}},
      {[HN_VALUE] = {.value = 9e-6, .low = 0, .high = 1.8e-5, .interval = HN_INTERVAL_T},
       [HN_DIFFERENCE] = {.value = (double)NAN, .low = (double)NAN, .high = (double)NAN}}};
  char unit[] = "nats";
  HnCompared m = {.unit = unit, .better = -1, .arms = 2, .estimate = estimate};
  HnFormat plain = hn_format_of(&m, 0, HN_VALUE), signs = hn_format_of(&m, 0, HN_DIFFERENCE);
  g_assert_cmpint(plain.exponent, ==, -6);
  g_assert_cmpint(plain.decimals, ==, 1); /* half width 9e-6 */
  g_assert_cmpint(signs.decimals, ==, 2); /* half width 1.4e-7 */
  g_autofree char *heading = hn_format_heading(&m);
  g_assert_cmpstr(heading, ==, "1e-6 nats; lower is better");
  g_autofree char *interval = hn_format_interval(&estimate[0][HN_DIFFERENCE], signs);
  g_assert_cmpstr(interval, ==, "[-0.20, +0.08]");
}

/* A difference below what float32 tells apart is 0, without a sign. */
static void rounding(void) {
  HnEstimate estimate[2][HN_STATISTICS] = {
      {[HN_VALUE] = {.value = 3.5, .low = (double)NAN, .high = (double)NAN},
       [HN_DIFFERENCE] = {.value = -9.99e-12, .low = (double)NAN, .high = (double)NAN}},
      {[HN_VALUE] = {.value = 3.5, .low = (double)NAN, .high = (double)NAN},
       [HN_DIFFERENCE] = {.value = (double)NAN, .low = (double)NAN, .high = (double)NAN}}};
  char unit[] = "";
  const HnCompared m = {.unit = unit, .arms = 2, .estimate = estimate};
  g_autofree char *text =
      hn_format_number(estimate[0][HN_DIFFERENCE].value, hn_format_of(&m, 0, HN_DIFFERENCE));
  g_assert_cmpstr(text, ==, "0.000000");
}

/* Arms of unlike size: each shows four digits, and the heading has no exponent. */
static void sizes(void) {
  static const double value[] = {8.25e8, 325000, 0.0634, 7.5e-6, 0};
  static const char *const shown[] = {"825.0e6", "325000", "0.06340", "7.500e-6", "0.00"};
  HnEstimate estimate[5][HN_STATISTICS];
  for (int a = 0; a < 5; a++)
    for (int k = 0; k < HN_STATISTICS; k++)
      estimate[a][k] = (HnEstimate){.value = value[a], .low = (double)NAN, .high = (double)NAN};
  char unit[] = "";
  HnCompared m = {.unit = unit, .arms = 5, .estimate = estimate, .averaged = true};
  for (int a = 0; a < 5; a++) {
    g_autofree char *text = hn_format_number(value[a], hn_format_of(&m, a, HN_VALUE));
    g_assert_cmpstr(text, ==, shown[a]);
  }
  g_autofree char *heading = hn_format_heading(&m);
  g_assert_cmpstr(heading, ==, "mean of the last tenth of updates");
}

/* 20 updates: what is measured while training is the mean of the last two, but for what is none; an
 * evaluation is the last. */
static void tail(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    GString *text = g_string_new("update,frames,train.return,policy.kl,eval.return\n");
    for (int u = 1; u <= 20; u++)
      g_string_append_printf(text, "%d,%d,%d,%s,%d\n", u, 10 * u, u * u, u == 20 ? "nan" : "0.5",
                             u);
    char *cell = fake_cell_dir(dir, "inferred", i);
    fake_write(cell, "metrics.csv", text->str);
    g_string_free(text, TRUE), g_free(cell);
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, "train.return", NULL);
  g_assert_cmpfloat(column(c, "train.return")->final[0], ==, (19 * 19 + 20 * 20) / 2.0);
  g_assert_cmpfloat(column(c, "eval.return")->final[0], ==, 20);
  char *text = hn_render_text(c);
  g_assert_nonnull(strstr(text,
                          "\ntrain.return  (reward per episode; higher is better; mean of the "
                          "last tenth of updates)\n"));
  g_free(text), hn_comparison_free(c);
  c = hn_compare(r, NULL, "policy.kl", NULL);
  g_assert_cmpfloat(column(c, "policy.kl")->final[0], ==, 0.5);
  hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* Has all cells of an arm evaluate such splits of an environment that has these ("": unsaid). */
static void evaluate_on(const char *dir, const char *arm, const char *split, const char *splits) {
  g_autofree char *key = g_strdup_printf("tasks: 20\n  split: %s", split),
                  *said = g_strdup_printf("\"splits\": \"%s\", \"protocol\"", splits);
  for (int s = 0; s < 3; s++) {
    g_autofree char *cell = fake_cell_dir(dir, arm, s);
    fake_patch(cell, "config.resolved.yaml", "tasks: 20", key);
    if (*splits) fake_patch(cell, "run.json", "\"protocol\"", said);
  }
}

/* Tasks are held out only where the deciding split is not the one that was trained on, the first of
 * the environment's; a split that is not the environment's last is named. */
static void splits(void) {
  static const struct {
    const char *split, *splits, *words, *further, *protocol;
  } table[] = {{"''", "train|test", "return on held-out tasks", "", "mode\n"},
               {"test|train", "train|test", "return on held-out tasks", "return on training tasks",
                "mode\n"},
               {"train", "train|test", "return on training tasks", "", "mode, on split train\n"},
               {"train|test", "train|test", "return on training tasks",
                "return on tasks of split test", "mode, on split train\n"},
               {"''", "train", "return on training tasks", "", "mode\n"},
               {"near", "near|far", "return on training tasks", "", "mode, on split near\n"},
               {"train|test", "", "return on training tasks", "return on tasks of split test",
                "mode, on split train\n"}};
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    char *dir = temporary(), *text;
    fake_study(&three, dir);
    for (int a = 0; a < three.arm_count; a++)
      evaluate_on(dir, three.arms[a].name, table[i].split, table[i].splits);
    HnResults *r = hn_results_read(dir, NULL);
    HnComparison *c = compared(r, &text);
    g_auto(GStrv) names = g_strsplit(table[i].split, "|", -1);
    g_autofree char *words = hn_metric_words(r->cells, "eval.return"),
                    *column = g_strdup_printf("eval.%s.return", names[1] ? names[1] : ""),
                    *further = hn_metric_words(r->cells, column);
    g_assert_cmpstr(words, ==, table[i].words);
    if (names[1]) g_assert_cmpstr(further, ==, table[i].further);
    g_assert_nonnull(strstr(text, table[i].protocol));
    g_free(text), hn_comparison_free(c), hn_results_free(r), done(dir);
  }
}

/* Columns of further passes mean what those of the first mean. */
static void passes(void) {
  static const struct {
    const char *column, *words;
    int better;
  } table[] = {
      {"eval.success", "success rate on held-out tasks", 1},
      {"eval.drawn.success", "success rate on held-out tasks, by drawn actions", 1},
      {"eval.shuffled.success", "success rate on held-out tasks, by other tasks' beliefs", 1},
      {"train.success", "success rate while training", 1},
      {"policy.approx_kl", "approx kl of the policy", 0}};
  char *dir = temporary();
  fake_study(&three, dir);
  HnResults *r = hn_results_read(dir, NULL);
  for (guint i = 0; i < G_N_ELEMENTS(table); i++) {
    g_autofree char *words = hn_metric_words(r->cells, table[i].column);
    g_assert_cmpstr(words, ==, table[i].words);
    g_assert_cmpint(hn_metric_better(table[i].column), ==, table[i].better);
  }
  /* where one arm is evaluated on the tasks it learnt on, no word holds for all */
  evaluate_on(dir, "inferred", "train", "train|test");
  hn_results_free(r), r = hn_results_read(dir, NULL);
  g_autofree char *mixed = hn_metric_words(r->cells, "eval.success");
  g_assert_cmpstr(mixed, ==, "success rate on evaluated tasks");
  hn_results_free(r), done(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/compare/values", compares);
  g_test_add_func("/compare/success", success);
  g_test_add_func("/compare/repeated_tasks", repeated_tasks);
  g_test_add_func("/compare/medians", medians);
  g_test_add_func("/compare/adjusted", adjusted);
  g_test_add_func("/compare/constant", constant);
  g_test_add_func("/compare/skewed", skewed);
  g_test_add_func("/compare/unequal_seeds", unequal_seeds);
  g_test_add_func("/compare/pairs_by_seed", pairs_by_seed);
  g_test_add_func("/compare/text_and_json", text_and_json);
  g_test_add_func("/compare/refusals", refusals);
  g_test_add_func("/compare/equal_results", equal_results);
  g_test_add_func("/compare/other_protocol", other_protocol);
  g_test_add_func("/compare/numbers", numbers);
  g_test_add_func("/compare/formats", formats);
  g_test_add_func("/compare/sizes", sizes);
  g_test_add_func("/compare/rounding", rounding);
  g_test_add_func("/compare/tail", tail);
  g_test_add_func("/compare/splits", splits);
  g_test_add_func("/compare/passes", passes);
  return g_test_run();
}

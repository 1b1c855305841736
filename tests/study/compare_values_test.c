/* compare_values_test.c - a study compared by the values of its keys: which arms go together, the
 * numbers of their mean, and what is said of keys that are not there. */
#include "error.h"
#include "figure.h"
#include "json.h"
#include "render_json.h"
#include "render_values.h"
#include "results_fixture.h"
#include "summary.h"

static const FakeArm arms[] = {{"a", "x", 1, 1, 0, 0},
                               {"b", "x", 1, 1, 0, 0},
                               {"c", "y", 1, 1, 0, 0},
                               {"d", "y", 1, 1, 0, 0},
                               {"e", "y", 1, 1, 0, 0}};
static const FakeStudy study = {.name = "s",
                                .arms = arms,
                                .arm_count = 5,
                                .seeds = 3,
                                .updates = 2,
                                .every = 1,
                                .steps = 2,
                                .aggregate = "mean"};

/* Writes a study in which a and c have lr 0.01, b and d 0.1, and e has none; their values of three
 * seeds. */
static char *write_study(void) {
  static const char *const lr[] = {"0.01", "0.1", "0.01", "0.1", NULL};
  static const double value[][3] = {{1, 2, 3}, {4, 4, 10}, {3, 4, 8}, {5, 6, 7}, {9, 9, 9}};
  char *dir = g_dir_make_tmp("hunch-values-XXXXXX", NULL);
  g_assert_nonnull(dir);
  fake_study(&study, dir);
  for (int a = 0; a < study.arm_count; a++)
    for (int s = 0; s < study.seeds; s++) {
      g_autofree char *cell = fake_cell_dir(dir, arms[a].name, s);
      g_autofree char *metrics =
          g_strdup_printf("update,frames,eval.return\n1,10,0\n2,20,%g\n", value[a][s]);
      g_autofree char *block =
          lr[a] ? g_strdup_printf("plugin: ppo\n  lr: %s\n", lr[a]) : g_strdup("plugin: ppo\n");
      fake_write(cell, "metrics.csv", metrics);
      fake_patch(cell, "config.resolved.yaml", "plugin: ppo\n", block);
    }
  return dir;
}

static HnComparison *compared(const char *dir, HnResults **r) {
  g_autoptr(GError) error = NULL;
  *r = hn_results_read(dir, &error);
  g_assert_no_error(error);
  HnComparison *c = hn_compare(*r, NULL, NULL, &error);
  g_assert_no_error(error);
  return c;
}

static void expect_arms(const HnValueRow *row, const char *expected) {
  g_autoptr(GString) out = g_string_new(NULL);
  for (guint i = 0; i < row->arms->len; i++)
    g_string_append(out, arms[g_array_index(row->arms, int64_t, i)].name);
  g_assert_cmpstr(out->str, ==, expected);
}

/* A plugin that stands by its file is called by its name, of other files the last part; files of
 * one name in two folders are two values. */
static void places(void) {
  g_autofree char *dir = write_study();
  for (int a = 0; a < study.arm_count; a++)
    for (int s = 0; s < study.seeds; s++) {
      g_autofree char *cell = fake_cell_dir(dir, arms[a].name, s);
      if (a >= 2) fake_patch(cell, "config.resolved.yaml", "plugin: y", "plugin: /home/me/y.so");
      fake_patch(cell, "config.resolved.yaml", "plugin: ppo\n",
                 a ? "plugin: ppo\n  data: /home/me/one/x.bin\n"
                   : "plugin: ppo\n  data: /home/me/two/x.bin\n");
    }
  HnResults *r;
  g_autoptr(HnComparison) c = compared(dir, &r);
  g_autoptr(HnValueComparison) v = hn_compare_values(c, "inference.plugin", NULL);
  g_autofree char *text = hn_render_text_values(c, v), *json = hn_render_json_values(c, v);
  g_assert_null(strstr(text, "/home/me"));
  g_assert_null(strstr(json, "/home/me"));
  g_assert_cmpuint(v->rows->len, ==, 2);
  g_assert_cmpstr(((HnValueRow *)v->rows->pdata[1])->values->pdata[0], ==, "y");
  g_autoptr(HnValueComparison) files = hn_compare_values(c, "data", NULL);
  g_assert_cmpuint(files->rows->len, ==, 2);
  for (int i = 0; i < 2; i++)
    g_assert_cmpstr(((HnValueRow *)files->rows->pdata[i])->values->pdata[0], ==, "x.bin");
  g_clear_pointer(&c, hn_comparison_free);
  hn_results_free(r), fake_remove(dir);
}

/* Of lr 0.01 the seeds' means are 2, 3, 5.5: mean 3.5 and half width 4.3027 s / sqrt(3), where
 * s = sqrt(3.25); of 0.1 they are 4.5, 5, 8.5. */
static void numbers(void) {
  g_autofree char *dir = write_study();
  HnResults *r;
  g_autoptr(HnComparison) c = compared(dir, &r);
  g_autoptr(GError) error = NULL;
  g_autoptr(HnValueComparison) v = hn_compare_values(c, "lr", &error);
  g_assert_no_error(error);
  g_assert_cmpuint(v->rows->len, ==, 2);
  const HnValueRow *low = v->rows->pdata[0], *high = v->rows->pdata[1];
  g_assert_cmpstr(v->keys->pdata[0], ==, "policy.lr");
  g_assert_cmpstr(low->values->pdata[0], ==, "0.01");
  expect_arms(low, "ac"), expect_arms(high, "bd");
  g_assert_cmpint(low->mean.n, ==, 3);
  g_assert_cmpfloat_with_epsilon(low->mean.value, 3.5, 1e-12);
  g_assert_cmpfloat_with_epsilon(low->mean.high - 3.5, 4.302652729911275 * sqrt(3.25 / 3), 1e-9);
  g_assert_cmpfloat_with_epsilon(high->mean.value, 6, 1e-12);
  g_assert_cmpstr(arms[low->best].name, ==, "c");
  g_assert_cmpstr(arms[high->best].name, ==, "b"); /* 6 against 6: the first */
  g_assert_cmpuint(v->without->len, ==, 1);
  g_assert_cmpstr(v->without->pdata[0], ==, "e");
  g_autofree char *json = hn_render_json_values(c, v), *text = hn_render_text_values(c, v);
  g_autoptr(JsonObject) o = hn_json_parse("values", json, strlen(json), &error);
  g_assert_no_error(error);
  JsonObject *row = json_array_get_object_element(hn_json_array(o, "rows"), 0);
  g_assert_cmpfloat_with_epsilon(hn_json_real(hn_json_object(row, "mean"), "value", 0), 3.5, 1e-12);
  g_assert_cmpstr(hn_json_string(row, "best_arm", ""), ==, "c");
  g_assert_nonnull(strstr(text, "eval.return by policy.lr"));
  g_assert_nonnull(strstr(text, "note: Not in the table: e.\n"));
  /* of what the table shows: no differences, and of this column no rates */
  g_assert_nonnull(strstr(text, "\nFinal values; intervals: Student's t.\n"));
  g_clear_pointer(&c, hn_comparison_free);
  hn_results_free(r), fake_remove(dir);
}

/* Of a sweep the arms that it made are compared, where all keys are swept. */
static void swept(void) {
  g_autofree char *dir = write_study();
  fake_write(dir, "study.yaml",
             "hunch: 1\narms: {a: {}}\nsweep: {parameters: {policy.lr: [1e-2, 1e-1]}}\n");
  HnResults *r;
  g_autoptr(HnComparison) c = compared(dir, &r);
  g_autoptr(HnValueComparison) v = hn_compare_values(c, "lr", NULL);
  expect_arms(v->rows->pdata[0], "c"), expect_arms(v->rows->pdata[1], "bd");
  g_assert_cmpuint(v->without->len, ==, 2);
  g_autoptr(HnValueComparison) both = hn_compare_values(c, "lr,inference.plugin", NULL);
  expect_arms(both->rows->pdata[0], "a");
  g_clear_pointer(&c, hn_comparison_free);
  hn_results_free(r), fake_remove(dir);
}

/* Two keys; a seed that an arm lacks is left out of the mean of its line. */
static void two_keys(void) {
  g_autofree char *dir = write_study(), *cell = fake_cell_dir(dir, "c", 2);
  fake_patch(cell, "run.json", "\"done\"", "\"failed\"");
  HnResults *r;
  g_autoptr(HnComparison) c = compared(dir, &r);
  g_autoptr(GError) error = NULL;
  g_autoptr(HnValueComparison) both = hn_compare_values(c, "inference.plugin,lr", &error);
  g_assert_no_error(error);
  g_assert_cmpuint(both->rows->len, ==, 4);
  for (guint i = 0; i < 4; i++) expect_arms(both->rows->pdata[i], (char[]){"abcd"[i], 0});
  g_autoptr(HnValueComparison) one = hn_compare_values(c, "policy.lr", &error);
  const HnValueRow *low = one->rows->pdata[0];
  g_assert_cmpint(low->mean.n, ==, 2);
  g_assert_cmpfloat_with_epsilon(low->mean.value, 2.5, 1e-12);
  g_clear_pointer(&c, hn_comparison_free);
  hn_results_free(r), fake_remove(dir);
}

/* The report's slice of a swept key has the same numbers. */
static void slice(void) {
  g_autofree char *dir = write_study();
  fake_write(dir, "study.yaml",
             "hunch: 1\narms: {e: {}}\nsweep: {parameters: {policy.lr: [1e-2, 1e-1]}}\n");
  HnResults *r;
  g_autoptr(HnComparison) c = compared(dir, &r);
  g_autoptr(GPtrArray) figures = hn_figures(c);
  const HnFigure *f = hn_figure_find(figures, "slice_policy_lr", "eval.return");
  g_assert_nonnull(f);
  g_autofree char *csv = f->kind->csv(f);
  g_auto(GStrv) lines = g_strsplit(csv, "\n", -1);
  g_assert_cmpstr(lines[0], ==, "value,seeds,mean,low,high");
  g_assert_true(g_str_has_prefix(lines[1], "0.01,3,3.5,-0.97"));
  g_assert_true(g_str_has_prefix(lines[2], "0.1,3,6,"));
  g_assert_cmpstr(lines[3], ==, "");
  g_clear_pointer(&c, hn_comparison_free);
  hn_results_free(r), fake_remove(dir);
}

/* Of draws the caption says that the points of a slice differ in other parameters as well; not of a
 * grid, which has all combinations, nor of one parameter. */
static void slice_of_draws(void) {
  static const struct {
    const char *sweep;
    bool says;
  } rows[] = {
      {"method: sobol, parameters: {policy.lr: {from: 1e-3, to: 1}, env.size: [4, 5]}", true},
      {"method: zip, parameters: {policy.lr: [1e-2, 1e-1], env.size: [4, 5]}", true},
      {"method: random, parameters: {policy.lr: {from: 1e-3, to: 1}}", false},
      {"parameters: {policy.lr: [1e-2, 1e-1], env.size: [4, 5]}", false}};
  g_autofree char *dir = write_study();
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = g_strdup_printf("hunch: 1\nsweep: {%s}\n", rows[i].sweep);
    fake_write(dir, "study.yaml", text);
    HnResults *r;
    g_autoptr(HnComparison) c = compared(dir, &r);
    g_autoptr(GPtrArray) figures = hn_figures(c);
    const HnFigure *f = hn_figure_find(figures, "slice_policy_lr", "eval.return");
    const char *said =
        strstr(f->note, "; other swept parameters differ between the points as well");
    g_assert_cmpint(said != NULL, ==, rows[i].says);
    g_clear_pointer(&c, hn_comparison_free);
    hn_results_free(r);
  }
  fake_remove(dir);
}

/* An arm of another environment is in no mean, unless that is what the comparison is by; the note
 * says so.  An oracle is called one. */
static void other_task(void) {
  g_autofree char *dir = write_study();
  for (int s = 0; s < study.seeds; s++) {
    g_autofree char *b = fake_cell_dir(dir, "b", s), *d = fake_cell_dir(dir, "d", s);
    fake_patch(b, "config.resolved.yaml", "size: 5", "size: 9");
    fake_patch(d, "run.json", "\"privileged\": false", "\"privileged\": true");
  }
  HnResults *r;
  g_autoptr(HnComparison) c = compared(dir, &r);
  g_autoptr(HnValueComparison) v = hn_compare_values(c, "lr", NULL);
  expect_arms(v->rows->pdata[0], "ac"), expect_arms(v->rows->pdata[1], "d");
  g_autofree char *text = hn_render_text_values(c, v), *json = hn_render_json_values(c, v);
  g_assert_nonnull(
      strstr(text, "note: Not in the table: b, of another task: env.size: 9 and 5.\n"));
  g_assert_nonnull(strstr(text, "d (oracle)\n"));
  g_autoptr(JsonObject) o = hn_json_parse("values", json, strlen(json), NULL);
  g_assert_cmpstr(hn_json_string_at(hn_json_array(o, "other_task"), 0), ==, "b");
  g_autoptr(HnValueComparison) sizes = hn_compare_values(c, "env.size", NULL);
  expect_arms(sizes->rows->pdata[0], "acde"), expect_arms(sizes->rows->pdata[1], "b");
  g_assert_cmpuint(sizes->other_task->len, ==, 0);
  g_clear_pointer(&c, hn_comparison_free);
  hn_results_free(r), fake_remove(dir);
}

static void set_last(const char *cell, double value) {
  g_autofree char *metrics = g_strdup_printf("update,frames,eval.return\n1,10,0\n2,20,%g\n", value);
  fake_write(cell, "metrics.csv", metrics);
}

static void expect_best(const char *dir, const char *arm, double value) {
  g_autoptr(GPtrArray) all = hn_summaries(dir, NULL);
  const HnSummary *s = all->pdata[0];
  g_assert_cmpint(s->best, >=, 0);
  g_assert_cmpstr(arms[s->best].name, ==, arm);
  g_assert_cmpfloat(s->best_value, ==, value);
}

/* Of the studies below a folder the best arm is none of another task, and no oracle, also where the
 * baseline has no done cell yet. */
static void best_of_runs(void) {
  g_autofree char *dir = write_study();
  expect_best(dir, "e", 9);
  for (int s = 0; s < study.seeds; s++) {
    g_autofree char *a = fake_cell_dir(dir, "a", s), *b = fake_cell_dir(dir, "b", s),
                    *c = fake_cell_dir(dir, "c", s);
    set_last(a, 100), set_last(b, 200), set_last(c, 50);
    fake_patch(a, "run.json", "\"privileged\": false", "\"privileged\": true");
    fake_patch(b, "config.resolved.yaml", "tasks: 20", "tasks: 20\n  split: train");
  }
  expect_best(dir, "c", 50);
  for (int s = 0; s < study.seeds; s++) {
    g_autofree char *b = fake_cell_dir(dir, "b", s), *e = fake_cell_dir(dir, "e", s);
    fake_patch(e, "run.json", "\"done\"", "\"failed\"");
    fake_patch(b, "config.resolved.yaml", "split: train", "split: ''");
    fake_patch(b, "config.resolved.yaml", "size: 5", "size: 9");
  }
  expect_best(dir, "b", 200);
  fake_remove(dir);
}

static void mistakes(void) {
  static const char *const rows[][2] = {
      {"lrr", "no done cell has the key 'lrr'; did you mean 'lr'?"},
      {"policy.clip", "no done cell has the key 'policy.clip'"},
      {"plugin", "'plugin' is in several blocks: say env.plugin or inference.plugin"},
      {"env.size", "all arms have the same env.size"},
      {"lr,", "'lr,' has a key without a name"},
      {"task,", "'task' goes with no key: compare by task alone, or by keys"}};
  g_autofree char *dir = write_study();
  HnResults *r;
  g_autoptr(HnComparison) c = compared(dir, &r);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autoptr(GError) error = NULL;
    g_assert_null(hn_compare_values(c, rows[i][0], &error));
    g_assert_error(error, HN_ERROR, HN_ERROR_MISSING);
    g_assert_cmpstr(error->message, ==, rows[i][1]);
  }
  g_clear_pointer(&c, hn_comparison_free);
  hn_results_free(r), fake_remove(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/values/places", places);
  g_test_add_func("/values/numbers", numbers);
  g_test_add_func("/values/swept", swept);
  g_test_add_func("/values/two_keys", two_keys);
  g_test_add_func("/values/slice", slice);
  g_test_add_func("/values/slice_of_draws", slice_of_draws);
  g_test_add_func("/values/other_task", other_task);
  g_test_add_func("/values/best_of_runs", best_of_runs);
  g_test_add_func("/values/mistakes", mistakes);
  return g_test_run();
}

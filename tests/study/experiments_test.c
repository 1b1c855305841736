/* The study files that come with hunch: every one can be read, and the small ones keep the number
 * that their header promises. */
#include "run.h"
#include "study.h"
#include <glib/gstdio.h>
#include <math.h>

static HnStudy *read_study(const char *name) {
  char *path = g_build_filename(EXPERIMENTS, name, NULL);
  HnDiag *d = hn_diag_new();
  HnStudy *s = hn_study_read(path, NULL, d);
  char *text = hn_diag_text(d);
  g_assert_cmpstr(text, ==, "");
  g_assert_nonnull(s);
  g_free(text), hn_diag_free(d), g_free(path);
  return s;
}

static void test_all_can_be_read(void) {
  GDir *dir = g_dir_open(EXPERIMENTS, 0, NULL);
  int count = 0;
  for (const char *name; (name = g_dir_read_name(dir));) {
    if (!g_str_has_suffix(name, ".yaml")) continue;
    hn_study_free(read_study(name));
    count++;
  }
  g_dir_close(dir);
  g_assert_cmpint(count, >, 0);
}

static void note(void *arg, const char *path, const HnNode *a, const HnNode *b) {
  g_string_append_printf(arg, "%s: %s, %s\n", path, a->text, b->text);
}

/* In which keys the first cells of an arm differ between two studies. */
static void expect_differences(const char *one, const char *other, const char *arm,
                               const char *expected) {
  const char *const names[] = {one, other};
  g_autoptr(GString) found = g_string_new(NULL);
  HnNode *config[2] = {NULL};
  for (int i = 0; i < 2; i++) {
    g_autoptr(HnStudy) s = read_study(names[i]);
    for (guint k = 0; k < s->cells->len && !config[i]; k++)
      if (strcmp(((HnCell *)s->cells->pdata[k])->arm, arm) == 0)
        config[i] = hn_cell_node(s->cells->pdata[k]);
    g_assert_nonnull(config[i]);
  }
  hn_cell_differences(config[0], config[1], 0, note, found);
  g_assert_cmpstr(found->str, ==, expected);
  hn_node_free(config[0]), hn_node_free(config[1]);
}

/* Studies that share a base are one study but for what their headers say. */
static void test_shared_bases(void) {
  static const char *const arms[] = {"glibrl", "glibrl_fixed", "varibad", "rl2", "laplace_vrnn"};
  for (guint i = 0; i < G_N_ELEMENTS(arms); i++)
    expect_differences("ml1_reach.yaml", "ml1_push.yaml", arms[i],
                       "study: ml1_reach, ml1_push\nenv.task: reach, push\n");
#define ML45                                                       \
  "study: glibrl_ml10, glibrl_ml45\nenv.benchmark: ml10, ml45\n%s" \
  "run.frames: 250000000, 400000000\nevaluation.tasks: 50, 45\n"
  for (guint i = 0; i < G_N_ELEMENTS(arms); i++) {
    const bool varibad = strcmp(arms[i], "varibad") == 0;
    g_autofree char *expected = g_strdup_printf(
        ML45, varibad ? "inference.latent: 5, 10\ninference.updates: 10, 20\n" : "");
    expect_differences("glibrl_ml10.yaml", "glibrl_ml45.yaml", arms[i], expected);
  }
}

/* Arms that studies of the whole field repeat are those of the studies that they name as source. */
static void test_field(void) {
  static const struct {
    const char *source, *field, *arms, *but;
  } same[] = {{"glibrl_ml10", "field_ml10",
               "glibrl glibrl_fixed glibrl_paper varibad rl2 laplace_vrnn", ""},
              {"glibrl_ml45", "field_ml45",
               "glibrl glibrl_fixed glibrl_paper varibad rl2 laplace_vrnn", ""},
              {"varibad_cheetah_vel", "field_cheetah_vel", "varibad rl2 oracle",
               "evaluation.also_drawn: false, true\n"},
              {"varibad_gridworld", "field_gridworld", "varibad rl2 oracle none", ""}};
  for (guint k = 0; k < G_N_ELEMENTS(same); k++) {
    g_auto(GStrv) arm = g_strsplit(same[k].arms, " ", -1);
    g_autofree char *one = g_strconcat(same[k].source, ".yaml", NULL);
    g_autofree char *other = g_strconcat(same[k].field, ".yaml", NULL);
    g_autofree char *expected =
        g_strdup_printf("study: %s, %s\n%s", same[k].source, same[k].field, same[k].but);
    for (guint i = 0; arm[i]; i++) expect_differences(one, other, arm[i], expected);
  }
}

/* The last entry of a column of metrics.csv; NaN: none. */
static double last_of(const char *dir, const char *column) {
  char *path = g_build_filename(dir, "metrics.csv", NULL), *text = NULL;
  double last = NAN;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  char **line = g_strsplit(text, "\n", -1), **head = g_strsplit(line[0], ",", -1);
  guint at = 0;
  while (head[at] && strcmp(head[at], column) != 0) at++;
  g_assert_nonnull(head[at]);
  for (int k = 1; line[k]; k++) {
    char **cell = g_strsplit(line[k], ",", -1);
    if (g_strv_length(cell) > at && *cell[at]) last = g_ascii_strtod(cell[at], NULL);
    g_strfreev(cell);
  }
  g_strfreev(line), g_strfreev(head), g_free(text), g_free(path);
  return last;
}

static void remove_tree(const char *path) {
  GDir *dir = g_dir_open(path, 0, NULL);
  for (const char *name; dir && (name = g_dir_read_name(dir));) {
    char *child = g_build_filename(path, name, NULL);
    remove_tree(child);
    g_free(child);
  }
  if (dir) g_dir_close(dir);
  g_remove(path);
}

/* Runs the first seed of an arm and returns its last evaluated return, an episode's mean. */
static double run_arm(const HnStudy *s, const char *arm) {
  GError *error = NULL;
  double value = NAN;
  for (guint k = 0; k < s->cells->len && isnan(value); k++) {
    HnCell *cell = s->cells->pdata[k];
    if (strcmp(cell->arm, arm) != 0) continue;
    cell->run.determinism = HN_FAST; /* this process is not held to kernels */
    char *dir = g_dir_make_tmp("hunch-experiments-XXXXXX", &error);
    g_assert_no_error(error);
    hn_run_cell(cell, dir, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    value = last_of(dir, "eval.return");
    remove_tree(dir);
    g_free(dir);
  }
  return value;
}

/* With the goal known, four episodes pay 44.2857 at best: 16.1 - 1.1 times its distance each, over
 * 21 goals of mean distance 32/7.  Random actions pay -1.1655 an episode; 84 episodes of deviation
 * below 2 give a standard error below 0.22. */
static void test_gridworld_oracle(void) {
  HnStudy *s = read_study("gridworld_oracle.yaml");
  double known = 4 * run_arm(s, "oracle");
  g_assert_cmpfloat(known, >=, 43);
  g_assert_cmpfloat(known, <=, 44.2858);
  g_assert_cmpfloat_with_epsilon(run_arm(s, "random"), -1.1655, 0.7);
  hn_study_free(s);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_setenv("HUNCH_PLUGIN_PATH", PLUGINS, TRUE);
  g_test_add_func("/experiments/all_can_be_read", test_all_can_be_read);
  g_test_add_func("/experiments/shared_bases", test_shared_bases);
  g_test_add_func("/experiments/field", test_field);
  g_test_add_func("/experiments/gridworld_oracle", test_gridworld_oracle);
  return g_test_run();
}

/* report_page_test.c - what a reader of a report sees: the finding in words, the arms, the forest
 * plot; and figures and pages as files. */
#include "arm_changes.h"
#include "arm_slots.h"
#include "figure_curve.h"
#include "finding.h"
#include "page_origin.h"
#include "render_text.h"
#include "report_fixture.h"
#include "three_arms_fixture.h"
#include <string.h>

/* Gives every cell of an arm a last evaluation of eval.return, seed by seed. */
static void set_returns(const char *dir, const char *arm, int seeds, const double *value) {
  for (int i = 0; i < seeds; i++) {
    char *cell = fake_cell_dir(dir, arm, i);
    char *metrics = g_strdup_printf("update,frames,policy.lr,eval.return\n1,1600,0.0007,%g\n"
                                    "2,3200,0.0007,%g\n",
                                    value[i] - 1, value[i]);
    fake_write(cell, "metrics.csv", metrics);
    g_free(metrics), g_free(cell);
  }
}

/* A study whose returns are what they are made to be, compared. */
typedef struct Study {
  char *dir;
  HnResults *r;
  HnComparison *c;
} Study;

static Study read_study(char *dir) {
  Study s = {.dir = dir};
  GError *error = NULL;
  s.r = hn_results_read(dir, &error);
  g_assert_no_error(error);
  s.c = hn_compare(s.r, NULL, NULL, &error);
  g_assert_no_error(error);
  return s;
}

static void study_clear(Study *s) {
  hn_comparison_free(s->c), hn_results_free(s->r), done(s->dir);
}

static void says(const double (*value)[3], int seeds, const char *expected) {
  FakeStudy study = three;
  study.seeds = seeds;
  char *dir = temporary();
  fake_study(&study, dir);
  for (int a = 0; a < 3; a++) set_returns(dir, arms[a].name, seeds, value[a]);
  Study s = read_study(dir);
  g_autofree char *finding = hn_finding(s.c);
  g_assert_cmpstr(finding, ==, expected);
  study_clear(&s);
}

/* Differences 5, 6, 7: t interval 6 +- 4.302652729749462 / sqrt 3; and -1, 0, 1. */
static void finding(void) {
  const double apart[3][3] = {{6, 7, 8}, {0, 1, 2}, {1, 1, 1}};
  says(apart, 3,
       "inferred (+6.0 reward per episode [+3.5, +8.5]) is better than fixed by return on held-out "
       "tasks. memory only is not told apart from it, with 3 seeds.");
  const double worse[3][3] = {{-4, -5, -6}, {-5, -4, -6}, {1, 1, 1}};
  says(worse, 3,
       "inferred (-6.0 reward per episode [-8.5, -3.5]) and memory only (-6.0 reward per episode "
       "[-8.5, -3.5]) are worse than fixed by return on held-out tasks.");
  says(
      apart, 2,
      "2 seeds are too few to judge any arm against fixed by return on held-out tasks. The largest "
      "difference is that of inferred (+5.500 reward per episode).");
}

/* Arms that are named are said to have trained for another number of frames than the baseline, in
 * the updates that they had. */
static void finding_of_lengths(void) {
  static const double value[3][3] = {{6, 7, 8}, {0, 1, 2}, {1, 1, 1}};
  char *dir = temporary();
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    g_autofree char *one = fake_cell_dir(dir, "inferred", i),
                    *other = fake_cell_dir(dir, "memory only", i);
    fake_patch(one, "config.resolved.yaml", "frames: 32000", "frames: 3000");
    fake_patch(one, "run.json", "\"frames\": 32000", "\"frames\": 3200");
    fake_patch(other, "config.resolved.yaml", "frames: 32000",
               "frames: 31999"); /* as many updates */
  }
  for (int a = 0; a < 3; a++) set_returns(dir, arms[a].name, 3, value[a]);
  Study s = read_study(dir);
  g_autofree char *finding = hn_finding(s.c), *text = hn_render_text(s.c);
  g_assert_cmpstr(finding, ==,
                  "inferred (+6.0 reward per episode [+3.5, +8.5]; 3200 against 32000 frames) is "
                  "better than fixed by return on held-out tasks. memory only is not told apart "
                  "from it, with 3 seeds.");
  g_assert_nonnull(strstr(text, "note: inferred learnt from 3200 frames and fixed from 32000.\n"));
  study_clear(&s);
}

/* Of a search first what it kept, or how far it has come. */
static void finding_of_search(void) {
  static const char all[] = "{\"at\": [1, 2], \"decided\": %d, \"candidates\": [{\"arm\": "
                            "\"inferred\", \"stopped_after\": -1}, {\"arm\": \"memory only\", "
                            "\"stopped_after\": %d}]}";
  static const struct {
    int decided, stopped;
    const char *says;
  } rows[] = {
      {1, -1,
       "The search has decided 1 of 2 rungs; of its 2 candidates are left: inferred, memory "
       "only. inferred ("},
      {2, 0,
       "The search kept inferred, chosen out of 2 candidates by these same seeds: run what "
       "it kept on another root. inferred ("}};
  static const double value[3][3] = {{6, 7, 8}, {0, 1, 2}, {1, 1, 1}};
  char *dir = temporary();
  fake_study(&three, dir);
  for (int a = 0; a < 3; a++) set_returns(dir, arms[a].name, 3, value[a]);
  Study s = read_study(dir);
  for (guint i = 0; i < G_N_ELEMENTS(rows); i++) {
    g_autofree char *text = g_strdup_printf(all, rows[i].decided, rows[i].stopped);
    fake_write(dir, "search.json", text);
    g_autofree char *finding = hn_finding(s.c);
    if (!g_str_has_prefix(finding, rows[i].says)) g_error("%s", finding);
  }
  study_clear(&s);
}

/* A study of many arms, "arm00" and on. */
typedef struct Many {
  FakeArm arm[20];
  char *names[21];
  FakeStudy study;
} Many;

static Many many(int count, int seeds) {
  Many m = {.study = {"many", NULL, count, seeds, 4, 2, 5, "mean"}};
  for (int a = 0; a < count; a++) {
    m.names[a] = g_strdup_printf("arm%02d", a);
    m.arm[a] = (FakeArm){m.names[a], "glibrl", 1, 4, 1 + (a * 7) % count, 0};
  }
  return m;
}

static char *write_many(Many *m) {
  char *dir = temporary();
  m->study.arms = m->arm;
  fake_study(&m->study, dir);
  return dir;
}

static void many_clear(Many *m) {
  for (char **name = m->names; *name; name++) g_free(*name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Many, many_clear)

/* Differences of 1, -1 and one that grows: no arm is told apart from the last one. */
static void finding_of_many(void) {
  g_auto(Many) m = many(6, 3);
  char *dir = write_many(&m);
  for (int a = 0; a < 6; a++) {
    const double even[] = {1, 2, 3}, odd[] = {2, 1, 3 + a};
    set_returns(dir, m.names[a], 3, a == 5 ? even : odd);
  }
  Study s = read_study(dir);
  g_autofree char *finding = hn_finding(s.c);
  g_assert_cmpstr(finding, ==,
                  "None of the 5 other arms is told apart from arm05 by return on held-out tasks, "
                  "with 3 seeds.");
  g_autoptr(GString) origin = g_string_new(NULL);
  hn_html_origin(origin, s.c);
  g_assert_null(strstr(origin->str, "by a path")); /* its plugins are named */
  study_clear(&s);
}

static void arms_as_changes(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    char *cell = fake_cell_dir(dir, "inferred", i), *other = fake_cell_dir(dir, "memory only", i);
    fake_patch(cell, "config.resolved.yaml", "policy:\n", "  noise: inferred\npolicy:\n");
    fake_patch(other, "config.resolved.yaml", "policy:\n", "  hidden: 64\npolicy:\n  lr: 1e-3\n");
    g_free(cell), g_free(other);
  }
  Study s = read_study(dir);
  g_autoptr(HnArmChanges) all = hn_arm_changes_new(s.r, 2);
  GPtrArray *same = hn_arm_changes_of(all, 2), *one = hn_arm_changes_of(all, 0),
            *other = hn_arm_changes_of(all, 1);
  g_assert_cmpuint(same->len, ==, 0);
  g_assert_cmpuint(one->len, ==, 1);
  g_assert_cmpstr(one->pdata[0], ==, "inference.noise: inferred");
  g_assert_cmpuint(other->len, ==, 2); /* what the other plugin is given says nothing */
  g_assert_cmpstr(other->pdata[0], ==, "inference.plugin: gru");
  g_assert_cmpstr(other->pdata[1], ==, "policy.lr: 1e-3");
  g_ptr_array_unref(same), g_ptr_array_unref(one), g_ptr_array_unref(other);
  study_clear(&s);
}

/* Of another plugin than the baseline's: its name where it stands by its file, the keys in which
 * arms that have it differ, and those that the study's own lines for the arm set. */
static void changes_of_other_plugins(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  fake_write(dir, "study.yaml",
             "hunch: 1\narms: {memory only: {policy: {plugin: /home/me/held.so, set: 1}}}\n");
  for (int i = 0; i < 3; i++) {
    g_autofree char *cell = fake_cell_dir(dir, "inferred", i),
                    *other = fake_cell_dir(dir, "memory only", i);
    fake_patch(cell, "config.resolved.yaml", "plugin: ppo\n",
               "plugin: /home/me/held.so\n  hold: 2\n  set: 1\n  kept: 3\n");
    fake_patch(
        other, "config.resolved.yaml", "plugin: ppo\n",
        "plugin: /home/me/held.so\n  hold: 5\n  set: 1\n  kept: 3\n  file: /home/me/x.bin\n");
    fake_patch(cell, "run.json", "\"name\": \"ppo\"", "\"name\": \"held\"");
    fake_patch(other, "run.json", "\"name\": \"ppo\"", "\"name\": \"held\"");
  }
  Study s = read_study(dir);
  g_autoptr(HnArmChanges) all = hn_arm_changes_new(s.r, 2);
  g_autoptr(GPtrArray) one = hn_arm_changes_of(all, 0);
  g_autoptr(GPtrArray) other = hn_arm_changes_of(all, 1);
  g_ptr_array_add(one, NULL), g_ptr_array_add(other, NULL);
  g_autofree char *of_one = g_strjoinv("; ", (char **)one->pdata),
                  *of_other = g_strjoinv("; ", (char **)other->pdata);
  g_assert_cmpstr(of_one, ==, "policy.plugin: held; policy.hold: 2");
  g_assert_cmpstr(of_other, ==,
                  "inference.plugin: gru; policy.plugin: held; policy.hold: 5; policy.set: 1");
  g_autoptr(GString) origin = g_string_new(NULL);
  hn_html_origin(origin, s.c);
  g_assert_nonnull(strstr(origin->str, "Plugins that it gives by a path are looked for from"));
  study_clear(&s);
}

/* An arm that was not prolonged with the others: it has a command of its own, which comes first. */
static void commands_by_length(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  Study whole = read_study(dir);
  g_autoptr(GString) one = g_string_new(NULL), two = g_string_new(NULL);
  hn_html_origin(one, whole.c);
  g_assert_nonnull(strstr(one->str, "<pre>hunch run study.yaml run.frames=32000</pre>\n"));
  hn_comparison_free(whole.c), hn_results_free(whole.r);
  for (int i = 0; i < 3; i++) {
    g_autofree char *cell = fake_cell_dir(dir, "memory only", i);
    fake_patch(cell, "config.resolved.yaml", "frames: 32000", "frames: 16000");
    fake_patch(cell, "run.json", "\"frames\": 32000", "\"frames\": 16000");
  }
  Study s = read_study(dir);
  hn_html_origin(two, s.c);
  g_assert_nonnull(strstr(
      two->str, "<pre>hunch run study.yaml run.frames=16000 --arm &apos;memory only&apos;\n"
                "hunch run study.yaml run.frames=32000 --arm inferred --arm fixed\n</pre>\n"));
  g_assert_nonnull(strstr(two->str, "plugins. Cells of memory only were run to 16000 frames, fewer "
                                    "than the study asks for. The same machine"));
  study_clear(&s);
}

/* Of more arms than there are looks, the baseline and the best have one; less is better here. */
static void slots_of_many(void) {
  enum { ARMS = 20 };
  g_auto(Many) m = many(ARMS, 1);
  char *dir = write_many(&m);
  fake_patch(dir, "study.json", "eval.return", "eval.reward_l1");
  Study s = read_study(dir);
  g_autofree int64_t *slot = hn_arm_slots(s.c);
  g_autofree char *note = hn_arm_slots_note(s.c, true);
  int named = 0;
  for (int a = 0; a < ARMS; a++) {
    const int rank = (a * 7) % ARMS; /* of its error, from 0; the baseline, arm 19, is of rank 13 */
    named += slot[a] >= 0;
    g_assert_cmpint(slot[a], ==, a == 19 ? 0 : rank < 7 ? rank + 1 : -1);
  }
  g_assert_cmpint(named, ==, HN_ARMS_NAMED);
  g_assert_cmpstr(note, ==,
                  "In colour: arm19 and the 7 best by eval.reward_l1; grey: the other 12 arms.");
  study_clear(&s);
}

static const HnFigure *figure(const GPtrArray *all, const char *name) {
  const HnFigure *f = hn_figure_find(all, name, NULL);
  g_assert_nonnull(f);
  return f;
}

/* A figure as gnuplot is told to draw it; g_free. */
static char *script_of(const HnFigure *f) {
  HnScript script = {.text = g_string_new(NULL), .width = HN_FIGURE_WIDTH};
  f->kind->size(f, &script.width, &script.height);
  f->kind->script(&script, f);
  return g_string_free(script.text, FALSE);
}

/* Differences from arm05 of 2, of 2 and so on, and of 100 with seeds that scatter by `far`: where
 * the marks of the forest's rows stand, and its note. */
static char *forest(double far, double *at) {
  g_auto(Many) m = many(6, 3);
  char *dir = write_many(&m);
  for (int a = 0; a < 6; a++) {
    const double base[] = {1, 2, 3}, near[] = {2.9, 4, 5.1}, high[] = {101 - far, 102, 103 + far};
    set_returns(dir, m.names[a], 3, a == 5 ? base : a == 4 ? high : near);
  }
  Study s = read_study(dir);
  g_autoptr(GPtrArray) all = hn_figures(s.c);
  const HnFigure *f = figure(all, "differences");
  g_autofree char *script = script_of(f);
  const char *mark = script;
  for (int a = 0; a < 5; a++) {
    mark = strstr(mark, "set label '' at screen");
    g_assert_nonnull(mark);
    mark += strlen("set label '' at screen");
    at[a] = g_ascii_strtod(mark, NULL);
  }
  char *note = g_strdup(f->note);
  study_clear(&s);
  return note;
}

/* The axis holds every mean, each in its place; only intervals may go on beyond it. */
static void forest_axis(void) {
  double at[5], wide[5];
  g_autofree char *note = forest(0, at), *cut = forest(300, wide);
  g_assert_cmpfloat_with_epsilon(at[0], at[3], 1e-6);
  g_assert_cmpfloat(at[4] - at[0], >, 0.3); /* of the figure's width */
  g_assert_null(strstr(note, "arrows"));
  g_assert_cmpfloat(wide[4] - wide[0], >, 0.2);
  g_assert_nonnull(strstr(cut, "; arrows: intervals that go on beyond the axis"));
}

/* The most of many is a choice by the seeds that show it. */
static void caution(void) {
  g_auto(Many) m = many(6, 3);
  char *dir = write_many(&m);
  for (int a = 0; a < 6; a++) {
    const double base[] = {1, 2, 3}, x[] = {11 + a, 12.1 + a, 13 + a};
    set_returns(dir, m.names[a], 3, a == 5 ? base : x);
  }
  Study s = read_study(dir);
  g_autofree char *finding = hn_finding(s.c);
  g_assert_nonnull(strstr(finding, "5 of the 5 other arms are better than arm05 by return on "
                                   "held-out tasks, most of all arm04 (+14.03 reward per episode"));
  g_assert_nonnull(strstr(finding, " The arm named most of all was picked out of 5 by these same "
                                   "seeds, so part of its difference is that choice: run it on "
                                   "another root."));
  study_clear(&s);
}

/* A baseline without training is evaluated once, and set against every step of the others; of an
 * arm evaluated at other steps it is said. */
static void untrained_baseline(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  for (int i = 0; i < 3; i++) {
    static const char *const rows[] = {"update,frames,eval.return\n1,10,5\n2,20,7\n",
                                       "update,frames,eval.return\n1,10,1\n2,20,2\n",
                                       "update,frames,eval.return\n0,0,4\n"};
    for (int a = 0; a < 3; a++) {
      g_autofree char *cell = fake_cell_dir(dir, arms[a].name, i);
      fake_write(cell, "metrics.csv", rows[a]);
      if (a == 2) fake_patch(cell, "config.resolved.yaml", "frames: 32000", "frames: 0");
    }
  }
  g_autofree char *other = fake_cell_dir(dir, "memory only", 1);
  fake_write(other, "metrics.csv", "update,frames,train.return\n2,20,1\n");
  Study s = read_study(dir);
  g_autoptr(GPtrArray) all = hn_figures(s.c);
  const HnFigure *f = figure(all, "eval_return_difference");
  g_autofree char *csv = f->kind->csv(f), *script = script_of(f);
  g_assert_nonnull(strstr(csv, "\ninferred,10,1,nan,nan,3,1,1,1\ninferred,20,3,nan,nan,3,3,3,3\n"));
  g_assert_null(strstr(csv, "memory only"));
  g_assert_nonnull(strstr(f->note, "; no curve of memory only: other steps, seeds or task than the "
                                   "baseline's; fixed: without training, so that one evaluation "
                                   "holds at every step"));
  study_clear(&s);
}

/* Where a column is another thing to another plugin, it is said whose words are whose; where it has
 * another unit, it has another plot. */
static void meanings(void) {
  static const char *const unit[] = {"nats", "m"};
  for (int other = 0; other < 2; other++) {
    char *dir = temporary();
    fake_study(&three, dir);
    for (int a = 0; a < 3; a += 2)
      for (int i = 0; i < 3; i++) {
        g_autofree char *cell = fake_cell_dir(dir, arms[a].name, i);
        g_autofree char *info = g_strdup_printf(
            "\"info\": [{\"name\": \"entropy\", \"unit\": \"%s\", \"doc\": \"%s.\", \"fold\": "
            "\"mean\"}], \"name\": \"%s\"",
            a ? unit[other] : "nats", a ? "Of a force" : "Of a reward", a ? "mine" : "glibrl");
        fake_patch(cell, "run.json", "\"name\": \"glibrl\"", info);
      }
    Study s = read_study(dir);
    g_autoptr(GPtrArray) all = hn_figures(s.c);
    const HnFigure *f = figure(all, "entropy_by_step");
    guint count = 0;
    for (guint i = 0; i < all->len; i++)
      count += g_str_has_prefix(((HnFigure *)all->pdata[i])->name, "entropy_by_step");
    g_assert_cmpuint(count, ==, other ? 2 : 1);
    g_assert_true(!strstr(f->note,
                          "; plugins describe it differently, glibrl: Of a reward; mine: Of "
                          "a force") == (other == 1));
    study_clear(&s);
  }
}

/* Rates that are all 0 have the axis of a rate, and their one step the only number of its own. */
static void rates_of_zero(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  for (int a = 0; a < 3; a++)
    for (int i = 0; i < 3; i++) {
      g_autofree char *cell = fake_cell_dir(dir, arms[a].name, i);
      fake_write(cell, "metrics.csv", "update,frames,eval.return,eval.success\n0,0,4,0\n");
    }
  Study s = read_study(dir);
  g_autoptr(GPtrArray) all = hn_figures(s.c);
  g_autofree char *script = script_of(figure(all, "eval_success")),
                  *error = script_of(figure(all, "reward_l1_by_step"));
  g_assert_nonnull(strstr(script, "set yrange [ 0: 1]\n"));
  g_assert_nonnull(strstr(script, "set xtics ('0' 0)\n"));
  g_assert_nonnull(strstr(error, "'n-th transition, predicted from the n - 1 before it, "
                                 "logarithmic'"));
  study_clear(&s);
}

/* The deciding metric comes first whatever it is called; columns that never change are text. */
static void groups(void) {
  char *dir = temporary();
  const double value[3][3] = {{6, 7, 8}, {0, 1, 2}, {1, 1, 1}};
  fake_study(&three, dir);
  for (int a = 0; a < 3; a++) set_returns(dir, arms[a].name, 3, value[a]);
  Study s = read_study(dir);
  GPtrArray *all = hn_figures(s.c);
  g_assert_true(figure(all, "differences")->group == HN_FIGURE_FINDING);
  g_assert_true(figure(all, "eval_return")->group == HN_FIGURE_FINDING);
  g_assert_true(figure(all, "eval_return_difference")->group == HN_FIGURE_FINDING);
  g_assert_true(figure(all, "policy_lr")->group == HN_FIGURE_CONSTANT);
  g_assert_cmpstr(figure(all, "policy_lr")->note, ==, "0.0007");
  const HnFigure *f = figure(all, "differences");
  g_autofree char *csv = f->kind->csv(f);
  double value_of[3];
  g_assert_cmpint(sscanf(csv,
                         "metric,unit,arm,seeds,difference,low,high,verdict\n"
                         "eval.return,reward per episode,inferred,3,%lf,%lf,%lf,better\n",
                         &value_of[0], &value_of[1], &value_of[2]),
                  ==, 3);
  g_assert_cmpfloat_with_epsilon(value_of[0], 6, 1e-9);
  g_assert_cmpfloat_with_epsilon(value_of[1], 6 - 4.302652729749462 / sqrt(3), 1e-6);
  g_assert_cmpfloat_with_epsilon(value_of[2], 6 + 4.302652729749462 / sqrt(3), 1e-6);
  g_ptr_array_unref(all), study_clear(&s);
}

/* Below eight seeds the seeds themselves are drawn, from eight on a band; the note says which, and
 * of how many seeds and tasks. */
static void bands(void) {
  for (int seeds = 7; seeds <= 8; seeds++) {
    FakeStudy study = three;
    study.seeds = seeds;
    char *dir = temporary();
    fake_study(&study, dir);
    Study s = read_study(dir);
    GPtrArray *all = hn_figures(s.c);
    const HnFigure *f = figure(all, "eval_return");
    HnScript script = {.text = g_string_new(NULL), .width = HN_FIGURE_WIDTH};
    f->kind->size(f, &script.width, &script.height);
    f->kind->script(&script, f);
    const bool band = strstr(script.text->str, "filledcurves") != NULL;
    g_assert_true(band == (seeds == 8));
    g_assert_true(g_str_has_prefix(
        f->note, band ? "mean of 8 seeds; band: 95 % interval, Student's t; 20 held-out tasks"
                      : "mean of 7 seeds; thin lines: single seeds; 20 held-out tasks"));
    g_string_free(script.text, TRUE);
    g_ptr_array_unref(all), study_clear(&s);
  }
}

/* One seed of eight goes astray: its band leaves the plot, and marks say so. */
static void cut_bands(void) {
  FakeStudy study = three;
  study.seeds = 8;
  char *dir = temporary(), *cell = fake_cell_dir(dir, "inferred", 3);
  fake_study(&study, dir);
  fake_write(cell, "metrics.csv",
             "update,frames,eval.return\n5,8000,500\n10,16000,-500\n"
             "15,24000,500\n20,32000,-500\n");
  Study s = read_study(dir);
  GPtrArray *all = hn_figures(s.c);
  const HnFigure *f = figure(all, "eval_return");
  HnScript script = {.text = g_string_new(NULL), .width = HN_FIGURE_WIDTH};
  f->kind->size(f, &script.width, &script.height);
  f->kind->script(&script, f);
  g_assert_nonnull(strstr(script.text->str, "$cut0 << EOD\n"));
  g_assert_null(strstr(script.text->str, "$cut1"));
  g_assert_nonnull(strstr(f->note, "; triangles: seeds or bands go on beyond the axis"));
  g_string_free(script.text, TRUE);
  g_ptr_array_unref(all), g_free(cell), study_clear(&s);
}

/* ---- files ---- */

/* No word of a page calls the tasks that were trained on held out. */
static void training_tasks(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  for (int a = 0; a < three.arm_count; a++)
    for (int i = 0; i < three.seeds; i++) {
      g_autofree char *cell = fake_cell_dir(dir, arms[a].name, i);
      fake_patch(cell, "config.resolved.yaml", "tasks: 20", "tasks: 20\n  split: train");
    }
  g_autofree char *page = g_build_filename(dir, "report.html", NULL);
  Study s = read_study(dir);
  g_autoptr(GPtrArray) all = hn_figures(s.c);
  g_assert_true(hn_report_write(s.c, page, NULL));
  g_autofree char *html = fake_read(dir, "report.html");
  g_assert_null(strstr(html, "held-out"));
  g_assert_nonnull(strstr(html, " by return on training tasks"));
  g_assert_nonnull(strstr(html, ", 20 training tasks; "));
  g_assert_nonnull(strstr(html, "After training, on training tasks."));
  g_assert_nonnull(strstr(html, "mode, on split train"));
  for (guint i = 0; i < all->len; i++)
    g_assert_null(strstr(((HnFigure *)all->pdata[i])->note, "held-out"));
  g_assert_nonnull(strstr(figure(all, "differences")->note, ", 20 training tasks"));
  g_assert_nonnull(strstr(figure(all, "eval_return")->note, "; 20 training tasks"));
  study_clear(&s);
}

static G_GNUC_NO_INLINE char *read_beside(const char *dir, const char *name) {
  char *path = g_build_filename(dir, name, NULL), *text = NULL;
  g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
  g_free(path);
  return text;
}

/* Names of a hundred letters: the plot keeps its size and all text is within the picture. */
static void long_names(void) {
  char *names[3];
  FakeArm arm[3];
  for (int a = 0; a < 3; a++) {
    GString *name = g_string_new(NULL);
    while (name->len < 100) g_string_append_printf(name, "W%dm_", a);
    g_string_truncate(name, 100);
    names[a] = g_string_free(name, FALSE);
    arm[a] = arms[a], arm[a].name = names[a];
  }
  FakeStudy study = three;
  study.arms = arm;
  char *dir = temporary(), *page = g_build_filename(dir, "report.html", NULL);
  fake_study(&study, dir);
  Study s = read_study(dir);
  GError *error = NULL;
  g_assert_true(hn_report_write(s.c, page, &error));
  static const char *const files[] = {"report/eval_return.svg", "report/differences.svg"};
  for (int i = 0; i < 2; i++) {
    g_autofree char *svg = read_beside(dir, files[i]);
    double width, height, mm[2];
    g_assert_cmpint(
        sscanf(strstr(svg, "width=\""), "width=\"%lfmm\" height=\"%lfmm\"", &mm[0], &mm[1]), ==, 2);
    g_assert_cmpfloat_with_epsilon(mm[0], 89, 1e-6);
    g_assert_cmpint(sscanf(strstr(svg, "viewBox"), "viewBox=\"0 0 %lf %lf\"", &width, &height), ==,
                    2);
    g_assert_cmpfloat_with_epsilon(mm[1] / mm[0], height / width, 1e-3);
    g_assert_nonnull(strstr(svg, "role=\"img\"><title>"));
    g_assert_nonnull(strstr(svg, "fill=\"#ffffff\""));
    guint texts = 0;
    for (char *at = svg; (at = strstr(at, "translate("));) { /* of each text */
      double x, y;
      g_assert_cmpint(sscanf(at++, "translate(%lf,%lf)", &x, &y), ==, 2);
      g_assert_true(x >= 0 && x < width && y >= 0 && y < height);
      char *begin = strstr(at, "<text>"), *next = strstr(at, "translate(");
      if (!begin || (next && next < begin)) continue;
      begin += strlen("<text>");
      /* at 7 pixels a letter, as sans-serif fonts of 13 have at most on average */
      const gsize letters = (gsize)(strstr(begin, "</text>") - begin);
      if (*begin == 'W') g_assert_cmpfloat(x + 7.0 * (double)letters, <, width);
      texts++;
    }
    g_assert_cmpuint(texts, >, 8);
  }
  g_free(page), study_clear(&s);
  for (int a = 0; a < 3; a++) g_free(names[a]);
}

/* What the report block asks of figures: its width in millimetres and its font. */
static void figure_width(void) {
  char *dir = temporary(), *page = g_build_filename(dir, "report.html", NULL);
  fake_study(&three, dir);
  fake_patch(dir, "study.json", "\"aggregate\"",
             "\"figure_width\": 60, \"figure_font\": \"Times\", \"figure_font_size\": 6, "
             "\"aggregate\"");
  Study s = read_study(dir);
  GError *error = NULL;
  g_assert_true(hn_report_write(s.c, page, &error));
  g_autofree char *svg = read_beside(dir, "report/eval_return.svg");
  g_assert_nonnull(strstr(svg, "width=\"60.00mm\""));
  g_assert_nonnull(strstr(svg, "font-family=\"Times\""));
  double width, height;
  g_assert_cmpint(sscanf(strstr(svg, "viewBox"), "viewBox=\"0 0 %lf %lf\"", &width, &height), ==,
                  2);
  /* 13 units are 6 points of 127 / 360 mm */
  g_assert_cmpfloat_with_epsilon(60 / width * 13, 6 * 127.0 / 360, 0.01);
  g_autofree char *pdf = read_beside(dir, "report/eval_return.pdf");
  g_assert_true(g_str_has_prefix(pdf, "%PDF-"));
  g_free(page), study_clear(&s);
}

/* A font of any name leaves every figure XML. */
static void figure_font(void) {
  char *dir = temporary(), *page = g_build_filename(dir, "report.html", NULL);
  fake_study(&three, dir);
  fake_patch(dir, "study.json", "\"aggregate\"", "\"figure_font\": \"<b>&'\", \"aggregate\"");
  Study s = read_study(dir);
  GError *error = NULL;
  g_assert_true(hn_report_write(s.c, page, &error));
  g_autofree char *folder = g_build_filename(dir, "report", NULL);
  GDir *d = g_dir_open(folder, 0, NULL);
  guint figures = 0;
  for (const char *name; (name = g_dir_read_name(d));) {
    static const GMarkupParser nothing = {NULL};
    if (!g_str_has_suffix(name, ".svg")) continue;
    g_autofree char *file = g_build_filename(folder, name, NULL), *svg = NULL;
    g_assert_true(g_file_get_contents(file, &svg, NULL, NULL));
    GMarkupParseContext *context = g_markup_parse_context_new(&nothing, 0, NULL, NULL);
    g_assert_true(g_markup_parse_context_parse(context, strstr(svg, "<svg"), -1, &error));
    g_assert_true(g_markup_parse_context_end_parse(context, &error));
    g_markup_parse_context_free(context);
    g_assert_nonnull(strstr(svg, "font-family=\"&lt;b&gt;&amp;&apos;\""));
    figures++;
  }
  g_assert_cmpuint(figures, >, 5);
  g_dir_close(d), g_free(page), study_clear(&s);
}

/* A page in the study's folder links to its cells; one elsewhere names them only, since its links
 * would not hold when it is moved. */
static void moved(void) {
  char *dir = temporary(), *apart = temporary();
  char *page = g_build_filename(apart, "page.html", NULL);
  fake_study(&three, dir);
  Study s = read_study(dir);
  GError *error = NULL;
  g_assert_true(hn_report_write(s.c, page, &error));
  g_autofree char *html = read_beside(apart, "page.html");
  g_assert_null(strstr(html, "href=\".."));
  g_assert_null(strstr(html, "href=\"/"));
  g_assert_nonnull(strstr(html, "href=\"page/eval_return.svg\""));
  g_assert_nonnull(strstr(html, "metrics.csv"));
  g_autofree char *left = g_build_filename(apart, "page", NULL);
  GDir *d = g_dir_open(left, 0, NULL);
  for (const char *n; (n = g_dir_read_name(d));) g_assert_true(*n != '.'); /* nothing half-drawn */
  g_dir_close(d);
  g_free(page), study_clear(&s), done(apart);
}

/* A gnuplot without pdfcairo: the page is there, says so and links to no PDF. */
static void without_pdf(void) {
  char *dir = temporary(), *bin = temporary(), *page = g_build_filename(dir, "report.html", NULL);
  g_autofree char *real = g_find_program_in_path("gnuplot");
  g_autofree char *fake =
      g_strdup_printf("#!/bin/sh\nsed s/GPVAL_TERMINALS/\\'svg\\'/ | %s -d -\n", real);
  g_autofree char *path = g_build_filename(bin, "gnuplot", NULL);
  g_autofree char *before = g_strdup(g_getenv("PATH")), *with = g_strconcat(bin, ":", before, NULL);
  fake_write(bin, "gnuplot", fake);
  g_assert_cmpint(g_chmod(path, 0755), ==, 0);
  fake_study(&three, dir);
  Study s = read_study(dir);
  GError *error = NULL;
  g_setenv("PATH", with, TRUE);
  g_assert_true(hn_report_write(s.c, page, &error));
  g_setenv("PATH", before, TRUE);
  g_autofree char *html = read_beside(dir, "report.html");
  g_assert_nonnull(strstr(html, "lacks pdfcairo"));
  g_assert_null(strstr(html, ".pdf\""));
  g_free(page), study_clear(&s), done(bin);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/report_page/training_tasks", training_tasks);
  g_test_add_func("/report-page/finding", finding);
  g_test_add_func("/report-page/finding_of_lengths", finding_of_lengths);
  g_test_add_func("/report-page/finding_of_search", finding_of_search);
  g_test_add_func("/report-page/finding_of_many", finding_of_many);
  g_test_add_func("/report-page/forest_axis", forest_axis);
  g_test_add_func("/report-page/caution", caution);
  g_test_add_func("/report-page/untrained_baseline", untrained_baseline);
  g_test_add_func("/report-page/meanings", meanings);
  g_test_add_func("/report-page/rates_of_zero", rates_of_zero);
  g_test_add_func("/report-page/arms_as_changes", arms_as_changes);
  g_test_add_func("/report-page/changes_of_other_plugins", changes_of_other_plugins);
  g_test_add_func("/report-page/commands_by_length", commands_by_length);
  g_test_add_func("/report-page/slots_of_many", slots_of_many);
  g_test_add_func("/report-page/groups", groups);
  g_test_add_func("/report-page/bands", bands);
  g_test_add_func("/report-page/cut_bands", cut_bands);
  g_test_add_func("/report-page/long_names", long_names);
  g_test_add_func("/report-page/figure_width", figure_width);
  g_test_add_func("/report-page/figure_font", figure_font);
  g_test_add_func("/report-page/moved", moved);
  g_test_add_func("/report-page/without_pdf", without_pdf);
  return g_test_run();
}

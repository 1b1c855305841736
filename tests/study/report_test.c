/* report_test.c - a study folder made of files, reported: figures and the page. */
#include "error.h"
#include "figure_curve.h"
#include "figure_grid.h"
#include "figure_panels.h"
#include "gnuplot.h"
#include "report_fixture.h"
#include "three_arms_fixture.h"
#include <string.h>

/* ---- trials ---- */

/* Two trials of two episodes of two steps on a grid of 2 x 2; the belief is mean and log variance.
 */
static void fake_trial(const char *dir, const char *arm, const char *sizes) {
  static const int place[5][2] = {{0, 0}, {0, 1}, {0, 0}, {1, 0}, {0, 0}};
  static const int next[4][2] = {{0, 1}, {1, 1}, {1, 0}, {1, 1}};
  static const int begin[5] = {2, 0, 1, 0, 1};
  char *cell = fake_cell_dir(dir, arm, 0);
  GString *t =
      g_string_new("update,row,task,step,begin,obs_0,obs_1,task_0,task_1,task_2,task_3,"
                   "action_index,reward,next_obs_0,next_obs_1,belief_0,belief_1,map_0,map_1,"
                   "map_2,map_3\n");
  for (int row = 0; row <= 5; row += 5)
    for (int s = 0; s < 5; s++) {
      g_string_append_printf(t, "20,%d,goal,%d,%d,%d,%d,0,%d,0,%d", row, s, begin[s], place[s][0],
                             place[s][1], row == 0, row == 5);
      if (s < 4)
        g_string_append_printf(t, ",1,-0.1,%d,%d", next[s][0], next[s][1]);
      else
        g_string_append(t, ",,,,");
      g_string_append_printf(t, ",%g,%g", 0.5 * s - row, -0.2 * s);
      for (int k = 0; k < 4; k++) g_string_append_printf(t, ",%g", (row + s + k) / 100.0);
      g_string_append_c(t, '\n');
    }
  fake_write(cell, "trial.csv", t->str);
  fake_patch(cell, "run.json", "\"seconds\"", sizes);
  g_string_free(t, TRUE);
  g_free(cell);
}

/* Two tasks, each predicted at 0, 3 and 10 steps, on a grid of three points with two members. */
static void fake_predictions(const char *dir, const char *arm) {
  char *cell = fake_cell_dir(dir, arm, 0);
  GString *t = g_string_new("update,row,task,step,seen,x,truth,mean,stddev,member_1,member_2\n"
                            "10,1,a,0,0,0,0,0,0,0,0\n");
  for (int row = 1; row <= 4; row += 3)
    for (int step = 0; step <= 10; step += step ? 7 : 3) {
      for (int k = 0; k < step; k++)
        g_string_append_printf(t, "20,%d,a,%d,1,%g,%g,,,,\n", row, step, 0.1 * k, 0.2 * k + row);
      for (int j = 0; j < 3; j++)
        g_string_append_printf(t, "20,%d,a,%d,0,%d,%d,%g,%g,%d,%d\n", row, step, j - 1, row,
                               0.5 * row + j, 1.0 / (1 + step), 10 * row + j, 100 * row + j);
    }
  fake_write(cell, "predictions.csv", t->str);
  g_string_free(t, TRUE), g_free(cell);
}

static const char all_sizes[] = "\"belief_dim\": 2, \"latent_dim\": 1, \"map_width\": 2, "
                                "\"map_height\": 2, \"seconds\"";
/* Two features, but they are the latent itself; and no picture. */
static const char latent_only[] = "\"belief_dim\": 2, \"latent_dim\": 2, \"map_width\": 0, "
                                  "\"map_height\": 0, \"seconds\"";

/* ---- the page ---- */

typedef struct Page {
  int figures, plots, outside;
  GHashTable *ids;
  GPtrArray *uses; /* ids that must be there */
} Page;

/* Nothing is fetched: links lead into the study's folder, references into the page. */
static void open_tag(GMarkupParseContext *context, const char *name, const char **keys,
                     const char **values, gpointer arg, GError **error) {
  Page *p = arg;
  (void)context, (void)error;
  p->figures += g_str_equal(name, "figure");
  g_assert_false(g_str_equal(name, "script") || g_str_equal(name, "link") ||
                 g_str_equal(name, "img"));
  for (; *keys; keys++, values++) {
    if (g_str_equal(*keys, "id") && !g_hash_table_add(p->ids, g_strdup(*values)))
      g_error("id %s twice", *values);
    if (g_str_equal(*keys, "href") && **values == '#')
      g_ptr_array_add(p->uses, g_strdup(*values + 1));
    if (g_str_equal(*keys, "points") || g_str_equal(*keys, "d")) p->plots++;
    p->outside += strstr(*values, "://") || g_str_has_prefix(*values, "//");
  }
}

static const char *const figure_names[] = {
    "eval_return",       "train_return",           "eval_success",
    "reward_l1_by_step", "reward_nll_by_step",     "transition_l1_by_step",
    "kl_reward_by_step", "transition_nll_by_step", "entropy_by_step",
    "return_by_episode", "reward_by_step",         "reward_so_far",
    "policy_loss",       "eval_return_difference", "differences",
    "eval_reward_l1",    "eval_reward_nll",        "predictions_inferred",
    "belief_inferred",   "latent_mean_inferred",   "latent_variance_inferred"};

/* Every figure is on the page and beside it. */
static void check_files(const char *dir, GHashTable *ids) {
  for (guint i = 0; i < G_N_ELEMENTS(figure_names); i++) {
    char *id = g_strdup_printf("figure-%s", figure_names[i]);
    g_assert_true(g_hash_table_contains(ids, id));
    g_free(id);
    static const char *const kinds[] = {"svg", "pdf", "csv"};
    for (guint k = 0; k < 3; k++) {
      char *file = g_strdup_printf("%s/out/%s.%s", dir, figure_names[i], kinds[k]);
      g_assert_true(g_file_test(file, G_FILE_TEST_EXISTS));
      g_free(file);
    }
  }
}

static void page(void) {
  char *dir = temporary(), *path = g_build_filename(dir, "out.html", NULL);
  fake_study(&three, dir);
  fake_trial(dir, "inferred", all_sizes), fake_predictions(dir, "inferred");
  char *cell = fake_cell_dir(dir, "memory only", 1);
  fake_patch(cell, "run.json", "\"done\", \"reason\": null",
             "\"failed\", \"reason\": \"killed <by> & signal 9\"");
  HnResults *r = hn_results_read(dir, NULL);
  GError *error = NULL;
  write_report(r, path, &error);
  g_assert_no_error(error);
  char *html = fake_read(dir, "out.html");
  Page p = {.ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
            .uses = g_ptr_array_new_with_free_func(g_free)};
  const GMarkupParser parser = {.start_element = open_tag};
  GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &p, NULL);
  g_markup_parse_context_parse(context, html, -1, &error);
  g_assert_no_error(error);
  g_assert_true(g_markup_parse_context_end_parse(context, NULL));
  g_assert_cmpint(p.outside, ==, 0);
  g_assert_cmpuint(p.uses->len, >, 20); /* the points on lines */
  for (guint i = 0; i < p.uses->len; i++)
    g_assert_true(g_hash_table_contains(p.ids, p.uses->pdata[i]));
  g_assert_null(strstr(html, "url("));
  g_assert_null(strstr(html, "@import"));
  g_assert_cmpint(p.figures, ==, G_N_ELEMENTS(figure_names));
  check_files(dir, p.ids);
  g_assert_nonnull(strstr(html, "killed &lt;by&gt; &amp; signal 9"));
  g_assert_nonnull(strstr(html, "&lt;made up &amp; small&gt;"));
  g_assert_nonnull(strstr(html, "run.frames=32000"));
  g_assert_nonnull(strstr(html, "href=\"memory%20only/2/metrics.csv\""));
  for (guint a = 0; a < G_N_ELEMENTS(arms); a++) {
    char *label = g_strdup_printf("<text>%s</text>", arms[a].name);
    g_assert_nonnull(strstr(html, label));
    g_free(label);
  }
  /* of 0.09 the root is seen, so that small probabilities can be told apart */
  g_assert_nonnull(strstr(html, "'var(--heat)' fill-opacity='0.30'"));
  g_assert_nonnull(strstr(html, "--heat:#"));
  g_assert_null(strstr(html, "rgb(")); /* every stand-in colour was replaced */
  g_markup_parse_context_free(context);
  g_hash_table_unref(p.ids);
  g_ptr_array_unref(p.uses);
  g_free(html);
  hn_results_free(r);
  g_free(cell);
  g_free(path);
  done(dir);
}

static const HnCurves *curves_of(const GPtrArray *figures, const char *name) {
  const HnFigure *f = hn_figure_find(figures, name, NULL);
  g_assert_true(f && f->kind == &hn_figure_curve);
  return f->data;
}

static const HnCurve *curve(const GPtrArray *figures, const char *name, int arm) {
  return curves_of(figures, name)->curve[arm];
}

/* The numbers of a figure: only x that all seeds have, seeds averaged, the last block of steps. */
static void curves(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  char *cell = fake_cell_dir(dir, "inferred", 2);
  for (int i = 0; i < 3; i++) {
    char *one = fake_cell_dir(dir, "inferred", i);
    char *steps = g_strdup_printf("update,step,reward\n1,0,nan\n1,1,50\n2,0,nan\n2,1,%d\n2,2,%d\n",
                                  i, 10 * i * i);
    fake_write(one, "steps.csv", steps);
    g_free(steps);
    g_free(one);
  }
  fake_patch(cell, "metrics.csv", "\n5,8000,", "\n5,8001,");
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_figures(c);
  const HnCurve *eval = curve(all, "eval_return", 0), *reward = curve(all, "reward_by_step", 0);
  const HnCurve *less = curve(all, "eval_return_difference", 1);
  const HnCurve *so_far = curve(all, "reward_so_far", 0);
  g_assert_cmpint(eval->n, ==, 3); /* 16000, 24000, 32000 */
  g_assert_cmpfloat_with_epsilon(eval->x[0], 16000, 1e-9);
  double mean = 0;
  for (int i = 0; i < 3; i++) {
    HnTable *t = hn_results_cell(r, 0, i)->metrics;
    mean += hn_table_at(t, 9, hn_table_find(t, "eval.return")) / 3;
  }
  g_assert_cmpfloat_with_epsilon(eval->value[0], mean, 1e-9);
  HnTable *last[6];
  double by_hand = 0;
  for (int i = 0; i < 6; i++) last[i] = hn_results_cell(r, 1 + i / 3, i % 3)->metrics;
  for (int i = 0; i < 6; i++)
    by_hand += (i < 3 ? 1.0 / 3 : -1.0 / 3) *
               hn_table_last(last[i], hn_table_find(last[i], "eval.return"), NULL);
  g_assert_cmpint(less->n, ==, 4);
  g_assert_cmpfloat_with_epsilon(less->value[3], by_hand, 1e-9);
  g_assert_cmpint(reward->n, ==, 2);
  g_assert_cmpfloat_with_epsilon(reward->value[0], 1, 1e-12);
  /* 0, 10, 40: t interval 4.302652729749462 sd / sqrt 3, sd^2 = 1300 / 3 */
  g_assert_cmpfloat_with_epsilon(reward->value[1], 50.0 / 3, 1e-9);
  g_assert_cmpfloat_with_epsilon(reward->high[1] - reward->value[1],
                                 4.302652729749462 * sqrt(1300.0 / 9), 1e-9);
  g_assert_cmpint(so_far->n, ==, 2); /* 0 and 0, 1 and 11, 2 and 42 */
  g_assert_cmpfloat_with_epsilon(so_far->value[0], 1, 1e-12);
  g_assert_cmpfloat_with_epsilon(so_far->value[1], 53.0 / 3, 1e-12);
  g_ptr_array_unref(all);
  hn_comparison_free(c);
  hn_results_free(r);
  g_free(cell);
  done(dir);
}

/* An episode ends every third update: points are means over the episodes that there are, with the
 * number of seeds that have any, and a stretch without any is a gap. */
static void gaps(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  for (int seed = 0; seed < 3; seed++) {
    GString *m = g_string_new("update,frames,train.return\n");
    for (int u = 0; u < 300; u++) {
      const bool none =
          u % 3 != seed || (u >= 150 && u < 156) || (seed == 2 && u >= 180 && u < 183);
      if (none)
        g_string_append_printf(m, "%d,%d,nan\n", u + 1, 10 * u);
      else
        g_string_append_printf(m, "%d,%d,%d\n", u + 1, 10 * u, 100 * seed + u / 3);
    }
    char *cell = fake_cell_dir(dir, "inferred", seed);
    fake_write(cell, "metrics.csv", m->str);
    g_string_free(m, TRUE), g_free(cell);
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_figures(c);
  const HnFigure *f = hn_figure_find(all, "train_return", NULL);
  const HnCurve *one = curve(all, "train_return", 0);
  g_assert_cmpint(one->n, ==, 100);
  for (int i = 0; i < 100; i++) {
    const int seeds = i == 50 || i == 51 ? 0 : i == 60 ? 2 : 3;
    g_assert_cmpint(one->count[i], ==, seeds);
    if (seeds)
      g_assert_cmpfloat_with_epsilon(one->value[i], seeds == 2 ? 50 + i : 100 + i, 1e-9);
    else
      g_assert_true(isnan(one->value[i]));
  }
  g_assert_true(hn_curve_has_gap(one));
  g_assert_nonnull(strstr(f->note, "some points lack seeds"));
  char *text = f->kind->csv(f);
  g_assert_true(g_str_has_prefix(
      text, "arm,x,value,low,high,seeds,value_1,value_2,value_3\ninferred,10,100,"));
  g_assert_nonnull(strstr(text, "\ninferred,1510,nan,nan,nan,0,nan,nan,nan\n"));
  g_free(text), g_ptr_array_unref(all), hn_comparison_free(c), hn_results_free(r), done(dir);
}

/* What run.json says of columns decides where and how they are drawn; bands may be quartiles, and
 * what spans decades has a logarithmic axis. */
static void declared_columns(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  fake_patch(dir, "study.json", "\"aggregate\": \"mean\"",
             "\"aggregate\": \"median\", \"band\": \"quartiles\"");
  for (int i = 0; i < 3; i++) {
    char *one = fake_cell_dir(dir, "inferred", i);
    char *steps = g_strdup_printf("update,step,reward,waste,kl_part\n1,0,nan,nan,%d\n"
                                  "1,1,1,%d,%g\n1,2,1,2,1e-4\n",
                                  i + 1, i * i, i == 1 ? 0.5 : 1.0);
    fake_write(one, "steps.csv", steps);
    fake_patch(
        one, "run.json", "\"privileged\": false},\n  \"inference\": {",
        "\"info\": [{\"name\": \"waste\", \"unit\": \"moves\", \"doc\": \"Moves wasted.\", "
        "\"fold\": \"sum\"}]},\n  \"inference\": {\"info\": [{\"name\": \"kl_part\", \"unit\": "
        "\"bits\", \"doc\": \"One part.\", \"fold\": \"last\"}], ");
    g_free(steps), g_free(one);
  }
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_figures(c);
  const HnFigure *waste = hn_figure_find(all, "waste_by_step", NULL);
  const HnFigure *sum = hn_figure_find(all, "waste_so_far", NULL);
  const HnFigure *part = hn_figure_find(all, "kl_part_by_step", NULL);
  const HnCurves *wasted = waste->data, *summed = sum->data, *parts = part->data;
  g_assert_null(hn_figure_find(all, "kl_part_so_far", NULL));
  g_assert_true(waste->group == HN_FIGURE_ADAPTATION && sum->group == HN_FIGURE_ADAPTATION);
  g_assert_cmpstr(waste->title, ==, "waste: moves wasted");
  g_assert_cmpstr(sum->title, ==, "waste so far: moves wasted");
  g_assert_cmpstr(summed->y_label, ==, "waste so far (moves)");
  g_assert_true(part->group == HN_FIGURE_BELIEF && parts->log_y && !wasted->log_y);
  g_assert_cmpstr(part->title, ==, "kl part: one part");
  g_assert_cmpstr(parts->y_label, ==, "kl part (bits), logarithmic");
  const HnCurve *w = wasted->curve[0], *s = summed->curve[0];
  g_assert_cmpint(w->n, ==, 2); /* 0, 1, 4: the median and numpy.quantile's quartiles */
  g_assert_cmpstr(waste->note, ==,
                  "median of 3 seeds; thin lines: single seeds; 20 held-out tasks");
  g_assert_true(w->value[0] == 1 && w->low[0] == 0.5 && w->high[0] == 2.5);
  g_assert_true(s->value[1] == 3 && s->low[1] == 2.5 && s->high[1] == 4.5);
  g_ptr_array_unref(all);
  hn_comparison_free(c);
  hn_results_free(r);
  done(dir);
}

static const HnGridMap *map_at(const HnGridMaps *p, int64_t row, int64_t column) {
  return &g_array_index(p->map, HnGridMap, row * p->columns + column);
}

static void begins_with(const HnFigure *f, const char *text) {
  g_autofree char *csv = f->kind->csv(f);
  g_assert_true(g_str_has_prefix(csv, text));
}

static void trials(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  fake_trial(dir, "inferred", all_sizes), fake_trial(dir, "fixed", latent_only);
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_figures(c);
  const HnFigure *figure[3] = {NULL};
  static const char *const name[] = {"belief_inferred", "latent_mean_inferred",
                                     "latent_variance_inferred"};
  int found = 0;
  for (guint i = 0; i < all->len; i++) {
    const HnFigure *f = all->pdata[i];
    found += f->group == HN_FIGURE_TRIAL;
    for (int k = 0; k < 3; k++)
      if (g_str_equal(f->name, name[k])) figure[k] = f;
  }
  g_assert_cmpint(found, ==, 3);
  const HnGridMaps *p = figure[0]->data;
  g_assert_cmpint(p->rows, ==, 2);
  g_assert_cmpint(p->columns, ==, 4); /* steps 0, 1, the episode's end 2, the trial's 4 */
  const HnGridMap *end = map_at(p, 0, 2), *last = map_at(p, 1, 3);
  g_assert_cmpint(end->step, ==, 2);
  g_assert_cmpint(end->goal, ==, 1);
  g_assert_cmpint(end->points, ==, 3);
  static const double path[] = {0, 0, 0, 1, 1, 1}, later[] = {0, 0, 1, 0, 1, 1};
  g_assert_cmpmem(end->path, sizeof path, path, sizeof path);
  g_assert_cmpint(last->step, ==, 4);
  g_assert_cmpint(last->goal, ==, 3);
  g_assert_cmpmem(last->path, sizeof later, later, sizeof later);
  g_assert_cmpfloat_with_epsilon(last->cell[2], 0.11, 1e-12);
  begins_with(figure[0], "trial,step,x,y,probability\n1,0,0,0,0\n1,0,0,1,0.01\n");
  const HnCurves *means = curves_of(all, name[1]);
  const HnCurve *mean = means->curve[0], *variance = curve(all, name[2], 0);
  g_assert_cmpint(means->count, ==, 1);
  g_assert_cmpint(mean->n, ==, 5);
  g_assert_cmpfloat_with_epsilon(mean->value[3], 1.5, 1e-12);
  g_assert_cmpfloat_with_epsilon(mean->low[3], 1.5 - 0.74081822068171788, 1e-12); /* exp -0.3 */
  g_assert_cmpfloat_with_epsilon(variance->value[3], 0.54881163609402643, 1e-12);
  g_assert_true(isnan(variance->low[3]));
  g_assert_cmpuint(means->mark->len, ==, 1);
  g_assert_cmpfloat(g_array_index(means->mark, double, 0), ==, 2);
  begins_with(figure[1], "latent,x,value,low,high\nz1,0,0,-1,1\n");
  g_ptr_array_unref(all);
  hn_comparison_free(c);
  hn_results_free(r);
  done(dir);
}

/* Arms whose names make one file name; an arm that recorded no trial. */
/* Steps 0 and 10 are shown, 3 is not; the block of an earlier update is left out. */
static void predictions(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  fake_predictions(dir, "fixed");
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_figures(c);
  const HnFigure *f = NULL;
  for (guint i = 0; i < all->len; i++)
    if (((HnFigure *)all->pdata[i])->kind == &hn_figure_panels) f = all->pdata[i];
  g_assert_cmpstr(f->name, ==, "predictions_fixed");
  const HnPanels *p = f->data;
  g_assert_true(p->rows == 2 && p->columns == 2 && p->members == 2);
  const HnPanel *one = &g_array_index(p->panel, HnPanel, 3); /* row 4, step 10 */
  g_assert_true(one->step == 10 && one->n == 3 && one->seen == 10);
  g_assert_cmpfloat_with_epsilon(one->point[2 * 9], 0.9, 1e-12);
  g_assert_cmpfloat_with_epsilon(one->point[2 * 9 + 1], 5.8, 1e-12);
  g_assert_true(one->x[2] == 1 && one->truth[2] == 4 && one->mean[2] == 4);
  g_assert_cmpfloat_with_epsilon(one->stddev[2], 1.0 / 11, 1e-8);
  g_assert_true(one->member[2] == 42 && one->member[3 + 2] == 402);
  begins_with(f, "trial,step,seen,x,truth,mean,stddev,member_1,member_2\n"
                 "1,0,0,-1,1,0.5,1,10,100\n1,0,0,0,1,1.5,1,11,101\n1,0,0,1,1,2.5,1,12,102\n"
                 "1,10,1,0,1,,,,\n1,10,1,0.1,1.2,,,,\n");
  g_ptr_array_unref(all);
  hn_comparison_free(c);
  hn_results_free(r);
  done(dir);
}

static void trials_of_twins(void) {
  static const FakeArm twins[] = {{"a.b", "glibrl", 12, 4, 0, 0},
                                  {"a_b", "glibrl", 9, 3, 0, 0},
                                  {"c", "glibrl", 9, 3, 0, 0},
                                  {"a_b_2", "glibrl", 9, 3, 0, 0},
                                  {"A_B", "glibrl", 9, 3, 0, 0}};
  static const FakeStudy study = {"twins", twins, 5, 1, 4, 2, 5, "mean"};
  char *dir = temporary(), *cell = fake_cell_dir(dir, "c", 0);
  fake_study(&study, dir);
  for (int a = 0; a < 5; a++) fake_trial(dir, twins[a].name, all_sizes);
  fake_write(cell, "trial.csv", "update,row,task,step,begin,obs_0,obs_1\n");
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_figures(c);
  GString *names = g_string_new(NULL);
  for (guint i = 0; i < all->len; i++) {
    const HnFigure *f = all->pdata[i];
    if (f->kind == &hn_figure_grid) g_string_append_printf(names, "%s ", f->name);
  }
  g_assert_cmpstr(names->str, ==, "belief_a_b belief_a_b+2 belief_a_b_2 belief_A_B+3 ");
  g_string_free(names, TRUE);
  g_ptr_array_unref(all);
  hn_comparison_free(c);
  hn_results_free(r);
  g_free(cell);
  done(dir);
}

/* More points than a plot can show: neighbours are averaged, and it is said. */
static void thinned(void) {
  static const FakeStudy many = {"noise", arms, 1, 3, 250, 50, 10, "mean"};
  char *dir = temporary();
  fake_study(&many, dir);
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  GPtrArray *all = hn_figures(c);
  const HnFigure *f = hn_figure_find(all, "policy_loss", NULL);
  const HnCurve *loss = curve(all, "policy_loss", 0);
  /* 250 in at most 100: runs of 3, the last of 1 */
  g_assert_true(g_str_has_suffix(f->note, "; up to 3 neighbouring points averaged"));
  g_assert_cmpint(loss->n, ==, 84);
  g_assert_cmpfloat_with_epsilon(loss->x[1], 1600 * 5, 1e-6);
  g_assert_cmpfloat_with_epsilon(loss->value[1], (1.0 / 5 + 1.0 / 6 + 1.0 / 7) / 3, 1e-8);
  g_assert_cmpfloat_with_epsilon(loss->x[83], 1600 * 250, 1e-6);
  g_ptr_array_unref(all);
  hn_comparison_free(c);
  hn_results_free(r);
  done(dir);
}

/* A report on a study whose cells all have these metrics. */
static char *report_of_metrics(const char *metrics) {
  char *dir = temporary(), *page = g_build_filename(dir, "report.html", NULL);
  fake_study(&three, dir);
  for (int a = 0; a < three.arm_count; a++)
    for (int i = 0; i < three.seeds; i++) {
      char *cell = fake_cell_dir(dir, three.arms[a].name, i);
      fake_write(cell, "metrics.csv", metrics);
      g_free(cell);
    }
  HnResults *r = hn_results_read(dir, NULL);
  GError *error = NULL;
  g_assert_true(write_report(r, page, &error));
  g_assert_no_error(error);
  hn_results_free(r);
  g_free(page);
  return dir;
}

/* Values that differ in their last digits only still make a figure. */
static void nearly_constant(void) {
  done(report_of_metrics("update,frames,policy.lr,eval.return\n1,1600,0.0007,1\n"
                         "2,3200,0.00070000000001,0.999999999\n3,4800,0.0007,1.000000001\n"));
}

/* Ticks between round numbers keep their decimals: 1.2M is not another 1M. */
static void ticks_of_millions(void) {
  char *dir = report_of_metrics("update,frames,eval.return\n1,400000,1\n2,1200000,2\n");
  g_autofree char *path = g_build_filename(dir, "report.html", NULL), *html = NULL;
  g_assert_true(g_file_get_contents(path, &html, NULL, NULL));
  char *svg = strstr(html, "<figure id=\"figure-eval_return\"");
  *strstr(svg, "</figure>") = '\0';
  static const char *const labels[] = {" 400k<", " 600k<", " 800k<", " 1M<", " 1.2M<"};
  for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
    const char *first = strstr(svg, labels[i]);
    g_assert_nonnull(first);
    g_assert_null(strstr(first + 1, labels[i]));
  }
  done(dir);
}

/* The names of many lines that end low are all within the picture, none over another. */
static void many_names(void) {
  enum { ARMS = HN_SLOTS };
  FakeArm arm[ARMS];
  char *names[ARMS];
  for (int a = 0; a < ARMS; a++) {
    names[a] = g_strdup_printf("arm%02d", a);
    arm[a] = (FakeArm){names[a], "glibrl", a ? 1 : 100, 4, 0, 0};
  }
  FakeStudy study = {"many", arm, ARMS, 1, 4, 2, 5, "mean"};
  char *dir = temporary(), *page = g_build_filename(dir, "report.html", NULL);
  fake_study(&study, dir);
  HnResults *r = hn_results_read(dir, NULL);
  GError *error = NULL;
  g_assert_true(write_report(r, page, &error));
  g_autofree char *path = g_build_filename(dir, "report", "eval_return.svg", NULL), *svg = NULL;
  g_assert_true(g_file_get_contents(path, &svg, NULL, NULL));
  double width, height, x[ARMS], y[ARMS];
  g_assert_cmpint(sscanf(strstr(svg, "viewBox"), "viewBox=\"0 0 %lf %lf\"", &width, &height), ==,
                  2);
  for (int a = 0; a < ARMS; a++) {
    char *name = strstr(svg, names[a]), *place = g_strrstr_len(svg, name - svg, "translate(");
    g_assert_cmpint(sscanf(place, "translate(%lf,%lf)", &x[a], &y[a]), ==, 2);
    g_assert_true(x[a] > 10 && x[a] < width - 60 && y[a] > 10 && y[a] < height - 5);
    for (int b = 0; b < a; b++) g_assert_true(fabs(x[a] - x[b]) > 60 || fabs(y[a] - y[b]) > 16);
  }
  hn_results_free(r), g_free(page), done(dir);
  for (int a = 0; a < ARMS; a++) g_free(names[a]);
}

static void no_gnuplot(void) {
  char *dir = temporary(), *path = g_strdup(g_getenv("PATH"));
  char *page = g_build_filename(dir, "report.html", NULL);
  fake_study(&three, dir);
  HnResults *r = hn_results_read(dir, NULL);
  GError *error = NULL;
  g_setenv("PATH", "/nowhere", TRUE);
  g_assert_false(write_report(r, page, &error));
  g_assert_error(error, HN_ERROR, HN_ERROR_MISSING);
  g_assert_nonnull(strstr(error->message, "gnuplot-nox"));
  g_assert_false(g_file_test(page, G_FILE_TEST_EXISTS));
  g_setenv("PATH", path, TRUE);
  g_clear_error(&error);
  hn_results_free(r);
  g_free(path);
  g_free(page);
  done(dir);
}
int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/report/curves", curves);
  g_test_add_func("/report/gaps", gaps);
  g_test_add_func("/report/declared_columns", declared_columns);
  g_test_add_func("/report/thinned", thinned);
  g_test_add_func("/report/trials", trials);
  g_test_add_func("/report/predictions", predictions);
  g_test_add_func("/report/trials_of_twins", trials_of_twins);
  g_test_add_func("/report/page", page);
  g_test_add_func("/report/nearly_constant", nearly_constant);
  g_test_add_func("/report/many_names", many_names);
  g_test_add_func("/report/ticks_of_millions", ticks_of_millions);
  g_test_add_func("/report/no_gnuplot", no_gnuplot);
  return g_test_run();
}

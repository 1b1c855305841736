/* figure_grid.c - figures of single held-out trials, from the cells' trial.csv: the belief as
 * pictures of a grid, and the latent's moments step by step. */
#include "csv.h"
#include "figure_curve.h"
#include "json.h"
#include <math.h>
#include <string.h>

enum { LATENTS_MAX = 7, GEOMETRIC_MAX = 8, EPISODES_MAX = 4 };

/* A trial of trial.csv: `count` percepts from row `first` of the table. */
typedef struct Trial {
  const HnTable *table;
  gint64 first, count;
  gint64 begin, obs, next_obs, task, belief, map; /* columns, -1: none */
  gint64 tasks;                                   /* columns of the true task */
} Trial;

static double at(const Trial *t, gint64 step, gint64 column) {
  return hn_table_at(t->table, t->first + step, column);
}

gint64 hn_table_numbered(const HnTable *t, const char *name, gint64 first) {
  char text[64];
  g_snprintf(text, sizeof text, "%s_%" G_GINT64_FORMAT, name, first);
  const gint64 at = hn_table_find(t, text);
  gint64 n = 0;
  while (at >= 0 && at + n < t->width && g_str_equal(t->columns[at + n], text))
    g_snprintf(text, sizeof text, "%s_%" G_GINT64_FORMAT, name, first + ++n);
  return n;
}

static gint64 numbered(const HnTable *t, const char *name) {
  return hn_table_numbered(t, name, 0);
}

/* The k-th trial of a cell; false if there are no more. */
static bool find_trial(const HnTable *t, gint64 k, Trial *out) {
  gint64 row = hn_table_find(t, "row"), first = 0, end = 0;
  for (; row >= 0 && first < t->rows; first = end, k--) {
    double which = hn_table_at(t, first, row);
    for (end = first + 1; end < t->rows && hn_table_at(t, end, row) == which;) end++;
    if (k == 0) break;
  }
  if (row < 0 || first >= t->rows) return false;
  *out = (Trial){.table = t,
                 .first = first,
                 .count = end - first,
                 .begin = hn_table_find(t, "begin"),
                 .obs = hn_table_find(t, "obs_0"),
                 .next_obs = hn_table_find(t, "next_obs_0"),
                 .task = hn_table_find(t, "task_0"),
                 .belief = hn_table_find(t, "belief_0"),
                 .map = hn_table_find(t, "map_0"),
                 .tasks = numbered(t, "task")};
  return out->begin >= 0;
}

/* The first done cell of an arm that recorded a trial, or NULL. */
static const HnResult *recorded(const HnResults *r, gint64 arm) {
  for (gint64 s = 0; s < r->seeds; s++) {
    const HnResult *c = hn_results_cell(r, arm, s);
    if (c->trial && c->trial->rows > 0) return c;
  }
  return NULL;
}

static gint64 size_of(const HnResult *c, const char *name) {
  return hn_json_int(c->facts, name, 0);
}

/* A file's stem; arms that would share one are told apart by their number. */
static char *stem_of(const HnResults *r, gint64 arm, const char *what) {
  static const char kept[] = G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-";
  char *name = g_strcanon(g_strdup(r->arms[arm]), kept, '_');
  bool shared = false;
  for (gint64 a = 0; a < arm && !shared; a++) {
    g_autofree char *other = g_strcanon(g_strdup(r->arms[a]), kept, '_');
    shared = g_str_equal(name, other);
  }
  char *stem = shared ? g_strdup_printf("%s_%s_%" G_GINT64_FORMAT, what, name, arm + 1)
                      : g_strconcat(what, "_", name, NULL);
  g_free(name);
  return stem;
}

HnFigure *hn_figure_of_arm(const HnResults *r, gint64 arm, const char *stem, const char *title) {
  HnFigure *f = g_new0(HnFigure, 1);
  f->group = HN_FIGURE_TRIAL, f->merged = 1;
  f->name = stem_of(r, arm, stem);
  f->column = g_strdup("trial.csv");
  f->title = r->arm_count > 1 ? g_strdup_printf("%s: %s", title, r->arms[arm]) : g_strdup(title);
  return f;
}

/* ---- pictures ---- */

/* Steps worth a picture: 0, 1, 2, 4 .. of the first episode, and the ends of it and of the others;
 * of many episodes the last. */
static GArray *chosen_steps(const Trial *t) {
  GArray *steps = g_array_new(FALSE, FALSE, sizeof(gint64));
  gint64 last = t->count - 1, end = 1, base = 2, zero = 0;
  while (end < last && at(t, end, t->begin) == 0) end++;
  while (pow((double)base, GEOMETRIC_MAX - 2) < (double)end) base *= 2;
  g_array_append_val(steps, zero);
  for (gint64 s = 1; s < end; s *= base) g_array_append_val(steps, s);
  gint64 episodes = 0;
  for (gint64 s = 1; s < last; s++) episodes += at(t, s, t->begin) != 0;
  for (gint64 s = end; s <= last && last > 0; s++)
    if (s == end || s == last || (episodes < EPISODES_MAX && at(t, s, t->begin) != 0))
      g_array_append_val(steps, s);
  return steps;
}

/* The cell of the true task, or -1 where a task is no cell. */
static gint64 goal_of(const Trial *t, gint64 cells) {
  gint64 goal = 0;
  if (t->tasks != cells) return -1;
  for (gint64 k = 1; k < cells; k++)
    if (at(t, 0, t->task + k) > at(t, 0, t->task + goal)) goal = k;
  return goal;
}

static void take_picture(const Trial *t, gint64 step, gint64 cells, HnPicture *p) {
  p->step = step, p->goal = goal_of(t, cells);
  p->cell = g_new(double, (gsize)cells);
  for (gint64 k = 0; k < cells; k++) p->cell[k] = at(t, step, t->map + k);
  /* the way of the episode that the last step belonged to */
  gint64 from = MAX(step - 1, 0);
  while (from > 0 && at(t, from, t->begin) == 0) from--;
  p->points = step - from + 1;
  p->way = g_new(double, (gsize)(2 * p->points));
  for (gint64 i = 0; i < p->points; i++) {
    bool after =
        step > 0 && i + 1 == p->points; /* an episode that ends shows the next one's start */
    gint64 column = after ? t->next_obs : t->obs, s = from + i - after;
    for (int d = 0; d < 2; d++) p->way[2 * i + d] = at(t, s, column + d);
  }
}

static void add_pictures(GPtrArray *figures, const HnResults *r, gint64 arm, const HnResult *c) {
  gint64 width = size_of(c, "map_width"), height = size_of(c, "map_height");
  Trial t;
  const gint64 map = numbered(c->trial, "map");
  if (width < 1 || map < 1 || map % width || map / width != height ||
      numbered(c->trial, "obs") < 2 || numbered(c->trial, "next_obs") < 2 ||
      !find_trial(c->trial, 0, &t))
    return;
  g_autoptr(GArray) steps = chosen_steps(&t);
  HnFigure *f = hn_figure_of_arm(r, arm, "belief", "The belief along held-out trials");
  HnPictures *p = f->pictures = g_new0(HnPictures, 1);
  p->width = width, p->height = height, p->columns = steps->len;
  p->picture = g_array_new(FALSE, TRUE, sizeof(HnPicture));
  for (; find_trial(c->trial, p->rows, &t); p->rows++)
    for (guint k = 0; k < steps->len; k++) {
      HnPicture one = {.step = 0};
      take_picture(&t, MIN(g_array_index(steps, gint64, k), t.count - 1), width * height, &one);
      g_array_append_val(p->picture, one);
    }
  f->note = g_strdup("a row is a trial; probability of each cell, the agent's way in its episode, "
                     "framed: the true cell");
  g_ptr_array_add(figures, f);
}

/* ---- moments ---- */

/* Where episodes but the first begin. */
static void mark_episodes(HnFigure *f, const Trial *t) {
  f->mark = g_array_new(FALSE, FALSE, sizeof(double));
  for (gint64 s = 1; s + 1 < t->count; s++) {
    double x = (double)s;
    if (at(t, s, t->begin) != 0) g_array_append_val(f->mark, x);
  }
}

static HnFigure *moment_figure(const HnResults *r, gint64 arm, const Trial *t, gint64 latents,
                               bool variance) {
  HnFigure *f = hn_figure_of_arm(r, arm, variance ? "latent_variance" : "latent_mean",
                                 variance ? "Variance of the latent" : "Mean of the latent");
  f->x_label = g_strdup("step of the trial");
  f->y_label = g_strdup(variance ? "variance" : "mean");
  f->arms = MIN(latents, LATENTS_MAX);
  f->names = g_new0(char *, f->arms + 1);
  f->curve = g_new0(HnCurve *, (gsize)f->arms);
  for (gint64 k = 0; k < f->arms; k++) {
    HnCurve *c = f->curve[k] = hn_curve_new(t->count, 0);
    f->names[k] = g_strdup_printf("z%" G_GINT64_FORMAT, k + 1);
    for (gint64 s = 0; s < t->count; s++) {
      double mean = at(t, s, t->belief + k), log_variance = at(t, s, t->belief + latents + k);
      double stddev = exp(0.5 * log_variance);
      c->x[s] = (double)s;
      c->value[s] = variance ? stddev * stddev : mean;
      c->low[s] = variance ? (double)NAN : mean - stddev;
      c->high[s] = variance ? (double)NAN : mean + stddev;
    }
  }
  mark_episodes(f, t);
  g_autofree char *some = f->arms < latents ? g_strdup_printf("; the first %d of %" G_GINT64_FORMAT,
                                                              LATENTS_MAX, latents)
                                            : g_strdup("");
  f->note = g_strconcat("one held-out trial", variance ? "" : "; band: one standard deviation",
                        some, "; vertical lines: new episodes", NULL);
  return f;
}

static void add_moments(GPtrArray *figures, const HnResults *r, gint64 arm, const HnResult *c) {
  gint64 latents = size_of(c, "latent_dim"), features = size_of(c, "belief_dim");
  Trial t;
  if (latents < 1 || features % 2 || features / 2 != latents ||
      numbered(c->trial, "belief") != features || !find_trial(c->trial, 0, &t))
    return;
  for (int variance = 0; variance < 2; variance++)
    g_ptr_array_add(figures, moment_figure(r, arm, &t, latents, variance));
}

void hn_figures_trials(GPtrArray *figures, const HnResults *r) {
  for (gint64 a = 0; a < r->arm_count; a++) {
    const HnResult *c = recorded(r, a);
    if (c) add_pictures(figures, r, a, c);
  }
  for (gint64 a = 0; a < r->arm_count; a++) {
    const HnResult *c = recorded(r, a);
    if (c) add_moments(figures, r, a, c);
  }
}

void hn_pictures_free(HnPictures *p) {
  if (!p) return;
  for (guint i = 0; i < p->picture->len; i++) {
    HnPicture *one = &g_array_index(p->picture, HnPicture, i);
    g_free(one->cell);
    g_free(one->way);
  }
  g_array_unref(p->picture);
  g_free(p);
}

char *hn_pictures_csv(const HnPictures *p) {
  HnCsvWriter w = hn_csv_writer("trial,step,x,y,probability", 9);
  hn_csv_end_row(&w);
  for (guint i = 0; i < p->picture->len; i++) {
    const HnPicture *one = &g_array_index(p->picture, HnPicture, i);
    for (gint64 k = 0; k < p->width * p->height; k++) {
      hn_csv_int(&w, i / p->columns + 1), hn_csv_int(&w, one->step);
      hn_csv_int(&w, k / p->height), hn_csv_int(&w, k % p->height);
      hn_csv_number(&w, one->cell[k]);
      hn_csv_end_row(&w);
    }
  }
  return hn_csv_take(&w);
}

/* figure_curve.c - gathers curves over seeds from the cells' tables. */
#include "figure_curve.h"
#include "csv.h"
#include <math.h>
#include <string.h>

enum { POINTS_MAX = 100, RESAMPLES = 2000, OTHERS_MAX = 40, LOG_FROM = 32, DECADES = 1000 };

static void curve_free(HnCurve *c) {
  if (!c) return;
  g_free(c->x);
  g_free(c->value);
  g_free(c->low);
  g_free(c->high);
  g_free(c->each);
  g_free(c);
}

static void figure_free(HnFigure *f) {
  for (gint64 a = 0; a < f->arms; a++) curve_free(f->curve[a]);
  g_free(f->curve);
  g_strfreev(f->names);
  g_free(f->note);
  if (f->mark) g_array_unref(f->mark);
  hn_pictures_free(f->pictures), hn_panels_free(f->panels);
  g_free(f->name);
  g_free(f->column);
  g_free(f->title);
  g_free(f->x_label);
  g_free(f->y_label);
  g_free(f);
}

HnCurve *hn_curve_new(gint64 n, gint64 seeds) {
  HnCurve *c = g_new0(HnCurve, 1);
  c->n = n, c->seeds = seeds;
  c->x = g_new(double, (gsize)n);
  c->value = g_new(double, (gsize)n);
  c->low = g_new(double, (gsize)n);
  c->high = g_new(double, (gsize)n);
  c->each = g_new(double, (gsize)(n * seeds));
  return c;
}

/* Averages neighbours until at most POINTS_MAX are left: runs of equal length, or on a logarithmic
 * axis only where points lie closer than the axis can show.  Returns the longest run. */
static gint64 thin(HnCurve *c, bool log_x) {
  gint64 to = 0, longest = 1, run = (c->n + POINTS_MAX - 1) / POINTS_MAX;
  double ratio = log_x && c->n > 1 ? pow(c->x[c->n - 1] / c->x[0], 1.0 / POINTS_MAX) : 1;
  if (run <= 1) return 1;
  for (gint64 from = 0, end; from < c->n; from = end, to++) {
    end = from + 1;
    while (end < c->n && (log_x ? c->x[end] < c->x[from] * ratio : end - from < run)) end++;
    longest = MAX(longest, end - from);
    double x = 0;
    for (gint64 i = from; i < end; i++) x += log_x ? log(c->x[i]) : c->x[i];
    x /= (double)(end - from);
    c->x[to] = log_x ? exp(x) : x;
    for (gint64 s = 0; s < c->seeds; s++) {
      double sum = 0;
      for (gint64 i = from; i < end; i++) sum += c->each[s * c->n + i];
      c->each[s * c->n + to] = sum / (double)(end - from);
    }
  }
  for (gint64 s = 1; s < c->seeds; s++)
    memmove(c->each + s * to, c->each + s * c->n, sizeof(double) * (gsize)to);
  c->n = to;
  return longest;
}

static void summarise(HnCurve *c, HnStats *stats, bool quartiles) {
  double *seed = g_new(double, (gsize)c->seeds);
  for (gint64 i = 0; i < c->n; i++) {
    for (gint64 s = 0; s < c->seeds; s++) seed[s] = c->each[s * c->n + i];
    HnEstimate e = quartiles ? hn_stats_spread(stats, c->seeds, seed)
                             : hn_stats_estimate(stats, c->seeds, seed);
    c->value[i] = e.value, c->low[i] = e.low, c->high[i] = e.high;
  }
  g_free(seed);
}

/* Filled points of one cell: x ascending, as written. */
static void points(const HnTable *t, const char *x, const char *y, bool positive, GArray *xs,
                   GArray *ys) {
  gint64 cx = hn_table_find(t, x), cy = hn_table_find(t, y);
  for (gint64 i = 0; cx >= 0 && cy >= 0 && i < t->rows; i++) {
    double vx = hn_table_at(t, i, cx), vy = hn_table_at(t, i, cy);
    if (!hn_table_filled(t, i, cy) || !isfinite(vx) || (positive && vx <= 0)) continue;
    g_array_append_val(xs, vx);
    g_array_append_val(ys, vy);
  }
}

/* The values at those x that every seed has, so that a curve never changes its population. */
static HnCurve *align(GPtrArray *xs, GPtrArray *ys) {
  GArray *first = xs->pdata[0];
  gint64 seeds = xs->len, n = 0;
  HnCurve *c = hn_curve_new(first->len, seeds);
  gint64 *at = g_new0(gint64, (gsize)seeds);
  for (guint i = 0; i < first->len; i++) {
    double x = g_array_index(first, double, i);
    bool all = true, finite = false;
    for (gint64 s = 0; s < seeds; s++) {
      GArray *here = xs->pdata[s];
      while (at[s] < here->len && g_array_index(here, double, at[s]) < x) at[s]++;
      all &= at[s] < here->len && g_array_index(here, double, at[s]) == x;
      if (!all) break;
      c->each[s * first->len + n] = g_array_index((GArray *)ys->pdata[s], double, at[s]);
      finite |= isfinite(c->each[s * first->len + n]) != 0;
    }
    if (all && finite) c->x[n++] = x;
  }
  for (gint64 s = 1; n > 0 && s < seeds; s++)
    memmove(c->each + s * n, c->each + s * first->len, sizeof(double) * (gsize)n);
  c->n = n;
  g_free(at);
  return c;
}

static void sum_up(HnCurve *c) {
  for (gint64 s = 0; s < c->seeds; s++)
    for (gint64 i = 1; i < c->n; i++) c->each[s * c->n + i] += c->each[s * c->n + i - 1];
}

static HnCurve *arm_curve(const HnResults *r, gint64 arm, const HnFigure *f, bool of_steps,
                          HnStats *stats, gint64 *merged) {
  GPtrArray *xs = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
  GPtrArray *ys = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
  for (gint64 s = 0; s < r->seeds; s++) {
    HnResult *cell = hn_results_cell(r, arm, s);
    const HnTable *t = of_steps ? cell->steps : cell->metrics;
    if (hn_table_find(t, f->column) < 0) continue;
    g_ptr_array_add(xs, g_array_new(FALSE, FALSE, sizeof(double)));
    g_ptr_array_add(ys, g_array_new(FALSE, FALSE, sizeof(double)));
    points(t, of_steps ? "step" : "frames", f->column, f->log_x, xs->pdata[xs->len - 1],
           ys->pdata[ys->len - 1]);
  }
  HnCurve *c = xs->len ? align(xs, ys) : NULL;
  if (c && c->n == 0) g_clear_pointer(&c, curve_free);
  if (c) {
    if (f->so_far) sum_up(c);
    gint64 longest = thin(c, f->log_x);
    *merged = MAX(*merged, longest);
    summarise(c, stats, f->quartiles);
  }
  g_ptr_array_unref(xs);
  g_ptr_array_unref(ys);
  return c;
}

static char *slug(const char *column, const char *suffix) {
  char *name = g_strconcat(column, suffix, NULL);
  return g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-", '_');
}

static char *label(const HnResults *r, const char *column) {
  const char *dot = strrchr(column, '.'), *unit = hn_column_unit(r, column);
  char *name = g_strdelimit(g_strdup(dot ? dot + 1 : column), "_", ' ');
  char *text = *unit ? g_strdup_printf("%s (%s)", name, unit) : g_strdup(name);
  g_free(name);
  return text;
}

/* True where all curves are positive and only powers of ten show them all. */
static bool spans_decades(const HnFigure *f) {
  double low = INFINITY, high = 0;
  for (gint64 a = 0; a < f->arms; a++)
    for (gint64 i = 0; f->curve[a] && i < f->curve[a]->n; i++) {
      double value = f->curve[a]->value[i];
      if (!isfinite(value)) continue;
      low = fmin(low, value), high = fmax(high, value);
    }
  return low > 0 && high > DECADES * low;
}

/* What a figure shows and how; x is frames, or with of_steps steps of the trial. */
typedef struct Plan {
  HnFigureGroup group;
  const char *column, *title; /* title NULL: what the plugin says of the column */
  bool of_steps, log_x, so_far;
} Plan;

/* "waste: moves that were not needed", from a column's name and what its plugin says of it. */
static char *title_of(const HnResults *r, const Plan *p) {
  HnColumnFacts facts = hn_column_facts(r, p->column);
  const char *so_far = p->so_far ? " so far" : "";
  if (p->title) return g_strconcat(p->title, so_far, NULL);
  if (!p->of_steps || !*facts.doc) return g_strconcat(p->column, so_far, NULL);
  g_autofree char *doc = g_strdup(facts.doc), *name = g_strdelimit(g_strdup(p->column), "_", ' ');
  gsize n = strlen(doc);
  if (doc[n - 1] == '.') doc[n - 1] = '\0';
  if (!g_ascii_isupper(doc[1])) doc[0] = g_ascii_tolower(doc[0]);
  return g_strconcat(name, so_far, ": ", doc, NULL);
}

static const char *x_label_of(const Plan *p) {
  if (g_str_has_prefix(p->column, "predict.")) return "answers seen";
  return p->group == HN_FIGURE_PREDICTION ? "n-th transition, predicted from the n - 1 before it"
         : p->group == HN_FIGURE_BELIEF   ? "transitions conditioned on"
         : p->of_steps                    ? "step of the trial"
                                          : "environment steps";
}

/* Adds the figure of a column unless it is there already or nobody has numbers for it. */
static void add(GPtrArray *figures, const HnResults *r, HnStats *stats, Plan p) {
  const char *suffix = p.so_far ? "_so_far" : p.of_steps ? "_by_step" : "";
  char *name = slug(p.column, suffix);
  bool there = false;
  for (guint i = 0; i < figures->len; i++)
    there |= g_str_equal(((HnFigure *)figures->pdata[i])->name, name);
  HnFigure *f = g_new0(HnFigure, 1);
  f->group = p.group, f->name = name, f->column = g_strdup(p.column);
  f->title = title_of(r, &p), f->x_label = g_strdup(x_label_of(&p));
  f->y_label = label(r, p.column);
  f->log_x = p.log_x, f->merged = 1, f->arms = r->arm_count, f->so_far = p.so_far;
  f->quartiles = r->report.band == HN_BAND_QUARTILES;
  f->curve = g_new0(HnCurve *, (gsize)r->arm_count);
  bool any = false;
  for (gint64 a = 0; !there && a < r->arm_count; a++)
    any |= (f->curve[a] = arm_curve(r, a, f, p.of_steps, stats, &f->merged)) != NULL;
  f->log_y = p.of_steps && spans_decades(f);
  if (any)
    g_ptr_array_add(figures, f);
  else
    figure_free(f);
}

/* A curve less another that has the same points and, like it, every seed of the study; or NULL. */
static HnCurve *difference(const HnCurve *c, const HnCurve *b, gint64 seeds, HnStats *stats) {
  if (!c || !b || c->n != b->n || c->seeds != seeds || b->seeds != seeds ||
      memcmp(c->x, b->x, sizeof *c->x * (gsize)c->n) != 0)
    return NULL;
  HnCurve *d = hn_curve_new(c->n, seeds);
  memcpy(d->x, c->x, sizeof *c->x * (gsize)c->n);
  double *pair = g_new(double, (gsize)(2 * seeds));
  for (gint64 i = 0; i < c->n; i++) {
    for (gint64 s = 0; s < seeds; s++) {
      pair[s] = c->each[s * c->n + i], pair[seeds + s] = b->each[s * c->n + i];
      d->each[s * c->n + i] = pair[s] - pair[seeds + s];
    }
    HnEstimate e = hn_stats_difference(stats, seeds, pair, pair + seeds);
    d->value[i] = e.value, d->low[i] = e.low, d->high[i] = e.high;
  }
  g_free(pair);
  return d;
}

/* Every arm's curve of a column less the baseline's: the table's difference, all along. */
static void add_difference(GPtrArray *figures, const HnComparison *c, HnStats *stats,
                           const char *column) {
  const HnResults *r = c->results;
  const HnFigure *from = NULL;
  for (guint i = 0; i < figures->len; i++)
    if (g_str_equal(((HnFigure *)figures->pdata[i])->column, column)) from = figures->pdata[i];
  if (!from) return;
  HnFigure *f = g_new0(HnFigure, 1);
  f->group = from->group;
  f->name = g_strconcat(from->name, "_difference", NULL), f->column = g_strdup(column);
  f->title = g_strdup_printf("The same less %s, paired by seed", r->arms[c->baseline]);
  f->x_label = g_strdup(from->x_label);
  const char *unit = hn_column_unit(r, column);
  f->y_label = *unit ? g_strdup_printf("difference (%s)", unit) : g_strdup("difference");
  f->merged = from->merged, f->arms = from->arms;
  f->curve = g_new0(HnCurve *, (gsize)r->arm_count);
  bool any = false;
  for (gint64 a = 0; a < r->arm_count; a++) {
    if (!c->protocol[a])
      f->curve[a] = difference(from->curve[a], from->curve[c->baseline], r->seeds, stats);
    any |= a != c->baseline && f->curve[a];
  }
  if (any)
    g_ptr_array_add(figures, f);
  else
    figure_free(f);
}

/* eval.return_1 .. eval.return_E of the last evaluation, by episode. */
static void add_episodes(GPtrArray *figures, const HnResults *r, HnStats *stats) {
  HnFigure *f = g_new0(HnFigure, 1);
  f->group = HN_FIGURE_ADAPTATION;
  f->name = g_strdup("return_by_episode"), f->column = g_strdup("eval.return_1 ..");
  f->title = g_strdup("Return by episode of the trial");
  f->x_label = g_strdup("episode of the trial"), f->y_label = label(r, "eval.return");
  f->merged = 1, f->arms = r->arm_count, f->quartiles = r->report.band == HN_BAND_QUARTILES;
  f->curve = g_new0(HnCurve *, (gsize)r->arm_count);
  bool any = false;
  for (gint64 a = 0; a < r->arm_count; a++) {
    GPtrArray *tables = g_ptr_array_new();
    for (gint64 s = 0; s < r->seeds; s++) {
      HnTable *t = hn_results_cell(r, a, s)->metrics;
      if (hn_table_find(t, "eval.return_2") >= 0) g_ptr_array_add(tables, t);
    }
    gint64 episodes = 0;
    char name[64];
    for (bool found = tables->len > 0; found; episodes += found) {
      g_snprintf(name, sizeof name, "eval.return_%" G_GINT64_FORMAT, episodes + 1);
      for (guint s = 0; s < tables->len; s++) found &= hn_table_find(tables->pdata[s], name) >= 0;
    }
    HnCurve *c = episodes ? f->curve[a] = hn_curve_new(episodes, tables->len) : NULL;
    for (gint64 e = 0; c && e < episodes; e++) {
      g_snprintf(name, sizeof name, "eval.return_%" G_GINT64_FORMAT, e + 1);
      c->x[e] = (double)(e + 1);
      for (guint s = 0; s < tables->len; s++)
        c->each[s * episodes + e] =
            hn_table_last(tables->pdata[s], hn_table_find(tables->pdata[s], name), NULL);
    }
    if (c) summarise(c, stats, f->quartiles);
    for (gint64 e = 0; c && e < episodes; e++) any |= isfinite(c->value[e]) != 0;
    g_ptr_array_unref(tables);
  }
  if (any)
    g_ptr_array_add(figures, f);
  else
    figure_free(f);
}

/* Every column of a kind of table, in the order they are first met. */
static GPtrArray *columns(const HnResults *r, bool of_steps) {
  GPtrArray *names = g_ptr_array_new();
  for (guint i = 0; i < r->cells->len; i++) {
    HnResult *cell = r->cells->pdata[i];
    const HnTable *t = of_steps ? cell->steps : cell->metrics;
    for (gint64 k = 0; t && k < t->width; k++)
      if (!g_ptr_array_find_with_equal_func(names, t->columns[k], g_str_equal, NULL))
        g_ptr_array_add(names, t->columns[k]);
  }
  return names;
}

/* A trial long enough for its early steps to need room. */
static bool long_trial(const HnResults *r) {
  gint64 steps = 0;
  for (guint i = 0; i < r->cells->len; i++) {
    HnResult *cell = r->cells->pdata[i];
    if (cell->steps) steps = MAX(steps, cell->steps->rows);
  }
  return steps >= LOG_FROM;
}

static bool one_of(const char *name, const char *const *list) {
  return g_strv_contains(list, name);
}

/* The inference's columns of steps.csv, then, with `env`, reward and the environment's; of what
 * adds up, the sum as well. */
static void add_steps(GPtrArray *figures, const HnResults *r, HnStats *stats, bool env,
                      bool log_x) {
  static const char *const never[] = {"update", "step", "reward", NULL};
  GPtrArray *names = columns(r, true);
  Plan reward = {HN_FIGURE_ADAPTATION, "reward", "Reward by step of the trial", true, false, false};
  if (env) add(figures, r, stats, reward);
  reward.title = "Reward", reward.so_far = true;
  if (env) add(figures, r, stats, reward);
  for (guint i = 0; i < names->len; i++) {
    Plan p = {HN_FIGURE_BELIEF, names->pdata[i], NULL, true, log_x, false};
    HnColumnFacts facts = hn_column_facts(r, p.column);
    if (one_of(p.column, never) || env != !g_strcmp0(facts.kind, "env")) continue;
    if (env) p.group = HN_FIGURE_ADAPTATION, p.log_x = false;
    if (!*facts.doc && g_str_has_prefix(p.column, "kl")) p.title = "KL from posterior to prior";
    add(figures, r, stats, p);
    p.so_far = env && g_str_equal(facts.fold, "sum");
    if (p.so_far) add(figures, r, stats, p);
  }
  g_ptr_array_unref(names);
}

GPtrArray *hn_figures(const HnComparison *c) {
  const HnResults *r = c->results;
  static const char *const learning[][2] = {{"eval.return", "Return on held-out tasks"},
                                            {"train.return", "Return while training"},
                                            {"eval.success", "Success on held-out tasks"}};
  static const char *const prediction[][2] = {
      {"reward_l1", "Error of predicted rewards"},
      {"reward_nll", "Negative log-likelihood of rewards"},
      {"transition_l1", "Error of predicted transitions"},
      {"transition_nll", "Negative log-likelihood of transitions"},
      {"log_predictive", "Log predictive density"},
      {"predict.cross_entropy", "Cross-entropy of predicted answers"},
      {"predict.perplexity", "Perplexity of predicted answers"},
      {"predict.l1", "Absolute error of predicted answers"},
      {"predict.l2", "Squared error of predicted answers"}};
  static const char *const never[] = {"update", "frames", NULL};
  GPtrArray *figures = g_ptr_array_new_with_free_func((GDestroyNotify)figure_free);
  HnStats *stats = hn_stats_new((HnAggregate)r->report.aggregate, r->report.confidence,
                                MIN(r->report.resamples, RESAMPLES));
  bool log_x = long_trial(r);
  for (guint i = 0; i < G_N_ELEMENTS(learning); i++) {
    if (i == 1) add_difference(figures, c, stats, learning[0][0]);
    add(figures, r, stats, (Plan){HN_FIGURE_LEARNING, learning[i][0], learning[i][1], 0, 0, 0});
  }
  add(figures, r, stats, (Plan){HN_FIGURE_LEARNING, r->report.metric, NULL, 0, 0, 0});
  for (guint i = 0; i < G_N_ELEMENTS(prediction); i++)
    add(figures, r, stats,
        (Plan){HN_FIGURE_PREDICTION, prediction[i][0], prediction[i][1], true, log_x, false});
  add_steps(figures, r, stats, false, log_x);
  add_episodes(figures, r, stats);
  add_steps(figures, r, stats, true, log_x);
  hn_figures_panels(figures, r);
  hn_figures_trials(figures, r);
  GPtrArray *names = columns(r, false);
  for (guint i = 0, limit = figures->len + OTHERS_MAX; i < names->len && figures->len < limit;
       i++) {
    const char *name = names->pdata[i];
    if (!one_of(name, never) && !g_str_has_prefix(name, "eval.return_"))
      add(figures, r, stats, (Plan){HN_FIGURE_OTHER, name, NULL, 0, 0, 0});
  }
  g_ptr_array_unref(names);
  hn_stats_free(stats);
  return figures;
}

char *hn_figure_csv(const HnFigure *f, const HnResults *r) {
  if (f->pictures) return hn_pictures_csv(f->pictures);
  if (f->panels) return hn_panels_csv(f->panels);
  HnCsvWriter w = hn_csv_writer(f->names ? "latent,x,value,low,high" : "arm,x,value,low,high", 9);
  gint64 seeds = 0;
  for (gint64 a = 0; a < f->arms; a++)
    if (f->curve[a]) seeds = MAX(seeds, f->curve[a]->seeds);
  hn_csv_numbered(&w, "value", 1, seeds);
  hn_csv_end_row(&w);
  for (gint64 a = 0; a < f->arms; a++) {
    const HnCurve *c = f->curve[a];
    for (gint64 i = 0; c && i < c->n; i++) {
      const double shown[] = {c->x[i], c->value[i], c->low[i], c->high[i]};
      hn_csv_text(&w, f->names ? f->names[a] : r->arms[a]);
      for (guint k = 0; k < G_N_ELEMENTS(shown); k++) hn_csv_number(&w, shown[k]);
      for (gint64 s = 0; s < seeds; s++)
        hn_csv_number(&w, s < c->seeds ? c->each[s * c->n + i] : (double)NAN);
      hn_csv_end_row(&w);
    }
  }
  return hn_csv_take(&w);
}

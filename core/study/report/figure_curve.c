/* figure_curve.c - curves over seeds from the cells' tables: learning, prediction, belief,
 * adaptation, and whatever else metrics.csv holds. */
#include "figure_curve.h"
#include "alike.h"
#include "arm_slots.h"
#include "csv.h"
#include "draw_curves.h"
#include <math.h>
#include <string.h>

enum { RESAMPLES = 2000, OTHERS_MAX = 40, LOG_FROM = 32, DECADES = 1000 };

/* ---- the data ---- */

HnCurves *hn_curves_new(int64_t count, char **names, const char *x_label, const char *y_label) {
  HnCurves *d = g_new0(HnCurves, 1);
  d->count = count, d->merged = 1;
  d->curve = g_new0(HnCurve *, (gsize)count);
  d->slot = g_new(int64_t, (gsize)count);
  for (int64_t i = 0; i < count; i++) d->slot[i] = i + 1;
  d->names = g_strdupv(names);
  d->x_label = g_strdup(x_label), d->y_label = g_strdup(y_label);
  return d;
}

static void curves_free(void *p) {
  HnCurves *d = p;
  for (int64_t a = 0; a < d->count; a++) hn_curve_free(d->curve[a]);
  g_free(d->curve), g_free(d->slot), g_strfreev(d->names), g_free(d->x_label), g_free(d->y_label);
  g_free(d->remark);
  if (d->mark) g_array_unref(d->mark);
  g_free(d);
}

static int64_t seeds_of(const HnCurves *d) {
  int64_t seeds = 0;
  for (int64_t a = 0; a < d->count; a++)
    if (d->curve[a]) seeds = MAX(seeds, d->curve[a]->seeds);
  return seeds;
}

/* The fewest seeds of any point. */
static int64_t fewest_of(const HnCurves *d) {
  int64_t fewest = G_MAXINT64;
  for (int64_t a = 0; a < d->count; a++)
    for (int64_t i = 0; d->curve[a] && i < d->curve[a]->n; i++)
      fewest = MIN(fewest, d->curve[a]->count[i]);
  return fewest;
}

/* The kind of interval of the bands. */
static HnInterval interval_of(const HnCurves *d) {
  HnInterval interval = HN_INTERVAL_NONE;
  for (int64_t a = 0; a < d->count; a++)
    if (d->curve[a] && d->curve[a]->interval != HN_INTERVAL_NONE) interval = d->curve[a]->interval;
  return interval;
}

static char *csv(const HnFigure *f) {
  const HnCurves *d = f->data;
  const int64_t seeds = seeds_of(d);
  HnCsvWriter w =
      hn_csv_writer(d->parts ? "latent,x,value,low,high" : "arm,x,value,low,high,seeds", 9);
  hn_csv_numbered(&w, "value", 1, seeds);
  hn_csv_end_row(&w);
  for (int64_t a = 0; a < d->count; a++) {
    const HnCurve *c = d->curve[a];
    for (int64_t i = 0; c && i < c->n; i++) {
      const double shown[] = {c->x[i], c->value[i], c->low[i], c->high[i]};
      hn_csv_text(&w, d->names[a]);
      for (guint k = 0; k < G_N_ELEMENTS(shown); k++) hn_csv_number(&w, shown[k]);
      if (!d->parts) hn_csv_int(&w, c->count[i]);
      for (int64_t s = 0; s < seeds; s++)
        hn_csv_number(&w, s < c->seeds ? c->each[s * c->n + i] : (double)NAN);
      hn_csv_end_row(&w);
    }
  }
  return hn_csv_take(&w);
}

/* ---- gathering ---- */

typedef struct Gathering {
  GPtrArray *figures;
  const HnComparison *c;
  HnStats *stats;
  int64_t *slot; /* of each arm */
  char *tasks;   /* of an evaluation, "20 held-out tasks", or "" */
} Gathering;

static char *slug(const char *column, const char *suffix) {
  char *name = g_strconcat(column, suffix, NULL);
  return g_strcanon(name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-", '_');
}

/* "return on held-out tasks (reward per episode; higher is better)". */
static char *axis_title(const HnResults *r, const char *column, const char *unit, bool so_far) {
  const int better = hn_metric_better(column);
  g_autofree char *words = hn_metric_words(r->cells, column);
  GString *out = g_string_new(words);
  if (so_far) g_string_append(out, " so far");
  const char *way = better > 0 ? "higher is better" : better < 0 ? "lower is better" : "";
  if (*unit || *way) g_string_append_printf(out, " (%s%s%s)", unit, *unit && *way ? "; " : "", way);
  return g_string_free(out, FALSE);
}

/* Curves of all arms, still empty. */
static HnCurves *of_arms(const Gathering *g, const char *x_label, const char *y_label) {
  const HnResults *r = g->c->results;
  HnCurves *d = hn_curves_new(r->arm_count, r->arms, x_label, y_label);
  memcpy(d->slot, g->slot, sizeof *g->slot * (gsize)r->arm_count);
  d->quartiles = r->report.band == HN_BAND_QUARTILES;
  return d;
}

/* "mean of 10 seeds; band: 95 % interval": what the lines and bands are. */
static void note_of_lines(const Gathering *g, const HnCurves *d, GString *note) {
  const char *aggregate = hn_aggregate_name(hn_stats_kind(g->stats));
  const int64_t seeds = seeds_of(d);
  if (seeds == 1) {
    g_string_append(note, "one seed, no interval");
    return;
  }
  g_string_append_printf(note, "%s of %" G_GINT64_FORMAT " seeds; ", aggregate, seeds);
  if (seeds < HN_BAND_SEEDS)
    g_string_append(note, "thin lines: single seeds");
  else if (d->quartiles)
    g_string_append(note, "band: their quartiles");
  else
    g_string_append_printf(note, "band: %g %% interval, %s", 100 * hn_stats_confidence(g->stats),
                           hn_interval_title(interval_of(d)));
}

static char *note_of(const Gathering *g, const HnFigure *f, const HnCurves *d) {
  GString *note = g_string_new(NULL);
  note_of_lines(g, d, note);
  if (f->group != HN_FIGURE_OTHER && !g_str_has_prefix(f->column, "train.") && *g->tasks)
    g_string_append_printf(note, "; %s", g->tasks);
  if (d->merged > 1)
    g_string_append_printf(note, "; up to %" G_GINT64_FORMAT " neighbouring points averaged",
                           d->merged);
  if (fewest_of(d) < seeds_of(d)) g_string_append(note, "; some points lack seeds (csv: seeds)");
  if (hn_draw_curves_cut(d))
    g_string_append(note, "; triangles: seeds or bands go on beyond the axis");
  if (d->remark) g_string_append_printf(note, "; %s", d->remark);
  g_autofree char *arms = hn_arm_slots_note(g->c, d->show_rest);
  if (*arms) g_string_append_printf(note, ". %s", arms);
  return g_string_free(note, FALSE);
}

/* Adds a figure of d, which is taken over, if an arm other than `except` has numbers. */
static void finish(const Gathering *g, HnFigure f, HnCurves *d, int64_t except) {
  bool any = false;
  for (int64_t a = 0; a < d->count; a++) any |= a != except && d->curve[a];
  if (!any) {
    curves_free(d);
    return;
  }
  d->show_rest = f.group == HN_FIGURE_FINDING;
  g_autofree char *note = f.note ? g_strdup(f.note) : note_of(g, &f, d);
  f.kind = &hn_figure_curve, f.note = note, f.data = d;
  hn_figure_add(g->figures, &f);
}

/* ---- one column ---- */

/* Which column a figure shows and how; x is frames, or with of_steps the step of the trial. */
typedef struct Plan {
  HnFigureGroup group;
  const char *column, *title; /* title NULL: from the plugin's documentation */
  bool of_steps, log_x, so_far;
} Plan;

/* "Return on held-out tasks", or "waste: moves that were not needed" from a column's name and its
 * plugin's documentation. */
static char *title_of(const HnResults *r, const Plan *p, bool one_meaning) {
  HnMetricInfo facts = hn_metric_info(r, p->column);
  const char *so_far = p->so_far ? " so far" : "";
  if (p->title) return g_strconcat(p->title, so_far, NULL);
  if (p->of_steps && *facts.doc && one_meaning) {
    g_autofree char *doc = g_strdup(facts.doc), *name = g_strdelimit(g_strdup(p->column), "_", ' ');
    gsize n = strlen(doc);
    if (doc[n - 1] == '.') doc[n - 1] = '\0';
    if (!g_ascii_isupper(doc[1])) doc[0] = g_ascii_tolower(doc[0]);
    return g_strconcat(name, so_far, ": ", doc, NULL);
  }
  g_autofree char *words = hn_metric_words(r->cells, p->column);
  words[0] = g_ascii_toupper(words[0]);
  return g_strconcat(words, so_far, NULL);
}

static const char *x_label_of(const Plan *p) {
  if (g_str_has_prefix(p->column, "predict.")) return "answers seen";
  return p->group == HN_FIGURE_PREDICTION ? "n-th transition, predicted from the n - 1 before it"
         : p->group == HN_FIGURE_BELIEF   ? "transitions conditioned on"
         : p->of_steps                    ? "step of the trial"
                                          : "environment steps";
}

/* Whether all curves are positive and too far apart for a linear axis. */
static bool spans_decades(const HnCurves *d) {
  double low = INFINITY, high = 0;
  for (int64_t a = 0; a < d->count; a++)
    for (int64_t i = 0; d->curve[a] && i < d->curve[a]->n; i++) {
      double value = d->curve[a]->value[i];
      if (!isfinite(value)) continue;
      low = fmin(low, value), high = fmax(high, value);
    }
  return low > 0 && high > DECADES * low;
}

static HnCurve *arm_curve(const Gathering *g, int64_t arm, const Plan *p, double trials,
                          HnCurves *d) {
  const HnResults *r = g->c->results;
  g_autoptr(GPtrArray) tables = g_ptr_array_new();
  for (int64_t s = 0; s < r->seeds; s++) {
    HnResult *cell = hn_results_cell(r, arm, s);
    HnTable *t = p->of_steps ? cell->steps : cell->metrics;
    if (hn_table_find(t, p->column) >= 0) g_ptr_array_add(tables, t);
  }
  HnCurve *c = hn_curve_of(tables, p->of_steps ? "step" : "frames", p->column, p->log_x);
  if (!c) return NULL;
  if (p->so_far) hn_curve_add_up(c);
  const int64_t longest = hn_curve_thin(c, p->log_x);
  d->merged = MAX(d->merged, longest);
  hn_curve_summarise(c, g->stats, d->quartiles, trials);
  return c;
}

/* "0.0007", or "1 (memory), 2 (fixed)", of curves that never change; else NULL. */
static char *constant_of(const HnCurves *d) {
  g_autoptr(GString) values = g_string_new(NULL);
  const HnCurve *first = NULL;
  bool same = true;
  for (int64_t a = 0; a < d->count; a++) {
    const HnCurve *c = d->curve[a];
    if (!c) continue;
    if (!hn_curve_is_constant(c)) return NULL;
    if (!first) first = c;
    same &= c->each[0] == first->each[0];
    g_string_append_printf(values, "%s%.6g (%s)", values->len ? ", " : "", c->each[0], d->names[a]);
  }
  if (!first) return NULL;
  return same ? g_strdup_printf("%.6g", first->each[0]) : g_strdup(values->str);
}

/* What plugins say a column is, "glibrl: Log-density of ..; mine: ..", where they do not say the
 * same; else NULL.  Of the arms that have a curve. */
static char *meanings_of(const HnResults *r, const char *column, const HnCurves *d) {
  g_autoptr(GPtrArray) all = hn_alike_new();
  for (int64_t a = 0; a < d->count; a++) {
    const HnMetricInfo f = hn_metric_info_of(r, a, column);
    if (d->curve[a] && f.plugin && *f.doc) hn_alike_add(all, f.doc, f.plugin);
  }
  if (all->len < 2) return NULL;
  g_autoptr(GString) out = g_string_new("plugins describe it differently");
  for (guint i = 0; i < all->len; i++) {
    const HnAlike *one = all->pdata[i];
    const gsize n = strlen(one->said) - g_str_has_suffix(one->said, ".");
    g_string_append_printf(out, "%s %s: %.*s", i ? ";" : ",", (char *)one->names->pdata[0], (int)n,
                           one->said);
  }
  return g_strdup(out->str);
}

static char *with_scale(char *label, bool logarithmic) {
  g_autofree char *plain = label;
  return g_strconcat(plain, logarithmic ? ", logarithmic" : NULL, NULL);
}

/* Adds the figure of the arms that report a column in a unit; `only`: others report another. */
static void add_in_unit(const Gathering *g, const Plan *p, const char *unit, bool only) {
  const HnResults *r = g->c->results;
  g_autofree char *name = slug(p->column, p->so_far ? "_so_far" : p->of_steps ? "_by_step" : "");
  g_autofree char *y_label = axis_title(r, p->column, unit, p->so_far);
  const double trials = p->so_far || *unit ? 0 : hn_metric_trials(r, p->column);
  HnCurves *d = of_arms(g, x_label_of(p), y_label);
  for (int64_t a = 0; a < d->count; a++)
    if (!only || g_str_equal(hn_metric_unit_of(r, a, p->column), unit))
      d->curve[a] = arm_curve(g, a, p, trials, d);
  d->log_x = p->log_x, d->log_y = p->of_steps && spans_decades(d), d->rate = trials > 0;
  d->x_label = with_scale(d->x_label, d->log_x), d->y_label = with_scale(d->y_label, d->log_y);
  d->remark = meanings_of(r, p->column, d);
  g_autofree char *title = title_of(r, p, !d->remark && !only);
  HnFigure f = {.group = p->group, .name = name, .column = p->column, .title = title};
  g_autofree char *constant = p->group == HN_FIGURE_OTHER ? constant_of(d) : NULL;
  if (constant) f.group = HN_FIGURE_CONSTANT, f.note = constant;
  finish(g, f, d, -1);
}

/* Adds the figure of a column, of each unit that arms report it in, unless it is there already or
 * nobody has numbers for it. */
static void add(const Gathering *g, Plan p) {
  const HnResults *r = g->c->results;
  g_autofree char *name = slug(p.column, p.so_far ? "_so_far" : p.of_steps ? "_by_step" : "");
  if (hn_figure_find(g->figures, name, p.column)) return;
  g_autoptr(GPtrArray) units = hn_alike_new();
  for (int64_t a = 0; a < r->arm_count; a++)
    if (hn_metric_info_of(r, a, p.column).plugin)
      hn_alike_add(units, hn_metric_unit_of(r, a, p.column), r->arms[a]);
  if (units->len < 2) {
    add_in_unit(g, &p, hn_metric_unit(r, p.column), false);
    return;
  }
  for (guint i = 0; i < units->len; i++)
    add_in_unit(g, &p, ((const HnAlike *)units->pdata[i])->said, true);
}

/* ---- made of several columns ---- */

/* Whether an arm's cells have the seeds of the baseline's, index by index. */
static bool same_seeds(const HnComparison *c, int64_t arm) {
  const int64_t seeds = c->results->seeds;
  int64_t same = 0;
  for (int64_t s = 0; s < seeds; s++) same += c->partner[arm * seeds + s] == s;
  return same == seeds;
}

/* Whether an arm learns nothing, so that its one evaluation holds at every step. */
static bool stays(const HnResults *r, int64_t arm, const HnCurve *c) {
  const HnResult *cell = hn_results_first(r, arm);
  const HnNode *frames = cell && cell->config ? hn_node_at(cell->config, "run.frames") : NULL;
  return c && c->n == 1 && frames && frames->kind == HN_NODE_TEXT &&
         g_ascii_strtod(frames->text, NULL) == 0;
}

/* The difference of an arm's curve from the baseline's, where one of them stays as it is at the
 * other's steps. */
static HnCurve *difference_of(const Gathering *g, const HnCurves *whole, int64_t arm) {
  const HnResults *r = g->c->results;
  const HnCurve *own = whole->curve[arm], *base = whole->curve[g->c->baseline];
  HnCurve *held = NULL;
  if (stays(r, g->c->baseline, base) && own)
    base = held = hn_curve_held(base, own);
  else if (stays(r, arm, own) && base)
    own = held = hn_curve_held(own, base);
  HnCurve *d = hn_curve_difference(own, base, r->seeds, g->stats);
  hn_curve_free(held);
  return d;
}

/* Whether any arm was evaluated after training. */
static bool any_moves(const HnCurves *d) {
  bool moves = false;
  for (int64_t a = 0; a < d->count; a++)
    moves |= d->curve[a] && (d->curve[a]->n > 1 || d->curve[a]->x[0] > 0);
  return moves;
}

/* Which arms have a curve and no difference, and which stay as they are; g_free. */
static char *remark_of(const Gathering *g, const HnCurves *whole, const HnCurves *d) {
  enum { NAMED = 4 };
  const HnResults *r = g->c->results;
  g_autoptr(GPtrArray) all = hn_alike_new();
  for (int64_t a = 0; a < d->count; a++) {
    if (whole->curve[a] && !d->curve[a] && a != g->c->baseline)
      hn_alike_add(all, "no curve of %s: other steps, seeds or task than the baseline's",
                   r->arms[a]);
    else if (any_moves(whole) && stays(r, a, whole->curve[a]))
      hn_alike_add(all, "%s: without training, so that one evaluation holds at every step",
                   r->arms[a]);
  }
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < all->len; i++) {
    const HnAlike *one = all->pdata[i];
    g_autofree char *arms = hn_alike_names(one, NAMED);
    g_auto(GStrv) part = g_strsplit(one->said, "%s", 2);
    g_string_append_printf(out, "%s%s%s%s", i ? "; " : "", part[0], arms, part[1]);
  }
  return g_string_free(out, !out->len);
}

/* Every arm's curve of a column minus the baseline's, where that has a figure. */
static void add_difference(const Gathering *g, const char *column) {
  const HnResults *r = g->c->results;
  g_autofree char *of = slug(column, "");
  const HnFigure *from = hn_figure_find(g->figures, of, column);
  if (!from || r->arm_count < 2) return;
  const HnCurves *whole = from->data;
  const char *base = r->arms[g->c->baseline], *unit = hn_metric_unit(r, column);
  const int better = hn_metric_better(column);
  g_autofree char *name = g_strconcat(from->name, "_difference", NULL);
  g_autofree char *title = g_strdup_printf("Difference from %s, paired by seed", base);
  const char *way = better > 0 ? "above 0 is better" : better < 0 ? "below 0 is better" : "";
  g_autofree char *y_label =
      g_strdup_printf("difference from %s (%s%s%s)", base, unit, *unit && *way ? "; " : "", way);
  HnCurves *d = of_arms(g, whole->x_label, y_label);
  d->quartiles = false, d->merged = whole->merged, d->zero = true;
  for (int64_t a = 0; a < d->count; a++)
    if (!g->c->protocol[a] && a != g->c->baseline && same_seeds(g->c, a))
      d->curve[a] = difference_of(g, whole, a);
  d->remark = remark_of(g, whole, d);
  finish(g, (HnFigure){.group = from->group, .name = name, .column = column, .title = title}, d,
         g->c->baseline);
}

static char *return_column(int64_t episode) {
  return g_strdup_printf("eval.return_%" G_GINT64_FORMAT, episode);
}

/* The number of episodes that all tables have a return for. */
static int64_t episodes_of(const GPtrArray *tables) {
  for (int64_t e = 1;; e++) {
    g_autofree char *name = return_column(e);
    for (guint s = 0; s < tables->len; s++)
      if (hn_table_find(tables->pdata[s], name) < 0) return e - 1;
  }
}

/* The last evaluation of one arm by episode, or NULL. */
static HnCurve *episodes_curve(const Gathering *g, int64_t arm, bool quartiles) {
  const HnResults *r = g->c->results;
  g_autoptr(GPtrArray) tables = g_ptr_array_new();
  for (int64_t s = 0; s < r->seeds; s++) {
    HnTable *t = hn_results_cell(r, arm, s)->metrics;
    if (hn_table_find(t, "eval.return_2") >= 0) g_ptr_array_add(tables, t);
  }
  const int64_t n = tables->len ? episodes_of(tables) : 0;
  if (!n) return NULL;
  HnCurve *c = hn_curve_new(n, tables->len);
  for (int64_t e = 0; e < n; e++) {
    g_autofree char *name = return_column(e + 1);
    c->x[e] = (double)(e + 1);
    for (guint s = 0; s < tables->len; s++)
      c->each[s * n + e] =
          hn_table_last(tables->pdata[s], hn_table_find(tables->pdata[s], name), NULL);
  }
  hn_curve_summarise(c, g->stats, quartiles, 0);
  if (!isfinite(hn_curve_last(c))) g_clear_pointer(&c, hn_curve_free);
  return c;
}

/* eval.return_1 .. eval.return_E of the last evaluation, by episode. */
static void add_episodes(const Gathering *g) {
  const HnResults *r = g->c->results;
  g_autofree char *y_label = axis_title(r, "eval.return", hn_metric_unit(r, "eval.return"), false);
  HnCurves *d = of_arms(g, "episode of the trial", y_label);
  for (int64_t a = 0; a < d->count; a++) d->curve[a] = episodes_curve(g, a, d->quartiles);
  finish(g,
         (HnFigure){.group = HN_FIGURE_ADAPTATION,
                    .name = "return_by_episode",
                    .column = "eval.return_1 ..",
                    .title = "Return by episode of the trial"},
         d, -1);
}

/* ---- all ---- */

/* The columns of steps.csv or metrics.csv of all cells, in the order in which they are first met.
 */
static GPtrArray *columns(const HnResults *r, bool of_steps) {
  GPtrArray *names = g_ptr_array_new();
  for (guint i = 0; i < r->cells->len; i++) {
    HnResult *cell = r->cells->pdata[i];
    const HnTable *t = of_steps ? cell->steps : cell->metrics;
    for (int64_t k = 0; t && k < t->width; k++)
      if (!g_ptr_array_find_with_equal_func(names, t->columns[k], g_str_equal, NULL))
        g_ptr_array_add(names, t->columns[k]);
  }
  return names;
}

/* Whether trials are so long that a linear axis would hide their early steps. */
static bool long_trial(const HnResults *r) {
  int64_t steps = 0;
  for (guint i = 0; i < r->cells->len; i++) {
    HnResult *cell = r->cells->pdata[i];
    if (cell->steps) steps = MAX(steps, cell->steps->rows);
  }
  return steps >= LOG_FROM;
}

/* Figures of steps.csv: reward and the environment's columns with `env`, else the inference's.
 * Columns that add up are shown as running sums too. */
static void add_steps(const Gathering *g, bool env, bool log_x) {
  static const char *const never[] = {"update", "step", "reward", NULL};
  const HnResults *r = g->c->results;
  g_autoptr(GPtrArray) names = columns(r, true);
  Plan reward = {HN_FIGURE_ADAPTATION, "reward", "Reward by step of the trial", true, false, false};
  if (env) add(g, reward);
  reward.title = "Reward", reward.so_far = true;
  if (env) add(g, reward);
  for (guint i = 0; i < names->len; i++) {
    Plan p = {HN_FIGURE_BELIEF, names->pdata[i], NULL, true, log_x, false};
    HnMetricInfo facts = hn_metric_info(r, p.column);
    if (g_strv_contains(never, p.column) || env != !g_strcmp0(facts.kind, "env")) continue;
    if (env) p.group = HN_FIGURE_ADAPTATION, p.log_x = false;
    if (!*facts.doc && g_str_has_prefix(p.column, "kl")) p.title = "KL from posterior to prior";
    add(g, p);
    p.so_far = env && g_str_equal(facts.fold, "sum");
    if (p.so_far) add(g, p);
  }
}

static void add_others(const Gathering *g) {
  static const char *const never[] = {"update", "frames", NULL};
  g_autoptr(GPtrArray) names = columns(g->c->results, false);
  const guint limit = g->figures->len + OTHERS_MAX;
  for (guint i = 0; i < names->len && g->figures->len < limit; i++) {
    const char *name = names->pdata[i];
    if (!g_strv_contains(never, name) && !g_str_has_prefix(name, "eval.return_"))
      add(g, (Plan){HN_FIGURE_OTHER, name, NULL, false, false, false});
  }
}

static void add_learning(const Gathering *g) {
  static const char *const columns_of_learning[] = {"eval.return", "train.return", "eval.success"};
  const char *metric = g->c->results->report.metric;
  add(g, (Plan){HN_FIGURE_FINDING, metric, NULL, false, false, false});
  add_difference(g, metric);
  for (guint i = 0; i < G_N_ELEMENTS(columns_of_learning); i++) {
    const char *column = columns_of_learning[i];
    add(g, (Plan){HN_FIGURE_LEARNING, column, NULL, false, false, false});
    if (i == 0 && !g_str_equal(column, metric)) add_difference(g, column);
  }
}

static void add_predictions(const Gathering *g, bool log_x) {
  static const char *const predicted[] = {
      "reward_l1",          "reward_nll",     "transition_l1",
      "transition_nll",     "log_predictive", "predict.cross_entropy",
      "predict.perplexity", "predict.l1",     "predict.l2"};
  for (guint i = 0; i < G_N_ELEMENTS(predicted); i++)
    add(g, (Plan){HN_FIGURE_PREDICTION, predicted[i], NULL, true, log_x, false});
}

static void gather(GPtrArray *figures, const HnComparison *c) {
  const HnReportParams *report = &c->results->report;
  const bool log_x = long_trial(c->results);
  Gathering g = {figures, c,
                 hn_stats_new((HnAggregate)report->aggregate, report->confidence,
                              MIN(report->resamples, RESAMPLES)),
                 hn_arm_slots(c), hn_metric_tasks_text(c->results)};
  add_learning(&g);
  add_predictions(&g, log_x);
  add_steps(&g, false, log_x);
  add_episodes(&g);
  add_steps(&g, true, log_x);
  add_others(&g);
  hn_stats_free(g.stats), g_free(g.slot), g_free(g.tasks);
}

const HnFigureKind hn_figure_curve = {.name = "curve",
                                      .gather = gather,
                                      .size = hn_draw_curves_size,
                                      .script = hn_draw_curves,
                                      .csv = csv,
                                      .free = curves_free};

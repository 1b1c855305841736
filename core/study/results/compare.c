/* compare.c - see compare.h. */
#include "compare.h"
#include "alike.h"
#include "comparable.h"
#include "equal_results.h"
#include "error.h"
#include "eval_split.h"
#include "holm.h"
#include "json.h"
#include "live.h"
#include "record_columns.h"
#include "render_live.h"
#include "run_dir.h"
#include "run_kernels.h"
#include "search.h"
#include "short_text.h"
#include <math.h>
#include <string.h>

enum { ARMS_NAMED = 3 }; /* in a line; of more, how many */

/* ---- the numbers ---- */

static bool is_averaged(const char *column) {
  static const char *const kinds[] = {"train.", "env.", "inference.", "policy."};
  for (guint i = 0; i < G_N_ELEMENTS(kinds); i++)
    if (g_str_has_prefix(column, kinds[i])) return true;
  return false;
}

/* The mean of what is finite in the last tenth of a table's first rows. */
static double mean_of_tail(const HnTable *t, int64_t rows, int64_t column) {
  double sum = 0, count = 0;
  for (int64_t i = rows - (rows + 9) / 10; i < rows; i++) {
    const double x = hn_table_at(t, i, column);
    if (isfinite(x)) sum += x, count += 1;
  }
  return count > 0 ? sum / count : (double)NAN;
}

/* The value of a cell as of an update; *has: it reports the column, though its value may be NaN. */
static double value_at(const HnResult *cell, const char *column, int64_t update, bool *has) {
  const HnTable *t = cell->metrics;
  const int64_t at = hn_table_find(t, column), updates = hn_table_find(t, "update");
  int64_t rows = t ? t->rows : 0;
  while (updates >= 0 && rows > 0 && hn_table_at(t, rows - 1, updates) > (double)update) rows--;
  int64_t row = at < 0 ? -1 : rows - 1;
  while (row >= 0 && !hn_table_filled(t, row, at)) row--;
  *has = row >= 0;
  if (!*has) return (double)NAN;
  return is_averaged(column) ? mean_of_tail(t, rows, at) : hn_table_at(t, row, at);
}

/* Its final value, or the last one so far. */
static double final_of(const HnResult *cell, const char *column, bool *has) {
  return value_at(cell, column, G_MAXINT64, has);
}

/* The update as of which an arm is set against the baseline; G_MAXINT64: its end. */
static int64_t pairs_at(const HnComparison *c, int64_t arm) {
  const int64_t own = c->counts_at[arm], baseline = c->counts_at[c->baseline];
  return MIN(own < 0 ? G_MAXINT64 : own, baseline < 0 ? G_MAXINT64 : baseline);
}

/* An arm's values where it is set against the baseline, and the baseline's of the same seeds. */
static void pair_values(const HnComparison *c, const HnCompared *m, int64_t arm, double *own,
                        double *baseline) {
  const int64_t seeds = c->results->seeds, at = pairs_at(c, arm);
  const int64_t *partner = c->partner + arm * seeds;
  for (int64_t s = 0; s < seeds; s++) {
    const bool partial = at < G_MAXINT64;
    bool has;
    own[s] = partial ? value_at(hn_results_cell(c->results, arm, s), m->column, at, &has)
                     : m->final[arm * seeds + s];
    baseline[s] = partner[s] < 0 ? (double)NAN
                  : partial      ? value_at(hn_results_cell(c->results, c->baseline, partner[s]),
                                            m->column, at, &has)
                                 : m->final[c->baseline * seeds + partner[s]];
  }
}

void hn_compared_free(HnCompared *c) {
  g_free(c->column), g_free(c->unit), g_free(c->final), g_free(c->estimate), g_free(c->p);
  g_free(c);
}

static HnEstimate estimate(const HnComparison *c, const HnCompared *m, int64_t arm, int k) {
  const HnStatistic *t = &hn_statistics[k];
  const int64_t seeds = c->results->seeds;
  if (!t->paired) return t->of(c->stats, seeds, m->final + arm * seeds, NULL, m->trials);
  if (arm == c->baseline || c->protocol[arm]) return hn_estimate_none();
  g_autofree double *own = g_new(double, (gsize)seeds), *baseline = g_new(double, (gsize)seeds);
  pair_values(c, m, arm, own, baseline);
  return t->of(c->stats, seeds, own, baseline, m->trials);
}

/* The arms' differences of a metric are one family. */
static void judge(const HnComparison *c, HnCompared *m) {
  m->level = 1 - hn_stats_confidence(c->stats);
  m->p = g_new(double, (gsize)m->arms);
  for (int64_t a = 0; a < m->arms; a++) {
    m->p[a] = m->estimate[a][HN_DIFFERENCE].p;
    m->family += !isnan(m->p[a]);
  }
  m->adjusted = m->family > 1 && c->results->report.adjust == HN_ADJUST_HOLM;
  if (m->adjusted) hn_holm(m->arms, m->p);
}

HnCompared *hn_compared_of(const HnComparison *c, const char *name, const char *column,
                           double trials, double *final, HnEstimate (*own)[HN_STATISTICS]) {
  const HnResults *r = c->results;
  HnCompared *m = g_new0(HnCompared, 1);
  m->column = g_strdup(name);
  m->unit = g_strdup(hn_metric_unit(r, column));
  m->better = hn_metric_better(column);
  m->trials = hn_metric_trials(r, column) > 0 ? trials : 0;
  m->averaged = is_averaged(column);
  m->final = final;
  m->arms = r->arm_count;
  m->estimate = own ? own : g_malloc0_n((gsize)r->arm_count, sizeof *m->estimate);
  for (int64_t a = 0; a < r->arm_count && !own; a++)
    for (int k = 0; k < HN_STATISTICS; k++) m->estimate[a][k] = estimate(c, m, a, k);
  judge(c, m);
  return m;
}

HnCompared *hn_compared_new(const HnComparison *c, const char *name, const char *column,
                            double trials, double *final) {
  return hn_compared_of(c, name, column, trials, final, NULL);
}

static void compare_column(HnComparison *c, const char *column) {
  const HnResults *r = c->results;
  gsize cells = (gsize)(r->arm_count * r->seeds);
  for (guint i = 0; i < c->columns->len; i++)
    if (g_str_equal(((HnCompared *)c->columns->pdata[i])->column, column)) return;
  double *final = g_new(double, cells);
  bool exists = false;
  for (gsize i = 0; i < cells; i++) {
    bool has;
    final[i] = final_of(r->cells->pdata[i], column, &has);
    exists |= has;
  }
  if (!exists) {
    g_free(final);
    return;
  }
  g_ptr_array_add(c->columns,
                  hn_compared_new(c, column, column, hn_metric_trials(r, column), final));
}

/* A seed is what run.json calls so: two studies' seeds of one index need not be the same. */
static int64_t partner_of(const HnComparison *c, const HnResult *cell) {
  const char *seed = hn_result_counts(cell) ? hn_result_fact(cell, "seed") : NULL;
  for (int64_t s = 0; seed && s < c->results->seeds; s++) {
    const HnResult *other = hn_results_cell(c->results, c->baseline, s);
    if (hn_result_counts(other) && !g_strcmp0(hn_result_fact(other, "seed"), seed)) return s;
  }
  return -1;
}

static void list_partners(HnComparison *c) {
  const GPtrArray *cells = c->results->cells;
  c->partner = g_new(int64_t, cells->len);
  for (guint i = 0; i < cells->len; i++) c->partner[i] = partner_of(c, cells->pdata[i]);
}

/* How far a cell is that is on its way, or why it is not in the results. */
static char *unfinished_line(const HnResults *r, const HnResult *cell) {
  const bool begun =
      g_str_equal(cell->status, "running") || g_str_equal(cell->status, "interrupted");
  if (!begun) {
    g_autofree char *name = hn_result_name(cell);
    return g_strconcat(name, ": ", cell->status, cell->reason ? ": " : NULL, cell->reason, NULL);
  }
  const char *metric = r->report.metric;
  g_autoptr(HnLiveCell) live = hn_live_cell_read(cell->dir, cell->arm, cell->seed_index, metric);
  return hn_render_live_line(live, metric);
}

static void list_unfinished(HnComparison *c) {
  const HnResults *r = c->results;
  for (guint i = 0; i < r->cells->len; i++) {
    HnResult *cell = r->cells->pdata[i];
    c->done += hn_result_done(cell);
    c->failed += g_str_equal(cell->status, "failed");
    if (hn_result_done(cell)) continue;
    if (hn_result_counts(cell)) c->counts_at[(int64_t)i / r->seeds] = cell->counts_at;
    g_ptr_array_add(hn_result_counts(cell) ? c->partial : c->absent, unfinished_line(r, cell));
  }
}

/* ---- notes ---- */

static void note(const HnComparison *c, const char *format, ...) G_GNUC_PRINTF(2, 3);
static void note(const HnComparison *c, const char *format, ...) {
  va_list list;
  va_start(list, format);
  char *text = g_strdup_vprintf(format, list);
  va_end(list);
  if (g_ptr_array_find_with_equal_func(c->notes, text, g_str_equal, NULL))
    g_free(text); /* said of another column */
  else
    g_ptr_array_add(c->notes, text);
}

/* Appends how done cells differ in a member of run.json: "cpu: A and B". */
static void add_mixed(const HnComparison *c, const char *member, const char *what, GString *text) {
  const char *first = NULL;
  for (guint i = 0; i < c->results->cells->len; i++) {
    const HnResult *cell = c->results->cells->pdata[i];
    const char *here = hn_result_counts(cell) ? hn_result_fact(cell, member) : NULL;
    if (!first) first = here;
    if (hn_run_kernels_alike(member, first, here)) continue;
    g_string_append_printf(text, "%s%s: %s and %s", text->len ? "; " : "", what, first, here);
    return;
  }
}

/* Machines and kernels may be mixed (bits may then differ, their statistics not), but it is said.
 */
static void note_machines(const HnComparison *c) {
#define KERNEL(member, what, now) {#member, what},
  static const char *const kernels[][2] = {HN_KERNEL_FACTS(KERNEL)};
#undef KERNEL
  g_autoptr(GString) cpus = g_string_new(NULL), text = g_string_new(NULL);
  add_mixed(c, "cpu", "cpu", cpus);
  for (guint f = 0; f < G_N_ELEMENTS(kernels); f++)
    add_mixed(c, kernels[f][0], kernels[f][1], text);
  if (cpus->len) note(c, "Cells ran on different machines (%s).", cpus->str);
  if (text->len) note(c, "Cells were computed by different kernels (%s).", text->str);
  for (guint i = 0; i < c->results->cells->len; i++) {
    const HnResult *cell = c->results->cells->pdata[i];
    const char *changed = hn_result_counts(cell) ? hn_result_fact(cell, "kernels_changed") : NULL;
    if (changed)
      note(c, "%s/%" G_GINT64_FORMAT " changed kernels on its way: %s.", cell->arm,
           cell->seed_index, changed);
  }
}

/* Plugins that nobody has judged: what they report may be what their bugs make. */
static void note_unchecked(const HnComparison *c) {
  g_autoptr(GPtrArray) names = g_ptr_array_new();
  for (guint i = 0; i < c->results->cells->len; i++) {
    const HnResult *cell = c->results->cells->pdata[i];
    g_auto(GStrv) plugins = hn_result_plugins(cell);
    for (char **p = plugins; *p && hn_result_counts(cell); p++) {
      g_autofree char *path = g_strdup_printf("plugins.%s.name", *p);
      const char *name = hn_result_fact(cell, path);
      if (name && hn_result_unchecked(cell, *p) &&
          !g_ptr_array_find_with_equal_func(names, name, g_str_equal, NULL))
        g_ptr_array_add(names, (gpointer)(guintptr)name);
    }
  }
  if (!names->len) return;
  g_ptr_array_add(names, NULL);
  g_autofree char *all = g_strjoinv(", ", (char **)names->pdata);
  note(c, "With no passed check on record when they ran: %s (`hunch check PLUGIN` judges one).",
       all);
}

/* Done cells of an arm that report a column, but no finite value. */
static void note_lacking(const HnComparison *c, const HnCompared *m, int64_t arm) {
  const HnResults *r = c->results;
  int64_t reported = 0, lacking = 0;
  for (int64_t s = 0; s < r->seeds; s++) {
    bool has;
    lacking += !isfinite(final_of(hn_results_cell(r, arm, s), m->column, &has)) && has;
    reported += has;
  }
  if (lacking)
    note(c, "%s: %" G_GINT64_FORMAT " of %" G_GINT64_FORMAT " done cell%s %s no finite %s.",
         r->arms[arm], lacking, reported, hn_plural(reported), lacking == 1 ? "has" : "have",
         m->column);
}

/* Where an arm and the baseline do not have the same seeds. */
static void note_pairs(const HnComparison *c, const HnCompared *m, int64_t arm) {
  const char *name = c->results->arms[arm], *base = c->results->arms[c->baseline];
  const int64_t own = m->estimate[arm][HN_VALUE].n, pairs = m->estimate[arm][HN_DIFFERENCE].n;
  const int64_t others = m->estimate[c->baseline][HN_VALUE].n;
  if (arm == c->baseline || c->protocol[arm] || !own || !others) return;
  if (!pairs)
    note(c, "%s has no seed in common with %s: no difference.", name, base);
  else if (pairs < own || pairs < others)
    note(c,
         "%s has %" G_GINT64_FORMAT " seed%s and %s %" G_GINT64_FORMAT
         ": their difference is over the %" G_GINT64_FORMAT " in common.",
         name, own, hn_plural(own), base, others, pairs);
}

/* What estimates have in common that must be said once. */
typedef struct Seen {
  bool shown[HN_INTERVALS], few;
  bool sparse, constant; /* enough seeds for a mean: too few for a median; seeds that all agree */
  int64_t differences, family; /* with an interval; the most that are adjusted at once */
} Seen;

static void see(const HnComparison *c, Seen *seen, const HnEstimate *e, int k) {
  seen->shown[e->interval] = true;
  seen->few |= e->n > 0 && e->n < HN_STATS_SEEDS_MIN;
  const bool lacks = e->n >= HN_STATS_SEEDS_MIN && e->interval == HN_INTERVAL_NONE;
  const bool is_median = hn_stats_kind(c->stats) == HN_AGGREGATE_MEDIAN;
  seen->sparse |= lacks && is_median;
  seen->constant |= lacks && !is_median && (k == HN_DIFFERENCE || !hn_stats_skewed(c->stats));
}

static void note_intervals(const HnComparison *c, const Seen *seen) {
  const int64_t needs = hn_median_needs(hn_stats_confidence(c->stats));
  if (seen->few) note(c, "No interval below %d seeds: run more seeds.", HN_STATS_SEEDS_MIN);
  if (seen->sparse)
    note(c, "No interval of a median below %" G_GINT64_FORMAT " seeds: run more seeds.", needs);
  if (seen->constant)
    note(c,
         "No interval where all seeds have, or differ by, the same: nothing is known of how they "
         "scatter.");
  if (hn_stats_skewed(c->stats) && hn_stats_kind(c->stats) != HN_AGGREGATE_MEDIAN)
    note(c,
         "No interval of an arm's %s: it would not hold for skewed scores; differences have one.",
         hn_aggregate_name(hn_stats_kind(c->stats)));
  if (seen->shown[HN_INTERVAL_WILSON])
    note(c, "Wilson's: trials as the seeds' variance allows, at most one for each task and seed.");
  if (seen->shown[HN_INTERVAL_NEWCOMBE])
    note(c,
         "Newcombe's: of rates whose t would be narrower than one trial a task and seed allows.");
  if (seen->family > 1)
    note(c,
         "Verdicts are adjusted for the %" G_GINT64_FORMAT
         " differences of a metric (Holm), intervals are not.",
         seen->family);
  else if (seen->differences > 1)
    note(c,
         "Each interval holds for itself; the %" G_GINT64_FORMAT
         " differences are not adjusted for being many.",
         seen->differences);
}

/* What the seeds of all columns leave to be said. */
static void note_seeds(const HnComparison *c) {
  Seen seen = {0};
  for (guint i = 0; i < c->columns->len; i++) {
    const HnCompared *m = c->columns->pdata[i];
    if (m->adjusted) seen.family = MAX(seen.family, m->family);
    for (int64_t a = 0; a < m->arms; a++) {
      for (int k = 0; k < HN_STATISTICS; k++) see(c, &seen, &m->estimate[a][k], k);
      seen.differences += m->estimate[a][HN_DIFFERENCE].interval != HN_INTERVAL_NONE;
      note_lacking(c, m, a);
      note_pairs(c, m, a);
    }
  }
  note_intervals(c, &seen);
}

bool hn_compared_lengths(const HnComparison *c, int64_t arm, int64_t *own, int64_t *base) {
  const HnResult *a = hn_results_first_done(c->results, arm),
                 *b = hn_results_first_done(c->results, c->baseline);
  const int64_t asked_a = hn_run_config_length(a ? a->config : NULL),
                asked_b = hn_run_config_length(b ? b->config : NULL);
  if (asked_a < 0 || asked_b < 0 || asked_a == asked_b) return false;
  *own = hn_json_int(a->facts, "frames", asked_a), *base = hn_json_int(b->facts, "frames", asked_b);
  return *own != *base;
}

/* Which arms are partial, and as of which update each stands in the table. */
static void note_partial(const HnComparison *c) {
  g_autoptr(GString) arms = g_string_new(NULL);
  for (int64_t a = 0; a < c->results->arm_count; a++)
    if (c->counts_at[a] >= 0)
      g_string_append_printf(arms, "%s%s at update %" G_GINT64_FORMAT, arms->len ? ", " : "",
                             c->results->arms[a], c->counts_at[a]);
  if (arms->len)
    note(
        c,
        "partial: %s, the last at which all cells of the arm were evaluated; a difference is as of "
        "the earlier of both arms.",
        arms->str);
}

/* Rows that take a task again are no trials of their own. */
static void note_repeats(const HnComparison *c) {
  const HnMetricTasks t = hn_metric_tasks(c->results, NULL);
  if (t.distinct >= t.rows) return;
  note(c,
       "The %" G_GINT64_FORMAT " trials of a seed's evaluation are of %" G_GINT64_FORMAT
       " different task%s: rates count %" G_GINT64_FORMAT " a seed.",
       t.rows, t.distinct, hn_plural(t.distinct), t.distinct);
}

static void note_equal(const HnComparison *c) {
  g_autoptr(GPtrArray) lines = hn_equal_results(c->results);
  for (guint i = 0; i < lines->len; i++) note(c, "%s", (const char *)lines->pdata[i]);
}

/* A line for all arms of which the same is said, with the words for one arm or for several. */
static void note_alike(const HnComparison *c, const GPtrArray *all, const char *one,
                       const char *many, const char *end) {
  for (guint i = 0; i < all->len; i++) {
    const HnAlike *v = all->pdata[i];
    g_autofree char *arms = hn_alike_names(v, ARMS_NAMED);
    note(c, "%s %s%s%s", arms, v->names->len == 1 ? one : many, v->said, end);
  }
}

static void note_arms(const HnComparison *c) {
  const HnResults *r = c->results;
  g_autoptr(GPtrArray) apart = hn_alike_new(), learnt = hn_alike_new(), oracles = hn_alike_new();
  for (int64_t a = 0; a < r->arm_count; a++) {
    int64_t own = 0, base = 0;
    if (c->protocol[a]) hn_alike_add(apart, c->protocol[a], r->arms[a]);
    if (hn_compared_lengths(c, a, &own, &base)) {
      g_autofree char *said =
          g_strdup_printf("%" G_GINT64_FORMAT " frames and %s from %" G_GINT64_FORMAT ".", own,
                          r->arms[c->baseline], base);
      hn_alike_add(learnt, said, r->arms[a]);
    }
    if (hn_results_privileged(r, a)) hn_alike_add(oracles, "", r->arms[a]);
  }
  note_alike(c, apart,
             "is not set against the baseline: ", "are not set against the baseline: ", ".");
  note_alike(c, learnt, "learnt from ", "learnt from ", "");
  note_alike(c, oracles, "sees the true task: it is an oracle, a bound rather than a method.",
             "see the true task: they are oracles, bounds rather than methods.", "");
}

/* ---- the whole ---- */

/* Adds "WHAT: VALUE" if all arms that have a value agree on it, else a line for each value that
 * names its arms. */
static void add_origin(HnComparison *c, const char *what, const GPtrArray *value) {
  g_autoptr(GPtrArray) all = hn_alike_new();
  for (guint a = 0; a < value->len; a++)
    if (value->pdata[a]) hn_alike_add(all, value->pdata[a], c->results->arms[a]);
  for (guint i = 0; i < all->len; i++) {
    const HnAlike *v = all->pdata[i];
    g_autofree char *arms = hn_alike_names(v, ARMS_NAMED);
    g_ptr_array_add(c->origin, all->len == 1
                                   ? g_strdup_printf("%s: %s", what, v->said)
                                   : g_strdup_printf("%s of %s: %s", what, arms, v->said));
  }
}

/* "point_robot 1.0", "reward_noise 1.0 of metaworld 1.0 on MuJoCo 3.3.0". */
static char *environment(const HnResult *cell) {
  GString *out = g_string_new(NULL);
  g_auto(GStrv) plugins = hn_result_plugins(cell);
  for (char **p = plugins; p && *p && g_str_has_prefix(*p, "env"); p++) {
    g_autofree char *named = g_strdup_printf("plugins.%s.name", *p),
                    *of_version = g_strdup_printf("plugins.%s.version", *p);
    const char *name = hn_result_fact(cell, named), *version = hn_result_fact(cell, of_version);
    g_string_append_printf(out, "%s%s %s", out->len ? " of " : "", name ? name : "unknown",
                           version ? version : "");
  }
  if (!out->len) g_string_append(out, "unknown ");
  const char *sim = hn_result_simulator(cell);
  if (sim) g_string_append_printf(out, " on %s", sim);
  return g_string_free(out, false);
}

/* "trial: 2 episodes of the policy's mode, on split train". */
static char *protocol_of(const HnResult *cell) {
  const char *said = hn_result_fact(cell, "protocol");
  g_autofree char *split = hn_eval_split_chosen(cell);
  return g_strconcat(said ? said : "not recorded", split ? ", on split " : NULL, split, NULL);
}

/* What was run and how it was measured, which must stand beside every number. */
static void list_origin(HnComparison *c) {
  const HnResults *r = c->results;
  g_autoptr(GPtrArray) env = g_ptr_array_new_with_free_func(g_free);
  g_autoptr(GPtrArray) count = g_ptr_array_new_with_free_func(g_free);
  for (int64_t a = 0; a < r->arm_count; a++) {
    const HnResult *cell = hn_results_first(r, a);
    g_ptr_array_add(env, cell ? environment(cell) : NULL);
    g_ptr_array_add(count, cell ? protocol_of(cell) : NULL);
  }
  add_origin(c, "environment", env);
  add_origin(c, "protocol", count);
}

static int64_t choose_baseline(const HnResults *r, const char *name, GError **error) {
  if (!name || !*name) return 0;
  int64_t arm = hn_results_arm(r, name);
  if (arm < 0) {
    g_autofree char *hint = hn_diag_hint(name, (const char *const *)r->arms);
    hn_error_set(error, HN_ERROR_MISSING, "no arm '%s'%s", name, hint);
  }
  return arm;
}

static bool unknown_column(const HnResults *r, const char *metric, GError **error) {
  const char *near = NULL;
  for (guint i = 0; i < r->cells->len && !near; i++) {
    const HnResult *cell = r->cells->pdata[i];
    if (cell->metrics)
      near = hn_record_nearest(metric, (const char *const *)cell->metrics->columns);
  }
  return hn_error_set(error, HN_ERROR_MISSING,
                      "no column '%s' in metrics.csv of any done cell%s%s%s", metric,
                      near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* The deciding metric, then those that most studies have.  metric: asked for, or NULL. */
static bool compare_columns(HnComparison *c, const char *metric, GError **error) {
  static const char *const usual[] = {"eval.return",
                                      "eval.success",
                                      "eval.reward_l1",
                                      "eval.reward_nll",
                                      "eval.transition_l1",
                                      "eval.transition_nll",
                                      "eval.predict.cross_entropy",
                                      "eval.predict.l1"};
  compare_column(c, metric ? metric : c->results->report.metric);
  if (metric && !c->columns->len && (c->done || c->partial->len))
    return unknown_column(c->results, metric, error);
  for (guint i = 0; i < G_N_ELEMENTS(usual); i++) compare_column(c, usual[i]);
  return true;
}

HnComparison *hn_compare(const HnResults *r, const char *baseline, const char *metric,
                         GError **error) {
  const HnReportParams *report = &r->report;
  const int64_t base = choose_baseline(r, baseline ? baseline : report->baseline, error);
  if (base < 0 || !hn_comparable(r, error)) return NULL;
  g_autoptr(HnComparison) c = g_new0(HnComparison, 1);
  c->results = r, c->baseline = base, c->target = NAN;
  c->stats = hn_stats_new((HnAggregate)report->aggregate, report->confidence, report->resamples);
  if (report->scores == HN_SHAPE_SKEWED) hn_stats_assume_skewed(c->stats);
  c->columns = g_ptr_array_new_with_free_func((GDestroyNotify)hn_compared_free);
  c->absent = g_ptr_array_new_with_free_func(g_free);
  c->partial = g_ptr_array_new_with_free_func(g_free);
  c->notes = g_ptr_array_new_with_free_func(g_free);
  c->origin = g_ptr_array_new_with_free_func(g_free);
  c->protocol = g_new0(char *, (gsize)r->arm_count);
  c->counts_at = g_new(int64_t, (gsize)r->arm_count);
  for (int64_t a = 0; a < r->arm_count; a++) c->counts_at[a] = -1;
  for (int64_t a = 0; a < r->arm_count; a++) c->protocol[a] = hn_comparable_protocol(r, a, base);
  list_partners(c), list_origin(c), list_unfinished(c);
  if (!compare_columns(c, metric, error)) return NULL;
  note_partial(c), note_repeats(c), note_seeds(c), note_arms(c), note_machines(c),
      note_unchecked(c);
  note_equal(c);
  hn_search_note(r->dir, c->notes);
  return g_steal_pointer(&c);
}

void hn_comparison_free(HnComparison *c) {
  if (!c) return;
  hn_stats_free(c->stats);
  g_ptr_array_free(c->columns, TRUE);
  g_ptr_array_free(c->absent, TRUE);
  g_ptr_array_free(c->partial, TRUE);
  g_ptr_array_free(c->notes, TRUE);
  g_ptr_array_free(c->origin, TRUE);
  for (int64_t a = 0; a < c->results->arm_count; a++) g_free(c->protocol[a]);
  g_free(c->protocol), g_free(c->partner), g_free(c->counts_at);
  g_free(c);
}

const char *hn_compared_verdict(const HnCompared *m, int64_t arm) {
  const HnEstimate *d = &m->estimate[arm][HN_DIFFERENCE];
  if (d->interval == HN_INTERVAL_NONE || d->coarse) return "";
  if (d->low <= 0 && d->high >= 0) return d->low < d->high ? "unclear" : "same";
  if (m->adjusted && m->p[arm] > m->level) return "unclear";
  if (m->better == 0) return d->value > 0 ? "higher" : "lower";
  return (d->value > 0) == (m->better > 0) ? "better" : "worse";
}

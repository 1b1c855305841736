/* compare.c - checks that results may be compared, and compares them. */
#include "compare.h"
#include "error.h"
#include "json.h"
#include <math.h>
#include <string.h>

/* ---- may they be compared? ---- */

static HnResult *first_done(const HnResults *r, int64_t arm) {
  for (int64_t s = 0; s < r->seeds; s++) {
    HnResult *c = hn_results_cell(r, arm, s);
    if (hn_result_done(c)) return c;
  }
  return NULL;
}

/* The first difference, "run.frames: 100 and 200"; *arg: char *. */
static void keep_first(void *arg, const char *path, const HnNode *a, const HnNode *b) {
  char **first = arg;
  if (*first) return;
  if (!a || !b)
    *first = g_strdup_printf("%s: only in one", path);
  else if (a->kind != HN_NODE_TEXT || b->kind != HN_NODE_TEXT)
    *first = g_strdup_printf("%s: of another kind", path);
  else
    *first = g_strdup_printf("%s: %s and %s", path, a->text, b->text);
}

/* The first key but those of a role in `ignored` in which two cells differ, or NULL. */
static char *difference(const HnResult *a, const HnResult *b, int ignored) {
  char *first = NULL;
  if (a->config && b->config)
    hn_cell_differences(a->config, b->config, ignored, keep_first, &first);
  return first;
}

static bool mixed(GError **error, const char *what, const HnResult *a, const char *in_a,
                  const HnResult *b, const char *in_b) {
  return hn_error_set(error, HN_ERROR_DIFFERS,
                      "these results cannot be compared: %s is %s in %s/%" G_GINT64_FORMAT
                      " and %s in %s/%" G_GINT64_FORMAT,
                      what, in_a ? in_a : "unknown", a->arm, a->seed_index, in_b ? in_b : "unknown",
                      b->arm, b->seed_index);
}

/* The simulator a cell ran on, or NULL; of older cells its library's file name. */
static const char *simulator(const HnResult *c) {
  const char *named = hn_result_fact(c, "simulator");
  if (named) return named;
  JsonArray *names = hn_json_array(c->facts, "libraries");
  for (guint i = 0; names && i < json_array_get_length(names); i++) {
    const char *name = hn_json_string_at(names, i);
    if (name && g_str_has_prefix(name, "libmujoco")) return name;
  }
  return NULL;
}

/* What some cell said first. */
typedef struct Said {
  const HnResult *cell;
  const char *value;
} Said;

static bool agrees(GHashTable *said, const char *what, const HnResult *c, const char *value,
                   GError **error) {
  const Said *first = g_hash_table_lookup(said, what);
  if (first)
    return !g_strcmp0(first->value, value) ||
           mixed(error, what, first->cell, first->value, c, value);
  Said *said_now = g_new(Said, 1);
  *said_now = (Said){c, value};
  g_hash_table_insert(said, g_strdup(what), said_now);
  return true;
}

/* The same hunch, the same simulator where cells loaded one, and the same file wherever cells name
 * the same plugin. */
static bool same_versions(GHashTable *said, const HnResult *c, GError **error) {
  static const char *const kinds[] = {"env", "inference", "policy"};
  static const char *const facts[] = {"version", "sha256"};
  const char *sim = simulator(c);
  bool ok = agrees(said, "the version of hunch", c, hn_result_fact(c, "hunch"), error) &&
            agrees(said, "the commit of hunch", c, hn_result_fact(c, "commit"), error) &&
            (!sim || agrees(said, "the simulator", c, sim, error));
  for (guint k = 0; ok && k < G_N_ELEMENTS(kinds); k++) {
    g_autofree char *named = g_strdup_printf("plugins.%s.name", kinds[k]);
    const char *name = hn_result_fact(c, named);
    for (guint f = 0; ok && name && f < G_N_ELEMENTS(facts); f++) {
      g_autofree char *path = g_strdup_printf("plugins.%s.%s", kinds[k], facts[f]);
      g_autofree char *what = g_strdup_printf("the %s of plugin %s", facts[f], name);
      ok = agrees(said, what, c, hn_result_fact(c, path), error);
    }
  }
  return ok;
}

static bool comparable(const HnResults *r, GError **error) {
  for (int64_t arm = 0; arm < r->arm_count; arm++) {
    HnResult *first = first_done(r, arm);
    for (int64_t s = 0; first && s < r->seeds; s++) {
      HnResult *c = hn_results_cell(r, arm, s);
      if (!hn_result_done(c) || c == first) continue;
      char *found = difference(first, c, HN_KEY_FREE | HN_KEY_SEED);
      if (found)
        hn_error_set(error, HN_ERROR_DIFFERS,
                     "these results cannot be compared: seeds %" G_GINT64_FORMAT
                     " and %" G_GINT64_FORMAT " of arm %s differ in %s",
                     first->seed_index, c->seed_index, r->arms[arm], found);
      bool same = !found;
      g_free(found);
      if (!same) return false;
    }
  }
  g_autoptr(GHashTable) said = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < r->cells->len; i++) {
    const HnResult *c = r->cells->pdata[i];
    if (hn_result_done(c) && !same_versions(said, c, error)) return false;
  }
  return true;
}

/* What keeps an arm from being set against the baseline: another environment or evaluation. */
static char *protocol(const HnResults *r, int64_t arm, int64_t baseline) {
  const HnResult *a = first_done(r, arm), *b = first_done(r, baseline);
  if (!a || !b || arm == baseline) return NULL;
  return difference(a, b, HN_KEY_FREE | HN_KEY_SEED | HN_KEY_ARM);
}

/* ---- the numbers ---- */

void hn_compared_free(HnCompared *c) {
  g_free(c->column);
  g_free(c->unit);
  g_free(c->final);
  g_free(c->estimate);
  g_free(c);
}

static HnEstimate estimate(const HnComparison *c, const HnCompared *m, int64_t arm, int k) {
  const HnStatistic *t = &hn_statistics[k];
  const int64_t seeds = c->results->seeds;
  const double *x = m->final + arm * seeds, *baseline = m->final + c->baseline * seeds;
  if (t->paired && (arm == c->baseline || c->protocol[arm]))
    return (HnEstimate){.value = NAN, .low = NAN, .high = NAN};
  return t->of(c->stats, seeds, x, t->paired ? baseline : NULL);
}

HnCompared *hn_compared_new(const HnComparison *c, const char *name, const char *column,
                            double *final) {
  const HnResults *r = c->results;
  HnCompared *m = g_new0(HnCompared, 1);
  m->column = g_strdup(name);
  m->unit = g_strdup(hn_column_unit(r, column));
  m->better = hn_column_better(column);
  m->final = final;
  m->arms = r->arm_count;
  m->estimate = g_malloc0_n((gsize)r->arm_count, sizeof *m->estimate);
  for (int64_t a = 0; a < r->arm_count; a++)
    for (int k = 0; k < HN_STATISTICS; k++) m->estimate[a][k] = estimate(c, m, a, k);
  return m;
}

static void compare_column(HnComparison *c, const char *column) {
  const HnResults *r = c->results;
  gsize cells = (gsize)(r->arm_count * r->seeds);
  for (guint i = 0; i < c->columns->len; i++)
    if (g_str_equal(((HnCompared *)c->columns->pdata[i])->column, column)) return;
  double *final = g_new(double, cells);
  bool exists = false;
  for (gsize i = 0; i < cells; i++) {
    HnResult *cell = r->cells->pdata[i];
    int64_t row = -1;
    final[i] = cell->metrics
                   ? hn_table_last(cell->metrics, hn_table_find(cell->metrics, column), &row)
                   : (double)NAN;
    exists |= row >= 0;
  }
  if (!exists) {
    g_free(final);
    return;
  }
  g_ptr_array_add(c->columns, hn_compared_new(c, column, column, final));
}

static void list_absent(HnComparison *c) {
  const HnResults *r = c->results;
  for (guint i = 0; i < r->cells->len; i++) {
    HnResult *cell = r->cells->pdata[i];
    c->done += hn_result_done(cell);
    c->failed += g_str_equal(cell->status, "failed");
    if (!hn_result_done(cell))
      g_ptr_array_add(c->absent,
                      g_strdup_printf("%s/%" G_GINT64_FORMAT ": %s%s%s", cell->arm,
                                      cell->seed_index, cell->status, cell->reason ? ": " : "",
                                      cell->reason ? cell->reason : ""));
  }
}

/* Machines may be mixed (their bits may differ, their statistics not), but it is said. */
static void note_machines(HnComparison *c) {
  static const char *const facts[] = {"cpu", "isa", "blas"};
  for (guint f = 0; f < G_N_ELEMENTS(facts); f++) {
    const char *first = NULL;
    for (guint i = 0; i < c->results->cells->len; i++) {
      HnResult *cell = c->results->cells->pdata[i];
      const char *here = hn_result_done(cell) ? hn_result_fact(cell, facts[f]) : NULL;
      if (!first) first = here;
      if (!here || g_str_equal(here, first)) continue;
      g_ptr_array_add(c->notes, g_strdup_printf("Cells ran on different machines (%s: %s and %s).",
                                                facts[f], first, here));
      return;
    }
  }
}

static void note(HnComparison *c) {
  const HnResults *r = c->results;
  guint intervals = 0;
  bool coarse = false, few = false, nan = false, fewer_pairs = false;
  for (guint i = 0; i < c->columns->len; i++) {
    HnCompared *m = c->columns->pdata[i];
    for (int64_t a = 0; a < r->arm_count; a++) {
      const HnEstimate *value = &m->estimate[a][HN_VALUE];
      const HnEstimate *difference = &m->estimate[a][HN_DIFFERENCE];
      intervals += difference->interval != HN_INTERVAL_NONE;
      coarse |= value->coarse;
      few |= value->n > 0 && value->n < HN_STATS_SEEDS_MIN;
      fewer_pairs |= difference->n > 0 && difference->n < value->n;
      for (int64_t s = 0; s < r->seeds; s++)
        nan |= hn_result_done(hn_results_cell(r, a, s)) && !isfinite(m->final[a * r->seeds + s]) &&
               value->n > 0;
    }
  }
  if (few)
    g_ptr_array_add(c->notes, g_strdup_printf("No interval below %d seeds: run more seeds.",
                                              HN_STATS_SEEDS_MIN));
  if (coarse)
    g_ptr_array_add(c->notes, g_strdup_printf("Bootstrap intervals of fewer than %d seeds are "
                                              "narrower than they claim.",
                                              HN_STATS_BOOTSTRAP_FROM));
  if (nan)
    g_ptr_array_add(c->notes, g_strdup("Some done cells have no finite value; see 'seeds'."));
  if (fewer_pairs)
    g_ptr_array_add(c->notes, g_strdup("Differences use only the seeds that both arms have."));
  if (intervals > 1)
    g_ptr_array_add(c->notes, g_strdup_printf("Each interval holds for itself; the %u differences "
                                              "are not adjusted for being many.",
                                              intervals));
  for (int64_t a = 0; a < r->arm_count; a++) {
    if (c->protocol[a])
      g_ptr_array_add(c->notes, g_strdup_printf("%s is not set against the baseline: %s.",
                                                r->arms[a], c->protocol[a]));
    if (hn_results_privileged(r, a))
      g_ptr_array_add(c->notes, g_strdup_printf("%s sees the true task: it is an oracle, a bound "
                                                "rather than a method.",
                                                r->arms[a]));
  }
  note_machines(c);
}

/* Adds "WHAT: VALUE" if all arms agree on it, else a line for each. */
static void add_origin(HnComparison *c, const char *what, char **value) {
  const HnResults *r = c->results;
  const char *first = NULL;
  bool same = true;
  for (int64_t a = 0; a < r->arm_count; a++) {
    if (!first) first = value[a];
    same &= !value[a] || g_str_equal(value[a], first);
  }
  for (int64_t a = 0; a < r->arm_count && first; a++) {
    if (!value[a]) continue;
    g_ptr_array_add(c->origin, same ? g_strdup_printf("%s: %s", what, value[a])
                                    : g_strdup_printf("%s of %s: %s", what, r->arms[a], value[a]));
    if (same) break;
  }
}

/* What was run and how it was counted, which must stand beside every number. */
static void list_origin(HnComparison *c) {
  const HnResults *r = c->results;
  char **env = g_new0(char *, (gsize)r->arm_count + 1);
  char **count = g_new0(char *, (gsize)r->arm_count + 1);
  for (int64_t a = 0; a < r->arm_count; a++) {
    const HnResult *cell = first_done(r, a);
    const char *name = cell ? hn_result_fact(cell, "plugins.env.name") : NULL;
    const char *version = cell ? hn_result_fact(cell, "plugins.env.version") : NULL;
    const char *sim = cell ? simulator(cell) : NULL;
    env[a] = g_strdup_printf("%s %s%s%s", name ? name : "unknown", version ? version : "",
                             sim ? " on " : "", sim ? sim : "");
    count[a] = g_strdup(cell ? hn_result_fact(cell, "protocol") : NULL);
    if (!count[a]) count[a] = g_strdup(cell ? "not recorded" : "no done cell");
  }
  add_origin(c, "environment", env);
  add_origin(c, "protocol", count);
  g_strfreev(env), g_strfreev(count);
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

HnComparison *hn_compare(const HnResults *r, const char *baseline, const char *metric,
                         GError **error) {
  static const char *const usual[] = {"eval.return",
                                      "eval.success",
                                      "eval.reward_l1",
                                      "eval.reward_nll",
                                      "eval.transition_l1",
                                      "eval.transition_nll",
                                      "eval.predict.cross_entropy",
                                      "eval.predict.l1"};
  int64_t base = choose_baseline(r, baseline ? baseline : r->report.baseline, error);
  if (base < 0 || !comparable(r, error)) return NULL;
  HnComparison *c = g_new0(HnComparison, 1);
  c->results = r;
  c->stats =
      hn_stats_new((HnAggregate)r->report.aggregate, r->report.confidence, r->report.resamples);
  c->baseline = base;
  c->columns = g_ptr_array_new_with_free_func((GDestroyNotify)hn_compared_free);
  c->absent = g_ptr_array_new_with_free_func(g_free);
  c->notes = g_ptr_array_new_with_free_func(g_free);
  c->protocol = g_new0(char *, (gsize)r->arm_count);
  c->origin = g_ptr_array_new_with_free_func(g_free);
  for (int64_t a = 0; a < r->arm_count; a++) c->protocol[a] = protocol(r, a, base);
  list_origin(c);
  compare_column(c, metric ? metric : r->report.metric);
  bool found = c->columns->len > 0;
  for (guint i = 0; i < G_N_ELEMENTS(usual); i++) compare_column(c, usual[i]);
  list_absent(c);
  if (metric && !found && c->done) {
    const char *near = NULL;
    for (guint i = 0; i < r->cells->len && !near; i++) {
      HnResult *cell = r->cells->pdata[i];
      if (cell->metrics)
        near = hn_diag_nearest(metric, (const char *const *)cell->metrics->columns);
    }
    hn_error_set(error, HN_ERROR_MISSING, "no column '%s' in metrics.csv of any done cell%s%s%s",
                 metric, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    hn_comparison_free(c);
    return NULL;
  }
  note(c);
  return c;
}

void hn_comparison_free(HnComparison *c) {
  if (!c) return;
  hn_stats_free(c->stats);
  g_ptr_array_free(c->columns, TRUE);
  g_ptr_array_free(c->absent, TRUE);
  g_ptr_array_free(c->notes, TRUE);
  g_ptr_array_free(c->origin, TRUE);
  for (int64_t a = 0; a < c->results->arm_count; a++) g_free(c->protocol[a]);
  g_free(c->protocol);
  g_free(c);
}

const char *hn_compared_verdict(const HnCompared *m, int64_t arm) {
  const HnEstimate *d = &m->estimate[arm][HN_DIFFERENCE];
  if (d->interval == HN_INTERVAL_NONE) return "";
  if (d->low <= 0 && d->high >= 0) return d->low < d->high ? "unclear" : "same";
  if (m->better == 0) return d->value > 0 ? "higher" : "lower";
  return (d->value > 0) == (m->better > 0) ? "better" : "worse";
}

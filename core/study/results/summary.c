/* summary.c - see summary.h. */
#include "summary.h"
#include "comparable.h"
#include "error.h"
#include "metric_info.h"
#include "run_dir.h"
#include <math.h>
#include <string.h>

enum { DEEP = 3 };

static void summary_free(HnSummary *s) {
  g_free(s->dir), g_free(s->error), g_free(s->written);
  hn_live_free(s->live);
  g_free(s);
}

/* ---- one study ---- */

/* The aggregate of an arm's done cells. */
static double value_of(const HnLive *live, int64_t arm) {
  const int64_t seeds = live->plan->seeds;
  g_autoptr(GArray) x = g_array_new(FALSE, FALSE, sizeof(double));
  for (int64_t s = 0; s < seeds; s++) {
    const HnLiveCell *c = live->cells->pdata[arm * seeds + s];
    if (c->state == HN_LIVE_DONE && isfinite(c->metric)) g_array_append_val(x, c->metric);
  }
  if (!x->len) return (double)NAN;
  return hn_stats_aggregate((HnAggregate)live->plan->report.aggregate, x->len, (double *)x->data);
}

/* Adds to `cells` the first done one of an arm that can be read, which it owns; or NULL. */
static const HnResult *first_done(const HnLive *live, int64_t arm, GPtrArray *cells) {
  const HnResults *plan = live->plan;
  for (int64_t s = 0; s < plan->seeds; s++) {
    const HnLiveCell *c = live->cells->pdata[arm * plan->seeds + s];
    if (c->state != HN_LIVE_DONE) continue;
    HnResult *read = hn_result_read_facts(plan->dir, plan->arms[arm], s);
    g_ptr_array_add(cells, read);
    if (read->config) return read;
  }
  return NULL;
}

/* Whether an arm may be the best: a method, which `first` (of the baseline, or NULL) can be set
 * against. */
static bool may_be_best(const HnResult *cell, const HnResult *first) {
  if (!cell || hn_result_privileged(cell)) return false;
  g_autofree char *other = first && cell != first ? hn_comparable_task(cell, first, NULL) : NULL;
  return !other;
}

static void find_best(HnSummary *s) {
  const HnResults *plan = s->live->plan;
  const int better = hn_metric_better(plan->report.metric);
  g_autoptr(GPtrArray) cells = hn_result_list();
  s->baseline = MAX(hn_results_arm(plan, plan->report.baseline), 0);
  s->baseline_value = value_of(s->live, s->baseline);
  s->best = -1, s->best_value = (double)NAN;
  const HnResult *first = better ? first_done(s->live, s->baseline, cells) : NULL;
  for (int64_t a = 0; a < plan->arm_count && better != 0; a++) {
    const double value = value_of(s->live, a);
    if (isnan(value) || (s->best >= 0 && better * value <= better * s->best_value)) continue;
    const HnResult *cell = a == s->baseline ? first : first_done(s->live, a, cells);
    if (!may_be_best(cell, first)) continue;
    if (!first) first = cell; /* no baseline yet: what is of one task with the first arm */
    s->best = a, s->best_value = value;
  }
}

static HnLiveState state_of(const HnLive *live) {
  static const HnLiveState order[] = {HN_LIVE_RUNNING, HN_LIVE_STOPPED,     HN_LIVE_DAMAGED,
                                      HN_LIVE_FAILED,  HN_LIVE_INTERRUPTED, HN_LIVE_WAITING};
  for (guint i = 0; i < G_N_ELEMENTS(order); i++)
    if (live->count[order[i]]) return order[i];
  return HN_LIVE_DONE;
}

static HnSummary *summarise(const char *dir) {
  g_autoptr(GError) why = NULL;
  HnSummary *s = g_new0(HnSummary, 1);
  s->dir = g_strdup(dir), s->best = -1;
  s->live = hn_live_read(dir, &why);
  if (!s->live) {
    s->error = hn_diag_first_line(why->message);
    return s;
  }
  s->state = state_of(s->live);
  for (guint i = 0; i < s->live->cells->len; i++) {
    const HnLiveCell *c = s->live->cells->pdata[i];
    if (g_strcmp0(c->written, s->written) <= 0) continue; /* ISO 8601 sorts as text */
    g_free(s->written);
    s->written = g_strdup(c->written);
  }
  find_best(s);
  return s;
}

/* ---- all below a folder ---- */

static void find_studies(const char *dir, int depth, GPtrArray *out) {
  g_autofree char *plan = g_build_filename(dir, HN_STUDY_PLAN, NULL);
  if (g_file_test(plan, G_FILE_TEST_EXISTS)) {
    g_ptr_array_add(out, summarise(dir));
    return;
  }
  g_autoptr(GDir) d = depth < DEEP ? g_dir_open(dir, 0, NULL) : NULL;
  for (const char *name; d && (name = g_dir_read_name(d));) {
    g_autofree char *path = strcmp(dir, ".") ? g_build_filename(dir, name, NULL) : g_strdup(name);
    if (*name != '.' && g_file_test(path, G_FILE_TEST_IS_DIR)) find_studies(path, depth + 1, out);
  }
}

static int latest_first(const void *a, const void *b) {
  const HnSummary *x = *(HnSummary *const *)a, *y = *(HnSummary *const *)b;
  const int order = g_strcmp0(y->written, x->written);
  return order ? order : strcmp(x->dir, y->dir);
}

GPtrArray *hn_summaries(const char *dir, GError **error) {
  if (!g_file_test(dir, G_FILE_TEST_IS_DIR)) {
    hn_error_set(error, HN_ERROR_MISSING, "%s: %s", dir,
                 g_file_test(dir, G_FILE_TEST_EXISTS) ? "is a file; expected a folder of studies"
                                                      : "there is no such folder");
    return NULL;
  }
  GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)summary_free);
  find_studies(dir, 0, all);
  g_ptr_array_sort(all, latest_first);
  return all;
}

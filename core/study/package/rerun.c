/* rerun.c - see rerun.h. */
#include "rerun.h"
#include "again_compare.h"
#include "compare.h"
#include "output_file.h"
#include "run_dir.h"
#include "short_text.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

#define RUNG            "rerun"
#define TEST_CONFIDENCE 0.9 /* of the interval that two one-sided tests at 5 % look at */

/* Takes over what is worse in the outcome of a cell. */
static void take_worse(HnOutcome *all, HnOutcome *one) {
  const bool first = one->first >= 0 && (all->first < 0 || one->first < all->first);
  all->agreement = MAX(all->agreement, one->agreement);
  if (first) all->first = one->first;
  if (!all->updates || one->updates < all->updates) all->updates = one->updates;
  if (one->most > all->most) {
    all->most = one->most;
    g_free(all->column);
    all->column = g_steal_pointer(&one->column);
  }
}

/* The final values of the deciding metric, [seeds] of an arm; NULL with the reason in *why. */
static double *finals(const HnResults *r, const char *arm, char **why) {
  g_autoptr(GError) error = NULL;
  g_autoptr(HnComparison) c = hn_compare(r, NULL, NULL, &error);
  if (!c) *why = g_strdup(error->message);
  const HnCompared *m = c ? c->columns->pdata[0] : NULL;
  const int64_t at = hn_results_arm(r, arm);
  return m ? g_memdup2(m->final + at * r->seeds, (gsize)r->seeds * sizeof(double)) : NULL;
}

/* The results of the cells that ran again, as a study of the same plan. */
static HnResults *results_again(const HnAgain *a, char **why) {
  g_autofree char *plan = g_build_filename(a->results->dir, HN_STUDY_PLAN, NULL), *text = NULL;
  g_autofree char *folder = g_build_filename(a->folder, RUNG, NULL);
  g_autofree char *copy = g_build_filename(folder, HN_STUDY_PLAN, NULL);
  g_autoptr(GError) error = NULL;
  HnResults *r = NULL;
  if (g_file_get_contents(plan, &text, NULL, &error) && hn_output_replace(copy, text, &error))
    r = hn_results_read(folder, &error);
  if (!r) *why = g_strdup(error->message);
  return r;
}

/* Whether the mean difference is shown to be within the margin; says how the test went. */
static bool is_equivalent(const HnResults *r, int64_t n, const double *said, const double *again,
                          char **how) {
  HnStats *s = hn_stats_new(HN_AGGREGATE_MEAN, TEST_CONFIDENCE, 100);
  const HnEstimate e = hn_stats_difference(s, n, again, said, 0);
  const double margin = r->report.margin;
  hn_stats_free(s);
  if (e.interval == HN_INTERVAL_NONE) {
    *how = e.n < HN_STATS_SEEDS_MIN
               ? g_strdup_printf("%" PRId64 " seed%s, of 3 that a test needs", e.n, hn_plural(e.n))
               : g_strdup_printf("%s changed by %.4g in every seed, of whose scatter a test knows "
                                 "nothing",
                                 r->report.metric, e.value);
    return false;
  }
  *how = g_strdup_printf("%s changed by %.4g [%.4g, %.4g], margin %g", r->report.metric, e.value,
                         e.low, e.high, margin);
  return e.low > -margin && e.high < margin;
}

/* Judges an arm whose numbers differ. */
static void test(const HnAgain *a, const char *arm, HnOutcome *o) {
  if (!(a->results->report.margin > 0)) {
    o->reason = g_strdup("the study declares no report.margin to judge that by");
    return;
  }
  g_autoptr(HnResults) r = results_again(a, &o->reason);
  g_autofree double *said = r ? finals(a->results, arm, &o->reason) : NULL;
  g_autofree double *again = said ? finals(r, arm, &o->reason) : NULL;
  if (again && is_equivalent(a->results, r->seeds, said, again, &o->reason))
    o->agreement = HN_AGREES_STATISTICAL;
}

HnOutcome *hn_again_rerun(const HnAgain *a, const GPtrArray *cells) {
  HnOutcome *o = g_new0(HnOutcome, 1);
  const HnResult *first = cells->pdata[0];
  o->cell = g_strdup(first->arm), o->rung = RUNG, o->first = -1;
  for (guint i = 0; i < cells->len; i++) {
    const HnResult *c = cells->pdata[i];
    g_autofree char *dir = NULL;
    g_autofree char *why = hn_again_train(a, c, RUNG, 0, &dir);
    HnOutcome one = {.first = -1};
    hn_again_note_machines(o, c, dir);
    if (!why) {
      hn_again_compare_traces(c, dir, &one);
      hn_again_compare_rows(c, dir, a->options.tolerance, &one);
      if (one.agreement == HN_AGREES_FAILED) why = g_strdup(one.reason);
      take_worse(o, &one);
    }
    g_free(one.column), g_free(one.reason);
    if (!why) continue;
    o->agreement = HN_AGREES_FAILED;
    o->reason = g_strdup_printf("seed %" PRId64 ": %s", c->seed_index, why);
    return o;
  }
  if (o->agreement == HN_AGREES_DIFFERS) test(a, first->arm, o);
  return o;
}

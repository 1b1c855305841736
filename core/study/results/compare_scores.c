/* compare_scores.c - see compare_scores.h. */
#include "compare_scores.h"
#include "scores.h"
#include <math.h>

/* ---- matrices [runs, tasks] ---- */

/* Copies the scores of a seed; false: it lacks a task. */
static bool copy_seed(const HnTaskComparison *b, int64_t cell, double *row) {
  for (guint t = 0; t < b->rows->len; t++) {
    row[t] = ((const HnCompared *)b->rows->pdata[t])->final[cell];
    if (!isfinite(row[t])) return false;
  }
  return true;
}

/* The seeds of an arm that have all tasks, and in y, if that is not NULL, of the baseline's with
 * the same seed; how many there are. */
static int64_t gather(const HnComparison *c, const HnTaskComparison *b, int64_t arm, double *x,
                      double *y) {
  const int64_t seeds = c->results->seeds, tasks = b->rows->len;
  int64_t runs = 0;
  for (int64_t s = 0; s < seeds; s++) {
    const int64_t cell = arm * seeds + s, partner = c->partner[cell];
    if (!copy_seed(b, cell, x + runs * tasks)) continue;
    if (y && (partner < 0 || !copy_seed(b, c->baseline * seeds + partner, y + runs * tasks)))
      continue;
    runs++;
  }
  return runs;
}

/* ---- statistics ---- */

/* What is asked, and room for the scores of two arms. */
typedef struct Asked {
  const HnComparison *c;
  const HnTaskComparison *b;
  HnScoreQuestion q;
  double *x, *y; /* [seeds, tasks] */
} Asked;

static HnEstimate estimate(const Asked *k, int64_t arm, bool paired) {
  const HnComparison *c = k->c;
  const int64_t tasks = k->b->rows->len;
  if (paired && (arm == c->baseline || c->protocol[arm])) return hn_estimate_none();
  const int64_t runs = gather(c, k->b, arm, k->x, paired ? k->y : NULL);
  return hn_scores_estimate(c->stats, &k->q, runs, tasks, k->x, paired ? k->y : NULL);
}

/* An improvement is its own difference, which is not shown twice. */
static HnCompared *compare(const Asked *k) {
  const HnComparison *c = k->c;
  const int64_t arms = c->results->arm_count, seeds = c->results->seeds;
  const bool paired = hn_score_paired(k->q.of);
  HnEstimate(*e)[HN_STATISTICS] = g_malloc0_n((gsize)arms, sizeof *e);
  double *each = g_new(double, (gsize)(arms * seeds));
  for (int64_t a = 0; a < arms; a++) {
    e[a][HN_VALUE] = estimate(k, a, paired);
    e[a][HN_DIFFERENCE] = paired ? hn_estimate_none() : estimate(k, a, true);
  }
  for (int64_t i = 0; i < arms * seeds; i++) {
    const bool has = !paired && copy_seed(k->b, i, k->x);
    each[i] = has ? hn_score(&k->q, 1, k->b->rows->len, k->x, NULL) : (double)NAN;
  }
  g_auto(GStrv) words = g_strsplit(hn_score_name(k->q.of), "_", -1);
  g_autofree char *name = g_strjoinv(" ", words);
  HnCompared *m = hn_compared_of(c, name, k->b->column, 0, each, e);
  if (k->q.of == HN_SCORE_GAP) m->better = -m->better;
  return m;
}

/* Shares of scores above levels from the smallest score to the largest. */
static void profile(const HnComparison *c, HnTaskComparison *b, double *x) {
  const int64_t arms = c->results->arm_count, tasks = b->rows->len;
  double low = INFINITY, high = -INFINITY;
  for (int64_t a = 0; a < arms; a++) {
    const int64_t n = gather(c, b, a, x, NULL) * tasks;
    for (int64_t i = 0; i < n; i++) low = fmin(low, x[i]), high = fmax(high, x[i]);
  }
  if (!(low <= high)) return;
  b->profile = g_new(double, (gsize)(arms * HN_PROFILE_LEVELS));
  for (int l = 0; l < HN_PROFILE_LEVELS; l++)
    b->level[l] = low + (high - low) * l / (HN_PROFILE_LEVELS - 1);
  for (int64_t a = 0; a < arms; a++) {
    const int64_t n = gather(c, b, a, x, NULL) * tasks;
    for (int l = 0; l < HN_PROFILE_LEVELS; l++)
      b->profile[a * HN_PROFILE_LEVELS + l] = n ? hn_scores_above(n, x, b->level[l]) : (double)NAN;
  }
}

void hn_compare_scores(const HnComparison *c, HnTaskComparison *b) {
  const gsize room = (gsize)c->results->seeds * b->rows->len;
  if (b->rows->len < 2) return;
  const HnCompared *first = b->rows->pdata[0];
  g_autofree double *x = g_new(double, 2 * room);
  const double target = first->trials > 0 ? 1 : c->target;
  for (int of = HN_SCORE_MEDIAN; of < HN_SCORES; of++) {
    if (of == HN_SCORE_GAP && isnan(target)) continue;
    const HnScoreQuestion q = {(HnScoreStatistic)of, target, first->better,
                               (int)c->results->report.resample};
    const Asked asked = {c, b, q, x, x + room};
    g_ptr_array_add(b->scores, compare(&asked));
  }
  profile(c, b, x);
}

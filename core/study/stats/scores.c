/* scores.c - see scores.h. */
#include "scores.h"
#include <glib.h>
#include <hunch/rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* So many parts are taken away in turn: more seeds than these are taken away in groups, so that the
 * work stays linear in seeds. */
enum { PARTS_MAX = 50 };

static int ascending(const void *a, const void *b) {
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* ---- statistics of x, y [runs, tasks] ---- */

static double task_mean(int64_t runs, int64_t tasks, const double *x, int64_t task) {
  double sum = 0;
  for (int64_t r = 0; r < runs; r++) sum += x[r * tasks + task];
  return sum / (double)runs;
}

static double mean(const HnScoreQuestion *q, int64_t runs, int64_t tasks, const double *x,
                   const double *y) {
  (void)q, (void)y;
  double sum = 0;
  for (int64_t t = 0; t < tasks; t++) sum += task_mean(runs, tasks, x, t);
  return sum / (double)tasks;
}

static double median(const HnScoreQuestion *q, int64_t runs, int64_t tasks, const double *x,
                     const double *y) {
  (void)q, (void)y;
  g_autofree double *means = g_new(double, (gsize)tasks);
  for (int64_t t = 0; t < tasks; t++) means[t] = task_mean(runs, tasks, x, t);
  return hn_stats_aggregate(HN_AGGREGATE_MEDIAN, tasks, means);
}

static double iqm(const HnScoreQuestion *q, int64_t runs, int64_t tasks, const double *x,
                  const double *y) {
  (void)q, (void)y;
  g_autofree double *all = g_memdup2(x, sizeof *x * (gsize)(runs * tasks));
  return hn_stats_aggregate(HN_AGGREGATE_IQM, runs * tasks, all);
}

static double optimality_gap(const HnScoreQuestion *q, int64_t runs, int64_t tasks, const double *x,
                             const double *y) {
  (void)y;
  double sum = 0;
  for (int64_t i = 0; i < runs * tasks; i++) sum += fmin(x[i], q->target);
  return q->target - sum / (double)(runs * tasks);
}

/* P(a > b) + P(a = b) / 2 of sorted a, b [n]: Mann and Whitney's U over n^2. */
static double superiority(int64_t n, const double *a, const double *b) {
  double pairs = 0;
  for (int64_t i = 0, below = 0, up_to = 0; i < n; i++) {
    while (below < n && b[below] < a[i]) below++;
    up_to = MAX(up_to, below);
    while (up_to < n && b[up_to] <= a[i]) up_to++;
    pairs += (double)below + (double)(up_to - below) / 2;
  }
  return pairs / (double)(n * n);
}

static double improvement(const HnScoreQuestion *q, int64_t runs, int64_t tasks, const double *x,
                          const double *y) {
  g_autofree double *a = g_new(double, (gsize)(2 * runs));
  double *b = a + runs, sum = 0;
  for (int64_t t = 0; t < tasks; t++) {
    for (int64_t r = 0; r < runs; r++) a[r] = x[r * tasks + t], b[r] = y[r * tasks + t];
    qsort(a, (size_t)runs, sizeof *a, ascending), qsort(b, (size_t)runs, sizeof *b, ascending);
    sum += q->better < 0 ? superiority(runs, b, a) : superiority(runs, a, b);
  }
  return sum / (double)tasks;
}

static const struct {
  const char *name;
  bool paired;
  double (*of)(const HnScoreQuestion *q, int64_t runs, int64_t tasks, const double *x,
               const double *y);
} statistics[HN_SCORES] = {
#define ROW(NAME, name, paired, doc) {#name, paired, name},
    HN_SCORE_STATISTICS(ROW)};

const char *hn_score_name(HnScoreStatistic k) {
  return statistics[k].name;
}

bool hn_score_paired(HnScoreStatistic k) {
  return statistics[k].paired;
}

double hn_score(const HnScoreQuestion *q, int64_t runs, int64_t tasks, const double *x,
                const double *y) {
  return statistics[q->of].of(q, runs, tasks, x, y);
}

/* ---- intervals ---- */

/* Scores of an arm, and of the baseline or NULL. */
typedef struct Scores {
  int64_t runs, tasks;
  const double *x, *y;
} Scores;

static double value_of(const HnScoreQuestion *q, const Scores *s) {
  const double own = hn_score(q, s->runs, s->tasks, s->x, s->y);
  return !s->y || hn_score_paired(q->of) ? own : own - hn_score(q, s->runs, s->tasks, s->y, NULL);
}

/* x without rows [from, to), into `rest`. */
static void leave_out(const Scores *s, const double *x, int64_t from, int64_t to, double *rest) {
  const int64_t width = s->tasks;
  memcpy(rest, x, sizeof *x * (gsize)(from * width));
  memcpy(rest + from * width, x + to * width, sizeof *x * (gsize)((s->runs - to) * width));
}

/* The jackknife's standard error; *parts: from how many values. */
static double jackknife(const HnScoreQuestion *q, const Scores *s, int64_t *parts) {
  const int64_t n = *parts = MIN(s->runs, PARTS_MAX), cells = s->runs * s->tasks;
  g_autofree double *rest = g_new(double, (gsize)(2 * cells));
  double value[PARTS_MAX], centre = 0, square = 0;
  for (int64_t i = 0; i < n; i++) {
    const int64_t from = i * s->runs / n, to = (i + 1) * s->runs / n;
    leave_out(s, s->x, from, to, rest);
    if (s->y) leave_out(s, s->y, from, to, rest + cells);
    const Scores left = {s->runs - (to - from), s->tasks, rest, s->y ? rest + cells : NULL};
    value[i] = value_of(q, &left);
  }
  /* seen from the first, so that equal ones have no spread by rounding */
  for (int64_t i = 0; i < n; i++) centre += (value[i] - value[0]) / (double)n;
  for (int64_t i = 0; i < n; i++) {
    const double off = value[i] - value[0] - centre;
    square += off * off;
  }
  return sqrt(square * (double)(n - 1) / (double)n);
}

static void draw(HnRng *rng, const Scores *s, const double *x, double *drawn) {
  for (int64_t i = 0; i < s->runs * s->tasks; i++)
    drawn[i] = x[(int64_t)hn_rng_below(rng, s->runs) * s->tasks + i % s->tasks];
}

/* Percentiles of what resamples of each task for itself give, each arm apart. */
static HnBounds stratified(const HnStats *stats, const HnScoreQuestion *q, const Scores *s) {
  const int64_t n = hn_stats_resamples(stats), cells = s->runs * s->tasks;
  g_autofree double *drawn = g_new(double, (gsize)(2 * cells)), *replica = g_new(double, (gsize)n);
  HnRng rng = hn_rng(0x68756e6368, (uint64_t)cells);
  for (int64_t r = 0; r < n; r++) {
    draw(&rng, s, s->x, drawn);
    if (s->y) draw(&rng, s, s->y, drawn + cells);
    const Scores one = {s->runs, s->tasks, drawn, s->y ? drawn + cells : NULL};
    replica[r] = value_of(q, &one);
  }
  qsort(replica, (size_t)n, sizeof *replica, ascending);
  const double confidence = hn_stats_confidence(stats);
  return (HnBounds){hn_percentile(n, replica, (1 - confidence) / 2),
                    hn_percentile(n, replica, (1 + confidence) / 2)};
}

/* A probability stays one, and its null value is a half. */
static HnBounds within_unit(HnBounds b) {
  return (HnBounds){fmax(b.low, 0), fmin(b.high, 1)};
}

HnEstimate hn_scores_estimate(const HnStats *stats, const HnScoreQuestion *q, int64_t runs,
                              int64_t tasks, const double *x, const double *y) {
  const Scores s = {runs, tasks, x, y};
  const bool paired = hn_score_paired(q->of);
  HnEstimate e = hn_estimate_none();
  if ((e.n = runs) == 0 || tasks == 0) return e;
  e.value = value_of(q, &s);
  if (runs < (paired ? HN_IMPROVEMENT_SEEDS_MIN : HN_STATS_SEEDS_MIN)) return e;
  if (hn_stats_skewed(stats) && !y) return e;
  HnBounds b = {NAN, NAN};
  if (q->resample == HN_RESAMPLE_STRATIFIED) {
    b = stratified(stats, q, &s);
    e.interval = HN_INTERVAL_BOOTSTRAP, e.coarse = true;
  } else {
    int64_t parts;
    const double error = jackknife(q, &s, &parts);
    if (!(error > 0)) return e; /* all seeds agree, which few do by chance as well */
    b = hn_bounds_student(hn_stats_confidence(stats), e.value, error, parts - 1);
    e.p = hn_p_student(e.value - (paired ? 0.5 : 0), error, parts - 1);
    e.interval = HN_INTERVAL_JACKKNIFE;
  }
  if (paired) b = within_unit(b);
  e.low = b.low, e.high = b.high;
  return e;
}

double hn_scores_above(int64_t n, const double *x, double tau) {
  double above = 0;
  for (int64_t i = 0; i < n; i++) above += x[i] > tau;
  return above / (double)n;
}

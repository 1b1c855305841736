/* coverage.h - how often intervals hold what they should, by simulation: `./dev bench coverage`
 * makes the table of docs/statistics.md by it, stats_test a short form. */
#ifndef COVERAGE_H
#define COVERAGE_H
#include "scores.h"
#include <glib.h>
#include <hunch/rng.h>
#include <math.h>

enum { COVERAGE_SEEDS_MAX = 50, COVERAGE_TASKS_MAX = 10 };

/* ---- scores that scatter about something known ---- */

typedef enum CoverageShape {
  COVERAGE_NORMAL,
  COVERAGE_EXPONENTIAL,
  COVERAGE_LOGNORMAL,
  COVERAGE_SHAPES
} CoverageShape;
static const char *const coverage_shape[] = {"normal", "exponential", "lognormal"};

static inline double coverage_draw(CoverageShape shape, HnRng *rng) {
  if (shape == COVERAGE_EXPONENTIAL) return -log(1 - hn_rng_uniform(rng, 0, 1));
  const double z = hn_rng_normal(rng);
  return shape == COVERAGE_LOGNORMAL ? exp(z) : z;
}

static inline double coverage_quantile(CoverageShape shape, double u) {
  if (shape == COVERAGE_EXPONENTIAL) return -log(1 - u);
  const double z = u < 0.5 ? -hn_stats_z(1 - 2 * u) : hn_stats_z(2 * u - 1);
  return shape == COVERAGE_LOGNORMAL ? exp(z) : z;
}

/* What the aggregate of n scores is an estimate of: that of all scores there could be, of an
 * interquartile mean without the share that is dropped of n. */
static inline double coverage_truth(HnAggregate a, CoverageShape shape, int64_t n) {
  static const double mean[] = {0, 1, 1.6487212707001282};
  if (a == HN_AGGREGATE_MEAN) return mean[shape];
  if (a == HN_AGGREGATE_MEDIAN) return coverage_quantile(shape, 0.5);
  const double drop = (double)(n / 4) / (double)n;
  double sum = 0;
  enum { POINTS = 2000 };
  if (drop == 0) return mean[shape];
  for (int i = 0; i < POINTS; i++)
    sum += coverage_quantile(shape, drop + (1 - 2 * drop) * (i + 0.5) / POINTS);
  return sum / POINTS;
}

/* ---- how often ---- */

typedef struct Coverage {
  double given; /* share of studies with an interval */
  double held;  /* of these, share whose interval holds the truth */
} Coverage;

/* Counts, which coverage_end makes shares. */
static inline void coverage_count(Coverage *c, const HnEstimate *e, double truth) {
  if (e->interval == HN_INTERVAL_NONE) return;
  c->given += 1;
  c->held += e->low <= truth + 1e-12 && truth - 1e-12 <= e->high;
}

static inline Coverage coverage_end(Coverage c, int studies) {
  return (Coverage){c.given / studies, c.held / fmax(1, c.given)};
}

/* Of an arm's own scores, or of the difference of two arms whose seeds share much of what moves
 * them and that differ by `shift`. */
static inline Coverage coverage_of(HnStats *s, CoverageShape shape, int64_t n, bool paired,
                                   double shift, int studies) {
  HnRng rng = hn_rng(5, (uint64_t)(n * 10 + shape));
  const double truth = paired ? shift : coverage_truth(hn_stats_kind(s), shape, n);
  Coverage c = {0};
  for (int i = 0; i < studies; i++) {
    double x[COVERAGE_SEEDS_MAX], y[COVERAGE_SEEDS_MAX];
    for (int k = 0; k < n; k++) {
      const double shared = paired ? 3 * hn_rng_normal(&rng) : 0;
      x[k] = shared + (paired ? shift : 0) + coverage_draw(shape, &rng);
      y[k] = shared + coverage_draw(shape, &rng);
    }
    const HnEstimate e =
        paired ? hn_stats_difference(s, n, x, y, 0) : hn_stats_estimate(s, n, x, 0);
    coverage_count(&c, &e, truth);
  }
  return coverage_end(c, studies);
}

/* Seeds succeed at so many trials each with probabilities of their own, evenly about `a` or `b` by
 * up to `spread`; the arms share half of what moves a seed. */
typedef struct CoverageRates {
  int trials;
  double a, b, spread;
} CoverageRates;

static inline double coverage_successes(HnRng *rng, int trials, double p) {
  double sum = 0;
  for (int t = 0; t < trials; t++) sum += hn_rng_uniform(rng, 0, 1) < p;
  return sum / trials;
}

static inline Coverage coverage_of_rates(HnStats *s, CoverageRates of, int64_t n, bool paired,
                                         int studies) {
  HnRng rng = hn_rng(6, (uint64_t)n);
  Coverage c = {0};
  for (int i = 0; i < studies; i++) {
    double x[COVERAGE_SEEDS_MAX], y[COVERAGE_SEEDS_MAX];
    for (int k = 0; k < n; k++) {
      const double u = hn_rng_uniform(&rng, -of.spread, of.spread),
                   v = hn_rng_uniform(&rng, -of.spread, of.spread);
      x[k] = coverage_successes(&rng, of.trials, of.a + u);
      y[k] = coverage_successes(&rng, of.trials, of.b + (u + v) / 2);
    }
    const HnEstimate e =
        paired ? hn_stats_difference(s, n, x, y, of.trials) : hn_stats_estimate(s, n, x, of.trials);
    coverage_count(&c, &e, paired ? of.a - of.b : of.a);
  }
  return coverage_end(c, studies);
}

/* Scores of n seeds at some tasks, whose variance is to the share `common` the seed's; the arm's
 * are higher by `shift`. */
static inline void coverage_scores(HnRng *rng, CoverageShape shape, int64_t n, int64_t tasks,
                                   double common, double shift, double *x) {
  for (int64_t r = 0; r < n; r++) {
    const double seed = coverage_draw(shape, rng);
    for (int64_t t = 0; t < tasks; t++)
      x[r * tasks + t] = shift + 0.2 * (double)t +
                         0.3 * (sqrt(common) * seed + sqrt(1 - common) * coverage_draw(shape, rng));
  }
}

/* Of a statistic of scores; the truth is the mean of the statistic over many studies. */
static inline Coverage coverage_of_scores(HnStats *s, const HnScoreQuestion *q, CoverageShape shape,
                                          int64_t n, int64_t tasks, double common, int studies) {
  enum { CELLS = COVERAGE_SEEDS_MAX * COVERAGE_TASKS_MAX, LONG = 10000 };
  double x[CELLS], y[CELLS], truth = 0;
  Coverage c = {0};
  HnRng rng = hn_rng(7, (uint64_t)n);
  const double *against = hn_score_paired(q->of) ? y : NULL;
  for (int i = 0; i < LONG; i++) {
    coverage_scores(&rng, shape, n, tasks, common, 0.1, x);
    coverage_scores(&rng, shape, n, tasks, common, 0, y);
    truth += hn_score(q, n, tasks, x, against) / LONG;
  }
  for (int i = 0; i < studies; i++) {
    coverage_scores(&rng, shape, n, tasks, common, 0.1, x);
    coverage_scores(&rng, shape, n, tasks, common, 0, y);
    const HnEstimate e = hn_scores_estimate(s, q, n, tasks, x, against);
    coverage_count(&c, &e, truth);
  }
  return coverage_end(c, studies);
}
#endif

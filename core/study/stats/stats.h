/* stats.h - seeds into one number with an honest interval.
 *
 * The unit is the seed.  Which interval, and why:
 *   fewer than 3 seeds        none: two points say nothing about spread
 *   mean                      Student's t, of the values or of the paired differences.  The
 *                             percentile bootstrap leaves out zero twice as often as it claims at
 *                             10 seeds where there is no difference
 *   mean of a rate in [0, 1]  Wilson's, with t for the normal quantile and as many trials as the
 *                             variance between seeds allows, p (1 - p) / variance of p, but no more
 *                             than were made.  It stays inside [0, 1] and has a width where all
 *                             seeds agree.  Source: Korn & Graubard 1998; Dean & Pagano 2015
 *   median, iqm               percentile bootstrap; below 10 seeds it is marked `coarse` and
 *                             decides nothing, as it leaves out zero in up to a quarter of cases
 * A difference between two arms is that of their aggregates over the seeds both have, and both arms
 * are resampled with the same seeds, because arms with the same seed share tasks and noise.  That
 * of two rates is as of any other values, and ends at -1 and 1. */
#ifndef HN_STATS_H
#define HN_STATS_H
#include <stdbool.h>
#include <stdint.h>

/* How seeds become one number.  A row has a function of its name in stats.c; the choice `aggregate`
 * of a study's report block, and whatever shows its results, follow. */
#define HN_AGGREGATES(X)                  \
  X(MEAN, mean, "Mean over seeds.")       \
  X(MEDIAN, median, "Median over seeds.") \
  X(IQM, iqm, "Interquartile mean: without the quarter of the seeds at each end.")
#define HN_AGGREGATE_ENUM(NAME, name, doc)   HN_AGGREGATE_##NAME,
#define HN_AGGREGATE_CHOICE(NAME, name, doc) "|" #name
/* "mean|median|iqm", for a parameter of kind choice. */
#define HN_AGGREGATE_CHOICES &(HN_AGGREGATES(HN_AGGREGATE_CHOICE))[1]
typedef enum HnAggregate { HN_AGGREGATES(HN_AGGREGATE_ENUM) } HnAggregate;
typedef enum HnInterval {
  HN_INTERVAL_NONE,
  HN_INTERVAL_T,
  HN_INTERVAL_BOOTSTRAP,
  HN_INTERVAL_WILSON,
  HN_INTERVALS
} HnInterval;
enum { HN_STATS_SEEDS_MIN = 3, HN_STATS_COARSE_BELOW = 10 };

typedef struct HnEstimate {
  int64_t n;        /* seeds, or pairs of seeds, that entered; values that are not finite don't */
  double value;     /* NaN if n is 0 */
  double low, high; /* NaN if there is no interval */
  HnInterval interval;
  bool coarse; /* bootstrap over few seeds: too narrow to decide anything by */
} HnEstimate;

/* How to aggregate, and the bootstrap's resamples, drawn once per number of seeds with a fixed key,
 * so that the same results always give the same intervals. [instance] */
typedef struct HnStats HnStats;
HnStats *hn_stats_new(HnAggregate aggregate, double confidence, int64_t resamples);
void hn_stats_free(HnStats *s);
double hn_stats_confidence(const HnStats *s);
HnAggregate hn_stats_kind(const HnStats *s);
/* Its name, "iqm", and a sentence about it. */
const char *hn_aggregate_name(HnAggregate a);
const char *hn_aggregate_doc(HnAggregate a);
/* "none", "t", "bootstrap", "wilson"; and for people, "Student's t". */
const char *hn_interval_name(HnInterval i);
const char *hn_interval_title(HnInterval i);

/*   x       [n] a value per seed, NaN where there is none
 *   trials  of rates, how many trials a seed's value is the mean of; 0: x are no rates.  Where a
 *           value is outside [0, 1] it is taken for 0 */
HnEstimate hn_stats_estimate(HnStats *s, int64_t n, const double *x, double trials);
/* The same value with the quartiles over seeds for low and high (linear between order statistics;
 * NaN below HN_STATS_SEEDS_MIN), which say how seeds differ, not how sure their aggregate is. */
HnEstimate hn_stats_spread(HnStats *s, int64_t n, const double *x);
/* x - baseline, over the seeds where both are finite.
 *   x, baseline  [n] the same seed at the same index */
HnEstimate hn_stats_difference(HnStats *s, int64_t n, const double *x, const double *baseline,
                               double trials);

/* What a comparison says of an arm by its final values, in the order in which it is shown. Whatever
 * shows a comparison walks over hn_statistics, so a new one is a name and a row in stats.c. */
enum { HN_VALUE, HN_DIFFERENCE, HN_STATISTICS };
typedef struct HnStatistic {
  const char *key;     /* in JSON and CSV */
  const char *heading; /* of tables; NULL: the aggregate's name */
  bool paired;         /* with the baseline's values; the baseline itself has none */
  /*   x, baseline  [n] the same seed at the same index; baseline NULL where it is not paired */
  HnEstimate (*of)(HnStats *s, int64_t n, const double *x, const double *baseline, double trials);
} HnStatistic;
extern const HnStatistic hn_statistics[HN_STATISTICS];
/* Its heading in tables, where seeds are aggregated as s does. */
const char *hn_statistic_heading(const HnStatistic *t, const HnStats *s);

/* The aggregate of finite values x [n], n > 0; x is reordered.  The interquartile mean drops
 * floor(n/4) values at each end (as rliable and scipy's trim_mean do). [any] */
double hn_stats_aggregate(HnAggregate a, int64_t n, double *x);
/* The value that |t| stays below with probability `confidence`, for dof >= 1 degrees of freedom.
 * Source: Abramowitz & Stegun 26.7.3, 26.7.4, inverted by bisection. [any] */
double hn_stats_t(double confidence, int64_t dof);
#endif

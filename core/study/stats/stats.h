/* stats.h - seeds into one number with an honest interval.
 *
 * The unit is the seed.  Which interval, decided by how often it held in simulations
 * (docs/statistics.md has the table, `./dev bench coverage` makes it):
 *   fewer than 3 seeds        none: two points say nothing about spread
 *   mean                      Student's t; none where all seeds have the same
 *   mean of a rate in [0, 1]  Wilson's, with t for the normal quantile and as many trials as the
 *                             variance between seeds allows, p (1 - p) / variance of p, but no more
 *                             than were made.  It stays inside [0, 1] and has a width where all
 *                             seeds agree.  Source: Korn & Graubard 1998; Dean & Pagano 2015
 *   difference of two rates   the wider of Student's t and Newcombe's of all trials
 *   iqm                       Student's t with Winsorised squares (Tukey & McLaughlin 1963)
 *   median                    between order statistics (Hettmansperger & Sheather 1986), which
 * holds for any distribution; from 6 seeds for 95 % What a seed scatters about is not known, and no
 * test tells it from few seeds.  So that scores are skewed must be said, before they are seen: then
 * a mean and an iqm have no interval, but their differences have, and medians. A difference between
 * two arms is the aggregate of the paired differences, over the seeds both have, because arms with
 * the same seed share tasks and noise. */
#ifndef HN_STATS_H
#define HN_STATS_H
#include "intervals.h"
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
  HN_INTERVAL_NEWCOMBE,
  HN_INTERVAL_WINSORISED,
  HN_INTERVAL_ORDER,
  HN_INTERVAL_JACKKNIFE,
  HN_INTERVALS
} HnInterval;
enum { HN_STATS_SEEDS_MIN = 3 };

typedef struct HnEstimate {
  int64_t n;        /* seeds, or pairs of seeds, that entered; values that are not finite don't */
  double value;     /* NaN if n is 0 */
  double low, high; /* NaN if there is no interval */
  double p;         /* of a difference: that one so far from 0 comes by chance; NaN if not known */
  HnInterval interval;
  bool coarse; /* too narrow to decide anything by: the stratified bootstrap */
} HnEstimate;

/* How to aggregate, and how sure to be.  Nothing changes once it is set up. [any] */
typedef struct HnStats HnStats;
/* resamples: of the bootstrap of scores.h, drawn with a fixed key, so that the same results always
 * give the same intervals. */
HnStats *hn_stats_new(HnAggregate aggregate, double confidence, int64_t resamples);
void hn_stats_free(HnStats *s);
/* From now on scores are taken for skewed: where that breaks an interval there is none. */
void hn_stats_assume_skewed(HnStats *s);
bool hn_stats_skewed(const HnStats *s);
int64_t hn_stats_resamples(const HnStats *s);
double hn_stats_confidence(const HnStats *s);
HnAggregate hn_stats_kind(const HnStats *s);
/* Its name, "iqm", and a sentence about it. */
const char *hn_aggregate_name(HnAggregate a);
const char *hn_aggregate_doc(HnAggregate a);
/* "none", "t", "bootstrap", "wilson", ..; and for people, "Student's t". */
const char *hn_interval_name(HnInterval i);
const char *hn_interval_title(HnInterval i);

/*   x       [n] a value per seed, NaN where there is none
 *   trials  of rates, how many trials a seed's value is the mean of; 0: x are no rates.  Where a
 *           value is outside [0, 1] it is taken for 0 */
HnEstimate hn_stats_estimate(const HnStats *s, int64_t n, const double *x, double trials);
/* The same value with the quartiles over seeds for low and high (linear between order statistics;
 * NaN below HN_STATS_SEEDS_MIN), which say how seeds differ, not how sure their aggregate is. */
HnEstimate hn_stats_spread(const HnStats *s, int64_t n, const double *x);
/* Of x - baseline, over the seeds where both are finite.
 *   x, baseline  [n] the same seed at the same index */
HnEstimate hn_stats_difference(const HnStats *s, int64_t n, const double *x, const double *baseline,
                               double trials);

/* What a comparison says of an arm by its final values, in the order in which it is shown. Whatever
 * shows a comparison walks over hn_statistics, so a new one is a name and a row in stats.c. */
enum { HN_VALUE, HN_DIFFERENCE, HN_STATISTICS };
typedef struct HnStatistic {
  const char *key;     /* in JSON and CSV */
  const char *heading; /* of tables; NULL: the aggregate's name */
  bool paired;         /* with the baseline's values; the baseline itself has none */
  /*   x, baseline  [n] the same seed at the same index; baseline NULL where it is not paired */
  HnEstimate (*of)(const HnStats *s, int64_t n, const double *x, const double *baseline,
                   double trials);
} HnStatistic;
extern const HnStatistic hn_statistics[HN_STATISTICS];
/* Without any number. */
HnEstimate hn_estimate_none(void);
/* Its heading in tables, where seeds are aggregated as s does. */
const char *hn_statistic_heading(const HnStatistic *t, const HnStats *s);

/* The aggregate of finite values x [n], n > 0; x is reordered.  The interquartile mean drops
 * floor(n/4) values at each end (as rliable and scipy's trim_mean do). [any] */
double hn_stats_aggregate(HnAggregate a, int64_t n, double *x);
/* Percentile p in [0, 1] of sorted x [n], n >= 2, linear between order statistics. [any] */
double hn_percentile(int64_t n, const double *x, double p);
#endif

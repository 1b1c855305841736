/* compare.h - arms side by side: the final value of each metric, its interval over seeds and the
 * paired difference to the baseline.  An evaluation's final value is that of the last one; of what
 * is measured while training, the mean over the last tenth of updates, as one update's is mostly
 * noise.
 *
 * An arm of which a cell is done is the done ones.  Any other is partial: it counts as of the last
 * update at which all its cells on their way were evaluated, and where it, or the baseline, is
 * partial, their difference is as of that update of both. */
#ifndef HN_COMPARE_H
#define HN_COMPARE_H
#include "metric_info.h"
#include "stats.h"

typedef struct HnCompared {
  char *column, *unit; /* unit "" if unknown */
  int better;          /* +1: higher is better, -1: lower, 0: not known */
  bool averaged;       /* over the last tenth of updates */
  int64_t arms;
  double trials; /* of a rate, those that a seed's value is the mean of; 0: no rate */
  double *final; /* [arms, seeds]; NaN where there is none */
  /* [arms]; of paired statistics n = 0 for the baseline and where protocols differ */
  HnEstimate (*estimate)[HN_STATISTICS];
  int64_t family; /* differences that have a p-value, one for each arm that has */
  bool adjusted;  /* verdicts are, for these being many */
  double level;   /* at or below which p decides */
  double *p;      /* [arms] of the difference, adjusted if verdicts are; NaN: none */
} HnCompared;

typedef struct HnComparison {
  const HnResults *results; /* borrowed */
  HnStats *stats;
  int64_t baseline;
  GPtrArray *columns; /* HnCompared *; the deciding metric first */
  char **protocol;  /* [arms] what differs from the baseline's environment or evaluation, or NULL */
  int64_t *partner; /* [arms, seeds] index of the baseline's cell with the same seed, or -1 */
  int64_t
      *counts_at;    /* [arms] update up to which an arm counts of which no cell is done; else -1 */
  GPtrArray *absent; /* char *: a cell that does not count, and why, a line each */
  GPtrArray *partial; /* char *: a cell that counts as far as it is, and how far, a line each */
  GPtrArray *notes;   /* char *: what a reader should know, a line each */
  GPtrArray *origin;  /* char *: environment, simulator and protocol, a line each */
  int64_t done, failed;
  double target; /* of the optimality gap of what is no rate; NaN, as at first: there is none */
} HnComparison;

/* Refuses (HN_ERROR_DIFFERS) cells that count of different versions of hunch or of one plugin, and
 * cells of one arm with different configurations; (HN_ERROR_MISSING) an arm or column that does not
 * exist. baseline, metric: NULL for what the study says. */
HnComparison *hn_compare(const HnResults *r, const char *baseline, const char *metric,
                         GError **error);
/* Whether an arm was to learn for longer or shorter than the baseline, and after how many frames
 * either ended, in whole updates.  Not where both were asked for the same and only their updates
 * differ in length. */
bool hn_compared_lengths(const HnComparison *c, int64_t arm, int64_t *own, int64_t *base);
void hn_comparison_free(HnComparison *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnComparison, hn_comparison_free)
/* "better", "worse" (or "higher", "lower"), "same", "unclear", or "" where nothing can be said:
 * without an interval, or with a coarse one.  Adjusted ones may be unclear though the interval
 * leaves out 0. */
const char *hn_compared_verdict(const HnCompared *m, int64_t arm);
/* A column of the caller's own: final [arms, seeds] is taken over; `column` says what unit it has
 * and whether it is a rate, of so many trials. */
HnCompared *hn_compared_new(const HnComparison *c, const char *name, const char *column,
                            double trials, double *final);
/* The same with [arms] estimates of the caller's own, which are taken over. */
HnCompared *hn_compared_of(const HnComparison *c, const char *name, const char *column,
                           double trials, double *final, HnEstimate (*own)[HN_STATISTICS]);
void hn_compared_free(HnCompared *c);
#endif

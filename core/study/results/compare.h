/* compare.h - arms side by side: the final value of each metric, its interval over seeds and the
 * paired difference to the baseline. */
#ifndef HN_COMPARE_H
#define HN_COMPARE_H
#include "metric_info.h"
#include "stats.h"

typedef struct HnCompared {
  char *column, *unit; /* unit "" if unknown */
  int better;          /* +1: higher is better, -1: lower, 0: not known */
  double *final;       /* [arms, seeds]; NaN where there is none */
  HnEstimate *value;   /* [arms] */
  HnEstimate
      *difference; /* [arms] to the baseline; n = 0 for the baseline and where protocols differ */
} HnCompared;

typedef struct HnComparison {
  const HnResults *results; /* borrowed */
  HnStats *stats;
  gint64 baseline;
  GPtrArray *columns; /* HnCompared *; the deciding metric first */
  char **protocol; /* [arms] what differs from the baseline's environment or evaluation, or NULL */
  GPtrArray *absent; /* char *: a cell that is not done, and why, a line each */
  GPtrArray *notes;  /* char *: what a reader should know, a line each */
  GPtrArray *origin; /* char *: environment, simulator and protocol, a line each */
  gint64 done, failed;
} HnComparison;

/* Refuses (HN_RESULTS_MIXED) done cells of different versions of hunch or of one plugin, and cells
 * of one arm with different configurations; (HN_RESULTS_UNKNOWN) an arm or column that does not
 * exist. baseline, metric: NULL for what the study says. */
HnComparison *hn_compare(const HnResults *r, const char *baseline, const char *metric,
                         GError **error);
void hn_comparison_free(HnComparison *c);
/* "better", "worse" (or "higher", "lower"), "same", "unclear", or "" where nothing can be said. */
const char *hn_compared_verdict(const HnCompared *m, gint64 arm);
/* A table of at most 100 columns for any reasonable arm name; free with g_free. */
char *hn_comparison_text(const HnComparison *c);
/* Everything, every seed's value included; tasks: of hn_tasks_compare, or NULL.  Free with g_free.
 */
char *hn_comparison_json(const HnComparison *c, const GPtrArray *tasks);
/* The heading of that table alone. */
char *hn_comparison_heading(const HnComparison *c);
/* A column of the caller's own: final [arms, seeds] is taken over; `column` says what unit it has.
 */
HnCompared *hn_compared_new(const HnComparison *c, const char *name, const char *column,
                            double *final);
void hn_compared_free(HnCompared *c);
/* How the numbers of a column are shown: x / 10^exponent with so many decimals. */
typedef struct HnFormat {
  int decimals, exponent;
  bool sign;
} HnFormat;
/* Two digits of the narrowest interval; an exponent (a multiple of 3) only where all are tiny or
 * huge. */
HnFormat hn_compared_format(const HnCompared *m, gint64 arms, bool difference);
/* "1e-6 nats; lower is better"; free with g_free. */
char *hn_compared_heading(const HnCompared *m, gint64 arms);
/* "-" for NaN, no negative zero; free with g_free. */
char *hn_compare_number(double x, HnFormat format);
#endif

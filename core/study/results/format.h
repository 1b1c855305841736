/* format.h - how the numbers of a comparison are shown to people. */
#ifndef HN_FORMAT_H
#define HN_FORMAT_H
#include "compare.h"

/* x / 10^exponent with so many decimals; `written`: with the exponent behind it, "7.9e-6". */
typedef struct HnFormat {
  int decimals, exponent;
  bool sign, written;
} HnFormat;

/* Of a statistic of an arm.  Arms whose numbers are all tiny or huge have an exponent, a multiple
 * of 3: the heading's if all arms have the same, else written with the numbers.  Arms of one
 * exponent have the same decimals, two digits of the narrowest interval; an arm that would show no
 * two digits has its own. */
HnFormat hn_format_of(const HnCompared *m, int64_t arm, int statistic);
/* "-" for NaN, no sign at zero; free with g_free, like all below. */
char *hn_format_number(double x, HnFormat format);
/* "[-0.1, 0.2]", with a "~" before a coarse one; "" where there is no interval. */
char *hn_format_interval(const HnEstimate *e, HnFormat format);
/* The number, or why there can be none: "baseline", "other task". */
char *hn_format_statistic(const HnComparison *c, const HnCompared *m, int64_t arm, int statistic);
/* What tables show beside values. */
typedef struct HnMethods {
  bool paired, pairs; /* a column of differences to the baseline; some that there are */
  bool interval[HN_INTERVALS];
} HnMethods;
/* Adds what a table of all statistics of a column shows. */
void hn_methods_add(HnMethods *s, const HnCompared *m);
/* "differences to BASELINE, paired by seed; intervals: Student's t"; "" where they show neither. */
char *hn_methods_text(const HnMethods *s, const HnComparison *c);
/* Of the tables of all columns. */
char *hn_format_methods(const HnComparison *c);
/* "95 % interval". */
char *hn_format_confidence(const HnComparison *c);
/* "1e-6 nats; lower is better; mean of the last tenth of updates". */
char *hn_format_heading(const HnCompared *m);
#endif

/* intervals.h - intervals of few numbers, and how improbable a value of zero is by each.
 *
 * Of every kind there is a function that makes an interval of given confidence, and a p-value that
 * belongs to it: the interval of confidence 1 - p has 0 at its end. */
#ifndef HN_INTERVALS_H
#define HN_INTERVALS_H
#include <stdbool.h>
#include <stdint.h>

typedef struct HnBounds {
  double low, high; /* NaN: none */
} HnBounds;

/* The value that |t| stays below with probability `confidence`, for dof >= 1 degrees of freedom.
 * Source: Abramowitz & Stegun 26.7.3, 26.7.4, inverted by bisection. [any] */
double hn_stats_t(double confidence, int64_t dof);
/* The same of a standard normal. [any] */
double hn_stats_z(double confidence);

/* value +- t times its standard error. [any] */
HnBounds hn_bounds_student(double confidence, double value, double error, int64_t dof);
/* The probability of |t| >= |value| / error; 1 where both are 0. [any] */
double hn_p_student(double value, double error, int64_t dof);
/* The standard error of the mean of x [n] without the `drop` smallest and largest, from Winsorised
 * squares; it has n - 2 drop - 1 degrees of freedom.  x is sorted.  With drop 0 that of the mean.
 * Source: Tukey & McLaughlin 1963. [any] */
double hn_trimmed_error(int64_t n, const double *x, int64_t drop);

/* Of the rate p among so many trials, which need not be whole: Wilson 1927 with the quantile q.
 * [any] */
HnBounds hn_bounds_wilson(double p, double trials, double q);
/* Of the difference x - y of two rates, each of so many trials; within [-1, 1], and never without a
 * width.  Source: Newcombe 1998, method 10. [any] */
HnBounds hn_bounds_newcombe(double confidence, double x, double y, double trials);
/* The p-value of it. [any] */
double hn_p_newcombe(double x, double y, double trials);

/* Of the median of what sorted x [n] were drawn from, whatever its distribution: between order
 * statistics, as the binomial of n and 1/2 has it.  No interval where even the smallest and largest
 * do not hold the median so surely, which is below 6 values for 95 %.  x may end with INFINITY, for
 * values beyond what was watched.  Source: Hettmansperger & Sheather 1986. [any] */
HnBounds hn_bounds_median(double confidence, int64_t n, const double *x);
/* The p-value of a median of 0; where all values lie on one side that of the sign test. [any] */
double hn_p_median(int64_t n, const double *x);
/* How many values an interval of a median needs. [any] */
int64_t hn_median_needs(double confidence);
#endif

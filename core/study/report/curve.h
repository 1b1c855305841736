/* curve.h - one curve: a value at each x, with an interval over seeds. */
#ifndef HN_CURVE_H
#define HN_CURVE_H
#include "csv_table.h"
#include "stats.h"

typedef struct HnCurve {
  int64_t n, seeds;
  double *x, *value, *low, *high; /* [n]; low, high NaN without an interval */
  double *each;                   /* [seeds, n]; NaN where a seed has no value */
  int64_t *count;                 /* [n] seeds that have one: what value is made of */
  HnInterval interval;            /* what low and high are, where any point has them */
} HnCurve;

HnCurve *hn_curve_new(int64_t n, int64_t seeds);
void hn_curve_free(HnCurve *c); /* may be NULL */
/* The values of each seed at those x that every one has, from the first to the last at which one
 * has a number; NULL if there are none.  tables: HnTable *, one a seed. positive  only x > 0 count
 */
HnCurve *hn_curve_of(const GPtrArray *tables, const char *x, const char *y, bool positive);
/* Makes each point the sum of all points up to it; those that no seed has stay gaps. */
void hn_curve_add_up(HnCurve *c);
/* Averages what there is of neighbours until about 100 points are left: runs of equal length, or on
 * a logarithmic axis only where points lie closer than the axis can show.  Returns the longest run;
 * 1: nothing to do. */
int64_t hn_curve_thin(HnCurve *c, bool log_x);
/* Fills value, low, high and count from each: an interval, or the quartiles.  trials: as in
 * stats.h. */
void hn_curve_summarise(HnCurve *c, HnStats *stats, bool quartiles, double trials);
/* The one point of c at every x of another curve. */
HnCurve *hn_curve_held(const HnCurve *c, const HnCurve *other);
/* c minus another curve that has the same points and, like it, all `seeds`; or NULL.  Both may be
 * NULL. */
HnCurve *hn_curve_difference(const HnCurve *c, const HnCurve *b, int64_t seeds, HnStats *stats);
bool hn_curve_has_interval(const HnCurve *c);
bool hn_curve_has_gap(const HnCurve *c); /* a point without a value */
/* Whether every seed has one and the same value at every point. */
bool hn_curve_is_constant(const HnCurve *c);
/* The last finite value, or NaN.  c may be NULL. */
double hn_curve_last(const HnCurve *c);
#endif

/* growing_curve.h - a column of a metrics.csv that is being written, over environment steps: every
 * look reads what has come since, and nothing twice. */
#ifndef HN_GROWING_CURVE_H
#define HN_GROWING_CURVE_H
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct HnGrowingCurve HnGrowingCurve;

/* column: where its values stand; most: points that are kept, at least 2.  Where there would be
 * more, every second one is left out, then of the later ones as many.  Reads nothing yet. */
HnGrowingCurve *hn_growing_curve_new(const char *path, const char *column, int64_t most);
void hn_growing_curve_free(HnGrowingCurve *c);
/* Reads on.  A file that is cut back, as one whose cell goes on from a checkpoint, or that another
 * one has replaced, is read anew; a table that cannot be read is as one without rows.  Returns how
 * many of the points of the last look are still there; all that follow them are new. */
int64_t hn_growing_curve_look(HnGrowingCurve *c);
int64_t hn_growing_curve_length(const HnGrowingCurve *c);
/* The points, until the next look: steps rise, values are finite. */
const double *hn_growing_curve_steps(const HnGrowingCurve *c);
const double *hn_growing_curve_values(const HnGrowingCurve *c);
#endif

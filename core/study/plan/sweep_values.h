/* sweep_values.h - the values that a sweep gives to one parameter: a list, or a range of numbers.
 *
 *   [1e-4, 1e-3]                                          these
 *   {from: 1e-4, to: 1e-2, count: 5, scale: log}          five, both ends among them
 *   {from: 1e-4, to: 1e-2, scale: log}                    any between, to be drawn from
 *
 * Numbers between the ends of a range are rounded to four digits, of the number on a logarithmic
 * scale and of the width of the range on a linear one, so that an arm's name says the very value
 * that it runs with; those of an integer are integers. */
#ifndef HN_SWEEP_VALUES_H
#define HN_SWEEP_VALUES_H
#include "params.h"

#define HN_RANGE_PARAMS(X)                                                     \
  X(real, from, "", "Lower end.", 0, -1e300, 1e300)                            \
  X(real, to, "", "Upper end.", 1, -1e300, 1e300)                              \
  X(int, count, "",                                                            \
    "Values, both ends among them; 0: any between, of which random and sobol " \
    "draw.",                                                                   \
    0, 0, 1000)                                                                \
  X(choice, scale, "", "linear: equal steps; log: equal factors.", "linear", "linear|log")
HnSchema hn_range_schema(void);

typedef struct HnSweepValues {
  const HnNode *at;  /* the list or the range */
  GPtrArray *values; /* HnNode *, owned: texts that know their place; NULL: any of the range */
  double from, to;
  bool log, integer;
} HnSweepValues;

/* Reads what `node` says of a parameter; p: its row, or NULL where it is not known.  False with
 * findings, which name `path`. */
bool hn_sweep_values_read(const char *path, const HnNode *node, const HnParam *p,
                          HnSweepValues *out, HnDiag *d);
void hn_sweep_values_clear(HnSweepValues *v);
/* The value at u, in [0, 1), of the list or of the range; free with hn_node_free. */
HnNode *hn_sweep_values_draw(const HnSweepValues *v, double u);
#endif

/* metric_names.h - what is known of a metric or per-step column by its name alone: of the host's
 * own columns and of those that plugins report by convention. */
#ifndef HN_METRIC_NAMES_H
#define HN_METRIC_NAMES_H
#include <stdbool.h>

/* +1: higher is better, -1: lower, 0: not known. */
int hn_metric_better(const char *column);
/* Where columns of a prefix were measured. */
typedef struct HnMetricPlace {
  const char *prefix, *words;
  bool tasks; /* words follow " on held-out tasks", or what the evaluated ones are */
} HnMetricPlace;
/* That of a column, or NULL. */
const HnMetricPlace *hn_metric_place(const char *column);
/* The unit known by the name; "" if unknown. */
const char *hn_metric_known_unit(const char *column);
/* The name behind the place where it was measured: "return" of "eval.drawn.return". */
const char *hn_metric_stem(const char *column);
#endif

/* metric_info.h - what a run's plugins declare of a metric or per-step column, and what is known by
 * its name, with or without its "eval." or "inference." prefix. */
#ifndef HN_METRIC_INFO_H
#define HN_METRIC_INFO_H
#include "metric_names.h"
#include "results.h"

/* What the plugin that reports a column declares about it (run.json, plugins.KIND.info; of what it
 * measures while it learns, "policy.loss", plugins.KIND.metrics). */
typedef struct HnMetricInfo {
  const char *kind;              /* "env", "inference", "policy"; NULL if no plugin declares it */
  const char *unit, *doc, *fold; /* "" if unknown; fold as in `hunch inspect` */
  const char *plugin;            /* its name, or NULL */
} HnMetricInfo;

/* From the first cell whose plugins declare the column; texts live as long as r. */
HnMetricInfo hn_metric_info(const HnResults *r, const char *column);
/* The same from the first cell of an arm. */
HnMetricInfo hn_metric_info_of(const HnResults *r, int64_t arm, const char *column);
/* The declared unit, else the one known by the column's name; "" if unknown. */
const char *hn_metric_unit(const HnResults *r, const char *column);
const char *hn_metric_unit_of(const HnResults *r, int64_t arm, const char *column);
/* A column of such cells (HnResult *) in words, "return on held-out tasks", "return on training
 * tasks", "negative log-likelihood of rewards"; of what no convention knows its name, "step norm of
 * the policy".  Free with g_free. */
char *hn_metric_words(const GPtrArray *cells, const char *column);
/* The tasks of an evaluation, each of the done cell that has the fewest; 0: not known. */
typedef struct HnMetricTasks {
  int64_t rows; /* trials of a seed, evaluation.tasks */
  int64_t
      distinct;    /* different tasks of these; what cells of older versions do not say is `rows` */
  int64_t by_name; /* different tasks of one name, of the name with the fewest */
} HnMetricTasks;
/* split NULL: the deciding one. */
HnMetricTasks hn_metric_tasks(const HnResults *r, const char *split);
/* "20 held-out tasks", "5 held-out tasks in 500 trials a seed", or "" where it is not known;
 * g_free.
 */
char *hn_metric_tasks_text(const HnResults *r);
/* Of a rate, which has no unit and is named success or declared with the fold "max": of how many
 * trials a seed's value is the mean, which are the different tasks of an evaluation, else 1.  0: no
 * rate. */
double hn_metric_trials(const HnResults *r, const char *column);
#endif

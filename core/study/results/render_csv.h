/* render_csv.h - a comparison as one table of numbers, in ten digits. */
#ifndef HN_RENDER_CSV_H
#define HN_RENDER_CSV_H
#include "compare_tasks.h"

/* column,arm,seeds,value,low,high,difference,difference_low,difference_high,seed_0,..;
 * empty fields where there is no number.  Free with g_free, like below. */
char *hn_render_csv(const HnComparison *c);
/* split,column,task,arm,seeds,value,low,high,difference,difference_low,difference_high,seed_0,...
 * After the tasks stand their mean and the statistics of all.  tasks: of hn_compare_tasks. */
char *hn_render_csv_tasks(const HnComparison *c, const GPtrArray *tasks);
#endif

/* render_csv.h - a comparison by task as one table of numbers. */
#ifndef HN_RENDER_CSV_H
#define HN_RENDER_CSV_H
#include "compare_tasks.h"

/* split,column,task,arm,seeds,value,low,high,difference,difference_low,difference_high,seed_0,..;
 * empty fields where there is no number.  tasks: of hn_compare_tasks.  Free with g_free. */
char *hn_render_csv_tasks(const HnComparison *c, const GPtrArray *tasks);
#endif

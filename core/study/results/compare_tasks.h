/* compare_tasks.h - a comparison by task: what each arm reached on every task name of every split
 * that names any, a task without a name among these by its number ("task 3"), from the episodes
 * that counted in the last evaluation of each done cell. */
#ifndef HN_COMPARE_TASKS_H
#define HN_COMPARE_TASKS_H
#include "compare.h"

enum { HN_PROFILE_LEVELS = 21 };

/* One column of episodes.csv on one split. */
typedef struct HnTaskComparison {
  char *split, *column; /* "test", "success" */
  GPtrArray *rows;      /* HnCompared *, named by task; the last is the mean over tasks */
  GPtrArray *scores;    /* HnCompared *, statistics of all seeds and tasks; none of one task */
  double level[HN_PROFILE_LEVELS]; /* from the smallest score to the largest */
  double *profile; /* [arms, levels] share of scores above a level; NULL: there is none */
} HnTaskComparison;

/* HnTaskComparison *: success, where there is such a column, then return, for the splits in the
 * order in which they were evaluated.  Of a cell a task's value is the mean over its counted
 * episodes; the mean over tasks needs all of them.  Empty where tasks have no names.  NULL: a file
 * is damaged. */
GPtrArray *hn_compare_tasks(const HnComparison *c, GError **error);
#endif

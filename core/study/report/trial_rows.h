/* trial_rows.h - finds single trials in a cell's trial.csv. */
#ifndef HN_TRIAL_ROWS_H
#define HN_TRIAL_ROWS_H
#include "results.h"

/* One trial: `count` time steps from row `first` of the table. */
typedef struct HnTrialRows {
  const HnTable *table;
  int64_t first, count;
  int64_t begin, obs, next_obs, task, belief, map; /* columns, -1: none */
  int64_t tasks;                                   /* columns of the true task */
} HnTrialRows;

/* The k-th trial of a table; false if there are no more. */
bool hn_trial_rows_find(const HnTable *t, int64_t k, HnTrialRows *out);
double hn_trial_rows_at(const HnTrialRows *t, int64_t step, int64_t column);
/* Whether an episode begins at the step. */
bool hn_trial_rows_begins(const HnTrialRows *t, int64_t step);
/* The first done cell of an arm that recorded a trial, or NULL. */
const HnResult *hn_trial_rows_cell(const HnResults *r, int64_t arm);
#endif

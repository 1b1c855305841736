/* trial_rows.c - see trial_rows.h. */
#include "trial_rows.h"

bool hn_trial_rows_find(const HnTable *t, int64_t k, HnTrialRows *out) {
  int64_t row = hn_table_find(t, "row"), first = 0, end = 0;
  for (; row >= 0 && first < t->rows; first = end, k--) {
    double which = hn_table_at(t, first, row);
    for (end = first + 1; end < t->rows && hn_table_at(t, end, row) == which;) end++;
    if (k == 0) break;
  }
  if (row < 0 || first >= t->rows) return false;
  *out = (HnTrialRows){.table = t,
                       .first = first,
                       .count = end - first,
                       .begin = hn_table_find(t, "begin"),
                       .obs = hn_table_find(t, "obs_0"),
                       .next_obs = hn_table_find(t, "next_obs_0"),
                       .task = hn_table_find(t, "task_0"),
                       .belief = hn_table_find(t, "belief_0"),
                       .map = hn_table_find(t, "map_0"),
                       .tasks = hn_table_numbered(t, "task", 0)};
  return out->begin >= 0;
}

double hn_trial_rows_at(const HnTrialRows *t, int64_t step, int64_t column) {
  return hn_table_at(t->table, t->first + step, column);
}

bool hn_trial_rows_begins(const HnTrialRows *t, int64_t step) {
  return hn_trial_rows_at(t, step, t->begin) != 0;
}

const HnResult *hn_trial_rows_cell(const HnResults *r, int64_t arm) {
  for (int64_t s = 0; s < r->seeds; s++) {
    const HnResult *c = hn_results_cell(r, arm, s);
    if (c->trial && c->trial->rows > 0) return c;
  }
  return NULL;
}

/* partial.c - see partial.h. */
#include "partial.h"
#include "lock.h"
#include "recorder.h"
#include "run_dir.h"
#include "safetensors.h"
#include <math.h>
#include <string.h>

/* The update of the newest checkpoint, whose metadata the cell's files must fit; -1: nothing
 * vouches for them. */
static int64_t vouched_update(const HnResult *c, GError **error) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(c->dir, NULL);
  if (!all || !all->len) return -1;
  const char *path = all->pdata[all->len - 1];
  HnStoredTensors *t = hn_stored_tensors_open(path, error);
  if (!t) return -1;
  g_autoptr(GHashTable) meta = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  hn_stored_tensors_meta(t, meta);
  hn_stored_tensors_free(t);
  const bool says = g_hash_table_contains(meta, hn_run_file_name(HN_FILE_METRICS));
  return says && hn_recorder_check(c->dir, meta, false, error) ? hn_run_checkpoint_update(path)
                                                               : -1;
}

/* Rows of updates up to `update`, which ascend. */
static int64_t rows_up_to(const HnTable *t, int64_t update) {
  const int64_t column = hn_table_find(t, "update");
  int64_t rows = column < 0 ? 0 : t->rows;
  while (rows > 0 && !(hn_table_at(t, rows - 1, column) <= (double)update)) rows--;
  return rows;
}

HnTable *hn_partial_read(HnResult *c, GError **error) {
  const bool running = g_str_equal(c->status, "running");
  if (!running && !g_str_equal(c->status, "interrupted")) return NULL;
  g_autofree char *lock = hn_run_file(c->dir, HN_FILE_LOCK);
  g_autofree char *metrics = hn_run_file(c->dir, HN_FILE_METRICS);
  HnLockHolder holder = hn_lock_holder(lock);
  hn_lock_holder_clear(&holder);
  if (running && !holder.held) g_free(c->status), c->status = g_strdup("interrupted");
  g_autoptr(GError) why = NULL;
  const int64_t kept = holder.held ? G_MAXINT64 : vouched_update(c, &why);
  if (why) g_propagate_error(error, g_steal_pointer(&why));
  HnTable *t = kept < 0 ? NULL : hn_table_read(metrics, NULL);
  if (t) hn_table_cut(t, rows_up_to(t, kept));
  return t;
}

/* The last update at which the table has the column, or -1. */
static int64_t last_evaluation(const HnTable *t, const char *column) {
  int64_t row = -1;
  const int64_t at = hn_table_find(t, column), update = hn_table_find(t, "update");
  if (at >= 0) hn_table_last(t, at, &row);
  return row >= 0 && update >= 0 ? (int64_t)hn_table_at(t, row, update) : -1;
}

static void count_arm(HnResults *r, int64_t arm, HnTable **so_far) {
  const char *metric = r->report.metric;
  int64_t common = -1;
  for (int64_t s = 0; s < r->seeds; s++) {
    const int64_t last = last_evaluation(so_far[s], metric);
    if (last >= 0) common = common < 0 ? last : MIN(common, last);
  }
  for (int64_t s = 0; s < r->seeds && common >= 0; s++) {
    HnResult *c = hn_results_cell(r, arm, s);
    if (last_evaluation(so_far[s], metric) < 0) continue;
    c->metrics = g_steal_pointer(&so_far[s]), c->counts_at = common;
    hn_table_cut(c->metrics, rows_up_to(c->metrics, common));
  }
}

void hn_partial_count(HnResults *r, GPtrArray *so_far) {
  for (int64_t a = 0; a < r->arm_count; a++)
    if (!hn_results_first_done(r, a)) count_arm(r, a, (HnTable **)so_far->pdata + a * r->seeds);
}

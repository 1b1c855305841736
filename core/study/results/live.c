/* live.c - see live.h. */
#include "live.h"
#include "json.h"
#include "last_row.h"
#include "lengths.h"
#include "lock.h"
#include "run_dir.h"
#include "run_json.h"
#include <glib/gstdio.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
  LOOKS = 4,         /* at a cell that changes hands while it is read */
  PART = 1 << 14,    /* bytes of timing.csv's end that are read */
  RATE_SECONDS = 60, /* of work over which speed is measured, and at least so many updates: */
  RATE_UPDATES = 10,
  QUIET_SECONDS = 60, /* without an update that are worth a word, and so many times an update's: */
  QUIET_TIMES = 10,
};

#define NAME(ID, name, doc) name,
static const char *const names[] = {HN_LIVE_STATES(NAME)};

const char *hn_live_state_name(HnLiveState state) {
  return names[state];
}

bool hn_live_cell_is_running(const HnLiveCell *c) {
  return c->state == HN_LIVE_RUNNING || c->state == HN_LIVE_STOPPED;
}

void hn_live_cell_free(HnLiveCell *c) {
  if (!c) return;
  g_free(c->reason), g_free(c->host), g_free(c->written);
  g_free(c);
}

/* ---- tables that grow ---- */

/* How far metrics.csv is. */
static void take_metrics(HnLiveCell *c, const char *folder, const char *metric, int64_t every) {
  const HnLastRow last = hn_last_row(folder, metric, every);
  c->update = last.update, c->frames = last.frames;
  c->metric = last.metric, c->metric_update = last.metric_update;
}

/* All but update and frames are seconds. */
static double seconds_at(const HnTable *t, int64_t row) {
  double sum = 0;
  for (int64_t i = 2; i < t->width; i++) {
    const double x = hn_table_at(t, row, i);
    if (isfinite(x)) sum += x;
  }
  return sum;
}

/* Steps a second over the last updates; an evaluation belongs to all updates since the one before.
 * Returns the seconds of an update, 0 where there has been none. */
static double take_rate(HnLiveCell *c, const char *folder, int64_t every) {
  g_autofree char *path = hn_run_file(folder, HN_FILE_TIMING);
  HnTable *t = hn_table_read_tail(path, PART, NULL);
  double seconds = 0;
  int64_t row = t ? t->rows : 0;
  while (row > 1 && (seconds < RATE_SECONDS || t->rows - row < MAX(every, RATE_UPDATES)))
    seconds += seconds_at(t, --row);
  if (t && row == 1 && hn_last_row_whole(t, 0, "update") == 1) seconds += seconds_at(t, --row);
  const int64_t before = row > 0 ? hn_last_row_whole(t, row - 1, "frames") : 0;
  const int64_t after = t ? hn_last_row_whole(t, t->rows - 1, "frames") : -1;
  const int64_t updates = t ? t->rows - row : 0;
  if (before >= 0 && after > before && seconds > 0) c->rate = (double)(after - before) / seconds;
  hn_table_free(t);
  return updates > 0 ? seconds / (double)updates : 0;
}

/* Time since the tables grew; usual: seconds of an update. */
static void judge_quiet(HnLiveCell *c, const char *folder, double usual) {
  g_autofree char *path = hn_run_file(folder, HN_FILE_METRICS);
  const double most = MAX(QUIET_TIMES * usual, QUIET_SECONDS);
  GStatBuf file;
  const double since =
      g_stat(path, &file) == 0 ? (double)(g_get_real_time() / G_USEC_PER_SEC - file.st_mtime) : 0;
  c->quiet = since > most ? since : 0;
}

/* ---- what a cell is doing ---- */

/* Whether a process of this machine is stopped: its state in /proc/PID/stat, after its name. */
static bool is_stopped(int64_t pid) {
  g_autofree char *path = g_strdup_printf("/proc/%" PRId64 "/stat", pid), *text = NULL;
  if (!g_file_get_contents(path, &text, NULL, NULL)) return false;
  const char *name_end = strrchr(text, ')');
  return name_end && name_end[1] == ' ' && (name_end[2] == 'T' || name_end[2] == 't');
}

/* Why a cell that says it is running is not: its process was killed, and its scheduler with it. */
static char *reason_of_death(const char *folder) {
  g_autoptr(GPtrArray) checkpoints = hn_run_checkpoints(folder, NULL);
  if (!checkpoints || !checkpoints->len)
    return g_strdup("its process ended without a word, before its first checkpoint");
  return g_strdup_printf("its process ended without a word; it goes on from update %" PRId64,
                         hn_run_checkpoint_update(checkpoints->pdata[checkpoints->len - 1]));
}

/* State and reason by what run.json says and who holds the lock. */
static void judge_state(HnLiveCell *c, const char *folder, JsonObject *facts,
                        const HnLockHolder *holder) {
  const char *status = hn_json_string(facts, "status", NULL);
  const bool done = g_strcmp0(status, "done") == 0;
  const char *said = hn_json_string(facts, "reason", NULL);
  c->reason = said ? hn_diag_printable(said) : NULL; /* it may quote anything */
  if (done) {
    c->state = HN_LIVE_DONE;
  } else if (holder->held) {
    c->state = holder->here && is_stopped(holder->pid) ? HN_LIVE_STOPPED : HN_LIVE_RUNNING;
    g_clear_pointer(&c->reason, g_free); /* of a former part */
  } else if (g_strcmp0(status, "failed") == 0) {
    c->state = HN_LIVE_FAILED;
  } else {
    c->state = HN_LIVE_INTERRUPTED;
    if (!c->reason) c->reason = reason_of_death(folder);
  }
  if (!done && holder->held) c->pid = holder->pid, c->host = g_strdup(holder->host);
  if (!c->host) c->host = g_strdup(hn_json_string(facts, "host", NULL));
}

/* A whole number of a block of the configuration, or `otherwise`. */
static int64_t configured(const HnNode *config, const char *block, const char *key,
                          int64_t otherwise) {
  const HnNode *n = config ? hn_node_get(hn_node_get(config, block), key) : NULL;
  int64_t x;
  return n && !hn_params_int(n, &x) ? x : otherwise;
}

/* How far a cell is that is not done. */
static void take_progress(HnLiveCell *c, const char *folder, const HnNode *config,
                          const char *metric) {
  const int64_t every = configured(config, "evaluation", "every", 0);
  take_metrics(c, folder, metric, every);
  c->frames_total = configured(config, "run", "frames", -1);
  if (c->update > 0 && c->frames > 0 && c->frames_total >= 0) {
    const double each = (double)c->frames / (double)c->update;
    c->updates = (int64_t)ceil((double)c->frames_total / each);
  }
  if (!hn_live_cell_is_running(c)) return;
  judge_quiet(c, folder, take_rate(c, folder, every));
  if (c->rate > 0 && c->frames_total >= 0)
    c->left = (double)MAX(c->frames_total - c->frames, 0) / c->rate;
}

static void take_end(HnLiveCell *c, const char *folder, JsonObject *facts, const char *metric) {
  take_metrics(c, folder, metric, 0);
  c->update = c->updates = hn_json_int(facts, "update", c->update);
  c->frames = c->frames_total = hn_json_int(facts, "frames", c->frames);
}

static void mark_damaged(HnLiveCell *c, const char *why) {
  g_free(c->reason);
  c->state = HN_LIVE_DAMAGED, c->reason = hn_diag_first_line(why);
}

static int64_t changed_at(const char *path) {
  GStatBuf file;
  return g_stat(path, &file) == 0 ? file.st_mtim.tv_sec * (int64_t)1000000000 + file.st_mtim.tv_nsec
                                  : 0;
}

static void read_files(HnLiveCell *c, const char *folder, const char *metric,
                       const HnLockHolder *holder) {
  g_autofree char *run = hn_run_file(folder, HN_FILE_JSON);
  g_autofree char *path = hn_run_file(folder, HN_FILE_CONFIG);
  g_autoptr(GError) why = NULL;
  c->changed = changed_at(run); /* before it is read: what comes later is seen the next time */
  g_autoptr(JsonObject) facts =
      g_file_test(run, G_FILE_TEST_EXISTS) ? hn_run_facts(folder, &why) : NULL;
  const bool begun = facts || g_file_test(path, G_FILE_TEST_EXISTS);
  if (why) {
    mark_damaged(c, why->message);
    return;
  }
  if (!begun && !holder->held) return;
  judge_state(c, folder, facts, holder);
  c->written = g_strdup(hn_json_string(facts, "written", NULL));
  if (c->state == HN_LIVE_DONE) {
    if (hn_run_files_intact(folder, facts, false, &why))
      take_end(c, folder, facts, metric);
    else
      mark_damaged(c, why->message);
    return;
  }
  g_autoptr(HnNode) config =
      g_file_test(path, G_FILE_TEST_EXISTS) ? hn_run_config(folder, &why) : NULL;
  take_progress(c, folder, config, metric);
  if (why) mark_damaged(c, why->message);
}

static HnLiveCell *look(const char *folder, const char *metric, const HnLockHolder *holder) {
  HnLiveCell *c = g_new0(HnLiveCell, 1);
  c->state = HN_LIVE_WAITING;
  c->updates = c->frames_total = c->metric_update = -1;
  c->rate = c->left = c->metric = (double)NAN;
  read_files(c, folder, metric, holder);
  return c;
}

HnLiveCell *hn_live_cell_read(const char *folder, const char *arm, int64_t seed_index,
                              const char *metric) {
  g_autofree char *lock = hn_run_file(folder, HN_FILE_LOCK);
  HnLiveCell *c = NULL;
  bool same = false;
  HnLockHolder before = hn_lock_holder(lock);
  for (int i = 0; i < LOOKS && !same; i++) {
    hn_live_cell_free(c);
    c = look(folder, metric, &before);
    HnLockHolder after = hn_lock_holder(lock);
    same = before.held == after.held && before.pid == after.pid;
    hn_lock_holder_clear(&before);
    before = after;
  }
  hn_lock_holder_clear(&before);
  c->arm = g_intern_string(arm), c->seed_index = seed_index;
  return c;
}

/* ---- the study ---- */

/* The cells of an arm are equally long, so one that has begun tells it of those that have not. */
static void spread_lengths(GPtrArray *cells, guint first, int64_t seeds) {
  int64_t updates = -1, frames = -1;
  for (int64_t s = 0; s < seeds; s++) {
    const HnLiveCell *c = cells->pdata[first + s];
    updates = MAX(updates, c->updates), frames = MAX(frames, c->frames_total);
  }
  for (int64_t s = 0; s < seeds; s++) {
    HnLiveCell *c = cells->pdata[first + s];
    if (c->updates < 0) c->updates = updates;
    if (c->frames_total < 0) c->frames_total = frames;
  }
}

/* A run whose run.frames rose prolongs the cells one after the other, or some of them alone: those
 * that ended where it was lower go on, too.  asked: of the arm, -1: not known. */
static void reopen_shorter(GPtrArray *cells, guint first, int64_t seeds, int64_t asked) {
  int64_t most = -1;
  for (int64_t s = 0; s < seeds; s++) {
    const HnLiveCell *c = cells->pdata[first + s];
    most = MAX(most, c->frames_total);
  }
  const bool others = most >= asked;
  for (int64_t s = 0; s < seeds; s++) {
    HnLiveCell *c = cells->pdata[first + s];
    const bool lacks = c->frames > 0 && c->frames < asked; /* not what only evaluates */
    if (c->state != HN_LIVE_DONE || (c->frames >= most && !lacks)) continue;
    c->state = HN_LIVE_INTERRUPTED, c->updates = -1, c->frames_total = others ? -1 : asked;
    g_free(c->reason);
    c->reason = g_strdup_printf(
        "it ended at frame %" PRId64 ", where %s to %" PRId64 "; it goes on when it is run again",
        c->frames, others ? "others of its arm go on" : "the study goes on", MAX(most, asked));
  }
}

/* Cells of unknown length count as those of known length do on average. */
static double time_left(const GPtrArray *cells) {
  double rate = 0, missing = 0, unknown = 0, known = 0, lengths = 0;
  for (guint i = 0; i < cells->len; i++) {
    const HnLiveCell *c = cells->pdata[i];
    if (c->rate > 0) rate += c->rate;
    if (c->frames_total >= 0) lengths += (double)c->frames_total, known += 1;
    if (c->state == HN_LIVE_DONE || c->state == HN_LIVE_FAILED || c->state == HN_LIVE_DAMAGED)
      continue;
    if (c->frames_total >= 0)
      missing += (double)MAX(c->frames_total - c->frames, 0);
    else
      unknown += 1;
  }
  if (known > 0) missing += unknown * lengths / known;
  return rate > 0 && known > 0 ? missing / rate : (double)NAN;
}

/* A done cell whose run.json is the one that was read. */
static bool is_unchanged(const HnLiveCell *c, const char *folder) {
  g_autofree char *run = hn_run_file(folder, HN_FILE_JSON);
  return c && c->state == HN_LIVE_DONE && c->changed == changed_at(run);
}

void hn_live_refresh(HnLive *live) {
  const HnResults *plan = live->plan;
  for (guint i = 0; i < live->cells->len; i++) {
    const char *arm = plan->arms[i / plan->seeds];
    const int64_t seed = i % plan->seeds;
    HnLiveCell *c = live->cells->pdata[i];
    g_autofree char *folder = hn_run_dir(plan->dir, arm, seed);
    if (!is_unchanged(c, folder)) {
      live->cells->pdata[i] = hn_live_cell_read(folder, arm, seed, plan->report.metric);
      hn_live_cell_free(c);
    }
  }
  for (int64_t a = 0; a < plan->arm_count; a++) {
    reopen_shorter(live->cells, (guint)(a * plan->seeds), plan->seeds, live->asked[a]);
    spread_lengths(live->cells, (guint)(a * plan->seeds), plan->seeds);
  }
  memset(live->count, 0, sizeof live->count);
  for (guint i = 0; i < live->cells->len; i++)
    live->count[((const HnLiveCell *)live->cells->pdata[i])->state]++;
  live->left = time_left(live->cells);
}

HnLive *hn_live_read(const char *dir, GError **error) {
  HnResults *plan = hn_results_read_plan(dir, error);
  if (!plan) return NULL;
  HnLive *live = g_new0(HnLive, 1);
  live->plan = plan, live->asked = hn_lengths_asked(plan);
  live->cells = g_ptr_array_new_with_free_func((GDestroyNotify)hn_live_cell_free);
  g_ptr_array_set_size(live->cells, (int)(plan->arm_count * plan->seeds));
  hn_live_refresh(live);
  return live;
}

void hn_live_free(HnLive *live) {
  if (!live) return;
  g_ptr_array_unref(live->cells);
  hn_results_free(live->plan);
  g_free(live->asked), g_free(live);
}

bool hn_live_goes_on(const HnLive *live) {
  return live->count[HN_LIVE_DONE] + live->count[HN_LIVE_FAILED] < (int64_t)live->cells->len;
}

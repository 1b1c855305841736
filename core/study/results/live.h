/* live.h - a study as it is at this moment: what every cell is doing, how far it is, and who runs
 * it.  Reads files and locks alone, so it needs no plugin, works on a folder that other machines
 * write to, and disturbs nobody. */
#ifndef HN_LIVE_H
#define HN_LIVE_H
#include "results.h"

/* X(ID, name, what it says) */
#define HN_LIVE_STATES(X)                                                             \
  X(WAITING, "waiting", "it has not begun")                                           \
  X(RUNNING, "running", "a process has it")                                           \
  X(STOPPED, "stopped", "a process has it, which a signal holds")                     \
  X(INTERRUPTED, "interrupted", "no process has it; it goes on when it is run again") \
  X(FAILED, "failed", "it ended before its time, with a reason")                      \
  X(DAMAGED, "damaged", "its run.json or its configuration cannot be read")           \
  X(DONE, "done", "nothing is left to do")
#define HN_LIVE_ENUM(ID, name, doc) HN_LIVE_##ID,
typedef enum HnLiveState { HN_LIVE_STATES(HN_LIVE_ENUM) HN_LIVE_STATE_COUNT } HnLiveState;
const char *hn_live_state_name(HnLiveState state);

typedef struct HnLiveCell {
  const char *arm;
  int64_t seed_index;
  HnLiveState state;
  char *reason;                 /* of what is not as it should be; else NULL */
  int64_t update, updates;      /* finished; of the whole run, -1: not known yet */
  int64_t frames, frames_total; /* the same in environment steps */
  double rate;                  /* steps a second, over the last updates; NaN: not running */
  double left;                  /* seconds to its end at that rate; NaN: not known */
  double quiet;                 /* seconds without a new update, where that is unusual; else 0 */
  double metric;                /* the last value of report.metric, NaN: none */
  int64_t metric_update;        /* where it was measured; -1: nowhere yet */
  char *host;                   /* where it runs or ran, or NULL */
  int64_t pid;                  /* of the process that has it, on that host; 0: none, or not told */
  char *written;                /* when its run.json was, ISO 8601 in UTC, or NULL */
  int64_t changed; /* when that file was, nanoseconds of its system; 0: there is none */
} HnLiveCell;

/* One cell, from its folder; metric: a column of metrics.csv.  Not for a process that holds the
 * cell's lock.  Free with hn_live_cell_free. */
HnLiveCell *hn_live_cell_read(const char *folder, const char *arm, int64_t seed_index,
                              const char *metric);
void hn_live_cell_free(HnLiveCell *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnLiveCell, hn_live_cell_free)
/* Whether a process has it. */
bool hn_live_cell_is_running(const HnLiveCell *c);

typedef struct HnLive {
  HnResults *plan;  /* without cells */
  int64_t *asked;   /* of each arm, hn_lengths_asked */
  GPtrArray *cells; /* HnLiveCell *, arm-major */
  int64_t count[HN_LIVE_STATE_COUNT];
  double left; /* seconds until all cells are done, as fast as those that run; NaN: not known */
} HnLive;

/* NULL as hn_results_read_plan. */
HnLive *hn_live_read(const char *dir, GError **error);
/* Looks again, of the cells that are done only at those whose run.json has changed: for who watches
 * many of them. */
void hn_live_refresh(HnLive *live);
void hn_live_free(HnLive *live);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(HnLive, hn_live_free)
/* Whether any cell is still to be run: not done, and not failed. */
bool hn_live_goes_on(const HnLive *live);
#endif

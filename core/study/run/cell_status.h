/* cell_status.h - what a cell's folder says about whether the cell must run. */
#ifndef HN_STATE_H
#define HN_STATE_H
#include "study.h"

typedef enum HnCellWork {
  HN_CELL_RUN,     /* from the start: new, or nothing to go on from */
  HN_CELL_RESUME,  /* from its last checkpoint */
  HN_CELL_DONE,    /* nothing to do */
  HN_CELL_DIFFERS, /* the folder holds something else, which must not be lost */
} HnCellWork;

typedef struct HnCellState {
  HnCellWork work;
  int64_t update; /* of the last checkpoint, or -1 */
  char *reason;   /* "new", "done", "has a checkpoint at update 40", .. */
} HnCellState;

/* Judges the cell's folder by config.resolved.yaml, run.json and ckpt/; reads only.  What no result
 * depends on (hn_run_resources) may differ. */
HnCellState hn_cell_state(const char *folder, const HnCell *cell);
void hn_cell_state_clear(HnCellState *state);
/* "run", "resume", "done", "differs". */
const char *hn_cell_work_name(HnCellWork work);
#endif

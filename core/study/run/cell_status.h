/* cell_status.h - whether a cell must run, judged by its folder. */
#ifndef HN_CELL_STATUS_H
#define HN_CELL_STATUS_H
#include "study.h"

typedef enum HnCellWork {
  HN_CELL_RUN,     /* from the start: new, or nothing to go on from */
  HN_CELL_RESUME,  /* from its last checkpoint */
  HN_CELL_DONE,    /* nothing to do */
  HN_CELL_REBUILT, /* the folder holds this cell's run, but by other builds of its plugins, or from
                      weights that such a run made */
  HN_CELL_DIFFERS, /* the folder holds something else, which must not be lost */
} HnCellWork;

typedef struct HnCellStatus {
  HnCellWork work;
  int64_t update; /* of the last checkpoint, or -1 */
  char *identity; /* of the cell: hn_cell_identity */
  char *reason;   /* "new", "done", "has a checkpoint at update 40", .. */
} HnCellStatus;

/* Judges the cell's folder by config.resolved.yaml, run.json and ckpt/; reads only.  Keys that
 * change no result (HN_KEY_FREE) may differ, and a run that is done or on its way is resumed where
 * run.frames has risen, unless its learning depends on that. */
HnCellStatus hn_cell_status(const char *folder, const HnCell *cell);
void hn_cell_status_clear(HnCellStatus *status);
/* "run", "resume", "done", "rebuilt", "differs". */
const char *hn_cell_work_name(HnCellWork work);
#endif

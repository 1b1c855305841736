/* partial.h - cells that are on their way, as far as results can be told of them. */
#ifndef HN_PARTIAL_H
#define HN_PARTIAL_H
#include "results.h"

/* Of a cell whose run.json says that it is running or was interrupted: the rows of metrics.csv that
 * stay, those of the newest checkpoint's updates where no process has the cell, else all.  NULL:
 * there are none.  Also corrects the status of one that says it is running although no process has
 * it to "interrupted".  HN_ERROR_FILE where its files are not as that checkpoint says. */
HnTable *hn_partial_read(HnResult *c, GError **error);

/* Lets the cells of arms of which none is done count, at the last update at which all of them that
 * were evaluated were: sets their `metrics`, up to there, and `counts_at`.
 *   so_far  HnTable * of each cell, or NULL: of hn_partial_read; those that count are taken over */
void hn_partial_count(HnResults *r, GPtrArray *so_far);
#endif

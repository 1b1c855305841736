/* render_live.h - a study as it is at this moment, for people and for programs.  All texts are
 * freed with g_free. */
#ifndef HN_RENDER_LIVE_H
#define HN_RENDER_LIVE_H
#include "live.h"

/* A line on the whole, a table of its cells, and a line for each cell of which something is to be
 * said.  rows: where the table would be longer, it leaves out cells that are done or waiting, and
 * says how many; 0: any length. */
char *hn_render_live(const HnLive *live, int rows);
/* "belief: 3 of 12 cells done, 2 running, 7 waiting; 3m12s left". */
char *hn_render_live_heading(const HnLive *live);
/* "update 35 of 80 by process 12 on HOST". */
char *hn_render_live_work(const HnLiveCell *c);
/* "belief/0: running, update 35 of 80 by process 12 on HOST, 1.23k frames/s, 2m10s left,
 * eval.return 0.431 at update 30", with what is to be said of it behind.
 * metric: the column that its metric is of. */
char *hn_render_live_line(const HnLiveCell *c, const char *metric);
/* Everything; what is not known is null. */
char *hn_render_live_json(const HnLive *live);
/* What that says of a cell, as members of the open object. */
void hn_render_live_members(JsonBuilder *b, const HnLiveCell *c);
#endif

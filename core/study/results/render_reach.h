/* render_reach.h - frames to reach a value as a table for people. */
#ifndef HN_RENDER_REACH_H
#define HN_RENDER_REACH_H
#include "reach.h"
#include "render_text.h"

/* The heading of the comparison, a table of frames, one of means over frames, and how both
 * are to be read.  Free with g_free. */
char *hn_render_reach(const HnComparison *c, const HnReach *r, HnSheetStyle style);
#endif

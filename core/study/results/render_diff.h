/* render_diff.h - what differs between two results, for people and for programs.  `a` and `b` are
 * what they are called, as on the command line; free the texts with g_free. */
#ifndef HN_RENDER_DIFF_H
#define HN_RENDER_DIFF_H
#include "diff.h"

/* A line for each cell, and everything of the first whose results differ; if none do, of the first
 * of which a cause does (diff.h). */
char *hn_render_diff_text(const HnDiff *d, const char *a, const char *b);
/* Everything of every cell, as JSON. */
char *hn_render_diff_json(const HnDiff *d, const char *a, const char *b);
#endif

/* stand_in.h - the smallest plugins that a plugin under check can run with.
 *
 * Environment: a point in the plane that drifts in a hidden direction; three observed numbers, two
 * continuous or four discrete actions, episodes of six steps that may end early.  Inference: a
 * running mean of what was observed, and draws about it.  Policy: random actions; it trains the
 * inference, where it can, towards small beliefs. */
#ifndef HN_STAND_IN_H
#define HN_STAND_IN_H
#include "cell.h"

/* A short run of `plugin` with stand-ins for the two kinds that it is not: windows of nine steps,
 * so that they begin within trials. discrete  of the stand-in environment's actions */
HnCell hn_stand_in_cell(HnPluginChoice plugin, bool discrete);
/* The same as a configuration, under the names by which the stand-ins are known to hn_cell_read
 * from here on.  hn_node_free */
HnNode *hn_stand_in_node(bool discrete);
/* What hn_stand_in_cell made; not the plugin's own parameters. */
void hn_stand_in_clear(HnCell *cell, HnKind kind);
#endif

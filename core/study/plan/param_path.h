/* param_path.h - parameters by their path in a configuration: "policy.lr", "env.inner.size". */
#ifndef HN_PARAM_PATH_H
#define HN_PARAM_PATH_H
#include "cell.h"

/* The row of the table that has the parameter, by the host or by the plugin that `blocks` (a map of
 * a cell's blocks, or NULL) names there; NULL where there is none, or no such plugin. */
const HnParam *hn_param_at(const HnNode *blocks, const char *path);
/* The block of a cell, "env.inner" inside of wrappers, that has a parameter of that name, by the
 * tables of the host and of the plugins that `blocks` names; interned, or NULL. */
const char *hn_param_block(const HnNode *blocks, const char *name);
#endif

/* gather_plugins.h - the plugins that a study's cells ran, and the files that their parameters
 * name.
 */
#ifndef HN_GATHER_PLUGINS_H
#define HN_GATHER_PLUGINS_H
#include "gather.h"
#include "portable.h"

/* Adds them to the package and their places to p.  HN_ERROR_REFUSED: a file is no longer the one
 * that ran, two cells ran other builds, or a plugin from elsewhere than hunch's own folder is not
 * passed by `hunch check`, for none of which there is an excuse but `unchecked`. */
bool hn_gather_plugins(HnGathered *g, HnPortable *p, bool unchecked, GError **error);
#endif

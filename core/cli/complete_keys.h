/* complete_keys.h - candidates for BLOCK.KEY=VALUE, by the host's tables and those of the plugins
 * that a study names. */
#ifndef HN_COMPLETE_KEYS_H
#define HN_COMPLETE_KEYS_H
#include "registry.h"
#include "yaml_tree.h"

/* The study that a file is, or that a folder holds the results of; NULL: none that can be read.
 * hn_node_free. */
HnNode *hn_complete_study(const char *path);
/* The arms that it writes out. */
void hn_complete_arms(GString *out, const char *prefix, const HnNode *study);
/* Names of plugins; of this kind, or 0: of any. */
void hn_complete_plugins(GString *out, const char *prefix, HnKind kind);
/* "run." first, then "run.frames=", then what may follow; "arms.fixed." before these.  study may be
 * NULL. */
void hn_complete_override(GString *out, const char *prefix, const HnNode *study);
/* "size=" of the plugin that is called so, a name or a path. */
void hn_complete_parameter(GString *out, const char *prefix, const char *plugin);
#endif

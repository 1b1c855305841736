/* plugins.h - finds, opens and checks plugins.  The only file that knows libltdl is plugins.c.
 *
 * Looked for in $HUNCH_PLUGIN_PATH (colon-separated), the build tree's plugin folders and the
 * install folder, in that order, never in the current directory.  Not thread-safe: load everything
 * before workers start.  Plugins stay resident. */
#ifndef HN_PLUGINS_H
#define HN_PLUGINS_H
#include <glib.h>
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

#define HN_PLUGIN_ERROR (g_quark_from_static_string("hn-plugin"))
enum { HN_PLUGIN_MISSING, HN_PLUGIN_UNLOADABLE, HN_PLUGIN_INVALID, HN_PLUGIN_KIND };

/* Makes a statically linked plugin known under its name (tests, embedding). */
gboolean hn_plugins_add(const HnPlugin *plugin, GError **error);
/* Loads `name` (a bare name, or a path that has a slash and ends in .so).  The error says the true
 * reason: a missing dependency, an undefined symbol, another ABI, not a plugin, the wrong kind (0:
 * any), or, for a name nowhere found, where was looked and the nearest name there. */
const HnPlugin *hn_plugins_load(const char *name, HnKind kind, GError **error);
/* Names of all plugin files found on the path, sorted, each once; NULL-terminated, g_strfreev. */
char **hn_plugins_list(void);
/* The folders that are searched; NULL-terminated, g_strfreev. */
char **hn_plugins_folders(void);
/* The file a plugin came from, or NULL if it is statically linked; and its SHA-256 in hex. */
const char *hn_plugins_file(const HnPlugin *plugin);
const char *hn_plugins_sha256(const HnPlugin *plugin);
/* "env", "inference" or "policy". */
const char *hn_kind_name(HnKind kind);
#endif

/* registry.h - finds, opens and checks plugins.  The only file that knows libltdl is plugins.c.
 *
 * Looked for in $HUNCH_PLUGIN_PATH (colon-separated full paths), then in the plugin folder of the
 * build tree if the program itself lives there, else in the install folder, which is found from
 * where the program is; the first of a name wins.  Never in the current directory.  A file is read
 * before it is loaded, so that what is no plugin of this ABI runs no code of its own.  Not
 * thread-safe: load everything before workers start.  Plugins stay resident. */
#ifndef HN_PLUGINS_H
#define HN_PLUGINS_H
#include <glib.h>
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

#define HN_PLUGIN_ERROR (g_quark_from_static_string("hn-plugin"))
enum { HN_PLUGIN_MISSING, HN_PLUGIN_UNLOADABLE, HN_PLUGIN_INVALID, HN_PLUGIN_KIND };

/* Makes a statically linked plugin known under its name (tests, embedding); it goes before files of
 * that name.  The descriptor is checked like that of a file. */
bool hn_plugins_add(const HnPlugin *plugin, GError **error);
/* Loads `name` (a bare name, or a path that has a slash and ends in .so).  The error says the true
 * reason: a missing dependency, an undefined symbol, another ABI, not a plugin, the wrong kind (0:
 * any), or, for a name nowhere found, where was looked and the nearest name there. */
const HnPlugin *hn_plugins_load(const char *name, HnKind kind, GError **error);
/* Names of all plugin files found on the path and of those added, sorted, each once;
 * NULL-terminated, g_strfreev. */
char **hn_plugins_list(void);

/* One name of the list: loaded, or the reason why not. */
typedef struct HnFound {
  char *name;
  const HnPlugin *plugin; /* NULL: rejected */
  char *reason;           /* why, beginning with the file; else NULL */
} HnFound;
/* Loads all of the list.  HnFound *, by name; g_ptr_array_unref frees it. */
GPtrArray *hn_plugins_scan(void);

/* The folders that are searched, whether or not they exist; NULL-terminated, g_strfreev. */
char **hn_plugins_folders(void);
/* A message for each entry of $HUNCH_PLUGIN_PATH that is ignored because it is not a full path;
 * NULL-terminated, g_strfreev. */
char **hn_plugins_ignored(void);

/* The file a plugin came from, or NULL if it is statically linked; and the SHA-256 in hex of that
 * file, or of the program that holds the plugin.  Of loaded or added plugins only. */
const char *hn_plugins_file(const HnPlugin *plugin);
const char *hn_plugins_sha256(const HnPlugin *plugin);
/* "env", "inference" or "policy". */
const char *hn_kind_name(HnKind kind);
#endif

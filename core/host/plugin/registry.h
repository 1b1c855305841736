/* registry.h - finds, opens and checks plugins.  Only registry.c knows libltdl.
 *
 * Plugins are searched for in $HUNCH_PLUGIN_PATH (colon-separated full paths), then in the build
 * tree's plugin folder if the program is in that tree, else in the install folder relative to the
 * program; never in the current directory.  The first of a name wins.  A file is read before it is
 * loaded, so that no code of a file runs that is not a plugin of this ABI; and one from elsewhere
 * than the program's own folder is loaded in a fork first, so that a constructor that crashes,
 * exits or loops is a reason and no end.  Not thread-safe: load everything before workers start.
 * Plugins stay loaded. */
#ifndef HN_REGISTRY_H
#define HN_REGISTRY_H
#include <glib.h>
#include <hunch/env.h>
#include <hunch/inference.h>
#include <hunch/policy.h>

/* Registers a statically linked plugin (tests, embedding), which takes precedence over files of its
 * name.  Its descriptor is checked like that of a file. */
bool hn_plugins_add(const HnPlugin *plugin, GError **error);
/* Loads `name`, a bare name or a path with a slash that ends in .so.  kind 0: any.  The error gives
 * the reason: a missing dependency, an undefined symbol, another ABI, not a plugin, the wrong kind,
 * or, if no such name is found, the folders that were searched and the nearest name. */
const HnPlugin *hn_plugins_load(const char *name, HnKind kind, GError **error);
/* Names of all plugins on the path and of those added, sorted, each once; NULL-terminated,
 * g_strfreev. */
char **hn_plugins_list(void);

/* A plugin of the list: loaded, or the reason why it could not be. */
typedef struct HnFound {
  char *name;
  const HnPlugin *plugin; /* NULL: rejected */
  char *reason;           /* why, beginning with the file; else NULL */
  char *hiding;           /* as of hn_plugins_hiding() */
} HnFound;
/* Loads all of the list; HnFound *, by name; free with g_ptr_array_unref. */
GPtrArray *hn_plugins_scan(void);

/* "FILE hides FILE" if two folders have a plugin of that name, else NULL; g_free. */
char *hn_plugins_hiding(const char *name);

/* The folders that are searched, whether or not they exist; NULL-terminated, g_strfreev. */
char **hn_plugins_folders(void);
/* A message for each entry of $HUNCH_PLUGIN_PATH that is ignored because it is no folder's full
 * path; NULL-terminated, g_strfreev. */
char **hn_plugins_ignored(void);

/* Of a loaded or added plugin: its file, or NULL if it is statically linked; the SHA-256 in hex of
 * that file, or of the program that holds it. */
const char *hn_plugins_file(const HnPlugin *plugin);
const char *hn_plugins_sha256(const HnPlugin *plugin);
/* "env", "inference" or "policy". */
const char *hn_kind_name(HnKind kind);
#endif

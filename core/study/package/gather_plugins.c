/* gather_plugins.c - see gather_plugins.h. */
#include "gather_plugins.h"
#include "checked.h"
#include "error.h"
#include "json.h"
#include "registry.h"
#include "sha256.h"
#include "zip.h"
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>

typedef struct Plugins {
  HnGathered *g;
  HnPortable *p;
  bool unchecked;
  GHashTable *known; /* name of a file of the package -> its SHA-256 */
} Plugins;

/* Whether a file lies in the folder that came with this program. */
static bool is_own(const char *file) {
  g_auto(GStrv) folders = hn_plugins_folders();
  const guint n = g_strv_length(folders);
  g_autofree char *folder = g_path_get_dirname(file);
  return n > 0 && strcmp(folder, folders[n - 1]) == 0;
}

/* Whether `hunch check` has passed this very file, as its run or a record says.  Judging it anew
 * may take minutes, where it makes models of a simulator for every law. */
static bool has_passed(JsonObject *plugin, const char *file, const char *sha256) {
  HnCheckRecord record;
  if (hn_json_int(hn_json_object(plugin, "checked"), "laws", 0) > 0) return true;
  if (!hn_checked_find_file(file, sha256, &record)) return false;
  hn_checked_clear(&record);
  return true;
}

/* In the child, before exec: it ends with who asked. */
static void end_with_parent(gpointer arg) {
  (void)arg;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* Whether `hunch check` finds no broken law, which may take minutes. */
static bool passes_check(const char *file) {
  const char *argv[] = {"/proc/self/exe", "check", file, NULL};
  int status = -1;
  const GSpawnFlags quiet = G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL;
  g_printerr("judging %s, of which no passed check is on record\n", file);
  return g_spawn_sync(NULL, (char **)(guintptr)argv, NULL, quiet, end_with_parent, NULL, NULL, NULL,
                      &status, NULL) &&
         g_spawn_check_wait_status(status, NULL);
}

/* Refuses, or notes what is wrong where that is allowed. */
G_GNUC_PRINTF(3, 4)
static bool unless_allowed(const Plugins *x, GError **error, const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_autofree char *why = g_strdup_vprintf(format, list);
  va_end(list);
  if (!x->unchecked)
    return hn_error_set(error, HN_ERROR_REFUSED,
                        "%s; or say --unchecked, which the package will say too", why);
  g_ptr_array_add(x->g->notes, g_strdup_printf("%s.", why));
  return true;
}

/* A plugin's file, the first time that it is met. */
static bool add_plugin_file(const Plugins *x, JsonObject *plugin, const char *file,
                            const char *sha256, const char *name, GError **error) {
  const char *plain = hn_json_string(plugin, "name", "");
  g_autofree char *is = hn_sha256_file(file);
  if (g_strcmp0(is, sha256) != 0)
    return unless_allowed(x, error, "Plugin %s is not packed: its file %s the run", plain,
                          is ? "has changed since" : "is gone since");
  if (!is_own(file) && !has_passed(plugin, file, sha256) && (x->unchecked || !passes_check(file)) &&
      !unless_allowed(x, error, "Plugin %s has not passed `hunch check`", plain))
    return false;
  hn_zip_add_file(x->g->sources, name, file);
  return true;
}

static bool add_param_files(const Plugins *x, JsonObject *files, GError **error) {
  GList *members = files ? json_object_get_members(files) : NULL;
  bool ok = true;
  for (GList *m = members; m && ok; m = m->next) {
    JsonObject *one = hn_json_object(files, m->data);
    const char *path = hn_json_string(one, "path", NULL),
               *sha = hn_json_string(one, "sha256", NULL);
    if (!path || !*path || !sha) continue;
    g_autofree char *base = g_path_get_basename(path), *is = hn_sha256_file(path);
    g_autofree char *name = g_build_filename(HN_PACKAGE_FILES, sha, base, NULL);
    if (g_strcmp0(is, sha) != 0)
      ok = hn_error_set(error, HN_ERROR_REFUSED, "%s has changed since the run", path);
    else if (g_hash_table_insert(x->known, g_strdup(name), g_strdup(sha)))
      hn_zip_add_file(x->g->sources, name, path);
    hn_portable_add(x->p, path, name);
  }
  g_list_free(members);
  return ok;
}

static bool add_plugin(const Plugins *x, JsonObject *plugin, GError **error) {
  const char *plain = hn_json_string(plugin, "name", ""),
             *file = hn_json_string(plugin, "file", NULL);
  const char *sha256 = hn_json_string(plugin, "sha256", "");
  g_autofree char *name = g_strdup_printf(HN_PACKAGE_PLUGINS "/%s.so", plain);
  const char *before = g_hash_table_lookup(x->known, name);
  if (!add_param_files(x, hn_json_object(plugin, "files"), error)) return false;
  if (!file) return true; /* linked into the program */
  hn_portable_add(x->p, file, name);
  if (before)
    return strcmp(before, sha256) == 0 ||
           hn_error_set(error, HN_ERROR_REFUSED,
                        "cells of this study ran two builds of plugin %s: run them again with "
                        "--rebuild-ok",
                        plain);
  g_hash_table_insert(x->known, g_strdup(name), g_strdup(sha256));
  return add_plugin_file(x, plugin, file, sha256, name, error);
}

/* The name by which programs ask for a library, libhunch-kit.so.1 for libhunch-kit.so.1.0.0: the
 * shortest with a version that is there; g_free. */
static char *soname_of(const char *folder, const char *library) {
  g_autofree char *name = g_strdup(library);
  char *found = g_strdup(library);
  for (char *dot; (dot = strrchr(name, '.')) && g_ascii_isdigit(dot[1]);) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) g_free(found), found = g_strdup(name);
    *dot = 0;
  }
  return found;
}

/* The kit that plugins load, where it is found from one of their files: in the build tree, or where
 * plugins are installed. */
static void add_kit(const Plugins *x, const char *library, const char *file) {
  static const char *const places[] = {"../core/kit", "../.."};
  for (guint k = 0; k < G_N_ELEMENTS(places); k++) {
    g_autofree char *plugins = g_path_get_dirname(file);
    g_autofree char *folder = g_build_filename(plugins, places[k], NULL);
    g_autofree char *path = g_build_filename(folder, library, NULL);
    g_autofree char *soname = soname_of(folder, library);
    g_autofree char *name = g_build_filename(HN_PACKAGE_LIB, soname, NULL);
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR) || g_hash_table_contains(x->known, name))
      continue;
    g_hash_table_insert(x->known, g_strdup(name), g_strdup(""));
    hn_zip_add_file(x->g->sources, name, path);
  }
}

/* Libraries of this project that the plugin was loaded with. */
static void add_libraries(const Plugins *x, const HnResult *c, JsonObject *plugin) {
  const char *file = hn_json_string(plugin, "file", NULL);
  JsonArray *libraries = hn_json_array(c->facts, "libraries");
  for (guint i = 0; libraries && file && i < json_array_get_length(libraries); i++) {
    const char *library = hn_json_string_at(libraries, i);
    if (library && g_str_has_prefix(library, "libhunch-kit.so")) add_kit(x, library, file);
  }
}

static bool add_cell(const Plugins *x, const HnResult *c, GError **error) {
  static const char *const kinds[] = {"env", "inference", "policy"};
  bool ok = true;
  for (guint k = 0; k < G_N_ELEMENTS(kinds) && ok; k++) {
    JsonObject *plugin = hn_json_object(hn_json_object(c->facts, "plugins"), kinds[k]);
    for (; plugin && ok; plugin = hn_json_object(plugin, "inner")) {
      ok = add_plugin(x, plugin, error);
      add_libraries(x, c, plugin);
    }
  }
  return ok;
}

bool hn_gather_plugins(HnGathered *g, HnPortable *p, bool unchecked, GError **error) {
  const HnResults *r = g->results;
  Plugins x = {g, p, unchecked, g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free)};
  bool ok = true;
  for (guint i = 0; i < r->cells->len && ok; i++) ok = add_cell(&x, r->cells->pdata[i], error);
  g_hash_table_unref(x.known);
  return ok;
}

/* scaffold.c - see scaffold.h. */
#include "scaffold.h"
#include "diagnostics.h"
#include "error.h"
#include "output_file.h"
#include "program_folder.h"
#include "registry.h"
#include "validate.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define PLACEHOLDER "my_plugin"

const char *const hn_scaffold_kinds[] = {"env", "wrapper", "inference", "policy", NULL};

/* ---- the name ---- */

/* The name with `_` for what no name may have, or NULL if that is none either; g_free. */
static char *mended(const char *name) {
  char *near = g_strdup(name);
  for (char *c = near; *c; c++)
    if (!g_ascii_isalnum(*c)) *c = '_';
  if (hn_descriptor_is_name(near)) return near;
  g_free(near);
  return NULL;
}

bool hn_scaffold_name(const char *name, GError **error) {
  static const char *const targets[] = {
      "all",   "benchmark", "clean",       "coverage", "dist",      "distcheck", "install",
      "phony", "PHONY",     "reconfigure", "test",     "uninstall", NULL};
  static const char *const files[] = {PLACEHOLDER, "hunch", NULL}; /* hunch.rs */
  g_autofree char *shown = hn_diag_cut(name);
  if (!hn_descriptor_is_name(name)) {
    g_autofree char *near = mended(name);
    return hn_error_set(
        error, HN_ERROR_REFUSED, "'%s' cannot be a plugin's name: %s%s%s%s", shown,
        "at most 100 letters of a-z, A-Z, 0-9 and _ make one, and no digit begins it",
        near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
  }
  const bool is_target = g_strv_contains(targets, name);
  if (is_target || g_strv_contains(files, name))
    return hn_error_set(error, HN_ERROR_REFUSED, "'%s' cannot be the name: %s has it", shown,
                        is_target ? "a target of Meson's" : "a file of the templates");
  g_auto(GStrv) names = hn_plugins_list();
  if (g_strv_contains((const char *const *)names, name))
    return hn_error_set(error, HN_ERROR_REFUSED,
                        "there is a plugin '%s' already ('hunch inspect %s'): choose another name",
                        shown, shown);
  return true;
}

/* ---- reading templates ---- */

/* Files of a folder to be, by their paths in it. */
typedef struct Draft {
  GPtrArray *paths; /* char *, as they came */
  GHashTable *text; /* path -> GString * */
  const char *name;
} Draft;

static void free_text(gpointer text) {
  g_string_free(text, TRUE);
}

static char *named(const Draft *d, const char *text) {
  g_auto(GStrv) parts = g_strsplit(text, PLACEHOLDER, -1);
  return g_strjoinv(d->name, parts);
}

static bool add_file(Draft *d, const char *full, const char *path, GError **error) {
  g_autofree char *raw = NULL;
  g_autoptr(GError) why = NULL;
  if (!g_file_get_contents(full, &raw, NULL, &why))
    return hn_error_set(error, HN_ERROR_FILE, "%s", why->message);
  g_autofree char *text = named(d, raw), *key = named(d, path);
  GString *all = g_hash_table_lookup(d->text, key);
  if (!all) {
    all = g_string_new(NULL);
    g_ptr_array_add(d->paths, g_strdup(key));
    g_hash_table_insert(d->text, g_steal_pointer(&key), all);
  }
  g_string_append(all, text);
  return true;
}

/* Adds what `full` holds; path: of that folder in the draft, "" for the top. */
static bool add_folder(Draft *d, const char *full, const char *path, GError **error) {
  g_autoptr(GError) why = NULL;
  g_autoptr(GDir) dir = g_dir_open(full, 0, &why);
  if (!dir) return hn_error_set(error, HN_ERROR_FILE, "%s", why->message);
  for (const char *entry; (entry = g_dir_read_name(dir));) {
    g_autofree char *from = g_build_filename(full, entry, NULL);
    g_autofree char *to = *path ? g_build_filename(path, entry, NULL) : g_strdup(entry);
    const bool ok = g_file_test(from, G_FILE_TEST_IS_DIR) ? add_folder(d, from, to, error)
                                                          : add_file(d, from, to, error);
    if (!ok) return false;
  }
  return true;
}

static bool read_templates(Draft *d, const char *kind, const char *language, GError **error) {
  g_autofree char *templates = hn_program_folder(HN_TEMPLATES_IN_TREE, HN_TEMPLATES_FROM_BIN);
  g_autofree char *both = g_strconcat(kind, "-", language, NULL);
  const char *const layers[] = {"common", language, kind, both};
  if (!templates || !g_file_test(templates, G_FILE_TEST_IS_DIR))
    return hn_error_set(error, HN_ERROR_FILE, "%s: the templates are not there: install hunch anew",
                        templates ? templates : "?");
  g_autofree char *source = g_build_filename(templates, both, NULL);
  if (!g_file_test(source, G_FILE_TEST_IS_DIR))
    return hn_error_set(error, HN_ERROR_REFUSED,
                        "no template of kind %s in %s: C has one of every kind", kind, language);
  for (guint i = 0; i < G_N_ELEMENTS(layers); i++) {
    g_autofree char *folder = g_build_filename(templates, layers[i], NULL);
    if (!add_folder(d, folder, "", error)) return false;
  }
  return true;
}

/* ---- writing ---- */

static bool write_files(const Draft *d, const char *folder, GError **error) {
  for (guint i = 0; i < d->paths->len; i++) {
    const GString *text = g_hash_table_lookup(d->text, d->paths->pdata[i]);
    g_autofree char *file = g_build_filename(folder, d->paths->pdata[i], NULL);
    g_autofree char *parent = g_path_get_dirname(file);
    g_autoptr(GError) why = NULL;
    if (g_mkdir_with_parents(parent, 0777) != 0)
      return hn_error_set(error, HN_ERROR_FILE, "%s: %s", parent, g_strerror(errno));
    if (!g_file_set_contents_full(file, text->str, (gssize)text->len, G_FILE_SET_CONTENTS_NONE,
                                  0666, &why))
      return hn_error_set(error, HN_ERROR_FILE, "%s", why->message);
  }
  return true;
}

/* Removes what was written, of which `folder` is still this process's alone. */
static void remove_files(const Draft *d, const char *folder) {
  for (guint i = 0; i < d->paths->len; i++) {
    g_autofree char *path = g_build_filename(folder, d->paths->pdata[i], NULL);
    (void)g_unlink(path);
    for (;;) { /* folders that are empty now, up to the top */
      g_autofree char *parent = g_path_get_dirname(path);
      if (strlen(parent) <= strlen(folder) || g_rmdir(parent) != 0) break;
      g_free(path), path = g_steal_pointer(&parent);
    }
  }
  (void)g_rmdir(folder);
}

/* Writes beside `folder`, then renames: nobody sees half of it, and what is there stays. */
static bool write_folder(const Draft *d, const char *folder, GError **error) {
  g_autofree char *parent = g_path_get_dirname(folder), *base = g_path_get_basename(folder);
  g_autofree char *beside = g_strdup_printf("%s/.%s.XXXXXX", parent, base);
  const mode_t mask = umask(0);
  umask(mask);
  if (!hn_output_has_folder(folder, error)) return false;
  if (!g_mkdtemp(beside))
    return hn_error_set(error, HN_ERROR_FILE, "%s: %s", parent, g_strerror(errno));
  bool ok = write_files(d, beside, error);
  if (ok && g_chmod(beside, 0777 & ~mask) != 0)
    ok = hn_error_set(error, HN_ERROR_FILE, "%s: %s", beside, g_strerror(errno));
  if (ok && renameat2(AT_FDCWD, beside, AT_FDCWD, folder, RENAME_NOREPLACE) != 0)
    ok = hn_error_set(error, errno == EEXIST ? HN_ERROR_REFUSED : HN_ERROR_FILE, "%s: %s", folder,
                      errno == EEXIST ? "is there already; -o names another folder"
                                      : g_strerror(errno));
  if (!ok) remove_files(d, beside);
  return ok;
}

bool hn_scaffold_write(const char *kind, const char *language, const char *name, const char *folder,
                       GError **error) {
  if (!g_strv_contains(hn_scaffold_kinds, kind)) {
    g_autofree char *shown = hn_diag_cut(kind), *hint = hn_diag_hint(kind, hn_scaffold_kinds);
    return hn_error_set(error, HN_ERROR_MISSING, "no kind '%s'%s", shown, hint);
  }
  g_autofree char *plain = g_canonicalize_filename(folder, NULL);
  if (g_file_test(plain, G_FILE_TEST_EXISTS) || g_file_test(plain, G_FILE_TEST_IS_SYMLINK))
    return hn_error_set(error, HN_ERROR_REFUSED, "%s: is there already; -o names another folder",
                        folder);
  Draft d = {g_ptr_array_new_with_free_func(g_free),
             g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_text), name};
  const bool ok = read_templates(&d, kind, language, error) && write_folder(&d, plain, error);
  g_ptr_array_unref(d.paths), g_hash_table_unref(d.text);
  return ok;
}

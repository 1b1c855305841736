/* freeze.c - see freeze.h. */
#include "freeze.h"
#include "error.h"
#include "kit_library.h"
#include "sha256.h"
#include <link.h>
#include <string.h>

enum { HASH_DIGITS = 16 };

typedef struct File {
  char *name; /* below FOLDER/HASH */
  GBytes *bytes;
  char *sha256;
} File;

static void file_free(void *p) {
  File *f = p;
  g_free(f->name), g_free(f->sha256);
  g_bytes_unref(f->bytes);
  g_free(f);
}

void hn_frozen_free(HnFrozen *f) {
  if (!f) return;
  g_free(f->hash);
  g_ptr_array_unref(f->files);
  g_free(f);
}

static bool has(const HnFrozen *f, const char *name) {
  for (guint i = 0; i < f->files->len; i++)
    if (strcmp(((const File *)f->files->pdata[i])->name, name) == 0) return true;
  return false;
}

/* Reads a file once, so that what is hashed is what is written.  sha256: what it must be, or NULL.
 */
static bool add(HnFrozen *f, const char *name, const char *path, const char *sha256,
                GError **error) {
  char *text;
  gsize length;
  if (has(f, name)) return true;
  if (!g_file_get_contents(path, &text, &length, error)) return false;
  File *file = g_new0(File, 1);
  file->name = g_strdup(name), file->bytes = g_bytes_new_take(text, length);
  file->sha256 = hn_sha256_text(text, length);
  g_ptr_array_add(f->files, file);
  return !sha256 || strcmp(sha256, file->sha256) == 0 ||
         hn_error_set(error, HN_ERROR_DIFFERS, "%s was built anew just now: submit again", path);
}

/* ---- plugins ---- */

/* The name of a plugin's file below the folder; of those given as a path, two may have the same. */
static char *name_of(const HnPluginChoice *part) {
  const char *plain = part->plugin->name;
  return strchr(part->name, '/') ? g_strdup_printf("plugins/%.*s/%s.so", HASH_DIGITS,
                                                   hn_plugins_sha256(part->plugin), plain)
                                 : g_strdup_printf("plugins/%s.so", plain);
}

static bool add_plugins(HnFrozen *f, const HnCell *cell, GError **error) {
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++)
    for (const HnPluginChoice *p = hn_cell_plugin(cell, kind); p; p = p->inner) {
      const char *path = hn_plugins_file(p->plugin);
      g_autofree char *name = name_of(p);
      if (path && !add(f, name, path, hn_plugins_sha256(p->plugin), error)) return false;
    }
  return true;
}

/* ---- libraries ---- */

/* Libraries that the system has are those of the node that a cell runs on. */
static bool is_of_system(const char *path) {
  static const char *const places[] = {"/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"};
  for (guint i = 0; i < G_N_ELEMENTS(places); i++)
    if (g_str_has_prefix(path, places[i])) return true;
  return false;
}

static int collect(struct dl_phdr_info *info, size_t size, void *arg) {
  const char *path = info->dlpi_name;
  (void)size;
  if (path && *path == '/' && !is_of_system(path)) g_ptr_array_add(arg, g_strdup(path));
  return 0;
}

static bool add_libraries(HnFrozen *f, GError **error) {
  g_autoptr(GPtrArray) paths = g_ptr_array_new_with_free_func(g_free);
  const char *kit = hn_kit_library_file();
  dl_iterate_phdr(collect, paths);
  if (kit) g_ptr_array_add(paths, g_strdup(kit));
  for (guint i = 0; i < paths->len; i++) { /* plugins have been loaded too */
    g_autofree char *base = g_path_get_basename(paths->pdata[i]);
    g_autofree char *name = g_strconcat("lib/", base, NULL);
    if (g_str_has_prefix(base, "lib") && !add(f, name, paths->pdata[i], NULL, error)) return false;
  }
  return true;
}

/* ---- all of it ---- */

static int by_name(const void *a, const void *b) {
  return strcmp((*(File *const *)a)->name, (*(File *const *)b)->name);
}

static char *hash_of(const HnFrozen *f) {
  g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
  for (guint i = 0; i < f->files->len; i++) {
    const File *file = f->files->pdata[i];
    g_autofree char *line = g_strdup_printf("%s  %s\n", file->sha256, file->name);
    g_checksum_update(sum, (const guchar *)line, -1);
  }
  return g_strndup(g_checksum_get_string(sum), HASH_DIGITS);
}

HnFrozen *hn_freeze(const GPtrArray *cells, GError **error) {
  g_autoptr(HnFrozen) f = g_new0(HnFrozen, 1);
  f->files = g_ptr_array_new_with_free_func(file_free);
  g_autoptr(GError) why = NULL;
  bool ok = add(f, "hunch", "/proc/self/exe", NULL, &why) && add_libraries(f, &why);
  for (guint i = 0; i < cells->len && ok; i++) ok = add_plugins(f, cells->pdata[i], &why);
  if (!ok) {
    const bool differs = g_error_matches(why, HN_ERROR, HN_ERROR_DIFFERS);
    hn_error_set(error, differs ? HN_ERROR_DIFFERS : HN_ERROR_FILE, "%s", why->message);
    return NULL;
  }
  g_ptr_array_sort(f->files, by_name);
  f->hash = hash_of(f);
  return g_steal_pointer(&f);
}

static bool write_one(const File *file, const char *folder, GError **error) {
  g_autofree char *path = g_build_filename(folder, file->name, NULL), *is = hn_sha256_file(path);
  g_autofree char *above = g_path_get_dirname(path);
  gsize length;
  const char *text = g_bytes_get_data(file->bytes, &length);
  if (g_strcmp0(is, file->sha256) == 0) return true;
  g_mkdir_with_parents(above, 0777); /* what it lacks, the file says */
  g_autoptr(GError) why = NULL;
  return g_file_set_contents_full(path, text, (gssize)length, G_FILE_SET_CONTENTS_CONSISTENT, 0777,
                                  &why) ||
         hn_error_set(error, HN_ERROR_FILE, "%s cannot be written: %s", path, why->message);
}

bool hn_frozen_write(const HnFrozen *f, const char *folder, GError **error) {
  g_autofree char *place = g_build_filename(folder, f->hash, NULL);
  for (guint i = 0; i < f->files->len; i++)
    if (!write_one(f->files->pdata[i], place, error)) return false;
  return true;
}

char *hn_frozen_configuration(const HnFrozen *f, const HnCell *cell, const char *folder) {
  g_autoptr(HnNode) map = hn_cell_node(cell);
  for (HnKind kind = HN_KIND_ENV; kind <= HN_KIND_POLICY; kind++) {
    HnNode *block = hn_node_get(map, hn_kind_name(kind));
    for (const HnPluginChoice *p = hn_cell_plugin(cell, kind); p; p = p->inner) {
      g_autofree char *name = name_of(p);
      g_autofree char *path = g_build_filename(folder, f->hash, name, NULL);
      if (strchr(p->name, '/') && hn_plugins_file(p->plugin))
        hn_params_put_text(block, "plugin", path);
      block = hn_node_get(block, "inner");
    }
  }
  return hn_node_write(map);
}

/* registry.c - see registry.h. */
#include "registry.h"
#include "diagnostics.h"
#include "elf_file.h"
#include "error.h"
#include "helper.h"
#include "kit_library.h"
#include "program_folder.h"
#include "sha256.h"
#include "validate.h"
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <hunch/kit/base.h>
#include <inttypes.h>
#include <ltdl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct Loaded {
  const HnPlugin *plugin;
  char *file; /* NULL: statically linked */
  char *sha256;
} Loaded;

enum { LOAD_SECONDS = 5 };

static GPtrArray *loaded; /* Loaded *, for the life of the process, as the plugins are */

static void remember(const HnPlugin *plugin, const char *file, GMappedFile *bytes) {
  if (!loaded) loaded = g_ptr_array_new();
  Loaded *l = g_new0(Loaded, 1);
  l->plugin = plugin;
  l->file = g_strdup(file);
  l->sha256 = hn_sha256_mapped(bytes);
  g_ptr_array_add(loaded, l);
}

static const Loaded *recall(const HnPlugin *plugin) {
  for (guint i = 0; loaded && i < loaded->len; i++) {
    const Loaded *l = loaded->pdata[i];
    if (l->plugin == plugin) return l;
  }
  return NULL;
}

static const HnPlugin *recall_file(const char *file) {
  for (guint i = 0; loaded && i < loaded->len; i++) {
    const Loaded *l = loaded->pdata[i];
    if (g_strcmp0(l->file, file) == 0) return l->plugin;
  }
  return NULL;
}

static const HnPlugin *recall_added(const char *name) {
  for (guint i = 0; loaded && i < loaded->len; i++) {
    const Loaded *l = loaded->pdata[i];
    if (!l->file && g_strcmp0(l->plugin->name, name) == 0) return l->plugin;
  }
  return NULL;
}

const char *hn_plugins_file(const HnPlugin *plugin) {
  const Loaded *l = recall(plugin);
  return l ? l->file : NULL;
}

const char *hn_plugins_sha256(const HnPlugin *plugin) {
  const Loaded *l = recall(plugin);
  return l ? l->sha256 : NULL;
}

const char *hn_kind_name(HnKind kind) {
  return kind == HN_KIND_ENV         ? "env"
         : kind == HN_KIND_INFERENCE ? "inference"
         : kind == HN_KIND_POLICY    ? "policy"
                                     : "unknown";
}

/* ---- search path ---- */

/* Splits $HUNCH_PLUGIN_PATH into folders and messages about ignored entries; either may be NULL. */
static void read_path(GPtrArray *folders, GPtrArray *ignored) {
  const char *path = g_getenv("HUNCH_PLUGIN_PATH");
  if (!path || !*path) return;
  g_auto(GStrv) entries = g_strsplit(path, ":", -1);
  for (char **e = entries; *e; e++) {
    const char *why = !**e                                   ? "an empty entry names no folder"
                      : !g_path_is_absolute(*e)              ? "a folder is given by its full path"
                      : !g_file_test(*e, G_FILE_TEST_IS_DIR) ? "there is no such folder"
                                                             : NULL;
    if (folders && g_path_is_absolute(*e))
      g_ptr_array_add(folders, g_canonicalize_filename(*e, "/"));
    if (ignored && why)
      g_ptr_array_add(ignored, g_strdup_printf("HUNCH_PLUGIN_PATH: '%s' is ignored: %s", *e, why));
  }
}

char **hn_plugins_folders(void) {
  GPtrArray *folders = g_ptr_array_new();
  read_path(folders, NULL);
  char *own = hn_program_folder(HN_PLUGINS_IN_TREE, HN_PLUGINS_FROM_BIN);
  if (own) g_ptr_array_add(folders, own);
  g_ptr_array_add(folders, NULL);
  return (char **)g_ptr_array_free(folders, false);
}

char **hn_plugins_ignored(void) {
  GPtrArray *ignored = g_ptr_array_new();
  read_path(NULL, ignored);
  g_ptr_array_add(ignored, NULL);
  return (char **)g_ptr_array_free(ignored, false);
}

/* The first file of that name, or with `after` the one that it hides; NULL: none. */
static char *find_file(const char *name, bool after) {
  g_auto(GStrv) folders = hn_plugins_folders();
  g_autofree char *base = g_strconcat(name, ".so", NULL), *first = NULL;
  for (char **f = folders; *f; f++) {
    g_autofree char *file = g_build_filename(*f, base, NULL);
    if (!g_file_test(file, G_FILE_TEST_EXISTS) || g_strcmp0(file, first) == 0) continue;
    if (first || !after) return g_steal_pointer(&file);
    first = g_steal_pointer(&file);
  }
  return NULL;
}

char *hn_plugins_hiding(const char *name) {
  g_autofree char *file = find_file(name, false), *hidden = find_file(name, true);
  return hidden ? g_strdup_printf("%s hides %s", file, hidden) : NULL;
}

static gint by_text(gconstpointer a, gconstpointer b) {
  return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_once(GPtrArray *names, const char *name, gsize length) {
  for (guint i = 0; i < names->len; i++)
    if (strncmp(names->pdata[i], name, length) == 0 && !((char *)names->pdata[i])[length]) return;
  g_ptr_array_add(names, g_strndup(name, length));
}

char **hn_plugins_list(void) {
  GPtrArray *names = g_ptr_array_new();
  g_auto(GStrv) folders = hn_plugins_folders();
  for (char **f = folders; *f; f++) {
    GDir *dir = g_dir_open(*f, 0, NULL);
    const char *base;
    while (dir && (base = g_dir_read_name(dir)))
      if (g_str_has_suffix(base, ".so")) add_once(names, base, strlen(base) - strlen(".so"));
    if (dir) g_dir_close(dir);
  }
  for (guint i = 0; loaded && i < loaded->len; i++) {
    const Loaded *l = loaded->pdata[i];
    if (!l->file) add_once(names, l->plugin->name, strlen(l->plugin->name));
  }
  g_ptr_array_sort(names, by_text);
  g_ptr_array_add(names, NULL);
  return (char **)g_ptr_array_free(names, false);
}

/* ---- opening one file ---- */

/* Why a plugin that is linked to that kit cannot be loaded, or NULL.  Plugins of one process share
 * one kit: the dynamic linker knows libraries by such names. */
static char *refuse_kit(const char *kit) {
  if (!*kit || strcmp(kit, HN_KIT_SONAME) == 0) return NULL;
  return g_strdup_printf(
      "is linked to the kit %s, this hunch has %s: rebuild it with these headers", kit,
      HN_KIT_SONAME);
}

/* The name is right, but another file of that name may have been found. */
static char *refuse_loaded_kit(void) {
  const uint64_t layout = hn_kit_library_layout();
  if (layout == HN_KIT_LAYOUT) return NULL;
  const char *file = hn_kit_library_file();
  return g_strdup_printf("finds the kit %s, whose structs are laid out as %016" PRIx64
                         ", this hunch has %016" PRIx64 ": remove it from the search path",
                         file ? file : "?", layout, HN_KIT_LAYOUT);
}

/* Opens through libltdl.  lt_dlerror reports a missing dependency as "file not found", and libltdl
 * binds lazily, so that an undefined symbol would end the run at its first call: hence dlopen
 * first, which gives the reason.  `file` has its extension: with lt_dladvise_ext libltdl would
 * prefer a .la beside the file that was checked. */
static lt_dlhandle open_file(const char *file, const char *kit, char **reason) {
  void *trial = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  if (!trial) {
    const char *text = dlerror();
    if (g_str_has_prefix(text, file)) text += strlen(file) + strlen(": ");
    *reason = g_strdup_printf("cannot be loaded: %s", text);
    return NULL;
  }
  if ((*reason = *kit ? refuse_loaded_kit() : NULL)) {
    dlclose(trial); /* and what it found, with it */
    return NULL;
  }
  lt_dlhandle handle = NULL;
  lt_dladvise advise;
  if (lt_dlinit() == 0 && lt_dladvise_init(&advise) == 0) {
    if (lt_dladvise_local(&advise) == 0 && lt_dladvise_resident(&advise) == 0)
      handle = lt_dlopenadvise(file, advise);
    lt_dladvise_destroy(&advise);
  }
  if (!handle) *reason = g_strdup_printf("cannot be loaded: %s", lt_dlerror());
  dlclose(trial);
  return handle;
}

/* Checks the bytes, then loads, then checks the descriptor. */
static const HnPlugin *open_plugin(const char *file, const char *stem, GMappedFile *bytes,
                                   char **reason) {
  HnElfHead head;
  *reason = hn_elf_refuse(g_mapped_file_get_contents(bytes), g_mapped_file_get_length(bytes), stem,
                          &head);
  if (!*reason) *reason = hn_descriptor_refuse_abi(head.abi);
  if (!*reason) *reason = refuse_kit(head.kit);
  if (*reason) return NULL;
  lt_dlhandle handle = open_file(file, head.kit, reason);
  if (!handle) return NULL;
  const HnPlugin *plugin = lt_dlsym(handle, "hn_plugin"); /* finds STEM_LTX_hn_plugin */
  if (!plugin) *reason = g_strdup(lt_dlerror());
  if (plugin) plugin = hn_descriptor_read(plugin, stem, reason);
  if (!plugin || !*head.kit || plugin->kit_layout) return plugin;
  *reason = g_strdup("is linked to the kit, but the file that says HN_PLUGIN includes none of its "
                     "headers: include <hunch/kit.h> there");
  return NULL;
}

typedef struct Trial {
  const char *file, *stem;
  GMappedFile *bytes;
} Trial;

static void open_once(void *arg) {
  const Trial *t = arg;
  g_autofree char *reason = NULL;
  open_plugin(t->file, t->stem, t->bytes, &reason);
}

/* Whether a file is in the folder that came with this program, whose plugins are known to load. */
static bool is_own(const char *file) {
  g_auto(GStrv) folders = hn_plugins_folders();
  const guint n = g_strv_length(folders);
  g_autofree char *folder = g_path_get_dirname(file);
  return n > 0 && strcmp(folder, folders[n - 1]) == 0;
}

/* Why loading those bytes would end or block this process, or NULL.  Found out in another one,
 * once: a study names a plugin many times. */
static const char *deadly(const char *file, const char *stem, GMappedFile *bytes) {
  static GHashTable *known; /* SHA-256 -> reason or NULL */
  if (is_own(file)) return NULL;
  if (!known) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  g_autofree char *sha256 = hn_sha256_mapped(bytes);
  Trial t = {file, stem, bytes};
  if (!g_hash_table_contains(known, sha256))
    g_hash_table_insert(known, g_strdup(sha256), hn_helper_try(open_once, &t, LOAD_SECONDS));
  return g_hash_table_lookup(known, sha256);
}

/* Not g_mapped_file_new, which would wait for a writer if the file were a pipe. */
static GMappedFile *map_file(const char *file, GError **error) {
  struct stat facts;
  const char *reason = NULL;
  GMappedFile *bytes = NULL;
  bool missing = false;
  int fd = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || fstat(fd, &facts) != 0)
    missing = errno == ENOENT, reason = g_strerror(errno);
  else if (!S_ISREG(facts.st_mode))
    reason = "not a regular file";
  else if (!(bytes = g_mapped_file_new_from_fd(fd, false, NULL)))
    reason = g_strerror(errno);
  if (fd >= 0) close(fd);
  if (!bytes)
    hn_error_set(error, missing ? HN_ERROR_MISSING : HN_ERROR_PLUGIN, "%s: cannot be read: %s",
                 file, reason);
  return bytes;
}

static const HnPlugin *load_file(const char *file, GError **error) {
  const HnPlugin *plugin = recall_file(file);
  if (plugin) return plugin;
  g_autofree char *base = g_path_get_basename(file);
  g_autofree char *stem = g_strndup(base, strlen(base) - strlen(".so"));
  GMappedFile *bytes = map_file(file, error);
  if (!bytes) return NULL;
  g_autofree char *reason = NULL;
  const char *death = NULL;
  if (!hn_descriptor_is_name(stem)) {
    reason = g_strdup("no plugin can have this name: letters, digits and _ make one");
  } else if ((death = deadly(file, stem, bytes))) {
    reason = g_strdup_printf("cannot be loaded: %s when it was tried", death);
  } else {
    plugin = open_plugin(file, stem, bytes, &reason);
  }
  if (plugin)
    remember(plugin, file, bytes);
  else
    hn_error_set(error, HN_ERROR_PLUGIN, "%s: %s", file, reason);
  g_mapped_file_unref(bytes);
  return plugin;
}

/* ---- by name ---- */

bool hn_plugins_add(const HnPlugin *plugin, GError **error) {
  g_autofree char *reason = NULL;
  const char *name = plugin->name ? plugin->name : "";
  const HnPlugin *read = hn_descriptor_read(plugin, name, &reason);
  if (read && recall_added(name))
    reason = g_strdup(recall_added(name) == read ? "is added already"
                                                 : "has the name of one added before");
  GMappedFile *program = reason ? NULL : g_mapped_file_new("/proc/self/exe", false, error);
  if (program) {
    remember(read, NULL, program);
    g_mapped_file_unref(program);
  } else if (reason) {
    hn_error_set(error, HN_ERROR_PLUGIN, "linked plugin '%s': %s", *name ? name : "?", reason);
  }
  return program != NULL;
}

static void report_missing(const char *name, GError **error) {
  g_auto(GStrv) names = hn_plugins_list();
  g_auto(GStrv) folders = hn_plugins_folders();
  g_auto(GStrv) ignored = hn_plugins_ignored();
  const char *nearest = hn_diag_nearest(name, (const char *const *)names);
  g_autofree char *hint = g_str_has_suffix(name, ".so")
                              ? g_strdup_printf(" (a file of this folder is './%s')", name)
                          : nearest ? g_strdup_printf(" (did you mean '%s'?)", nearest)
                                    : NULL;
  g_autofree char *looked = g_strjoinv(", ", folders);
  g_autofree char *also = g_strjoinv("; ", ignored);
  hn_error_set(error, HN_ERROR_MISSING,
               "no plugin named '%s'%s; looked in %s%s%s; HUNCH_PLUGIN_PATH adds folders", name,
               hint ? hint : "", looked, *also ? "; " : "", also);
}

const HnPlugin *hn_plugins_load(const char *name, HnKind kind, GError **error) {
  const HnPlugin *plugin = NULL;
  if (strchr(name, '/')) {
    if (!g_str_has_suffix(name, ".so")) {
      hn_error_set(error, HN_ERROR_REFUSED, "%s: the path of a plugin ends in .so", name);
      return NULL;
    }
    g_autofree char *file = g_canonicalize_filename(name, NULL);
    plugin = load_file(file, error);
  } else if (!(plugin = recall_added(name))) {
    g_autofree char *file = find_file(name, false);
    if (file)
      plugin = load_file(file, error);
    else
      report_missing(name, error);
  }
  if (plugin && kind && plugin->kind != kind) {
    const char *file = hn_plugins_file(plugin);
    hn_error_set(error, HN_ERROR_REFUSED, "plugin '%s' (%s) is of kind %s, expected %s",
                 plugin->name, file ? file : "linked in", hn_kind_name(plugin->kind),
                 hn_kind_name(kind));
    return NULL;
  }
  return plugin;
}

static void free_found(gpointer data) {
  HnFound *found = data;
  g_free(found->name);
  g_free(found->reason), g_free(found->hiding);
  g_free(found);
}

GPtrArray *hn_plugins_scan(void) {
  GPtrArray *all = g_ptr_array_new_with_free_func(free_found);
  g_auto(GStrv) names = hn_plugins_list();
  for (char **n = names; *n; n++) {
    HnFound *found = g_new0(HnFound, 1);
    g_autoptr(GError) error = NULL;
    found->name = g_strdup(*n);
    found->plugin = hn_plugins_load(*n, 0, &error);
    if (error) found->reason = g_strdup(error->message);
    found->hiding = hn_plugins_hiding(*n);
    g_ptr_array_add(all, found);
  }
  return all;
}

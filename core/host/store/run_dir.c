/* run_dir.c - see run_dir.h. */
#include "run_dir.h"
#include "determinism.h"
#include "error.h"
#include "json.h"
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#define EXTENSION ".safetensors"

#define NAME(id, name, doc) name,
static const char *const names[] = {HN_RUN_FILES(NAME) NULL};

const char *hn_run_file_name(HnRunFile file) {
  return names[file];
}

char *hn_run_file(const char *dir, HnRunFile file) {
  return g_build_filename(dir, names[file], NULL);
}

char *hn_run_dir(const char *study, const char *arm, int64_t seed_index) {
  g_autofree char *index = g_strdup_printf("%" PRId64, seed_index);
  return g_build_filename(study, arm, index, NULL);
}

enum { MOST_ASIDE = 9999 };

char *hn_run_aside(const char *dir) {
  for (int i = 1; i <= MOST_ASIDE; i++) {
    g_autofree char *aside = g_strdup_printf("%s.replaced-%d", dir, i);
    if (!g_file_test(aside, G_FILE_TEST_EXISTS)) return g_steal_pointer(&aside);
  }
  return NULL;
}

/* ---- checkpoints ---- */

char *hn_run_checkpoint_folder(const char *dir) {
  return g_build_filename(dir, "ckpt", NULL);
}

char *hn_run_checkpoint(const char *dir, int64_t update) {
  g_autofree char *folder = hn_run_checkpoint_folder(dir);
  return g_strdup_printf("%s/%08" PRId64 EXTENSION, folder, update);
}

int64_t hn_run_checkpoint_update(const char *path) {
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  gsize digits = strspn(name, G_CSET_DIGITS);
  if (digits == 0 || digits > 18 || strcmp(name + digits, EXTENSION) != 0) return -1;
  return g_ascii_strtoll(name, NULL, 10);
}

static int by_update(const void *a, const void *b) {
  int64_t x = hn_run_checkpoint_update(*(char *const *)a);
  int64_t y = hn_run_checkpoint_update(*(char *const *)b);
  return (x > y) - (x < y);
}

GPtrArray *hn_run_checkpoints(const char *dir, GError **error) {
  g_autofree char *folder = hn_run_checkpoint_folder(dir);
  g_autoptr(GError) why = NULL;
  g_autoptr(GDir) d = g_dir_open(folder, 0, &why);
  if (!d && !g_error_matches(why, G_FILE_ERROR, G_FILE_ERROR_NOENT)) {
    hn_error_set(error, HN_ERROR_FILE, "%s", why->message);
    return NULL;
  }
  GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
  for (const char *name; d && (name = g_dir_read_name(d));)
    if (hn_run_checkpoint_update(name) >= 0)
      g_ptr_array_add(found, g_build_filename(folder, name, NULL));
  g_ptr_array_sort(found, by_update);
  return found;
}

/* ---- leftovers ---- */

/* "run.json.K3F9QZ", as GLib calls what it writes before it renames it;
 * "00000040.safetensors.part". */
static bool is_unfinished(const char *name) {
  static const char *const written[] = {HN_STUDY_PLAN, HN_STUDY_SOURCE, HN_STUDY_SEARCH, NULL};
  if (g_str_has_suffix(name, EXTENSION ".part")) return true;
  const gsize n = strlen(name);
  if (n < 8 || name[n - 7] != '.' ||
      strspn(name + n - 6, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS) != 6)
    return false;
  g_autofree char *stem = g_strndup(name, n - 7);
  return g_strv_contains(written, stem) || g_str_equal(stem, names[HN_FILE_JSON]) ||
         g_str_equal(stem, names[HN_FILE_CONFIG]);
}

bool hn_run_is_leftover(const char *name) {
  return is_unfinished(name) || g_str_equal(name, names[HN_FILE_LOCK]) ||
         g_str_equal(name, names[HN_FILE_LOG]);
}

char *hn_run_some_file(const char *dir) {
  g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
  for (const char *name; d && (name = g_dir_read_name(d));)
    if (!hn_run_is_leftover(name)) return g_strdup(name);
  return NULL;
}

static void remove_files(const char *dir, bool (*which)(const char *name)) {
  g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
  for (const char *name; d && (name = g_dir_read_name(d));) {
    g_autofree char *path = g_build_filename(dir, name, NULL);
    if (which(name)) g_unlink(path);
  }
}

void hn_run_sweep(const char *dir) {
  g_autofree char *ckpt = hn_run_checkpoint_folder(dir);
  remove_files(dir, is_unfinished);
  remove_files(ckpt, is_unfinished);
}

static bool is_of_a_run(const char *name) {
  return g_strv_contains(names, name) || is_unfinished(name);
}

void hn_run_discard(const char *dir) {
  g_autofree char *ckpt = hn_run_checkpoint_folder(dir), *above = g_path_get_dirname(dir);
  remove_files(ckpt, is_unfinished);
  g_rmdir(ckpt);
  remove_files(dir, is_of_a_run);
  if (g_rmdir(dir) == 0) g_rmdir(above);
}

/* ---- what a run says of itself ---- */

JsonObject *hn_run_facts(const char *dir, GError **error) {
  g_autofree char *path = hn_run_file(dir, HN_FILE_JSON);
  g_autoptr(GError) why = NULL;
  JsonObject *o = hn_json_read(path, &why);
  if (g_error_matches(why, HN_ERROR, HN_ERROR_FILE))
    hn_error_set(error, HN_ERROR_FILE, "%s; run the study again, which writes it anew",
                 why->message);
  else if (why)
    g_propagate_error(error, g_steal_pointer(&why));
  return o;
}

HnNode *hn_run_config(const char *dir, GError **error) {
  g_autofree char *path = hn_run_file(dir, HN_FILE_CONFIG);
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) node = hn_yaml_read(path, d);
  if (!hn_diag_count(d)) return g_steal_pointer(&node);
  g_autofree char *text = hn_diag_text(d), *first = hn_diag_first_line(text);
  hn_error_set(error, HN_ERROR_FILE, "%s; to run the cell again, remove %s", first, dir);
  return NULL;
}

int64_t hn_run_config_length(const HnNode *config) {
  const HnNode *frames = config ? hn_node_at(config, "run.frames") : NULL;
  int64_t length;
  return frames && !hn_params_int(frames, &length) ? length : -1;
}

int64_t hn_run_length(const char *dir) {
  g_autofree char *path = hn_run_file(dir, HN_FILE_CONFIG);
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) node = hn_yaml_read(path, d);
  return hn_run_config_length(node);
}

/* Holds this process to the kernels of a portable cell (as is one that does not say), which must be
 * before plugins are loaded. */
static void hold_kernels(HnNode *node) {
  const HnNode *asked = hn_node_get(hn_node_get(node, "run"), "determinism");
  if (!asked || asked->kind != HN_NODE_TEXT || strcmp(asked->text, "fast") != 0) hn_portable_hold();
}

/* Takes node, which may be NULL, and d. */
static HnCell *cell_of(HnNode *node, HnDiag *d, GError **error) {
  if (node) hold_kernels(node);
  HnCell *cell = node ? hn_cell_read(node, d) : NULL;
  if (hn_diag_count(d)) {
    g_autofree char *text = hn_diag_text(d);
    hn_error_set(error, HN_ERROR_REFUSED, "%s", g_strchomp(text));
    g_clear_pointer(&cell, hn_cell_free);
  }
  hn_node_free(node), hn_diag_free(d);
  return cell;
}

HnCell *hn_cell_open_file(const char *path, GError **error) {
  HnDiag *d = hn_diag_new();
  return cell_of(hn_yaml_read(path, d), d, error);
}

HnCell *hn_cell_open(const char *dir, GError **error) {
  g_autofree char *path = hn_run_file(dir, HN_FILE_CONFIG);
  g_autofree char *plan = g_build_filename(dir, HN_STUDY_PLAN, NULL);
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    bool study = g_file_test(plan, G_FILE_TEST_EXISTS);
    hn_error_set(error, HN_ERROR_REFUSED, "%s: %s", dir,
                 study ? "a study's folder; give that of a cell, ARM/SEED inside it"
                 : g_file_test(dir, G_FILE_TEST_EXISTS)
                     ? "not the folder of a cell: it has no config.resolved.yaml"
                     : "not the folder of a cell: there is no such folder");
    return NULL;
  }
  return hn_cell_open_file(path, error);
}

HnCell *hn_cell_parse(const char *dir, const char *text, gsize length, GError **error) {
  g_autofree char *name = hn_run_file(dir, HN_FILE_CONFIG);
  HnDiag *d = hn_diag_new();
  return cell_of(hn_yaml_parse(name, text, length, d), d, error);
}

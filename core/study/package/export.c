/* export.c - see export.h. */
#include "export.h"
#include "error.h"
#include "folder.h"
#include "json.h"
#include "lighten.h"
#include "metric_info.h"
#include "output_file.h"
#include "record_columns.h"
#include "table_npz.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define INDEX   "export.json"
#define WEIGHTS "weights.safetensors"

typedef struct Export {
  const HnResults *results;
  HnExportChoice choice;
  char *folder;     /* where it is written */
  GPtrArray *files; /* char *: what was written, seen from there */
  GPtrArray *cells; /* const HnResult *: that left something */
} Export;

static const HnRunFile tables[] = {HN_FILE_METRICS, HN_FILE_EPISODES, HN_FILE_STEPS, HN_FILE_TRIAL,
                                   HN_FILE_PREDICTIONS};

/* ---- a cell ---- */

/* "metrics" of metrics.csv. */
static char *stem_of(HnRunFile table) {
  const char *name = hn_run_file_name(table);
  return g_strndup(name, strcspn(name, "."));
}

/* The path of a file of a cell, which is noted; NULL with HN_ERROR_FILE: there is no folder. */
static char *path_in(Export *e, const HnResult *c, const char *file, GError **error) {
  g_autofree char *cell = hn_result_name(c), *folder = g_build_filename(e->folder, cell, NULL);
  if (g_mkdir_with_parents(folder, 0777) != 0) {
    hn_error_set(error, HN_ERROR_FILE, "%s: %s", folder, g_strerror(errno));
    return NULL;
  }
  g_ptr_array_add(e->files, g_build_filename(cell, file, NULL));
  return g_build_filename(folder, file, NULL);
}

static bool write_tables(Export *e, const HnResult *c, GError **error) {
  for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
    g_autofree char *csv = hn_run_file(c->dir, tables[i]);
    if (!g_file_test(csv, G_FILE_TEST_EXISTS)) continue;
    g_autofree char *stem = stem_of(tables[i]), *name = g_strconcat(stem, ".npz", NULL);
    g_autofree char *path = path_in(e, c, name, error);
    if (!path || !hn_table_npz(tables[i], csv, path, error)) return false;
  }
  return true;
}

static bool write_weights(Export *e, const HnResult *c, GError **error) {
  g_autoptr(GPtrArray) all = hn_run_checkpoints(c->dir, error);
  if (!all) return false;
  if (!all->len) return true;
  HnStoredTensors *t = hn_stored_tensors_open(all->pdata[all->len - 1], error);
  if (!t) return false;
  g_autoptr(HnPortable) nowhere = hn_portable_new();
  HnStoredTensors *light = hn_lighten(t, nowhere, false, error);
  g_autofree char *path = light ? path_in(e, c, WEIGHTS, error) : NULL;
  const bool ok = path && hn_stored_tensors_write(light, path, error);
  hn_stored_tensors_free(light), hn_stored_tensors_free(t);
  return ok;
}

static bool write_cell(Export *e, const HnResult *c, GError **error) {
  if (strcmp(c->status, "missing") == 0) return true;
  if (strcmp(c->status, "damaged") == 0)
    return hn_error_set(error, HN_ERROR_REFUSED, "%s/%" PRId64 " is damaged: %s", c->arm,
                        c->seed_index, c->reason);
  g_ptr_array_add(e->cells, (gpointer)(guintptr)c);
  return (!e->choice.tables || write_tables(e, c, error)) &&
         (!e->choice.weights || write_weights(e, c, error));
}

/* ---- what the columns mean ---- */

/* A column that is called `name`, and is shown as `title`. */
static void add_column(JsonBuilder *b, const HnResults *r, HnRunFile table, const char *name,
                       const char *title) {
  const HnRecordColumn *c = hn_record_column(table, name);
  const bool declared = !c || c->declared;
  const char *doc = declared ? hn_metric_info(r, name).doc : "";
  const int better = declared ? hn_metric_better(name) : c->better;
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "column", title);
  hn_json_add_string(b, "type", c && c->text ? "text" : "float64");
  hn_json_add_string(b, "unit", declared ? hn_metric_unit(r, name) : c->unit);
  hn_json_add_string(b, "better", better > 0 ? "higher" : better < 0 ? "lower" : "");
  hn_json_add_string(b, "content", *doc ? doc : c ? c->doc : "");
  json_builder_end_object(b);
}

/* Its name, or of numbered ones that they share, obs_*. */
static const char *title_of(HnRunFile table, const char *name) {
  const HnRecordColumn *c = hn_record_column(table, name);
  return c && !c->declared && strchr(c->name, '*') && !g_str_has_prefix(name, "eval.") ? c->name
                                                                                       : name;
}

/* Adds the columns of a cell's table that were not seen yet. */
static void add_columns(JsonBuilder *b, const Export *e, HnRunFile table, const HnResult *cell,
                        GHashTable *seen) {
  g_autofree char *path = hn_run_file(cell->dir, table);
  g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);
  if (!file) return;
  const char *text = g_mapped_file_get_contents(file);
  HnCsvReader r = hn_csv_reader(path, text ? text : "", g_mapped_file_get_length(file));
  if (hn_csv_next(&r, NULL))
    for (int64_t k = 0; k < r.width; k++) {
      const char *title = title_of(table, r.field[k]);
      if (g_hash_table_add(seen, g_strdup(title)))
        add_column(b, e->results, table, r.field[k], title);
    }
  hn_csv_reader_clear(&r);
}

static void add_tables(JsonBuilder *b, const Export *e) {
  hn_json_open_object(b, "tables");
  for (guint i = 0; i < G_N_ELEMENTS(tables); i++) {
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *stem = stem_of(tables[i]);
    hn_json_open_array(b, stem);
    for (guint k = 0; k < e->cells->len; k++)
      add_columns(b, e, tables[i], e->cells->pdata[k], seen);
    json_builder_end_array(b);
  }
  json_builder_end_object(b);
}

static bool write_index(const Export *e, GError **error) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_int(b, "format", 1);
  hn_json_add_string(b, "study", e->results->study);
  hn_json_open_array(b, "cells");
  for (guint i = 0; i < e->cells->len; i++) {
    const HnResult *c = e->cells->pdata[i];
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "arm", c->arm), hn_json_add_int(b, "seed_index", c->seed_index);
    hn_json_add_string(b, "status", c->status);
    hn_json_add_int(b, "update", hn_json_int(c->facts, "update", 0));
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  if (e->choice.tables) add_tables(b, e);
  hn_json_add_strings(b, "files", e->files->len, (const char *const *)e->files->pdata);
  g_autofree char *text = hn_json_end(b), *path = g_build_filename(e->folder, INDEX, NULL);
  return hn_output_replace(path, text, error);
}

/* ---- the folder ---- */

/* The files that the export in a folder says are its own; NULL: there is none. */
static GHashTable *own_files(const char *folder) {
  g_autofree char *path = g_build_filename(folder, INDEX, NULL);
  g_autoptr(JsonObject) o = hn_json_read(path, NULL);
  JsonArray *files = hn_json_array(o, "files");
  if (!files) return NULL;
  GHashTable *own = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
  g_hash_table_add(own, g_strdup(INDEX));
  for (guint i = 0; i < json_array_get_length(files); i++) {
    const char *name = hn_json_string_at(files, i);
    if (name) g_hash_table_add(own, g_strdup(name));
  }
  return own;
}

/* A file below `folder` that is not among `own` (NULL: any), seen from `root`, or NULL; g_free. */
static char *foreign_file(const char *folder, const char *below, GHashTable *own) {
  g_autofree char *path = g_build_filename(folder, below, NULL);
  g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
  char *found = NULL;
  for (const char *name; d && !found && (name = g_dir_read_name(d));) {
    g_autofree char *inner = *below ? g_build_filename(below, name, NULL) : g_strdup(name);
    g_autofree char *full = g_build_filename(folder, inner, NULL);
    const bool is_folder =
        g_file_test(full, G_FILE_TEST_IS_DIR) && !g_file_test(full, G_FILE_TEST_IS_SYMLINK);
    if (is_folder)
      found = foreign_file(folder, inner, own);
    else if (!own || !g_hash_table_contains(own, inner))
      found = g_steal_pointer(&inner);
  }
  return found;
}

static bool may_replace(const char *output, GError **error) {
  g_autoptr(GHashTable) own = own_files(output);
  g_autofree char *foreign = foreign_file(output, "", own);
  if (g_file_test(output, G_FILE_TEST_EXISTS) && !g_file_test(output, G_FILE_TEST_IS_DIR))
    return hn_error_set(error, HN_ERROR_REFUSED, "%s: is no folder: name another output", output);
  return !foreign || hn_error_set(error, HN_ERROR_REFUSED,
                                  "%s: holds %s, which is not of an export: name another output",
                                  output, foreign);
}

static bool put_in_place(const char *from, const char *output, GError **error) {
  g_autofree char *above = g_path_get_dirname(output);
  if (g_rename(from, output) != 0) { /* an earlier export is there */
    if (renameat2(AT_FDCWD, from, AT_FDCWD, output, RENAME_EXCHANGE) != 0)
      return hn_error_set(error, HN_ERROR_FILE, "%s: cannot write: %s", output, g_strerror(errno));
    hn_folder_remove(from);
  }
  return hn_output_sync_folder(above, error);
}

static bool write_all(Export *e, GError **error) {
  if (g_mkdir(e->folder, 0777) != 0)
    return hn_error_set(error, HN_ERROR_FILE, "%s: %s", e->folder, g_strerror(errno));
  for (guint i = 0; i < e->results->cells->len; i++)
    if (!write_cell(e, e->results->cells->pdata[i], error)) return false;
  if (!e->cells->len)
    return hn_error_set(error, HN_ERROR_REFUSED, "%s: no cell has run", e->results->dir);
  return write_index(e, error);
}

bool hn_export(const HnResults *r, HnExportChoice choice, const char *output, GError **error) {
  g_autofree char *full = g_canonicalize_filename(output, NULL);
  if (!hn_output_has_folder(full, error) || !may_replace(full, error)) return false;
  Export e = {.results = r,
              .choice = choice,
              .folder = hn_output_beside(full),
              .files = g_ptr_array_new_with_free_func(g_free),
              .cells = g_ptr_array_new()};
  hn_folder_remove(e.folder); /* of one that was killed */
  const bool ok = write_all(&e, error) && put_in_place(e.folder, full, error);
  if (!ok) hn_folder_remove(e.folder);
  g_ptr_array_unref(e.files), g_ptr_array_unref(e.cells);
  g_free(e.folder);
  return ok;
}

/* gather.c - see gather.h. */
#include "gather.h"
#include "checksum.h"
#include "error.h"
#include "gather_plugins.h"
#include "json.h"
#include "lengths.h"
#include "lighten.h"
#include "plan_file.h"
#include "portable.h"
#include "run_dir.h"
#include "safetensors.h"
#include "sha256.h"
#include "warm_start.h"
#include "zip.h"
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#define UP_STUDY "../"

static void edition_free(void *p) {
  HnEdition *e = p;
  g_free(e->name), g_free(e->sha256);
  g_free(e);
}

void hn_gathered_free(HnGathered *g) {
  if (!g) return;
  if (g->scratch) g_rmdir(g->scratch); /* each checkpoint was taken out of it */
  g_ptr_array_unref(g->sources), g_ptr_array_unref(g->editions), g_ptr_array_unref(g->notes);
  g_free(g->scratch);
  g_free(g);
}

static char *sha256_of(GBytes *bytes) {
  return hn_sha256_text(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static GBytes *bytes_of(const char *path, GError **error) {
  const HnZipSource source = {.path = (char *)(guintptr)path};
  return hn_zip_source_bytes(&source, error);
}

/* Adds an edition of the file at `path`, noting the original where they differ. */
static bool add_edition(HnGathered *g, const char *name, const char *path, GBytes *edition,
                        GError **error) {
  g_autoptr(GBytes) original = bytes_of(path, error);
  if (!original) return false;
  hn_zip_add_bytes(g->sources, name, edition);
  if (g_bytes_equal(original, edition)) return true;
  HnEdition *e = g_new0(HnEdition, 1);
  e->name = g_strdup(name), e->sha256 = sha256_of(original);
  g_ptr_array_add(g->editions, e);
  return true;
}

static bool add_text_edition(HnGathered *g, const char *name, const char *path, const char *text,
                             GError **error) {
  g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
  return add_edition(g, name, path, bytes, error);
}

static char *name_in_cell(const HnResult *c, const char *file) {
  return g_strdup_printf(HN_PACKAGE_STUDY "/%s/%" PRId64 "/%s", c->arm, c->seed_index, file);
}

/* ---- a cell ---- */

/* config.resolved.yaml; its text in *text. */
static bool add_config(HnGathered *g, const HnPortable *p, const HnResult *c, char **text,
                       GError **error) {
  g_autofree char *path = hn_run_file(c->dir, HN_FILE_CONFIG);
  g_autofree char *name = name_in_cell(c, hn_run_file_name(HN_FILE_CONFIG));
  g_autoptr(HnNode) node = c->config ? hn_node_copy(c->config) : NULL;
  if (!node) return true;
  hn_portable_yaml(p, node, HN_PACKAGE_UP_CELL);
  *text = hn_node_write(node);
  return add_text_edition(g, name, path, *text, error);
}

/* run.json, without the machine's name, sealed again; `config` is what it now describes. */
static bool add_facts(HnGathered *g, const HnPortable *p, const HnResult *c, const char *config,
                      GError **error) {
  g_autofree char *path = hn_run_file(c->dir, HN_FILE_JSON);
  g_autofree char *name = name_in_cell(c, hn_run_file_name(HN_FILE_JSON));
  g_autoptr(JsonObject) o = hn_json_read(path, error);
  if (!o) return false;
  JsonObject *files = hn_json_object(o, "files");
  JsonObject *of = hn_json_object(files, hn_run_file_name(HN_FILE_CONFIG));
  hn_portable_json(p, o, HN_PACKAGE_UP_CELL);
  json_object_remove_member(o, "host");
  if (of && config) {
    g_autofree char *sum = hn_checksum_text(config, strlen(config));
    json_object_set_int_member(of, "bytes", (gint64)strlen(config));
    json_object_set_string_member(of, "checksum", sum);
  }
  g_autofree char *text = hn_json_sealed_text(o);
  return add_text_edition(g, name, path, text, error);
}

/* The checkpoint of a cell's last update. */
static bool add_checkpoint(HnGathered *g, const HnPortable *p, const HnResult *c, bool whole,
                           GError **error) {
  const int64_t update = hn_json_int(c->facts, "update", -1);
  g_autofree char *path = hn_run_checkpoint(c->dir, update), *base = g_path_get_basename(path);
  g_autofree char *file = g_strconcat("ckpt/", base, NULL), *name = name_in_cell(c, file);
  g_autofree char *beside = g_build_filename(g->scratch, base, NULL);
  if (update < 0 || !g_file_test(path, G_FILE_TEST_EXISTS)) {
    if (!hn_result_done(c)) return true;
    return hn_error_set(
        error, HN_ERROR_REFUSED,
        "%s is missing: its weights cannot be packed; to run the cell again, remove %s", path,
        c->dir);
  }
  g_autoptr(GError) damage = NULL;
  HnStoredTensors *t = hn_stored_tensors_open(path, &damage);
  if (!t)
    return hn_error_set(error, HN_ERROR_FILE, "%s; to run the cell again, remove %s",
                        damage->message, c->dir);
  if (whole && !g_hash_table_contains(t->meta, HN_META_FROM)) { /* it names no place */
    hn_stored_tensors_free(t);
    hn_zip_add_file(g->sources, name, path);
    return true;
  }
  HnStoredTensors *light = hn_lighten(t, p, whole, error);
  bool ok = light && hn_stored_tensors_write(light, beside, error);
  hn_stored_tensors_free(light), hn_stored_tensors_free(t);
  g_autofree char *bytes = NULL;
  gsize size = 0;
  ok = ok && g_file_get_contents(beside, &bytes, &size, error);
  g_unlink(beside);
  if (!ok) return false;
  g_autoptr(GBytes) edition = g_bytes_new_take(g_steal_pointer(&bytes), size);
  return add_edition(g, name, path, edition, error);
}

static bool add_tables(HnGathered *g, const HnPortable *p, const HnResult *c, GError **error) {
  g_auto(GStrv) files = hn_result_files(c);
  for (char **f = files; *f; f++) {
    g_autofree char *path = g_build_filename(c->dir, *f, NULL), *name = name_in_cell(c, *f);
    if (hn_run_is_leftover(*f) || g_str_equal(*f, hn_run_file_name(HN_FILE_JSON)) ||
        g_str_equal(*f, hn_run_file_name(HN_FILE_CONFIG)))
      continue;
    g_autoptr(GBytes) bytes = bytes_of(path, error);
    if (!bytes) return false;
    if (hn_portable_is_in(p, bytes))
      return hn_error_set(error, HN_ERROR_REFUSED,
                          "%s names a place of this machine, and cannot be packed without changing "
                          "it",
                          path);
    hn_zip_add_file(g->sources, name, path);
  }
  return true;
}

static bool add_cell(HnGathered *g, const HnPortable *p, const HnResult *c,
                     const HnPackChoice *choice, GError **error) {
  g_autofree char *config = NULL;
  return !c->facts ||
         (add_config(g, p, c, &config, error) && add_facts(g, p, c, config, error) &&
          add_tables(g, p, c, error) && add_checkpoint(g, p, c, choice->replay, error));
}

/* ---- the study ---- */

/* Whether study.yaml is what the study was run from, as far as study.json says. */
static bool source_is_of_plan(const HnResults *r, JsonObject *plan, GError **error) {
  const char *said = hn_json_string(plan, HN_PLAN_SOURCE, NULL);
  g_autofree char *is = hn_checksum_text(r->source, strlen(r->source));
  return !said || g_str_equal(said, is) ||
         hn_error_set(error, HN_ERROR_REFUSED,
                      "%s/" HN_STUDY_SOURCE
                      " is not as the run left it; run the study again, which "
                      "writes it anew",
                      r->dir);
}

static bool add_plan(HnGathered *g, const HnPortable *p, GError **error) {
  const HnResults *r = g->results;
  g_autofree char *plan = g_build_filename(r->dir, HN_STUDY_PLAN, NULL);
  g_autofree char *source = g_build_filename(r->dir, HN_STUDY_SOURCE, NULL);
  g_autoptr(JsonObject) o = hn_json_read(plan, error);
  g_autofree char *yaml = hn_portable_text(p, r->source, UP_STUDY);
  if (!o || !source_is_of_plan(r, o, error)) return false;
  hn_portable_json(p, o, UP_STUDY);
  if (json_object_has_member(o, HN_PLAN_SOURCE)) {
    g_autofree char *sum = hn_checksum_text(yaml, strlen(yaml));
    json_object_set_string_member(o, HN_PLAN_SOURCE, sum);
  }
  g_autofree char *text = hn_json_sealed_text(o);
  if (!add_text_edition(g, HN_PACKAGE_STUDY "/" HN_STUDY_PLAN, plan, text, error)) return false;
  g_autofree char *search = g_build_filename(r->dir, HN_STUDY_SEARCH, NULL);
  if (g_file_test(search, G_FILE_TEST_IS_REGULAR))
    hn_zip_add_file(g->sources, HN_PACKAGE_STUDY "/" HN_STUDY_SEARCH, search);
  if (!*r->source) return true;
  return add_text_edition(g, HN_PACKAGE_STUDY "/" HN_STUDY_SOURCE, source, yaml, error);
}

/* Whether a report leaves such a file: what a killed one left half written has another name. */
static bool is_of_report(const char *name) {
  static const char *const ends[] = {".html", ".csv", ".svg", ".pdf"};
  bool is = false;
  for (guint k = 0; k < G_N_ELEMENTS(ends); k++) is |= g_str_has_suffix(name, ends[k]);
  return is;
}

/* The page and its figures, as they are: of those that name a place of this machine, none. */
static bool add_report(HnGathered *g, const HnPortable *p, const char *below, GError **error) {
  g_autofree char *path = g_build_filename(g->results->dir, below, NULL);
  if (g_file_test(path, G_FILE_TEST_IS_DIR)) {
    g_autoptr(GDir) d = g_dir_open(path, 0, NULL);
    bool ok = true;
    for (const char *name; d && ok && (name = g_dir_read_name(d));) {
      g_autofree char *inner = g_build_filename(below, name, NULL);
      if (*name != '.') ok = add_report(g, p, inner, error);
    }
    return ok;
  }
  if (!g_file_test(path, G_FILE_TEST_IS_REGULAR) || !is_of_report(below)) return true;
  g_autofree char *name = g_build_filename(HN_PACKAGE_STUDY, below, NULL);
  g_autoptr(GBytes) bytes = bytes_of(path, error);
  if (!bytes) return false;
  if (hn_portable_is_in(p, bytes)) {
    g_ptr_array_add(g->notes, g_strdup_printf("%s is not in the package: it names places of the "
                                              "machine; `hunch report study` makes another",
                                              below));
    return true;
  }
  hn_zip_add_bytes(g->sources, name, bytes);
  return true;
}

/* ---- what is allowed ---- */

static bool judge_cell(HnGathered *g, const HnResult *c, const HnPackChoice *choice,
                       GHashTable *commits, GError **error) {
  g_autofree char *cell = g_strdup_printf("%s/%" PRId64, c->arm, c->seed_index);
  const char *commit = hn_result_fact(c, "commit");
  if (g_str_equal(c->status, "damaged"))
    return hn_error_set(error, HN_ERROR_REFUSED, "%s is damaged: %s", cell, c->reason);
  if (!hn_result_done(c) && !choice->unfinished)
    return hn_error_set(error, HN_ERROR_REFUSED,
                        "%s is %s: finish the study, or say --unfinished, which the package will "
                        "say too",
                        cell, c->status);
  if (!hn_result_done(c))
    g_ptr_array_add(g->notes, g_strdup_printf("Cell %s is unfinished: %s.", cell, c->status));
  if (!commit || !g_str_has_suffix(commit, "-dirty")) return true;
  if (!choice->dirty)
    return hn_error_set(error, HN_ERROR_REFUSED,
                        "%s was computed by a program with uncommitted changes (%s): commit, "
                        "build and run again, or say --dirty, which the package will say too",
                        cell, commit);
  if (g_hash_table_add(commits, (gpointer)(guintptr)commit))
    g_ptr_array_add(g->notes, g_strdup_printf("Computed, from cell %s on, by a program with "
                                              "uncommitted changes: commit %s.",
                                              cell, commit));
  return true;
}

/* Arms whose cells are done, but shorter than the study asks: the first of them, and how many more.
 */
static bool judge_lengths(HnGathered *g, const HnPackChoice *choice, GError **error) {
  const HnResults *r = g->results;
  g_auto(HnLengths) l = hn_lengths_new(r);
  const char *last = NULL;
  guint arms = 0;
  g_autoptr(GString) what = g_string_new(NULL);
  for (guint i = 0; i < r->cells->len; i++) {
    const HnResult *c = r->cells->pdata[i];
    if (!hn_length_is_short(r, &l, i) || c->arm == last) continue;
    last = c->arm;
    if (arms++ > 0) continue;
    g_string_append_printf(what, "arm %s: its cells have %" PRId64 " of %" PRId64 " frames", c->arm,
                           l.is[i], l.asked[i / (guint)r->seeds]);
  }
  if (arms > 1)
    g_string_append_printf(what, " (and %u more arm%s fewer than the study asks for)", arms - 1,
                           arms > 2 ? "s have" : " has");
  if (arms && !choice->unfinished)
    return hn_error_set(error, HN_ERROR_REFUSED,
                        "%s: finish the study, or say --unfinished, which the package will say too",
                        what->str);
  if (arms) g_ptr_array_add(g->notes, g_strdup_printf("Unfinished: %s.", what->str));
  return true;
}

static bool judge(HnGathered *g, const HnPackChoice *choice, GError **error) {
  const HnResults *r = g->results;
  g_autoptr(GHashTable) commits = g_hash_table_new(g_str_hash, g_str_equal);
  bool ok = true, any = false;
  for (guint i = 0; i < r->cells->len && ok; i++) {
    const HnResult *c = r->cells->pdata[i];
    ok = judge_cell(g, c, choice, commits, error), any |= c->facts != NULL;
  }
  ok = ok && judge_lengths(g, choice, error);
  return ok && (any || hn_error_set(error, HN_ERROR_REFUSED, "%s: no cell has run", r->dir));
}

/* Places of this machine that every package leaves out. */
static void know_machine(HnPortable *p, const char *dir) {
  g_autofree char *full = g_canonicalize_filename(dir, NULL);
  hn_portable_add(p, full, HN_PACKAGE_STUDY);
  hn_portable_add(p, g_get_home_dir(), "~");
}

static bool gather(HnGathered *g, const HnPackChoice *choice, GError **error) {
  const HnResults *r = g->results;
  g_autoptr(HnPortable) p = hn_portable_new();
  know_machine(p, r->dir);
  if (!judge(g, choice, error) || !(g->scratch = g_dir_make_tmp("hunch-pack-XXXXXX", error)) ||
      !hn_gather_plugins(g, p, choice->unchecked, error) || !add_plan(g, p, error) ||
      !add_report(g, p, "report.html", error) || !add_report(g, p, "report", error))
    return false;
  for (guint i = 0; i < r->cells->len; i++)
    if (!add_cell(g, p, r->cells->pdata[i], choice, error)) return false;
  return true;
}

HnGathered *hn_gather(const HnResults *r, const HnPackChoice *choice, GError **error) {
  HnGathered *g = g_new0(HnGathered, 1);
  g->results = r;
  g->sources = hn_zip_sources_new();
  g->editions = g_ptr_array_new_with_free_func(edition_free);
  g->notes = g_ptr_array_new_with_free_func(g_free);
  if (gather(g, choice, error)) return g;
  hn_gathered_free(g);
  return NULL;
}

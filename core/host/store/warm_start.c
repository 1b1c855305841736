/* warm_start.c - see warm_start.h. */
#include "warm_start.h"
#include "error.h"
#include "json.h"
#include "run_dir.h"
#include "sha256.h"
#include "short_text.h"
#include "warm_start_match.h"
#include <inttypes.h>
#include <string.h>

G_GNUC_PRINTF(4, 5)
static char *blame(const char **key, const char *which, GError **error, const char *format, ...) {
  va_list list;
  va_start(list, format);
  g_autofree char *text = g_strdup_vprintf(format, list);
  va_end(list);
  *key = which;
  hn_error_set(error, HN_ERROR_REFUSED, "%s", text);
  return NULL;
}

static int64_t seed_of(const HnCell *cell) {
  return cell->weights_seed >= 0 ? cell->weights_seed : cell->seed_index;
}

/* The command that makes or finishes the cell; g_free. */
static char *command(const HnCell *cell, const char *study, JsonObject *plan) {
  return g_strdup_printf("hunch run %s -o %s --arm %s --seed %" PRId64,
                         hn_json_string(plan, "file", "STUDY.yaml"), study, cell->weights.arm,
                         seed_of(cell));
}

/* Arms of a plan, NULL-terminated; g_strfreev. */
static char **arms_in(JsonObject *plan) {
  JsonArray *arms = hn_json_array(plan, "arms");
  guint count = arms ? json_array_get_length(arms) : 0;
  char **out = g_new0(char *, count + 1);
  for (guint i = 0; i < count; i++) {
    const char *name = hn_json_string_at(arms, i);
    out[i] = g_strdup(name ? name : "");
  }
  return out;
}

/* Why the cell's folder is not there: the study, the arm, the seed, or it has not run. */
static char *explain(const HnCell *cell, const char *study, JsonObject *plan, const char **key,
                     GError **error) {
  const char *arm = cell->weights.arm;
  if (!g_file_test(study, G_FILE_TEST_IS_DIR))
    return blame(key, "from", error,
                 "%s: there is no such folder; 'hunch run STUDY.yaml -o %s' makes it", study,
                 study);
  if (!plan) {
    g_autofree char *facts = hn_run_file(study, HN_FILE_JSON);
    bool inner = g_file_test(facts, G_FILE_TEST_EXISTS);
    return blame(key, "from", error, "%s is not a study's folder: %s", study,
                 inner ? "it holds a single cell; give the folder two levels up"
                       : "it has no study.json; 'hunch run STUDY.yaml -o FOLDER' makes one");
  }
  g_auto(GStrv) arms = arms_in(plan);
  if (!g_strv_contains((const char *const *)arms, arm)) {
    g_autofree char *hint = hn_diag_hint(arm, (const char *const *)arms);
    return blame(key, "arm", error, "%s has no arm '%s'%s", study, arm, hint);
  }
  int64_t count = hn_json_int(hn_json_object(plan, "seeds"), "count", INT64_MAX);
  if (seed_of(cell) >= count)
    return blame(key, "seed", error, "%s has no seed %" PRId64 " of arm %s; the last is %" PRId64,
                 study, seed_of(cell), arm, count - 1);
  g_autofree char *how = command(cell, study, plan);
  return blame(key, "from", error, "%s has not run arm %s with seed %" PRId64 ": '%s'", study, arm,
               seed_of(cell), how);
}

/* "0, 500, 1000", at most eight and how many more; g_free. */
static char *updates_of(GPtrArray *list) {
  enum { SHOWN = 8 };
  g_autoptr(GPtrArray) updates = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < list->len; i++)
    g_ptr_array_add(updates, g_strdup_printf("%" PRId64, hn_run_checkpoint_update(list->pdata[i])));
  return list->len ? hn_short_list((const char *const *)updates->pdata, updates->len, SHOWN)
                   : g_strdup("none");
}

/* The last checkpoint of a run that is done after `update` updates: no older one stands in. */
static char *last(const char *dir, int64_t update, GPtrArray *list, const char **key,
                  GError **error) {
  g_autofree char *path = hn_run_checkpoint(dir, update), *there = updates_of(list);
  if (update >= 0 && g_file_test(path, G_FILE_TEST_EXISTS)) return g_steal_pointer(&path);
  return blame(key, "from", error,
               "%s: its last checkpoint, of update %" PRId64 ", is missing; it holds those of: %s; "
               "'at' with an update's number takes one of them",
               dir, update, there);
}

/* The checkpoint in the folder of a cell that has run. */
static char *choose(const HnCell *cell, const char *study, const char *dir, JsonObject *plan,
                    JsonObject *facts, const char **key, GError **error) {
  const char *status = hn_json_string(facts, "status", NULL);
  g_autoptr(GError) why = NULL;
  g_autoptr(GPtrArray) list = hn_run_checkpoints(dir, &why);
  if (!list) return blame(key, "from", error, "%s", why->message);
  g_autofree char *how = command(cell, study, plan);
  if (cell->weights_at < 0) {
    if (g_strcmp0(status, "done") != 0)
      return blame(key, "from", error, "%s is %s, not done: '%s' finishes it", dir,
                   status ? status : "unknown", how);
    return last(dir, hn_json_int(facts, "update", -1), list, key, error);
  }
  char *path = hn_run_checkpoint(dir, cell->weights_at);
  if (g_file_test(path, G_FILE_TEST_EXISTS)) return path;
  g_free(path);
  g_autofree char *kept = updates_of(list);
  return blame(key, "at", error,
               "%s has no checkpoint of update %" PRId64
               ", only: %s; run.keep_every says which stay",
               dir, cell->weights_at, kept);
}

char *hn_warm_start_find(const HnCell *cell, const char *study, const char **key, GError **error) {
  g_autofree char *dir = hn_run_dir(study, cell->weights.arm, seed_of(cell));
  g_autofree char *plan_file = g_build_filename(study, HN_STUDY_PLAN, NULL);
  g_autoptr(JsonObject) facts = hn_run_facts(dir, NULL);
  g_autoptr(JsonObject) plan = hn_json_read(plan_file, NULL);
  const char *wanted = cell->weights.identity;
  if (!facts) return explain(cell, study, plan, key, error);
  const char *identity = hn_json_string(facts, "identity", NULL);
  if (!*cell->weights.from && *wanted && g_strcmp0(identity, wanted) != 0)
    return blame(key, "arm", error, "%s holds another configuration than this study's", dir);
  return choose(cell, study, dir, plan, facts, key, error);
}

char *hn_warm_start_sha256(const char *path, GError **error) {
  static GHashTable *known; /* a study's arms start from the same few files */
  if (!known) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
  const char *sum = g_hash_table_lookup(known, path);
  if (sum) return g_strdup(sum);
  g_autoptr(GError) why = NULL;
  GMappedFile *file = g_mapped_file_new(path, false, &why);
  if (!file) {
    hn_error_set(error, HN_ERROR_REFUSED, "%s: %s", path, why->message);
    return NULL;
  }
  char *fresh = hn_sha256_mapped(file);
  g_mapped_file_unref(file);
  g_hash_table_insert(known, g_strdup(path), g_strdup(fresh));
  return fresh;
}

bool hn_warm_start_whole(const HnCell *cell, const char *study, GError **error) {
  const char *key;
  g_autoptr(GError) why = NULL;
  g_autofree char *path = hn_warm_start_find(cell, study, &key, error);
  HnStoredTensors *t = path ? hn_stored_tensors_open(path, &why) : NULL;
  if (why) hn_error_set(error, HN_ERROR_REFUSED, "%s", why->message);
  hn_stored_tensors_free(t);
  return t != NULL;
}

bool hn_warm_start_load(const HnCell *cell, const char *dir, GPtrArray *states, GHashTable *meta,
                        GError **error) {
  const HnWeightsParams *w = &cell->weights;
  g_autofree char *full = g_canonicalize_filename(dir, NULL), *arm = g_path_get_dirname(full);
  g_autofree char *own = g_path_get_dirname(arm);
  const char *key;
  g_autofree char *path = hn_warm_start_find(cell, *w->from ? w->from : own, &key, error);
  g_autofree char *sum = path ? hn_warm_start_sha256(path, error) : NULL;
  if (!sum) return false;
  if (*w->sha256 && strcmp(w->sha256, sum) != 0) {
    return hn_error_set(error, HN_ERROR_REFUSED, "%s has changed: its sha256 is %s, not %s", path,
                        sum, w->sha256);
  }
  if (!hn_warm_start_take(cell, states, path, error)) return false;
  g_hash_table_insert(meta, g_strdup(HN_META_FROM), g_steal_pointer(&path));
  g_hash_table_insert(meta, g_strdup(HN_META_FROM_SHA256), g_steal_pointer(&sum));
  return true;
}

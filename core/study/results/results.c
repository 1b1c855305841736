/* results.c - see results.h. */
#include "results.h"
#include "error.h"
#include "json.h"
#include "partial.h"
#include "plan_file.h"
#include "run_dir.h"
#include "run_json.h"
#include <inttypes.h>
#include <string.h>

static void set_findings(GError **error, const HnDiag *d) {
  g_autofree char *text = hn_diag_text(d);
  hn_error_set(error, HN_ERROR_FILE, "%s", g_strchomp(text));
}

/* ---- cells ---- */

static void result_free(HnResult *c) {
  if (!c) return;
  g_free(c->dir), g_free(c->status), g_free(c->reason);
  g_clear_pointer(&c->facts, json_object_unref);
  if (c->config) hn_node_free(c->config);
  hn_table_free(c->metrics), hn_table_free(c->steps);
  hn_table_free(c->trial), hn_table_free(c->predictions);
  g_free(c);
}

/* Removes all blocks but the last update's, which is the final evaluation. */
static void keep_last_block(HnTable *t) {
  int64_t update = hn_table_find(t, "update");
  if (update < 0 || t->rows == 0) return;
  double last = hn_table_at(t, t->rows - 1, update);
  int64_t first = t->rows;
  while (first > 0 && hn_table_at(t, first - 1, update) == last) first--;
  if (first == 0) return;
  g_array_remove_range(t->values, 0, (guint)(first * t->width));
  g_array_remove_range(t->filled, 0, (guint)(first * t->width));
  t->rows -= first;
}

/* The last block of a table that may be absent. */
static bool read_table(const HnResult *c, HnRunFile file, HnTable **table, GError **error) {
  g_autofree char *path = hn_run_file(c->dir, file);
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) return true;
  *table = hn_table_read(path, error);
  if (*table) keep_last_block(*table);
  return *table;
}

/* The tables of a done cell, or metrics.csv alone, without which it is an error. */
static bool read_tables(HnResult *c, bool all, GError **error) {
  g_autofree char *metrics = hn_run_file(c->dir, HN_FILE_METRICS);
  c->metrics = hn_table_read(metrics, error);
  if (!all) return c->metrics;
  return c->metrics && read_table(c, HN_FILE_STEPS, &c->steps, error) &&
         read_table(c, HN_FILE_TRIAL, &c->trial, error) &&
         read_table(c, HN_FILE_PREDICTIONS, &c->predictions, error);
}

static void mark_damaged(HnResult *c, const char *why) {
  g_free(c->status), g_free(c->reason);
  c->status = g_strdup("damaged"), c->reason = hn_diag_first_line(why);
}

/* What run.json and config.resolved.yaml say; each may be absent. */
static bool read_files(HnResult *c, GError **error) {
  g_autofree char *run = hn_run_file(c->dir, HN_FILE_JSON);
  g_autofree char *config = hn_run_file(c->dir, HN_FILE_CONFIG);
  if (g_file_test(run, G_FILE_TEST_EXISTS) && !(c->facts = hn_run_facts(c->dir, error)))
    return false;
  c->status = g_strdup(c->facts ? hn_json_string(c->facts, "status", "?") : "missing");
  c->reason = g_strdup(hn_json_string(c->facts, "reason", NULL));
  const char *arm = hn_json_string(c->facts, "arm", c->arm);
  const int64_t seed = hn_json_int(c->facts, "seed_index", c->seed_index);
  if (strcmp(arm, c->arm) != 0 || seed != c->seed_index) {
    g_autofree char *why = g_strdup_printf("%s: is of %s/%" PRId64, run, arm, seed);
    mark_damaged(c, why);
  }
  if (!g_file_test(config, G_FILE_TEST_EXISTS)) return true;
  c->config = hn_run_config(c->dir, error);
  return c->config;
}

static HnResult *result_new(char *dir, const char *arm, int64_t seed) {
  HnResult *c = g_new0(HnResult, 1);
  c->arm = arm, c->seed_index = seed, c->dir = dir, c->counts_at = -1;
  return c;
}

HnResult *hn_result_read_facts(const char *study, const char *arm, int64_t seed) {
  g_autoptr(GError) why = NULL;
  HnResult *c = result_new(hn_run_dir(study, arm, seed), arm, seed);
  if (!read_files(c, &why)) mark_damaged(c, why->message);
  return c;
}

/* A done cell whose tables are not what it left is as good as none: the others have theirs. */
static void judge_tables(HnResult *c, bool all) {
  g_autoptr(GError) why = NULL;
  if (hn_run_files_intact(c->dir, c->facts, true, &why) && read_tables(c, all, &why)) return;
  mark_damaged(c, why->message);
  g_clear_pointer(&c->metrics, hn_table_free);
  g_clear_pointer(&c->steps, hn_table_free);
  g_clear_pointer(&c->trial, hn_table_free);
  g_clear_pointer(&c->predictions, hn_table_free);
}

/* Takes over `dir`; adds to so_far what a cell on its way has recorded, or NULL. */
static HnResult *read_cell(char *dir, const char *arm, int64_t seed, bool all, GPtrArray *so_far) {
  g_autoptr(GError) why = NULL;
  HnTable *partial = NULL;
  HnResult *c = result_new(dir, arm, seed);
  if (!read_files(c, &why))
    mark_damaged(c, why->message);
  else if (hn_result_done(c))
    judge_tables(c, all);
  else if (!(partial = hn_partial_read(c, &why)) && why)
    mark_damaged(c, why->message);
  g_ptr_array_add(so_far, partial);
  return c;
}

/* ---- the study ---- */

static bool has_plan(const char *dir) {
  g_autofree char *path = g_build_filename(dir, HN_STUDY_PLAN, NULL);
  return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* The folder of a study in `dir`, whose name is nearest to `name` (NULL: the only one), or NULL. */
static char *study_in(const char *dir, const char *name) {
  g_autoptr(GDir) d = g_dir_open(dir, 0, NULL);
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  for (const char *n; d && (n = g_dir_read_name(d));) {
    g_autofree char *path = g_build_filename(dir, n, NULL);
    if (has_plan(path)) g_ptr_array_add(names, g_strdup(n));
  }
  const char *only = names->len == 1 ? names->pdata[0] : NULL;
  g_ptr_array_add(names, NULL);
  const char *found = name ? hn_diag_nearest(name, (const char *const *)names->pdata) : only;
  if (!found) return NULL;
  return strcmp(dir, ".") ? g_build_filename(dir, found, NULL) : g_strdup(found);
}

/* "; did you mean 'runs/belief'?" for what is no study's folder, or "". */
static char *nearest_study(const char *dir) {
  g_autofree char *above = g_path_get_dirname(dir), *name = g_path_get_basename(dir);
  g_autofree char *found = has_plan(above) ? g_strdup(above) : study_in(dir, NULL);
  if (!found) found = study_in(above, name);
  if (!found) found = study_in("runs", name);
  return found ? g_strdup_printf("; did you mean '%s'?", found) : g_strdup("");
}

static bool read_plan(HnResults *r, GError **error) {
  g_autofree char *path = g_build_filename(r->dir, HN_STUDY_PLAN, NULL);
  g_autofree char *cell = hn_run_file(r->dir, HN_FILE_JSON);
  if (!g_file_test(path, G_FILE_TEST_EXISTS)) {
    const bool single = g_file_test(cell, G_FILE_TEST_EXISTS);
    g_autofree char *near = single ? g_strdup("") : nearest_study(r->dir);
    return hn_error_set(error, HN_ERROR_MISSING, "%s: not a study folder: %s%s", r->dir,
                        single ? "it holds a single cell; give the folder two levels up"
                        : g_file_test(r->dir, G_FILE_TEST_IS_DIR) ? "it has no " HN_STUDY_PLAN
                        : g_file_test(r->dir, G_FILE_TEST_EXISTS) ? "it is a file"
                                                                  : "there is no such folder",
                        near);
  }
  g_autoptr(HnDiag) d = hn_diag_new();
  HnPlan plan = {0};
  const bool ok = hn_plan_file_read(path, &plan, d);
  if (!ok) set_findings(error, d);
  r->study = plan.study, r->file = plan.file;
  r->arms = plan.arms, r->overrides = plan.overrides;
  r->arm_count = ok ? g_strv_length(r->arms) : 0;
  r->seeds = plan.seeds.count, r->root = plan.seeds.root, r->report = plan.report;
  return ok;
}

GPtrArray *hn_result_list(void) {
  return g_ptr_array_new_with_free_func((GDestroyNotify)result_free);
}

static HnResults *results_new(const char *dir) {
  HnResults *r = g_new0(HnResults, 1);
  r->dir = g_strdup(dir);
  r->cells = hn_result_list();
  return r;
}

HnResults *hn_results_read_plan(const char *dir, GError **error) {
  HnResults *r = results_new(dir);
  if (!read_plan(r, error)) g_clear_pointer(&r, hn_results_free);
  return r;
}

static HnResults *read_study(const char *dir, bool all, GError **error) {
  HnResults *r = hn_results_read_plan(dir, error);
  if (!r) return NULL;
  g_autofree char *source = g_build_filename(dir, HN_STUDY_SOURCE, NULL);
  if (!g_file_get_contents(source, &r->source, NULL, NULL)) r->source = g_strdup("");
  g_autoptr(GPtrArray) so_far = g_ptr_array_new_with_free_func((GDestroyNotify)hn_table_free);
  for (int64_t a = 0; a < r->arm_count; a++)
    for (int64_t s = 0; s < r->seeds; s++)
      g_ptr_array_add(r->cells,
                      read_cell(hn_run_dir(dir, r->arms[a], s), r->arms[a], s, all, so_far));
  hn_partial_count(r, so_far);
  return r;
}

HnResults *hn_results_read(const char *dir, GError **error) {
  return read_study(dir, true, error);
}

HnResults *hn_results_read_metrics(const char *dir, GError **error) {
  return read_study(dir, false, error);
}

HnResults *hn_results_read_cell(const char *dir, GError **error) {
  g_autoptr(JsonObject) facts = hn_run_facts(dir, error);
  if (!facts) return NULL;
  const char *arm = hn_json_string(facts, "arm", "");
  const int64_t seed = hn_json_int(facts, "seed_index", -1);
  if (seed < 0 || !hn_plan_names_arm(arm)) {
    hn_error_set(error, HN_ERROR_FILE, "%s: its %s names no arm and seed", dir,
                 hn_run_file_name(HN_FILE_JSON));
    return NULL;
  }
  const HnSchema report = hn_report_schema();
  g_autoptr(HnNode) none = hn_node_map(dir, 0, 0);
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(GPtrArray) so_far = g_ptr_array_new_with_free_func((GDestroyNotify)hn_table_free);
  HnResults *r = results_new(dir);
  hn_params_fill(&report, none, NULL, &r->report, d);
  r->study = g_strdup(hn_json_string(facts, "study", "")), r->file = g_strdup("");
  r->source = g_strdup("");
  r->arms = g_strdupv((char *[]){(char *)(guintptr)arm, NULL}), r->overrides = g_new0(char *, 1);
  r->arm_count = 1, r->seeds = 1, r->single = true;
  g_ptr_array_add(r->cells, read_cell(g_strdup(dir), r->arms[0], seed, true, so_far));
  return r;
}

void hn_results_free(HnResults *r) {
  if (!r) return;
  g_ptr_array_free(r->cells, TRUE);
  g_free(r->dir), g_free(r->study), g_free(r->file), g_free(r->source);
  g_strfreev(r->arms), g_strfreev(r->overrides);
  g_free(r);
}

HnResult *hn_results_cell(const HnResults *r, int64_t arm, int64_t seed) {
  return r->cells->pdata[arm * r->seeds + seed];
}

char *hn_result_name(const HnResult *c) {
  return g_strdup_printf("%s/%" PRId64, c->arm, c->seed_index);
}

HnResult *hn_results_named(const HnResults *r, const char *name, GError **error) {
  g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
  for (guint i = 0; i < r->cells->len; i++) {
    g_ptr_array_add(names, hn_result_name(r->cells->pdata[i]));
    if (g_str_equal(names->pdata[i], name)) return r->cells->pdata[i];
  }
  g_ptr_array_add(names, NULL);
  g_autofree char *hint = hn_diag_hint(name, (const char *const *)names->pdata);
  hn_error_set(error, HN_ERROR_MISSING, "no cell '%s'%s", name, hint);
  return NULL;
}

static HnResult *first(const HnResults *r, int64_t arm, bool (*which)(const HnResult *c)) {
  for (int64_t s = 0; s < r->seeds; s++) {
    HnResult *c = hn_results_cell(r, arm, s);
    if (which(c)) return c;
  }
  return NULL;
}

HnResult *hn_results_first_done(const HnResults *r, int64_t arm) {
  return first(r, arm, hn_result_done);
}

HnResult *hn_results_first(const HnResults *r, int64_t arm) {
  return first(r, arm, hn_result_counts);
}

int64_t hn_results_arm(const HnResults *r, const char *name) {
  for (int64_t a = 0; a < r->arm_count; a++)
    if (g_str_equal(r->arms[a], name)) return a;
  return -1;
}

bool hn_result_done(const HnResult *c) {
  return g_str_equal(c->status, "done");
}

bool hn_result_counts(const HnResult *c) {
  return c->metrics;
}

char **hn_result_files(const HnResult *c) {
  g_autoptr(GStrvBuilder) names = g_strv_builder_new();
  for (int file = 0; file < HN_RUN_FILE_COUNT; file++) {
    g_autofree char *path = hn_run_file(c->dir, (HnRunFile)file);
    if (file != HN_FILE_LOCK && g_file_test(path, G_FILE_TEST_EXISTS))
      g_strv_builder_add(names, hn_run_file_name((HnRunFile)file));
  }
  return g_strv_builder_end(names);
}

JsonNode *hn_result_member(const HnResult *c, const char *path) {
  g_auto(GStrv) parts = g_strsplit(path, ".", -1);
  JsonNode *at = NULL;
  JsonObject *o = c->facts;
  for (char **p = parts; *p; p++) {
    at = o ? json_object_get_member(o, *p) : NULL;
    o = at && JSON_NODE_HOLDS_OBJECT(at) ? json_node_get_object(at) : NULL;
  }
  return at;
}

const char *hn_result_fact(const HnResult *c, const char *path) {
  JsonNode *n = hn_result_member(c, path);
  return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING
             ? json_node_get_string(n)
             : NULL;
}

char **hn_result_plugins(const HnResult *c) {
  static const char *const kinds[] = {"env", "inference", "policy"};
  g_autoptr(GStrvBuilder) all = g_strv_builder_new();
  for (guint k = 0; k < G_N_ELEMENTS(kinds); k++) {
    g_autoptr(GString) path = g_string_new(kinds[k]);
    JsonObject *p = hn_json_object(hn_json_object(c->facts, "plugins"), kinds[k]);
    for (; p; p = hn_json_object(p, "inner"), g_string_append(path, ".inner"))
      g_strv_builder_add(all, path->str);
  }
  return g_strv_builder_end(all);
}

char *hn_result_shown(const HnResult *c, const char *path, const HnNode *value) {
  if (value->kind != HN_NODE_TEXT) {
    char *tree = hn_node_write(value);
    return g_strdelimit(g_strstrip(tree), "\n", ' ');
  }
  g_autofree char *named = g_str_has_suffix(path, ".plugin")
                               ? g_strdup_printf("plugins.%.*s.name", (int)(strlen(path) - 7), path)
                               : NULL;
  const char *name = named && strchr(value->text, '/') ? hn_result_fact(c, named) : NULL;
  if (name) return g_strdup(name);
  return g_path_is_absolute(value->text) ? g_path_get_basename(value->text) : g_strdup(value->text);
}

bool hn_result_unchecked(const HnResult *c, const char *plugin) {
  g_autofree char *path = g_strdup_printf("plugins.%s.checked", plugin);
  JsonNode *n = hn_result_member(c, path);
  return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_BOOLEAN &&
         !json_node_get_boolean(n);
}

const char *hn_result_simulator(const HnResult *c) {
  const char *named = hn_result_fact(c, "simulator");
  if (named) return named;
  JsonArray *names = hn_json_array(c->facts, "libraries");
  for (guint i = 0; names && i < json_array_get_length(names); i++) {
    const char *name = hn_json_string_at(names, i);
    if (name && g_str_has_prefix(name, "libmujoco")) return name;
  }
  return NULL;
}

bool hn_result_privileged(const HnResult *c) {
  static const char *const paths[] = {"plugins.env.privileged", "plugins.inference.privileged",
                                      "plugins.policy.privileged"};
  for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
    JsonNode *n = hn_result_member(c, paths[i]);
    if (n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_BOOLEAN &&
        json_node_get_boolean(n))
      return true;
  }
  return false;
}

bool hn_results_privileged(const HnResults *r, int64_t arm) {
  for (int64_t s = 0; s < r->seeds; s++)
    if (hn_result_privileged(hn_results_cell(r, arm, s))) return true;
  return false;
}

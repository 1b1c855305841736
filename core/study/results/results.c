/* results.c - reads a study folder. */
#include "results.h"
#include "error.h"
#include "json.h"
#include "run_dir.h"
#include "stats.h"
#include <string.h>

static void set_findings(GError **error, const HnDiag *d) {
  g_autofree char *text = hn_diag_text(d);
  hn_error_set(error, HN_ERROR_FILE, "%s", g_strchomp(text));
}

/* ---- the plan ---- */

/* Texts of a member that is a list of them or absent, NULL-terminated. */
static char **texts(const HnNode *plan, const char *key, HnDiag *d) {
  const HnNode *list = hn_node_get(plan, key);
  GStrvBuilder *b = g_strv_builder_new();
  if (list && list->kind != HN_NODE_LIST)
    hn_diag_add(d, list->file, list->line, list->column, "'%s': expected a list", key);
  for (guint i = 0; list && list->kind == HN_NODE_LIST && i < list->items->len; i++) {
    const HnNode *one = list->items->pdata[i];
    if (one->kind == HN_NODE_TEXT)
      g_strv_builder_add(b, one->text);
    else
      hn_diag_add(d, one->file, one->line, one->column, "'%s': expected texts", key);
  }
  char **all = g_strv_builder_end(b);
  g_strv_builder_unref(b);
  return all;
}

/* Names are folders of the study's own. */
static void check_arms(const HnResults *r, const HnNode *plan, HnDiag *d) {
  if (!r->arm_count)
    hn_diag_add(d, plan->file, plan->line, plan->column, "'arms': expected at least one");
  for (char **arm = r->arms; *arm; arm++)
    if (!**arm || **arm == '.' || strchr(*arm, '/'))
      hn_diag_add(d, plan->file, plan->line, plan->column, "'arms': '%s' cannot name an arm", *arm);
}

static char *text_of(const HnNode *plan, const char *key) {
  const HnNode *n = hn_node_get(plan, key);
  return g_strdup(n && n->kind == HN_NODE_TEXT ? n->text : "");
}

/* Takes the plan (JSON that is YAML too), or says in d why it cannot be. */
static void take_plan(HnResults *r, const HnNode *plan, HnDiag *d) {
  static const char *const needed[] = {"study", "arms", "seeds", "report"};
  for (guint i = 0; i < G_N_ELEMENTS(needed); i++)
    if (!hn_node_get(plan, needed[i]))
      hn_diag_add(d, plan->file, plan->line, plan->column, "'%s' is missing: not a study's plan",
                  needed[i]);
  r->study = text_of(plan, "study"), r->file = text_of(plan, "file");
  r->arms = texts(plan, "arms", d), r->overrides = texts(plan, "overrides", d);
  r->arm_count = g_strv_length(r->arms);
  check_arms(r, plan, d);
  HnSchema seeds = hn_seeds_schema(), report = hn_report_schema();
  HnSeedsParams given = {0};
  hn_params_fill(&seeds, hn_node_get(plan, "seeds"), NULL, &given, d);
  hn_params_fill(&report, hn_node_get(plan, "report"), NULL, &r->report, d);
  r->seeds = given.count, r->root = given.root;
}

static bool read_plan(HnResults *r, const char *path, GError **error) {
  HnDiag *d = hn_diag_new();
  HnNode *plan = hn_yaml_read(path, d);
  if (plan && hn_diag_count(d) == 0 && hn_params_map("plan", plan, d)) take_plan(r, plan, d);
  bool ok = plan && hn_diag_count(d) == 0;
  if (!ok) set_findings(error, d);
  if (plan) hn_node_free(plan);
  hn_diag_free(d);
  return ok;
}

/* Removes all blocks but the last update's, which is the final evaluation. */
static void keep_last_block(HnTable *t) {
  gint64 update = hn_table_find(t, "update");
  if (update < 0 || t->rows == 0) return;
  double last = hn_table_at(t, t->rows - 1, update);
  gint64 first = t->rows;
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

/* The tables of a done cell; a done cell without metrics is an error. */
static bool read_tables(HnResult *c, GError **error) {
  g_autofree char *metrics = hn_run_file(c->dir, HN_FILE_METRICS);
  c->metrics = hn_table_read(metrics, error);
  return c->metrics && read_table(c, HN_FILE_STEPS, &c->steps, error) &&
         read_table(c, HN_FILE_TRIAL, &c->trial, error) &&
         read_table(c, HN_FILE_PREDICTIONS, &c->predictions, error);
}

static HnResult *read_cell(const HnResults *r, const char *arm, gint64 seed, GError **error) {
  HnResult *c = g_new0(HnResult, 1);
  c->arm = arm, c->seed_index = seed;
  c->dir = hn_run_dir(r->dir, arm, seed);
  g_autofree char *run = hn_run_file(c->dir, HN_FILE_JSON);
  g_autofree char *config = hn_run_file(c->dir, HN_FILE_CONFIG);
  c->status = g_strdup("missing");
  bool ok = true;
  if (g_file_test(run, G_FILE_TEST_EXISTS)) {
    c->facts = hn_run_facts(c->dir, error);
    ok = c->facts;
    if (ok) {
      g_free(c->status);
      c->status = g_strdup(hn_json_string(c->facts, "status", "?"));
      c->reason = g_strdup(hn_json_string(c->facts, "reason", NULL));
    }
  }
  if (ok && g_file_test(config, G_FILE_TEST_EXISTS)) {
    HnDiag *d = hn_diag_new();
    c->config = hn_yaml_read(config, d);
    if (!c->config) set_findings(error, d);
    ok = c->config;
    hn_diag_free(d);
  }
  if (ok && hn_result_done(c)) ok = read_tables(c, error);
  if (ok) return c;
  hn_result_free(c);
  return NULL;
}

HnResults *hn_results_read(const char *dir, GError **error) {
  HnResults *r = g_new0(HnResults, 1);
  r->dir = g_strdup(dir);
  r->cells = g_ptr_array_new_with_free_func((GDestroyNotify)hn_result_free);
  char *plan = g_build_filename(dir, HN_STUDY_PLAN, NULL);
  char *source = g_build_filename(dir, HN_STUDY_SOURCE, NULL);
  char *cell = hn_run_file(dir, HN_FILE_JSON);
  bool ok = g_file_test(plan, G_FILE_TEST_EXISTS);
  if (!ok)
    hn_error_set(error, HN_ERROR_MISSING, "%s: not a study folder: %s", dir,
                 g_file_test(cell, G_FILE_TEST_EXISTS)
                     ? "it holds a single cell; give the folder two levels up"
                 : g_file_test(dir, G_FILE_TEST_IS_DIR) ? "it has no " HN_STUDY_PLAN
                                                        : "there is no such folder");
  ok = ok && read_plan(r, plan, error);
  if (ok && !g_file_get_contents(source, &r->source, NULL, NULL)) r->source = g_strdup("");
  for (gint64 a = 0; ok && a < r->arm_count; a++)
    for (gint64 s = 0; ok && s < r->seeds; s++) {
      HnResult *c = read_cell(r, r->arms[a], s, error);
      ok = c;
      if (c) g_ptr_array_add(r->cells, c);
    }
  g_free(plan);
  g_free(source);
  g_free(cell);
  if (ok) return r;
  hn_results_free(r);
  return NULL;
}

void hn_result_free(HnResult *c) {
  if (!c) return;
  g_free(c->dir);
  g_free(c->status);
  g_free(c->reason);
  g_clear_pointer(&c->facts, json_object_unref);
  if (c->config) hn_node_free(c->config);
  hn_table_free(c->metrics);
  hn_table_free(c->steps);
  hn_table_free(c->trial);
  hn_table_free(c->predictions);
  g_free(c);
}

void hn_results_free(HnResults *r) {
  if (!r) return;
  g_ptr_array_free(r->cells, TRUE);
  g_free(r->dir);
  g_free(r->study);
  g_free(r->file);
  g_free(r->source);
  g_strfreev(r->arms);
  g_strfreev(r->overrides);
  g_free(r);
}

HnResult *hn_results_cell(const HnResults *r, gint64 arm, gint64 seed) {
  return r->cells->pdata[arm * r->seeds + seed];
}

gint64 hn_results_arm(const HnResults *r, const char *name) {
  for (gint64 a = 0; a < r->arm_count; a++)
    if (g_str_equal(r->arms[a], name)) return a;
  return -1;
}

bool hn_result_done(const HnResult *c) {
  return g_str_equal(c->status, "done");
}

JsonNode *hn_result_member(const HnResult *c, const char *path) {
  char **parts = g_strsplit(path, ".", -1);
  JsonNode *at = NULL;
  JsonObject *o = c->facts;
  for (char **p = parts; *p; p++) {
    at = o ? json_object_get_member(o, *p) : NULL;
    o = at && JSON_NODE_HOLDS_OBJECT(at) ? json_node_get_object(at) : NULL;
  }
  g_strfreev(parts);
  return at;
}

const char *hn_result_fact(const HnResult *c, const char *path) {
  JsonNode *n = hn_result_member(c, path);
  return n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING
             ? json_node_get_string(n)
             : NULL;
}

bool hn_results_privileged(const HnResults *r, gint64 arm) {
  static const char *const paths[] = {"plugins.env.privileged", "plugins.inference.privileged",
                                      "plugins.policy.privileged"};
  for (gint64 s = 0; s < r->seeds; s++)
    for (guint i = 0; i < G_N_ELEMENTS(paths); i++) {
      JsonNode *n = hn_result_member(hn_results_cell(r, arm, s), paths[i]);
      if (n && JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_BOOLEAN &&
          json_node_get_boolean(n))
        return true;
    }
  return false;
}

/* plan_file.c - see plan_file.h. */
#include "plan_file.h"
#include "checksum.h"
#include "json.h"
#include <string.h>

static void add_choice(JsonBuilder *b, const HnSchema *schema, const char *key, int64_t chosen) {
  hn_json_add_string(b, key, hn_params_choice(schema, key, chosen));
}

char *hn_plan_file_text(const HnStudy *study, const char *const *overrides, const char *source) {
  g_autofree char *sum = hn_checksum_text(source, strlen(source));
  const HnReportParams *p = &study->report;
  const HnSchema schema = hn_report_schema();
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "study", study->name);
  hn_json_add_string(b, "file", study->file);
  hn_json_add_strings(b, "arms", study->arms->len, (const char *const *)study->arms->pdata);
  hn_json_open_object(b, "seeds");
  hn_json_add_int(b, "root", study->seeds.root), hn_json_add_int(b, "count", study->seeds.count);
  json_builder_end_object(b);
  hn_json_open_object(b, "report");
  hn_json_add_string(b, "baseline", p->baseline);
  hn_json_add_string(b, "metric", p->metric);
  add_choice(b, &schema, "aggregate", p->aggregate);
  add_choice(b, &schema, "scores", p->scores), add_choice(b, &schema, "adjust", p->adjust);
  add_choice(b, &schema, "resample", p->resample), add_choice(b, &schema, "band", p->band);
  hn_json_add_real(b, "confidence", p->confidence);
  hn_json_add_int(b, "resamples", p->resamples);
  hn_json_add_real(b, "figure_width", p->figure_width);
  hn_json_add_string(b, "figure_font", p->figure_font);
  hn_json_add_real(b, "figure_font_size", p->figure_font_size);
  hn_json_add_real(b, "margin", p->margin);
  json_builder_end_object(b);
  hn_json_add_strv(b, "overrides", overrides);
  hn_json_add_string(b, HN_PLAN_SOURCE, sum);
  return hn_json_end_sealed(b);
}

/* ---- reading ---- */

/* The texts of a list that may be absent, NULL-terminated. */
static char **texts(const HnNode *root, const char *key, HnDiag *d) {
  const HnNode *list = hn_node_get(root, key);
  g_autoptr(GStrvBuilder) b = g_strv_builder_new();
  if (list && list->kind != HN_NODE_LIST) hn_node_refuse(d, list, "'%s': expected a list", key);
  for (guint i = 0; list && list->kind == HN_NODE_LIST && i < list->items->len; i++) {
    const HnNode *one = list->items->pdata[i];
    if (one->kind == HN_NODE_TEXT)
      g_strv_builder_add(b, one->text);
    else
      hn_node_refuse(d, one, "'%s': expected texts", key);
  }
  return g_strv_builder_end(b);
}

bool hn_plan_names_arm(const char *name) {
  return *name && *name != '.' && !strchr(name, '/');
}

static void check_arms(char **arms, const HnNode *root, HnDiag *d) {
  if (!*arms) hn_node_refuse(d, root, "'arms': expected at least one");
  for (char **arm = arms; *arm; arm++)
    if (!hn_plan_names_arm(*arm)) hn_node_refuse(d, root, "'arms': '%s' cannot name an arm", *arm);
}

static char *text_of(const HnNode *root, const char *key) {
  const HnNode *n = hn_node_get(root, key);
  return g_strdup(n && n->kind == HN_NODE_TEXT ? n->text : "");
}

static void fill(HnPlan *plan, const HnNode *root, HnDiag *d) {
  static const char *const needed[] = {"study", "arms", "seeds", "report"};
  const HnSchema seeds = hn_seeds_schema(), report = hn_report_schema();
  for (guint i = 0; i < G_N_ELEMENTS(needed); i++)
    if (!hn_node_get(root, needed[i]))
      hn_node_refuse(d, root, "'%s' is missing: not a study's plan", needed[i]);
  plan->study = text_of(root, "study"), plan->file = text_of(root, "file");
  plan->arms = texts(root, "arms", d), plan->overrides = texts(root, "overrides", d);
  check_arms(plan->arms, root, d);
  hn_params_fill(&seeds, hn_node_get(root, "seeds"), NULL, &plan->seeds, d);
  hn_params_fill(&report, hn_node_get(root, "report"), NULL, &plan->report, d);
}

/* A plan that has a checksum was written by hn_plan_file_text, and is whole or not to be used. */
static void check_seal(const HnNode *root, const char *path, HnDiag *d) {
  if (root->kind != HN_NODE_MAP || !hn_node_get(root, HN_JSON_CHECKSUM)) return;
  g_autoptr(JsonObject) o = hn_json_read(path, NULL);
  if (!o) hn_node_refuse(d, root, "is damaged");
}

bool hn_plan_file_read(const char *path, HnPlan *plan, HnDiag *d) {
  const guint before = hn_diag_count(d);
  g_autoptr(HnNode) root = hn_yaml_read(path, d);
  if (root) check_seal(root, path, d);
  if (root && hn_diag_count(d) == before && hn_params_map("plan", root, d)) fill(plan, root, d);
  return root && hn_diag_count(d) == before;
}

/* plan_file.c - see plan_file.h. */
#include "plan_file.h"
#include "json.h"

char *hn_study_plan(const HnStudy *study, const char *const *overrides) {
  JsonBuilder *b = json_builder_new();
  json_builder_begin_object(b);
  json_builder_set_member_name(b, "study"), json_builder_add_string_value(b, study->name);
  json_builder_set_member_name(b, "file"), json_builder_add_string_value(b, study->file);
  json_builder_set_member_name(b, "arms"), json_builder_begin_array(b);
  for (guint i = 0; i < study->arms->len; i++)
    json_builder_add_string_value(b, study->arms->pdata[i]);
  json_builder_end_array(b);
  json_builder_set_member_name(b, "seeds"), json_builder_begin_object(b);
  json_builder_set_member_name(b, "root"), json_builder_add_int_value(b, study->seeds.root);
  json_builder_set_member_name(b, "count"), json_builder_add_int_value(b, study->seeds.count);
  json_builder_end_object(b);
  const HnReportParams *p = &study->report;
  const HnSchema schema = hn_report_schema();
  json_builder_set_member_name(b, "report"), json_builder_begin_object(b);
  json_builder_set_member_name(b, "baseline"), json_builder_add_string_value(b, p->baseline);
  json_builder_set_member_name(b, "metric"), json_builder_add_string_value(b, p->metric);
  json_builder_set_member_name(b, "aggregate"),
      json_builder_add_string_value(b, hn_params_choice(&schema, "aggregate", p->aggregate));
  json_builder_set_member_name(b, "band"),
      json_builder_add_string_value(b, hn_params_choice(&schema, "band", p->band));
  json_builder_set_member_name(b, "confidence"), json_builder_add_double_value(b, p->confidence);
  json_builder_set_member_name(b, "resamples"), json_builder_add_int_value(b, p->resamples);
  json_builder_end_object(b);
  json_builder_set_member_name(b, "overrides"), json_builder_begin_array(b);
  for (; overrides && *overrides; overrides++) json_builder_add_string_value(b, *overrides);
  json_builder_end_array(b);
  json_builder_end_object(b);
  JsonNode *root = json_builder_get_root(b);
  char *text = hn_json_text(root);
  json_node_unref(root);
  g_object_unref(b);
  return text;
}

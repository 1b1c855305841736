/* plan_file.c - see plan_file.h. */
#include "plan_file.h"
#include "json.h"

char *hn_study_plan(const HnStudy *study, const char *const *overrides) {
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
  hn_json_add_string(b, "aggregate", hn_params_choice(&schema, "aggregate", p->aggregate));
  hn_json_add_string(b, "band", hn_params_choice(&schema, "band", p->band));
  hn_json_add_real(b, "confidence", p->confidence);
  hn_json_add_int(b, "resamples", p->resamples);
  json_builder_end_object(b);
  hn_json_add_strv(b, "overrides", overrides);
  return hn_json_end(b);
}

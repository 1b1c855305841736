/* render_json.c - see render_json.h. */
#include "render_json.h"
#include "json.h"
#include <math.h>

void hn_render_json_estimate(JsonBuilder *b, const char *name, const HnEstimate *e) {
  hn_json_open_object(b, name);
  hn_json_add_int(b, "seeds", e->n);
  hn_json_add_real(b, "value", e->value);
  hn_json_add_real(b, "low", e->low);
  hn_json_add_real(b, "high", e->high);
  hn_json_add_string(b, "interval", hn_interval_name(e->interval));
  hn_json_add_bool(b, "coarse", e->coarse);
  json_builder_end_object(b);
}

static void add_column(JsonBuilder *b, const HnComparison *c, const HnCompared *m) {
  const HnResults *r = c->results;
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "column", m->column);
  hn_json_add_string(b, "unit", m->unit);
  hn_json_add_string(b, "better", m->better > 0 ? "higher" : m->better < 0 ? "lower" : "unknown");
  hn_json_open_array(b, "arms");
  for (int64_t a = 0; a < r->arm_count; a++) {
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "arm", r->arms[a]);
    if (c->counts_at[a] >= 0) hn_json_add_int(b, "as_of_update", c->counts_at[a]);
    hn_json_open_array(b, "final");
    for (int64_t s = 0; s < r->seeds; s++) hn_json_add_real(b, NULL, m->final[a * r->seeds + s]);
    json_builder_end_array(b);
    for (int k = 0; k < HN_STATISTICS; k++)
      hn_render_json_estimate(b, hn_statistics[k].key, &m->estimate[a][k]);
    hn_json_add_real(b, "p", m->estimate[a][HN_DIFFERENCE].p);
    hn_json_add_real(b, "p_adjusted", m->adjusted ? m->p[a] : (double)NAN);
    hn_json_add_string(b, "verdict", hn_compared_verdict(m, a));
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  json_builder_end_object(b);
}

/* Which share of an arm's scores is above each level. */
static void add_profile(JsonBuilder *b, const HnComparison *c, const HnTaskComparison *t) {
  hn_json_open_object(b, "profile");
  hn_json_open_array(b, "above");
  for (int l = 0; l < HN_PROFILE_LEVELS; l++) hn_json_add_real(b, NULL, t->level[l]);
  json_builder_end_array(b);
  hn_json_open_array(b, "arms");
  for (int64_t a = 0; a < c->results->arm_count; a++) {
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "arm", c->results->arms[a]);
    hn_json_open_array(b, "share");
    for (int l = 0; l < HN_PROFILE_LEVELS; l++)
      hn_json_add_real(b, NULL, t->profile[a * HN_PROFILE_LEVELS + l]);
    json_builder_end_array(b), json_builder_end_object(b);
  }
  json_builder_end_array(b), json_builder_end_object(b);
}

static void add_columns(JsonBuilder *b, const HnComparison *c, const char *name,
                        const GPtrArray *columns) {
  hn_json_open_array(b, name);
  for (guint i = 0; i < columns->len; i++) add_column(b, c, columns->pdata[i]);
  json_builder_end_array(b);
}

static void add_tasks(JsonBuilder *b, const HnComparison *c, const GPtrArray *tasks) {
  hn_json_open_array(b, "tasks");
  for (guint i = 0; i < tasks->len; i++) {
    const HnTaskComparison *t = tasks->pdata[i];
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "split", t->split);
    hn_json_add_string(b, "column", t->column);
    add_columns(b, c, "rows", t->rows), add_columns(b, c, "scores", t->scores);
    if (t->profile) add_profile(b, c, t);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

static void add_reach(JsonBuilder *b, const HnComparison *c, const HnReach *r) {
  hn_json_open_object(b, "reach");
  hn_json_add_string(b, "column", r->column);
  hn_json_add_real(b, "value", r->value);
  hn_json_add_bool(b, "below", r->below);
  hn_json_open_array(b, "arms");
  for (int64_t a = 0; a < r->arms; a++) {
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "arm", c->results->arms[a]);
    hn_json_add_int(b, "reached", r->reached[a]);
    hn_render_json_estimate(b, "frames", &r->frames[a]);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  hn_json_open_array(b, "area");
  add_column(b, c, r->area);
  json_builder_end_array(b), json_builder_end_object(b);
}

static void add_lines(JsonBuilder *b, const char *name, const GPtrArray *lines) {
  hn_json_add_strings(b, name, lines->len, (const char *const *)lines->pdata);
}

char *hn_render_json(const HnComparison *c, const GPtrArray *tasks, const HnReach *reach) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "study", c->results->study);
  hn_json_add_string(b, "baseline", c->results->arms[c->baseline]);
  hn_json_add_string(b, "aggregate", hn_aggregate_name(hn_stats_kind(c->stats)));
  hn_json_add_string(b, "adjust", c->results->report.adjust == HN_ADJUST_HOLM ? "holm" : "none");
  hn_json_add_real(b, "confidence", hn_stats_confidence(c->stats));
  hn_json_add_int(b, "cells_done", c->done);
  hn_json_add_int(b, "cells_failed", c->failed);
  hn_json_add_int(b, "cells", c->results->cells->len);
  add_columns(b, c, "columns", c->columns);
  if (tasks) add_tasks(b, c, tasks);
  if (reach) add_reach(b, c, reach);
  add_lines(b, "origin", c->origin);
  add_lines(b, "absent", c->absent);
  add_lines(b, "partial", c->partial);
  add_lines(b, "notes", c->notes);
  return hn_json_end(b);
}

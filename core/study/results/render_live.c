/* render_live.c - see render_live.h. */
#include "render_live.h"
#include "json.h"
#include "short_text.h"
#include "text_table.h"
#include <inttypes.h>
#include <math.h>

enum { WIDTH = 100 };

static char *number(double x) {
  return isnan(x) ? g_strdup("-") : g_strdup_printf("%.4g", x);
}

static char *update_of(const HnLiveCell *c, const char *of) {
  return c->updates < 0 ? g_strdup_printf("%" PRId64 "%s?", c->update, of)
                        : g_strdup_printf("%" PRId64 "%s%" PRId64, c->update, of, c->updates);
}

char *hn_render_live_work(const HnLiveCell *c) {
  g_autofree char *update = update_of(c, " of ");
  if (!hn_live_cell_is_running(c)) return g_strconcat("update ", update, NULL);
  if (c->pid <= 0) return g_strdup_printf("update %s by another process", update);
  return g_strdup_printf("update %s by process %" PRId64 " on %s", update, c->pid, c->host);
}

/* What is to be said of a cell beside its numbers, or NULL. */
static char *remark_of(const HnLiveCell *c) {
  if (c->state == HN_LIVE_STOPPED)
    return g_strdup("a signal holds its process; SIGCONT lets it go on");
  if (c->quiet > 0) {
    g_autofree char *since = hn_short_duration(c->quiet);
    return g_strdup_printf("no update for %s", since);
  }
  return c->reason ? g_strdup(c->reason) : NULL;
}

/* ---- text ---- */

char *hn_render_live_heading(const HnLive *live) {
  const HnResults *plan = live->plan;
  GString *out = g_string_new(NULL);
  g_string_printf(out, "%s: %" PRId64 " of %u cell%s done", plan->study, live->count[HN_LIVE_DONE],
                  live->cells->len, hn_plural(live->cells->len));
  for (HnLiveState s = 0; s < HN_LIVE_STATE_COUNT; s++)
    if (s != HN_LIVE_DONE && live->count[s])
      g_string_append_printf(out, ", %" PRId64 " %s", live->count[s], hn_live_state_name(s));
  if (!isnan(live->left)) {
    g_autofree char *left = hn_short_duration(live->left);
    g_string_append_printf(out, "; %s left", left);
  }
  return g_string_free(out, FALSE);
}

static void add_cell(HnTextTable *t, const HnLiveCell *c) {
  const bool begun = c->state != HN_LIVE_WAITING;
  hn_text_table_add(t, g_strdup(c->arm));
  hn_text_table_add(t, g_strdup_printf("%" PRId64, c->seed_index));
  hn_text_table_add(t, g_strdup(hn_live_state_name(c->state)));
  hn_text_table_add(t, begun || c->updates >= 0 ? update_of(c, "/") : g_strdup("-"));
  hn_text_table_add(t, isnan(c->rate) ? g_strdup("-") : hn_short_number(c->rate));
  hn_text_table_add(t, isnan(c->left) ? g_strdup("-") : hn_short_duration(c->left));
  hn_text_table_add(t, number(c->metric));
  hn_text_table_add(t, c->metric_update < 0 ? g_strdup("-")
                                            : g_strdup_printf("%" PRId64, c->metric_update));
  hn_text_table_add(t, g_strdup(c->host ? c->host : "-"));
  hn_text_table_add(t, c->pid > 0 ? g_strdup_printf("%" PRId64, c->pid) : g_strdup("-"));
}

static bool is_at_rest(const HnLiveCell *c) {
  return c->state == HN_LIVE_DONE || c->state == HN_LIVE_WAITING;
}

static void add_table(const HnLive *live, bool all, GString *out) {
  static const char *const heads[] = {"arm",  "seed", "state", "update", "frames/s",
                                      "left", NULL,   "at",    "host",   "pid"};
  HnTextTable t = hn_text_table("lrlhhhhhlh");
  for (guint i = 0; i < G_N_ELEMENTS(heads); i++)
    hn_text_table_add(&t, g_strdup(heads[i] ? heads[i] : live->plan->report.metric));
  for (guint i = 0; i < live->cells->len; i++)
    if (all || !is_at_rest(live->cells->pdata[i])) add_cell(&t, live->cells->pdata[i]);
  hn_text_table_end(&t, WIDTH, out);
}

char *hn_render_live(const HnLive *live, int rows) {
  g_autofree char *heading = hn_render_live_heading(live);
  GString *out = g_string_new(heading);
  const bool all = rows <= 0 || (int)live->cells->len <= rows;
  g_string_append_c(out, '\n');
  add_table(live, all, out);
  if (!all)
    g_string_append_printf(out, "  .. and %" PRId64 " done, %" PRId64 " waiting\n",
                           live->count[HN_LIVE_DONE], live->count[HN_LIVE_WAITING]);
  for (guint i = 0; i < live->cells->len; i++) {
    const HnLiveCell *c = live->cells->pdata[i];
    g_autofree char *remark = remark_of(c);
    if (remark) g_string_append_printf(out, "%s/%" PRId64 ": %s\n", c->arm, c->seed_index, remark);
  }
  return g_string_free(out, FALSE);
}

char *hn_render_live_line(const HnLiveCell *c, const char *metric) {
  g_autofree char *work = hn_render_live_work(c), *remark = remark_of(c);
  GString *out = g_string_new(NULL);
  g_string_printf(out, "%s/%" PRId64 ": %s, %s", c->arm, c->seed_index,
                  hn_live_state_name(c->state), work);
  if (!isnan(c->rate)) {
    g_autofree char *rate = hn_short_number(c->rate);
    g_string_append_printf(out, ", %s frames/s", rate);
  }
  if (!isnan(c->left)) {
    g_autofree char *left = hn_short_duration(c->left);
    g_string_append_printf(out, ", %s left", left);
  }
  if (c->metric_update >= 0) {
    g_autofree char *value = number(c->metric);
    g_string_append_printf(out, ", %s %s at update %" PRId64, metric, value, c->metric_update);
  }
  if (remark) g_string_append_printf(out, ": %s", remark);
  return g_string_free(out, FALSE);
}

/* ---- JSON ---- */

/* What is not known is null. */
static void add_known(JsonBuilder *b, const char *name, int64_t x) {
  if (x >= 0)
    hn_json_add_int(b, name, x);
  else
    hn_json_add_string(b, name, NULL);
}

void hn_render_live_members(JsonBuilder *b, const HnLiveCell *c) {
  hn_json_add_string(b, "arm", c->arm);
  hn_json_add_int(b, "seed_index", c->seed_index);
  hn_json_add_string(b, "state", hn_live_state_name(c->state));
  hn_json_add_int(b, "update", c->update);
  add_known(b, "updates", c->updates);
  hn_json_add_int(b, "frames", c->frames);
  add_known(b, "frames_total", c->frames_total);
  hn_json_add_real(b, "frames_per_second", c->rate);
  hn_json_add_real(b, "seconds_left", c->left);
  hn_json_add_real(b, "seconds_without_update", c->quiet);
  hn_json_add_real(b, "metric", c->metric);
  add_known(b, "metric_update", c->metric_update);
  hn_json_add_string(b, "host", c->host);
  add_known(b, "pid", c->pid > 0 ? c->pid : -1);
  hn_json_add_string(b, "written", c->written);
  hn_json_add_string(b, "reason", c->reason);
}

char *hn_render_live_json(const HnLive *live) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "study", live->plan->study);
  hn_json_add_string(b, "folder", live->plan->dir);
  hn_json_add_string(b, "metric", live->plan->report.metric);
  hn_json_add_int(b, "cells_total", live->cells->len);
  for (HnLiveState s = 0; s < HN_LIVE_STATE_COUNT; s++)
    hn_json_add_int(b, hn_live_state_name(s), live->count[s]);
  hn_json_add_real(b, "seconds_left", live->left);
  hn_json_open_array(b, "cells");
  for (guint i = 0; i < live->cells->len; i++) {
    hn_json_open_object(b, NULL);
    hn_render_live_members(b, live->cells->pdata[i]);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  return hn_json_end(b);
}

/* cmd_runs.c - `hunch runs [DIR]`: the studies below a folder, a line each. */
#include "json.h"
#include "message.h"
#include "options.h"
#include "summary.h"
#include "text_table.h"
#include "verbs.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

enum { WIDTH = 100 };

/* "2026-01-02 03:04" by this machine's clock, of "2026-01-02T03:04:05Z". */
static char *local_time(const char *utc) {
  g_autoptr(GDateTime) then = utc ? g_date_time_new_from_iso8601(utc, NULL) : NULL;
  g_autoptr(GDateTime) here = then ? g_date_time_to_local(then) : NULL;
  return here ? g_date_time_format(here, "%Y-%m-%d %H:%M") : g_strdup("-");
}

/* "belief 1.6". */
static char *arm_value(const HnSummary *s, int64_t arm, double value) {
  if (arm < 0 || isnan(value)) return g_strdup("-");
  return g_strdup_printf("%s %.4g", s->live->plan->arms[arm], value);
}

static void add_row(HnTextTable *t, const HnSummary *s) {
  const HnLive *live = s->live;
  hn_text_table_add(t, hn_diag_printable(s->dir));
  hn_text_table_add(t, local_time(s->written));
  hn_text_table_add(
      t, live ? g_strdup_printf("%" PRId64 "/%u", live->count[HN_LIVE_DONE], live->cells->len)
              : g_strdup("-"));
  hn_text_table_add(t, g_strdup(live ? hn_live_state_name(s->state) : "damaged"));
  hn_text_table_add(t, g_strdup(live ? live->plan->report.metric : "-"));
  hn_text_table_add(t, live ? arm_value(s, s->best, s->best_value) : g_strdup("-"));
  hn_text_table_add(t, live ? arm_value(s, s->baseline, s->baseline_value) : g_strdup("-"));
}

static void print_table(const GPtrArray *all) {
  static const char *const heads[] = {"study",  "last written", "done",    "state",
                                      "metric", "best",         "baseline"};
  HnTextTable t = hn_text_table("llhllll");
  GString *out = g_string_new(NULL);
  for (guint i = 0; i < G_N_ELEMENTS(heads); i++) hn_text_table_add(&t, g_strdup(heads[i]));
  for (guint i = 0; i < all->len; i++) add_row(&t, all->pdata[i]);
  hn_text_table_end(&t, WIDTH, out);
  fputs(out->str, stdout);
  g_string_free(out, TRUE);
}

static void add_arm(JsonBuilder *b, const char *name, const HnSummary *s, int64_t arm,
                    double value) {
  hn_json_open_object(b, name);
  hn_json_add_string(b, "arm", arm < 0 ? NULL : s->live->plan->arms[arm]);
  hn_json_add_real(b, "value", value);
  json_builder_end_object(b);
}

static void add_json(JsonBuilder *b, const HnSummary *s) {
  const HnLive *live = s->live;
  hn_json_open_object(b, NULL);
  hn_json_add_string(b, "folder", s->dir);
  hn_json_add_string(b, "error", s->error);
  if (live) {
    hn_json_add_string(b, "study", live->plan->study);
    hn_json_add_string(b, "written", s->written);
    hn_json_add_string(b, "state", hn_live_state_name(s->state));
    hn_json_add_int(b, "cells", live->cells->len);
    for (HnLiveState state = 0; state < HN_LIVE_STATE_COUNT; state++)
      hn_json_add_int(b, hn_live_state_name(state), live->count[state]);
    hn_json_add_string(b, "metric", live->plan->report.metric);
    add_arm(b, "best", s, s->best, s->best_value);
    add_arm(b, "baseline", s, s->baseline, s->baseline_value);
  }
  json_builder_end_object(b);
}

static void print_json(const char *dir, const GPtrArray *all) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "folder", dir);
  hn_json_open_array(b, "studies");
  for (guint i = 0; i < all->len; i++) add_json(b, all->pdata[i]);
  json_builder_end_array(b);
  g_autofree char *text = hn_json_end(b);
  fputs(text, stdout);
}

int hn_cmd_runs(int argc, char **argv) {
  gboolean json = FALSE;
  GOptionEntry entries[] = {{"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON.", NULL}, {NULL}};
  const HnVerb *verb = hn_verb_find(argv[0]);
  int code = hn_options_parse(verb, entries, &argc, &argv);
  if (code >= 0) return code;
  if (argc > 2 || (argc == 2 && !*argv[1]))
    return hn_options_refuse(verb, "expected one folder, or none for 'runs'");
  const char *dir = argc == 2 ? argv[1] : "runs";
  g_autoptr(GError) error = NULL;
  g_autoptr(GPtrArray) all = hn_summaries(dir, &error);
  if (!all) {
    hn_message_error(verb->name, "%s", error->message);
    return hn_verb_exit_code(error);
  }
  if (json)
    print_json(dir, all);
  else if (all->len)
    print_table(all);
  for (guint i = 0; i < all->len; i++) {
    const HnSummary *s = all->pdata[i];
    if (s->error) hn_message_warning(verb->name, "%s", s->error);
  }
  if (!all->len) g_printerr("%s: no study in it\n", dir);
  return HN_EXIT_DONE;
}

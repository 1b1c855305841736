/* feed.c - see feed.h. */
#include "feed.h"
#include "colours.h"
#include "growing_curve.h"
#include "json.h"
#include "metric_info.h"
#include "render_live.h"
#include "run_dir.h"
#include <glib/gstdio.h>
#include <string.h>

enum { POINTS = 1 << 16 /* of all curves */, POINTS_LEAST = 64, POINTS_MOST = 512 /* of each */ };

typedef struct Watched {
  const HnLiveCell *seen; /* at the last look; only to be compared */
  HnGrowingCurve *curve;
  char *said;     /* of the cell, without its points */
  int64_t from;   /* of the points, what had been there before the last look, */
  bool changed;   /* and whether that found anything new */
  int64_t length; /* points then */
} Watched;

struct HnFeed {
  char *dir;
  HnLive *live;
  Watched *cell; /* as many as live has */
  GStatBuf plan; /* study.json as read */
  bool report;   /* there is one */
  char *said;    /* of the whole */
};

static void watched_clear(Watched *w) {
  hn_growing_curve_free(w->curve);
  g_free(w->said);
}

static void forget(HnFeed *f) {
  for (guint i = 0; f->live && i < f->live->cells->len; i++) watched_clear(&f->cell[i]);
  g_clear_pointer(&f->cell, g_free);
  g_clear_pointer(&f->live, hn_live_free);
}

void hn_feed_free(HnFeed *f) {
  if (!f) return;
  forget(f);
  g_free(f->dir), g_free(f->said);
  g_free(f);
}

const HnLive *hn_feed_live(const HnFeed *f) {
  return f->live;
}

/* ---- what is said ---- */

static void add_numbers(JsonBuilder *b, const char *name, const double *x, int64_t n) {
  hn_json_open_array(b, name);
  for (int64_t i = 0; i < n; i++) hn_json_add_real(b, NULL, x[i]);
  json_builder_end_array(b);
}

static void add_cell(JsonBuilder *b, const HnFeed *f, guint i, int64_t from) {
  const HnGrowingCurve *c = f->cell[i].curve;
  const int64_t n = hn_growing_curve_length(c) - from;
  hn_json_open_object(b, NULL);
  hn_json_add_int(b, "index", i);
  hn_render_live_members(b, f->live->cells->pdata[i]);
  hn_json_add_int(b, "from", from);
  add_numbers(b, "steps", hn_growing_curve_steps(c) + from, n);
  add_numbers(b, "values", hn_growing_curve_values(c) + from, n);
  json_builder_end_object(b);
}

static void add_whole(JsonBuilder *b, const HnFeed *f) {
  hn_json_open_object(b, "count");
  for (HnLiveState s = 0; s < HN_LIVE_STATE_COUNT; s++)
    hn_json_add_int(b, hn_live_state_name(s), f->live->count[s]);
  json_builder_end_object(b);
  hn_json_add_real(b, "seconds_left", f->live->left);
  hn_json_add_bool(b, "report", f->report);
}

/* The baseline has slot 0, the others those that follow while there are any. */
static void add_arms(JsonBuilder *b, const HnResults *plan) {
  const int64_t named = hn_results_arm(plan, plan->report.baseline), baseline = MAX(named, 0);
  hn_json_open_array(b, "arms");
  for (int64_t a = 0; a < plan->arm_count; a++) {
    const int64_t slot = a == baseline ? 0 : a < baseline ? a + 1 : a;
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "name", plan->arms[a]);
    hn_json_add_int(b, "slot", slot < HN_SLOTS ? slot : -1);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

/* A cell of each arm that has begun: what an evaluation is of is only known from those. */
static GPtrArray *begun_cells(const HnLive *live) {
  const HnResults *plan = live->plan;
  GPtrArray *cells = hn_result_list();
  for (int64_t a = 0; a < plan->arm_count; a++)
    for (int64_t s = 0; s < plan->seeds; s++) {
      const HnLiveCell *c = live->cells->pdata[a * plan->seeds + s];
      if (c->state == HN_LIVE_WAITING || c->state == HN_LIVE_DAMAGED) continue;
      g_ptr_array_add(cells, hn_result_read_facts(plan->dir, plan->arms[a], s));
      break;
    }
  return cells;
}

static void add_study(JsonBuilder *b, const HnLive *live) {
  const HnResults *plan = live->plan;
  const char *metric = plan->report.metric;
  g_autoptr(GPtrArray) cells = begun_cells(live);
  g_autofree char *words = hn_metric_words(cells, metric);
  hn_json_add_string(b, "study", plan->study);
  hn_json_add_string(b, "metric", metric);
  hn_json_add_string(b, "words", words);
  hn_json_add_string(b, "unit", hn_metric_unit(plan, metric));
  hn_json_add_int(b, "seeds", plan->seeds);
  add_arms(b, plan);
}

/* Takes over b. */
static GBytes *event(const char *name, JsonBuilder *b) {
  g_autofree char *data = hn_json_end_line(b);
  char *text = g_strdup_printf("event: %s\ndata: %s\n\n", name, data);
  return g_bytes_new_take(text, strlen(text));
}

GBytes *hn_feed_state(HnFeed *f) {
  JsonBuilder *b = hn_json_begin();
  add_study(b, f->live);
  add_whole(b, f);
  hn_json_open_array(b, "cells");
  for (guint i = 0; i < f->live->cells->len; i++) add_cell(b, f, i, 0);
  json_builder_end_array(b);
  return event("study", b);
}

/* Of cells that have changed. */
static GBytes *change(const HnFeed *f) {
  JsonBuilder *b = hn_json_begin();
  add_whole(b, f);
  hn_json_open_array(b, "cells");
  for (guint i = 0; i < f->live->cells->len; i++)
    if (f->cell[i].changed) add_cell(b, f, i, f->cell[i].from);
  json_builder_end_array(b);
  return event("change", b);
}

/* ---- looking ---- */

/* Takes over `now`; whether it differs from what was said before. */
static bool says_more(char **said, char *now) {
  const bool more = g_strcmp0(*said, now) != 0;
  g_free(*said);
  *said = now;
  return more;
}

static char *words_of(const HnLiveCell *c) {
  JsonBuilder *b = hn_json_begin();
  hn_render_live_members(b, c);
  return hn_json_end_line(b);
}

/* A cell that was done and still is has nothing new: hn_live_refresh then leaves it as it was. */
static bool look_at(Watched *w, const HnLiveCell *c) {
  w->changed = false;
  if (w->seen == c && c->state == HN_LIVE_DONE) return false;
  w->seen = c;
  w->from = hn_growing_curve_look(w->curve);
  const int64_t length = hn_growing_curve_length(w->curve);
  w->changed = length != w->from || w->length != w->from;
  w->length = length;
  if (says_more(&w->said, words_of(c))) w->changed = true;
  return w->changed;
}

static bool look_at_whole(HnFeed *f) {
  g_autofree char *report = g_build_filename(f->dir, "report.html", NULL);
  f->report = g_file_test(report, G_FILE_TEST_IS_REGULAR);
  JsonBuilder *b = hn_json_begin();
  add_whole(b, f);
  return says_more(&f->said, hn_json_end_line(b));
}

static bool look(HnFeed *f) {
  bool any = look_at_whole(f);
  for (guint i = 0; i < f->live->cells->len; i++)
    any |= look_at(&f->cell[i], f->live->cells->pdata[i]);
  return any;
}

static GStatBuf plan_of(const char *dir) {
  g_autofree char *path = g_build_filename(dir, HN_STUDY_PLAN, NULL);
  GStatBuf file;
  if (g_stat(path, &file) != 0) memset(&file, 0, sizeof file);
  return file;
}

/* Reads the plan and all cells; on failure the feed stays as it was. */
static bool begin(HnFeed *f, GError **error) {
  const GStatBuf plan = plan_of(f->dir);
  HnLive *live = hn_live_read(f->dir, error);
  if (!live) return false;
  forget(f);
  f->live = live, f->plan = plan;
  const guint n = live->cells->len;
  const int64_t most = CLAMP(POINTS / MAX(n, 1), POINTS_LEAST, POINTS_MOST);
  f->cell = g_new0(Watched, n);
  for (guint i = 0; i < n; i++) {
    const HnLiveCell *c = live->cells->pdata[i];
    g_autofree char *folder = hn_run_dir(f->dir, c->arm, c->seed_index);
    g_autofree char *table = hn_run_file(folder, HN_FILE_METRICS);
    f->cell[i].curve = hn_growing_curve_new(table, live->plan->report.metric, most);
  }
  look(f);
  return true;
}

HnFeed *hn_feed_new(const char *dir, GError **error) {
  HnFeed *f = g_new0(HnFeed, 1);
  f->dir = g_strdup(dir);
  if (!begin(f, error)) g_clear_pointer(&f, hn_feed_free);
  return f;
}

GBytes *hn_feed_look(HnFeed *f) {
  const GStatBuf now = plan_of(f->dir);
  const bool replanned =
      now.st_ino != f->plan.st_ino || now.st_mtim.tv_sec != f->plan.st_mtim.tv_sec ||
      now.st_mtim.tv_nsec != f->plan.st_mtim.tv_nsec || now.st_size != f->plan.st_size;
  if (replanned && now.st_size > 0 && begin(f, NULL)) return hn_feed_state(f);
  hn_live_refresh(f->live);
  return look(f) ? change(f) : NULL;
}

/* render_reach.c - see render_reach.h. */
#include "render_reach.h"
#include "format.h"
#include <math.h>

static char *frames_text(double frames) {
  if (isnan(frames)) return g_strdup("-");
  return isinf(frames) ? g_strdup("not reached") : g_strdup_printf("%.0f", frames);
}

static void add_arm(HnTextTable *t, const HnComparison *c, const HnReach *r, int64_t arm) {
  const HnEstimate *e = &r->frames[arm];
  hn_text_table_add(t, g_strdup(c->results->arms[arm]));
  hn_text_table_add(
      t, g_strdup_printf("%" G_GINT64_FORMAT " of %" G_GINT64_FORMAT, r->reached[arm], e->n));
  hn_text_table_add(t, frames_text(e->value));
  g_autofree char *low = frames_text(e->low), *high = frames_text(e->high);
  hn_text_table_add(t, e->interval == HN_INTERVAL_NONE ? g_strdup("")
                                                       : g_strdup_printf("[%s, %s]", low, high));
}

static bool lacks_interval(const HnReach *r) {
  for (int64_t a = 0; a < r->arms; a++)
    if (r->frames[a].n && r->frames[a].interval == HN_INTERVAL_NONE) return true;
  return false;
}

char *hn_render_reach(const HnComparison *c, const HnReach *r, HnSheetStyle style) {
  GString *out = g_string_new(NULL);
  HnMethods shown = {.paired = true};
  hn_methods_add(&shown, r->area);
  for (int64_t a = 0; a < r->arms; a++) shown.interval[r->frames[a].interval] = true;
  g_autofree char *methods = hn_methods_text(&shown, c);
  hn_render_heading(c, methods, style, out);
  HnTextTable t = hn_text_table("lrrh");
  hn_text_table_add(&t, g_strdup("arm")), hn_text_table_add(&t, g_strdup("seeds that did"));
  hn_text_table_add(&t, g_strdup("median")), hn_text_table_add(&t, hn_format_confidence(c));
  for (int64_t a = 0; a < r->arms; a++) add_arm(&t, c, r, a);
  g_autofree char *title = g_strdup_printf("Frames until %s is at %s %g", r->column,
                                           r->below ? "most" : "least", r->value);
  hn_sheet_end(&t, title, style, out);
  hn_render_compared(c, r->area, style, out);
  if (style == HN_SHEET_TEXT) g_string_append_c(out, '\n');
  hn_sheet_line("note: A seed that never was there counts as later than all that were.", style,
                out);
  g_autofree char *few = g_strdup_printf("note: No interval of a median below %" G_GINT64_FORMAT
                                         " seeds: run more seeds.",
                                         hn_median_needs(hn_stats_confidence(c->stats)));
  if (lacks_interval(r)) hn_sheet_line(few, style, out);
  return g_string_free(out, FALSE);
}

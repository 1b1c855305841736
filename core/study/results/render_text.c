/* render_text.c - see render_text.h. */
#include "render_text.h"
#include "format.h"
#include "scores.h"
#include "short_text.h"
#include <math.h>
#include <string.h>

static void add_head(HnTextTable *t, const HnComparison *c) {
  hn_text_table_add(t, g_strdup("arm"));
  hn_text_table_add(t, g_strdup("seeds"));
  for (int k = 0; k < HN_STATISTICS; k++) {
    hn_text_table_add(t, g_strdup(hn_statistic_heading(&hn_statistics[k], c->stats)));
    hn_text_table_add(t, hn_format_confidence(c));
  }
  hn_text_table_add(t, g_strdup(""));
}

static void add_arm(HnTextTable *t, const HnComparison *c, const HnCompared *m, int64_t arm) {
  const HnEstimate *e = m->estimate[arm];
  hn_text_table_add(
      t, g_strconcat(c->results->arms[arm], c->counts_at[arm] >= 0 ? " (partial)" : "", NULL));
  hn_text_table_add(t, g_strdup_printf("%" G_GINT64_FORMAT, e[HN_VALUE].n));
  for (int k = 0; k < HN_STATISTICS; k++) {
    hn_text_table_add(t, hn_format_statistic(c, m, arm, k));
    hn_text_table_add(t, hn_format_interval(&e[k], hn_format_of(m, arm, k)));
  }
  hn_text_table_add(t, g_strdup(hn_compared_verdict(m, arm)));
}

void hn_render_compared(const HnComparison *c, const HnCompared *m, HnSheetStyle style,
                        GString *out) {
  g_autoptr(GString) align = g_string_new("lr"); /* arm, seeds */
  for (int k = 0; k < HN_STATISTICS; k++) g_string_append(align, "rh");
  HnTextTable t = hn_text_table(g_string_append_c(align, 'l')->str);
  g_autofree char *heading = hn_format_heading(m);
  g_autofree char *title =
      *heading ? g_strdup_printf("%s  (%s)", m->column, heading) : g_strdup(m->column);
  add_head(&t, c);
  for (int64_t a = 0; a < m->arms; a++) add_arm(&t, c, m, a);
  hn_sheet_end(&t, title, style, out);
}

void hn_render_heading(const HnComparison *c, const char *methods, HnSheetStyle style,
                       GString *out) {
  const HnResults *r = c->results;
  g_autofree char *size =
      g_strdup_printf("%s: %" G_GINT64_FORMAT " arm%s x %" G_GINT64_FORMAT
                      " seed%s, %" G_GINT64_FORMAT " of %u cell%s done",
                      r->study, r->arm_count, hn_plural(r->arm_count), r->seeds,
                      hn_plural(r->seeds), c->done, r->cells->len, hn_plural(r->cells->len));
  g_autofree char *shown =
      c->columns->len ? g_strdup_printf("Final values%s%s%s.",
                                        c->partial->len ? ", those of partial arms so far" : "",
                                        *methods ? "; " : "", methods)
                      : g_strdup("No cell has an evaluation yet.");
  hn_sheet_line(size, style, out), hn_sheet_line(shown, style, out);
  for (guint i = 0; i < c->origin->len && (c->done || c->partial->len); i++)
    hn_sheet_line(c->origin->pdata[i], style, out);
}

/* Cells that are not done, a line each. */
static void add_cells(const GPtrArray *lines, const char *what, HnSheetStyle style, GString *out) {
  if (!lines->len) return;
  if (style == HN_SHEET_TEXT) g_string_append_c(out, '\n');
  g_autofree char *heading = g_strdup_printf("%u cell%s %s %s:", lines->len, hn_plural(lines->len),
                                             hn_is_or_are(lines->len), what);
  hn_sheet_line(heading, style, out);
  for (guint i = 0; i < lines->len; i++) {
    g_autofree char *line = g_strconcat("  ", lines->pdata[i], NULL);
    hn_sheet_line(line, style, out);
  }
}

char *hn_render(const HnComparison *c, HnSheetStyle style) {
  GString *out = g_string_new(NULL);
  g_autofree char *methods = hn_format_methods(c);
  hn_render_heading(c, methods, style, out);
  for (guint i = 0; i < c->columns->len; i++)
    hn_render_compared(c, c->columns->pdata[i], style, out);
  if (c->notes->len && style == HN_SHEET_TEXT) g_string_append_c(out, '\n');
  for (guint i = 0; i < c->notes->len; i++) {
    g_autofree char *line = g_strconcat("note: ", c->notes->pdata[i], NULL);
    hn_sheet_line(line, style, out);
  }
  add_cells(c->partial, "in the table as far as they are", style, out);
  add_cells(c->absent, "not in the table", style, out);
  return g_string_free(out, FALSE);
}

char *hn_render_text(const HnComparison *c) {
  return hn_render(c, HN_SHEET_TEXT);
}

/* ---- by task ---- */

/* The finest format any row asks for, so that a column's points stand below each other. */
static HnFormat format_of(const HnTaskComparison *b) {
  HnFormat f = {0};
  for (guint i = 0; i < b->rows->len; i++)
    for (int64_t a = 0; a < ((HnCompared *)b->rows->pdata[i])->arms; a++)
      f.decimals = MAX(f.decimals, hn_format_of(b->rows->pdata[i], a, HN_VALUE).decimals);
  f.decimals = MIN(f.decimals, g_str_equal(b->column, "success") ? 3 : 2);
  return f;
}

/* That, or a number's own where that would hide it. */
static HnFormat shown_as(HnFormat f, const HnCompared *m, int64_t arm) {
  const double size = fabs(m->estimate[arm][HN_VALUE].value);
  if (!(size > 0) || size * pow(10, f.decimals) >= 10) return f;
  HnFormat own = hn_format_of(m, arm, HN_VALUE);
  own.written = true;
  return own;
}

static void add_task(HnTextTable *t, HnFormat common, const HnCompared *m) {
  hn_text_table_add(t, hn_diag_printable(m->column));
  for (int64_t a = 0; a < m->arms; a++) {
    const HnEstimate *e = &m->estimate[a][HN_VALUE];
    const HnFormat f = shown_as(common, m, a);
    g_autofree char *value = hn_format_number(e->value, f), *interval = hn_format_interval(e, f);
    hn_text_table_add(t, g_strconcat(value, *interval ? " " : "", interval, NULL));
  }
}

static void add_tasks(const HnComparison *c, const HnTaskComparison *b, HnSheetStyle style,
                      GString *out) {
  const int64_t arms = c->results->arm_count;
  const HnFormat common = format_of(b);
  g_autofree char *align = g_strnfill((gsize)arms + 1, 'l');
  HnTextTable t = hn_text_table(align);
  hn_text_table_add(&t, g_strdup("task"));
  for (int64_t a = 0; a < arms; a++) hn_text_table_add(&t, g_strdup(c->results->arms[a]));
  for (guint i = 0; i < b->rows->len; i++) add_task(&t, common, b->rows->pdata[i]);
  for (guint i = 0; i < b->scores->len; i++) add_task(&t, common, b->scores->pdata[i]);
  g_autofree char *title = g_strdup_printf("%s by task, split %s", b->column, b->split);
  hn_sheet_end(&t, title, style, out);
}

/* Of a column the tables by task show its value alone. */
static void see_values(HnMethods *s, const GPtrArray *columns) {
  for (guint i = 0; i < columns->len; i++) {
    const HnCompared *m = columns->pdata[i];
    for (int64_t a = 0; a < m->arms; a++) s->interval[m->estimate[a][HN_VALUE].interval] = true;
  }
}

static void add_heading_of_tasks(const HnComparison *c, const GPtrArray *tasks, HnSheetStyle style,
                                 GString *out) {
  HnMethods s = {.paired = false};
  for (guint i = 0; i < tasks->len; i++) {
    const HnTaskComparison *b = tasks->pdata[i];
    see_values(&s, b->rows), see_values(&s, b->scores);
  }
  g_autofree char *methods = hn_methods_text(&s, c);
  hn_render_heading(c, methods, style, out);
}

char *hn_render_tasks(const HnComparison *c, const GPtrArray *tasks, HnSheetStyle style) {
  GString *out = g_string_new(NULL);
  bool scores = false;
  add_heading_of_tasks(c, tasks, style, out);
  if (!tasks->len) hn_sheet_line("No done cell has an evaluation of tasks with names.", style, out);
  for (guint i = 0; i < tasks->len; i++) {
    const HnTaskComparison *b = tasks->pdata[i];
    add_tasks(c, b, style, out);
    scores |= b->scores->len > 0;
  }
  g_autofree char *note = g_strdup_printf(
      "note: The last rows are of all seeds and tasks; improvement: probability to beat %s,\n"
      "with an interval from %d seeds on, unless all agree.",
      c->results->arms[c->baseline], HN_IMPROVEMENT_SEEDS_MIN);
  if (style != HN_SHEET_TEXT) *strchr(note, '\n') = ' ';
  if (scores && style == HN_SHEET_TEXT) g_string_append_c(out, '\n');
  if (scores) hn_sheet_line(note, style, out);
  return g_string_free(out, FALSE);
}

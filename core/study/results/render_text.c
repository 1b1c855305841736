/* render_text.c - see render_text.h. */
#include "render_text.h"
#include "format.h"
#include "text_table.h"
#include <math.h>

enum { WIDTH = 100 };

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

static void add_column(const HnComparison *c, const HnCompared *m, GString *out) {
  g_autoptr(GString) align = g_string_new("lr"); /* arm, seeds */
  for (int k = 0; k < HN_STATISTICS; k++) g_string_append(align, "rh");
  HnTextTable t = hn_text_table(g_string_append_c(align, 'l')->str);
  g_autofree char *heading = hn_format_heading(m);
  g_string_append_printf(out, "\n%s", m->column);
  g_string_append_printf(out, *heading ? "  (%s)\n" : "%s\n", heading);
  add_head(&t, c);
  for (int64_t a = 0; a < m->arms; a++) add_arm(&t, c, m, a);
  hn_text_table_end(&t, WIDTH, out);
}

static void add_heading(const HnComparison *c, GString *out) {
  const HnResults *r = c->results;
  g_autofree char *methods = hn_format_methods(c);
  g_string_append_printf(out,
                         "%s: %" G_GINT64_FORMAT " arm%s x %" G_GINT64_FORMAT
                         " seed%s, %" G_GINT64_FORMAT " of %u cells done\n",
                         r->study, r->arm_count, r->arm_count == 1 ? "" : "s", r->seeds,
                         r->seeds == 1 ? "" : "s", c->done, r->cells->len);
  if (c->columns->len)
    g_string_append_printf(out, "Final values%s; %s.\n",
                           c->partial->len ? ", those of partial arms so far" : "", methods);
  else
    g_string_append(out, "No cell has an evaluation yet.\n");
  for (guint i = 0; i < c->origin->len && (c->done || c->partial->len); i++)
    g_string_append_printf(out, "%s\n", (char *)c->origin->pdata[i]);
}

char *hn_render_text_heading(const HnComparison *c) {
  GString *out = g_string_new(NULL);
  add_heading(c, out);
  return g_string_free(out, FALSE);
}

/* Cells that are not done, a line each. */
static void add_cells(const GPtrArray *lines, const char *what, GString *out) {
  if (lines->len) g_string_append_printf(out, "\n%u cells are %s:\n", lines->len, what);
  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf(out, "  %s\n", (char *)lines->pdata[i]);
}

char *hn_render_text(const HnComparison *c) {
  GString *out = g_string_new(NULL);
  add_heading(c, out);
  for (guint i = 0; i < c->columns->len; i++) add_column(c, c->columns->pdata[i], out);
  if (c->notes->len) g_string_append_c(out, '\n');
  for (guint i = 0; i < c->notes->len; i++)
    g_string_append_printf(out, "note: %s\n", (char *)c->notes->pdata[i]);
  add_cells(c->partial, "in the table as far as they are", out);
  add_cells(c->absent, "not in the table", out);
  return g_string_free(out, FALSE);
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

static void add_tasks(const HnComparison *c, const HnTaskComparison *b, GString *out) {
  const int64_t arms = c->results->arm_count;
  const HnFormat common = format_of(b);
  g_autofree char *align = g_strnfill((gsize)arms + 1, 'l');
  HnTextTable t = hn_text_table(align);
  hn_text_table_add(&t, g_strdup("task"));
  for (int64_t a = 0; a < arms; a++) hn_text_table_add(&t, g_strdup(c->results->arms[a]));
  for (guint i = 0; i < b->rows->len; i++) {
    const HnCompared *m = b->rows->pdata[i];
    hn_text_table_add(&t, hn_diag_printable(m->column));
    for (int64_t a = 0; a < arms; a++) {
      const HnEstimate *e = &m->estimate[a][HN_VALUE];
      const HnFormat f = shown_as(common, m, a);
      g_autofree char *value = hn_format_number(e->value, f), *interval = hn_format_interval(e, f);
      hn_text_table_add(&t, g_strconcat(value, *interval ? " " : "", interval, NULL));
    }
  }
  g_string_append_printf(out, "\n%s by task, split %s\n", b->column, b->split);
  hn_text_table_end(&t, WIDTH, out);
}

char *hn_render_text_tasks(const HnComparison *c, const GPtrArray *tasks) {
  GString *out = g_string_new(NULL);
  if (!tasks->len) g_string_append(out, "\nNo done cell has an evaluation of tasks with names.\n");
  for (guint i = 0; i < tasks->len; i++) add_tasks(c, tasks->pdata[i], out);
  return g_string_free(out, FALSE);
}

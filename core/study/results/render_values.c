/* render_values.c - see render_values.h. */
#include "render_values.h"
#include "format.h"
#include "json.h"
#include "render_json.h"
#include "render_text.h"

enum { WIDTH = 100 };

/* ---- text ---- */

static void add_estimate(HnTextTable *t, const HnEstimate *e, HnFormat format) {
  hn_text_table_add(t, hn_format_number(e->value, format));
  hn_text_table_add(t, hn_format_interval(e, format));
}

static void add_head(HnTextTable *t, const HnComparison *c, const HnValueComparison *v) {
  for (guint k = 0; k < v->keys->len; k++) hn_text_table_add(t, g_strdup(v->keys->pdata[k]));
  hn_text_table_add(t, g_strdup("arms"));
  hn_text_table_add(t, g_strdup("seeds"));
  hn_text_table_add(t, g_strdup("all arms"));
  hn_text_table_add(t, hn_format_confidence(c));
  hn_text_table_add(t, g_strdup("best"));
  hn_text_table_add(t, hn_format_confidence(c));
  hn_text_table_add(t, g_strdup("arm"));
}

static void add_row(HnTextTable *t, const HnComparison *c, const HnCompared *m,
                    const HnValueRow *row) {
  const HnFormat format = hn_format_of(m, row->best, HN_VALUE);
  for (guint k = 0; k < row->values->len; k++)
    hn_text_table_add(t, hn_diag_printable(row->values->pdata[k]));
  hn_text_table_add(t, g_strdup_printf("%u", row->arms->len));
  hn_text_table_add(t, g_strdup_printf("%" G_GINT64_FORMAT, row->mean.n));
  add_estimate(t, &row->mean, format);
  add_estimate(t, &m->estimate[row->best][HN_VALUE], format);
  hn_text_table_add(
      t, g_strconcat(c->results->arms[row->best],
                     hn_results_privileged(c->results, row->best) ? " (oracle)" : NULL, NULL));
}

static void add_notes(const HnValueComparison *v, GString *out) {
  g_string_append(out, "\nnote: 'best' is the best of its line by these seeds, and better by that "
                       "choice alone: run it on another root.\n");
  for (guint i = 0; i < v->other_task->len; i++)
    g_string_append_printf(out, "note: Not in the table: %s, of another task: %s.\n",
                           (char *)v->other_task->pdata[i], (char *)v->why->pdata[i]);
  if (v->lengths) g_string_append(out, "note: Arms trained for different numbers of frames.\n");
  if (!v->without->len) return;
  g_string_append(out, "note: Not in the table: ");
  for (guint i = 0; i < v->without->len; i++)
    g_string_append_printf(out, "%s%s", i ? ", " : "", (char *)v->without->pdata[i]);
  g_string_append(out, ".\n");
}

/* The table has no differences, and values of the deciding metric alone. */
static void add_heading(const HnComparison *c, const HnValueComparison *v, GString *out) {
  HnMethods shown = {.paired = false};
  for (guint i = 0; i < v->rows->len; i++) {
    const HnValueRow *row = v->rows->pdata[i];
    shown.interval[row->mean.interval] = true;
    shown.interval[v->metric->estimate[row->best][HN_VALUE].interval] = true;
  }
  g_autofree char *methods = hn_methods_text(&shown, c);
  hn_render_heading(c, methods, HN_SHEET_TEXT, out);
}

char *hn_render_text_values(const HnComparison *c, const HnValueComparison *v) {
  GString *out = g_string_new(NULL), *by = g_string_new(NULL);
  add_heading(c, v, out);
  g_autofree char *left = g_strnfill(v->keys->len, 'l'), *heading = hn_format_heading(v->metric);
  g_autofree char *align = g_strconcat(left, "rrrhrhl", NULL);
  for (guint k = 0; k < v->keys->len; k++)
    g_string_append_printf(by, "%s%s", k ? ", " : "", (char *)v->keys->pdata[k]);
  g_string_append_printf(out, "\n%s by %s%s%s%s\n", v->metric->column, by->str,
                         *heading ? "  (" : "", heading, *heading ? ")" : "");
  HnTextTable t = hn_text_table(align);
  add_head(&t, c, v);
  for (guint i = 0; i < v->rows->len; i++) add_row(&t, c, v->metric, v->rows->pdata[i]);
  hn_text_table_end(&t, WIDTH, out);
  add_notes(v, out);
  g_string_free(by, TRUE);
  return g_string_free(out, FALSE);
}

/* ---- JSON ---- */

static void add_json_row(JsonBuilder *b, const HnComparison *c, const HnValueComparison *v,
                         const HnValueRow *row) {
  hn_json_open_object(b, NULL);
  hn_json_open_object(b, "values");
  for (guint k = 0; k < v->keys->len; k++)
    hn_json_add_string(b, v->keys->pdata[k], row->values->pdata[k]);
  json_builder_end_object(b);
  hn_json_open_array(b, "arms");
  for (guint i = 0; i < row->arms->len; i++)
    hn_json_add_string(b, NULL, c->results->arms[g_array_index(row->arms, int64_t, i)]);
  json_builder_end_array(b);
  hn_render_json_estimate(b, "mean", &row->mean);
  hn_json_add_string(b, "best_arm", c->results->arms[row->best]);
  hn_render_json_estimate(b, "best", &v->metric->estimate[row->best][HN_VALUE]);
  json_builder_end_object(b);
}

char *hn_render_json_values(const HnComparison *c, const HnValueComparison *v) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "study", c->results->study);
  hn_json_add_string(b, "column", v->metric->column);
  hn_json_add_strings(b, "keys", v->keys->len, (const char *const *)v->keys->pdata);
  hn_json_open_array(b, "rows");
  for (guint i = 0; i < v->rows->len; i++) add_json_row(b, c, v, v->rows->pdata[i]);
  json_builder_end_array(b);
  hn_json_add_strings(b, "without", v->without->len, (const char *const *)v->without->pdata);
  hn_json_add_strings(b, "other_task", v->other_task->len,
                      (const char *const *)v->other_task->pdata);
  hn_json_add_bool(b, "different_lengths", v->lengths);
  return hn_json_end(b);
}

/* render_diff.c - see render_diff.h. */
#include "render_diff.h"
#include "json.h"
#include "short_text.h"
#include "text_table.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* ---- text ---- */

enum { WIDTH = INT_MAX };

/* What files say may hold anything. */
static char *shown(const char *text) {
  return text ? hn_diag_printable(text) : g_strdup("-");
}

/* The end of a table below its heading, indented. */
static void add_table(HnTextTable *t, GString *out) {
  g_autoptr(GString) lines = g_string_new(NULL);
  hn_text_table_end(t, WIDTH, lines);
  g_auto(GStrv) each = g_strsplit(lines->str, "\n", -1);
  for (char **line = each; *line; line++)
    if (**line) g_string_append_printf(out, "  %s\n", *line);
}

static void add_row(HnTextTable *t, const char *name, const char *a, const char *b) {
  hn_text_table_add(t, shown(name));
  hn_text_table_add(t, shown(a)), hn_text_table_add(t, shown(b));
}

static void add_facts(const char *heading, const GPtrArray *facts, GString *out) {
  if (!facts->len) return;
  HnTextTable t = hn_text_table("lll");
  add_row(&t, "", "A", "B");
  for (guint i = 0; i < facts->len; i++) {
    const HnFactDiff *f = facts->pdata[i];
    add_row(&t, f->key, f->a, f->b);
  }
  g_string_append_printf(out, "  %s\n", heading);
  add_table(&t, out);
}

static void add_trace(const HnCellDiff *d, GString *out) {
  const HnTraceDiff *t = &d->trace;
  const HnTensorDiff *x = d->first ? d->first->tensors->pdata[0] : NULL;
  if (!t->hashes)
    g_string_append(out, "  weights: there is no update of which both have a hash\n");
  else if (t->first < 0)
    g_string_append_printf(out, "  weights: the same after each of %" PRId64 " hashed updates\n",
                           t->hashes);
  else
    g_string_append_printf(out, "  weights: differ from update %" PRId64 " on, of %" PRId64 "\n",
                           t->first, t->updates);
  if (!x) return;
  g_autofree char *name = shown(x->name);
  g_string_append_printf(out, "  first tensor: %s, after update %" PRId64 "\n", name,
                         d->first->update);
}

static void add_tensors(const HnWeightsDiff *w, GString *out) {
  if (!w) {
    g_string_append(out, "  checkpoints: there is no update of which both have one\n");
    return;
  }
  if (w->damaged) {
    g_autofree char *why = hn_diag_printable(w->damaged);
    g_string_append_printf(out, "  checkpoints: %s\n", why);
    return;
  }
  g_string_append_printf(
      out, "  checkpoints of update %" PRId64 ": %u tensor%s, %" PRId64 " %s the same\n", w->update,
      w->tensors->len, w->tensors->len == 1 ? " differs" : "s differ", w->same,
      hn_is_or_are(w->same));
  if (!w->tensors->len) return;
  HnTextTable t = hn_text_table("lllrrr");
  add_row(&t, "", "A", "B");
  hn_text_table_add(&t, g_strdup("elements")), hn_text_table_add(&t, g_strdup("largest"));
  hn_text_table_add(&t, g_strdup("relative"));
  for (guint i = 0; i < w->tensors->len; i++) {
    const HnTensorDiff *x = w->tensors->pdata[i];
    const bool measured = !isnan(x->absolute);
    add_row(&t, x->name, x->a, x->b);
    hn_text_table_add(&t, measured
                              ? g_strdup_printf("%" PRId64 " of %" PRId64, x->differ, x->elements)
                              : g_strdup("-"));
    hn_text_table_add(&t, measured ? g_strdup_printf("%.6g", x->absolute) : g_strdup("-"));
    hn_text_table_add(&t, measured ? g_strdup_printf("%.3g", x->relative) : g_strdup("-"));
  }
  add_table(&t, out);
}

/* b - a of two last fields, NaN where one is no number. */
static double difference(const HnColumnDiff *c) {
  char *end_a = NULL, *end_b = NULL;
  const double a = g_ascii_strtod(c->a->str, &end_a), b = g_ascii_strtod(c->b->str, &end_b);
  return c->a->len && c->b->len && !*end_a && !*end_b ? b - a : (double)NAN;
}

static bool is_different(const HnColumnDiff *c) {
  return c->row >= 0 || !c->in_a || !c->in_b;
}

static void add_columns(const HnTableDiff *t, GString *out) {
  HnTextTable table = hn_text_table("lrrrr");
  add_row(&table, "last values", "A", "B");
  hn_text_table_add(&table, g_strdup("B - A")), hn_text_table_add(&table, g_strdup("from row"));
  for (guint i = 0; i < t->columns->len; i++) {
    const HnColumnDiff *c = t->columns->pdata[i];
    if (!is_different(c)) continue;
    const double d = difference(c);
    add_row(&table, c->name, c->in_a ? c->a->str : NULL, c->in_b ? c->b->str : NULL);
    hn_text_table_add(&table, isnan(d) ? g_strdup("-") : g_strdup_printf("%.6g", d));
    hn_text_table_add(&table, c->row < 0 ? g_strdup("-") : g_strdup_printf("%" PRId64, c->row + 1));
  }
  add_table(&table, out);
}

/* "row 3 (update 3)". */
static char *row_of(const HnTableDiff *t) {
  g_autofree char *update = t->update ? shown(t->update) : NULL;
  return update ? g_strdup_printf("row %" PRId64 " (update %s)", t->first + 1, update)
                : g_strdup_printf("row %" PRId64, t->first + 1);
}

static void add_table_diff(const HnTableDiff *t, GString *out) {
  const char *name = hn_run_file_name(t->table);
  g_autofree char *row = row_of(t), *why = t->damaged ? hn_diag_printable(t->damaged) : NULL;
  g_string_append_printf(out, "  %s: ", name);
  if (why)
    g_string_append(out, why);
  else if (t->rows_a < 0 || t->rows_b < 0)
    g_string_append_printf(out, "only in %c", t->rows_a < 0 ? 'B' : 'A');
  else if (t->differ && t->first >= 0)
    g_string_append_printf(out, "differs from %s on, in %" PRId64 " of %u column%s", row, t->differ,
                           t->columns->len, hn_plural(t->columns->len));
  else if (t->differ)
    g_string_append_printf(out, "the same but for %" PRId64 " column%s that one side lacks",
                           t->differ, hn_plural(t->differ));
  else
    g_string_append(out, "the same");
  if (t->rows_a == t->rows_b)
    g_string_append_printf(out, "; %" PRId64 " row%s", t->rows_a, hn_plural(t->rows_a));
  else if (!why && t->rows_a >= 0 && t->rows_b >= 0)
    g_string_append_printf(out, "%s; %" PRId64 " and %" PRId64 " row%s",
                           t->differ ? "" : " as far as both go", t->rows_a, t->rows_b,
                           hn_plural(t->rows_b));
  g_string_append_c(out, '\n');
  if (t->table == HN_FILE_METRICS && t->differ) add_columns(t, out);
}

static void add_details(const HnCellDiff *d, GString *out) {
#define FACTS(name, doc) add_facts(#name, d->name, out);
  HN_DIFF_CAUSES(FACTS)
  add_facts("how far they are", d->progress, out);
  add_trace(d, out);
  add_tensors(d->last, out);
  for (guint i = 0; i < d->tables->len; i++) add_table_diff(d->tables->pdata[i], out);
}

/* "belief/0", or of cells with two names "belief/0 and none/0". */
static char *name_of(const HnCellDiff *d) {
  g_autofree char *a = hn_result_name(d->a), *b = hn_result_name(d->b);
  return strcmp(a, b) ? g_strdup_printf("%s and %s", a, b) : g_strdup(a);
}

static void add_cell(const HnCellDiff *d, GString *out) {
  g_autofree char *name = name_of(d);
  g_string_append_printf(out, "%s: results %s", name, d->differs ? "differ" : "are identical");
  if (d->trace.first >= 0)
    g_string_append_printf(out, ", weights from update %" PRId64 " on", d->trace.first);
#define CAUSE(field, doc) \
  if (d->field->len) g_string_append(out, "; other " #field);
  HN_DIFF_CAUSES(CAUSE)
  g_string_append_c(out, '\n');
}

static void add_only(const GPtrArray *cells, const char *side, GString *out) {
  for (guint i = 0; i < cells->len; i++) {
    g_autofree char *name = hn_result_name(cells->pdata[i]);
    g_string_append_printf(out, "%s: only in %s\n", name, side);
  }
}

/* The cell to show in full, or NULL. */
static const HnCellDiff *most_telling(const HnDiff *d) {
  const HnCellDiff *with_cause = NULL;
  for (guint i = 0; i < d->cells->len; i++) {
    const HnCellDiff *c = d->cells->pdata[i];
    if (c->differs) return c;
    if (!with_cause && hn_cell_diff_has_cause(c)) with_cause = c;
  }
  return with_cause;
}

char *hn_render_diff_text(const HnDiff *d, const char *a, const char *b) {
  GString *out = g_string_new(NULL);
  g_autofree char *in_a = hn_diag_printable(a), *in_b = hn_diag_printable(b);
  const HnCellDiff *telling = most_telling(d);
  g_string_append_printf(out, "A: %s\nB: %s\n", in_a, in_b);
  for (guint i = 0; i < d->cells->len; i++) add_cell(d->cells->pdata[i], out);
  add_only(d->only_a, "A", out), add_only(d->only_b, "B", out);
  if (!telling) return g_string_free(out, FALSE);
  g_autofree char *name = name_of(telling);
  g_string_append_printf(out, "\n%s\n", name);
  add_details(telling, out);
  if (d->cells->len > 1)
    g_string_append(out, "\n--cell ARM/SEED shows another cell, --json all of them\n");
  return g_string_free(out, FALSE);
}

/* ---- JSON ---- */

static void json_facts(JsonBuilder *j, const char *name, const GPtrArray *facts) {
  hn_json_open_array(j, name);
  for (guint i = 0; i < facts->len; i++) {
    const HnFactDiff *f = facts->pdata[i];
    hn_json_open_object(j, NULL);
    hn_json_add_string(j, "key", f->key);
    hn_json_add_string(j, "a", f->a), hn_json_add_string(j, "b", f->b);
    json_builder_end_object(j);
  }
  json_builder_end_array(j);
}

static void json_weights(JsonBuilder *j, const char *name, const HnWeightsDiff *w) {
  if (!w) {
    hn_json_add_string(j, name, NULL);
    return;
  }
  hn_json_open_object(j, name);
  hn_json_add_int(j, "update", w->update), hn_json_add_int(j, "same", w->same);
  hn_json_add_string(j, "damaged", w->damaged);
  hn_json_open_array(j, "tensors");
  for (guint i = 0; i < w->tensors->len; i++) {
    const HnTensorDiff *x = w->tensors->pdata[i];
    hn_json_open_object(j, NULL);
    hn_json_add_string(j, "name", x->name);
    hn_json_add_string(j, "a", x->a), hn_json_add_string(j, "b", x->b);
    hn_json_add_int(j, "elements", x->elements), hn_json_add_int(j, "differ", x->differ);
    hn_json_add_real(j, "absolute", x->absolute), hn_json_add_real(j, "relative", x->relative);
    json_builder_end_object(j);
  }
  json_builder_end_array(j);
  json_builder_end_object(j);
}

/* An empty field, as a column that is not there, is null. */
static const char *value_of(const GString *field) {
  return field->len ? field->str : NULL;
}

static void json_columns(JsonBuilder *j, const HnTableDiff *t) {
  hn_json_open_array(j, "columns");
  for (guint i = 0; i < t->columns->len; i++) {
    const HnColumnDiff *c = t->columns->pdata[i];
    if (t->table != HN_FILE_METRICS && !is_different(c)) continue;
    hn_json_open_object(j, NULL);
    hn_json_add_string(j, "column", c->name);
    hn_json_add_bool(j, "in_a", c->in_a), hn_json_add_bool(j, "in_b", c->in_b);
    hn_json_add_int(j, "first_row", c->row < 0 ? c->row : c->row + 1);
    hn_json_add_string(j, "a", value_of(c->a)), hn_json_add_string(j, "b", value_of(c->b));
    hn_json_add_real(j, "difference", difference(c));
    json_builder_end_object(j);
  }
  json_builder_end_array(j);
}

static void json_tables(JsonBuilder *j, const HnCellDiff *d) {
  hn_json_open_array(j, "tables");
  for (guint i = 0; i < d->tables->len; i++) {
    const HnTableDiff *t = d->tables->pdata[i];
    hn_json_open_object(j, NULL);
    hn_json_add_string(j, "file", hn_run_file_name(t->table));
    hn_json_add_bool(j, "differs", hn_table_diff_any(t));
    hn_json_add_string(j, "damaged", t->damaged);
    hn_json_add_int(j, "rows_a", t->rows_a), hn_json_add_int(j, "rows_b", t->rows_b);
    hn_json_add_int(j, "first_row", t->first < 0 ? t->first : t->first + 1);
    hn_json_add_string(j, "update", t->update);
    json_columns(j, t);
    json_builder_end_object(j);
  }
  json_builder_end_array(j);
}

static void json_cell(JsonBuilder *j, const HnCellDiff *d) {
  g_autofree char *a = hn_result_name(d->a), *b = hn_result_name(d->b);
  hn_json_open_object(j, NULL);
  hn_json_add_string(j, "a", a), hn_json_add_string(j, "b", b);
  hn_json_add_bool(j, "differs", d->differs);
#define JSON_FACTS(name, doc) json_facts(j, #name, d->name);
  HN_DIFF_CAUSES(JSON_FACTS)
  json_facts(j, "progress", d->progress);
  hn_json_add_int(j, "hashes", d->trace.hashes);
  hn_json_add_int(j, "updates", d->trace.updates);
  hn_json_add_int(j, "first_update_that_differs", d->trace.first);
  json_weights(j, "first_weights", d->first);
  json_weights(j, "last_weights", d->last);
  json_tables(j, d);
  json_builder_end_object(j);
}

static void json_only(JsonBuilder *j, const char *name, const GPtrArray *cells) {
  hn_json_open_array(j, name);
  for (guint i = 0; i < cells->len; i++) {
    g_autofree char *cell = hn_result_name(cells->pdata[i]);
    hn_json_add_string(j, NULL, cell);
  }
  json_builder_end_array(j);
}

char *hn_render_diff_json(const HnDiff *d, const char *a, const char *b) {
  JsonBuilder *j = hn_json_begin();
  hn_json_add_string(j, "a", a), hn_json_add_string(j, "b", b);
  hn_json_add_bool(j, "differs", d->differs);
  hn_json_open_array(j, "cells");
  for (guint i = 0; i < d->cells->len; i++) json_cell(j, d->cells->pdata[i]);
  json_builder_end_array(j);
  json_only(j, "only_a", d->only_a), json_only(j, "only_b", d->only_b);
  return hn_json_end(j);
}

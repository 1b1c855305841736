/* render.c - a comparison as a table for people and as JSON for programs. */
#include "compare.h"
#include "compare_tasks.h"
#include "json.h"
#include <math.h>
#include <string.h>

/* A power of a thousand to divide by, where all values are tiny or huge. */
static int exponent_of(const HnCompared *m, gint64 arms) {
  double largest = 0;
  for (gint64 a = 0; a < arms; a++) {
    const double shown[] = {m->value[a].value, m->value[a].low, m->value[a].high,
                            m->difference[a].value};
    for (guint i = 0; i < G_N_ELEMENTS(shown); i++)
      if (isfinite(shown[i])) largest = fmax(largest, fabs(shown[i]));
  }
  if (largest == 0 || (largest >= 1e-2 && largest < 1e6)) return 0;
  return 3 * (int)floor(log10(largest) / 3);
}

/* Two digits of the narrowest interval, at most five of the largest value; else four of that. */
static int decimals_of(const HnEstimate *e, gint64 arms, int exponent) {
  double finest = INFINITY, largest = 0;
  for (gint64 a = 0; a < arms; a++) {
    double half = (e[a].high - e[a].low) / 2;
    if (e[a].interval != HN_INTERVAL_NONE && half > 0) finest = fmin(finest, half);
    if (isfinite(e[a].value)) largest = fmax(largest, fabs(e[a].value));
  }
  double unit = isfinite(finest) ? fmax(finest / 10, largest * 1e-5) : largest / 1e3;
  if (!(unit > 0)) return 2;
  return CLAMP((int)ceil(exponent - log10(unit) - 1e-9), 0, 9);
}

HnFormat hn_compared_format(const HnCompared *m, gint64 arms, bool difference) {
  int exponent = exponent_of(m, arms);
  return (HnFormat){decimals_of(difference ? m->difference : m->value, arms, exponent), exponent,
                    difference};
}

char *hn_compared_heading(const HnCompared *m, gint64 arms) {
  const char *better = m->better > 0 ? "higher is better" : m->better < 0 ? "lower is better" : "";
  int exponent = exponent_of(m, arms);
  g_autofree char *scale =
      exponent ? g_strdup_printf("1e%d%s", exponent, *m->unit ? " " : "") : g_strdup("");
  return g_strdup_printf("%s%s%s%s", scale, m->unit, (*scale || *m->unit) && *better ? "; " : "",
                         better);
}

char *hn_compare_number(double x, HnFormat f) {
  if (!isfinite(x)) return g_strdup("-");
  char *text = g_strdup_printf(f.sign ? "%+.*f" : "%.*f", f.decimals, x * pow(10, -f.exponent));
  /* no "-0.00" */
  if (*text == '-' && strspn(text + 1, "0.") == strlen(text + 1)) *text = f.sign ? '+' : ' ';
  return g_strchug(text);
}

static char *interval(const HnEstimate *e, HnFormat f) {
  if (e->interval == HN_INTERVAL_NONE) return g_strdup("");
  char *low = hn_compare_number(e->low, f);
  char *high = hn_compare_number(e->high, f);
  char *text = g_strdup_printf("[%s, %s]", low, high);
  g_free(low);
  g_free(high);
  return text;
}

enum { ARM, SEEDS, VALUE, INTERVAL, DIFFERENCE, RANGE, VERDICT, FIELDS };

static void fill(const HnComparison *c, const HnCompared *m, gint64 a, char **field) {
  HnFormat value = hn_compared_format(m, c->results->arm_count, false);
  HnFormat difference = hn_compared_format(m, c->results->arm_count, true);
  field[ARM] = g_strdup(c->results->arms[a]);
  field[SEEDS] = g_strdup_printf("%" G_GINT64_FORMAT, m->value[a].n);
  field[VALUE] = hn_compare_number(m->value[a].value, value);
  field[INTERVAL] = interval(&m->value[a], value);
  field[DIFFERENCE] = a == c->baseline ? g_strdup("baseline")
                      : c->protocol[a] ? g_strdup("other task")
                                       : hn_compare_number(m->difference[a].value, difference);
  field[RANGE] = interval(&m->difference[a], difference);
  field[VERDICT] = g_strdup(hn_compared_verdict(m, a));
}

static void column_text(const HnComparison *c, const HnCompared *m, GString *out) {
  gint64 arms = c->results->arm_count;
  char *(*cell)[FIELDS] = g_malloc(sizeof *cell * (gsize)(arms + 1));
  char *confidence = g_strdup_printf("%g %% interval", 100 * hn_stats_confidence(c->stats));
  const char *head[FIELDS] = {"arm",      "seeds",      hn_aggregate_name(hn_stats_kind(c->stats)),
                              confidence, "difference", confidence,
                              ""};
  for (int f = 0; f < FIELDS; f++) cell[0][f] = g_strdup(head[f]);
  for (gint64 a = 0; a < arms; a++) fill(c, m, a, cell[a + 1]);
  g_string_append_printf(out, "\n%s", m->column);
  g_autofree char *heading = hn_compared_heading(m, arms);
  if (*heading) g_string_append_printf(out, "  (%s)", heading);
  g_string_append_c(out, '\n');
  for (gint64 row = 0; row <= arms; row++) {
    GString *line = g_string_new(NULL);
    for (int f = 0; f < FIELDS; f++) {
      int width = 0;
      for (gint64 i = 0; i <= arms; i++) width = MAX(width, (int)g_utf8_strlen(cell[i][f], -1));
      int pad = width - (int)g_utf8_strlen(cell[row][f], -1);
      bool right = f == SEEDS || f == VALUE || f == DIFFERENCE || (row && f == INTERVAL) ||
                   (row && f == RANGE);
      g_string_append_printf(line, "  %*s%s%*s", right ? pad : 0, "", cell[row][f], right ? 0 : pad,
                             "");
    }
    g_string_append_printf(out, "%s\n", g_strchomp(line->str));
    g_string_free(line, TRUE);
  }
  for (gint64 row = 0; row <= arms; row++)
    for (int f = 0; f < FIELDS; f++) g_free(cell[row][f]);
  g_free(cell);
  g_free(confidence);
}

/* "t" or "bootstrap" of the estimates shown. */
static const char *method(const HnComparison *c) {
  for (guint i = 0; i < c->columns->len; i++) {
    HnCompared *m = c->columns->pdata[i];
    for (gint64 a = 0; a < c->results->arm_count; a++)
      if (m->value[a].interval != HN_INTERVAL_NONE)
        return m->value[a].interval == HN_INTERVAL_T ? "Student's t" : "percentile bootstrap";
  }
  return NULL;
}

static void heading(const HnComparison *c, GString *out) {
  const HnResults *r = c->results;
  g_string_append_printf(out,
                         "%s: %" G_GINT64_FORMAT " arm%s x %" G_GINT64_FORMAT
                         " seed%s, %" G_GINT64_FORMAT " of %u cells done\n",
                         r->study, r->arm_count, r->arm_count == 1 ? "" : "s", r->seeds,
                         r->seeds == 1 ? "" : "s", c->done, r->cells->len);
  if (c->columns->len)
    g_string_append_printf(out, "Final values; differences to %s, paired by seed%s%s.\n",
                           r->arms[c->baseline], method(c) ? "; intervals: " : "",
                           method(c) ? method(c) : "");
  else
    g_string_append(out, "No done cell has an evaluation yet.\n");
  for (guint i = 0; i < c->origin->len && c->done; i++) {
    char *line = c->origin->pdata[i];
    g_string_append_printf(out, "%s\n", line);
  }
}

char *hn_comparison_heading(const HnComparison *c) {
  GString *out = g_string_new(NULL);
  heading(c, out);
  return g_string_free(out, FALSE);
}

char *hn_comparison_text(const HnComparison *c) {
  GString *out = g_string_new(NULL);
  heading(c, out);
  for (guint i = 0; i < c->columns->len; i++) column_text(c, c->columns->pdata[i], out);
  if (c->notes->len) g_string_append_c(out, '\n');
  for (guint i = 0; i < c->notes->len; i++)
    g_string_append_printf(out, "note: %s\n", (char *)c->notes->pdata[i]);
  if (c->absent->len)
    g_string_append_printf(out, "\n%u cells are not in the table:\n", c->absent->len);
  for (guint i = 0; i < c->absent->len; i++)
    g_string_append_printf(out, "  %s\n", (char *)c->absent->pdata[i]);
  return g_string_free(out, FALSE);
}

/* ---- JSON ---- */

static void add_number(JsonBuilder *b, const char *name, double x) {
  json_builder_set_member_name(b, name);
  if (isfinite(x))
    json_builder_add_double_value(b, x);
  else
    json_builder_add_null_value(b);
}

static void add_text(JsonBuilder *b, const char *name, const char *text) {
  json_builder_set_member_name(b, name);
  json_builder_add_string_value(b, text);
}

static void add_estimate(JsonBuilder *b, const char *name, const HnEstimate *e) {
  json_builder_set_member_name(b, name), json_builder_begin_object(b);
  json_builder_set_member_name(b, "seeds"), json_builder_add_int_value(b, e->n);
  add_number(b, "value", e->value);
  add_number(b, "low", e->low);
  add_number(b, "high", e->high);
  add_text(b, "interval", hn_interval_name(e->interval));
  json_builder_set_member_name(b, "coarse"), json_builder_add_boolean_value(b, e->coarse);
  json_builder_end_object(b);
}

static void add_lines(JsonBuilder *b, const char *name, GPtrArray *lines) {
  json_builder_set_member_name(b, name), json_builder_begin_array(b);
  for (guint i = 0; i < lines->len; i++) json_builder_add_string_value(b, lines->pdata[i]);
  json_builder_end_array(b);
}

static void add_column(JsonBuilder *b, const HnComparison *c, const HnCompared *m) {
  const HnResults *r = c->results;
  json_builder_begin_object(b);
  add_text(b, "column", m->column);
  add_text(b, "unit", m->unit);
  add_text(b, "better", m->better > 0 ? "higher" : m->better < 0 ? "lower" : "unknown");
  json_builder_set_member_name(b, "arms"), json_builder_begin_array(b);
  for (gint64 a = 0; a < r->arm_count; a++) {
    json_builder_begin_object(b);
    add_text(b, "arm", r->arms[a]);
    json_builder_set_member_name(b, "final"), json_builder_begin_array(b);
    for (gint64 s = 0; s < r->seeds; s++) {
      double x = m->final[a * r->seeds + s];
      if (isfinite(x))
        json_builder_add_double_value(b, x);
      else
        json_builder_add_null_value(b);
    }
    json_builder_end_array(b);
    add_estimate(b, "value", &m->value[a]);
    add_estimate(b, "difference", &m->difference[a]);
    add_text(b, "verdict", hn_compared_verdict(m, a));
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  json_builder_end_object(b);
}

static void add_tasks(JsonBuilder *b, const HnComparison *c, const GPtrArray *tasks) {
  json_builder_set_member_name(b, "tasks"), json_builder_begin_array(b);
  for (guint i = 0; i < tasks->len; i++) {
    const HnByTask *t = tasks->pdata[i];
    json_builder_begin_object(b);
    add_text(b, "split", t->split);
    add_text(b, "column", t->column);
    json_builder_set_member_name(b, "rows"), json_builder_begin_array(b);
    for (guint k = 0; k < t->rows->len; k++) add_column(b, c, t->rows->pdata[k]);
    json_builder_end_array(b);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

char *hn_comparison_json(const HnComparison *c, const GPtrArray *tasks) {
  JsonBuilder *b = json_builder_new();
  json_builder_begin_object(b);
  add_text(b, "study", c->results->study);
  add_text(b, "baseline", c->results->arms[c->baseline]);
  add_text(b, "aggregate", hn_aggregate_name(hn_stats_kind(c->stats)));
  add_number(b, "confidence", hn_stats_confidence(c->stats));
  json_builder_set_member_name(b, "cells_done"), json_builder_add_int_value(b, c->done);
  json_builder_set_member_name(b, "cells_failed"), json_builder_add_int_value(b, c->failed);
  json_builder_set_member_name(b, "cells"), json_builder_add_int_value(b, c->results->cells->len);
  json_builder_set_member_name(b, "columns"), json_builder_begin_array(b);
  for (guint i = 0; i < c->columns->len; i++) add_column(b, c, c->columns->pdata[i]);
  json_builder_end_array(b);
  if (tasks) add_tasks(b, c, tasks);
  add_lines(b, "origin", c->origin);
  add_lines(b, "absent", c->absent);
  add_lines(b, "notes", c->notes);
  json_builder_end_object(b);
  JsonNode *root = json_builder_get_root(b);
  char *text = hn_json_text(root);
  json_node_unref(root);
  g_object_unref(b);
  return text;
}

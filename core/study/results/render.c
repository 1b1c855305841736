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

static void add_estimate(JsonBuilder *b, const char *name, const HnEstimate *e) {
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
  for (gint64 a = 0; a < r->arm_count; a++) {
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "arm", r->arms[a]);
    hn_json_open_array(b, "final");
    for (gint64 s = 0; s < r->seeds; s++) hn_json_add_real(b, NULL, m->final[a * r->seeds + s]);
    json_builder_end_array(b);
    add_estimate(b, "value", &m->value[a]);
    add_estimate(b, "difference", &m->difference[a]);
    hn_json_add_string(b, "verdict", hn_compared_verdict(m, a));
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
  json_builder_end_object(b);
}

static void add_tasks(JsonBuilder *b, const HnComparison *c, const GPtrArray *tasks) {
  hn_json_open_array(b, "tasks");
  for (guint i = 0; i < tasks->len; i++) {
    const HnByTask *t = tasks->pdata[i];
    hn_json_open_object(b, NULL);
    hn_json_add_string(b, "split", t->split);
    hn_json_add_string(b, "column", t->column);
    hn_json_open_array(b, "rows");
    for (guint k = 0; k < t->rows->len; k++) add_column(b, c, t->rows->pdata[k]);
    json_builder_end_array(b);
    json_builder_end_object(b);
  }
  json_builder_end_array(b);
}

static void add_lines(JsonBuilder *b, const char *name, const GPtrArray *lines) {
  hn_json_add_strings(b, name, lines->len, (const char *const *)lines->pdata);
}

char *hn_comparison_json(const HnComparison *c, const GPtrArray *tasks) {
  JsonBuilder *b = hn_json_begin();
  hn_json_add_string(b, "study", c->results->study);
  hn_json_add_string(b, "baseline", c->results->arms[c->baseline]);
  hn_json_add_string(b, "aggregate", hn_aggregate_name(hn_stats_kind(c->stats)));
  hn_json_add_real(b, "confidence", hn_stats_confidence(c->stats));
  hn_json_add_int(b, "cells_done", c->done);
  hn_json_add_int(b, "cells_failed", c->failed);
  hn_json_add_int(b, "cells", c->results->cells->len);
  hn_json_open_array(b, "columns");
  for (guint i = 0; i < c->columns->len; i++) add_column(b, c, c->columns->pdata[i]);
  json_builder_end_array(b);
  if (tasks) add_tasks(b, c, tasks);
  add_lines(b, "origin", c->origin);
  add_lines(b, "absent", c->absent);
  add_lines(b, "notes", c->notes);
  return hn_json_end(b);
}

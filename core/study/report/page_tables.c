/* page_tables.c - see page_tables.h. */
#include "page_tables.h"
#include "arm_slots.h"
#include "eval_split.h"
#include "format.h"
#include "html.h"

/* ---- tables ---- */

static void interval_cell(GString *out, const HnEstimate *e, HnFormat f) {
  g_autofree char *text = hn_format_interval(e, f);
  hn_html_add(out, "<td>%s</td>", text);
}

static void row(GString *out, const HnComparison *c, const int64_t *slot, const HnCompared *m,
                int64_t a) {
  const HnResults *r = c->results;
  g_string_append(out, a == c->baseline ? "<tr class=\"base\"><th>" : "<tr><th>");
  hn_html_mark(out, slot[a]);
  hn_html_add(out, "%s%s</th><td class=\"n\">", r->arms[a],
              hn_results_privileged(r, a) ? " (oracle)" : "");
  hn_html_count(out, m->estimate[a][HN_VALUE].n);
  g_string_append(out, "</td>");
  for (int k = 0; k < HN_STATISTICS; k++) {
    g_autofree char *shown = hn_format_statistic(c, m, a, k);
    hn_html_add(out, "<td class=\"n\">%s</td>", shown);
    interval_cell(out, &m->estimate[a][k], hn_format_of(m, a, k));
  }
  hn_html_add(out, "<td>%s</td></tr>\n", hn_compared_verdict(m, a));
}

static void table(GString *out, const HnComparison *c, const int64_t *slot, const HnCompared *m,
                  bool open) {
  g_autofree char *interval = hn_format_confidence(c), *heading = hn_format_heading(m);
  hn_html_add(out,
              open ? "<details open=\"\"><summary>%s <small>%s</small></summary>\n"
                   : "<details><summary>%s <small>%s</small></summary>\n",
              m->column, heading);
  hn_html_add(out,
              "<div class=\"wide\"><table>\n<thead><tr><th>arm</th><th class=\"n\">seeds</th>");
  for (int k = 0; k < HN_STATISTICS; k++)
    hn_html_add(out, "<th class=\"n\">%s</th><th>%s</th>",
                hn_statistic_heading(&hn_statistics[k], c->stats), interval);
  hn_html_add(out, "<th>verdict</th></tr></thead><tbody>\n");
  for (int64_t a = 0; a < m->arms; a++) row(out, c, slot, m, a);
  g_string_append(out, "</tbody></table></div></details>\n");
}

void hn_html_tables(GString *out, const HnComparison *c) {
  g_autofree char *methods = hn_format_methods(c);
  g_autofree int64_t *slot = hn_arm_slots(c);
  hn_html_add(out,
              "<section id=\"values\"><h2>Final values</h2>\n<p class=\"quiet\">After training, on "
              "%s tasks. %s Seeds are the unit; %s.</p>\n",
              hn_eval_split_kind(c->results->cells), hn_aggregate_doc(hn_stats_kind(c->stats)),
              methods);
  if (c->columns->len == 0) g_string_append(out, "<p>No done cell has an evaluation yet.</p>\n");
  for (guint i = 0; i < c->columns->len; i++) table(out, c, slot, c->columns->pdata[i], i == 0);
  if (c->notes->len) {
    g_string_append(out, "<div class=\"box note\">");
    hn_html_list(out, c->notes);
    g_string_append(out, "</div>\n");
  }
  g_string_append(out, "</section>\n");
}

/* ---- by task ---- */

static void task_row(GString *out, const HnComparison *c, const HnCompared *m, bool last) {
  hn_html_add(out, last ? "<tr class=\"base\"><th>%s</th>" : "<tr><th>%s</th>", m->column);
  for (int64_t a = 0; a < c->results->arm_count; a++) {
    HnFormat f = hn_format_of(m, a, HN_VALUE);
    f.written = true; /* rows have no heading */
    g_autofree char *value = hn_format_number(m->estimate[a][HN_VALUE].value, f);
    hn_html_add(out, "<td class=\"n\">%s</td>", value);
    interval_cell(out, &m->estimate[a][HN_VALUE], f);
  }
  g_string_append(out, "</tr>\n");
}

static void task_table(GString *out, const HnComparison *c, const int64_t *slot,
                       const HnTaskComparison *b) {
  hn_html_add(out,
              "<details><summary>%s <small>split %s</small></summary>\n"
              "<div class=\"wide\"><table><thead><tr><th>task</th>",
              b->column, b->split);
  for (int64_t a = 0; a < c->results->arm_count; a++) {
    g_string_append(out, "<th class=\"n\">");
    hn_html_mark(out, slot[a]);
    hn_html_add(out, "%s</th><th></th>", c->results->arms[a]);
  }
  g_string_append(out, "</tr></thead><tbody>\n");
  for (guint i = 0; i < b->rows->len; i++)
    task_row(out, c, b->rows->pdata[i], i + 1 == b->rows->len);
  for (guint i = 0; i < b->scores->len; i++) task_row(out, c, b->scores->pdata[i], false);
  g_string_append(out, "</tbody></table></div></details>\n");
}

void hn_html_tasks(GString *out, const HnComparison *c, const GPtrArray *all, const char *csv) {
  if (!all->len) return;
  g_autofree int64_t *slot = hn_arm_slots(c);
  hn_html_add(out,
              "<section id=\"tasks\"><h2>By task</h2>\n<p class=\"quiet\">Episodes that counted in "
              "the last "
              "evaluation, %s over seeds with intervals as above; <a href=\"%s\">csv</a></p>\n",
              hn_aggregate_name(hn_stats_kind(c->stats)), csv);
  for (guint i = 0; i < all->len; i++) task_table(out, c, slot, all->pdata[i]);
  g_string_append(out, "</section>\n");
}

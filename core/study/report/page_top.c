/* page_top.c - see page_top.h. */
#include "page_top.h"
#include "arm_changes.h"
#include "arm_slots.h"
#include "finding.h"
#include "format.h"
#include "html.h"
#include "short_text.h"
#include <string.h>

enum { CHANGES_MAX = 8 };

/* When the last cell was written, or NULL. */
static const char *latest(const HnResults *r) {
  const char *last = NULL;
  for (guint i = 0; i < r->cells->len; i++) {
    const char *time = hn_result_fact(r->cells->pdata[i], "written");
    if (time && (!last || strcmp(time, last) > 0)) last = time;
  }
  return last;
}

/* What the study's file says it is for, or ""; g_free. */
static char *description_of(const HnResults *r) {
  g_autoptr(HnDiag) d = hn_diag_new();
  g_autoptr(HnNode) root = hn_yaml_parse(r->file, r->source, strlen(r->source), d);
  const HnNode *text = root && root->kind == HN_NODE_MAP ? hn_node_get(root, "description") : NULL;
  return g_strdup(text && text->kind == HN_NODE_TEXT ? text->text : "");
}

static void add_counts(GString *out, const HnComparison *c) {
  const HnResults *r = c->results;
  g_autofree char *tasks = hn_metric_tasks_text(r);
  hn_html_count(out, r->arm_count);
  g_string_append(out, r->arm_count == 1 ? " arm, " : " arms, ");
  hn_html_count(out, r->seeds);
  g_string_append(out, r->seeds == 1 ? " seed each" : " paired seeds each");
  g_string_append_printf(out, "%s%s", *tasks ? ", " : "", tasks);
  g_string_append(out, "; ");
  hn_html_count(out, c->done);
  g_string_append_printf(out, " of %u cell%s done", r->cells->len, hn_plural(r->cells->len));
}

void hn_html_top(GString *out, const HnComparison *c) {
  const HnResults *r = c->results;
  g_autofree char *finding = hn_finding(c), *description = description_of(r);
  hn_html_add(out, "<header><h1>%s</h1>\n", r->study);
  if (*description) hn_html_add(out, "<p>%s</p>\n", description);
  hn_html_add(out, "<p class=\"finding\" id=\"finding\">%s</p>\n<p class=\"quiet\">", finding);
  if (r->arm_count > 1 && c->columns->len) {
    g_autofree char *interval = hn_format_confidence(c), *methods = hn_format_methods(c);
    const HnCompared *m = c->columns->pdata[0];
    hn_html_add(out, "In brackets: %s; %s%s.<br/>", interval, methods,
                m->adjusted && m->family > 1
                    ? "; verdicts are adjusted for several arms (Holm), intervals not"
                    : "");
  }
  add_counts(out, c);
  const char *last = latest(r);
  if (last) hn_html_add(out, ", last written %s", last);
  for (guint i = 0; i < c->origin->len; i++) {
    const char *line = c->origin->pdata[i];
    hn_html_add(out, "; %s", line);
  }
  g_string_append(out, "</p></header>\n");
}

/* ---- arms ---- */

static void arm_row(GString *out, const HnComparison *c, const HnArmChanges *all, int64_t slot,
                    int64_t arm) {
  const HnResults *r = c->results;
  g_autoptr(GPtrArray) changes = hn_arm_changes_of(all, arm);
  g_string_append(out, "<tr><th>");
  hn_html_mark(out, slot);
  hn_html_add(out, "%s</th><td class=\"wrap\">", r->arms[arm]);
  if (arm == c->baseline)
    g_string_append(out, "the baseline");
  else if (!changes)
    g_string_append(out, "no cell to tell by");
  else if (!changes->len)
    hn_html_add(out, "as %s", r->arms[c->baseline]);
  for (guint i = 0; changes && i < MIN(changes->len, CHANGES_MAX); i++) {
    const char *line = changes->pdata[i];
    hn_html_add(out, "%s<code>%s</code>", i ? ", " : "", line);
  }
  if (changes && changes->len > CHANGES_MAX)
    g_string_append_printf(out, " and %u more", changes->len - CHANGES_MAX);
  g_string_append(out, "</td></tr>\n");
}

void hn_html_arms(GString *out, const HnComparison *c) {
  const HnResults *r = c->results;
  if (r->arm_count < 2) return;
  g_autofree int64_t *slot = hn_arm_slots(c);
  g_autoptr(HnArmChanges) changes = hn_arm_changes_new(r, c->baseline);
  const bool fold = r->arm_count > HN_ARMS_NAMED;
  hn_html_add(out,
              fold ? "<details><summary>How the arms differ from %s</summary>\n"
                   : "<section><h2>How the arms differ from %s</h2>\n",
              r->arms[c->baseline]);
  g_string_append(out, "<div class=\"wide\" id=\"arms\"><table><tbody>\n");
  for (int64_t a = 0; a < r->arm_count; a++) arm_row(out, c, changes, slot[a], a);
  hn_html_add(out, "</tbody></table></div></%s>\n", fold ? "details" : "section");
}

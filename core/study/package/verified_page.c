/* verified_page.c - see verified_page.h. */
#include "verified_page.h"
#include "html.h"
#include "json.h"
#include "run_kernels.h"
#include <inttypes.h>

/* ---- head ---- */

static void head(GString *out, const HnVerified *v) {
  g_autofree char *name = g_path_get_basename(v->file);
  g_autofree char *title = g_strdup_printf("%s: %s", name, hn_verified_verdict(v));
  g_autofree char *files = g_strdup_printf("%u", v->intact->files);
  hn_html_begin(out, title);
  hn_html_add(out, "<header><h1>%s</h1>\n<p class=\"finding\">%s: %s.</p>\n", name,
              hn_verified_verdict(v), hn_verified_meaning(v));
  hn_html_add(out,
              "<p class=\"quiet\">Study %s; %s files are as manifest.sha256 says; signature: %s; "
              "sha256 <code>%s</code></p></header>\n",
              hn_json_string(v->intact->facts, "study", "?"), files, v->signature, v->sha256);
}

static void wrong(GString *out, const HnVerified *v) {
  const GPtrArray *lines = v->intact->wrong;
  if (!lines->len) return;
  g_string_append(out, "<div class=\"box\"><strong>Not as it was packed</strong>");
  hn_html_list(out, lines);
  g_string_append(out, "</div>\n");
}

/* ---- rungs ---- */

static void outcome(GString *out, const HnOutcome *o) {
  g_autofree char *updates = o->updates ? g_strdup_printf("%" PRId64, o->updates) : NULL;
  g_autofree char *first = o->first >= 0 ? g_strdup_printf("%" PRId64, o->first) : NULL;
  g_autofree char *most = o->column ? g_strdup_printf("%s by %.3g", o->column, o->most) : NULL;
  hn_html_add(out,
              "<tr><td>%s</td><td>%s</td><td><strong>%s</strong></td><td class=\"n\">%s</td>"
              "<td class=\"n\">%s</td><td>%s</td><td class=\"wrap\">%s</td></tr>\n",
              o->rung, o->cell, hn_agreement_name(o->agreement), updates, first, most, o->reason);
}

static void outcomes(GString *out, const HnVerified *v) {
  if (!v->outcomes->len) return;
  g_string_append(out, "<section><h2>Computed again</h2>\n<div class=\"wide\"><table><thead><tr>"
                       "<th>rung</th><th>cell</th><th>verdict</th><th class=\"n\">updates</th>"
                       "<th class=\"n\">first that differs</th><th>number that differs most</th>"
                       "<th>remarks</th></tr></thead><tbody>\n");
  for (guint i = 0; i < v->outcomes->len; i++) outcome(out, v->outcomes->pdata[i]);
  g_string_append(out, "</tbody></table></div></section>\n");
}

/* ---- machines ---- */

static void fact(GString *out, const HnVerified *v, const char *member, const char *what) {
  g_autofree char *said = hn_verified_fact(v, member, false);
  g_autofree char *here = hn_verified_fact(v, member, true);
  if (!said && !here) return;
  hn_html_add(out,
              "<tr><th>%s</th><td class=\"wrap\">%s</td><td class=\"wrap\">%s</td><td>%s</td>"
              "</tr>\n",
              what, said, here, hn_run_kernels_alike(member, said, here) ? "" : "differs");
}

static void machines(GString *out, const HnVerified *v) {
  if (!v->outcomes->len) return;
  g_string_append(out, "<section><h2>Machines</h2>\n<div class=\"wide\"><table><thead><tr><th></th>"
                       "<th>packed</th><th>here</th><th></th></tr></thead><tbody>\n");
#define FACT(member, what) fact(out, v, #member, what);
  HN_MACHINE_FACTS(FACT)
#undef FACT
  g_string_append(out, "</tbody></table></div></section>\n");
}

/* ---- words ---- */

static void notes(GString *out, const HnIntact *x) {
  g_autoptr(GPtrArray) lines = g_ptr_array_new();
  for (guint i = 0; hn_intact_note(x, i); i++)
    g_ptr_array_add(lines, (gpointer)(guintptr)hn_intact_note(x, i));
  if (!lines->len) return;
  g_string_append(out,
                  "<section><h2>What the package says of itself</h2>\n<div class=\"box note\">");
  hn_html_list(out, lines);
  g_string_append(out, "</div></section>\n");
}

static void words(GString *out) {
  g_string_append(out, "<section><h2>Verdicts, from the strongest on</h2>\n<div class=\"wide\">"
                       "<table><tbody>\n");
  for (int a = 0; a <= HN_AGREES_FAILED; a++)
    hn_html_add(out, "<tr><th>%s</th><td class=\"wrap\">%s</td></tr>\n", hn_agreement_name(a),
                hn_agreement_doc(a));
  g_string_append(out, "</tbody></table></div></section>\n");
}

char *hn_verified_page(const HnVerified *v) {
  g_autoptr(GString) out = g_string_new(NULL);
  head(out, v);
  wrong(out, v);
  outcomes(out, v);
  machines(out, v);
  notes(out, v->intact);
  if (v->outcomes->len) words(out);
  hn_html_end(out);
  return g_strdup(out->str);
}

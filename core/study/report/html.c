/* html.c - see html.h.  The page is also well-formed XML. */
#include "html.h"
#include "colours.h"
#include "page_css.h"
#include "short_text.h"
#include <stdarg.h>
#include <string.h>

void hn_html_text(GString *out, const char *text) {
  g_autofree char *escaped = g_markup_escape_text(text, -1);
  g_string_append(out, escaped);
}

void hn_html_add(GString *out, const char *format, ...) {
  va_list list;
  va_start(list, format);
  for (const char *at = format, *next; *at; at = next) {
    next = strstr(at, "%s");
    if (!next) next = at + strlen(at);
    g_string_append_len(out, at, next - at);
    if (!*next) break;
    const char *text = va_arg(list, const char *);
    hn_html_text(out, text ? text : "");
    next += 2;
  }
  va_end(list);
}

void hn_html_count(GString *out, int64_t n) {
  g_string_append_printf(out, "%" G_GINT64_FORMAT, n);
}

void hn_html_mark(GString *out, int64_t slot) {
  if (slot < 0) return;
  const int marker = hn_slot_marker(slot);
  g_autofree char *colour = hn_colour_variable(hn_colour_of_slot(slot));
  g_string_append_printf(out,
                         "<svg class=\"mark\" viewBox=\"-1.2 -1.2 2.4 2.4\" aria-hidden=\"true\">"
                         "<path d=\"%s\" fill=\"%s\" stroke=\"%s\" stroke-width=\".3\"/></svg>",
                         hn_marker_path(marker), hn_marker_is_open(marker) ? "none" : colour,
                         colour);
}

/* ---- head ---- */

static const char *const style[] = {HN_PAGE_CSS};

void hn_html_begin(GString *out, const char *title) {
  hn_html_add(out,
              "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
              "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n"
              "<meta name=\"color-scheme\" content=\"light dark\"/>\n<title>%s</title>\n<style>",
              title);
  g_autofree char *light = hn_colour_variables(false), *dark = hn_colour_variables(true);
  g_string_append_printf(
      out, "\n:root{%s}\n@media screen and (prefers-color-scheme:dark){:root{%s}}\n", light, dark);
  for (guint i = 0; i < G_N_ELEMENTS(style); i++) g_string_append_printf(out, "%s\n", style[i]);
  g_string_append(out, "</style>\n</head>\n<body>\n");
}

void hn_html_end(GString *out) {
  g_string_append(out, "</body>\n</html>\n");
}

void hn_html_list(GString *out, const GPtrArray *lines) {
  g_string_append(out, "<ul>");
  for (guint i = 0; i < lines->len; i++) hn_html_add(out, "<li>%s</li>", lines->pdata[i]);
  g_string_append(out, "</ul>\n");
}

static void warn_of(GString *out, const HnComparison *c, const GPtrArray *lines, const char *what) {
  if (!lines->len) return;
  g_string_append_printf(out, "<div class=\"box\"><strong>%u of %u cell%s %s %s</strong>",
                         lines->len, c->results->cells->len, hn_plural(c->results->cells->len),
                         hn_is_or_are(lines->len), what);
  hn_html_list(out, lines);
  g_string_append(out, "</div>\n");
}

void hn_html_warnings(GString *out, const HnComparison *c) {
  warn_of(out, c, c->partial, "in these results as far as they are");
  warn_of(out, c, c->absent, "not in these results");
}

/* svg.c - see svg.h.  The colour of code k is drawn as rgb(1, 1, k), so that it can be found. */
#include "svg.h"
#include "colours.h"
#include <string.h>

typedef struct Replacement {
  int64_t baseline;
  bool variables; /* CSS variables, else the light colours */
} Replacement;

static gboolean replace_colour(const GMatchInfo *match, GString *out, gpointer arg) {
  const Replacement *to = arg;
  g_autofree char *all = g_match_info_fetch(match, 0), *digits = g_match_info_fetch(match, 1);
  const int64_t code = g_ascii_strtoll(digits, NULL, 10);
  if (!hn_colour_is_code(code)) { /* part of a label */
    g_string_append(out, all);
    return FALSE;
  }
  g_autofree char *variable = hn_colour_variable((int)code);
  g_string_append(out, to->variables ? variable : hn_colour((int)code, to->baseline, false));
  return FALSE;
}

static char *coloured(const char *svg, Replacement to) {
  g_autoptr(GRegex) stand_in = g_regex_new("rgb\\( *1, *1, *(\\d+)\\)", 0, 0, NULL);
  return g_regex_replace_eval(stand_in, svg, -1, 0, 0, replace_colour, &to, NULL);
}

char *hn_svg_for_paper(const char *svg, int64_t baseline) {
  return coloured(svg, (Replacement){baseline, false});
}

char *hn_svg_for_page(const char *svg, const char *name, const char *label, double width,
                      double height, const char *style) {
  g_autofree char *ids = g_strdup_printf("id=\\1%s-", name);
  g_autofree char *uses = g_strdup_printf("href=\\1#%s-", name);
  const char *const change[][2] = {
      {"<filter .*?</filter>\\s*", ""},
      {"<title>[^<]*</title>\\s*", ""},
      {"<desc>[^<]*</desc>\\s*", ""},
      {"id=(['\"])", ids},
      {"href=(['\"])#", uses},
      {"xlink:href", "href"},
      {"<g fill=\"none\" color=\"[a-z]*\" stroke=\"[a-zA-Z]*\"[^>]*>\\s*</g>\\s*", ""}};
  g_autofree char *text = coloured(svg, (Replacement){0, true});
  for (guint i = 0; i < G_N_ELEMENTS(change); i++) {
    g_autoptr(GRegex) regex = g_regex_new(change[i][0], G_REGEX_DOTALL, 0, NULL);
    char *changed = g_regex_replace(regex, text, -1, 0, change[i][1], 0, NULL);
    g_free(text);
    text = changed;
  }
  g_autofree char *escaped = g_markup_escape_text(label, -1);
  g_autofree char *start =
      g_strdup_printf("<svg viewBox=\"0 0 %.0f %.0f\"%s%s%s role=\"img\" aria-label=\"%s\">", width,
                      height, *style ? " style=\"" : "", style, *style ? "\"" : "", escaped);
  const char *root = strstr(text, "<svg"), *body = root ? strchr(root, '>') : NULL;
  return g_strconcat(start, body ? body + 1 : "</svg>", NULL);
}

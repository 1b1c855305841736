/* serve_page.c - see serve_page.h. */
#include "serve_page.h"
#include "colours.h"
#include "serve_page_lines.h"

/* As one literal they would be longer than C allows. */
static const char *const html[] = {HN_SERVE_HTML NULL};
static const char *const css[] = {HN_SERVE_CSS NULL};
static const char *const js[] = {HN_SERVE_JS NULL};
static const char *const svg[] = {HN_SERVE_SVG NULL};

static GString *joined(const char *const *line) {
  GString *out = g_string_new(NULL);
  for (; *line; line++) g_string_append(g_string_append(out, *line), "\n");
  return out;
}

char *hn_serve_page_html(void) {
  return g_string_free(joined(html), FALSE);
}

char *hn_serve_page_style(void) {
  g_autofree char *light = hn_colour_variables(false), *dark = hn_colour_variables(true);
  GString *out = joined(css);
  g_string_append_printf(out, ":root{%s}\n@media (prefers-color-scheme:dark){:root{%s}}\n", light,
                         dark);
  for (int slot = -1; slot < HN_SLOTS; slot++) {
    static const char *const dashes[] = {[1] = "none", [2] = "7 4", [4] = "2 4"};
    g_autofree char *name = slot < 0 ? g_strdup("rest") : g_strdup_printf("slot-%d", slot);
    g_autofree char *colour = hn_colour_variable(hn_colour_of_slot(slot));
    g_string_append_printf(out, ".%s{--own:%s;stroke-dasharray:%s}\n", name, colour,
                           dashes[slot < 0 ? 1 : hn_slot_dash(slot)]);
  }
  return g_string_free(out, FALSE);
}

char *hn_serve_page_script(void) {
  return g_string_free(joined(js), FALSE);
}

char *hn_serve_page_icon(void) {
  return g_string_free(joined(svg), FALSE);
}

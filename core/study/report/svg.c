/* svg.c - see svg.h.  The colour of code k is drawn as rgb(1, 1, k), so that it can be found.  Goes
 * through the text once: figures of many arms are megabytes. */
#include "svg.h"
#include "colours.h"
#include <string.h>

typedef struct Copy {
  GString *out;
  const char *name;
  bool variables; /* colours are CSS variables, else the light ones */
} Copy;

static void put_colour(const Copy *c, int code) {
  if (!c->variables) {
    g_string_append(c->out, hn_colour(code, false));
    return;
  }
  g_autofree char *variable = hn_colour_variable(code);
  g_string_append(c->out, variable);
}

/* The code of a stand-in that begins at `at`, "#010107" or "rgb(  1,   1,   7)", whose end is put
 * into *end; else 0. */
static int stand_in(const char *at, const char **end) {
  const bool hex = g_str_has_prefix(at, "#0101");
  if (!hex && !g_str_has_prefix(at, "rgb(")) return 0;
  gint64 part[3] = {1, 1, 0};
  char *next = (char *)(guintptr)at + (hex ? 5 : 4);
  for (int i = hex ? 2 : 0; i < 3; i++) {
    part[i] = g_ascii_strtoll(next, &next, hex ? 16 : 10);
    if (!hex && *next++ != ",,)"[i]) return 0;
  }
  *end = next;
  return part[0] == 1 && part[1] == 1 && hn_colour_is_code(part[2]) ? (int)part[2] : 0;
}

/* Copies the inside of a tag: its attributes, with colours and ids of its own. */
static void put_tag(const Copy *c, const char *from, const char *to) {
  while (from < to) {
    const char *next = from + 1;
    const int code = *from == 'r' || *from == '#' ? stand_in(from, &next) : 0;
    const bool id = g_str_has_prefix(from, " id='") || g_str_has_prefix(from, " id=\"");
    if (code) {
      put_colour(c, code);
    } else if (g_str_has_prefix(from, "xlink:href='#")) {
      g_string_append_printf(c->out, "href='#%s-", c->name);
      next = from + strlen("xlink:href='#");
    } else if (id) {
      g_string_append_printf(c->out, "%.5s%s-", from, c->name);
      next = from + 5;
    } else {
      next = from + 1;
      g_string_append_c(c->out, *from);
    }
    from = next;
  }
}

/* Where an element that says nothing ends, if one begins at `at`; else NULL. */
static const char *useless(const char *at) {
  static const char *const elements[] = {"title", "desc", "filter"};
  for (guint i = 0; i < G_N_ELEMENTS(elements); i++) {
    g_autofree char *begin = g_strconcat("<", elements[i], NULL),
                    *end = g_strconcat("</", elements[i], ">", NULL);
    const char *close = g_str_has_prefix(at, begin) ? strstr(at, end) : NULL;
    if (close) return close + strlen(end);
  }
  const char *inside = g_str_has_prefix(at, "<g fill=\"none\"") ? strchr(at, '>') : NULL;
  if (!inside) return NULL;
  inside += 1 + strspn(inside + 1, " \t\n");
  return g_str_has_prefix(inside, "</g>") ? inside + 4 : NULL;
}

/* All that stands within the root element, and its end. */
static void put_content(const Copy *c, const char *svg) {
  const char *root = strstr(svg, "<svg"), *at = root ? strchr(root, '>') : NULL;
  if (!at) {
    g_string_append(c->out, "</svg>");
    return;
  }
  for (at++; *at;) {
    const char *text = at + strcspn(at, "<"), *skip = *text ? useless(text) : text;
    gsize blank = strspn(at, " \t\n");
    if (at + blank < text) g_string_append_len(c->out, at, text - at);
    at = skip;
    if (skip) continue;
    at = strchr(text, '>');
    at = at ? at + 1 : text + strlen(text);
    put_tag(c, text, at);
    if (at[-1] == '>' && *at == '\n') g_string_append_c(c->out, '\n');
  }
}

static void put_titles(GString *out, const HnSvg *of) {
  g_autofree char *title = g_markup_escape_text(of->title, -1),
                  *detail = g_markup_escape_text(of->detail, -1);
  g_string_append_printf(out, "<title>%s</title><desc>%s</desc>\n", title, detail);
}

char *hn_svg_for_paper(const char *svg, const HnSvg *of, double millimetres) {
  Copy c = {g_string_new("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"), of->name, false};
  g_string_append_printf(c.out,
                         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.2fmm\" "
                         "height=\"%.2fmm\" viewBox=\"0 0 %.0f %.0f\" role=\"img\">",
                         millimetres, millimetres * of->height / of->width, of->width, of->height);
  put_titles(c.out, of);
  put_content(&c, svg);
  return g_string_free(c.out, FALSE);
}

char *hn_svg_for_page(const char *svg, const HnSvg *of, double most) {
  Copy c = {g_string_new(NULL), of->name, true};
  g_string_append_printf(c.out,
                         "<svg viewBox=\"0 0 %.0f %.0f\" style=\"max-width:%.0fpx\" role=\"img\">",
                         of->width, of->height, most);
  put_titles(c.out, of);
  put_content(&c, svg);
  return g_string_free(c.out, FALSE);
}

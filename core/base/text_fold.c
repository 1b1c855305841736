/* text_fold.c - see text_fold.h. */
#include "text_fold.h"
#include <glib.h>
#include <stdbool.h>
#include <string.h>

/* The byte behind the character at `p`, and how many columns it takes: an escape sequence none. */
static const char *next(const char *p, int *columns) {
  if (p[0] == '\033' && p[1] == '[') {
    *columns = 0;
    p += 2 + strcspn(p + 2, "m");
    return *p ? p + 1 : p;
  }
  *columns = 1;
  return p + g_utf8_skip[(guchar)*p];
}

/* Where the last column begins that does so in the first half of the line. */
static int indent_of(const char *line, int width) {
  int indent = 0, at = 0, columns = 0, spaces = 0;
  for (const char *p = line; *p && at <= width / 2; at += columns) {
    if (*p != ' ' && (spaces >= 2 || at == 0 || spaces == at)) indent = at;
    const bool space = *p == ' ';
    p = next(p, &columns);
    if (columns) spaces = space ? spaces + 1 : 0;
  }
  return indent;
}

/* How many bytes of the text fit into `room` columns, cut at a space where there is one. */
static gsize fitting(const char *text, int room) {
  const char *p = text, *cut = NULL;
  for (int at = 0, columns; *p; at += columns) {
    if (*p == ' ' && p > text && p[-1] != ' ') cut = p;
    if (at >= room && cut) return (gsize)(cut - text);
    p = next(p, &columns);
  }
  return (gsize)(p - text);
}

static void fold(GString *out, const char *line, int width) {
  const int indent = indent_of(line, width);
  const gsize lead = strspn(line, " ");
  gsize n = lead + fitting(line + lead, width - (int)lead);
  g_string_append_len(out, line, (gssize)n);
  for (line += n; *line; line += n) {
    line += strspn(line, " ");
    n = fitting(line, width - indent);
    g_string_append_printf(out, "\n%*s%.*s", indent, "", (int)n, line);
  }
}

char *hn_text_folded(const char *text, int width) {
  g_autoptr(GString) out = g_string_new(NULL);
  for (const char *line = text; *line;) {
    const gsize n = strcspn(line, "\n");
    g_autofree char *one = g_strndup(line, n);
    fold(out, one, width);
    line += n;
    if (*line) g_string_append_c(out, *line++);
  }
  return g_strdup(out->str);
}

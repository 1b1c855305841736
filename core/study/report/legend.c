/* legend.c - see legend.h. */
#include "legend.h"
#include <math.h>
#include <string.h>

enum { SAMPLE = 42, GAP = 18, SIDE = 12 }; /* pixels: a piece of line, between columns, margins */

/* In thousandths of the letters' size; of wide sans-serif fonts. */
static int letter_width(gunichar c) {
  if (c < 128 && strchr("iljI.,:;'|! ", (int)c)) return 330;
  if (c < 128 && strchr("rtf()[]-", (int)c)) return 420;
  if (c < 128 && strchr("mwMW@%", (int)c)) return 980;
  return g_unichar_iswide(c) ? 1000 : g_unichar_isupper(c) ? 720 : 620;
}

double hn_text_width(const char *text) {
  double width = 0;
  for (const gchar *c = text; *c; c = g_utf8_find_next_char(c, NULL))
    width += 13e-3 * letter_width(g_utf8_get_char(c));
  return width;
}

/* The end of the first line. */
static const char *line_end(const char *text, double width) {
  const char *best = NULL, *c = text;
  double taken = 0;
  for (; *c; c = g_utf8_find_next_char(c, NULL)) {
    taken += 13e-3 * letter_width(g_utf8_get_char(c));
    if (taken > width && c > text) return best ? best : c;
    if (strchr("_-. ", *c)) best = c + 1;
  }
  return c;
}

char **hn_text_wrap(const char *text, double width) {
  g_autoptr(GStrvBuilder) lines = g_strv_builder_new();
  do {
    const char *end = line_end(text, width);
    g_autofree char *line = g_strndup(text, (gsize)(end - text));
    g_strv_builder_add(lines, line);
    text = end;
  } while (*text);
  return g_strv_builder_end(lines);
}

/* ---- legend ---- */

typedef struct Layout {
  int64_t columns;
  double column; /* width */
} Layout;

static Layout layout_of(int64_t n, const HnLegendEntry *entry, double width) {
  double longest = 0;
  for (int64_t i = 0; i < n; i++) longest = fmax(longest, hn_text_width(entry[i].name));
  const double room = width - 2 * SIDE, wanted = SAMPLE + longest + GAP;
  const int64_t columns = CLAMP((int64_t)(room / wanted), 1, MAX(n, 1));
  return (Layout){columns, room / (double)columns};
}

/* Walks over the entries row by row, draws them where there is a script, and returns where it ends.
 */
static double walk(const HnScript *s, int64_t n, const HnLegendEntry *entry, double width,
                   double y) {
  const Layout l = layout_of(n, entry, width);
  guint rows = 0;
  for (int64_t i = 0; i < n; i++) {
    const double x = SIDE + l.column * (double)(i % l.columns);
    g_auto(GStrv) lines = hn_text_wrap(entry[i].name, l.column - SAMPLE);
    if (i % l.columns == 0) y += rows * HN_LINE_HEIGHT, rows = 0;
    rows = MAX(rows, g_strv_length(lines));
    if (!s) continue;
    const double middle = y + HN_LINE_HEIGHT / 2.0, end = x + SAMPLE - 8;
    if (entry[i].line)
      hn_script_line(s, x, middle, end, middle, hn_colour_of_slot(entry[i].slot), 2,
                     hn_slot_dash(entry[i].slot));
    hn_script_marker(s, (x + end) / 2, middle, entry[i].slot, 0.6);
    for (guint k = 0; lines[k]; k++)
      hn_script_text(s, x + SAMPLE, middle + k * HN_LINE_HEIGHT, "left", lines[k], HN_INK);
  }
  return y + rows * HN_LINE_HEIGHT;
}

double hn_legend_height(int64_t n, const HnLegendEntry *entry, double width) {
  return walk(NULL, n, entry, width, 0);
}

void hn_legend_draw(const HnScript *s, int64_t n, const HnLegendEntry *entry, double y) {
  walk(s, n, entry, s->width, y);
}

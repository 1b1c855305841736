/* text_table.c - see text_table.h. */
#include "text_table.h"
#include <stdbool.h>
#include <string.h>

HnTextTable hn_text_table(const char *align) {
  return (HnTextTable){g_strdup(align), g_ptr_array_new_with_free_func(g_free)};
}

void hn_text_table_add(HnTextTable *t, char *cell) {
  g_ptr_array_add(t->cells, cell);
}

static const char *cell_at(const HnTextTable *t, guint row, guint column) {
  return t->cells->pdata[row * strlen(t->align) + column];
}

static int length_of(const char *cell) {
  return (int)g_utf8_strlen(cell, -1);
}

static int width_of(const HnTextTable *t, guint column) {
  int widest = 0;
  for (guint row = 0; row < t->cells->len / strlen(t->align); row++)
    widest = MAX(widest, length_of(cell_at(t, row, column)));
  return widest;
}

static void write_cell(const HnTextTable *t, guint row, guint column, GString *line) {
  const char *cell = cell_at(t, row, column), align = t->align[column];
  const int pad = width_of(t, column) - length_of(cell);
  const bool right = align == 'r' || (align == 'h' && row);
  g_string_append_printf(line, "  %*s%s%*s", right ? pad : 0, "", cell, right ? 0 : pad, "");
}

/* The first column, and columns [first, last) beside it. */
static void write_block(const HnTextTable *t, guint first, guint last, GString *out) {
  for (guint row = 0; row < t->cells->len / strlen(t->align); row++) {
    GString *line = g_string_new(NULL);
    write_cell(t, row, 0, line);
    for (guint column = first; column < last; column++) write_cell(t, row, column, line);
    g_string_append_printf(out, "%s\n", g_strchomp(line->str));
    g_string_free(line, true);
  }
}

void hn_text_table_end(HnTextTable *t, int width, GString *out) {
  const guint columns = (guint)strlen(t->align);
  for (guint first = 1, last; first < columns; first = last) {
    int used = 2 + width_of(t, 0);
    for (last = first; last < columns; last++) {
      int more = 2 + width_of(t, last);
      if (last > first && used + more > width) break;
      used += more;
    }
    if (first > 1) g_string_append_c(out, '\n');
    write_block(t, first, last, out);
  }
  g_free(t->align);
  g_ptr_array_unref(t->cells);
}

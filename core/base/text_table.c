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

/* Of every column, as wide as its widest cell; g_free. */
static int *widths_of(const HnTextTable *t) {
  const guint columns = (guint)strlen(t->align);
  int *widths = g_new0(int, columns);
  for (guint i = 0; i < t->cells->len; i++)
    widths[i % columns] = MAX(widths[i % columns], length_of(t->cells->pdata[i]));
  return widths;
}

static void write_cell(const HnTextTable *t, const int *widths, guint row, guint column,
                       GString *line) {
  const char *cell = cell_at(t, row, column), align = t->align[column];
  const int pad = widths[column] - length_of(cell);
  const bool right = align == 'r' || (align == 'h' && row);
  g_string_append_printf(line, "  %*s%s%*s", right ? pad : 0, "", cell, right ? 0 : pad, "");
}

/* The first column, and columns [first, last) beside it. */
static void write_block(const HnTextTable *t, const int *widths, guint first, guint last,
                        GString *out) {
  for (guint row = 0; row < t->cells->len / strlen(t->align); row++) {
    GString *line = g_string_new(NULL);
    write_cell(t, widths, row, 0, line);
    for (guint column = first; column < last; column++) write_cell(t, widths, row, column, line);
    g_string_append_printf(out, "%s\n", g_strchomp(line->str));
    g_string_free(line, true);
  }
}

void hn_text_table_end(HnTextTable *t, int width, GString *out) {
  const guint columns = (guint)strlen(t->align);
  g_autofree int *widths = widths_of(t);
  for (guint first = 1, last; first < columns; first = last) {
    int used = 2 + widths[0];
    for (last = first; last < columns; last++) {
      int more = widths[last] ? 2 + widths[last] : 0; /* an empty column needs no block */
      if (last > first && used + more > width) break;
      used += more;
    }
    if (first > 1) g_string_append_c(out, '\n');
    write_block(t, widths, first, last, out);
  }
  g_free(t->align);
  g_ptr_array_unref(t->cells);
}

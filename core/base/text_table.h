/* text_table.h - cells lined up in columns, for a terminal. */
#ifndef HN_TEXT_TABLE_H
#define HN_TEXT_TABLE_H
#include <glib.h>
#include <stdint.h>

typedef struct HnTextTable {
  char *align;      /* [columns] 'l' left, 'r' right, 'h' right with its heading at the left */
  GPtrArray *cells; /* char *, row by row, the heading's first */
} HnTextTable;

HnTextTable hn_text_table(const char *align);
/* The next cell, which is taken over. */
void hn_text_table_add(HnTextTable *t, char *cell);
/* Appends the lines, two spaces before each column, and frees what t holds.  Columns that do not
 * fit into `width` characters follow in further blocks, each with the first column before it. */
void hn_text_table_end(HnTextTable *t, int width, GString *out);
#endif

/* sheet.h - a table for people, in one of several styles: whatever fills an HnTextTable can be
 * printed in each. */
#ifndef HN_SHEET_H
#define HN_SHEET_H
#include "text_table.h"

typedef enum HnSheetStyle {
  HN_SHEET_TEXT,     /* for a terminal, at most 100 characters wide */
  HN_SHEET_MARKDOWN, /* as GitHub has tables */
  HN_SHEET_LATEX     /* a table environment; needs the package booktabs */
} HnSheetStyle;

/* Appends a line of text beside tables, which LaTeX gets as a comment. */
void hn_sheet_line(const char *line, HnSheetStyle style, GString *out);
/* Appends the table below its title, and frees what t holds. */
void hn_sheet_end(HnTextTable *t, const char *title, HnSheetStyle style, GString *out);
#endif

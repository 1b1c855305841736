/* sheet.c - see sheet.h. */
#include "sheet.h"
#include <stdbool.h>
#include <string.h>

enum { WIDTH = 100 };

void hn_sheet_line(const char *line, HnSheetStyle style, GString *out) {
  const char *before = style == HN_SHEET_LATEX ? "% " : "";
  const char *after = style == HN_SHEET_MARKDOWN ? "\n\n" : "\n"; /* a paragraph of its own */
  g_string_append_printf(out, "%s%s%s", before, line, after);
}

/* A number, an interval or both: in LaTeX a formula, whose minus is one. */
static bool is_numeric(const char *cell) {
  return strpbrk(cell, "0123456789") && !cell[strspn(cell, "0123456789.+-[], e~")];
}

static void add_markdown(const char *cell, GString *out) {
  for (const char *c = cell; *c; c++) {
    if (strchr("|*_<`\\", *c)) g_string_append_c(out, '\\');
    g_string_append_c(out, *c);
  }
}

static void add_latex(const char *cell, GString *out) {
  static const struct {
    char plain;
    const char *latex;
  } special[] = {{'\\', "\\textbackslash{}"},
                 {'~', "\\textasciitilde{}"},
                 {'^', "\\textasciicircum{}"},
                 {'<', "\\textless{}"},
                 {'>', "\\textgreater{}"}};
  for (const char *c = cell; *c; c++) {
    const char *latex = NULL;
    for (guint i = 0; i < G_N_ELEMENTS(special); i++)
      if (special[i].plain == *c) latex = special[i].latex;
    if (latex)
      g_string_append(out, latex);
    else
      g_string_append_printf(out, strchr("&%$#_{}", *c) ? "\\%c" : "%c", *c);
  }
}

static void add_cell(const char *cell, HnSheetStyle style, GString *out) {
  if (style == HN_SHEET_MARKDOWN)
    add_markdown(cell, out);
  else if (is_numeric(cell)) {
    g_auto(GStrv) parts = g_strsplit(cell, "~", 2); /* the mark of a coarse interval */
    g_autofree char *formula = g_strjoinv("\\sim ", parts);
    g_string_append_printf(out, "$%s$", formula);
  } else
    add_latex(cell, out);
}

static void add_rows(const HnTextTable *t, guint from, guint to, HnSheetStyle style, GString *out) {
  const guint columns = (guint)strlen(t->align);
  const bool markdown = style == HN_SHEET_MARKDOWN;
  for (guint row = from; row < to; row++) {
    for (guint i = 0; i < columns; i++) {
      g_string_append(out, markdown ? "| " : i ? " & " : "");
      add_cell(t->cells->pdata[row * columns + i], style, out);
      if (markdown) g_string_append_c(out, ' ');
    }
    g_string_append(out, markdown ? "|\n" : " \\\\\n");
  }
}

static void add_sheet_markdown(const HnTextTable *t, const char *title, GString *out) {
  const guint rows = t->cells->len / (guint)strlen(t->align);
  g_string_append(out, "**");
  add_markdown(title, out);
  g_string_append(out, "**\n\n");
  add_rows(t, 0, 1, HN_SHEET_MARKDOWN, out);
  for (const char *a = t->align; *a; a++) g_string_append(out, *a == 'l' ? "|---" : "|--:");
  g_string_append(out, "|\n");
  add_rows(t, 1, rows, HN_SHEET_MARKDOWN, out);
  g_string_append_c(out, '\n');
}

static void add_sheet_latex(const HnTextTable *t, const char *title, GString *out) {
  const guint rows = t->cells->len / (guint)strlen(t->align);
  g_string_append(out, "\\begin{table}\n\\centering\n\\caption{");
  add_latex(title, out);
  g_string_append(out, "}\n\\begin{tabular}{");
  for (const char *a = t->align; *a; a++) g_string_append_c(out, *a == 'l' ? 'l' : 'r');
  g_string_append(out, "}\n\\toprule\n");
  add_rows(t, 0, 1, HN_SHEET_LATEX, out);
  g_string_append(out, "\\midrule\n");
  add_rows(t, 1, rows, HN_SHEET_LATEX, out);
  g_string_append(out, "\\bottomrule\n\\end{tabular}\n\\end{table}\n");
}

void hn_sheet_end(HnTextTable *t, const char *title, HnSheetStyle style, GString *out) {
  if (style == HN_SHEET_TEXT) {
    g_string_append_printf(out, "\n%s\n", title);
    hn_text_table_end(t, WIDTH, out);
    return;
  }
  if (style == HN_SHEET_MARKDOWN)
    add_sheet_markdown(t, title, out);
  else
    add_sheet_latex(t, title, out);
  g_free(t->align), g_ptr_array_unref(t->cells);
}

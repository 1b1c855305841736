/* sheet_test.c - tables as Markdown and LaTeX: what stands in them, what is escaped, and that
 * LaTeX, where it is installed, sets them. */
#include "render_csv.h"
#include "render_text.h"
#include "three_arms_fixture.h"

static HnTextTable small(void) {
  static const char *const cells[] = {"arm",       "mean",  "95 % interval", //
                                      "a_b & |c|", "-0.71", "[-0.91, -0.41]",
                                      "50%",       "-",     "~[1e-3, 2e-3]"};
  HnTextTable t = hn_text_table("lrh");
  for (guint i = 0; i < G_N_ELEMENTS(cells); i++) hn_text_table_add(&t, g_strdup(cells[i]));
  return t;
}

static void styles(void) {
  HnTextTable t = small();
  g_autoptr(GString) out = g_string_new(NULL);
  hn_sheet_end(&t, "eval.a_b", HN_SHEET_MARKDOWN, out);
  g_assert_cmpstr(out->str, ==,
                  "**eval.a\\_b**\n\n"
                  "| arm | mean | 95 % interval |\n"
                  "|---|--:|--:|\n"
                  "| a\\_b & \\|c\\| | -0.71 | [-0.91, -0.41] |\n"
                  "| 50% | - | ~[1e-3, 2e-3] |\n\n");
  t = small();
  g_string_truncate(out, 0);
  hn_sheet_end(&t, "eval.a_b", HN_SHEET_LATEX, out);
  g_assert_cmpstr(out->str, ==,
                  "\\begin{table}\n\\centering\n\\caption{eval.a\\_b}\n"
                  "\\begin{tabular}{lrr}\n\\toprule\n"
                  "arm & mean & 95 \\% interval \\\\\n\\midrule\n"
                  "a\\_b \\& |c| & $-0.71$ & $[-0.91, -0.41]$ \\\\\n"
                  "50\\% & - & $\\sim [1e-3, 2e-3]$ \\\\\n"
                  "\\bottomrule\n\\end{tabular}\n\\end{table}\n");
  g_string_truncate(out, 0);
  hn_sheet_line("note: x", HN_SHEET_LATEX, out), hn_sheet_line("note: x", HN_SHEET_MARKDOWN, out);
  g_assert_cmpstr(out->str, ==, "% note: x\nnote: x\n\n");
}

/* The same numbers in every style; CSV has them in full. */
static void comparison(void) {
  char *dir = temporary();
  fake_study(&three, dir);
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  char *markdown = hn_render(c, HN_SHEET_MARKDOWN), *latex = hn_render(c, HN_SHEET_LATEX);
  char *csv = hn_render_csv(c), **rows = g_strsplit(csv, "\n", -1);
  g_assert_nonnull(strstr(markdown, "| memory only | 3 | "));
  g_assert_nonnull(strstr(latex, "memory only & $3$ & $"));
  g_assert_nonnull(strstr(latex, "% noise: 3 arms x 3 seeds, 9 of 9 cells done\n"));
  g_assert_cmpuint(g_strv_length(rows), ==, 1 + 3 * c->columns->len + 1);
  g_assert_cmpstr(rows[0], ==,
                  "column,arm,seeds,value,low,high,difference,difference_low,difference_high,"
                  "seed_0,seed_1,seed_2");
  char **fields = g_strsplit(rows[1], ",", -1);
  const HnCompared *m = c->columns->pdata[0];
  g_assert_cmpstr(fields[1], ==, "inferred");
  g_assert_cmpfloat_with_epsilon(g_ascii_strtod(fields[3], NULL),
                                 (m->final[0] + m->final[1] + m->final[2]) / 3, 1e-8);
  g_strfreev(rows), g_strfreev(fields), g_free(markdown), g_free(latex), g_free(csv);
  hn_comparison_free(c), hn_results_free(r), done(dir);
}

static void latex_sets_it(void) {
  if (!g_find_program_in_path("pdflatex")) {
    g_test_skip("pdflatex is not installed");
    return;
  }
  char *dir = temporary(), *out = NULL;
  fake_study(&three, dir);
  HnResults *r = hn_results_read(dir, NULL);
  HnComparison *c = hn_compare(r, NULL, NULL, NULL);
  char *tables = hn_render(c, HN_SHEET_LATEX);
  char *page = g_strconcat("\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n",
                           tables, "\\end{document}\n", NULL);
  fake_write(dir, "page.tex", page);
  char *argv[] = {(char[]){"pdflatex"}, (char[]){"-halt-on-error"}, (char[]){"page.tex"}, NULL};
  int status = -1;
  g_assert_true(
      g_spawn_sync(dir, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, NULL, &status, NULL));
  if (status) g_test_message("%s", out);
  g_assert_cmpint(status, ==, 0);
  g_free(out), g_free(page), g_free(tables);
  hn_comparison_free(c), hn_results_free(r), done(dir);
}

int main(int argc, char **argv) {
  g_test_init(&argc, &argv, NULL);
  g_test_add_func("/sheet/styles", styles);
  g_test_add_func("/sheet/comparison", comparison);
  g_test_add_func("/sheet/latex", latex_sets_it);
  return g_test_run();
}

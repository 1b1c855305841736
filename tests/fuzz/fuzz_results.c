/* fuzz_results.c - bytes, cut at NULs, become the files of a study's folder with two cells alike.
 * Whatever is accepted can be compared, shown by task, drawn and reported. */
#include "fuzz.h"
#include <figure.h>
#include <html.h>
#include <page_origin.h>
#include <page_tables.h>
#include <page_top.h>
#include <render_csv.h>
#include <render_json.h>
#include <render_text.h>
#include <results.h>

/* In the order in which they come; the first lies in the study's folder, the rest in both cells. */
static const char *const files[] = {"study.json",   "run.json",       "config.resolved.yaml",
                                    "metrics.csv",  "steps.csv",      "trial.csv",
                                    "episodes.csv", "predictions.csv"};

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  (void)argc, (void)argv;
  fuzz_folder_make();
  for (int i = 0; i < 2; i++) {
    g_autofree char *cell = g_strdup_printf("%s/only/%d", fuzz_folder, i);
    g_assert_cmpint(g_mkdir_with_parents(cell, 0777), ==, 0);
  }
  return 0;
}

static void write_files(const uint8_t *data, size_t size) {
  for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    const gsize length = end ? (gsize)(end - data) : size;
    for (int cell = 0; cell < (i ? 2 : 1); cell++) {
      g_autofree char *name =
          i ? g_strdup_printf("only/%d/%s", cell, files[i]) : g_strdup(files[0]);
      g_autofree char *path = fuzz_write(name, data, length);
    }
    data += length + (end != NULL), size -= length + (end != NULL);
  }
}

static void use(const HnComparison *c) {
  g_autofree char *text = hn_render_text(c), *json = hn_render_json(c, NULL, NULL);
  g_autoptr(GString) page = g_string_new(NULL);
  hn_html_top(page, c), hn_html_warnings(page, c), hn_html_arms(page, c), hn_html_tables(page, c);
  hn_html_origin(page, c), hn_html_cells(page, c, "report.html");
  g_autoptr(GPtrArray) tasks = hn_compare_tasks(c, NULL);
  if (tasks) {
    g_autofree char *lines = hn_render_tasks(c, tasks, HN_SHEET_TEXT),
                    *csv = hn_render_csv_tasks(c, tasks);
    hn_html_tasks(page, c, tasks, "tasks.csv");
  }
  g_autoptr(GPtrArray) figures = hn_figures(c);
  for (guint i = 0; i < figures->len; i++) {
    const HnFigure *f = figures->pdata[i];
    g_autofree char *csv = f->kind->csv(f);
    g_assert_nonnull(csv);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  write_files(data, size);
  g_autoptr(GError) error = NULL;
  HnResults *r = hn_results_read(fuzz_folder, &error);
  g_assert_true(!r == (error != NULL));
  if (r) r->report.resamples = 100; /* fast */
  HnComparison *c = r && r->cells->len < 100 ? hn_compare(r, NULL, NULL, NULL) : NULL;
  if (c) use(c);
  if (c) hn_comparison_free(c);
  if (r) hn_results_free(r);
  return 0;
}
